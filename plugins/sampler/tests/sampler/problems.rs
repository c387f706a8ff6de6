//! Configurations that are refused.

use tollgate_sampler::Sampler;

fn paths(config: &str) -> Vec<String> {
    Sampler::configure(config).unwrap_err().problems.into_iter().map(|problem| problem.path).collect()
}

#[test]
fn every_problem_of_policies_is_named_with_its_path() {
    let config = r#"{"policies": [
        {"name": "a", "type": "latency"},
        {"name": "a", "type": "nonsense"},
        {"name": "b", "type": "probabilistic", "probabilistic": {"sampling_percentage": 101, "hash_salt": "x"}},
        {"name": "c", "type": "status_code", "status_code": {"status_codes": ["BAD"]}},
        {"name": "d", "type": "numeric_attribute", "numeric_attribute": {"key": "x"}},
        {"name": "e", "type": "latency", "latency": {"threshold_ms": 5, "upper_threshold_ms": 5}},
        {"name": "f", "type": "always_sample", "latency": {"threshold_ms": 5}},
        {"name": "g", "type": "always_sample", "colour": 1},
        {"name": "h", "type": "string_attribute", "string_attribute": {"key": "x", "values": ["("], "enabled_regex_matching": true}},
        {"name": "i", "type": "ottl_condition", "ottl_condition": {"span": ["IsRootSpan()"], "spanevent": ["name == \"x\""]}},
        {"name": "j", "type": "and", "and": {"and_sub_policy": [{"name": "k", "type": "composite", "composite": {}}]}},
        {"name": "l", "type": "not", "not": {"not_sub_policy": {"name": "m", "type": "boolean_attribute", "boolean_attribute": {"key": "x", "value": true, "invert_match": true}}}},
        {"name": "n", "type": "composite", "composite": {"max_total_spans_per_second": 5, "policy_order": ["o", "p"],
            "composite_sub_policy": [{"name": "o", "type": "always_sample"}], "rate_allocation": [{"policy": "q", "percent": 5}]}},
        {"name": "r", "type": "rate_limiting", "rate_limiting": {"spans_per_second": 0}}
    ]}"#;
    assert_eq!(
        paths(config),
        [
            "policies[0]",
            "policies[1].name",
            "policies[1].type",
            "policies[2].probabilistic.sampling_percentage",
            "policies[3].status_code.status_codes[0]",
            "policies[4].numeric_attribute",
            "policies[5].latency.upper_threshold_ms",
            "policies[6].latency",
            "policies[7].colour",
            "policies[8].string_attribute.values[0]",
            "policies[9].ottl_condition.spanevent",
            "policies[9].ottl_condition.span[0]",
            "policies[10].and.and_sub_policy[0].type",
            "policies[11].not.not_sub_policy.boolean_attribute.invert_match",
            "policies[12].composite.rate_allocation[0].policy",
            "policies[12].composite.policy_order[1]",
            "policies[13].rate_limiting.spans_per_second",
        ]
    );
}

#[test]
fn every_problem_of_rules_is_named_with_its_path() {
    let config = r#"{"rules": [
        {"name": "a", "conditions": [{"field": "llm:colour", "operator": "=", "value": 1}], "sampler": {"type": "keep"}},
        {"name": "b", "conditions": [{"field": "x", "operator": "~", "value": 1}], "sampler": {"type": "keep"}},
        {"name": "c", "conditions": [{"field": "llm:cost_usd", "operator": ">", "value": "5"}], "sampler": {"type": "keep"}},
        {"name": "d", "conditions": [{"field": "trace:duration", "operator": ">", "value": 5}], "sampler": {"type": "keep"}},
        {"name": "e", "conditions": [{"any": [{"field": "x", "operator": "in", "value": 5}]}], "sampler": {"type": "keep"}},
        {"name": "f", "conditions": [{"not": {"field": "x", "operator": "exists", "value": 5}}], "sampler": {"type": "keep"}},
        {"name": "g", "conditions": [{"operator": "exists"}], "sampler": {"type": "keep"}},
        {"name": "h", "match": "both", "conditions": [{"field": "x", "operator": "exists"}], "sampler": {"type": "keep"}},
        {"name": "i", "conditions": [{"field": "x", "operator": "exists"}]},
        {"name": "j", "conditions": [{"field": "x", "operator": "exists"}], "sampler": {"type": "ema_dynamic"}},
        {"name": "k", "conditions": [{"field": "x", "operator": "matches", "value": "("}], "sampler": {"type": "dice"}},
        {"name": "l", "sampler": {"type": "keep", "sampling_percentage": 5}},
        {"name": "m", "sampler": {"type": "ema_throughput", "goal_throughput_per_sec": 5, "key_fields": ["x"], "adjustment_interval": "soon"}}
    ]}"#;
    assert_eq!(
        paths(config),
        [
            "rules[0].conditions[0].field",
            "rules[1].conditions[0].operator",
            "rules[2].conditions[0].value",
            "rules[3].conditions[0].value",
            "rules[4].conditions[0].any[0].value",
            "rules[5].conditions[0].not.value",
            "rules[6].conditions[0]",
            "rules[7].match",
            "rules[8].sampler",
            "rules[9].sampler.goal_sampling_percentage",
            "rules[9].sampler.key_fields",
            "rules[10].conditions[0].value",
            "rules[10].sampler.type",
            "rules[11].sampler.sampling_percentage",
            "rules[12]",
            "rules[12].sampler.adjustment_interval",
        ]
    );
}

#[test]
fn the_two_forms_cannot_be_mixed() {
    let both = r#"{"policies": [{"name": "a", "type": "always_sample"}], "rules": []}"#;
    assert_eq!(paths(both), ["rules"]);
    assert_eq!(paths(r#"{"rules": [], "sample_on_first_match": true}"#), ["sample_on_first_match"]);
}

#[test]
fn what_is_no_configuration_is_refused() {
    for (config, path) in
        [("no json", ""), ("[]", ""), (r#"{"policy": []}"#, "policy"), (r#"{"policies": {}}"#, "policies")]
    {
        assert_eq!(paths(config)[0], path, "{config}");
    }
    let deep = (0..20).fold(r#"{"name": "x", "type": "always_sample"}"#.to_owned(), |inner, _| {
        format!(r#"{{"name": "x", "type": "not", "not": {{"not_sub_policy": {inner}}}}}"#)
    });
    assert!(Sampler::configure(&format!(r#"{{"policies": [{deep}]}}"#)).is_err());
}
