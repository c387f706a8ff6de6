//! What fuzz targets need of the inside. No part of the interface: it may change at any time.

use crate::extractor::DEFAULT_EXPANSION;
use tollgate_decoding::Decoder;

/// A decoder of content encodings.
#[derive(Debug)]
pub struct Decoding(Decoder);

impl Decoding {
    /// For the value of a `content-encoding` header.
    #[must_use]
    pub fn new(encodings: &str, window_limit: u64) -> Self {
        let mut decoder = Decoder::new(DEFAULT_EXPANSION, window_limit);
        decoder.add(encodings.as_bytes());
        Self(decoder)
    }

    /// Decodes the next bytes.
    pub fn push(&mut self, chunk: &[u8], plain: impl FnMut(&[u8])) {
        self.0.push(chunk, plain);
    }

    /// Bytes of memory that are allocated.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.0.heap_bytes()
    }

    /// Why the body was not read whole.
    #[must_use]
    pub fn note(&self) -> Option<&'static str> {
        self.0.note()
    }
}
