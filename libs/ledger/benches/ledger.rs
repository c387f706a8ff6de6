//! What adding a call and asking for a report take, and what a full ledger holds.
//!
//! `cargo bench -p tollgate-ledger`. The peer adds the same calls to maps that grow with every value: what the same sums
//! take without a bound, without windows and without `other`.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a benchmark that fails says where")]

#[path = "../tests/counting/mod.rs"]
mod counting;

use std::borrow::Cow;
use std::collections::HashMap;
use std::hint::black_box;
use std::time::{Duration, Instant};
use tollgate_ledger::{Entry, Ledger, Limits, Sums};

const MINUTE: u64 = 60_000_000_000;
const NOW: u64 = 29_700_000 * MINUTE;
/// Calls of a round; each has a user of its own where users never repeat.
const CALLS: usize = 200_000;
const LIMITS: Limits = Limits {
    recent: Duration::from_secs(3_600),
    retention: Duration::from_secs(7 * 86_400),
    dimensions: 1,
    values: 100,
    alerts: 100,
};

/// A call without what it refers to: model, user, cost.
type Call = (String, String, u64);

/// Calls of `models` and `users`, some much more frequent than others, in an order that repeats nowhere.
fn calls(models: u64, users: u64) -> Vec<Call> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = move |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let share = (state >> 11) as f64 / (1_u64 << 53) as f64;
        // Towards 0, as the squares of evenly spread numbers are.
        (share * share * below as f64) as u64
    };
    let mut call = || (format!("model-{}", next(models)), format!("user-{:032x}", next(users)), next(100_000_000));
    (0..CALLS).map(|_| call()).collect()
}

fn entry<'a>(call: &'a Call, values: &'a [Option<Cow<'a, str>>]) -> Entry<'a> {
    Entry {
        ended: NOW,
        model: Some(&call.0),
        provider: Some("openai"),
        operation: Some("chat"),
        source: Some("local"),
        values,
        cost: Some(call.2),
        tokens: [Some(1_000), Some(200), Some(600), None, None],
        ..Entry::default()
    }
}

fn user(call: &Call) -> [Option<Cow<'_, str>>; 1] {
    [Some(Cow::Borrowed(call.1.as_str()))]
}

/// Nanoseconds a call: the best of seven rounds.
fn best(mut round: impl FnMut()) -> f64 {
    let mut time = || {
        let start = Instant::now();
        round();
        start.elapsed()
    };
    let best = (0..7).map(|_| time()).min().unwrap();
    best.as_secs_f64() * 1e9 / CALLS as f64
}

fn add(calls: &[Call]) -> f64 {
    let mut ledger = Ledger::new(LIMITS);
    best(|| calls.iter().for_each(|call| ledger.add(NOW, &entry(call, &user(call)))))
}

fn unbounded(calls: &[Call]) -> f64 {
    let mut maps: [HashMap<String, Sums>; 5] = Default::default();
    best(|| {
        for call in calls {
            let sums = Sums { cost: call.2.into(), calls: 1, priced: 1, counted: 1, tokens: [1_000, 200, 600, 0, 0] };
            for (map, value) in maps.iter_mut().zip([&call.0, "openai", "chat", "local", &call.1]) {
                match map.get_mut(value) {
                    Some(found) => found.add(&sums),
                    None => drop(map.insert(value.to_owned(), sums)),
                }
            }
        }
        black_box(&maps);
    })
}

/// A ledger with every minute and hour full: tables of all dimensions, values of 36 bytes.
fn full() -> (Ledger, u64) {
    let mut ledger = Ledger::new(LIMITS);
    let minutes = (LIMITS.retention.as_secs() + LIMITS.recent.as_secs()) / 60;
    let (mut now, mut number) = (NOW, 0_u64);
    for minute in 0..minutes {
        now = NOW + minute * MINUTE;
        for _ in 0..120 {
            number += 1;
            let text = format!("{number:036}");
            let values = [Some(Cow::Borrowed(text.as_str()))];
            let call = Entry {
                ended: now,
                model: Some(&text),
                provider: Some(&text),
                operation: Some(&text),
                source: Some(&text),
                unpriced: Some(&text),
                values: &values,
                cost: number.is_multiple_of(2).then_some(number),
                ..Entry::default()
            };
            ledger.add(now, &call);
        }
    }
    (ledger, now)
}

fn main() {
    println!("adding a call, ns; five dimensions, one of them chosen by the user; 100 values each");
    println!("{:44} {:>8} {:>10} {:>7}", "", "ledger", "unbounded", "ratio");
    for (name, models, users) in [
        ("10 models, 50 users: tables have room", 10, 50),
        ("100 models, 10,000 users", 100, 10_000),
        ("10,000 models, users that never repeat", 10_000, u64::MAX >> 12),
    ] {
        let calls = calls(models, users);
        let (ledger, peer) = (add(&calls), unbounded(&calls));
        println!("  {name:42} {ledger:8.0} {peer:10.0} {:6.1}x", peer / ledger);
    }
    let before = counting::held();
    let (mut ledger, now) = full();
    let held = counting::held() - before;
    let mib = |bytes: usize| bytes as f64 / f64::from(1 << 20);
    println!("\na week of full tables, default limits and one dimension: {:.1} MiB", mib(held));
    println!("promised at most, with values of 128 bytes: {:.1} MiB", mib(LIMITS.most_bytes()));
    println!("each further dimension: {:.1} MiB at most", {
        let more = Limits { dimensions: 2, ..LIMITS };
        mib(more.most_bytes() - LIMITS.most_bytes())
    });
    for (name, length) in [("15 minutes", 900), ("24 hours", 86_400), ("7 days", 7 * 86_400)] {
        let (mut taken, mut made) = (Duration::MAX, Duration::MAX);
        for _ in 0..5 {
            let start = Instant::now();
            let window = ledger.window(now, Duration::from_secs(length));
            taken = taken.min(start.elapsed());
            let start = Instant::now();
            black_box(window.report());
            made = made.min(start.elapsed());
        }
        let (taken, made) = (taken.as_secs_f64() * 1e6, made.as_secs_f64() * 1e3);
        println!("{name}: {taken:.1} us to take the window, while no call can be added; {made:.1} ms to report on it");
    }
}
