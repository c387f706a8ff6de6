//! Whole numbers and what they stand for.

use std::fmt::Write as _;

/// What one of the counted things is in the unit of its metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// One: tokens, calls, bytes.
    One,
    /// A billionth: nanoseconds of a metric in seconds, nano-dollars of one in dollars.
    Billionth,
}

const BILLION: u128 = 1_000_000_000;

impl Scale {
    /// The value in the unit of the metric, as near as a double is.
    #[expect(clippy::cast_precision_loss, reason = "where digits matter they are written as decimals")]
    pub(crate) fn real(self, value: u128) -> f64 {
        match self {
            Self::One => value as f64,
            Self::Billionth => value as f64 / 1e9,
        }
    }

    /// How many of the counted things a value in the unit of the metric is, to the nearest; `None` for what is no amount.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "checked to lie within the type"
    )]
    #[must_use]
    pub fn whole(self, value: f64) -> Option<u64> {
        let scaled = match self {
            Self::One => value,
            Self::Billionth => value * 1e9,
        };
        (scaled >= 0.0 && scaled < u64::MAX as f64).then(|| scaled.round() as u64)
    }

    /// Writes the value with all its digits: `3` where a metric counts in ones, else `0.0015`, `3.0`.
    pub(crate) fn write(self, value: u128, out: &mut String) {
        match self {
            Self::One => {
                let _ = write!(out, "{value}");
            }
            Self::Billionth => self.write_real(value, out),
        }
    }

    /// Writes the value with all its digits and at least one behind the point, as OpenMetrics wants sums.
    pub(crate) fn write_real(self, value: u128, out: &mut String) {
        let (whole, rest) = match self {
            Self::One => (value, 0),
            Self::Billionth => (value / BILLION, value % BILLION),
        };
        let _ = write!(out, "{whole}.");
        if rest == 0 {
            out.push('0');
            return;
        }
        let digits = format!("{rest:09}");
        out.push_str(digits.trim_end_matches('0'));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_digit_is_written() {
        for (scale, value, plain, real) in [
            (Scale::One, 0, "0", "0.0"),
            (Scale::One, 9_007_199_254_740_993, "9007199254740993", "9007199254740993.0"),
            (Scale::Billionth, 0, "0.0", "0.0"),
            (Scale::Billionth, 1, "0.000000001", "0.000000001"),
            (Scale::Billionth, 1_500_000, "0.0015", "0.0015"),
            (Scale::Billionth, 3_000_000_000, "3.0", "3.0"),
            (
                Scale::Billionth,
                9_007_199_254_740_993_000_000_001,
                "9007199254740993.000000001",
                "9007199254740993.000000001",
            ),
        ] {
            let (mut a, mut b) = (String::new(), String::new());
            scale.write(value, &mut a);
            scale.write_real(value, &mut b);
            assert_eq!((a.as_str(), b.as_str()), (plain, real));
        }
    }

    #[test]
    fn amounts_are_whole_and_what_is_none_is_none() {
        for (value, whole) in [
            (0.25, Some(250_000_000)),
            (0.0, Some(0)),
            (0.1, Some(100_000_000)),
            (-0.1, None),
            (f64::NAN, None),
            (f64::INFINITY, None),
            (1e300, None),
        ] {
            assert_eq!(Scale::Billionth.whole(value), whole, "{value}");
        }
    }
}
