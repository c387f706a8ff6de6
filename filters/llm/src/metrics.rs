//! Envoy counters, gauges and histograms of what the filter saw.
//!
//! The proxy-wasm calls know no labels, so labels are part of the name: `tollgate.calls;provider=openai;operation=chat`.
//! Envoy's `stats_tags` take them out again (see `examples/envoy/envoy.yaml`), after which Prometheus shows
//! `tollgate_calls{provider="openai",operation="chat"}`. Envoy never forgets a metric, and model names come from
//! outside: so the number of series is limited, and calls beyond it count under the model `other`.
//!
//! Counters are gathered here and told to Envoy by the timer, because each telling is a call out of the sandbox, and a
//! call counts in a dozen places. Values of histograms are told at once: Envoy wants every one of them.

mod measure;

use crate::models::{Models, OTHER};
use crate::proxy::{MetricKind, Proxy};
use measure::{MEASURES, Measure};
use std::collections::BTreeMap;
use tollgate_call::Record;

/// Longest label value, in bytes.
const MAX_LABEL: usize = 64;

/// What every name starts with.
const PREFIX: &str = "tollgate.";

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

/// A metric, and what a counter has gathered since it was told.
#[derive(Clone, Copy, Debug, Default)]
struct Cell {
    slot: Slot,
    gathered: u64,
}

impl Cell {
    const fn gather(&mut self, value: u64) {
        self.gathered = self.gathered.saturating_add(value);
    }

