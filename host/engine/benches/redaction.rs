//! What looking for personal data and secrets costs: the library by itself, the same as a component in the sandbox, and
//! beside them the same work by a bank of patterns in the `regex` crate, in one run.
//!
//! The patterns find candidates only, without check digits or escapes, and a tenth of the types, so the comparison
//! favours them. Run with `cargo xtask bench redaction`; it needs the components that `cargo xtask build` makes.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a benchmark may end at the first surprise")]

use regex::bytes::Regex;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tollgate_columns::Given;
use tollgate_engine::{Engine, EngineConfig, Redactor as Component};
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
fn text(size: usize, every: usize) -> String {
    let mut text = String::new();
    let mut turn = 0;
    while text.len() < size {
        text.push_str(SENTENCES[turn % SENTENCES.len()]);
        if every > 0 && turn % every == 0 {
            text.push_str(VALUES[turn / every % VALUES.len()]);
        }
        turn += 1;
    }
    text
}

/// A body of a request with the text in it, escaped.
fn body(text: &str) -> String {
    let messages =
        serde_json::json!([{ "role": "system", "content": "Be brief." }, { "role": "user", "content": text }]);
    serde_json::json!({ "model": "gpt-4o", "messages": messages, "stream": true }).to_string()
}

fn main() {
    let redactor = Redactor::default();
    let Some(mut component) = component() else { return };
    let patterns: Vec<Regex> = PATTERNS.iter().filter_map(|pattern| Regex::new(pattern).ok()).collect();
    assert_eq!(patterns.len(), PATTERNS.len());

    println!(
        "{:34} {:>12} {:>12} {:>12} {:>14}",
        "MB a second of one core", "native", "wasm", "patterns", "native / them"
    );
    for (name, text) in [
        ("clean English", SENTENCES[0].repeat(TEXT / SENTENCES[0].len())),
        ("clean mixed", text(TEXT, 0)),
        ("mixed, a value in 4 sentences", text(TEXT, 4)),
        ("mixed, a value in each", text(TEXT, 1)),
        ("the one with 4 as a body", body(&text(TEXT, 4))),
        (
            "numbers of 9 and 11 digits alone",
            (0..TEXT / 22)
                .map(|n| format!("{:09} {:011} ", 304_719_217 + n * 7919, 70_358_161_923_usize + n * 104_729))
                .collect(),
        ),
    ] {
        let given = Given::of("span.attributes.gen_ai.input.messages", &[&text]);
        let native = throughput(text.len(), || redactor.redact_text(&text).1.len());
        let wasm = throughput(text.len(), || component.redact(&given).unwrap().findings.len());
        let theirs = throughput(text.len(), || patterns.iter().map(|p| p.find_iter(text.as_bytes()).count()).sum());
        println!("{name:34} {native:12.0} {wasm:12.0} {theirs:12.0} {:13.1}x", native / theirs);
    }

    println!("\n{:34} {:>12} {:>12} {:>12}", "a body of 4 KB, a text a call, us", "median", "p99", "longest");
    let small = body(&text(3_900, 4));
    let given = Given::of("span.attributes.gen_ai.input.messages", &[&small]);
    print("native", latencies(|| redactor.redact_text(&small).1.len()));
    print("wasm", latencies(|| component.redact(&given).unwrap().findings.len()));

    println!("\n{:34} {:>12} {:>12}", "ns a byte, by length", "native", "wasm");
    for size in [10_000, 100_000, 1_000_000, 10_000_000] {
        let text = text(size, 4);
        let given = Given::of("span.attributes.gen_ai.input.messages", &[&text]);
        let native = 1e3 / throughput(text.len(), || redactor.redact_text(&text).1.len());
        let wasm = 1e3 / throughput(text.len(), || component.redact(&given).unwrap().findings.len());
        println!("{size:34} {native:12.2} {wasm:12.2}");
    }
}

fn component() -> Option<Component> {
    let built = std::env::var_os("TOLLGATE_BUILD").map(PathBuf::from);
    let built = built.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tollgate"));
    let Ok(bytes) = std::fs::read(built.join("plugins/pii_redactor.wasm")) else {
        println!("SKIPPED: there is no plugins/pii_redactor.wasm; `cargo xtask build` makes it");
        return None;
    };
    println!("the component has {} bytes\n", bytes.len());
    let config = EngineConfig { instances: 1, calls_per_instance: u32::MAX, ..EngineConfig::default() };
    Some(Engine::new(config).unwrap().load(&bytes).unwrap().redactor("{}").unwrap())
}

/// Best of seven passes, in megabytes a second.
fn throughput(size: usize, mut work: impl FnMut() -> usize) -> f64 {
    let rounds = (PASS / size).max(1);
    let pass = |work: &mut dyn FnMut() -> usize| {
        let begun = Instant::now();
        for _ in 0..rounds {
            black_box(work());
        }
        begun.elapsed()
    };
    let best = (0..7).map(|_| pass(&mut work)).min().unwrap_or_default();
    (rounds * size) as f64 / 1e6 / best.as_secs_f64()
}

/// Times of single calls, sorted.
fn latencies(mut work: impl FnMut() -> usize) -> Vec<Duration> {
    let mut times: Vec<Duration> = (0..20_000)
        .map(|_| {
            let begun = Instant::now();
            black_box(work());
            begun.elapsed()
        })
        .collect();
    times.sort_unstable();
    times
}

fn print(name: &str, times: Vec<Duration>) {
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e6;
    println!("{name:34} {:12.1} {:12.1} {:12.1}", at(0.5), at(0.99), at(1.0));
}
