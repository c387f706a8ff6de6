//! Content as events: OTLP log records beside the spans.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test that fails says where")]

mod otlp;

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use otlp::{ANSWER, PARENT, PATH, REQUEST, attribute, logs, provider, spans, text};
use tollgate_e2e::{Answer, Envoy, Settings, Sink, client};

const LOGS: &str = "/v1/logs";

fn config(export: &str) -> String {
    format!(
        r#"{{"capture_content": {{"input_bytes": 4096, "output_bytes": 4096}},
             "export": {{"cluster": "collector", "flush_ms": 50, {export}}}}}"#
    )
}

#[test]
fn an_event_says_what_was_said_and_stands_within_its_span() {
    let (upstream, sink) = (provider(), Sink::start());
    let settings = Settings::new(upstream.port()).collector(sink.port()).filter(&config(r#""content": "event_only""#));
    let Some(envoy) = Envoy::start(&settings) else { return };
    let parent = [("traceparent", PARENT)];
    assert_eq!(client::request(envoy.port(), "POST", PATH, &parent, REQUEST).status, 200);
    let requests = sink.wait(|requests| requests.len() >= 2);
    let (spans, logs) = (spans(&requests), logs(&requests, LOGS));
    assert_eq!((spans.len(), logs.len()), (1, 1));
    let (span, event) = (&spans[0], &logs[0]);
    assert_eq!(event.event_name, "gen_ai.client.inference.operation.details");
    assert_eq!((&event.trace_id, &event.span_id), (&span.trace_id, &span.span_id));
    assert_eq!((event.flags, event.severity_number), (1, 5), "sampled, DEBUG");
    assert_eq!(
        (event.time_unix_nano, event.observed_time_unix_nano),
        (span.end_time_unix_nano, span.end_time_unix_nano)
    );
    for (name, value) in [
        ("gen_ai.operation.name", text("chat")),
        ("gen_ai.provider.name", text("openai")),
        ("gen_ai.request.model", text("gpt-4o")),
        ("gen_ai.response.id", text("chatcmpl-1")),
        ("gen_ai.usage.input_tokens", Some(Value::IntValue(1000))),
        ("server.address", text("api.openai.com")),
        ("tollgate.cost.nano_usd", Some(Value::IntValue(4_000_000))),
        ("tollgate.redaction.EMAIL_ADDRESS", Some(Value::IntValue(1))),
    ] {
        assert_eq!(attribute(&event.attributes, name), value, "{name}");
        assert_eq!(attribute(&span.attributes, name), value, "{name}");
    }
    // Structured, as the conventions have it for events: a list of messages, each with a role and parts.
    for (name, said) in [("gen_ai.input.messages", "EMAIL_ADDRESS"), ("gen_ai.output.messages", "hi")] {
        let Some(Value::ArrayValue(messages)) = attribute(&event.attributes, name) else {
            panic!("{name} is no list: {event:?}")
        };
        let Some(Value::KvlistValue(message)) = messages.values[0].value.clone() else { panic!("{messages:?}") };
        assert_eq!(message.values.iter().map(|pair| pair.key.as_str()).take(2).collect::<Vec<_>>(), ["role", "parts"]);
        assert!(format!("{message:?}").contains(said), "{message:?}");
        assert_eq!(attribute(&span.attributes, name), None, "{name}");
    }
    assert!(!requests.iter().any(|request| String::from_utf8_lossy(&request.body).contains("jane@example.com")));
    assert_eq!((envoy.wait_count("export_events", 1), envoy.wait_count("export_spans", 1)), (1, 1));
    assert_eq!(envoy.count("export_requests;result=sent"), 2);
}

#[test]
fn content_may_be_on_both_and_go_elsewhere() {
    let (upstream, sink) = (provider(), Sink::start());
    let export = r#""content": "span_and_event", "logs_path": "/otlp/logs", "headers": {"x-key": "k"}"#;
    let settings = Settings::new(upstream.port()).collector(sink.port()).filter(&config(export));
    let Some(envoy) = Envoy::start(&settings) else { return };
    assert_eq!(client::post(envoy.port(), PATH, REQUEST).status, 200);
    let requests = sink.wait(|requests| requests.len() >= 2);
    assert!(requests.iter().all(|request| request.header("x-key").as_deref() == Some("k")));
    let (spans, logs) = (spans(&requests), logs(&requests, "/otlp/logs"));
    assert!(matches!(attribute(&spans[0].attributes, "gen_ai.output.messages"), Some(Value::StringValue(_))));
    assert!(matches!(attribute(&logs[0].attributes, "gen_ai.output.messages"), Some(Value::ArrayValue(_))));
}

#[test]
fn where_nothing_is_captured_or_sampled_there_is_no_event() {
    let (upstream, sink) = (provider(), Sink::start());
    let nothing = r#"{"export": {"cluster": "collector", "flush_ms": 50, "content": "span_and_event"}}"#;
    let settings = Settings::new(upstream.port()).collector(sink.port()).filter(nothing);
    let Some(envoy) = Envoy::start(&settings) else { return };
    assert_eq!(client::post(envoy.port(), PATH, REQUEST).status, 200);
    assert_eq!(envoy.wait_count("export_spans", 1), 1);
    assert_eq!((logs(&sink.requests(), LOGS).len(), envoy.count("export_events")), (0, 0));

    let unsampled = config(r#""content": "span_and_event""#).replacen('{', r#"{"sampling": {"ratio": 0},"#, 1);
    let sink = Sink::start();
    let settings = Settings::new(upstream.port()).collector(sink.port()).filter(&unsampled);
    let Some(envoy) = Envoy::start(&settings) else { return };
    assert_eq!(client::post(envoy.port(), PATH, REQUEST).status, 200);
    assert_eq!(envoy.wait_count("spans_unsampled", 1), 1);
    assert_eq!(sink.requests().len(), 0);
}

#[test]
fn a_receiver_that_takes_no_events_harms_no_span() {
    for (status, result) in [(404, "rejected"), (503, "unavailable")] {
        let upstream = provider();
        let sink =
            Sink::answering(move |request| Answer::sized(if request.path == LOGS { status } else { 200 }, &[], b""));
        let export =
            r#""content": "event_only", "attempts": 1, "in_flight": 1, "backoff_ms": 10, "max_backoff_ms": 20"#;
        let settings = Settings::new(upstream.port()).collector(sink.port()).filter(&config(export));
        let Some(envoy) = Envoy::start(&settings) else { return };
        for _ in 0..10 {
            let response = client::post(envoy.port(), PATH, REQUEST);
            assert_eq!((response.status, response.body.as_slice()), (200, ANSWER.as_bytes()));
        }
        assert_eq!(envoy.wait_count("export_spans", 10), 10, "{status}");
        let reason = format!("export_events_dropped;reason={result}");
        assert_eq!(envoy.wait_count(&reason, 10), 10, "{status}");
        assert_eq!(spans(&sink.requests()).len(), 10);
    }
}
