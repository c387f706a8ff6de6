//! Germany.

use super::super::check::iso7064::mod_11_10;
use super::super::check::weighted::{complement_10, digit_sum};
use super::super::check::{char_at, is_digit, is_one_of, number};
use super::super::row::{Needs, Row, any};
use crate::kind::Kind;
use crate::text::cut;

const TAX_ID: &[&str] = &[
    "steuer id",
    "steueridentifikationsnummer",
    "identifikationsnummer",
    "idnr",
    "steuer idnr",
    "tax id",
    "tin",
    "德国税号",
    "税号",
    "steuer identifikation",
    "steuerid",
    "steuerliche identifikation",
];
const TAX_NUMBER: &[&str] =
    &["steuernummer", "steuer nr", "st nr", "stnr", "steuernr", "tax number", "finanzamt", "税号"];
const INSURANCE: &[&str] = &[
    "rentenversicherungsnummer",
    "sozialversicherungsnummer",
    "versicherungsnummer",
    "rvnr",
    "svnr",
    "sv nummer",
    "sozialversicherung",
    "rentenversicherung",
    "social security",
    "社保号",
];
const IDENTITY: &[&str] = &[
    "personalausweis",
    "personalausweisnummer",
    "ausweis",
    "ausweisnummer",
    "ausweis nr",
    "identity card",
    "id card",
    "german id",
    "身份证",
    "ausweisdokument",
    "dokumentennummer",
    "npa",
];
const PASSPORT: &[&str] = &[
    "reisepass",
    "reisepassnummer",
    "pass nr",
    "passnummer",
    "pass",
    "passport",
    "german passport",
    "护照",
    "德国护照",
    "dokumentennummer",
];
const HEALTH: &[&str] = &[
    "kvnr",
    "krankenversichertennummer",
    "krankenversicherungsnummer",
    "krankenkasse",
    "versichertennummer",
    "egk",
    "egk nummer",
    "gesundheitskarte",
    "health insurance",
    "医保号",
    "医疗保险",
    "krankenversicherung",
    "krankenversichertenkarte",
];
const VAT: &[&str] = &[
    "ust idnr",
    "ust id",
    "umsatzsteuer",
    "umsatzsteuer id",
    "umsatzsteuer identifikationsnummer",
    "vat",
    "vat id",
    "增值税",
    "mehrwertsteuer",
];
const DOCTOR: &[&str] = &[
    "lanr",
    "arztnummer",
    "lebenslange arztnummer",
    "physician number",
    "医生编号",
    "arzt nr",
    "arzt nummer",
    "kassenarzt",
    "vertragsarzt",
];
const PRACTICE: &[&str] = &[
    "bsnr",
    "betriebsstättennummer",
    "betriebsstaettennummer",
    "betriebsstätte",
    "practice number",
    "诊所编号",
    "betriebsstätten nummer",
    "praxisnummer",
    "praxis",
    "arztpraxis",
    "kassenärztliche vereinigung",
];
const LICENCE: &[&str] = &[
    "führerschein",
    "führerscheinnummer",
    "fuehrerschein",
    "fahrerlaubnis",
    "driving licence",
    "driver license",
    "driver's license",
    "驾照",
    "fahrerlaubnisnummer",
    "fahrerlaubnisklasse",
    "führerscheininhaber",
    "fev",
];
const PLATE: &[&str] = &[
    "kennzeichen",
    "kfz",
    "kfz kennzeichen",
    "nummernschild",
    "autokennzeichen",
    "fahrzeug",
    "license plate",
    "licence plate",
    "number plate",
    "车牌",
    "fahrzeugkennzeichen",
    "kraftfahrzeugkennzeichen",
    "zulassung",
];
const REGISTER: &[&str] = &[
    "handelsregister",
    "handelsregisternummer",
    "amtsgericht",
    "registergericht",
    "commercial register",
    "商业登记",
    "registerauszug",
    "hr nummer",
];

