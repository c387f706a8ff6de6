//! Bytes that nobody vouches for: no panic, an answer that prost agrees with, and every limit in force.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{encodings, logs, traces};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{
    ExponentialHistogram, ExponentialHistogramDataPoint, Histogram, HistogramDataPoint, Metric, ResourceMetrics,
    ScopeMetrics,
};
use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message;
use tollgate_columns::{Attribute, Edits, Kind, Texts};
use tollgate_otlp::{
    Envelope, Limits, LogsRequest, MetricsRequest, Reads, RequestWriter, ScanError, SpanWriter, TraceRequest,
};

/// Does with a request all that can be done, and checks that what comes out is a request again.
fn exercise(request: &TraceRequest<'_>) {
    let reads = Reads::compile(&["span:name", "span:duration", "k", "app.tier", "resource:k", "scope:name"]).unwrap();
    let batch = request.project(&reads);
    assert_eq!(batch.check(request.len() as u32, 6), Ok(()));
    let mut edits = Edits::new(request.len() as u32);
    for row in 0..request.len() as u32 {
        edits.text(row, 0, "gold");
    }
    let limits = Limits::default();
    let edited = request.apply(&edits.finish(), &[Attribute::new("app.tier", Kind::Text)]).unwrap();
    assert_eq!(TraceRequest::scan(&edited, &limits).unwrap().len(), request.len());
    let set = request.texts();
    let mut changed = Texts::default();
    for (row, _) in set.texts().iter() {
        changed.push(row, "***");
    }
    let replaced = request.replace(&set, &changed).unwrap();
    let after = TraceRequest::scan(&replaced, &limits).unwrap().texts();
    assert!(after.texts().iter().all(|(_, text)| text == "***"));
    assert_eq!(TraceRequest::scan(&request.accepted(), &limits).unwrap().refused(), 0);
    let mut writer = RequestWriter::new();
    for span in request.spans() {
        let _ = (span.status_message(), span.parent_id(), span.kind(), span.attributes().to_json());
        writer.copy(&span);
    }
    assert_eq!(TraceRequest::scan(&writer.finish(), &limits).unwrap().len(), request.len());
}

/// Whether prost's verdict may differ from a refusal.
fn is_our_own_rule(error: &ScanError) -> bool {
    matches!(error, ScanError::Repeated { .. } | ScanError::TooDeep { .. })
}

fn judge_traces(bytes: &[u8]) {
    let theirs = ExportTraceServiceRequest::decode(bytes);
    match TraceRequest::scan(bytes, &Limits::default()) {
        Ok(request) => {
            assert!(theirs.is_ok(), "accepted what prost refuses: {theirs:?}");
            exercise(&request);
        }
        Err(error) => assert!(theirs.is_err() || is_our_own_rule(&error), "refused what prost accepts: {error}"),
    }
}

fn judge_logs(bytes: &[u8]) {
    let theirs = ExportLogsServiceRequest::decode(bytes);
    match LogsRequest::scan(bytes, &Limits::default()) {
        Ok(request) => {
            assert!(theirs.is_ok(), "accepted what prost refuses: {theirs:?}");
            let set = request.texts();
            request.replace(&set, set.texts()).unwrap();
            request.logs().for_each(|log| {
                let _ = (log.body(), log.trace_id(), log.attributes().count());
            });
        }
        Err(error) => assert!(theirs.is_err() || is_our_own_rule(&error), "refused what prost accepts: {error}"),
    }
}

fn judge_metrics(bytes: &[u8]) {
    let theirs = ExportMetricsServiceRequest::decode(bytes);
    match MetricsRequest::scan(bytes, &Limits::default()) {
        Ok(request) => {
            assert!(theirs.is_ok(), "accepted what prost refuses: {theirs:?}");
            let set = request.texts();
            let replaced = request.replace(&set, set.texts()).unwrap();
            assert!(ExportMetricsServiceRequest::decode(&replaced[..]).is_ok());
            assert!(ExportMetricsServiceRequest::decode(&request.known_only()[..]).is_ok());
        }
        Err(error) => assert!(theirs.is_err() || is_our_own_rule(&error), "refused what prost accepts: {error}"),
    }
}

