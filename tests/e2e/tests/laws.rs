//! The filter's laws in real Envoy: whatever happens to a stream, its bytes are not harmed and its record is made.

use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;
use tollgate_e2e::chat::{ANSWER, EVENT_STREAM, PATH, REQUEST, events, slices};
use tollgate_e2e::{Answer, Envoy, Piece, Settings, Upstream, client};

#[test]
fn header_bytes_that_are_not_utf_8() {
    let upstream = Upstream::start(|_| {
        let head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-odd: \xff\xfe\r\n".to_vec();
        let length = format!("content-length: {}\r\n\r\n{ANSWER}", ANSWER.len());
        Answer::raw([head, length.into_bytes()].concat())
    });
    let Some(envoy) = Envoy::start(&Settings::new(upstream.port())) else { return };
    for name in ["x-odd", "traceparent", "tracestate", "x-request-id", "content-type", "user-agent"] {
        let response = client::request(envoy.port(), "POST", PATH, &[(name, b"\xff\xfe\x80")], REQUEST);
        assert_eq!((response.status, response.body.as_slice()), (200, ANSWER.as_bytes()), "{name}");
        assert_eq!(response.header("x-odd"), Some(&b"\xff\xfe"[..]), "{name}");
    }
    assert_eq!(envoy.wait_count("calls", 6), 6);
    for line in envoy.access_log(6) {
        assert_eq!(line["input_tokens"], "1000");
        assert_eq!(line["cost_usd"], "0.004");
    }
}

#[test]
fn an_answer_of_three_megabytes() {
    let text = "x".repeat(3 << 20);
    let body = ANSWER.replace("\"hi\"", &format!("{text:?}"));
    let expected = body.clone();
    let upstream = Upstream::start(move |_| Answer::json(&body));
    let Some(envoy) = Envoy::start(&Settings::new(upstream.port())) else { return };
    let response = client::post(envoy.port(), PATH, REQUEST);
    assert_eq!(response.status, 200);
    assert!(response.whole && response.body == expected.as_bytes(), "{} bytes came", response.body.len());
    let line = &envoy.access_log(1)[0];
    assert_eq!((&line["outcome"], &line["output_tokens"]), (&"complete".into(), &"200".into()));
}

