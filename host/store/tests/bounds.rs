//! Every limit is reached, kept and counted.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod support;

use rusqlite::Connection;
use std::path::Path;
use std::time::Duration;
use support::{NOW, SECOND, call, folder, ids, request, store};
use tollgate_otlp::{Limits, SpanWriter, TraceRequest};
use tollgate_store::{Filter, GroupKey, LEAST_BYTES, MOST_CALLS, MOST_GROUPS, MOST_MODELS, MOST_TRACE_SPANS};
use tollgate_store::{Options, Store, StoreError};

/// Bytes of the database and its write-ahead log.
fn on_disk(path: &Path) -> u64 {
    let wal = path.with_file_name(format!("{}-wal", path.file_name().unwrap().to_str().unwrap()));
    [path, &wal].iter().map(|path| std::fs::metadata(path).map_or(0, |metadata| metadata.len())).sum()
}

/// All calls that are held, the oldest first.
fn numbers(store: &Store) -> Vec<u64> {
    let (mut numbers, mut after) = (Vec::new(), None);
    loop {
        let page = store.calls(&Filter::default(), after, MOST_CALLS).unwrap();
        numbers.extend(page.calls.iter().map(|call| u64::from_be_bytes(*call.trace_id.last_chunk().unwrap()) - 1));
        after = page.next;
        if after.is_none() {
            numbers.reverse();
            return numbers;
        }
    }
}

#[test]
fn the_file_stays_below_its_bound_and_the_oldest_go() {
    for (max_bytes, size) in [(LEAST_BYTES, 100), (LEAST_BYTES, 30_000), (16 << 20, 5_000)] {
        let (_folder, store) = store(max_bytes);
        let path = store.options().path.clone();
        let (mut sent, mut most) = (0_u64, 0);
        while store.stats().evicted_bytes < 1_000 {
            let spans: Vec<_> = (sent..sent + 200)
                .map(|number| {
                    let mut span = call(number, NOW - SECOND + number);
                    span.set("gen_ai.input.messages", "x".repeat(size).as_str());
                    span
                })
                .collect();
            assert_eq!(store.insert(NOW, &request("shop", &spans)).unwrap().stored, 200);
            sent += 200;
            most = most.max(on_disk(&path));
            assert!(sent < 1_000_000, "nothing is removed");
        }
        assert!(most <= max_bytes, "{most} of {max_bytes} bytes, {size} a span");
        assert!(most > max_bytes / 2, "{most} of {max_bytes} bytes are used, {size} a span");
        let held = numbers(&store);
        let stats = store.stats();
        assert_eq!((stats.stored, stats.evicted_age), (sent, 0));
        assert_eq!(held.len() as u64, sent - stats.evicted_bytes, "what was not counted as removed is there");
        assert_eq!(held, (stats.evicted_bytes..sent).collect::<Vec<_>>(), "the newest are held, without a hole");
    }
}

#[test]
fn spans_of_all_sizes_stay_below_the_bound_too() {
    let (_folder, store) = store(LEAST_BYTES);
    let path = store.options().path.clone();
    for number in 0..3_000 {
        let mut span = call(number, NOW);
        // Small ones first, so that many have to go for one that is large.
        let size = if number < 2_000 { 10 } else { 60_000 };
        span.set("gen_ai.input.messages", "x".repeat(size).as_str());
        store.insert(NOW, &request(&format!("service-{}", number % 700), [&span])).unwrap();
        assert!(on_disk(&path) <= LEAST_BYTES, "{} at {number}", on_disk(&path));
    }
    assert_eq!(numbers(&store).last(), Some(&2_999));
    assert!(store.stats().evicted_bytes > 2_000);
}

#[test]
fn a_bound_that_was_made_smaller_is_reached_step_by_step() {
    let (_folder, options) = folder(32 << 20);
    {
        let store = Store::open(options.clone(), NOW).unwrap();
        for batch in 0..40 {
            let spans: Vec<_> = (batch * 500..batch * 500 + 500).map(|number| call(number, NOW + number)).collect();
            store.insert(NOW, &request("shop", &spans)).unwrap();
        }
    }
    let store = Store::open(Options { max_bytes: LEAST_BYTES, ..options.clone() }, NOW).unwrap();
    let before = on_disk(&options.path);
    assert!(before > LEAST_BYTES);
    for _ in 0..60 {
        store.tick(NOW).unwrap();
    }
    assert!(on_disk(&options.path) <= LEAST_BYTES, "{} of {before}", on_disk(&options.path));
    assert_eq!(numbers(&store).last(), Some(&19_999));
}

