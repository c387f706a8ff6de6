//! Limits on spans and bytes a second: what passes one has no probability.

use crate::given::{SECOND, Trace, decide, span, trace};
use tollgate_columns::Verdicts;
use tollgate_sampler::Sampler;

fn of(spans: usize) -> Trace {
    trace(vec![span(); spans])
}

/// Which of the traces pass at one moment.
fn passes(sampler: &mut Sampler, given: &[Trace], now: u64) -> Vec<u8> {
    decide(sampler, given, now).keep
}

#[test]
fn a_limit_of_spans_with_its_burst() {
    for config in [
        r#"{"policies": [{"name": "p", "type": "rate_limiting", "rate_limiting": {"spans_per_second": 5}}]}"#,
        r#"{"rules": [{"name": "p", "sampler": {"type": "rate_limiting", "spans_per_second": 5}}]}"#,
    ] {
        let mut sampler = Sampler::configure(config).unwrap();
        assert_eq!(passes(&mut sampler, &[of(11), of(6), of(4), of(1)], SECOND), [0, 1, 1, 0]);
        assert_eq!(passes(&mut sampler, &[of(6), of(5)], 2 * SECOND), [0, 1]);
        let verdicts = decide(&mut sampler, &[of(1), of(9)], 3 * SECOND);
        assert_eq!((verdicts.keep, verdicts.thresholds[0]), (vec![1, 0], Verdicts::UNKNOWN));
    }
}

#[test]
fn a_limit_of_bytes() {
    let config = r#"{"policies": [{"name": "p", "type": "bytes_limiting",
        "bytes_limiting": {"bytes_per_second": 100, "burst_capacity": 150}}]}"#;
    let mut sampler = Sampler::configure(config).unwrap();
    let of = |bytes| Trace { bytes, ..of(1) };
    assert_eq!(passes(&mut sampler, &[of(151), of(150), of(1)], SECOND), [0, 1, 0]);
    assert_eq!(passes(&mut sampler, &[of(101), of(100)], 2 * SECOND), [0, 1]);
}

#[test]
fn a_trace_that_a_probability_keeps_too_has_that_probability() {
    let config = r#"{"policies": [
        {"name": "limit", "type": "rate_limiting", "rate_limiting": {"spans_per_second": 1, "burst_capacity": 1}},
        {"name": "half", "type": "probabilistic", "probabilistic": {"sampling_percentage": 50}}]}"#;
    let mut sampler = Sampler::configure(config).unwrap();
    let low = || Trace { randomness: 0, ..of(1) };
    let verdicts = decide(&mut sampler, &[low(), of(1), low()], SECOND);
    assert_eq!(verdicts.keep, [1, 1, 0]);
    assert_eq!(verdicts.thresholds, [Verdicts::UNKNOWN, 1 << 55, 1 << 55]);
}

#[test]
fn a_policy_that_is_not_reached_uses_up_no_limit() {
    let config = r#"{"policies": [{"name": "p", "type": "and", "and": {"and_sub_policy": [
        {"name": "a", "type": "string_attribute", "string_attribute": {"key": "x", "values": ["y"]}},
        {"name": "b", "type": "rate_limiting", "rate_limiting": {"spans_per_second": 1, "burst_capacity": 1}}]}}]}"#;
    let mut sampler = Sampler::configure(config).unwrap();
    let wanted = trace(vec![span().with("x", "y")]);
    assert_eq!(passes(&mut sampler, &[of(1), wanted.clone(), wanted], SECOND), [0, 1, 0]);
}

#[test]
fn composite_gives_each_policy_its_share_of_a_second() {
    let config = r#"{"policies": [{"name": "c", "type": "composite", "composite": {
        "max_total_spans_per_second": 10, "policy_order": ["gold", "rest"],
        "composite_sub_policy": [
            {"name": "rest", "type": "always_sample"},
            {"name": "gold", "type": "string_attribute", "string_attribute": {"key": "x", "values": ["gold"]}}],
        "rate_allocation": [{"policy": "gold", "percent": 20}, {"policy": "rest", "percent": 40}]}}]}"#;
    let mut sampler = Sampler::configure(config).unwrap();
    assert_eq!(sampler.manifest().rules, ["c", "c/rest", "c/gold", "no policy matched"]);
    let gold = |spans| trace(vec![span().with("x", "gold"); spans]);
    // A trace that is too large for what is left leaves it for a smaller one.
    let verdicts = decide(&mut sampler, &[gold(1), gold(2), gold(1), gold(1), of(4), of(1)], SECOND);
    assert_eq!(verdicts.keep, [1, 0, 1, 0, 1, 0]);
    assert_eq!(verdicts.rules, [2, 3, 2, 3, 1, 3]);
    assert_eq!(verdicts.thresholds[0], Verdicts::UNKNOWN);
    assert_eq!(passes(&mut sampler, &[gold(2), gold(1)], 2 * SECOND), [1, 0]);
}
