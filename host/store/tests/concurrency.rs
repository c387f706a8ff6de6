//! Readers beside a writer: each sees one state, and nobody waits for long.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod support;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;
use support::{NOW, call, request, store};
use tollgate_store::{Filter, GroupKey, LEAST_BYTES};

const BATCH: u64 = 25;

/// Requests of 25 calls are one transaction each, so that whoever counts has to find whole ones, whatever is written and
/// removed meanwhile.
#[test]
fn readers_see_whole_transactions_while_spans_come() {
    let (_folder, store) = store(64 << 20);
    let (done, asked, written) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut before = 0;
                while !done.load(Ordering::Acquire) {
                    let acknowledged = written.load(Ordering::Acquire);
                    let cost = store.cost(&Filter::default(), &[GroupKey::Model, GroupKey::Minute], 10).unwrap();
                    let calls = cost.totals.calls;
                    assert!(calls % BATCH == 0 && calls >= before && calls >= acknowledged, "{calls}");
                    assert_eq!(cost.totals.nano_usd, u128::from(calls * (calls.max(1) - 1) / 2));
                    assert!(store.calls(&Filter::default(), None, 50).unwrap().calls.len() as u64 >= before.min(50));
                    before = calls;
                    asked.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for batch in 0..200 {
            let spans: Vec<_> = (batch * BATCH..(batch + 1) * BATCH)
                .map(|number| call(number, NOW + number).set("tollgate.cost.nano_usd", number).clone())
                .collect();
            store.insert(NOW + 1_000_000, &request("shop", &spans)).unwrap();
            written.store((batch + 1) * BATCH, Ordering::Release);
        }
        done.store(true, Ordering::Release);
    });
    assert!(asked.load(Ordering::Relaxed) > 4);
}

/// Pages go on where they ended, though calls come in front and go behind.
#[test]
fn pages_neither_repeat_nor_skip_while_spans_come_and_go() {
    let (_folder, store) = store(LEAST_BYTES);
    let insert = |from: u64| {
        let spans: Vec<_> = (from..from + 100).map(|number| call(number, NOW + number)).collect();
        store.insert(NOW + 1_000_000, &request("shop", &spans)).unwrap();
    };
    let mut next = 0;
    while store.stats().evicted_bytes == 0 {
        insert(next);
        next += 100;
    }
    let (mut times, mut after) = (Vec::new(), None);
    loop {
        let page = store.calls(&Filter::default(), after, 70).unwrap();
        times.extend(page.calls.iter().map(|call| call.time));
        after = page.next;
        if after.is_none() {
            break;
        }
        insert(next);
        next += 100;
    }
    assert!(times.windows(2).all(|pair| pair[0] == pair[1] + 1), "each once, in order, without a hole");
    assert!(times.len() > 500);
}

/// The write-ahead log is emptied although somebody always reads.
#[test]
fn the_write_ahead_log_stays_bounded_beside_readers() {
    let (_folder, store) = store(LEAST_BYTES);
    let done = AtomicBool::new(false);
    let mut longest = 0;
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !done.load(Ordering::Acquire) {
                    store.cost(&Filter::default(), &[GroupKey::Model], 10).unwrap();
                }
            });
        }
        let begun = Instant::now();
        for batch in 0..300_u64 {
            let spans: Vec<_> = (batch * 50..batch * 50 + 50).map(|number| call(number, NOW)).collect();
            store.insert(NOW, &request("shop", &spans)).unwrap();
            longest = longest.max(store.stats().bytes);
        }
        eprintln!("15000 spans in {:?}", begun.elapsed());
        done.store(true, Ordering::Release);
    });
    assert!(longest <= LEAST_BYTES, "{longest}");
}
