//! Whatever comes, in whatever order, however little room there is: sums are exact, and errors are what they may be.

use proptest::prelude::*;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;
use tollgate_ledger::{Breakdown, Entry, Ledger, Limits, Sums};

const MINUTE: u64 = 60_000_000_000;
const NOW: u64 = 29_700_000 * MINUTE;

/// A call: minutes by which its arrival is later than that of the last, minutes that it is late, its user, what it cost.
type Call = (u64, u64, Option<u8>, Option<u64>);

fn calls() -> impl Strategy<Value = Vec<Call>> {
    let user = prop_oneof![1 => Just(None), 4 => (0..8_u8).prop_map(Some), 4 => any::<u8>().prop_map(Some)];
    let cost = prop_oneof![
        1 => Just(None),
        4 => (0..20_u64).prop_map(Some),
        2 => (0..1_000_000_u64).prop_map(Some),
        1 => (u64::MAX - 5..=u64::MAX).prop_map(Some),
    ];
    let pause = prop_oneof![6 => Just(0_u64), 2 => 0..3_u64, 1 => 0..200_u64];
    let late = prop_oneof![4 => Just(0_u64), 1 => 0..300_u64];
    prop::collection::vec((pause, late, user, cost), 0..400)
}

/// A call as it is expected in a window: when it ended, who made it, what it cost.
struct Told {
    ended: u64,
    user: Option<String>,
    cost: Option<u64>,
}

fn check(breakdown: &Breakdown, told: &[&Told], capacity: usize) -> Result<(), TestCaseError> {
    let sum = |calls: &mut dyn Iterator<Item = &&Told>| {
        let mut sum = Sums::default();
        for call in calls {
            sum.calls += 1;
            sum.priced += u64::from(call.cost.is_some());
            sum.cost += u128::from(call.cost.unwrap_or(0));
        }
        sum
    };
    let total = sum(&mut told.iter());
    prop_assert_eq!(breakdown.sum(), total, "the sum over a dimension is the total");
    prop_assert_eq!(breakdown.unset, sum(&mut told.iter().filter(|call| call.user.is_none())));
    prop_assert!(breakdown.lines.len() <= capacity);
    let mut users: BTreeMap<&str, Sums> = BTreeMap::new();
    for call in told {
        if let Some(user) = &call.user {
            users.entry(user).or_default().add(&sum(&mut [*call].iter()));
        }
    }
    for line in &breakdown.lines {
        let truth = users.remove(&*line.value).unwrap_or_default();
        prop_assert!(line.sums.cost <= truth.cost && truth.cost <= line.sums.cost + line.error.cost);
        prop_assert!(line.sums.calls <= truth.calls && truth.calls <= line.sums.calls + line.error.calls);
        prop_assert!(line.error.cost <= total.cost / capacity as u128, "an error is at most the total by the capacity");
    }
    for (user, truth) in users {
        prop_assert!(truth.cost <= breakdown.hidden.cost && truth.calls <= breakdown.hidden.calls, "{}", user);
    }
    prop_assert!(breakdown.hidden.cost <= total.cost / capacity as u128);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn sums_are_exact_and_errors_are_bounded(
        calls in calls(),
        capacity in 1..12_usize,
        recent in 0..90_u64,
        hours in 0..6_u64,
        length in 1..500_u64,
        top in 0..12_usize,
    ) {
        let mut ledger = Ledger::new(Limits {
            recent: Duration::from_secs(recent * 60),
            retention: Duration::from_secs(hours * 3_600),
            dimensions: 1,
            values: capacity,
            alerts: 0,
        });
        let (mut now, mut told, mut late_cost) = (NOW, Vec::new(), 0_u128);
        for (pause, late, user, cost) in calls {
            now += pause * MINUTE;
            let ended = now - late * MINUTE;
            let user = user.map(|user| format!("user-{user}"));
            let before = ledger.counters().late;
            let values = [user.as_deref().map(Cow::Borrowed)];
            ledger.add(now, &Entry { ended, cost, values: &values, model: user.as_deref(), ..Entry::default() });
            if ledger.counters().late > before {
                late_cost += u128::from(cost.unwrap_or(0));
            } else {
                told.push(Told { ended, user, cost });
            }
        }
        prop_assert_eq!(ledger.counters().late_cost, late_cost);
        let window = ledger.window(now, Duration::from_secs(length * 60));
        prop_assert!(window.start <= now - length * MINUTE);
        // What was forgotten by then is not in the window, however long it is.
        let held = (now / MINUTE - recent).min((now / (60 * MINUTE) - hours) * 60);
        let from = window.start.max(held * MINUTE);
        let inside: Vec<_> = told.iter().filter(|call| call.ended >= from).collect();
        let report = window.report();
        prop_assert_eq!(report.totals.sums.calls, inside.len() as u64);
        check(&report.dimensions[0], &inside, capacity)?;
        check(&report.model, &inside, capacity)?;
        let unpriced: Vec<_> = inside.iter().copied().filter(|call| call.cost.is_none()).collect();
        check(&report.unpriced_model, &unpriced, capacity)?;
        prop_assert_eq!(report.unpriced_reason.sum().calls, unpriced.len() as u64);
        let mut cut = report.model.clone();
        cut.truncate(top);
        prop_assert_eq!(cut.sum(), report.model.sum());
        prop_assert!(cut.lines.len() <= top);
    }

    /// A window that is alive sees what was there when it was taken.
    #[test]
    fn a_window_does_not_change_while_calls_are_added(calls in calls(), more in calls()) {
        let mut ledger = Ledger::new(Limits { values: 3, ..Limits::default() });
        let mut now = NOW;
        let mut add = |ledger: &mut Ledger, calls: Vec<Call>| {
            for (pause, late, user, cost) in calls {
                now += pause * MINUTE;
                let model = user.map(|user| user.to_string());
                let ended = now - late * MINUTE;
                ledger.add(now, &Entry { ended, cost, model: model.as_deref(), ..Entry::default() });
            }
            now
        };
        let now = add(&mut ledger, calls);
        let window = ledger.window(now, Duration::from_secs(86_400));
        let before = window.report();
        add(&mut ledger, more);
        let after = window.report();
        prop_assert_eq!(before.totals, after.totals);
        prop_assert_eq!(before.model, after.model);
    }
}
