//! Australia, South Africa, Nigeria.

use super::super::check::date::exists_in_short_year;
use super::super::check::weighted::{luhn_base, sum};
use super::super::check::{char_at, is_digit, is_filler, is_one_of, number};
use super::super::row::{Needs, Row, any};
use crate::kind::Kind;

const TFN: &[&str] = &["tfn", "tax file", "tax file number", "税号", "澳洲税号"];
const ABN: &[&str] = &["abn", "australian business", "business number", "澳洲企业"];
const ACN: &[&str] = &["acn", "australian company", "company number", "澳洲公司"];
const MEDICARE: &[&str] = &["medicare", "medicare card", "medicare number", "医疗卡"];
const ZA: &[&str] = &[
    "south african id",
    "sa id",
    "rsa id",
    "id number",
    "identity number",
    "resident number",
    "refugee id",
    "national id",
    "南非身份",
];
const NIN: &[&str] = &["nin", "national identification number", "national identity number", "nimc", "尼日利亚身份"];
const PLATE: &[&str] = &[
    "plate",
    "plates",
    "plate number",
    "number plate",
    "license plate",
    "licence plate",
    "vehicle registration",
    "vehicle",
    "registration",
    "车牌",
];

pub(super) const ROWS: &[Row] = &[
    // Australian Taxation Office: weights 1, 4, 3, 7, 5, 8, 6, 9, 10, modulo 11. Grouped like any number of millions.
    Row::checked(Kind::AU_TFN, "999 999 999", tfn, "AU_TFN: modulo 11").gaps(" -").grouped(Needs::Word).words(TFN),
    // Australian Business Register: less one in the first place, modulo 89.
    Row::checked(Kind::AU_ABN, "99 999 999 999", abn, "AU_ABN: modulo 89").gaps(" -").words(ABN),
    // Australian Securities and Investments Commission: weights 8 to 1, modulo 10.
    Row::checked(Kind::AU_ACN, "999 999 999", acn, "AU_ACN: modulo 10").gaps(" -").grouped(Needs::Word).words(ACN),
    // Services Australia: first digit 2 to 6, weights 1, 3, 7, 9, modulo 10, then the issue.
    Row::checked(Kind::AU_MEDICARE, "9999 99999 9", medicare, "AU_MEDICARE: modulo 10").gaps(" -").words(MEDICARE),
    Row::checked(Kind::AU_MEDICARE, "9999 99999 9-9", medicare, "AU_MEDICARE: modulo 10")
        .gaps(" ")
        .bare(Needs::Never)
        .words(MEDICARE),
    // Department of Home Affairs: birth date, number, citizenship, 8 or 9, Luhn.
    Row::checked(Kind::ZA_ID_NUMBER, "999999 9999 999", south_african, "ZA_ID_NUMBER: date, citizenship, Luhn")
        .gaps(" ")
        .bare(Needs::Nothing)
        .words(ZA),
    // National Identity Management Commission: eleven digits, no published check.
    Row::formed(Kind::NG_NIN, "99999999999", not_filler, "NG_NIN: eleven digits").bare(Needs::Label).words(NIN),
    // Federal Road Safety Corps: local government, number, letters.
    Row::formed(Kind::NG_VEHICLE_REGISTRATION, "AAA 999AA", any, "NG_VEHICLE_REGISTRATION: area, number, letters")
        .gaps("- ")
        .words(PLATE),
];

fn tfn(value: &[u8]) -> bool {
    sum(value, &[1, 4, 3, 7, 5, 8, 6, 9, 10]).is_multiple_of(11) && !is_filler(value)
}

fn abn(value: &[u8]) -> bool {
    let sum = sum(value, &[10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19]);
    char_at(value, 0) != b'0' && (sum - 10).is_multiple_of(89)
}

fn acn(value: &[u8]) -> bool {
    let sum = sum(value, &[8, 7, 6, 5, 4, 3, 2, 1]);
    number(value, 0, 9) != 0 && is_digit(char_at(value, 8), (10 - sum % 10) % 10)
}

fn medicare(value: &[u8]) -> bool {
    let sum = sum(value, &[1, 3, 7, 9, 1, 3, 7, 9]);
    is_one_of(value, 0, b"23456") && is_digit(char_at(value, 8), sum % 10)
}

fn south_african(value: &[u8]) -> bool {
    exists_in_short_year(number(value, 0, 2), number(value, 2, 4), number(value, 4, 6))
        && is_one_of(value, 10, b"012")
        && is_one_of(value, 11, b"89")
        && luhn_base(value, 10)
}

fn not_filler(value: &[u8]) -> bool {
    !is_filler(value)
}
