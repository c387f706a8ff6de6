//! The check digit of J. Verhoeff (1969): products in the dihedral group of ten, which catch every swap of neighbours.

use super::value_of;

/// A permutation of the digits; applied once more for every place from the right.
const PERMUTATION: [u32; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];

/// Whether the digits, check digit last, pass.
pub(crate) fn verhoeff(value: &[u8]) -> bool {
    let product = value.iter().rev().enumerate().fold(0, |product, (place, byte)| {
        let permuted = (0..place % 8).fold(value_of(*byte), |digit, _| permute(digit));
        multiply(product, permuted)
    });
    !value.is_empty() && product == 0
}

fn permute(digit: u32) -> u32 {
    usize::try_from(digit).ok().and_then(|digit| PERMUTATION.get(digit)).copied().unwrap_or(0)
}

/// The product in the group of the ten symmetries of a pentagon: 0 to 4 turn it, 5 to 9 turn it over first.
fn multiply(left: u32, right: u32) -> u32 {
    match (left < 5, right < 5) {
        (true, true) => (left + right) % 5,
        (true, false) => 5 + (left + right) % 5,
        (false, true) => 5 + (left + 5 - right) % 5,
        (false, false) => (left + 5 - right) % 5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_numbers() {
        for (value, expected) in [("2363", true), ("2364", false), ("123451", true), ("123452", false), ("", false)] {
            assert_eq!(verhoeff(value.as_bytes()), expected, "{value}");
        }
    }

    proptest! {
        #[test]
        fn one_check_digit_fits_and_no_swap_of_neighbours_passes(body in "[0-9]{5,15}", place in 0usize..4) {
            let fitting: Vec<String> = ('0'..='9').map(|check| format!("{body}{check}")).filter(|value| verhoeff(value.as_bytes())).collect();
            prop_assert_eq!(fitting.len(), 1);
            let mut swapped = fitting[0].clone().into_bytes();
            swapped.swap(place, place + 1);
            prop_assert!(swapped == fitting[0].as_bytes() || !verhoeff(&swapped));
        }
    }
}
