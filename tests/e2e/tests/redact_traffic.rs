//! Redaction of the traffic in real Envoy: what the provider gets, and what callers and official clients get back.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that fails says where")]

use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tollgate_e2e::{Answer, Envoy, Piece, Request, Settings, Upstream, client, skipped};

const CHAT: &str = "/v1/chat/completions";
const MESSAGES: &str = "/v1/messages";
const JSON: (&str, &[u8]) = ("content-type", b"application/json");
const SAID: &str = "Ich bin ann@example.com, 电话：13812345678, card 4111 1111 1111 1111.";
const VALUES: [&str; 3] = ["ann@example.com", "13812345678", "4111 1111"];
const ON: &str = r#"{"access_log": "record", "redact_traffic": true}"#;
const BOTH: &str = r#"{"access_log": "record", "redact_traffic": {"response": true}}"#;

/// A provider that repeats what it was told, and keeps the requests that it got.
struct Provider {
    upstream: Upstream,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Provider {
    fn start(answer: impl Fn(&Request, &str, bool) -> Answer + Send + Sync + 'static) -> Self {
        let requests = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&requests);
        let upstream = Upstream::start(move |request| {
            kept.lock().unwrap().push(request.clone());
            let asked: Value = serde_json::from_slice(&request.body).unwrap_or_default();
            let said = asked["messages"][0]["content"].as_str().unwrap_or_default().to_owned();
            answer(request, &said, asked["stream"] == true)
        });
        Self { upstream, requests }
    }

    fn repeating() -> Self {
        Self::start(|request, said, stream| repeated(&request.path, said, stream))
    }

    fn last(&self) -> Request {
        self.requests.lock().unwrap().last().cloned().unwrap()
    }

    /// No request had a value in it.
    fn saw_nothing(&self) {
        for request in self.requests.lock().unwrap().iter() {
            let body = String::from_utf8_lossy(&request.body);
            assert!(VALUES.iter().all(|value| !body.contains(value)), "{body}");
        }
    }
}

fn arguments(said: &str) -> String {
    json!({ "to": said }).to_string()
}

/// Three characters at a time.
fn pieces(text: &str) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    characters.chunks(3).map(|piece| piece.iter().collect()).collect()
}

fn repeated(path: &str, said: &str, stream: bool) -> Answer {
    match (path.starts_with(MESSAGES), stream) {
        (false, false) => Answer::json(document(said).to_string()),
        (false, true) => answered(&events(said)),
        (true, false) => Answer::json(message(said).to_string()),
        (true, true) => answered(&message_events(said)),
    }
}

fn answered(events: &[String]) -> Answer {
    Answer::events(events.iter().map(String::as_bytes))
}

fn document(said: &str) -> Value {
    let call = json!({"id": "call_1", "type": "function", "function": {"name": "send", "arguments": arguments(said)}});
    json!({
        "id": "c1", "object": "chat.completion", "created": 1, "model": "gpt-4o-2024-08-06",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": said, "tool_calls": [call]}, "finish_reason": "tool_calls"}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11},
    })
}

fn events(said: &str) -> Vec<String> {
    let chunk = |delta: Value, finish: Value| {
        let choices = json!([{"index": 0, "delta": delta, "finish_reason": finish}]);
        let chunk = json!({"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o-2024-08-06", "choices": choices});
        format!("data: {chunk}\n\n")
    };
    let call = |call: Value| chunk(json!({ "tool_calls": [call] }), Value::Null);
    let mut events = vec![chunk(json!({"role": "assistant", "content": ""}), Value::Null)];
    events.extend(pieces(said).into_iter().map(|piece| chunk(json!({ "content": piece }), Value::Null)));
    events.push(call(
        json!({"index": 0, "id": "call_1", "type": "function", "function": {"name": "send", "arguments": ""}}),
    ));
    let arguments = pieces(&arguments(said)).into_iter();
    events.extend(arguments.map(|piece| call(json!({"index": 0, "function": {"arguments": piece}}))));
    events.push(chunk(json!({}), json!("tool_calls")));
    let usage = json!({"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11});
    events.push(format!("data: {}\n\n", json!({"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o-2024-08-06", "choices": [], "usage": usage})));
    events.push("data: [DONE]\n\n".to_owned());
    events
}

fn message(said: &str) -> Value {
    json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5",
        "content": [{"type": "text", "text": said}, {"type": "tool_use", "id": "toolu_1", "name": "send", "input": {"to": said}}],
        "stop_reason": "tool_use", "stop_sequence": null, "usage": {"input_tokens": 9, "output_tokens": 2},
    })
}

