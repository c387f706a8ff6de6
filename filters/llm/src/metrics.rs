//! Envoy counters, gauges and histograms of what the filter saw.
//!
//! The proxy-wasm calls know no labels, so labels are part of the name: `tollgate.calls;provider=openai;operation=chat`.
//! Envoy's `stats_tags` take them out again (see `examples/envoy/envoy.yaml`), after which Prometheus shows
//! `tollgate_calls{provider="openai",operation="chat"}`. Envoy never forgets a metric, and model names come from
//! outside: so the number of series is limited, and calls beyond it count under the model `other`.

use crate::models::{Models, OTHER};
use crate::proxy::{MetricKind, Proxy};
use std::collections::BTreeMap;
use tollgate_call::{Outcome, Record, UsageSource};

/// Longest label value, in bytes.
const MAX_LABEL: usize = 64;

/// What every name starts with.
const PREFIX: &str = "tollgate.";

/// What is counted for each provider, operation and model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
enum Measure {
    Complete,
    ClientAborted,
    UpstreamAborted,
    TimedOut,
    Errors,
    InputTokens,
    OutputTokens,
    CacheReadTokens,
    CacheWriteTokens,
    ReasoningTokens,
    UsageReported,
    UsagePartial,
    UsageAborted,
    UsageEstimated,
    UsageMissing,
    Cost,
    Unpriced,
    TimeToFirstChunk,
    Duration,
}

/// How many measures there are.
const MEASURES: usize = Measure::Duration as usize + 1;

impl Measure {
    /// Name and last label.
    const fn name(self) -> (&'static str, &'static str) {
        match self {
            Self::Complete => ("calls", ";outcome=complete"),
            Self::ClientAborted => ("calls", ";outcome=client_aborted"),
            Self::UpstreamAborted => ("calls", ";outcome=upstream_aborted"),
            Self::TimedOut => ("calls", ";outcome=timed_out"),
            Self::Errors => ("errors", ""),
            Self::InputTokens => ("tokens", ";kind=input"),
            Self::OutputTokens => ("tokens", ";kind=output"),
            Self::CacheReadTokens => ("tokens", ";kind=cache_read"),
            Self::CacheWriteTokens => ("tokens", ";kind=cache_write"),
            Self::ReasoningTokens => ("tokens", ";kind=reasoning"),
            Self::UsageReported => ("usage", ";source=reported"),
            Self::UsagePartial => ("usage", ";source=partial"),
            Self::UsageAborted => ("usage", ";source=aborted"),
            Self::UsageEstimated => ("usage", ";source=estimated"),
            Self::UsageMissing => ("usage", ";source=missing"),
            Self::Cost => ("cost_nano_usd", ""),
            Self::Unpriced => ("unpriced", ""),
            Self::TimeToFirstChunk => ("time_to_first_chunk_ms", ""),
            Self::Duration => ("duration_ms", ""),
        }
    }

    const fn kind(self) -> MetricKind {
        match self {
            Self::TimeToFirstChunk | Self::Duration => MetricKind::Histogram,
            _ => MetricKind::Counter,
        }
    }

    const fn of_outcome(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Complete => Self::Complete,
            Outcome::ClientAborted => Self::ClientAborted,
            Outcome::UpstreamAborted => Self::UpstreamAborted,
            Outcome::TimedOut => Self::TimedOut,
        }
    }

    const fn of_source(source: Option<UsageSource>) -> Self {
        match source {
            Some(UsageSource::Reported) => Self::UsageReported,
            Some(UsageSource::Partial) => Self::UsagePartial,
            Some(UsageSource::Aborted) => Self::UsageAborted,
            Some(UsageSource::Estimated) => Self::UsageEstimated,
            None => Self::UsageMissing,
        }
    }
}

/// A metric number, asked for once.
#[derive(Clone, Copy, Debug, Default)]
enum Slot {
    #[default]
    Unknown,
    Defined(u32),
    Refused,
}

