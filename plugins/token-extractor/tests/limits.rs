//! What an exchange holds, and that nothing it is fed can break it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{CHAT, Call, MESSAGES, RESPONSES, sse};
use flate2::{Compression, write::GzEncoder};
use proptest::prelude::*;
use std::io::Write;
use tollgate_call::Outcome;
use tollgate_token_extractor::{Extractor, notes};

/// What an exchange of a plain answer may allocate, in bytes.
const PLAIN: usize = 8 * 1024;

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn brotli(plain: &[u8], lgwin: i32) -> Vec<u8> {
    let mut compressed = Vec::new();
    let params = brotli::enc::BrotliEncoderParams { quality: 5, lgwin, ..Default::default() };
    brotli::BrotliCompress(&mut &*plain, &mut compressed, &params).unwrap();
    compressed
}

#[test]
fn memory_does_not_grow_with_a_stream_of_fifty_megabytes() {
    let event = sse(&[
        r#"{"id":"c","model":"m","choices":[{"index":0,"delta":{"content":"some \"text\" é"},"finish_reason":null}],"usage":{"prompt_tokens":1,"completion_tokens":2}}"#,
    ]);
    let chunk = event.repeat(400);
    let mut exchange = Call::stream(CHAT, String::new()).begin();
    exchange.response_body(chunk.as_bytes(), 0);
    let early = exchange.heap_bytes();
    let mut sent = chunk.len();
    while sent < 50_000_000 {
        // A cut within an event, another one each time.
        let (head, tail) = chunk.split_at(sent % event.len());
        exchange.response_body(head.as_bytes(), 1);
        exchange.response_body(tail.as_bytes(), 2);
        sent += chunk.len();
    }
    assert!(exchange.heap_bytes() <= early.max(PLAIN), "{} after {early}", exchange.heap_bytes());
    assert!(size_of_val(&exchange) <= 2048, "{}", size_of_val(&exchange));
    let reading = exchange.end(Outcome::Complete);
    assert_eq!(reading.timing.response_bytes, sent as u64);
    assert_eq!(reading.record.unwrap().usage.unwrap().output_tokens, Some(2));
}

