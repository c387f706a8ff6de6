//! Brokers that speak Kafka's protocol, and the official client: the mock cluster and the client of librdkafka.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Longest that anything is waited for.
const PATIENCE: Duration = Duration::from_secs(60);
/// What the client says where nothing was committed.
pub(crate) const NONE: i64 = -1001;

/// A running cluster.
pub(crate) struct Cluster {
    child: Child,
    pipes: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
    /// `[host:port, ...]`, as a configuration has it.
    pub(crate) brokers: String,
}

/// A record of a topic.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Vec<u8>,
    pub(crate) partition: i64,
}

/// A record to be written: key and value.
pub(crate) type Keyed<'k> = (Option<&'k [u8]>, Option<Vec<u8>>);

impl Cluster {
    /// Starts it with the topics of the Collector, or skips loudly where the client is not installed.
    pub(crate) fn start(partitions: usize) -> Option<Self> {
        let required = std::env::var_os("TOLLGATE_REQUIRE_DATA").is_some_and(|value| value == "1");
        let Some(packages) = std::env::var_os("TOLLGATE_KAFKA").map(PathBuf::from) else {
            assert!(!required, "TOLLGATE_KAFKA is not set; run `cargo xtask test`");
            eprintln!("SKIPPED: TOLLGATE_KAFKA is not set; run `cargo xtask test`");
            return None;
        };
        let python = std::env::var_os("TOLLGATE_PYTHON").unwrap_or_else(|| "python3".into());
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/clients/kafka_broker.py");
        let mut child = Command::new(python)
            .arg(script)
            .arg(partitions.to_string())
            .args(["otlp_spans", "otlp_logs", "otlp_metrics"])
            .env("PYTHONPATH", packages)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python starts");
        let (input, output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut cluster = Self { child, pipes: Mutex::new((input, output)), brokers: String::new() };
        cluster.brokers = cluster.line()["brokers"].to_string();
        Some(cluster)
    }

    fn line(&self) -> Value {
        let mut line = String::new();
        self.pipes.lock().unwrap().1.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
    }

    fn ask(&self, what: &Value) -> Value {
        writeln!(self.pipes.lock().unwrap().0, "{what}").unwrap();
        self.line()
    }

    /// Writes records with the official client.
    pub(crate) fn produce(&self, topic: &str, records: &[Keyed<'_>]) {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let record = |(key, value): &Keyed<'_>| json!({"key": key.map(hex), "value": value.as_deref().map(hex)});
        let records: Vec<_> = records.iter().map(record).collect();
        let answer = self.ask(&json!({"do": "produce", "topic": topic, "records": records}));
        assert_eq!(answer, json!({"left": 0, "problems": []}));
    }

    /// All records of a topic, read by the official client.
    pub(crate) fn read(&self, topic: &str) -> Vec<Record> {
        let unhex = |value: &Value| {
            let text = value.as_str()?;
            Some((0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect())
        };
        let answer = self.ask(&json!({"do": "read", "topic": topic}));
        let records = answer["records"].as_array().unwrap().iter();
        records
            .map(|record| Record {
                key: unhex(&record["key"]),
                value: unhex(&record["value"]).unwrap_or_default(),
                partition: record["partition"].as_i64().unwrap(),
            })
            .collect()
    }

    fn offsets(&self, asked: &Value) -> Vec<i64> {
        let answer = self.ask(asked);
        answer["offsets"].as_array().unwrap().iter().map(|offset| offset.as_i64().unwrap()).collect()
    }

    /// What a group has committed, by partition.
    pub(crate) fn committed(&self, group: &str, topic: &str) -> Vec<i64> {
        self.offsets(&json!({"do": "committed", "group": group, "topic": topic}))
    }

    /// The ends of the partitions of a topic.
    pub(crate) fn ends(&self, topic: &str) -> Vec<i64> {
        self.offsets(&json!({"do": "ends", "topic": topic}))
    }

    /// Waits until a group has committed all of a topic.
    pub(crate) async fn until_committed(&self, group: &str, topic: &str) {
        let start = Instant::now();
        let ends = self.ends(topic);
        loop {
            let committed = self.committed(group, topic);
            // A partition that nothing was ever in has nothing to commit.
            if committed.iter().zip(&ends).all(|(committed, end)| committed == end || (*committed == NONE && *end == 0))
            {
                return;
            }
            assert!(start.elapsed() < PATIENCE, "{topic}: {committed:?} of {ends:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Takes a broker down, or up again.
    pub(crate) fn set_up(&self, broker: i32, up: bool) {
        self.ask(&json!({"do": "broker", "id": broker, "up": up}));
    }

    /// The next requests of a kind are answered with an error.
    pub(crate) fn fail(&self, api: i32, code: i32, count: usize) {
        self.ask(&json!({"do": "fail", "api": api, "code": code, "count": count}));
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
