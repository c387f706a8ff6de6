//! Turkey, and what is the same everywhere: bank identifiers.

use super::super::check::{char_at, is_digit, number, value_of};
use super::super::row::Row;
use crate::kind::Kind;
use crate::text::cut;

const NATIONAL: &[&str] = &[
    "tckn",
    "tc kimlik",
    "t c kimlik",
    "kimlik no",
    "kimlik",
    "kimlik numara*",
    "tc",
    "turkish id",
    "national id",
    "土耳其身份",
    "nüfus cüzdanı",
    "nüfus",
];
const PLATE: &[&str] = &["plaka*", "license plate", "licence plate", "number plate", "plate", "araç", "车牌"];
/// Names of the code.
pub(in super::super) const BIC: &[&str] = &["swift", "bic", "swift code", "bic code", "swift bic", "银行代码"];

pub(super) const ROWS: &[Row] = &[
    // General Directorate of Population: two check digits.
    Row::checked(Kind::TR_NATIONAL_ID, "99999999999", turkish, "TR_NATIONAL_ID: two check digits").words(NATIONAL),
    // Highway Traffic Regulation: province 01 to 81, one to three letters, two to four digits.
    Row::formed(Kind::TR_LICENSE_PLATE, "99 AA?A? 999?9?", plate, "TR_LICENSE_PLATE: province, letters")
        .gaps(" ")
        .words(PLATE),
    // ISO 9362: institution, country, place, branch.
    Row::formed(Kind::SWIFT_CODE, "AAAAAAXX", bic, "SWIFT_CODE: institution, country, place").words(BIC),
    Row::formed(Kind::SWIFT_CODE, "AAAAAAXXXXX", bic, "SWIFT_CODE: institution, country, place, branch").words(BIC),
];

fn turkish(value: &[u8]) -> bool {
    let every_other =
        |from: usize| -> u32 { cut(value, 0, 9).iter().skip(from).step_by(2).map(|byte| value_of(*byte)).sum() };
    let tenth = (every_other(0) * 7 + 90 - every_other(1)) % 10;
    let eleventh = cut(value, 0, 10).iter().map(|byte| value_of(*byte)).sum::<u32>() % 10;
    char_at(value, 0) != b'0' && is_digit(char_at(value, 9), tenth) && is_digit(char_at(value, 10), eleventh)
}

fn plate(value: &[u8]) -> bool {
    let letters: usize = value.iter().filter(|byte| byte.is_ascii_uppercase()).count();
    let digits = value.len() - letters;
    // One letter goes with up to four digits, two and three with fewer or as many.
    (1..=81).contains(&number(value, 0, 2)) && digits >= 4 && !value.iter().any(|byte| b"QWX".contains(byte))
}

/// Country codes of ISO 3166-1, and XK for Kosovo.
const COUNTRIES: &str = "ADAEAFAGAIALAMAOARASATAUAWAXAZBABBBDBEBFBGBHBIBJBLBMBNBOBQBRBSBTBWBYBZCACCCDCFCGCHCICKCLCMCNCOCR\
CUCVCWCXCYCZDEDJDKDMDODZECEEEGERESETFIFJFKFMFOFRGAGBGDGEGFGGGHGIGLGMGNGPGQGRGTGUGWGYHKHNHRHTHUIDIEILIMINIOIQIRISITJEJM\
JOJPKEKGKHKIKMKNKPKRKWKYKZLALBLCLILKLRLSLTLULVLYMAMCMDMEMFMGMHMKMLMMMNMOMPMQMRMSMTMUMVMWMXMYMZNANCNENFNGNINLNONPNRNUNZ\
OMPAPEPFPGPHPKPLPMPNPRPSPTPWPYQARERORSRURWSASBSCSDSESGSHSISJSKSLSMSNSOSRSSSTSVSXSYSZTCTDTFTGTHTJTKTLTMTNTOTRTTTVTWTZUA\
UGUSUYUZVAVCVEVGVIVNVUWFWSXKYEYTZAZMZW";

/// Whether the letters are a business identifier code: no test code (`0` in second place of the location).
pub(in super::super) fn bic(value: &[u8]) -> bool {
    let country = cut(value, 4, 6);
    COUNTRIES.as_bytes().chunks(2).any(|code| code == country) && char_at(value, 7) != b'0'
}
