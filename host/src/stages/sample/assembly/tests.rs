//! The assembly by a clock of its own: each rule by itself, and all of it against a plain model.

use super::*;
use crate::stages::log::Receipt;
use crate::stages::sample::fragment::Place;
use proptest::prelude::*;
use std::collections::BTreeMap;

const BOUNDS: Bounds = Bounds {
    wait: Duration::from_secs(30),
    wait_complete: Duration::from_secs(2),
    wait_open: Duration::from_secs(120),
    traces: 10,
    bytes: 100_000,
    trace_bytes: 50_000,
};

fn arrival(trace: u8, bytes: usize, places: &[(u64, u64, bool)]) -> Arrival {
    let place = |(id, parent, generative): &(u64, u64, bool)| Place {
        id: *id,
        parent: (*parent > 0).then_some(*parent),
        generative: *generative,
    };
    Arrival {
        trace: [trace; 16],
        fragment: Fragment { bytes: vec![trace; bytes].into(), spans: places.len(), receipt: Receipt::default() },
        places: places.iter().map(place).collect(),
        randomness: None,
        threshold: 0,
    }
}

const ROOT: &[(u64, u64, bool)] = &[(1, 0, false)];
const CHILD: &[(u64, u64, bool)] = &[(2, 1, false)];
const CALL: &[(u64, u64, bool)] = &[(3, 1, true)];

#[test]
fn a_trace_is_due_when_it_is_complete_or_has_waited_and_an_open_call_is_waited_for() {
    let start = Instant::now();
    let at = |seconds: f64| start + Duration::from_secs_f64(seconds);
    for (arrivals, due) in [
        (vec![(0.0, ROOT)], 2.0),
        (vec![(0.0, ROOT), (1.5, CHILD)], 3.5),
        (vec![(0.0, CHILD)], 30.0),
        (vec![(0.0, CHILD), (10.0, ROOT)], 12.0),
        (vec![(0.0, CHILD), (29.0, ROOT)], 30.0),
        (vec![(0.0, CALL)], 120.0),
        (vec![(0.0, CHILD), (20.0, CALL)], 120.0),
        (vec![(0.0, CALL), (100.0, ROOT)], 102.0),
        (vec![(0.0, CALL), (119.5, ROOT)], 120.0),
        // Complete, and then it is seen that it was not.
        (vec![(0.0, ROOT), (1.0, &[(5, 4, false)])], 30.0),
    ] {
        let mut assembly = Assembly::new(BOUNDS);
        for (second, places) in &arrivals {
            assert!(assembly.due(at(*second)).is_none());
            assert!(assembly.add(arrival(1, 10, places), at(*second)).is_none());
        }
        assert!(assembly.due(at(due - 0.001)).is_none(), "{arrivals:?}");
        let trace = assembly.due(at(due)).unwrap();
        assert_eq!(trace.fragments.len(), arrivals.len());
        assert!(assembly.release(&trace).is_empty());
        assert_eq!((assembly.traces(), assembly.bytes()), (0, 0));
    }
}

#[test]
fn past_a_bound_the_one_that_is_due_first_is_taken_and_a_giant_goes_by_itself() {
    let now = Instant::now();
    let mut by_number = Assembly::new(Bounds { traces: 2, ..BOUNDS });
    by_number.add(arrival(1, 10, CALL), now);
    by_number.add(arrival(2, 10, CHILD), now + Duration::from_secs(1));
    assert!(by_number.excess().is_none());
    by_number.add(arrival(3, 10, CHILD), now + Duration::from_secs(2));
    let (trace, early) = by_number.excess().unwrap();
    assert_eq!((trace.id[0], early), (2, Early::Traces), "the open call is waited for longest");
    assert!(by_number.excess().is_none());

    let mut by_bytes = Assembly::new(BOUNDS);
    for number in 1..=2 {
        by_bytes.add(arrival(number, 45_000, CHILD), now);
    }
    assert!(by_bytes.excess().is_none());
    let giant = by_bytes.add(arrival(3, 60_000, CHILD), now).unwrap();
    assert_eq!(giant.id[0], 3);
    // It counts until it is released, so another has to go.
    assert_eq!(by_bytes.excess().map(|(trace, early)| (trace.id[0], early)), Some((1, Early::Bytes)));
    by_bytes.release(&giant);
    assert_eq!(by_bytes.traces(), 1);
}

#[test]
fn spans_that_come_while_their_trace_is_decided_are_given_with_the_release() {
    let now = Instant::now();
    let mut assembly = Assembly::new(BOUNDS);
    assembly.add(arrival(1, 10, ROOT), now);
    let trace = assembly.first().unwrap();
    assert!(assembly.knows(&[1; 16]));
    assembly.add(arrival(1, 20, CHILD), now);
    assert_eq!(assembly.traces(), 0);
    let late = assembly.release(&trace);
    assert_eq!(late.iter().map(|fragment| fragment.bytes.len()).collect::<Vec<_>>(), [20]);
    assert_eq!(assembly.bytes(), 0);
    assert!(!assembly.knows(&[1; 16]));
}