fn message_events(said: &str) -> Vec<String> {
    let event = |value: Value| format!("event: {}\ndata: {value}\n\n", value["type"].as_str().unwrap());
    let start = |index: u32, block: Value| {
        event(json!({"type": "content_block_start", "index": index, "content_block": block}))
    };
    let delta =
        |index: u32, delta: Value| event(json!({"type": "content_block_delta", "index": index, "delta": delta}));
    let stop = |index: u32| event(json!({"type": "content_block_stop", "index": index}));
    let mut begun = message("");
    begun["content"] = json!([]);
    begun["stop_reason"] = Value::Null;
    let mut events =
        vec![event(json!({"type": "message_start", "message": begun})), start(0, json!({"type": "text", "text": ""}))];
    events.extend(pieces(said).into_iter().map(|piece| delta(0, json!({"type": "text_delta", "text": piece}))));
    events.extend([stop(0), start(1, json!({"type": "tool_use", "id": "toolu_1", "name": "send", "input": {}}))]);
    let arguments = pieces(&arguments(said)).into_iter();
    events.extend(arguments.map(|piece| delta(1, json!({"type": "input_json_delta", "partial_json": piece}))));
    events.push(stop(1));
    events.push(event(json!({"type": "message_delta", "delta": {"stop_reason": "tool_use", "stop_sequence": null}, "usage": {"output_tokens": 2}})));
    events.push(event(json!({"type": "message_stop"})));
    events
}

fn request(said: &str, stream: bool) -> String {
    json!({"model": "gpt-4o", "messages": [{"role": "user", "content": said}], "stream": stream}).to_string()
}

/// Text and arguments of a streamed answer, by the documents in it.
fn read(stream: &[u8]) -> [String; 2] {
    let text = String::from_utf8(stream.to_vec()).unwrap();
    let mut said = [String::new(), String::new()];
    for data in text.lines().filter_map(|line| line.strip_prefix("data: ")).filter(|data| *data != "[DONE]") {
        let event: Value = serde_json::from_str(data).unwrap();
        let delta = &event["choices"][0]["delta"];
        said[0].push_str(delta["content"].as_str().unwrap_or(""));
        said[1].push_str(delta["tool_calls"][0]["function"]["arguments"].as_str().unwrap_or(""));
    }
    said
}

