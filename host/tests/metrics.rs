//! What the host counts of the spans it is sent: the page in all its forms, read by Prometheus, promtool and the official
//! parser, and the same as OTLP.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "helpers of tests fail as tests do"
)]

#[path = "../metering/tests/peers/mod.rs"]
mod peers;
mod support;

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::{metric::Data, number_data_point::Value};
use peers::Prometheus;
use prost::Message;
use std::collections::BTreeMap;
use support::Host;
use tollgate_host::config::Config;
use tollgate_host::metrics::Metrics;
use tollgate_host::stages::meter::Meter;
use tollgate_otlp::{Envelope, Limits, RequestWriter, SpanWriter, TraceRequest};

const MODELS: [&str; 3] = ["gpt-4o", "claude-opus-4", "gemini"];
const PAGE: [&str; 3] = [
    "text/plain;version=0.0.4",
    "application/openmetrics-text;version=1.0.0",
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
];

/// Calls of a few models, each call below the span of an agent, from a service.
fn request(calls: u64) -> Vec<u8> {
    let envelope = Envelope::new(&[("service.name", "shop".into())], "test", "1");
    let mut request = RequestWriter::new();
    for n in 0..calls {
        let trace_id = (u128::from(n) + 1).to_be_bytes();
        let mut agent = SpanWriter::new(trace_id, [1; 8], "invoke_agent");
        agent.times(1_000_000_000, 1_000_000_000 + nanos(n) + 1).set("gen_ai.operation.name", "invoke_agent");
        request.push(&envelope, agent.bytes());
        let mut call = SpanWriter::new(trace_id, [2; 8], "chat");
        call.parent([1; 8]).times(1_000_000_000, 1_000_000_000 + nanos(n));
        call.set("gen_ai.operation.name", "chat").set("gen_ai.request.model", model(n)).set("team", "a");
        call.set("gen_ai.usage.input_tokens", i64::try_from(n * 7).unwrap());
        if n % 5 == 0 {
            call.set("error.type", "timeout");
        }
        request.push(&envelope, call.bytes());
    }
    request.finish()
}

fn model(n: u64) -> &'static str {
    MODELS[usize::try_from(n % 3).unwrap()]
}

fn nanos(n: u64) -> u64 {
    (n + 1) * 3_000_000
}

fn by_model(calls: u64, value: impl Fn(u64) -> u64) -> Vec<(String, f64)> {
    let mut sums: BTreeMap<String, u64> = BTreeMap::new();
    (0..calls).for_each(|n| *sums.entry(model(n).to_owned()).or_default() += value(n));
    sums.into_iter().map(|(model, sum)| (model, sum as f64)).collect()
}

const METER: &str =
    "meter:\n  names: [client, llm_app]\n  dimensions: [team, {name: \"resource:service.name\", default: none}]\n";

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_answers_what_was_sent() {
    const CALLS: u64 = 600;
    let host = Host::start(METER);
    assert_eq!(host.post("/v1/traces", request(CALLS)).await.0, 200);
    for native in [false, true] {
        let Some(prometheus) = Prometheus::start(host.metrics_address(), native) else { return };
        let calls = "sum by (gen_ai_request_model) (tollgate_operation_calls_total{gen_ai_operation_name=\"chat\"})";
        let found = prometheus.until(calls, "gen_ai_request_model", |found| found.len() == 3);
        assert_eq!(found, by_model(CALLS, |_| 1));
        let tokens = "sum by (gen_ai_request_model) (tollgate_tokens_total{team=\"a\",service_name=\"shop\"})";
        assert_eq!(prometheus.query(tokens, "gen_ai_request_model"), by_model(CALLS, |n| n * 7));
        let agents = "sum(tollgate_operation_calls_total{gen_ai_operation_name=\"invoke_agent\"})";
        assert_eq!(prometheus.query(agents, "")[0].1, CALLS as f64);
        let errors = "sum by (gen_ai_request_model) (tollgate_operation_errors_total)";
        assert_eq!(prometheus.query(errors, "gen_ai_request_model"), by_model(CALLS, |n| u64::from(n % 5 == 0)));
        let count = if native { "histogram_count(sum(X))" } else { "sum(X_count)" };
        let count = count.replace('X', "gen_ai_client_operation_duration_seconds");
        assert_eq!(prometheus.query(&count, "")[0].1, CALLS as f64);
        let exemplars = prometheus.exemplars("llm_app_calls_total");
        assert!(!exemplars.is_empty(), "no exemplars");
        for id in exemplars {
            let id = u128::from_str_radix(&id, 16).unwrap();
            assert!((1..=u128::from(CALLS)).contains(&id), "{id} was not sent");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_comes_in_the_form_that_is_asked_for() {
    let host = Host::start(METER);
    assert_eq!(host.post("/v1/traces", request(30)).await.0, 200);
    for accept in PAGE {
        let (head, body) = peers::get(host.metrics_address(), "/metrics", accept).unwrap();
        let kind = head.lines().find_map(|line| line.strip_prefix("content-type: ")).unwrap();
        assert_eq!(kind.split(';').next(), accept.split(';').next(), "{head}");
        assert!(!body.is_empty());
    }
    let (_, text) = peers::get(host.metrics_address(), "/metrics", PAGE[0]).unwrap();
    if let Some(said) = peers::promtool(&text) {
        assert_eq!(said, "", "{}", String::from_utf8_lossy(&text));
    }
    let (_, page) = peers::get(host.metrics_address(), "/metrics", PAGE[1]).unwrap();
    if let Some(samples) = peers::open_metrics(&page) {
        let target = samples.as_array().unwrap().iter().find(|sample| sample[0] == "target_info").unwrap().clone();
        assert_eq!(target[1]["service_name"], "tollgate");
        assert!(target[1]["service_instance_id"].as_str().is_some_and(|id| id.len() == 36), "{target}");
    }
}

/// Every integer of the page that has no bucket, by its line without the value.
fn integers(page: &str) -> BTreeMap<String, i64> {
    let lines = page.lines().filter(|line| !line.starts_with('#') && !line.contains("_bucket{"));
    let pairs = lines.filter_map(|line| line.rsplit_once(' '));
    pairs.filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?))).collect()
}

