//! What a collector got, decoded by the published protocol.
#![allow(dead_code, clippy::unwrap_used, reason = "support of several tests, and one that fails says where")]

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use tollgate_e2e::{Answer, Request, Upstream};

pub(crate) const REQUEST: &[u8] =
    br#"{"model":"gpt-4o","messages":[{"role":"user","content":"I am jane@example.com"}]}"#;
pub(crate) const ANSWER: &str = r#"{"id":"chatcmpl-1","object":"chat.completion","model":"gpt-4o-2024-08-06","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1000,"completion_tokens":200,"total_tokens":1200,"prompt_tokens_details":{"cached_tokens":400}}}"#;
pub(crate) const PATH: &str = "/v1/chat/completions";
pub(crate) const PARENT: &[u8] = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// A provider that answers every request the same.
pub(crate) fn provider() -> Upstream {
    Upstream::start(|_| Answer::json(ANSWER))
}

/// Every span of the requests with spans that a collector got; each must decode.
pub(crate) fn spans(requests: &[Request]) -> Vec<Span> {
    traces(requests)
        .into_iter()
        .flat_map(|request| request.resource_spans)
        .flat_map(|resource| resource.scope_spans)
        .flat_map(|scope| scope.spans)
        .collect()
}

/// The attributes of the resource that sent the first span.
pub(crate) fn resource(requests: &[Request]) -> Vec<(String, String)> {
    let attributes = traces(requests).swap_remove(0).resource_spans.swap_remove(0).resource.unwrap().attributes;
    let text = |pair: KeyValue| match pair.value.and_then(|value| value.value) {
        Some(Value::StringValue(text)) => (pair.key, text),
        other => (pair.key, format!("{other:?}")),
    };
    attributes.into_iter().map(text).collect()
}

fn traces(requests: &[Request]) -> Vec<ExportTraceServiceRequest> {
    let traces = requests.iter().filter(|request| request.path == "/v1/traces");
    traces.map(|request| ExportTraceServiceRequest::decode(request.body.as_slice()).unwrap()).collect()
}

/// Every log record of the requests to this path; each must decode.
pub(crate) fn logs(requests: &[Request], path: &str) -> Vec<LogRecord> {
    requests
        .iter()
        .filter(|request| request.path == path)
        .flat_map(|request| ExportLogsServiceRequest::decode(request.body.as_slice()).unwrap().resource_logs)
        .flat_map(|resource| resource.scope_logs)
        .flat_map(|scope| scope.log_records)
        .collect()
}

/// Value of an attribute.
pub(crate) fn attribute(attributes: &[KeyValue], name: &str) -> Option<Value> {
    attributes.iter().find(|pair| pair.key == name)?.value.clone()?.value
}

/// A text as a value.
pub(crate) fn text(value: &str) -> Option<Value> {
    Some(Value::StringValue(value.to_owned()))
}
