//! The embedded store from end to end: spans in over OTLP, and what the API and `tollgate top` say of them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod support;

use serde_json::{Value, json};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use support::{Folder, Host, build, client, request, run, spans};
use tollgate_otlp::SpanWriter;

/// Nanoseconds since 1970, some seconds ago.
fn ago(seconds: u64) -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    u64::try_from(now).unwrap() - seconds * 1_000_000_000
}

/// A call with its cost, as the filter writes it.
fn call(number: u8, seconds: u64, model: &str, nanos: u64) -> SpanWriter {
    let mut span = SpanWriter::new([number; 16], [number; 8], &format!("chat {model}"));
    span.times(ago(seconds + 2), ago(seconds));
    span.set("gen_ai.operation.name", "chat").set("gen_ai.provider.name", "openai").set("gen_ai.request.model", model);
    span.set("gen_ai.usage.input_tokens", 1_000_u64).set("gen_ai.usage.output_tokens", 200_u64);
    span.set("tollgate.cost.nano_usd", nanos).set("tollgate.cost.source", "local").set("user.id", "ada");
    span
}

/// A configuration with nothing but receivers and these outputs, and a log in the folder.
fn yaml(folder: &Folder, rest: &str) -> String {
    format!(
        "log: {{path: {}}}\nreceivers: {{otlp: {{protocols: {{http: {{endpoint: 127.0.0.1:0}}}}}}}}\n{rest}\n",
        folder.path("log").display()
    )
}

/// A host with no output but the metrics page.
fn alone(folder: Folder) -> Host {
    let yaml = yaml(&folder, "outputs: {prometheus: {endpoint: 127.0.0.1:0}}");
    Host::start_yaml(folder, yaml)
}

