//! Part of stage 4: what calls cost, added to the ledger; alerts, counted and logged; savings and disagreements, counted.

use super::meter;
use crate::config::Cost as Config;
use crate::costs::Costs;
use crate::metrics::{Labels, Metrics};
use crate::money;
use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tollgate_columns::Row;
use tollgate_ledger::{Entry, Level, Savings};
use tollgate_otlp::TraceRequest;
use tollgate_semconv::{attribute, cost_level};

/// What is done with the costs of calls.
#[derive(Debug)]
pub(super) struct Cost {
    costs: Option<Arc<Costs>>,
    /// Places of the user's dimensions in what is read, which are those behind the meter's.
    dimensions: Vec<u16>,
    log: Mutex<Budget>,
    metrics: Metrics,
}

impl Cost {
    pub(super) fn new(config: &Config, costs: Option<Arc<Costs>>, metrics: &Metrics) -> Self {
        let dimensions = (0_u16..).skip(meter::READS.len()).take(config.dimensions.len());
        Self {
            costs,
            dimensions: dimensions.collect(),
            log: Mutex::new(Budget::new(config.alert_logs_per_minute, Instant::now())),
            metrics: metrics.clone(),
        }
    }

    /// Takes the calls of a request, rows of its spans.
    pub(super) fn run(&self, calls: &[Row<'_>], request: &TraceRequest<'_>) {
        let values: Vec<Vec<_>> = calls
            .iter()
            .map(|call| self.dimensions.iter().map(|place| meter::value(*call, *place)).collect())
            .collect();
        let mut entries = Vec::with_capacity(calls.len());
        for (call, values) in calls.iter().zip(&values) {
            let entry = entry(*call, values, request);
            self.count(&entry, *call);
            entries.push(entry);
        }
        if let Some(costs) = self.costs.as_ref().filter(|_| !entries.is_empty()) {
            costs.add(&entries);
        }
    }

    fn count(&self, entry: &Entry<'_>, call: Row<'_>) {
        let labels = || -> Labels {
            let text = |place| call.text(place).unwrap_or_default().to_owned();
            vec![
                (attribute::GEN_AI_PROVIDER_NAME, text(meter::PROVIDER)),
                (attribute::GEN_AI_REQUEST_MODEL, text(meter::REQUEST_MODEL)),
            ]
        };
        for (kind, saved) in [("cache_read", entry.savings.cache_read), ("cache_write", entry.savings.cache_write)] {
            // A counter cannot go down, so what is below 0 has one of its own.
            let counter = if saved < 0 { &self.metrics.surcharges_nano_usd } else { &self.metrics.savings_nano_usd };
            if saved != 0 {
                counter.with(vec![("kind", kind.to_owned())]).inc_by(saved.unsigned_abs());
            }
        }
        if entry.disagrees {
            self.metrics.cost_disagreements.with(labels()).inc();
        }
        if let Some(level) = entry.level {
            let labels = [vec![("level", word(level).to_owned())], labels()].concat();
            self.metrics.cost_alerts.with(labels).inc();
            self.log(entry, level);
        }
    }

    fn log(&self, entry: &Entry<'_>, level: Level) {
        let suppressed = self.log.lock().unwrap_or_else(PoisonError::into_inner).take(Instant::now());
        let Some(suppressed) = suppressed else {
            self.metrics.cost_alert_logs_suppressed.inc();
            return;
        };
        tracing::warn!(
            cost_level = word(level),
            cost_usd = entry.cost.map(|nanos| money::usd(nanos.into())),
            model = entry.model,
            provider = entry.provider,
            trace_id = %hexadecimal(&entry.trace_id),
            span_id = %hexadecimal(&entry.span_id),
            suppressed_before = (suppressed > 0).then_some(suppressed),
            "a call reached a level of cost"
        );
    }
}

fn entry<'a>(call: Row<'a>, values: &'a [Option<Cow<'a, str>>], request: &TraceRequest<'_>) -> Entry<'a> {
    let span = usize::try_from(call.index()).ok().and_then(|index| request.span(index));
    let text = |place| call.text(place).filter(|text| !text.is_empty());
    Entry {
        ended: span.as_ref().map_or(0, tollgate_otlp::Span::end_time),
        model: text(meter::REQUEST_MODEL).or_else(|| text(meter::RESPONSE_MODEL)),
        provider: text(meter::PROVIDER),
        operation: text(meter::OPERATION),
        source: text(meter::COST_SOURCE),
        values,
        cost: meter::cost(call),
        unpriced: text(meter::UNPRICED),
        tokens: meter::TOKENS.map(|place| call.count(place)),
        savings: Savings {
            cache_read: call.integer(meter::SAVED_READ).unwrap_or(0),
            cache_write: call.integer(meter::SAVED_WRITE).unwrap_or(0),
        },
        disagrees: call.integer(meter::DISAGREES) == Some(1),
        level: text(meter::LEVEL).and_then(level),
        trace_id: span.as_ref().map(tollgate_otlp::Span::trace_id).unwrap_or_default(),
        span_id: span.as_ref().map(tollgate_otlp::Span::span_id).unwrap_or_default(),
    }
}

fn level(word: &str) -> Option<Level> {
    match word {
        cost_level::WARNING => Some(Level::Warning),
        cost_level::CRITICAL => Some(Level::Critical),
        _ => None,
    }
}

/// The word for a level in attributes, metrics and answers.
pub(crate) const fn word(level: Level) -> &'static str {
    match level {
        Level::Warning => cost_level::WARNING,
        Level::Critical => cost_level::CRITICAL,
    }
}

/// An id as OTLP/JSON writes it.
pub(crate) fn hexadecimal(id: &[u8]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// How many lines may be logged, minute by minute from the first on.
#[derive(Debug)]
struct Budget {
    most: u32,
    begun: Instant,
    used: u32,
    suppressed: u64,
}

impl Budget {
    const fn new(most: u32, now: Instant) -> Self {
        Self { most, begun: now, used: 0, suppressed: 0 }
    }

    /// Whether one more may be logged, and then how many were not since the last one that was.
    fn take(&mut self, now: Instant) -> Option<u64> {
        if now.duration_since(self.begun) >= Duration::from_secs(60) {
            (self.begun, self.used) = (now, 0);
        }
        if self.used >= self.most {
            self.suppressed += 1;
            return None;
        }
        self.used += 1;
        Some(std::mem::take(&mut self.suppressed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_has_so_many_lines_and_the_first_of_the_next_says_how_many_it_had_not() {
        let begun = Instant::now();
        let at = |seconds| begun + Duration::from_secs(seconds);
        let mut budget = Budget::new(2, begun);
        let taken: Vec<_> = [0, 1, 2, 59, 60, 61, 62, 400].map(|second| budget.take(at(second))).into();
        assert_eq!(taken, [Some(0), Some(0), None, None, Some(2), Some(0), None, Some(1)]);
        assert_eq!(Budget::new(0, begun).take(at(100)), None);
    }
}
