//! OTLP requests as rows in `RowBinaryWithNames`.
//!
//! Fields go straight from the encoded request into the encoded row: nothing is decoded into messages in between. What
//! spans of one resource and scope share is encoded once. The rows are those that the OpenTelemetry Collector's exporter
//! would write, and the columns of [`column`](crate::column) after them.

use crate::attributes::Wanted;
use crate::{binary, column, layout};
use std::sync::LazyLock;
use tollgate_otlp::{Attributes, Log, LogsRequest, ScanError, Span, SpanEvent, SpanKind, SpanLink, StatusCode};
use tollgate_otlp::{TraceRequest, Value};
use tollgate_semconv::attribute::SERVICE_NAME;

/// Rows of one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows {
    /// The rows in `RowBinaryWithNames`, names included.
    pub bytes: Vec<u8>,
    /// How many there are.
    pub count: u64,
}

/// Why a request has no rows.
#[derive(Debug, thiserror::Error)]
pub enum RowsError {
    /// The bytes are no request.
    #[error("this is no request of OTLP: {0}")]
    Malformed(#[from] ScanError),
    /// A resource is repeated in each of its rows, so that rows can be many times as large as the request.
    #[error("the rows of this request are more than {limit} bytes; send smaller requests")]
    TooLarge {
        /// Most bytes of rows.
        limit: usize,
    },
}

static SPAN_COLUMNS: LazyLock<Wanted> = LazyLock::new(|| Wanted::of(column::SPANS));
static LOG_COLUMNS: LazyLock<Wanted> = LazyLock::new(|| Wanted::of(column::LOGS));

/// The spans of an `ExportTraceServiceRequest` that was checked before, with rows of up to `limit` bytes. A single span may
/// have a row that is larger. Spans whose ids are no ids have no row.
///
/// Bytes that nobody has checked do no harm: texts that are none are empty then.
///
/// # Errors
/// The bytes are no request, or their rows are too large.
pub fn spans(request: &[u8], limit: usize) -> Result<Rows, RowsError> {
    let request = TraceRequest::rescan(request)?;
    let mut rows = Writer::new(layout::header(layout::SPANS, column::SPANS), request.bytes().len(), &SPAN_COLUMNS);
    let mut before: Option<Span<'_>> = None;
    for span in request.spans() {
        if !before.is_some_and(|before| before.shares_envelope(&span)) {
            rows.share(span.resource(), |out| {
                binary::string(out, span.scope_name().as_bytes());
                binary::string(out, span.scope_version().as_bytes());
            });
        }
        rows.span(&span);
        before = Some(span);
        rows.check(limit)?;
    }
    Ok(rows.finish())
}

/// The log records of an `ExportLogsServiceRequest`, as [`spans`] has spans.
///
/// # Errors
/// The bytes are no request, or their rows are too large.
pub fn logs(request: &[u8], limit: usize) -> Result<Rows, RowsError> {
    let request = LogsRequest::rescan(request)?;
    let mut rows = Writer::new(layout::header(layout::LOGS, column::LOGS), request.bytes().len(), &LOG_COLUMNS);
    let mut before: Option<Log<'_>> = None;
    for log in request.logs() {
        if !before.is_some_and(|before| before.shares_envelope(&log)) {
            rows.share_log(&log);
        }
        rows.log(&log);
        before = Some(log);
        rows.check(limit)?;
    }
    Ok(rows.finish())
}

/// Rows that are being written.
struct Writer<'a> {
    out: Vec<u8>,
    count: u64,
    wanted: &'a Wanted,
    /// What rows of one resource and scope have in common, as it stands in each.
    shared: Vec<u8>,
    /// Texts of the resource that columns are read from.
    of_resource: Vec<Vec<u8>>,
}

impl<'a> Writer<'a> {
    fn new(header: Vec<u8>, request: usize, wanted: &'a Wanted) -> Self {
        let mut out = header;
        out.reserve(request.saturating_mul(3) / 2);
        Self { out, count: 0, wanted, shared: Vec::new(), of_resource: Vec::new() }
    }

    fn check(&self, limit: usize) -> Result<(), RowsError> {
        if self.out.len() > limit && self.count > 1 { Err(RowsError::TooLarge { limit }) } else { Ok(()) }
    }

    fn finish(self) -> Rows {
        Rows { bytes: self.out, count: self.count }
    }

    /// Service, resource, and what `scope` writes after them.
    fn share(&mut self, resource: Attributes<'_>, scope: impl FnOnce(&mut Vec<u8>)) {
        self.shared.clear();
        service(&mut self.shared, resource);
        binary::map(&mut self.shared, resource, |_, _| {});
        scope(&mut self.shared);
        self.texts_of(resource);
    }