#[test]
fn what_is_too_old_goes_with_everything_of_it() {
    let (_folder, store) = store(16 << 20);
    let path = store.options().path.clone();
    for hour in 0..3_u64 {
        let now = NOW + hour * 3_600 * SECOND;
        let spans: Vec<_> = (hour * 1_000..hour * 1_000 + 1_000).map(|number| call(number, now)).collect();
        store.insert(now, &request(&format!("service-{hour}"), &spans)).unwrap();
    }
    // One hour is held: some of the first has gone with the inserts that followed, the rest goes now.
    for _ in 0..10 {
        store.tick(NOW + 2 * 3_600 * SECOND + 1).unwrap();
    }
    assert_eq!(numbers(&store), (2_000..3_000).collect::<Vec<_>>());
    assert_eq!((store.stats().evicted_age, store.stats().evicted_bytes), (2_000, 0));
    for _ in 0..10 {
        store.tick(NOW + 9 * 3_600 * SECOND).unwrap();
    }
    assert_eq!(store.held_since().unwrap(), None);
    drop(store);
    let connection = Connection::open(path).unwrap();
    for table in ["spans", "calls", "envelopes"] {
        let left: i64 = connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap();
        assert_eq!(left, 0, "{table}");
    }
}

#[test]
fn a_clock_that_was_ahead_keeps_nothing_for_ever() {
    let (_folder, store) = store(16 << 20);
    store.insert(NOW + 10 * 86_400 * SECOND, &request("shop", [&call(0, NOW)])).unwrap();
    store.insert(NOW, &request("shop", [&call(1, NOW)])).unwrap();
    store.tick(NOW + 2 * 3_600 * SECOND).unwrap();
    assert!(numbers(&store).is_empty());
}

#[test]
fn a_call_of_the_future_counts_now() {
    let (_folder, store) = store(16 << 20);
    store.insert(NOW, &request("shop", [&call(0, NOW + 600 * SECOND)])).unwrap();
    let calls = store.calls(&Filter::default(), None, 10).unwrap().calls;
    assert_eq!(calls[0].time, NOW);
}

#[test]
fn content_over_its_bound_is_left_out_and_the_call_is_there() {
    let (_folder, options) = folder(16 << 20);
    let store = Store::open(Options { max_content_bytes: 1_000, ..options }, NOW).unwrap();
    let mut span = call(1, NOW);
    span.set("gen_ai.input.messages", "x".repeat(2_000).as_str()).set("tollgate.cost.nano_usd", 5_u64);
    let mut named = call(2, NOW);
    named.trace_state(&"x".repeat(2_000));
    let inserted = store.insert(NOW, &request("shop", [&span, &named, &call(3, NOW)])).unwrap();
    assert_eq!((inserted.stored, inserted.refused), (2, 1));
    let stats = store.stats();
    assert_eq!((stats.truncated, stats.refused_too_large), (1, 1));
    let calls = store.calls(&Filter::default(), None, 10).unwrap().calls;
    let truncated = calls.iter().find(|call| call.truncated).unwrap();
    assert_eq!((truncated.nano_usd, calls.len()), (Some(5), 2));
    let trace = store.trace(ids(1, 1).0).unwrap().unwrap();
    let trace = TraceRequest::scan(&trace.request, &Limits::default()).unwrap();
    let attributes = trace.span(0).unwrap().attributes();
    assert!(attributes.get("gen_ai.input.messages").is_none());
    assert!(attributes.get("tollgate.content.truncated").is_some() && attributes.get("gen_ai.request.model").is_some());
    assert!(trace.bytes().len() < 1_200);
}

#[test]
fn a_resource_that_is_too_large_is_refused() {
    let (_folder, store) = store(LEAST_BYTES);
    let inserted = store.insert(NOW, &request(&"x".repeat(300_000), [&call(1, NOW)])).unwrap();
    assert_eq!((inserted.stored, inserted.refused), (0, 1));
}

