//! What OTLP calls things, by signal.

use crate::receivers::Signal;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use serde::Serialize;
use tollgate_otlp::Items;
use tonic::codegen::http::uri::PathAndQuery;

/// What a request of this signal is counted by.
pub(crate) const fn items(signal: Signal) -> Items {
    match signal {
        Signal::Traces => Items::Spans,
        Signal::Logs => Items::LogRecords,
        Signal::Metrics => Items::DataPoints,
    }
}

/// The method of OTLP/gRPC that takes it.
pub(super) fn method(items: Items) -> PathAndQuery {
    PathAndQuery::from_static(match items {
        Items::Spans => "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
        Items::LogRecords => "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
        Items::DataPoints => "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
    })
}

/// The name of the count of what was turned away, in OTLP/JSON.
pub(super) const fn rejected_field(items: Items) -> &'static str {
    match items {
        Items::Spans => "rejectedSpans",
        Items::LogRecords => "rejectedLogRecords",
        Items::DataPoints => "rejectedDataPoints",
    }
}

/// A request in protobuf as OTLP/JSON.
///
/// # Errors
/// The bytes are no request.
pub(crate) fn json(items: Items, protobuf: &[u8]) -> Result<Vec<u8>, String> {
    match items {
        Items::Spans => transcode::<ExportTraceServiceRequest>(protobuf),
        Items::LogRecords => transcode::<ExportLogsServiceRequest>(protobuf),
        Items::DataPoints => transcode::<ExportMetricsServiceRequest>(protobuf),
    }
}

fn transcode<M: Message + Default + Serialize>(protobuf: &[u8]) -> Result<Vec<u8>, String> {
    let request = M::decode(protobuf).map_err(|error| format!("the request cannot be decoded: {error}"))?;
    serde_json::to_vec(&request).map_err(|error| format!("the request is not JSON: {error}"))
}
