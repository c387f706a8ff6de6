//! Italy.

use super::super::check::weighted::luhn_base;
use super::super::check::{char_at, is_letter, is_one_of, number, split_check, value_of};
use super::super::row::{Needs, Row, any};
use crate::kind::Kind;

const FISCAL: &[&str] = &["codice fiscale", "cod fiscale", "cf", "fiscal code", "tax code", "意大利税号"];
const VAT: &[&str] = &["partita iva", "p iva", "piva", "vat", "vat code", "vat number", "iva", "意大利增值税"];
const PASSPORT: &[&str] = &[
    "passaporto",
    "passaporti",
    "italian passport",
    "italy passport",
    "italian passport number",
    "意大利护照",
    "documento di viaggio",
];
const IDENTITY: &[&str] = &[
    "carta d'identità",
    "carta di identità",
    "carta identità",
    "carta d'identita",
    "cie",
    "identity card",
    "id card",
    "身份证",
    "documento",
    "identità",
    "riconoscimento",
    "espatrio",
    "carta",
];
const LICENCE: &[&str] = &[
    "patente",
    "patente di guida",
    "driving licence",
    "driving license",
    "driver license",
    "driver's license",
    "license",
    "licence",
    "驾照",
    "licenza",
    "licenza di guida",
];

pub(super) const ROWS: &[Row] = &[
    // Decree of 23 December 1976: name, year, month, day with the sex, place, check letter modulo 26. Letters may
    // stand for digits where two persons would have the same code.
    Row::checked(Kind::IT_FISCAL_CODE, "AAA AAA XXAXX AXXXA", fiscal, "IT_FISCAL_CODE: check letter")
        .gaps(" ")
        .bare(Needs::Nothing)
        .words(FISCAL),
    Row::formed(Kind::IT_FISCAL_CODE, "AAAAAAXXAXXAXXXA", fiscal_form, "IT_FISCAL_CODE: form")
        .bare(Needs::Label)
        .words(FISCAL),
    // Agenzia delle Entrate: seven digits, office, Luhn digit.
    Row::checked(Kind::IT_VAT_CODE, "99999999999", vat, "IT_VAT_CODE: office, Luhn").words(VAT),
    Row::checked(Kind::IT_VAT_CODE, "it 99999999999", vat_with_country, "IT_VAT_CODE: office, Luhn")
        .gaps(" -")
        .bare(Needs::Nothing)
        .words(VAT),
    // Ministero dell'Interno: two letters, seven digits.
    Row::formed(Kind::IT_PASSPORT, "AA9999999", any, "IT_PASSPORT: two letters, seven digits").words(PASSPORT),
    // Paper, electronic of 2001, electronic of 2016.
    Row::formed(Kind::IT_IDENTITY_CARD, "AA 9999999", any, "IT_IDENTITY_CARD: two letters, seven digits")
        .gaps(" ")
        .words(IDENTITY),
    Row::formed(Kind::IT_IDENTITY_CARD, "9999999AA", any, "IT_IDENTITY_CARD: seven digits, two letters")
        .words(IDENTITY),
    Row::formed(Kind::IT_IDENTITY_CARD, "AA99999AA", any, "IT_IDENTITY_CARD: two letters, five digits, two letters")
        .words(IDENTITY),
    // Ministero dei Trasporti: province and seven digits; central number U1.
    Row::formed(Kind::IT_DRIVER_LICENSE, "AA9999999A", any, "IT_DRIVER_LICENSE: two letters, seven digits, letter")
        .words(LICENCE),
    Row::formed(Kind::IT_DRIVER_LICENSE, "u1XXXXXXXA", central, "IT_DRIVER_LICENSE: central number").words(LICENCE),
];

/// Letters that stand for 0 to 9.
const FOR_DIGITS: &[u8] = b"LMNPQRSTUV";

fn digit(byte: u8) -> Option<u32> {
    match byte {
        b'0'..=b'9' => Some(value_of(byte)),
        other => (0..).zip(FOR_DIGITS).find(|(_, letter)| **letter == other).map(|(digit, _)| digit),
    }
}

fn fiscal_form(value: &[u8]) -> bool {
    let digits = |from: usize, to: usize| {
        (from..to).try_fold(0, |number, place| Some(number * 10 + digit(char_at(value, place))?))
    };
    let day = digits(9, 11);
    digits(6, 8).is_some()
        && digits(12, 15).is_some()
        && is_one_of(value, 8, b"ABCDEHLMPRST")
        && day.is_some_and(|day| matches!(day, 1..=31 | 41..=71))
}

/// What a character counts at the first, third, fifth place and so on: 0 to 9 as A to J.
const ODD: [u32; 26] = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];

fn fiscal(value: &[u8]) -> bool {
    let (body, check) = split_check(value);
    let sum: u32 = body
        .iter()
        .enumerate()
        .map(|(place, byte)| {
            let even = if byte.is_ascii_digit() { value_of(*byte) } else { value_of(*byte) - 10 };
            let odd = usize::try_from(even).ok().and_then(|even| ODD.get(even)).copied();
            if place % 2 == 0 { odd.unwrap_or(0) } else { even }
        })
        .sum();
    fiscal_form(value) && is_letter(check, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", sum % 26)
}

fn vat(value: &[u8]) -> bool {
    number(value, 0, 7) != 0 && matches!(number(value, 7, 10), 1..=100 | 120 | 121 | 888 | 999) && luhn_base(value, 10)
}

fn vat_with_country(value: &[u8]) -> bool {
    vat(value.get(2..).unwrap_or(&[]))
}

fn central(value: &[u8]) -> bool {
    // The seven characters are of the alphabet without vowels, Q and V.
    !value.iter().skip(2).take(7).any(|byte| b"AEIOQV".contains(byte))
}
