//! `outputs:`. A key is a type, or a type and a name of the user's: `otlp_http/backend`, as in the Collector.

use super::clickhouse::ClickHouse;
use super::kafka::Kafka;
use super::langfuse::Langfuse;
use super::loki::Loki;
use super::otlp::{OtlpGrpc, OtlpHttp};
use super::parquet::Parquet;
use super::problem::Problems;
use super::remote_write::RemoteWrite;
use super::section::{Section, did_you_mean};
use super::stages::whole;
use super::store::{self, AskedStore, Store};
use crate::outputs::Limits;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// Types of outputs.
const TYPES: [&str; 11] = [
    "otlp_grpc",
    "otlp_http",
    "langfuse",
    "clickhouse",
    "loki",
    "kafka",
    "parquet",
    "json_lines",
    "prometheus",
    "prometheus_remote_write",
    store::NAME,
];

/// Where telemetry goes; at least one of these.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outputs {
    /// OTLP backends over gRPC.
    pub otlp_grpc: Vec<OtlpGrpc>,
    /// OTLP backends over HTTP.
    pub otlp_http: Vec<OtlpHttp>,
    /// Projects of Langfuse.
    pub langfuse: Vec<Langfuse>,
    /// ClickHouse servers.
    pub clickhouse: Vec<ClickHouse>,
    /// Tenants of Loki.
    pub loki: Vec<Loki>,
    /// Folders of Parquet files.
    pub parquet: Vec<Parquet>,
    /// Receivers of remote write.
    pub prometheus_remote_write: Vec<RemoteWrite>,
    /// Topics of Kafka.
    pub kafka: Vec<Kafka>,
    /// Files of JSON lines.
    pub json_lines: Vec<JsonLines>,
    /// The metrics page.
    pub prometheus: Option<Prometheus>,
    /// The embedded database of recent calls.
    pub store: Option<Store>,
}

/// What waits for an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queue {
    /// Most bytes that wait in memory; what comes after waits in the log.
    pub max_bytes: u64,
}

/// How a failed send is tried again. Names and meanings are those of the Collector's `retry_on_failure`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Wait before the second attempt.
    pub initial_interval: Duration,
    /// Longest wait between attempts.
    pub max_interval: Duration,
    /// How long a request is tried before it is dropped and counted; zero for as long as it takes.
    pub max_elapsed_time: Duration,
}

/// How deliveries become requests. It stands beside the queue: `queue.num_consumers` and `queue.batch`, as in the
/// Collector's `sending_queue`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requests {
    /// Requests that may be under way at once.
    pub num_consumers: usize,
    /// Most bytes of a request before compression; more are split, fewer are joined.
    pub max_size: usize,
    /// Most spans, log records or data points of a request.
    pub max_items: u64,
}

/// Compression of what is sent or set aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// As it is.
    None,
    /// gzip.
    Gzip,
    /// zstd.
    Zstd,
}

/// A file with one OTLP/JSON request a line.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonLines {
    /// Name for logs and counters: the key.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// Size at which the file is set aside as `<path>.1` and begun anew.
    pub max_bytes: u64,
    /// Most files set aside.
    pub max_files: usize,
    /// Age at which the file is set aside; zero for none.
    pub max_age: Duration,
    /// Compression of files set aside.
    pub compression: Compression,
    /// What waits.
    pub queue: Queue,
}

/// The metrics page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prometheus {
    /// Address to listen on; the page is `/metrics`.
    pub endpoint: SocketAddr,
}

impl Outputs {
    pub(super) fn read(root: &mut Section<'_>, store: &mut AskedStore, problems: &Problems) -> Self {
        let (mut outputs, mut asked) = (Self::default(), None);
        let entries = root.section("outputs").map(|mut section| section.entries()).unwrap_or_default();
        if entries.is_empty() {
            root.problem("outputs", format!("nothing is delivered; add one of {}", TYPES.join(", ")));
        }
        for (key, node) in entries {
            let path = format!("outputs.{key}");
            let kind = key.split_once('/').map_or(key, |(kind, _)| kind);
            let section = Section::open(node, path.as_str(), problems);
            match kind {
                "otlp_grpc" => outputs.otlp_grpc.push(OtlpGrpc::read(key, section)),
                "otlp_http" => outputs.otlp_http.push(OtlpHttp::read(key, section)),
                "langfuse" => outputs.langfuse.push(Langfuse::read(key, section)),
                "clickhouse" => outputs.clickhouse.push(ClickHouse::read(key, section)),
                "loki" => outputs.loki.push(Loki::read(key, section)),
                "parquet" => outputs.parquet.push(Parquet::read(key, section)),
                "prometheus_remote_write" => {
                    outputs.prometheus_remote_write.push(RemoteWrite::read(key, section));
                }
                "kafka" => outputs.kafka.push(Kafka::read(key, section)),
                "json_lines" => outputs.json_lines.push(JsonLines::read(key, section)),
                "prometheus" if outputs.prometheus.is_some() => {
                    problems.add(node.line, path, "there is one metrics page; remove this one");
                }
                "prometheus" => outputs.prometheus = Some(Prometheus::read(section)),
                store::NAME if key == kind => {
                    *store = AskedStore::read(section);
                    asked = Some((node.line, path));
                }
                _ => {
                    let message = format!(
                        "is not a known type of output{}; known: {}",
                        did_you_mean(kind, &TYPES),
                        TYPES.join(", ")
                    );
                    problems.add(node.line, path, message);
                }
            }
        }
        if let Some((line, path)) = asked.filter(|_| store.is_on() && outputs.prometheus.is_none()) {
            problems.add(line, path, "is asked at the address of the metrics page, and there is none; add prometheus");
        }
        outputs
    }
}

