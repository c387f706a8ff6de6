//! One corpus, every seat: each recorded exchange gives the same record in the native library, in the component under
//! wasmtime and in the filter inside real Envoy; and Envoy passes on the same bytes with the filter as without.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that fails says where")]

use base64::Engine as _;
use flate2::read::GzDecoder;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::sync::Arc;
use tollgate_call::{Outcome, Record};
use tollgate_e2e::{Answer, Envoy, Settings, Upstream, build_output, client, recorded_traffic};
use tollgate_token_extractor::{Extractor, RequestHead};

/// Header by which the upstream knows which exchange to replay.
const NUMBER: &str = "x-exchange";
/// Routes of the filter's Envoy: what came over HTTP/2 goes on over HTTP/2.
const OVER_HTTP_2: &str = r#"
- match: { prefix: "/", headers: [{ name: x-http, string_match: { exact: "2" } }] }
  route: { cluster: http-2, timeout: 0s }"#;

/// A recorded exchange.
struct Recorded {
    id: String,
    host: String,
    method: String,
    path: String,
    status: u16,
    content_type: String,
    content_encoding: String,
    request: Vec<u8>,
    body: Vec<u8>,
}

impl Recorded {
    fn read(line: &str) -> Self {
        let value: Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
        let bytes = |name: &str| match value[format!("{name}_b64")].as_str() {
            Some(encoded) => base64::engine::general_purpose::STANDARD.decode(encoded).unwrap(),
            None => text(name).into_bytes(),
        };
        Self {
            id: text("id"),
            host: text("host"),
            method: text("method"),
            path: text("path"),
            status: u16::try_from(value["status"].as_u64().unwrap()).unwrap(),
            content_type: text("content_type"),
            content_encoding: text("content_encoding"),
            request: bytes("request"),
            body: bytes("body"),
        }
    }

    fn is_stream(&self) -> bool {
        ["event", "ndjson", "stream"].iter().any(|part| self.content_type.contains(part))
    }

    /// What the provider sends: JSON with its length, streams in chunks whose size differs from exchange to exchange.
    fn answer(&self, number: usize) -> Answer {
        let mut headers = vec![("content-type", self.content_type.as_str())];
        if !self.content_encoding.is_empty() {
            headers.push(("content-encoding", &self.content_encoding));
        }
        if self.is_stream() {
            let size = [1 << 20, 61, 400, 5_000][number % 4];
            Answer::chunked(self.status, &headers, self.body.chunks(size)).end()
        } else {
            Answer::sized(self.status, &headers, &self.body)
        }
    }
}

fn corpus(file: &Path) -> Vec<Recorded> {
    let lines = BufReader::new(GzDecoder::new(File::open(file).unwrap())).lines();
    lines.map(|line| Recorded::read(&line.unwrap())).collect()
}

/// A record as JSON, `null` where the exchange is none.
fn json(record: Option<&Record>) -> Value {
    record.map_or(Value::Null, |record| serde_json::to_value(record).unwrap())
}

fn natively(extractor: &Extractor, recorded: &Recorded) -> Value {
    let mut exchange = extractor.exchange(RequestHead {
        method: &recorded.method,
        host: &recorded.host,
        path: &recorded.path,
        content_type: Some(b"application/json"),
    });
    exchange.request_body(&recorded.request);
    exchange.response_head(recorded.status, [("content-encoding", recorded.content_encoding.as_bytes())]);
    exchange.response_body(&recorded.body, 0);
    json(exchange.end(Outcome::Complete).record.as_ref().ok())
}

fn in_component(extractor: &mut tollgate_engine::Extractor, recorded: &Recorded) -> Value {
    let mut exchange = extractor
        .exchange(tollgate_engine::RequestHead {
            method: &recorded.method,
            host: &recorded.host,
            path: &recorded.path,
            headers: &[("content-type", b"application/json")],
        })
        .unwrap();
    exchange.request_body(&recorded.request).unwrap();
    let headers = [("content-encoding", recorded.content_encoding.as_bytes())];
    exchange.response_head(recorded.status, &headers).unwrap();
    for chunk in recorded.body.chunks(1000) {
        exchange.response_body(chunk, 0).unwrap();
    }
    json(exchange.end(Outcome::Complete).unwrap().call.as_ref().ok())
}

