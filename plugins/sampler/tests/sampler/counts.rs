//! What is kept stands for what came: sums of adjusted counts over a million traces are right within one percent.

use crate::given::{RANGE, SECOND};
use std::collections::BTreeMap;
use tollgate_columns::{Edits, Progress, TraceRow, Traces, Verdicts};
use tollgate_sampler::Sampler;

const TRACES: u64 = 1_000_000;
const A_CALL: usize = 1_000;

/// A generator of evenly distributed numbers (SplitMix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// The mix of services: share in a thousand, and spans of a trace.
const SERVICES: [(&str, u64, usize); 4] = [("checkout", 700, 1), ("search", 250, 2), ("admin", 45, 1), ("rare", 5, 3)];

/// Traces of services in columns. Attributes are the service, or are not there.
fn traces(sampler: &Sampler, chosen: &[(&str, usize)], numbers: &mut Numbers, now: u64) -> Traces {
    let reads = sampler.manifest().reads;
    let service = reads.iter().position(|name| name == "service").map(|at| at as u16);
    let spans: usize = chosen.iter().map(|(_, spans)| spans).sum();
    let (mut edits, mut traces, mut end) = (Edits::new(spans as u32), Traces { now, ..Traces::default() }, 0);
    for (name, spans) in chosen {
        let start = end;
        end += *spans as u32;
        if let Some(service) = service {
            (start..end).for_each(|row| edits.text(row, service, name));
        }
        traces.push(&TraceRow {
            id: [1; 16],
            spans: start..end,
            randomness: numbers.next() % RANGE,
            threshold: 0,
            bytes: 1,
            progress: Progress::Complete,
        });
    }
    traces.spans = edits.finish();
    traces
}

/// Runs a million traces of the mix, 10,000 a second; gives adjusted counts and true counts by service, and how many
/// spans were kept a second in the last half.
fn run(config: &str) -> (BTreeMap<&'static str, (f64, u64)>, f64) {
    let mut sampler = Sampler::configure(config).unwrap();
    let mut numbers = Numbers(7);
    let mut counts: BTreeMap<&str, (f64, u64)> = BTreeMap::new();
    let (mut kept_spans, mut at) = (0, 0u64);
    while at < TRACES {
        let chosen: Vec<(&'static str, usize)> = (0..A_CALL)
            .map(|_| {
                let mut place = numbers.next() % 1000;
                for (service, share, spans) in SERVICES {
                    if place < share {
                        return (service, spans);
                    }
                    place -= share;
                }
                unreachable!("shares make a thousand")
            })
            .collect();
        let traces = traces(&sampler, &chosen, &mut numbers, SECOND + at * SECOND / 10_000);
        let verdicts = sampler.decide(&traces);
        assert_eq!(verdicts.check(&traces.randomness, sampler.manifest().rules.len()), Ok(()));
        for (index, (service, spans)) in chosen.iter().enumerate() {
            let entry = counts.entry(service).or_default();
            entry.1 += 1;
            if verdicts.keep[index] == 1 {
                assert_ne!(verdicts.thresholds[index], Verdicts::UNKNOWN);
                entry.0 += RANGE as f64 / (RANGE - verdicts.thresholds[index]) as f64;
                if at >= TRACES / 2 {
                    kept_spans += spans;
                }
            }
        }
        at += A_CALL as u64;
    }
    (counts, kept_spans as f64 / 50.0)
}

/// Checks the sum over all services within one percent; gives the spans kept a second.
fn unbiased(config: &str) -> f64 {
    let (counts, kept) = run(config);
    let (adjusted, came) = counts.values().fold((0.0, 0), |(adjusted, came), one| (adjusted + one.0, came + one.1));
    assert!((adjusted / came as f64 - 1.0).abs() < 0.01, "{counts:?}");
    kept
}

#[test]
fn of_a_probability() {
    unbiased(
        r#"{"policies": [{"name": "p", "type": "probabilistic", "probabilistic": {"sampling_percentage": 12.5}}]}"#,
    );
}

#[test]
fn of_several_probabilities_over_overlapping_parts() {
    unbiased(
        r#"{"policies": [
            {"name": "few", "type": "probabilistic", "probabilistic": {"sampling_percentage": 10}},
            {"name": "search", "type": "and", "and": {"and_sub_policy": [
                {"name": "it", "type": "string_attribute", "string_attribute": {"key": "service", "values": ["search", "admin"]}},
                {"name": "half", "type": "probabilistic", "probabilistic": {"sampling_percentage": 50}}]}},
            {"name": "less", "type": "drop", "drop": {"drop_sub_policy": [
                {"name": "it", "type": "string_attribute", "string_attribute": {"key": "service", "values": ["admin"]}},
                {"name": "most", "type": "probabilistic", "probabilistic": {"sampling_percentage": 70}}]}}]}"#,
    );
}

#[test]
fn of_rates_that_follow_the_traffic_and_meet_a_share() {
    let kept = unbiased(
        r#"{"rules": [{"name": "all", "sampler": {"type": "ema_dynamic", "goal_sampling_percentage": 15,
            "key_fields": ["service"], "adjustment_interval": "5s"}}]}"#,
    );
    // 12,600 spans a second come.
    assert!((kept / 12_600.0 - 0.15).abs() < 0.005, "{kept}");
}

#[test]
fn of_rates_that_follow_the_traffic_and_meet_a_throughput() {
    let kept = unbiased(
        r#"{"rules": [{"name": "all", "sampler": {"type": "ema_throughput", "goal_throughput_per_sec": 2000,
            "key_fields": ["service"], "adjustment_interval": "5s", "initial_sampling_rate": 4}}]}"#,
    );
    assert!((kept / 2_000.0 - 1.0).abs() < 0.03, "{kept}");
}
