//! ISO/IEC 7064: check character systems.

use super::{is_digit, split_check, value_of};

/// MOD 11-2: digits and a check character that may be `X` for ten.
pub(crate) fn mod_11_2(value: &[u8]) -> bool {
    let (body, check) = split_check(value);
    let sum = body.iter().fold(0u32, |sum, byte| (sum + value_of(*byte)) * 2 % 11);
    match (12 - sum) % 11 {
        10 => check == b'X',
        digit => is_digit(check, digit),
    }
}

/// MOD 11,10: digits with a check digit; every digit changes all that follow.
pub(crate) fn mod_11_10(value: &[u8]) -> bool {
    let (body, check) = split_check(value);
    let product = body.iter().fold(10u32, |product, byte| match (product + value_of(*byte)) % 10 {
        0 => 20 % 11,
        sum => sum * 2 % 11,
    });
    is_digit(check, (11 - product) % 10)
}

/// The remainder modulo 97 of the value read as a number, letters as 10 to 35.
pub(crate) fn remainder_97(value: &[u8]) -> u32 {
    value.iter().fold(0, |remainder, byte| {
        let digit = value_of(*byte);
        (remainder * if digit > 9 { 100 } else { 10 } + digit) % 97
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_of_the_systems() {
        // The standard's own example of MOD 11-2 is 0794 with check digit 0.
        for (value, expected) in [("07940", true), ("07941", false), ("079X", true), ("0799", false)] {
            assert_eq!(mod_11_2(value.as_bytes()), expected, "{value}");
        }
        // The standard's own example of MOD 11,10 is 0794 with check digit 5.
        for (value, expected) in [("07945", true), ("07946", false), ("", false)] {
            assert_eq!(mod_11_10(value.as_bytes()), expected, "{value}");
        }
        assert_eq!(remainder_97(b"79444"), 79444 % 97);
        assert_eq!(remainder_97(b"1A"), 110 % 97);
    }
}
