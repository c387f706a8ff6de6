//! Canada and Brazil.

use super::super::check::weighted::{complement_11_or_0, luhn_base};
use super::super::check::{is_filler, is_one_of};
use super::super::row::{Needs, Row};
use crate::kind::Kind;
use crate::text::cut;

const SIN: &[&str] = &[
    "sin",
    "social insurance",
    "social insurance number",
    "nas",
    "assurance sociale",
    "社会保险号",
    "社保号",
    "工卡号",
];
const CPF: &[&str] = &["cpf", "cadastro de pessoas", "cadastro de pessoa", "contribuinte", "纳税人", "巴西税号"];
const CNPJ: &[&str] = &["cnpj", "cadastro nacional", "pessoa jurídica", "empresa", "企业税号", "巴西企业"];

pub(super) const ROWS: &[Row] = &[
    // Employment and Social Development Canada: Luhn; 0 and 8 are not used as first digits. Telephone numbers of other
    // countries are grouped the same way.
    Row::checked(Kind::CA_SIN, "999 999 999", sin, "CA_SIN: Luhn").gaps(" -.").grouped(Needs::Word).words(SIN),
    // Receita Federal: two check digits modulo 11.
    Row::checked(Kind::BR_CPF, "999.999.999-99", cpf, "BR_CPF: two digits modulo 11").words(CPF),
    // Receita Federal, IN 2.119/2022 and 2.229/2024: since July 2026 the first twelve may be letters; a character
    // counts as its ASCII code less 48.
    Row::checked(Kind::BR_CNPJ, "XX.XXX.XXX/XXXX-99", cnpj, "BR_CNPJ: two digits modulo 11").words(CNPJ),
];

fn sin(value: &[u8]) -> bool {
    !is_one_of(value, 0, b"08") && luhn_base(value, 10)
}

fn cpf(value: &[u8]) -> bool {
    let first = complement_11_or_0(cut(value, 0, 10), &[10, 9, 8, 7, 6, 5, 4, 3, 2]);
    first && complement_11_or_0(value, &[11, 10, 9, 8, 7, 6, 5, 4, 3, 2]) && !is_filler(cut(value, 0, 9))
}

fn cnpj(value: &[u8]) -> bool {
    const WEIGHTS: [u32; 13] = [6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2];
    let check = |length: usize, weights: &[u32]| {
        let sum: u32 =
            value.iter().take(length).zip(weights).map(|(byte, weight)| u32::from(byte - b'0') * weight).sum();
        u32::from(value.get(length).map_or(0, |byte| byte - b'0')) == (11 - sum % 11) % 11 % 10
    };
    let (_, twelve) = WEIGHTS.split_at(1);
    check(12, twelve) && check(13, &WEIGHTS) && !is_filler(cut(value, 0, 12))
}
