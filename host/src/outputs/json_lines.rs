//! A file with one OTLP/JSON request a line, set aside when it reaches its size.

use super::{Delivery, SendError, Sink};
use crate::config::{JsonLines, Retry};
use crate::receivers::Signal;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use serde::Serialize;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::fs::{self, File, OpenOptions};
use tokio::io::AsyncWriteExt;

/// A full disk is waited for, within reason.
pub const RETRY: Retry = Retry {
    initial_interval: Duration::from_secs(1),
    max_interval: Duration::from_secs(5),
    max_elapsed_time: Duration::from_secs(60),
};

/// The file that is written.
#[derive(Debug)]
pub struct Lines {
    path: PathBuf,
    file: File,
    size: u64,
    max_bytes: u64,
    max_files: usize,
}

impl Lines {
    /// Opens the file and goes on at its end.
    ///
    /// # Errors
    /// The file cannot be opened for writing.
    pub async fn open(config: &JsonLines) -> io::Result<Self> {
        if let Some(folder) = config.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder).await?;
        }
        let (file, size) = open(&config.path).await?;
        Ok(Self { path: config.path.clone(), file, size, max_bytes: config.max_bytes, max_files: config.max_files })
    }

    async fn write(&mut self, line: &[u8]) -> io::Result<()> {
        let length = u64::try_from(line.len()).unwrap_or(u64::MAX);
        if self.size > 0 && self.size.saturating_add(length) > self.max_bytes {
            self.set_aside().await?;
        }
        let written = match self.file.write_all(line).await {
            Ok(()) => self.file.flush().await,
            Err(error) => Err(error),
        };
        match written {
            Ok(()) => {
                self.size += length;
                Ok(())
            }
            Err(error) => {
                // Half a line is taken back, so that what follows begins a line.
                self.file.set_len(self.size).await?;
                Err(error)
            }
        }
    }

    /// Renames `file` to `file.1`, `file.1` to `file.2`, and so on; the oldest goes.
    async fn set_aside(&mut self) -> io::Result<()> {
        for number in (1..self.max_files).rev() {
            rename_if_there(&numbered(&self.path, number), &numbered(&self.path, number + 1)).await?;
        }
        if self.max_files == 0 {
            fs::remove_file(&self.path).await?;
        } else {
            rename_if_there(&self.path, &numbered(&self.path, 1)).await?;
        }
        (self.file, self.size) = open(&self.path).await?;
        Ok(())
    }
}

impl Sink for Lines {
    async fn send(&mut self, delivery: &Delivery) -> Result<u64, SendError> {
        let line = match delivery.signal {
            Signal::Traces => line::<ExportTraceServiceRequest>(&delivery.bytes),
            Signal::Logs => line::<ExportLogsServiceRequest>(&delivery.bytes),
            Signal::Metrics => line::<ExportMetricsServiceRequest>(&delivery.bytes),
        };
        let line = line.map_err(|why| SendError::Never { why })?;
        match self.write(&line).await {
            Ok(()) => Ok(0),
            Err(error) => Err(SendError::Again { why: format!("{}: {error}", self.path.display()), after: None }),
        }
    }
}

async fn open(path: &Path) -> io::Result<(File, u64)> {
    let file = OpenOptions::new().create(true).append(true).open(path).await?;
    let size = file.metadata().await?.len();
    Ok((file, size))
}

async fn rename_if_there(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to).await {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        renamed => renamed,
    }
}

fn numbered(path: &Path, number: usize) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    PathBuf::from(name)
}

/// The request as OTLP/JSON, with the line end.
fn line<M: Message + Default + Serialize>(protobuf: &[u8]) -> Result<Vec<u8>, String> {
    let request = M::decode(protobuf).map_err(|error| format!("the request cannot be decoded: {error}"))?;
    let mut line = serde_json::to_vec(&request).map_err(|error| format!("the request is not JSON: {error}"))?;
    line.push(b'\n');
    Ok(line)
}
