//! United Kingdom.

use super::super::check::weighted::complement_11;
use super::super::check::{begins_with, char_at, is_filler, is_one_of, number};
use super::super::row::{Needs, Row, any};
use crate::kind::Kind;
use crate::text::cut;

const NHS: &[&str] = &[
    "nhs",
    "nhs number",
    "national health service",
    "patient",
    "国民保健",
    "health authority",
    "health services authority",
];
const NINO: &[&str] =
    &["nino", "national insurance", "national insurance number", "ni number", "ni no", "国民保险号", "国民保险"];
const PASSPORT: &[&str] =
    &["passport", "passports", "uk passport", "british passport", "护照", "英国护照", "travel document"];
const UK_PASSPORT: &[&str] =
    &["uk passport", "uk passport number", "british passport", "hmpo", "英国护照", "his majesty", "her majesty"];
const POSTCODE: &[&str] = &[
    "postcode",
    "postcodes",
    "post code",
    "postal code",
    "zip",
    "address",
    "addresses",
    "postal address",
    "邮编",
    "邮政编码",
    "地址",
    "delivery",
    "mailing",
    "shipping",
];
const PLATE: &[&str] = &[
    "vehicle registration",
    "registration number",
    "registration",
    "reg",
    "vrm",
    "vrn",
    "number plate",
    "licence plate",
    "license plate",
    "plate",
    "plates",
    "car",
    "vehicle",
    "vehicles",
    "车牌",
    "dvla",
];
const LICENCE: &[&str] = &[
    "driving licence",
    "driving license",
    "driver licence",
    "driver's licence",
    "driver number",
    "licence",
    "license",
    "dvla",
    "驾照",
];

pub(super) const ROWS: &[Row] = &[
    // NHS Data Dictionary: ten digits, weights 10 to 2, modulus 11. Grouped like a telephone number.
    Row::checked(Kind::UK_NHS, "999 999 9999", nhs, "UK_NHS: digit modulo 11")
        .gaps(" -")
        .grouped(Needs::Word)
        .words(NHS),
    // HMRC, NIM39110: prefixes that are not used, suffix A to D.
    Row::formed(Kind::UK_NINO, "AA 99 99 99 A", nino, "UK_NINO: prefix, suffix")
        .gaps(" -")
        .grouped(Needs::Nothing)
        .words(NINO),
    Row::formed(Kind::UK_NINO, "AA 999999 A", nino, "UK_NINO: prefix, suffix").gaps(" ").bare(Needs::Never).words(NINO),
    Row::formed(Kind::UK_NINO, "AA 999999A", nino, "UK_NINO: prefix, suffix").gaps(" ").bare(Needs::Never).words(NINO),
    // Her Majesty's Passport Office: nine digits; two letters and seven digits are accepted by verifiers, too.
    Row::formed(Kind::UK_PASSPORT, "AA9999999", any, "UK_PASSPORT: two letters, seven digits").words(PASSPORT),
    Row::formed(Kind::UK_PASSPORT, "999999999", not_filler, "UK_PASSPORT: nine digits").words(UK_PASSPORT),
    // Royal Mail, Programmers' Guide: six forms, areas that exist, letters of the inward code.
    Row::formed(Kind::UK_POSTCODE, "A9 9AA", postcode, "UK_POSTCODE: area, inward letters").gaps(" ").words(POSTCODE),
    Row::formed(Kind::UK_POSTCODE, "A99 9AA", postcode, "UK_POSTCODE: area, inward letters").gaps(" ").words(POSTCODE),
    Row::formed(Kind::UK_POSTCODE, "AA9 9AA", postcode, "UK_POSTCODE: area, inward letters").gaps(" ").words(POSTCODE),
    Row::formed(Kind::UK_POSTCODE, "AA99 9AA", postcode, "UK_POSTCODE: area, inward letters").gaps(" ").words(POSTCODE),
    Row::formed(Kind::UK_POSTCODE, "A9A 9AA", postcode, "UK_POSTCODE: area, inward letters").gaps(" ").words(POSTCODE),
    Row::formed(Kind::UK_POSTCODE, "AA9A 9AA", postcode, "UK_POSTCODE: area, inward letters").gaps(" ").words(POSTCODE),
    Row::formed(Kind::UK_POSTCODE, "gir 0aa", any, "UK_POSTCODE: Girobank").gaps(" ").words(POSTCODE),
    // DVLA, INF104: since 2001 area, age and three letters; 1983 to 2001 prefix; 1963 to 1982 suffix.
    Row::formed(Kind::UK_VEHICLE_REGISTRATION, "AA99 AAA", plate, "UK_VEHICLE_REGISTRATION: area, age")
        .gaps(" -")
        .words(PLATE),
    Row::formed(Kind::UK_VEHICLE_REGISTRATION, "A99?9? AAA", prefix_plate, "UK_VEHICLE_REGISTRATION: prefix")
        .gaps(" -")
        .words(PLATE),
    Row::formed(Kind::UK_VEHICLE_REGISTRATION, "AAA 99?9?A", suffix_plate, "UK_VEHICLE_REGISTRATION: suffix")
        .gaps(" -")
        .words(PLATE),
    // DVLA: five characters of the name, birth date with the sex in the month, initials, three that tell apart.
    Row::formed(Kind::UK_DRIVING_LICENCE, "AAXXX 999999 XX9XX", driver, "UK_DRIVING_LICENCE: name, birth date")
        .gaps(" -")
        .bare(Needs::Nothing)
        .grouped(Needs::Nothing)
        .words(LICENCE),
    Row::formed(Kind::UK_DRIVING_LICENCE, "AAXXX 999999 XXXXX", driver, "UK_DRIVING_LICENCE: name, birth date")
        .gaps(" -")
        .words(LICENCE),
];

