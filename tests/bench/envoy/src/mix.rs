//! The mixed traffic of the soak: documents and streams, whole, broken, large, encoded, and what is no call at all.

use crate::answer::{Answer, End};
use crate::texts::{MODEL, document, events, question};
use crate::workload::{JSON, PATH, SSE};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;
use std::rc::Rc;

const GZIP: (&str, &str) = ("content-encoding", "gzip");
const MEBIBYTE: usize = 1 << 20;
/// Names of models beyond those with series of their own.
const MODELS: u64 = 2_000;

/// What the caller does, and what is to be counted for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// The whole answer, with usage.
    Whole,
    /// The whole answer, without usage: errors and garbage.
    Unmetered,
    /// The caller goes in the middle.
    Abandoned,
    /// The provider goes in the middle.
    Broken,
    /// No call of an LLM.
    Skipped,
}

/// One exchange.
#[derive(Clone, Debug)]
pub(crate) struct Play {
    /// Path of the request.
    pub(crate) path: &'static str,
    /// Body of the request.
    pub(crate) request: Rc<Vec<u8>>,
    /// The answer.
    pub(crate) answer: Rc<Answer>,
    /// What becomes of it.
    pub(crate) fate: Fate,
}

/// All answers that are used again and again.
pub(crate) struct Mix {
    ask: Rc<Vec<u8>>,
    ask_much: Rc<Vec<u8>>,
    ask_stream: Rc<Vec<u8>>,
    small: Rc<Answer>,
    usual: Rc<Answer>,
    encoded: Rc<Answer>,
    large: Rc<Answer>,
    limited: Rc<Answer>,
    failed: Rc<Answer>,
    damaged: Rc<Answer>,
    other: Rc<Answer>,
    long: Rc<Answer>,
    short: Rc<Answer>,
    stepwise: Rc<Answer>,
    encoded_stream: Rc<Answer>,
    broken: Rc<Answer>,
    garbage: Rc<Answer>,
}

impl Mix {
    /// Makes the answers.
    ///
    /// # Errors
    /// The encoder does not encode.
    pub(crate) fn new() -> std::io::Result<Self> {
        let usual = document(MODEL, 4096);
        let short = events(40, 9_000).concat();
        let damaged = usual.get(..3_000).unwrap_or_default();
        let text = br#"{"error":{"message":"Rate limit reached.","type":"tokens","code":"rate_limit_exceeded"}}"#;
        // Cut wherever it comes, and so within events.
        let pieces = |count, end| Rc::new(Answer::stepwise(&[SSE], short.chunks(700).take(count), end));
        let ask = |size, stream| Rc::new(question(MODEL, size, stream));
        Ok(Self {
            ask: ask(0, false),
            ask_much: ask(MEBIBYTE, false),
            ask_stream: ask(0, true),
            small: Rc::new(Answer::document(200, &[JSON], &document(MODEL, 0))),
            encoded: Rc::new(Answer::document(200, &[JSON, GZIP], &gzip(&usual)?)),
            large: Rc::new(Answer::document(200, &[JSON], &document(MODEL, MEBIBYTE))),
            limited: Rc::new(Answer::document(429, &[JSON, ("retry-after", "1")], text)),
            failed: Rc::new(Answer::document(502, &[("content-type", "text/html")], b"<h1>Bad gateway</h1>")),
            damaged: Rc::new(Answer::document(200, &[JSON], damaged)),
            other: Rc::new(Answer::document(200, &[("content-type", "text/plain")], b"ok")),
            long: Rc::new(Answer::whole(&[SSE], &events(300, 57_000).concat())),
            stepwise: pieces(usize::MAX, End::Whole),
            broken: pieces(7, End::Broken),
            encoded_stream: Rc::new(Answer::whole(&[SSE, GZIP], &gzip(&short)?)),
            garbage: Rc::new(Answer::whole(&[SSE], &b"data: {]\n\nevent\n\n: \xff\n\ndata\n".repeat(40))),
            short: Rc::new(Answer::whole(&[SSE], &short)),
            usual: Rc::new(Answer::document(200, &[JSON], &usual)),
        })
    }

    /// The document of this number.
    pub(crate) fn document(&self, number: u64) -> Play {
        let play = |request: &Rc<Vec<u8>>, answer: &Rc<Answer>, fate| Play {
            path: PATH,
            request: Rc::clone(request),
            answer: Rc::clone(answer),
            fate,
        };
        match scattered(number) % 1000 {
            0..20 => play(&self.ask, &self.limited, Fate::Unmetered),
            20..30 => play(&self.ask, &self.failed, Fate::Unmetered),
            30..35 => play(&self.ask, &self.damaged, Fate::Unmetered),
            35..85 => play(&self.ask, &self.encoded, Fate::Whole),
            85..105 => {
                let model = format!("tuned-{}", scattered(number) / 1000 % MODELS);
                Play {
                    path: PATH,
                    request: Rc::new(question(&model, 0, false)),
                    answer: Rc::new(Answer::document(200, &[JSON], &document(&model, 0))),
                    fate: Fate::Whole,
                }
            }
            105 => play(&self.ask, &self.large, Fate::Whole),
            106 => play(&self.ask_much, &self.small, Fate::Whole),
            107..127 => Play { path: "/healthz", ..play(&self.ask, &self.other, Fate::Skipped) },
            127..500 => play(&self.ask, &self.usual, Fate::Whole),
            _ => play(&self.ask, &self.small, Fate::Whole),
        }
    }

    /// The stream of this number.
    pub(crate) fn stream(&self, number: u64) -> Play {
        let (answer, fate) = match scattered(number) % 100 {
            0..10 => (&self.stepwise, Fate::Abandoned),
            10..15 => (&self.broken, Fate::Broken),
            15..25 => (&self.encoded_stream, Fate::Whole),
            25..35 => (&self.stepwise, Fate::Whole),
            35..40 => (&self.garbage, Fate::Unmetered),
            40..70 => (&self.long, Fate::Whole),
            _ => (&self.short, Fate::Whole),
        };
        Play { path: PATH, request: Rc::clone(&self.ask_stream), answer: Rc::clone(answer), fate }
    }
}

fn gzip(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// The same number for the same number, with neighbours far from each other (Fibonacci hashing).
const fn scattered(number: u64) -> u64 {
    number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20
}