/// Asks until the answer has so many calls.
async fn calls(host: &Host, question: &str, count: usize) -> Value {
    let begun = Instant::now();
    loop {
        let (status, answer) = host.ask(&format!("/api/calls?{question}")).await;
        assert_eq!(status, 200, "{answer}");
        if answer["calls"].as_array().unwrap().len() == count {
            return answer;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "not {count} calls in {answer:#}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_no_backend_recent_calls_are_there_and_survive_a_crash() {
    let host = alone(Folder::new());
    let mut agent = SpanWriter::new([1; 16], [9; 8], "invoke_agent");
    agent.times(ago(5), ago(1)).set("gen_ai.operation.name", "invoke_agent");
    let mut failed = call(2, 0, "claude-sonnet-4-5", 500);
    failed.set("error.type", "529");
    let sent = [call(1, 1, "gpt-4o", 4_500_000), agent, failed, call(3, 600, "gpt-4o", 7)];
    let encoded = request(&sent);
    assert_eq!(host.post("/v1/traces", encoded.clone()).await.0, 200);
    calls(&host, "", 3).await;
    // Without a sampler the ledger and the store say the same.
    let (_, ledger) = host.ask("/api/cost?window=24h").await;
    let (_, store) = host.ask("/api/cost?group_by=model&window=24h").await;
    assert_eq!((&ledger["from"], &store["from"]), (&json!("ledger"), &json!("store")));
    assert_eq!(store["totals"]["cost_nano_usd"], "4500507");
    for field in ["cost_nano_usd", "calls", "priced_calls", "unpriced_calls"] {
        assert_eq!(store["totals"][field], ledger["totals"][field], "{field}");
    }
    for kind in ["input", "output"] {
        assert_eq!(store["totals"]["tokens"][kind], ledger["totals"]["tokens"][kind], "{kind}");
    }
    assert_eq!(store["groups"][0]["by"]["model"], "gpt-4o");
    assert_eq!(store["groups"][0]["cost_nano_usd"], "4500007");

    // What is sent again is there once.
    assert_eq!(host.post("/v1/traces", encoded.clone()).await.0, 200);
    host.until_metric("tollgate_store_duplicate_spans_total 4").await;

    let answer = calls(&host, "window=1m&error=false", 1).await;
    let found = &answer["calls"][0];
    assert_eq!((&answer["from"], &answer["sampled"]), (&json!("store"), &json!(false)));
    assert_eq!((&found["cost_nano_usd"], &found["cost_usd"]), (&json!("4500000"), &json!("0.0045")));
    assert_eq!(
        (&found["service"], &found["user"], &found["trace_id"]),
        (&json!("shop"), &json!("ada"), &json!("01".repeat(16)))
    );

    // The trace is the OTLP that came.
    let (status, trace) = host.ask(&format!("/api/traces/{}", "01".repeat(16))).await;
    assert_eq!(status, 200);
    let names: Vec<_> = spans(&[trace]).iter().map(|span| span["name"].clone()).collect();
    assert_eq!(names, [json!("chat gpt-4o"), json!("invoke_agent")]);
    let url = format!("{}/api/traces/{}", host.metrics, "01".repeat(16));
    let response = client().get(url).send().await.unwrap();
    let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(
        [header("content-type"), header("cache-control"), header("tollgate-spans-left-out")],
        ["application/json", "no-store", "0"]
    );

    let (status, live) = host.ask("/api/live?window=5m").await;
    assert_eq!((status, &live["totals"]["calls"], &live["totals"]["failed_calls"]), (200, &json!(2), &json!(1)));

    let folder = host.crash();
    assert!(folder.path("tollgate-store.db").exists(), "beside the log");
    let host = alone(folder);
    calls(&host, "", 3).await;
    assert_eq!(host.post("/v1/traces", encoded).await.0, 200);
    host.until_metric("tollgate_store_duplicate_spans_total 4").await;
    calls(&host, "", 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_sampler_drops_is_in_the_ledger_and_not_in_the_store() {
    let Some(build) = build() else { return };
    let host = Host::start(&format!(
        "sample:
  decision_wait: 100ms
  plugin:
    path: {build}/plugins/sampler.wasm
    config: {{policies: [{{name: failed, type: status_code, status_code: {{status_codes: [ERROR]}}}}]}}
outputs:
  store: {{path: FOLDER/calls.db}}
",
        build = build.display()
    ));
    let mut failed = call(2, 0, "gpt-4o", 500);
    failed.status(tollgate_otlp::StatusCode::Error, "");
    let sent = [call(1, 1, "gpt-4o", 4_500_000), failed];
    assert_eq!(host.post("/v1/traces", request(&sent)).await.0, 200);
    let answer = calls(&host, "", 1).await;
    assert_eq!((&answer["sampled"], &answer["calls"][0]["error_type"]), (&json!(true), &json!("_OTHER")));
    let (_, ledger) = host.ask("/api/cost").await;
    let (_, store) = host.ask("/api/cost?group_by=model").await;
    assert_eq!((&ledger["sampled"], &ledger["totals"]["cost_nano_usd"]), (&json!(false), &json!("4500500")));
    assert_eq!((&store["sampled"], &store["totals"]["cost_nano_usd"]), (&json!(true), &json!("500")));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_store_the_answer_says_so_and_top_too() {
    let host = Host::start("");
    for path in ["/api/calls", "/api/live", "/api/cost?group_by=model", "/api/traces/0102"] {
        let (status, answer) = host.ask(path).await;
        assert_eq!(status, 404, "{path}");
        assert!(answer["error"].as_str().unwrap().starts_with("there is no store; configure outputs.store"), "{path}");
    }
    assert_eq!(host.ask("/api/cost").await.0, 200);
    let top = run(&["top", "--once", "--url", &host.metrics], b"");
    assert!(!top.status.success());
    assert!(String::from_utf8_lossy(&top.stderr).contains("/api/live answers 404: there is no store"), "{top:?}");

    // It can be switched off, and is not there where nothing is to be written to disk.
    let folder = Folder::new();
    let off = yaml(&folder, "outputs: {prometheus: {endpoint: 127.0.0.1:0}, store: {enabled: false}}");
    let host = Host::start_yaml(folder, off);
    assert_eq!(host.ask("/api/calls").await.0, 404);
    let folder = Folder::new();
    let memory =
        yaml(&folder, "outputs: {prometheus: {endpoint: 127.0.0.1:0}}").replace("path:", "storage: memory, path:");
    let host = Host::start_yaml(folder, memory);
    assert_eq!(host.ask("/api/calls").await.0, 404);
    assert!(!host.folder.path("tollgate-store.db").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_that_are_none_are_refused_as_documented() {
    let host = alone(Folder::new());
    for (path, status, error) in [
        ("/api/calls?limit=0", 400, "limit: \"0\" is not a number from 1 to 1000"),
        (
            "/api/cost?group_by=team",
            400,
            "group_by: \"team\" is none of model, provider, service, user, session, day, hour, minute",
        ),
        ("/api/traces/xyz", 400, "the trace id: \"xyz\" is not 32 hexadecimal digits, of which one at least is not 0"),
    ] {
        assert_eq!(host.ask(path).await, (status, json!({"error": error})), "{path}");
    }
    assert_eq!(host.ask(&format!("/api/traces/{}", "a".repeat(32))).await.0, 404);
    let posted = client().post(format!("{}/api/calls", host.metrics)).send().await.unwrap();
    assert_eq!(posted.status().as_u16(), 405);
}

#[tokio::test(flavor = "multi_thread")]
async fn top_shows_what_the_host_answers() {
    let host = alone(Folder::new());
    let mut failed = call(2, 3, "claude-sonnet-4-5", 500);
    failed.set("error.type", "overloaded");
    assert_eq!(host.post("/v1/traces", request(&[call(1, 5, "gpt-4o", 250_000_000), failed])).await.0, 200);
    calls(&host, "", 2).await;
    let top = run(&["top", "--once", "--url", &host.metrics], b"");
    let frame = String::from_utf8(top.stdout).unwrap();
    assert!(top.status.success(), "{frame}");
    for text in [
        "tollgate top",
        "errors 1 (50.0%)",
        "latency p50 2.00s",
        "gpt-4o",
        "claude-sonnet-4-5",
        "overloaded",
        "$0.250",
        "1.0k/200",
    ] {
        assert!(frame.contains(text), "no {text} in\n{frame}");
    }
    let metrics = host.metrics.clone();
    host.stop();
    let away = run(&["top", "--once", "--url", &metrics], b"");
    assert!(!away.status.success());
    assert!(String::from_utf8_lossy(&away.stderr).contains("the host does not answer"), "{away:?}");
    for (arguments, said) in [
        (["--url", "nowhere"], "--url: \"nowhere\" is no address; write one such as http://127.0.0.1:9464"),
        (["--interval", "soon"], "--interval: \"soon\" is not a length of time of 100ms or more; write one such as 2s"),
    ] {
        let refused = run(&["top", "--once", arguments[0], arguments[1]], b"");
        assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains(said), "{refused:?}");
    }
    let piped = run(&["top", "--url", &metrics], b"");
    assert!(String::from_utf8_lossy(&piped.stderr).contains("standard output is no terminal"), "{piped:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_store_is_set_aside_and_one_process_at_a_time_has_it() {
    let folder = Folder::new();
    folder.write("tollgate-store.db", "this is no database\n".repeat(1_000));
    let host = alone(folder);
    host.until_metric("tollgate_store_damaged_files_total 1").await;
    assert_eq!(host.post("/v1/traces", request(&[call(1, 0, "gpt-4o", 1)])).await.0, 200);
    calls(&host, "", 1).await;
    let path = host.folder.path("tollgate-store.db");
    assert!(host.folder.path("tollgate-store.db.damaged").exists());

    // One process at a time: who did not ask for a store goes on without.
    let folder = Folder::new();
    let second = yaml(&folder, "outputs: {prometheus: {endpoint: 127.0.0.1:0}}");
    std::os::unix::fs::symlink(&path, folder.path("tollgate-store.db")).unwrap();
    std::os::unix::fs::symlink(path.with_extension("db.lock"), folder.path("tollgate-store.db.lock")).unwrap();
    let second = Host::start_yaml(folder, second);
    assert_eq!(second.ask("/api/calls").await.0, 404);

    // Who asked for one does not start.
    let asked = Folder::new();
    let rest = format!("outputs: {{prometheus: {{endpoint: 127.0.0.1:0}}, store: {{path: {}}}}}", path.display());
    let file = asked.write("tollgate.yaml", yaml(&asked, &rest)).display().to_string();
    let refused = run(&["run", "--config", &file], b"");
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        !refused.status.success()
            && said.contains("output store: ")
            && said.contains("another process uses this store"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_taken_out_gets_nothing_more_and_is_asked_still() {
    let host = Host::start("outputs:\n  store: {path: FOLDER/calls.db}\n");
    assert_eq!(host.post("/v1/traces", request(&[call(1, 0, "gpt-4o", 1)])).await.0, 200);
    calls(&host, "", 1).await;
    // Where it is cannot change while the process runs.
    host.reload("outputs:\n  store: {path: FOLDER/other.db}\n");
    host.until_metric(r#"tollgate_config_reloads_total{outcome="failed"} 1"#).await;
    host.until_said("outputs.store cannot change while the process runs", 1).await;
    host.reload("");
    host.until_metric(r#"tollgate_config_reloads_total{outcome="ok"} 1"#).await;
    assert_eq!(host.post("/v1/traces", request(&[call(2, 0, "gpt-4o", 1)])).await.0, 200);
    host.until_metric(r#"tollgate_output_sent_total{output="json_lines"} 2"#).await;
    calls(&host, "", 1).await;
}

#[test]
fn the_section_is_checked() {
    let folder = Folder::new();
    let check = |outputs: &str| {
        let file = folder.write("tollgate.yaml", yaml(&folder, &format!("outputs:\n{outputs}"))).display().to_string();
        let output = run(&["check", "--no-plugins", "--config", &file], b"");
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        said.lines().map(|line| line.trim_start_matches(&format!("{file}:")).to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        check(
            "  prometheus:\n  store: {path: a.db, max_bytes: 4MiB, max_age: 1h, max_content_bytes: 256KiB, queue: {max_bytes: 1MiB}}"
        ),
        [" ok"]
    );
    assert_eq!(
        check("  store:"),
        ["4: outputs.store: is asked at the address of the metrics page, and there is none; add prometheus"]
    );
    let wrong = check(
        "  prometheus:\n  store:\n    max_bytes: 1MiB\n    max_age: 1s\n    max_content_bytes: 1GiB\n    size: 1",
    );
    assert_eq!(wrong.len(), 4, "{wrong:#?}");
    assert!(wrong[0].starts_with("6: outputs.store.max_bytes: 1MiB is outside"), "{wrong:#?}");
    assert!(wrong[3].contains("known here: enabled, path, max_bytes, max_age, max_content_bytes, queue"), "{wrong:#?}");
    let large = check("  prometheus:\n  store: {max_bytes: 4MiB, max_content_bytes: 1MiB}");
    assert_eq!(large, ["5: outputs.store.max_content_bytes: is more than a sixteenth of max_bytes"]);
}
