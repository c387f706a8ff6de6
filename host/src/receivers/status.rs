//! Refusals as the statuses that the OTLP specification names.
//!
//! | refusal | HTTP | gRPC | sender |
//! |---|---|---|---|
//! | invalid | 400 | `INVALID_ARGUMENT` | does not send again |
//! | too large | 413 | `RESOURCE_EXHAUSTED` without `RetryInfo` | does not send again |
//! | overloaded | 429 and `Retry-After` | `RESOURCE_EXHAUSTED` with `RetryInfo` | sends again |
//! | unavailable | 503 and `Retry-After` | `UNAVAILABLE` with `RetryInfo` | sends again |
//!
//! Source: OTLP specification 1.x, sections "OTLP/gRPC Response" and "OTLP/HTTP Response". A bare
//! `RESOURCE_EXHAUSTED` is final there, so `RetryInfo` decides whether data is lost.

use super::{Accepted, Refusal, Signal};
use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsPartialSuccess, ExportLogsServiceResponse};
use opentelemetry_proto::tonic::collector::metrics::v1::{ExportMetricsPartialSuccess, ExportMetricsServiceResponse};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTracePartialSuccess, ExportTraceServiceResponse};
use prost::Message;
use std::time::Duration;

/// `google.rpc.Status`.
#[derive(Clone, PartialEq, Message)]
pub struct RpcStatus {
    /// A gRPC status code.
    #[prost(int32, tag = "1")]
    pub code: i32,
    /// What went wrong, for a developer.
    #[prost(string, tag = "2")]
    pub message: String,
    /// Details, such as a packed [`RetryInfo`].
    #[prost(message, repeated, tag = "3")]
    pub details: Vec<Any>,
}

/// `google.protobuf.Any`.
#[derive(Clone, PartialEq, Message)]
pub struct Any {
    /// Names the type of the value.
    #[prost(string, tag = "1")]
    pub type_url: String,
    /// The encoded value.
    #[prost(bytes = "vec", tag = "2")]
    pub value: Vec<u8>,
}

/// `google.rpc.RetryInfo`.
#[derive(Clone, PartialEq, Message)]
pub struct RetryInfo {
    /// How long to wait.
    #[prost(message, optional, tag = "1")]
    pub retry_delay: Option<RetryDelay>,
}

/// `google.protobuf.Duration`.
#[derive(Clone, PartialEq, Message)]
pub struct RetryDelay {
    /// Whole seconds.
    #[prost(int64, tag = "1")]
    pub seconds: i64,
    /// The rest, in nanoseconds.
    #[prost(int32, tag = "2")]
    pub nanos: i32,
}

const RETRY_INFO: &str = "type.googleapis.com/google.rpc.RetryInfo";

impl Refusal {
    /// The status of OTLP over HTTP.
    #[must_use]
    pub const fn http_status(&self) -> u16 {
        match self {
            Self::Invalid(_) => 400,
            Self::TooLarge { .. } => 413,
            Self::Overloaded { .. } => 429,
            Self::Unavailable { .. } => 503,
        }
    }

    /// The status of OTLP over gRPC.
    #[must_use]
    pub const fn grpc_code(&self) -> tonic::Code {
        match self {
            Self::Invalid(_) => tonic::Code::InvalidArgument,
            Self::TooLarge { .. } | Self::Overloaded { .. } => tonic::Code::ResourceExhausted,
            Self::Unavailable { .. } => tonic::Code::Unavailable,
        }
    }

    /// How long a sender is asked to wait; `None` where sending again is of no use.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Overloaded { retry_after, .. } | Self::Unavailable { retry_after, .. } => Some(*retry_after),
            Self::Invalid(_) | Self::TooLarge { .. } => None,
        }
    }

    /// The word used in metrics.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "invalid",
            Self::TooLarge { .. } => "too_large",
            Self::Overloaded { .. } => "overloaded",
            Self::Unavailable { .. } => "unavailable",
        }
    }

    /// The refusal as `google.rpc.Status`: the body of OTLP over HTTP, the details of OTLP over gRPC.
    #[must_use]
    pub fn rpc_status(&self) -> RpcStatus {
        let details = self.retry_after().map(|wait| Any {
            type_url: RETRY_INFO.to_owned(),
            value: RetryInfo {
                retry_delay: Some(RetryDelay {
                    seconds: i64::try_from(wait.as_secs()).unwrap_or(i64::MAX),
                    nanos: i32::try_from(wait.subsec_nanos()).unwrap_or(0),
                }),
            }
            .encode_to_vec(),
        });
        RpcStatus {
            code: i32::from(self.grpc_code()),
            message: self.to_string(),
            details: details.into_iter().collect(),
        }
    }

    /// The refusal as `google.rpc.Status` in JSON.
    #[must_use]
    pub fn rpc_status_json(&self) -> Vec<u8> {
        let mut status = serde_json::json!({ "code": i32::from(self.grpc_code()), "message": self.to_string() });
        if let (Some(wait), Some(object)) = (self.retry_after(), status.as_object_mut()) {
            let delay = format!("{}s", wait.as_secs_f64());
            object.insert("details".to_owned(), serde_json::json!([{ "@type": RETRY_INFO, "retryDelay": delay }]));
        }
        status.to_string().into_bytes()
    }
}