/// What may happen.
#[derive(Clone, Debug)]
enum Step {
    Arrive { trace: u8, bytes: usize, places: Vec<(u64, u64, bool)> },
    Pass { milliseconds: u64 },
    First,
}

/// A trace of the model: all that came, and when.
#[derive(Clone, Debug, Default)]
struct Modelled {
    arrivals: Vec<Came>,
}

/// When spans came, in milliseconds, how many bytes they are, and their ids, parents, and whether they are generative.
type Came = (u64, usize, Vec<(u64, u64, bool)>);

impl Modelled {
    /// When it is due, in milliseconds, looked up from the start.
    fn due(&self) -> u64 {
        let first = self.arrivals.first().unwrap().0;
        let last = self.arrivals.last().unwrap().0;
        let spans: Vec<_> = self.arrivals.iter().flat_map(|(_, _, places)| places).collect();
        let here = |id: u64| spans.iter().any(|(span, _, _)| *span == id);
        let missing: Vec<_> = spans.iter().filter(|(_, parent, _)| *parent > 0 && !here(*parent)).collect();
        if missing.is_empty() && spans.iter().any(|(_, parent, _)| *parent == 0) {
            (last + 2_000).min(first + if last <= first + 30_000 { 30_000 } else { 120_000 })
        } else if missing.iter().any(|(_, _, generative)| *generative) {
            first + 120_000
        } else {
            first + 30_000
        }
    }

    fn sizes(&self) -> Vec<usize> {
        self.arrivals.iter().map(|(_, bytes, _)| *bytes).collect()
    }
}

fn step() -> impl Strategy<Value = Step> {
    let place = (1u64..6, 0u64..6, any::<bool>());
    prop_oneof![
        6 => (0u8..14, 1usize..20_000, prop::collection::vec(place, 1..4))
            .prop_map(|(trace, bytes, places)| Step::Arrive { trace, bytes, places }),
        2 => (0u64..40_000).prop_map(|milliseconds| Step::Pass { milliseconds }),
        1 => Just(Step::First),
    ]
}

proptest! {
    /// What is taken is what the model says, in its order, whole, once; and bounds hold after every step.
    #[test]
    fn the_assembly_is_its_model(steps in prop::collection::vec(step(), 1..60)) {
        let start = Instant::now();
        let mut now = 0;
        let mut assembly = Assembly::new(BOUNDS);
        let mut model: BTreeMap<u8, Modelled> = BTreeMap::new();
        for step in steps {
            let at = start + Duration::from_millis(now);
            let mut taken = Vec::new();
            match step {
                Step::Arrive { trace, bytes, places } => {
                    model.entry(trace).or_default().arrivals.push((now, bytes, places.clone()));
                    if let Some(large) = assembly.add(arrival(trace, bytes, &places), at) {
                        prop_assert!(model[&trace].sizes().iter().sum::<usize>() > 40_000);
                        prop_assert_eq!(large.id[0], trace);
                        prop_assert_eq!(sizes(&large), model.remove(&trace).unwrap().sizes());
                        prop_assert!(assembly.release(&large).is_empty());
                    }
                }
                Step::Pass { milliseconds } => {
                    now += milliseconds;
                    let at = start + Duration::from_millis(now);
                    while let Some(trace) = assembly.due(at) {
                        prop_assert!(assembly.release(&trace).is_empty());
                        taken.push(trace);
                    }
                    let due = model.values().filter(|trace| trace.due() <= now).count();
                    prop_assert_eq!(taken.len(), due);
                }
                Step::First => {
                    if let Some(trace) = assembly.first() {
                        prop_assert!(assembly.release(&trace).is_empty());
                        taken.push(trace);
                    }
                }
            }
            while let Some((trace, early)) = assembly.excess() {
                let reason = if model.len() > BOUNDS.traces { Early::Traces } else { Early::Bytes };
                prop_assert_eq!(early, reason);
                prop_assert!(assembly.release(&trace).is_empty());
                check(&trace, &mut model)?;
            }
            for trace in taken {
                check(&trace, &mut model)?;
            }
            let payload: usize = model.values().flat_map(Modelled::sizes).sum();
            prop_assert_eq!(assembly.traces(), model.len());
            prop_assert!(assembly.traces() <= BOUNDS.traces && assembly.bytes() <= BOUNDS.bytes);
            prop_assert!(assembly.bytes() >= payload as u64 && (model.is_empty() == (assembly.bytes() == 0)));
        }
    }
}

fn sizes(trace: &Trace) -> Vec<usize> {
    trace.fragments.iter().map(|fragment| fragment.bytes.len()).collect()
}

/// A trace that was taken is the one that was due first, with all that came of it.
fn check(trace: &Trace, model: &mut BTreeMap<u8, Modelled>) -> Result<(), TestCaseError> {
    let first = model.iter().map(|(id, trace)| (trace.due(), *id)).min();
    prop_assert_eq!(first.map(|(_, id)| id), Some(trace.id[0]));
    let modelled = model.remove(&trace.id[0]).unwrap();
    prop_assert_eq!(sizes(trace), modelled.sizes());
    Ok(())
}
