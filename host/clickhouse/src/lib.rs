//! ClickHouse as a store of calls: what the tables are, how they come to be, and how telemetry gets in.
//!
//! In go encoded OTLP requests; out come rows in RowBinary and HTTP requests that insert them.
//!
//! - [`Schema`]: the tables. `otel_traces`, `otel_traces_trace_id_ts` and `otel_logs` are those of the OpenTelemetry
//!   Collector's ClickHouse exporter, with columns about LLM calls beside its own; `otel_llm_calls` has one row for each
//!   call that is billed, and `otel_llm_calls_by_minute` their sums;
//! - [`column`]: the columns about LLM calls, and the attributes they are read from;
//! - [`migrate`]: brings a database from any earlier version to the current one;
//! - [`rows`]: spans and log records as rows;
//! - [`Client`]: queries and inserts over HTTP, with what each exception of the server means for what was sent.
//!
//! ```
//! use std::time::Duration;
//! use tollgate_clickhouse::{Schema, migrate};
//! let schema = Schema { ttl: Duration::from_secs(3 * 86_400), ..Schema::default() };
//! let first = migrate::statements(&schema, 1);
//! assert!(first.iter().any(|sql| sql.contains("`otel_traces`") && sql.contains("toIntervalDay(3)")));
//! ```
#![forbid(unsafe_code)]

mod attributes;
mod binary;
mod client;
pub mod column;
mod compress;
mod exception;
mod layout;
pub mod migrate;
pub mod rows;
mod schema;
mod sql;

pub use client::{Client, Credentials, Failure, Insert, token};
pub use compress::Compression;
pub use exception::{CODES, Meaning, meaning};
pub use schema::{Engine, Schema};
