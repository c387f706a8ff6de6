//! A request as records: what belongs together has one key, and no record is larger than the broker takes.

use crate::wire::fields;
use bytes::Bytes;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use tollgate_otlp::{Envelope, Items, Limits, LogsRequest, RequestWriter, ScanError, Span, TraceRequest, split};

/// Bytes that are kept free in a record for what is around its value: its key, lengths, and the head of its batch.
///
/// Source: the record batch of Kafka's protocol, version 2: a head of 61 bytes, and up to 36 bytes of lengths around a
/// record; a key of 32 bytes.
pub const OVERHEAD: usize = 160;

/// Requests are scanned when they come in; these limits are for what was let in then.
const NO_LIMITS: Limits = Limits { bytes: usize::MAX, items: u32::MAX, values: u32::MAX, depth: u8::MAX };

/// What records are keyed by. Names and meanings are those of the Collector's exporter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keys {
    /// Spans by their trace: `partition_traces_by_id`.
    pub traces_by_id: bool,
    /// Log records by their trace, where they have one: `partition_logs_by_trace_id`.
    pub logs_by_trace_id: bool,
    /// Log records by their resource: `partition_logs_by_resource_attributes`.
    pub logs_by_resource: bool,
    /// Metrics by their resource: `partition_metrics_by_resource_attributes`.
    pub metrics_by_resource: bool,
}

/// A record to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// What it is partitioned by; nothing where it may go anywhere.
    pub key: Option<Bytes>,
    /// An encoded request.
    pub value: Bytes,
    /// Spans, log records or data points.
    pub items: u64,
}

/// The records of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cuts {
    /// What can be written.
    pub records: Vec<Record>,
    /// How many items are larger than a record may be, each by itself.
    pub too_large: u64,
}

/// Why a request cannot be cut.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CutError {
    /// It is no request.
    #[error("the request cannot be read: {0}")]
    Unreadable(#[from] ScanError),
}

/// Cuts a request into records of at most `max_message_bytes`, their overhead included. Spans, log records and points are
/// copied byte by byte, and stay in their order within a record's key.
///
/// The key of a trace is its id in 32 hexadecimal digits, as the Collector writes it. The key of a resource is a hash of
/// its encoded form: the same resource of one sender has the same key, which need not be the one that a Collector gives
/// it.
///
/// # Errors
/// The bytes are no request.
pub fn cut(bytes: &[u8], items: Items, keys: Keys, max_message_bytes: usize) -> Result<Cuts, CutError> {
    let most = max_message_bytes.saturating_sub(OVERHEAD);
    let mut cuts = Cuts::default();
    match items {
        Items::Spans if keys.traces_by_id => {
            for (key, request, spans) in by_trace(bytes)? {
                match request.len() <= most {
                    true => cuts.records.push(Record { key: Some(key), value: request.into(), items: spans }),
                    false => cuts.add(items, Some(key), &request, most)?,
                }
            }
        }
        Items::LogRecords if keys.logs_by_trace_id => {
            for (key, request) in logs_by_trace(bytes)? {
                cuts.add(items, key, &request, most)?;
            }
        }
        Items::LogRecords if keys.logs_by_resource => by_resource(&mut cuts, bytes, items, most)?,
        Items::DataPoints if keys.metrics_by_resource => by_resource(&mut cuts, bytes, items, most)?,
        _ => cuts.add(items, None, bytes, most)?,
    }
    Ok(cuts)
}

impl Cuts {
    /// Adds what has one key, in as many records as it takes.
    fn add(&mut self, items: Items, key: Option<Bytes>, request: &[u8], most: usize) -> Result<(), CutError> {
        for part in split(request, items, most, u64::MAX)? {
            if part.bytes.len() > most {
                self.too_large += part.items;
            } else {
                self.records.push(Record { key: key.clone(), value: part.bytes.into(), items: part.items });
            }
        }
        Ok(())
    }
}

