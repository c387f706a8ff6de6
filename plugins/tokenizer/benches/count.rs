//! What counting a text takes, beside `tiktoken-rs`, in the same run.
//!
//! `cargo bench -p tollgate-tokenizer`. The first texts are of the kinds that calls hold; the last are what somebody
//! would send to make counting slow.

use std::hint::black_box;
use std::time::{Duration, Instant};
use tollgate_columns::Edits;
use tollgate_tokenizer::{Encoding, Enricher};

/// Nanoseconds a call: the best of five runs of about a tenth of a second.
fn nanoseconds(mut call: impl FnMut()) -> f64 {
    let run = |call: &mut dyn FnMut(), times: u32| {
        let start = Instant::now();
        (0..times).for_each(|_| call());
        start.elapsed()
    };
    let mut times = 1;
    while run(&mut call, times) < Duration::from_millis(100) && times < 1 << 26 {
        times *= 2;
    }
    let best = (0..5).map(|_| run(&mut call, times)).min().unwrap_or_default();
    best.as_secs_f64() * 1e9 / f64::from(times)
}

/// Numbers that look random and are the same in each run.
fn numbers() -> impl Iterator<Item = usize> {
    std::iter::successors(Some(0x9e37_79b9_usize), |last| {
        Some(last.wrapping_mul(1_664_525).wrapping_add(1_013_904_223))
    })
    .map(|number| number >> 8)
}

/// Words of letters that make none.
fn random_words(alphabet: &str, bytes: usize) -> String {
    let letters: Vec<_> = alphabet.chars().collect();
    let mut text = String::new();
    let mut numbers = numbers();
    while text.len() < bytes {
        let length = 3 + numbers.next().unwrap_or_default() % 7;
        text.extend(numbers.by_ref().take(length).filter_map(|number| letters.get(number % letters.len())));
        text.push(' ');
    }
    text
}

fn texts() -> Vec<(&'static str, String)> {
    let repeated = |unit: &str, bytes: usize| unit.repeat(bytes / unit.len());
    let prose = "A replica was restarted at noon, and for two minutes half of the answers came late; nobody noticed. ";
    let code = "fn sum(values: &[u64]) -> u64 {\n    values.iter().map(|value| value + 1).sum()\n}\n\n";
    let json = r#"{"id": 48213, "name": "replica-7", "ready": false, "labels": {"zone": "eu-1"}}, "#;
    let chinese = "副本在中午重新启动，两分钟内一半的回答都迟到了，但没有人注意到。";
    vec![
        ("English prose", repeated(prose, 64 << 10)),
        ("code", repeated(code, 64 << 10)),
        ("JSON", repeated(json, 64 << 10)),
        ("Chinese prose", repeated(chinese, 64 << 10)),
        ("words that repeat nowhere", random_words("etaoinshrdlucm", 64 << 10)),
        ("capitals that make no words", random_words("QXZJKVWBGFP", 16 << 10)),
        ("one letter", repeated("a", 16 << 10)),
        ("spaces", repeated(" ", 16 << 10)),
    ]
}

/// A batch of a hundred calls without usage through the enricher, in nanoseconds a KiB of text.
fn enrich(text: &str) -> f64 {
    let Ok(enricher) = Enricher::configure("{}") else { return f64::NAN };
    let reads = enricher.manifest().reads;
    let place = |name: &str| reads.iter().position(|read| read == name).and_then(|at| u16::try_from(at).ok());
    let said = text.get(..text.floor_char_boundary(8 << 10)).unwrap_or_default();
    let messages = serde_json::json!([{"role": "user", "parts": [{"type": "text", "content": said}]}]).to_string();
    let mut spans = Edits::new(100);
    for row in 0..100 {
        for (name, value) in [
            ("gen_ai.operation.name", "chat"),
            ("gen_ai.response.model", "gpt-4o"),
            ("gen_ai.input.messages", messages.as_str()),
            ("gen_ai.output.messages", messages.as_str()),
        ] {
            spans.text(row, place(name).unwrap_or_default(), value);
        }
    }
    let spans = spans.finish();
    nanoseconds(|| drop(black_box(enricher.enrich(black_box(&spans))))) / 1_600.0
}

fn main() {
    let peer = [tiktoken_rs::o200k_base_singleton(), tiktoken_rs::cl100k_base_singleton()];
    for (encoding, peer) in Encoding::ALL.into_iter().zip(peer) {
        let start = Instant::now();
        encoding.load();
        println!("{encoding}: unpacked in {:.0} ms", start.elapsed().as_secs_f64() * 1e3);
        println!("{:<40}{:>10}{:>16}{:>8}", "ns a KiB of text", "ours", "tiktoken-rs", "ratio");
        for (name, text) in texts() {
            let kib = text.len() as f64 / 1_024.0;
            let ours = nanoseconds(|| {
                let _count = black_box(encoding.count(black_box(&text)));
            }) / kib;
            let theirs = nanoseconds(|| drop(black_box(peer.encode_ordinary(black_box(&text))))) / kib;
            println!("{name:<40}{ours:>10.0}{theirs:>16.0}{:>7.1}x", theirs / ours);
        }
    }
    let prose = texts().into_iter().next().map_or(String::new(), |(_, text)| text);
    println!("{:<40}{:>10.0}", "English prose through the enricher", enrich(&prose));
}