/// Most bytes of a request: what gRPC servers take unless they are told otherwise.
const MAX_SIZE: u64 = 4 << 20;

impl Queue {
    pub(super) const DEFAULT: Self = Self { max_bytes: 64 << 20 };

    /// The queue of an output that has no requests.
    pub(super) fn read(output: &mut Section<'_>) -> Self {
        let mut queue = Self::DEFAULT;
        if let Some(mut section) = output.section("queue") {
            queue.read_keys(&mut section);
            section.finish();
        }
        queue
    }

    fn read_keys(&mut self, section: &mut Section<'_>) {
        self.max_bytes = section.size("max_bytes", self.max_bytes, (1 << 10)..=(1 << 40));
    }
}

impl Requests {
    pub(super) const DEFAULT: Self = Self { num_consumers: 4, max_size: MAX_SIZE as usize, max_items: 8_192 };

    /// The queue of an output, and how its deliveries become requests.
    pub(super) fn read(output: &mut Section<'_>) -> (Queue, Self) {
        let (mut queue, mut requests) = (Queue::DEFAULT, Self::DEFAULT);
        if let Some(mut section) = output.section("queue") {
            queue.read_keys(&mut section);
            requests.num_consumers = whole(section.integer("num_consumers", 4, 1..=256));
            if let Some(mut batch) = section.section("batch") {
                requests.max_size = whole(batch.size("max_size", MAX_SIZE, (1 << 10)..=(1 << 30)));
                requests.max_items = batch.integer("max_items", requests.max_items, 1..=10_000_000);
                batch.finish();
            }
            section.finish();
        }
        (queue, requests)
    }

    /// As the outputs are asked for it.
    pub(crate) const fn limits(self) -> Limits {
        let Self { num_consumers, max_size, max_items } = self;
        Limits { max_bytes: max_size, max_items, join: true, num_consumers }
    }
}

impl Compression {
    /// One of the words `gzip`, `zstd` and `none`.
    pub(super) fn read(section: &mut Section<'_>, default: Self) -> Self {
        section.word("compression", default, &[("gzip", Self::Gzip), ("zstd", Self::Zstd), ("none", Self::None)])
    }
}

impl Retry {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        let seconds = Duration::from_secs;
        let mut retry =
            Self { initial_interval: seconds(1), max_interval: seconds(30), max_elapsed_time: Duration::ZERO };
        if let Some(mut section) = section.section("retry") {
            let range = Duration::from_millis(1)..=seconds(3600);
            retry.initial_interval = section.duration("initial_interval", retry.initial_interval, range.clone());
            retry.max_interval = section.duration("max_interval", retry.max_interval, range.clone());
            let range = Duration::ZERO..=seconds(30 * 86_400);
            retry.max_elapsed_time = section.duration("max_elapsed_time", retry.max_elapsed_time, range);
            if retry.max_interval < retry.initial_interval {
                section.problem("max_interval", "is shorter than initial_interval");
            }
            section.finish();
        }
        retry
    }
}

impl JsonLines {
    fn read(name: &str, mut section: Section<'_>) -> Self {
        let path = section.required_text("path", "the file to write");
        let output = Self {
            name: name.to_owned(),
            path: PathBuf::from(path),
            max_bytes: section.size("max_bytes", 100 << 20, 1..=(1 << 40)),
            max_files: whole(section.integer("max_files", 5, 0..=1_000)),
            max_age: section.duration("max_age", Duration::ZERO, Duration::ZERO..=Duration::from_secs(366 * 86_400)),
            compression: Compression::read(&mut section, Compression::None),
            queue: Queue::read(&mut section),
        };
        section.finish();
        output
    }
}

impl Prometheus {
    fn read(mut section: Section<'_>) -> Self {
        let endpoint = section.listen("endpoint", SocketAddr::from((Ipv4Addr::LOCALHOST, 9464)));
        section.finish();
        Self { endpoint }
    }
}