impl Slot {
    fn define(&mut self, proxy: &impl Proxy, kind: MetricKind, name: impl FnOnce() -> String) -> Option<u32> {
        if matches!(self, Self::Unknown) {
            *self = proxy.define_metric(kind, &name()).map_or(Self::Refused, Self::Defined);
        }
        match *self {
            Self::Defined(id) => Some(id),
            Self::Unknown | Self::Refused => None,
        }
    }
}

/// What one call adds.
#[derive(Clone, Copy, Debug)]
pub struct Measured<'a> {
    /// The call.
    pub record: &'a Record,
    /// Cost in billionths of a US dollar; `None` where the call could not be priced or has no usage.
    pub cost_nano_usd: Option<u64>,
    /// Whether the call has usage but no price.
    pub unpriced: bool,
    /// Nanoseconds to the first chunk of a stream that carries output.
    pub time_to_first_chunk: Option<u64>,
    /// Nanoseconds from first byte in to last byte out.
    pub duration: u64,
}

/// Every metric of one plugin instance.
#[derive(Debug, Default)]
pub struct Metrics {
    limit: usize,
    models: Models,
    series: BTreeMap<String, [Slot; MEASURES]>,
    others: BTreeMap<String, [Slot; MEASURES]>,
    single: BTreeMap<String, Slot>,
    /// Room for the labels of the call at hand.
    labels: String,
}

impl Metrics {
    /// No metric yet; at most `limit` combinations of provider, operation and model, of `models`.
    #[must_use]
    pub fn new(limit: usize, models: Models) -> Self {
        Self { limit, models, ..Self::default() }
    }

    /// Takes over the numbers of metrics that were declared before.
    pub fn succeed(&mut self, before: Self) {
        let models = std::mem::take(&mut self.models);
        *self = Self { limit: self.limit, models, ..before };
    }

    /// Counts a call.
    pub fn call(&mut self, proxy: &impl Proxy, measured: &Measured<'_>) {
        let record = measured.record;
        let labels = self.labels(proxy, record);
        let known = self.series.get_mut(&labels);
        if let Some(slots) = known.or_else(|| self.others.get_mut(&labels)) {
            Series { proxy, labels: &labels, slots }.call(measured);
        }
        self.labels = labels;
    }

    /// Adds to a counter that stands alone; `name` may end in labels, of a small and fixed set of values.
    pub fn add(&mut self, proxy: &impl Proxy, name: &str, value: u64) {
        if value > 0
            && let Some(id) = self.single(proxy, MetricKind::Counter, name)
        {
            proxy.add(id, bounded(value));
        }
    }

    /// Moves a gauge up or down. All workers add to the same gauge.
    pub fn shift(&mut self, proxy: &impl Proxy, name: &str, by: i64) {
        if by != 0
            && let Some(id) = self.single(proxy, MetricKind::Gauge, name)
        {
            proxy.add(id, by);
        }
    }

    /// Records a value into a distribution that stands alone.
    pub fn record(&mut self, proxy: &impl Proxy, name: &str, value: u64) {
        if let Some(id) = self.single(proxy, MetricKind::Histogram, name) {
            proxy.record(id, value);
        }
    }

    /// Adds to a counter with one label, of a small and fixed set of values.
    pub fn add_labelled(&mut self, proxy: &impl Proxy, name: &str, label: &str, word: &str, value: u64) {
        self.add(proxy, &format!("{name};{label}={}", label_value(word)), value);
    }

    fn single(&mut self, proxy: &impl Proxy, kind: MetricKind, name: &str) -> Option<u32> {
        if let Some(slot) = self.single.get_mut(name) {
            return slot.define(proxy, kind, String::new);
        }
        let mut slot = Slot::Unknown;
        let id = slot.define(proxy, kind, || format!("{PREFIX}{name}"));
        self.single.insert(name.to_owned(), slot);
        id
    }

