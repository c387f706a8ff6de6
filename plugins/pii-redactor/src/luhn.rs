//! The check digit of payment cards (ISO/IEC 7812-1, annex B): double every second digit from the right, subtract
//! nine where that passes nine; the sum must be a multiple of ten.

/// Whether the digits, check digit last, pass. Bytes other than ASCII digits must not be given; none passes nothing.
pub(crate) fn passes(digits: impl DoubleEndedIterator<Item = u8>) -> bool {
    passes_base(digits.map(|digit| u32::from(digit.wrapping_sub(b'0'))), 10)
}

/// The same for characters with values below a base (ISO/IEC 7812-1 has ten, others 36 with letters as 10 to 35): what
/// is doubled is reduced to the sum of its digits in that base.
pub(crate) fn passes_base(values: impl DoubleEndedIterator<Item = u32>, base: u32) -> bool {
    let mut sum = 0u32;
    let mut count = 0u32;
    for value in values.rev() {
        let product = if count % 2 == 1 { value.wrapping_mul(2) } else { value };
        sum = sum.wrapping_add(product / base + product % base);
        count += 1;
    }
    count > 0 && sum.is_multiple_of(base)
}

#[cfg(test)]
mod tests {
    use super::passes;
    use proptest::prelude::*;

    #[test]
    fn known_numbers() {
        for (digits, expected) in
            [("79927398713", true), ("79927398710", false), ("4111111111111111", true), ("0", true), ("", false)]
        {
            assert_eq!(passes(digits.bytes()), expected, "{digits}");
        }
    }

    proptest! {
        /// Exactly one check digit fits any number, which is what makes it catch every single wrong digit.
        #[test]
        fn one_check_digit_fits(body in "[0-9]{11,18}") {
            let fitting = ('0'..='9').filter(|check| passes(format!("{body}{check}").bytes())).count();
            prop_assert_eq!(fitting, 1);
        }
    }
}
