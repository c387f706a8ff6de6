//! Each policy by itself, and what several come to.

use crate::given::{MS, RANGE, SECOND, Span, Trace, keeps, span, trace, verdict};
use tollgate_columns::Verdicts;
use tollgate_sampler::Sampler;

fn one(kind: &str, block: &str) -> String {
    format!(r#"{{"policies": [{{"name": "p", "type": "{kind}", "{kind}": {block}}}]}}"#)
}

#[test]
fn each_condition_holds_where_it_should_and_only_there() {
    assert_eq!(MS, 1_000_000);
    let error = || Span { status: "error", ..span() };
    let late = || Span { start: 91, ..span() };
    let open = || Span { start: 201, duration: None, ..span() };
    let state = |state: &str| Span { state: state.into(), ..span() };
    let latency = one("latency", r#"{"threshold_ms": 99}"#);
    let window = one("latency", r#"{"threshold_ms": 9, "upper_threshold_ms": 100}"#);
    let status = one("status_code", r#"{"status_codes": ["ERROR"]}"#);
    let string = one("string_attribute", r#"{"key": "x", "values": ["gold", "silver"]}"#);
    let inverted = one("string_attribute", r#"{"key": "x", "values": ["gold"], "invert_match": true}"#);
    let regex =
        one("string_attribute", r#"{"key": "x", "values": ["^/api", "v[0-9]"], "enabled_regex_matching": true}"#);
    let numeric = one("numeric_attribute", r#"{"key": "x", "min_value": 1, "max_value": 10}"#);
    let least = one("numeric_attribute", r#"{"key": "x", "min_value": 1}"#);
    let boolean = one("boolean_attribute", r#"{"key": "x", "value": true}"#);
    let member = one("trace_state", r#"{"key": "vendor", "values": ["a", "b"]}"#);
    let count = one("span_count", r#"{"min_spans": 2, "max_spans": 3}"#);
    let many = one("span_count", r#"{"min_spans": 2}"#);
    let flags = r#"{"policies": [{"name": "p", "type": "trace_flags"}]}"#.to_owned();
    let cases: Vec<(&String, Vec<Span>, bool)> = vec![
        (&status, vec![span(), error()], true),
        (&status, vec![span()], false),
        (&status, vec![], false),
        // From the earliest start to the latest end, in whatever order spans come; the lower bound is exclusive.
        (&latency, vec![late(), span()], true),
        (&latency, vec![span()], false),
        (&latency, vec![span(), open()], true),
        (&window, vec![span()], true),
        (&window, vec![late(), span()], true),
        (&window, vec![Span { duration: Some(9), ..span() }], false),
        (&window, vec![Span { duration: Some(101), ..span() }], false),
        (&string, vec![span(), span().with("x", "silver")], true),
        (&string, vec![span().of("x", "gold")], true),
        (&string, vec![span().with("x", "bronze").of("x", "gold")], true),
        (&string, vec![span().with("x", "bronze")], false),
        (&string, vec![span().with("x", 1)], false),
        (&inverted, vec![span().with("x", "gold")], false),
        (&inverted, vec![span().with("x", "silver")], true),
        (&inverted, vec![span()], true),
        (&regex, vec![span().with("x", "/api/users")], true),
        (&regex, vec![span().with("x", "/home/v2/x")], true),
        (&regex, vec![span().with("x", "/home/api")], false),
        (&numeric, vec![span().with("x", 1)], true),
        (&numeric, vec![span().of("x", 10)], true),
        (&numeric, vec![span().with("x", 9.5)], true),
        (&numeric, vec![span().with("x", 11)], false),
        (&numeric, vec![span().with("x", f64::NAN)], false),
        (&numeric, vec![span().with("x", "5")], false),
        (&least, vec![span().with("x", i64::MAX)], true),
        (&boolean, vec![span().with("x", true)], true),
        (&boolean, vec![span().of("x", true)], true),
        (&boolean, vec![span().with("x", false)], false),
        (&member, vec![state("a=1, vendor=b")], true),
        (&member, vec![state("vendor=c")], false),
        (&member, vec![state("xvendor=a")], false),
        (&count, vec![span()], false),
        (&count, vec![span(), span()], true),
        (&count, vec![span(), span(), span(), span()], false),
        (&many, vec![span(), span(), span(), span()], true),
        (&flags, vec![span(), Span { flags: 0x101, ..span() }], true),
        (&flags, vec![Span { flags: 0x100, ..span() }], false),
    ];
    for (config, spans, kept) in cases {
        assert_eq!(keeps(config, spans.clone()), kept, "{config} {spans:?}");
    }
}

#[test]
fn ottl_conditions_as_far_as_they_are_about_attributes() {
    let spans = || {
        let call = Span { name: "chat".into(), kind: "client", status: "error", ..span() };
        vec![span().with("a", "x").of("service.name", "shop"), call.with("n", 7).with("t", true)]
    };
    for (condition, holds) in [
        (r#"attributes["a"] == "x""#, true),
        (r#"span.attributes["a"] == "y""#, false),
        (r#"resource.attributes["service.name"] == "shop""#, true),
        (r#"attributes["service.name"] == "shop""#, false),
        (r#"attributes["n"] >= 7 and attributes["n"] < 7.5"#, true),
        (r#"attributes["a"] == "x" and attributes["n"] == 7"#, false),
        (r#"attributes["a"] == "x" or attributes["n"] == 8"#, true),
        (r#"attributes["n"] > 7"#, false),
        (r#"attributes["t"] == true"#, true),
        (r#"attributes["missing"] == nil"#, true),
        (r#"attributes["a"] != nil and attributes["n"] != nil"#, false),
        (r#"attributes["a"] != "x" and attributes["n"] != 7"#, false),
        ("status.code == STATUS_CODE_ERROR", true),
        ("status.code == 1", false),
        ("kind == SPAN_KIND_CLIENT and name == \"chat\"", true),
        ("kind == 2", false),
        (r#"not (IsMatch(name, "^(chat|work)$"))"#, false),
        (r#"IsMatch(attributes["a"], "^x")"#, true),
        (r#"name == "a \"quoted\" name""#, false),
    ] {
        let block = serde_json::json!({ "error_mode": "ignore", "span": [condition] });
        assert_eq!(keeps(&one("ottl_condition", &block.to_string()), spans()), holds, "{condition}");
    }
    let either = r#"{"span": ["name == \"none\"", "attributes[\"a\"] == \"x\""]}"#;
    assert!(keeps(&one("ottl_condition", either), spans()), "one of the conditions is enough");
}

const TEN: u64 = RANGE / 10 * 9;

#[test]
fn thresholds_of_policies_together() {
    let policies = |list: &str| format!(r#"{{"policies": [{list}]}}"#);
    let share = |name: &str, percent: u32| {
        format!(
            r#"{{"name": "{name}", "type": "probabilistic", "probabilistic": {{"sampling_percentage": {percent}}}}}"#
        )
    };
    let gold = r#"{"name": "gold", "type": "string_attribute", "string_attribute": {"key": "x", "values": ["gold"]}}"#;
    let within = |name: &str, kind: &str, parts: &str| {
        format!(r#"{{"name": "{name}", "type": "{kind}", "{kind}": {{"{kind}_sub_policy": {parts}}}}}"#)
    };
    let gold_trace = || vec![span().with("x", "gold")];
    let cases: Vec<(String, Vec<Span>, &str, u64)> = vec![
        (policies(gold), gold_trace(), "gold", 0),
        (policies(&share("rest", 25)), vec![span()], "rest", RANGE / 4 * 3),
        // Of several probabilities the largest counts, whichever policy is named.
        (policies(&[share("a", 25), share("b", 50)].join(",")), vec![span()], "a", RANGE / 2),
        (policies(&[share("a", 25), gold.into()].join(",")), gold_trace(), "a", 0),
        // Both have to sample: the smaller one.
        (
            policies(&within("both", "and", &format!("[{},{}]", share("a", 25), share("b", 50)))),
            vec![],
            "both",
            RANGE / 4 * 3,
        ),
        (
            policies(&within("both", "and", &format!("[{},{gold}]", share("a", 25)))),
            gold_trace(),
            "both",
            RANGE / 4 * 3,
        ),
        (policies(&within("no", "not", gold)), vec![span()], "no", 0),
        // Dropping three quarters keeps one.
        (policies(&within("no", "not", &share("a", 75))), vec![span()], "no", RANGE / 4 * 3),
        (
            policies(&[within("most", "drop", &format!("[{gold},{}]", share("a", 75))), share("all", 100)].join(",")),
            gold_trace(),
            "all",
            RANGE / 4 * 3,
        ),
        (
            policies(&[within("most", "drop", &format!("[{},{gold}]", share("a", 75))), share("all", 100)].join(",")),
            vec![span()],
            "all",
            0,
        ),
    ];
    for (config, spans, rule, threshold) in cases {
        assert_eq!(verdict(&config, &trace(spans)), (rule.to_owned(), true, threshold), "{config}");
    }
}

#[test]
fn what_is_dropped_stays_dropped_and_says_by_what() {
    let config = r#"{"policies": [
        {"name": "errors", "type": "status_code", "status_code": {"status_codes": ["ERROR"]}},
        {"name": "health", "type": "drop", "drop": {"drop_sub_policy": [
            {"name": "path", "type": "string_attribute", "string_attribute": {"key": "url.path", "values": ["/health"]}}]}},
        {"name": "rest", "type": "always_sample"}]}"#;
    let health = Span { status: "error", ..span().with("url.path", "/health") };
    assert_eq!(verdict(config, &trace(vec![health.clone()])), ("health".into(), false, Verdicts::NONE));
    // The first match ends the matter: the policy that drops is not asked any more.
    let first = config.replacen('{', r#"{"sample_on_first_match": true, "#, 1);
    assert_eq!(verdict(&first, &trace(vec![health])), ("errors".into(), true, 0));
    let mixed = r#"{"policies": [
        {"name": "not gold", "type": "string_attribute", "string_attribute": {"key": "x", "values": ["gold"], "invert_match": true}},
        {"name": "rest", "type": "probabilistic", "probabilistic": {"sampling_percentage": 10}}]}"#;
    assert_eq!(verdict(mixed, &trace(vec![span().with("x", "gold")])), ("not gold".into(), false, Verdicts::NONE));
    // Beside policies of other kinds an inverted one keeps nothing by itself.
    let below = Trace { randomness: TEN - 1, ..trace(vec![span()]) };
    assert_eq!(verdict(mixed, &below).0, "no policy matched");
    assert_eq!(
        verdict(&one("status_code", r#"{"status_codes": ["OK"]}"#), &trace(vec![span()])).0,
        "no policy matched"
    );
}

#[test]
fn without_a_configuration_everything_is_kept() {
    let lowest = Trace { randomness: 0, ..trace(vec![span()]) };
    assert_eq!(verdict("{}", &lowest), ("no rule matched".into(), true, 0));
    assert_eq!(Sampler::configure("{}").unwrap().manifest().reads, [""; 0]);
    assert_eq!(SECOND, 1_000_000_000);
}
