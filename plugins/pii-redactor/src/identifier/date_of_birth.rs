//! Days of birth: a day that exists, written in one of the usual ways, with a word of birth near.

use super::check::date::{exists, exists_in_short_year};
use super::nearby::Nearby;
use super::{Run, begins, candidate, ends};
use crate::candidate::{Candidate, Proof};
use crate::kind::Kind;
use crate::number::{digits_end, value};
use crate::text::{Text, at, before, run_end, run_start, slice, stands_at};

const WORDS: &[&str] = &[
    "born",
    "birth",
    "birthdate",
    "birthday",
    "birthdays",
    "dob",
    "d o b",
    "date of birth",
    "出生",
    "生日",
    "生于",
    "出生日期",
    "geboren",
    "geburtsdatum",
    "geb",
    "né le",
    "née le",
    "naissance",
    "nacimiento",
    "nacido",
    "nacida",
    "nascita",
    "nato",
    "nata",
    "生年月日",
    "생년월일",
];
const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
/// Bytes of the longest name of a month.
const LONGEST_MONTH: usize = 9;

pub(super) fn find(text: &Text<'_>, run: Run) -> Option<Candidate> {
    let Run { start, first_digit, end } = run;
    if start != first_digit || end - start > 8 {
        return None;
    }
    let digits = digits_end(text, start);
    let (from, to) = match (at(text, digits), digits - start) {
        (b'-' | b'/' | b'.' | 0xe5, 1 | 2 | 4) => {
            numeric(text, start, digits).or_else(|| with_month(text, start, digits))?
        }
        (b' ' | b',' | b's' | b'n' | b'r' | b't', 1 | 2) => with_month(text, start, digits)?,
        (_, 8) => numeric(text, start, digits)?,
        _ => return None,
    };
    if !begins(text, from, false) || !ends(text, to, false) {
        return None;
    }
    Nearby::of(text, from, to).named(WORDS)?;
    Some(candidate(Kind::DATE_OF_BIRTH, from, to, Proof::Named, "DATE_OF_BIRTH: a day, a word of birth"))
}

/// `1985-03-12`, `12.03.1985`, `3/12/85`, `1985年3月12日`, `19850312`.
fn numeric(text: &Text<'_>, start: usize, first_end: usize) -> Option<(usize, usize)> {
    let first = slice(text, start, first_end);
    if first.len() == 8 {
        let part = |from, to| value(first.get(from..to).unwrap_or(&[]));
        return (is_year(part(0, 4)) && exists(part(0, 4), part(4, 6), part(6, 8))).then_some((start, first_end));
    }
    let mark = match at(text, first_end) {
        b'-' => "-",
        b'/' => "/",
        b'.' => ".",
        0xe5 if stands_at(text, first_end, "年".as_bytes()) => "年",
        _ => return None,
    };
    let second_start = first_end + mark.len();
    if !at(text, second_start).is_ascii_digit() {
        return None;
    }
    let second_end = digits_end(text, second_start);
    let third_start = if mark == "年" {
        stands_at(text, second_end, "月".as_bytes()).then_some(second_end + "月".len())?
    } else {
        stands_at(text, second_end, mark.as_bytes()).then_some(second_end + 1)?
    };
    let third_end = digits_end(text, third_start);
    let (second, third) = (slice(text, second_start, second_end), slice(text, third_start, third_end));
    let (a, b, c) = (value(first), value(second), value(third));
    let valid = match (first.len(), second.len(), third.len()) {
        (4, 1 | 2, 1 | 2) => is_year(a) && exists(a, b, c),
        (1 | 2, 1 | 2, 4) if mark != "年" => is_year(c) && (exists(c, b, a) || exists(c, a, b)),
        (1 | 2, 1 | 2, 2) if mark != "年" => exists_in_short_year(c, b, a) || exists_in_short_year(c, a, b),
        _ => false,
    };
    let day_mark = mark == "年" && stands_at(text, third_end, "日".as_bytes());
    valid.then_some((start, third_end + if day_mark { "日".len() } else { 0 }))
}

