//! What the redaction of traffic adds to each delta of a stream: time, the share of deltas of which nothing goes on at
//! once, and how much is held.
//!
//! The stream is that of a chat completion, a token a delta: English words with the blank before them, as tokenizers cut
//! them, and Chinese words of one or two characters, with a value every few sentences. Run with
//! `cargo bench -p tollgate-pii-redactor --bench traffic`.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a benchmark may end at the first surprise")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;
use tollgate_pii_redactor::traffic::{Exchange, Options, Redactors};

const ENGLISH: &str = "Here is a plan for the migration. First, back up the database and check that the copy can be read; \
then move the traffic of one region, wait for an hour, and compare the error rates. If anything looks wrong, go back: the \
old cluster stays up for a week. Please tell <EMAIL_ADDRESS_1> when you are done, or call +1 415 555 0132. In version \
2.31.4 the limit is 4096 connections, about 12 times what you use today. Good luck!\n\n";

const CHINESE: &str = "下面是迁移的计划。首先，备份数据库，并检查副本是否可以读取；然后切换一个地区的流量，等待一个小时，再比较\
错误率。如果有什么不对，就退回去：旧的集群还会保留一个星期。完成之后请通知<EMAIL_ADDRESS_1>，或者拨打电话13812345678。\
在2.31.4版本中，连接数的上限是4096，大约是现在用量的12倍。祝你顺利！\n\n";

/// English as tokenizers cut it: words with the blank before them, signs and groups of three digits by themselves.
fn english() -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    for character in ENGLISH.chars() {
        let joins = tokens.last().is_some_and(|last: &String| {
            let end = last.chars().last().unwrap();
            let letters = character.is_alphabetic() && (end.is_alphabetic() || last == " ");
            letters || (character.is_ascii_digit() && end.is_ascii_digit() && last.trim_start().len() < 3)
        });
        match tokens.last_mut().filter(|_| joins) {
            Some(last) => last.push(character),
            None => tokens.push(character.to_string()),
        }
    }
    tokens
}

/// Chinese: one or two characters, and everything else as in English.
fn chinese() -> Vec<String> {
    let characters: Vec<char> = CHINESE.chars().collect();
    let mut tokens = Vec::new();
    let mut place = 0;
    while place < characters.len() {
        let length = if characters[place].is_ascii() { 3 } else { 1 + place % 2 };
        let end = (place + length).min(characters.len());
        tokens.push(characters[place..end].iter().collect());
        place = end;
    }
    tokens
}

fn event(token: &str) -> Vec<u8> {
    let delta = serde_json::json!({ "content": token });
    format!(
        "data: {{\"id\":\"chatcmpl-9x\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"gpt-4o\",\
         \"choices\":[{{\"index\":0,\"delta\":{delta},\"logprobs\":null,\"finish_reason\":null}}]}}\n\n"
    )
    .into_bytes()
}

struct Measured {
    nanos: f64,
    deltas: usize,
    silent: u64,
    held: u64,
}

fn measure(redactors: &Arc<Redactors>, options: Options, events: &[Vec<u8>]) -> Measured {
    const ROUNDS: usize = 40;
    let (mut nanos, mut silent, mut held) = (f64::MAX, 0, 0);
    for _ in 0..7 {
        let mut spent = 0;
        for _ in 0..ROUNDS {
            let mut exchange = Exchange::new(Arc::clone(redactors), options);
            let body = br#"{"messages":[{"role":"user","content":"I am ann@example.com"}]}"#;
            black_box(exchange.request(b"application/json", b"", body).unwrap());
            exchange.response_head(b"text/event-stream", b"").unwrap();
            let begun = Instant::now();
            for event in events {
                black_box(exchange.response(event, false).unwrap());
            }
            spent += begun.elapsed().as_nanos();
            black_box(exchange.response(b"data: [DONE]\n\n", true).unwrap());
            (silent, held) = (exchange.counts().empty_events, exchange.counts().held_bytes);
        }
        nanos = nanos.min(spent as f64 / (ROUNDS * events.len()) as f64);
    }
    Measured { nanos, deltas: events.len(), silent, held }
}

fn main() {
    let redactors = Arc::new(Redactors::configure("{}").unwrap());
    let off = Options { request: false, response: false, ..Options::default() };
    let rows = [
        ("off", off),
        ("restore", Options::default()),
        ("redact and restore", Options { response: true, ..Options::default() }),
    ];
    println!("| text | what is done | deltas | ns a delta | wholly held | most bytes held |");
    println!("|---|---|---|---|---|---|");
    for (name, tokens) in [("English", english()), ("Chinese", chinese())] {
        let events: Vec<Vec<u8>> = tokens.iter().map(|token| event(token)).collect();
        for (what, options) in rows {
            let Measured { nanos, deltas, silent, held } = measure(&redactors, options, &events);
            let share = 100.0 * silent as f64 / deltas as f64;
            println!("| {name} | {what} | {deltas} | {nanos:.0} | {share:.1} % | {held} |");
        }
    }
    let size = 16 << 10;
    let text = ENGLISH.repeat(size / ENGLISH.len());
    let body = serde_json::json!({"model": "m", "messages": [{"role": "user", "content": text}]}).to_string();
    let mut least = f64::MAX;
    for _ in 0..50 {
        let mut exchange = Exchange::new(Arc::clone(&redactors), Options::default());
        let begun = Instant::now();
        black_box(exchange.request(b"application/json", b"", body.as_bytes()).unwrap());
        least = least.min(begun.elapsed().as_nanos() as f64);
    }
    println!("\na request of {} bytes: {:.0} us", body.len(), least / 1000.0);
}
