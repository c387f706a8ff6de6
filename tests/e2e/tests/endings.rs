//! Every way in which a call can end, in real Envoy: what the caller gets, byte for byte, and what the record says.
//!
//! The same table runs over HTTP/1.1 and over HTTP/2 on both sides of the filter.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that fails says where")]

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;
use tollgate_e2e::chat::{ANSWER, EVENT_STREAM, REQUEST, events, slices};
use tollgate_e2e::{Answer, Envoy, Piece, Request, Settings, Upstream, client};

/// Header that says what the provider is to do.
const ACT: &str = "x-act";
/// Header that says which cluster the provider is behind.
const CLUSTER: &str = "x-cluster";
const JSON: (&str, &str) = ("content-type", "application/json");
const OVERLOADED: &str = r#"{"error":{"message":"busy","type":"overloaded_error","param":null,"code":null}}"#;
const NO_ANSWER: &[u8] =
    b"upstream connect error or disconnect/reset before headers. reset reason: connection termination";
/// Where the document is cut: in its text, before the usage.
const HALF: usize = 150;
const LONG: Duration = Duration::from_secs(2);
const SHORT: Duration = Duration::from_millis(60);

/// A route whose cluster nobody knows.
const UNKNOWN: &str = "/unknown";

/// Routes, each with a way to end calls of its own.
const ROUTES: &str = r#"
- match: { prefix: "/limit/" }
  route: { cluster_header: x-cluster, timeout: 0.3s }
- match: { prefix: "/idle/" }
  route: { cluster_header: x-cluster, timeout: 0s, idle_timeout: 0.3s }
- match: { prefix: "/idle-try/" }
  route: { cluster_header: x-cluster, timeout: 0s, retry_policy: { retry_on: reset, num_retries: 0, per_try_idle_timeout: 0.3s } }
- match: { prefix: "/duration/" }
  route: { cluster_header: x-cluster, timeout: 0s, max_stream_duration: { max_stream_duration: 0.3s } }
- match: { prefix: "/retry/" }
  route: { cluster_header: x-cluster, timeout: 0s, retry_policy: { retry_on: "5xx,reset", num_retries: 2 } }
- match: { prefix: "/hedge/" }
  route:
    cluster_header: x-cluster
    timeout: 0s
    hedge_policy: { hedge_on_per_try_timeout: true }
    retry_policy: { retry_on: 5xx, num_retries: 2, per_try_timeout: 0.2s }
- match: { prefix: "/direct/" }
  direct_response: { status: 200, body: { inline_string: "{}" } }
- match: { prefix: "/maintenance/" }
  direct_response: { status: 503, body: { inline_string: "later" } }
- match: { prefix: "/empty/" }
  route: { cluster: empty }
- match: { prefix: "/small/" }
  route: { cluster_header: x-cluster, timeout: 0s }
  typed_per_filter_config:
    envoy.filters.http.buffer:
      "@type": type.googleapis.com/envoy.extensions.filters.http.buffer.v3.BufferPerRoute
      buffer: { max_request_bytes: 40 }
- match: { prefix: "/" }
  route: { cluster_header: x-cluster, timeout: 0s }"#;

const FAULT: &str = r#"
- name: envoy.filters.http.fault
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault
    abort: { header_abort: {}, percentage: { numerator: 100 } }"#;

const BUFFER: &str = r#"
- name: envoy.filters.http.buffer
  disabled: true
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.filters.http.buffer.v3.Buffer
    max_request_bytes: 40"#;

/// What one row is about, and what has to come of it.
struct Row {
    what: &'static str,
    /// Route.
    route: &'static str,
    /// What the provider does.
    act: &'static str,
    status: u16,
    body: Vec<u8>,
    /// Whether the answer comes to its end.
    whole: bool,
    outcome: &'static str,
    error: Option<&'static str>,
    /// Where the counts come from.
    usage: Option<&'static str>,
    /// How often the provider is asked.
    attempts: usize,
    /// Not the same behind another proxy, which answers for a provider that does not.
    only_direct: bool,
}

impl Row {
    fn new(what: &'static str, route: &'static str, act: &'static str, body: &[u8]) -> Self {
        let body = body.to_vec();
        let (status, whole, outcome) = (200, true, "complete");
        Self {
            what,
            route,
            act,
            status,
            body,
            whole,
            outcome,
            error: None,
            usage: None,
            attempts: 1,
            only_direct: false,
        }
    }

    fn status(self, status: u16, error: &'static str) -> Self {
        Self { status, error: Some(error), ..self }
    }

    fn outcome(self, outcome: &'static str) -> Self {
        Self { outcome, ..self }
    }

    /// An answer that is cut.
    fn cut(self, outcome: &'static str) -> Self {
        Self { whole: false, outcome, error: Some(outcome), ..self }
    }

