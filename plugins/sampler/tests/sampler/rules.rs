//! Rules, by the conditions that LLM calls are chosen by.

use crate::given::{RANGE, SECOND, Span, Trace, decide, span, trace, verdict};
use tollgate_columns::Progress;
use tollgate_sampler::Sampler;

/// Whether a rule with this one condition is about a trace.
fn holds(condition: &str, given: &Trace) -> bool {
    matches_all(&format!("[{condition}]"), "any_span", given)
}

fn matches_all(conditions: &str, how: &str, given: &Trace) -> bool {
    let config = format!(
        r#"{{"rules": [{{"name": "it", "match": "{how}", "conditions": {conditions}, "sampler": {{"type": "keep"}}}}]}}"#
    );
    verdict(&config, given).0 == "it"
}

fn call() -> Span {
    span()
        .with("tollgate.cost.nano_usd", 30_000_000)
        .with("gen_ai.usage.input_tokens", 900)
        .with("gen_ai.usage.output_tokens", 200)
        .with("gen_ai.request.model", "gpt-4o")
        .with("gen_ai.response.finish_reasons", r#"["length","stop"]"#)
        .with("gen_ai.response.time_to_first_chunk", 2.5)
        .with("tollgate.redaction.count", 3)
}

#[test]
fn conditions_in_words_of_llm_calls() {
    let two = trace(vec![call(), Span { start: 5_001, duration: Some(1_000), status: "error", ..call() }]);
    for (condition, expected) in [
        (r#"{"field": "llm:cost_usd", "operator": ">=", "value": 0.03}"#, true),
        (r#"{"field": "llm:cost_usd", "operator": ">", "value": 0.03}"#, false),
        (r#"{"field": "llm:cost_usd", "operator": ">", "value": 0.05, "sum": true}"#, true),
        (r#"{"field": "llm:cost_usd", "operator": ">", "value": 0.06, "sum": true}"#, false),
        (r#"{"field": "llm:tokens", "operator": "=", "value": 1100}"#, true),
        (r#"{"field": "llm:tokens", "operator": "=", "value": 2200, "sum": true}"#, true),
        (r#"{"field": "llm:output_tokens", "operator": "<", "value": 200}"#, false),
        (r#"{"field": "llm:model", "operator": "starts-with", "value": "gpt-"}"#, true),
        (r#"{"field": "llm:model", "operator": "in", "value": ["o3", "gpt-4o"]}"#, true),
        (r#"{"field": "llm:model", "operator": "not-in", "value": ["o3", "gpt-4o"]}"#, false),
        (r#"{"field": "llm:model", "operator": "!=", "value": "o3"}"#, true),
        (r#"{"field": "llm:finish_reason", "operator": "=", "value": "length"}"#, true),
        (r#"{"field": "llm:finish_reason", "operator": "=", "value": "content_filter"}"#, false),
        (r#"{"field": "llm:time_to_first_chunk", "operator": ">", "value": "2s"}"#, true),
        (r#"{"field": "llm:time_to_first_chunk", "operator": ">", "value": "2500ms"}"#, false),
        (r#"{"field": "llm:pii", "operator": ">", "value": 0}"#, true),
        (r#"{"field": "llm:error_type", "operator": "exists"}"#, false),
        (r#"{"field": "llm:error_type", "operator": "not-exists"}"#, true),
        (r#"{"field": "llm:evaluation_score", "operator": "<", "value": 0.5}"#, false),
        (r#"{"field": "trace:duration", "operator": ">=", "value": "6s"}"#, true),
        (r#"{"field": "trace:duration", "operator": ">", "value": "6s"}"#, false),
        (r#"{"field": "trace:span_count", "operator": "=", "value": 2}"#, true),
        (r#"{"field": "trace:bytes", "operator": "<", "value": 100}"#, false),
        (r#"{"field": "trace:has_root"}"#, true),
        (r#"{"field": "trace:complete", "operator": "!=", "value": true}"#, false),
        (r#"{"field": "span:status", "operator": "=", "value": "error"}"#, true),
        (r#"{"field": "span:duration", "operator": ">", "value": "999ms"}"#, true),
        (r#"{"field": "span:name", "operator": "matches", "value": "^w.rk$"}"#, true),
        (r#"{"field": "span:name", "operator": "contains", "value": "or"}"#, true),
        (r#"{"field": "span:name", "operator": "does-not-contain", "value": "or"}"#, false),
        (r#"{"not": {"field": "span:status", "operator": "=", "value": "error"}}"#, false),
        (r#"{"any": [{"field": "x", "operator": "exists"}, {"field": "trace:has_root"}]}"#, true),
        (r#"{"all": [{"field": "x", "operator": "exists"}, {"field": "trace:has_root"}]}"#, false),
    ] {
        assert_eq!(holds(condition, &two), expected, "{condition}");
    }
    let scored = trace(vec![span().with("gen_ai.evaluation.score.value", 0.25)]);
    assert!(holds(r#"{"field": "llm:evaluation_score", "operator": "<", "value": 0.5}"#, &scored));
    let early = Trace { progress: Progress::NoRoot, ..trace(vec![span()]) };
    assert!(holds(r#"{"field": "trace:has_root", "operator": "=", "value": false}"#, &early));
}

#[test]
fn a_span_has_its_own_value_before_its_resource_s() {
    let condition = r#"{"field": "tier", "operator": "=", "value": "gold"}"#;
    assert!(holds(condition, &trace(vec![span().of("tier", "gold")])));
    assert!(!holds(condition, &trace(vec![span().of("tier", "gold").with("tier", "free")])));
    assert!(holds(
        r#"{"field": "resource:tier", "operator": "=", "value": "gold"}"#,
        &trace(vec![span().of("tier", "gold").with("tier", "free")])
    ));
}

#[test]
fn conditions_hold_for_one_span_or_for_one_each() {
    let both = r#"[{"field": "span:status", "operator": "=", "value": "error"},
                   {"field": "service", "operator": "!=", "value": "shop"},
                   {"field": "trace:span_count", "operator": "=", "value": 2}]"#;
    let error = || Span { status: "error", ..span() };
    let apart = trace(vec![error().with("service", "shop"), span().with("service", "search")]);
    assert!(!matches_all(both, "any_span", &apart), "`!=` of a trace: no span has the value");
    assert!(!matches_all(both, "same_span", &apart));
    let together = trace(vec![error().with("service", "search"), span().with("service", "shop")]);
    assert!(matches_all(both, "same_span", &together));
}

#[test]
fn the_first_rule_that_holds_decides() {
    let config = r#"{"rules": [
        {"name": "health", "conditions": [{"field": "url.path", "operator": "=", "value": "/health"}], "sampler": {"type": "drop"}},
        {"name": "expensive", "conditions": [{"field": "llm:cost_usd", "operator": ">=", "value": 0.01}], "sampler": {"type": "keep"}},
        {"name": "rest", "sampler": {"type": "probabilistic", "sampling_percentage": 25}}]}"#;
    let at = |randomness, spans| Trace { randomness, ..trace(spans) };
    assert_eq!(verdict(config, &at(0, vec![call()])), ("expensive".into(), true, 0));
    assert_eq!(
        verdict(config, &at(RANGE - 1, vec![call().with("url.path", "/health")])),
        ("health".into(), false, RANGE)
    );
    assert_eq!(verdict(config, &at(RANGE / 4 * 3, vec![span()])), ("rest".into(), true, RANGE / 4 * 3));
    assert_eq!(verdict(config, &at(RANGE / 4 * 3 - 1, vec![span()])), ("rest".into(), false, RANGE / 4 * 3));
}

#[test]
fn a_share_is_met_over_keys_and_what_was_thinned_before_counts_for_more() {
    let config = r#"{"rules": [{"name": "all", "sampler": {"type": "ema_dynamic", "goal_sampling_percentage": 20,
        "key_fields": ["service"], "adjustment_interval": "10s"}}]}"#;
    let mut sampler = Sampler::configure(config).unwrap();
    // The rare service sends a trace a second that stands for two, because half of it was dropped before.
    let rare = Trace { thinned: RANGE / 2, ..trace(vec![span().with("service", "rare")]) };
    let mut kept = 0.0;
    for second in 0..100 {
        let mut given = vec![trace(vec![span().with("service", "busy")]); 98];
        given.push(rare.clone());
        let verdicts = decide(&mut sampler, &given, second * SECOND);
        let share = |threshold: u64| (RANGE - threshold) as f64 / RANGE as f64;
        if second >= 50 {
            kept += 98.0 * share(verdicts.thresholds[0]) + 2.0 * share(verdicts.thresholds[98]);
        }
        if second == 99 {
            assert_eq!(verdicts.thresholds[98], 0, "what is rare is kept whole");
        }
    }
    assert!((kept / 50.0 - 20.0).abs() < 0.3, "{kept}");
}
