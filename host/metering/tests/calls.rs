//! What of calls is counted where.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "helpers of tests fail as tests do")]

use proptest::prelude::*;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tollgate_metering::{Bounds, Call, Calls, CallsOptions, Format, Names, Origin, Registry};

fn calls(bounds: Bounds, options: &CallsOptions) -> (Arc<Registry>, Calls) {
    let registry = Arc::new(Registry::new(bounds, Vec::new()));
    let calls = Calls::new(Arc::clone(&registry), options);
    (registry, calls)
}

fn page(registry: &Registry, format: Format) -> String {
    String::from_utf8(registry.page(format, tollgate_metering::now())).unwrap()
}

fn assert_lines(page: &str, lines: &[&str]) {
    for line in lines {
        assert!(page.lines().any(|found| found == *line), "no line {line} in\n{page}");
    }
}

/// Lines of samples, without those of buckets.
fn samples(page: &str) -> Vec<&str> {
    page.lines().filter(|line| !line.starts_with('#') && !line.contains("_bucket{")).collect()
}

fn call() -> Call<'static> {
    Call {
        operation: "chat",
        provider: "openai",
        request_model: "m",
        response_model: "m-1",
        cost_source: "local",
        billable: true,
        operates: true,
        duration: Some(1_500_000_000),
        first_chunk: Some(250_000_000),
        tokens: [Some(100), Some(20), Some(60), None, None],
        cost: Some(1_500_000),
        ..Call::default()
    }
}

