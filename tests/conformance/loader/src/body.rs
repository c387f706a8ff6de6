//! Bodies, from how they are written in a file to the bytes of the wire.

use crate::Problem;
use crate::event_stream::{self, Message};
use crate::file::says;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::value::RawValue;

/// A body before its content encoding.
pub(crate) struct Body {
    pub(crate) bytes: Vec<u8>,
    /// Where each frame ends.
    pub(crate) boundaries: Vec<usize>,
    pub(crate) content_type: Option<&'static str>,
}

/// An event that says more than its data.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    event: Option<String>,
    data: Box<RawValue>,
}

impl Body {
    pub(crate) fn plain(bytes: Vec<u8>, content_type: Option<&'static str>) -> Self {
        Self { bytes, boundaries: Vec::new(), content_type }
    }

    pub(crate) fn json(json: &RawValue) -> Self {
        Self::plain(compact(json.get()).into_bytes(), Some("application/json"))
    }

    pub(crate) fn base64(text: &str) -> Result<Self, Problem> {
        let bytes = STANDARD.decode(text).map_err(|_| says("response.base64", "is no base64"))?;
        Ok(Self::plain(bytes, None))
    }

    /// Server-sent events: each item is the data, or an object of `data` and `event`.
    pub(crate) fn events(items: &[Box<RawValue>]) -> Result<Self, Problem> {
        let frames = items.iter().enumerate().map(|(index, item)| {
            let (name, data) = match serde_json::from_str::<Named>(item.get()) {
                Ok(Named { event, data }) => (event, text_or_json(&data)),
                Err(_) => (None, text_or_json(item)),
            };
            if data.contains(['\r', '\n']) {
                return Err(says(format!("response.events[{index}]"), "has a line end in its data; use `text`"));
            }
            let name = name.map(|name| format!("event: {name}\n")).unwrap_or_default();
            Ok(format!("{name}data: {data}\n\n").into_bytes())
        });
        Self::frames(frames, "text/event-stream")
    }

    /// JSON documents, one a line.
    pub(crate) fn lines(items: &[Box<RawValue>]) -> Self {
        let frames = items.iter().map(|item| Ok(format!("{}\n", text_or_json(item)).into_bytes()));
        Self::frames(frames, "application/x-ndjson").unwrap_or_else(|_| Self::plain(Vec::new(), None))
    }

    /// An AWS event stream.
    pub(crate) fn messages(items: &[Message]) -> Result<Self, Problem> {
        Self::frames(items.iter().enumerate().map(event_stream::encode), "application/vnd.amazon.eventstream")
    }

    fn frames(
        frames: impl Iterator<Item = Result<Vec<u8>, Problem>>,
        content_type: &'static str,
    ) -> Result<Self, Problem> {
        let (mut bytes, mut boundaries) = (Vec::new(), Vec::new());
        for frame in frames {
            bytes.extend(frame?);
            boundaries.push(bytes.len());
        }
        Ok(Self { bytes, boundaries, content_type: Some(content_type) })
    }
}

/// The text that a JSON text stands for; any other JSON as it is, compact.
fn text_or_json(json: &RawValue) -> String {
    serde_json::from_str(json.get()).unwrap_or_else(|_| compact(json.get()))
}

/// JSON without the white space between its tokens, and otherwise as it was written: order of members, escapes and
/// spelling of numbers stay, since readers have been wrong about each of them.
pub(crate) fn compact(json: &str) -> String {
    let (mut text, mut in_string, mut escaped) = (String::with_capacity(json.len()), false, false);
    for character in json.chars() {
        if in_string {
            in_string = escaped || character != '"';
            escaped = !escaped && character == '\\';
        } else if character.is_ascii_whitespace() {
            continue;
        } else {
            in_string = character == '"';
        }
        text.push(character);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compact_json_keeps_everything_but_white_space() {
        let json = "{ \"b\" : [ 1.0 , 1e-05 ],\n\t\"a\": \"x \\\" \\\\\" , \"\\u00e9\" : \" \" }";
        assert_eq!(compact(json), r#"{"b":[1.0,1e-05],"a":"x \" \\","\u00e9":" "}"#);
    }

    #[test]
    fn events_are_data_with_or_without_a_name() {
        let items: Vec<Box<RawValue>> = serde_json::from_str(
            r#"[{"a": 1}, "[DONE]", {"event": "ping", "data": {"b": 2}}, {"data": "x", "more": 1}]"#,
        )
        .unwrap();
        let body = Body::events(&items).unwrap();
        let text =
            "data: {\"a\":1}\n\ndata: [DONE]\n\nevent: ping\ndata: {\"b\":2}\n\ndata: {\"data\":\"x\",\"more\":1}\n\n";
        assert_eq!(String::from_utf8(body.bytes).unwrap(), text);
        assert_eq!(body.boundaries, [15, 29, 56, 85]);
    }
}
