//! The filter configured anew while streams run, by LDS from a file: what runs goes on, and nothing is counted twice or
//! not at all.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that fails says where")]

use tollgate_e2e::chat::{EVENT_STREAM, PATH, REQUEST, events, slices};
use tollgate_e2e::{Answer, Envoy, Piece, Settings, Sink, Upstream, client};

const FIRST: &str = r#"{"access_log": "record", "export": {"cluster": "collector", "flush_ms": 50}}"#;
const SECOND: &str = r#"{"access_log": "fields", "export": {"cluster": "collector", "flush_ms": 50}}"#;
/// Without spans.
const THIRD: &str = r#"{"access_log": "record"}"#;
const WRONG: &str = r#"{"access_log": "record", "export": {"clutser": "collector"}}"#;

#[test]
fn a_new_configuration_while_streams_run() {
    let parts = events();
    let expected = parts.concat();
    let upstream = Upstream::start(move |request| {
        let begun = Answer::chunked(200, EVENT_STREAM, slices(&parts[..2]));
        let held = if request.header("x-hold").is_some() { begun.then(Piece::Hold) } else { begun };
        slices(&parts[2..]).fold(held, Answer::chunk).end()
    });
    let sink = Sink::start();
    let mut settings = Settings::new(upstream.port()).collector(sink.port()).filter(FIRST);
    settings.dynamic = true;
    let Some(mut envoy) = Envoy::start(&settings) else { return };
    let started = envoy.stat("listener_manager.lds.update_success");
    assert!(started > 0);
    let port = envoy.port();
    let call = || assert_eq!(client::post(port, PATH, REQUEST).body, expected);
    let begin = || {
        let mut exchange = client::Exchange::begin(port, "POST", PATH, &[("x-hold", b"1")], REQUEST);
        let mut head = exchange.head();
        assert!(exchange.chunk(&mut head.body));
        (exchange, head)
    };
    let end = |(exchange, head): (client::Exchange, client::Response)| {
        upstream.go_on();
        let begun = head.body.clone();
        let response = exchange.rest(head);
        // Chunks of the head that was read, and the rest.
        assert!(response.whole && response.body.starts_with(&begun));
        assert_eq!(response.body, expected);
    };

    call();
    let old = begin();
    // A wrong one is refused, by the name of the field, and the old one stays at work for old and new calls.
    assert!(!envoy.reconfigure(&settings.clone().filter(WRONG)), "Envoy took a wrong configuration");
    assert!(envoy.log().contains("export.clutser: there is no such field"), "{}", envoy.log());
    call();
    // Another one counts for calls that begin later; what runs ends under the one it began with.
    assert!(envoy.reconfigure(&settings.clone().filter(SECOND)), "{}", envoy.log());
    let middle = begin();
    call();
    end(old);
    assert!(envoy.reconfigure(&settings.clone().filter(THIRD)), "{}", envoy.log());
    call();
    end(middle);

    let lines = envoy.access_log(6);
    let recorded: Vec<bool> = lines.iter().map(|line| line["record"].is_string()).collect();
    assert_eq!(recorded, [true, true, false, true, true, false], "{lines:#?}");
    for line in &lines {
        assert_eq!((&line["outcome"], &line["input_tokens"]), (&"complete".into(), &"9".into()), "{line}");
    }
    // Five calls have spans; each was taken by the collector or is counted as lost.
    assert_eq!(envoy.wait_count("calls", 6), 6);
    let told = envoy.wait_count("export_spans", 5);
    assert_eq!((told, envoy.count("calls")), (5, 6), "{:?}", envoy.metrics());
    assert!(envoy.count("export_spans_dropped") <= 1, "{:?}", envoy.metrics());
    assert_eq!(envoy.stat("wasm.tollgate.vm_reload"), 0);
}
