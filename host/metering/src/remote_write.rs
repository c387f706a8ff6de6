//! Metrics as Prometheus' remote write 1.0 has them: `WriteRequest`, cumulative, with histograms as classic series.
//!
//! Names and labels are those of the pages, so that a query is the same however the metrics came.
//!
//! Source: Prometheus Remote-Write 1.0 specification; `remote.proto` and `types.proto`, of which the messages below are what
//! is written here. Bodies are to be compressed with Snappy's block format.

use crate::histogram::{Layout, State};
use crate::names::label_name;
use crate::registry::Registry;
use crate::snapshot::{FamilySnapshot, Kind, Point, Value};
use prost::Message;
use std::collections::HashSet;

/// The value that ends a series, so that queries do not go on with its last value.
///
/// Source: Remote-Write specification, "Stale Markers": the signalling NaN `0x7ff0000000000002`.
const STALE: u64 = 0x7ff0_0000_0000_0002;

#[derive(Clone, PartialEq, Message)]
struct WriteRequest {
    #[prost(message, repeated, tag = "1")]
    timeseries: Vec<TimeSeries>,
    #[prost(message, repeated, tag = "3")]
    metadata: Vec<MetricMetadata>,
}

#[derive(Clone, PartialEq, Message)]
struct TimeSeries {
    #[prost(message, repeated, tag = "1")]
    labels: Vec<Label>,
    #[prost(message, repeated, tag = "2")]
    samples: Vec<Sample>,
}

#[derive(Clone, PartialEq, Eq, Hash, Message)]
struct Label {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    value: String,
}

#[derive(Clone, PartialEq, Message)]
struct Sample {
    #[prost(double, tag = "1")]
    value: f64,
    /// Milliseconds since 1970.
    #[prost(int64, tag = "2")]
    timestamp: i64,
}

#[derive(Clone, PartialEq, Message)]
struct MetricMetadata {
    /// 1 counter, 2 gauge, 3 histogram.
    #[prost(int32, tag = "1")]
    kind: i32,
    #[prost(string, tag = "2")]
    metric_family_name: String,
    #[prost(string, tag = "4")]
    help: String,
    #[prost(string, tag = "5")]
    unit: String,
}

/// Makes requests, and remembers which series a receiver has, to end those that are no more.
#[derive(Debug, Default)]
pub struct RemoteWriter {
    /// Labels of all series.
    external: Vec<(String, String)>,
    /// What the receiver has, by labels. There are as many as the registry has had since the last round that was taken.
    known: HashSet<Vec<Label>>,
    /// What it has when the round under way is taken.
    now: HashSet<Vec<Label>>,
}

impl RemoteWriter {
    /// With labels that all series have, beside `job` and `instance`, which say what the process is.
    #[must_use]
    pub fn new(external: Vec<(String, String)>) -> Self {
        Self { external, ..Self::default() }
    }

    /// All metrics at `now`, in nanoseconds since 1970, as encoded requests of at most `most` series, each with the number of
    /// its samples. Series that were sent before and are no more are ended.
    ///
    /// Call [`taken`](Self::taken) when the receiver has all of them.
    pub fn round(&mut self, registry: &Registry, now: u64, most: usize) -> Vec<(Vec<u8>, u64)> {
        registry.expire(now);
        let mut external = identity(registry.resource());
        external.extend(self.external.iter().map(|(name, value)| (label_name(name), value.clone())));
        let mut rows = Rows { external, timestamp: milliseconds(now), series: Vec::new() };
        let families = registry.snapshot();
        if !registry.resource().is_empty() {
            let labels = registry.resource().iter().map(|(name, value)| (label_name(name), value.clone()));
            rows.push("target_info", labels.collect(), 1.0);
        }
        for family in &families {
            family.points.iter().for_each(|point| rows.point(family, point));
        }
        self.now = rows.series.iter().map(|series| series.labels.clone()).collect();
        let gone = self.known.difference(&self.now).cloned();
        let ended = gone.map(|labels| series(labels, f64::from_bits(STALE), milliseconds(now)));
        rows.series.extend(ended);
        let metadata = families.iter().map(metadata).collect();
        requests(rows.series, metadata, most)
    }

    /// The receiver has the whole of the last round. Where a round was not taken, the next one says all that it said.
    pub fn taken(&mut self) {
        self.known = std::mem::take(&mut self.now);
    }

