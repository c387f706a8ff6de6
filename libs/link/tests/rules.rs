//! Which of several spans counts.

use proptest::prelude::*;
use std::time::Duration;
use tollgate_link::{Bounds, Call, LONGEST_ID, Links};

const TTL: Duration = Duration::from_secs(600);

fn links() -> Links {
    Links::new(Bounds { most: 100, ttl: TTL })
}

fn call(trace: u8, span: u8, response_id: Option<&str>, output: u64) -> Call<'_> {
    Call {
        trace_id: [trace; 16],
        span_id: [span; 8],
        response_id,
        input: Some(100),
        output: Some(output),
        ..Call::default()
    }
}

/// Answers to batches that come a second apart.
fn answers(links: &mut Links, batches: &[&[Call<'_>]]) -> Vec<Vec<bool>> {
    let seconds = (0..).map(Duration::from_secs);
    seconds.zip(batches).map(|(now, batch)| links.duplicates(now, batch)).collect()
}

#[test]
fn the_first_span_of_an_answer_counts_and_a_batch_sent_again_is_answered_as_before() {
    let (first, second) = (call(1, 1, Some("a"), 5), call(1, 2, Some("a"), 5));
    let batches: &[&[Call<'_>]] = &[&[first], &[second], &[first], &[second], &[first, second]];
    assert_eq!(answers(&mut links(), batches), [vec![false], vec![true], vec![false], vec![true], vec![false, true]]);
}

#[test]
fn of_spans_that_come_together_the_gateways_counts_and_then_one_with_counts() {
    let client = call(1, 1, Some("a"), 5);
    let gateway = Call { gateway: true, ..call(2, 2, Some("a"), 5) };
    let empty = Call { input: None, output: None, ..call(1, 3, Some("a"), 0) };
    assert_eq!(links().duplicates(Duration::ZERO, &[client, gateway]), [true, false]);
    assert_eq!(links().duplicates(Duration::ZERO, &[empty, client]), [true, false]);
    assert_eq!(links().duplicates(Duration::ZERO, &[empty, client, gateway]), [true, true, false]);
}

#[test]
fn counts_that_come_later_are_not_lost() {
    let empty = Call { input: None, output: None, ..call(1, 1, Some("a"), 0) };
    let counted = Call { gateway: true, ..call(1, 2, Some("a"), 5) };
    let late = call(1, 3, Some("a"), 5);
    assert_eq!(answers(&mut links(), &[&[empty], &[counted], &[late]]), [[false], [false], [true]]);
}

#[test]
fn an_id_that_a_server_uses_again_is_another_call() {
    let (first, other) = (call(1, 1, Some("chatcmpl-7"), 5), call(2, 2, Some("chatcmpl-7"), 9));
    let others_client = call(3, 3, Some("chatcmpl-7"), 9);
    assert_eq!(answers(&mut links(), &[&[first], &[other], &[others_client]]), [[false], [false], [true]]);
    // In one trace it is one call, even where one of the two was cut off.
    assert_eq!(answers(&mut links(), &[&[first], &[call(1, 2, Some("chatcmpl-7"), 4)]]), [[false], [true]]);
}

#[test]
fn a_span_without_an_id_repeats_the_one_below_it() {
    let inner = Call { parent_id: Some([1; 8]), ..call(1, 2, Some("a"), 5) };
    let outer = call(1, 1, None, 5);
    assert_eq!(answers(&mut links(), &[&[inner], &[outer]]), [[false], [true]]);
    assert_eq!(links().duplicates(Duration::ZERO, &[outer, inner]), [true, false]);
    for other in [call(1, 1, None, 6), call(2, 1, None, 5), call(1, 9, None, 5)] {
        assert_eq!(answers(&mut links(), &[&[inner], &[other]]), [[false], [false]], "{other:?}");
    }
    let without_counts = Call { input: None, output: None, ..outer };
    assert_eq!(answers(&mut links(), &[&[inner], &[without_counts]]), [[false], [false]]);
    // A framework around a framework around the client.
    let middle = Call { parent_id: Some([9; 8]), ..outer };
    let outermost = call(1, 9, None, 5);
    assert_eq!(links().duplicates(Duration::ZERO, &[outermost, middle, inner]), [true, true, false]);
}

#[test]
fn ids_are_forgotten_in_time_and_at_the_limit() {
    let (first, second) = (call(1, 1, Some("a"), 5), call(1, 2, Some("a"), 5));
    let mut links = links();
    links.duplicates(Duration::ZERO, &[first]);
    assert_eq!(links.duplicates(TTL, &[second]), [true]);
    assert_eq!(links.duplicates(TTL + Duration::from_secs(1), &[second]), [false]);
    assert_eq!((links.len(), links.evicted()), (1, 0));

    let mut few = Links::new(Bounds { most: 2, ttl: TTL });
    let calls: Vec<_> = ["a", "b", "c"].into_iter().zip(1..).map(|(id, n)| call(n, n, Some(id), 5)).collect();
    assert_eq!(few.duplicates(Duration::ZERO, &calls), [false; 3]);
    assert_eq!((few.len(), few.evicted()), (2, 1));
    assert_eq!(few.duplicates(Duration::ZERO, &[call(9, 9, Some("c"), 5), call(9, 8, Some("a"), 5)]), [true, false]);

    let mut none = Links::new(Bounds { most: 0, ttl: TTL });
    assert_eq!(none.duplicates(Duration::ZERO, &[first, second]), [false, false]);
    assert!(none.is_empty());
}

#[test]
fn an_id_that_is_none_links_nothing() {
    let long = "x".repeat(LONGEST_ID + 1);
    for id in ["", &long] {
        assert_eq!(links().duplicates(Duration::ZERO, &[call(1, 1, Some(id), 5), call(1, 2, Some(id), 5)]), [false; 2]);
    }
}

proptest! {
    /// However calls are spread over batches and in whatever order: an answer that has counts counts exactly once, and
    /// the memory stays within its bounds.
    #[test]
    fn every_answer_counts_once(spans in proptest::collection::vec((0u8..4, 0u8..20, any::<bool>()), 1..40), size in 1usize..8) {
        let ids = ["a", "b", "c", "d"];
        let calls: Vec<_> = spans
            .iter()
            .map(|&(id, span, gateway)| Call { gateway, ..call(id, span, Some(ids[usize::from(id)]), u64::from(id)) })
            .collect();
        let mut links = links();
        let mut counted = std::collections::BTreeSet::new();
        for batch in calls.chunks(size) {
            for (call, duplicate) in batch.iter().zip(links.duplicates(Duration::ZERO, batch)) {
                if !duplicate {
                    counted.insert((call.response_id, call.span_id));
                }
            }
            prop_assert!(links.len() <= 100);
        }
        let answers: std::collections::BTreeSet<_> = calls.iter().map(|call| call.response_id).collect();
        prop_assert_eq!(counted.len(), answers.len());
    }
}
