//! Observations worth a counter, as the words of [`tollgate_call::Reading::notes`].

pub use tollgate_decoding::notes::{
    EXPANSION_LIMIT, TRUNCATED_ENCODING, UNDECODABLE_BODY, UNSUPPORTED_CONTENT_ENCODING, WINDOW_LIMIT,
};

/// A count that is negative, fractional or above 2^53 was left out.
pub const MALFORMED_USAGE: &str = "malformed_usage";
/// The provider's own total is not the sum of input and output.
pub const TOTAL_DISAGREES: &str = "provider_total_disagrees";
/// More usage fields, or longer names of them, than are kept.
pub const USAGE_FIELDS_LIMIT: &str = "usage_fields_limit";
/// More choices than finish reasons are kept of.
pub const FINISH_REASONS_LIMIT: &str = "finish_reasons_limit";
/// A name (model, id, reason) was longer than is kept.
pub const NAME_TRUNCATED: &str = "name_truncated";
/// More tools or stop sequences than are kept.
pub const NAMES_LIMIT: &str = "names_limit";
/// More values of a request, or more choices or parts of an answer, than are captured as content.
pub const CONTENT_PARTS_LIMIT: &str = "content_parts_limit";
/// The request is not the JSON it should be.
pub const MALFORMED_REQUEST: &str = "malformed_request";
/// The answer, or an event of it, is not the JSON it should be.
pub const MALFORMED_RESPONSE: &str = "malformed_response";
/// The answer came to its end without the event that ends a stream of its API.
pub const UNTERMINATED_STREAM: &str = "unterminated_stream";
/// A message of an event stream is damaged: a checksum or a length is wrong, and what follows was not read.
pub const DAMAGED_EVENT_STREAM: &str = "damaged_event_stream";
/// A known provider, but a path that is none of its APIs.
pub const UNSUPPORTED_API: &str = "unsupported_api";

/// Every note, for whoever defines counters ahead.
pub const ALL: &[&str] = &[
    MALFORMED_USAGE,
    TOTAL_DISAGREES,
    USAGE_FIELDS_LIMIT,
    FINISH_REASONS_LIMIT,
    NAME_TRUNCATED,
    NAMES_LIMIT,
    CONTENT_PARTS_LIMIT,
    MALFORMED_REQUEST,
    MALFORMED_RESPONSE,
    UNTERMINATED_STREAM,
    DAMAGED_EVENT_STREAM,
    UNSUPPORTED_CONTENT_ENCODING,
    UNDECODABLE_BODY,
    TRUNCATED_ENCODING,
    EXPANSION_LIMIT,
    WINDOW_LIMIT,
    UNSUPPORTED_API,
];

/// The notes of one exchange, each once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notes(Vec<&'static str>);

impl Notes {
    pub(crate) fn add(&mut self, note: &'static str) {
        if let Err(at) = self.0.binary_search(&note) {
            self.0.insert(at, note);
        }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        other.0.into_iter().for_each(|note| self.add(note));
    }

    pub(crate) fn into_sorted(self) -> Vec<&'static str> {
        self.0
    }
}
