//! Rules: the first one whose conditions hold for a trace decides it, by a sampler of its own.

use crate::bucket::Bucket;
use crate::dynamic::Dynamic;
use crate::expression::{Comparison, Operand, SpanExpr};
use crate::head::Ratio;
use crate::policy::Decision;
use crate::reads::Attribute;
use crate::trace::{Trace, Value, nearest};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// A condition on a whole trace.
#[derive(Clone, Debug)]
pub(crate) enum TraceExpr {
    /// It holds for one of the spans.
    Span(SpanExpr),
    /// The sum over all spans. Spans without a number add nothing; without any number it holds for none.
    Sum(Operand, Comparison, f64),
    /// Nanoseconds from the earliest start to the latest end.
    Duration {
        start: u16,
        duration: u16,
        comparison: Comparison,
        value: f64,
    },
    SpanCount(Comparison, f64),
    Bytes(Comparison, f64),
    /// A root has come.
    Root,
    /// No parent is missing.
    Complete,
    All(Vec<TraceExpr>),
    Any(Vec<TraceExpr>),
    Not(Box<TraceExpr>),
}

impl TraceExpr {
    pub(crate) fn holds(&self, trace: &Trace<'_>) -> bool {
        let compare = |comparison: Comparison, number: f64, value: f64| comparison.holds(number.partial_cmp(&value));
        match self {
            Self::Span(condition) => trace.rows().any(|row| condition.holds(row)),
            Self::Sum(operand, comparison, value) => {
                let numbers = trace.rows().filter_map(|row| operand.number(row));
                let sum = numbers.fold(None, |sum, number| Some(sum.unwrap_or(0.0) + number));
                sum.is_some_and(|sum| compare(*comparison, sum, *value))
            }
            Self::Duration { start, duration, comparison, value } => {
                compare(*comparison, trace.duration(*start, *duration) as f64, *value)
            }
            Self::SpanCount(comparison, value) => compare(*comparison, trace.span_count() as f64, *value),
            Self::Bytes(comparison, value) => compare(*comparison, trace.bytes as f64, *value),
            Self::Root => trace.root,
            Self::Complete => trace.complete,
            Self::All(parts) => parts.iter().all(|part| part.holds(trace)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(trace)),
            Self::Not(part) => !part.holds(trace),
        }
    }
}

/// A rule.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) condition: TraceExpr,
    pub(crate) sampler: RuleSampler,
}

/// How a rule decides the traces that are its own.
#[derive(Clone, Debug)]
pub(crate) enum RuleSampler {
    Probabilistic(Ratio),
    /// So many spans a second.
    RateLimiting(Bucket),
    Dynamic {
        key: TraceKey,
        dynamic: Dynamic,
    },
}

impl RuleSampler {
    fn decide(&mut self, trace: &Trace<'_>, rule: u16) -> Decision {
        let by = |ratio: Ratio| Decision { keep: ratio.keeps(trace.randomness), ratio: Some(ratio), rule };
        match self {
            Self::Probabilistic(ratio) => by(*ratio),
            Self::RateLimiting(bucket) => {
                Decision { keep: bucket.take(trace.span_count(), trace.now), ratio: None, rule }
            }
            Self::Dynamic { key, dynamic } => {
                let stands_for = trace.span_count() as f64 / Ratio::at(trace.thinned).probability().max(f64::EPSILON);
                by(dynamic.ratio(key.of(trace), stands_for, trace.now))
            }
        }
    }
}

/// Rules in order.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) rules: Vec<Rule>,
}

impl Rules {
    /// The first rule that holds decides. A trace that none is about is kept: nothing asked for it to be dropped.
    pub(crate) fn decide(&mut self, trace: &Trace<'_>) -> Decision {
        for (rule, place) in self.rules.iter_mut().zip(0u16..) {
            if rule.condition.holds(trace) {
                return rule.sampler.decide(trace, place);
            }
        }
        let rule = u16::try_from(self.rules.len()).unwrap_or(u16::MAX);
        Decision { keep: true, ratio: Some(Ratio::ALWAYS), rule }
    }
}

/// What of a trace is its key for a dynamic sampler.
#[derive(Clone, Debug)]
pub(crate) struct TraceKey {
    pub(crate) fields: Vec<Attribute>,
    /// Whether the number of spans is part of it.
    pub(crate) length: bool,
}

/// Values of one field that are part of a key.
const MOST_VALUES: usize = 20;
/// Longest key, in bytes.
const KEY_BYTES: usize = 512;

impl TraceKey {
    /// The distinct values of each field over all spans, in order. What is past a limit is left out, so that traces
    /// that differ in no more than that share a key.
    fn of(&self, trace: &Trace<'_>) -> String {
        let mut key = String::new();
        for field in &self.fields {
            let mut values = BTreeSet::new();
            for row in trace.rows() {
                let text = match nearest(row, *field) {
                    Some(Value::Text(text)) => text.to_owned(),
                    Some(Value::Integer(number)) => number.to_string(),
                    Some(Value::Real(number)) => number.to_string(),
                    None => continue,
                };
                if values.len() < MOST_VALUES {
                    values.insert(text);
                }
            }
            if values.is_empty() {
                key.push_str("<missing>");
            }
            for value in values {
                key.push_str(&value);
                key.push('•');
            }
            key.push(',');
            if key.len() > KEY_BYTES {
                key.truncate(key.floor_char_boundary(KEY_BYTES));
                break;
            }
        }
        if self.length {
            let _ = write!(key, "{}", trace.span_count());
        }
        key
    }
}
