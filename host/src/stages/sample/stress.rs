//! Stress relief: while there is too much to wait for, new traces are decided at once, by their randomness alone.
//!
//! The decision is the same on every machine, costs next to nothing, and has an exact threshold, so that counts made of
//! what is kept stay right. Keys are those of Refinery.

use std::time::{Duration, Instant};
use tollgate_sampler::head::Ratio;

/// When it begins, when it ends, and what is kept meanwhile.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StressRelief {
    /// Share of the bound on bytes, from 0 to 1, from which on it is active.
    pub activation: f64,
    /// Share below which it ends.
    pub deactivation: f64,
    /// The shortest that it is active.
    pub minimum: Duration,
    /// The share of traces that is kept.
    pub ratio: Ratio,
}

/// Whether it is active.
#[derive(Debug)]
pub(super) struct Stress {
    settings: Option<StressRelief>,
    since: Option<Instant>,
}

impl Stress {
    pub(super) fn new(settings: Option<StressRelief>) -> Self {
        Self { settings, since: None }
    }

    /// The ratio by which new traces are decided, while `level` is the share of the bound on bytes that is in use.
    pub(super) fn ratio(&mut self, level: f64, now: Instant) -> Option<Ratio> {
        let settings = self.settings?;
        match self.since {
            None if level >= settings.activation => {
                self.since = Some(now);
                tracing::warn!(level, "stress relief begins: new traces are decided by their ids");
            }
            Some(since)
                if level < settings.deactivation && now.saturating_duration_since(since) >= settings.minimum =>
            {
                self.since = None;
                tracing::warn!(level, "stress relief ends");
            }
            _ => {}
        }
        self.since.map(|_| settings.ratio)
    }

    pub(super) fn is_active(&self) -> bool {
        self.since.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_begins_high_ends_low_and_lasts_a_while() {
        let ratio = Ratio::new(0.1).unwrap();
        let minimum = Duration::from_secs(10);
        let mut stress = Stress::new(Some(StressRelief { activation: 0.9, deactivation: 0.5, minimum, ratio }));
        let start = Instant::now();
        for (second, level, active) in [
            (0, 0.89, false),
            (1, 0.9, true),
            (2, 0.4, true),
            (10, 0.4, true),
            (11, 0.5, true),
            (12, 0.49, false),
            (13, 0.89, false),
            (14, 1.0, true),
        ] {
            let now = start + Duration::from_secs(second);
            assert_eq!(stress.ratio(level, now), active.then_some(ratio), "{second}");
            assert_eq!(stress.is_active(), active);
        }
        assert_eq!(Stress::new(None).ratio(1.0, start), None);
    }
}