pub(super) const ROWS: &[Row] = &[
    // Section 139b Abgabenordnung: ISO 7064 MOD 11,10, and of the first ten digits one comes twice or three times.
    Row::checked(Kind::DE_TAX_ID, "99 999 999 999", tax_id, "DE_TAX_ID: MOD 11,10, repeated digit")
        .gaps(" ")
        .words(TAX_ID),
    Row::checked(Kind::DE_TAX_ID, "99999999999", weak_tax_id, "DE_TAX_ID: MOD 11,10").bare(Needs::Label).words(TAX_ID),
    // Forms of the tax offices; check digits differ from state to state. Thirteen digits in the common form.
    Row::formed(Kind::DE_TAX_NUMBER, "999/999/99999", any, "DE_TAX_NUMBER: office, district, number")
        .bare(Needs::Never)
        .words(TAX_NUMBER),
    Row::formed(Kind::DE_TAX_NUMBER, "99/999/99999", any, "DE_TAX_NUMBER: office, district, number")
        .bare(Needs::Label)
        .words(TAX_NUMBER),
    Row::formed(Kind::DE_TAX_NUMBER, "999/9999/9999", any, "DE_TAX_NUMBER: office, district, number")
        .bare(Needs::Never)
        .words(TAX_NUMBER),
    Row::formed(Kind::DE_TAX_NUMBER, "99/9999?/9999", any, "DE_TAX_NUMBER: office, district, number")
        .bare(Needs::Never)
        .words(TAX_NUMBER),
    Row::formed(Kind::DE_TAX_NUMBER, "99999/99999", any, "DE_TAX_NUMBER: office, number")
        .bare(Needs::Never)
        .words(TAX_NUMBER),
    Row::formed(Kind::DE_TAX_NUMBER, "999 999 99999", any, "DE_TAX_NUMBER: office, district, number")
        .gaps(" ")
        .bare(Needs::Never)
        .words(TAX_NUMBER),
    Row::formed(Kind::DE_TAX_NUMBER, "9999999999999", common_tax_number, "DE_TAX_NUMBER: common form")
        .words(TAX_NUMBER),
    // VKVV section 4: area, birth date, initial, serial, check digit of cross sums.
    Row::checked(Kind::DE_SOCIAL_SECURITY, "99 999999 A 999", insurance, "DE_SOCIAL_SECURITY: date, check digit")
        .gaps(" ")
        .bare(Needs::Nothing)
        .words(INSURANCE),
    // Federal Office for Information Security, TR-03110; ICAO 9303: nine characters without vowels, then a check digit.
    Row::checked(Kind::DE_ID_CARD, "AXXXXXXXX9", checked_document, "DE_ID_CARD: check digit 7-3-1").words(IDENTITY),
    Row::formed(Kind::DE_ID_CARD, "AXXXXXXXX", document, "DE_ID_CARD: nine characters").words(IDENTITY),
    Row::checked(Kind::DE_PASSPORT, "AXXXXXXXX9", checked_passport, "DE_PASSPORT: check digit 7-3-1").words(PASSPORT),
    Row::formed(Kind::DE_PASSPORT, "AXXXXXXXX", passport, "DE_PASSPORT: nine characters").words(PASSPORT),
    // Section 290 SGB V: a letter, eight digits, check digit.
    Row::checked(Kind::DE_HEALTH_INSURANCE, "A999999999", health, "DE_HEALTH_INSURANCE: check digit").words(HEALTH),
    // Federal Central Tax Office: ISO 7064 MOD 11,10.
    Row::checked(Kind::DE_VAT_ID, "de 999 999 999", vat, "DE_VAT_ID: MOD 11,10")
        .gaps(" -.")
        .bare(Needs::Nothing)
        .words(VAT),
    Row::checked(Kind::DE_VAT_ID, "de 999999999", vat, "DE_VAT_ID: MOD 11,10").gaps(" ").bare(Needs::Never).words(VAT),
    // National Association of Statutory Health Insurance Physicians: six digits, check digit with weights 4 and 9,
    // speciality.
    Row::checked(Kind::DE_LANR, "999999999", doctor, "DE_LANR: check digit").words(DOCTOR),
    Row::formed(Kind::DE_BSNR, "999999999", practice, "DE_BSNR: region, number").words(PRACTICE),
    // Driving licence ordinance, annex 8: authority, serial, check digit, number of the copy.
    Row::formed(Kind::DE_FUEHRERSCHEIN, "AXXXXXXXXXX", licence, "DE_FUEHRERSCHEIN: authority, serial").words(LICENCE),
    // Commercial register ordinance: sections A and B.
    Row::formed(Kind::DE_HANDELSREGISTER, "hrA 99?9?9?9?9?", section, "DE_HANDELSREGISTER: section, number")
        .gaps(" ")
        .bare(Needs::Nothing)
        .grouped(Needs::Nothing)
        .words(REGISTER),
    // Vehicle registration ordinance, annex 1: district, letters, number; E electric, H historic.
    Row::formed(Kind::DE_KFZ, "AA?A? AA? 99?9?9?A?", plate, "DE_KFZ: district, letters, number")
        .gaps(" -")
        .bare(Needs::Never)
        .words(PLATE),
    Row::formed(Kind::DE_KFZ, "AA?A?-AA? 99?9?9?A?", plate, "DE_KFZ: district, letters, number")
        .gaps(" ")
        .bare(Needs::Never)
        .words(PLATE),
    Row::formed(Kind::DE_KFZ, "AA?A?-AA?99?9?9?A?", plate, "DE_KFZ: district, letters, number")
        .bare(Needs::Never)
        .words(PLATE),
];

