//! The columns of a row in their order.

use crate::binary;
use crate::column::Column;

/// Columns of the exporter's table of spans.
///
/// Source: the OpenTelemetry Collector's ClickHouse exporter, `traces_table.sql`.
pub(crate) const SPANS: &[&str] = &[
    "Timestamp",
    "TraceId",
    "SpanId",
    "ParentSpanId",
    "TraceState",
    "SpanName",
    "SpanKind",
    "ServiceName",
    "ResourceAttributes",
    "ScopeName",
    "ScopeVersion",
    "SpanAttributes",
    "Duration",
    "StatusCode",
    "StatusMessage",
    "Events.Timestamp",
    "Events.Name",
    "Events.Attributes",
    "Links.TraceId",
    "Links.SpanId",
    "Links.TraceState",
    "Links.Attributes",
];

/// Columns of the exporter's table of log records.
///
/// Source: the same exporter, `logs_table.sql`.
pub(crate) const LOGS: &[&str] = &[
    "Timestamp",
    "TraceId",
    "SpanId",
    "TraceFlags",
    "SeverityText",
    "SeverityNumber",
    "Body",
    "ServiceName",
    "ResourceSchemaUrl",
    "ResourceAttributes",
    "ScopeSchemaUrl",
    "ScopeName",
    "ScopeVersion",
    "ScopeAttributes",
    "LogAttributes",
    "EventName",
];

/// What `RowBinaryWithNames` begins with.
pub(crate) fn header(base: &[&str], more: &[Column]) -> Vec<u8> {
    let mut out = Vec::with_capacity(2048);
    binary::length(&mut out, base.len() + more.len());
    for name in base.iter().copied().chain(more.iter().map(|column| column.name)) {
        binary::string(&mut out, name.as_bytes());
    }
    out
}
