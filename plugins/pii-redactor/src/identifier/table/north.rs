//! Finland, Sweden, Poland.

use super::super::check::date::{exists, exists_in_short_year};
use super::super::check::weighted::{complement_10, luhn_base};
use super::super::check::{char_at, is_letter, is_one_of, number};
use super::super::row::{Needs, Row};
use crate::kind::Kind;
use crate::text::cut;

const HETU: &[&str] =
    &["hetu", "henkilötunnu*", "personal identity code", "personbeteckning", "finnish id", "芬兰身份"];
const PERSON: &[&str] = &[
    "personnummer*",
    "pnr",
    "samordningsnummer*",
    "personal identity",
    "swedish id",
    "瑞典身份",
    "personal identity number",
    "svensk id",
    "svenskt personnummer",
];
const ORGANISATION: &[&str] = &[
    "organisationsnummer*",
    "orgnummer*",
    "orgnr",
    "org nr",
    "företag*",
    "company identity",
    "organisation number",
    "瑞典企业",
];
const PESEL: &[&str] = &["pesel*", "numer pesel", "polish id", "national id", "波兰身份"];

pub(super) const ROWS: &[Row] = &[
    // Digital and Population Data Services Agency: birth date, sign of the century, number, check character modulo 31.
    Row::checked(Kind::FI_PERSONAL_IDENTITY_CODE, "999999-999X", finnish, "FI_PERSONAL_IDENTITY_CODE: date, modulo 31")
        .bare(Needs::Never)
        .words(HETU),
    Row::checked(Kind::FI_PERSONAL_IDENTITY_CODE, "999999+999X", finnish, "FI_PERSONAL_IDENTITY_CODE: date, modulo 31")
        .bare(Needs::Never)
        .words(HETU),
    Row::checked(
        Kind::FI_PERSONAL_IDENTITY_CODE,
        "999999A999X",
        finnish_with_letter,
        "FI_PERSONAL_IDENTITY_CODE: date, modulo 31",
    )
    .bare(Needs::Nothing)
    .words(HETU),
    // Skatteverket, SKV 704: birth date (day and sixty for coordination numbers), number, Luhn.
    Row::checked(Kind::SE_PERSONNUMMER, "999999-9999", swedish, "SE_PERSONNUMMER: date, Luhn").words(PERSON),
    Row::checked(Kind::SE_PERSONNUMMER, "999999+9999", swedish, "SE_PERSONNUMMER: date, Luhn")
        .bare(Needs::Never)
        .words(PERSON),
    Row::checked(Kind::SE_PERSONNUMMER, "99999999-9999", swedish, "SE_PERSONNUMMER: date, Luhn").words(PERSON),
    // Skatteverket, SKV 709: the third digit is at least 2, so that it is no month; Luhn.
    Row::checked(Kind::SE_ORGANISATIONSNUMMER, "999999-9999", organisation, "SE_ORGANISATIONSNUMMER: Luhn")
        .grouped(Needs::Word)
        .words(ORGANISATION),
    // Ministry of Digital Affairs: birth date with the century in the month, weights 1-3-7-9.
    Row::checked(Kind::PL_PESEL, "99999999999", pesel, "PL_PESEL: date, digit modulo 10").words(PESEL),
];

const FINNISH: &[u8] = b"0123456789ABCDEFHJKLMNPRSTUVWXY";

fn finnish(value: &[u8]) -> bool {
    let date = exists_in_short_year(number(value, 4, 6), number(value, 2, 4), number(value, 0, 2));
    let number = number(value, 0, 6) * 1000 + number(value, 6, 9);
    date && is_letter(char_at(value, 9), FINNISH, number % 31)
}

/// Since 2023 `Y` to `U` stand for the twentieth century and `B` to `F` for this one, beside `A`.
fn finnish_with_letter(value: &[u8]) -> bool {
    let mut without = [0; 10];
    let digits = cut(value, 0, 6).iter().chain(cut(value, 7, 11));
    without.iter_mut().zip(digits).for_each(|(slot, byte)| *slot = *byte);
    is_one_of(value, 6, b"ABCDEFYXWVU") && finnish(&without)
}

fn swedish(value: &[u8]) -> bool {
    let short = value.len().saturating_sub(10);
    let ten = cut(value, short, value.len());
    let (year, month, day) = (number(ten, 0, 2), number(ten, 2, 4), number(ten, 4, 6));
    let day = if day > 60 { day - 60 } else { day };
    let date = if short == 0 {
        exists_in_short_year(year, month, day)
    } else {
        (18..=20).contains(&number(value, 0, 2)) && exists(number(value, 0, 4), month, day)
    };
    date && number(ten, 6, 9) != 0 && luhn_base(ten, 10)
}

fn organisation(value: &[u8]) -> bool {
    char_at(value, 0) != b'0' && !is_one_of(value, 2, b"01") && luhn_base(value, 10)
}

fn pesel(value: &[u8]) -> bool {
    let (month, day) = (number(value, 2, 4), number(value, 4, 6));
    // The centuries from 1800 on have 80, 0, 20, 40 and 60 added to the month.
    let century = match month / 20 {
        4 => 1800,
        other => 1900 + 100 * other,
    };
    exists(century + number(value, 0, 2), month % 20, day) && complement_10(value, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3])
}
