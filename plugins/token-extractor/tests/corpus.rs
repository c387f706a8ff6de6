//! Recorded traffic reads as it is said to read: whole, byte by byte, seven bytes at a time, and at random splits.
//!
//! The recording is named by `TOLLGATE_TRAFFIC`, a gzip file of JSON lines. Without it the test is skipped aloud, or
//! fails where `TOLLGATE_REQUIRE_DATA=1`.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use tollgate_call::{Outcome, Reading, UsageSource};
use tollgate_token_extractor::{Extractor, RequestHead};

/// Random ways to cut each exchange.
const SPLITS: u64 = 20;
const COUNTS: [&str; 5] =
    ["input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens"];

#[test]
fn recorded_exchanges_read_as_expected_at_every_chunk_size() {
    let Ok(path) = std::env::var("TOLLGATE_TRAFFIC") else {
        assert!(std::env::var("TOLLGATE_REQUIRE_DATA").as_deref() != Ok("1"), "TOLLGATE_TRAFFIC is not set");
        eprintln!("SKIPPED: recorded traffic; set TOLLGATE_TRAFFIC to the path of exchanges.jsonl.gz");
        return;
    };
    let file = std::fs::File::open(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let extractor = Extractor::default();
    let (mut judged, mut failures) = (0, Vec::new());
    for (index, line) in BufReader::new(GzDecoder::new(file)).lines().enumerate() {
        let exchange: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let recorded = Recorded::of(&exchange);
        let fixed = [("whole".to_owned(), vec![usize::MAX]), ("1".to_owned(), vec![1]), ("7".to_owned(), vec![7])];
        let random = (0..SPLITS).map(|seed| {
            let mut random = Random(seed.wrapping_mul(0x9E37_79B9).wrapping_add(index as u64 + 1));
            (format!("random {seed}"), (0..97).map(|_| random.size()).collect())
        });
        for (name, sizes) in fixed.into_iter().chain(random) {
            let reading = recorded.read(&extractor, &sizes);
            for problem in problems(&exchange["expect"], &reading) {
                let id = &exchange["id"];
                failures.push(format!("{path}:{} id {id} seat library split {name}: {problem}", index + 1));
            }
            judged += 1;
        }
    }
    assert!(failures.is_empty(), "{} problems\n{}", failures.len(), failures.join("\n"));
    assert!(judged > 0, "{path} has no exchange");
}

/// Sizes of chunks from a seed (xorshift): mostly small, now and then large.
struct Random(u64);

impl Random {
    fn size(&mut self) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let most = if self.0.is_multiple_of(5) { 2000 } else { 40 };
        1 + usize::try_from((self.0 >> 8) % most).unwrap()
    }
}

/// An exchange as it was recorded.
struct Recorded<'a> {
    exchange: &'a Value,
    request: Vec<u8>,
    body: Vec<u8>,
}

impl<'a> Recorded<'a> {
    fn of(exchange: &'a Value) -> Self {
        let body = |plain: &str, encoded: &str| match exchange[encoded].as_str() {
            Some(encoded) => STANDARD.decode(encoded).unwrap(),
            None => exchange[plain].as_str().unwrap_or_default().as_bytes().to_vec(),
        };
        Self { exchange, request: body("request", "request_b64"), body: body("body", "body_b64") }
    }

    /// The exchange in chunks of these sizes, over and over.
    fn read(&self, extractor: &Extractor, sizes: &[usize]) -> Reading {
        let text = |name: &str| self.exchange[name].as_str().unwrap_or_default();
        let head = RequestHead { method: text("method"), host: text("host"), path: text("path"), content_type: None };
        let mut call = extractor.exchange(head);
        each(&self.request, sizes, |chunk| call.request_body(chunk));
        let headers = [
            ("content-type", text("content_type").as_bytes()),
            ("content-encoding", text("content_encoding").as_bytes()),
        ];
        call.response_head(u16::try_from(self.exchange["status"].as_u64().unwrap()).unwrap(), headers);
        let mut elapsed = 0;
        each(&self.body, sizes, |chunk| {
            call.response_body(chunk, elapsed);
            elapsed += 1;
        });
        call.end(Outcome::Complete)
    }
}

fn each<'b>(bytes: &'b [u8], sizes: &[usize], mut chunk: impl FnMut(&'b [u8])) {
    let (mut rest, mut sizes) = (bytes, sizes.iter().cycle());
    while !rest.is_empty() {
        let (head, left) = rest.split_at((*sizes.next().unwrap()).min(rest.len()));
        chunk(head);
        rest = left;
    }
}

/// What a provider's own reference says, where the expectation leaves it out: the field, the APIs, and why.
const SAID_BY_THE_ANSWER: &[(&str, &[&str], &str)] = &[
    (
        "finish_reasons",
        &["invoke", "invoke-with-response-stream"],
        "`stop_reason` and the like, in each family's format",
    ),
    ("finish_reasons", &["ollama"], "`done_reason`"),
    ("response_id", &["cohere.chat"], "`id` and `generation_id`, at the beginning of a stream too"),
    ("response_id", &["invoke-with-response-stream"], "`message_start.message.id`"),
    ("request_model", &["generateContent", "converse", "converse-stream"], "the path names it, whatever the status"),
];

/// Everything in which a reading differs from what is expected.
fn problems(expect: &Value, reading: &Reading) -> Vec<String> {
    let Ok(record) = &reading.record else { return vec![format!("no record: {:?}", reading.record)] };
    let mut problems = Vec::new();
    let got = serde_json::to_value(record).unwrap();
    let api = expect["api"].as_str().unwrap();
    let mut compare = |name: &str, expected: &Value, got: &Value| {
        let left_out = expected.is_null() || *expected == Value::from(Vec::<Value>::new());
        let said = SAID_BY_THE_ANSWER.iter().any(|(field, apis, _)| *field == name && apis.contains(&api));
        // An id may be a number.
        let same = expected == got
            || expected.as_u64().is_some_and(|number| got.as_str() == Some(number.to_string().as_str()));
        if !(same || left_out && said) {
            problems.push(format!("{name} is {got}, not {expected}"));
        }
    };
    compare("request_model", &expect["request_model"], &got["request_model"]);
    compare("api", &expect["api"], &got["api"]);
    if !expect["provider"].is_null() {
        compare("provider", &expect["provider"], &got["provider"]);
    }
    if expect["error"] == true {
        compare("has error_type", &Value::Bool(true), &Value::Bool(record.error_type.is_some()));
        return problems;
    }
    for name in ["response_model", "response_id", "stream", "finish_reasons"] {
        compare(name, &expect[name], &got[name]);
    }
    // The usage of some families of models on Bedrock is left open.
    if expect["loose"] == true {
        return problems;
    }
    compare("usage is missing", &Value::Bool(expect["usage"].is_null()), &Value::Bool(record.usage.is_none()));
    if !expect["usage"].is_null() {
        for name in COUNTS {
            let count = |usage: &Value| Value::from(usage[name].as_u64().unwrap_or(0));
            compare(name, &count(&expect["usage"]), &count(&got["usage"]));
        }
        // Ollama leaves a count out where it is none.
        let whole = ["input_tokens", "output_tokens"].iter().all(|name| expect["usage"][name].as_u64() > Some(0));
        let source =
            if whole || got["usage_source"] != "partial" { UsageSource::Reported } else { UsageSource::Partial };
        compare("usage_source", &serde_json::to_value(source).unwrap(), &got["usage_source"]);
        compare("notes", &Value::from(Vec::<&str>::new()), &Value::from(reading.notes.clone()));
    }
    problems
}
