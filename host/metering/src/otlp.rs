//! Metrics as they are sent: `ExportMetricsServiceRequest`, cumulative.

use crate::exemplar::{Exemplar, Origin};
use crate::family::{Labels, OVERFLOW};
use crate::histogram::{Layout, State};
use crate::number::Scale;
use crate::registry::Registry;
use crate::snapshot::{FamilySnapshot, Kind, Point, Value};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::metrics::v1 as proto;
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message;

/// Room for tags and lengths around a point, and around a metric.
const FRAME: usize = 16;

impl Registry {
    /// All metrics as encoded requests, each with the number of its data points, after series that expired before `now`, in
    /// nanoseconds since 1970, are forgotten.
    ///
    /// A request is not larger than `max_bytes`, but for one whose only data point is. Where `exponential` is set, histograms
    /// that have exponential buckets are sent with those, else with their classic ones.
    #[must_use]
    pub fn otlp(&self, now: u64, max_bytes: usize, exponential: bool) -> Vec<(Vec<u8>, u64)> {
        self.expire(now);
        let mut requests = Requests::new(self.resource(), max_bytes);
        for family in self.snapshot() {
            requests.metric(&family);
            for point in &family.points {
                let data = data(point, family.described.scale, now, exponential);
                requests.point(&family, data);
            }
        }
        requests.finish()
    }
}

/// One data point, in the message of its kind.
enum Data {
    Number(proto::NumberDataPoint),
    Histogram(proto::HistogramDataPoint),
    Exponential(proto::ExponentialHistogramDataPoint),
}

struct Requests {
    envelope: proto::ResourceMetrics,
    envelope_bytes: usize,
    max_bytes: usize,
    metrics: Vec<proto::Metric>,
    points: u64,
    bytes: usize,
    done: Vec<(Vec<u8>, u64)>,
}

impl Requests {
    fn new(resource: &[(String, String)], max_bytes: usize) -> Self {
        let attributes = resource.iter().map(|(name, value)| text(name, value)).collect();
        let scope = InstrumentationScope {
            name: "tollgate".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            ..InstrumentationScope::default()
        };
        let envelope = proto::ResourceMetrics {
            resource: Some(Resource { attributes, ..Resource::default() }),
            scope_metrics: vec![proto::ScopeMetrics { scope: Some(scope), ..proto::ScopeMetrics::default() }],
            schema_url: String::new(),
        };
        let envelope_bytes = envelope.encoded_len() + 2 * FRAME;
        Self {
            envelope,
            envelope_bytes,
            max_bytes,
            metrics: Vec::new(),
            points: 0,
            bytes: envelope_bytes,
            done: Vec::new(),
        }
    }

    fn metric(&mut self, family: &FamilySnapshot) {
        let described = &family.described;
        let metric = proto::Metric {
            name: described.name.clone(),
            description: described.help.clone(),
            unit: described.unit.to_owned(),
            ..proto::Metric::default()
        };
        self.bytes += metric.encoded_len() + FRAME;
        self.metrics.push(metric);
    }

    fn point(&mut self, family: &FamilySnapshot, point: Data) {
        let bytes = FRAME
            + match &point {
                Data::Number(point) => point.encoded_len(),
                Data::Histogram(point) => point.encoded_len(),
                Data::Exponential(point) => point.encoded_len(),
            };
        if self.bytes + bytes > self.max_bytes && self.points > 0 {
            self.flush();
            self.metric(family);
        }
        self.bytes += bytes;
        self.points += 1;
        if let Some(metric) = self.metrics.last_mut() {
            add(metric, family.kind, point);
        }
    }

    fn flush(&mut self) {
        let mut envelope = self.envelope.clone();
        let mut metrics = std::mem::take(&mut self.metrics);
        // A metric whose first point did not fit is in the next request.
        metrics.retain(|metric| metric.data.is_some());
        if let Some(scope) = envelope.scope_metrics.first_mut() {
            scope.metrics = metrics;
        }
        let request = ExportMetricsServiceRequest { resource_metrics: vec![envelope] };
        self.done.push((request.encode_to_vec(), self.points));
        (self.points, self.bytes) = (0, self.envelope_bytes);
    }

    fn finish(mut self) -> Vec<(Vec<u8>, u64)> {
        if self.points > 0 {
            self.flush();
        }
        self.done
    }
}

