//! The resident identity number of China (GB 11643): six digits of place, eight of birth date, three of sequence and
//! a check character after ISO 7064 MOD 11-2.

use crate::number::value;
use crate::text::{Text, at, cut, ends_token, slice, starts_token};

/// First two digits: provinces, municipalities, regions, and the two special administrative regions and Taiwan.
const PROVINCES: &[u32] = &[
    11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46, 50, 51, 52, 53, 54, 61, 62, 63,
    64, 65, 71, 81, 82, 83, 91,
];
/// Remainder of the weighted sum to check character.
const CHECKS: &[u8; 11] = b"10X98765432";

/// End of the identity number whose digit run is `start..run_end`, where it is one.
pub(crate) fn find(text: &Text<'_>, start: usize, run_end: usize) -> Option<usize> {
    let end = match run_end - start {
        18 => run_end,
        17 if matches!(at(text, run_end), b'X' | b'x') => run_end + 1,
        _ => return None,
    };
    let whole = starts_token(text, start) && ends_token(text, end);
    (whole && is_valid(slice(text, start, end))).then_some(end)
}

fn is_valid(number: &[u8]) -> bool {
    let [body @ .., check] = number else { return false };
    if body.len() != 17 || !PROVINCES.contains(&value(cut(body, 0, 2))) {
        return false;
    }
    let (year, month, day) = (value(cut(body, 6, 10)), value(cut(body, 10, 12)), value(cut(body, 12, 14)));
    if !(1900..2100).contains(&year) || !(1..=days_of(year, month)).contains(&day) {
        return false;
    }
    // Weights are the powers of two modulo eleven, from the left: 2^17 down to 2^1.
    let sum = body.iter().fold(0u32, |sum, digit| (sum + u32::from(digit - b'0')) * 2 % 11);
    usize::try_from(sum)
        .ok()
        .and_then(|sum| CHECKS.get(sum))
        .is_some_and(|wanted| *wanted == check.to_ascii_uppercase())
}

/// Days of a month; 0 for a month that does not exist.
fn days_of(year: u32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        1..=12 => 31,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::digits_end;

    fn id(text: &str) -> Option<&str> {
        let start = text.find(|c: char| c.is_ascii_digit())?;
        find(&Text::whole(text.as_bytes()), start, digits_end(&Text::whole(text.as_bytes()), start))
            .and_then(|end| text.get(start..end))
    }

    #[test]
    fn numbers_with_a_check_character() {
        for text in ["11010519491231002X", "11010519491231002x", "440524188001010014".replace("1880", "1980").as_str()]
        {
            let expected = !text.starts_with("4405");
            assert_eq!(id(text).is_some(), expected, "{text}");
            assert_eq!(id(&format!("身份证{text}号")).is_some(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_identity_number() {
        for (text, why) in [
            ("110105194912310021", "check character"),
            ("11010519490231002X", "no such day"),
            ("11010518491231002X", "year"),
            ("99010519491231002X", "no such province"),
            ("11010519491231002XY", "a longer token"),
            ("1101051949123100211", "19 digits"),
        ] {
            assert_eq!(id(text), None, "{text}: {why}");
        }
    }

    #[test]
    fn february_has_its_leap_days() {
        for (year, days) in [(1999, 28), (2000, 29), (1900, 28), (2024, 29)] {
            assert_eq!(days_of(year, 2), days);
        }
        assert_eq!(days_of(2000, 13), 0);
    }
}