#[test]
fn a_request_of_three_megabytes() {
    let upstream = Upstream::start(|request| Answer::json(format!("{{\"got\":{}}}", request.body.len())));
    let Some(envoy) = Envoy::start(&Settings::new(upstream.port())) else { return };
    let body = format!(r#"{{"messages":[{{"role":"user","content":"{}"}}],"model":"gpt-4o"}}"#, "y".repeat(3 << 20));
    let response = client::post(envoy.port(), PATH, body.as_bytes());
    assert_eq!(response.body, format!("{{\"got\":{}}}", body.len()).into_bytes());
    assert_eq!(envoy.access_log(1)[0]["model"], "gpt-4o");
}

#[test]
fn trailers_after_a_stream() {
    let parts = events();
    let expected = parts.concat();
    let upstream = Upstream::start(move |_| {
        let headers = &[("content-type", "text/event-stream"), ("trailer", "x-checksum")];
        let trailers = Piece::Bytes(b"0\r\nx-checksum: abc\r\n\r\n".to_vec());
        Answer::chunked(200, headers, slices(&parts)).then(trailers)
    });
    let Some(envoy) = Envoy::start(&Settings::new(upstream.port()).trailers()) else { return };
    let response = client::post(envoy.port(), PATH, REQUEST);
    assert!(response.whole);
    assert_eq!(response.body, expected);
    let line = &envoy.access_log(1)[0];
    assert_eq!((&line["outcome"], &line["input_tokens"]), (&"complete".into(), &"9".into()));
    assert_eq!(line["usage_source"], "reported");
}

#[test]
fn the_caller_goes_away_in_the_middle_of_a_stream() {
    let parts = events();
    let upstream =
        Upstream::start(move |_| Answer::chunked(200, EVENT_STREAM, slices(&parts[..2])).then(Piece::Hold).end());
    let Some(envoy) = Envoy::start(&Settings::new(upstream.port())) else { return };
    let mut exchange = client::Exchange::begin(envoy.port(), "POST", PATH, &[], REQUEST);
    assert_eq!(exchange.head().status, 200);
    let mut body = Vec::new();
    assert!(exchange.chunk(&mut body));
    drop(exchange);
    let line = &envoy.access_log(1)[0];
    assert_eq!(line["outcome"], "client_aborted");
    assert_eq!(line["model"], "gpt-4o-2024-08-06");
    assert_eq!(line["input_tokens"], serde_json::Value::Null, "nobody reported usage: missing, not 0");
    assert_eq!(envoy.wait_count("usage;provider=openai;operation=chat;model=gpt-4o-2024-08-06;source=missing", 1), 1);
}

#[test]
fn the_provider_resets_in_the_middle_of_a_stream() {
    let parts = events();
    let expected = parts[..2].concat();
    let upstream = Upstream::start(move |_| {
        let pause = Piece::Pause(Duration::from_millis(100));
        Answer::chunked(200, EVENT_STREAM, slices(&parts[..2])).then(pause).then(Piece::Reset)
    });
    let Some(envoy) = Envoy::start(&Settings::new(upstream.port())) else { return };
    let response = client::post(envoy.port(), PATH, REQUEST);
    assert!(!response.whole, "a cut answer must look cut to the caller");
    assert_eq!(response.body, expected);
    let line = &envoy.access_log(1)[0];
    assert_eq!(line["outcome"], "upstream_aborted");
    assert_eq!(line["model"], "gpt-4o-2024-08-06");
}

#[test]
fn a_provider_that_cannot_be_reached() {
    let gone = Upstream::start(|_| Answer::json("{}")).port();
    let Some(envoy) = Envoy::start(&Settings::new(gone)) else { return };
    // The provider was stopped when its value was dropped; its port takes one more connection at most.
    let _ = client::post(envoy.port(), PATH, REQUEST);
    let response = client::post(envoy.port(), PATH, REQUEST);
    assert_eq!(response.status, 503);
    let line = &envoy.access_log(2)[1];
    assert_eq!((&line["outcome"], &line["model"]), (&"upstream_aborted".into(), &"gpt-4o".into()));
    envoy.settle();
    assert!(envoy.count("errors;provider=openai") > 0);
}

#[test]
fn a_call_that_envoy_tries_again_is_one_call() {
    let attempts = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&attempts);
    let upstream = Upstream::start(move |_| match counted.fetch_add(1, Ordering::Relaxed) {
        0 => Answer::sized(503, &[], br#"{"error":{"type":"overloaded_error"}}"#),
        _ => Answer::json(ANSWER),
    });
    let mut settings = Settings::new(upstream.port());
    let policy = "timeout: 0s\n                            retry_policy: { retry_on: 5xx, num_retries: 2 }";
    settings.replace.push(("timeout: 0s".to_owned(), policy.to_owned()));
    let Some(envoy) = Envoy::start(&settings) else { return };
    let response = client::post(envoy.port(), PATH, REQUEST);
    assert_eq!((response.status, attempts.load(Ordering::Relaxed)), (200, 2));
    let line = &envoy.access_log(1)[0];
    assert_eq!((&line["outcome"], &line["error_type"]), (&"complete".into(), &Value::Null));
    assert_eq!((&line["input_tokens"], &line["model"]), (&"1000".into(), &"gpt-4o-2024-08-06".into()));
    assert_eq!(envoy.wait_count("calls", 1), 1);
}

#[test]
fn a_time_limit() {
    let upstream = Upstream::start(|_| Answer::raw(Vec::new()).then(Piece::Hold));
    let mut settings = Settings::new(upstream.port());
    settings.replace.push(("timeout: 0s".to_owned(), "timeout: 0.2s".to_owned()));
    let Some(envoy) = Envoy::start(&settings) else { return };
    assert_eq!(client::post(envoy.port(), PATH, REQUEST).status, 504);
    assert_eq!(envoy.access_log(1)[0]["outcome"], "timed_out");
    upstream.go_on();
}

#[test]
fn the_first_bytes_of_a_stream_are_not_delayed() {
    let parts = events();
    let (first, second) = (parts[0].clone(), parts[1].clone());
    let upstream = Upstream::start(move |_| {
        Answer::chunked(200, EVENT_STREAM, slices(&parts[..1]))
            .then(Piece::Hold)
            .chunk(&parts[1])
            .then(Piece::Hold)
            .end()
    });
    let Some(envoy) = Envoy::start(&Settings::new(upstream.port())) else { return };
    let mut exchange = client::Exchange::begin(envoy.port(), "POST", PATH, &[], REQUEST);
    assert_eq!(exchange.head().status, 200);
    let mut body = Vec::new();
    // The provider holds the rest back until the caller has the first chunk in hand.
    assert!(exchange.chunk(&mut body));
    assert_eq!(body, first);
    upstream.go_on();
    body.clear();
    assert!(exchange.chunk(&mut body));
    assert_eq!(body, second);
    upstream.go_on();
    assert!(!exchange.chunk(&mut body));
    assert_eq!(envoy.access_log(1)[0]["outcome"], "complete");
}

#[test]
fn what_is_no_llm_call_passes() {
    let upstream = Upstream::start(|request| Answer::sized(404, &[("x-seen", &request.method)], b"nothing here"));
    let Some(envoy) = Envoy::start(&Settings::new(upstream.port())) else { return };
    for method in ["GET", "POST", "DELETE"] {
        let response = client::request(envoy.port(), method, "/healthz", &[], b"");
        assert_eq!((response.status, response.body.as_slice()), (404, &b"nothing here"[..]));
        assert_eq!(response.header("x-seen"), Some(method.as_bytes()));
    }
    assert_eq!(envoy.wait_count("skipped", 3), 3);
    envoy.settle();
    assert_eq!(envoy.count("calls"), 0);
}

#[test]
fn many_callers_and_several_workers() {
    let parts = events();
    let expected = parts.concat();
    let upstream = Upstream::start(move |_| Answer::events(slices(&parts)));
    let mut settings = Settings::new(upstream.port());
    settings.workers = 2;
    let Some(envoy) = Envoy::start(&settings) else { return };
    let port = envoy.port();
    let callers: Vec<_> = (0..8)
        .map(|_| {
            let expected = expected.clone();
            thread::spawn(move || {
                for _ in 0..25 {
                    assert_eq!(client::post(port, PATH, REQUEST).body, expected);
                }
            })
        })
        .collect();
    for caller in callers {
        caller.join().unwrap();
    }
    assert_eq!(envoy.wait_count("calls", 200), 200);
    envoy.settle();
    assert_eq!(envoy.count("tokens;provider=openai;operation=chat;model=gpt-4o-2024-08-06;kind=output"), 400);
    let prometheus = envoy.admin("/stats/prometheus?filter=wasmcustom");
    let line =
        "tollgate_calls{provider=\"openai\",operation=\"chat\",model=\"gpt-4o-2024-08-06\",outcome=\"complete\"} 200";
    assert!(prometheus.contains(line), "{prometheus}");
}
