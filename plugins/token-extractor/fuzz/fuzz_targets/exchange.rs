//! An exchange of any bytes, against itself at another split. Run with `cargo +nightly fuzz run exchange`.
//!
//! The first three bytes of the input choose path, encoding and size of the chunks; the rest is the answer, and the
//! request as well.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tollgate_call::{Outcome, Reading};
use tollgate_token_extractor::notes::{EXPANSION_LIMIT, UNDECODABLE_BODY};
use tollgate_token_extractor::{Extractor, RequestHead};

const PATHS: [&str; 7] = [
    "/v1/chat/completions",
    "/v1/responses",
    "/v1/messages",
    "/v1beta/models/m:generateContent",
    "/model/m/converse",
    "/v2/chat",
    "/anything",
];
const ENCODINGS: [&str; 6] = ["", "gzip", "deflate", "br", "zstd", "zstd, gzip"];
/// What an exchange may allocate, captured content included: the largest window, and as much as anything else takes.
const MEMORY: usize = (8 << 20) + 512 * 1024;

fn read(extractor: &Extractor, path: &str, encoding: &str, body: &[u8], size: usize) -> Reading {
    let mut exchange =
        extractor.exchange(RequestHead { method: "POST", host: "api.openai.com", path, content_type: None });
    body.chunks(size).for_each(|chunk| exchange.request_body(chunk));
    exchange.response_head(200, [("content-encoding", encoding.as_bytes())]);
    body.chunks(size).for_each(|chunk| exchange.response_body(chunk, 1));
    assert!(exchange.heap_bytes() < MEMORY);
    exchange.end(Outcome::Complete)
}

fuzz_target!(|input: &[u8]| {
    let [path, encoding, size, body @ ..] = input else { return };
    let (path, encoding) = (PATHS[usize::from(*path) % PATHS.len()], ENCODINGS[usize::from(encoding % 6)]);
    let config = r#"{"content": {"input_bytes": 4096, "output_bytes": 4096}}"#;
    let extractor = Extractor::configure(config).expect("the configuration is right");
    let whole = read(&extractor, path, encoding, body, body.len().max(1));
    let content = &whole.content;
    for text in [&content.system_instructions, &content.input_messages, &content.output_messages, &content.tool_definitions]
    {
        let valid = text.as_ref().is_none_or(|text| serde_json::from_str::<serde_json::Value>(text).is_ok());
        assert!(valid, "{text:?}");
    }
    let cut = read(&extractor, path, encoding, body, usize::from(*size).max(1));
    // Damaged compressed data is decoded further in some chunks than in others, and so is what grows too much.
    let stopped = |reading: &Reading| reading.notes.contains(&EXPANSION_LIMIT);
    if stopped(&whole) || stopped(&cut) {
        return;
    }
    let damaged = |reading: &Reading| reading.notes.contains(&UNDECODABLE_BODY);
    assert!(cut == whole || (damaged(&cut) && damaged(&whole)), "{cut:?}\n{whole:?}");
});
