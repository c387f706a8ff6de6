//! France and Spain.

use super::super::check::iso7064::remainder_97;
use super::super::check::{char_at, is_letter, is_one_of, number, split_check};
use super::super::row::{Needs, Row, any};
use crate::kind::Kind;
use crate::text::cut;

const NIR: &[&str] = &[
    "nir",
    "insee",
    "sécurité sociale",
    "securite sociale",
    "numéro de sécurité sociale",
    "carte vitale",
    "social security",
    "法国社保",
    "社保号",
];
const NIF: &[&str] =
    &["nif", "dni", "documento nacional de identidad", "identificación", "identificacion", "tax id", "西班牙身份"];
const NIE: &[&str] = &["nie", "extranjero", "identificación de extranjero", "foreigner", "西班牙外国人"];
const NUSS: &[&str] =
    &["nuss", "naf", "seguridad social", "número de afiliación", "numero de afiliacion", "social security", "社保号"];
const PASSPORT: &[&str] = &["pasaporte", "pasaportes", "passport", "spanish passport", "护照", "西班牙护照"];

pub(super) const ROWS: &[Row] = &[
    // INSEE: sex, year, month, department, commune, order, key of 97; Corsica is 2A and 2B.
    Row::checked(Kind::FR_NIR, "9 99 99 9X 999 999 99", nir, "FR_NIR: key modulo 97")
        .gaps(" .-")
        .bare(Needs::Nothing)
        .words(NIR),
    Row::checked(Kind::FR_NIR, "9 99 99 9X 999 999 - 99", nir, "FR_NIR: key modulo 97")
        .gaps(" ")
        .bare(Needs::Never)
        .words(NIR),
    // Real Decreto 1553/2005: the letter is the number modulo 23.
    Row::checked(Kind::ES_NIF, "99999999 A", nif, "ES_NIF: letter modulo 23").gaps("-").bare(Needs::Nothing).words(NIF),
    Row::checked(Kind::ES_NIF, "99999999 A", nif, "ES_NIF: letter modulo 23")
        .gaps(" ")
        .bare(Needs::Never)
        .grouped(Needs::Word)
        .words(NIF),
    Row::checked(Kind::ES_NIF, "9999999 A", nif, "ES_NIF: letter modulo 23").gaps("-").grouped(Needs::Word).words(NIF),
    Row::checked(Kind::ES_NIF, "99.999.999 A", nif, "ES_NIF: letter modulo 23").gaps("-").bare(Needs::Never).words(NIF),
    // Real Decreto 557/2011: X, Y, Z stand for 0, 1, 2.
    Row::checked(Kind::ES_NIE, "A9999999 A", nie, "ES_NIE: letter modulo 23").gaps("-").bare(Needs::Nothing).words(NIE),
    Row::checked(Kind::ES_NIE, "A 9999999 A", nie, "ES_NIE: letter modulo 23").gaps("-").bare(Needs::Never).words(NIE),
    // Tesorería General de la Seguridad Social: province, number, the rest of both modulo 97.
    Row::checked(Kind::ES_NUSS, "99 99999999 99", nuss, "ES_NUSS: modulo 97").gaps(" /-").words(NUSS),
    // Ministerio del Interior: three letters, six digits.
    Row::formed(Kind::ES_PASSPORT, "AAA999999", any, "ES_PASSPORT: three letters, six digits").words(PASSPORT),
];

fn nir(value: &[u8]) -> bool {
    let mut digits = [b'0'; 13];
    for (slot, byte) in digits.iter_mut().zip(value) {
        *slot = *byte;
    }
    // Corsica counts as 19 and 18.
    match (char_at(value, 5), char_at(value, 6)) {
        (_, b'0'..=b'9') => {}
        (b'2', b'A') => digits.iter_mut().skip(5).zip(b"19").for_each(|(slot, byte)| *slot = *byte),
        (b'2', b'B') => digits.iter_mut().skip(5).zip(b"18").for_each(|(slot, byte)| *slot = *byte),
        _ => return false,
    }
    is_one_of(value, 0, b"123478")
        && matches!(number(value, 3, 5), 1..=12 | 20..=42 | 50..=99)
        && number(value, 13, 15) == 97 - remainder_97(&digits)
}

/// Letters in the order of the remainders.
const LETTERS: &[u8] = b"TRWAGMYFPDXBNJZSQVHLCKE";

fn nif(value: &[u8]) -> bool {
    let (body, letter) = split_check(value);
    is_letter(letter, LETTERS, number(body, 0, 8) % 23)
}

fn nie(value: &[u8]) -> bool {
    let (body, letter) = split_check(value);
    let first = match char_at(value, 0) {
        b'X' => 0,
        b'Y' => 10_000_000,
        b'Z' => 20_000_000,
        _ => return false,
    };
    is_letter(letter, LETTERS, (first + number(body, 1, 8)) % 23)
}

fn nuss(value: &[u8]) -> bool {
    let (province, sequence) = (number(value, 0, 2), number(value, 2, 10));
    // Numbers of fewer than eight digits are written with zeros, which do not count.
    let whole = if sequence < 10_000_000 { sequence + province * 10_000_000 } else { remainder_97(cut(value, 0, 10)) };
    matches!(province, 1..=53 | 66) && sequence != 0 && number(value, 10, 12) == whole % 97
}