    /// Tells a counter what was gathered.
    fn tell(&mut self, proxy: &impl Proxy, name: impl FnOnce() -> String) {
        let gathered = std::mem::take(&mut self.gathered);
        if gathered > 0
            && let Some(id) = self.slot.define(proxy, MetricKind::Counter, name)
        {
            proxy.add(id, i64::try_from(gathered).unwrap_or(i64::MAX));
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
    series: Vec<Series>,
    /// Places in `series` by labels.
    places: BTreeMap<String, usize>,
    /// Series that are not of the model `other` of calls beyond the limit.
    own: usize,
    /// Place of the series that was counted in last; most calls are like the one before.
    recent: usize,
    single: BTreeMap<String, Cell>,
    /// Room for the labels of what is at hand.
    labels: String,
}

/// Calls of one provider, operation and model.
#[derive(Debug)]
struct Series {
    labels: String,
    /// What the calls that were counted here last name: provider, operation, model.
    of: (String, &'static str, String),
    cells: [Cell; MEASURES],
    /// Whether something was gathered.
    gathered: bool,
}

impl Metrics {
    /// No metric yet; at most `limit` combinations of provider, operation and model.
    #[must_use]
    pub fn new(limit: usize, models: Models) -> Self {
        Self { limit, models, ..Self::default() }
    }

    /// Takes over the numbers of metrics that were declared before, and what they have gathered.
    pub fn succeed(&mut self, before: Self) {
        let models = std::mem::take(&mut self.models);
        *self = Self { limit: self.limit, models, recent: usize::MAX, ..before };
    }

    /// Counts a call.
    pub fn call(&mut self, proxy: &impl Proxy, measured: &Measured<'_>) {
        let record = measured.record;
        let provider = record.provider.as_deref().unwrap_or_default();
        let of = (provider, record.operation.as_str(), record.model().unwrap_or_default());
        let place = match self.series.get(self.recent) {
            Some(recent) if recent.is_of(of) => self.recent,
            _ => self.place(of),
        };
        self.recent = place;
        if let Some(series) = self.series.get_mut(place) {
            series.call(proxy, measured);
        }
    }

    /// Adds to a counter that stands alone; `name` may end in labels, of a small and fixed set of values.
    pub fn add(&mut self, name: &str, value: u64) {
        if value == 0 {
            return;
        }
        match self.single.get_mut(name) {
            Some(cell) => cell.gather(value),
            None => {
                self.single.insert(name.to_owned(), Cell { slot: Slot::Unknown, gathered: value });
            }
        }
    }

    /// Adds to a counter with one label, of a small and fixed set of values.
    pub fn add_labelled(&mut self, name: &str, label: &str, word: &str, value: u64) {
        if value == 0 {
            return;
        }
        let mut labels = std::mem::take(&mut self.labels);
        labels.clear();
        for part in [name, ";", label, "="] {
            labels.push_str(part);
        }
        push_value(&mut labels, word);
        self.add(&labels, value);
        self.labels = labels;
    }

    /// Moves a gauge up or down, at once. All workers add to the same gauge.
    pub fn shift(&mut self, proxy: &impl Proxy, name: &str, by: i64) {
        if by != 0
            && let Some(id) = self.single(proxy, MetricKind::Gauge, name)
        {
            proxy.add(id, by);
        }
    }

    /// Records a value into a distribution that stands alone, at once.
    pub fn record(&mut self, proxy: &impl Proxy, name: &str, value: u64) {
        if let Some(id) = self.single(proxy, MetricKind::Histogram, name) {
            proxy.record(id, value);
        }
    }

    /// Tells Envoy what the counters have gathered.
    pub fn tell(&mut self, proxy: &impl Proxy) {
        for (name, cell) in &mut self.single {
            cell.tell(proxy, || format!("{PREFIX}{name}"));
        }
        for series in self.series.iter_mut().filter(|series| series.gathered) {
            series.tell(proxy);
        }
    }

    fn single(&mut self, proxy: &impl Proxy, kind: MetricKind, name: &str) -> Option<u32> {
        if !self.single.contains_key(name) {
            self.single.insert(name.to_owned(), Cell::default());
        }
        self.single.get_mut(name)?.slot.define(proxy, kind, || format!("{PREFIX}{name}"))
    }

    /// The place of the series that such calls count in, which is made where there is none.
    fn place(&mut self, of: (&str, &'static str, &str)) -> usize {
        let (provider, operation, model) = of;
        let mut labels = std::mem::take(&mut self.labels);
        labels.clear();
        labels.push_str(";provider=");
        push_value(&mut labels, provider);
        labels.push_str(";operation=");
        labels.push_str(operation);
        labels.push_str(";model=");
        let without_model = labels.len();
        push_value(&mut labels, self.models.counted(model));
        if !self.places.contains_key(&labels) {
            if self.own < self.limit {
                self.own += 1;
            } else {
                self.add("series_capped", 1);
                // Providers come from the configuration and operations from the code, so these are few.
                labels.truncate(without_model);
                labels.push_str(OTHER);
            }
        }
        let place = match self.places.get(&labels) {
            Some(place) => *place,
            None => {
                let place = self.series.len();
                self.series.push(Series {
                    labels: labels.clone(),
                    of: Default::default(),
                    cells: [Cell::default(); MEASURES],
                    gathered: false,
                });
                self.places.insert(labels.clone(), place);
                place
            }
        };
        if let Some(series) = self.series.get_mut(place) {
            series.of = (provider.to_owned(), operation, model.to_owned());
        }
        self.labels = labels;
        place
    }
}

impl Series {
    fn is_of(&self, (provider, operation, model): (&str, &str, &str)) -> bool {
        let (own_provider, own_operation, own_model) = &self.of;
        own_model == model && own_provider == provider && *own_operation == operation
    }

    fn call(&mut self, proxy: &impl Proxy, measured: &Measured<'_>) {
        let record = measured.record;
        self.gathered = true;
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
            self.record(proxy, Measure::TimeToFirstChunk, time / 1_000_000);
        }
        self.record(proxy, Measure::Duration, measured.duration / 1_000_000);
    }

    fn add(&mut self, measure: Measure, value: u64) {
        if let Some(cell) = self.cells.get_mut(measure as usize) {
            cell.gather(value);
        }
    }

    fn record(&mut self, proxy: &impl Proxy, measure: Measure, value: u64) {
        let Self { labels, cells, .. } = self;
        let id = cells
            .get_mut(measure as usize)
            .and_then(|cell| cell.slot.define(proxy, measure.kind(), || measure.told_as(labels)));
        if let Some(id) = id {
            proxy.record(id, value);
        }
    }

    fn tell(&mut self, proxy: &impl Proxy) {
        self.gathered = false;
        let Self { labels, cells, .. } = self;
        for (measure, cell) in Measure::ALL.into_iter().zip(cells) {
            cell.tell(proxy, || measure.told_as(labels));
        }
    }
}

/// Appends a label value that Envoy and every scraper take as it is.
fn push_value(labels: &mut String, text: &str) {
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/+@".contains(&byte);
    if text.is_empty() {
        labels.push_str("unknown");
    } else if text.len() <= MAX_LABEL && text.bytes().all(safe) {
        labels.push_str(text);
    } else {
        let safe = |c: char| if u8::try_from(c).is_ok_and(safe) { c } else { '_' };
        labels.extend(text.chars().take(MAX_LABEL).map(safe));
    }
}

#[cfg(test)]
mod tests {
    use super::push_value;

    fn label_value(text: &str) -> String {
        let mut value = String::new();
        push_value(&mut value, text);
        value
    }

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