/// A request over a raw socket, written in these parts with a pause between, and the answer to its end.
fn raw(port: u16, parts: &[&[u8]]) -> String {
    let mut socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    for part in parts {
        socket.write_all(part).unwrap();
        std::thread::sleep(Duration::from_millis(30));
    }
    let mut answer = Vec::new();
    let _ = socket.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

/// Calls of every kind through a port, and what comes back.
fn calls(port: u16, provider: &Provider) {
    let response = client::post(port, CHAT, request(SAID, false).as_bytes());
    assert_eq!((response.status, response.whole), (200, true));
    assert_eq!(serde_json::from_slice::<Value>(&response.body).unwrap(), document(SAID));
    let body = String::from_utf8(provider.last().body).unwrap();
    assert_eq!(body, request("Ich bin <EMAIL_ADDRESS_1>, 电话：<PHONE_NUMBER_1>, card <CREDIT_CARD_1>.", false));
    let response = client::post(port, CHAT, request(SAID, true).as_bytes());
    assert_eq!((response.status, response.whole), (200, true));
    assert_eq!(read(&response.body), [SAID.to_owned(), arguments(SAID)]);
    provider.saw_nothing();
}

#[test]
fn values_do_not_leave_and_come_back() {
    let provider = Provider::repeating();
    for filter in [ON, BOTH] {
        let Some(envoy) = Envoy::start(&Settings::new(provider.upstream.port()).filter(filter)) else { return };
        calls(envoy.port(), &provider);
        let sent = provider.last();
        assert_eq!(sent.header("accept-encoding").as_deref(), Some("identity"));
        let lines = envoy.access_log(2);
        assert!(lines.iter().all(|line| line["output_tokens"] == "2"), "{lines:?}");
        assert_eq!(envoy.wait_count("traffic_requests;result=redacted", 2), 2);
        envoy.settle();
        assert_eq!(envoy.count("traffic_answers;result=rewritten"), 2);
        assert_eq!(envoy.count("traffic_redactions;direction=request;type=CREDIT_CARD"), 2);
        assert_eq!(envoy.count("traffic_restored"), 12);
        assert_eq!(envoy.count("traffic_unread"), 0);
    }
}

/// With options of the protocol that the provider is spoken to in.
fn upstream(mut settings: Settings, options: &str) -> Settings {
    let from = "    - name: provider\n".to_owned();
    let kind = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
    let options = format!(
        "      typed_extension_protocol_options:\n        {kind}:\n          \"@type\": type.googleapis.com/{kind}\n          \
         explicit_http_config: {{ {options} }}\n"
    );
    settings.replace.push((from.clone(), from + &options));
    settings
}

#[test]
fn over_http_2_on_both_sides() {
    const HTTP_2: &str = "http2_protocol_options: {}";
    let provider = Provider::repeating();
    let Some(behind) = Envoy::start(&Settings::new(provider.upstream.port()).without_filter()) else { return };
    let Some(filtering) = Envoy::start(&upstream(Settings::new(behind.port()).filter(BOTH), HTTP_2)) else { return };
    let before = upstream(Settings::new(filtering.port()).without_filter(), HTTP_2);
    let Some(before) = Envoy::start(&before) else { return };
    calls(before.port(), &provider);
    assert!(filtering.admin("/stats?filter=downstream_cx_http2_total").contains("downstream_cx_http2_total: 1"));
    assert!(filtering.admin("/stats?filter=upstream_cx_http2_total").contains("upstream_cx_http2_total: 1"));
    assert_eq!(filtering.wait_count("traffic_requests;result=redacted", 2), 2);
}

#[test]
fn trailers_let_nothing_past() {
    let provider = Provider::start(|_, said, stream| {
        let body = if stream { events(said).concat() } else { document(said).to_string() };
        let kind = if stream { "text/event-stream" } else { "application/json" };
        let answer = Answer::chunked(200, &[("content-type", kind)], [body.as_bytes()]);
        answer.then(Piece::Bytes(b"0\r\nx-end: 1\r\n\r\n".to_vec()))
    });
    let idle = "stream_idle_timeout: 300s".to_owned();
    let on = format!("{idle}\n                http_protocol_options: {{ enable_trailers: true }}");
    let mut settings = Settings::new(provider.upstream.port()).filter(BOTH);
    settings.replace.push((idle, on));
    let settings = upstream(settings, "http_protocol_options: { enable_trailers: true }");
    let Some(envoy) = Envoy::start(&settings) else { return };
    let chunked = |body: &str| {
        format!(
            "POST {CHAT} HTTP/1.1\r\nhost: api.openai.com\r\nconnection: close\r\ncontent-type: application/json\r\n\
             transfer-encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n",
            body.len()
        )
    };
    // A stream has let everything go by its last event.
    let answer = raw(envoy.port(), &[chunked(&request(SAID, true)).as_bytes(), b"0\r\nx-checksum: 1\r\n\r\n"]);
    assert!(answer.contains("x-end: 1") && answer.contains("[DONE]"), "{answer}");
    let sent = provider.last();
    assert_eq!(
        String::from_utf8_lossy(&sent.body),
        request("Ich bin <EMAIL_ADDRESS_1>, 电话：<PHONE_NUMBER_1>, card <CREDIT_CARD_1>.", true)
    );
    // A document waits for its end, which trailers are.
    let answer = raw(envoy.port(), &[chunked(&request(SAID, false)).as_bytes(), b"0\r\nx-checksum: 1\r\n\r\n"]);
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("x-end: 1"), "{answer}");
    assert!(answer.contains(&document(SAID).to_string()), "{answer}");
    assert_eq!(envoy.wait_count("traffic_answers;result=rewritten", 2), 2);
    envoy.settle();
    assert_eq!(envoy.count("traffic_unread"), 0);
    provider.saw_nothing();
}

