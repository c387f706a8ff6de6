//! Singapore, Korea, Japan, Thailand, Philippines.

use super::super::check::date::exists_in_short_year;
use super::super::check::weighted::{complement_11_or_0, remainder_11, sum};
use super::super::check::{
    begins_with, char_at, is_digit, is_filler, is_letter, is_one_of, number, split_check, value_of,
};
use super::super::row::{Needs, Row};
use crate::kind::Kind;
use crate::text::cut;

const NRIC: &[&str] = &["nric", "fin", "nric fin", "identity card", "singapore id", "身份证", "新加坡身份证"];
const UEN: &[&str] = &[
    "uen",
    "unique entity number",
    "company registration",
    "entity number",
    "新加坡企业",
    "acra",
    "business registration",
];
const RRN: &[&str] = &["rrn", "resident registration", "korean rrn", "주민등록번호", "주민번호", "居民登记号"];
const FRN: &[&str] = &[
    "frn",
    "foreigner registration",
    "alien registration",
    "korean frn",
    "외국인등록번호",
    "등록번호",
    "外国人登记",
    "외국인번호",
];
const KR_PASSPORT: &[&str] =
    &["korean passport", "korea passport", "passport", "passport number", "여권", "여권번호", "韩国护照"];
const KR_LICENSE: &[&str] = &[
    "driver license",
    "driver's license",
    "driving license",
    "license",
    "운전면허",
    "운전면허번호",
    "면허번호",
    "驾照",
];
const BRN: &[&str] = &[
    "brn",
    "business registration",
    "business registration number",
    "사업자등록번호",
    "사업자번호",
    "사업자",
    "营业执照",
    "business number",
    "tax registration number",
];
const MY_NUMBER: &[&str] = &["my number", "mynumber", "individual number", "マイナンバー", "個人番号", "个人番号"];
const THAI: &[&str] = &[
    "tnin",
    "thai id",
    "thai national id",
    "thai national",
    "national id",
    "เลขประจำตัวประชาชน",
    "บัตรประชาชน",
    "เลขบัตรประชาชน",
    "泰国身份",
    "รหัสปชช",
];
const PH_TIN: &[&str] = &["tin", "bir tin", "taxpayer identification", "tax id", "tax identification", "bir", "税号"];

pub(super) const ROWS: &[Row] = &[
    // Immigration and Checkpoints Authority: series, seven digits, letter of the weighted sum modulo 11.
    Row::checked(Kind::SG_NRIC_FIN, "A9999999A", nric, "SG_NRIC_FIN: series, letter modulo 11")
        .bare(Needs::Nothing)
        .words(NRIC),
    Row::formed(Kind::SG_NRIC_FIN, "A9999999A", series, "SG_NRIC_FIN: series, form").bare(Needs::Label).words(NRIC),
    // Accounting and Corporate Regulatory Authority: businesses, local companies, other entities.
    Row::checked(Kind::SG_UEN, "99999999A", business, "SG_UEN: letter modulo 11").words(UEN),
    Row::checked(Kind::SG_UEN, "999999999A", company, "SG_UEN: year, letter modulo 11").bare(Needs::Nothing).words(UEN),
    Row::checked(Kind::SG_UEN, "A99AA9999A", entity, "SG_UEN: year, type, letter modulo 11")
        .bare(Needs::Nothing)
        .words(UEN),
    // Ministry of the Interior and Safety: birth date, sex and century, six digits that since October 2020 are random.
    Row::formed(Kind::KR_RRN, "999999-9999999", resident, "KR_RRN: date, sex").grouped(Needs::Nothing).words(RRN),
    Row::formed(Kind::KR_FRN, "999999-9999999", foreigner, "KR_FRN: date, sex").grouped(Needs::Nothing).words(FRN),
    // Ministry of Foreign Affairs: kind of passport, eight digits; since 2020 with a letter in the middle.
    Row::formed(Kind::KR_PASSPORT, "A999A9999", kr_passport, "KR_PASSPORT: kind, digits, letter").words(KR_PASSPORT),
    Row::formed(Kind::KR_PASSPORT, "A99999999", kr_passport, "KR_PASSPORT: kind, eight digits").words(KR_PASSPORT),
    // National Police Agency: region 11 to 28, year, number, check.
    Row::formed(Kind::KR_DRIVER_LICENSE, "99-99-999999-99", region, "KR_DRIVER_LICENSE: region, grouping")
        .grouped(Needs::Nothing)
        .words(KR_LICENSE),
    Row::formed(Kind::KR_DRIVER_LICENSE, "99 99 999999 99", region, "KR_DRIVER_LICENSE: region, grouping")
        .gaps(" ")
        .bare(Needs::Never)
        .words(KR_LICENSE),
    // National Tax Service: ten digits, weights 1-3-7.
    Row::checked(Kind::KR_BRN, "999-99-99999", business_number, "KR_BRN: check digit").words(BRN),
    // Ordinance 85 of the Ministry of Internal Affairs, 2014: weights 6 to 2 and 7 to 2, modulo 11.
    Row::checked(Kind::JP_MY_NUMBER, "9999 9999 9999", my_number, "JP_MY_NUMBER: digit modulo 11")
        .gaps(" -")
        .grouped(Needs::Word)
        .words(MY_NUMBER),
    // Department of Provincial Administration: category, province, weights 13 to 2, modulo 11.
    Row::checked(Kind::TH_TNIN, "9 9999 99999 99 9", thai, "TH_TNIN: province, digit modulo 11").gaps(" -").words(THAI),
    // Bureau of Internal Revenue: eight digits and a check digit modulo 11, then the branch.
    Row::checked(Kind::PH_TIN, "999 999 999 999", tin, "PH_TIN: digit modulo 11").gaps("-").words(PH_TIN),
    Row::checked(Kind::PH_TIN, "999 999 999 99999", tin, "PH_TIN: digit modulo 11").gaps("-").words(PH_TIN),
    Row::checked(Kind::PH_TIN, "999 999 999", tin, "PH_TIN: digit modulo 11")
        .gaps("-")
        .grouped(Needs::Word)
        .words(PH_TIN),
];

