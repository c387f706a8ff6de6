//! The protobuf form of a page: `io.prometheus.client.MetricFamily`, each with its length before it.
//!
//! It is the only form that has native histograms. Source: `metrics.proto` of the Prometheus client model, of which the
//! messages below are what is written here.

use crate::exemplar::{Exemplar, hexadecimal};
use crate::exponential::Exponential;
use crate::histogram::{Layout, State};
use crate::names::{label_name, unit_word};
use crate::number::Scale;
use crate::snapshot::{FamilySnapshot, Kind, Point, Value};
use prost::Message;

#[derive(Clone, PartialEq, Message)]
pub(crate) struct MetricFamily {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(string, tag = "2")]
    pub(crate) help: String,
    /// 0 counter, 1 gauge, 4 histogram.
    #[prost(int32, tag = "3")]
    pub(crate) kind: i32,
    #[prost(message, repeated, tag = "4")]
    pub(crate) metric: Vec<Metric>,
    #[prost(string, tag = "5")]
    pub(crate) unit: String,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Metric {
    #[prost(message, repeated, tag = "1")]
    pub(crate) label: Vec<LabelPair>,
    #[prost(message, optional, tag = "2")]
    pub(crate) gauge: Option<Gauge>,
    #[prost(message, optional, tag = "3")]
    pub(crate) counter: Option<Counter>,
    #[prost(message, optional, tag = "7")]
    pub(crate) histogram: Option<Histogram>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct LabelPair {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(string, tag = "2")]
    pub(crate) value: String,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Gauge {
    #[prost(double, tag = "1")]
    pub(crate) value: f64,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Counter {
    #[prost(double, tag = "1")]
    pub(crate) value: f64,
    #[prost(message, optional, tag = "2")]
    pub(crate) exemplar: Option<ProtoExemplar>,
    #[prost(message, optional, tag = "3")]
    pub(crate) start: Option<Timestamp>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Histogram {
    #[prost(uint64, tag = "1")]
    pub(crate) sample_count: u64,
    #[prost(double, tag = "2")]
    pub(crate) sample_sum: f64,
    #[prost(message, repeated, tag = "3")]
    pub(crate) bucket: Vec<Bucket>,
    #[prost(sint32, tag = "5")]
    pub(crate) schema: i32,
    #[prost(uint64, tag = "7")]
    pub(crate) zero_count: u64,
    #[prost(message, repeated, tag = "12")]
    pub(crate) positive_span: Vec<BucketSpan>,
    /// Each count less the one before it.
    #[prost(sint64, repeated, tag = "13")]
    pub(crate) positive_delta: Vec<i64>,
    #[prost(message, optional, tag = "15")]
    pub(crate) start: Option<Timestamp>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Bucket {
    #[prost(uint64, tag = "1")]
    pub(crate) cumulative_count: u64,
    #[prost(double, tag = "2")]
    pub(crate) upper_bound: f64,
    #[prost(message, optional, tag = "3")]
    pub(crate) exemplar: Option<ProtoExemplar>,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub(crate) struct BucketSpan {
    /// Distance to the span before, or the index of the first bucket.
    #[prost(sint32, tag = "1")]
    pub(crate) offset: i32,
    #[prost(uint32, tag = "2")]
    pub(crate) length: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct ProtoExemplar {
    #[prost(message, repeated, tag = "1")]
    pub(crate) label: Vec<LabelPair>,
    #[prost(double, tag = "2")]
    pub(crate) value: f64,
    #[prost(message, optional, tag = "3")]
    pub(crate) timestamp: Option<Timestamp>,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub(crate) struct Timestamp {
    #[prost(int64, tag = "1")]
    pub(crate) seconds: i64,
    #[prost(int32, tag = "2")]
    pub(crate) nanos: i32,
}

/// The page.
pub(crate) fn encode(families: &[FamilySnapshot], resource: &[(String, String)]) -> Vec<u8> {
    let target = (!resource.is_empty()).then(|| target_info(resource));
    let mut out = Vec::new();
    for message in target.into_iter().chain(families.iter().map(family)) {
        out.extend(message.encode_length_delimited_to_vec());
    }
    out
}

fn target_info(resource: &[(String, String)]) -> MetricFamily {
    let label = resource.iter().map(|(name, value)| pair(name, value)).collect();
    MetricFamily {
        name: "target_info".to_owned(),
        help: "What this process is".to_owned(),
        kind: 1,
        metric: vec![Metric { label, gauge: Some(Gauge { value: 1.0 }), ..Metric::default() }],
        unit: String::new(),
    }
}

fn family(family: &FamilySnapshot) -> MetricFamily {
    let described = &family.described;
    let (kind, suffix) = match family.kind {
        Kind::Sum => (0, "_total"),
        Kind::Level => (1, ""),
        Kind::Histogram => (4, ""),
    };
    MetricFamily {
        name: format!("{}{suffix}", described.page_name),
        help: described.help.clone(),
        kind,
        metric: family.points.iter().map(|point| metric(point, described.scale)).collect(),
        unit: unit_word(described.unit).to_owned(),
    }
}

fn metric(point: &Point, scale: Scale) -> Metric {
    let label = point.labels.iter().map(|(name, value)| pair(name, value)).collect();
    let mut metric = Metric { label, ..Metric::default() };
    match &point.value {
        Value::Sum { value, exemplar } => {
            metric.counter = Some(Counter {
                value: scale.real((*value).into()),
                exemplar: exemplar.as_ref().map(|exemplar| proto_exemplar(exemplar, scale)),
                start: Some(timestamp(point.created)),
            });
        }
        #[expect(clippy::cast_precision_loss, reason = "the message has doubles")]
        Value::Level(value) => metric.gauge = Some(Gauge { value: *value as f64 }),
        Value::Histogram { state, layout } => metric.histogram = Some(histogram(state, layout, point.created)),
    }
    metric
}

fn histogram(state: &State, layout: &Layout, created: u64) -> Histogram {
    let bounds = layout.bounds.iter().map(|bound| layout.scale.real((*bound).into()));
    let mut cumulative_count = 0;
    let bucket = state.buckets.iter().enumerate().zip(bounds.chain([f64::INFINITY]));
    let bucket = bucket.map(|((place, count), upper_bound)| {
        cumulative_count += count;
        let exemplar = state.exemplars.get(place).and_then(Option::as_ref);
        Bucket { cumulative_count, upper_bound, exemplar: exemplar.map(|one| proto_exemplar(one, layout.scale)) }
    });
    let mut histogram = Histogram {
        sample_count: state.count,
        sample_sum: layout.scale.real(state.sum),
        bucket: bucket.collect(),
        start: Some(timestamp(created)),
        ..Histogram::default()
    };
    if let Some(buckets) = &state.exponential {
        histogram.schema = buckets.scale();
        histogram.zero_count = buckets.zeros();
        (histogram.positive_span, histogram.positive_delta) = spans(buckets);
    }
    histogram
}

/// Runs of buckets that are not empty. Prometheus' index of a bucket is one more than OpenTelemetry's.
fn spans(buckets: &Exponential) -> (Vec<BucketSpan>, Vec<i64>) {
    let (mut spans, mut deltas): (Vec<BucketSpan>, Vec<i64>) = Default::default();
    let (mut end, mut before) = (0, 0_i64);
    for (index, count) in (buckets.first() + 1..).zip(buckets.counts()).filter(|(_, count)| *count > 0) {
        match spans.last_mut() {
            Some(span) if index == end => span.length += 1,
            _ => spans.push(BucketSpan { offset: index - end, length: 1 }),
        }
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        deltas.push(count.saturating_sub(before));
        (end, before) = (index + 1, count);
    }
    if spans.is_empty() {
        // Without one an empty histogram would be a classic one.
        spans.push(BucketSpan { offset: 0, length: 0 });
    }
    (spans, deltas)
}

fn proto_exemplar(exemplar: &Exemplar, scale: Scale) -> ProtoExemplar {
    let Exemplar { value, origin } = exemplar;
    ProtoExemplar {
        label: vec![pair("trace_id", &hexadecimal(&origin.trace_id)), pair("span_id", &hexadecimal(&origin.span_id))],
        value: scale.real((*value).into()),
        timestamp: Some(timestamp(origin.time)),
    }
}

fn pair(name: &str, value: &str) -> LabelPair {
    LabelPair { name: label_name(name), value: value.to_owned() }
}

fn timestamp(nanos: u64) -> Timestamp {
    Timestamp {
        seconds: i64::try_from(nanos / 1_000_000_000).unwrap_or(i64::MAX),
        nanos: i32::try_from(nanos % 1_000_000_000).unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_buckets_are_spans_and_counts_are_differences() {
        let mut buckets = Exponential::new();
        for (index, count) in [(-3, 2), (-2, 5), (1, 1), (2, 4), (9, 4)] {
            (0..count).for_each(|_| buckets.add(Some(index), 100));
        }
        let (spans, deltas) = spans(&buckets);
        let spans: Vec<_> = spans.iter().map(|span| (span.offset, span.length)).collect();
        // Indices -2, -1; then 2, 3 after a gap of two; then 10 after a gap of six.
        assert_eq!(spans, [(-2, 2), (2, 2), (6, 1)]);
        assert_eq!(deltas, [2, 3, -4, 3, 0]);
    }
}
