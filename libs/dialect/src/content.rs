//! What was said in calls, as log records, for backends that keep text apart from traces.
//!
//! A record is the event of the GenAI conventions, `gen_ai.client.inference.operation.details`, of severity DEBUG. What was
//! said stands in its body, a map of the attributes that hold it, because stores of logs take long bodies and short
//! attributes: Loki has 64 KiB for all structured metadata of a record. What else is known of the call, and how many
//! findings redaction took out of it by type, are its attributes.

use tollgate_otlp::{LogWriter, RequestWriter, ScanError, Severity, Span, TraceRequest, Value};
use tollgate_semconv::{attribute as a, event};

/// Attributes that hold what was said.
const SAID: [&str; 4] =
    [a::GEN_AI_SYSTEM_INSTRUCTIONS, a::GEN_AI_INPUT_MESSAGES, a::GEN_AI_OUTPUT_MESSAGES, a::GEN_AI_TOOL_DEFINITIONS];

/// Attributes that say which call it was.
const KNOWN: [&str; 12] = [
    a::GEN_AI_OPERATION_NAME,
    a::GEN_AI_PROVIDER_NAME,
    a::GEN_AI_REQUEST_MODEL,
    a::GEN_AI_RESPONSE_MODEL,
    a::GEN_AI_RESPONSE_ID,
    a::GEN_AI_RESPONSE_FINISH_REASONS,
    a::GEN_AI_CONVERSATION_ID,
    a::GEN_AI_USAGE_INPUT_TOKENS,
    a::GEN_AI_USAGE_OUTPUT_TOKENS,
    a::USER_ID,
    a::ERROR_TYPE,
    a::TOLLGATE_COST_NANO_USD,
];

/// Log records of spans.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// An encoded `ExportLogsServiceRequest`; empty where there is no record.
    pub bytes: Vec<u8>,
    /// How many log records it has.
    pub records: u64,
    /// How many spans have none.
    pub without: u64,
}

/// A log record for each span of an encoded `ExportTraceServiceRequest` that has content or findings.
///
/// # Errors
/// The bytes are no request.
pub fn content(request: &[u8]) -> Result<Content, ScanError> {
    let request = TraceRequest::rescan(request)?;
    let mut writer = RequestWriter::new();
    let (mut records, mut without) = (0, 0);
    for span in request.spans() {
        match record(&span) {
            Some(record) => {
                writer.push(&span.envelope(), record.bytes());
                records += 1;
            }
            None => without += 1,
        }
    }
    Ok(Content { bytes: if records == 0 { Vec::new() } else { writer.finish() }, records, without })
}

fn record(span: &Span<'_>) -> Option<LogWriter> {
    let is_said = |name: &str| SAID.contains(&name);
    let is_finding = |name: &str| name.starts_with(a::TOLLGATE_REDACTION_PREFIX);
    let present = |(name, value): &(&str, Value<'_>)| *value != Value::Empty && (is_said(name) || is_finding(name));
    if !span.attributes().any(|attribute| present(&attribute)) {
        return None;
    }
    let time = if span.end_time() == 0 { span.start_time() } else { span.end_time() };
    let mut record = LogWriter::event(event::GEN_AI_CLIENT_INFERENCE_OPERATION_DETAILS, time, Severity::Debug);
    record.within(span.trace_id(), span.span_id(), u8::try_from(span.flags() & 0xff).unwrap_or(0));
    if SAID.iter().any(|name| span.attributes().get(name).is_some()) {
        record.body(|body| {
            for name in SAID {
                match span.attributes().get(name) {
                    // Messages are structured, or JSON in a text; where they are neither they stay as they are.
                    Some(Value::Text(text)) if body.set_json(name, text).is_err() => {
                        body.set(name, text);
                    }
                    Some(Value::Text(_)) | None => {}
                    Some(value) => {
                        body.set(name, value);
                    }
                }
            }
        });
    }
    let mut attributes = record.attributes();
    for name in KNOWN {
        if let Some(value) = span.attributes().get(name) {
            attributes.set(name, value);
        }
    }
    let mut findings: Vec<&str> = Vec::new();
    for (name, value) in span.attributes() {
        if is_finding(name) && value != Value::Empty && !findings.contains(&name) {
            findings.push(name);
            attributes.set(name, value);
        }
    }
    Some(record)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tollgate_otlp::{Envelope, Limits, LogsRequest, SpanWriter};

    fn request(spans: &[SpanWriter]) -> Vec<u8> {
        let mut writer = RequestWriter::new();
        let envelope = Envelope::new(&[("service.name", "shop".into())], "test", "1");
        spans.iter().for_each(|span| writer.push(&envelope, span.bytes()));
        writer.finish()
    }

    #[test]
    fn what_was_said_is_the_body_and_what_is_known_are_attributes() {
        let mut said = SpanWriter::new([1; 16], [2; 8], "chat m");
        said.times(5, 9).set("gen_ai.operation.name", "chat").set("tollgate.redaction.EMAIL_ADDRESS", 2_i64);
        said.set("gen_ai.input.messages", r#"[{"role":"user"}]"#).set("gen_ai.system_instructions", "Be [brief");
        said.set_json("gen_ai.output.messages", r#"[{"role":"assistant"}]"#).unwrap().set("http.url", "x");
        let mut found = SpanWriter::new([1; 16], [3; 8], "tool");
        found.set("tollgate.redaction.count", 1_i64);
        let mut neither = SpanWriter::new([1; 16], [4; 8], "GET");
        neither.set("gen_ai.operation.name", "chat");

        let content = content(&request(&[said, found, neither])).unwrap();
        assert_eq!((content.records, content.without), (2, 1));
        let logs = LogsRequest::scan(&content.bytes, &Limits::default()).unwrap();
        let first = logs.log(0).unwrap();
        assert_eq!((first.trace_id(), first.span_id(), first.time()), (Some([1; 16]), Some([2; 8]), 9));
        assert_eq!(first.event_name(), "gen_ai.client.inference.operation.details");
        assert_eq!(first.resource().get("service.name").and_then(Value::as_text), Some("shop"));
        let Value::Map(body) = first.body() else { panic!("{:?}", first.body()) };
        assert_eq!(
            body.to_json(),
            r#"{"gen_ai.system_instructions":"Be [brief","gen_ai.input.messages":[{"role":"user"}],"gen_ai.output.messages":[{"role":"assistant"}]}"#
        );
        assert_eq!(
            first.attributes().to_json(),
            r#"{"gen_ai.operation.name":"chat","tollgate.redaction.EMAIL_ADDRESS":2}"#
        );
        let second = logs.log(1).unwrap();
        assert_eq!((second.body(), second.span_id()), (Value::Empty, Some([3; 8])));
    }

    #[test]
    fn spans_without_content_make_no_request() {
        let content = content(&request(&[SpanWriter::new([1; 16], [2; 8], "GET")])).unwrap();
        assert_eq!(content, Content { bytes: Vec::new(), records: 0, without: 1 });
    }
}
