//! Costs from end to end: real spans in, and what `/api/cost`, the metrics and the log say of them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod support;

use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::{SystemTime, UNIX_EPOCH};
use support::{Host, build, request, spans};
use tollgate_otlp::SpanWriter;

/// Nanoseconds since 1970, some seconds from now.
fn moment(seconds: i64) -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    u64::try_from(i64::try_from(now).unwrap() + seconds * 1_000_000_000).unwrap()
}

/// A call that ended some seconds from now, with what it read and wrote.
fn call(number: u8, seconds: i64, model: &str, input: u64, output: u64) -> SpanWriter {
    let mut span = SpanWriter::new([number; 16], [number; 8], "chat");
    span.times(moment(seconds) - 1_000_000_000, moment(seconds));
    span.set("gen_ai.operation.name", "chat");
    span.set("gen_ai.provider.name", if model.starts_with("claude") { "anthropic" } else { "openai" });
    span.set("gen_ai.request.model", model);
    span.set("gen_ai.usage.input_tokens", input);
    span.set("gen_ai.usage.output_tokens", output);
    span
}

/// Cost in nano-dollars and calls of a group of an answer.
fn sums(group: &Value) -> (u128, u64) {
    (group["cost_nano_usd"].as_str().unwrap().parse().unwrap(), group["calls"].as_u64().unwrap())
}

/// The entries of a dimension: value, cost in nano-dollars, calls.
fn entries(dimension: &Value) -> Vec<(&str, u128, u64)> {
    let entries = dimension["entries"].as_array().unwrap().iter();
    entries.map(|entry| (entry["value"].as_str().unwrap(), sums(entry).0, sums(entry).1)).collect()
}

/// Every dimension adds up to the totals.
fn assert_whole(answer: &Value) {
    let whole = sums(&answer["totals"]);
    for (name, dimension) in answer["by"].as_object().unwrap() {
        let rest = [&dimension["unset"], &dimension["other"]];
        let groups: Vec<_> = dimension["entries"].as_array().unwrap().iter().chain(rest).map(sums).collect();
        let sum = (groups.iter().map(|group| group.0).sum(), groups.iter().map(|group| group.1).sum());
        assert_eq!(sum, whole, "{name} of {answer:#}");
    }
}

/// The example answer of docs/API.md.
fn example() -> Value {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/API.md")).unwrap();
    let (_, example) = page.split_once("```json\n").unwrap();
    serde_json::from_str(example.split_once("```").unwrap().0).unwrap()
}

/// The fields of an answer, by their paths.
fn fields(value: &Value) -> BTreeSet<String> {
    let under = |name: &str, value: &Value| -> Vec<String> {
        let below = fields(value).into_iter().map(|field| format!("{name}.{field}"));
        below.chain([name.to_owned()]).collect()
    };
    match value {
        Value::Object(members) => members.iter().flat_map(|(name, value)| under(name, value)).collect(),
        Value::Array(items) => items.iter().flat_map(fields).collect(),
        _ => BTreeSet::new(),
    }
}