#[test]
fn otlp_says_what_the_page_says() {
    let yaml = format!("receivers: {{otlp: {{protocols: {{grpc: }}}}}}\noutputs: {{prometheus: }}\n{METER}");
    let config = Config::parse(&yaml).unwrap();
    let metrics = Metrics::of(&config.meter);
    let meter = Meter::new(&config.meter, &config.cost, None, &metrics).unwrap();
    let request = request(50);
    let scanned = TraceRequest::scan(&request, &Limits::default()).unwrap();
    meter.run(&scanned, &meter.read(&scanned));
    let page = integers(&metrics.page());
    let mut sent = BTreeMap::new();
    for (bytes, _) in metrics.otlp(true) {
        let request = ExportMetricsServiceRequest::decode(bytes.as_slice()).unwrap();
        for metric in &request.resource_metrics[0].scope_metrics[0].metrics {
            let name = metric.name.replace('.', "_");
            let (name, points) = match metric.data.clone().unwrap() {
                Data::Sum(sum) => (format!("{name}_total"), sum.data_points),
                Data::Gauge(gauge) => (name, gauge.data_points),
                Data::ExponentialHistogram(histogram) => {
                    let name =
                        if metric.unit == "s" { format!("{name}_seconds_count") } else { format!("{name}_count") };
                    for point in histogram.data_points {
                        sent.insert(series(&name, &point.attributes), i64::try_from(point.count).unwrap());
                    }
                    continue;
                }
                other => panic!("{other:?}"),
            };
            for point in points {
                if let Some(Value::AsInt(value)) = point.value {
                    sent.insert(series(&name, &point.attributes), value);
                }
            }
        }
    }
    let page: BTreeMap<_, _> = page.into_iter().filter(|(name, _)| !name.starts_with("target_info")).collect();
    assert!(page.len() > 40, "{page:?}");
    assert_eq!(sent, page);
}

/// A series as it stands on the page.
fn series(name: &str, attributes: &[opentelemetry_proto::tonic::common::v1::KeyValue]) -> String {
    use opentelemetry_proto::tonic::common::v1::any_value::Value;
    let labels: Vec<_> = attributes
        .iter()
        .map(|attribute| {
            let Some(Value::StringValue(value)) = attribute.value.clone().and_then(|value| value.value) else {
                panic!("{attribute:?}")
            };
            format!("{}=\"{value}\"", attribute.key.replace('.', "_"))
        })
        .collect();
    if labels.is_empty() { name.to_owned() } else { format!("{name}{{{}}}", labels.join(",")) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_metric_has_only_so_many_series_and_loses_no_call() {
    let host = Host::start("meter: {aggregation_cardinality_limit: 2}\n");
    assert_eq!(host.post("/v1/traces", request(30)).await.0, 200);
    let page = host.metrics().await;
    let calls = page.lines().filter(|line| line.starts_with("tollgate_operation_calls_total{"));
    let calls: Vec<u64> = calls.map(|line| line.rsplit(' ').next().unwrap().parse().unwrap()).collect();
    assert_eq!((calls.len(), calls.iter().sum::<u64>()), (3, 60), "{page}");
    assert!(page.contains("otel_metric_overflow=\"true\""), "{page}");
}
