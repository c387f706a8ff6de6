//! Consistent probability sampling by trace id.
//!
//! Source: OpenTelemetry specification, "TraceState: Probability Sampling": the low 56 bits of a W3C trace id are its
//! randomness `R`; a sampler with rejection threshold `T` keeps a trace if `R >= T`; its probability is
//! `(2^56 - T) / 2^56`; `T` travels in `tracestate` as `ot=th:` followed by its hexadecimal digits without trailing
//! zeros.

/// `2^56`: one more than the largest randomness value.
const RANGE: u64 = 1 << 56;

/// The probability with which traces are kept, as a rejection threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ratio {
    /// Randomness below this is rejected; `RANGE` rejects all.
    threshold: u64,
}

impl Ratio {
    /// Keeps every trace.
    pub const ALWAYS: Self = Self { threshold: 0 };
    /// Keeps no trace.
    pub const NEVER: Self = Self { threshold: RANGE };

    /// A ratio from 0 (none) to 1 (all). `None` for anything else, NaN included.
    #[must_use]
    pub fn new(ratio: f64) -> Option<Self> {
        if !(0.0..=1.0).contains(&ratio) {
            return None;
        }
        // Both factors are exact in a double and the product is at most 2^56, so the conversion cannot overflow.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 <= value <= 2^56")]
        let kept = (ratio * RANGE as f64).round() as u64;
        Some(Self { threshold: RANGE.saturating_sub(kept) })
    }

    /// The ratio with a rejection threshold; from 2^56 on it keeps nothing.
    #[must_use]
    pub fn at(threshold: u64) -> Self {
        Self { threshold: threshold.min(RANGE) }
    }

    /// Keeps the share that this one drops.
    #[must_use]
    pub fn complement(self) -> Self {
        Self { threshold: RANGE.saturating_sub(self.threshold) }
    }

    /// The one of two that keeps more: of traces that either keeps, this is the probability.
    #[must_use]
    pub fn either(self, other: Self) -> Self {
        self.min(other)
    }

    /// The one of two that keeps less: of traces that both keep, this is the probability.
    #[must_use]
    pub fn both(self, other: Self) -> Self {
        self.max(other)
    }

    /// Whether a trace is kept.
    #[must_use]
    pub fn decide(self, trace_id: [u8; 16]) -> bool {
        self.keeps(randomness(trace_id))
    }

    /// Whether a randomness value, of a trace id or of a `tracestate` member `rv`, is kept.
    #[must_use]
    pub fn keeps(self, randomness: u64) -> bool {
        randomness >= self.threshold
    }

    /// The rejection threshold, from 0 (keeps all) to 2^56 (keeps none).
    #[must_use]
    pub fn threshold(self) -> u64 {
        self.threshold
    }

    /// The probability, from 0 to 1.
    #[must_use]
    pub fn probability(self) -> f64 {
        (RANGE - self.threshold) as f64 / RANGE as f64
    }

    /// The value of `th` in the `ot` member of `tracestate`; `None` where nothing is kept, which `th` cannot say.
    #[must_use]
    pub fn th(self) -> Option<String> {
        if self.threshold >= RANGE {
            return None;
        }
        let digits = format!("{:014x}", self.threshold);
        let trimmed = digits.trim_end_matches('0');
        Some(if trimmed.is_empty() { "0".to_owned() } else { trimmed.to_owned() })
    }

    /// Reads a `th` value: 1 to 14 lower-case hexadecimal digits.
    #[must_use]
    pub fn from_th(th: &str) -> Option<Self> {
        let digits = th.len();
        if !(1..=14).contains(&digits) || !th.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return None;
        }
        let shift = u32::try_from(14 - digits).ok()? * 4;
        Some(Self { threshold: u64::from_str_radix(th, 16).ok()? << shift })
    }
}

/// The randomness of a trace id: its low 56 bits.
#[must_use]
pub fn randomness(trace_id: [u8; 16]) -> u64 {
    // The narrowing keeps the low 64 bits on purpose; the mask leaves 56 of them.
    #[expect(clippy::cast_possible_truncation, reason = "the low bits are what is wanted")]
    let low = u128::from_be_bytes(trace_id) as u64;
    low & (RANGE - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn id(randomness: u64) -> [u8; 16] {
        (u128::from(randomness) | (0xabcd << 100)).to_be_bytes()
    }

    #[test]
    fn thresholds_are_those_of_the_specification() {
        for (ratio, th) in
            [(1.0, "0"), (0.5, "8"), (0.25, "c"), (0.75, "4"), (1.0 / 16.0, "f"), (0.1, "e6666666666666")]
        {
            let ratio = Ratio::new(ratio).unwrap();
            assert_eq!(ratio.th().as_deref(), Some(th));
        }
        assert_eq!(Ratio::new(0.0).unwrap().th(), None);
    }

    #[test]
    fn what_is_no_ratio_is_refused() {
        for bad in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
            assert_eq!(Ratio::new(bad), None);
        }
        for bad in ["", "g", "C", "000000000000000", "-1", "+1"] {
            assert_eq!(Ratio::from_th(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_edge_of_the_threshold_is_kept() {
        let half = Ratio::new(0.5).unwrap();
        assert!(half.decide(id(1 << 55)));
        assert!(!half.decide(id((1 << 55) - 1)));
        assert!(Ratio::ALWAYS.decide(id(0)));
        assert!(!Ratio::NEVER.decide(id(RANGE - 1)));
    }

    proptest! {
        #[test]
        fn a_lower_ratio_keeps_a_subset(a in 0.0..=1.0f64, b in 0.0..=1.0f64, trace: [u8; 16]) {
            let (low, high) = (Ratio::new(a.min(b)).unwrap(), Ratio::new(a.max(b)).unwrap());
            prop_assert!(!low.decide(trace) || high.decide(trace));
        }

        #[test]
        fn th_is_read_back(ratio in 0.000_001..=1.0f64) {
            let ratio = Ratio::new(ratio).unwrap();
            prop_assert_eq!(Ratio::from_th(&ratio.th().unwrap()), Some(ratio));
        }

        #[test]
        fn the_share_kept_is_the_ratio(ratio in 0.0..=1.0f64) {
            let keep = Ratio::new(ratio).unwrap();
            let kept = (0..4096u64).filter(|i| keep.decide(id(i << 44))).count();
            prop_assert!((kept as f64 / 4096.0 - ratio).abs() <= 1.0 / 4096.0);
        }
    }
}
