//! `outputs.kafka` and `receivers.kafka`. Names and meanings are those of the Collector's `kafka` exporter and receiver.

use super::otlp::ClientTls;
use super::outputs::{Queue, Requests, Retry};
use super::section::Section;
use super::stages::whole;
use std::time::Duration;
use tollgate_kafka::{
    Acks, Compression, ConsumerOptions, Hasher, InitialOffset, Keys, Mechanism, Sasl, Topics, check_brokers,
    topic_problem,
};
use tollgate_otlp::Items;

/// Least bytes of `producer.max_message_bytes`: room for a span and what is around it.
const LEAST_MESSAGE: u64 = 1 << 10;
/// Requests of records that are handed to the stages at once. While one waits for the disk, others are worked on.
const CONCURRENCY: usize = 4;
/// Most bytes of small records that become one request.
const MAX_REQUEST_BYTES: usize = 1 << 20;

/// How brokers are reached. The files of TLS are read at the start.
#[derive(Clone, PartialEq, Eq)]
pub struct KafkaConnection {
    /// Brokers that are asked first, as `host:port`.
    pub brokers: Vec<String>,
    /// What requests say of who sends them.
    pub client_id: String,
    /// TLS; none without it.
    pub tls: Option<ClientTls>,
    /// Who logs in; nobody without it.
    pub sasl: Option<Sasl>,
    /// Longest that one request may take.
    pub timeout: Duration,
}

/// Topics that requests are written to.
#[derive(Clone, Debug, PartialEq)]
pub struct Kafka {
    /// Name for logs and counters: the key.
    pub name: String,
    /// How brokers are reached.
    pub connection: KafkaConnection,
    /// Where records go.
    pub topics: Topics,
    /// What they are keyed by.
    pub keys: Keys,
    /// To which partition a key belongs.
    pub hasher: Hasher,
    /// Largest record, before compression.
    pub max_message_bytes: usize,
    /// Whose acknowledgement is waited for.
    pub acks: Acks,
    /// Compression of batches of records.
    pub compression: Compression,
    /// How long a batch that is not full waits for more.
    pub linger: Duration,
    /// How a failed send is tried again.
    pub retry: Retry,
    /// What waits.
    pub queue: Queue,
    /// How what waits becomes requests, before those become records.
    pub requests: Requests,
}

/// Topics that requests are read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KafkaReceiver {
    /// How brokers are reached.
    pub connection: KafkaConnection,
    /// What is read, and how.
    pub options: ConsumerOptions,
    /// Largest record, after decompression; one that is larger is counted and left out.
    pub max_message_bytes: usize,
}

impl std::fmt::Debug for KafkaConnection {
    /// Without the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sasl = self.sasl.as_ref().map(|sasl| (sasl.mechanism, &sasl.username));
        let Self { brokers, client_id, tls, timeout, .. } = self;
        let mut out = f.debug_struct("KafkaConnection");
        out.field("brokers", brokers).field("client_id", client_id).field("tls", tls).field("sasl", &sasl);
        out.field("timeout", timeout).finish()
    }
}

impl KafkaConnection {
    fn read(section: &mut Section<'_>) -> Self {
        let mut brokers = Vec::new();
        for (address, line, path) in section.text_list("brokers") {
            if let Some(why) = check_brokers(&address) {
                section.problem_at(line, path, format!("{address:?} {why}"));
            }
            brokers.push(address);
        }
        if section.node("brokers").is_none() {
            brokers.push("localhost:9092".to_owned());
        } else if brokers.is_empty() {
            section.problem("brokers", "names no broker; list one as host:port");
        }
        let client_id = section.text("client_id").unwrap_or_else(|| "tollgate".to_owned());
        let mut insecure = false;
        let tls = section.has("tls").then(|| ClientTls::read(section, Some(&mut insecure)));
        if insecure && tls.as_ref().is_some_and(|tls| *tls != ClientTls::default()) {
            section.problem("tls", "has files or a name, but insecure says not to speak TLS");
        }
        let sasl = section.section("auth").and_then(|mut auth| {
            let sasl = auth.section("sasl").map(read_sasl);
            if sasl.is_none() {
                auth.problem("sasl", "is missing: a username, a password and a mechanism");
            }
            auth.finish();
            sasl
        });
        let range = Duration::from_millis(100)..=Duration::from_secs(600);
        let timeout = section.duration("timeout", Duration::from_secs(10), range);
        Self { brokers, client_id, tls: tls.filter(|_| !insecure), sasl, timeout }
    }
}

