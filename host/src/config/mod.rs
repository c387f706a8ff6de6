//! The configuration: the whole file is read, and every problem reported with its line, before anything starts.
//!
//! ```
//! let yaml = "
//! receivers: {otlp: {protocols: {grpc: }}}
//! outputs: {prometheus: {endpoint: \"127.0.0.1:9464\"}}
//! ";
//! let config = tollgate_host::config::Config::parse(yaml).unwrap();
//! assert_eq!(config.receivers.grpc.unwrap().endpoint.port(), 4317);
//!
//! let problems = tollgate_host::config::Config::parse(&yaml.replace("otlp", "otpl")).unwrap_err();
//! assert!(problems[1].to_string().starts_with("2: receivers.otpl: is not a known key (did you mean \"otlp\"?)"));
//! ```

mod clickhouse;
mod cost;
mod dialect;
mod kafka;
mod langfuse;
mod log;
mod loki;
mod meter;
mod otlp;
mod outputs;
mod parquet;
mod plugin;
mod problem;
mod receivers;
mod redact;
mod remote_write;
mod sample;
mod section;
mod stages;
mod store;
mod suggest;
pub(crate) mod units;

pub use clickhouse::ClickHouse;
pub(crate) use cost::ALWAYS;
pub use cost::Cost;
pub use dialect::Dialect;
pub use kafka::{Kafka, KafkaConnection, KafkaReceiver};
pub use langfuse::Langfuse;
pub use log::{Fsync, Log, Storage};
pub use loki::Loki;
pub use meter::{Dimension, Meter, MeterOtlp};
pub use otlp::{ClientTls, Encoding, OtlpGrpc, OtlpHttp};
pub use outputs::{Compression, JsonLines, Outputs, Prometheus, Queue, Requests, Retry};
pub use parquet::Parquet;
pub use plugin::{Limits, OnError, Place, Plugin};
pub use problem::{Problem, Problems};
pub use receivers::{Auth, ClientCertificate, Connections, Grpc, Health, Http, Receivers, Tls, TlsVersion};
pub use redact::{OnOversize, Redact, UnknownFields};
pub use remote_write::RemoteWrite;
pub use sample::{DecisionCache, Sample, StressRelief};
pub use stages::{Admit, Link, Memory, Shutdown};
use store::AskedStore;
pub use store::Store;

use saphyr::{LoadableYamlNode, MarkedYaml};
use section::{Node, Section};

/// Everything that `tollgate run` reads from its file. The stages stand in the order in which data passes them.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Where telemetry comes in.
    pub receivers: Receivers,
    /// What refused senders are told.
    pub admit: Admit,
    /// The ceiling for all that is buffered.
    pub memory: Memory,
    /// Enrichers, in order.
    pub enrich: Vec<Plugin>,
    /// What is remembered of calls, to find those that are reported twice.
    pub link: Link,
    /// Redactors, in order, and what holds for all of them.
    pub redact: Redact,
    /// Where what was accepted is kept until every output has it.
    pub log: Log,
    /// What of calls and operations is counted.
    pub meter: Meter,
    /// What is added up of costs, for how long, and how alerts are logged.
    pub cost: Cost,
    /// The sampler and the assembly of traces; without it every trace is kept at once.
    pub sample: Option<Sample>,
    /// Where telemetry goes.
    pub outputs: Outputs,
    /// Where the state of the process can be asked for, beside the address of the metrics page.
    pub health: Option<Health>,
    /// How the process ends.
    pub shutdown: Shutdown,
}

impl Config {
    /// Reads a configuration.
    ///
    /// # Errors
    /// Everything that is wrong with it, in the order of the file.
    pub fn parse(yaml: &str) -> Result<Self, Vec<Problem>> {
        let documents = MarkedYaml::load_from_str(yaml).map_err(|error| {
            let message = format!("is not YAML: {}", error.info());
            vec![Problem { line: error.marker().line(), path: String::new(), message }]
        })?;
        let problems = Problems::default();
        if let Some(second) = documents.get(1) {
            problems.add(second.span.start.line(), "", "is a second YAML document; a configuration is one document");
        }
        let config = documents.first().map(|document| Self::read(Node::new(document), &problems));
        if documents.is_empty() {
            problems.add(1, "", "the file is empty; examples/tollgate.yaml is a configuration to start from");
        }
        match (config, problems.into_sorted()) {
            (Some(config), problems) if problems.is_empty() => Ok(config),
            (_, problems) => Err(problems),
        }
    }

    fn read(document: Node<'_>, problems: &Problems) -> Self {
        let mut root = Section::open(document, "", problems);
        let mut store = AskedStore::default();
        let mut config = Self {
            receivers: Receivers::read(&mut root),
            admit: Admit::read(&mut root),
            memory: Memory::read(&mut root),
            enrich: Plugin::list(&mut root, "enrich", OnError::OTHERS, OnError::Bypass, problems),
            link: Link::read(&mut root),
            redact: Redact::read(&mut root, problems),
            log: Log::read(&mut root),
            meter: Meter::read(&mut root, problems),
            cost: Cost::read(&mut root, problems),
            sample: Sample::read(&mut root),
            outputs: Outputs::read(&mut root, &mut store, problems),
            health: Health::read(&mut root),
            shutdown: Shutdown::read(&mut root),
        };
        root.finish();
        config.outputs.store = store.settle(&config.outputs, &config.log);
        config
    }

    /// Every plugin, each with the stage that runs it.
    pub fn plugins(&self) -> impl Iterator<Item = (Stage, &Plugin)> {
        let enrich = self.enrich.iter().map(|plugin| (Stage::Enrich, plugin));
        let redact = self.redact.plugins.iter().map(|plugin| (Stage::Redact, plugin));
        let sample = self.sample.iter().map(|sample| (Stage::Sample, &sample.plugin));
        enrich.chain(redact).chain(sample)
    }
}

/// A stage that runs plugins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Enrichers.
    Enrich,
    /// Redactors.
    Redact,
    /// The sampler.
    Sample,
}

impl Stage {
    /// The word used in the configuration and in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enrich => "enrich",
            Self::Redact => "redact",
            Self::Sample => "sample",
        }
    }
}
