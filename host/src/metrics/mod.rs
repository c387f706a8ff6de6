//! What the process counts. Every counter that docs/CONFIG.md lists is defined here, but for those of calls, which are
//! in `tollgate_metering`.

mod register;

use crate::config::Meter;
use register::metrics;
use std::sync::Arc;
use tollgate_metering::{Bounds, Calls, CallsOptions, Format, Registry, RemoteWriter, now};

pub use tollgate_metering::{Counter, Family, Gauge, Level, Sum};

/// Names and values of labels. A label without a value is left out.
pub type Labels = Vec<(&'static str, String)>;

/// Most bytes of a request of metrics that is sent. The specification of OTLP has no limit; its receivers take 4 MiB.
const MOST_REQUEST_BYTES: usize = 2 << 20;

metrics! {
    /// Calls that cost more than a level, by level.
    cost_alerts: Family<Sum> = "tollgate_cost_alerts";
    /// Of these, those that were not logged, because there were too many.
    cost_alert_logs_suppressed: Counter = "tollgate_cost_alert_logs_suppressed";
    /// Calls whose cost is one by the provider and another by the price set.
    cost_disagreements: Family<Sum> = "tollgate_cost_disagreements";
    /// What providers' caches saved, by kind, in billionths of a US dollar.
    savings_nano_usd: Family<Sum> = "tollgate_savings_nano_usd";
    /// What providers' caches cost more than doing without, by kind, in billionths of a US dollar.
    surcharges_nano_usd: Family<Sum> = "tollgate_surcharges_nano_usd";
    /// Calls that ended before everything that the cost ledger holds.
    cost_late_calls: Counter = "tollgate_cost_late_calls";
    /// Calls that ended more than a minute after they were reported.
    cost_ahead_calls: Counter = "tollgate_cost_ahead_calls";
    /// Values of the cost ledger's dimensions that had to make room for others.
    cost_values_folded: Counter = "tollgate_cost_values_folded";
    /// Spans of calls that another span has reported already.
    duplicate_calls: Counter = "tollgate_duplicate_calls";
    /// Response ids and spans that are remembered to find duplicates.
    link_entries: Gauge = "tollgate_link_entries";
    /// Response ids and spans forgotten before their time, because a limit was reached.
    link_evicted: Counter = "tollgate_link_evicted";
    /// Findings of redactors, by type and place.
    redactions: Family<Sum> = "tollgate_redactions";
    /// What no redactor looked at, by reason and what was done with it.
    redaction_skipped: Family<Sum> = "tollgate_redaction_skipped";
    /// Groups of texts that were given to a redactor in several calls, because they are too large for one.
    redaction_split_groups: Counter = "tollgate_redaction_split_groups";
    /// Texts that name things and that a redactor found nothing in, remembered.
    redaction_known_names: Family<Level> = "tollgate_redaction_known_names";
    /// Of these, forgotten because a limit was reached.
    redaction_known_names_evicted: Family<Sum> = "tollgate_redaction_known_names_evicted";
    /// Other texts that a redactor found nothing in, remembered.
    redaction_known_texts: Family<Level> = "tollgate_redaction_known_texts";
    /// Of these, forgotten because a limit was reached.
    redaction_known_texts_evicted: Family<Sum> = "tollgate_redaction_known_texts_evicted";
    /// Spans that came in.
    spans_received: Counter = "tollgate_spans_received";
    /// Spans refused for good, by reason.
    spans_rejected: Family<Sum> = "tollgate_spans_rejected";
    /// Spans handed to the outputs.
    spans_kept: Counter = "tollgate_spans_kept";
    /// Spans that are not delivered, by reason.
    spans_dropped: Family<Sum> = "tollgate_spans_dropped";
    /// Log records that came in.
    log_records_received: Counter = "tollgate_log_records_received";
    /// Data points of metrics that came in.
    metric_points_received: Counter = "tollgate_metric_points_received";
    /// Open connections, by receiver.
    connections: Family<Level> = "tollgate_connections";
    /// Connections that were not taken, or that this side ended, by receiver and reason.
    connections_ended: Family<Sum> = "tollgate_connections_ended";
    /// New certificates and tokens in files, by receiver and outcome.
    credential_reloads: Family<Sum> = "tollgate_credential_reloads";
    /// Requests refused, by reason.
    requests_refused: Family<Sum> = "tollgate_requests_refused";
    /// Records read from Kafka, by topic.
    kafka_records: Family<Sum> = "tollgate_kafka_records";
    /// Of these, those that are no request and were left out, by topic.
    kafka_invalid: Family<Sum> = "tollgate_kafka_invalid_records";
    /// Waits of records from Kafka that were refused for now.
    kafka_waits: Counter = "tollgate_kafka_waits";
    /// Records of a partition that are not committed, by topic and partition; 0 where another member has it.
    kafka_lag: Family<Level> = "tollgate_kafka_lag_records";
    /// Commits of offsets, by outcome.
    kafka_commits: Family<Sum> = "tollgate_kafka_commits";
    /// Times that partitions of a consumer group came or went.
    kafka_rebalances: Counter = "tollgate_kafka_rebalances";
    /// Bytes of telemetry in memory, by use.
    memory_bytes: Family<Level> = "tollgate_memory_bytes";
    /// Most bytes of telemetry in memory.
    memory_limit_bytes: Gauge = "tollgate_memory_limit_bytes";
    /// Bytes of the log on disk.
    log_bytes: Gauge = "tollgate_log_bytes";
    /// Files of the log.
    log_segments: Gauge = "tollgate_log_segments";
    /// Records of the log that are not done.
    log_records: Gauge = "tollgate_log_records";
    /// Appends that the log refused, by reason.
    log_refused: Family<Sum> = "tollgate_log_refused";
    /// Flushes of the disk.
    log_fsyncs: Counter = "tollgate_log_fsyncs";
    /// Failures to write, to flush or to remove a file.
    log_errors: Counter = "tollgate_log_errors";
    /// Records that were skipped, because they are damaged.
    log_damaged_records: Counter = "tollgate_log_damaged_records";
    /// Bytes that were skipped, because they are damaged or were not written whole.
    log_damaged_bytes: Counter = "tollgate_log_damaged_bytes";
    /// Records of an earlier process that were taken up.
    log_recovered: Counter = "tollgate_log_recovered_records";
    /// Calls of plugins.
    plugin_calls: Family<Sum> = "tollgate_plugin_calls";
    /// Calls of plugins that failed, by kind.
    plugin_failures: Family<Sum> = "tollgate_plugin_failures";
    /// Batches that went on without a plugin that failed.
    plugin_bypassed: Family<Sum> = "tollgate_plugin_bypassed";
    /// Batches that went on without their texts, because a redactor failed.
    plugin_masked: Family<Sum> = "tollgate_plugin_masked";
    /// Batches refused because a plugin failed.
    plugin_blocked: Family<Sum> = "tollgate_plugin_blocked";
    /// Plugins configured anew because a file of their configuration changed, by outcome.
    plugin_reloads: Family<Sum> = "tollgate_plugin_reloads";
    /// Times the configuration was read again, by outcome.
    config_reloads: Family<Sum> = "tollgate_config_reloads";
    /// Traces waiting for a decision.
    sampling_pending_traces: Gauge = "tollgate_sampling_pending_traces";
    /// Bytes of spans waiting for a decision.
    sampling_pending_bytes: Gauge = "tollgate_sampling_pending_bytes";
    /// Traces decided, by rule and verdict.
    sampling_decisions: Family<Sum> = "tollgate_sampling_decisions";
    /// Traces decided before their time, by the limit that was reached.
    sampling_evicted: Family<Sum> = "tollgate_sampling_evicted";
    /// Spans that came after the decision on their trace and followed it.
    sampling_late_spans: Counter = "tollgate_sampling_late_spans";
    /// Decisions that are remembered for spans that come late.
    sampling_remembered: Gauge = "tollgate_sampling_remembered";
    /// 1 while new traces are decided by their ids alone, because too much waits.
    sampling_stress_relief: Gauge = "tollgate_sampling_stress_relief";
    /// Bytes of the store of recent calls on disk.
    store_bytes: Gauge = "tollgate_store_bytes";
    /// Spans removed from the store, by the bound that was reached.
    store_evicted: Family<Sum> = "tollgate_store_evicted_spans";
    /// Spans that were in the store already when they came.
    store_duplicates: Counter = "tollgate_store_duplicate_spans";
    /// Spans that are stored without a part of their content, because they are too large.
    store_truncated: Counter = "tollgate_store_truncated_spans";
    /// Spans and requests that were not stored, by reason.
    store_refused: Family<Sum> = "tollgate_store_refused";
    /// Files of the store that were set aside, because they are damaged.
    store_damaged: Counter = "tollgate_store_damaged_files";
    /// Questions to the store that were given up, because they took too long.
    store_slow_queries: Counter = "tollgate_store_slow_queries";
    /// Bytes that wait for an output.
    queue_bytes: Family<Level> = "tollgate_output_queue_bytes";
    /// Data points of this process's own metrics that were not sent, because a queue was full.
    own_points_left_out: Counter = "tollgate_own_metric_points_left_out";
    /// Requests that wait for an output.
    queue_requests: Family<Level> = "tollgate_output_queue_requests";
    /// Spans and log records that an output took.
    output_sent: Family<Sum> = "tollgate_output_sent";
    /// Attempts after the first.
    output_retries: Family<Sum> = "tollgate_output_retries";
    /// Spans and log records that an output lost, by reason.
    output_dropped: Family<Sum> = "tollgate_output_dropped";
    /// What a dialect could not convert, and was sent as it is, by output.
    output_unconverted: Family<Sum> = "tollgate_output_unconverted";
    /// Parquet files written, by output.
    parquet_files: Family<Sum> = "tollgate_parquet_files";
    /// Bytes of these files.
    parquet_written_bytes: Family<Sum> = "tollgate_parquet_written_bytes";
    /// Spans and log records that are not in the partition of their day and service, because there were too many.
    parquet_folded: Family<Sum> = "tollgate_parquet_folded";
    /// Samples that remote write sent, by output.
    remote_write_samples: Family<Sum> = "tollgate_remote_write_samples";
    /// Rounds of remote write that were not taken, by output and reason.
    remote_write_failures: Family<Sum> = "tollgate_remote_write_failures";
    /// Spans and log records that were left to the log when the process ended.
    output_left_in_log: Family<Sum> = "tollgate_output_left_in_log";
}

impl Metrics {
    /// Metrics with at most `max_series` label combinations each, and all else as it is without a configuration.
    #[must_use]
    pub fn new(max_series: usize) -> Self {
        Self::of(&Meter { max_series, ..Meter::default() })
    }

    /// Metrics as the configuration wants them.
    #[must_use]
    pub fn of(meter: &Meter) -> Self {
        let bounds = Bounds { max_series: meter.max_series, expiration: meter.expiration };
        let registry = Arc::new(Registry::new(bounds, register::resource(&meter.resource)));
        let options = CallsOptions {
            names: meter.names.clone(),
            namespace: meter.namespace.clone(),
            dimensions: meter.dimensions.iter().map(|dimension| dimension.attribute().to_owned()).collect(),
            seconds: meter.buckets.clone(),
            max_size: meter.max_size,
            exemplars: meter.exemplars,
        };
        let calls = Arc::new(Calls::new(Arc::clone(&registry), &options));
        Self::register(registry, calls)
    }

    /// The metrics page as text, without exemplars.
    #[must_use]
    pub fn page(&self) -> String {
        String::from_utf8_lossy(&self.page_as(Format::Text)).into_owned()
    }

    /// The metrics page in a form. Series that have been idle for too long are forgotten before.
    #[must_use]
    pub fn page_as(&self, format: Format) -> Vec<u8> {
        let now = now();
        self.calls.expire(now);
        self.registry.page(format, now)
    }

    /// All metrics as encoded `ExportMetricsServiceRequest`s of at most 2 MiB, each with the number of its data points. Where
    /// `exponential` is set histograms are sent as exponential ones. Series that have been idle for too long are forgotten
    /// before.
    #[must_use]
    pub fn otlp(&self, exponential: bool) -> Vec<(Vec<u8>, u64)> {
        let now = now();
        self.calls.expire(now);
        self.registry.otlp(now, MOST_REQUEST_BYTES, exponential)
    }

    /// All metrics as encoded requests of remote write of at most `most` series, each with the number of its samples. Series
    /// that have been idle for too long are forgotten before.
    #[must_use]
    pub fn remote_write(&self, writer: &mut RemoteWriter, most: usize) -> Vec<(Vec<u8>, u64)> {
        let now = now();
        self.calls.expire(now);
        writer.round(&self.registry, now, most)
    }
}