    /// The end of all series that the receiver has, at `now`: the process is gone, and what it counted with it.
    #[must_use]
    pub fn end(&self, now: u64, most: usize) -> Vec<(Vec<u8>, u64)> {
        let ended = |labels: &Vec<Label>| series(labels.clone(), f64::from_bits(STALE), milliseconds(now));
        requests(self.known.iter().map(ended).collect(), Vec::new(), most)
    }
}

/// `job` and `instance` of a resource.
///
/// Source: OpenTelemetry specification, Prometheus compatibility, "Resource Attributes".
fn identity(resource: &[(String, String)]) -> Vec<(String, String)> {
    let get = |wanted: &str| resource.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    let name = get("service.name").unwrap_or("tollgate");
    let job = match get("service.namespace") {
        Some(namespace) => format!("{namespace}/{name}"),
        None => name.to_owned(),
    };
    let mut labels = vec![("job".to_owned(), job)];
    labels.extend(get("service.instance.id").map(|id| ("instance".to_owned(), id.to_owned())));
    labels
}

fn milliseconds(nanos: u64) -> i64 {
    i64::try_from(nanos / 1_000_000).unwrap_or(i64::MAX)
}

fn series(labels: Vec<Label>, value: f64, timestamp: i64) -> TimeSeries {
    TimeSeries { labels, samples: vec![Sample { value, timestamp }] }
}

fn metadata(family: &FamilySnapshot) -> MetricMetadata {
    let described = &family.described;
    let (kind, suffix) = match family.kind {
        Kind::Sum => (1, "_total"),
        Kind::Level => (2, ""),
        Kind::Histogram => (3, ""),
    };
    MetricMetadata {
        kind,
        metric_family_name: format!("{}{suffix}", described.page_name),
        help: described.help.clone(),
        unit: crate::names::unit_word(described.unit).to_owned(),
    }
}

/// Requests of so many series; the metadata is in the first.
fn requests(all: Vec<TimeSeries>, metadata: Vec<MetricMetadata>, most: usize) -> Vec<(Vec<u8>, u64)> {
    let mut metadata = Some(metadata);
    let request = |series: &[TimeSeries]| {
        let metadata = metadata.take().unwrap_or_default();
        let samples = u64::try_from(series.len()).unwrap_or(u64::MAX);
        (WriteRequest { timeseries: series.to_vec(), metadata }.encode_to_vec(), samples)
    };
    all.chunks(most.max(1)).map(request).collect()
}

struct Rows {
    external: Vec<(String, String)>,
    timestamp: i64,
    series: Vec<TimeSeries>,
}

impl Rows {
    fn point(&mut self, family: &FamilySnapshot, point: &Point) {
        let name = &family.described.page_name;
        let labels = || point.labels.iter().map(|(name, value)| (label_name(name), value.to_string())).collect();
        let scale = family.described.scale;
        match &point.value {
            Value::Sum { value, .. } => self.push(&format!("{name}_total"), labels(), scale.real((*value).into())),
            #[expect(clippy::cast_precision_loss, reason = "samples are doubles")]
            Value::Level(value) => self.push(name, labels(), *value as f64),
            Value::Histogram { state, layout } => self.histogram(name, &labels, state, layout),
        }
    }

    fn histogram(&mut self, name: &str, labels: &dyn Fn() -> Vec<(String, String)>, state: &State, layout: &Layout) {
        let mut bounds = layout.bounds.iter();
        let mut sum = 0_u64;
        for count in &state.buckets {
            let mut bound = String::new();
            match bounds.next() {
                Some(next) => layout.scale.write_real((*next).into(), &mut bound),
                None => bound.push_str("+Inf"),
            }
            sum += count;
            let mut labels = labels();
            labels.push(("le".to_owned(), bound));
            self.push(&format!("{name}_bucket"), labels, crate::Scale::One.real(sum.into()));
        }
        self.push(&format!("{name}_sum"), labels(), layout.scale.real(state.sum));
        self.push(&format!("{name}_count"), labels(), crate::Scale::One.real(state.count.into()));
    }

