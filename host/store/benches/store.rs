//! What storing costs and how long questions take, beside SQLite as it is used without care.
//!
//! `cargo bench -p tollgate-store [-- CALLS [FOLDER]]`, one million calls unless told otherwise. The peer has the same
//! tables and indexes, and one transaction a request as well, but a rollback journal, and it syncs each: SQLite's defaults.

#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tollgate_otlp::{Envelope, RequestWriter, SpanWriter};
use tollgate_store::{Filter, GroupKey, Options, Store};

const SECOND: u64 = 1_000_000_000;
const NOW: u64 = 1_790_000_000 * SECOND;
/// Calls of a request.
const BATCH: u64 = 500;
/// How often each question is asked; the median counts.
const ROUNDS: usize = 7;

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with('-'));
    let calls: u64 = arguments.next().map_or(1_000_000, |count| count.parse().unwrap());
    let folder = arguments.next().map_or_else(tempfile::tempdir, tempfile::tempdir_in).unwrap();
    let path = |name: &str| folder.path().join(name);

    let requests = calls.div_ceil(BATCH);
    let sample = request(0);
    println!("{calls} calls, {BATCH} a request of {} bytes ({} a call)", sample.len(), sample.len() as u64 / BATCH);

    let store = open(&path("store.db"), 64 << 30);
    let (begun, mut processor) = (Instant::now(), 0.0);
    let mut slowest = Duration::ZERO;
    for number in 0..requests {
        let encoded = request(number);
        let (one, before) = (Instant::now(), cpu());
        store.insert(NOW, &encoded).unwrap();
        processor += cpu() - before;
        slowest = slowest.max(one.elapsed());
    }
    let whole = begun.elapsed();
    let rate = calls as f64 / whole.as_secs_f64();
    println!(
        "insert: {rate:.0} calls/s, {:.1} us of processor a call, slowest request {:.1} ms",
        processor * 1e6 / calls as f64,
        slowest.as_secs_f64() * 1e3
    );
    println!("size: {} bytes a call", store.used_bytes().unwrap() / calls);

    let peer_requests = requests.min(100);
    let peer = naive(&path("peer.db"), peer_requests);
    let few = open(&path("few.db"), 64 << 30);
    let begun = Instant::now();
    (0..peer_requests).for_each(|number| assert_eq!(few.insert(NOW, &request(number)).unwrap().stored, BATCH));
    let ours = (peer_requests * BATCH) as f64 / begun.elapsed().as_secs_f64();
    println!(
        "the first {} calls: {ours:.0}/s; defaults of SQLite: {peer:.0}/s; {:.1}x",
        peer_requests * BATCH,
        ours / peer
    );

    let bounded = open(&path("bounded.db"), 64 << 20);
    let (mut number, mut rate_of, mut slowest) = (0, Instant::now(), Duration::ZERO);
    let mut counted = 0;
    while counted < 200 {
        let encoded = request(number);
        if bounded.stats().evicted_bytes == 0 {
            rate_of = Instant::now();
        } else {
            counted += 1;
        }
        let one = Instant::now();
        bounded.insert(NOW, &encoded).unwrap();
        if counted > 0 {
            slowest = slowest.max(one.elapsed());
        }
        number += 1;
    }
    let rate = (counted * BATCH) as f64 / rate_of.elapsed().as_secs_f64();
    println!("insert into a full store of 64 MiB: {rate:.0} calls/s, slowest {:.1} ms", slowest.as_secs_f64() * 1e3);

    questions(&store, calls);
}

fn questions(store: &Store, calls: u64) {
    let all = Filter::default();
    let newest = NOW - 4_000 * SECOND + calls * 1_000_000;
    let since = |calls_ago: u64| Filter { since: Some(newest - calls_ago * 1_000_000), ..Filter::default() };
    let user = Filter { user: Some("user-77".to_owned()), ..Filter::default() };
    let rare = Filter { model: Some("model-none".to_owned()), ..Filter::default() };
    let failed = Filter { failed: Some(true), ..Filter::default() };
    let half = store.calls(&since(calls / 2), None, 1).unwrap().calls.len();
    let deep = {
        let until = Filter { until: Some(newest - calls / 2 * 1_000_000), ..Filter::default() };
        store.calls(&until, None, 1).unwrap().next
    };
    let trace = trace_id(calls / 2);
    assert_eq!(half, 1);
    let ask = |what: &str, question: &dyn Fn()| {
        let mut times: Vec<_> = (0..ROUNDS)
            .map(|_| {
                let begun = Instant::now();
                question();
                begun.elapsed()
            })
            .collect();
        times.sort();
        println!("  {what:<58} {:>10.3} ms", times.get(ROUNDS / 2).unwrap().as_secs_f64() * 1e3);
    };
    println!("questions:");
    ask("calls: the newest 100", &|| drop(store.calls(&all, None, 100).unwrap()));
    ask("calls: 100 from the middle, by cursor", &|| drop(store.calls(&all, deep, 100).unwrap()));
    ask("calls: 100 of a user", &|| drop(store.calls(&user, None, 100).unwrap()));
    ask("calls: the newest 100 that failed", &|| drop(store.calls(&failed, None, 100).unwrap()));
    ask("calls: of a model that nobody called (all are looked at)", &|| drop(store.calls(&rare, None, 100).unwrap()));
    ask("trace", &|| drop(store.trace(trace).unwrap().unwrap()));
    ask("cost: all, by model", &|| drop(store.cost(&all, &[GroupKey::Model], 10).unwrap()));
    ask("cost: all, by user and day", &|| drop(store.cost(&all, &[GroupKey::User, GroupKey::Day], 10).unwrap()));
    ask("cost: the last tenth, by service", &|| {
        drop(store.cost(&since(calls / 10), &[GroupKey::Service], 10).unwrap());
    });
    ask("live: the last 60,000 calls", &|| drop(store.live(&since(60_000)).unwrap()));
    ask("live: all", &|| drop(store.live(&all).unwrap()));
}

