//! The tables, as statements that create them.

use crate::column::{self, Kind};
use crate::sql;
use std::time::Duration;

/// The tables of one database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    /// Database. `default` is there on every server; another is created.
    pub database: String,
    /// Table of spans.
    pub traces: String,
    /// Table of log records.
    pub logs: String,
    /// Table of calls; the table of their sums has `_by_minute` after it.
    pub calls: String,
    /// Cluster on which tables are created, where there is one.
    pub cluster: Option<String>,
    /// Engine of the tables.
    pub engine: Engine,
    /// How long spans and log records are kept; zero for ever.
    pub ttl: Duration,
    /// How long calls and their sums are kept; zero for ever.
    pub calls_ttl: Duration,
}

/// Engine of the tables: `MergeTree`, `ReplicatedMergeTree` or `SharedMergeTree`. Tables that need one of its variants have
/// that: `ReplicatedReplacingMergeTree`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Engine {
    /// Name.
    pub name: String,
    /// Parameters, as they stand between the parentheses.
    pub params: String,
}

impl Default for Engine {
    fn default() -> Self {
        Self { name: "MergeTree".to_owned(), params: String::new() }
    }
}

impl Default for Schema {
    /// The names of the exporter, and no time to live.
    fn default() -> Self {
        Self {
            database: "default".to_owned(),
            traces: "otel_traces".to_owned(),
            logs: "otel_logs".to_owned(),
            calls: "otel_llm_calls".to_owned(),
            cluster: None,
            engine: Engine::default(),
            ttl: Duration::ZERO,
            calls_ttl: Duration::ZERO,
        }
    }
}