    fn usage(self, source: &'static str) -> Self {
        Self { usage: Some(source), ..self }
    }

    fn attempts(self, attempts: usize) -> Self {
        Self { attempts, ..self }
    }

    fn only_direct(self) -> Self {
        Self { only_direct: true, ..self }
    }
}

fn table() -> Vec<Row> {
    let parts = events();
    let (all, two) = (parts.concat(), parts[..2].concat());
    let (counted, half) = (parts[..4].concat(), [&parts[0][..], &parts[1][..30]].concat());
    let row = Row::new;
    vec![
        row("a document", "", "document", ANSWER.as_bytes()).usage("reported"),
        row("a stream", "", "stream", &all).usage("reported"),
        row("a stream that ends long after its last byte", "", "late end", &all).usage("reported"),
        row("a stream with trailers", "", "trailers", &all).usage("reported"),
        row("a stream that ends by closing the connection", "", "until close", &all).usage("reported"),
        row("an answer after an interim one", "", "interim", ANSWER.as_bytes()).usage("reported"),
        row("an answer without a body", "", "empty", b""),
        row("a refusal", "", "overloaded", OVERLOADED.as_bytes()).status(503, "overloaded_error"),
        row("a refusal without a body", "", "throttled", b"").status(429, "429"),
        row("no [DONE]", "", "no done", &counted).usage("reported"),
        row("the provider is killed in the middle of an event", "", "half", &half).cut("upstream_aborted"),
        row("the provider is killed behind the usage", "", "counted", &counted)
            .cut("upstream_aborted")
            .usage("aborted"),
        row("the provider closes in the middle of a document", "", "half document", &ANSWER.as_bytes()[..HALF])
            .cut("upstream_aborted"),
        row("the provider closes without an answer", "", "close", NO_ANSWER)
            .status(503, "503")
            .outcome("upstream_aborted")
            .only_direct(),
        row("no answer within the time limit", "/limit", "nothing", b"upstream request timeout")
            .status(504, "504")
            .outcome("timed_out"),
        row("a stream over the time limit", "/limit", "two", &two).cut("timed_out"),
        row("a stream that stands still", "/idle", "two", &two).cut("timed_out"),
        row("no answer within the idle time", "/idle", "nothing", b"stream timeout")
            .status(504, "504")
            .outcome("timed_out"),
        row("no answer within the idle time of an attempt", "/idle-try", "nothing", b"upstream request timeout")
            .status(504, "504")
            .outcome("timed_out"),
        row("an attempt that stands still", "/idle-try", "two", &two).cut("timed_out"),
        row("a stream that is too long", "/duration", "two", &two).cut("timed_out"),
        row("a second attempt after a refusal", "/retry", "second", ANSWER.as_bytes()).usage("reported").attempts(2),
        row("a second attempt after a reset", "/retry", "closed, second", ANSWER.as_bytes())
            .usage("reported")
            .attempts(2)
            .only_direct(),
        row("three attempts, all refused", "/retry", "overloaded", OVERLOADED.as_bytes())
            .status(503, "overloaded_error")
            .attempts(3),
        row("the quicker of two attempts", "/hedge", "slow, second", ANSWER.as_bytes()).usage("reported").attempts(2),
        row("an answer of Envoy's own", "/direct", "", b"{}").attempts(0),
        row("a refusal of Envoy's own", "/maintenance", "", b"later").status(503, "503").attempts(0),
        row("no host in the cluster", "/empty", "", b"no healthy upstream")
            .status(503, "503")
            .outcome("upstream_aborted")
            .attempts(0),
        row("no such cluster", UNKNOWN, "", b"").status(503, "503").outcome("upstream_aborted").attempts(0),
        row("a request larger than Envoy's buffer", "/small", "document", b"Payload Too Large")
            .status(413, "413")
            .attempts(0),
    ]
}

/// How often each row was asked, by its name.
type Asked = Arc<Mutex<BTreeMap<String, usize>>>;

