//! A request with metrics. Of metrics only the texts are read and replaced; numbers stay as they are.

use crate::error::{Fault, Limits, ScanError};
use crate::scan::{Item, Scan, Scanned, Signal};
use crate::schema::Message;

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

    /// Fields that are not known here. They are kept as they are, and no text in them is seen by a redactor; whoever
    /// cannot have that takes them out with [`known_only`](Self::known_only).
    #[must_use]
    pub fn unknown_fields(&self) -> u32 {
        self.scanned.unknown
    }
}

/// The metrics signal.
#[derive(Debug)]
pub(crate) struct Metrics;

impl Signal for Metrics {
    type Entry = Item;
    const REQUEST: Message = Message::Metrics;
    const ATTRIBUTES: u32 = 12;

    fn item(entry: &Item) -> &Item {
        entry
    }

    fn entry(scan: &mut Scan<'_>, item: Item) -> Result<Option<Item>, Fault> {
        scan.check(Message::Metric, item.frame, scan.limits.depth)?;
        Ok(Some(item))
    }
}
