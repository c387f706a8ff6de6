//! The forms in which metrics leave: golden pages, and messages decoded by their published types.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "helpers of tests fail as tests do")]

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as AnyValue;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use prost::Message;
use tollgate_metering::{Bounds, Described, Format, Layout, Origin, Registry, Scale};

const ORIGIN: Origin = Origin { trace_id: [0xab; 16], span_id: [0xcd; 8], time: 1_700_000_000_250_000_000 };

/// One metric of each kind, with what needs care in each.
fn registry(max_series: usize) -> Registry {
    let resource = vec![("service.name".to_owned(), "a \"b\"\\".to_owned())];
    let registry = Registry::new(Bounds { max_series, expiration: None }, resource);
    let cost = Described::new("cost.usd", "Cost \\ \"x\"\nin dollars.").scale(Scale::Billionth);
    registry.counter(cost).with([("gen_ai.request.model", "a\"\\\nü")]).inc_from(1_500_000, Some(&ORIGIN));
    registry.one_counter(Described::new("large", "Large")).inc_by((1 << 53) + 1);
    registry.one_gauge(Described::new("queue", "Queue").unit("By")).set(-3);
    let seconds = Layout::new(Scale::Billionth, &[0.01, 1.0], 160);
    let duration = registry.histogram(Described::new("duration", "Duration").unit("s"), seconds);
    let duration = duration.with([("kind", "x")]);
    duration.observe(10_000_000, None);
    duration.observe(10_000_001, Some(&ORIGIN));
    duration.observe(2_000_000_000, None);
    duration.observe(0, None);
    registry
}

fn page(format: Format) -> String {
    String::from_utf8(registry(10).page(format, 0)).unwrap()
}

#[test]
fn prometheus_text() {
    assert_eq!(
        page(Format::Text),
        r#"# HELP target_info What this process is
# TYPE target_info gauge
target_info{service_name="a \"b\"\\"} 1
# HELP cost_usd_total Cost \\ "x"\nin dollars
# TYPE cost_usd_total counter
cost_usd_total{gen_ai_request_model="a\"\\\nü"} 0.0015
# HELP duration_seconds Duration
# TYPE duration_seconds histogram
duration_seconds_bucket{le="0.01",kind="x"} 2
duration_seconds_bucket{le="1.0",kind="x"} 3
duration_seconds_bucket{le="+Inf",kind="x"} 4
duration_seconds_sum{kind="x"} 2.020000001
duration_seconds_count{kind="x"} 4
# HELP large_total Large
# TYPE large_total counter
large_total 9007199254740993
# HELP queue_bytes Queue
# TYPE queue_bytes gauge
queue_bytes -3
"#
    );
}

#[test]
fn open_metrics_text() {
    let exemplar = format!("# {{trace_id=\"{}\",span_id=\"{}\"}}", "ab".repeat(16), "cd".repeat(8));
    assert_eq!(
        page(Format::OpenMetrics),
        format!(
            r#"# HELP target What this process is
# TYPE target info
target_info{{service_name="a \"b\"\\"}} 1
# HELP cost_usd Cost \\ \"x\"\nin dollars
# TYPE cost_usd counter
cost_usd_total{{gen_ai_request_model="a\"\\\nü"}} 0.0015 {exemplar} 0.0015 1700000000.250
# HELP duration_seconds Duration
# TYPE duration_seconds histogram
# UNIT duration_seconds seconds
duration_seconds_bucket{{le="0.01",kind="x"}} 2
duration_seconds_bucket{{le="1.0",kind="x"}} 3 {exemplar} 0.010000001 1700000000.250
duration_seconds_bucket{{le="+Inf",kind="x"}} 4
duration_seconds_sum{{kind="x"}} 2.020000001
duration_seconds_count{{kind="x"}} 4
# HELP large Large
# TYPE large counter
large_total 9007199254740993
# HELP queue_bytes Queue
# TYPE queue_bytes gauge
# UNIT queue_bytes bytes
queue_bytes -3
# EOF
"#
        )
    );
}

fn decode(requests: &[(Vec<u8>, u64)]) -> Vec<ExportMetricsServiceRequest> {
    requests.iter().map(|(bytes, _)| ExportMetricsServiceRequest::decode(bytes.as_slice()).unwrap()).collect()
}