    /// The labels that a call counts under; there is an entry for them when this returns.
    fn labels(&mut self, proxy: &impl Proxy, record: &Record) -> String {
        let mut labels = std::mem::take(&mut self.labels);
        labels.clear();
        labels.push_str(";provider=");
        push_value(&mut labels, record.provider.as_deref().unwrap_or_default());
        labels.push_str(";operation=");
        labels.push_str(record.operation.as_str());
        labels.push_str(";model=");
        let without_model = labels.len();
        push_value(&mut labels, self.models.counted(record.model().unwrap_or_default()));
        if self.series.contains_key(&labels) {
            return labels;
        }
        if self.series.len() < self.limit {
            self.series.insert(labels.clone(), [Slot::Unknown; MEASURES]);
            return labels;
        }
        self.add(proxy, "series_capped", 1);
        // Providers come from the configuration and operations from the code, so this map is small.
        labels.truncate(without_model);
        labels.push_str(OTHER);
        if !self.others.contains_key(&labels) {
            self.others.insert(labels.clone(), [Slot::Unknown; MEASURES]);
        }
        labels
    }
}

/// One series, while a call is added to it.
struct Series<'a, P> {
    proxy: &'a P,
    labels: &'a str,
    slots: &'a mut [Slot; MEASURES],
}

impl<P: Proxy> Series<'_, P> {
    fn call(&mut self, measured: &Measured<'_>) {
        let record = measured.record;
        self.add(Measure::of_outcome(record.outcome), 1);
        self.add(Measure::of_source(record.usage_source), 1);
        self.add(Measure::Errors, u64::from(record.error_type.is_some()));
        if let Some(usage) = &record.usage {
            for (measure, tokens) in [
                (Measure::InputTokens, usage.input_tokens),
                (Measure::OutputTokens, usage.output_tokens),
                (Measure::CacheReadTokens, usage.cache_read_tokens),
                (Measure::CacheWriteTokens, usage.cache_write_tokens),
                (Measure::ReasoningTokens, usage.reasoning_tokens),
            ] {
                self.add(measure, tokens.unwrap_or(0));
            }
        }
        self.add(Measure::Cost, measured.cost_nano_usd.unwrap_or(0));
        self.add(Measure::Unpriced, u64::from(measured.unpriced));
        if let Some(time) = measured.time_to_first_chunk {
            self.record(Measure::TimeToFirstChunk, time / 1_000_000);
        }
        self.record(Measure::Duration, measured.duration / 1_000_000);
    }

    fn add(&mut self, measure: Measure, value: u64) {
        if value > 0
            && let Some(id) = self.id(measure)
        {
            self.proxy.add(id, bounded(value));
        }
    }

    fn record(&mut self, measure: Measure, value: u64) {
        if let Some(id) = self.id(measure) {
            self.proxy.record(id, value);
        }
    }

    fn id(&mut self, measure: Measure) -> Option<u32> {
        let labels = self.labels;
        let slot = self.slots.get_mut(measure as usize)?;
        slot.define(self.proxy, measure.kind(), || {
            let (name, last) = measure.name();
            format!("{PREFIX}{name}{labels}{last}")
        })
    }
}

/// A label value that Envoy and every scraper take as it is.
fn label_value(text: &str) -> String {
    let mut value = String::new();
    push_value(&mut value, text);
    value
}

/// Appends the same.
fn push_value(labels: &mut String, text: &str) {
    let safe = |c: char| if c.is_ascii_alphanumeric() || "-_.:/+@".contains(c) { c } else { '_' };
    if text.is_empty() {
        labels.push_str("unknown");
    }
    labels.extend(text.chars().take(MAX_LABEL).map(safe));
}

fn bounded(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::label_value;

    #[test]
    fn label_values_are_safe_and_short() {
        for (text, value) in [
            ("gpt-4.1-mini", "gpt-4.1-mini"),
            ("meta-llama/Llama-3", "meta-llama/Llama-3"),
            ("llama3:8b", "llama3:8b"),
            ("a;model=b", "a_model_b"),
            ("", "unknown"),
            ("模型", "__"),
        ] {
            assert_eq!(label_value(text), value);
        }
        assert_eq!(label_value(&"x".repeat(1000)).len(), 64);
    }
}
