//! United States of America.

use super::super::check::weighted::{complement_10, luhn_base, sum};
use super::super::check::{char_at, is_filler, is_one_of, number};
use super::super::row::{Needs, Row, any};
use crate::kind::Kind;

const SSN: &[&str] = &[
    "ssn",
    "ssns",
    "social security",
    "social",
    "社会安全号",
    "社会安全号码",
    "社安号",
    "security number",
    "ssid",
    "ss number",
];
const ITIN: &[&str] = &[
    "itin",
    "itins",
    "taxpayer",
    "tax id",
    "tax identification",
    "tax number",
    "个人报税",
    "纳税人",
    "tin",
    "taxid",
    "individual taxpayer",
    "payer",
];
const PASSPORT: &[&str] =
    &["passport", "passports", "us passport", "american passport", "travel document", "护照", "美国护照", "travel"];
const LICENSE: &[&str] = &[
    "driver license",
    "drivers license",
    "driver's license",
    "driver’s license",
    "driving license",
    "driver licence",
    "license",
    "licence",
    "lic",
    "dl",
    "驾照",
    "驾驶证",
    "dls",
    "cdl",
    "cdls",
    "lic #",
    "permit",
];
const ACCOUNT: &[&str] = &[
    "bank account",
    "bank account number",
    "account number",
    "account no",
    "account",
    "acct",
    "acct no",
    "checking",
    "savings",
    "银行账号",
    "银行账户",
    "账号",
    "账户",
    "bank",
];
const ROUTING: &[&str] = &[
    "aba",
    "routing",
    "rtn",
    "aba routing",
    "bank routing",
    "transit number",
    "汇款路线",
    "路由号码",
    "abarouting",
    "bankrouting",
    "routing number",
];
const MBI: &[&str] =
    &["mbi", "medicare", "beneficiary", "medicare beneficiary", "医疗保险", "cms", "hic", "hicn", "medicaid"];
const NPI: &[&str] = &["npi", "provider", "national provider", "provider identifier", "医疗提供者", "taxonomy"];
const DEA: &[&str] = &[
    "dea",
    "dea number",
    "medical license",
    "medical licence",
    "medical certificate",
    "certificate",
    "prescriber",
    "行医执照",
    "医师执照",
    "medical",
    "controlled substance",
];

