//! Verdicts against a reading of the Collector's rules that is made apart: one trace, one randomness, one answer, over
//! plain structures. It knows nothing of thresholds; that they are exact is seen from answers on both sides of them.

use crate::given::{RANGE, SECOND, Span, Trace, Value, decide, span};
use proptest::prelude::*;
use serde_json::json;
use tollgate_columns::{Progress, Verdicts};
use tollgate_sampler::Sampler;

/// A policy as the test thinks of it.
#[derive(Clone, Debug)]
enum Policy {
    Always,
    Latency(i64, Option<i64>),
    Status(&'static str),
    Text { values: Vec<&'static str>, invert: bool },
    Number { min: i64, max: i64, invert: bool },
    Truth { value: bool, invert: bool },
    State(&'static str),
    Flags,
    Count(usize, usize),
    Share(u32),
    Rate { per_second: u64, burst: u64 },
    And(Vec<Policy>),
    Not(Box<Policy>),
    Drop(Vec<Policy>),
}

/// The Collector's decisions.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Says {
    Sampled,
    NotSampled,
    Dropped,
    InvertSampled,
    InvertNotSampled,
}

/// What limits have left.
#[derive(Default)]
struct Limits(Vec<(u64, u64)>);

impl Policy {
    fn json(&self, name: String) -> serde_json::Value {
        let list = |parts: &[Self]| -> Vec<serde_json::Value> {
            parts.iter().enumerate().map(|(index, part)| part.json(format!("{name}.{index}"))).collect()
        };
        let (kind, block) = match self {
            Self::Always => return json!({ "name": name, "type": "always_sample" }),
            Self::Flags => return json!({ "name": name, "type": "trace_flags" }),
            Self::Latency(more, None) => ("latency", json!({ "threshold_ms": more })),
            Self::Latency(more, Some(most)) => ("latency", json!({ "threshold_ms": more, "upper_threshold_ms": most })),
            Self::Status(status) => ("status_code", json!({ "status_codes": [status.to_uppercase()] })),
            Self::Text { values, invert } => {
                ("string_attribute", json!({ "key": "a", "values": values, "invert_match": invert }))
            }
            Self::Number { min, max, invert } => {
                ("numeric_attribute", json!({ "key": "a", "min_value": min, "max_value": max, "invert_match": invert }))
            }
            Self::Truth { value, invert } => {
                ("boolean_attribute", json!({ "key": "b", "value": value, "invert_match": invert }))
            }
            Self::State(value) => ("trace_state", json!({ "key": "k", "values": [value] })),
            Self::Count(min, max) => ("span_count", json!({ "min_spans": min, "max_spans": max })),
            Self::Share(percent) => ("probabilistic", json!({ "sampling_percentage": percent })),
            Self::Rate { per_second, burst } => {
                ("rate_limiting", json!({ "spans_per_second": per_second, "burst_capacity": burst }))
            }
            Self::And(parts) => ("and", json!({ "and_sub_policy": list(parts) })),
            Self::Not(part) => ("not", json!({ "not_sub_policy": part.json(format!("{name}.0")) })),
            Self::Drop(parts) => ("drop", json!({ "drop_sub_policy": list(parts) })),
        };
        json!({ "name": name, "type": kind, kind: block })
    }

    /// `against` is whether the answer counts against the trace, where a share is taken from the low end.
    fn says(&self, trace: &Trace, now: u64, against: bool, path: &[usize], limits: &mut Limits) -> Says {
        let plain = |yes: bool| if yes { Says::Sampled } else { Says::NotSampled };
        let inverted = |invert: bool, found: bool| match (invert, found) {
            (false, found) => plain(found),
            (true, true) => Says::InvertNotSampled,
            (true, false) => Says::InvertSampled,
        };
        let any = |is: &dyn Fn(&Span) -> bool| trace.spans.iter().any(is);
        let in_either = |key: &str, is: &dyn Fn(&Value) -> bool| {
            any(&|span| span.attributes.get(key).is_some_and(is) || span.resource.get(key).is_some_and(is))
        };
        match self {
            Self::Always => Says::Sampled,
            Self::Latency(more, most) => {
                let first = trace.spans.iter().map(|span| span.start).min().unwrap_or(0);
                let last = trace.spans.iter().map(|span| span.start + span.duration.unwrap_or(0)).max().unwrap_or(0);
                plain(last - first > *more && most.is_none_or(|most| last - first <= most))
            }
            Self::Status(status) => plain(any(&|span| span.status == *status)),
            Self::Text { values, invert } => inverted(
                *invert,
                in_either("a", &|value| matches!(value, Value::Text(text) if values.contains(&text.as_str()))),
            ),
            Self::Number { min, max, invert } => inverted(
                *invert,
                in_either("a", &|value| matches!(value, Value::Integer(number) if number >= min && number <= max)),
            ),
            Self::Truth { value, invert } => inverted(*invert, in_either("b", &|found| *found == Value::Truth(*value))),
            Self::State(value) => {
                plain(any(&|span| span.state.split(',').any(|member| member == format!("k={value}"))))
            }
            Self::Flags => plain(any(&|span| span.flags % 2 == 1)),
            Self::Count(min, max) => plain(trace.spans.len() >= *min && (*max == 0 || trace.spans.len() <= *max)),
            Self::Share(percent) => {
                // 100 * randomness needs less than 64 bits.
                let place = 100 * trace.randomness;
                let share = RANGE * u64::from(*percent);
                plain(if against { place < share } else { place >= 100 * RANGE - share })
            }
            Self::Rate { per_second, burst } => {
                let at = path.iter().fold(0, |at, step| at * 10 + step + 1);
                let (tokens, then) = match limits.0.get(at) {
                    Some((tokens, then)) if *then > 0 => (*tokens, *then),
                    _ => (*burst, now),
                };
                // Time goes in whole seconds here.
                let tokens = (tokens + (now - then) / SECOND * per_second).min(*burst);
                let wanted = trace.spans.len() as u64;
                let left = if wanted <= tokens { tokens - wanted } else { tokens };
                if limits.0.len() <= at {
                    limits.0.resize(at + 1, (0, 0));
                }
                limits.0[at] = (left, now);
                plain(wanted <= tokens)
            }
            Self::And(parts) | Self::Drop(parts) => {
                let against = against || matches!(self, Self::Drop(_));
                for (index, part) in parts.iter().enumerate() {
                    let says = part.says(trace, now, against, &[path, &[index]].concat(), limits);
                    if matches!(says, Says::NotSampled | Says::InvertNotSampled) {
                        return Says::NotSampled;
                    }
                }
                if matches!(self, Self::Drop(_)) { Says::Dropped } else { Says::Sampled }
            }
            Self::Not(part) => match part.says(trace, now, !against, &[path, &[0]].concat(), limits) {
                Says::Sampled => Says::NotSampled,
                Says::NotSampled => Says::Sampled,
                other => other,
            },
        }
    }
}

/// The Collector's loop over its policies, and the switch behind it.
fn keeps(policies: &[Policy], first_match: bool, trace: &Trace, now: u64, limits: &mut Limits) -> bool {
    let mut all = Vec::new();
    for (index, policy) in policies.iter().enumerate() {
        let says = policy.says(trace, now, false, &[index], limits);
        all.push(says);
        if says == Says::Dropped || (first_match && says == Says::Sampled) {
            break;
        }
    }
    if all.contains(&Says::Dropped) || all.contains(&Says::InvertNotSampled) {
        false
    } else if all.contains(&Says::Sampled) {
        true
    } else {
        all.contains(&Says::InvertSampled) && !all.contains(&Says::NotSampled)
    }
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        prop::sample::select(vec!["x", "y", ""]).prop_map(Value::from),
        (0i64..6).prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
    ]
}

fn a_span() -> impl Strategy<Value = Span> {
    let attributes =
        || prop::collection::btree_map(prop::sample::select(vec!["a".to_owned(), "b".to_owned()]), value(), 0..3);
    let status = prop::sample::select(vec!["unset", "ok", "error"]);
    let state = prop::sample::select(vec!["", "k=v", "z=1,k=w", "k=vv"]);
    (status, 1i64..60, 0i64..60, state, 0i64..4, attributes(), attributes()).prop_map(
        |(status, start, duration, state, flags, attributes, resource)| {
            // A truth value and the integers 0 and 1 are one thing in columns.
            let apart = |(key, value)| match value {
                Value::Truth(_) if key == "a" => None,
                Value::Integer(_) if key == "b" => None,
                value => Some((key, value)),
            };
            Span {
                status,
                start,
                duration: Some(duration),
                state: state.into(),
                flags,
                attributes: attributes.into_iter().filter_map(apart).collect(),
                resource: resource.into_iter().filter_map(apart).collect(),
                ..span()
            }
        },
    )
}

fn a_trace() -> impl Strategy<Value = Trace> {
    (prop::collection::vec(a_span(), 1..5), 0..RANGE).prop_map(|(spans, randomness)| Trace {
        spans,
        randomness,
        thinned: 0,
        bytes: 10,
        progress: Progress::Complete,
    })
}

fn leaf(limits: bool, invert: bool) -> impl Strategy<Value = Policy> {
    let inverts = move || if invert { any::<bool>().boxed() } else { Just(false).boxed() };
    let rate = (1u64..4, 1u64..8).prop_map(|(per_second, burst)| Policy::Rate { per_second, burst });
    let share = prop_oneof![Just(0), Just(100), 1u32..100].prop_map(Policy::Share);
    let window = (0i64..60, prop::option::of(1i64..40));
    prop_oneof![
        1 => Just(Policy::Always),
        2 => window.prop_map(|(more, width)| Policy::Latency(more, width.map(|width| more + width))),
        2 => prop::sample::select(vec!["unset", "ok", "error"]).prop_map(Policy::Status),
        3 => (prop::sample::subsequence(vec!["x", "y"], 1..3), inverts())
            .prop_map(|(values, invert)| Policy::Text { values, invert }),
        2 => (0i64..4, 0i64..4, inverts())
            .prop_map(|(min, width, invert)| Policy::Number { min, max: min + width, invert }),
        2 => (any::<bool>(), inverts()).prop_map(|(value, invert)| Policy::Truth { value, invert }),
        1 => prop::sample::select(vec!["v", "w"]).prop_map(Policy::State),
        1 => Just(Policy::Flags),
        1 => (0usize..4, 0usize..3).prop_map(|(min, width)| Policy::Count(min, if width == 0 { 0 } else { min + width })),
        4 => if limits { prop_oneof![share, rate].boxed() } else { share.boxed() },
    ]
}

fn a_policy(limits: bool) -> impl Strategy<Value = Policy> {
    let inner = leaf(limits, false).prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(Policy::And),
            inner.prop_map(|part| Policy::Not(Box::new(part))),
        ]
    });
    prop_oneof![
        4 => leaf(limits, true),
        3 => inner.clone(),
        2 => prop::collection::vec(leaf(limits, true), 1..3).prop_map(Policy::And),
        2 => prop::collection::vec(inner, 1..3).prop_map(Policy::Drop),
    ]
}

