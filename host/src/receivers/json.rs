//! OTLP/JSON to protobuf. The stages read protobuf only.

use super::{Refusal, Signal};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use serde::de::DeserializeOwned;

/// Reads a request in OTLP/JSON and encodes it as protobuf.
///
/// # Errors
/// The text is not JSON, or not such a request.
pub fn to_protobuf(signal: Signal, json: &[u8]) -> Result<Vec<u8>, Refusal> {
    match signal {
        Signal::Traces => convert::<ExportTraceServiceRequest>(json),
        Signal::Logs => convert::<ExportLogsServiceRequest>(json),
        Signal::Metrics => convert::<ExportMetricsServiceRequest>(json),
    }
}

fn convert<M: Message + DeserializeOwned>(json: &[u8]) -> Result<Vec<u8>, Refusal> {
    let request: M = serde_json::from_slice(json)
        .map_err(|error| Refusal::Invalid(format!("the body is not OTLP/JSON: {error}")))?;
    Ok(request.encode_to_vec())
}
