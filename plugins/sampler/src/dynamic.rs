//! Rates that follow the traffic: an exponential moving average of spans by key, and from it the ratio of each key.
//!
//! The idea is that of Honeycomb's dynamic samplers: keys with much traffic are sampled harder than rare ones, so that
//! each key keeps about as many spans as the logarithm of its traffic. Here the ratios are not whole numbers, so that
//! the goal is met exactly on the traffic that they were made from.

use crate::head::Ratio;
use std::collections::BTreeMap;

/// What is wanted of all keys together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Goal {
    /// This share of the spans, from 0 to 1.
    Share(f64),
    /// This many spans a second.
    PerSecond(f64),
}

/// How ratios follow the traffic.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tuning {
    pub(crate) goal: Goal,
    /// The ratio of keys that have none yet.
    pub(crate) initial: Ratio,
    /// How often ratios are made anew, in nanoseconds.
    pub(crate) interval: u64,
    /// How much of the average the newest interval makes up, from 0 to 1.
    pub(crate) weight: f64,
    /// Keys whose average falls below are forgotten.
    pub(crate) age_out: f64,
    /// Traffic of an interval this many times the average makes ratios anew at once; 0 never.
    pub(crate) burst_multiple: f64,
    /// Intervals before bursts are looked for.
    pub(crate) burst_delay: u32,
    /// Most keys that have ratios of their own.
    pub(crate) max_keys: usize,
}

/// The traffic and the ratios.
#[derive(Clone, Debug)]
pub(crate) struct Dynamic {
    tuning: Tuning,
    keys: BTreeMap<String, Key>,
    /// When the interval began, in nanoseconds.
    began: Option<u64>,
    intervals: u32,
    /// Spans of this interval.
    seen: f64,
    /// Spans of an interval, on average.
    average: f64,
}

#[derive(Clone, Copy, Debug)]
struct Key {
    /// Spans of this interval.
    seen: f64,
    /// Spans of an interval, on average.
    average: f64,
    ratio: Ratio,
}

impl Dynamic {
    pub(crate) fn new(tuning: Tuning) -> Self {
        Self { tuning, keys: BTreeMap::new(), began: None, intervals: 0, seen: 0.0, average: 0.0 }
    }

    /// The ratio for a trace with a key. `spans` is how many spans it stands for: where it was thinned before, more than
    /// it has, so that goals are about the traffic and not about what is left of it.
    pub(crate) fn ratio(&mut self, key: String, spans: f64, now: u64) -> Ratio {
        let began = *self.began.get_or_insert(now);
        let elapsed = now.saturating_sub(began);
        if elapsed >= self.tuning.interval || self.bursts() {
            self.adjust(elapsed);
            self.began = Some(now.max(began));
        }
        self.seen += spans;
        if let Some(known) = self.keys.get_mut(&key) {
            known.seen += spans;
            return known.ratio;
        }
        if self.keys.len() < self.tuning.max_keys {
            self.keys.insert(key, Key { seen: spans, average: 0.0, ratio: self.tuning.initial });
        }
        self.tuning.initial
    }

    fn bursts(&self) -> bool {
        let Tuning { burst_multiple, burst_delay, .. } = self.tuning;
        burst_multiple > 0.0
            && self.intervals >= burst_delay
            && self.average > 0.0
            && self.seen > burst_multiple * self.average
    }

    /// Brings the averages up to date, and makes ratios of them.
    fn adjust(&mut self, elapsed: u64) {
        let Tuning { interval, weight, age_out, .. } = self.tuning;
        self.intervals = self.intervals.saturating_add(1);
        // An interval that was cut short by a burst, or drawn out because nothing came, counts as one of full length. A
        // burst is not blown up to more than tenfold: it may be over.
        let scale = (interval as f64 / elapsed.max(1) as f64).min(10.0);
        let first = self.intervals == 1;
        let mean = |average: f64, seen: f64| {
            if first { seen * scale } else { average * (1.0 - weight) + seen * scale * weight }
        };
        for key in self.keys.values_mut() {
            key.average = mean(key.average, key.seen);
            key.seen = 0.0;
        }
        self.average = mean(self.average, self.seen);
        self.seen = 0.0;
        self.keys.retain(|_, key| key.average >= age_out);
        self.share();
    }