fn sampler(policies: &[Policy], first_match: bool) -> Sampler {
    let list: Vec<_> = policies.iter().enumerate().map(|(index, policy)| policy.json(format!("p{index}"))).collect();
    Sampler::configure(&json!({ "policies": list, "sample_on_first_match": first_match }).to_string()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    /// Without limits every verdict has a threshold, and it is exact: the trace would be kept just there, and not below.
    #[test]
    fn verdicts_and_thresholds_are_those_of_a_plain_reading(
        policies in prop::collection::vec(a_policy(false), 1..5),
        first_match: bool,
        trace in a_trace(),
        others in prop::collection::vec(0..RANGE, 4),
    ) {
        let verdicts = decide(&mut sampler(&policies, first_match), std::slice::from_ref(&trace), SECOND);
        let reading = |randomness| {
            let trace = Trace { randomness, ..trace.clone() };
            keeps(&policies, first_match, &trace, SECOND, &mut Limits::default())
        };
        prop_assert_eq!(verdicts.keep[0] == 1, reading(trace.randomness));
        let threshold = verdicts.thresholds[0];
        prop_assert!(threshold <= Verdicts::NONE);
        // Percentages are not exact in binary, so a threshold may be off by a few of 2^56.
        for randomness in others.into_iter().chain([threshold + 64, threshold.saturating_sub(64), 0, RANGE - 1]) {
            if randomness < RANGE && randomness.abs_diff(threshold) >= 64 {
                prop_assert_eq!(reading(randomness), randomness >= threshold, "{} {}", randomness, threshold);
            }
        }
    }

    /// With limits, over a number of traces and some time, what is kept is the same. What has a threshold beside a limit
    /// would be kept without any.
    #[test]
    fn limits_are_used_up_as_in_a_plain_reading(
        policies in prop::collection::vec(a_policy(true), 1..5),
        first_match: bool,
        traces in prop::collection::vec((a_trace(), 0u64..3), 1..12),
    ) {
        let mut sampler = sampler(&policies, first_match);
        let mut limits = Limits::default();
        let mut now = SECOND;
        for (trace, seconds) in traces {
            now += seconds * SECOND;
            let verdicts = decide(&mut sampler, std::slice::from_ref(&trace), now);
            prop_assert_eq!(verdicts.keep[0] == 1, keeps(&policies, first_match, &trace, now, &mut limits));
        }
    }

    /// What a lower percentage keeps, a higher one keeps too, whatever else is asked for.
    #[test]
    fn a_lower_rate_keeps_a_subset(
        policies in prop::collection::vec(a_policy(false), 0..3),
        low in 0u32..=100,
        more in 0u32..=100,
        traces in prop::collection::vec(a_trace(), 1..20),
    ) {
        let kept = |percent: u32| {
            let policies = [policies.as_slice(), &[Policy::Share(percent.min(100))]].concat();
            decide(&mut sampler(&policies, false), &traces, SECOND).keep
        };
        for (low, high) in kept(low).into_iter().zip(kept(low + more)) {
            prop_assert!(low <= high);
        }
    }
}
