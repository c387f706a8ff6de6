//! What reading an answer costs, against the plain way to do it: every event to a `serde_json::Value`.
//!
//! The crate is linked into a native benchmark and is a wasm module of its own, so that both run the same work over the
//! same bytes. The peer gets each body in one piece and knows its frames beforehand, so it pays for neither chunks nor
//! content.

#![expect(clippy::expect_used, reason = "a benchmark fails by panicking")]

mod bodies;

use std::cell::RefCell;
use std::hint::black_box;
use tollgate_call::Outcome;
use tollgate_token_extractor::{Extractor, RequestHead};

/// An answer, and how it comes.
#[derive(Clone, Debug)]
pub struct Case {
    /// What it is.
    pub name: &'static str,
    /// Path of the request.
    pub path: &'static str,
    /// The answer.
    pub body: Vec<u8>,
    /// How it comes.
    pub chunks: Chunks,
    /// Where the documents in it are.
    documents: Vec<std::ops::Range<usize>>,
    /// Bytes of its frame before each document.
    before: usize,
    /// Tokens of output that it reports.
    output_tokens: u64,
}

/// What comes at once.
#[derive(Clone, Copy, Debug)]
pub enum Chunks {
    /// As many bytes.
    Of(usize),
    /// A document with its frame.
    Events,
}

impl Case {
    /// Documents in the answer: events, lines, or the one it is.
    #[must_use]
    pub fn events(&self) -> usize {
        self.documents.len()
    }
}

/// Who reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// The token extractor.
    Tollgate,
    /// `serde_json`, every document to a `Value`.
    Serde,
}

/// Every case.
#[must_use]
pub fn cases() -> Vec<Case> {
    bodies::cases()
}

/// Reads a case a number of times, and gives the tokens that were counted.
#[must_use]
pub fn read(case: &Case, reader: Reader, times: u32) -> u64 {
    EXTRACTOR.with(|extractor| {
        let once = |_| match reader {
            Reader::Tollgate => read_with_tollgate(extractor, case),
            Reader::Serde => read_with_serde(case),
        };
        (0..times).map(once).sum()
    })
}

fn read_with_tollgate(extractor: &Extractor, case: &Case) -> u64 {
    let head = RequestHead { method: "POST", host: "api.openai.com", path: case.path, ..RequestHead::default() };
    let mut exchange = extractor.exchange(head);
    exchange.response_head(200, []);
    let body = black_box(&case.body);
    match case.chunks {
        Chunks::Of(bytes) => body.chunks(bytes).for_each(|chunk| exchange.response_body(chunk, 1)),
        Chunks::Events => {
            // A frame begins where the one before ended; what is behind the last document belongs to it.
            let begins = case.documents.iter().map(|document| document.start - case.before);
            for (begin, end) in begins.clone().zip(begins.skip(1).chain([body.len()])) {
                exchange.response_body(body.get(begin..end).expect("documents are in the body"), 1);
            }
        }
    }
    let record = exchange.end(Outcome::Complete).record.expect("it is a call");
    let tokens = record.usage.and_then(|usage| usage.output_tokens);
    assert_eq!(tokens, Some(case.output_tokens), "{}", case.name);
    case.output_tokens
}

fn read_with_serde(case: &Case) -> u64 {
    let body = black_box(&case.body);
    for document in &case.documents {
        let text = body.get(document.clone()).expect("documents are in the body");
        black_box(serde_json::from_slice::<serde_json::Value>(text).ok());
    }
    case.output_tokens
}

thread_local! {
    /// Made once, as a seat makes it when it is configured.
    static EXTRACTOR: Extractor = Extractor::default();
    static CASES: RefCell<Vec<Case>> = const { RefCell::new(Vec::new()) };
}

/// [`read`] for a host of wasm: the case by its number; the reader is 0 for ours, else the peer.
#[expect(unsafe_code, reason = "an export has to have its name")]
#[unsafe(no_mangle)]
pub extern "C" fn read_case(case: u32, reader: u32, times: u32) -> u64 {
    CASES.with_borrow_mut(|cases| {
        if cases.is_empty() {
            *cases = self::cases();
        }
        let reader = if reader == 0 { Reader::Tollgate } else { Reader::Serde };
        let place = usize::try_from(case).unwrap_or(usize::MAX);
        cases.get(place).map_or(0, |case| read(case, reader, times))
    })
}
