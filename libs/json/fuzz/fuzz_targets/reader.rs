//! The reader against itself at another split, and against serde_json. Run with `cargo +nightly fuzz run reader`.
//!
//! The first byte of the input is the size of the chunks, the rest is the text.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tollgate_json::{Error, Node, Reader, Scalar, Visitor, Want};

/// Takes everything, and writes down what it gets.
#[derive(Default, PartialEq, Debug)]
struct Everything(String);

impl Visitor for Everything {
    fn key(&mut self, at: Node, key: &[u8]) -> Want {
        self.0.push_str(&String::from_utf8_lossy(key));
        Want::Take(at.wrapping_add(1))
    }
    fn item(&mut self, at: Node) -> Want {
        Want::Take(at.wrapping_add(1))
    }
    fn scalar(&mut self, at: Node, value: Scalar<'_>) {
        self.0 += &match value {
            Scalar::Text(text) => text.to_str().into_owned(),
            other => format!("{at} {other:?}"),
        };
    }
    fn end(&mut self, _at: Node) {
        self.0.push(';');
    }
}

fn read(text: &[u8], size: usize) -> (Everything, Result<(), Error>) {
    let (mut reader, mut everything) = (Reader::new(1 << 16), Everything::default());
    for chunk in text.chunks(size) {
        let _ = reader.push(chunk, &mut everything);
    }
    let end = reader.finish(&mut everything);
    (everything, end)
}

fuzz_target!(|input: &[u8]| {
    let Some((&size, text)) = input.split_first() else { return };
    let whole = read(text, text.len().max(1));
    assert_eq!(read(text, usize::from(size).max(1)), whole);
    if serde_json::from_slice::<serde_json::Value>(text).is_ok() && text.len() < 64 {
        assert_eq!(whole.1, Ok(()), "serde_json reads it");
    }
});
