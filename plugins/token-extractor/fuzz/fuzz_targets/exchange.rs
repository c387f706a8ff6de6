//! An exchange of any bytes, against itself at another split. Run with `cargo +nightly fuzz run exchange`.
//!
//! The first three bytes of the input choose path, encoding and size of the chunks; the highest bit of the encoding
//! whether content is captured, of the path whether the request is a form. The rest is the answer, and the request as
//! well.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tollgate_call::{Outcome, Reading};
use tollgate_token_extractor::notes::{EXPANSION_LIMIT, UNDECODABLE_BODY};
use tollgate_token_extractor::{Extractor, RequestHead};

const PATHS: [&str; 21] = [
    "/v1/chat/completions",
    "/v1/responses",
    "/v1/messages",
    "/v1beta/models/m:generateContent",
    "/v1beta/models/m:streamGenerateContent",
    "/model/m/converse",
    "/model/m/converse-stream",
    "/model/m/invoke",
    "/model/m/invoke-with-response-stream",
    "/model/anthropic.m/invoke-with-response-stream",
    "/v2/chat",
    "/v1/completions",
    "/v1/embeddings",
    "/v1/images/edits",
    "/v1/audio/transcriptions",
    "/v2/rerank",
    "/api/chat",
    "/ml/v1/text/generation_stream",
    "/v1/p/models/e:predict",
    "/own",
    "/anything",
];
const ENCODINGS: [&str; 6] = ["", "gzip", "deflate", "br", "zstd", "zstd, gzip"];
/// What an exchange may allocate, captured content included: the largest window, and as much as anything else takes.
const MEMORY: usize = (8 << 20) + 512 * 1024;

const CAPTURES: &str = r#"{"content": {"input_bytes": 4096, "output_bytes": 4096}}"#;
const OWN: &str = r#"{"apis": [{"name": "own", "path": "/own", "stream": "documents",
    "request": {"model": "m", "stop_sequences": "s[]"},
    "response": {"model": "m", "finish_reasons": "c[choice].f", "text": "c[choice].b[block].t", "usage": "u",
        "sum": "c[choice].n", "items": "i", "tool_arguments": "c[choice].a", "end": "d=true"},
    "usage": {"input_tokens": "u.a + @cache_read_tokens", "cache_read_tokens": "u.b | u.c.x", "output_tokens": "c.n"}
}]}"#;

thread_local! {
    /// One that captures content, and one that does not.
    static EXTRACTORS: [Extractor; 2] =
        [CAPTURES, OWN].map(|config| Extractor::configure(config).expect("the configuration is right"));
}

fn read(extractor: &Extractor, path: &str, form: bool, encoding: &str, body: &[u8], size: usize) -> Reading {
    let content_type = form.then_some(b"multipart/form-data; boundary=b".as_slice());
    let mut exchange = extractor.exchange(RequestHead { method: "POST", host: "api.openai.com", path, content_type });
    body.chunks(size).for_each(|chunk| exchange.request_body(chunk));
    exchange.response_head(200, [("content-encoding", encoding.as_bytes())]);
    body.chunks(size).for_each(|chunk| exchange.response_body(chunk, 1));
    assert!(exchange.heap_bytes() < MEMORY);
    exchange.end(Outcome::Complete)
}

fuzz_target!(|input: &[u8]| EXTRACTORS.with(|extractors| {
    let [path, encoding, size, body @ ..] = input else { return };
    let [capturing, plain] = extractors;
    let (extractor, form) = (if encoding >> 7 == 0 { capturing } else { plain }, path >> 7 == 1);
    let (path, encoding) = (PATHS[usize::from(path & 127) % PATHS.len()], ENCODINGS[usize::from(encoding & 127) % 6]);
    let whole = read(extractor, path, form, encoding, body, body.len().max(1));
    let content = &whole.content;
    for text in [&content.system_instructions, &content.input_messages, &content.output_messages, &content.tool_definitions]
    {
        let valid = text.as_ref().is_none_or(|text| serde_json::from_str::<serde_json::Value>(text).is_ok());
        assert!(valid, "{text:?}");
    }
    let cut = read(extractor, path, form, encoding, body, usize::from(*size).max(1));
    // Damaged compressed data is decoded further in some chunks than in others, and so is what grows too much.
    let stopped = |reading: &Reading| reading.notes.contains(&EXPANSION_LIMIT);
    if stopped(&whole) || stopped(&cut) {
        return;
    }
    let damaged = |reading: &Reading| reading.notes.contains(&UNDECODABLE_BODY);
    assert!(cut == whole || (damaged(&cut) && damaged(&whole)), "{cut:?}\n{whole:?}");
}));
