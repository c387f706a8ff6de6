//! The outputs that run: started together, exchanged one by one, and emptied at the end.

use crate::config;
use crate::memory::Memory;
use crate::metrics::Metrics;
use crate::outputs::{
    self, Queue, Worker, clickhouse, json_lines, kafka, langfuse, loki, otlp_grpc, otlp_http, parquet, store,
};
use crate::stages::log::Log;
use std::sync::Arc;
use tokio::time::Instant;

/// Why an output cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("output {output}: {why}")]
pub struct OutputError {
    /// Its name.
    pub output: String,
    /// What is wrong.
    pub why: String,
}

/// The outputs that run.
#[derive(Debug)]
pub(super) struct Outputs {
    running: Vec<Running>,
    /// The store, opened once: those who ask hold it too.
    store: Option<Arc<tollgate_store::Store>>,
    memory: Memory,
    metrics: Metrics,
}

#[derive(Debug)]
struct Running {
    config: Output,
    queue: Queue,
    worker: Worker,
}

/// The configuration of an output that has a queue.
#[derive(Clone, Debug, PartialEq)]
enum Output {
    OtlpGrpc(config::OtlpGrpc),
    OtlpHttp(config::OtlpHttp),
    Langfuse(config::Langfuse),
    ClickHouse(Box<config::ClickHouse>),
    Loki(config::Loki),
    Parquet(config::Parquet),
    Kafka(config::Kafka),
    JsonLines(config::JsonLines),
    Store(config::Store),
}

/// An output that is open.
enum Open {
    OtlpGrpc(otlp_grpc::Backend),
    OtlpHttp(otlp_http::Backend),
    Langfuse(langfuse::Project),
    ClickHouse(Box<clickhouse::Store>),
    Loki(loki::Tenant),
    Parquet(parquet::Files),
    Kafka(kafka::Topics),
    JsonLines(json_lines::Lines),
    Store(store::Sink),
}

impl Outputs {
    /// Starts all outputs of a configuration.
    ///
    /// # Errors
    /// One of them cannot be opened; none is running then.
    pub(super) async fn start(
        config: &config::Outputs,
        store: Option<Arc<tollgate_store::Store>>,
        memory: &Memory,
        metrics: &Metrics,
    ) -> Result<Self, OutputError> {
        let mut open = Vec::new();
        for config in list(config, store.as_ref()) {
            open.push((config.open(store.as_ref(), metrics).await?, config));
        }
        let mut outputs = Self { running: Vec::new(), store, memory: memory.clone(), metrics: metrics.clone() };
        for (open, config) in open {
            outputs.running.push(outputs.run(open, config));
        }
        Ok(outputs)
    }

    /// The queues, for those who deliver.
    pub(super) fn queues(&self) -> Vec<Queue> {
        self.running.iter().map(|running| running.queue.clone()).collect()
    }

    /// Makes the outputs those of another configuration. What waits for an output whose name stays waits for it still.
    /// Gives the workers of those that are gone; `publish` is given the queues that are.
    ///
    /// # Errors
    /// One of them cannot be opened; all are as they were then.
    pub(super) async fn exchange(
        &mut self,
        config: &config::Outputs,
        publish: impl FnOnce(Vec<Queue>),
    ) -> Result<Vec<Worker>, OutputError> {
        let mut wanted = Vec::new();
        let store = self.store.clone();
        for config in list(config, store.as_ref()) {
            let is_known = self.running.iter().any(|running| running.config == config);
            wanted
                .push((if is_known { None } else { Some(config.open(store.as_ref(), &self.metrics).await?) }, config));
        }
        let mut before = std::mem::take(&mut self.running);
        for (open, config) in wanted {
            let same = before.iter().position(|running| running.config.name() == config.name());
            let running = match (same.map(|at| before.swap_remove(at)), open) {
                (Some(running), None) => running,
                (Some(running), Some(open)) => running.replace(open, config, &self.metrics).await,
                (None, Some(open)) => self.run(open, config),
                // Only what runs is not opened.
                (None, None) => continue,
            };
            self.running.push(running);
        }
        publish(self.queues());
        Ok(before.into_iter().map(|running| running.worker).collect())
    }

    /// Empties the queues. What still waits at the deadline stays in the log, or is dropped where there is none.
    pub(super) async fn drain(self, deadline: Instant, log: &Log) {
        for running in self.running {
            running.worker.drain(deadline, log).await;
        }
    }

    fn run(&self, open: Open, config: Output) -> Running {
        let (name, queue, retry) = (config.name(), config.queue(), config.retry());
        let (memory, metrics) = (&self.memory, &self.metrics);
        let (queue, worker) = match open {
            Open::OtlpGrpc(sink) => outputs::start(name, sink, queue, retry, memory, metrics),
            Open::OtlpHttp(sink) => outputs::start(name, sink, queue, retry, memory, metrics),
            Open::Kafka(sink) => outputs::start(name, sink, queue, retry, memory, metrics),
            Open::Langfuse(sink) => outputs::start(name, sink, queue, retry, memory, metrics),
            Open::ClickHouse(sink) => outputs::start(name, *sink, queue, retry, memory, metrics),
            Open::Loki(sink) => outputs::start(name, sink, queue, retry, memory, metrics),
            Open::Parquet(sink) => outputs::start(name, sink, queue, retry, memory, metrics),
            Open::JsonLines(sink) => outputs::start(name, sink, queue, retry, memory, metrics),
            Open::Store(sink) => outputs::start(name, sink, queue, retry, memory, metrics),
        };
        Running { config, queue, worker }
    }
}

