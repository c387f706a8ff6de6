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

/// A factor on rates, such as `1.1` for a region that costs a tenth more, or `0.85` for a discount of 15 %.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Factor(pub Rate);

impl Factor {
    /// Changes nothing.
    pub const ONE: Self = Self(Rate { digits: 1, decimals: 0 });

    /// Reads `*1.1`, `+10%` or `-15%`, of at most six decimals. `None` where the text is anything else, or takes off more
    /// than everything.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        const HUNDRED_PERCENT: u64 = 100_000_000;
        let plain = |text| Rate::parse(text).filter(|rate| rate.decimals <= 6);
        if let Some(factor) = text.strip_prefix('*') {
            return plain(factor).map(Self);
        }
        let percent = plain(text.get(1..)?.strip_suffix('%')?)?;
        let millionths = percent.digits.checked_mul(10_u64.checked_pow(6 - u32::from(percent.decimals))?)?;
        let digits = match text.get(..1)? {
            "+" => HUNDRED_PERCENT.checked_add(millionths)?,
            "-" => HUNDRED_PERCENT.checked_sub(millionths)?,
            _ => return None,
        };
        Some(Self(Rate::reduced(u128::from(digits), 8)?))
    }

    /// Both one after the other; `None` where the product has more digits than are held.
    #[must_use]
    pub fn and(self, other: Self) -> Option<Self> {
        self.0.times(other.0).map(Self)
    }

    /// The rate times the factor, rounded to 18 decimals; `None` where it has more digits than are held.
    #[must_use]
    pub fn of(self, rate: Rate) -> Option<Rate> {
        rate.times(self.0)
    }
}

impl fmt::Display for Factor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "*{}", self.0)
    }
}

impl Rate {
    /// The product, rounded to 18 decimals, halves up; `None` where it has more digits than are held.
    #[must_use]
    pub fn times(self, other: Self) -> Option<Self> {
        let digits = u128::from(self.digits) * u128::from(other.digits);
        Self::reduced(digits, self.decimals.checked_add(other.decimals)?)
    }

    /// This rate divided by a whole number, rounded to 12 decimals, halves up.
    pub(crate) fn divided_by(self, number: u64) -> Option<Self> {
        let scale = 10_u128.checked_pow(12_u32.checked_sub(u32::from(self.decimals))?)?;
        let digits = u128::from(self.digits).checked_mul(scale)?;
        let number = u128::from(number);
        Self::reduced(digits.checked_add(number / 2)?.checked_div(number)?, 12)
    }

    /// Without trailing zeros and decimals past the last that is held.
    fn reduced(mut digits: u128, mut decimals: u8) -> Option<Self> {
        while decimals > MOST_DECIMALS {
            let half_up = if decimals == MOST_DECIMALS + 1 { 5 } else { 0 };
            digits = digits.checked_add(half_up)? / 10;
            decimals -= 1;
        }
        while decimals > 0 && digits.is_multiple_of(10) {
            digits /= 10;
            decimals -= 1;
        }
        Some(Self { digits: u64::try_from(digits).ok()?, decimals })
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
    fn factors_multiply_exactly() {
        for (factor, rate, product) in [
            ("*1.1", "15", Some("16.5")),
            ("+10%", "15", Some("16.5")),
            ("-15%", "2.5", Some("2.125")),
            ("-12.5%", "0.0000375", Some("0.0000328125")),
            ("-100%", "2.5", Some("0")),
            ("*0.333333", "0.041666666666666664", Some("0.013888874999999999")),
            ("-100.1%", "1", None),
            ("15%", "1", None),
            ("*-1", "1", None),
            ("+1", "1", None),
            ("é", "1", None),
            ("*1.0000001", "1", None),
        ] {
            let found = Factor::parse(factor).and_then(|factor| factor.of(Rate::parse(rate)?));
            assert_eq!(found.map(|rate| rate.to_string()).as_deref(), product, "{rate} {factor}");
        }
        assert_eq!(Factor::parse("*1000000").unwrap().of(Rate { digits: u64::MAX, decimals: 0 }), None);
    }

    #[test]
    fn anything_but_plain_decimal_text_is_refused() {
        for text in ["", ".", "1.", ".5", "-1", "+1", "1e3", "1,5", " 1", "1.2.3", "NaN", "0.0000000000000000001"] {
            assert_eq!(Rate::parse(text), None, "{text}");
        }
        assert_eq!(Rate::parse("18446744073709551616"), None, "more digits than are held");
    }
}
