//! Prometheus remote write: the metrics of the process and of calls, every so often.
//!
//! Nothing waits here. What is counted is cumulative, so a round that was not taken is said again, and more, by the next.

use super::retry::{Backoff, jitter};
use super::{SendError, otlp_http};
use crate::config::RemoteWrite;
use crate::metrics::{Labels, Metrics};
use reqwest::StatusCode;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tollgate_metering::RemoteWriter;

/// Most series of a request: what Prometheus sends itself.
const MOST_SERIES: usize = 2_000;

/// The receivers that are written to.
#[derive(Debug)]
pub struct Writers {
    ending: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Writers {
    /// Begins to write to all of them.
    ///
    /// # Errors
    /// The name of an output and why its HTTP client cannot be made.
    pub fn start(config: &[RemoteWrite], metrics: &Metrics) -> Result<Self, (String, String)> {
        let (ending, seen) = watch::channel(false);
        let mut writers = Vec::new();
        for config in config {
            writers.push(Writer::new(config, metrics).map_err(|why| (config.http.name.clone(), why))?);
        }
        let tasks = writers.into_iter().map(|writer| tokio::spawn(writer.run(seen.clone()))).collect();
        Ok(Self { ending, tasks })
    }

    /// Writes once more and ends all series, within the deadline.
    pub async fn end(self, deadline: Instant) {
        let _ = self.ending.send(true);
        for mut task in self.tasks {
            if tokio::time::timeout_at(deadline, &mut task).await.is_err() {
                task.abort();
            }
        }
    }
}

struct Writer {
    config: RemoteWrite,
    backend: otlp_http::Backend,
    writer: RemoteWriter,
    metrics: Metrics,
    labels: Labels,
}

impl Writer {
    fn new(config: &RemoteWrite, metrics: &Metrics) -> Result<Self, String> {
        Ok(Self {
            backend: otlp_http::Backend::new(&config.http)?,
            writer: RemoteWriter::new(config.external_labels.clone()),
            metrics: metrics.clone(),
            labels: vec![("output", config.http.name.clone())],
            config: config.clone(),
        })
    }

    async fn run(mut self, mut ending: watch::Receiver<bool>) {
        let interval = self.config.interval;
        let mut ticks = tokio::time::interval_at(Instant::now() + interval, interval);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let is_ending = tokio::select! {
                _ = ticks.tick() => false,
                _ = ending.wait_for(|ending| *ending) => true,
            };
            if !is_ending {
                tokio::select! {
                    () = self.round() => continue,
                    _ = ending.wait_for(|ending| *ending) => {}
                }
            }
            // What was counted since the last round is said, and then that there is nobody to go on counting.
            self.round().await;
            for (request, _) in self.writer.end(tollgate_metering::now(), MOST_SERIES) {
                if self.send(&request).await.is_err() {
                    return;
                }
            }
            return;
        }
    }

    async fn round(&mut self) {
        let requests = self.metrics.remote_write(&mut self.writer, MOST_SERIES);
        // What is tried for longer is older than what the next round says.
        let deadline = Instant::now() + self.config.interval;
        for (request, samples) in requests {
            match tokio::time::timeout_at(deadline, self.until_taken(&request)).await {
                Ok(Ok(())) => self.metrics.remote_write_samples.with(self.labels.clone()).inc_by(samples),
                Ok(Err(why)) => return self.failed("refused", &why),
                Err(_) => return self.failed("unreachable", "not taken before the next round"),
            }
        }
        self.writer.taken();
    }

    fn failed(&self, reason: &'static str, why: &str) {
        let output = &self.config.http.name;
        tracing::warn!(output, reason, why, "a round of remote write was not taken");
        let mut labels = self.labels.clone();
        labels.push(("reason", reason.to_owned()));
        self.metrics.remote_write_failures.with(labels).inc();
    }

    /// Sends a request until it is taken; why it never will be.
    async fn until_taken(&self, request: &[u8]) -> Result<(), String> {
        let mut backoff = Backoff::new(self.config.http.retry);
        loop {
            match self.send(request).await {
                Ok(()) => return Ok(()),
                Err(SendError::Again { why, after }) => {
                    let Some(wait) = backoff.next(after, jitter()) else { return Err(why) };
                    tracing::debug!(output = self.config.http.name, why, ?wait, "writing again");
                    tokio::time::sleep(wait).await;
                }
                Err(SendError::Never { why } | SendError::TooLarge { why }) => return Err(why),
            }
        }
    }

    async fn send(&self, request: &[u8]) -> Result<(), SendError> {
        let body = snap::raw::Encoder::new().compress_vec(request);
        let body = body.map_err(|error| SendError::Never { why: format!("cannot compress: {error}") })?;
        let answered = self.backend.post(&self.config.http.endpoint, "application/x-protobuf", body).await?;
        match answered.status.is_success() {
            true => Ok(()),
            false => Err(answered.refusal(passes)),
        }
    }
}

/// Source: Remote-Write 1.0 specification, "Retries & Backoff": 5xx are sent again, 429 may be, and other 4xx are not.
fn passes(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error()
}
