//! India.

use super::super::check::verhoeff::verhoeff;
use super::super::check::weighted::luhn_base;
use super::super::check::{begins_with, char_at, is_filler, is_one_of, number};
use super::super::row::{Needs, Row, any};
use crate::kind::Kind;
use crate::text::cut;

const AADHAAR: &[&str] = &["aadhaar", "aadhar", "adhaar", "uidai", "uid", "आधार", "印度身份"];
const PAN: &[&str] = &["pan", "permanent account number", "pan card", "income tax", "पैन", "永久账号"];
const GSTIN: &[&str] = &[
    "gstin",
    "gstins",
    "gst",
    "gst number",
    "gst registration",
    "जीएसटी",
    "印度商品和服务税",
    "goods and services tax",
    "tax identification",
];
const PASSPORT: &[&str] = &["passport", "indian passport", "india passport", "पासपोर्ट", "护照", "印度护照"];
const VOTER: &[&str] = &[
    "voter",
    "voters",
    "voter id",
    "vote",
    "epic",
    "election",
    "electoral",
    "मतदाता",
    "选民",
    "elector photo identity card",
    "elector",
];
const VEHICLE: &[&str] = &[
    "vehicle",
    "vehicle registration",
    "registration",
    "registration number",
    "number plate",
    "plate",
    "rto",
    "car",
    "bike",
    "truck",
    "वाहन",
    "车牌",
];

pub(super) const ROWS: &[Row] = &[
    // Unique Identification Authority: twelve digits, the first 2 to 9, check digit of Verhoeff.
    Row::checked(Kind::IN_AADHAAR, "9999 9999 9999", aadhaar, "IN_AADHAAR: Verhoeff").gaps(" -").words(AADHAAR),
    Row::checked(Kind::IN_AADHAAR, "9999 9999 9999", aadhaar, "IN_AADHAAR: Verhoeff")
        .gaps(":")
        .bare(Needs::Never)
        .grouped(Needs::Word)
        .words(AADHAAR),
    // Income Tax Department: the fourth letter is the class of the holder.
    Row::formed(Kind::IN_PAN, "AAAAA9999A", pan, "IN_PAN: class of the holder").bare(Needs::Nothing).words(PAN),
    // Central Board of Indirect Taxes: state, PAN, entity, Z, check character modulo 36.
    Row::checked(Kind::IN_GSTIN, "99AAAAA9999AXzX", gstin, "IN_GSTIN: state, modulo 36")
        .bare(Needs::Nothing)
        .words(GSTIN),
    Row::formed(Kind::IN_GSTIN, "99AAAAA9999AXzX", state, "IN_GSTIN: state, form").bare(Needs::Label).words(GSTIN),
    // Ministry of External Affairs: a letter, seven digits, neither the first nor the last of them 0.
    Row::formed(Kind::IN_PASSPORT, "A9999999", passport, "IN_PASSPORT: letter, seven digits").words(PASSPORT),
    // Election Commission: three letters, seven digits.
    Row::formed(Kind::IN_VOTER, "AAA9999999", any, "IN_VOTER: three letters, seven digits").words(VOTER),
    // Central Motor Vehicles Rules 1989, rule 50: state, office, series, number; since 2021 the series BH.
    Row::formed(Kind::IN_VEHICLE_REGISTRATION, "AA99 A?A?A? 9999", vehicle, "IN_VEHICLE_REGISTRATION: state")
        .gaps(" -")
        .words(VEHICLE),
    Row::formed(Kind::IN_VEHICLE_REGISTRATION, "AA 99 AA?A? 9999", vehicle, "IN_VEHICLE_REGISTRATION: state")
        .gaps(" -")
        .words(VEHICLE),
    Row::formed(Kind::IN_VEHICLE_REGISTRATION, "AA9AA?A?9999", vehicle, "IN_VEHICLE_REGISTRATION: state")
        .words(VEHICLE),
    Row::formed(Kind::IN_VEHICLE_REGISTRATION, "99 bh 9999 AA?", any, "IN_VEHICLE_REGISTRATION: BH series")
        .gaps(" -")
        .words(VEHICLE),
];

fn aadhaar(value: &[u8]) -> bool {
    !is_one_of(value, 0, b"01") && verhoeff(value) && !is_filler(value)
}

fn pan(value: &[u8]) -> bool {
    is_one_of(value, 3, b"ABCFGHJLPT") && number(value, 5, 9) != 0
}

fn state(value: &[u8]) -> bool {
    matches!(number(value, 0, 2), 1..=38 | 97 | 99) && char_at(value, 12) != b'0'
}

fn gstin(value: &[u8]) -> bool {
    state(value) && luhn_base(value, 36)
}

fn passport(value: &[u8]) -> bool {
    !is_one_of(value, 0, b"QXZ") && char_at(value, 1) != b'0' && value.last() != Some(&b'0')
}

/// Codes of states and territories on vehicles.
const STATES: &[&str] = &[
    "AN", "AP", "AR", "AS", "BR", "CG", "CH", "DD", "DL", "DN", "GA", "GJ", "HP", "HR", "JH", "JK", "KA", "KL", "LA",
    "LD", "MH", "ML", "MN", "MP", "MZ", "NL", "OD", "OR", "PB", "PY", "RJ", "SK", "TG", "TN", "TR", "TS", "UA", "UK",
    "UP", "WB",
];

fn vehicle(value: &[u8]) -> bool {
    begins_with(value, STATES)
        && number(value, value.len().saturating_sub(4), value.len()) != 0
        && !cut(value, 2, 4).starts_with(b"00")
}