/// The price of gpt-4o is 2.5 dollars for a million tokens read, 1.25 from the cache, 10 for a million written; that of
/// claude-sonnet-4-5 is 3, 3.75 to the cache, and 15.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_is_what_is_answered_though_nothing_is_kept() {
    let Some(build) = build() else { return };
    let host = Host::start(&format!(
        "enrich:
  - path: {build}/plugins/cost_calculator.wasm
    config: {{warning_usd: 0.05, critical_usd: 0.5}}
cost:
  dimensions: [user.id, \"resource:service.name\", app.tenant]
sample:
  decision_wait: 100ms
  plugin:
    path: {build}/plugins/sampler.wasm
    config: {{policies: [{{name: none, type: probabilistic, probabilistic: {{sampling_percentage: 0}}}}]}}
",
        build = build.display()
    ));
    let user = |mut span: SpanWriter, user: &str| span.set("user.id", user).clone();
    let mut agent = call(8, 0, "gpt-4o", 500_000, 500_000);
    agent.set("tollgate.call.role", "aggregate");
    let sent = [
        user(call(1, 0, "gpt-4o", 1_000, 200), "ada"),
        user(call(2, 0, "gpt-4o", 1_000, 200), "ada").set("app.tenant", 7_u64).clone(),
        user(call(3, 0, "gpt-4o", 100_000, 1_000), "bob")
            .set("gen_ai.usage.cache_read.input_tokens", 40_000_u64)
            .clone(),
        user(call(4, 0, "gpt-4o", 1_000, 100_000), "bob"),
        call(5, 0, "gpt-in-house", 1_000, 200),
        user(call(6, 0, "gpt-4o", 100_000, 1_000), "ada")
            .set("tollgate.cost.provider_nano_usd", 300_000_000_u64)
            .clone(),
        user(call(7, -1_800, "claude-sonnet-4-5", 10_000, 100), "eve")
            .set("gen_ai.usage.cache_write.input_tokens", 10_000_u64)
            .clone(),
        agent,
    ];
    assert_eq!(host.post("/v1/traces", request(&sent)).await.0, 200);
    host.until_metric(r#"tollgate_spans_dropped_total{reason="sampled"} 8"#).await;

    let (status, recent) = host.ask("/api/cost?window=10m").await;
    assert_eq!(status, 200);
    assert_whole(&recent);
    let cost = 2 * 4_500_000 + 210_000_000 + 1_002_500_000 + 300_000_000;
    assert_eq!(
        recent["totals"],
        json!({
            "cost_usd": "1.5215", "cost_nano_usd": cost.to_string(),
            "calls": 6, "priced_calls": 5, "unpriced_calls": 1, "counted_calls": 6,
            "tokens": {"input": 204_000, "output": 102_600, "cache_read": 40_000, "cache_write": 0, "reasoning": 0},
        })
    );
    assert_eq!(recent["averages"], json!({"cost_usd_per_call": "0.3043", "tokens_per_call": 51_100.0}));
    assert_eq!(recent["savings"]["total_usd"], "0.05");
    let by = &recent["by"];
    assert_eq!(entries(&by["model"]), [("gpt-4o", cost, 5), ("gpt-in-house", 0, 1)]);
    assert_eq!(by["model"]["entries"][0]["share"], 1.0);
    assert_eq!(by["model"]["entries"][0]["error"], json!({"cost_usd": "0", "cost_nano_usd": "0", "calls": 0}));
    assert_eq!(entries(&by["operation"]), [("chat", cost, 6)]);
    assert_eq!(entries(&by["source"]), [("local", cost - 300_000_000, 4), ("provider", 300_000_000, 1)]);
    assert_eq!(sums(&by["source"]["unset"]), (0, 1));
    assert_eq!(entries(&by["user.id"]), [("bob", 1_212_500_000, 2), ("ada", 309_000_000, 3)]);
    assert_eq!(sums(&by["user.id"]["unset"]), (0, 1));
    assert_eq!(entries(&by["resource:service.name"]), [("shop", cost, 6)]);
    assert_eq!(entries(&by["app.tenant"]), [("7", 4_500_000, 1)]);
    assert_eq!(entries(&recent["unpriced"]["reason"]), [("unknown_model", 0, 1)]);
    assert_eq!(entries(&recent["unpriced"]["model"]), [("gpt-in-house", 0, 1)]);
    assert_eq!(recent["disagreements"], 1);
    assert_eq!((&recent["alerts"]["warning"], &recent["alerts"]["critical"]), (&json!(2), &json!(1)));
    let last = recent["alerts"]["last"].as_array().unwrap();
    let alerts: Vec<_> = last.iter().map(|alert| (alert["level"].as_str().unwrap(), sums_of_alert(alert))).collect();
    assert_eq!(
        alerts,
        [
            ("warning", ("06".repeat(16), "0.3".to_owned())),
            ("critical", ("04".repeat(16), "1.0025".to_owned())),
            ("warning", ("03".repeat(16), "0.21".to_owned())),
        ]
    );

    let (_, day) = host.ask("/api/cost").await;
    assert_whole(&day);
    assert_eq!(sums(&day["totals"]), (cost + 39_000_000, 7));
    let documented = fields(&example());
    let configured = ["by.resource:service.name", "by.app.tenant"];
    let answered = fields(&day).into_iter().filter(|field| !configured.iter().any(|name| field.starts_with(name)));
    assert_eq!(answered.collect::<BTreeSet<_>>(), documented, "docs/API.md has the fields of the answer");
    assert_eq!(day["savings"]["cache_read_nano_usd"], "50000000");
    assert_eq!(day["savings"]["cache_write_nano_usd"], "-7500000");
    assert_eq!(entries(&day["by"]["provider"]), [("openai", cost, 6), ("anthropic", 39_000_000, 1)]);

    let (_, top) = host.ask("/api/cost?top=1&window=10m").await;
    assert_whole(&top);
    assert_eq!(entries(&top["by"]["user.id"]), [("bob", 1_212_500_000, 2)]);
    assert_eq!(sums(&top["by"]["user.id"]["other"]), (309_000_000, 3));
    assert_eq!(top["by"]["user.id"]["other"]["of_one_value_at_most"]["cost_nano_usd"], "309000000");

    let page = host.metrics().await;
    let call = r#"gen_ai_provider_name="openai",gen_ai_request_model="gpt-4o""#;
    for line in [
        format!(r#"tollgate_cost_alerts_total{{level="warning",{call}}} 2"#),
        format!(r#"tollgate_cost_alerts_total{{level="critical",{call}}} 1"#),
        format!(r#"tollgate_cost_disagreements_total{{{call}}} 1"#),
        r#"tollgate_savings_nano_usd_total{kind="cache_read"} 50000000"#.to_owned(),
        r#"tollgate_surcharges_nano_usd_total{kind="cache_write"} 7500000"#.to_owned(),
        "tollgate_cost_alert_logs_suppressed_total 0".to_owned(),
        "tollgate_cost_late_calls_total 0".to_owned(),
    ] {
        assert!(page.lines().any(|found| found == line), "no line {line} in\n{page}");
    }
    let logged = host.until_said("a call reached a level of cost", 3).await;
    let [_, critical, _] = logged.as_slice() else { panic!("{logged:#?}") };
    for field in [
        "WARN",
        r#"cost_level="critical""#,
        r#"cost_usd="1.0025""#,
        r#"model="gpt-4o""#,
        r#"provider="openai""#,
        &format!("trace_id={}", "04".repeat(16)),
        &format!("span_id={}", "04".repeat(8)),
    ] {
        assert!(critical.contains(field), "no {field} in {critical}");
    }
    assert!(spans(&host.stop().1).is_empty(), "the sampler has dropped them all");
}

/// Trace and cost of an alert.
fn sums_of_alert(alert: &Value) -> (String, String) {
    (alert["trace_id"].as_str().unwrap().to_owned(), alert["cost_usd"].as_str().unwrap().to_owned())
}

/// A call that comes with its cost, as the filter in a proxy writes it.
fn priced(number: u8, seconds: i64, user: &str, nanos: u64) -> SpanWriter {
    let mut span = call(number, seconds, "gpt-4o", 1, 1);
    span.set("user.id", user).set("tollgate.cost.nano_usd", nanos).set("tollgate.cost.source", "local");
    span
}

#[tokio::test(flavor = "multi_thread")]
async fn every_limit_is_reached_and_counted() {
    let host = Host::start(
        "cost:
  dimensions: [user.id]
  max_values: 2
  max_alerts: 3
  recent: 1m
  retention: 2h
  alert_logs_per_minute: 2
",
    );
    let users = ["ada", "bob", "eve", "ada", "dan", "ada", "zoe"];
    let calls = (1..).zip(users).map(|(number, user)| {
        let mut span = priced(number, 0, user, 10);
        span.set("tollgate.cost.level", "critical");
        span
    });
    let late = [priced(100, -4 * 3_600, "ada", 5), priced(101, 600, "ada", 7), priced(102, -3_600, "ada", 1)];
    assert_eq!(host.post("/v1/traces", request(&calls.chain(late).collect::<Vec<_>>())).await.0, 200);
    let page = host.until_metric("tollgate_spans_received_total 10").await;
    for line in [
        "tollgate_cost_late_calls_total 1",
        "tollgate_cost_ahead_calls_total 1",
        "tollgate_cost_alert_logs_suppressed_total 5",
    ] {
        assert!(page.lines().any(|found| found == line), "no line {line} in\n{page}");
    }
    assert!(!page.contains("tollgate_cost_values_folded_total 0"), "{page}");
    assert_eq!(host.until_said("a call reached a level of cost", 2).await.len(), 2);
    let (status, answer) = host.ask("/api/cost?window=2h").await;
    assert_eq!(status, 200);
    assert_whole(&answer);
    assert_eq!(sums(&answer["totals"]), (78, 9));
    let users = &answer["by"]["user.id"];
    assert_eq!(users["entries"].as_array().unwrap().len(), 2);
    assert!(sums(&users["other"]).1 > 0);
    assert_eq!(answer["alerts"]["critical"], 7);
    assert_eq!(answer["alerts"]["last"].as_array().unwrap().len(), 3);
    assert_eq!((&answer["outside"]["late"]["cost_nano_usd"], &answer["outside"]["ahead"]), (&json!("5"), &json!(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_is_none_is_answered_with_what_to_write() {
    let host = Host::start("cost: {retention: 3d}");
    for (query, error) in [
        ("window=soon", "window: \"soon\" is not a length of time; write one such as 15m, 24h or 7d"),
        ("window=4d", "window: 4d is longer than what is held; ask for 72h or less, or raise cost.retention"),
        ("top=0", "top: \"0\" is not a number from 1 to 100; cost.max_values is the most that is held"),
        ("by=user", "\"by\" cannot be asked for; there are window, such as window=24h, and top, such as top=10"),
    ] {
        assert_eq!(host.ask(&format!("/api/cost?{query}")).await, (400, json!({"error": error})), "{query}");
    }
    assert_eq!(host.ask("/api/costs").await.0, 404);
    let (status, nothing) = host.ask("/api/cost?window=3d").await;
    assert_eq!(status, 200);
    assert_eq!(nothing["totals"]["cost_usd"], "0");
    assert_eq!(nothing["averages"], json!({"cost_usd_per_call": null, "tokens_per_call": null}));
    assert_eq!(nothing["by"]["model"]["entries"], json!([]));
    assert_eq!(nothing["by"]["model"]["unset"]["share"], Value::Null);
}
