//! `clickhouse`: a ClickHouse server. Names and meanings are those of the Collector's `clickhouse` exporter.

use super::otlp::{ClientTls, check_url, read_timeout};
use super::outputs::{Queue, Requests, Retry};
use super::section::Section;
use std::time::Duration;
use tollgate_clickhouse::{Compression, Credentials, Engine, Schema};

/// A ClickHouse server, spoken to over HTTP.
#[derive(Clone, Debug, PartialEq)]
pub struct ClickHouse {
    /// Name for logs and counters: the key.
    pub name: String,
    /// Address of the HTTP interface.
    pub endpoint: String,
    /// User and password.
    pub credentials: Credentials,
    /// How TLS is spoken.
    pub tls: ClientTls,
    /// The tables: database, names, engine, cluster, times to live.
    pub schema: Schema,
    /// Whether the tables are created and migrated before the first insert.
    pub create_schema: bool,
    /// Whether the server may put several inserts together.
    pub async_insert: bool,
    /// Compression of what is sent.
    pub compress: Compression,
    /// Longest that one attempt may take.
    pub timeout: Duration,
    /// How a failed send is tried again.
    pub retry: Retry,
    /// What waits.
    pub queue: Queue,
    /// How what waits becomes inserts.
    pub requests: Requests,
}

impl ClickHouse {
    pub(super) fn read(name: &str, mut section: Section<'_>) -> Self {
        let endpoint = section.required_text("endpoint", "the HTTP interface's URL, such as http://127.0.0.1:8123");
        let tls = ClientTls::read(&mut section, None);
        if let Err(message) = check_url(&endpoint).and_then(|()| tls.is_used(&endpoint)) {
            section.problem("endpoint", message);
        }
        let credentials = Credentials {
            username: section.text("username").unwrap_or_default(),
            password: section.text("password").unwrap_or_default(),
        };
        for (key, value) in [("username", &credentials.username), ("password", &credentials.password)] {
            if reqwest::header::HeaderValue::from_str(value).is_err() {
                section.problem(key, "has control characters, which headers of HTTP cannot have");
            }
        }
        let schema = read_schema(&mut section);
        let codings = [
            ("lz4", Compression::Lz4),
            ("zstd", Compression::Zstd),
            ("gzip", Compression::Gzip),
            ("none", Compression::None),
        ];
        let (queue, requests) = Requests::read(&mut section);
        let output = Self {
            name: name.to_owned(),
            endpoint,
            credentials,
            tls,
            schema,
            create_schema: section.truth("create_schema", true),
            async_insert: section.truth("async_insert", true),
            compress: section.word("compress", Compression::Lz4, &codings),
            timeout: read_timeout(&mut section),
            retry: Retry::read(&mut section),
            queue,
            requests,
        };
        section.finish();
        output
    }
}

fn read_schema(section: &mut Section<'_>) -> Schema {
    let default = Schema::default();
    let ttl = section.duration("ttl", Duration::ZERO, times_to_live());
    let mut schema = Schema {
        database: name(section, "database", default.database),
        traces: name(section, "traces_table_name", default.traces),
        logs: name(section, "logs_table_name", default.logs),
        calls: name(section, "calls_table_name", default.calls),
        cluster: section.text("cluster_name").filter(|cluster| !cluster.is_empty()),
        engine: Engine::default(),
        ttl,
        calls_ttl: section.duration("calls_ttl", ttl, times_to_live()),
    };
    for (key, ttl) in [("ttl", schema.ttl), ("calls_ttl", schema.calls_ttl)] {
        if ttl.subsec_nanos() > 0 {
            section.problem(key, "is not in whole seconds");
        }
    }
    if let Some(mut engine) = section.section("table_engine") {
        schema.engine.name = engine.text("name").unwrap_or(schema.engine.name);
        schema.engine.params = engine.text("params").unwrap_or_default();
        let known = ["MergeTree", "ReplicatedMergeTree", "SharedMergeTree"];
        if !known.contains(&schema.engine.name.as_str()) {
            engine.problem("name", format!("{:?} is not one of {}", schema.engine.name, known.join(", ")));
        }
        engine.finish();
    }
    let tables = [&schema.traces, &schema.logs, &schema.calls];
    if tables.iter().enumerate().any(|(index, table)| tables.iter().skip(index + 1).any(|other| other == table)) {
        section.problem("calls_table_name", "spans, log records and calls need a table each");
    }
    schema
}

/// ClickHouse counts seconds in 32 bits, which end in 2106: what is kept for longer would be gone at once.
fn times_to_live() -> std::ops::RangeInclusive<Duration> {
    Duration::ZERO..=Duration::from_secs(20 * 366 * 86_400)
}

/// A name of a table or database. Any character is quoted, but for those that cannot be part of a file's name.
fn name(section: &mut Section<'_>, key: &'static str, default: String) -> String {
    let Some(text) = section.text(key) else { return default };
    if text.is_empty() || text.len() > 200 || text.chars().any(|c| c.is_control() || matches!(c, '/' | '\\' | '.')) {
        section.problem(key, format!("{text:?} is not a name of a table or database"));
        return default;
    }
    text
}
