//! Decisions that were made, kept for spans that come late: they follow the rest of their trace.

use super::assembly::TraceId;
use std::collections::{HashMap, VecDeque};

/// What was decided about a trace.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Decision {
    /// Whether it is kept.
    pub keep: bool,
    /// The rule that decided; `None` where the sampler failed and the trace was kept for that.
    pub rule: Option<u16>,
    /// The probability with which a trace like it is kept.
    pub probability: f64,
}

/// The last decisions, up to a number; the oldest is forgotten first.
#[derive(Debug)]
pub struct Decisions {
    most: usize,
    made: HashMap<TraceId, Decision>,
    order: VecDeque<TraceId>,
}

impl Decisions {
    /// Remembers at most `most` decisions.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { most, made: HashMap::new(), order: VecDeque::new() }
    }

    /// Remembers a decision.
    pub fn remember(&mut self, id: TraceId, decision: Decision) {
        if self.most == 0 {
            return;
        }
        if self.made.insert(id, decision).is_none() {
            self.order.push_back(id);
        }
        if self.order.len() > self.most
            && let Some(oldest) = self.order.pop_front()
        {
            self.made.remove(&oldest);
        }
    }

    /// The decision about a trace, where it is remembered.
    #[must_use]
    pub fn of(&self, id: &TraceId) -> Option<Decision> {
        self.made.get(id).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEEP: Decision = Decision { keep: true, rule: Some(0), probability: 0.5 };

    #[test]
    fn the_oldest_decision_is_forgotten_first() {
        let mut decisions = Decisions::new(2);
        for number in [1, 2, 1, 3] {
            decisions.remember([number; 16], KEEP);
        }
        assert_eq!([1, 2, 3].map(|number| decisions.of(&[number; 16]).is_some()), [false, true, true]);
    }

    #[test]
    fn a_cache_of_no_size_remembers_nothing() {
        let mut decisions = Decisions::new(0);
        decisions.remember([1; 16], KEEP);
        assert_eq!(decisions.of(&[1; 16]), None);
    }
}
