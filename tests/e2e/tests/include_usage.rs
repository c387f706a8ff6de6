//! Asking for usage in real Envoy: what the provider gets, and what the caller gets, byte for byte.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that fails says where")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tollgate_e2e::{Answer, Envoy, Piece, Request, Settings, Upstream, client};

const PATH: &str = "/v1/chat/completions";
const JSON: (&str, &[u8]) = ("content-type", b"application/json");
const BODY: &str = r#"{"model":"gpt-4o","messages":[{"role":"user","content":"hello"}],"stream":true}"#;
const EDITED: &str = r#"{"stream_options":{"include_usage":true},"model":"gpt-4o","messages":[{"role":"user","content":"hello"}],"stream":true}"#;

const REMOVE: &str = r#"{"access_log": "record", "include_usage": "inject_and_strip"}"#;
const REWRITE: &str =
    r#"{"access_log": "record", "include_usage": {"mode": "inject_and_strip", "content_length": "rewrite"}}"#;

/// A provider that reports usage exactly where it is asked for, and keeps the requests that it got.
struct Provider {
    upstream: Upstream,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Provider {
    fn start(answer: impl Fn(&Request, Vec<Vec<u8>>) -> Answer + Send + Sync + 'static) -> Self {
        let requests = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&requests);
        let upstream = Upstream::start(move |request| {
            kept.lock().unwrap().push(request.clone());
            let asked: serde_json::Value = serde_json::from_slice(&request.body).unwrap_or_default();
            answer(request, events(asked["stream_options"]["include_usage"] == true))
        });
        Self { upstream, requests }
    }

    fn streaming() -> Self {
        Self::start(|_, events| Answer::events(slices(&events)))
    }

    fn last(&self) -> Request {
        self.requests.lock().unwrap().last().cloned().unwrap()
    }
}

