//! Megabytes a second of the redactor, and the same work by a bank of patterns in the `regex` crate, in one run.
//!
//! The patterns find candidates only, without check digits or escapes, so the comparison favours them. Texts are
//! generated; with `TOLLGATE_PII` set to the folder of the data sets, their English sentences are measured too.
#![expect(clippy::indexing_slicing, reason = "indexes into the tables of this file and fields of the data set")]

use flate2::read::GzDecoder;
use regex::bytes::Regex;
use std::fs::File;
use std::hint::black_box;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::time::Instant;
use tollgate_pii_redactor::Redactor;

/// Bytes of one text: a prompt with its context.
const TEXT: usize = 16 * 1024;
/// Bytes measured in one pass.
const PASS: usize = 4 * 1024 * 1024;

const PATTERNS: &[&str] = &[
    r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,24}",
    r"(?-u:\b)(?:\d[ -]?){11,18}\d(?-u:\b)",
    r"(?i-u:\b)[a-z]{2}\d{2}(?:[ -]?[a-z0-9]{4}){2,7}[ -]?[a-z0-9]{0,4}(?-u:\b)",
    r"(?-u:\b)\d{3}-\d{2}-\d{4}(?-u:\b)",
    r"(?-u:\b)\d{17}[0-9Xx](?-u:\b)",
    r"(?-u:\b)1[3-9]\d{9}(?-u:\b)",
    r"\+\d{1,3}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d{1,4}(?:[ .-]?\d{2,4}){1,4}",
    r"\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}",
    r"(?-u:\b)(?:\d{1,3}\.){3}\d{1,3}(?-u:\b)",
    r"(?i)(?:[0-9a-f]{1,4}:){2,7}:?[0-9a-f]{0,4}",
    r"(?-u:\b)sk-[A-Za-z0-9_-]{20,}",
    r"(?-u:\b)(?:AKIA|ASIA)[A-Z0-9]{16}(?-u:\b)",
    r"(?-u:\b)(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{36,})",
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
];

const SENTENCES: &[&str] = &[
    "The quarterly report shows that latency went down while the number of calls went up, as we had hoped. ",
    "Please summarise the following conversation for the support team and keep the tone friendly. ",
    "fn main() { let total: u64 = rows.iter().map(|row| row.bytes).sum(); println!(\"{total}\"); } ",
    "请把下面这句话改得更礼貌，并说明为什么这样修改会更好。",
    "{\"role\": \"assistant\", \"content\": \"Here is the plan.\", \"index\": 0, \"finish_reason\": \"stop\"} ",
];

const VALUES: &[&str] = &[
    "Mail ann@example.com. ",
    "Card 4111 1111 1111 1111. ",
    "电话13812345678，",
    "from 6.59.110.227 ",
    "call +1 415 555 0132 ",
    "order 924138647600349781 at 2026-11-23T22:17:05.123Z, ",
    "trace 6a2789da-b608-40f7-92d1-2fd1d6bacfdc ",
    "took 0.613650 s, version 2.31.4, ",
];

/// Text with a value or a look-alike in every so many sentences; none where `every` is 0.
fn text(every: usize) -> String {
    let mut text = String::new();
    let mut turn = 0;
    while text.len() < TEXT {
        text.push_str(SENTENCES[turn % SENTENCES.len()]);
        if every > 0 && turn % every == 0 {
            text.push_str(VALUES[turn / every % VALUES.len()]);
        }
        turn += 1;
    }
    text
}

fn english_sentences() -> Option<Vec<String>> {
    let folder = PathBuf::from(std::env::var("TOLLGATE_PII").ok()?);
    let lines = BufReader::new(GzDecoder::new(File::open(folder.join("prose_en.jsonl.gz")).ok()?)).lines();
    lines
        .map(|line| {
            let row: serde_json::Value = serde_json::from_str(&line.ok()?).ok()?;
            Some(row["text"].as_str()?.to_owned())
        })
        .collect()
}

/// Best of five passes, in megabytes a second.
fn measure(texts: &[String], mut work: impl FnMut(&str) -> usize) -> f64 {
    let size: usize = texts.iter().map(String::len).sum();
    let rounds = (PASS / size).max(1);
    let best = (0..5)
        .map(|_| {
            let begun = Instant::now();
            for text in (0..rounds).flat_map(|_| texts) {
                black_box(work(black_box(text)));
            }
            begun.elapsed()
        })
        .min()
        .unwrap_or_default();
    (rounds * size) as f64 / 1e6 / best.as_secs_f64()
}

fn main() {
    let redactor = Redactor::default();
    let patterns: Vec<Regex> = PATTERNS.iter().filter_map(|pattern| Regex::new(pattern).ok()).collect();
    assert_eq!(patterns.len(), PATTERNS.len());
    let json = serde_json::json!([{ "role": "user", "content": text(4) }]).to_string();
    let mut texts = vec![
        ("clean English", vec![SENTENCES[0].repeat(TEXT / SENTENCES[0].len())]),
        ("clean mixed", vec![text(0)]),
        ("mixed, a value in 4 sentences", vec![text(4)]),
        ("mixed, a value in each", vec![text(1)]),
        ("the same as JSON with escapes", vec![json]),
    ];
    texts.extend(english_sentences().map(|texts| ("labelled English sentences", texts)));
    println!("{:32} {:>12} {:>12} {:>8}", "text", "redactor", "patterns", "ratio");
    for (name, texts) in &texts {
        let ours = measure(texts, |text| redactor.redact_text(text).1.len());
        let theirs =
            measure(texts, |text| patterns.iter().map(|pattern| pattern.find_iter(text.as_bytes()).count()).sum());
        println!("{name:32} {ours:7.0} MB/s {theirs:7.0} MB/s {:7.1}x", ours / theirs);
    }
}