fn act(request: &Request, asked: &Asked) -> Answer {
    let key = request.header("x-request-id").unwrap_or_default();
    let attempt = {
        let mut asked = asked.lock().unwrap();
        let count = asked.entry(key).or_default();
        *count += 1;
        *count
    };
    let parts = events();
    let stream = |count: usize| Answer::chunked(200, EVENT_STREAM, slices(&parts[..count]));
    let document = || Answer::json(ANSWER);
    let overloaded = || Answer::sized(503, &[JSON], OVERLOADED.as_bytes());
    match request.header(ACT).unwrap_or_default().as_str() {
        "document" => document(),
        "stream" => stream(5).end(),
        "late end" => stream(5).then(Piece::Pause(SHORT)).end(),
        "trailers" => stream(5).then(Piece::Bytes(b"0\r\nx-checksum: abc\r\n\r\n".to_vec())),
        "until close" => {
            let head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n".to_vec();
            Answer::raw([head, parts.concat()].concat()).then(Piece::Reset)
        }
        "interim" => {
            let length = ANSWER.len();
            let hints =
                "HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-type: application/json";
            Answer::raw(format!("{hints}\r\ncontent-length: {length}\r\n\r\n{ANSWER}"))
        }
        "empty" => Answer::sized(200, &[JSON], b""),
        "overloaded" => overloaded(),
        "throttled" => Answer::sized(429, &[("retry-after", "1")], b""),
        "no done" => stream(4).end(),
        "half" => stream(1).chunk(&parts[1][..30]).then(Piece::Pause(SHORT)).then(Piece::Reset),
        "counted" => stream(4).then(Piece::Pause(SHORT)).then(Piece::Reset),
        "half document" => {
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
                ANSWER.len()
            );
            Answer::raw(head + &ANSWER[..HALF]).then(Piece::Pause(SHORT)).then(Piece::Reset)
        }
        "close" => Answer::default().then(Piece::Reset),
        "nothing" => Answer::default().then(Piece::Pause(LONG)),
        "two" => stream(2).then(Piece::Pause(LONG)),
        "second" if attempt == 1 => overloaded(),
        "closed, second" if attempt == 1 => Answer::default().then(Piece::Reset),
        "slow, second" if attempt == 1 => Answer::default().then(Piece::Pause(LONG)),
        "second" | "closed, second" | "slow, second" => document(),
        other => Answer::sized(500, &[], other.as_bytes()),
    }
}

/// Runs a row through a port, and gives what is wrong with what came back.
fn run(row: &Row, port: u16, cluster: &str, id: &str) -> Vec<String> {
    let path = format!("{}/v1/chat/completions", row.route);
    let headers: &[(&str, &[u8])] = &[
        ("content-type", b"application/json"),
        ("x-request-id", id.as_bytes()),
        (ACT, row.act.as_bytes()),
        (CLUSTER, if row.route == UNKNOWN { UNKNOWN } else { cluster }.as_bytes()),
    ];
    let response = client::request(port, "POST", &path, headers, REQUEST);
    let mut wrong = Vec::new();
    let mut check = |what: &str, given: Value, expected: Value| {
        if given != expected {
            wrong.push(format!("{}, {cluster}: {what} is {given}, not {expected}", row.what));
        }
    };
    let text = |bytes: &[u8]| json!(String::from_utf8_lossy(bytes));
    check("status", json!(response.status), json!(row.status));
    check("body", text(&response.body), text(&row.body));
    check("whole", json!(response.whole), json!(row.whole));
    if row.act == "trailers" {
        check("trailers", json!(response.trailers), json!(["x-checksum: abc"]));
    }
    wrong
}

/// What is wrong with the record of a row.
fn judge(row: &Row, line: &Value) -> Vec<String> {
    let record: Value = line["record"].as_str().map_or(Value::Null, |text| serde_json::from_str(text).unwrap());
    let answered = row.usage.is_some();
    let expected = [
        ("provider", json!("openai")),
        ("api", json!("chat.completions")),
        ("outcome", json!(row.outcome)),
        ("error_type", json!(row.error)),
        ("usage_source", json!(row.usage)),
        ("status", json!(row.status)),
        // Envoy gives filters no body where it answers before one comes.
        (
            "request_model",
            if record["request_model"].is_null() && row.attempts == 0 { Value::Null } else { json!("gpt-4o") },
        ),
    ];
    let mut wrong: Vec<String> = (expected.iter())
        .filter(|(name, value)| record[*name] != *value)
        .map(|(name, value)| format!("{}: {name} is {}, not {value} ({})", row.what, record[*name], line["details"]))
        .collect();
    if answered && record["usage"]["input_tokens"].as_u64().is_none_or(|count| count != 9 && count != 1000) {
        wrong.push(format!("{}: usage is {}", row.what, record["usage"]));
    }
    wrong
}

/// The filter, with the routes, and callers and providers on HTTP/1.1 and on HTTP/2.
struct Chain {
    asked: Asked,
    envoy: Envoy,
    /// Before the filter, for callers over HTTP/2: caller, Envoy alone, the filter, Envoy alone, provider.
    before: Envoy,
    _behind: Envoy,
    _upstream: Upstream,
}

