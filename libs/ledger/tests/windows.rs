//! Time: which calls a window has, and what becomes of those that come late, early, or while the clock is set.

use std::time::Duration;
use tollgate_ledger::{Counters, Entry, Ledger, Level, Limits, Savings};

const SECOND: u64 = 1_000_000_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
/// An hour begins here.
const BEGIN: u64 = 495_000 * HOUR;

fn ledger() -> Ledger {
    Ledger::new(Limits {
        recent: Duration::from_secs(3_600),
        retention: Duration::from_secs(6 * 3_600),
        ..Limits::default()
    })
}

fn call(ended: u64, cost: u64) -> Entry<'static> {
    Entry { ended, cost: Some(cost), model: Some("m"), ..Entry::default() }
}

/// Cost, and the start as hours and minutes since [`BEGIN`].
fn ask(ledger: &mut Ledger, now: u64, length: u64) -> (u128, u64, u64) {
    let window = ledger.window(now, Duration::from_nanos(length));
    assert_eq!(window.end, now);
    let start = window.start - BEGIN;
    let report = window.report();
    assert_eq!(report.model.sum(), report.totals.sums);
    (report.totals.sums.cost, start / HOUR, start % HOUR / MINUTE)
}

/// A call each minute for ten hours, each with a cost of its own, so that a sum says which calls are in it.
#[test]
fn a_window_has_the_calls_that_ended_in_it() {
    let mut ledger = ledger();
    let cost = |minute: u64| minute * minute;
    for minute in 0..600 {
        let now = BEGIN + minute * MINUTE + 30 * SECOND;
        ledger.add(now, &call(now, cost(minute)));
    }
    let now = BEGIN + 599 * MINUTE + 45 * SECOND;
    // Asked for; the minute with which it begins.
    for (length, first) in [
        (MINUTE, 598),
        (5 * MINUTE, 594),
        (15 * MINUTE, 584),
        (60 * MINUTE, 539),
        // The hour's minutes are no longer told apart.
        (61 * MINUTE, 480),
        (2 * HOUR, 420),
        (2 * HOUR + 50 * MINUTE, 420),
        (5 * HOUR + 50 * MINUTE, 240),
        (6 * HOUR, 180),
    ] {
        let sum: u64 = (first..600).map(cost).sum();
        let expected = (u128::from(sum), first / 60, first % 60);
        assert_eq!(ask(&mut ledger, now, length), expected, "{} minutes", length / MINUTE);
    }
    assert_eq!(ledger.counters(), Counters::default());
    // Nothing more comes, and time goes on.
    let sum = |from: u64| u128::from((from..600).map(cost).sum::<u64>());
    assert_eq!(ask(&mut ledger, now + 3 * HOUR, 6 * HOUR).0, sum(360));
    assert_eq!(ask(&mut ledger, now + 6 * HOUR, 6 * HOUR).0, sum(540));
    assert_eq!(ask(&mut ledger, now + 7 * HOUR, 6 * HOUR).0, 0);
}

#[test]
fn a_call_counts_when_it_ended_whenever_it_comes() {
    let now = BEGIN + 10 * HOUR + 20 * MINUTE + 5 * SECOND;
    // When it ended; the cost in windows of 2 minutes, 1 hour and 6 hours; late, ahead.
    for (ended, costs, late, ahead) in [
        (now, [7, 7, 7], 0, 0),
        (0, [7, 7, 7], 0, 0),
        (now - 90 * SECOND, [7, 7, 7], 0, 0),
        (now - 3 * MINUTE, [0, 7, 7], 0, 0),
        (now - HOUR, [0, 7, 7], 0, 0),
        (now - 62 * MINUTE, [0, 0, 7], 0, 0),
        (now - 6 * HOUR, [0, 0, 7], 0, 0),
        (BEGIN + 4 * HOUR, [0, 0, 7], 0, 0),
        (BEGIN + 4 * HOUR - 1, [0, 0, 0], 1, 0),
        (1, [0, 0, 0], 1, 0),
        (now + 30 * SECOND, [7, 7, 7], 0, 0),
        (now + 61 * SECOND, [7, 7, 7], 0, 1),
        (u64::MAX, [7, 7, 7], 0, 1),
    ] {
        let mut ledger = ledger();
        ledger.add(now, &call(ended, 7));
        let found = [2 * MINUTE, HOUR, 6 * HOUR].map(|length| ask(&mut ledger, now, length).0);
        assert_eq!(found, costs, "{ended}");
        let counters = Counters { late, ahead, late_cost: u128::from(late * 7), ..Counters::default() };
        assert_eq!(ledger.counters(), counters, "{ended}");
    }
}