    fn share_log(&mut self, log: &Log<'_>) {
        self.shared.clear();
        let out = &mut self.shared;
        service(out, log.resource());
        binary::string(out, log.resource_schema_url().as_bytes());
        binary::map(out, log.resource(), |_, _| {});
        binary::string(out, log.scope_schema_url().as_bytes());
        binary::string(out, log.scope_name().as_bytes());
        binary::string(out, log.scope_version().as_bytes());
        binary::map(out, log.scope_attributes(), |_, _| {});
        self.texts_of(log.resource());
    }

    fn texts_of(&mut self, resource: Attributes<'_>) {
        self.of_resource.clear();
        for name in self.wanted.of_resource() {
            let mut text = Vec::new();
            if let Some(value) = resource.get(name) {
                value.write_text(&mut text);
            }
            self.of_resource.push(text);
        }
    }

    fn span(&mut self, span: &Span<'_>) {
        let out = &mut self.out;
        binary::time(out, span.start_time());
        binary::hex(out, &span.trace_id());
        binary::hex(out, &span.span_id());
        binary::id(out, span.parent_id().as_ref().map(|id| &id[..]));
        binary::string(out, span.trace_state().as_bytes());
        binary::string(out, span.name().as_bytes());
        binary::string(out, kind(span.kind()));
        out.extend_from_slice(&self.shared);
        let found = attributes(out, span.attributes(), self.wanted);
        out.extend_from_slice(&span.duration().unwrap_or(0).to_le_bytes());
        binary::string(out, status(span.status()));
        binary::string(out, span.status_message().as_bytes());
        let (of_events, of_links) = span.events_and_links();
        events(out, &of_events);
        links(out, &of_links);
        self.wanted.write(out, &found, &self.of_resource);
        self.count += 1;
    }

    fn log(&mut self, log: &Log<'_>) {
        let out = &mut self.out;
        let fields = log.fields();
        binary::time(out, if log.time() == 0 { fields.observed_time } else { log.time() });
        binary::id(out, log.trace_id().as_ref().map(|id| &id[..]));
        binary::id(out, log.span_id().as_ref().map(|id| &id[..]));
        out.push(fields.flags as u8);
        binary::string(out, fields.severity_text.as_bytes());
        out.push(u8::try_from(fields.severity_number).unwrap_or(0));
        binary::value(out, log.body());
        out.extend_from_slice(&self.shared);
        let found = attributes(out, log.attributes(), self.wanted);
        binary::string(out, fields.event_name.as_bytes());
        self.wanted.write(out, &found, &self.of_resource);
        self.count += 1;
    }
}

/// Writes a map of attributes, and gives those that columns are read from. Of a key that is there twice the first counts, as
/// it does for whoever reads the map.
fn attributes<'r>(out: &mut Vec<u8>, attributes: Attributes<'r>, wanted: &Wanted) -> Vec<Option<Value<'r>>> {
    let mut found = vec![None; wanted.slots];
    binary::map(out, attributes, |key, value| {
        if let Some(place) = wanted.slot(key).and_then(|slot| found.get_mut(slot)) {
            place.get_or_insert(value);
        }
    });
    found
}

fn service(out: &mut Vec<u8>, resource: Attributes<'_>) {
    match resource.get(SERVICE_NAME) {
        Some(name) => binary::value(out, name),
        None => out.push(0),
    }
}

/// A nested column is an array for each of its fields.
fn nested<T>(out: &mut Vec<u8>, items: &[T], write: impl Fn(&mut Vec<u8>, &T)) {
    binary::length(out, items.len());
    items.iter().for_each(|item| write(out, item));
}

fn events(out: &mut Vec<u8>, events: &[SpanEvent<'_>]) {
    nested(out, events, |out, event| binary::time(out, event.time()));
    nested(out, events, |out, event| binary::string(out, event.name().as_bytes()));
    nested(out, events, |out, event| binary::map(out, event.attributes(), |_, _| {}));
}

fn links(out: &mut Vec<u8>, links: &[SpanLink<'_>]) {
    nested(out, links, |out, link| binary::id(out, link.trace_id().as_ref().map(|id| &id[..])));
    nested(out, links, |out, link| binary::id(out, link.span_id().as_ref().map(|id| &id[..])));
    nested(out, links, |out, link| binary::string(out, link.trace_state().as_bytes()));
    nested(out, links, |out, link| binary::map(out, link.attributes(), |_, _| {}));
}

/// The words of the exporter.
const fn kind(kind: SpanKind) -> &'static [u8] {
    match kind {
        SpanKind::Unspecified => b"Unspecified",
        SpanKind::Internal => b"Internal",
        SpanKind::Server => b"Server",
        SpanKind::Client => b"Client",
        SpanKind::Producer => b"Producer",
        SpanKind::Consumer => b"Consumer",
    }
}

const fn status(status: StatusCode) -> &'static [u8] {
    match status {
        StatusCode::Unset => b"Unset",
        StatusCode::Ok => b"Ok",
        StatusCode::Error => b"Error",
    }
}