fn read_sasl(mut section: Section<'_>) -> Sasl {
    let mechanisms = [
        ("PLAIN", Mechanism::Plain),
        ("SCRAM-SHA-256", Mechanism::ScramSha256),
        ("SCRAM-SHA-512", Mechanism::ScramSha512),
    ];
    if section.node("mechanism").is_none() {
        section.problem("mechanism", "is missing: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512");
    }
    let sasl = Sasl {
        username: section.required_text("username", "who logs in"),
        password: section.required_text("password", "the password, such as ${env:KAFKA_PASSWORD}"),
        mechanism: section.word("mechanism", Mechanism::ScramSha512, &mechanisms),
    };
    section.finish();
    sasl
}

/// `otlp_proto`, which is what there is.
fn read_encoding(section: &mut Section<'_>) {
    if let Some(encoding) = section.text("encoding").filter(|encoding| encoding != "otlp_proto") {
        section.problem("encoding", format!("{encoding:?} is not known; records are in otlp_proto"));
    }
}

fn read_topic(parent: &mut Section<'_>, signal: &'static str, topic: &mut String) {
    let Some(mut section) = parent.section(signal) else { return };
    if let Some(text) = section.text("topic") {
        if let Some(why) = topic_problem(&text) {
            section.problem("topic", format!("{text:?} {why}"));
        }
        *topic = text;
    }
    read_encoding(&mut section);
    section.finish();
}

impl Kafka {
    pub(super) fn read(name: &str, mut section: Section<'_>) -> Self {
        let connection = KafkaConnection::read(&mut section);
        let mut topics = Topics::default();
        read_topic(&mut section, "traces", &mut topics.traces);
        read_topic(&mut section, "logs", &mut topics.logs);
        read_topic(&mut section, "metrics", &mut topics.metrics);
        let keys = Keys {
            traces_by_id: section.truth("partition_traces_by_id", true),
            logs_by_trace_id: section.truth("partition_logs_by_trace_id", false),
            logs_by_resource: section.truth("partition_logs_by_resource_attributes", false),
            metrics_by_resource: section.truth("partition_metrics_by_resource_attributes", false),
        };
        if keys.logs_by_trace_id && keys.logs_by_resource {
            let message = "cannot be beside partition_logs_by_trace_id: a record has one key";
            section.problem("partition_logs_by_resource_attributes", message);
        }
        let mut hasher = Hasher::default();
        if let Some(mut partitioner) = section.section("record_partitioner") {
            if let Some(mut sticky) = partitioner.section("sticky_key") {
                let words = [("sarama_compat", Hasher::SaramaCompat), ("murmur2", Hasher::Murmur2)];
                hasher = sticky.word("hasher", hasher, &words);
                sticky.finish();
            }
            partitioner.finish();
        }
        let (queue, requests) = Requests::read(&mut section);
        let mut output = Self {
            name: name.to_owned(),
            connection,
            topics,
            keys,
            hasher,
            max_message_bytes: 1_000_000,
            acks: Acks::All,
            compression: Compression::None,
            linger: Duration::from_millis(10),
            retry: Retry::read(&mut section),
            queue,
            requests,
        };
        if let Some(producer) = section.section("producer") {
            output.read_producer(producer);
        }
        section.finish();
        output
    }