#[test]
fn otlp_has_the_same_numbers_with_times_and_spans() {
    let registry = registry(10);
    let now = tollgate_metering::now() + 5;
    for exponential in [false, true] {
        let requests = registry.otlp(now, 1 << 20, exponential);
        assert_eq!(requests.iter().map(|(_, points)| *points).collect::<Vec<_>>(), [4]);
        let request = decode(&requests).remove(0);
        let resource = &request.resource_metrics[0];
        assert_eq!(resource.resource.as_ref().unwrap().attributes[0].key, "service.name");
        for metric in &resource.scope_metrics[0].metrics {
            match (metric.name.as_str(), metric.data.clone().unwrap()) {
                ("cost.usd", Data::Sum(sum)) => {
                    assert!(sum.is_monotonic && sum.aggregation_temporality == 2);
                    let point = &sum.data_points[0];
                    assert_eq!(point.value, Some(Value::AsDouble(0.0015)));
                    assert_eq!(point.attributes[0].key, "gen_ai.request.model");
                    assert!(point.start_time_unix_nano > 0 && point.start_time_unix_nano < point.time_unix_nano);
                    assert_eq!(point.time_unix_nano, now);
                    assert_eq!(point.exemplars[0].trace_id, ORIGIN.trace_id);
                    assert_eq!(point.exemplars[0].time_unix_nano, ORIGIN.time);
                }
                ("large", Data::Sum(sum)) => {
                    assert_eq!(sum.data_points[0].value, Some(Value::AsInt((1 << 53) + 1)));
                }
                ("queue", Data::Gauge(gauge)) => {
                    assert_eq!((metric.unit.as_str(), gauge.data_points[0].value), ("By", Some(Value::AsInt(-3))));
                }
                ("duration", Data::Histogram(histogram)) if !exponential => {
                    let point = &histogram.data_points[0];
                    assert_eq!((point.count, point.sum), (4, Some(2.020_000_001)));
                    assert_eq!(point.bucket_counts, [2, 1, 1]);
                    assert_eq!(point.explicit_bounds, [0.01, 1.0]);
                    assert_eq!(point.exemplars[0].span_id, ORIGIN.span_id);
                }
                ("duration", Data::ExponentialHistogram(histogram)) if exponential => {
                    let point = &histogram.data_points[0];
                    let buckets = point.positive.clone().unwrap();
                    assert_eq!((point.count, point.zero_count, point.exemplars.len()), (4, 1, 1));
                    assert_eq!(buckets.bucket_counts.iter().sum::<u64>(), 3);
                    // 10 ms to 2 s are 7.6 powers of two, which 160 buckets hold at 16 a power.
                    assert_eq!(point.scale, 4);
                    let last = i32::try_from(buckets.bucket_counts.len()).unwrap() + buckets.offset;
                    assert_eq!(last, 16, "2 s is the upper bound of the last bucket");
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

#[test]
fn otlp_is_split_where_it_would_be_too_large_and_loses_no_point() {
    let registry = Registry::new(Bounds { max_series: 60, expiration: None }, Vec::new());
    let [a, b] = ["a", "b"].map(|name| registry.counter(Described::new(name, "Counts")));
    for n in 0..60 {
        a.with([("n", n.to_string())]).inc_by(n);
        b.with([("n", n.to_string())]).inc_by(1000 + n);
    }
    a.with([("n", "one too many")]).inc();
    for max_bytes in [1, 200, 1000, 5000, 1 << 20] {
        let requests = registry.otlp(tollgate_metering::now(), max_bytes, false);
        let (mut sum, mut points, mut overflow) = (0, 0, 0);
        for ((bytes, count), request) in requests.iter().zip(decode(&requests)) {
            assert!(bytes.len() <= max_bytes || *count == 1, "{} of {max_bytes}, {count}", bytes.len());
            points += count;
            for metric in &request.resource_metrics[0].scope_metrics[0].metrics {
                let Some(Data::Sum(data)) = &metric.data else { panic!("{metric:?}") };
                assert!(!data.data_points.is_empty());
                for point in &data.data_points {
                    let Some(Value::AsInt(value)) = point.value else { panic!("{point:?}") };
                    sum += value;
                    let mark = point.attributes.iter().find(|attribute| attribute.key == "otel.metric.overflow");
                    let mark = mark.map(|mark| mark.value.clone().unwrap().value.unwrap());
                    overflow += i32::from(mark == Some(AnyValue::BoolValue(true)));
                }
            }
        }
        // The counters of a and b, the one that was too many, and the counter of that.
        assert_eq!((points, sum, overflow), (122, (0..60).sum::<i64>() * 2 + 60_000 + 2, 1), "{max_bytes}");
    }
}
