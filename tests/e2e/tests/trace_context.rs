//! The caller's trace: its headers go on byte by byte, its span is the parent, and its decision counts where that is
//! wanted.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that fails says where")]

mod otlp;

use otlp::{ANSWER, PARENT, PATH, REQUEST, spans};
use std::sync::{Arc, Mutex};
use tollgate_e2e::{Answer, Envoy, Settings, Sink, Upstream, client};

type Headers = Vec<(String, Vec<u8>)>;

/// `traceparent`, lines of `tracestate`; trace state of the span, `None` where it is in a trace of its own.
type Row<'a> = (&'a [u8], &'a [&'a [u8]], Option<&'a str>);

/// A provider that keeps what headers it gets.
fn provider() -> (Upstream, Arc<Mutex<Headers>>) {
    let seen = Arc::new(Mutex::new(Headers::new()));
    let keep = Arc::clone(&seen);
    let upstream = Upstream::start(move |request| {
        keep.lock().unwrap().clone_from(&request.headers);
        Answer::json(ANSWER)
    });
    (upstream, seen)
}

fn values<'h>(headers: &'h [(String, Vec<u8>)], name: &str) -> Vec<&'h [u8]> {
    headers.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_slice()).collect()
}

#[test]
fn headers_go_on_byte_by_byte_and_spans_carry_the_trace_state() {
    let ((upstream, seen), sink) = (provider(), Sink::start());
    let Some(envoy) = Envoy::start(&Settings::new(upstream.port()).collector(sink.port())) else { return };
    let members: Vec<_> = (0..32).map(|n| format!("k{n}@vendor={}", "v".repeat(200))).collect();
    let long = members.join(",");
    let future = b"cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-ff-what-comes";
    let upper = b"00-0AF7651916CD43DD8448EB211C80319C-B7AD6B7169203331-01";
    let table: &[Row<'_>] = &[
        (PARENT, &[], Some("")),
        (PARENT, &[b"vendor=1"], Some("vendor=1")),
        (PARENT, &[b"a=1 ,\tb=2,,c=x:y;z=!"], Some("a=1 ,\tb=2,,c=x:y;z=!")),
        (PARENT, &[b"a=1,b=2", b"c=3"], Some("a=1,b=2,c=3")),
        (PARENT, &[b"ot=th:8;rv:d29d6a7215ced0,a=1"], Some("ot=th:8;rv:d29d6a7215ced0,a=1")),
        (PARENT, &[b"twice=1,twice=2,NOT A KEY"], Some("twice=1,twice=2,NOT A KEY")),
        (PARENT, &[long.as_bytes()], Some(&long)),
        (PARENT, &[b"a=\xc3\xa9"], Some("")),
        (PARENT, &[b"a=\xff\xfe"], Some("")),
        (future, &[b"a=1"], Some("a=1")),
        (upper, &[b"a=1"], None),
        (b"00-nonsense", &[b"a=1"], None),
        (b"\xff\xfe", &[b"\xff"], None),
    ];
    for (row, (parent, states, carried)) in table.iter().enumerate() {
        let mut headers: Vec<(&str, &[u8])> = vec![("traceparent", parent)];
        headers.extend(states.iter().map(|state| ("tracestate", *state)));
        assert_eq!(client::request(envoy.port(), "POST", PATH, &headers, REQUEST).status, 200, "row {row}");
        {
            let seen = seen.lock().unwrap();
            assert_eq!(values(&seen, "traceparent"), [*parent], "row {row}");
            assert_eq!(values(&seen, "tracestate"), *states, "row {row}");
        }
        let spans = spans(&sink.wait(|requests| spans(requests).len() > row));
        let span = &spans[row];
        assert_eq!(span.trace_state, carried.unwrap_or_default(), "row {row}");
        assert_eq!(span.parent_span_id.is_empty(), carried.is_none(), "row {row}");
        // W3C flags of the span itself; that its parent is remote is known, and so where there is one.
        let random = if parent.ends_with(b"-ff-what-comes") { 2 } else { 0 };
        let flags = if carried.is_some() { 0x301 } else { 0x101 };
        assert_eq!(span.flags, flags | random, "row {row}");
    }
    assert_eq!(envoy.wait_count("tracestate_discarded", 2), 2);
}

#[test]
fn the_callers_decision_counts_where_it_is_followed() {
    let (upstream, _) = provider();
    let flagged = |flags: &str| [&PARENT[..53], flags.as_bytes()].concat();
    // sampling; flags of the caller, and whether there is a span
    for (sampling, calls) in [
        (r#"{"ratio": 1}"#, &[("01", true), ("00", true), ("03", true), ("02", true), ("", true)][..]),
        (r#"{"ratio": 0}"#, &[("01", false), ("00", false), ("", false)]),
        (
            r#"{"ratio": 1, "parent": "follow"}"#,
            &[("01", true), ("00", false), ("03", true), ("02", false), ("", true)],
        ),
        (
            r#"{"ratio": 0, "parent": "follow"}"#,
            &[("01", true), ("00", false), ("03", true), ("fe", false), ("", false)],
        ),
    ] {
        let sink = Sink::start();
        let config = format!(r#"{{"sampling": {sampling}, "export": {{"cluster": "collector", "flush_ms": 20}}}}"#);
        let settings = Settings::new(upstream.port()).collector(sink.port()).filter(&config);
        let Some(envoy) = Envoy::start(&settings) else { return };
        for (flags, _) in calls {
            let parent = flagged(flags);
            let headers: &[(&str, &[u8])] = if flags.is_empty() { &[] } else { &[("traceparent", &parent)] };
            assert_eq!(client::request(envoy.port(), "POST", PATH, headers, REQUEST).status, 200);
        }
        let kept = calls.iter().filter(|(_, kept)| *kept);
        let wanted = kept.clone().count() as u64;
        assert_eq!(envoy.wait_count("export_spans", wanted), wanted, "{sampling}");
        assert_eq!(envoy.wait_count("calls", calls.len() as u64), calls.len() as u64, "{sampling}");
        assert_eq!(envoy.count("spans_unsampled"), calls.len() as u64 - wanted, "{sampling}");
        // A span that is exported is recorded, whatever its caller does; that the id is random is passed on.
        let mut flags: Vec<_> = spans(&sink.requests()).iter().map(|span| span.flags).collect();
        let mut expected: Vec<_> = kept
            .map(|(flags, _)| match *flags {
                "" => 0x101,
                "02" | "03" => 0x303,
                _ => 0x301,
            })
            .collect();
        flags.sort_unstable();
        expected.sort_unstable();
        assert_eq!(flags, expected, "{sampling}");
    }
}