impl Running {
    /// The output with another configuration and the same queue.
    async fn replace(self, open: Open, config: Output, metrics: &Metrics) -> Self {
        let retry = config.retry();
        let worker = self.worker.stop().await;
        let worker = match open {
            Open::OtlpGrpc(sink) => worker.start(sink, retry),
            Open::OtlpHttp(sink) => worker.start(sink, retry),
            Open::Kafka(sink) => worker.start(sink, retry),
            Open::Langfuse(sink) => worker.start(sink, retry),
            Open::Store(sink) => worker.start(sink, retry),
            Open::ClickHouse(sink) => worker.start(*sink, retry),
            Open::Loki(sink) => worker.start(sink, retry),
            Open::Parquet(sink) => worker.start(sink, retry),
            // Opened once more, because it may have grown since.
            Open::JsonLines(sink) => worker.start(config.reopened(sink, metrics).await, retry),
        };
        Self { config, queue: self.queue, worker }
    }
}

impl Output {
    fn name(&self) -> &str {
        match self {
            Self::OtlpGrpc(config) => &config.name,
            Self::OtlpHttp(config) => &config.name,
            Self::Langfuse(config) => &config.otlp.name,
            Self::ClickHouse(config) => &config.name,
            Self::Loki(config) => &config.otlp.name,
            Self::Parquet(config) => &config.name,
            Self::Kafka(config) => &config.name,
            Self::JsonLines(config) => &config.name,
            Self::Store(config) => config.name(),
        }
    }

    fn queue(&self) -> config::Queue {
        match self {
            Self::OtlpGrpc(config) => config.queue,
            Self::OtlpHttp(config) => config.queue,
            Self::Langfuse(config) => config.otlp.queue,
            Self::ClickHouse(config) => config.queue,
            Self::Loki(config) => config.otlp.queue,
            Self::Parquet(config) => config.queue,
            Self::Kafka(config) => config.queue,
            Self::JsonLines(config) => config.queue,
            Self::Store(config) => config.queue,
        }
    }

    fn retry(&self) -> config::Retry {
        match self {
            Self::OtlpGrpc(config) => config.retry,
            Self::OtlpHttp(config) => config.retry,
            Self::Langfuse(config) => config.otlp.retry,
            Self::ClickHouse(config) => config.retry,
            Self::Loki(config) => config.otlp.retry,
            Self::Parquet(_) => parquet::RETRY,
            Self::Kafka(config) => config.retry,
            Self::JsonLines(_) => json_lines::RETRY,
            Self::Store(_) => store::RETRY,
        }
    }

    async fn open(&self, store: Option<&Arc<tollgate_store::Store>>, metrics: &Metrics) -> Result<Open, OutputError> {
        let error = |why| OutputError { output: self.name().to_owned(), why };
        match self {
            Self::OtlpGrpc(config) => otlp_grpc::Backend::new(config).map(Open::OtlpGrpc).map_err(error),
            Self::OtlpHttp(config) => otlp_http::Backend::new(config).map(Open::OtlpHttp).map_err(error),
            Self::Langfuse(config) => langfuse::Project::new(config).map(Open::Langfuse).map_err(error),
            Self::ClickHouse(config) => {
                clickhouse::Store::new(config).map(Box::new).map(Open::ClickHouse).map_err(error)
            }
            Self::Loki(config) => loki::Tenant::new(config).map(Open::Loki).map_err(error),
            Self::Parquet(config) => parquet::Files::open(config, metrics).await.map(Open::Parquet).map_err(error),
            Self::Kafka(config) => kafka::Topics::new(config).map(Open::Kafka).map_err(error),
            Self::JsonLines(config) => json_lines::Lines::open(config)
                .await
                .map(Open::JsonLines)
                .map_err(|why| error(format!("{}: {why}", config.path.display()))),
            // Only a store that is open is in the list.
            Self::Store(_) => store
                .map(|store| Open::Store(store::Sink::new(Arc::clone(store))))
                .ok_or_else(|| error("is not open".to_owned())),
        }
    }

    async fn reopened(&self, lines: json_lines::Lines, metrics: &Metrics) -> json_lines::Lines {
        match self.open(None, metrics).await {
            Ok(Open::JsonLines(fresh)) => fresh,
            _ => lines,
        }
    }
}

/// The outputs that have a queue, in the order in which they are started.
fn list(config: &config::Outputs, store: Option<&Arc<tollgate_store::Store>>) -> Vec<Output> {
    let grpc = config.otlp_grpc.iter().cloned().map(Output::OtlpGrpc);
    let http = config.otlp_http.iter().cloned().map(Output::OtlpHttp);
    let clickhouse = config.clickhouse.iter().cloned().map(Box::new).map(Output::ClickHouse);
    let lines = config.json_lines.iter().cloned().map(Output::JsonLines);
    let langfuse = config.langfuse.iter().cloned().map(Output::Langfuse);
    let loki = config.loki.iter().cloned().map(Output::Loki);
    let kafka = config.kafka.iter().cloned().map(Output::Kafka);
    let parquet = config.parquet.iter().cloned().map(Output::Parquet);
    let store = config.store.iter().filter(|_| store.is_some()).cloned().map(Output::Store);
    let backends = grpc.chain(http).chain(langfuse).chain(clickhouse).chain(loki).chain(kafka);
    backends.chain(parquet).chain(lines).chain(store).collect()
}