#[test]
fn memory_does_not_grow_with_a_document_of_fifty_megabytes() {
    let piece = r#"escaped \n \u00e9 text, and more of it; "#.repeat(1000);
    for path in [CHAT, MESSAGES, RESPONSES] {
        let mut exchange = Call::json(path, "").begin();
        exchange.response_body(br#"{"model":"m","content":[{"type":"text","text":""#, 0);
        for _ in 0..50_000_000 / piece.len() {
            exchange.response_body(piece.as_bytes(), 0);
        }
        assert!(exchange.heap_bytes() <= PLAIN, "{path}: {}", exchange.heap_bytes());
    }
}

#[test]
fn a_flood_of_names_and_counts_is_bounded_and_noted() {
    let fields: String = (0..10_000).map(|n| format!(r#""f{n}_tokens":{n},"#)).collect();
    let choices: String = (0..1_000).map(|n| format!(r#"{{"index":{n},"finish_reason":"r{n}"}},"#)).collect();
    let body = format!(
        r#"{{"id":"{}","model":"m","choices":[{choices}{{}}],"usage":{{{fields}"{}":1,"prompt_tokens":1}}}}"#,
        "i".repeat(100_000),
        "n".repeat(200),
    );
    let call = Call::json(CHAT, &body);
    let mut exchange = call.begin();
    exchange.response_body(&call.body, 0);
    assert!(exchange.heap_bytes() <= 4 * PLAIN, "{}", exchange.heap_bytes());
    let reading = call.read(&[1000]);
    assert_eq!(reading.notes, ["finish_reasons_limit", "name_truncated", "usage_fields_limit"]);
    let record = reading.record.unwrap();
    assert_eq!((record.response_id.unwrap().len(), record.finish_reasons.len()), (256, 128));
    assert_eq!(record.usage.unwrap().native.len(), 64);
}

#[test]
fn compressed_answers_are_read_and_bad_ones_noted() {
    let body = sse(&[r#"{"model":"m","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}"#, "[DONE]"]);
    let zipped = gzip(body.as_bytes());
    let cut = zipped[..zipped.len() / 2].to_vec();
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    (0..256).for_each(|_| bomb.write_all(&[b' '; 1 << 18]).unwrap());
    let zipped_again = gzip(&zipped);
    let cases: [(&str, Vec<u8>, bool, &[&str]); 10] = [
        ("gzip", zipped.clone(), true, &[]),
        ("GZIP", zipped, true, &[]),
        ("gzip", cut, false, &["truncated_encoding"]),
        ("gzip", body.as_bytes().to_vec(), false, &["undecodable_body"]),
        ("compress", zipped_again.clone(), false, &["unsupported_content_encoding"]),
        ("gzip, gzip", zipped_again, true, &[]),
        ("br", brotli(body.as_bytes(), 22), true, &[]),
        ("br", brotli(body.as_bytes(), 24), false, &["window_limit"]),
        ("zstd", zstd::bulk::compress(body.as_bytes(), 3).unwrap(), true, &[]),
        ("gzip", bomb.finish().unwrap(), false, &["expansion_limit"]),
    ];
    for (encoding, body, has_usage, notes) in cases {
        let call = Call { encoding, body, ..Call::stream(CHAT, String::new()) };
        for size in [1, 7, 1 << 20] {
            let reading = call.read(&[size]);
            assert_eq!(reading.notes, notes, "{encoding}");
            assert_eq!(reading.record.unwrap().usage.is_some(), has_usage, "{encoding}");
        }
        let mut exchange = call.begin();
        exchange.response_body(&call.body, 0);
        let most = 64 * 1024 * encoding.split(',').count();
        assert!(exchange.heap_bytes() < most, "{encoding}: {}", exchange.heap_bytes());
    }
}

#[test]
fn a_broken_off_encoding_is_no_fault_of_an_aborted_answer() {
    let body = gzip(&sse(&[r#"{"model":"m","choices":[]}"#]).repeat(3).into_bytes());
    let call = Call { encoding: "gzip", body, ..Call::stream(CHAT, String::new()) };
    let reading = call.cut_at(call.body.len() - 12, Outcome::UpstreamAborted);
    assert_eq!(reading.notes, [""; 0]);
    assert_eq!(reading.record.unwrap().error_type.as_deref(), Some("upstream_aborted"));
}

/// Bytes that often look like an answer.
fn answer() -> impl Strategy<Value = Vec<u8>> {
    let words = prop::sample::select(vec![
        "data: ",
        "data:",
        "\n\n",
        "\r\n",
        "\n",
        "event: error\n",
        "[DONE]",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        "\\u00e9",
        "\\ud83c",
        "\"id\":",
        "\"model\":",
        "\"choices\":[{",
        "\"delta\":{\"content\":\"x\"}",
        "\"usage\":{",
        "\"prompt_tokens\":",
        "\"input_tokens\":",
        "\"type\":\"message_start\"",
        "\"message\":{",
        "\"response\":{",
        "\"object\":\"chat.completion\"",
        "\"error\":{",
        "\"finish_reason\":",
        "\"stop\"",
        "null",
        "true",
        "12",
        "-1",
        "1.5",
        "é",
        "\u{FEFF}",
        " ",
    ]);
    let piece = prop_oneof![12 => words.prop_map(|word| word.as_bytes().to_vec()), 1 => prop::collection::vec(any::<u8>(), 1..4)];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_read_the_same_at_any_split_and_break_nothing(
        body in answer(),
        request in answer(),
        sizes in prop::collection::vec(1..20_usize, 1..5),
        path in prop::sample::select(vec![CHAT, MESSAGES, RESPONSES, "/unknown"]),
        encoding in prop::sample::select(vec!["", "gzip", "deflate"]),
        zipped in any::<bool>(),
        captured in prop::sample::select(vec![0, 10, 1000]),
    ) {
        let config = format!(r#"{{"content": {{"input_bytes": {captured}, "output_bytes": {captured}}}}}"#);
        let body = if zipped { gzip(&body) } else { body };
        let extractor = Extractor::configure(&config).unwrap();
        let call = Call { extractor, request, encoding, body, ..Call::json(path, "") };
        let whole = call.read(&[usize::MAX]);
        for sizes in [sizes, vec![1]] {
            let cut = call.read(&sizes);
            // Damaged compressed data is decoded further in some chunks than in others.
            let damaged = [&cut, &whole].iter().all(|reading| reading.notes.contains(&notes::UNDECODABLE_BODY));
            prop_assert!(cut == whole || damaged, "{:?}\n{:?}", cut, whole);
        }
        let _ = call.cut_at(call.body.len() / 2, Outcome::TimedOut);
    }
}
