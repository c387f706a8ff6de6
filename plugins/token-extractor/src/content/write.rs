//! JSON text, written piece by piece, and the parts of messages in it.
//!
//! Parts are those of the GenAI conventions' JSON schemas for messages. What a limit cut has a member
//! `"truncated": true` besides, which the schemas allow for.

use super::binary::Blob;
use super::held::Held;
use serde_json::Value;

/// Containers in one another, above which JSON text that a model or a caller wrote is given as a string: readers of the
/// messages have a limit too, and the messages take some of it.
const MAX_DEPTH: usize = 100;

/// One JSON object, as text.
#[derive(Debug)]
pub(crate) struct Object(String);

impl Object {
    pub(crate) fn new() -> Self {
        Self("{".to_owned())
    }

    /// A part of this type.
    pub(crate) fn part(kind: &str) -> Self {
        Self::new().text("type", kind)
    }

    /// A member whose value is JSON text.
    pub(crate) fn json(mut self, name: &str, json: &str) -> Self {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        self.0.push('"');
        self.0.push_str(name);
        self.0.push_str("\":");
        self.0.push_str(json);
        self
    }

    pub(crate) fn text(self, name: &str, text: &str) -> Self {
        self.json(name, &string(text))
    }

    /// A text, unless it is empty.
    pub(crate) fn some(self, name: &str, text: &str) -> Self {
        if text.is_empty() { self } else { self.text(name, text) }
    }

    /// What was said, where it may have been cut.
    pub(crate) fn held(self, name: &str, held: &Held) -> Self {
        self.text(name, &held.as_str()).truncated(held.cut)
    }

    /// JSON that was said as text or as JSON: as what it is where it came whole, else as the text that came of it.
    pub(crate) fn said(self, name: &str, text: &str, cut: bool) -> Self {
        let whole = !cut && is_json(text);
        if whole { self.json(name, text.trim_ascii()) } else { self.text(name, text) }
    }

    pub(crate) fn truncated(self, cut: bool) -> Self {
        if cut { self.json("truncated", "true") } else { self }
    }

    pub(crate) fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

/// A string as JSON text.
pub(crate) fn string(text: &str) -> String {
    Value::from(text).to_string()
}

/// A list of JSON texts.
pub(crate) fn list(items: &[String]) -> String {
    format!("[{}]", items.join(","))
}

/// Whether a text is JSON that every reader takes.
fn is_json(text: &str) -> bool {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest <= MAX_DEPTH && serde_json::from_str::<Value>(text).is_ok()
}

/// Binary data: its type, size and hash stand for it.
pub(crate) fn blob(mime: &str, modality: &str, blob: &Blob) -> String {
    Object::part("blob")
        .some("mime_type", mime)
        .text("modality", modality_of(mime).unwrap_or(modality))
        .json("size", &blob.size.to_string())
        .text("sha256", &blob.hex())
        .end()
}

/// The conventions' word for what a media type is.
pub(crate) fn modality_of(mime: &str) -> Option<&'static str> {
    ["image", "audio", "video"].into_iter().find(|kind| mime.starts_with(kind))
}

/// Reasoning that only its provider can read.
pub(crate) fn redacted_reasoning() -> String {
    Object::part("redacted_thinking").end()
}

pub(crate) fn tool_call(id: &str, name: &str, arguments: Option<(&str, bool)>, cut: bool) -> String {
    let part = Object::part("tool_call").some("id", id).text("name", name);
    match arguments {
        Some((text, cut_off)) => part.said("arguments", text, cut_off).truncated(cut_off || cut),
        None => part.truncated(cut),
    }
    .end()
}

/// A call of a tool that the provider runs; `kind` is the provider's word for it.
pub(crate) fn server_tool_call(id: &str, name: &str, kind: &str, arguments: Option<(&str, bool)>) -> String {
    let call = Object::part(kind);
    let (call, cut) = match arguments {
        Some((text, cut)) => (call.said("arguments", text, cut), cut),
        None => (call, false),
    };
    Object::part("server_tool_call")
        .some("id", id)
        .text("name", name)
        .json("server_tool_call", &call.end())
        .truncated(cut)
        .end()
}

/// The result of such a tool. What it found is left out: it is the provider's, large, and in part encrypted.
pub(crate) fn server_tool_result(id: &str, kind: &str) -> String {
    Object::part("server_tool_call_response")
        .some("id", id)
        .json("server_tool_call_response", &Object::part(kind).end())
        .end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_json_is_given_as_json() {
        let deep = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        for (text, is) in [
            (r#" {"a": [1, "}"]} "#, true),
            ("42", true),
            (r#""x""#, true),
            ("", false),
            ("{", false),
            ("1e999", false),
            ("tru", false),
            ("\"\u{1}\"", false),
            (&deep(MAX_DEPTH), true),
            (&deep(MAX_DEPTH + 1), false),
        ] {
            assert_eq!(is_json(text), is, "{text}");
            let object = Object::new().said("x", text, false).end();
            serde_json::from_str::<Value>(&object).unwrap();
        }
    }
}