fn add(metric: &mut proto::Metric, kind: Kind, point: Data) {
    use proto::metric::Data as Points;
    let aggregation_temporality = proto::AggregationTemporality::Cumulative.into();
    let points = metric.data.get_or_insert_with(|| match (&point, kind) {
        (Data::Number(_), Kind::Level) => Points::Gauge(proto::Gauge::default()),
        (Data::Number(_), _) => {
            Points::Sum(proto::Sum { data_points: Vec::new(), aggregation_temporality, is_monotonic: true })
        }
        (Data::Histogram(_), _) => {
            Points::Histogram(proto::Histogram { data_points: Vec::new(), aggregation_temporality })
        }
        (Data::Exponential(_), _) => Points::ExponentialHistogram(proto::ExponentialHistogram {
            data_points: Vec::new(),
            aggregation_temporality,
        }),
    });
    match (points, point) {
        (Points::Gauge(gauge), Data::Number(point)) => gauge.data_points.push(point),
        (Points::Sum(sum), Data::Number(point)) => sum.data_points.push(point),
        (Points::Histogram(histogram), Data::Histogram(point)) => histogram.data_points.push(point),
        (Points::ExponentialHistogram(histogram), Data::Exponential(point)) => histogram.data_points.push(point),
        // The points of a family are all of one kind.
        _ => {}
    }
}

fn data(point: &Point, scale: Scale, now: u64, exponential: bool) -> Data {
    let attributes = attributes(&point.labels);
    match &point.value {
        Value::Sum { value, exemplar } => Data::Number(proto::NumberDataPoint {
            attributes,
            start_time_unix_nano: point.created,
            time_unix_nano: now,
            value: Some(match scale {
                Scale::One => proto::number_data_point::Value::AsInt(i64::try_from(*value).unwrap_or(i64::MAX)),
                Scale::Billionth => proto::number_data_point::Value::AsDouble(scale.real((*value).into())),
            }),
            exemplars: exemplar.iter().map(|one| proto_exemplar(one, scale)).collect(),
            flags: 0,
        }),
        Value::Level(value) => Data::Number(proto::NumberDataPoint {
            attributes,
            time_unix_nano: now,
            value: Some(proto::number_data_point::Value::AsInt(*value)),
            ..proto::NumberDataPoint::default()
        }),
        Value::Histogram { state, layout } => exponential_point(state, layout, exponential)
            .map_or_else(|| Data::Histogram(classic_point(state, layout)), Data::Exponential)
            .placed(attributes, point.created, now),
    }
}

impl Data {
    /// A histogram's point with labels and times.
    fn placed(mut self, attributes: Vec<KeyValue>, created: u64, now: u64) -> Self {
        match &mut self {
            Self::Number(_) => {}
            Self::Histogram(point) => {
                (point.attributes, point.start_time_unix_nano, point.time_unix_nano) = (attributes, created, now);
            }
            Self::Exponential(point) => {
                (point.attributes, point.start_time_unix_nano, point.time_unix_nano) = (attributes, created, now);
            }
        }
        self
    }
}

fn classic_point(state: &State, layout: &Layout) -> proto::HistogramDataPoint {
    proto::HistogramDataPoint {
        count: state.count,
        sum: Some(layout.scale.real(state.sum)),
        bucket_counts: state.buckets.clone(),
        explicit_bounds: layout.bounds.iter().map(|bound| layout.scale.real((*bound).into())).collect(),
        exemplars: exemplars(state, layout),
        ..proto::HistogramDataPoint::default()
    }
}

fn exponential_point(state: &State, layout: &Layout, wanted: bool) -> Option<proto::ExponentialHistogramDataPoint> {
    let buckets = state.exponential.as_ref().filter(|_| wanted)?;
    Some(proto::ExponentialHistogramDataPoint {
        count: state.count,
        sum: Some(layout.scale.real(state.sum)),
        scale: buckets.scale(),
        zero_count: buckets.zeros(),
        positive: Some(proto::exponential_histogram_data_point::Buckets {
            offset: buckets.first(),
            bucket_counts: buckets.counts().collect(),
        }),
        exemplars: exemplars(state, layout),
        ..proto::ExponentialHistogramDataPoint::default()
    })
}

fn exemplars(state: &State, layout: &Layout) -> Vec<proto::Exemplar> {
    state.exemplars.iter().flatten().map(|exemplar| proto_exemplar(exemplar, layout.scale)).collect()
}

fn proto_exemplar(exemplar: &Exemplar, scale: Scale) -> proto::Exemplar {
    let Exemplar { value, origin: Origin { trace_id, span_id, time } } = exemplar;
    proto::Exemplar {
        filtered_attributes: Vec::new(),
        time_unix_nano: *time,
        span_id: span_id.to_vec(),
        trace_id: trace_id.to_vec(),
        value: Some(match scale {
            Scale::One => proto::exemplar::Value::AsInt(i64::try_from(*value).unwrap_or(i64::MAX)),
            Scale::Billionth => proto::exemplar::Value::AsDouble(scale.real((*value).into())),
        }),
    }
}

fn attributes(labels: &Labels) -> Vec<KeyValue> {
    let attribute = |(name, value): &(Box<str>, Box<str>)| match &**name {
        OVERFLOW => key_value(OVERFLOW, any_value::Value::BoolValue(true)),
        _ => text(name, value),
    };
    labels.iter().map(attribute).collect()
}

fn text(name: &str, value: &str) -> KeyValue {
    key_value(name, any_value::Value::StringValue(value.to_owned()))
}

fn key_value(name: &str, value: any_value::Value) -> KeyValue {
    KeyValue { key: name.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}
