//! Check digits, one family a file. All take a value in capitals without separators, and nothing that is given makes
//! them fail.

pub(super) mod date;
pub(super) mod iso7064;
pub(super) mod verhoeff;
pub(super) mod weighted;

pub(crate) use iso7064::{mod_11_2, mod_11_10, remainder_97};
pub(crate) use verhoeff::verhoeff;

use crate::text::cut;

/// The value of a digit, or of a letter as 10 to 35.
pub(super) fn value_of(byte: u8) -> u32 {
    match byte {
        b'0'..=b'9' => u32::from(byte - b'0'),
        b'A'..=b'Z' => u32::from(byte - b'A') + 10,
        _ => 0,
    }
}

/// The number that some digits of the value are.
pub(super) fn number(value: &[u8], from: usize, to: usize) -> u32 {
    crate::number::value(cut(value, from, to))
}

/// The character at a place; 0 where there is none.
pub(super) fn char_at(value: &[u8], place: usize) -> u8 {
    value.get(place).copied().unwrap_or(0)
}

/// Whether the character at a place is one of these.
pub(super) fn is_one_of(value: &[u8], place: usize, characters: &[u8]) -> bool {
    value.get(place).is_some_and(|byte| characters.contains(byte))
}

/// Whether the value begins with one of these.
pub(super) fn begins_with(value: &[u8], beginnings: &[&str]) -> bool {
    beginnings.iter().any(|beginning| value.starts_with(beginning.as_bytes()))
}

/// The last character, and what stands before it.
pub(super) fn split_check(value: &[u8]) -> (&[u8], u8) {
    value.split_last().map_or((&[], 0), |(check, body)| (body, *check))
}

/// Whether a digit is written as that character.
pub(super) fn is_digit(byte: u8, digit: u32) -> bool {
    byte.is_ascii_digit() && u32::from(byte - b'0') == digit
}

/// Whether the check character is the one of the alphabet at that place.
pub(super) fn is_letter(byte: u8, alphabet: &[u8], place: u32) -> bool {
    usize::try_from(place).ok().and_then(|place| alphabet.get(place)) == Some(&byte)
}

/// Whether the value is one character again and again, or counts up: such values fill forms and examples.
pub(super) fn is_filler(value: &[u8]) -> bool {
    let steps = |step: u8| {
        value.windows(2).all(|pair| matches!(pair, [one, two] if one.wrapping_add(step) == *two || (step == 1 && *one == b'9' && *two == b'0')))
    };
    steps(0) || steps(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fills_forms() {
        for (value, expected) in
            [("11111", true), ("12345", true), ("7890123", true), ("12346", false), ("54321", false)]
        {
            assert_eq!(is_filler(value.as_bytes()), expected, "{value}");
        }
    }
}