impl From<&Refusal> for tonic::Status {
    fn from(refusal: &Refusal) -> Self {
        let status = refusal.rpc_status();
        tonic::Status::with_details(refusal.grpc_code(), refusal.to_string(), status.encode_to_vec().into())
    }
}

/// The answer to an accepted request, in protobuf. Empty where everything was accepted.
#[must_use]
pub fn response_protobuf(signal: Signal, accepted: &Accepted) -> Vec<u8> {
    let partial = accepted.rejected > 0;
    let rejected = i64::try_from(accepted.rejected).unwrap_or(i64::MAX);
    let error_message = accepted.message.clone();
    match signal {
        Signal::Traces => {
            let partial_success =
                partial.then_some(ExportTracePartialSuccess { rejected_spans: rejected, error_message });
            ExportTraceServiceResponse { partial_success }.encode_to_vec()
        }
        Signal::Logs => {
            let partial_success =
                partial.then_some(ExportLogsPartialSuccess { rejected_log_records: rejected, error_message });
            ExportLogsServiceResponse { partial_success }.encode_to_vec()
        }
        Signal::Metrics => {
            let partial_success =
                partial.then_some(ExportMetricsPartialSuccess { rejected_data_points: rejected, error_message });
            ExportMetricsServiceResponse { partial_success }.encode_to_vec()
        }
    }
}

/// The answer to an accepted request, in JSON; 64-bit numbers are text there.
#[must_use]
pub fn response_json(signal: Signal, accepted: &Accepted) -> Vec<u8> {
    if accepted.rejected == 0 {
        return b"{}".to_vec();
    }
    let rejected = match signal {
        Signal::Traces => "rejectedSpans",
        Signal::Logs => "rejectedLogRecords",
        Signal::Metrics => "rejectedDataPoints",
    };
    let body = serde_json::json!({
        "partialSuccess": { rejected: accepted.rejected.to_string(), "errorMessage": accepted.message },
    });
    body.to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_has_the_status_that_the_specification_names() {
        let wait = Duration::from_millis(1500);
        let cases = [
            (Refusal::Invalid("bad".to_owned()), 400, tonic::Code::InvalidArgument, false),
            (Refusal::TooLarge { limit: 9 }, 413, tonic::Code::ResourceExhausted, false),
            (Refusal::Overloaded { what: "full", retry_after: wait }, 429, tonic::Code::ResourceExhausted, true),
            (Refusal::Unavailable { what: "off".into(), retry_after: wait }, 503, tonic::Code::Unavailable, true),
        ];
        for (refusal, http, grpc, again) in cases {
            assert_eq!(refusal.http_status(), http);
            assert_eq!(refusal.grpc_code(), grpc);
            let status = RpcStatus::decode(tonic::Status::from(&refusal).details()).unwrap();
            assert_eq!(status.code, i32::from(grpc));
            let info = status.details.first().map(|any| RetryInfo::decode(any.value.as_slice()).unwrap());
            assert_eq!(info.is_some(), again, "{refusal}");
            if let Some(delay) = info.and_then(|info| info.retry_delay) {
                assert_eq!((delay.seconds, delay.nanos), (1, 500_000_000));
            }
            let json: serde_json::Value = serde_json::from_slice(&refusal.rpc_status_json()).unwrap();
            assert_eq!(json["code"], i32::from(grpc));
            assert_eq!(json["details"][0]["retryDelay"].as_str(), again.then_some("1.5s"));
        }
    }

    #[test]
    fn partial_success_is_said_in_the_encoding_of_the_request() {
        let accepted = Accepted { rejected: 2, message: "no trace id".to_owned() };
        let response =
            ExportTraceServiceResponse::decode(response_protobuf(Signal::Traces, &accepted).as_slice()).unwrap();
        assert_eq!(response.partial_success.unwrap().rejected_spans, 2);
        let json = String::from_utf8(response_json(Signal::Logs, &accepted)).unwrap();
        assert_eq!(json, r#"{"partialSuccess":{"errorMessage":"no trace id","rejectedLogRecords":"2"}}"#);
        assert!(response_protobuf(Signal::Logs, &Accepted::default()).is_empty());
        assert_eq!(response_json(Signal::Traces, &Accepted::default()), b"{}");
    }
}
