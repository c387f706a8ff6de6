//! The output `clickhouse`: against the real engine, against servers that are dead, slow or mad, and its commands.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

#[path = "support/backend.rs"]
#[expect(dead_code, reason = "only what is of HTTP is used")]
mod backend;
mod support;

use backend::{Answer, Backend};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use support::{Folder, Host, chat, client, request};
use tollgate_host::config::{ClickHouse, Config};
use tollgate_host::outputs::{Delivery, SendError, Sink, clickhouse};
use tollgate_host::receivers::Signal;
use tollgate_otlp::{Envelope, LogWriter, RequestWriter, Severity, SpanWriter};

/// The engine behind its HTTP shim.
struct Engine {
    process: Child,
    port: u16,
}

impl Engine {
    /// Starts it at a port, 0 for any, with tables in `folder`; or skips loudly where it is not installed.
    fn start(folder: &Path, port: u16) -> Option<Self> {
        let packages = packages()?;
        let shim = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/clients/clickhouse_shim.py");
        let python = std::env::var_os("TOLLGATE_PYTHON").unwrap_or_else(|| "python3".into());
        let mut process = Command::new(python)
            .arg(shim)
            .arg(folder)
            .arg(port.to_string())
            .env("PYTHONPATH", packages)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python starts");
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().parse().expect("the shim prints its port");
        Some(Self { process, port })
    }

    async fn query(&self, statement: &str) -> String {
        self.run(&format!("{statement} FORMAT TSV")).await
    }

