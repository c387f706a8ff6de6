//! A request with metrics. Of metrics only the texts are read and replaced; numbers stay as they are.

use crate::error::{Fault, Limits, ScanError};
use crate::scan::{Item, Scan, Scanned, Signal};
use crate::schema::{Message, Role};
use crate::wire::{Frame, Payload, Reader};

/// An `ExportMetricsServiceRequest` that has been checked: everything in it can be read, and its metrics are indexed.
#[derive(Debug)]
pub struct MetricsRequest<'a> {
    pub(crate) scanned: Scanned<'a, Metrics>,
}

impl<'a> MetricsRequest<'a> {
    /// Checks a request and indexes its metrics.
    ///
    /// # Errors
    /// What is wrong with the bytes, and where.
    pub fn scan(bytes: &'a [u8], limits: &Limits) -> Result<Self, ScanError> {
        Scanned::scan(bytes, limits).map(|scanned| Self { scanned })
    }

    /// The request as it was given.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.scanned.bytes
    }

    /// How many metrics were indexed. A metric has any number of data points.
    #[must_use]
    pub fn len(&self) -> usize {
        self.scanned.entries.len()
    }

    /// Whether there is no metric.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.scanned.entries.is_empty()
    }

    /// How many data points all metrics have together: what `rejected_data_points` counts, too.
    ///
    /// ```
    /// # use tollgate_otlp::{Limits, MetricsRequest};
    /// // One gauge of two points, everything within it without content.
    /// let request = b"\x0a\x0a\x12\x08\x12\x06\x2a\x04\x0a\x00\x0a\x00";
    /// assert_eq!(MetricsRequest::scan(request, &Limits::default())?.points(), 2);
    /// # Ok::<(), tollgate_otlp::ScanError>(())
    /// ```
    #[must_use]
    pub fn points(&self) -> u64 {
        self.scanned.entries.iter().map(|entry| u64::from(entry.points)).sum()
    }

    /// Fields that are not known here. They are kept as they are, and no text in them is seen by a redactor; whoever
    /// cannot have that takes them out with [`known_only`](Self::known_only).
    #[must_use]
    pub fn unknown_fields(&self) -> u32 {
        self.scanned.unknown
    }
}

/// What is kept of a metric.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MetricEntry {
    item: Item,
    points: u32,
}

/// The metrics signal.
#[derive(Debug)]
pub(crate) struct Metrics;

impl Signal for Metrics {
    type Entry = MetricEntry;
    const REQUEST: Message = Message::Metrics;
    const ATTRIBUTES: u32 = 12;

    fn item(entry: &MetricEntry) -> &Item {
        &entry.item
    }

    fn entry(scan: &mut Scan<'_>, item: Item) -> Result<Option<MetricEntry>, Fault> {
        scan.check(Message::Metric, item.frame, scan.limits.depth)?;
        Ok(Some(MetricEntry { item, points: points(scan.bytes, item.frame)? }))
    }
}

/// The data points of a metric that has been checked. Its data is a gauge, a sum, a histogram or a summary, and each of
/// them holds its points in one field.
fn points(bytes: &[u8], metric: Frame) -> Result<u32, Fault> {
    let mut points = 0;
    let mut reader = Reader::within(bytes, metric);
    while let Some(field) = reader.field()? {
        let (Role::Once(data), Payload::Bytes(frame)) = (Message::Metric.role(field.number), field.payload) else {
            continue;
        };
        let mut reader = Reader::within(bytes, frame);
        while let Some(field) = reader.field()? {
            points += u32::from(matches!(data.role(field.number), Role::Many(_)));
        }
    }
    Ok(points)
}
