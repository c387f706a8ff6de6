//! Exact amounts.

use crate::data::rate::Rate;
use std::fmt;

/// Decimals an amount is held with: 18 of a rate, and 6 because rates are for up to a million units.
const DECIMALS: u32 = 24;
#[expect(clippy::indexing_slicing, reason = "evaluated, and checked, while compiling")]
const POWERS_OF_TEN: [i128; DECIMALS as usize + 1] = {
    let mut powers = [1; DECIMALS as usize + 1];
    let mut power = 1;
    while power < powers.len() {
        powers[power] = powers[power - 1] * 10;
        power += 1;
    }
    powers
};
const ONE: i128 = 10_i128.pow(DECIMALS);
const ONE_NANO: i128 = ONE / 1_000_000_000;

/// An exact amount of US dollars: a whole number of 10^-24 dollars, so that no rate of any price set is rounded.
/// The largest amount is 1.7 * 10^14 dollars; sums and products that would pass it are refused, not wrapped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Usd(i128);

impl Usd {
    /// No dollars.
    pub const ZERO: Self = Self(0);

    /// What `units` cost at `rate` dollars for `per` of them. Exact where `per` is a power of ten; a second at a rate for
    /// an hour has no end in decimals, and is rounded at the last that is held. `None` where the amount would be too
    /// large to hold.
    #[must_use]
    pub(crate) fn of(units: u64, rate: Rate, per: u32) -> Option<Self> {
        let power = match per {
            1_000_000 => 6,
            per => per.checked_ilog10()?,
        };
        let is_power = per == 1_000_000 || 10_u32.pow(power) == per;
        let decimals = u32::from(rate.decimals) + if is_power { power } else { 0 };
        let scale = *POWERS_OF_TEN.get(usize::try_from(DECIMALS.checked_sub(decimals)?).ok()?)?;
        // Common amounts need one multiplication, without the check that they would pass anyway.
        let amount = match (rate.digits.checked_mul(units), i64::try_from(scale)) {
            (Some(product), Ok(scale)) => i128::from(product) * i128::from(scale),
            _ => i128::try_from(u128::from(rate.digits) * u128::from(units)).ok()?.checked_mul(scale)?,
        };
        if is_power {
            return Some(Self(amount));
        }
        let per = i128::from(per);
        Some(Self(amount.checked_add(per / 2)? / per))
    }

    /// The difference, where it can be held.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// So many billionths of a dollar.
    #[must_use]
    pub fn from_nanos(nanos: u64) -> Self {
        // 2^64 times 10^15 is less than 2^127.
        Self(i128::from(nanos) * ONE_NANO)
    }

    /// The sum, where it can be held.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// So many millionths of the amount, rounded down.
    pub(crate) fn millionths(self, millionths: u32) -> Self {
        let (whole, rest) = (self.0 / 1_000_000, self.0 % 1_000_000);
        let millionths = i128::from(millionths);
        Self(whole.saturating_mul(millionths).saturating_add(rest * millionths / 1_000_000))
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
        self.decimal().as_str().parse().unwrap_or(f64::NAN)
    }
}

/// Decimal text of an amount, on the stack.
struct Decimal {
    text: [u8; LONGEST],
    start: usize,
    end: usize,
}

/// A sign, 15 digits, a point and 24 digits.
const LONGEST: usize = 41;

impl Decimal {
    fn as_str(&self) -> &str {
        self.text.get(self.start..self.end).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default()
    }

    fn put(&mut self, byte: u8) {
        self.start = self.start.saturating_sub(1);
        if let Some(place) = self.text.get_mut(self.start) {
            *place = byte;
        }
    }
}

impl Usd {
    /// The exact decimal, without trailing zeros and without an exponent. Written from its end.
    fn decimal(self) -> Decimal {
        let mut decimal = Decimal { text: [0; LONGEST], start: LONGEST, end: LONGEST };
        // Twelve digits at a time: division of 128 bits is slow, and is needed only three times.
        let block = 10_u128.pow(DECIMALS / 2);
        let amount = self.0.unsigned_abs();
        let (whole, high, low) = (amount / (block * block), amount / block % block, amount % block);
        let mut significant = false;
        for part in [low, high] {
            let mut digits = u64::try_from(part).unwrap_or(0);
            for _ in 0..DECIMALS / 2 {
                let digit = digits % 10;
                digits /= 10;
                significant |= digit != 0;
                if significant {
                    decimal.put(b'0' + digit as u8);
                }
            }
        }
        if significant {
            decimal.put(b'.');
        }
        let mut digits = u64::try_from(whole).unwrap_or(0);
        loop {
            decimal.put(b'0' + (digits % 10) as u8);
            digits /= 10;
            if digits == 0 {
                break;
            }
        }
        if self.0 < 0 {
            decimal.put(b'-');
        }
        decimal
    }
}

/// Prints the exact decimal, without trailing zeros and without an exponent.
impl fmt::Display for Usd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.decimal().as_str())
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
    fn the_extremes_print_in_full() {
        assert_eq!(Usd(i128::MIN).to_string(), "-170141183460469.231731687303715884105728");
        assert_eq!(Usd(i128::MAX).to_string(), "170141183460469.231731687303715884105727");
        assert_eq!(Usd(-ONE).to_string(), "-1");
        assert_eq!(Usd(1).to_string(), "0.000000000000000000000001");
    }

    #[test]
    fn what_cannot_be_held_is_refused() {
        assert_eq!(cost(u64::MAX, "18446744073709551615", 1_000_000), None);
        assert_eq!(cost(1, "0.04", 0), None);
    }

    #[test]
    fn a_rate_for_an_hour_is_rounded_at_the_last_decimal() {
        // A second at 0.04 an hour has no end in decimals; an hour of seconds is exact again.
        assert_eq!(cost(1, "0.04", 3_600).as_deref(), Some("0.000011111111111111111111"));
        assert_eq!(cost(2, "0.06", 3_600).as_deref(), Some("0.000033333333333333333333"));
        assert_eq!(cost(5, "0.12", 3_600).as_deref(), Some("0.000166666666666666666667"));
        assert_eq!(cost(3_600, "0.04", 3_600).as_deref(), Some("0.04"));
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
