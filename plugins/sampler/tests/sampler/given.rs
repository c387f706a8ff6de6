//! Traces in plain structures, and their way into columns.

use std::collections::BTreeMap;
use tollgate_columns::{Edits, Progress, TraceRow, Traces, Verdicts};
use tollgate_sampler::Sampler;

pub(crate) const MS: i64 = 1_000_000;
pub(crate) const SECOND: u64 = 1_000_000_000;
pub(crate) const RANGE: u64 = 1 << 56;

/// A value of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Text(String),
    Integer(i64),
    Real(f64),
    Truth(bool),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Real(number)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Truth(truth)
    }
}

/// A span; times are in milliseconds.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    pub(crate) name: String,
    pub(crate) kind: &'static str,
    pub(crate) status: &'static str,
    pub(crate) start: i64,
    pub(crate) duration: Option<i64>,
    pub(crate) state: String,
    pub(crate) flags: i64,
    pub(crate) attributes: BTreeMap<String, Value>,
    pub(crate) resource: BTreeMap<String, Value>,
}

/// A span about which nothing is worth saying.
pub(crate) fn span() -> Span {
    Span {
        name: "work".into(),
        kind: "internal",
        status: "unset",
        start: 1,
        duration: Some(10),
        state: String::new(),
        flags: 0,
        attributes: BTreeMap::new(),
        resource: BTreeMap::new(),
    }
}

impl Span {
    pub(crate) fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.attributes.insert(key.to_owned(), value.into());
        self
    }

    pub(crate) fn of(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.resource.insert(key.to_owned(), value.into());
        self
    }
}

/// A trace.
#[derive(Clone, Debug)]
pub(crate) struct Trace {
    pub(crate) spans: Vec<Span>,
    pub(crate) randomness: u64,
    pub(crate) thinned: u64,
    pub(crate) bytes: u64,
    pub(crate) progress: Progress,
}

/// A trace with these spans, of the largest randomness: any probability keeps it.
pub(crate) fn trace(spans: Vec<Span>) -> Trace {
    Trace { spans, randomness: RANGE - 1, thinned: 0, bytes: 100, progress: Progress::Complete }
}

/// The traces as a host would give them to this sampler.
pub(crate) fn columns(sampler: &Sampler, given: &[Trace], now: u64) -> Traces {
    let reads = sampler.manifest().reads;
    let count: usize = given.iter().map(|trace| trace.spans.len()).sum();
    let mut edits = Edits::new(count as u32);
    for (row, span) in (0..).zip(given.iter().flat_map(|trace| &trace.spans)) {
        for (number, name) in (0..).zip(&reads) {
            match name.as_str() {
                "span:name" => edits.text(row, number, &span.name),
                "span:kind" => edits.text(row, number, span.kind),
                "span:status" => edits.text(row, number, span.status),
                "span:traceState" => edits.text(row, number, &span.state),
                "span:flags" => edits.integer(row, number, span.flags),
                "span:startTime" => edits.integer(row, number, span.start * MS),
                "span:duration" => {
                    if let Some(duration) = span.duration {
                        edits.integer(row, number, duration * MS);
                    }
                }
                name => {
                    let value = match name.strip_prefix("resource:") {
                        Some(name) => span.resource.get(name),
                        None => span.attributes.get(name),
                    };
                    match value {
                        Some(Value::Text(text)) => edits.text(row, number, text),
                        Some(Value::Integer(integer)) => edits.integer(row, number, *integer),
                        Some(Value::Truth(truth)) => edits.integer(row, number, i64::from(*truth)),
                        Some(Value::Real(real)) => edits.real(row, number, *real),
                        None => {}
                    }
                }
            }
        }
    }
    let mut traces = Traces { now, spans: edits.finish(), ..Traces::default() };
    let mut end = 0;
    for trace in given {
        let start = end;
        end += trace.spans.len() as u32;
        let mut id = [0x11; 16];
        id[9..].copy_from_slice(&trace.randomness.to_be_bytes()[1..]);
        traces.push(&TraceRow {
            id,
            spans: start..end,
            randomness: trace.randomness,
            threshold: trace.thinned,
            bytes: trace.bytes,
            progress: trace.progress,
        });
    }
    traces
}

/// Verdicts on traces, checked as the host checks them.
pub(crate) fn decide(sampler: &mut Sampler, given: &[Trace], now: u64) -> Verdicts {
    let traces = columns(sampler, given, now);
    let verdicts = sampler.decide(&traces);
    assert_eq!(verdicts.check(&traces.randomness, sampler.manifest().rules.len()), Ok(()));
    verdicts
}

/// What is decided about one trace by a fresh sampler: the rule, whether it is kept, the threshold.
pub(crate) fn verdict(config: &str, given: &Trace) -> (String, bool, u64) {
    let mut sampler = Sampler::configure(config).unwrap_or_else(|error| panic!("{error:?}: {config}"));
    let verdicts = decide(&mut sampler, std::slice::from_ref(given), SECOND);
    let rule = sampler.manifest().rules[usize::from(verdicts.rules[0])].clone();
    (rule, verdicts.keep[0] == 1, verdicts.thresholds[0])
}

/// Whether a trace with these spans is kept.
pub(crate) fn keeps(config: &str, spans: Vec<Span>) -> bool {
    verdict(config, &trace(spans)).1
}