impl Chain {
    fn start() -> Option<Self> {
        let asked = Asked::default();
        let counted = Arc::clone(&asked);
        let upstream = Upstream::start(move |request| act(request, &counted));
        let trailing = "http_protocol_options: { enable_trailers: true }";
        let http_2 = "http2_protocol_options: {}";
        let plain = |port| Settings::new(port).without_filter();
        let behind = Envoy::start(&plain(upstream.port()).trailers())?;
        let settings = Settings::new(upstream.port())
            .trailers()
            .cluster("http-2", behind.port(), http_2)
            .cluster("http-1", upstream.port(), trailing)
            .clusters("- { name: empty, type: STATIC, load_assignment: { cluster_name: empty } }")
            .filters_ahead(FAULT.trim_start())
            .filters_behind(BUFFER.trim_start())
            .routes(ROUTES.trim_start());
        let envoy = Envoy::start(&settings)?;
        let before = Envoy::start(&plain(envoy.port()).connections(trailing).speaking(http_2))?;
        Some(Self { asked, envoy, before, _behind: behind, _upstream: upstream })
    }

    /// Ports to call, and the cluster that goes with each.
    fn ways(&self) -> [(u16, &'static str); 2] {
        [(self.envoy.port(), "http-1"), (self.before.port(), "http-2")]
    }
}

#[test]
fn every_ending_over_http_1_and_http_2() {
    let Some(chain) = Chain::start() else { return };
    let rows = table();
    let mut wrong = Vec::new();
    let mut sent = BTreeMap::new();
    for (port, cluster) in chain.ways() {
        for (number, row) in rows.iter().enumerate().filter(|(_, row)| cluster == "http-1" || !row.only_direct) {
            let id = format!("{cluster}-{number}");
            wrong.extend(run(row, port, cluster, &id));
            sent.insert(id, row);
        }
    }
    let envoy = &chain.envoy;
    let lines = envoy.access_log(sent.len());
    assert_eq!(lines.len(), sent.len());
    for line in &lines {
        wrong.extend(judge(sent[line["request_id"].as_str().unwrap()], line));
    }
    for (id, row) in &sent {
        let count = chain.asked.lock().unwrap().get(id).copied().unwrap_or(0);
        if count != row.attempts {
            wrong.push(format!("{}, {id}: {count} attempts, not {}", row.what, row.attempts));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(usize::try_from(envoy.count("calls")).unwrap(), sent.len(), "one call a line, whatever was tried");
    assert_eq!(envoy.stat("http.llm_egress.downstream_cx_http2_total"), 1);

    // What a filter before this one answers is no call.
    let headers: &[(&str, &[u8])] = &[("x-envoy-fault-abort-request", b"429")];
    assert_eq!(client::request(envoy.port(), "POST", "/v1/chat/completions", headers, REQUEST).status, 429);
    assert!(envoy.access_log(sent.len() + 1).last().unwrap()["record"].is_null());
    assert_eq!(usize::try_from(envoy.count("calls")).unwrap(), sent.len());
    assert_eq!(envoy.count("skipped"), 0);
}

#[test]
fn callers_that_go_away_over_http_1_and_http_2() {
    let Some(chain) = Chain::start() else { return };
    let mut lines = 0;
    for (port, cluster) in chain.ways() {
        for (act, sent, answered) in
            [("two", REQUEST.len(), true), ("nothing", REQUEST.len(), false), ("two", 30, false)]
        {
            let mut socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
            let head = format!(
                "POST /v1/chat/completions HTTP/1.1\r\nhost: api.openai.com\r\ncontent-type: application/json\r\n\
                 {ACT}: {act}\r\n{CLUSTER}: {cluster}\r\ncontent-length: {}\r\n\r\n",
                REQUEST.len()
            );
            socket.write_all(&[head.as_bytes(), &REQUEST[..sent]].concat()).unwrap();
            if answered {
                // Until the first event is there.
                let mut seen = Vec::new();
                while !seen.windows(9).any(|part| part == b"\"content\"") || !seen.ends_with(b"\r\n") {
                    let mut more = [0; 4096];
                    let count = socket.read(&mut more).unwrap();
                    assert_ne!(count, 0, "{}", String::from_utf8_lossy(&seen));
                    seen.extend_from_slice(&more[..count]);
                }
            } else {
                thread::sleep(SHORT);
            }
            drop(socket);
            lines += 1;
            let log = chain.envoy.access_log(lines);
            let record: Value = serde_json::from_str(log[lines - 1]["record"].as_str().unwrap()).unwrap();
            let what = format!("{cluster} {act} {sent}: {}", log[lines - 1]);
            assert_eq!(record["outcome"], "client_aborted", "{what}");
            assert_eq!(record["error_type"], "client_aborted", "{what}");
            assert_eq!(record["usage"], Value::Null, "nobody reported usage: missing, not 0: {what}");
            assert_eq!(record["request_model"], "gpt-4o", "{what}");
            assert_eq!(record["response_model"].is_string(), answered, "{what}");
        }
    }
    assert_eq!(chain.envoy.count("calls"), 6);
}
