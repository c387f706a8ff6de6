//! Spans reach a collector, under the caller's trace; a collector that is down or slow harms nobody.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that fails says where")]

mod otlp;

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use otlp::{ANSWER, PARENT, PATH, REQUEST, attribute, provider, spans, text};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tollgate_e2e::{Answer, Envoy, Piece, Settings, Sink, client};

#[test]
fn spans_continue_the_callers_trace() {
    let (upstream, sink) = (provider(), Sink::start());
    let Some(envoy) = Envoy::start(&Settings::new(upstream.port()).collector(sink.port())) else { return };
    let headers: &[(&str, &[u8])] = &[("traceparent", PARENT), ("tracestate", b"vendor=1")];
    assert_eq!(client::request(envoy.port(), "POST", PATH, headers, REQUEST).status, 200);
    let requests = sink.wait(|requests| !requests.is_empty());
    let first = &requests[0];
    assert_eq!((first.method.as_str(), first.path.as_str()), ("POST", "/v1/traces"));
    assert_eq!(first.header("content-type").as_deref(), Some("application/x-protobuf"));

    assert_eq!(otlp::resource(&requests), [("service.name".to_owned(), "envoy".to_owned())]);
    let span = &spans(&requests)[0];
    assert_eq!(span.trace_id, PARENT[3..35].chunks(2).map(byte).collect::<Vec<_>>());
    assert_eq!(span.parent_span_id, PARENT[36..52].chunks(2).map(byte).collect::<Vec<_>>());
    assert_eq!(span.span_id.len(), 8);
    assert_ne!(span.span_id, span.parent_span_id);
    assert_eq!((span.name.as_str(), span.kind, span.trace_state.as_str()), ("chat gpt-4o-2024-08-06", 3, "vendor=1"));
    assert!(
        span.start_time_unix_nano > 1_500_000_000_000_000_000 && span.end_time_unix_nano >= span.start_time_unix_nano
    );
    for (name, value) in [
        ("gen_ai.operation.name", text("chat")),
        ("gen_ai.provider.name", text("openai")),
        ("gen_ai.request.model", text("gpt-4o")),
        ("gen_ai.response.model", text("gpt-4o-2024-08-06")),
        ("gen_ai.response.id", text("chatcmpl-1")),
        ("gen_ai.usage.input_tokens", Some(Value::IntValue(1000))),
        ("gen_ai.usage.output_tokens", Some(Value::IntValue(200))),
        ("gen_ai.usage.cache_read.input_tokens", Some(Value::IntValue(400))),
        ("tollgate.usage.source", text("reported")),
        ("tollgate.outcome", text("complete")),
        ("tollgate.cost.amount", Some(Value::DoubleValue(0.004))),
        ("tollgate.cost.nano_usd", Some(Value::IntValue(4_000_000))),
        ("tollgate.cost.currency", text("USD")),
        ("server.address", text("api.openai.com")),
        ("http.response.status_code", Some(Value::IntValue(200))),
        ("gen_ai.input.messages", None),
        ("gen_ai.output.messages", None),
    ] {
        assert_eq!(attribute(&span.attributes, name), value, "{name}");
    }
    // The upstream sees the caller's header, not one of ours.
    assert_eq!(envoy.wait_count("export_spans", 1), 1);
}

fn byte(pair: &[u8]) -> u8 {
    u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()
}

#[test]
fn captured_content_arrives_redacted() {
    let (upstream, sink) = (provider(), Sink::start());
    let config = r#"{"capture_content": {"input_bytes": 4096, "output_bytes": 4096}, "access_log": "record",
                     "export": {"cluster": "collector", "flush_ms": 50}}"#;
    let settings = Settings::new(upstream.port()).collector(sink.port()).filter(config);
    let Some(envoy) = Envoy::start(&settings) else { return };
    assert_eq!(client::post(envoy.port(), PATH, REQUEST).status, 200);
    let requests = sink.wait(|requests| !requests.is_empty());
    let body = String::from_utf8_lossy(&requests[0].body).into_owned();
    assert!(!body.contains("jane@example.com"), "{body}");
    let span = &spans(&requests)[0];
    let Some(Value::StringValue(input)) = attribute(&span.attributes, "gen_ai.input.messages") else {
        panic!("no input messages: {span:?}")
    };
    assert!(input.contains("EMAIL_ADDRESS"), "{input}");
    assert_eq!(attribute(&span.attributes, "tollgate.redaction.EMAIL_ADDRESS"), Some(Value::IntValue(1)));
    assert_eq!(attribute(&span.attributes, "tollgate.redaction.count"), Some(Value::IntValue(1)));
    assert_eq!(envoy.wait_count("redactions;type=EMAIL_ADDRESS", 1), 1);
    assert!(!envoy.access_log(1)[0].to_string().contains("example.com"));
    assert!(!envoy.log().contains("jane"), "no text of a call is ever logged");
}