pub(super) const ROWS: &[Row] = &[
    // Social Security Administration: area 000, 666 and 900 to 999, group 00 and serial 0000 are never assigned.
    Row::formed(Kind::US_SSN, "999-99-9999", ssn, "US_SSN: area, group, serial").grouped(Needs::Nothing).words(SSN),
    Row::formed(Kind::US_SSN, "999 99 9999", ssn, "US_SSN: area, group, serial")
        .gaps(" .")
        .bare(Needs::Never)
        .words(SSN),
    // Internal Revenue Service, publication 1915: area 900 to 999, group 50 to 65, 70 to 88, 90 to 92, 94 to 99.
    Row::formed(Kind::US_ITIN, "999-99-9999", itin, "US_ITIN: area, group").grouped(Needs::Nothing).words(ITIN),
    Row::formed(Kind::US_ITIN, "999 99 9999", itin, "US_ITIN: area, group").gaps(" .").bare(Needs::Never).words(ITIN),
    // Department of State: nine digits; since 2021 a letter and eight digits.
    Row::formed(Kind::US_PASSPORT, "A99999999", any, "US_PASSPORT: letter, eight digits").words(PASSPORT),
    Row::formed(Kind::US_PASSPORT, "999999999", not_filler, "US_PASSPORT: nine digits").words(PASSPORT),
    // AAMVA: number formats of the states. California, Florida, Illinois, New Jersey, Ohio, New Hampshire and others.
    Row::formed(Kind::US_DRIVER_LICENSE, "A9999999", any, "US_DRIVER_LICENSE: letter, 7 digits").words(LICENSE),
    Row::formed(Kind::US_DRIVER_LICENSE, "A99999999", any, "US_DRIVER_LICENSE: letter, 8 digits").words(LICENSE),
    Row::formed(Kind::US_DRIVER_LICENSE, "A999 9999 9999", any, "US_DRIVER_LICENSE: Illinois")
        .gaps(" -")
        .words(LICENSE),
    Row::formed(Kind::US_DRIVER_LICENSE, "A999 999 999 999", any, "US_DRIVER_LICENSE: 12 digits")
        .gaps(" -")
        .words(LICENSE),
    Row::formed(Kind::US_DRIVER_LICENSE, "A999 999 99 999 9", any, "US_DRIVER_LICENSE: Florida")
        .gaps("-")
        .words(LICENSE),
    Row::formed(Kind::US_DRIVER_LICENSE, "A999 9999 9999 99", any, "US_DRIVER_LICENSE: Wisconsin")
        .gaps("-")
        .words(LICENSE),
    Row::formed(Kind::US_DRIVER_LICENSE, "A9999 99999 99999", any, "US_DRIVER_LICENSE: New Jersey")
        .gaps(" -")
        .words(LICENSE),
    Row::formed(Kind::US_DRIVER_LICENSE, "A999999999", any, "US_DRIVER_LICENSE: Oklahoma, Missouri").words(LICENSE),
    Row::formed(Kind::US_DRIVER_LICENSE, "AA999999A", any, "US_DRIVER_LICENSE: Idaho").words(LICENSE),
    Row::formed(Kind::US_DRIVER_LICENSE, "AAA999999", any, "US_DRIVER_LICENSE: North Dakota").words(LICENSE),
    Row::formed(Kind::US_DRIVER_LICENSE, "999AA9999", any, "US_DRIVER_LICENSE: Iowa").words(LICENSE),
    Row::formed(Kind::US_DRIVER_LICENSE, "wdlXXXXXXXXX", any, "US_DRIVER_LICENSE: Washington").words(LICENSE),
    Row::formed(Kind::US_DRIVER_LICENSE, "AA9999999?", any, "US_DRIVER_LICENSE: Ohio").words(LICENSE),
    Row::formed(Kind::US_DRIVER_LICENSE, "99AAA99999", any, "US_DRIVER_LICENSE: New Hampshire").words(LICENSE),
    Row::formed(Kind::US_DRIVER_LICENSE, "99 999 9999", not_filler, "US_DRIVER_LICENSE: nine digits")
        .gaps("-")
        .words(LICENSE),
    Row::formed(Kind::US_DRIVER_LICENSE, "9999999?9?9?9?9?", not_filler, "US_DRIVER_LICENSE: digits")
        .bare(Needs::Label)
        .words(LICENSE),
    // Demand deposit accounts: no standard but up to 17 digits (NACHA file format, field 13).
    Row::formed(Kind::US_BANK_NUMBER, "999999999?9?9?9?9?9?9?9?9?", not_filler, "US_BANK_NUMBER: digits")
        .bare(Needs::Label)
        .words(ACCOUNT),
    // American Bankers Association: Federal Reserve prefix, weights 3-7-1.
    Row::checked(Kind::ABA_ROUTING_NUMBER, "9999 9999 9", aba, "ABA_ROUTING_NUMBER: prefix, weights 3-7-1")
        .gaps("-")
        .words(ROUTING),
    // Centers for Medicare and Medicaid Services: 11 characters, letters without S, L, O, I, B, Z.
    Row::formed(Kind::US_MBI, "9AX9 AX9 AA99", mbi, "US_MBI: letters and digits by place")
        .gaps("-")
        .bare(Needs::Nothing)
        .grouped(Needs::Nothing)
        .words(MBI),
    // 45 CFR 162.406: Luhn over 80840 and the number, which begins with 1 or 2.
    Row::checked(Kind::US_NPI, "9999 999 999", npi, "US_NPI: Luhn behind 80840").gaps(" -").words(NPI),
    // Drug Enforcement Administration, 21 CFR 1301: registrant type, initial, six digits, check digit.
    Row::checked(Kind::MEDICAL_LICENSE, "AX9999999", dea, "MEDICAL_LICENSE: DEA registration").words(DEA),
];

fn ssn(value: &[u8]) -> bool {
    let (area, group, serial) = (number(value, 0, 3), number(value, 3, 5), number(value, 5, 9));
    // Two numbers from advertisements were never assigned to anybody since.
    let sample = matches!((area, group, serial), (78, 5, 1120) | (219, 9, 9999));
    !matches!(area, 0 | 666 | 900..) && group != 0 && serial != 0 && !sample
}

fn itin(value: &[u8]) -> bool {
    char_at(value, 0) == b'9' && matches!(number(value, 3, 5), 50..=65 | 70..=88 | 90..=92 | 94..=99)
}

fn not_filler(value: &[u8]) -> bool {
    !is_filler(value)
}

fn aba(value: &[u8]) -> bool {
    let prefix = matches!(number(value, 0, 2), 1..=12 | 21..=32 | 61..=72 | 80);
    prefix && sum(value, &[3, 7, 1, 3, 7, 1, 3, 7, 1]).is_multiple_of(10)
}

fn mbi(value: &[u8]) -> bool {
    char_at(value, 0) != b'0' && !value.iter().any(|byte| b"SLOIBZ".contains(byte))
}

fn npi(value: &[u8]) -> bool {
    let mut prefixed = *b"808400000000000";
    for (slot, digit) in prefixed.iter_mut().skip(5).zip(value) {
        *slot = *digit;
    }
    let filled = value.iter().skip(1).take(8).all(|byte| Some(byte) == value.first());
    is_one_of(value, 0, b"12") && !filled && luhn_base(&prefixed, 10)
}

fn dea(value: &[u8]) -> bool {
    let registrant = is_one_of(value, 0, b"ABCDEFGHJKLMPRSTUX");
    let name = char_at(value, 1).is_ascii_uppercase() || char_at(value, 1) == b'9';
    // The check digit is the last digit of the sum itself, not what completes it: weights 9 and 8 are -1 and -2.
    let check = complement_10(value.get(2..).unwrap_or(&[]), &[9, 8, 9, 8, 9, 8]);
    registrant && name && check
}
