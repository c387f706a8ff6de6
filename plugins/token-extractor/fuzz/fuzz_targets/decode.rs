//! Content encodings of any bytes, against themselves at another split. Run with `cargo +nightly fuzz run decode`.
//!
//! The first byte of the input chooses the encoding, the second is the size of the chunks.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tollgate_token_extractor::fuzzing::Decoding;
use tollgate_token_extractor::notes::{EXPANSION_LIMIT, UNDECODABLE_BODY};

const ENCODINGS: [&str; 8] = ["zstd", "br", "gzip", "deflate", "zstd", "zstd, br", "br, zstd", "gzip, deflate, zstd"];
const WINDOW: usize = 1 << 20;
/// What decoders may allocate: a window, a block and its literals, and tables, each of three times.
const MEMORY: usize = 3 * (WINDOW + 512 * 1024);

fn decode(encodings: &str, body: &[u8], size: usize) -> (Vec<u8>, Option<&'static str>) {
    let (mut decoder, mut plain) = (Decoding::new(encodings, WINDOW as u64), Vec::new());
    for chunk in body.chunks(size) {
        decoder.push(chunk, |bytes| plain.extend_from_slice(bytes));
        assert!(decoder.heap_bytes() <= MEMORY, "{}", decoder.heap_bytes());
    }
    // A megabyte is free, and the body may grow two hundred times.
    assert!(plain.len() <= (1 << 20).max(200 * body.len()));
    (plain, decoder.note())
}

fuzz_target!(|input: &[u8]| {
    let [encoding, size, body @ ..] = input else { return };
    let encodings = ENCODINGS[usize::from(encoding % 8)];
    let (whole, whole_note) = decode(encodings, body, body.len().max(1));
    let (cut, cut_note) = decode(encodings, body, usize::from(*size).max(1));
    // Where decoding stops, it may do so sooner in some chunks than in others.
    assert!(whole.starts_with(&cut) || cut.starts_with(&whole));
    let grew = [whole_note, cut_note].contains(&Some(EXPANSION_LIMIT));
    // Of two encodings on each other either may be the first to stop.
    let stacked = encodings.contains(',') && whole_note.is_some() && cut_note.is_some();
    assert!(grew || stacked || whole_note == cut_note, "{whole_note:?} {cut_note:?}");
    let stopped = grew || stacked || (whole_note == Some(UNDECODABLE_BODY) && encodings != "zstd");
    assert!(stopped || whole == cut, "{} {}", whole.len(), cut.len());
});