#[test]
fn without_a_traceparent_every_call_has_a_trace_of_its_own() {
    let (upstream, sink) = (provider(), Sink::start());
    let mut settings = Settings::new(upstream.port()).collector(sink.port());
    settings.workers = 2;
    let Some(envoy) = Envoy::start(&settings) else { return };
    for _ in 0..20 {
        // The same request id twenty times over must not make the same trace.
        let response = client::request(envoy.port(), "POST", PATH, &[("x-request-id", b"same")], REQUEST);
        assert_eq!(response.status, 200);
    }
    let spans = spans(&sink.wait(|requests| spans(requests).len() >= 20));
    let traces: std::collections::BTreeSet<_> = spans.iter().map(|span| span.trace_id.clone()).collect();
    assert_eq!((spans.len(), traces.len()), (20, 20));
    assert!(spans.iter().all(|span| span.parent_span_id.is_empty()));
}

#[test]
fn a_collector_that_is_down() {
    let upstream = provider();
    // Nobody listens at the collector's port.
    let config = r#"{"export": {"cluster": "collector", "flush_ms": 20, "batch_bytes": 1024, "queue_bytes": 8192,
                     "attempts": 2, "timeout_ms": 200, "backoff_ms": 10, "max_backoff_ms": 20}}"#;
    let Some(envoy) = Envoy::start(&Settings::new(upstream.port()).filter(config)) else { return };
    for _ in 0..100 {
        let response = client::post(envoy.port(), PATH, REQUEST);
        assert_eq!((response.status, response.body.as_slice()), (200, ANSWER.as_bytes()));
    }
    assert_eq!(envoy.wait_count("export_spans_dropped", 100), 100);
    envoy.settle();
    assert_eq!(envoy.count("calls"), 100);
    assert_eq!(envoy.count("export_spans_dropped;reason=rejected"), 0);
}

#[test]
fn a_collector_that_never_answers() {
    let upstream = provider();
    let sink = Sink::answering(|_| Answer::raw(Vec::new()).then(Piece::Pause(Duration::from_secs(3))));
    let config = r#"{"export": {"cluster": "collector", "flush_ms": 20, "batch_bytes": 1024, "queue_bytes": 8192,
                     "attempts": 1, "in_flight": 2, "timeout_ms": 1000, "backoff_ms": 10, "max_backoff_ms": 20}}"#;
    let settings = Settings::new(upstream.port()).collector(sink.port()).filter(config);
    let Some(envoy) = Envoy::start(&settings) else { return };
    for _ in 0..50 {
        assert_eq!(client::post(envoy.port(), PATH, REQUEST).status, 200);
    }
    let memory = envoy.wait_count("memory_bytes", 1);
    for _ in 0..500 {
        assert_eq!(client::post(envoy.port(), PATH, REQUEST).status, 200);
    }
    assert!(envoy.wait_count("export_spans_dropped;reason=queue_full", 1) > 0);
    let spans_lost = envoy.wait_count("export_spans_dropped", 550);
    assert_eq!(spans_lost, 550);
    // Three workers' worth of modules (two of them idle, on Envoy's main thread) must not have grown by a queue.
    envoy.settle();
    assert!(envoy.count("memory_bytes") <= memory + (1 << 20), "{memory} became {}", envoy.count("memory_bytes"));
}

#[test]
fn a_collector_that_is_away_for_a_moment() {
    let upstream = provider();
    let refused = std::sync::atomic::AtomicU32::new(0);
    let sink = Sink::answering(move |_| {
        let first = refused.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0;
        Answer::sized(if first { 503 } else { 200 }, &[], b"")
    });
    let Some(envoy) = Envoy::start(&Settings::new(upstream.port()).collector(sink.port())) else { return };
    assert_eq!(client::post(envoy.port(), PATH, REQUEST).status, 200);
    assert_eq!(envoy.wait_count("export_requests;result=sent", 1), 1);
    envoy.settle();
    assert_eq!(envoy.count("export_requests;result=unavailable"), 1);
    assert_eq!(envoy.count("export_spans_dropped"), 0);
    assert_eq!(spans(&sink.requests()[1..]).len(), 1);
}

#[test]
fn a_full_batch_goes_at_once() {
    let (upstream, sink) = (provider(), Sink::start());
    // The timer alone would take a minute.
    let config = r#"{"export": {"cluster": "collector", "flush_ms": 60000, "batch_bytes": 1024}}"#;
    let settings = Settings::new(upstream.port()).collector(sink.port()).filter(config);
    let Some(envoy) = Envoy::start(&settings) else { return };
    for _ in 0..20 {
        assert_eq!(client::post(envoy.port(), PATH, REQUEST).status, 200);
    }
    assert!(!spans(&sink.wait(|requests| spans(requests).len() >= 15)).is_empty());
}

