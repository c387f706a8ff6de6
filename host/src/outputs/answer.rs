//! What receivers answer: how many items they turned away, why, and how long they want to be left alone.

use crate::receivers::status::{RetryInfo, RpcStatus};
use prost::Message;
use std::time::{Duration, SystemTime};
use tollgate_otlp::Items;

/// Most characters of a receiver's words that are logged.
const WORDS: usize = 300;

/// How many items a successful answer in protobuf turned away. One that is not readable turned nothing away.
///
/// `partial_success` of all signals has the count in field 1 and the message in field 2.
pub(super) fn rejected_protobuf(answer: &[u8]) -> u64 {
    let partial = AnyResponse::decode(answer).ok().and_then(|answer| answer.partial_success).unwrap_or_default();
    let rejected = u64::try_from(partial.rejected).unwrap_or(0);
    tell(rejected, &partial.error_message);
    rejected
}

/// As [`rejected_protobuf`], of an answer in OTLP/JSON. 64-bit numbers are text there, and numbers by mistake.
pub(super) fn rejected_json(items: Items, answer: &[u8]) -> u64 {
    let answer: serde_json::Value = serde_json::from_slice(answer).unwrap_or_default();
    let partial = answer.get("partialSuccess");
    let count = partial.and_then(|partial| partial.get(super::wire::rejected_field(items)));
    let rejected = count.and_then(|count| count.as_u64().or_else(|| count.as_str()?.parse().ok())).unwrap_or(0);
    let words = partial.and_then(|partial| partial.get("errorMessage")?.as_str()).unwrap_or_default();
    tell(rejected, words);
    rejected
}

/// A receiver may have something to say although it has taken everything.
fn tell(rejected: u64, words: &str) {
    if rejected > 0 || !words.is_empty() {
        tracing::warn!(rejected, words = short(words), "partial success");
    }
}

/// `Export*ServiceResponse`, whose fields have the same numbers for all signals.
#[derive(Clone, PartialEq, Message)]
struct AnyResponse {
    #[prost(message, optional, tag = "1")]
    partial_success: Option<AnyPartialSuccess>,
}

#[derive(Clone, PartialEq, Message)]
struct AnyPartialSuccess {
    #[prost(int64, tag = "1")]
    rejected: i64,
    #[prost(string, tag = "2")]
    error_message: String,
}

/// What an error says in words: `google.rpc.Status` in protobuf, or text.
pub(super) fn words(content_type: &str, body: &[u8]) -> String {
    let protobuf = content_type.starts_with("application/x-protobuf");
    let status = RpcStatus::decode(body).ok().filter(|_| protobuf);
    let text = status.map_or_else(|| String::from_utf8_lossy(body).into_owned(), |status| status.message);
    short(&text)
}

/// The beginning of a text, without what would break a line of a log.
pub(super) fn short(text: &str) -> String {
    text.trim().chars().take(WORDS).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// The wait that `RetryInfo` in the details of a gRPC status asks for; nothing where there is none.
pub(super) fn retry_info(details: &[u8]) -> Option<Duration> {
    let status = RpcStatus::decode(details).ok()?;
    let info = status.details.iter().find(|any| any.type_url.ends_with("/google.rpc.RetryInfo"))?;
    let delay = RetryInfo::decode(info.value.as_slice()).ok()?.retry_delay.unwrap_or_default();
    let nanos = u32::try_from(delay.nanos).unwrap_or(0).min(999_999_999);
    Some(Duration::new(u64::try_from(delay.seconds).unwrap_or(0), nanos))
}

/// The wait that `Retry-After` asks for: seconds, or a date of HTTP (RFC 9110, 10.2.3). A date that has passed is none.
pub(super) fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    httpdate::parse_http_date(value).ok()?.duration_since(now).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::receivers::status::{Any, RetryDelay};

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        for (value, seconds) in [
            ("120", Some(120)),
            (" 7 ", Some(7)),
            ("0", Some(0)),
            ("Sun, 06 Nov 1994 08:49:42 GMT", Some(5)),
            ("Sunday, 06-Nov-94 08:49:42 GMT", Some(5)),
            ("Sun Nov  6 08:49:42 1994", Some(5)),
            ("Sun, 06 Nov 1994 08:49:30 GMT", None),
            ("-1", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(retry_after(value, now), seconds.map(Duration::from_secs), "{value:?}");
        }
    }

    #[test]
    fn retry_info_is_found_among_details() {
        let other = Any { type_url: "type.googleapis.com/google.rpc.DebugInfo".to_owned(), value: vec![1, 2] };
        let info = |delay: Option<RetryDelay>| Any {
            type_url: "type.googleapis.com/google.rpc.RetryInfo".to_owned(),
            value: RetryInfo { retry_delay: delay }.encode_to_vec(),
        };
        let half = RetryDelay { seconds: 1, nanos: 500_000_000 };
        let below = RetryDelay { seconds: -1, nanos: -5 };
        for (details, wait) in [
            (vec![], None),
            (vec![other.clone()], None),
            (vec![other, info(Some(half))], Some(Duration::from_millis(1500))),
            (vec![info(Some(below))], Some(Duration::ZERO)),
            (vec![info(None)], Some(Duration::ZERO)),
        ] {
            let status = RpcStatus { code: 8, message: String::new(), details };
            assert_eq!(retry_info(&status.encode_to_vec()), wait, "{status:?}");
        }
        assert_eq!(retry_info(b"\xff"), None);
    }

    #[test]
    fn counts_of_partial_success() {
        assert_eq!(rejected_protobuf(b"\x0a\x02\x08\x03"), 3);
        assert_eq!(rejected_protobuf(b"\x0a\x03\x12\x01x"), 0);
        assert_eq!(rejected_protobuf(b"\xff"), 0);
        for (answer, count) in [
            (r#"{"partialSuccess":{"rejectedSpans":"3","errorMessage":"no"}}"#, 3),
            (r#"{"partialSuccess":{"rejectedSpans":3}}"#, 3),
            (r#"{"partialSuccess":{"rejectedLogRecords":"3"}}"#, 0),
            (r#"{"partialSuccess":{"rejectedSpans":"-3"}}"#, 0),
            ("{}", 0),
            ("no", 0),
        ] {
            assert_eq!(rejected_json(Items::Spans, answer.as_bytes()), count, "{answer}");
        }
    }

    #[test]
    fn words_of_an_error_fit_on_a_line() {
        let status = RpcStatus { code: 3, message: "a\nb".to_owned(), details: vec![] };
        assert_eq!(words("application/x-protobuf", &status.encode_to_vec()), "a b");
        assert_eq!(words("text/plain; charset=utf-8", b" no such project\n"), "no such project");
        assert_eq!(words("", "x".repeat(1000).as_bytes()).len(), 300);
    }
}
