//! The tables, as statements that create them.

mod calls;
mod exporter;

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
            (self.logs.clone(), "Timestamp", self.ttl),
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