fn nhs(value: &[u8]) -> bool {
    complement_11(value, &[10, 9, 8, 7, 6, 5, 4, 3, 2]) && !is_filler(value)
}

fn nino(value: &[u8]) -> bool {
    let unused = is_one_of(value, 0, b"DFIQUV")
        || is_one_of(value, 1, b"DFIOQUV")
        || begins_with(value, &["BG", "GB", "KN", "NK", "NT", "TN", "ZZ"]);
    !unused && is_one_of(value, 8, b"ABCD")
}

fn not_filler(value: &[u8]) -> bool {
    !is_filler(value)
}

/// Postcode areas.
const AREAS: &[&str] = &[
    "AB", "AL", "B", "BA", "BB", "BD", "BF", "BH", "BL", "BN", "BR", "BS", "BT", "BX", "CA", "CB", "CF", "CH", "CM",
    "CO", "CR", "CT", "CV", "CW", "DA", "DD", "DE", "DG", "DH", "DL", "DN", "DT", "DY", "E", "EC", "EH", "EN", "EX",
    "FK", "FY", "G", "GL", "GU", "GY", "HA", "HD", "HG", "HP", "HR", "HS", "HU", "HX", "IG", "IM", "IP", "IV", "JE",
    "KA", "KT", "KW", "KY", "L", "LA", "LD", "LE", "LL", "LN", "LS", "LU", "M", "ME", "MK", "ML", "N", "NE", "NG",
    "NN", "NP", "NR", "NW", "OL", "OX", "PA", "PE", "PH", "PL", "PO", "PR", "RG", "RH", "RM", "S", "SA", "SE", "SG",
    "SK", "SL", "SM", "SN", "SO", "SP", "SR", "SS", "ST", "SW", "SY", "TA", "TD", "TF", "TN", "TQ", "TR", "TS", "TW",
    "UB", "W", "WA", "WC", "WD", "WF", "WN", "WR", "WS", "WV", "YO", "ZE",
];

fn postcode(value: &[u8]) -> bool {
    let letters = value.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
    let inward = cut(value, value.len().saturating_sub(2), value.len());
    AREAS.iter().any(|area| area.as_bytes() == cut(value, 0, letters))
        && !inward.iter().any(|byte| b"CIKMOV".contains(byte))
}

fn plate(value: &[u8]) -> bool {
    let letters = |from, to| !cut(value, from, to).iter().any(|byte| b"IQ".contains(byte));
    letters(0, 2) && char_at(value, 0) != b'Z' && letters(4, 7) && matches!(number(value, 2, 4), 2..=29 | 51..=79)
}

fn prefix_plate(value: &[u8]) -> bool {
    !is_one_of(value, 0, b"IOQUZ")
        && !cut(value, value.len().saturating_sub(3), value.len()).iter().any(|byte| b"IQ".contains(byte))
}

fn suffix_plate(value: &[u8]) -> bool {
    let age = value.last().copied().unwrap_or(0);
    !b"IOQUZ".contains(&age) && !cut(value, 0, 3).iter().any(|byte| b"IQ".contains(byte))
}

fn driver(value: &[u8]) -> bool {
    // A short name is filled up with nines; letters never follow digits in it.
    let name = cut(value, 0, 5);
    let letters = name.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
    let filled = cut(name, letters, 5).iter().all(|byte| *byte == b'9');
    let month = number(value, 6, 8);
    let day = number(value, 8, 10);
    filled && matches!(month, 1..=12 | 51..=62) && (1..=31).contains(&day)
}
