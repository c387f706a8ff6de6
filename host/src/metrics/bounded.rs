//! Metric families with a bound on their series, so that a name from outside cannot fill the memory.

use prometheus_client::encoding::EncodeMetric;
use prometheus_client::metrics::TypedMetric;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};

/// Names and values of labels. A label without a value is left out.
pub type Labels = Vec<(&'static str, String)>;

/// Labels whose values come from outside; these become `other` when a family is full.
const OPEN: [&str; 6] =
    ["gen_ai_provider_name", "gen_ai_request_model", "gen_ai_response_model", "error_type", "reason", "type"];

/// Most bytes of a label's value; longer ones are cut.
const VALUE_BYTES: usize = 128;

/// A metric by labels, with a bound on the combinations.
#[derive(Clone)]
pub struct Bounded<M> {
    name: &'static str,
    family: Family<Labels, M, fn() -> M>,
    limited: Family<Labels, Counter>,
    max_series: usize,
    /// How many series there are; held while one is added, so that two threads cannot both add the last one.
    series: Arc<Mutex<usize>>,
}

impl<M> Debug for Bounded<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bounded").field("name", &self.name).finish_non_exhaustive()
    }
}

impl<M: Clone> Bounded<M> {
    /// The metric with these labels; with `other` for what comes from outside, where the family is full.
    #[must_use]
    pub fn with(&self, mut labels: Labels) -> M {
        labels.retain(|(_, value)| !value.is_empty());
        for (_, value) in &mut labels {
            value.truncate(value.floor_char_boundary(VALUE_BYTES));
        }
        if let Some(metric) = self.family.get(&labels) {
            return metric.clone();
        }
        let mut series = self.series.lock().unwrap_or_else(PoisonError::into_inner);
        if self.family.get(&labels).is_some() {
            return self.family.get_or_create_owned(&labels);
        }
        if *series < self.max_series {
            *series += 1;
        } else {
            self.limited.get_or_create(&vec![("metric", self.name.to_owned())]).inc();
            for (name, value) in &mut labels {
                if OPEN.contains(name) {
                    "other".clone_into(value);
                }
            }
        }
        self.family.get_or_create_owned(&labels)
    }
}

/// What all families of a registry share.
pub(super) struct Bounds<'a> {
    pub(super) registry: &'a mut Registry,
    pub(super) limited: Family<Labels, Counter>,
    pub(super) max_series: usize,
}

impl Bounds<'_> {
    /// Registers a family.
    pub(super) fn family<M>(&mut self, name: &'static str, help: &str, new: fn() -> M) -> Bounded<M>
    where
        M: EncodeMetric + TypedMetric + Clone + Debug + Send + Sync + 'static,
    {
        let family = Family::new_with_constructor(new);
        self.registry.register(name, help, family.clone());
        let (limited, max_series) = (self.limited.clone(), self.max_series);
        Bounded { name, family, limited, max_series, series: Arc::default() }
    }
}

#[cfg(test)]
mod tests {
    use crate::metrics::Metrics;

    #[test]
    fn a_full_family_counts_under_other_and_says_so() {
        let metrics = Metrics::new(2);
        for model in ["a", "b", "c", "d", "a"] {
            let labels = vec![("gen_ai_request_model", model.to_owned()), ("gen_ai_operation_name", "chat".to_owned())];
            metrics.unpriced_calls.with(labels).inc();
        }
        let page = metrics.page();
        for line in [
            r#"tollgate_unpriced_calls_total{gen_ai_request_model="a",gen_ai_operation_name="chat"} 2"#,
            r#"tollgate_unpriced_calls_total{gen_ai_request_model="b",gen_ai_operation_name="chat"} 1"#,
            r#"tollgate_unpriced_calls_total{gen_ai_request_model="other",gen_ai_operation_name="chat"} 2"#,
            r#"tollgate_metric_series_limited_total{metric="tollgate_unpriced_calls"} 2"#,
        ] {
            assert!(page.lines().any(|found| found == line), "no line {line} in\n{page}");
        }
    }

    #[test]
    fn long_values_are_cut_between_characters_and_empty_ones_left_out() {
        let metrics = Metrics::new(10);
        let long = format!("{}é", "x".repeat(127));
        metrics.redactions.with(vec![("type", long), ("plugin", String::new())]).inc();
        let line = format!("tollgate_redactions_total{{type=\"{}\"}} 1", "x".repeat(127));
        assert!(metrics.page().lines().any(|found| found == line), "{}", metrics.page());
    }
}