    /// Gives each key a part of the goal in proportion to the logarithm of its traffic, or all that it has where that is
    /// less; what those leave over goes to the others.
    fn share(&mut self) {
        let known: f64 = self.keys.values().map(|key| key.average).sum();
        // What has no key of its own is sampled by the initial ratio, and is part of the goal.
        let others = (self.average - known).max(0.0) * self.tuning.initial.probability();
        let goal = match self.tuning.goal {
            Goal::Share(share) => share * self.average,
            Goal::PerSecond(spans) => spans * (self.tuning.interval as f64 / 1e9),
        };
        let mut left = (goal - others).max(0.0);
        let mut keys: Vec<&mut Key> = self.keys.values_mut().collect();
        // The ratio of average to logarithm grows with the average, so keys that get all they have come first.
        keys.sort_unstable_by(|a, b| a.average.total_cmp(&b.average));
        let mut weights: f64 = keys.iter().map(|key| key.average.ln_1p()).sum();
        for key in keys {
            let weight = key.average.ln_1p();
            let part = if weights > 0.0 { left * weight / weights } else { 0.0 };
            let given = part.min(key.average);
            // A key with traffic is never given nothing at all: it would disappear from sight.
            key.ratio = Ratio::new((given / key.average).max(LEAST)).unwrap_or(Ratio::ALWAYS);
            weights -= weight;
            left -= given;
        }
    }
}

/// The smallest ratio of a key: one trace in a million.
const LEAST: f64 = 1e-6;

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn tuning(goal: Goal) -> Tuning {
        Tuning {
            goal,
            initial: Ratio::new(0.1).unwrap(),
            interval: 15 * SECOND,
            weight: 0.5,
            age_out: 0.5,
            burst_multiple: 2.0,
            burst_delay: 3,
            max_keys: 10,
        }
    }

    /// Runs a steady mix of spans a second by key for so many seconds; gives the share kept of the last interval and the
    /// spans kept a second.
    fn run(dynamic: &mut Dynamic, mix: &[(&str, u32)], from: u64, seconds: u64) -> (f64, f64) {
        let (mut seen, mut kept) = (0.0, 0.0);
        for second in from..from + seconds {
            for (key, spans) in mix {
                let ratio = dynamic.ratio((*key).to_owned(), f64::from(*spans), second * SECOND);
                if second + 15 >= from + seconds {
                    seen += f64::from(*spans);
                    kept += f64::from(*spans) * ratio.probability();
                }
            }
        }
        (kept / seen, kept / 15.0)
    }

    const MIX: [(&str, u32); 4] = [("checkout", 2000), ("search", 300), ("admin", 5), ("rare", 1)];

    #[test]
    fn a_share_is_met_and_rare_keys_are_kept_whole() {
        let mut dynamic = Dynamic::new(tuning(Goal::Share(0.1)));
        let (share, _) = run(&mut dynamic, &MIX, 0, 120);
        assert!((share - 0.1).abs() < 0.002, "{share}");
        let ratio = |dynamic: &mut Dynamic, key: &str| dynamic.ratio(key.to_owned(), 0.0, 119 * SECOND).probability();
        assert_eq!(ratio(&mut dynamic, "rare"), 1.0);
        assert!(ratio(&mut dynamic, "search") > ratio(&mut dynamic, "checkout"));
    }

    #[test]
    fn a_throughput_is_met_whatever_comes() {
        for factor in [1, 10] {
            let mut dynamic = Dynamic::new(tuning(Goal::PerSecond(100.0)));
            let mix = MIX.map(|(key, spans)| (key, spans * factor));
            let (_, kept) = run(&mut dynamic, &mix, 0, 120);
            assert!((kept - 100.0).abs() < 2.0, "{kept}");
        }
    }

    #[test]
    fn less_traffic_than_the_goal_is_kept_whole() {
        let mut dynamic = Dynamic::new(tuning(Goal::PerSecond(10_000.0)));
        assert_eq!(run(&mut dynamic, &MIX, 0, 60).0, 1.0);
    }

    #[test]
    fn a_burst_lowers_the_ratios_before_the_interval_is_over() {
        let mut dynamic = Dynamic::new(tuning(Goal::PerSecond(100.0)));
        run(&mut dynamic, &MIX, 0, 60);
        let before = dynamic.ratio("checkout".into(), 0.0, 60 * SECOND);
        let burst = dynamic.ratio("checkout".into(), 200_000.0, 61 * SECOND);
        assert_eq!(before, burst, "it is not known before it comes");
        assert!(dynamic.ratio("checkout".into(), 1.0, 62 * SECOND).probability() < before.probability() / 2.0);
    }

    #[test]
    fn keys_past_the_limit_share_the_initial_ratio_and_silent_ones_make_room() {
        let mut dynamic = Dynamic::new(Tuning { max_keys: 1, ..tuning(Goal::Share(0.5)) });
        run(&mut dynamic, &[("a", 100), ("b", 100)], 0, 60);
        assert_eq!(dynamic.keys.len(), 1);
        assert_eq!(dynamic.ratio("b".into(), 1.0, 60 * SECOND), Ratio::new(0.1).unwrap());
        run(&mut dynamic, &[("b", 100)], 60, 600);
        assert!(dynamic.keys.contains_key("b") && !dynamic.keys.contains_key("a"));
    }
}