#[test]
fn a_cluster_that_does_not_exist() {
    let upstream = provider();
    let config = r#"{"export": {"cluster": "clutser", "flush_ms": 20, "attempts": 2, "backoff_ms": 10}}"#;
    let Some(envoy) = Envoy::start(&Settings::new(upstream.port()).filter(config)) else { return };
    for _ in 0..3 {
        assert_eq!(client::post(envoy.port(), PATH, REQUEST).status, 200);
    }
    assert_eq!(envoy.wait_count("export_spans_dropped;reason=refused", 3), 3);
    assert_eq!(envoy.log().matches("export.cluster: Envoy takes no request to \"clutser\"").count(), 1);
}

/// A collector that answers `status` so many times with these headers, and says when each request came.
fn timed(status: u16, times: usize, headers: &'static [(&str, &str)]) -> (Sink, Arc<Mutex<Vec<Instant>>>) {
    let came = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&came);
    let sink = Sink::answering(move |_| {
        let mut came = kept.lock().unwrap();
        came.push(Instant::now());
        if came.len() <= times { Answer::sized(status, headers, b"") } else { Answer::sized(200, &[], b"") }
    });
    (sink, came)
}

#[test]
fn a_collector_that_is_down_is_left_alone() {
    let upstream = provider();
    // It is down for a second from the first request on.
    let failures = Arc::new(Mutex::new((None, 0_u64)));
    let kept = Arc::clone(&failures);
    let sink = Sink::answering(move |_| {
        let (first, failed) = &mut *kept.lock().unwrap();
        let is_down = first.get_or_insert_with(Instant::now).elapsed() < Duration::from_secs(1);
        *failed += u64::from(is_down);
        Answer::sized(if is_down { 503 } else { 200 }, &[], b"")
    });
    let config = r#"{"export": {"cluster": "collector", "flush_ms": 20, "batch_bytes": 1024, "attempts": 10,
                     "in_flight": 3, "backoff_ms": 200, "max_backoff_ms": 800}}"#;
    let settings = Settings::new(upstream.port()).collector(sink.port()).filter(config);
    let Some(envoy) = Envoy::start(&settings) else { return };
    // Many more batches than requests may be under way.
    for _ in 0..20 {
        assert_eq!(client::post(envoy.port(), PATH, REQUEST).status, 200);
    }
    assert_eq!(envoy.wait_count("export_spans", 20), 20);
    assert_eq!(envoy.count("export_spans_dropped"), 0);
    // Up to three fail together; from then on one at a time tries, after at least 100, 200, 400 and 400 ms.
    let (_, failed) = *failures.lock().unwrap();
    assert!((2..=6).contains(&failed), "{failed} requests in the second that the collector was down");
    assert_eq!(envoy.count("export_requests;result=unavailable"), failed);
}

#[test]
fn a_collector_says_how_long_to_wait() {
    for status in [429, 503] {
        let upstream = provider();
        let (sink, came) = timed(status, 1, &[("retry-after", "2")]);
        let config = r#"{"export": {"cluster": "collector", "flush_ms": 20, "attempts": 2, "backoff_ms": 10}}"#;
        let settings = Settings::new(upstream.port()).collector(sink.port()).filter(config);
        let Some(envoy) = Envoy::start(&settings) else { return };
        assert_eq!(client::post(envoy.port(), PATH, REQUEST).status, 200);
        assert_eq!(envoy.wait_count("export_spans", 1), 1, "{status}");
        let came = came.lock().unwrap();
        assert!(came[1] - came[0] >= Duration::from_millis(1_990), "{status}: {came:?}");
    }
}

#[test]
fn a_collector_that_takes_a_part() {
    let upstream = provider();
    // `partial_success` with two rejected spans.
    let sink =
        Sink::answering(|_| Answer::sized(200, &[("content-type", "application/x-protobuf")], b"\x0a\x02\x08\x02"));
    let config = r#"{"export": {"cluster": "collector", "flush_ms": 500}}"#;
    let settings = Settings::new(upstream.port()).collector(sink.port()).filter(config);
    let Some(envoy) = Envoy::start(&settings) else { return };
    let mut sent = 0;
    for _ in 0..5 {
        assert_eq!(client::post(envoy.port(), PATH, REQUEST).status, 200);
        sent += 1;
    }
    let accounted = || envoy.count("export_spans");
    assert_eq!(envoy.wait_count("export_spans", sent), sent, "taken and dropped: {}", accounted());
    let requests = sink.requests();
    let lost: u64 = requests.iter().map(|request| (spans(std::slice::from_ref(request)).len() as u64).min(2)).sum();
    assert_eq!(envoy.count("export_spans_dropped;reason=rejected"), lost);
    assert_eq!(envoy.count("export_requests;result=partial"), requests.len() as u64);
}