/// The spans of each trace as a request, in the order in which traces begin.
fn by_trace(bytes: &[u8]) -> Result<Vec<(Bytes, Vec<u8>, u64)>, CutError> {
    let request = TraceRequest::scan(bytes, &NO_LIMITS)?;
    let mut groups = Groups::default();
    let mut last: Option<(Span<'_>, Envelope)> = None;
    for span in request.spans() {
        // What is around a span is mostly what was around the one before.
        let (_, envelope) = match last.take() {
            Some((before, envelope)) if before.shares_envelope(&span) => last.insert((span, envelope)),
            _ => last.insert((span, span.envelope())),
        };
        groups.of(span.trace_id()).push(envelope, span.bytes());
    }
    Ok(groups.finish().collect())
}

/// A request with its key.
type Keyed = (Option<Bytes>, Vec<u8>);

/// The log records of each trace as a request, and those of none.
fn logs_by_trace(bytes: &[u8]) -> Result<Vec<Keyed>, CutError> {
    let request = LogsRequest::scan(bytes, &NO_LIMITS)?;
    let mut traces: Vec<_> = Vec::new();
    let mut known = std::collections::BTreeSet::new();
    for log in request.logs() {
        if known.insert(log.trace_id()) {
            traces.push(log.trace_id());
        }
    }
    let of = |trace: Option<[u8; 16]>| {
        let (bytes, _) = request.retain(|log| log.trace_id() == trace);
        (trace.map(|trace| hexadecimal(&trace)), bytes.into_owned())
    };
    Ok(traces.into_iter().map(of).collect())
}

/// Records for each resource by itself: of resources that follow each other and are the same, one.
fn by_resource(cuts: &mut Cuts, bytes: &[u8], items: Items, most: usize) -> Result<(), CutError> {
    for (resource, request) in resources(bytes) {
        cuts.add(items, Some(Bytes::copy_from_slice(&fnv(resource).to_be_bytes())), request, most)?;
    }
    Ok(())
}

/// The resources of a request: each as a request of its own, with its encoded `Resource` message.
///
/// Source: in all three `Export*ServiceRequest`s field 1 is a `Resource{Spans,Logs,Metrics}`, whose field 1 is the
/// `Resource`.
fn resources(bytes: &[u8]) -> Vec<(&[u8], &[u8])> {
    let mut found = Vec::new();
    for (number, inner, whole) in fields(bytes) {
        if number == 1 {
            let resource = fields(inner).find(|(number, ..)| *number == 1).map_or(&[][..], |(_, resource, _)| resource);
            found.push((resource, whole));
        }
    }
    found
}

/// FNV-1a, 64 bits.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

fn hexadecimal(id: &[u8; 16]) -> Bytes {
    let digit = |value: u8| if value < 10 { b'0' + value } else { b'a' + value - 10 };
    id.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect::<Vec<_>>().into()
}

/// Requests by trace, in the order in which traces begin.
#[derive(Default)]
struct Groups {
    writers: Vec<([u8; 16], RequestWriter)>,
    by_trace: HashMap<[u8; 16], usize>,
}

impl Groups {
    fn of(&mut self, trace: [u8; 16]) -> &mut RequestWriter {
        let at = match self.by_trace.entry(trace) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => {
                self.writers.push((trace, RequestWriter::new()));
                *new.insert(self.writers.len() - 1)
            }
        };
        #[expect(clippy::indexing_slicing, reason = "the map holds places in the list only")]
        &mut self.writers[at].1
    }

    /// Key, request and number of spans of each trace.
    fn finish(self) -> impl Iterator<Item = (Bytes, Vec<u8>, u64)> {
        self.writers.into_iter().map(|(trace, writer)| {
            let spans = u64::try_from(writer.len()).unwrap_or(u64::MAX);
            (hexadecimal(&trace), writer.finish(), spans)
        })
    }
}

#[cfg(test)]
mod tests;