#[test]
fn what_is_no_request_is_refused_and_counted() {
    let (_folder, store) = store(LEAST_BYTES);
    assert!(matches!(store.insert(NOW, b"\xff\xff"), Err(StoreError::Malformed(_))));
    assert_eq!(store.stats().refused_malformed, 1);
}

#[test]
fn texts_of_columns_are_cut_between_characters_and_found_by_the_whole() {
    let (_folder, store) = store(LEAST_BYTES);
    let user = "é".repeat(400);
    store.insert(NOW, &request("shop", [&*call(1, NOW).set("user.id", user.as_str())])).unwrap();
    let filter = Filter { user: Some(user.clone()), ..Filter::default() };
    let calls = store.calls(&filter, None, 10).unwrap().calls;
    assert_eq!(calls[0].user.as_deref(), Some(&user[..256]));
}

#[test]
fn answers_are_bounded() {
    let (_folder, store) = store(256 << 20);
    let (trace_id, _) = ids(1, 1);
    let many = MOST_TRACE_SPANS.max(MOST_GROUPS) as u64 + 5;
    let spans: Vec<_> = (0..many)
        .map(|number| {
            let mut span = SpanWriter::new(trace_id, ids(0, number).1, "chat");
            span.times(NOW - SECOND, NOW).set("gen_ai.operation.name", "chat");
            span.set("gen_ai.request.model", format!("m{number}").as_str()).set("tollgate.cost.nano_usd", number);
            span
        })
        .collect();
    store.insert(NOW, &request("shop", &spans)).unwrap();
    let all = Filter::default();
    assert_eq!(store.calls(&all, None, usize::MAX).unwrap().calls.len(), MOST_CALLS);
    let trace = store.trace(trace_id).unwrap().unwrap();
    assert_eq!((trace.spans, trace.left_out), (MOST_TRACE_SPANS, 5));
    let cost = store.cost(&all, &[GroupKey::Model], usize::MAX).unwrap();
    assert_eq!((cost.groups.len(), cost.other.calls, cost.other_groups), (MOST_GROUPS, 5, 1));
    let sum = |groups: &[tollgate_store::Group]| groups.iter().map(|group| group.sums.nano_usd).sum::<u128>();
    assert_eq!(sum(&cost.groups) + cost.other.nano_usd, u128::from(many * (many - 1) / 2));
    let live = store.live(&all).unwrap();
    assert_eq!((live.models.len(), live.other.calls), (MOST_MODELS, many - MOST_MODELS as u64));
}

#[test]
fn a_trace_of_large_spans_is_cut_by_bytes() {
    let (_folder, options) = folder(256 << 20);
    let store = Store::open(Options { max_content_bytes: 4 << 20, ..options }, NOW).unwrap();
    let (trace_id, _) = ids(1, 1);
    for number in 0..8 {
        let mut span = SpanWriter::new(trace_id, ids(0, number).1, "chat");
        span.set("gen_ai.input.messages", "x".repeat(3 << 20).as_str());
        store.insert(NOW, &request("shop", [&span])).unwrap();
    }
    let trace = store.trace(trace_id).unwrap().unwrap();
    assert_eq!((trace.spans, trace.left_out), (2, 6));
    assert!(trace.request.len() <= tollgate_store::MOST_TRACE_BYTES + 1_000);
}

#[test]
fn a_question_that_takes_too_long_is_given_up_and_the_next_is_answered() {
    let (_folder, options) = folder(64 << 20);
    let store = Store::open(options, NOW).unwrap().with_query_timeout(Duration::ZERO);
    for batch in 0..20 {
        let spans: Vec<_> = (batch * 500..batch * 500 + 500).map(|number| call(number, NOW)).collect();
        store.insert(NOW, &request("shop", &spans)).unwrap();
    }
    let slow = store.cost(&Filter::default(), &[GroupKey::Model], 10);
    assert!(matches!(slow, Err(StoreError::TooSlow(_))), "{slow:?}");
    assert_eq!(store.stats().slow_queries, 1);
    let store = store.with_query_timeout(Duration::from_secs(60));
    assert_eq!(store.cost(&Filter::default(), &[GroupKey::Model], 10).unwrap().totals.calls, 10_000);
}
