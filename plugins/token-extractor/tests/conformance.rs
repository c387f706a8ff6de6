//! The conformance corpus (`tests/conformance`) reads as its files say, however the answers are cut.
//!
//! Every case is read whole, byte by byte, seven bytes at a time, frame by frame, in two parts cut at every place, and
//! at random splits. A failing line names the file, the seat and the split.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::{Map, Value};
use std::collections::BTreeSet;
use tollgate_call::{Outcome, Reading};
use tollgate_conformance::{Case, corpus, differences, load};
use tollgate_token_extractor::{Extractor, RequestHead, notes};

/// Bytes of the longest body that is cut in two at every place.
const MAX_CUT_EVERYWHERE: usize = 2048;
/// Random ways to cut each answer.
const RANDOM: u64 = 8;
/// Lines a case that fails; what follows from the same fault tells nothing new.
const MAX_LINES: usize = 4;

#[test]
fn every_case_reads_as_expected_at_every_split() {
    let extractor = Extractor::default();
    let mut failures = Vec::new();
    let cases = load(corpus()).unwrap();
    for case in &cases {
        let whole = read(&extractor, case, &[]);
        let mut problems = differences(&case.expect, &fields(&whole));
        if !case.expect.contains_key("notes") && !whole.notes.is_empty() {
            problems.push(format!("notes are {:?}, not none", whole.notes));
        }
        let line =
            |split: &str, problem: &str| format!("{} ({}) seat library split {split}: {problem}", case.file, case.name);
        let mut problems: Vec<_> = problems.iter().map(|problem| line("whole", problem)).collect();
        // How much of a damaged encoding can be decoded does depend on the chunks.
        let comparable = !whole.notes.contains(&notes::UNDECODABLE_BODY);
        for (split, cuts) in splits(case).into_iter().filter(|_| comparable) {
            let reading = read(&extractor, case, &cuts);
            if said(&reading) != said(&whole) {
                problems.push(line(&split, &format!("reads {:?}, and not as in one piece", said(&reading))));
            }
        }
        let left = problems.len().saturating_sub(MAX_LINES);
        failures.extend(problems.into_iter().take(MAX_LINES));
        if left > 0 {
            failures.push(format!("{}: and {left} more", case.file));
        }
    }
    assert!(failures.is_empty(), "{} problems\n{}", failures.len(), failures.join("\n"));
    assert!(cases.len() >= 300, "there are only {} cases", cases.len());
}

