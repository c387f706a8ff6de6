//! Parquet files, partitioned by day and service.
//!
//! A delivery is taken when its files are whole and on the disk, so what was taken is never in a file that is still being
//! written. Files are large because deliveries wait to be joined, in the queue and in the log behind it, for
//! [`linger`](Sink::linger) and up to the limit of bytes; nothing is written twice to make large files of small ones.

use super::{Delivery, Limits, Only, Prepare, SendError, Sink};
use crate::config::{self, Retry};
use crate::metrics::{Labels, Metrics};
use crate::receivers::Signal;
use std::sync::Arc;
use std::time::Duration;
use tollgate_metering::Counter;
use tollgate_parquet::{Options, Rows, Store, WriteError};

/// A full disk is waited for.
pub const RETRY: Retry = super::json_lines::RETRY;

/// The output.
#[derive(Debug)]
pub struct Files {
    store: Arc<Store>,
    max_bytes: usize,
    max_age: Duration,
    files: Counter,
    bytes: Counter,
    folded: Counter,
}

impl Files {
    /// Opens the folder, which is made where it is not there.
    ///
    /// # Errors
    /// The folder cannot be made, read or written to.
    pub async fn open(config: &config::Parquet, metrics: &Metrics) -> Result<Self, String> {
        let options = Options {
            compression: config.compression,
            row_group_bytes: config.row_group_bytes,
            max_partitions: config.max_partitions,
            ..Options::new(&config.path)
        };
        let opened = tokio::task::spawn_blocking(move || Store::open(options)).await;
        let store = opened.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
        let labels = || -> Labels { vec![("output", config.name.clone())] };
        Ok(Self {
            store: Arc::new(store),
            max_bytes: config.max_bytes,
            max_age: config.max_age,
            files: metrics.parquet_files.with(labels()),
            bytes: metrics.parquet_written_bytes.with(labels()),
            folded: metrics.parquet_folded.with(labels()),
        })
    }
}

impl Sink for Files {
    fn limits(&self) -> Limits {
        Limits { max_bytes: self.max_bytes, max_items: u64::MAX, join: true, num_consumers: 1 }
    }

    fn linger(&self) -> Duration {
        self.max_age
    }

    fn preparation(&self) -> Option<Arc<dyn Prepare>> {
        Some(Arc::new(Only(&[Signal::Traces, Signal::Logs])))
    }

    async fn send(&self, delivery: &Delivery) -> Result<u64, SendError> {
        let rows = match delivery.signal {
            Signal::Traces => Rows::Spans,
            Signal::Logs => Rows::Logs,
            Signal::Metrics => return Ok(delivery.items),
        };
        let (store, bytes) = (Arc::clone(&self.store), delivery.bytes.clone());
        match tokio::task::spawn_blocking(move || store.write(rows, &bytes)).await {
            Ok(Ok(written)) => {
                self.files.inc_by(written.files);
                self.bytes.inc_by(written.bytes);
                self.folded.inc_by(written.folded);
                Ok(0)
            }
            Ok(Err(error @ WriteError::Io { .. })) => Err(SendError::Again { why: error.to_string(), after: None }),
            Ok(Err(error)) => Err(SendError::Never { why: error.to_string() }),
            Err(error) => Err(SendError::Again { why: format!("nothing was written: {error}"), after: None }),
        }
    }
}
