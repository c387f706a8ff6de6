//! The input messages of a request, read from its body at the end of the exchange.

use super::{text_part, tool_call};
use serde_json::{Value, json};
use tollgate_call::Api;

/// The request body, held up to a limit. A body that is longer is not held at all: half a JSON text has no messages.
#[derive(Debug, Default)]
pub(crate) struct InputBody {
    limit: usize,
    bytes: Vec<u8>,
    truncated: bool,
}

impl InputBody {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, ..Self::default() }
    }

    pub(crate) fn push(&mut self, chunk: &[u8]) {
        if self.limit == 0 || self.truncated {
            return;
        }
        if self.bytes.len() + chunk.len() > self.limit {
            self.truncated = true;
            self.bytes = Vec::new();
        } else {
            self.bytes.extend_from_slice(chunk);
        }
    }

    pub(crate) fn truncated(&self) -> bool {
        self.truncated
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.bytes.capacity()
    }

    /// The messages as JSON text; `None` where nothing was held or it has none.
    pub(crate) fn messages(&self, api: &Api) -> Option<String> {
        let request: Value = serde_json::from_slice(&self.bytes).ok()?;
        let (instructions, messages) = match api.as_str() {
            "responses" => (request.get("instructions"), request.get("input")),
            _ => (request.get("system"), request.get("messages")),
        };
        let mut read: Vec<_> = instructions.and_then(|content| message("system", content)).into_iter().collect();
        match messages {
            Some(Value::Array(items)) => read.extend(items.iter().filter_map(item)),
            Some(content) => read.extend(message("user", content)),
            None => {}
        }
        if read.is_empty() { None } else { Some(Value::Array(read).to_string()) }
    }
}

fn message(role: &str, content: &Value) -> Option<Value> {
    let parts = parts(content);
    if parts.is_empty() { None } else { Some(json!({"role": role, "parts": parts})) }
}

/// An element of `messages` or `input`.
fn item(item: &Value) -> Option<Value> {
    let text = |name| item.get(name).and_then(Value::as_str);
    match text("type") {
        // Responses has tool calls and their results as items of their own.
        Some("function_call") => {
            let call = tool_call(
                text("call_id").unwrap_or_default(),
                text("name").unwrap_or_default(),
                text("arguments").unwrap_or_default(),
            );
            return Some(json!({"role": "assistant", "parts": [call]}));
        }
        Some("function_call_output") => {
            let result = json!({"type": "tool_call_response", "id": text("call_id"), "response": item.get("output")});
            return Some(json!({"role": "tool", "parts": [result]}));
        }
        _ => {}
    }
    let role = text("role").unwrap_or("user");
    let mut found = match (role, text("tool_call_id")) {
        ("tool", id) => vec![json!({"type": "tool_call_response", "id": id, "response": item.get("content")})],
        _ => item.get("content").map(parts).unwrap_or_default(),
    };
    for call in item.get("tool_calls").and_then(Value::as_array).into_iter().flatten() {
        let function = |name| call.pointer(name).and_then(Value::as_str).unwrap_or_default();
        found.push(tool_call(function("/id"), function("/function/name"), function("/function/arguments")));
    }
    if found.is_empty() { None } else { Some(json!({"role": role, "parts": found})) }
}

/// The parts of a content that is a text, or a list of typed parts. Of parts that are not text only the type is
/// kept, since they may be as large as the images they hold.
fn parts(content: &Value) -> Vec<Value> {
    match content {
        Value::String(text) => vec![text_part(text)],
        Value::Array(parts) => parts.iter().filter_map(part).collect(),
        _ => Vec::new(),
    }
}

fn part(part: &Value) -> Option<Value> {
    let text = |name| part.get(name).and_then(Value::as_str);
    Some(match text("type")? {
        "text" | "input_text" | "output_text" => text_part(text("text")?),
        "tool_use" => {
            let arguments = part.get("input").map(Value::to_string).unwrap_or_default();
            tool_call(text("id").unwrap_or_default(), text("name")?, &arguments)
        }
        "tool_result" => {
            json!({"type": "tool_call_response", "id": text("tool_use_id"), "response": part.get("content")})
        }
        other => json!({"type": other}),
    })
}