#[test]
fn a_call_is_counted_under_every_name_that_was_asked_for() {
    let options = CallsOptions {
        names: vec![Names::Client, Names::Inference, Names::LlmApp],
        dimensions: vec!["team".to_owned(), "service.name".to_owned()],
        namespace: "traces.span.metrics".to_owned(),
        ..CallsOptions::default()
    };
    let (registry, calls) = calls(Bounds::default(), &options);
    calls.count(&Call { dimensions: &[Cow::Borrowed("a"), Cow::Borrowed("")], ..call() }, 1);
    let (o, l) = (
        r#"gen_ai_operation_name="chat",gen_ai_provider_name="openai",gen_ai_request_model="m""#,
        r#"gen_ai_operation_name="chat",gen_ai_provider_name="openai",gen_ai_request_model="m",gen_ai_response_model="m-1",team="a""#,
    );
    let s = r#"model="m",provider="openai",operation="chat",team="a""#;
    let inference = "gen_ai_client_inference";
    let page = page(&registry, Format::Text);
    let mut expected = vec![
        format!(r#"gen_ai_client_token_usage_sum{{{l},gen_ai_token_type="input"}} 100.0"#),
        format!(r#"gen_ai_client_token_usage_count{{{l},gen_ai_token_type="input"}} 1"#),
        format!(r#"gen_ai_client_token_usage_sum{{{l},gen_ai_token_type="output"}} 20.0"#),
        format!(r#"gen_ai_client_token_usage_count{{{l},gen_ai_token_type="output"}} 1"#),
        format!("gen_ai_client_operation_duration_seconds_sum{{{l}}} 1.5"),
        format!("gen_ai_client_operation_duration_seconds_count{{{l}}} 1"),
        format!("gen_ai_client_operation_time_to_first_chunk_seconds_sum{{{l}}} 0.25"),
        format!("gen_ai_client_operation_time_to_first_chunk_seconds_count{{{l}}} 1"),
        format!("{inference}_duration_seconds_sum{{{l}}} 1.5"),
        format!("{inference}_duration_seconds_count{{{l}}} 1"),
        format!("{inference}_time_to_first_chunk_seconds_sum{{{l}}} 0.25"),
        format!("{inference}_time_to_first_chunk_seconds_count{{{l}}} 1"),
        format!(r#"{inference}_usage_input_tokens_total{{{l},gen_ai_token_modality="unknown"}} 100"#),
        format!(r#"{inference}_usage_output_tokens_total{{{l},gen_ai_token_modality="unknown"}} 20"#),
        format!(r#"{inference}_usage_cache_read_input_tokens_total{{{l},gen_ai_token_modality="unknown"}} 60"#),
        format!("{inference}_operation_input_tokens_sum{{{l}}} 100.0"),
        format!("{inference}_operation_input_tokens_count{{{l}}} 1"),
        format!("{inference}_operation_output_tokens_sum{{{l}}} 20.0"),
        format!("{inference}_operation_output_tokens_count{{{l}}} 1"),
        format!("llm_app_calls_total{{{s}}} 1"),
        format!("llm_app_cost_usd_total{{{s}}} 0.0015"),
        format!(r#"llm_app_tokens_sum{{{s},type="input"}} 100.0"#),
        format!(r#"llm_app_tokens_count{{{s},type="input"}} 1"#),
        format!(r#"llm_app_tokens_sum{{{s},type="output"}} 20.0"#),
        format!(r#"llm_app_tokens_count{{{s},type="output"}} 1"#),
        format!(r#"tollgate_tokens_total{{{l},gen_ai_token_type="input"}} 100"#),
        format!(r#"tollgate_tokens_total{{{l},gen_ai_token_type="output"}} 20"#),
        format!(r#"tollgate_tokens_total{{{l},gen_ai_token_type="cache_read"}} 60"#),
        format!(r#"tollgate_cost_usd_total{{{l},source="local"}} 0.0015"#),
        format!(r#"tollgate_cost_nano_usd_total{{{l},source="local"}} 1500000"#),
        format!(r#"traces_span_metrics_calls_total{{{o},team="a"}} 1"#),
        format!(r#"traces_span_metrics_duration_seconds_sum{{{o},team="a"}} 1.5"#),
        format!(r#"traces_span_metrics_duration_seconds_count{{{o},team="a"}} 1"#),
        "tollgate_impossible_values_total 0".to_owned(),
        "tollgate_metric_lookups_forgotten_total 0".to_owned(),
    ];
    let mut found = samples(&page);
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
    let bucket = |bound, count| {
        format!(r#"gen_ai_client_token_usage_bucket{{le="{bound}",{l},gen_ai_token_type="input"}} {count}"#)
    };
    assert_lines(&page, &[&bucket("64.0", 0), &bucket("256.0", 1)]);
}

#[test]
fn operations_that_are_no_calls_have_rate_errors_and_duration_and_nothing_else() {
    let (registry, calls) = calls(Bounds::default(), &CallsOptions::default());
    let agent = Call { operation: "invoke_agent", billable: false, ..call() };
    calls.count(&agent, 1);
    calls.count(&Call { error_type: "timeout", ..agent.clone() }, 1);
    // A span that repeats what another one says is no operation of its own.
    calls.count(&Call { operates: false, ..agent }, 1);
    let page = page(&registry, Format::Text);
    let labels = r#"gen_ai_operation_name="invoke_agent",gen_ai_provider_name="openai",gen_ai_request_model="m""#;
    assert_eq!(
        samples(&page),
        [
            "tollgate_impossible_values_total 0",
            "tollgate_metric_lookups_forgotten_total 0",
            &format!("tollgate_operation_calls_total{{{labels}}} 2"),
            &format!("tollgate_operation_duration_seconds_sum{{{labels}}} 3.0"),
            &format!("tollgate_operation_duration_seconds_count{{{labels}}} 2"),
            &format!("tollgate_operation_errors_total{{{labels},error_type=\"timeout\"}} 1"),
        ]
    );
}

#[test]
fn what_no_call_can_have_is_counted_apart() {
    let (registry, calls) = calls(Bounds::default(), &CallsOptions::default());
    calls.count(&Call { tokens: [Some(1 << 53), Some(5), None, None, None], cost: Some(u64::MAX), ..call() }, 1);
    let page = page(&registry, Format::Text);
    assert_lines(&page, &["tollgate_impossible_values_total 2"]);
    assert!(!page.contains("tollgate_cost") && !page.contains(r#"tokens_total{gen_ai_token_type="input""#), "{page}");
}

#[test]
fn exemplars_can_be_left_out() {
    for exemplars in [true, false] {
        let (registry, calls) = calls(Bounds::default(), &CallsOptions { exemplars, ..CallsOptions::default() });
        let origin = Some(Origin { trace_id: [1; 16], span_id: [2; 8], time: 3_000_000_000 });
        calls.count(&Call { origin, ..call() }, 1);
        let page = page(&registry, Format::OpenMetrics);
        assert_eq!(page.contains(&format!("trace_id=\"{}\"", "01".repeat(16))), exemplars, "{page}");
    }
}

#[test]
fn calls_that_stay_away_expire_and_those_that_come_stay() {
    let bounds = Bounds { max_series: 100, expiration: Some(Duration::from_secs(60)) };
    let (registry, calls) = calls(bounds, &CallsOptions::default());
    let start = tollgate_metering::now();
    let after = |seconds: u64| start + seconds * 1_000_000_000;
    let look = |now| {
        calls.expire(now);
        let page = String::from_utf8(registry.page(Format::Text, now)).unwrap();
        ["a", "b"].map(|model| page.contains(&format!("gen_ai_request_model=\"{model}\"")))
    };
    let [a, b] = ["a", "b"].map(|request_model| Call { request_model, ..call() });
    calls.count(&a, start);
    calls.count(&b, start);
    assert_eq!(look(after(30)), [true, true]);
    calls.count(&b, after(50));
    assert_eq!(look(after(100)), [false, true]);
    let page = String::from_utf8(registry.page(Format::Text, after(100))).unwrap();
    // Each metric of the call had one series that expired, and counts of those that stay go on.
    assert_lines(&page, &[r#"tollgate_metric_series_expired_total{metric="tollgate_cost_usd"} 1"#]);
    assert!(
        page.lines().any(|line| line.starts_with("tollgate_operation_calls_total") && line.ends_with(" 2")),
        "{page}"
    );
    assert_eq!(look(after(200)), [false, false]);
}

#[test]
fn more_words_than_are_remembered_lose_no_count() {
    let (registry, calls) = calls(Bounds { max_series: 2, expiration: None }, &CallsOptions::default());
    for n in 0..1_000_u64 {
        let model = (n % 50).to_string();
        calls.count(&Call { request_model: &model, ..call() }, n);
    }
    let page = page(&registry, Format::Text);
    let sums: Vec<u64> = page
        .lines()
        .filter(|line| line.starts_with("tollgate_operation_calls_total"))
        .map(|line| line.rsplit(' ').next().unwrap().parse().unwrap())
        .collect();
    assert_eq!((sums.len(), sums.iter().sum::<u64>()), (3, 1_000), "{page}");
    assert_lines(&page, &[r#"tollgate_metric_series_limited_total{metric="tollgate_operation_calls"} 960"#]);
    assert!(!page.contains("tollgate_metric_lookups_forgotten_total 0"), "{page}");
}

proptest! {
    /// Whatever comes, the sum over the series of a metric is that of what was counted, also when they are too many.
    #[test]
    fn sums_are_exact(
        spans in proptest::collection::vec((0_u8..12, 0_u8..3, 0_u64..1 << 40, any::<bool>()), 0..100),
        max_series in 1_usize..8,
    ) {
        let (registry, calls) = calls(Bounds { max_series, expiration: None }, &CallsOptions::default());
        let mut expected = BTreeMap::new();
        for (model, error, tokens, billable) in &spans {
            let (model, error) = (model.to_string(), ["", "timeout", "500"][usize::from(*error)]);
            let tokens_of = [Some(*tokens), None, Some(tokens / 2), None, None];
            calls.count(&Call { request_model: &model, error_type: error, tokens: tokens_of, billable: *billable, ..call() }, 1);
            *expected.entry("tollgate_operation_calls_total").or_insert(0) += 1;
            if !error.is_empty() { *expected.entry("tollgate_operation_errors_total").or_insert(0) += 1; }
            if *billable {
                *expected.entry("tollgate_tokens_total").or_insert(0) += tokens + tokens / 2;
                *expected.entry("gen_ai_client_token_usage_sum").or_insert(0) += tokens;
                *expected.entry("gen_ai_client_operation_duration_seconds_count").or_insert(0) += 1;
            }
        }
        let page = page(&registry, Format::Text);
        let mut found = BTreeMap::new();
        for line in samples(&page) {
            let (name, value) = (line.split(['{', ' ']).next().unwrap(), line.rsplit(' ').next().unwrap());
            let known = ["tollgate_operation_calls_total", "tollgate_operation_errors_total", "tollgate_tokens_total",
                "gen_ai_client_token_usage_sum", "gen_ai_client_operation_duration_seconds_count"];
            if let Some(name) = known.into_iter().find(|known| *known == name) {
                *found.entry(name).or_insert(0) += value.trim_end_matches(".0").parse::<u64>().unwrap();
            }
        }
        prop_assert_eq!(found, expected);
    }
}
