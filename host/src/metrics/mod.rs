//! What the process counts, in Prometheus form. Every counter that docs/CONFIG.md lists is defined here.

mod bounded;

pub use bounded::{Bounded, Labels};

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use tollgate_semconv::metric;

/// Counter of a quantity that has fractions.
pub type RealCounter = Counter<f64, AtomicU64>;

/// All metrics of the process. Cheap to clone; clones count into the same place.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Arc<Registry>,
    /// Tokens a call, by `gen_ai_token_type`.
    pub token_usage: Bounded<Histogram>,
    /// Seconds a call took.
    pub operation_duration: Bounded<Histogram>,
    /// Seconds until the first chunk of a streamed answer.
    pub time_to_first_chunk: Bounded<Histogram>,
    /// Tokens in total, by kind; the kinds beside `input` and `output` are parts of those two.
    pub tokens: Bounded<Counter>,
    /// Cost in US dollars.
    pub cost_usd: Bounded<RealCounter>,
    /// Cost in billionths of a US dollar, exact.
    pub cost_nano_usd: Bounded<Counter>,
    /// Calls without a price, by reason.
    pub unpriced_calls: Bounded<Counter>,
    /// Calls that cost more than a level, by level.
    pub cost_alerts: Bounded<Counter>,
    /// Of these, those that were not logged, because there were too many.
    pub cost_alert_logs_suppressed: Counter,
    /// Calls whose cost is one by the provider and another by the price set.
    pub cost_disagreements: Bounded<Counter>,
    /// What providers' caches saved, by kind, in billionths of a US dollar.
    pub savings_nano_usd: Bounded<Counter>,
    /// What providers' caches cost more than doing without, by kind, in billionths of a US dollar.
    pub surcharges_nano_usd: Bounded<Counter>,
    /// Calls that ended before everything that the cost ledger holds.
    pub cost_late_calls: Counter,
    /// Calls that ended more than a minute after they were reported.
    pub cost_ahead_calls: Counter,
    /// Values of the cost ledger's dimensions that had to make room for others.
    pub cost_values_folded: Counter,
    /// Spans of calls that another span has reported already.
    pub duplicate_calls: Counter,
    /// Response ids and spans that are remembered to find duplicates.
    pub link_entries: Gauge,
    /// Response ids and spans forgotten before their time, because a limit was reached.
    pub link_evicted: Counter,
    /// Findings of redactors, by type and place.
    pub redactions: Bounded<Counter>,
    /// What no redactor looked at, by reason and what was done with it.
    pub redaction_skipped: Bounded<Counter>,
    /// Groups of texts that were given to a redactor in several calls, because they are too large for one.
    pub redaction_split_groups: Counter,
    /// Texts that name things and that a redactor found nothing in, remembered.
    pub redaction_known_names: Bounded<Gauge>,
    /// Of these, forgotten because a limit was reached.
    pub redaction_known_names_evicted: Bounded<Counter>,
    /// Spans that came in.
    pub spans_received: Counter,
    /// Spans refused for good, by reason.
    pub spans_rejected: Bounded<Counter>,
    /// Spans handed to the outputs.
    pub spans_kept: Counter,
    /// Spans that are not delivered, by reason.
    pub spans_dropped: Bounded<Counter>,
    /// Log records that came in.
    pub log_records_received: Counter,
    /// Data points of metrics that came in.
    pub metric_points_received: Counter,
    /// Requests refused, by reason.
    pub requests_refused: Bounded<Counter>,
    /// Bytes of telemetry in memory, by use.
    pub memory_bytes: Bounded<Gauge>,
    /// Most bytes of telemetry in memory.
    pub memory_limit_bytes: Gauge,
    /// Bytes of the log on disk.
    pub log_bytes: Gauge,
    /// Files of the log.
    pub log_segments: Gauge,
    /// Records of the log that are not done.
    pub log_records: Gauge,
    /// Appends that the log refused, by reason.
    pub log_refused: Bounded<Counter>,
    /// Flushes of the disk.
    pub log_fsyncs: Counter,
    /// Failures to write, to flush or to remove a file.
    pub log_errors: Counter,
    /// Records that were skipped, because they are damaged.
    pub log_damaged_records: Counter,
    /// Bytes that were skipped, because they are damaged or were not written whole.
    pub log_damaged_bytes: Counter,
    /// Records of an earlier process that were taken up.
    pub log_recovered: Counter,
    /// Calls of plugins.
    pub plugin_calls: Bounded<Counter>,
    /// Calls of plugins that failed, by kind.
    pub plugin_failures: Bounded<Counter>,
    /// Batches that went on without a plugin that failed.
    pub plugin_bypassed: Bounded<Counter>,
    /// Batches that went on without their texts, because a redactor failed.
    pub plugin_masked: Bounded<Counter>,
    /// Batches refused because a plugin failed.
    pub plugin_blocked: Bounded<Counter>,
    /// Plugins configured anew because a file of their configuration changed, by outcome.
    pub plugin_reloads: Bounded<Counter>,
    /// Traces waiting for a decision.
    pub sampling_pending_traces: Gauge,
    /// Bytes of spans waiting for a decision.
    pub sampling_pending_bytes: Gauge,
    /// Traces decided, by rule and verdict.
    pub sampling_decisions: Bounded<Counter>,
    /// Traces decided before their time, because a limit was reached.
    pub sampling_evicted: Counter,
    /// Spans that came after the decision on their trace and followed it.
    pub sampling_late_spans: Counter,
    /// Bytes that wait for an output.
    pub queue_bytes: Bounded<Gauge>,
    /// Requests that wait for an output.
    pub queue_requests: Bounded<Gauge>,
    /// Spans and log records that an output took.
    pub output_sent: Bounded<Counter>,
    /// Attempts after the first.
    pub output_retries: Bounded<Counter>,
    /// Spans and log records that an output lost, by reason.
    pub output_dropped: Bounded<Counter>,
    /// Spans and log records that were left to the log when the process ended.
    pub output_left_in_log: Bounded<Counter>,
}