#[test]
fn official_clients_see_no_difference() {
    let python = std::env::var_os("TOLLGATE_PYTHON").unwrap_or_else(|| "python3".into());
    let imports = Command::new(&python).args(["-c", "import openai, anthropic"]).output();
    if !imports.is_ok_and(|output| output.status.success()) {
        return skipped("python3 has no openai and anthropic");
    }
    let provider = Provider::repeating();
    for filter in [ON, BOTH] {
        let Some(envoy) = Envoy::start(&Settings::new(provider.upstream.port()).filter(filter)) else { return };
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../clients/redaction.py");
        let base = format!("http://127.0.0.1:{}", envoy.port());
        let output = Command::new(&python).args([script, &base, SAID]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let given: Value = serde_json::from_slice(&output.stdout).unwrap();
        for api in ["chat", "messages"] {
            for way in ["document", "stream", "put together"] {
                assert_eq!(given[api][way], json!([SAID, arguments(SAID)]), "{filter} {api} {way}");
            }
        }
        provider.saw_nothing();
    }
}

#[test]
fn asking_for_usage_goes_with_it() {
    let provider = Provider::repeating();
    let both = r#"{"access_log": "record", "redact_traffic": true, "include_usage": "inject_and_strip"}"#;
    let Some(envoy) = Envoy::start(&Settings::new(provider.upstream.port()).filter(both)) else { return };
    let response = client::post(envoy.port(), CHAT, request(SAID, true).as_bytes());
    assert_eq!(read(&response.body), [SAID.to_owned(), arguments(SAID)]);
    assert!(!String::from_utf8_lossy(&response.body).contains("usage"));
    let sent: Value = serde_json::from_slice(&provider.last().body).unwrap();
    assert_eq!(sent["stream_options"]["include_usage"], true);
    provider.saw_nothing();
    assert_eq!(envoy.access_log(1)[0]["output_tokens"], "2");
}

#[test]
fn the_first_bytes_are_not_delayed() {
    let provider = Provider::start(|_, said, _| {
        let events = events(said);
        let (first, rest) = (&events[..3], &events[3..]);
        let stream = [("content-type", "text/event-stream")];
        let answer = Answer::chunked(200, &stream, [first.concat().as_bytes()]).then(Piece::Hold);
        rest.concat().as_bytes().chunks(11).fold(answer, Answer::chunk).end()
    });
    let Some(envoy) = Envoy::start(&Settings::new(provider.upstream.port()).filter(BOTH)) else { return };
    let mut exchange = client::Exchange::begin(envoy.port(), "POST", CHAT, &[JSON], request(SAID, true).as_bytes());
    assert_eq!(exchange.head().status, 200);
    let mut body = Vec::new();
    // The provider holds the rest back until the caller has the first words in hand.
    assert!(exchange.chunk(&mut body));
    assert_eq!(read(&body)[0], "Ich ");
    provider.upstream.go_on();
    while exchange.chunk(&mut body) {}
    assert_eq!(read(&body), [SAID.to_owned(), arguments(SAID)]);
}

#[test]
fn bodies_in_pieces_encoded_and_large() {
    let provider = Provider::repeating();
    let Some(envoy) = Envoy::start(&Settings::new(provider.upstream.port()).filter(ON)) else { return };
    let body = request(SAID, false);
    let head = format!(
        "POST {CHAT} HTTP/1.1\r\nhost: api.openai.com\r\nconnection: close\r\ncontent-type: application/json\r\n"
    );
    let (one, two) = body.split_at(40);
    let chunks = [
        format!("{head}transfer-encoding: chunked\r\n\r\n{:x}\r\n{one}\r\n", one.len()),
        format!("{:x}\r\n{two}\r\n", two.len()),
    ];
    let answer = raw(envoy.port(), &[chunks[0].as_bytes(), chunks[1].as_bytes(), b"0\r\n\r\n"]);
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("ann@example.com"), "{answer}");
    assert!(String::from_utf8_lossy(&provider.last().body).contains("<EMAIL_ADDRESS_1>"));
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body.as_bytes()).unwrap();
    let encoded = encoder.finish().unwrap();
    let response = client::request(envoy.port(), "POST", CHAT, &[JSON, ("content-encoding", b"gzip")], &encoded);
    assert_eq!(serde_json::from_slice::<Value>(&response.body).unwrap(), document(SAID));
    let sent = provider.last();
    assert_eq!(sent.header("content-encoding"), None);
    assert!(serde_json::from_slice::<Value>(&sent.body).is_ok());
    provider.saw_nothing();
    // Near and over the limit.
    for (size, status) in [(1_000_000, 200), ((1 << 20) + 1, 413), (3 << 20, 413)] {
        let body = request(&format!("{SAID}{}", " x".repeat((size - body.len()) / 2)), false);
        let response = client::post(envoy.port(), CHAT, body.as_bytes());
        assert_eq!(response.status, status, "{size}");
    }
    provider.saw_nothing();
}

