//! Policies as users write them, on traces as the host hands them over.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests")]

use tollgate_columns::{Edits, Traces};
use tollgate_sampler::Sampler;

const MS: i64 = 1_000_000;

/// A span: status, start and duration in milliseconds, and one attribute.
#[derive(Clone, Copy)]
struct Span {
    status: &'static str,
    start: i64,
    duration: i64,
    attribute: Value,
}

#[derive(Clone, Copy)]
enum Value {
    None,
    Text(&'static str),
    Integer(i64),
    Real(f64),
}

const PLAIN: Span = Span { status: "unset", start: 0, duration: 10, attribute: Value::None };

/// A randomness that a 10 % policy drops, and one that it keeps.
const LOW: u8 = 0x00;
const HIGH: u8 = 0xff;

fn traces(sampler: &Sampler, given: &[(u8, &[Span])]) -> Traces {
    let reads = sampler.manifest().reads;
    let place = |name: &str| reads.iter().position(|read| read == name).map(|at| at as u16);
    let spans: Vec<Span> = given.iter().flat_map(|(_, spans)| spans.iter().copied()).collect();
    let mut edits = Edits::new(spans.len() as u32);
    for (row, span) in spans.iter().enumerate() {
        let row = row as u32;
        if let Some(at) = place("span:status") {
            edits.text(row, at, span.status);
        }
        if let (Some(start), Some(duration)) = (place("span:startTime"), place("span:duration")) {
            edits.integer(row, start, span.start * MS);
            edits.integer(row, duration, span.duration * MS);
        }
        match (place("x"), span.attribute) {
            (Some(at), Value::Text(value)) => edits.text(row, at, value),
            (Some(at), Value::Integer(value)) => edits.integer(row, at, value),
            (Some(at), Value::Real(value)) => edits.real(row, at, value),
            _ => {}
        }
    }
    let mut traces = Traces { offsets: vec![0], spans: edits.finish(), ..Traces::default() };
    let mut end = 0;
    for (randomness, spans) in given {
        traces.ids.extend_from_slice(&[0x11; 9]);
        traces.ids.extend_from_slice(&[*randomness; 7]);
        end += spans.len() as u32;
        traces.offsets.push(end);
    }
    traces
}

/// The name of the rule and whether the trace was kept.
fn verdict(config: &str, randomness: u8, spans: &[Span]) -> (String, bool) {
    let sampler = Sampler::configure(config).unwrap();
    let verdicts = sampler.decide(&traces(&sampler, &[(randomness, spans)]));
    let rules = sampler.manifest().rules;
    assert_eq!(verdicts.check(1, rules.len()), Ok(()));
    (rules[usize::from(verdicts.rules[0])].clone(), verdicts.keep[0] == 1)
}

fn one(kind: &str, block: &str) -> String {
    format!(r#"{{"policies": [{{"name": "p", "type": "{kind}", "{kind}": {block}}}]}}"#)
}

#[test]
fn each_condition_holds_where_it_should_and_only_there() {
    let error = Span { status: "error", ..PLAIN };
    let text = |value| Span { attribute: Value::Text(value), ..PLAIN };
    let integer = |value| Span { attribute: Value::Integer(value), ..PLAIN };
    let real = |value| Span { attribute: Value::Real(value), ..PLAIN };
    let late = Span { start: 90, ..PLAIN };
    let latency = one("latency", r#"{"threshold_ms": 100}"#);
    let window = one("latency", r#"{"threshold_ms": 10, "upper_threshold_ms": 100}"#);
    let status = one("status_code", r#"{"status_codes": ["ERROR"]}"#);
    let string = one("string_attribute", r#"{"key": "x", "values": ["gold", "silver"]}"#);
    let numeric = one("numeric_attribute", r#"{"key": "x", "min_value": 0.5, "max_value": 10}"#);
    let boolean = one("boolean_attribute", r#"{"key": "x", "value": true}"#);
    let cases: &[(&str, &[Span], bool)] = &[
        (&status, &[PLAIN, error], true),
        (&status, &[PLAIN], false),
        (&status, &[], false),
        // The latency of a trace runs from its earliest start to its latest end, in whatever order spans come.
        (&latency, &[late, PLAIN], true),
        (&latency, &[PLAIN], false),
        (&window, &[PLAIN], true),
        (&window, &[late, PLAIN], false),
        (&string, &[PLAIN, text("silver")], true),
        (&string, &[text("bronze")], false),
        (&string, &[integer(1)], false),
        (&numeric, &[real(0.5)], true),
        (&numeric, &[integer(10)], true),
        (&numeric, &[integer(11)], false),
        (&numeric, &[real(f64::NAN)], false),
        (&numeric, &[text("5")], false),
        (&boolean, &[integer(1)], true),
        (&boolean, &[integer(0)], false),
    ];
    for (config, spans, kept) in cases {
        assert_eq!(verdict(config, LOW, spans).1, *kept, "{config}");
    }
}

#[test]
fn the_first_policy_that_matches_decides() {
    let config = r#"{"policies": [
        {"name": "errors", "type": "status_code", "status_code": {"status_codes": ["error"]}},
        {"name": "gold", "type": "string_attribute", "string_attribute": {"key": "x", "values": ["gold"]}, "sampling_percentage": 50},
        {"name": "rest", "type": "probabilistic", "probabilistic": {"sampling_percentage": 10}}
    ]}"#;
    let gold = Span { attribute: Value::Text("gold"), ..PLAIN };
    let failed_gold = Span { status: "error", ..gold };
    assert_eq!(verdict(config, LOW, &[failed_gold]), ("errors".into(), true));
    assert_eq!(verdict(config, LOW, &[gold]), ("gold".into(), false));
    assert_eq!(verdict(config, 0x80, &[gold]), ("gold".into(), true));
    assert_eq!(verdict(config, 0x80, &[PLAIN]), ("rest".into(), false));
    assert_eq!(verdict(config, HIGH, &[PLAIN]), ("rest".into(), true));
}

#[test]
fn a_trace_that_no_policy_matches_is_dropped_and_says_so() {
    let config = one("status_code", r#"{"status_codes": ["ERROR"]}"#);
    assert_eq!(verdict(&config, HIGH, &[PLAIN]), ("no policy matched".into(), false));
}

#[test]
fn without_policies_everything_is_kept() {
    assert_eq!(verdict("{}", LOW, &[PLAIN]), ("always_sample".into(), true));
}

#[test]
fn a_batch_gives_one_verdict_a_trace_with_its_probability() {
    let config = r#"{"policies": [
        {"name": "errors", "type": "status_code", "status_code": {"status_codes": ["ERROR"]}},
        {"name": "rest", "type": "probabilistic", "probabilistic": {"sampling_percentage": 25}}
    ]}"#;
    let sampler = Sampler::configure(config).unwrap();
    let error = Span { status: "error", ..PLAIN };
    let verdicts = sampler.decide(&traces(&sampler, &[(LOW, &[PLAIN]), (LOW, &[PLAIN, error]), (HIGH, &[PLAIN])]));
    assert_eq!(verdicts.keep, [0, 1, 1]);
    assert_eq!(verdicts.rules, [1, 0, 1]);
    assert_eq!(verdicts.probabilities, [0.25, 1.0, 0.25]);
}

#[test]
fn every_problem_of_a_configuration_is_named_with_its_path() {
    let config = r#"{"policies": [
        {"name": "a", "type": "latency"},
        {"name": "a", "type": "nonsense"},
        {"name": "b", "type": "probabilistic", "probabilistic": {"sampling_percentage": 101}},
        {"name": "c", "type": "status_code", "status_code": {"status_codes": ["BAD"]}},
        {"name": "d", "type": "numeric_attribute", "numeric_attribute": {"key": "x"}},
        {"name": "e", "type": "latency", "latency": {"threshold_ms": 5, "upper_threshold_ms": 5}},
        {"name": "f", "type": "always_sample", "latency": {"threshold_ms": 5}},
        {"name": "g", "type": "always_sample", "colour": 1}
    ]}"#;
    let problems = Sampler::configure(config).unwrap_err().problems;
    let paths: Vec<&str> = problems.iter().map(|problem| problem.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "policies[0]",
            "policies[1].name",
            "policies[1].type",
            "policies[2].probabilistic.sampling_percentage",
            "policies[3].status_code.status_codes[0]",
            "policies[4].numeric_attribute",
            "policies[5].latency.upper_threshold_ms",
            "policies[6].latency",
            "policies[7]",
        ]
    );
    assert!(Sampler::configure("no json").is_err());
    assert!(Sampler::configure(r#"{"policy": []}"#).is_err());
}
