//! Telemetry from end to end: in over OTLP; priced, redacted, metered, sampled; out in a file and to a backend.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod support;

use axum::extract::State;
use axum::http::StatusCode;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use support::{Host, attribute, build, chat, client, request, spans};
use tollgate_otlp::{SpanWriter, StatusCode as SpanStatus};

/// The stages with the four plugins; the sampler keeps errors and drops the rest.
fn all_plugins(build: &Path) -> String {
    format!(
        "enrich:
  - path: {build}/plugins/cost_calculator.wasm
redact:
  - path: {build}/plugins/pii_redactor.wasm
sample:
  decision_wait: 100ms
  plugin:
    path: {build}/plugins/sampler.wasm
    config:
      policies:
        - {{name: errors, type: status_code, status_code: {{status_codes: [ERROR]}}}}
        - {{name: none, type: probabilistic, probabilistic: {{sampling_percentage: 0}}}}
",
        build = build.display()
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_are_priced_redacted_metered_and_sampled() {
    let Some(build) = build() else { return };
    let host = Host::start(&all_plugins(&build));
    let mut failed = chat(1, 1);
    failed.status(SpanStatus::Error, "no answer for ada@example.com");
    failed.set("gen_ai.input.messages", "[{\"content\":\"I am ada@example.com, card 4111 1111 1111 1111\"}]");
    let fine = chat(2, 2);
    assert_eq!(host.post("/v1/traces", request(&[failed, fine])).await.0, 200);

    let labels = r#"gen_ai_operation_name="chat",gen_ai_provider_name="openai",gen_ai_request_model="gpt-4o""#;
    host.until_metric("tollgate_spans_kept_total 1").await;
    let page = host.until_metric(r#"tollgate_spans_dropped_total{reason="sampled"} 1"#).await;
    for line in [
        // Both calls count, whatever the sampler says of them.
        "tollgate_spans_received_total 2".to_owned(),
        format!(r#"gen_ai_client_token_usage_sum{{{labels},gen_ai_token_type="input"}} 2000.0"#),
        format!(r#"tollgate_tokens_total{{{labels},gen_ai_token_type="output"}} 400"#),
        format!(r#"tollgate_cost_nano_usd_total{{{labels},source="local"}} 9000000"#),
        format!(r#"gen_ai_client_operation_duration_seconds_count{{{labels},error_type="_OTHER"}} 1"#),
        r#"tollgate_redactions_total{type="EMAIL_ADDRESS",place="span.status.message"} 1"#.to_owned(),
        r#"tollgate_redactions_total{type="EMAIL_ADDRESS",place="span.attributes"} 1"#.to_owned(),
        r#"tollgate_redactions_total{type="CREDIT_CARD",place="span.attributes"} 1"#.to_owned(),
        r#"tollgate_sampling_decisions_total{rule="errors",verdict="keep"} 1"#.to_owned(),
        r#"tollgate_plugin_calls_total{plugin="cost_calculator",stage="enrich"} 1"#.to_owned(),
    ] {
        assert!(page.lines().any(|found| found == line), "no line {line} in\n{page}");
    }

    let (status, written) = host.stop();
    assert!(status.success());
    let kept = spans(&written);
    let [span] = kept.as_slice() else { panic!("one span is kept: {kept:?}") };
    assert!(!span.to_string().contains("ada@example.com") && !span.to_string().contains("4111"), "{span}");
    for (name, value) in [
        ("tollgate.cost.nano_usd", "\"4500000\""),
        ("tollgate.cost.source", "\"local\""),
        ("tollgate.redaction.count", "\"3\""),
        ("tollgate.redaction.EMAIL_ADDRESS", "\"2\""),
        ("tollgate.redaction.CREDIT_CARD", "\"1\""),
        ("tollgate.sampling.rule", "\"errors\""),
        ("tollgate.sampling.probability", "1.0"),
        ("gen_ai.request.model", "\"gpt-4o\""),
    ] {
        assert_eq!(attribute(span, name).map(|value| value.to_string()).as_deref(), Some(value), "{name}");
    }
    assert_eq!(span["traceState"], "ot=th:0");
}

/// Prices are agreed in a file of their own, which changes while the host runs; one that is wrong changes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn an_overlay_that_changes_is_read_anew() {
    let Some(build) = build() else { return };
    let overlay = support::Folder::new();
    let agree = |line: &str| overlay.write("acme.prices", format!("overlay acme 7 2026-11-01\n{line}\n"));
    let file = agree("adjust provider:openai -10%");
    let host = Host::start(&format!(
        "enrich:\n  - path: {}/plugins/cost_calculator.wasm\n    files: {{overlay: {}}}\n",
        build.display(),
        file.display()
    ));
    assert_eq!(host.post("/v1/traces", request(&[chat(1, 1)])).await.0, 200);
    agree("adjust provider:openai 20%");
    host.until_metric(r#"tollgate_plugin_reloads_total{plugin="cost_calculator",outcome="failed"} 1"#).await;
    assert_eq!(host.post("/v1/traces", request(&[chat(2, 2)])).await.0, 200);
    agree("adjust provider:openai  -20%");
    host.until_metric(r#"tollgate_plugin_reloads_total{plugin="cost_calculator",outcome="ok"} 1"#).await;
    assert_eq!(host.post("/v1/traces", request(&[chat(3, 3)])).await.0, 200);
    let written = spans(&host.stop().1);
    let costs: Vec<_> = written.iter().map(|span| attribute(span, "tollgate.cost.nano_usd").unwrap().clone()).collect();
    assert_eq!(costs, ["4050000", "4050000", "3600000"]);
}

/// A gateway and an application in another dialect report one call, in requests of their own; one of them is sent twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_two_spans_report_counts_once() {
    let Some(build) = build() else { return };
    let plugins = build.join("plugins");
    let host = Host::start(&format!(
        "enrich:\n  - path: {0}/token_extractor.wasm\n  - path: {0}/cost_calculator.wasm\nlink: {{max_entries: 4}}\n",
        plugins.display()
    ));
    let mut gateway = chat(1, 1);
    gateway.set("gen_ai.response.id", "chatcmpl-1").set("tollgate.outcome", "complete");
    let mut application = SpanWriter::new([2; 16], [2; 8], "ChatCompletion");
    application.times(1_790_000_000_000_000_000, 1_790_000_002_000_000_000);
    for (name, value) in [
        ("openinference.span.kind", "LLM"),
        ("llm.model_name", "gpt-4o"),
        ("llm.system", "openai"),
        ("output.value", r#"{"id":"chatcmpl-1"}"#),
    ] {
        application.set(name, value);
    }
    application.set("llm.token_count.prompt", 1_000_u64).set("llm.token_count.completion", 200_u64);
    let application = request(&[application]);
    for batch in [request(&[gateway]), application.clone(), application] {
        assert_eq!(host.post("/v1/traces", batch).await.0, 200);
    }
    let labels = r#"gen_ai_operation_name="chat",gen_ai_provider_name="openai",gen_ai_request_model="gpt-4o""#;
    let page = host.until_metric("tollgate_spans_received_total 3").await;
    for line in [
        format!(r#"tollgate_tokens_total{{{labels},gen_ai_token_type="input"}} 1000"#),
        format!(r#"tollgate_cost_nano_usd_total{{{labels},source="local"}} 4500000"#),
        "tollgate_duplicate_calls_total 2".to_owned(),
        "tollgate_link_entries 1".to_owned(),
    ] {
        assert!(page.lines().any(|found| found == line), "no line {line} in\n{page}");
    }
    let written = spans(&host.stop().1);
    let role = |span| attribute(span, "tollgate.call.role").unwrap();
    let roles: Vec<_> = written.iter().map(role).collect();
    assert_eq!(roles, ["billable", "duplicate", "duplicate"]);
    assert_eq!(attribute(&written[1], "tollgate.cost.nano_usd"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn log_records_are_redacted_and_say_so() {
    let Some(build) = build() else { return };
    let host = Host::start(&format!("redact:\n  - path: {}/plugins/pii_redactor.wasm", build.display()));
    let logs = r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[
        {"body":{"stringValue":"ada@example.com wrote"},"attributes":[{"key":"to","value":{"stringValue":"eve@example.com"}}]},
        {"body":{"stringValue":"nothing"}}]}]}]}"#;
    let sent = client().post(format!("{}/v1/logs", host.http)).header("content-type", "application/json");
    assert_eq!(sent.body(logs).send().await.unwrap().status(), 200);
    host.until_metric(r#"tollgate_redactions_total{type="EMAIL_ADDRESS",place="log.body"} 1"#).await;
    host.until_metric(r#"tollgate_redactions_total{type="EMAIL_ADDRESS",place="log.attributes"} 1"#).await;
    let (_, written) = host.stop();
    let records = &written[0]["resourceLogs"][0]["scopeLogs"][0]["logRecords"];
    assert_eq!(records[0]["body"]["stringValue"], "<EMAIL_ADDRESS> wrote");
    assert_eq!(attribute(&records[0], "to").unwrap(), "<EMAIL_ADDRESS>");
    assert_eq!(attribute(&records[0], "tollgate.redaction.count").unwrap(), "2");
    assert_eq!(records[1]["body"]["stringValue"], "nothing");
    assert_eq!(attribute(&records[1], "tollgate.redaction.count"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_that_come_late_follow_the_decision_on_their_trace() {
    let Some(build) = build() else { return };
    let host = Host::start(&all_plugins(&build));
    let mut failed = chat(1, 1);
    failed.status(SpanStatus::Error, "");
    host.post("/v1/traces", request(&[failed, chat(2, 1)])).await;
    host.until_metric("tollgate_spans_kept_total 1").await;
    host.until_metric(r#"tollgate_spans_dropped_total{reason="sampled"} 1"#).await;
    host.post("/v1/traces", request(&[chat(1, 2), chat(2, 2)])).await;
    let page = host.until_metric("tollgate_sampling_late_spans_total 2").await;
    assert!(page.contains("tollgate_spans_kept_total 2\n"), "{page}");
    let kept = spans(&host.stop().1);
    let rules: Vec<_> = kept.iter().map(|span| attribute(span, "tollgate.sampling.rule").unwrap()).collect();
    assert_eq!(rules, ["errors", "errors"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn at_a_bound_traces_are_decided_early_and_at_the_end_all_are() {
    let Some(build) = build() else { return };
    let sampler = format!(
        "sample: {{decision_wait: 1h, num_traces: 2, plugin: {{path: {}/plugins/sampler.wasm}}}}",
        build.display()
    );
    let host = Host::start(&sampler);
    for trace in 1..=3 {
        host.post("/v1/traces", request(&[chat(trace, 1)])).await;
    }
    let page = host.until_metric(r#"tollgate_sampling_evicted_total{reason="traces"} 1"#).await;
    assert!(page.contains("tollgate_sampling_pending_traces 2\n"), "{page}");
    assert_eq!(spans(&host.stop().1).len(), 3, "what waited is decided when the process ends");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_plugin_is_bypassed_or_blocks_as_configured() {
    let Some(build) = build() else { return };
    let stage = |mode: &str, on_error: &str| {
        format!(
            "enrich:\n  - path: {}/tests/hostile.wasm\n    on_error: {on_error}\n    \
             limits: {{memory: 16MiB, deadline: 100ms}}\n    config: {{mode: {mode}}}",
            build.display()
        )
    };
    for (mode, kind) in [("trap", "trap"), ("loop", "deadline"), ("grow", "memory"), ("refuse", "refused")] {
        let host = Host::start(&stage(mode, "bypass"));
        assert_eq!(host.post("/v1/traces", request(&[chat(1, 1)])).await.0, 200, "{mode}");
        let labels = r#"plugin="hostile",stage="enrich""#;
        let page = host.until_metric(&format!("tollgate_plugin_failures_total{{{labels},kind=\"{kind}\"}} 1")).await;
        assert!(page.contains(&format!("tollgate_plugin_bypassed_total{{{labels}}} 1\n")), "{page}");
        assert_eq!(spans(&host.stop().1).len(), 1, "{mode}: the batch went on");

        let host = Host::start(&stage(mode, "block"));
        assert_eq!(host.post("/v1/traces", request(&[chat(1, 1)])).await.0, 503, "{mode}");
        let page = host.until_metric(&format!("tollgate_plugin_blocked_total{{{labels}}} 1")).await;
        assert!(page.contains("tollgate_spans_received_total 0\n"), "what is sent again is counted then: {page}");
        assert_eq!(spans(&host.stop().1).len(), 0, "{mode}: the batch was refused");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn traces_that_a_sampler_fails_on_are_kept() {
    let Some(build) = build() else { return };
    let stage = |mode: &str| {
        format!(
            "sample:\n  decision_wait: 50ms\n  plugin:\n    path: {}/tests/hostile.wasm\n    \
             limits: {{memory: 16MiB, deadline: 100ms}}\n    config: {{mode: {mode}}}",
            build.display()
        )
    };
    let broken = ["trap", "loop", "grow", "refuse", "verdicts missing", "rule that was not declared"];
    for mode in broken.into_iter().chain(["kept though never kept"]) {
        let host = Host::start(&stage(mode));
        assert_eq!(host.post("/v1/traces", request(&[chat(1, 1)])).await.0, 200, "{mode}");
        host.until_metric("tollgate_spans_kept_total 1").await;
        assert_eq!(spans(&host.stop().1).len(), 1, "{mode}");
    }
    let host = Host::start(&stage("polite"));
    host.post("/v1/traces", request(&[chat(1, 1)])).await;
    host.until_metric(r#"tollgate_spans_dropped_total{reason="sampled"} 1"#).await;
    assert_eq!(host.stop().1.len(), 0, "when polite it drops");
}

/// A backend that refuses as often as it is told, then takes.
async fn backend(refusals: usize) -> (String, Arc<AtomicUsize>) {
    let (left, taken) = (Arc::new(AtomicUsize::new(refusals)), Arc::new(AtomicUsize::new(0)));
    let counter = Arc::clone(&taken);
    let post = move |State(left): State<Arc<AtomicUsize>>| async move {
        if left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
            return StatusCode::SERVICE_UNAVAILABLE;
        }
        taken.fetch_add(1, Ordering::SeqCst);
        StatusCode::OK
    };
    let router = axum::Router::new().route("/v1/traces", axum::routing::post(post)).with_state(left);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    (format!("http://{address}"), counter)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_refuses_is_asked_again() {
    let (endpoint, taken) = backend(2).await;
    let output = format!(
        "outputs:\n  otlp_http/backend: {{endpoint: \"{endpoint}\", retry: {{initial_interval: 10ms, max_interval: 20ms}}}}\n"
    );
    let host = Host::start(&output);
    host.post("/v1/traces", request(&[chat(1, 1)])).await;
    let page = host.until_metric(r#"tollgate_output_sent_total{output="otlp_http/backend"} 1"#).await;
    assert!(page.contains("tollgate_output_retries_total{output=\"otlp_http/backend\"} 2\n"), "{page}");
    assert_eq!(taken.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_is_down_costs_nobody_else_anything_and_finds_what_it_missed() {
    // A port that was free a moment ago: nobody listens there.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let host = Host::start(&format!(
        "shutdown: {{deadline: 1s}}\noutputs:\n  otlp_http/down: {{endpoint: \"http://{closed}\"}}\n"
    ));
    for trace in 1..=10 {
        assert_eq!(host.post("/v1/traces", request(&[chat(trace, 1)])).await.0, 200);
    }
    let page = host.until_metric(r#"tollgate_output_sent_total{output="json_lines"} 10"#).await;
    assert!(!page.contains("tollgate_output_dropped_total{"), "{page}");
    let (status, written) = host.stop();
    assert!(status.success(), "what cannot be sent does not hold up the end");
    assert_eq!(spans(&written).len(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_is_set_aside_at_its_size() {
    let host = Host::start("outputs:\n  json_lines/small: {path: FOLDER/small.jsonl, max_bytes: 600, max_files: 2}\n");
    for trace in 1..=5 {
        host.post("/v1/traces", request(&[chat(trace, 1)])).await;
    }
    host.until_metric(r#"tollgate_output_sent_total{output="json_lines/small"} 5"#).await;
    let lines = |name: &str| std::fs::read_to_string(host.folder.path(name)).map(|text| text.lines().count()).ok();
    let files = ["small.jsonl", "small.jsonl.1", "small.jsonl.2", "small.jsonl.3"].map(lines);
    assert_eq!(files, [Some(1), Some(1), Some(1), None]);
}
