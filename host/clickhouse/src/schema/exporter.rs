//! Version 1: the tables of the OpenTelemetry Collector's ClickHouse exporter.

use super::Schema;

/// What a table of the exporter may lack, because an older exporter made it.
const MISSING_IN_TRACES: &[&str] = &["ScopeName String CODEC(ZSTD(1))", "ScopeVersion String CODEC(ZSTD(1))"];
const MISSING_IN_LOGS: &[&str] = &[
    "ResourceSchemaUrl LowCardinality(String) CODEC(ZSTD(1))",
    "ScopeSchemaUrl LowCardinality(String) CODEC(ZSTD(1))",
    "ScopeName String CODEC(ZSTD(1))",
    "ScopeVersion LowCardinality(String) CODEC(ZSTD(1))",
    "ScopeAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1))",
    "EventName String CODEC(ZSTD(1))",
];

impl Schema {
    /// Version 1: the tables of the exporter; where it made them before, what they lack.
    pub(crate) fn exporter(&self) -> Vec<String> {
        let mut statements = vec![self.create_traces(), self.create_trace_times(), self.create_trace_times_view()];
        statements.push(self.create_logs());
        statements.push(self.add(&self.traces, MISSING_IN_TRACES.iter().map(|column| (*column).to_owned())));
        statements.push(self.add(&self.logs, MISSING_IN_LOGS.iter().map(|column| (*column).to_owned())));
        statements
    }

    /// Source: the OpenTelemetry Collector's ClickHouse exporter: columns, types, order and partitions are those of its
    /// `traces_table.sql`.
    fn create_traces(&self) -> String {
        format!(
            "CREATE TABLE IF NOT EXISTS {}{} (
    Timestamp DateTime64(9) CODEC(Delta(8), ZSTD(1)),
    TraceId String CODEC(ZSTD(1)),
    SpanId String CODEC(ZSTD(1)),
    ParentSpanId String CODEC(ZSTD(1)),
    TraceState String CODEC(ZSTD(1)),
    SpanName LowCardinality(String) CODEC(ZSTD(1)),
    SpanKind LowCardinality(String) CODEC(ZSTD(1)),
    ServiceName LowCardinality(String) CODEC(ZSTD(1)),
    ResourceAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    ScopeName String CODEC(ZSTD(1)),
    ScopeVersion String CODEC(ZSTD(1)),
    SpanAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    Duration UInt64 CODEC(ZSTD(1)),
    StatusCode LowCardinality(String) CODEC(ZSTD(1)),
    StatusMessage String CODEC(ZSTD(1)),
    Events Nested (
        Timestamp DateTime64(9),
        Name LowCardinality(String),
        Attributes Map(LowCardinality(String), String)
    ) CODEC(ZSTD(1)),
    Links Nested (
        TraceId String,
        SpanId String,
        TraceState String,
        Attributes Map(LowCardinality(String), String)
    ) CODEC(ZSTD(1)),
    INDEX idx_trace_id TraceId TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX idx_res_attr_key mapKeys(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX idx_res_attr_value mapValues(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX idx_span_attr_key mapKeys(SpanAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX idx_span_attr_value mapValues(SpanAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX idx_duration Duration TYPE minmax GRANULARITY 1
) ENGINE = {}
PARTITION BY toDate(Timestamp)
ORDER BY (ServiceName, SpanName, toDateTime(Timestamp))
{}{}",
            self.table(&self.traces),
            self.on_cluster(),
            self.engine(""),
            self.ttl_clause("Timestamp", self.ttl),
            Self::settings()
        )
    }

    fn create_trace_times(&self) -> String {
        format!(
            "CREATE TABLE IF NOT EXISTS {}{} (
    TraceId String CODEC(ZSTD(1)),
    Start DateTime CODEC(Delta, ZSTD(1)),
    End DateTime CODEC(Delta, ZSTD(1)),
    INDEX idx_trace_id TraceId TYPE bloom_filter(0.01) GRANULARITY 1
) ENGINE = {}
PARTITION BY toDate(Start)
ORDER BY (TraceId, Start)
{}{}",
            self.table(&self.trace_times()),
            self.on_cluster(),
            self.engine(""),
            self.ttl_clause("Start", self.ttl),
            Self::settings()
        )
    }

    fn create_trace_times_view(&self) -> String {
        format!(
            "CREATE MATERIALIZED VIEW IF NOT EXISTS {}{} TO {} AS
SELECT TraceId, min(Timestamp) AS Start, max(Timestamp) AS End
FROM {}
WHERE TraceId != ''
GROUP BY TraceId",
            self.table(&format!("{}_mv", self.trace_times())),
            self.on_cluster(),
            self.table(&self.trace_times()),
            self.table(&self.traces)
        )
    }

    /// Source: the same exporter, `logs_table.sql`.
    fn create_logs(&self) -> String {
        format!(
            "CREATE TABLE IF NOT EXISTS {}{} (
    Timestamp DateTime64(9) CODEC(Delta(8), ZSTD(1)),
    TimestampTime DateTime DEFAULT toDateTime(Timestamp),
    TraceId String CODEC(ZSTD(1)),
    SpanId String CODEC(ZSTD(1)),
    TraceFlags UInt8,
    SeverityText LowCardinality(String) CODEC(ZSTD(1)),
    SeverityNumber UInt8,
    ServiceName LowCardinality(String) CODEC(ZSTD(1)),
    Body String CODEC(ZSTD(1)),
    ResourceSchemaUrl LowCardinality(String) CODEC(ZSTD(1)),
    ResourceAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    ScopeSchemaUrl LowCardinality(String) CODEC(ZSTD(1)),
    ScopeName String CODEC(ZSTD(1)),
    ScopeVersion LowCardinality(String) CODEC(ZSTD(1)),
    ScopeAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    LogAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    EventName String CODEC(ZSTD(1)),
    INDEX idx_trace_id TraceId TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX idx_res_attr_key mapKeys(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX idx_res_attr_value mapValues(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX idx_scope_attr_key mapKeys(ScopeAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX idx_scope_attr_value mapValues(ScopeAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX idx_log_attr_key mapKeys(LogAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX idx_log_attr_value mapValues(LogAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX idx_body Body TYPE tokenbf_v1(32768, 3, 0) GRANULARITY 8
) ENGINE = {}
PARTITION BY toDate(TimestampTime)
PRIMARY KEY (ServiceName, TimestampTime)
ORDER BY (ServiceName, TimestampTime, Timestamp)
{}{}",
            self.table(&self.logs),
            self.on_cluster(),
            self.engine(""),
            self.ttl_clause("Timestamp", self.ttl),
            Self::settings()
        )
    }
}
