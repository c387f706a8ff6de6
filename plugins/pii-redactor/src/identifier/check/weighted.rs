//! Weighted sums: each character times its weight, and what the sum leaves of a modulus.

use super::{is_digit, split_check, value_of};
use crate::luhn;

/// The sum of the characters times their weights, from the left; the shorter list ends it.
pub(in super::super) fn sum(value: &[u8], weights: &[u32]) -> u32 {
    value.iter().zip(weights).map(|(byte, weight)| value_of(*byte) * weight).sum()
}

/// The same with the digits of each product added up, as Luhn does.
pub(in super::super) fn digit_sum(value: &[u8], weights: &[u32]) -> u32 {
    let products = value.iter().zip(weights).map(|(byte, weight)| value_of(*byte) * weight);
    products.map(|product| product / 100 + product / 10 % 10 + product % 10).sum()
}

/// Whether the last digit is what the sum of the others leaves of eleven; ten cannot be written and passes nothing.
pub(in super::super) fn remainder_11(value: &[u8], weights: &[u32]) -> bool {
    let (body, check) = split_check(value);
    is_digit(check, sum(body, weights) % 11)
}

/// Whether the last digit brings the sum to a multiple of eleven; ten cannot be written and passes nothing.
pub(in super::super) fn complement_11(value: &[u8], weights: &[u32]) -> bool {
    let (body, check) = split_check(value);
    is_digit(check, (11 - sum(body, weights) % 11) % 11)
}

/// The same, with ten written as zero.
pub(in super::super) fn complement_11_or_0(value: &[u8], weights: &[u32]) -> bool {
    let (body, check) = split_check(value);
    is_digit(check, (11 - sum(body, weights) % 11) % 11 % 10)
}

/// Whether the last digit brings the sum to a multiple of ten.
pub(in super::super) fn complement_10(value: &[u8], weights: &[u32]) -> bool {
    let (body, check) = split_check(value);
    is_digit(check, (10 - sum(body, weights) % 10) % 10)
}

/// Luhn over digits and letters (letters as 10 to 35) to a base: products by two are reduced to the sum of their
/// digits in that base; the check character comes last.
pub(in super::super) fn luhn_base(value: &[u8], base: u32) -> bool {
    luhn::passes_base(value.iter().map(|byte| value_of(*byte)), base)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_and_what_they_leave() {
        assert_eq!(sum(b"1A2", &[1, 2, 3]), 1 + 20 + 6);
        assert_eq!(sum(b"123", &[1]), 1);
        assert_eq!(digit_sum(b"99", &[2, 1]), 9 + 9);
        // 1*3 + 2*2 = 7.
        assert!(remainder_11(b"127", &[3, 2]) && complement_11(b"124", &[3, 2]) && complement_10(b"123", &[3, 2]));
        // 3*3 + 2*2 + ... = 12 leaves 1: the complement is ten.
        assert!(!complement_11(b"400", &[3, 2]) && complement_11_or_0(b"400", &[3, 2]));
        assert!(luhn_base(b"79927398713", 10) && !luhn_base(b"79927398710", 10) && !luhn_base(b"", 10));
    }
}