/// Sends every exchange through a port, under ids with this prefix; gives the bodies that came back.
fn through(port: u16, corpus: &[Recorded], prefix: &str) -> Vec<(u16, Vec<u8>)> {
    corpus
        .iter()
        .enumerate()
        .map(|(number, recorded)| {
            let number = number.to_string();
            let id = format!("{prefix}{number}");
            let headers: &[(&str, &[u8])] = &[
                ("host", recorded.host.as_bytes()),
                ("content-type", b"application/json"),
                ("x-request-id", id.as_bytes()),
                (NUMBER, number.as_bytes()),
            ];
            let response = client::request(port, &recorded.method, &recorded.path, headers, &recorded.request);
            assert!(response.whole, "{} was cut", recorded.id);
            (response.status, response.body)
        })
        .collect()
}

#[test]
fn every_seat_reads_the_same_and_no_byte_changes() {
    let Some(file) = recorded_traffic() else { return };
    let corpus = Arc::new(corpus(&file));
    assert!(corpus.len() > 100, "the corpus is cut");

    let replayed = Arc::clone(&corpus);
    let upstream = Upstream::start(move |request| {
        let number: usize = request.header(NUMBER).unwrap().parse().unwrap();
        assert_eq!(request.body, replayed[number].request, "{}: the request changed", replayed[number].id);
        replayed[number].answer(number)
    });
    let Some(plain) = Envoy::start(&Settings::new(upstream.port()).without_filter()) else { return };
    // Over HTTP/2 on both sides of the filter: caller, Envoy alone, the filter, Envoy alone, provider.
    let http_2 = "http2_protocol_options: {}";
    let settings =
        Settings::new(upstream.port()).cluster("http-2", plain.port(), http_2).routes(OVER_HTTP_2.trim_start());
    let Some(observed) = Envoy::start(&settings) else { return };
    let mark = "request_headers_to_add: [{ header: { key: x-http, value: \"2\" } }]";
    let ahead = Settings::new(observed.port()).without_filter().speaking(http_2).route_table(mark);
    let Some(ahead) = Envoy::start(&ahead) else { return };
    let without = through(plain.port(), &corpus, "");
    let with = through(observed.port(), &corpus, "1-");
    let with_2 = through(ahead.port(), &corpus, "2-");

    let lines = observed.access_log(2 * corpus.len());
    assert_eq!(lines.len(), 2 * corpus.len());
    let in_envoy: BTreeMap<String, Value> = lines
        .iter()
        .map(|line| {
            let id = line["request_id"].as_str().unwrap().to_owned();
            let record = line["record"].as_str().map_or(Value::Null, |text| serde_json::from_str(text).unwrap());
            (id, record)
        })
        .collect();

    let Some(module) = build_output("plugins/token_extractor.wasm") else { return };
    let engine = tollgate_engine::Engine::new(tollgate_engine::EngineConfig::default()).unwrap();
    let plugin = engine.load(&fs::read(module).unwrap()).unwrap();
    let mut component = plugin.extractor("{}").unwrap();
    let native = Extractor::default();

    let mut calls = 0;
    for (number, recorded) in corpus.iter().enumerate() {
        let id = &recorded.id;
        assert_eq!(without[number], (recorded.status, recorded.body.clone()), "{id}: Envoy without the filter");
        assert_eq!(with[number], without[number], "{id}: Envoy with the filter");
        assert_eq!(with_2[number], without[number], "{id}: Envoy with the filter, over HTTP/2");
        let expected = natively(&native, recorded);
        assert_eq!(in_component(&mut component, recorded), expected, "{id}: component");
        assert_eq!(in_envoy[&format!("1-{number}")], expected, "{id}: filter in Envoy");
        assert_eq!(in_envoy[&format!("2-{number}")], expected, "{id}: filter in Envoy, over HTTP/2");
        calls += usize::from(!expected.is_null());
    }
    assert_eq!(calls, corpus.len(), "every exchange that was recorded is a call");
    assert_eq!(observed.wait_count("calls", 2 * calls as u64), 2 * calls as u64);
    assert!(observed.stat("cluster.http-2.upstream_cx_http2_total") > 0);
    assert!(observed.stat("http.llm_egress.downstream_cx_http2_total") > 0);
}
