//! OTLP/JSON to protobuf. The stages read protobuf only.

use super::{Refusal, Signal};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
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

/// Bytes that the objects of a text in JSON may need while they are read: `{}` is two bytes of text and a whole span in
/// memory.
pub(super) fn memory(json: &[u8]) -> usize {
    objects(json).saturating_mul(size_of::<Span>())
}

/// How many objects a text in JSON has: braces outside of strings.
fn objects(json: &[u8]) -> usize {
    let (mut objects, mut in_string) = (0, false);
    let mut bytes = json.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => in_string = !in_string,
            b'\\' if in_string => {
                bytes.next();
            }
            b'{' if !in_string => objects += 1,
            _ => {}
        }
    }
    objects
}

#[cfg(test)]
mod tests {
    use super::objects;

    #[test]
    fn objects_are_counted_outside_of_strings() {
        for (json, count) in
            [("", 0), ("{}", 1), (r#"[{"a":{}},{}]"#, 3), (r#"{"a":"{{{","b":"\"{","c":"\\"}"#, 1), (r#""{"#, 0)]
        {
            assert_eq!(objects(json.as_bytes()), count, "{json}");
        }
    }
}
