//! Server-sent events of any bytes, against themselves at another split. Run with `cargo +nightly fuzz run sse`.
//!
//! The first byte of the input is the size of the chunks.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tollgate_token_extractor::sse::{MAX_NAME, Sink, Sse};

/// The data and the name of each event.
#[derive(Debug, Default, PartialEq)]
struct Events {
    open: Option<Vec<u8>>,
    ended: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Sink for Events {
    fn begin(&mut self, name: &[u8]) {
        assert!(self.open.is_none() && name.len() <= MAX_NAME);
        self.open = Some(Vec::new());
    }

    fn data(&mut self, piece: &[u8]) {
        self.open.as_mut().expect("data belongs to an event").extend_from_slice(piece);
    }

    fn event(&mut self, name: &[u8]) {
        assert!(name.len() <= MAX_NAME);
        self.ended.push((self.open.take().expect("an event begins before it ends"), name.to_vec()));
    }
}

fn read(bytes: &[u8], size: usize) -> (Events, bool) {
    let (mut sse, mut events) = (Sse::default(), Events::default());
    bytes.chunks(size).for_each(|chunk| sse.push(chunk, &mut events));
    assert!(sse.heap_bytes() <= 2 * MAX_NAME);
    sse.finish(&mut events);
    assert!(events.open.is_none());
    (events, sse.is_confirmed())
}

fuzz_target!(|input: &[u8]| {
    let [size, bytes @ ..] = input else { return };
    assert_eq!(read(bytes, usize::from(*size).max(1)), read(bytes, bytes.len().max(1)));
});
