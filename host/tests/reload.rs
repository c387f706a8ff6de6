//! Another configuration while requests come: what changes, what cannot, and that nothing is lost.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod support;

use support::{Host, attribute, build, chat, request, spans};

const RELOADED: &str = r#"tollgate_config_reloads_total{outcome="ok"} 1"#;
const REFUSED: &str = r#"tollgate_config_reloads_total{outcome="failed"} 1"#;

#[tokio::test(flavor = "multi_thread")]
async fn plugins_are_exchanged_while_requests_come_and_none_is_refused() {
    let Some(build) = build() else { return };
    let host = Host::start("");
    let sending = async {
        for trace in 1..=200 {
            assert_eq!(host.post("/v1/traces", request(&[chat(trace, 1)])).await.0, 200, "{trace}");
        }
    };
    let reloading = async {
        host.reload(&format!("enrich:\n  - path: {}/plugins/cost_calculator.wasm\n", build.display()));
        host.until_metric(RELOADED).await;
    };
    tokio::join!(sending, reloading);
    assert_eq!(host.post("/v1/traces", request(&[chat(201, 1)])).await.0, 200);
    let written = spans(&host.stop().1);
    assert_eq!(written.len(), 201);
    let last = written.iter().find(|span| span["traceId"].as_str().unwrap().starts_with("c9")).unwrap();
    assert_eq!(attribute(last, "tollgate.cost.nano_usd").unwrap(), "4500000");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_right_changes_nothing() {
    let Some(build) = build() else { return };
    let hostile = format!(
        "enrich:\n  - path: {}/tests/hostile.wasm\n    config: {{mode: trap}}\n    limits: {{memory: 16MiB}}\n",
        build.display()
    );
    for (config, said) in [
        ("enrich:\n  - path: nowhere.wasm\n", "enrich[0].path: nowhere.wasm"),
        ("metr: {}\n", "metr: is not a known key (did you mean"),
        (hostile.as_str(), "enrich[0]: does not get through the health batch: trap"),
        ("memory: {limit: 1GiB}\nlink: {ttl: 1m}\n", "memory, link cannot change while the process runs; restart it"),
    ] {
        let host = Host::start("");
        host.reload(config);
        host.until_metric(REFUSED).await;
        host.until_said(said, 1).await;
        assert_eq!(host.post("/v1/traces", request(&[chat(1, 1)])).await.0, 200, "{config}");
        assert_eq!(spans(&host.stop().1).len(), 1, "{config}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_an_output_goes_where_the_new_configuration_says() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let to = |endpoint: &str| {
        format!(
            "outputs:\n  otlp_http/backend: {{endpoint: \"{endpoint}\", retry: {{initial_interval: 10ms, max_interval: 50ms}}}}\n"
        )
    };
    let host = Host::start(&to(&format!("http://{closed}")));
    for trace in 1..=5 {
        assert_eq!(host.post("/v1/traces", request(&[chat(trace, 1)])).await.0, 200);
    }
    // Another host stands for the backend.
    let backend = Host::start("");
    host.reload(&to(&backend.http));
    host.until_metric(RELOADED).await;
    host.until_metric(r#"tollgate_output_sent_total{output="otlp_http/backend"} 5"#).await;
    host.until_metric("tollgate_log_records 0").await;
    assert_eq!(spans(&backend.stop().1).len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_output_that_is_taken_out_has_the_deadline_and_is_counted_after_it() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let rest = "shutdown: {deadline: 1s}\n";
    let host = Host::start(&format!("{rest}outputs:\n  otlp_http/gone: {{endpoint: \"http://{closed}\"}}\n"));
    for trace in 1..=3 {
        assert_eq!(host.post("/v1/traces", request(&[chat(trace, 1)])).await.0, 200);
    }
    host.reload(rest);
    host.until_metric(r#"tollgate_output_dropped_total{output="otlp_http/gone",reason="removed"} 3"#).await;
    host.until_metric("tollgate_log_records 0").await;
    assert_eq!(host.post("/v1/traces", request(&[chat(4, 1)])).await.0, 200);
    assert_eq!(spans(&host.stop().1).len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn traces_that_wait_are_decided_by_the_new_sampler() {
    let Some(build) = build() else { return };
    let sample = |policy: &str| {
        format!(
            "sample: {{decision_wait: 2s, plugin: {{path: {}/plugins/sampler.wasm, config: {{policies: [{policy}]}}}}}}",
            build.display()
        )
    };
    let never = "{name: none, type: probabilistic, probabilistic: {sampling_percentage: 0}}";
    let host = Host::start(&sample(never));
    assert_eq!(host.post("/v1/traces", request(&[chat(1, 1)])).await.0, 200);
    host.reload(&sample("{name: all, type: always_sample}"));
    host.until_metric(RELOADED).await;
    host.until_metric(r#"tollgate_sampling_decisions_total{rule="all",verdict="keep"} 1"#).await;
    assert_eq!(spans(&host.stop().1).len(), 1);
}
