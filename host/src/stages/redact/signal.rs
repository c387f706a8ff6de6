//! What requests of traces, logs and metrics have in common for redactors: texts.

use super::counts::{Attributes, Counts};
use crate::stages::RESCAN;
use bytes::Bytes;
use tollgate_columns::{Batch, Texts};
use tollgate_otlp::{EditError, LogsRequest, MetricsRequest, Reads, ScanError, TextSet, TraceRequest};

/// Counts on their way to the items.
pub(super) struct Notes<'n> {
    pub(super) counts: &'n Counts,
    pub(super) to: &'n Attributes,
    /// Counts that spans bring along.
    pub(super) reads: &'n Reads,
}

/// A signal of OTLP.
pub(super) trait Signal {
    type Request<'a>;
    /// A request that was checked before.
    fn read(request: &Bytes) -> Result<Self::Request<'_>, ScanError>;
    /// The request without fields that are not known.
    fn known_only(request: &Bytes) -> Result<Bytes, ScanError>;
    /// The texts.
    fn texts(request: &Self::Request<'_>) -> TextSet;
    /// The request with texts replaced and counts written.
    fn replace(
        request: &Self::Request<'_>,
        given: &TextSet,
        changed: &Texts,
        notes: &Notes<'_>,
    ) -> Result<Vec<u8>, EditError>;
    /// The request with counts written.
    fn note(request: &Self::Request<'_>, notes: &Notes<'_>) -> Result<Vec<u8>, EditError>;
}

pub(super) struct Traces;
pub(super) struct Logs;
pub(super) struct Metrics;

impl Signal for Traces {
    type Request<'a> = TraceRequest<'a>;

    fn read(request: &Bytes) -> Result<TraceRequest<'_>, ScanError> {
        TraceRequest::rescan(request)
    }

    fn known_only(request: &Bytes) -> Result<Bytes, ScanError> {
        // Which fields are not known is what a whole scan finds out.
        Ok(TraceRequest::scan(request, &RESCAN)?.known_only().into_owned().into())
    }

    fn texts(request: &TraceRequest<'_>) -> TextSet {
        request.texts()
    }

    fn replace(
        request: &TraceRequest<'_>,
        given: &TextSet,
        changed: &Texts,
        notes: &Notes<'_>,
    ) -> Result<Vec<u8>, EditError> {
        let mut set = request.edit_set(&notes.to.writes);
        set.add(0, &edits_of_spans(request, notes))?;
        request.replace_and_apply(given, changed, set)
    }

    fn note(request: &TraceRequest<'_>, notes: &Notes<'_>) -> Result<Vec<u8>, EditError> {
        let mut set = request.edit_set(&notes.to.writes);
        set.add(0, &edits_of_spans(request, notes))?;
        request.apply_set(set)
    }
}

fn edits_of_spans(request: &TraceRequest<'_>, notes: &Notes<'_>) -> Batch {
    let before = if notes.counts.come_on_top() { request.project(notes.reads) } else { Batch::default() };
    notes.counts.edits(&before, request.len())
}

impl Signal for Logs {
    type Request<'a> = LogsRequest<'a>;

    fn read(request: &Bytes) -> Result<LogsRequest<'_>, ScanError> {
        LogsRequest::scan(request, &RESCAN)
    }

    fn known_only(request: &Bytes) -> Result<Bytes, ScanError> {
        Ok(LogsRequest::scan(request, &RESCAN)?.known_only().into_owned().into())
    }

    fn texts(request: &LogsRequest<'_>) -> TextSet {
        request.texts()
    }

    fn replace(
        request: &LogsRequest<'_>,
        given: &TextSet,
        changed: &Texts,
        notes: &Notes<'_>,
    ) -> Result<Vec<u8>, EditError> {
        let mut set = request.edit_set(&notes.to.writes);
        set.add(0, &notes.counts.edits(&Batch::default(), request.len()))?;
        request.replace_and_apply(given, changed, set)
    }

    fn note(request: &LogsRequest<'_>, notes: &Notes<'_>) -> Result<Vec<u8>, EditError> {
        let mut set = request.edit_set(&notes.to.writes);
        set.add(0, &notes.counts.edits(&Batch::default(), request.len()))?;
        request.apply_set(set)
    }
}

/// An attribute more would make another series of a data point, so counts are not written.
impl Signal for Metrics {
    type Request<'a> = MetricsRequest<'a>;

    fn read(request: &Bytes) -> Result<MetricsRequest<'_>, ScanError> {
        MetricsRequest::scan(request, &RESCAN)
    }

    fn known_only(request: &Bytes) -> Result<Bytes, ScanError> {
        Ok(MetricsRequest::scan(request, &RESCAN)?.known_only().into_owned().into())
    }

    fn texts(request: &MetricsRequest<'_>) -> TextSet {
        request.texts()
    }

    fn replace(
        request: &MetricsRequest<'_>,
        given: &TextSet,
        changed: &Texts,
        _: &Notes<'_>,
    ) -> Result<Vec<u8>, EditError> {
        request.replace(given, changed)
    }

    fn note(request: &MetricsRequest<'_>, _: &Notes<'_>) -> Result<Vec<u8>, EditError> {
        Ok(request.bytes().to_vec())
    }
}
