//! A request in parts has the items of the whole, each with what was around it, and no part passes its bounds.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail as tests do")]

mod common;

use common::{UNKNOWN, encodings, logs, traces};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{
    ExponentialHistogram, ExponentialHistogramDataPoint, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint,
    ResourceMetrics, ScopeMetrics, Sum, Summary, SummaryDataPoint,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message;
use tollgate_otlp::{Items, Part, ScanError, items, split};

/// Takes a request apart: each item alone, in a request with all that is around it.
type Singles = fn(&[u8]) -> Vec<Vec<u8>>;

fn single_spans(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut singles = Vec::new();
    for mut resource in ExportTraceServiceRequest::decode(bytes).unwrap().resource_spans {
        for mut scope in std::mem::take(&mut resource.scope_spans) {
            for span in std::mem::take(&mut scope.spans) {
                let mut around = (resource.clone(), scope.clone());
                around.1.spans.push(span);
                around.0.scope_spans.push(around.1);
                singles.push(around.0.encode_to_vec());
            }
        }
    }
    singles
}

fn single_logs(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut singles = Vec::new();
    for mut resource in ExportLogsServiceRequest::decode(bytes).unwrap().resource_logs {
        for mut scope in std::mem::take(&mut resource.scope_logs) {
            for record in std::mem::take(&mut scope.log_records) {
                let mut around = (resource.clone(), scope.clone());
                around.1.log_records.push(record);
                around.0.scope_logs.push(around.1);
                singles.push(around.0.encode_to_vec());
            }
        }
    }
    singles
}

/// The points of a metric, each alone with what else its kind has.
fn points(data: Data) -> Vec<Data> {
    match data {
        Data::Gauge(all) => {
            all.data_points.into_iter().map(|point| Data::Gauge(Gauge { data_points: vec![point] })).collect()
        }
        Data::Sum(mut all) => {
            let points = std::mem::take(&mut all.data_points);
            points.into_iter().map(|point| Data::Sum(Sum { data_points: vec![point], ..all.clone() })).collect()
        }
        Data::Histogram(mut all) => {
            let points = std::mem::take(&mut all.data_points);
            let one = |point| Data::Histogram(Histogram { data_points: vec![point], ..all.clone() });
            points.into_iter().map(one).collect()
        }
        Data::ExponentialHistogram(mut all) => {
            let points = std::mem::take(&mut all.data_points);
            let one =
                |point| Data::ExponentialHistogram(ExponentialHistogram { data_points: vec![point], ..all.clone() });
            points.into_iter().map(one).collect()
        }
        Data::Summary(all) => {
            all.data_points.into_iter().map(|point| Data::Summary(Summary { data_points: vec![point] })).collect()
        }
    }
}

fn single_points(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut singles = Vec::new();
    for mut resource in ExportMetricsServiceRequest::decode(bytes).unwrap().resource_metrics {
        for mut scope in std::mem::take(&mut resource.scope_metrics) {
            for mut metric in std::mem::take(&mut scope.metrics) {
                for data in metric.data.take().map(points).unwrap_or_default() {
                    let mut around = (resource.clone(), scope.clone(), metric.clone());
                    around.2.data = Some(data);
                    around.1.metrics.push(around.2);
                    around.0.scope_metrics.push(around.1);
                    singles.push(around.0.encode_to_vec());
                }
            }
        }
    }
    singles
}

fn data() -> impl Strategy<Value = Option<Data>> {
    (0..6, vec(any::<u64>(), 0..5), 0..3).prop_map(|(kind, times, temporality)| {
        let times = times.into_iter();
        Some(match kind {
            0 => Data::Gauge(Gauge {
                data_points: times
                    .map(|time| NumberDataPoint { time_unix_nano: time, ..NumberDataPoint::default() })
                    .collect(),
            }),
            1 => Data::Sum(Sum {
                data_points: times
                    .map(|time| NumberDataPoint { time_unix_nano: time, ..NumberDataPoint::default() })
                    .collect(),
                aggregation_temporality: temporality,
                is_monotonic: temporality == 2,
            }),
            2 => Data::Histogram(Histogram {
                data_points: times
                    .map(|time| HistogramDataPoint { count: time, bucket_counts: vec![1, 2], ..Default::default() })
                    .collect(),
                aggregation_temporality: temporality,
            }),
            3 => Data::ExponentialHistogram(ExponentialHistogram {
                data_points: times
                    .map(|time| ExponentialHistogramDataPoint { count: time, ..Default::default() })
                    .collect(),
                aggregation_temporality: temporality,
            }),
            4 => Data::Summary(Summary {
                data_points: times.map(|time| SummaryDataPoint { count: time, ..Default::default() }).collect(),
            }),
            _ => return None,
        })
    })
}

fn metrics() -> impl Strategy<Value = ExportMetricsServiceRequest> {
    let metric = ("[a-z]{0,9}", "[a-z]{0,150}", data()).prop_map(|(name, description, data)| Metric {
        name,
        description,
        unit: "1".to_owned(),
        data,
        ..Metric::default()
    });
    let scope = ("[a-z]{0,9}", vec(metric, 0..4)).prop_map(|(name, metrics)| ScopeMetrics {
        scope: Some(InstrumentationScope { name, ..InstrumentationScope::default() }),
        metrics,
        schema_url: "https://example.com/scope".to_owned(),
    });
    let resource = (0u32..9, vec(scope, 0..3)).prop_map(|(dropped_attributes_count, scope_metrics)| ResourceMetrics {
        resource: Some(Resource { dropped_attributes_count, ..Resource::default() }),
        scope_metrics,
        schema_url: String::new(),
    });
    vec(resource, 0..3).prop_map(|resource_metrics| ExportMetricsServiceRequest { resource_metrics })
}

/// Splits, and holds the parts against the whole.
fn check(bytes: &[u8], kind: Items, singles: Singles, most_bytes: usize, most_items: u64) {
    let whole = singles(bytes);
    assert_eq!(items(bytes, kind), Ok(whole.len() as u64));
    let parts: Vec<Part> = split(bytes, kind, most_bytes, most_items).unwrap().collect();
    let found: Vec<_> = parts.iter().flat_map(|part| singles(&part.bytes)).collect();
    assert!(found == whole, "{} items became {}", whole.len(), found.len());
    for part in &parts {
        assert_eq!(part.items, singles(&part.bytes).len() as u64);
        assert!(part.items <= most_items);
        assert!(part.items == 1 || part.bytes.len() <= most_bytes, "{} > {most_bytes}", part.bytes.len());
    }
    // Parts are not smaller than they need to be: no two neighbours would have fitted into one.
    for pair in parts.windows(2) {
        let [left, right] = pair else { continue };
        let one = split(&[left.bytes.as_slice(), &right.bytes].concat(), kind, usize::MAX, 1).unwrap().count() as u64;
        assert_eq!(one, left.items + right.items, "parts that follow each other are one request");
        let first = split(&right.bytes, kind, 0, 1).unwrap().next().unwrap();
        assert!(left.items == most_items || left.bytes.len() + first.bytes.len() > most_bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn spans(request in traces(), most_bytes in 0usize..3000, most_items in 1u64..9) {
        for bytes in encodings(&request) {
            check(&bytes, Items::Spans, single_spans, most_bytes, most_items);
        }
    }

    #[test]
    fn log_records(request in logs(), most_bytes in 0usize..2000, most_items in 1u64..9) {
        check(&request.encode_to_vec(), Items::LogRecords, single_logs, most_bytes, most_items);
    }

    #[test]
    fn data_points(request in metrics(), most_bytes in 0usize..1000, most_items in 1u64..9) {
        check(&request.encode_to_vec(), Items::DataPoints, single_points, most_bytes, most_items);
    }

    /// What is no request is an error, and what is read for one is split without a panic.
    #[test]
    fn any_bytes(bytes in vec(any::<u8>(), 0..200), most_bytes in 0usize..100) {
        for kind in [Items::Spans, Items::LogRecords, Items::DataPoints] {
            if let Ok(parts) = split(&bytes, kind, most_bytes, 3) {
                let count: u64 = parts.map(|part| part.items).sum();
                assert_eq!(items(&bytes, kind), Ok(count));
            }
        }
    }
}

/// Fields that are not known stay: those of a span with it, those around spans in each part.
#[test]
fn unknown_fields_are_repeated() {
    let span = [b"\x12".as_slice(), &[UNKNOWN.len() as u8], UNKNOWN].concat();
    let scope = [UNKNOWN, &span, &span].concat();
    let resource = [UNKNOWN, b"\x12", &[scope.len() as u8], &scope].concat();
    let request = [UNKNOWN, b"\x0a", &[resource.len() as u8], &resource].concat();
    let parts: Vec<_> = split(&request, Items::Spans, 0, 9).unwrap().collect();
    let unknown: Vec<_> = parts.iter().map(|part| common::unknown_fields(&part.bytes)).collect();
    assert_eq!(unknown, [4, 4], "in the request, its resource, its scope and the span");
}

#[test]
fn bytes_that_end_in_the_middle_are_an_error() {
    assert_eq!(items(b"\x0a\x09\x12", Items::Spans), Err(ScanError::Truncated { at: 1 }));
    assert!(split(b"\x0a\x04\x12\x09\x12\x00", Items::DataPoints, 9, 9).is_err());
}