#[test]
fn where_the_clock_is_set_back_nothing_is_lost() {
    for back in [MINUTE, 30 * MINUTE, 2 * HOUR, 1_000 * HOUR] {
        let mut ledger = ledger();
        for minute in 0..120 {
            let now = BEGIN + minute * MINUTE;
            ledger.add(now, &call(now, 1));
        }
        let now = BEGIN + 119 * MINUTE - back.min(BEGIN);
        ledger.add(now, &call(now, 1));
        let total = ledger.window(now, Duration::from_secs(6 * 3_600)).report().totals;
        assert_eq!(total.sums.cost, 121, "back by {} minutes", back / MINUTE);
        // And soon everything is as it was.
        for minute in 1..=120 {
            let now = now + minute * MINUTE;
            ledger.add(now, &call(now, 1));
        }
        let window = ledger.window(now + 120 * MINUTE, Duration::from_secs(1_800));
        assert_eq!((window.report().totals.sums.cost, window.end - window.start), (31, 30 * MINUTE));
    }
}

#[test]
fn the_ends_of_time_are_times() {
    for now in [0, 1, MINUTE, u64::MAX] {
        for then in [0, 1, u64::MAX] {
            let mut ledger = ledger();
            ledger.add(now, &call(then, 1));
            ledger.add(then, &call(now, 1));
            let window = ledger.window(u64::MAX, Duration::MAX);
            assert_eq!((window.start, window.end), (0, u64::MAX));
            assert!(window.report().totals.sums.calls <= 2);
        }
    }
}

#[test]
fn everything_that_is_not_money_is_added_up_too() {
    let mut ledger = ledger();
    let now = BEGIN;
    let priced = Entry {
        tokens: [Some(100), Some(20), Some(60), None, Some(5)],
        savings: Savings { cache_read: 900, cache_write: -250 },
        source: Some("local"),
        operation: Some("chat"),
        disagrees: true,
        level: Some(Level::Warning),
        ..call(now, 10)
    };
    let unpriced = Entry { cost: None, unpriced: Some("unknown_model"), tokens: [None; 5], ..priced };
    let silent = Entry { unpriced: None, model: None, level: Some(Level::Critical), ..unpriced };
    for entry in [priced, priced, unpriced, silent] {
        ledger.add(now, &entry);
    }
    let report = ledger.window(now, Duration::from_secs(60)).report();
    let totals = report.totals;
    assert_eq!((totals.sums.calls, totals.sums.priced, totals.sums.counted), (4, 2, 2));
    assert_eq!((totals.sums.tokens, totals.sums.all_tokens()), ([200, 40, 120, 0, 10], 240));
    assert_eq!(totals.savings, Savings { cache_read: 3_600, cache_write: -1_000 });
    assert_eq!((totals.disagreements, totals.warnings, totals.criticals), (4, 3, 1));
    let calls = |breakdown: &tollgate_ledger::Breakdown| -> Vec<_> {
        breakdown.lines.iter().map(|line| (line.value.to_string(), line.sums.calls)).collect()
    };
    let line = |value: &str, calls| (value.to_owned(), calls);
    assert_eq!(calls(&report.unpriced_reason), [line("not_stated", 1), line("unknown_model", 1)]);
    assert_eq!((calls(&report.unpriced_model), report.unpriced_model.unset.calls), (vec![line("m", 1)], 1));
    assert_eq!((calls(&report.source), report.source.unset.calls), (vec![line("local", 2)], 2));
    assert_eq!((calls(&report.model), report.model.unset.calls), (vec![line("m", 3)], 1));
}

#[test]
fn the_newest_alerts_of_the_window_come_newest_first() {
    let mut ledger = Ledger::new(Limits { alerts: 3, ..Limits::default() });
    for minute in 0..5_u8 {
        let now = BEGIN + u64::from(minute) * MINUTE;
        let level = [Level::Warning, Level::Critical].into_iter().nth(usize::from(minute % 2));
        ledger.add(now, &Entry { level, trace_id: [minute; 16], span_id: [minute; 8], ..call(now, minute.into()) });
        ledger.add(now, &call(now, 1));
    }
    let now = BEGIN + 4 * MINUTE;
    let alerts = |ledger: &mut Ledger, minutes: u64| -> Vec<_> {
        let report = ledger.window(now, Duration::from_secs(60 * minutes)).report();
        let alert = |alert: &std::sync::Arc<tollgate_ledger::Alert>| (alert.trace_id[0], alert.level, alert.cost);
        report.alerts.iter().map(alert).collect()
    };
    let (two, three, four) =
        ((2, Level::Warning, Some(2)), (3, Level::Critical, Some(3)), (4, Level::Warning, Some(4)));
    assert_eq!(alerts(&mut ledger, 60), [four, three, two], "the oldest two are forgotten");
    assert_eq!(alerts(&mut ledger, 1), [four, three], "that of before is not in the window");
}