fn tax_id(value: &[u8]) -> bool {
    if char_at(value, 0) == b'0' || !mod_11_10(value) {
        return false;
    }
    let counts = counts(value);
    let of = |count: usize| counts.iter().filter(|other| **other == count).count();
    of(2) + of(3) == 1 && of(0) + of(1) == 9
}

/// Without the rule of the repeated digit, which examples in forms often break; no digit comes four times.
fn weak_tax_id(value: &[u8]) -> bool {
    char_at(value, 0) != b'0' && mod_11_10(value) && counts(value).iter().all(|count| *count <= 3)
}

/// How often each digit comes among the first ten.
fn counts(value: &[u8]) -> [usize; 10] {
    std::array::from_fn(|digit| value.iter().take(10).filter(|byte| usize::from(**byte - b'0') == digit).count())
}

/// First digits of the tax offices by state, and the zero behind the office (ELSTER, common form).
fn common_tax_number(value: &[u8]) -> bool {
    let state = matches!(number(value, 0, 2), 10 | 11 | 21..=24 | 26..=28 | 30..=32 | 40 | 41 | 50..=59 | 90..=99);
    state && char_at(value, 4) == b'0'
}

fn insurance(value: &[u8]) -> bool {
    let letter = u32::from(char_at(value, 8)).saturating_sub(u32::from(b'A')) + 1;
    let front = digit_sum(cut(value, 0, 8), &[2, 1, 2, 5, 7, 1, 2, 1]);
    let sum =
        front + (letter / 10) * 2 % 10 + (letter / 10) * 2 / 10 + letter % 10 + digit_sum(cut(value, 9, 11), &[2, 1]);
    // The day is raised by fifty where the serial numbers of a birthday are used up.
    let day = matches!(number(value, 2, 4), 1..=31 | 51..=81);
    day && matches!(number(value, 4, 6), 1..=12) && is_digit(char_at(value, 11), sum % 10)
}

/// Characters of serial numbers of documents: no vowels, nothing that looks like another.
fn is_serial(value: &[u8]) -> bool {
    value.iter().take(9).all(|byte| b"CFGHJKLMNPRTVWXYZ0123456789".contains(byte))
}

fn document(value: &[u8]) -> bool {
    is_serial(value) && value.iter().filter(|byte| byte.is_ascii_digit()).count() >= 4
}

fn checked_document(value: &[u8]) -> bool {
    const WEIGHTS: [u32; 9] = [7, 3, 1, 7, 3, 1, 7, 3, 1];
    let sum = super::super::check::weighted::sum(cut(value, 0, 9), &WEIGHTS);
    document(value) && is_digit(char_at(value, 9), sum % 10)
}

fn passport(value: &[u8]) -> bool {
    is_one_of(value, 0, b"CFGHJK") && document(value)
}

fn checked_passport(value: &[u8]) -> bool {
    is_one_of(value, 0, b"CFGHJK") && checked_document(value)
}

fn health(value: &[u8]) -> bool {
    let letter = u32::from(char_at(value, 0)).saturating_sub(u32::from(b'A')) + 1;
    let cross = |product: u32| product / 10 + product % 10;
    let sum = letter / 10 + cross(letter % 10 * 2) + digit_sum(cut(value, 1, 9), &[1, 2, 1, 2, 1, 2, 1, 2]);
    is_digit(char_at(value, 9), sum % 10)
}

fn vat(value: &[u8]) -> bool {
    char_at(value, 2) != b'0' && mod_11_10(cut(value, 2, 11))
}

fn doctor(value: &[u8]) -> bool {
    complement_10(cut(value, 0, 7), &[4, 9, 4, 9, 4, 9])
}

fn practice(value: &[u8]) -> bool {
    number(value, 0, 2) != 0 && number(value, 2, 9) != 0
}

fn licence(value: &[u8]) -> bool {
    value.iter().filter(|byte| byte.is_ascii_digit()).count() >= 5
}

fn section(value: &[u8]) -> bool {
    is_one_of(value, 2, b"AB")
}

fn plate(value: &[u8]) -> bool {
    let first = value.iter().position(u8::is_ascii_digit).unwrap_or(0);
    let last = value.last().copied().unwrap_or(0);
    char_at(value, first) != b'0' && (last.is_ascii_digit() || matches!(last, b'E' | b'H'))
}