fn nric(value: &[u8]) -> bool {
    let (body, letter) = split_check(value);
    let (offset, letters) = match char_at(value, 0) {
        b'S' => (0, b"JZIHGFEDCBA"),
        b'T' => (4, b"JZIHGFEDCBA"),
        b'F' => (0, b"XWUTRQPNMLK"),
        b'G' => (4, b"XWUTRQPNMLK"),
        b'M' => (3, b"XWUTRQPNJLK"),
        _ => return false,
    };
    let sum = offset + sum(cut(body, 1, 8), &[2, 7, 6, 5, 4, 3, 2]);
    is_letter(letter, letters, sum % 11)
}

fn series(value: &[u8]) -> bool {
    is_one_of(value, 0, b"STFGM")
}

fn business(value: &[u8]) -> bool {
    let (body, letter) = split_check(value);
    is_letter(letter, b"XMKECAWLJDB", sum(body, &[10, 4, 9, 3, 8, 2, 7, 1]) % 11)
}

fn company(value: &[u8]) -> bool {
    let (body, letter) = split_check(value);
    (1850..2100).contains(&number(value, 0, 4))
        && is_letter(letter, b"ZKCMDNERGWH", sum(body, &[10, 8, 6, 4, 9, 7, 5, 3, 1]) % 11)
}

/// Types of other entities.
const ENTITIES: &[&str] = &[
    "CC", "CD", "CH", "CL", "CM", "CP", "CS", "CX", "DP", "FB", "FC", "FM", "FN", "GA", "GB", "GS", "HC", "HS", "LL",
    "LP", "MB", "MC", "MD", "MH", "MM", "MQ", "NB", "NR", "PA", "PB", "PF", "RF", "RP", "SM", "SS", "TC", "TU", "VH",
    "XL",
];

fn entity(value: &[u8]) -> bool {
    const ALPHABET: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWX0123456789";
    const WEIGHTS: [usize; 9] = [4, 3, 5, 3, 10, 2, 2, 5, 7];
    let (body, letter) = split_check(value);
    let place = |byte: &u8| ALPHABET.iter().position(|other| other == byte);
    let sum = body.iter().zip(WEIGHTS).try_fold(0, |sum, (byte, weight)| Some(sum + place(byte)? * weight));
    is_one_of(value, 0, b"TSR")
        && begins_with(cut(value, 3, 5), ENTITIES)
        && sum.is_some_and(|sum| ALPHABET.get((sum + 6) % 11) == Some(&letter))
}

fn korean_date(value: &[u8]) -> bool {
    exists_in_short_year(number(value, 0, 2), number(value, 2, 4), number(value, 4, 6))
}

fn resident(value: &[u8]) -> bool {
    korean_date(value) && is_one_of(value, 6, b"1234")
}

fn foreigner(value: &[u8]) -> bool {
    korean_date(value) && is_one_of(value, 6, b"5678")
}

fn kr_passport(value: &[u8]) -> bool {
    is_one_of(value, 0, b"MSRODG")
}

fn region(value: &[u8]) -> bool {
    (11..=28).contains(&number(value, 0, 2))
}

fn business_number(value: &[u8]) -> bool {
    let (body, check) = split_check(value);
    let carried = value_of(char_at(value, 8)) * 5 / 10;
    let sum = sum(body, &[1, 3, 7, 1, 3, 7, 1, 3, 5]) + carried;
    number(value, 0, 3) >= 101 && is_digit(check, (10 - sum % 10) % 10)
}

fn my_number(value: &[u8]) -> bool {
    complement_11_or_0(value, &[6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) && !is_filler(value)
}

fn thai(value: &[u8]) -> bool {
    let (body, check) = split_check(value);
    let digit = (11 - sum(body, &[13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11) % 10;
    let province = matches!(number(value, 1, 3), 10..=27 | 30..=58 | 60..=67 | 70..=77 | 80..=86 | 90..=96);
    is_one_of(value, 0, b"12345678") && province && is_digit(check, digit)
}

fn tin(value: &[u8]) -> bool {
    remainder_11(cut(value, 0, 9), &[9, 8, 7, 6, 5, 4, 3, 2]) && number(value, 0, 9) != 0
}
