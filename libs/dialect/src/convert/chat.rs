//! Messages in the form of OpenAI's chat completions, which backends that are older than the conventions show.

use super::json;
use super::messages::{Message, Part, ToolCall};
use tollgate_otlp::{Value, push_json_text};

/// Messages as a JSON array.
pub(super) fn write(messages: &[Message<'_>]) -> Option<String> {
    let mut out = String::from("[");
    for message in messages {
        if out.len() > 1 {
            out.push(',');
        }
        push_message(&mut out, message);
    }
    out.push(']');
    Some(out)
}

fn push_message(out: &mut String, message: &Message<'_>) {
    out.push_str("{\"role\":");
    push_json_text(out, message.role);
    if let Some(id) = message.answers {
        out.push_str(",\"tool_call_id\":");
        push_json_text(out, id);
    }
    match message.content.as_slice() {
        [] if message.calls.is_empty() => out.push_str(",\"content\":\"\""),
        [] => out.push_str(",\"content\":null"),
        [Part::Text(text)] => {
            out.push_str(",\"content\":");
            push_json_text(out, text);
        }
        // The answer of a tool is text, whatever is in it.
        [Part::Other(value)] if message.answers.is_some() => {
            out.push_str(",\"content\":");
            push_json_text(out, &json(*value));
        }
        parts => {
            out.push_str(",\"content\":[");
            for (index, part) in parts.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                push_part(out, part);
            }
            out.push(']');
        }
    }
    if !message.calls.is_empty() {
        out.push_str(",\"tool_calls\":[");
        for (index, call) in message.calls.iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            push_call(out, call);
        }
        out.push(']');
    }
    out.push('}');
}

fn push_part(out: &mut String, part: &Part<'_>) {
    match part {
        Part::Text(text) => {
            out.push_str("{\"type\":\"text\",\"text\":");
            push_json_text(out, text);
            out.push('}');
        }
        Part::Reasoning(text) => {
            out.push_str("{\"type\":\"reasoning\",\"text\":");
            push_json_text(out, text);
            out.push('}');
        }
        Part::Uri { modality: "image", uri } => push_image(out, uri),
        Part::Blob { modality: "image", mime_type, base64 } => {
            push_image(out, &format!("data:{mime_type};base64,{base64}"));
        }
        Part::Uri { modality, uri } => {
            out.push_str("{\"type\":\"uri\",\"modality\":");
            push_json_text(out, modality);
            out.push_str(",\"uri\":");
            push_json_text(out, uri);
            out.push('}');
        }
        Part::Blob { modality, mime_type, base64 } => {
            out.push_str("{\"type\":\"blob\",\"modality\":");
            push_json_text(out, modality);
            out.push_str(",\"mime_type\":");
            push_json_text(out, mime_type);
            out.push_str(",\"content\":");
            push_json_text(out, base64);
            out.push('}');
        }
        Part::Other(value) => value.push_json(out),
    }
}

fn push_image(out: &mut String, url: &str) {
    out.push_str("{\"type\":\"image_url\",\"image_url\":{\"url\":");
    push_json_text(out, url);
    out.push_str("}}");
}

fn push_call(out: &mut String, call: &ToolCall<'_>) {
    out.push_str("{\"id\":");
    push_json_text(out, call.id);
    out.push_str(",\"type\":\"function\",\"function\":{\"name\":");
    push_json_text(out, call.name);
    out.push_str(",\"arguments\":");
    push_json_text(out, &arguments(call.arguments));
    out.push_str("}}");
}

/// Arguments of a call as JSON text, which they often are already.
pub(super) fn arguments(value: Value<'_>) -> String {
    match value {
        Value::Empty => "{}".to_owned(),
        Value::Text(text) => text.to_owned(),
        value => json(value),
    }
}
