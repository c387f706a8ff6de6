//! Traces as columns, and the verdicts on them.

use crate::{Batch, Malformed};

/// Whole traces: trace `t` has the spans `offsets[t]..offsets[t + 1]` of the batch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Traces {
    /// Trace ids, 16 bytes each, one after the other.
    pub ids: Vec<u8>,
    /// One more than there are traces; ascending, the last is the number of spans.
    pub offsets: Vec<u32>,
    /// The declared attributes of all spans.
    pub spans: Batch,
}

impl Traces {
    /// How many traces.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ids.len() / 16
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Each trace's id and the indexes of its spans.
    pub fn iter(&self) -> impl Iterator<Item = ([u8; 16], std::ops::Range<u32>)> {
        let (ids, _) = self.ids.as_chunks::<16>();
        let ends = self.offsets.get(1..).unwrap_or_default();
        ids.iter().zip(self.offsets.iter().zip(ends)).map(|(id, (&start, &end))| (*id, start..end))
    }
}

/// One verdict a trace, as columns.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verdicts {
    /// 1 keeps the trace, 0 drops it.
    pub keep: Vec<u8>,
    /// Probability from 0 to 1 with which a trace like this one is kept; its inverse is the adjusted count. A trace
    /// that is kept cannot have 0.
    pub probabilities: Vec<f64>,
    /// Index of the rule that decided, into the rule names that the sampler declared.
    pub rules: Vec<u16>,
}

impl Verdicts {
    /// Checks verdicts that came from outside.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self, traces: usize, rules: usize) -> Result<(), Malformed> {
        let broken = |what| Err(Malformed { attribute: 0, what });
        if self.keep.len() != traces || self.probabilities.len() != traces || self.rules.len() != traces {
            return broken("there is not one verdict a trace");
        }
        if self.keep.iter().any(|&keep| keep > 1) {
            return broken("a verdict is neither 0 nor 1");
        }
        if self.probabilities.iter().any(|&p| !(0.0..=1.0).contains(&p)) {
            return broken("a probability is outside 0 to 1");
        }
        if self.keep.iter().zip(&self.probabilities).any(|(&keep, &p)| keep == 1 && p == 0.0) {
            return broken("a trace is kept that is never kept");
        }
        if self.rules.iter().any(|&rule| usize::from(rule) >= rules) {
            return broken("a verdict names a rule that was not declared");
        }
        Ok(())
    }
}
