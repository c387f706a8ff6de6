//! OTLP/JSON to protobuf. The stages read protobuf only.

use super::Refusal;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use serde::de::DeserializeOwned;

/// Reads an `ExportTraceServiceRequest` in OTLP/JSON and encodes it as protobuf.
///
/// # Errors
/// The text is not JSON, or not such a request.
pub fn traces_to_protobuf(json: &[u8]) -> Result<Vec<u8>, Refusal> {
    convert::<ExportTraceServiceRequest>(json)
}

/// Reads an `ExportLogsServiceRequest` in OTLP/JSON and encodes it as protobuf.
///
/// # Errors
/// The text is not JSON, or not such a request.
pub fn logs_to_protobuf(json: &[u8]) -> Result<Vec<u8>, Refusal> {
    convert::<ExportLogsServiceRequest>(json)
}

fn convert<M: Message + DeserializeOwned>(json: &[u8]) -> Result<Vec<u8>, Refusal> {
    let request: M = serde_json::from_slice(json)
        .map_err(|error| Refusal::Invalid(format!("the body is not OTLP/JSON: {error}")))?;
    Ok(request.encode_to_vec())
}
