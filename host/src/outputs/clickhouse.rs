//! ClickHouse: spans and log records as rows.

use super::{Delivery, Limits, SendError, Sink, tls};
use crate::config::ClickHouse;
use crate::receivers::Signal;
use reqwest::header::HeaderMap;
use tokio::sync::OnceCell;
use tollgate_clickhouse::migrate::{MigrateError, migrate};
use tollgate_clickhouse::rows::{self, Rows, RowsError};
use tollgate_clickhouse::{Client, Compression, Failure, Insert, Meaning, token};

/// Most bytes of the rows of one insert, before compression. A resource is repeated in each of its rows, so that rows can be
/// many times as large as the request they are of; requests whose rows are larger are sent in parts.
const ROWS_BYTES: usize = 64 << 20;

/// From an encoded request to its rows, of so many bytes.
type Reader = fn(&[u8], usize) -> Result<Rows, RowsError>;

/// A server that is spoken to.
#[derive(Debug)]
pub struct Store {
    client: Client,
    config: ClickHouse,
    /// Set once the tables are there: whether inserts are asynchronous.
    ready: OnceCell<bool>,
}

impl Store {
    /// A server as configured. It is not asked for anything yet, so that one that is down does not keep the host from
    /// starting.
    ///
    /// # Errors
    /// The HTTP client cannot be made, for example because a file of TLS cannot be read.
    pub fn new(config: &ClickHouse) -> Result<Self, String> {
        Ok(Self { client: client(config)?, config: config.clone(), ready: OnceCell::new() })
    }

    /// Creates and migrates the tables where that is wanted, and asks how inserts are remembered. Asynchronous inserts of
    /// servers before version 26.1 would be counted twice when they are sent again, so that those get synchronous ones.
    async fn prepare(&self) -> Result<bool, SendError> {
        if self.config.create_schema {
            let report = migrate(&self.client, &self.config.schema, None).await.map_err(not_migrated)?;
            if report.from != report.to {
                tracing::info!(output = self.config.name, from = report.from, to = report.to, "tables were migrated");
            }
        }
        Ok(self.config.async_insert && self.client.remembers_asynchronous().await.map_err(failed)?)
    }
}

/// A client of the server. Used by the commands too.
///
/// # Errors
/// As [`Store::new`].
pub fn client(config: &ClickHouse) -> Result<Client, String> {
    let http = tls::http_client(&config.tls, config.timeout, HeaderMap::new())?;
    Client::new(http, &config.endpoint, &config.schema.database, &config.credentials)
}

impl Sink for Store {
    fn limits(&self) -> Limits {
        self.config.requests.limits()
    }

    async fn send(&self, delivery: &Delivery) -> Result<u64, SendError> {
        let schema = &self.config.schema;
        let (table, read) = match delivery.signal {
            Signal::Traces => (&schema.traces, rows::spans as Reader),
            Signal::Logs => (&schema.logs, rows::logs as Reader),
            // There is no table for them.
            Signal::Metrics => return Ok(delivery.items),
        };
        let asynchronous = *self.ready.get_or_try_init(|| self.prepare()).await?;
        let (request, compression) = (delivery.bytes.clone(), self.config.compress);
        let pack = move || encode(&request, read, compression);
        let (rows, token, count) = match tokio::task::spawn_blocking(pack).await {
            Ok(packed) => packed?,
            // Only a process that ends drops work that has not begun.
            Err(error) => return Err(SendError::Again { why: format!("cannot encode: {error}"), after: None }),
        };
        let insert = Insert { table, rows: rows.into(), compression, token: &token, asynchronous };
        self.client.insert(&insert).await.map_err(failed)?;
        // Spans whose ids are none have no row. None came that far.
        Ok(delivery.items.saturating_sub(count))
    }
}

/// Compressed rows, their token, and how many there are.
fn encode(request: &[u8], read: Reader, compression: Compression) -> Result<(Vec<u8>, String, u64), SendError> {
    let rows = read(request, ROWS_BYTES).map_err(|error| match error {
        RowsError::TooLarge { .. } => SendError::TooLarge { why: error.to_string() },
        RowsError::Malformed(_) => SendError::Never { why: error.to_string() },
    })?;
    let packed = compression.pack(rows.bytes);
    let packed = packed.map_err(|error| SendError::Again { why: format!("cannot compress: {error}"), after: None })?;
    Ok((packed, token(request), rows.count))
}

fn failed(failure: Failure) -> SendError {
    let Failure { meaning, why, after, .. } = failure;
    match meaning {
        Meaning::Again => SendError::Again { why, after },
        Meaning::Never => SendError::Never { why },
        Meaning::TooLarge => SendError::TooLarge { why },
    }
}

/// Whatever is the matter with the tables, the rows are not to blame for it.
fn not_migrated(error: MigrateError) -> SendError {
    let after = error.failure().and_then(|failure| failure.after);
    SendError::Again { why: error.to_string(), after }
}
