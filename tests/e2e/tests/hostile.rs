//! Bodies that nobody should send, and more of them than anybody should: traffic passes byte for byte, within bounded
//! memory, and the counters say what was not read.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that fails says where")]

use flate2::{Compression, Crc, write::GzEncoder};
use std::io::Write;
use std::thread;
use std::time::Duration;
use tollgate_e2e::chat::{ANSWER, EVENT_STREAM, PATH, REQUEST, events, slices};
use tollgate_e2e::{Answer, Envoy, Piece, Request, Settings, Upstream, client};

const ACT: &str = "x-act";
const JSON: (&str, &str) = ("content-type", "application/json");
const MIB: usize = 1 << 20;

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

/// An event of a stream whose text is this long.
fn event(length: usize) -> Vec<u8> {
    let text = "x".repeat(length);
    String::from_utf8(events()[1].clone()).unwrap().replace("hello", &text).into_bytes()
}

/// A body of odd bytes, by its name, with the headers that come with it.
fn odd(name: &str) -> (Vec<u8>, Vec<(&'static str, &'static str)>) {
    let stream = vec![EVENT_STREAM[0]];
    let encoded = |kind| vec![kind, ("content-encoding", "gzip")];
    let parts = events();
    let around = |middle: &[u8]| [&parts[0][..], middle, &parts[1], &parts[2], &parts[3], &parts[4]].concat();
    match name {
        "garbage event" => (around(b"data: {\"a\":]]]\n\n"), stream),
        "garbage stream" => ((0..=255).cycle().take(100_000).collect(), stream),
        "not utf-8" => (around(b"data: {\"choices\":[{\"delta\":{\"content\":\"\xff\xfe\x80\"}}]}\n\n"), stream),
        "a line of 3 MiB" => (around(&event(3 * MIB)), stream),
        "zeros" => (vec![0; 100_000], vec![JSON]),
        "deep" => ([vec![b'['; 200_000], vec![b']'; 200_000]].concat(), vec![JSON]),
        "bomb" => (gzip(&vec![b' '; 300 * MIB]), encoded(JSON)),
        "bomb of events" => (gzip(&b"data: {}\n\n".repeat(10 * MIB)), encoded(EVENT_STREAM[0])),
        "no gzip" => (ANSWER.as_bytes().to_vec(), encoded(JSON)),
        "half a gzip" => (gzip(ANSWER.as_bytes())[..100].to_vec(), encoded(JSON)),
        "unknown encoding" => (ANSWER.as_bytes().to_vec(), vec![JSON, ("content-encoding", "snappy")]),
        "gzip" => (gzip(ANSWER.as_bytes()), encoded(JSON)),
        other => (other.as_bytes().to_vec(), vec![]),
    }
}

#[test]
fn odd_answers_pass_and_are_counted() {
    // What, the note that counts it, and whether usage is known.
    let rows = [
        ("garbage event", Some("malformed_response"), true),
        ("garbage stream", None, false),
        ("not utf-8", None, true),
        ("a line of 3 MiB", None, true),
        ("zeros", None, false),
        ("deep", None, false),
        ("bomb", Some("expansion_limit"), false),
        ("bomb of events", Some("expansion_limit"), false),
        ("no gzip", Some("undecodable_body"), false),
        ("half a gzip", Some("truncated_encoding"), false),
        ("unknown encoding", Some("unsupported_content_encoding"), false),
        ("gzip", None, true),
    ];
    let upstream = Upstream::start(|request| {
        let (body, headers) = odd(&request.header(ACT).unwrap());
        Answer::chunked(200, &headers, body.chunks(30_000)).end()
    });
    let Some(envoy) = Envoy::start(&Settings::new(upstream.port())) else { return };
    let mut most = 0;
    for (number, (what, note, counted)) in rows.into_iter().enumerate() {
        let before = note.map(|note| envoy.count(&format!("notes;note={note}")));
        let response = client::request(envoy.port(), "POST", PATH, &[(ACT, what.as_bytes())], REQUEST);
        assert_eq!((response.status, response.whole), (200, true), "{what}");
        assert!(response.body == odd(what).0, "{what}: bytes changed");
        let line = &envoy.access_log(number + 1)[number];
        assert_eq!((&line["outcome"], &line["provider"]), (&"complete".into(), &"openai".into()), "{what}");
        assert_eq!(line["input_tokens"].is_string(), counted, "{what}: {line}");
        if let (Some(before), Some(note)) = (before, note) {
            let note = format!("notes;note={note}");
            assert_eq!(envoy.wait_count(&note, before + 1), before + 1, "{what}: {:?}", envoy.metrics());
        }
        most = most.max(envoy.count("memory_bytes"));
    }
    assert_eq!(envoy.count("calls"), u64::try_from(rows.len()).unwrap());
    // A worker's and the main thread's: a bomb or a long line leaves nothing behind.
    assert!(most < 8 * MIB as u64, "{most} bytes of memory of the modules");
}

