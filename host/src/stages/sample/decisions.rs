//! Decisions that were made, kept for spans that come late: they follow the rest of their trace.

use super::assembly::TraceId;
use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::{BuildHasher, RandomState};
use tollgate_sampler::head::Ratio;

/// By what a trace was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// A rule of the sampler, by its place in the manifest.
    Declared(u16),
    /// The sampler failed, and the trace is kept for that.
    SamplerFailed,
    /// There was too much to wait for, and the trace id decided.
    StressRelief,
    /// A rule of a configuration that is not in use any more.
    Earlier,
}

/// What was decided about a trace.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Decision {
    /// Whether it is kept.
    pub keep: bool,
    /// By what.
    pub rule: Rule,
    /// The share of traces like it that is kept; `None` where it was not a matter of randomness.
    pub ratio: Option<Ratio>,
}

/// The last decisions, up to a number of each kind; the oldest are forgotten first.
#[derive(Debug)]
pub struct Decisions {
    kept: HashMap<TraceId, (Rule, Option<Ratio>)>,
    kept_order: VecDeque<TraceId>,
    /// Of what was dropped nothing has to be known but that: a hash of 64 bits of the id, with a key of its own.
    dropped: HashSet<u64>,
    dropped_order: VecDeque<u64>,
    hash: RandomState,
    sizes: Sizes,
}

/// How many decisions are remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Traces that were kept.
    pub sampled: usize,
    /// Traces that were dropped.
    pub non_sampled: usize,
}

impl Sizes {
    /// Bytes that as many decisions take, with the room that tables and lists have to grow.
    #[must_use]
    pub fn most_bytes(&self) -> usize {
        let kept = size_of::<(TraceId, (Rule, Option<Ratio>))>() + 1 + size_of::<TraceId>();
        let dropped = size_of::<u64>() + 1 + size_of::<u64>();
        self.sampled.saturating_mul(2 * kept).saturating_add(self.non_sampled.saturating_mul(2 * dropped))
    }
}

impl Decisions {
    /// Remembers as many decisions.
    #[must_use]
    pub fn new(sizes: Sizes) -> Self {
        Self {
            kept: HashMap::new(),
            kept_order: VecDeque::new(),
            dropped: HashSet::new(),
            dropped_order: VecDeque::new(),
            hash: RandomState::new(),
            sizes,
        }
    }

    /// Remembers a decision.
    pub fn remember(&mut self, id: TraceId, decision: Decision) {
        if decision.keep {
            if self.sizes.sampled == 0 {
                return;
            }
            if self.kept.insert(id, (decision.rule, decision.ratio)).is_none() {
                self.kept_order.push_back(id);
            }
            if self.kept_order.len() > self.sizes.sampled
                && let Some(oldest) = self.kept_order.pop_front()
            {
                self.kept.remove(&oldest);
            }
        } else {
            if self.sizes.non_sampled == 0 {
                return;
            }
            let hash = self.hash.hash_one(id);
            if self.dropped.insert(hash) {
                self.dropped_order.push_back(hash);
            }
            if self.dropped_order.len() > self.sizes.non_sampled
                && let Some(oldest) = self.dropped_order.pop_front()
            {
                self.dropped.remove(&oldest);
            }
        }
    }

    /// The rules that decided are no more: the decisions stay.
    pub fn forget_rules(&mut self) {
        for (rule, _) in self.kept.values_mut() {
            *rule = Rule::Earlier;
        }
    }

    /// The decision about a trace, where it is remembered.
    #[must_use]
    pub fn of(&self, id: &TraceId) -> Option<Late> {
        if let Some((rule, ratio)) = self.kept.get(id) {
            return Some(Late::Kept(Decision { keep: true, rule: *rule, ratio: *ratio }));
        }
        self.dropped.contains(&self.hash.hash_one(id)).then_some(Late::Dropped)
    }

    /// How many are remembered: kept and dropped.
    #[must_use]
    pub fn len(&self) -> (usize, usize) {
        (self.kept.len(), self.dropped.len())
    }

    /// Whether none is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == (0, 0)
    }
}

/// What is remembered of a decision.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Late {
    /// All of it.
    Kept(Decision),
    /// That the trace was dropped.
    Dropped,
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEEP: Decision = Decision { keep: true, rule: Rule::Declared(0), ratio: None };
    const DROP: Decision = Decision { keep: false, ..KEEP };

    #[test]
    fn the_oldest_decisions_are_forgotten_first_and_each_kind_by_itself() {
        let mut decisions = Decisions::new(Sizes { sampled: 2, non_sampled: 1 });
        for number in [1, 2, 1, 3] {
            decisions.remember([number; 16], KEEP);
        }
        for number in [4, 5] {
            decisions.remember([number; 16], DROP);
        }
        let seen = [1, 2, 3, 4, 5].map(|number| decisions.of(&[number; 16]));
        assert_eq!(seen, [None, Some(Late::Kept(KEEP)), Some(Late::Kept(KEEP)), None, Some(Late::Dropped)]);
        assert_eq!(decisions.len(), (2, 1));
    }

    #[test]
    fn a_cache_of_no_size_remembers_nothing() {
        let mut decisions = Decisions::new(Sizes { sampled: 0, non_sampled: 0 });
        decisions.remember([1; 16], KEEP);
        decisions.remember([2; 16], DROP);
        assert!(decisions.is_empty() && decisions.of(&[1; 16]).is_none());
    }
}