/// A request with each kind of data point, and numbers where metrics have them.
fn metrics() -> Vec<u8> {
    let positions = tollgate_otlp_positions::positions(tollgate_otlp_positions::Signal::Metrics).unwrap();
    let plain = |position: &&tollgate_otlp_positions::Position| position.path.ends_with("attributes.key");
    let mut bytes: Vec<u8> = positions.iter().filter(plain).flat_map(|position| position.request.clone()).collect();
    let point = HistogramDataPoint {
        bucket_counts: vec![1, 2],
        explicit_bounds: vec![0.5],
        sum: Some(1.0),
        ..HistogramDataPoint::default()
    };
    let buckets = Some(Buckets { offset: -1, bucket_counts: vec![300, 1] });
    let exponential = ExponentialHistogramDataPoint { positive: buckets, ..ExponentialHistogramDataPoint::default() };
    let data = [
        Data::Histogram(Histogram { data_points: vec![point], aggregation_temporality: 1 }),
        Data::ExponentialHistogram(ExponentialHistogram { data_points: vec![exponential], aggregation_temporality: 1 }),
    ];
    let metrics = data.map(|data| Metric { data: Some(data), ..Metric::default() }).into();
    let scope_metrics = vec![ScopeMetrics { metrics, ..ScopeMetrics::default() }];
    let resource_metrics = vec![ResourceMetrics { scope_metrics, ..ResourceMetrics::default() }];
    bytes.extend(ExportMetricsServiceRequest { resource_metrics }.encode_to_vec());
    bytes
}