/// Seconds of processor that this process has had, in hundredths; 0 where the system does not say.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

fn open(path: &Path, max_bytes: u64) -> Store {
    let options = Options { path: PathBuf::from(path), max_bytes, ..Options::default() };
    Store::open(options, NOW).unwrap().with_query_timeout(Duration::from_secs(60))
}

fn trace_id(number: u64) -> [u8; 16] {
    let spread = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (u128::from(spread) << 64 | u128::from(number + 1)).to_be_bytes()
}

/// A request of calls as the filter writes them, without content: one a millisecond.
fn request(number: u64) -> Vec<u8> {
    let mut writer = RequestWriter::new();
    for call in number * BATCH..(number + 1) * BATCH {
        let service = format!("service-{}", call % 20);
        let envelope = Envelope::new(&[("service.name", service.as_str().into())], "tollgate", "0.1.0");
        let ended = NOW - 4_000 * SECOND + call * 1_000_000;
        let ended = ended.min(NOW);
        let model = format!("model-{}", call * call % 40);
        let mut span =
            SpanWriter::new(trace_id(call), (call + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes(), "chat");
        span.times(ended - (call * 7_919 % 5_000) * 1_000_000, ended);
        for (key, value) in [
            ("gen_ai.operation.name", "chat"),
            ("gen_ai.provider.name", "openai"),
            ("gen_ai.request.model", model.as_str()),
            ("gen_ai.response.model", model.as_str()),
            ("gen_ai.response.id", "chatcmpl-0123456789abcdef"),
            ("user.id", format!("user-{}", call * 31 % 1_000).as_str()),
            ("gen_ai.conversation.id", format!("conversation-{}", call / 8).as_str()),
            ("tollgate.usage.source", "reported"),
            ("tollgate.cost.source", "local"),
            ("tollgate.cost.price_row", "openai/model"),
            ("tollgate.cost.price_set", "2026-10-01"),
        ] {
            span.set(key, value);
        }
        for (key, value) in [
            ("gen_ai.usage.input_tokens", call % 4_000),
            ("gen_ai.usage.output_tokens", call % 900),
            ("tollgate.cost.nano_usd", call * 1_009 % 90_000_000),
        ] {
            span.set(key, value);
        }
        span.set("gen_ai.response.time_to_first_chunk", 0.3);
        if call % 100 == 0 {
            span.set("error.type", "rate_limit");
        }
        writer.push(&envelope, span.bytes());
    }
    writer.finish()
}

/// Calls a second that SQLite stores with its defaults, in tables like ours.
fn naive(path: &Path, requests: u64) -> f64 {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE spans (id INTEGER PRIMARY KEY, trace_id BLOB, span_id BLOB, body BLOB);
             CREATE UNIQUE INDEX ids ON spans (trace_id, span_id);
             CREATE TABLE calls (id INTEGER PRIMARY KEY, time INTEGER, model TEXT, user TEXT, session TEXT, nano_usd INTEGER);
             CREATE INDEX times ON calls (time);
             CREATE INDEX users ON calls (user, time);
             CREATE INDEX sessions ON calls (session, time);",
        )
        .unwrap();
    let begun = Instant::now();
    for number in 0..requests {
        let encoded = request(number);
        let scanned = tollgate_otlp::TraceRequest::scan(&encoded, &tollgate_otlp::Limits::default()).unwrap();
        connection.execute_batch("BEGIN").unwrap();
        for span in scanned.spans() {
            connection
                .execute(
                    "INSERT OR IGNORE INTO spans (trace_id, span_id, body) VALUES (?, ?, ?)",
                    rusqlite::params![span.trace_id(), span.span_id(), span.bytes()],
                )
                .unwrap();
            let text = |key: &str| span.attributes().get(key).and_then(|value| value.as_text().map(str::to_owned));
            connection
                .execute(
                    "INSERT INTO calls (id, time, model, user, session, nano_usd) VALUES (last_insert_rowid(), ?, ?, ?, ?, ?)",
                    rusqlite::params![
                        i64::try_from(span.end_time()).unwrap(),
                        text("gen_ai.request.model"),
                        text("user.id"),
                        text("gen_ai.conversation.id"),
                        1
                    ],
                )
                .unwrap();
        }
        connection.execute_batch("COMMIT").unwrap();
    }
    (requests * BATCH) as f64 / begun.elapsed().as_secs_f64()
}
