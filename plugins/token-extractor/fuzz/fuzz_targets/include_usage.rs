//! The two editors of `include_usage` on any bytes. Run with `cargo +nightly fuzz run include_usage`.
//!
//! The first two bytes of the input choose the limit and the size of the chunks; the rest is a request and a stream.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tollgate_token_extractor::include_usage::{MOST_ADDED, Request, Strip, Stripped};

fn strip(limit: usize, stream: &[u8], size: usize) -> (Vec<u8>, Stripped) {
    let (mut strip, mut passed) = (Strip::new(limit), Vec::new());
    for chunk in stream.chunks(size) {
        strip.push(chunk, &mut passed);
        assert!(strip.held_bytes() <= limit);
    }
    strip.finish(&mut passed);
    (passed, strip.stripped())
}

fuzz_target!(|input: &[u8]| {
    let [limit, size, bytes @ ..] = input else { return };
    if let Ok(request) = Request::read(bytes)
        && let Some(edited) = request.edited(bytes)
    {
        assert!(edited.len() <= bytes.len() + MOST_ADDED);
        let again = Request::read(&edited).expect("the edited body is as good as the one before");
        assert!(again.asks_for_stream() && again.include_usage() == Some(true));
    }
    let limit = usize::from(*limit) * 8;
    let (whole, stripped) = strip(limit, bytes, bytes.len().max(1));
    assert!(strip(limit, bytes, usize::from(*size).max(1)).0 == whole);
    assert!(stripped.removed > 0 || whole == bytes);
});
