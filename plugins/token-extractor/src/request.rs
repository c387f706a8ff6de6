//! What a request says: the model it asks for, and whether it asks for a stream.

use crate::facts::keep;
use crate::notes::{self, Notes};
use tollgate_json::{Node, Reader, Scalar, Visitor, Want};

const MODEL: Node = 1;
const STREAM: Node = 2;

/// Reads the body of a request; everything but the two fields is passed over.
#[derive(Debug)]
pub(crate) struct Request {
    reader: Reader,
    said: Said,
}

#[derive(Debug, Default)]
struct Said {
    model: Option<String>,
    stream: bool,
    notes: Notes,
}

impl Request {
    pub(crate) fn new() -> Self {
        Self { reader: Reader::new(crate::facts::MAX_NAME + 1), said: Said::default() }
    }

    pub(crate) fn push(&mut self, chunk: &[u8]) {
        if self.reader.push(chunk, &mut self.said).is_err() {
            self.said.notes.add(notes::MALFORMED_REQUEST);
        }
    }

    pub(crate) fn model(&self) -> Option<&str> {
        self.said.model.as_deref()
    }

    pub(crate) fn wants_stream(&self) -> bool {
        self.said.stream
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.reader.heap_bytes()
    }

    pub(crate) fn into_notes(self) -> Notes {
        self.said.notes
    }
}

impl Visitor for Said {
    fn key(&mut self, at: Node, key: &[u8]) -> Want {
        match (at, key) {
            (Reader::ROOT, b"model") => Want::Take(MODEL),
            (Reader::ROOT, b"stream") => Want::Take(STREAM),
            _ => Want::Skip,
        }
    }

    fn item(&mut self, _at: Node) -> Want {
        Want::Skip
    }

    fn scalar(&mut self, at: Node, value: Scalar<'_>) {
        match (at, value) {
            (MODEL, Scalar::Text(text)) => keep(&mut self.model, text, &mut self.notes),
            (STREAM, Scalar::Bool(value)) => self.stream = value,
            _ => {}
        }
    }
}
