//! Rates: exact decimals.

use std::fmt;

/// Most decimals a rate can have. A rate for a million tokens then has 24 decimals for one token, which is the
/// precision amounts are held in.
pub(crate) const MOST_DECIMALS: u8 = 18;

/// A price in US dollars for so many units as [`Unit::per`](super::unit::Unit::per) says: `digits` divided by ten to
/// the power of `decimals`, without trailing zeros.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate {
    /// All digits, as an integer.
    pub digits: u64,
    /// How many of them stand after the decimal point; at most 18.
    pub decimals: u8,
}

impl Rate {
    /// Reads plain decimal text such as `2.5`: digits, at most one point, no sign and no exponent. `None` where the
    /// text is anything else, or has more digits than are held.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !plain(whole) || !plain(fraction) {
            return None;
        }
        let fraction = fraction.trim_end_matches('0');
        let decimals = u8::try_from(fraction.len()).ok().filter(|&decimals| decimals <= MOST_DECIMALS)?;
        let digits = whole
            .bytes()
            .chain(fraction.bytes())
            .try_fold(0_u64, |digits, byte| digits.checked_mul(10)?.checked_add(u64::from(byte.wrapping_sub(b'0'))))?;
        Some(Self { digits, decimals })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scale = 10_u64.checked_pow(u32::from(self.decimals)).unwrap_or(u64::MAX);
        write!(f, "{}", self.digits / scale)?;
        if self.decimals > 0 {
            write!(f, ".{:0width$}", self.digits % scale, width = usize::from(self.decimals))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_text_is_read_exactly_and_printed_the_same() {
        for (text, printed) in [
            ("0", "0"),
            ("2.5", "2.5"),
            ("2.50", "2.5"),
            ("10", "10"),
            ("0.041666666666666664", "0.041666666666666664"),
            ("00.30", "0.3"),
            ("600.000000", "600"),
        ] {
            assert_eq!(Rate::parse(text).map(|rate| rate.to_string()).as_deref(), Some(printed), "{text}");
        }
    }

    #[test]
    fn anything_but_plain_decimal_text_is_refused() {
        for text in ["", ".", "1.", ".5", "-1", "+1", "1e3", "1,5", " 1", "1.2.3", "NaN", "0.0000000000000000001"] {
            assert_eq!(Rate::parse(text), None, "{text}");
        }
        assert_eq!(Rate::parse("18446744073709551616"), None, "more digits than are held");
    }
}