fn events(usage: bool) -> Vec<Vec<u8>> {
    let chunk = |rest: &str| {
        format!("data: {{\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"gpt-4o-2024-08-06\",{rest}}}\n\n")
            .into_bytes()
    };
    let mut events = vec![
        chunk(r#""choices":[{"index":0,"delta":{"role":"assistant","content":""}}]"#),
        chunk(r#""choices":[{"index":0,"delta":{"content":"hello"}}]"#),
        chunk(r#""choices":[{"index":0,"delta":{},"finish_reason":"stop"}]"#),
    ];
    if usage {
        events.push(chunk(r#""choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11}"#));
    }
    events.push(b"data: [DONE]\n\n".to_vec());
    events
}

fn slices(parts: &[Vec<u8>]) -> impl Iterator<Item = &[u8]> {
    parts.iter().map(Vec::as_slice)
}

fn settings(provider: &Provider, filter: &str) -> Settings {
    let mut settings = Settings::new(provider.upstream.port()).filter(filter);
    if filter.contains("rewrite") {
        let policy = "failure_policy: FAIL_RELOAD".to_owned();
        let both = format!("{policy}\n                        allow_on_headers_stop_iteration: true");
        settings.replace.push((policy, both));
    }
    settings
}

fn length(request: &Request) -> Option<usize> {
    request.header("content-length").map(|length| length.parse().unwrap())
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
    socket.read_to_end(&mut answer).unwrap();
    String::from_utf8(answer).unwrap()
}

#[test]
fn the_provider_is_asked_and_the_caller_sees_no_difference() {
    let provider = Provider::streaming();
    let Some(alone) = Envoy::start(&Settings::new(provider.upstream.port()).without_filter()) else { return };
    let other =
        r#"{"model":"gpt-4o","stream":true,"stream_options":{"include_obfuscation":false,"include_usage":false}}"#;
    for filter in [REMOVE, REWRITE] {
        let Some(envoy) = Envoy::start(&settings(&provider, filter)) else { return };
        for (body, edited) in [
            (BODY, EDITED.to_owned()),
            (other, other.replace("\"include_usage\":false", "\"include_usage\":true")),
            (EDITED, EDITED.to_owned()),
            (r#"{"model":"gpt-4o"}"#, r#"{"model":"gpt-4o"}"#.to_owned()),
        ] {
            let expected = client::post(alone.port(), PATH, body.as_bytes());
            assert_eq!(provider.last().body, body.as_bytes());
            let response = client::post(envoy.port(), PATH, body.as_bytes());
            assert_eq!((response.status, response.whole), (200, true), "{filter} {body}");
            assert_eq!(String::from_utf8_lossy(&response.body), String::from_utf8_lossy(&expected.body), "{body}");
            let request = provider.last();
            assert_eq!(String::from_utf8_lossy(&request.body), edited);
            let said = (filter == REWRITE).then_some(edited.len());
            assert_eq!(length(&request), said, "{filter} {body}: {:?}", request.headers);
        }
        let lines = envoy.access_log(4);
        for line in &lines[..3] {
            assert_eq!((&line["input_tokens"], &line["usage_source"]), (&"9".into(), &"reported".into()));
        }
        assert_eq!(envoy.wait_count("include_usage;result=requested", 2), 2);
        envoy.settle();
        assert_eq!(envoy.count("include_usage;result=already_requested"), 1);
        assert_eq!(envoy.count("include_usage;result=no_stream"), 1);
        assert_eq!(envoy.count("include_usage_answers;result=stripped"), 2);
    }
}

#[test]
fn without_strip_the_caller_gets_the_chunk_as_well() {
    let provider = Provider::streaming();
    let Some(envoy) = Envoy::start(&settings(&provider, r#"{"include_usage": "inject"}"#)) else { return };
    assert_eq!(client::post(envoy.port(), PATH, BODY.as_bytes()).body, events(true).concat());
    let Some(envoy) = Envoy::start(&Settings::new(provider.upstream.port())) else { return };
    assert_eq!(client::post(envoy.port(), PATH, BODY.as_bytes()).body, events(false).concat(), "off is the default");
}

#[test]
fn a_body_in_pieces_and_over_the_limits() {
    let provider = Provider::streaming();
    let big = |size: usize| BODY.replace("hello", &"x".repeat(size - BODY.len() + "hello".len()));
    let room = (1 << 20) - (EDITED.len() - BODY.len());
    for filter in [REMOVE, REWRITE] {
        let Some(envoy) = Envoy::start(&settings(&provider, filter)) else { return };
        let head = format!(
            "POST {PATH} HTTP/1.1\r\nhost: api.openai.com\r\nconnection: close\r\ncontent-type: application/json\r\n"
        );
        let sized = format!("{head}content-length: {}\r\n\r\n", BODY.len());
        let (one, two) = BODY.split_at(30);
        let answer = raw(envoy.port(), &[sized.as_bytes(), one.as_bytes(), two.as_bytes()]);
        assert!(answer.starts_with("HTTP/1.1 200") && !answer.contains("usage"), "{answer}");
        assert_eq!(String::from_utf8_lossy(&provider.last().body), EDITED);

        // Nothing says how long it is; the first chunk is all of it, or not.
        let chunked = format!("{head}transfer-encoding: chunked\r\n\r\n{:x}\r\n{BODY}\r\n", BODY.len());
        let answer = raw(envoy.port(), &[chunked.as_bytes(), b"0\r\n\r\n"]);
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert_eq!(String::from_utf8_lossy(&provider.last().body), EDITED);
        let halves = [
            format!("{head}transfer-encoding: chunked\r\n\r\n{:x}\r\n{one}\r\n", one.len()),
            format!("{:x}\r\n{two}\r\n0\r\n\r\n", two.len()),
        ];
        let answer = raw(envoy.port(), &[halves[0].as_bytes(), halves[1].as_bytes()]);
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert_eq!(String::from_utf8_lossy(&provider.last().body), BODY);

        for (size, edited) in [(200_000, true), (room, true), (room + 1, false), (3 << 20, false)] {
            let body = big(size);
            let response = client::post(envoy.port(), PATH, body.as_bytes());
            assert_eq!((response.status, response.body), (200, events(false).concat()), "{filter} {size}");
            let request = provider.last();
            let expected = if edited { size + EDITED.len() - BODY.len() } else { size };
            assert_eq!(request.body.len(), expected, "{filter} {size}");
            assert!(edited || request.body == body.as_bytes());
            let said = (filter == REWRITE || !edited).then_some(expected);
            assert_eq!(length(&request), said, "{filter} {size}");
        }
        assert_eq!(envoy.wait_count("include_usage;result=too_large", 2), 2);
        envoy.settle();
        assert_eq!(envoy.count("include_usage;result=no_content_length"), 1);
        assert_eq!(envoy.count("include_usage;result=requested"), 4);
    }
}

#[test]
fn signed_and_encoded_requests_are_not_touched() {
    let provider = Provider::streaming();
    for filter in [REMOVE, REWRITE] {
        let Some(envoy) = Envoy::start(&settings(&provider, filter)) else { return };
        let rows: [(&str, &str, &[u8], &str); 5] = [
            (PATH, "x-amz-date", b"20260101T000000Z", "signed"),
            (PATH, "content-digest", b"sha-256=:x:", "signed"),
            (PATH, "content-md5", b"1B2M2Y8AsgTpgAmY7PhCfg==", "signed"),
            ("/v1/chat/completions?X-Amz-Signature=ab", "x-other", b"1", "signed"),
            (PATH, "content-encoding", b"gzip", "content_encoding"),
        ];
        for (path, name, value, _) in rows {
            let response = client::request(envoy.port(), "POST", path, &[JSON, (name, value)], BODY.as_bytes());
            assert_eq!(response.body, events(false).concat(), "{name}");
            let request = provider.last();
            assert_eq!((request.body.as_slice(), length(&request)), (BODY.as_bytes(), Some(BODY.len())), "{name}");
        }
        assert_eq!(envoy.wait_count("include_usage;result=signed", 4), 4);
        envoy.settle();
        assert_eq!(envoy.count("include_usage;result=content_encoding"), 1);
    }
}

#[test]
fn the_first_bytes_are_not_delayed_and_events_cut_anywhere_come_out_whole() {
    let provider = Provider::start(|_, events| {
        let parts = events.concat();
        let (first, rest) = parts.split_at(events[0].len());
        rest.chunks(11)
            .fold(
                Answer::chunked(200, &[("content-type", "text/event-stream")], [first]).then(Piece::Hold),
                Answer::chunk,
            )
            .end()
    });
    for filter in [REMOVE, REWRITE] {
        let Some(envoy) = Envoy::start(&settings(&provider, filter)) else { return };
        let mut exchange = client::Exchange::begin(envoy.port(), "POST", PATH, &[JSON], BODY.as_bytes());
        let head = exchange.head();
        assert_eq!(head.status, 200);
        let mut body = Vec::new();
        // The provider holds the rest back until the caller has the first event in hand.
        assert!(exchange.chunk(&mut body));
        assert_eq!(body, events(false)[0]);
        provider.upstream.go_on();
        while exchange.chunk(&mut body) {}
        assert_eq!(body, events(false).concat());
        assert_eq!(envoy.access_log(1)[0]["output_tokens"], "2");
    }
}

#[test]
fn answers_that_cannot_be_stripped_pass_whole() {
    let gzip = ("content-encoding", "gzip");
    let provider = Provider::start(move |request, events| match request.path.as_str() {
        PATH => Answer::sized(200, &[("content-type", "text/event-stream")], &events.concat()),
        _ => Answer::sized(200, &[("content-type", "text/event-stream"), gzip], b"\x1f\x8bnot really"),
    });
    let Some(envoy) = Envoy::start(&settings(&provider, REMOVE)) else { return };
    let response = client::post(envoy.port(), PATH, BODY.as_bytes());
    assert_eq!((response.body, response.whole), (events(false).concat(), true), "a stream that says its length");
    let response = client::post(envoy.port(), "/v1/chat/completions?gzip", BODY.as_bytes());
    assert_eq!(response.body, b"\x1f\x8bnot really");
    assert_eq!(response.header("content-length"), Some(&b"12"[..]));
    assert_eq!(envoy.wait_count("include_usage_answers;result=content_encoding", 1), 1);
}

#[test]
fn a_stream_that_ends_in_the_middle_of_an_event_keeps_its_last_bytes() {
    let unended: [&[u8]; 3] = [b"data: {\"id\":\"c1\",\"choices\":[],", b"data: {\"choices\":[]}\n", b"dat"];
    for last in unended {
        let provider = Provider::start(move |_, events| {
            let parts = [events[0].as_slice(), last];
            let pause = Piece::Pause(Duration::from_millis(50));
            Answer::chunked(200, &[("content-type", "text/event-stream")], parts).then(pause).end()
        });
        let Some(envoy) = Envoy::start(&settings(&provider, REMOVE)) else { return };
        let response = client::post(envoy.port(), PATH, BODY.as_bytes());
        assert!(response.whole);
        assert_eq!(
            String::from_utf8_lossy(&response.body),
            String::from_utf8_lossy(&[&events(true)[0], last].concat())
        );
    }
}

#[test]
fn trailers_of_an_answer() {
    let provider = Provider::start(|request, events| {
        let announced = [("content-type", "text/event-stream"), ("trailer", "x-checksum")];
        let headers = if request.path == PATH { &announced[..1] } else { &announced[..] };
        Answer::chunked(200, headers, slices(&events)).then(Piece::Bytes(b"0\r\nx-checksum: abc\r\n\r\n".to_vec()))
    });
    let mut settings = settings(&provider, REMOVE);
    let trailers_on = "stream_idle_timeout: 300s".to_owned();
    let on = format!("{trailers_on}\n                http_protocol_options: {{ enable_trailers: true }}");
    settings.replace.push((trailers_on, on));
    let Some(envoy) = Envoy::start(&settings) else { return };
    assert_eq!(client::post(envoy.port(), PATH, BODY.as_bytes()).body, events(false).concat());
    let response = client::post(envoy.port(), "/v1/chat/completions?announced", BODY.as_bytes());
    assert_eq!((response.body, response.whole), (events(true).concat(), true), "announced: passes as it is");
    assert_eq!(envoy.wait_count("include_usage_answers;result=trailers", 1), 1);
}

#[test]
fn callers_that_go_away() {
    let provider = Provider::start(|_, events| {
        Answer::chunked(200, &[("content-type", "text/event-stream")], slices(&events[..1])).then(Piece::Hold).end()
    });
    for filter in [REMOVE, REWRITE] {
        let Some(envoy) = Envoy::start(&settings(&provider, filter)) else { return };
        // In the middle of the answer.
        let mut exchange = client::Exchange::begin(envoy.port(), "POST", PATH, &[JSON], BODY.as_bytes());
        assert_eq!(exchange.head().status, 200);
        drop(exchange);
        assert_eq!(envoy.access_log(1)[0]["outcome"], "client_aborted");
        // In the middle of the request.
        let head = format!("POST {PATH} HTTP/1.1\r\nhost: api.openai.com\r\ncontent-type: application/json\r\n");
        let mut socket = TcpStream::connect(("127.0.0.1", envoy.port())).unwrap();
        socket.write_all(format!("{head}content-length: 500\r\n\r\n{{\"model\":").as_bytes()).unwrap();
        std::thread::sleep(Duration::from_millis(100));
        drop(socket);
        assert_eq!(envoy.wait_count("include_usage;result=incomplete", 1), 1);
        // And those who stay are served.
        let mut exchange = client::Exchange::begin(envoy.port(), "POST", PATH, &[JSON], BODY.as_bytes());
        assert_eq!(exchange.head().status, 200);
        assert_eq!(String::from_utf8_lossy(&provider.last().body), EDITED);
    }
}

#[test]
fn an_envoy_that_holds_bodies_with_their_headers_is_found_out() {
    let provider = Provider::streaming();
    // The field of Envoy that `rewrite` needs is not set.
    let Some(envoy) = Envoy::start(&Settings::new(provider.upstream.port()).filter(REWRITE)) else { return };
    let response = client::post(envoy.port(), PATH, BODY.as_bytes());
    assert_eq!((response.status, response.body), (200, events(false).concat()));
    let request = provider.last();
    assert_eq!(
        (request.body.as_slice(), length(&request)),
        (BODY.as_bytes(), Some(BODY.len())),
        "late, but as it came"
    );
    assert_eq!(envoy.wait_count("include_usage;result=not_held", 1), 1);
    assert!(envoy.log().contains("allow_on_headers_stop_iteration"), "{}", envoy.log());
    let record = envoy.access_log(1)[0]["record"].to_string();
    assert!(record.contains(r#"\"request_model\":\"gpt-4o\""#), "what goes on late is read as well: {record}");
    let response = client::post(envoy.port(), PATH, BODY.as_bytes());
    assert_eq!(response.body, events(false).concat());
    assert_eq!(String::from_utf8_lossy(&provider.last().body), EDITED);
}

#[test]
fn a_caller_that_is_slow_with_its_body() {
    let provider = Provider::streaming();
    for filter in [REMOVE, REWRITE] {
        let Some(envoy) = Envoy::start(&settings(&provider, filter)) else { return };
        let mut socket = TcpStream::connect(("127.0.0.1", envoy.port())).unwrap();
        let head = format!(
            "POST {PATH} HTTP/1.1\r\nhost: api.openai.com\r\nconnection: close\r\ncontent-type: application/json\r\n"
        );
        let (one, two) = BODY.split_at(30);
        socket.write_all(format!("{head}content-length: {}\r\n\r\n", BODY.len()).as_bytes()).unwrap();
        std::thread::sleep(Duration::from_secs(4));
        socket.write_all(one.as_bytes()).unwrap();
        std::thread::sleep(Duration::from_millis(50));
        socket.write_all(two.as_bytes()).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        assert!(
            answer.starts_with("HTTP/1.1 200") && answer.contains("[DONE]") && !answer.contains("usage"),
            "{answer}"
        );
        // Headers that no body followed for so long are let go, since it may be that none can come.
        let edited = filter == REMOVE;
        assert_eq!(String::from_utf8_lossy(&provider.last().body), if edited { EDITED } else { BODY });
        let response = client::post(envoy.port(), PATH, BODY.as_bytes());
        assert_eq!(response.body, events(false).concat());
        assert_eq!(String::from_utf8_lossy(&provider.last().body), EDITED);
    }
}

#[test]
fn a_request_that_envoy_tries_again_is_edited_once() {
    let attempts = AtomicU64::new(0);
    let provider = Provider::start(move |_, events| match attempts.fetch_add(1, Ordering::Relaxed) % 2 {
        0 => Answer::sized(503, &[], b"{}"),
        _ => Answer::events(slices(&events)),
    });
    for filter in [REMOVE, REWRITE] {
        let mut settings = settings(&provider, filter);
        let policy = "timeout: 0s\n                            retry_policy: { retry_on: 5xx, num_retries: 2 }";
        settings.replace.push(("timeout: 0s".to_owned(), policy.to_owned()));
        let Some(envoy) = Envoy::start(&settings) else { return };
        let response = client::post(envoy.port(), PATH, BODY.as_bytes());
        assert_eq!((response.status, response.body), (200, events(false).concat()));
        let requests = std::mem::take(&mut *provider.requests.lock().unwrap());
        assert_eq!(requests.len(), 2);
        assert!(requests.iter().all(|request| request.body == EDITED.as_bytes()), "{requests:?}");
        assert_eq!(envoy.wait_count("include_usage;result=requested", 1), 1);
    }
}

#[test]
fn http_2_on_both_sides() {
    let provider = Provider::streaming();
    let cluster = "- name: provider\n      type: STATIC".to_owned();
    let http_2 = format!(
        "{cluster}\n      typed_extension_protocol_options:\n        envoy.extensions.upstreams.http.v3.HttpProtocolOptions:\n          \
         \"@type\": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions\n          \
         explicit_http_config: {{ http2_protocol_options: {{}} }}"
    );
    for filter in [REMOVE, REWRITE] {
        // Caller, HTTP/1.1; Envoy alone; HTTP/2; Envoy with the filter; HTTP/2; Envoy alone; HTTP/1.1; provider.
        let Some(last) = Envoy::start(&Settings::new(provider.upstream.port()).without_filter()) else { return };
        let mut middle = settings(&provider, filter);
        middle.provider = last.port();
        middle.replace.push((cluster.clone(), http_2.clone()));
        let Some(middle) = Envoy::start(&middle) else { return };
        let mut first = Settings::new(middle.port()).without_filter();
        first.replace.push((cluster.clone(), http_2.clone()));
        let Some(first) = Envoy::start(&first) else { return };
        for size in [BODY.len(), 50_000, 900_000] {
            let text = "x".repeat(size - BODY.len() + "hello".len());
            let response = client::post(first.port(), PATH, BODY.replace("hello", &text).as_bytes());
            assert_eq!((response.status, response.body), (200, events(false).concat()), "{filter} {size}");
            let request = provider.last();
            assert!(request.body == EDITED.replace("hello", &text).as_bytes(), "{filter} {size}");
        }
        assert_eq!(middle.wait_count("include_usage;result=requested", 3), 3);
    }
}