/// Inserts that a table remembers, to know one that comes again. Tables that are not replicated remember none unless they
/// are told to; replicated ones remember as many by themselves.
const DEDUPLICATION_WINDOW: u32 = 10_000;

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
    /// A table of the database, as it stands in statements.
    #[must_use]
    pub fn table(&self, name: &str) -> String {
        format!("{}.{}", sql::name(&self.database), sql::name(name))
    }

    /// The table of times by trace id, which the exporter has for looking up traces.
    pub(crate) fn trace_times(&self) -> String {
        format!("{}_trace_id_ts", self.traces)
    }

    /// The table of sums of calls.
    #[must_use]
    pub fn by_minute(&self) -> String {
        format!("{}_by_minute", self.calls)
    }

    /// The table that says which migrations were made.
    pub(crate) fn migrations(&self) -> String {
        self.table("tollgate_migrations")
    }

    fn on_cluster(&self) -> String {
        self.cluster.as_ref().map_or_else(String::new, |cluster| format!(" ON CLUSTER {}", sql::name(cluster)))
    }

    /// The engine, or its variant: `Replacing`, `Aggregating`.
    fn engine(&self, variant: &str) -> String {
        let name = self.engine.name.replace("MergeTree", &format!("{variant}MergeTree"));
        format!("{name}({})", self.engine.params)
    }

    fn settings() -> String {
        format!(
            "SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1, \
             non_replicated_deduplication_window = {DEDUPLICATION_WINDOW}"
        )
    }

    pub(crate) fn create_database(&self) -> Option<String> {
        let wanted = self.database != "default";
        wanted.then(|| format!("CREATE DATABASE IF NOT EXISTS {}{}", sql::name(&self.database), self.on_cluster()))
    }

    pub(crate) fn create_migrations(&self) -> String {
        format!(
            "CREATE TABLE IF NOT EXISTS {}{} (\n    version UInt32,\n    name String,\n    checksum String,\n    \
             applied_at DateTime64(3) DEFAULT now64(3)\n) ENGINE = {}\nORDER BY version",
            self.migrations(),
            self.on_cluster(),
            self.engine("Replacing")
        )
    }

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
            self.ttl_clause("TimestampTime", self.ttl),
            Self::settings()
        )
    }

    /// Version 2: the columns about LLM calls, and a memory of inserts for tables that the exporter made.
    pub(crate) fn columns(&self) -> Vec<String> {
        let spans = column::SPANS.iter().filter(|column| column.since == 2);
        let spans = spans.map(|column| column.definition("SpanAttributes"));
        let logs = column::LOGS.iter().filter(|column| column.since == 2);
        let logs = logs.map(|column| column.definition("LogAttributes"));
        let mut statements = vec![self.add(&self.traces, spans), self.add(&self.logs, logs)];
        let session = "ADD INDEX IF NOT EXISTS idx_llm_session LlmSession TYPE bloom_filter(0.01) GRANULARITY 1";
        statements.push(self.alter(&self.traces, session));
        for table in [&self.traces, &self.trace_times(), &self.logs] {
            let remember = format!("MODIFY SETTING non_replicated_deduplication_window = {DEDUPLICATION_WINDOW}");
            statements.push(self.alter(table, &remember));
        }
        statements
    }

    /// Version 3: one row for each call.
    pub(crate) fn calls(&self) -> Vec<String> {
        // Defaults are those of the table of spans, which are computed before a view sees the row.
        let columns: Vec<_> = column::calls()
            .filter(|column| column.since <= 3)
            .map(|column| {
                format!("    {} {} COMMENT '{}' {}", column.name, column.sql_type(), column.comment, column.codec())
            })
            .collect();
        let create = format!(
            "CREATE TABLE IF NOT EXISTS {}{} (
    Timestamp DateTime64(9) CODEC(Delta(8), ZSTD(1)),
    TraceId String CODEC(ZSTD(1)),
    SpanId String CODEC(ZSTD(1)),
    ServiceName LowCardinality(String) CODEC(ZSTD(1)),
    SpanName LowCardinality(String) CODEC(ZSTD(1)),
    Duration UInt64 CODEC(ZSTD(1)),
    StatusCode LowCardinality(String) CODEC(ZSTD(1)),
{},
    INDEX idx_llm_session LlmSession TYPE bloom_filter(0.01) GRANULARITY 1
) ENGINE = {}
PARTITION BY toDate(Timestamp)
ORDER BY (toStartOfHour(Timestamp), TraceId, SpanId)
{}{}",
            self.table(&self.calls),
            self.on_cluster(),
            columns.join(",\n"),
            self.engine("Replacing"),
            self.ttl_clause("Timestamp", self.calls_ttl),
            Self::settings()
        );
        let view = format!(
            "CREATE MATERIALIZED VIEW IF NOT EXISTS {}{} TO {} AS\n{}",
            self.table(&format!("{}_mv", self.calls)),
            self.on_cluster(),
            self.table(&self.calls),
            self.select_calls(3)
        );
        vec![create, view]
    }

    /// The calls among the spans, with the columns that there are in a version of the tables.
    pub(crate) fn select_calls(&self, version: u32) -> String {
        format!("SELECT {}\nFROM {}\nWHERE LlmBillable", Self::call_columns(version), self.table(&self.traces))
    }

    fn call_columns(version: u32) -> String {
        let base = ["Timestamp", "TraceId", "SpanId", "ServiceName", "SpanName", "Duration", "StatusCode"];
        let of_calls = column::calls().filter(|column| column.since <= version).map(|column| column.name);
        base.into_iter().chain(of_calls).collect::<Vec<_>>().join(", ")
    }

    /// Version 4: sums of calls by minute.
    pub(crate) fn sums(&self) -> Vec<String> {
        let counts: Vec<_> = column::calls()
            .filter(|column| column.kind == Kind::Count && column.since <= 4)
            .map(|column| column.name)
            .collect();
        let sums: Vec<_> = counts
            .iter()
            .map(|name| format!("    {name} SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1))"))
            .collect();
        let read: Vec<_> = counts.iter().map(|name| format!("    sum(ifNull(call.{name}, 0)) AS {name}")).collect();
        let create = format!(
            "CREATE TABLE IF NOT EXISTS {}{} (
    Minute DateTime CODEC(Delta(4), ZSTD(1)),
    ServiceName LowCardinality(String) CODEC(ZSTD(1)),
    LlmProvider LowCardinality(String) CODEC(ZSTD(1)),
    LlmModel LowCardinality(String) COMMENT 'Model that answered, else the one that was asked for' CODEC(ZSTD(1)),
    LlmOperation LowCardinality(String) CODEC(ZSTD(1)),
    LlmTenant LowCardinality(String) CODEC(ZSTD(1)),
    LlmTeam LowCardinality(String) CODEC(ZSTD(1)),
    Calls SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
    Errors SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
    Unpriced SimpleAggregateFunction(sum, UInt64) COMMENT 'Calls whose cost is not known' CODEC(ZSTD(1)),
{},
    LlmCost SimpleAggregateFunction(sum, Decimal(38, 9)) COMMENT 'US dollars of the calls that are priced' CODEC(ZSTD(1)),
    Durations AggregateFunction(quantilesTDigest(0.5, 0.9, 0.95, 0.99), UInt64) COMMENT 'Nanoseconds' CODEC(ZSTD(1))
) ENGINE = {}
PARTITION BY toYYYYMM(Minute)
ORDER BY (Minute, ServiceName, LlmProvider, LlmModel, LlmOperation, LlmTenant, LlmTeam)
{}{}",
            self.table(&self.by_minute()),
            self.on_cluster(),
            sums.join(",\n"),
            self.engine("Aggregating"),
            self.ttl_clause("Minute", self.calls_ttl),
            Self::settings()
        );
        let view = format!(
            "CREATE MATERIALIZED VIEW IF NOT EXISTS {}{} TO {} AS
SELECT
    toStartOfMinute(Timestamp) AS Minute,
    ServiceName,
    LlmProvider,
    if(LlmResponseModel != '', LlmResponseModel, LlmRequestModel) AS LlmModel,
    LlmOperation,
    LlmTenant,
    LlmTeam,
    count() AS Calls,
    countIf(StatusCode = 'Error' OR LlmErrorType != '') AS Errors,
    countIf(isNull(call.LlmCost)) AS Unpriced,
{},
    sum(ifNull(call.LlmCost, toDecimal128(0, 9))) AS LlmCost,
    quantilesTDigestState(0.5, 0.9, 0.95, 0.99)(Duration) AS Durations
FROM {} AS call
GROUP BY Minute, ServiceName, LlmProvider, LlmModel, LlmOperation, LlmTenant, LlmTeam",
            self.table(&format!("{}_mv", self.by_minute())),
            self.on_cluster(),
            self.table(&self.by_minute()),
            read.join(",\n"),
            self.table(&self.calls)
        );
        vec![create, view]
    }

    fn add(&self, table: &str, columns: impl Iterator<Item = String>) -> String {
        let all: Vec<_> = columns.map(|column| format!("ADD COLUMN IF NOT EXISTS {column}")).collect();
        self.alter(table, &all.join(",\n    "))
    }

    pub(crate) fn alter(&self, table: &str, change: &str) -> String {
        format!("ALTER TABLE {}{}\n    {change}", self.table(table), self.on_cluster())
    }

    /// Each table that has a time to live, with the column it counts from.
    pub(crate) fn with_ttl(&self) -> [(String, &'static str, Duration); 5] {
        [
            (self.traces.clone(), "Timestamp", self.ttl),
            (self.trace_times(), "Start", self.ttl),
            (self.logs.clone(), "TimestampTime", self.ttl),
            (self.calls.clone(), "Timestamp", self.calls_ttl),
            (self.by_minute(), "Minute", self.calls_ttl),
        ]
    }

    #[expect(clippy::unused_self, reason = "reads as the other clauses do")]
    fn ttl_clause(&self, column: &str, ttl: Duration) -> String {
        if ttl.is_zero() { String::new() } else { format!("TTL {}\n", ttl_expression(column, ttl)) }
    }
}

