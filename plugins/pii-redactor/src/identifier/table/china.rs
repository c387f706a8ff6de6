//! China, with Hong Kong and Taiwan. Vehicle plates, which begin with an ideograph, have a file of their own.

use super::super::check::date::exists;
use super::super::check::iso7064::mod_11_2;
use super::super::check::weighted::sum;
use super::super::check::{char_at, is_digit, is_one_of, number, split_check, value_of};
use super::super::row::{Needs, Row};
use crate::kind::Kind;
use crate::text::cut;

const IDENTITY: &[&str] = &[
    "身份证",
    "身份证号",
    "公民身份",
    "证件号",
    "id card",
    "identity card",
    "resident id",
    "identity number",
    "id number",
];
const PASSPORT: &[&str] = &["护照", "护照号", "护照号码", "passport", "chinese passport", "china passport"];
const CREDIT_CODE: &[&str] =
    &["统一社会信用代码", "信用代码", "社会信用", "税号", "纳税人识别号", "uscc", "credit code", "social credit code"];
const HONG_KONG: &[&str] = &[
    "hkid",
    "hong kong id",
    "hong kong identity card",
    "identity card",
    "id card",
    "香港身份證",
    "香港身份证",
    "身份證",
    "身份证",
];
const TAIWAN: &[&str] = &[
    "身分證",
    "身份證",
    "身分證字號",
    "統一編號",
    "身份证",
    "居留證",
    "taiwan id",
    "taiwanese id",
    "national id",
    "identity card",
    "id card",
];

pub(super) const ROWS: &[Row] = &[
    // GB 11643: province, place, birth date, sequence, check character after ISO 7064 MOD 11-2.
    Row::checked(Kind::CN_ID_CARD, "999999 99999999 999X", resident, "CN_ID_CARD: province, date, check character")
        .gaps(" -")
        .bare(Needs::Nothing)
        .words(IDENTITY),
    // GB 11643-1989: fifteen digits without a check, still in old records.
    Row::formed(Kind::CN_ID_CARD, "999999999999999", old_resident, "CN_ID_CARD: province, date").words(IDENTITY),
    // National Immigration Administration: E, G and official S, P, D with eight digits; since 2017 E and a letter, and
    // official SE, PE, DE, with seven.
    Row::formed(Kind::CN_PASSPORT, "A99999999", passport, "CN_PASSPORT: series, eight digits").words(PASSPORT),
    Row::formed(Kind::CN_PASSPORT, "AA9999999", new_passport, "CN_PASSPORT: series, seven digits").words(PASSPORT),
    // GB 32100: check character modulo 31. All-digit codes look like other long numbers.
    Row::checked(Kind::CN_USCC, "XX999999XXXXXXXXXX", lettered_credit_code, "CN_USCC: modulo 31")
        .bare(Needs::Nothing)
        .words(CREDIT_CODE),
    Row::checked(Kind::CN_USCC, "XX999999XXXXXXXXXX", credit_code, "CN_USCC: modulo 31").words(CREDIT_CODE),
    // Hong Kong Immigration Department: one or two letters, six digits, check digit or A in parentheses, modulo 11.
    Row::checked(Kind::HK_ID_CARD, "A999999(X)", hong_kong, "HK_ID_CARD: modulo 11").words(HONG_KONG),
    Row::checked(Kind::HK_ID_CARD, "AA999999(X)", hong_kong, "HK_ID_CARD: modulo 11").words(HONG_KONG),
    // Ministry of the Interior: letter of the place, sex or kind of residence, modulo 10.
    Row::checked(Kind::TW_ID_CARD, "A999999999", taiwan, "TW_ID_CARD: modulo 10").words(TAIWAN),
    Row::checked(Kind::TW_ID_CARD, "AA99999999", taiwan_resident, "TW_ID_CARD: modulo 10").words(TAIWAN),
];

/// First two digits: provinces, municipalities, regions, the two special administrative regions, Taiwan, and foreigners
/// with permanent residence.
const PROVINCES: &[u32] = &[
    11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46, 50, 51, 52, 53, 54, 61, 62, 63,
    64, 65, 71, 81, 82, 83, 91,
];

fn resident(value: &[u8]) -> bool {
    let year = number(value, 6, 10);
    PROVINCES.contains(&number(value, 0, 2))
        && (1900..2100).contains(&year)
        && exists(year, number(value, 10, 12), number(value, 12, 14))
        && mod_11_2(value)
}

fn old_resident(value: &[u8]) -> bool {
    PROVINCES.contains(&number(value, 0, 2))
        && exists(1900 + number(value, 6, 8), number(value, 8, 10), number(value, 10, 12))
}

fn passport(value: &[u8]) -> bool {
    is_one_of(value, 0, b"EGSPD")
}

fn new_passport(value: &[u8]) -> bool {
    match (char_at(value, 0), char_at(value, 1)) {
        (b'E', second) => !b"IO".contains(&second),
        (b'S' | b'P' | b'D', second) => second == b'E',
        _ => false,
    }
}

/// Characters of the code in the order of their values; I, O, S, V and Z are left out.
const CREDIT_ALPHABET: &[u8] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";

fn lettered_credit_code(value: &[u8]) -> bool {
    // The kind of institution, then at least one letter in the number of the organisation.
    cut(value, 8, 17).iter().any(u8::is_ascii_uppercase) && credit_code(value)
}

fn credit_code(value: &[u8]) -> bool {
    if !is_one_of(value, 0, b"123456789ANY") {
        return false;
    }
    let place = |byte: u8| CREDIT_ALPHABET.iter().position(|other| *other == byte);
    let (body, check) = split_check(value);
    // Weights are the powers of three modulo 31.
    let mut weight = 1;
    let mut sum = 0;
    for byte in body {
        let Some(place) = place(*byte) else { return false };
        sum += place * weight;
        weight = weight * 3 % 31;
    }
    place(check) == Some((31 - sum % 31) % 31)
}

fn hong_kong(value: &[u8]) -> bool {
    let (body, check) = split_check(value);
    // The place of a second letter counts as a space, 36, where there is none.
    let (space, weights) =
        if body.len() == 7 { (36 * 9, [8, 7, 6, 5, 4, 3, 2, 0]) } else { (0, [9, 8, 7, 6, 5, 4, 3, 2]) };
    match (11 - (space + sum(body, &weights)) % 11) % 11 {
        10 => check == b'A',
        digit => is_digit(check, digit),
    }
}

/// Letters in the order of the numbers from 10 on that they stand for.
const TAIWAN_LETTERS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVXYWZIO";

fn taiwan(value: &[u8]) -> bool {
    is_one_of(value, 1, b"1289") && taiwan_sum(value, None)
}

/// Residence certificates until 2021: a second letter, of which the last digit counts.
fn taiwan_resident(value: &[u8]) -> bool {
    is_one_of(value, 1, b"ABCD") && taiwan_sum(value, letter_number(char_at(value, 1)))
}

fn letter_number(letter: u8) -> Option<u32> {
    (10..).zip(TAIWAN_LETTERS).find(|(_, other)| **other == letter).map(|(number, _)| number)
}

fn taiwan_sum(value: &[u8], second: Option<u32>) -> bool {
    let Some(first) = letter_number(char_at(value, 0)) else { return false };
    let second = second.map_or(value_of(char_at(value, 1)), |number| number % 10);
    let rest = sum(cut(value, 2, value.len()), &[7, 6, 5, 4, 3, 2, 1, 1]);
    (first / 10 + first % 10 * 9 + second * 8 + rest).is_multiple_of(10)
}