#[test]
fn requests_that_cannot_be_read_do_not_leave() {
    let provider = Provider::repeating();
    let Some(envoy) = Envoy::start(&Settings::new(provider.upstream.port()).filter(ON)) else { return };
    let body = request(SAID, false);
    type Labels = &'static [(&'static str, &'static [u8])];
    let rows: [(u16, &str, Labels); 5] = [
        (403, "signed", &[JSON, ("x-amz-date", b"20260101T000000Z")]),
        (403, "signed", &[JSON, ("content-digest", b"sha-256=:x:")]),
        (415, "content_type", &[("content-type", b"multipart/form-data; boundary=x")]),
        (415, "content_encoding", &[JSON, ("content-encoding", b"compress")]),
        (400, "undecodable", &[JSON, ("content-encoding", b"gzip")]),
    ];
    for (status, reason, headers) in rows {
        let response = client::request(envoy.port(), "POST", CHAT, headers, body.as_bytes());
        assert_eq!(response.status, status, "{reason}");
        let error: Value = serde_json::from_slice(&response.body).unwrap();
        assert_eq!(error["error"]["code"], reason);
        assert_eq!(response.header("content-type"), Some(&b"application/json"[..]));
    }
    assert_eq!(client::post(envoy.port(), CHAT, b"{\"a\":").status, 400);
    // Where headers went on before the body was seen, the provider's stream ends without a byte of it.
    provider.saw_nothing();
    assert_eq!(envoy.wait_count("traffic_unread;direction=request;reason=signed;result=blocked", 2), 2);
    let pass = r#"{"redact_traffic": {"on_error": "pass"}}"#;
    let Some(envoy) = Envoy::start(&Settings::new(provider.upstream.port()).filter(pass)) else { return };
    let response = client::request(envoy.port(), "POST", CHAT, rows[0].2, body.as_bytes());
    assert_eq!(response.status, 200);
    assert_eq!(provider.last().body, body.as_bytes());
}

#[test]
fn answers_that_cannot_be_read_do_not_pass() {
    let provider = Provider::start(|request, _, _| match request.path.as_str() {
        "/v1/sound" => Answer::sized(200, &[("content-type", "audio/mpeg")], b"ID3-bob@example.org"),
        "/v1/broken" => Answer::json("{\"a\":\"bob@example.org\""),
        _ => {
            let events = [events("ok")[0].clone(), "data: {\"bob@example.org\n\n".to_owned()];
            Answer::events(events.iter().map(String::as_bytes))
        }
    });
    let Some(envoy) = Envoy::start(&Settings::new(provider.upstream.port()).filter(BOTH)) else { return };
    for (path, whole) in [("/v1/sound", true), ("/v1/broken", false), ("/v1/stream", false)] {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: api.openai.com\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{{}}"
        );
        let answer = raw(envoy.port(), &[head.as_bytes()]);
        assert!(!answer.contains("bob@example.org"), "{path}: {answer}");
        assert_eq!(answer.starts_with("HTTP/1.1 502"), whole, "{path}: {answer}");
        // What is broken off has no end.
        assert!(whole || !answer.ends_with("0\r\n\r\n"), "{path}: {answer}");
    }
    // What is only to be given its values back passes as it came.
    let Some(envoy) = Envoy::start(&Settings::new(provider.upstream.port()).filter(ON)) else { return };
    let response = client::post(envoy.port(), "/v1/sound", request(SAID, false).as_bytes());
    assert_eq!((response.status, response.body.as_slice()), (200, &b"ID3-bob@example.org"[..]));
}
