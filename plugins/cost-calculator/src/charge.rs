//! What a call cost, where the provider says one amount and we compute another.

use crate::cost::{Cost, Source};
use crate::money::Usd;
use crate::unpriced::Unpriced;

/// Whose amount counts where both are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Authority {
    /// The provider's: it is what will be on the invoice.
    #[default]
    Provider,
    /// Ours: prices were agreed that the provider's answer does not know, or it states a part only (`OpenRouter` leaves out
    /// what one's own key is billed for).
    Local,
}

/// How the two are weighed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Whose amount counts.
    pub authority: Authority,
    /// How far apart they may be, in millionths of the larger, before they are said to disagree.
    pub tolerance_ppm: u32,
}

impl Default for Policy {
    /// The provider's amount counts; one per cent apart is agreement.
    fn default() -> Self {
        Self { authority: Authority::Provider, tolerance_ppm: 10_000 }
    }
}

/// What a call cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charge<'a> {
    /// The amount that counts.
    pub amount: Usd,
    /// Whose amount it is.
    pub source: Source,
    /// What we compute, or why there is nothing.
    pub computed: Result<Cost<'a>, Unpriced>,
    /// What the provider says.
    pub reported: Option<Usd>,
    /// Whether both are known and further apart than is tolerated.
    pub disagrees: bool,
}

/// Providers report in billionths, some in hundred-thousandths: what is closer than this is rounding.
const ROUNDING_NANOS: u64 = 10_000;

impl Policy {
    /// Weighs what was computed and what the provider reports, in billionths of a US dollar.
    ///
    /// # Errors
    /// Why there is no cost, where neither is known.
    pub fn charge(self, computed: Result<Cost<'_>, Unpriced>, reported: Option<u64>) -> Result<Charge<'_>, Unpriced> {
        let reported = reported.map(Usd::from_nanos);
        let (amount, source) = match (self.authority, computed, reported) {
            (Authority::Provider, _, Some(reported)) | (Authority::Local, Err(_), Some(reported)) => {
                (reported, Source::Provider)
            }
            (_, Ok(cost), _) => (cost.total, Source::Local),
            (_, Err(reason), None) => return Err(reason),
        };
        let disagrees = match (computed, reported) {
            (Ok(cost), Some(reported)) => self.is_apart(cost.total, reported),
            _ => false,
        };
        Ok(Charge { amount, source, computed, reported, disagrees })
    }

    fn is_apart(self, one: Usd, other: Usd) -> bool {
        let larger = one.max(other);
        let apart = larger.checked_sub(one.min(other)).unwrap_or(larger);
        apart > Usd::from_nanos(ROUNDING_NANOS) && apart > larger.millionths(self.tolerance_ppm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::price_set::{Call, PriceSet};
    use crate::served::Served;
    use tollgate_call::Usage;

    /// 1,000,000 tokens read at $2.50.
    fn computed(model: &str) -> Result<Cost<'static>, Unpriced> {
        let usage = Usage { input_tokens: Some(1_000_000), output_tokens: Some(0), ..Usage::default() };
        let served = Served::default();
        PriceSet::builtin().price(&Call {
            provider: Some("openai"),
            model,
            usage: &usage,
            at_unix_seconds: 1_790_000_000,
            served,
        })
    }

    #[test]
    fn one_amount_counts_and_both_are_kept() {
        let (known, unknown) = ("gpt-4o", "no-such-model");
        let nanos = |dollars: f64| Some((dollars * 1e9) as u64);
        // whose counts, the model, what is reported; the amount, whose it is, whether the two are apart
        for (authority, model, reported, expected) in [
            (Authority::Provider, known, None, Ok(("2.5", Source::Local, false))),
            (Authority::Provider, known, nanos(2.52), Ok(("2.52", Source::Provider, false))),
            (Authority::Provider, known, nanos(2.6), Ok(("2.6", Source::Provider, true))),
            (Authority::Provider, known, nanos(0.0), Ok(("0", Source::Provider, true))),
            (Authority::Local, known, nanos(2.6), Ok(("2.5", Source::Local, true))),
            (Authority::Local, unknown, nanos(2.6), Ok(("2.6", Source::Provider, false))),
            (Authority::Provider, unknown, nanos(2.6), Ok(("2.6", Source::Provider, false))),
            (Authority::Provider, unknown, None, Err(Unpriced::UnknownModel)),
        ] {
            let policy = Policy { authority, ..Policy::default() };
            let charge = policy.charge(computed(model), reported);
            let found = charge.map(|charge| (charge.amount.to_string(), charge.source, charge.disagrees));
            let expected = expected.map(|(amount, source, apart)| (amount.to_owned(), source, apart));
            assert_eq!(found, expected, "{authority:?} {model} {reported:?}");
            if let Ok(charge) = charge {
                assert_eq!(charge.reported.is_some(), reported.is_some());
                assert_eq!(charge.computed, computed(model));
            }
        }
    }

    #[test]
    fn the_tolerance_is_a_share_of_the_larger() {
        let apart = |ppm, one: u64, other: u64| {
            let policy = Policy { tolerance_ppm: ppm, ..Policy::default() };
            let (one, other) = (Usd::from_nanos(one), Usd::from_nanos(other));
            assert_eq!(policy.is_apart(one, other), policy.is_apart(other, one));
            policy.is_apart(one, other)
        };
        assert!(!apart(10_000, 1_000_000_000, 990_000_000));
        assert!(apart(10_000, 1_000_000_000, 989_999_999));
        assert!(apart(0, 1_000_000_000, 999_989_999), "no tolerance");
        assert!(!apart(0, 1_000_000_000, 999_990_000), "rounding");
        assert!(apart(10_000, u64::MAX, 0));
    }
}