    fn read_producer(&mut self, mut section: Section<'_>) {
        let most = section.size("max_message_bytes", self.max_message_bytes as u64, LEAST_MESSAGE..=(100 << 20));
        self.max_message_bytes = whole(most);
        self.acks = section.word("required_acks", self.acks, &[("all", Acks::All), ("leader", Acks::Leader)]);
        let words = [
            ("none", Compression::None),
            ("gzip", Compression::Gzip),
            ("snappy", Compression::Snappy),
            ("lz4", Compression::Lz4),
            ("zstd", Compression::Zstd),
        ];
        self.compression = section.word("compression", self.compression, &words);
        self.linger = section.duration("linger", self.linger, Duration::ZERO..=Duration::from_secs(5));
        section.finish();
    }
}

impl KafkaReceiver {
    pub(super) fn read(mut section: Section<'_>) -> Self {
        let connection = KafkaConnection::read(&mut section);
        let mut topics = Vec::new();
        for (signal, default, items) in [
            ("traces", "otlp_spans", Items::Spans),
            ("logs", "otlp_logs", Items::LogRecords),
            ("metrics", "otlp_metrics", Items::DataPoints),
        ] {
            read_topics(&mut section, (signal, default, items), &mut topics);
        }
        if topics.is_empty() {
            section.problem("traces", "no topic of any signal is read");
        }
        let seconds = Duration::from_secs;
        let size = |section: &mut Section<'_>, key, default| whole(section.size(key, default, 1..=(1 << 30)));
        let mut options = ConsumerOptions {
            topics,
            group_id: section.text("group_id").unwrap_or_else(|| "tollgate".to_owned()),
            group_instance_id: section.text("group_instance_id").filter(|id| !id.is_empty()),
            initial_offset: section.word(
                "initial_offset",
                InitialOffset::Earliest,
                &[("earliest", InitialOffset::Earliest), ("latest", InitialOffset::Latest)],
            ),
            session_timeout: section.duration("session_timeout", seconds(10), seconds(1)..=seconds(1_800)),
            heartbeat_interval: section.duration(
                "heartbeat_interval",
                seconds(3),
                Duration::from_millis(100)..=seconds(600),
            ),
            min_fetch_size: size(&mut section, "min_fetch_size", 1),
            max_fetch_size: size(&mut section, "max_fetch_size", 1 << 20),
            max_partition_fetch_size: size(&mut section, "max_partition_fetch_size", 1 << 20),
            max_fetch_wait: section.duration(
                "max_fetch_wait",
                Duration::from_millis(250),
                Duration::from_millis(1)..=seconds(30),
            ),
            max_request_bytes: MAX_REQUEST_BYTES,
            concurrency: CONCURRENCY,
            commit_interval: seconds(1),
        };
        let max_message_bytes = size(&mut section, "max_message_bytes", 20 << 20);
        if let Some(mut commit) = section.section("autocommit") {
            let range = Duration::from_millis(10)..=seconds(600);
            options.commit_interval = commit.duration("interval", options.commit_interval, range);
            commit.finish();
        }
        if options.group_id.is_empty() {
            section.problem("group_id", "is empty: offsets are committed for a group");
        }
        if options.heartbeat_interval >= options.session_timeout {
            section.problem("heartbeat_interval", "has to be shorter than session_timeout");
        }
        if options.min_fetch_size > options.max_fetch_size {
            section.problem("min_fetch_size", "is more than max_fetch_size");
        }
        section.finish();
        Self { connection, options, max_message_bytes }
    }
}

fn read_topics(
    parent: &mut Section<'_>,
    (signal, default, items): (&'static str, &str, Items),
    topics: &mut Vec<(String, Items)>,
) {
    let Some(mut section) = parent.section(signal) else {
        topics.push((default.to_owned(), items));
        return;
    };
    let listed = section.text_list("topics");
    if section.node("topics").is_none() {
        topics.push((default.to_owned(), items));
    }
    for (topic, line, path) in listed {
        if let Some(why) = topic_problem(&topic) {
            section.problem_at(line, path, format!("{topic:?} {why}"));
        } else if topics.iter().any(|(other, _)| *other == topic) {
            section.problem_at(line, path, format!("{topic:?} is read already"));
        }
        topics.push((topic, items));
    }
    read_encoding(&mut section);
    section.finish();
}