    /// Labels are sorted and each there once, as the specification wants it; those of the series come before those of all.
    fn push(&mut self, name: &str, labels: Vec<(String, String)>, value: f64) {
        let mut all = vec![Label { name: "__name__".to_owned(), value: name.to_owned() }];
        for (name, value) in labels.into_iter().chain(self.external.iter().cloned()) {
            if !value.is_empty() && all.iter().all(|label| label.name != name) {
                all.push(Label { name, value });
            }
        }
        all.sort_by(|a, b| a.name.cmp(&b.name));
        self.series.push(series(all, value, self.timestamp));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Bounds, Described, Layout, Scale};
    use std::time::Duration;

    /// Series as text, sorted, with the number of samples that the requests say they have.
    fn read(requests: &[(Vec<u8>, u64)]) -> Vec<String> {
        let mut lines = Vec::new();
        for (bytes, samples) in requests {
            let request = WriteRequest::decode(bytes.as_slice()).unwrap();
            assert_eq!(u64::try_from(request.timeseries.len()).unwrap(), *samples);
            for series in request.timeseries {
                assert!(series.labels.is_sorted_by(|a, b| a.name < b.name), "{:?}", series.labels);
                let labels: Vec<_> =
                    series.labels.iter().map(|label| format!("{}={}", label.name, label.value)).collect();
                let Sample { value, timestamp } = series.samples.first().unwrap().clone();
                let value = if value.to_bits() == STALE { "stale".to_owned() } else { value.to_string() };
                lines.push(format!("{} {value} @{timestamp}", labels.join(" ")));
            }
        }
        lines.sort();
        lines
    }

    fn registry() -> Registry {
        let resource = [("service.name", "tollgate"), ("service.instance.id", "i-1")];
        let resource = resource.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Registry::new(Bounds { expiration: Some(Duration::from_secs(1)), ..Bounds::default() }, resource.to_vec())
    }

    #[test]
    fn series_are_those_of_the_page() {
        let registry = registry();
        registry.counter(Described::new("calls", "Calls.")).with([("gen_ai.request.model", "m")]).inc_by(3);
        let layout = Layout::new(Scale::Billionth, &[0.5, 1.0], 0);
        let seconds = registry.histogram(Described::new("took", "Took.").unit("s"), layout);
        for nanos in [400_000_000, 1_500_000_000] {
            seconds.with([("job", "of the call")]).observe(nanos, None);
        }
        let mut writer = RemoteWriter::new(vec![("region".to_owned(), "eu".to_owned())]);
        let same = "instance=i-1 job=of the call";
        assert_eq!(
            read(&writer.round(&registry, 5_000_000_000, 3)),
            [
                "__name__=calls_total gen_ai_request_model=m instance=i-1 job=tollgate region=eu 3 @5000".to_owned(),
                "__name__=target_info instance=i-1 job=tollgate region=eu service_instance_id=i-1 service_name=tollgate 1 @5000"
                    .to_owned(),
                format!("__name__=took_seconds_bucket {same} le=+Inf region=eu 2 @5000"),
                format!("__name__=took_seconds_bucket {same} le=0.5 region=eu 1 @5000"),
                format!("__name__=took_seconds_bucket {same} le=1.0 region=eu 1 @5000"),
                format!("__name__=took_seconds_count {same} region=eu 2 @5000"),
                format!("__name__=took_seconds_sum {same} region=eu 1.9 @5000"),
            ]
        );
    }

    #[test]
    fn what_is_no_more_is_ended_once_the_receiver_has_been_told() {
        let registry = registry();
        let counter = registry.counter(Described::new("c", "C").expires());
        counter.with([("a", "1")]).inc();
        let mut writer = RemoteWriter::default();
        let now = crate::now();
        let stale = |requests: &[(Vec<u8>, u64)]| {
            read(requests).iter().filter(|line| line.contains("c_total") && line.contains("stale")).count()
        };
        assert_eq!(stale(&writer.round(&registry, now, 100)), 0);
        writer.taken();
        let late = now + 10_000_000_000;
        assert_eq!(stale(&writer.round(&registry, late, 100)), 1);
        // That round did not arrive, so the next one says it again.
        assert_eq!(stale(&writer.round(&registry, late, 100)), 1);
        writer.taken();
        assert_eq!(stale(&writer.round(&registry, late, 100)), 0);
        writer.taken();
        let end = read(&writer.end(late, 100));
        assert!(!end.is_empty() && end.iter().all(|line| line.contains(" stale @")), "{end:?}");
    }
}
