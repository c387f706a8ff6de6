//! Traces as columns, and the verdicts on them.

use crate::{Batch, Malformed};
use std::ops::Range;

/// What has come of a trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Progress {
    /// No span without a parent.
    #[default]
    NoRoot,
    /// A root, but not all parents of the other spans.
    Root,
    /// A root and all parents. Children may still come: nothing says how many there are.
    Complete,
}

impl Progress {
    /// All of them, each at its number.
    pub const ALL: [Self; 3] = [Self::NoRoot, Self::Root, Self::Complete];
}

/// Whole traces: trace `t` has the spans `offsets[t]..offsets[t + 1]` of the batch. All lists but `offsets` have one
/// entry a trace.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Traces {
    /// The time, in nanoseconds since 1970.
    pub now: u64,
    /// Trace ids, 16 bytes each, one after the other.
    pub ids: Vec<u8>,
    /// One more than there are traces; ascending, the last is the number of spans.
    pub offsets: Vec<u32>,
    /// Randomness below 2^56: `rv` of the trace state, else the last seven bytes of the trace id.
    pub randomness: Vec<u64>,
    /// Rejection threshold below 2^56 by which the trace was thinned before it came here; 0 where it was not.
    pub thresholds: Vec<u64>,
    /// Encoded bytes of the spans.
    pub bytes: Vec<u64>,
    /// Numbers of [`Progress`].
    pub progress: Vec<u8>,
    /// The declared attributes of all spans.
    pub spans: Batch,
}

/// One trace of [`Traces`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceRow {
    /// Its id.
    pub id: [u8; 16],
    /// Its spans, as rows of the batch.
    pub spans: Range<u32>,
    /// Its randomness.
    pub randomness: u64,
    /// The threshold by which it was thinned before.
    pub threshold: u64,
    /// Encoded bytes of its spans.
    pub bytes: u64,
    /// What has come of it.
    pub progress: Progress,
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

    /// Adds a trace whose spans are the next ones of the batch.
    pub fn push(&mut self, trace: &TraceRow) {
        if self.offsets.is_empty() {
            self.offsets.push(trace.spans.start);
        }
        self.ids.extend_from_slice(&trace.id);
        self.offsets.push(trace.spans.end);
        self.randomness.push(trace.randomness);
        self.thresholds.push(trace.threshold);
        self.bytes.push(trace.bytes);
        self.progress.push(trace.progress as u8);
    }

    /// The traces in order. Where a list is too short its entries are 0.
    pub fn iter(&self) -> impl Iterator<Item = TraceRow> {
        let (ids, _) = self.ids.as_chunks::<16>();
        let ends = self.offsets.get(1..).unwrap_or_default();
        let at = |list: &[u64], trace: usize| list.get(trace).copied().unwrap_or_default();
        ids.iter().zip(self.offsets.iter().zip(ends)).enumerate().map(move |(trace, (id, (&start, &end)))| TraceRow {
            id: *id,
            spans: start..end,
            randomness: at(&self.randomness, trace),
            threshold: at(&self.thresholds, trace),
            bytes: at(&self.bytes, trace),
            progress: self
                .progress
                .get(trace)
                .and_then(|number| Progress::ALL.get(usize::from(*number)))
                .copied()
                .unwrap_or_default(),
        })
    }
}

/// One verdict a trace, as columns.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verdicts {
    /// 1 keeps the trace, 0 drops it.
    pub keep: Vec<u8>,
    /// Rejection threshold: of traces like this one, those are kept whose randomness is at least this. From 0 (all) to
    /// 2^56 (none), or [`UNKNOWN`](Self::UNKNOWN).
    pub thresholds: Vec<u64>,
    /// Index of the rule that decided, into the rule names that the sampler declared.
    pub rules: Vec<u16>,
}

impl Verdicts {
    /// The threshold of a trace that was not decided by its randomness, but by a limit for example. It counts for an
    /// unknown number of others.
    pub const UNKNOWN: u64 = u64::MAX;
    /// The threshold that keeps nothing.
    pub const NONE: u64 = 1 << 56;

    /// Checks verdicts that came from outside against the randomness of the traces that they are about.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self, randomness: &[u64], rules: usize) -> Result<(), Malformed> {
        let broken = |what| Err(Malformed { attribute: 0, what });
        let traces = randomness.len();
        if self.keep.len() != traces || self.thresholds.len() != traces || self.rules.len() != traces {
            return broken("there is not one verdict a trace");
        }
        if self.keep.iter().any(|&keep| keep > 1) {
            return broken("a verdict is neither 0 nor 1");
        }
        if self.thresholds.iter().any(|&threshold| threshold > Self::NONE && threshold != Self::UNKNOWN) {
            return broken("a threshold is above 2^56");
        }
        let decided = self.keep.iter().zip(&self.thresholds).zip(randomness);
        let mut known = decided.filter(|((_, threshold), _)| **threshold != Self::UNKNOWN);
        if known.any(|((&keep, threshold), randomness)| (keep == 1) != (randomness >= threshold)) {
            return broken("a verdict is not what its threshold says");
        }
        if self.rules.iter().any(|&rule| usize::from(rule) >= rules) {
            return broken("a verdict names a rule that was not declared");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_has_to_be_what_its_threshold_says() {
        let verdicts = |keep: u8, threshold: u64, rule: u16| Verdicts {
            keep: vec![keep],
            thresholds: vec![threshold],
            rules: vec![rule],
        };
        let cases = [
            (verdicts(1, 5, 0), true),
            (verdicts(0, 6, 0), true),
            (verdicts(1, Verdicts::UNKNOWN, 0), true),
            (verdicts(0, Verdicts::UNKNOWN, 0), true),
            (verdicts(0, Verdicts::NONE, 0), true),
            (verdicts(1, 6, 0), false),
            (verdicts(0, 5, 0), false),
            (verdicts(2, 5, 0), false),
            (verdicts(1, 5, 1), false),
            (verdicts(0, Verdicts::NONE + 1, 0), false),
            (Verdicts::default(), false),
        ];
        for (verdicts, sound) in cases {
            assert_eq!(verdicts.check(&[5], 1).is_ok(), sound, "{verdicts:?}");
        }
    }

    #[test]
    fn traces_come_back_as_they_were_pushed() {
        let row = |id: u8, spans: Range<u32>| TraceRow {
            id: [id; 16],
            spans,
            randomness: u64::from(id),
            threshold: 7,
            bytes: 9,
            progress: Progress::Root,
        };
        let mut traces = Traces::default();
        traces.push(&row(1, 0..2));
        traces.push(&row(2, 2..2));
        assert_eq!(traces.iter().collect::<Vec<_>>(), [row(1, 0..2), row(2, 2..2)]);
    }
}
