//! Every string and all bytes that OTLP has are seen and can be replaced, by the descriptors that OTLP comes with.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use tollgate_columns::Texts;
use tollgate_otlp::{EditError, Limits, LogsRequest, MetricsRequest, Place, TextSet, TraceRequest};
use tollgate_otlp_positions::{Signal, holds, positions, together};

/// Fields that are not known, the texts, and a way to replace some of them.
type Read<'r> = (u32, TextSet, Box<dyn Fn(&TextSet, &Texts) -> Result<Vec<u8>, EditError> + 'r>);

fn read(signal: Signal, bytes: &[u8]) -> Read<'_> {
    let limits = Limits::default();
    match signal {
        Signal::Traces => {
            let request = TraceRequest::scan(bytes, &limits).unwrap();
            assert_eq!(request.refused(), 0);
            (request.unknown_fields(), request.texts(), Box::new(move |set, changed| request.replace(set, changed)))
        }
        Signal::Logs => {
            let request = LogsRequest::scan(bytes, &limits).unwrap();
            (request.unknown_fields(), request.texts(), Box::new(move |set, changed| request.replace(set, changed)))
        }
        Signal::Metrics => {
            let request = MetricsRequest::scan(bytes, &limits).unwrap();
            (request.unknown_fields(), request.texts(), Box::new(move |set, changed| request.replace(set, changed)))
        }
    }
}

/// A redactor's answer: texts with a marker become another.
fn without_markers(set: &TextSet) -> Texts {
    let mut changed = Texts::default();
    for (row, _) in set.texts().iter().filter(|(_, text)| text.contains("@marker.example.com")) {
        changed.push(row, "<EMAIL_ADDRESS>");
    }
    changed
}

#[test]
fn every_position_is_seen_and_replaced() {
    let mut used = BTreeSet::new();
    for signal in [Signal::Traces, Signal::Logs, Signal::Metrics] {
        let positions = positions(signal).unwrap();
        for position in &positions {
            let (unknown, set, replace) = read(signal, &position.request);
            assert_eq!(unknown, 0, "{signal:?}: the schema does not know a field of {}", position.path);
            let seen = set.texts().iter().find(|(_, text)| text.contains(&position.marker));
            let (row, _) = seen.unwrap_or_else(|| panic!("{signal:?}: {} is not seen", position.path));
            assert!(set.name(row).starts_with(set.place(row).unwrap().name()), "{}", position.path);
            used.insert(set.place(row).unwrap());
            let replaced = replace(&set, &without_markers(&set)).unwrap();
            assert!(!holds(&replaced, "@marker"), "{signal:?}: {} is not replaced", position.path);
            assert_eq!(read(signal, &replaced).0, 0);
        }
        let whole = together(&positions);
        let (_, set, replace) = read(signal, &whole);
        let replaced = replace(&set, &without_markers(&set)).unwrap();
        assert!(!holds(&replaced, "@marker"), "{signal:?}");
        assert_eq!(positions.iter().map(|position| &position.marker).collect::<BTreeSet<_>>().len(), positions.len());
    }
    assert!(used.iter().eq(Place::ALL), "places without a position: {used:?}");
}

