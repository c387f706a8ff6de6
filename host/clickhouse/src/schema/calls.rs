//! Versions 2 to 4: columns about calls, the table of calls, and their sums.

use super::{DEDUPLICATION_WINDOW, Schema};
use crate::column::{self, Kind};

impl Schema {
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
}
