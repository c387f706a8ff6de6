//! Exact amounts.

use crate::data::rate::Rate;
use std::fmt;

/// Decimals an amount is held with: 18 of a rate, and 6 because rates are for up to a million units.
const DECIMALS: u32 = 24;
const ONE: i128 = 10_i128.pow(DECIMALS);
const ONE_NANO: i128 = ONE / 1_000_000_000;

/// An exact amount of US dollars: a whole number of 10^-24 dollars, so that no rate of any price set is rounded.
/// The largest amount is 1.7 * 10^14 dollars; sums and products that would pass it are refused, not wrapped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Usd(i128);

impl Usd {
    /// No dollars.
    pub const ZERO: Self = Self(0);

    /// What `units` cost at `rate` dollars for `per` of them. `None` where the amount would be too large to hold, or
    /// would have more decimals than are held, which only rates by the hour can.
    #[must_use]
    pub(crate) fn of(units: u64, rate: Rate, per: u32) -> Option<Self> {
        let scale = 10_i128.checked_pow(DECIMALS.checked_sub(u32::from(rate.decimals))?)?;
        let (per, digits) = (i128::from(per), i128::from(rate.digits));
        let one = if scale % per == 0 { (scale / per).checked_mul(digits)? } else { return None };
        one.checked_mul(i128::from(units)).map(Self)
    }

    /// The sum, where it can be held.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// Nano-dollars, to the nearest, halves away from zero: for counters and other places that hold integers.
    #[must_use]
    pub const fn nanos(self) -> i128 {
        let half = if self.0 < 0 { -(ONE_NANO / 2) } else { ONE_NANO / 2 };
        (self.0 + half) / ONE_NANO
    }

    /// The nearest double, for display and for attributes that hold doubles.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        // Through decimal text, because the division of two rounded numbers would be off by a digit.
        self.to_string().parse().unwrap_or(f64::INFINITY)
    }
}

/// Prints the exact decimal, without trailing zeros and without an exponent.
impl fmt::Display for Usd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < 0 {
            f.write_str("-")?;
        }
        let (one, amount) = (ONE.unsigned_abs(), self.0.unsigned_abs());
        write!(f, "{}", amount / one)?;
        let (mut fraction, mut width) = (amount % one, DECIMALS as usize);
        if fraction == 0 {
            return Ok(());
        }
        while fraction % 10 == 0 {
            fraction /= 10;
            width -= 1;
        }
        write!(f, ".{fraction:0width$}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(units: u64, rate: &str, per: u32) -> Option<String> {
        Usd::of(units, Rate::parse(rate)?, per).map(|amount| amount.to_string())
    }

    #[test]
    fn amounts_are_exact() {
        for (units, rate, per, amount) in [
            (0, "2.5", 1_000_000, "0"),
            (1, "2.5", 1_000_000, "0.0000025"),
            (1, "0.041666666666666664", 1_000_000, "0.000000041666666666666664"),
            (3, "0.000000000000000001", 1_000_000, "0.000000000000000000000003"),
            (1_000_000, "10", 1_000_000, "10"),
            (1, "5", 1_000, "0.005"),
            (1 << 53, "600", 1_000_000, "5404319552844.5952"),
        ] {
            assert_eq!(cost(units, rate, per).as_deref(), Some(amount), "{units} at {rate}");
        }
    }

    #[test]
    fn what_cannot_be_held_is_refused() {
        assert_eq!(cost(u64::MAX, "18446744073709551615", 1_000_000), None);
        assert_eq!(cost(1, "0.04", 3_600), None, "an hourly rate for a second has no end in decimals");
    }

    #[test]
    fn nanos_are_rounded_and_doubles_are_the_nearest() {
        for (units, nanos, double) in [(1, 3, 2.5e-9), (2, 5, 5e-9), (3, 8, 7.5e-9), (1_000, 2_500, 2.5e-6)] {
            let amount = Usd::of(units, Rate::parse("0.0025").unwrap(), 1_000_000).unwrap();
            assert_eq!((amount.nanos(), amount.as_f64()), (nanos, double));
            assert_eq!(Usd(-amount.0).nanos(), -nanos);
        }
    }
}