#[test]
fn odd_requests_pass_and_are_counted() {
    let upstream = Upstream::start(|request: &Request| Answer::sized(200, &[JSON], &request.body));
    let Some(envoy) = Envoy::start(&Settings::new(upstream.port())) else { return };
    let large = format!(r#"{{"model":"gpt-4o","input":"{}"}}"#, "y".repeat(20 * MIB));
    let rows: [(&str, &[u8], &[u8], bool); 6] = [
        ("not utf-8", b"{\"model\":\"gpt-4o\",\"messages\":[{\"content\":\"\xff\xfe\"}]}", b"", true),
        ("a model that is not utf-8", b"{\"model\":\"gpt-\xff\"}", b"", true),
        ("garbage", b"{]}[", b"", false),
        ("nothing", b"", b"", false),
        ("20 MiB", large.as_bytes(), b"", true),
        // What is encoded is not decoded on the way in: the answer names the model.
        ("gzip", &gzip(REQUEST), b"gzip", false),
    ];
    for (number, (what, body, encoding, named)) in rows.into_iter().enumerate() {
        let headers: &[(&str, &[u8])] = &[("content-type", b"application/json"), ("content-encoding", encoding)];
        let headers = if encoding.is_empty() { &headers[..1] } else { headers };
        let response = client::request(envoy.port(), "POST", PATH, headers, body);
        assert_eq!((response.status, response.whole), (200, true), "{what}");
        assert!(response.body == body, "{what}: bytes changed");
        let line = &envoy.access_log(number + 1)[number];
        assert_eq!(line["outcome"], "complete", "{what}");
        let record: serde_json::Value = serde_json::from_str(line["record"].as_str().unwrap()).unwrap();
        assert_eq!(record["request_model"].is_string(), named, "{what}: {record}");
    }
    assert_eq!(envoy.count("calls"), 6);
    assert!(envoy.count("notes;note=malformed_request") >= 2, "{:?}", envoy.metrics());
    assert!(envoy.count("memory_bytes") < 8 * MIB as u64, "{}", envoy.count("memory_bytes"));
}

/// An answer of a hundred megabytes: events of about a kilobyte, usage last; with length and sum of its bytes.
fn hundred_megabytes() -> (Answer, u32, u32) {
    let parts = events();
    let hundred = event(900).repeat(100);
    let mut sum = Crc::new();
    sum.update(&parts[0]);
    let mut answer = Answer::chunked(200, EVENT_STREAM, [&parts[0][..]]);
    while sum.amount() < 100 << 20 {
        sum.update(&hundred);
        answer = answer.chunk(&hundred);
    }
    let rest = parts[2..].concat();
    sum.update(&rest);
    (answer.chunk(&rest).end(), sum.amount(), sum.sum())
}

#[test]
fn a_hundred_megabytes_and_a_caller_that_is_slow() {
    let upstream = Upstream::start(|_| hundred_megabytes().0);
    let Some(envoy) = Envoy::start(&Settings::new(upstream.port())) else { return };
    // Once for the pages that a first call touches.
    let _ = client::post(envoy.port(), PATH, REQUEST);
    let (memory, resident) = (envoy.count("memory_bytes"), envoy.resident_bytes());

    let mut exchange = client::Exchange::begin(envoy.port(), "POST", PATH, &[], REQUEST);
    assert_eq!(exchange.head().status, 200);
    // The caller stops reading: what the provider has to say waits at the provider, not in Envoy.
    thread::sleep(Duration::from_secs(1));
    let held = envoy.resident_bytes().saturating_sub(resident);
    assert!(held < 20 * MIB as u64, "Envoy took {held} bytes for a caller that does not read");
    let (mut body, mut sum) = (Vec::new(), Crc::new());
    while exchange.chunk(&mut body) {
        sum.update(&body);
        body.clear();
    }
    let (_, length, expected) = hundred_megabytes();
    assert_eq!((sum.amount(), sum.sum()), (length, expected), "bytes changed");
    let line = &envoy.access_log(2)[1];
    assert_eq!((&line["outcome"], &line["input_tokens"]), (&"complete".into(), &"9".into()));
    assert_eq!(envoy.count("memory_bytes"), memory, "an answer of any length takes no more memory");
}

/// Streams that are open at a time.
const OPEN: usize = 2_000;

#[test]
fn two_thousand_streams_at_a_time() {
    let parts = events();
    let expected = parts.concat();
    let upstream = Upstream::start(move |_| {
        Answer::chunked(200, EVENT_STREAM, slices(&parts[..2])).then(Piece::Hold).chunk(&parts[2..].concat()).end()
    });
    let filter = r#"{"access_log": "record"}"#;
    let mut settings = Settings::new(upstream.port()).filter(filter);
    // Envoy's own limits of a cluster are 1,024.
    settings.replace.push((
        "    - name: provider\n".to_owned(),
        "    - name: provider\n      circuit_breakers: { thresholds: [{ max_connections: 9000, max_pending_requests: 9000, max_requests: 9000 }] }\n".to_owned(),
    ));
    let Some(envoy) = Envoy::start(&settings) else { return };
    let _warm = {
        let mut one = client::Exchange::begin(envoy.port(), "POST", PATH, &[], REQUEST);
        let head = one.head();
        upstream.go_on();
        one.rest(head)
    };
    let before = envoy.count("memory_bytes");
    let mut open: Vec<_> = (0..OPEN)
        .map(|_| {
            let mut exchange = client::Exchange::begin(envoy.port(), "POST", PATH, &[], REQUEST);
            let mut head = exchange.head();
            assert_eq!(head.status, 200);
            assert!(exchange.chunk(&mut head.body));
            (exchange, head)
        })
        .collect();
    let each = (envoy.count("memory_bytes") - before) / OPEN as u64;
    assert!(each <= 4_096, "{each} bytes of memory for an open stream");
    assert_eq!(envoy.count("calls"), 1, "none of them has ended");
    // A third of the callers go away.
    open.truncate(OPEN - OPEN / 3);
    let whole = open.len();
    (0..OPEN).for_each(|_| upstream.go_on());
    for (exchange, head) in open {
        let begun = head.body.clone();
        let response = exchange.rest(head);
        assert!(response.whole && [begun, response.body].concat().ends_with(&expected[expected.len() - 300..]));
    }
    let ended = |outcome: &str, count: usize| {
        let name = format!("calls;provider=openai;operation=chat;model=gpt-4o-2024-08-06;outcome={outcome}");
        assert_eq!(envoy.wait_count(&name, count as u64), count as u64, "{outcome}");
    };
    ended("complete", whole + 1);
    ended("client_aborted", OPEN / 3);
    assert_eq!(envoy.count("calls"), OPEN as u64 + 1);
}