proptest! {
    #[test]
    fn any_bytes_are_judged_as_prost_judges_them(bytes in vec(any::<u8>(), 0..64)) {
        judge_traces(&bytes);
        judge_logs(&bytes);
        judge_metrics(&bytes);
    }

    #[test]
    fn spoilt_metrics_are_judged_as_prost_judges_them(
        spoil in vec((any::<proptest::sample::Index>(), any::<u8>()), 1..12),
    ) {
        let mut bytes = metrics();
        judge_metrics(&bytes);
        for (at, byte) in spoil {
            let at = at.index(bytes.len());
            bytes[at] = byte;
            judge_metrics(&bytes);
        }
    }

    #[test]
    fn spoilt_requests_are_judged_as_prost_judges_them(
        request in traces(),
        log_request in logs(),
        spoil in vec((any::<proptest::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let [tight, loose] = encodings(&request);
        for (mut bytes, judge) in
            [(tight, judge_traces as fn(&[u8])), (loose, judge_traces), (log_request.encode_to_vec(), judge_logs)]
        {
            for (at, byte) in &spoil {
                if !bytes.is_empty() {
                    let at = at.index(bytes.len());
                    bytes[at] = *byte;
                    judge(&bytes);
                }
            }
        }
    }

    #[test]
    fn every_truncation_is_judged_as_prost_judges_it(request in traces()) {
        let [tight, _] = encodings(&request);
        for end in 0..tight.len().min(400) {
            judge_traces(&tight[..end]);
        }
    }
}

/// A request with one span whose further fields are `fields`.
fn with_span_fields(fields: &[u8]) -> Vec<u8> {
    let mut span = SpanWriter::new([1; 16], [2; 8], "a").bytes().to_vec();
    span.extend_from_slice(fields);
    let mut writer = RequestWriter::new();
    writer.push(&Envelope::default(), &span);
    writer.finish()
}

#[test]
fn faults_are_named_with_their_place() {
    // The fields begin at byte 37: after 6 bytes of messages around, ids of 18 and 10 bytes, and a name of 3.
    let cases: &[(&[u8], ScanError)] = &[
        (b"\x2a\x01\xff", ScanError::Utf8 { at: 39 }),
        (b"\x1a\x01\xff", ScanError::Utf8 { at: 39 }),
        (b"\x28\x01", ScanError::WireType { at: 37 }),
        (b"\x32\x00", ScanError::WireType { at: 37 }),
        (b"\x4a\x05", ScanError::Truncated { at: 38 }),
        (b"\x4a\x03\x0a\x05k", ScanError::Truncated { at: 40 }),
        (b"\x4a\x03\x0a\x01\xff", ScanError::Utf8 { at: 41 }),
        (b"\x4a\x06\x0a\x00\x12\x02\x0a\x01", ScanError::Truncated { at: 44 }),
        (b"\x4a\x07\x0a\x00\x12\x03\x0a\x01\xff", ScanError::Utf8 { at: 45 }),
        (b"\x4a\x08\x0a\x00\x12\x04\x10\x01\x18\x01", ScanError::Repeated { at: 45 }),
        (b"\x4a\x06\x0a\x00\x12\x00\x12\x00", ScanError::Repeated { at: 43 }),
        (b"\x7a\x00\x7a\x00", ScanError::Repeated { at: 39 }),
        (b"\x04", ScanError::Tag { at: 37 }),
        (b"\x30\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", ScanError::Varint { at: 38 }),
    ];
    for (fields, error) in cases {
        let bytes = with_span_fields(fields);
        let found = TraceRequest::scan(&bytes, &Limits::default()).map(|_| ());
        assert_eq!(found, Err(*error), "{fields:x?}");
        let message = error.to_string();
        assert!(message.starts_with("byte "), "{message}");
    }
}

#[test]
fn every_limit_is_in_force() {
    let nested = |depth: usize| {
        let mut span = SpanWriter::new([1; 16], [2; 8], "a");
        span.set_json("k", &("[".repeat(depth) + &"]".repeat(depth))).unwrap();
        let mut writer = RequestWriter::new();
        writer.push(&Envelope::default(), span.bytes());
        writer.push(&Envelope::default(), span.bytes());
        writer.finish()
    };
    let bytes = nested(3);
    let enough = Limits { bytes: bytes.len(), items: 2, values: 6, depth: 3 };
    assert!(TraceRequest::scan(&bytes, &enough).is_ok());
    let cases = [
        Limits { bytes: bytes.len() - 1, ..enough },
        Limits { items: 1, ..enough },
        Limits { values: 5, ..enough },
        Limits { depth: 2, ..enough },
    ];
    let errors = cases.map(|limits| TraceRequest::scan(&bytes, &limits).map(|_| ()).unwrap_err());
    assert!(
        matches!(
            errors,
            [
                ScanError::TooLarge { .. },
                ScanError::TooManyItems { limit: 1, .. },
                ScanError::TooManyValues { limit: 5, .. },
                ScanError::TooDeep { limit: 2, .. }
            ]
        ),
        "{errors:?}"
    );
}

#[test]
fn whatever_the_default_depth_lets_in_prost_can_read() {
    let mut span = SpanWriter::new([1; 16], [2; 8], "a");
    let deepest = "{\"a\":".repeat(23) + "1" + &"}".repeat(23);
    span.set_json("k", &deepest).unwrap();
    let mut writer = RequestWriter::new();
    writer.push(&Envelope::default(), span.bytes());
    let bytes = writer.finish();
    assert!(TraceRequest::scan(&bytes, &Limits::default()).is_ok());
    assert!(ExportTraceServiceRequest::decode(&bytes[..]).is_ok());
}

#[test]
fn fields_that_are_not_known_are_counted() {
    let bytes = with_span_fields(common::UNKNOWN);
    assert_eq!(TraceRequest::scan(&bytes, &Limits::default()).unwrap().unknown_fields(), 1);
    let bytes = with_span_fields(&[]);
    assert_eq!(TraceRequest::scan(&bytes, &Limits::default()).unwrap().unknown_fields(), 0);
}
