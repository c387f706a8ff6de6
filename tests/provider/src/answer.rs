//! An answer as frames: what the transport is handed, and what usage each frame reports.

use crate::ledger::ServedUsage;
use bytes::Bytes;
use serde_json::Value;

/// One frame: an event of a stream, or a whole JSON body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) bytes: Bytes,
    /// The usage known to a reader who has read this frame and all before it, where this frame changes it.
    pub(crate) usage: Option<ServedUsage>,
    /// The native error type, where this frame reports an error.
    pub(crate) error: Option<String>,
}

impl Frame {
    /// A server-sent event. Anthropic and the Responses API name their events, chat completions do not.
    pub(crate) fn event(name: Option<&str>, data: &Value) -> Self {
        Self::raw_event(name, &type_first(data))
    }

    /// A server-sent event whose data is not JSON.
    pub(crate) fn raw_event(name: Option<&str>, data: &str) -> Self {
        let name = name.map(|name| format!("event: {name}\n")).unwrap_or_default();
        Self { bytes: format!("{name}data: {data}\n\n").into(), usage: None, error: None }
    }

    /// A JSON body.
    pub(crate) fn body(value: &Value) -> Self {
        Self { bytes: value.to_string().into(), usage: None, error: None }
    }

    /// The same frame, reporting usage.
    pub(crate) fn with_usage(self, usage: Option<ServedUsage>) -> Self {
        Self { usage, ..self }
    }

    /// The same frame, reporting an error.
    pub(crate) fn with_error(self, kind: &str) -> Self {
        Self { error: Some(kind.to_owned()), ..self }
    }
}

/// JSON text with `type` as its first field, where both providers write it; readers of streams may count on it.
fn type_first(data: &Value) -> String {
    let Some((fields, kind)) = data.as_object().and_then(|fields| Some((fields, fields.get("type")?))) else {
        return data.to_string();
    };
    let mut text = format!("{{\"type\":{kind}");
    for (name, value) in fields.iter().filter(|(name, _)| *name != "type") {
        text.push_str(&format!(",{}:{value}", Value::from(name.as_str())));
    }
    text + "}"
}

/// A successful answer in the shape of its API.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) id: String,
    pub(crate) frames: Vec<Frame>,
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Name and data of each event, for the tests of the three APIs.
    pub(crate) fn events(frames: &[Frame]) -> Vec<(Option<String>, Value)> {
        frames
            .iter()
            .map(|frame| {
                let text = std::str::from_utf8(&frame.bytes).unwrap();
                let (name, data) = match text.strip_prefix("event: ") {
                    Some(rest) => {
                        let (name, rest) = rest.split_once('\n').unwrap();
                        (Some(name.to_owned()), rest)
                    }
                    None => (None, text),
                };
                let data = data.strip_prefix("data: ").unwrap().strip_suffix("\n\n").unwrap();
                (name, serde_json::from_str(data).unwrap_or_else(|_| Value::String(data.into())))
            })
            .collect()
    }

    #[test]
    fn an_event_is_a_name_line_a_data_line_and_an_empty_one() {
        let data = serde_json::json!({"a": 1});
        assert_eq!(Frame::event(Some("ping"), &data).bytes, "event: ping\ndata: {\"a\":1}\n\n");
        assert_eq!(Frame::event(None, &data).bytes, "data: {\"a\":1}\n\n");
    }

    #[test]
    fn the_type_of_an_event_comes_first() {
        let data = serde_json::json!({"delta": "x \" y", "index": 0, "type": "t"});
        assert_eq!(Frame::event(None, &data).bytes, "data: {\"type\":\"t\",\"delta\":\"x \\\" y\",\"index\":0}\n\n");
    }
}