/// `12 March 1985`, `12th of March, 1985`, `March 12, 1985`, `Mar 12 1985`.
fn with_month(text: &Text<'_>, start: usize, digits: usize) -> Option<(usize, usize)> {
    let day = value(slice(text, start, digits));
    if digits - start > 2 || !(1..=31).contains(&day) {
        return None;
    }
    let ordinal = at(text, digits).is_ascii_alphabetic();
    if ordinal && !["st", "nd", "rd", "th"].iter().any(|ending| stands_at(text, digits, ending.as_bytes())) {
        return None;
    }
    let end = digits + if ordinal { 2 } else { 0 };
    // The month before the day.
    let comma = usize::from(at(text, end) == b',');
    if let Some((year, year_end)) = year(text, end + comma)
        && before(text, start, 1) == b' '
    {
        let word = run_start(text, start - 1, LONGEST_MONTH + 1, |byte| byte.is_ascii_alphabetic() || byte == b'.');
        let month = month(slice(text, word, start - 1))?;
        return exists(year, month, day).then_some((word, year_end));
    }
    // The month behind it.
    let of = if stands_at(text, end, b" of ") { " of ".len() } else { 1 };
    if !matches!(at(text, end), b' ' | b'-') {
        return None;
    }
    let word = end + of;
    if !is_initial(at(text, word)) {
        return None;
    }
    let word_end = run_end(text, word, LONGEST_MONTH + 1, |byte| byte.is_ascii_alphabetic());
    let month = month(slice(text, word, word_end))?;
    let (year, year_end) = year(text, word_end + usize::from(matches!(at(text, word_end), b',' | b'.')))?;
    exists(year, month, day).then_some((start, year_end))
}

/// A year of four digits behind one space or hyphen.
fn year(text: &Text<'_>, place: usize) -> Option<(u32, usize)> {
    if !matches!(at(text, place), b' ' | b'-') || !at(text, place + 1).is_ascii_digit() {
        return None;
    }
    let end = digits_end(text, place + 1);
    let year = value(slice(text, place + 1, end));
    (end - place == 5 && is_year(year)).then_some((year, end))
}

fn is_year(year: u32) -> bool {
    (1880..2100).contains(&year)
}

/// Whether the name of a month begins so.
fn is_initial(byte: u8) -> bool {
    matches!(byte | 0x20, b'j' | b'f' | b'm' | b'a' | b's' | b'o' | b'n' | b'd')
}

/// The number of a month from its name or a beginning of it of three letters or more.
fn month(word: &[u8]) -> Option<u32> {
    let word = word.strip_suffix(b".").unwrap_or(word);
    if word.len() < 3 || !word.first().is_some_and(|byte| is_initial(*byte)) {
        return None;
    }
    let named = |name: &str| name.as_bytes().get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word));
    let place = MONTHS.iter().position(|name| named(name))?;
    Some(u32::try_from(place).ok()? + 1)
}

#[cfg(test)]
mod tests {
    use super::super::tests::assert_found;
    use crate::kind::Kind;

    #[test]
    fn days_with_a_word_of_birth() {
        for (text, expected) in [
            ("Date of birth: 1985-03-12", "1985-03-12"),
            ("DOB 03/12/1985.", "03/12/1985"),
            ("dateOfBirth\": \"1985-03-12\"", "1985-03-12"),
            ("geboren am 12.03.1985", "12.03.1985"),
            ("She was born on March 12, 1985 in Lyon", "March 12, 1985"),
            ("born 12th of March 1985", "12th of March 1985"),
            ("born on 12 Sep 1985", "12 Sep 1985"),
            ("他的出生日期是1985年3月12日，", "1985年3月12日"),
            ("生日：19850312", "19850312"),
            ("3/12/85 (DOB)", "3/12/85"),
        ] {
            assert_found(text, &[(Kind::DATE_OF_BIRTH, expected)]);
        }
    }

    #[test]
    fn other_days_and_what_is_no_day() {
        for text in [
            "due on 1985-03-12",
            "March 12, 1985",
            "born on 1985-13-12",
            "born on 30.02.1985",
            "born in version 1.2.1985.3",
            "birthday-1985-03-12.txt",
            "born 1985-03-12T10:00:00Z",
            "订单 1985年3月12日",
        ] {
            assert_found(text, &[]);
        }
    }
}
