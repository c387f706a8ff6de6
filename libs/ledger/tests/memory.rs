//! What a ledger holds, by what the allocator has given out, beside what its limits promise.

mod counting;

use counting::held;
use std::borrow::Cow;
use std::time::Duration;
use tollgate_ledger::{Entry, Ledger, Level, Limits};

const MINUTE: u64 = 60_000_000_000;
const NOW: u64 = 40_000_000 * MINUTE;

/// A value as long as it may be, and longer.
fn long(kind: &str, number: u64) -> String {
    format!("{kind}-{number:020}-{}", "x".repeat(200))
}

/// Fills every bucket, by time going on, with more values than there is room for; with late calls, which go to hours that
/// have been there for long.
fn fill(ledger: &mut Ledger, limits: &Limits, values: u64) -> u64 {
    let mut now = NOW;
    let steps = limits.retention.as_secs() / 60 + limits.recent.as_secs() / 60 + 61;
    let mut number = 0;
    for step in 0..steps {
        now = NOW + step * MINUTE;
        // An hour gets its values from its minutes, so a few in each are enough until the last, which stay minutes.
        let count = if step + 130 > steps { values } else { values.div_ceil(20) };
        for _ in 0..count {
            number += 1;
            let [model, provider, operation, source, reason] =
                ["model", "provider", "operation", "source", "reason"].map(|kind| long(kind, number));
            let dimension: Vec<_> = (0..limits.dimensions).map(|_| Some(Cow::Owned(long("user", number)))).collect();
            let entry = Entry {
                ended: now,
                model: Some(&model),
                provider: Some(&provider),
                operation: Some(&operation),
                source: Some(&source),
                unpriced: Some(&reason),
                values: &dimension,
                cost: number.is_multiple_of(2).then_some(number),
                level: Some(Level::Critical),
                ..Entry::default()
            };
            ledger.add(now, &entry);
        }
    }
    now
}

#[test]
fn a_full_ledger_takes_no_more_than_its_limits_promise() {
    for limits in [
        Limits {
            recent: Duration::from_secs(120),
            retention: Duration::from_secs(6 * 3_600),
            dimensions: 2,
            values: 30,
            alerts: 7,
        },
        Limits {
            recent: Duration::from_secs(600),
            retention: Duration::from_secs(3_600),
            dimensions: 0,
            values: 113,
            alerts: 100,
        },
        Limits { recent: Duration::ZERO, retention: Duration::ZERO, dimensions: 1, values: 1, alerts: 0 },
    ] {
        let before = held();
        let mut ledger = Ledger::new(limits);
        let now = fill(&mut ledger, &limits, 4 * limits.values.max(32) as u64);
        let (took, most) = (held() - before, limits.most_bytes());
        assert!(took <= most, "{took} bytes, promised {most}: {limits:?}");
        // A promise that is far from the truth is of no use.
        assert!(took * 4 >= most, "{took} bytes, promised {most}: {limits:?}");
        assert!(ledger.counters().folded > 0);
        let report = ledger.window(now, limits.retention).report();
        assert!(report.totals.sums.calls > 0);
        for breakdown in report.dimensions.iter().chain([&report.model]) {
            assert_eq!(breakdown.lines.len(), limits.values, "{limits:?}");
            assert_eq!(breakdown.sum(), report.totals.sums);
        }
        assert_eq!(report.provider.lines.len(), limits.values.min(32));
        assert_eq!(report.alerts.len(), limits.alerts);
    }
}