/// A walk that found too little would prove nothing, and nobody would see.
#[test]
fn the_walk_finds_what_otlp_has() {
    let cases: [(Signal, &[&str]); 3] = [
        (
            Signal::Traces,
            &[
                "resource_spans.schema_url",
                "resource_spans.resource.attributes.key",
                "resource_spans.resource.entity_refs.id_keys",
                "resource_spans.scope_spans.scope.attributes.value.kvlist_value.values.value.array_value.values.string_value",
                "resource_spans.scope_spans.spans.trace_state",
                "resource_spans.scope_spans.spans.status.message",
                "resource_spans.scope_spans.spans.attributes.value.bytes_value (not UTF-8)",
                "resource_spans.scope_spans.spans.events.name",
                "resource_spans.scope_spans.spans.events.attributes.value.kvlist_value.values.key",
                "resource_spans.scope_spans.spans.links.trace_id",
                "resource_spans.scope_spans.spans.links.attributes.value.string_value",
            ],
        ),
        (
            Signal::Logs,
            &[
                "resource_logs.scope_logs.log_records.body.kvlist_value.values.key",
                "resource_logs.scope_logs.log_records.body.array_value.values.array_value.values.bytes_value",
                "resource_logs.scope_logs.log_records.severity_text",
                "resource_logs.scope_logs.log_records.event_name",
            ],
        ),
        (
            Signal::Metrics,
            &[
                "resource_metrics.scope_metrics.metrics.unit",
                "resource_metrics.scope_metrics.metrics.metadata.value.string_value",
                "resource_metrics.scope_metrics.metrics.gauge.data_points.exemplars.filtered_attributes.key",
                "resource_metrics.scope_metrics.metrics.exponential_histogram.data_points.attributes.value.string_value",
                "resource_metrics.scope_metrics.metrics.summary.data_points.attributes.value.string_value",
            ],
        ),
    ];
    for (signal, paths) in cases {
        let found: BTreeSet<_> = positions(signal).unwrap().into_iter().map(|position| position.path).collect();
        for path in paths {
            assert!(found.contains(*path), "{path} is not in {found:#?}");
        }
    }
}

#[test]
fn what_has_no_text_is_metrics_too() {
    use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
    use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
    use opentelemetry_proto::tonic::metrics::v1::metric::Data;
    use opentelemetry_proto::tonic::metrics::v1::summary_data_point::ValueAtQuantile;
    use opentelemetry_proto::tonic::metrics::v1::{
        ExponentialHistogram, ExponentialHistogramDataPoint, Histogram, HistogramDataPoint, Metric, ResourceMetrics,
        ScopeMetrics, Summary, SummaryDataPoint,
    };
    use prost::Message;

    let histogram = HistogramDataPoint {
        count: 3,
        sum: Some(0.5),
        bucket_counts: vec![1, 2, u64::MAX],
        explicit_bounds: vec![0.5, 1.0],
        min: Some(-0.5),
        flags: 1,
        ..HistogramDataPoint::default()
    };
    let buckets = Some(Buckets { offset: -3, bucket_counts: vec![1, 300, u64::MAX] });
    let exponential = ExponentialHistogramDataPoint {
        scale: -2,
        zero_count: 1,
        zero_threshold: 0.25,
        positive: buckets.clone(),
        negative: buckets,
        ..ExponentialHistogramDataPoint::default()
    };
    let quantile_values = vec![ValueAtQuantile { quantile: 0.5, value: 2.0 }];
    let summary = SummaryDataPoint { quantile_values, count: 2, ..SummaryDataPoint::default() };
    let data = [
        Data::Histogram(Histogram { data_points: vec![histogram], aggregation_temporality: 2 }),
        Data::ExponentialHistogram(ExponentialHistogram { data_points: vec![exponential], aggregation_temporality: 1 }),
        Data::Summary(Summary { data_points: vec![summary] }),
    ];
    let metrics = data.into_iter().map(|data| Metric { name: "m".into(), data: Some(data), ..Metric::default() });
    let scope = ScopeMetrics { metrics: metrics.collect(), ..ScopeMetrics::default() };
    let resource = ResourceMetrics { scope_metrics: vec![scope], ..ResourceMetrics::default() };
    let bytes = ExportMetricsServiceRequest { resource_metrics: vec![resource] }.encode_to_vec();
    let request = MetricsRequest::scan(&bytes, &Limits::default()).unwrap();
    assert_eq!((request.len(), request.unknown_fields()), (3, 0));
    let texts = request.texts();
    assert_eq!(texts.texts().iter().collect::<Vec<_>>(), [(0, "m")], "a name is there once");
    let mut changed = Texts::default();
    changed.push(0, "longer");
    let replaced = request.replace(&texts, &changed).unwrap();
    let mut decoded = ExportMetricsServiceRequest::decode(&replaced[..]).unwrap();
    for metric in &mut decoded.resource_metrics[0].scope_metrics[0].metrics {
        assert_eq!(std::mem::replace(&mut metric.name, "m".into()), "longer");
    }
    assert_eq!(decoded.encode_to_vec(), bytes, "in every metric, and nothing else");
}