impl Metrics {
    /// Metrics with at most `max_series` label combinations each.
    #[must_use]
    pub fn new(max_series: usize) -> Self {
        let mut registry = Registry::default();
        let limited = prometheus_client::metrics::family::Family::<Labels, Counter>::default();
        registry.register(
            "tollgate_metric_series_limited",
            "Observations counted under `other` because the metric has all the series it may have",
            limited.clone(),
        );
        let token_histogram: fn() -> Histogram = || Histogram::new(metric::TOKENS.iter().copied());
        let second_histogram: fn() -> Histogram = || Histogram::new(metric::SECONDS.iter().copied());
        let mut bounds = bounded::Bounds { registry: &mut registry, limited, max_series };
        let mut metrics = Self {
            registry: Arc::default(),
            token_usage: bounds.family("gen_ai_client_token_usage", "Tokens a call", token_histogram),
            operation_duration: bounds.family(
                "gen_ai_client_operation_duration_seconds",
                "Seconds a call took",
                second_histogram,
            ),
            time_to_first_chunk: bounds.family(
                "gen_ai_client_operation_time_to_first_chunk_seconds",
                "Seconds until the first chunk of a streamed answer",
                second_histogram,
            ),
            tokens: bounds.family(
                "tollgate_tokens",
                "Tokens; cache_read, cache_write and reasoning are parts of input and output",
                Counter::default,
            ),
            cost_usd: bounds.family("tollgate_cost_usd", "Cost in US dollars", RealCounter::default),
            cost_nano_usd: bounds.family(
                "tollgate_cost_nano_usd",
                "Cost in billionths of a US dollar, exact",
                Counter::default,
            ),
            unpriced_calls: bounds.family("tollgate_unpriced_calls", "Calls without a price", Counter::default),
            cost_alerts: bounds.family("tollgate_cost_alerts", "Calls that cost more than a level", Counter::default),
            cost_alert_logs_suppressed: Counter::default(),
            cost_disagreements: bounds.family(
                "tollgate_cost_disagreements",
                "Calls whose cost is one by the provider and another by the price set",
                Counter::default,
            ),
            savings_nano_usd: bounds.family(
                "tollgate_savings_nano_usd",
                "What providers' caches saved, in billionths of a US dollar, exact",
                Counter::default,
            ),
            surcharges_nano_usd: bounds.family(
                "tollgate_surcharges_nano_usd",
                "What providers' caches cost more than doing without, in billionths of a US dollar, exact",
                Counter::default,
            ),
            cost_late_calls: Counter::default(),
            cost_ahead_calls: Counter::default(),
            cost_values_folded: Counter::default(),
            duplicate_calls: Counter::default(),
            link_entries: Gauge::default(),
            link_evicted: Counter::default(),
            redactions: bounds.family("tollgate_redactions", "Findings of redactors", Counter::default),
            redaction_skipped: bounds.family(
                "tollgate_redaction_skipped",
                "What no redactor looked at, in what the reason counts",
                Counter::default,
            ),
            redaction_split_groups: Counter::default(),
            redaction_known_names: bounds.family(
                "tollgate_redaction_known_names",
                "Texts that name things and are remembered as clean",
                Gauge::default,
            ),
            redaction_known_names_evicted: bounds.family(
                "tollgate_redaction_known_names_evicted",
                "Remembered texts forgotten because of the limit",
                Counter::default,
            ),
            spans_received: Counter::default(),
            spans_rejected: bounds.family("tollgate_spans_rejected", "Spans refused for good", Counter::default),
            spans_kept: Counter::default(),
            spans_dropped: bounds.family("tollgate_spans_dropped", "Spans not delivered", Counter::default),
            log_records_received: Counter::default(),
            metric_points_received: Counter::default(),
            requests_refused: bounds.family("tollgate_requests_refused", "Requests refused", Counter::default),
            memory_bytes: bounds.family("tollgate_memory_bytes", "Bytes of telemetry in memory", Gauge::default),
            memory_limit_bytes: Gauge::default(),
            log_bytes: Gauge::default(),
            log_segments: Gauge::default(),
            log_records: Gauge::default(),
            log_refused: bounds.family("tollgate_log_refused", "Appends that the log refused", Counter::default),
            log_fsyncs: Counter::default(),
            log_errors: Counter::default(),
            log_damaged_records: Counter::default(),
            log_damaged_bytes: Counter::default(),
            log_recovered: Counter::default(),
            plugin_calls: bounds.family("tollgate_plugin_calls", "Calls of plugins", Counter::default),
            plugin_failures: bounds.family(
                "tollgate_plugin_failures",
                "Calls of plugins that failed",
                Counter::default,
            ),
            plugin_bypassed: bounds.family(
                "tollgate_plugin_bypassed",
                "Batches that went on without a plugin that failed",
                Counter::default,
            ),
            plugin_masked: bounds.family(
                "tollgate_plugin_masked",
                "Batches that went on without their texts",
                Counter::default,
            ),
            plugin_blocked: bounds.family(
                "tollgate_plugin_blocked",
                "Batches refused because a plugin failed",
                Counter::default,
            ),
            plugin_reloads: bounds.family(
                "tollgate_plugin_reloads",
                "Plugins configured anew because a file of their configuration changed",
                Counter::default,
            ),
            sampling_pending_traces: Gauge::default(),
            sampling_pending_bytes: Gauge::default(),
            sampling_decisions: bounds.family("tollgate_sampling_decisions", "Traces decided", Counter::default),
            sampling_evicted: Counter::default(),
            sampling_late_spans: Counter::default(),
            queue_bytes: bounds.family("tollgate_output_queue_bytes", "Bytes that wait", Gauge::default),
            queue_requests: bounds.family("tollgate_output_queue_requests", "Requests that wait", Gauge::default),
            output_sent: bounds.family("tollgate_output_sent", "Spans and log records taken", Counter::default),
            output_retries: bounds.family("tollgate_output_retries", "Attempts after the first", Counter::default),
            output_dropped: bounds.family("tollgate_output_dropped", "Spans and log records lost", Counter::default),
            output_left_in_log: bounds.family(
                "tollgate_output_left_in_log",
                "Spans and log records left to the log at the end",
                Counter::default,
            ),
        };
        let counters = [
            ("tollgate_spans_received", "Spans received", &metrics.spans_received),
            ("tollgate_spans_kept", "Spans handed to the outputs", &metrics.spans_kept),
            ("tollgate_duplicate_calls", "Spans of calls reported already", &metrics.duplicate_calls),
            ("tollgate_cost_alert_logs_suppressed", "Alerts that were not logged", &metrics.cost_alert_logs_suppressed),
            ("tollgate_cost_late_calls", "Calls too old for the cost ledger", &metrics.cost_late_calls),
            ("tollgate_cost_ahead_calls", "Calls reported before they ended", &metrics.cost_ahead_calls),
            ("tollgate_cost_values_folded", "Values that made room for others", &metrics.cost_values_folded),
            ("tollgate_link_evicted", "Response ids forgotten early, at a limit", &metrics.link_evicted),
            (
                "tollgate_redaction_split_groups",
                "Groups of texts too large for one call",
                &metrics.redaction_split_groups,
            ),
            ("tollgate_log_fsyncs", "Flushes of the disk", &metrics.log_fsyncs),
            ("tollgate_log_errors", "Failures to write, flush or remove a file", &metrics.log_errors),
            ("tollgate_log_damaged_records", "Records that could not be read", &metrics.log_damaged_records),
            ("tollgate_log_damaged_bytes", "Bytes that could not be read", &metrics.log_damaged_bytes),
            ("tollgate_log_recovered_records", "Records of an earlier process", &metrics.log_recovered),
            ("tollgate_log_records_received", "Log records received", &metrics.log_records_received),
            ("tollgate_metric_points_received", "Data points of metrics received", &metrics.metric_points_received),
            ("tollgate_sampling_evicted", "Traces decided early, at a limit", &metrics.sampling_evicted),
            ("tollgate_sampling_late_spans", "Spans that followed an earlier decision", &metrics.sampling_late_spans),
        ];
        for (name, help, counter) in counters {
            registry.register(name, help, counter.clone());
        }
        let gauges = [
            ("tollgate_memory_limit_bytes", "Most bytes of telemetry in memory", &metrics.memory_limit_bytes),
            ("tollgate_log_bytes", "Bytes of the log on disk", &metrics.log_bytes),
            ("tollgate_log_segments", "Files of the log", &metrics.log_segments),
            ("tollgate_log_records", "Records of the log that are not done", &metrics.log_records),
            ("tollgate_link_entries", "Response ids and spans that are remembered", &metrics.link_entries),
            ("tollgate_sampling_pending_traces", "Traces that wait", &metrics.sampling_pending_traces),
            ("tollgate_sampling_pending_bytes", "Bytes that wait for a decision", &metrics.sampling_pending_bytes),
        ];
        for (name, help, gauge) in gauges {
            registry.register(name, help, gauge.clone());
        }
        metrics.registry = Arc::new(registry);
        metrics
    }

    /// The metrics page, in the OpenMetrics text format.
    #[must_use]
    pub fn page(&self) -> String {
        let mut page = String::new();
        match prometheus_client::encoding::text::encode(&mut page, &self.registry) {
            Ok(()) => page,
            Err(error) => format!("# {error}\n# EOF\n"),
        }
    }
}
