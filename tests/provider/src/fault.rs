//! Errors in the shapes of the two providers.
//!
//! OpenAI wraps `{"message", "type", "param", "code"}` in `error`; Anthropic sends
//! `{"type": "error", "error": {"type", "message"}, "request_id"}` (their error references). Inside a stream OpenAI's
//! Responses API sends an `error` event with the fields at the top level, its chat API a data line with `error`, and
//! Anthropic an `error` event with the same object as the body.

use axum::http::StatusCode;
use serde_json::{Value, json};

/// Why a call is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Too many requests: 429 of both providers.
    RateLimited,
    /// A defect of the provider: 500.
    Internal,
    /// No capacity: 503 of OpenAI, 529 of Anthropic.
    Overloaded,
    /// The request is not what the API takes: 400, with the reason.
    BadRequest(String),
    /// The request body is over the limit: 413.
    TooLarge,
    /// No such path: 404.
    NotFound,
}

/// Whose error shape to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Vendor {
    OpenAi,
    Anthropic,
}

impl Vendor {
    /// The provider's name in the ledger.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Anthropic => "anthropic",
        }
    }
}

impl Fault {
    pub(crate) fn status(&self, vendor: Vendor) -> StatusCode {
        match (self, vendor) {
            (Self::RateLimited, _) => StatusCode::TOO_MANY_REQUESTS,
            (Self::Internal, _) => StatusCode::INTERNAL_SERVER_ERROR,
            (Self::Overloaded, Vendor::OpenAi) => StatusCode::SERVICE_UNAVAILABLE,
            // Anthropic's own code, which the registry of HTTP statuses does not know.
            (Self::Overloaded, Vendor::Anthropic) => {
                StatusCode::from_u16(529).unwrap_or(StatusCode::SERVICE_UNAVAILABLE)
            }
            (Self::BadRequest(_), _) => StatusCode::BAD_REQUEST,
            (Self::TooLarge, _) => StatusCode::PAYLOAD_TOO_LARGE,
            (Self::NotFound, _) => StatusCode::NOT_FOUND,
        }
    }

    /// The native error type of the vendor.
    pub(crate) fn kind(&self, vendor: Vendor) -> &'static str {
        match (vendor, self) {
            (Vendor::OpenAi, Self::RateLimited) => "requests",
            (Vendor::OpenAi, Self::Internal) => "server_error",
            (Vendor::OpenAi, Self::Overloaded) => "service_unavailable_error",
            (Vendor::OpenAi, _) => "invalid_request_error",
            (Vendor::Anthropic, Self::RateLimited) => "rate_limit_error",
            (Vendor::Anthropic, Self::Internal) => "api_error",
            (Vendor::Anthropic, Self::Overloaded) => "overloaded_error",
            (Vendor::Anthropic, Self::BadRequest(_)) => "invalid_request_error",
            (Vendor::Anthropic, Self::TooLarge) => "request_too_large",
            (Vendor::Anthropic, Self::NotFound) => "not_found_error",
        }
    }

    fn code(&self) -> Value {
        match self {
            Self::RateLimited => json!("rate_limit_exceeded"),
            Self::Internal => json!("server_error"),
            Self::Overloaded => json!("overloaded"),
            Self::BadRequest(_) | Self::TooLarge | Self::NotFound => Value::Null,
        }
    }

    fn message(&self) -> &str {
        match self {
            Self::RateLimited => "Simulated: the rate limit of this model is reached.",
            Self::Internal => "Simulated: the server had an error.",
            Self::Overloaded => "Simulated: the service is overloaded.",
            Self::BadRequest(reason) => reason,
            Self::TooLarge => "The request is larger than this server takes.",
            Self::NotFound => "There is no such path here.",
        }
    }

    /// The body of an error answer.
    pub(crate) fn body(&self, vendor: Vendor, request_id: &str) -> Value {
        match vendor {
            Vendor::OpenAi => json!({"error": {
                "message": self.message(), "type": self.kind(vendor), "param": null, "code": self.code(),
            }}),
            Vendor::Anthropic => json!({
                "type": "error",
                "error": {"type": self.kind(vendor), "message": self.message()},
                "request_id": request_id,
            }),
        }
    }

    /// The fields of the Responses API's `error` event, without its type and number.
    pub(crate) fn responses_event(&self) -> Value {
        json!({"code": self.code(), "message": self.message(), "param": null})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_and_types_are_those_of_the_references() {
        let bad = Fault::BadRequest("no model".into());
        for (fault, vendor, status, kind) in [
            (&Fault::RateLimited, Vendor::OpenAi, 429, "requests"),
            (&Fault::Internal, Vendor::OpenAi, 500, "server_error"),
            (&Fault::Overloaded, Vendor::OpenAi, 503, "service_unavailable_error"),
            (&bad, Vendor::OpenAi, 400, "invalid_request_error"),
            (&Fault::NotFound, Vendor::OpenAi, 404, "invalid_request_error"),
            (&Fault::RateLimited, Vendor::Anthropic, 429, "rate_limit_error"),
            (&Fault::Internal, Vendor::Anthropic, 500, "api_error"),
            (&Fault::Overloaded, Vendor::Anthropic, 529, "overloaded_error"),
            (&bad, Vendor::Anthropic, 400, "invalid_request_error"),
            (&Fault::TooLarge, Vendor::Anthropic, 413, "request_too_large"),
            (&Fault::NotFound, Vendor::Anthropic, 404, "not_found_error"),
        ] {
            assert_eq!(fault.status(vendor).as_u16(), status, "{fault:?} {vendor:?}");
            assert_eq!(fault.kind(vendor), kind, "{fault:?} {vendor:?}");
            let body = fault.body(vendor, "req_1");
            assert_eq!(body["error"]["type"], kind);
            assert_eq!(body["type"] == "error", vendor == Vendor::Anthropic);
        }
    }
}