/// The expression of a time to live, in the largest unit that it is whole in, as the exporter has it.
pub(crate) fn ttl_expression(column: &str, ttl: Duration) -> String {
    let seconds = ttl.as_secs().max(1);
    let (number, unit) = match seconds {
        seconds if seconds % 86_400 == 0 => (seconds / 86_400, "Day"),
        seconds if seconds % 3_600 == 0 => (seconds / 3_600, "Hour"),
        seconds if seconds % 60 == 0 => (seconds / 60, "Minute"),
        seconds => (seconds, "Second"),
    };
    format!("toDateTime({column}) + toInterval{unit}({number})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_to_live_are_in_whole_units() {
        for (seconds, expression) in [
            (3 * 86_400, "toDateTime(T) + toIntervalDay(3)"),
            (36 * 3_600, "toDateTime(T) + toIntervalHour(36)"),
            (90 * 60, "toDateTime(T) + toIntervalMinute(90)"),
            (61, "toDateTime(T) + toIntervalSecond(61)"),
        ] {
            assert_eq!(ttl_expression("T", Duration::from_secs(seconds)), expression);
        }
    }

    #[test]
    fn clusters_and_engines_are_in_every_statement_that_creates() {
        let schema = Schema {
            cluster: Some("main".to_owned()),
            engine: Engine { name: "ReplicatedMergeTree".to_owned(), params: "'/c/{table}', '{replica}'".to_owned() },
            ..Schema::default()
        };
        let statements = [schema.exporter(), schema.columns(), schema.calls(), schema.sums()].concat();
        assert!(statements.iter().all(|sql| sql.contains(" ON CLUSTER `main`")));
        let engines = |name: &str| statements.iter().filter(|sql| sql.contains(&format!("ENGINE = {name}("))).count();
        assert_eq!(engines("ReplicatedMergeTree"), 3);
        assert_eq!(engines("ReplicatedReplacingMergeTree"), 1);
        assert_eq!(engines("ReplicatedAggregatingMergeTree"), 1);
    }
}
