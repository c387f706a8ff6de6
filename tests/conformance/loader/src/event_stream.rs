//! Messages of an AWS event stream, from how they are written in a file to bytes with lengths and checksums.
//!
//! The format is that of the Amazon Event Stream Specification (Smithy 2.0, "Wire Format").

use crate::Problem;
use crate::body::compact;
use crate::file::says;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Type of a header whose value is a text.
const TEXT: u8 = 7;

/// A message, as a file has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Message {
    /// `:event-type` of a message of type `event`.
    event: Option<String>,
    /// `:exception-type` of a message of type `exception`.
    exception: Option<String>,
    /// All headers, where they are others. Each is a text.
    headers: Option<BTreeMap<String, String>>,
    payload: Option<Box<RawValue>>,
    /// What a chunk of `InvokeModelWithResponseStream` wraps: the payload is `{"bytes": <this in base64>}`.
    bytes: Option<Box<RawValue>>,
    /// Whether the last byte of the message's checksum is wrong.
    #[serde(default)]
    damaged: bool,
}

/// The bytes of a message; `index` is its place in the list.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn encode((index, message): (usize, &Message)) -> Result<Vec<u8>, Problem> {
    let wrong = |what| says(format!("response.messages[{index}]"), what);
    let Message { event, exception, headers, payload, bytes, damaged } = message;
    let headers: Vec<(&str, &str)> = match (event, exception, headers) {
        (Some(event), None, None) => {
            vec![(":event-type", event), (":content-type", "application/json"), (":message-type", "event")]
        }
        (None, Some(exception), None) => {
            vec![(":exception-type", exception), (":content-type", "application/json"), (":message-type", "exception")]
        }
        (None, None, Some(headers)) => headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect(),
        _ => return Err(wrong("needs one of `event`, `exception` and `headers`")),
    };
    let payload = match (payload, bytes) {
        (Some(payload), None) => compact(payload.get()),
        (None, Some(bytes)) => format!(r#"{{"bytes":"{}","p":"abcdefghijk"}}"#, STANDARD.encode(compact(bytes.get()))),
        (None, None) => String::new(),
        (Some(_), Some(_)) => return Err(wrong("has both `payload` and `bytes`")),
    };
    let mut head = Vec::new();
    for (name, value) in headers {
        head.push(u8::try_from(name.len()).map_err(|_| wrong("has a header with a name above 255 bytes"))?);
        head.extend(name.as_bytes());
        head.push(TEXT);
        head.extend(u16::try_from(value.len()).map_err(|_| wrong("has a header above 65535 bytes"))?.to_be_bytes());
        head.extend(value.as_bytes());
    }
    let length = |length: usize| u32::try_from(length).map_err(|_| wrong("is above 4 GiB"));
    let mut encoded = length(head.len() + payload.len() + 16)?.to_be_bytes().to_vec();
    encoded.extend(length(head.len())?.to_be_bytes());
    encoded.extend(crc32fast::hash(&encoded).to_be_bytes());
    encoded.extend(head);
    encoded.extend(payload.as_bytes());
    let checksum = crc32fast::hash(&encoded) ^ u32::from(*damaged);
    encoded.extend(checksum.to_be_bytes());
    Ok(encoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_what_the_specification_says() {
        let message: Message = serde_json::from_str(r#"{"headers": {"a": "bc"}, "payload": {"x": 1}}"#).unwrap();
        let bytes = encode((0, &message)).unwrap();
        assert_eq!(bytes[..8], [0, 0, 0, 30, 0, 0, 0, 7]);
        assert_eq!(bytes[8..12], crc32fast::hash(&bytes[..8]).to_be_bytes());
        assert_eq!(bytes[12..26], *b"\x01a\x07\x00\x02bc{\"x\":1}");
        assert_eq!(bytes[26..], crc32fast::hash(&bytes[..26]).to_be_bytes());
    }
}