#[test]
fn what_is_broken_off_anywhere_claims_no_more_than_came() {
    let extractor = Extractor::default();
    for case in load(corpus()).unwrap().iter().filter(|case| case.cut.is_none() && case.response.is_some()) {
        let whole = read(&extractor, case, &[]);
        let Ok(complete) = &whole.record else { continue };
        let length = case.transferred().len();
        let text = String::from_utf8_lossy(case.transferred());
        // In base64 no number can be seen.
        let wrapped = text.contains(r#"{"bytes":"#);
        let plain = !wrapped && case.response.as_ref().is_some_and(|response| response.encoding.is_none());
        let numbers = plain.then(|| text.split(|letter: char| !letter.is_ascii_digit()).collect::<BTreeSet<_>>());
        let cuts =
            if length <= MAX_CUT_EVERYWHERE { (0..length).collect() } else { case.boundaries().collect::<Vec<_>>() };
        for cut in cuts {
            let mut exchange = begin(&extractor, case);
            exchange.response_body(case.transferred().get(..cut).unwrap(), 1);
            // A host that nobody knows has to be confirmed by what came until then.
            let Ok(record) = exchange.end(Outcome::UpstreamAborted).record else { continue };
            let at = format!("{} broken off at {cut}", case.file);
            assert_eq!(record.outcome, Outcome::UpstreamAborted, "{at}");
            assert_eq!(record.usage.is_none(), record.usage_source.is_none(), "{at}");
            // An error that the provider told is a last word too.
            let ended = record.error_type.as_deref() != Some("upstream_aborted");
            let says = record.usage_source.map(|source| source.as_str());
            assert!(ended || matches!(says, None | Some("aborted")), "{at}: {record:?}");
            // Counts grow and are replaced; none is ever above the last word.
            let counts = |usage: &Option<tollgate_call::Usage>| {
                usage.as_ref().and_then(|usage| usage.native.values().copied().max()).unwrap_or(0)
            };
            assert!(counts(&record.usage) <= counts(&complete.usage), "{at}: {record:?}");
            // Nor is it the beginning of a number that was cut.
            for (name, count) in record.usage.iter().flat_map(|usage| &usage.native) {
                let whole = numbers.as_ref().is_none_or(|numbers| numbers.contains(count.to_string().as_str()));
                assert!(whole || name.contains("iterations") || !name.starts_with("usage"), "{at}: {name} {count}");
            }
        }
    }
}

#[test]
fn files_are_named_told_apart_and_sourced() {
    let cases = load(corpus()).unwrap();
    let mut names = BTreeSet::new();
    for case in &cases {
        let family = case.file.split('/').next();
        assert!(names.insert((family, case.name.as_str())), "{} has the name of another", case.file);
        assert!(case.source.len() > 20, "{} does not say what its shape is from", case.file);
        let stem = case.file.trim_end_matches(".json");
        let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "-/".contains(letter);
        assert!(stem.chars().all(plain), "{} is not in lower case with dashes", case.file);
    }
}

/// What a reading says that does not depend on a clock.
fn said(reading: &Reading) -> (&Result<tollgate_call::Record, tollgate_call::Skipped>, &[&'static str], u64) {
    (&reading.record, &reading.notes, reading.timing.output_chunks)
}

/// Ways to cut the answer: what they are called, and where the cuts are.
fn splits(case: &Case) -> Vec<(String, Vec<usize>)> {
    let length = case.transferred().len();
    let every = |size: usize| (size..length).step_by(size).collect::<Vec<_>>();
    let mut splits = vec![
        ("1".to_owned(), every(1)),
        ("7".to_owned(), every(7)),
        ("frames".to_owned(), case.boundaries().collect()),
    ];
    if length <= MAX_CUT_EVERYWHERE {
        splits.extend((1..length).map(|cut| (format!("in two at {cut}"), vec![cut])));
    }
    for seed in 1..=RANDOM {
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let cuts = (0..length.min(40)).map(|_| random.below(length)).collect::<BTreeSet<_>>();
        splits.push((format!("random {seed}"), cuts.into_iter().collect()));
    }
    splits
}

/// Numbers from a seed (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap() % limit.max(1)
    }
}

/// The exchange up to the head of the answer.
fn begin(extractor: &Extractor, case: &Case) -> tollgate_token_extractor::Exchange {
    let request = &case.request;
    let header =
        |name: &str| request.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_bytes());
    let content_type = header("content-type");
    let head = RequestHead { method: &request.method, host: &request.host, path: &request.path, content_type };
    let mut exchange = extractor.exchange(head);
    request.body.chunks(11).for_each(|chunk| exchange.request_body(chunk));
    if let Some(response) = &case.response {
        let headers = response.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
        exchange.response_head(response.status, headers);
    }
    exchange
}

/// The exchange with its answer cut at these places.
fn read(extractor: &Extractor, case: &Case, cuts: &[usize]) -> Reading {
    let mut exchange = begin(extractor, case);
    let (body, mut from) = (case.transferred(), 0);
    for to in cuts.iter().copied().chain([body.len()]) {
        exchange.response_body(body.get(from..to).unwrap(), to as u64);
        from = to;
    }
    exchange.end(match case.outcome() {
        tollgate_conformance::Outcome::Complete => Outcome::Complete,
        tollgate_conformance::Outcome::ClientAborted => Outcome::ClientAborted,
        tollgate_conformance::Outcome::UpstreamAborted => Outcome::UpstreamAborted,
        tollgate_conformance::Outcome::TimedOut => Outcome::TimedOut,
    })
}

/// A reading as the members that files expect: those of the record, and beside them the notes, the number of chunks
/// with output, or why there is no record.
fn fields(reading: &Reading) -> Map<String, Value> {
    let mut fields = match &reading.record {
        Ok(record) => serde_json::to_value(record).unwrap().as_object().cloned().unwrap(),
        Err(why) => Map::from_iter([("skipped".to_owned(), Value::from(why.as_str()))]),
    };
    fields.insert("notes".to_owned(), Value::from(reading.notes.clone()));
    fields.insert("output_chunks".to_owned(), Value::from(reading.timing.output_chunks));
    fields
}