    async fn run(&self, statement: &str) -> String {
        let sent = client().post(format!("http://127.0.0.1:{}/", self.port)).body(statement.to_owned());
        sent.send().await.unwrap().text().await.unwrap().trim().to_owned()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn packages() -> Option<PathBuf> {
    let folder = std::env::var_os("TOLLGATE_CHDB").map(PathBuf::from);
    if let Some(folder) = folder.filter(|folder| folder.join("chdb").exists()) {
        return Some(folder);
    }
    let required = std::env::var_os("TOLLGATE_REQUIRE_DATA").is_some_and(|value| value == "1");
    assert!(!required, "TOLLGATE_CHDB names no folder with chdb; run `cargo xtask test system`");
    eprintln!("SKIPPED: TOLLGATE_CHDB names no folder with chdb; run `cargo xtask test system`");
    None
}

/// A port on which nobody listens.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn parse(keys: &str) -> Result<ClickHouse, String> {
    let yaml = format!("receivers: {{otlp: {{protocols: {{http: }}}}}}\noutputs:\n  clickhouse: {{{keys}}}\n");
    let problems = |problems: Vec<tollgate_host::config::Problem>| {
        problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    Config::parse(&yaml).map_err(problems).map(|mut config| config.outputs.clickhouse.remove(0))
}

fn priced(trace: u8, span: u8, nano_usd: i64) -> SpanWriter {
    let mut writer = chat(trace, span);
    writer.set("tollgate.cost.nano_usd", nano_usd);
    writer
}

fn evaluation() -> Vec<u8> {
    let mut log = LogWriter::event("gen_ai.evaluation.result", 1_790_000_000_000_000_000, Severity::Info);
    log.within([1; 16], [1; 8], 1);
    log.attributes().set("gen_ai.evaluation.name", "relevance").set("gen_ai.evaluation.score.value", 0.5);
    let mut writer = RequestWriter::new();
    writer.push(&Envelope::new(&[("service.name", "shop".into())], "tests", "1"), log.bytes());
    writer.finish()
}

/// One gauge with one point.
const METRICS: &[u8] = b"\x0a\x17\x12\x15\x12\x13\x0a\x01g\x2a\x0e\x0a\x0c\x19\x01\x00\x00\x00\x00\x00\x00\x00\x30\x01";

#[tokio::test(flavor = "multi_thread")]
async fn what_the_host_took_while_the_server_was_down_is_in_its_tables_once() {
    let (port, tables) = (free_port(), Folder::new());
    if packages().is_none() {
        return;
    }
    let outputs = format!(
        "outputs:\n  clickhouse: {{endpoint: \"http://127.0.0.1:{port}\", database: otel, \
         retry: {{initial_interval: 50ms, max_interval: 100ms}}}}\n"
    );
    let host = Host::start(&outputs);
    for span in 1..=20 {
        let body = request(&[priced(1, span, 1_000_000_007), priced(2, span, 1)]);
        assert_eq!(host.post("/v1/traces", body).await.0, 200);
    }
    assert_eq!(host.post("/v1/logs", evaluation()).await.0, 200);
    // Others are not held up.
    host.until_metric(r#"tollgate_output_sent_total{output="json_lines"} 41"#).await;
    host.until_said("output=\"clickhouse\"", 2).await;

    let engine = Engine::start(&tables.path(""), port).unwrap();
    host.until_metric(r#"tollgate_output_sent_total{output="clickhouse"} 41"#).await;
    assert_eq!(engine.query("SELECT count(), sum(LlmCost) FROM otel.otel_traces").await, "40\t20.00000016");
    assert_eq!(engine.query("SELECT count(), sum(LlmCost) FROM otel.otel_llm_calls FINAL").await, "40\t20.00000016");
    let evaluated = "SELECT LlmEvaluation, LlmEvaluationScore, ServiceName FROM otel.otel_logs";
    assert_eq!(engine.query(evaluated).await, "relevance\t0.5\tshop");

    // The server goes while the host sends, and comes back with its tables.
    drop(engine);
    let body = request(&[priced(3, 1, 5)]);
    assert_eq!(host.post("/v1/traces", body).await.0, 200);
    tokio::time::sleep(Duration::from_millis(300)).await;
    let engine = Engine::start(&tables.path(""), port).unwrap();
    host.until_metric(r#"tollgate_output_sent_total{output="clickhouse"} 42"#).await;
    assert_eq!(engine.query("SELECT count(), sum(LlmCost) FROM otel.otel_llm_calls FINAL").await, "41\t20.000000165");
    assert!(host.stop().0.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_print_and_make_the_tables() {
    let folder = Folder::new();
    let Some(engine) = Engine::start(&folder.path("tables"), 0) else { return };
    let yaml = format!(
        "receivers: {{otlp: {{protocols: {{http: }}}}}}\noutputs:\n  clickhouse: {{endpoint: \"http://127.0.0.1:{}\", \
         database: otel, ttl: 24h, calls_ttl: 48h}}\n",
        engine.port
    );
    let config = folder.write("tollgate.yaml", &yaml);
    let config = config.to_str().unwrap();
    let said = |arguments: &[&str]| {
        let output = support::run(arguments, b"");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let printed = said(&["clickhouse", "schema", "--config", config]);
    assert!(printed.contains("TTL toDateTime(Timestamp) + toIntervalDay(1)") && printed.contains("toIntervalDay(2)"));
    for statement in printed.split(";\n").map(str::trim).filter(|statement| !statement.is_empty()) {
        assert_eq!(engine.run(statement).await, "", "{statement}");
    }
    let printed = said(&["clickhouse", "migrate", "--config", config]);
    assert!(printed.contains(": version 4, nothing to do"), "{printed}");
    assert_eq!(engine.run("DROP DATABASE otel").await, "");
    let first = said(&["clickhouse", "migrate", "--config", config]);
    assert!(first.contains(": version 4, from 0"), "{first}");
    let again = said(&["clickhouse", "migrate", "--config", config, "--backfill"]);
    assert!(again.contains(": version 4, nothing to do") && again.contains("filled from 0 days"), "{again}");
    assert_eq!(engine.query("SELECT max(version) FROM otel.tollgate_migrations").await, "4");

    folder.write("tollgate.yaml", yaml.replace("ttl: 24h", "ttl: 240h"));
    let changed = said(&["clickhouse", "migrate", "--config", config]);
    assert!(changed.contains("otel_traces: time to live changed"), "{changed}");

    folder.write("tollgate.yaml", yaml.replace(&engine.port.to_string(), &free_port().to_string()));
    let down = support::run(&["clickhouse", "migrate", "--config", config], b"");
    assert!(!down.status.success());
    let why = String::from_utf8(down.stderr).unwrap();
    assert!(why.contains("cannot be reached"), "{why}");
    let lines = "receivers: {otlp: {protocols: {http: }}}\noutputs: {json_lines: {path: x}}\n";
    folder.write("tollgate.yaml", lines);
    let none = support::run(&["clickhouse", "schema", "--config", config], b"");
    assert!(!none.status.success());
    assert!(String::from_utf8(none.stderr).unwrap().contains("has no outputs.clickhouse"));
}

/// What came of one attempt, without its words.
#[derive(Debug, PartialEq)]
enum Outcome {
    Taken(u64),
    Again(Option<u64>),
    Never,
    TooLarge,
}

fn outcome(sent: Result<u64, SendError>) -> Outcome {
    match sent {
        Ok(rejected) => Outcome::Taken(rejected),
        Err(SendError::Again { after, .. }) => Outcome::Again(after.map(|after| after.as_secs())),
        Err(SendError::Never { .. }) => Outcome::Never,
        Err(SendError::TooLarge { .. }) => Outcome::TooLarge,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_answer_leads_to_what_the_page_says() {
    use Outcome::{Again, Never, Taken, TooLarge};
    let backend = Backend::start(64 << 20, None).await;
    let config = parse(&format!(
        "endpoint: \"http://{}\", create_schema: false, compress: none, username: u, password: geheim",
        backend.address
    ));
    let store = clickhouse::Store::new(&config.unwrap()).unwrap();
    let http = |status, headers: &[(&'static str, &str)], body: &str| {
        let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned()));
        Answer::Http(status, headers.collect(), body.as_bytes().to_vec())
    };
    const SUMMARY: (&str, &str) = ("x-clickhouse-summary", "{}");
    let code = |code: &'static str| ("x-clickhouse-exception-code", code);
    let spans = |count: u8| {
        let spans: Vec<_> = (1..=count).map(|span| chat(1, span)).collect();
        Delivery { signal: Signal::Traces, bytes: request(&spans).into(), items: count.into() }
    };
    // The first asks for the version.
    backend.answer([http(200, &[SUMMARY], "26.9.2.1\n")]);
    for (what, answer, expected) in [
        ("taken", http(200, &[SUMMARY], ""), Taken(0)),
        ("not ClickHouse", http(200, &[], ""), Again(None)),
        ("a page", http(200, &[SUMMARY], "<html>welcome</html>"), Again(None)),
        (
            "an exception after the head",
            http(200, &[SUMMARY], "Code: 241. DB::Exception: (total) memory limit"),
            Again(None),
        ),
        ("unknown table", http(404, &[code("60")], ""), Again(None)),
        ("wrong password", http(403, &[code("516")], ""), Again(None)),
        ("too many parts", http(500, &[code("252")], "Too many parts"), Again(None)),
        ("too many rows", http(500, &[code("158")], ""), TooLarge),
        ("memory of the query", http(500, &[code("241")], "Query memory limit exceeded"), TooLarge),
        ("a constraint", http(500, &[code("469")], ""), Never),
        ("an exception nobody knows", http(500, &[code("987654")], ""), Again(None)),
        ("429 with a wait", http(429, &[("retry-after", "7")], ""), Again(Some(7))),
        ("503 with a wait", http(503, &[("retry-after", "120")], ""), Again(Some(120))),
        ("413", http(413, &[], ""), TooLarge),
        ("301, which is not followed", http(301, &[("location", "/elsewhere")], ""), Again(None)),
        ("502", http(502, &[], "bad gateway"), Again(None)),
    ] {
        backend.answer([answer]);
        assert_eq!(outcome(store.send(&spans(2)).await), expected, "{what}");
    }
    let seen = backend.seen();
    assert!(seen.iter().all(|seen| seen.path == "/" && seen.header("x-clickhouse-user") == "u"));
    assert!(seen.iter().all(|seen| seen.header("x-clickhouse-key") == "geheim"));
    // What is sent again is the same to the byte.
    assert_eq!(seen[1].body, seen[2].body);

    let metrics = Delivery { signal: Signal::Metrics, bytes: METRICS.into(), items: 1 };
    assert_eq!(outcome(store.send(&metrics).await), Taken(1), "turned away and counted");
    let nonsense = Delivery { signal: Signal::Logs, bytes: b"\xff\xff".as_slice().into(), items: 1 };
    assert_eq!(outcome(store.send(&nonsense).await), Never);
}

/// A resource is repeated in each of its rows; a request whose rows would fill the memory is sent in parts.
#[tokio::test(flavor = "multi_thread")]
async fn rows_without_end_are_sent_in_parts() {
    let backend = Backend::start(64 << 20, None).await;
    backend.answer([Answer::Http(200, vec![("x-clickhouse-summary", "{}".to_owned())], b"26.9.2.1".to_vec())]);
    let config = parse(&format!("endpoint: \"http://{}\", create_schema: false", backend.address)).unwrap();
    let store = clickhouse::Store::new(&config).unwrap();
    let big = "x".repeat(1 << 20);
    let mut writer = RequestWriter::new();
    for span in 1..=100 {
        writer.push(&Envelope::new(&[("big", big.as_str().into())], "s", "1"), chat(1, span).bytes());
    }
    let delivery = Delivery { signal: Signal::Traces, bytes: writer.finish().into(), items: 100 };
    assert_eq!(outcome(store.send(&delivery).await), Outcome::TooLarge);
    assert_eq!(backend.seen().len(), 1, "nothing was sent but the question for the version");
}

/// A port on which every connection is treated by `with`.
async fn mad<F>(with: impl Fn(tokio::net::TcpStream) -> F + Send + 'static) -> String
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(with(stream));
        }
    });
    format!("http://{address}")
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_are_dead_slow_or_mad_cost_the_others_nothing() {
    use tokio::io::AsyncWriteExt;
    let silent = mad(|stream| async move {
        let _held = stream;
        std::future::pending().await
    })
    .await;
    let nonsense = mad(|mut stream| async move {
        let _ = stream.write_all(b"220 mail.example ESMTP\r\n\xff\xff\xff\xff").await;
        let _ = stream.shutdown().await;
    })
    .await;
    let page = mad(|mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello").await;
        let _ = stream.shutdown().await;
    })
    .await;
    let hangs_up = mad(|stream| async move { drop(stream) }).await;
    let bad = [
        ("dead", format!("http://127.0.0.1:{}", free_port())),
        ("silent", silent),
        ("nonsense", nonsense),
        ("page", page),
        ("hangs_up", hangs_up),
    ];
    let mut outputs = String::new();
    for (name, endpoint) in &bad {
        outputs += &format!(
            "  clickhouse/{name}: {{endpoint: \"{endpoint}\", timeout: 100ms, queue: {{max_bytes: 64KiB}}, \
             retry: {{initial_interval: 10ms, max_interval: 10ms}}}}\n"
        );
    }
    let host = Host::start(&format!("shutdown: {{deadline: 1s}}\noutputs:\n{outputs}"));
    let start = Instant::now();
    for trace in 1..=40 {
        let spans: Vec<_> = (1..=20).map(|span| chat(trace, span)).collect();
        assert_eq!(host.post("/v1/traces", request(&spans)).await.0, 200);
    }
    host.until_metric(r#"tollgate_output_sent_total{output="json_lines"} 800"#).await;
    assert!(start.elapsed() < Duration::from_secs(20));
    for (name, _) in &bad {
        host.until_said(&format!("output=\"clickhouse/{name}\""), 3).await;
        let page = host.metrics().await;
        assert!(!page.contains(&format!("tollgate_output_dropped_total{{output=\"clickhouse/{name}\"")), "{page}");
        let retries = format!("tollgate_output_retries_total{{output=\"clickhouse/{name}\"}}");
        assert!(page.contains(&retries), "{page}");
    }
    let (status, written) = host.stop();
    assert!(status.success(), "what cannot be sent does not hold up the end");
    assert_eq!(support::spans(&written).len(), 800);
}

#[test]
fn keys_are_those_of_the_exporter_and_mistakes_are_told() {
    let config = parse(
        "endpoint: \"https://c.example:8443\", database: otel, username: u, password: p, ttl: 72h, create_schema: false, \
         async_insert: false, compress: zstd, logs_table_name: l, traces_table_name: t, calls_table_name: c, \
         cluster_name: main, table_engine: {name: ReplicatedMergeTree, params: \"'/x', 'r'\"}, timeout: 5s",
    );
    let config = config.unwrap();
    assert_eq!((config.schema.traces.as_str(), config.schema.cluster.as_deref()), ("t", Some("main")));
    assert_eq!(config.schema.calls_ttl, config.schema.ttl);
    assert!(!format!("{config:?}").contains("\"p\""), "passwords are not shown");

    for (keys, problem) in [
        ("database: otel", "outputs.clickhouse.endpoint: is missing"),
        ("endpoint: \"tcp://c.example:9000\"", "is not an http or https URL"),
        ("endpoint: \"http://c\", databse: otel", "did you mean \"database\"?"),
        ("endpoint: \"http://c\", compress: br", "\"br\" is not one of lz4, zstd, gzip, none"),
        ("endpoint: \"http://c\", traces_table_name: a/b", "is not a name of a table or database"),
        ("endpoint: \"http://c\", logs_table_name: otel_traces", "need a table each"),
        ("endpoint: \"http://c\", ttl: 1500ms", "is not in whole seconds"),
        ("endpoint: \"http://c\", table_engine: {name: Log}", "\"Log\" is not one of MergeTree"),
        ("endpoint: \"http://c\", tls: {ca_file: x}", "does not speak TLS"),
    ] {
        let problems = parse(keys).unwrap_err();
        assert!(problems.contains(problem), "{keys}: {problems}");
    }
}
