//! Messages as the conventions have them: structured or JSON text, of parts or, from older emitters, with content.
//!
//! Source: the schemas of `gen_ai.input.messages`, `gen_ai.output.messages` and `gen_ai.system_instructions` of the GenAI
//! conventions.

use super::Sources;
use tollgate_otlp::{Attributes, JsonValue, Value};

/// A message.
#[derive(Debug)]
pub(super) struct Message<'m> {
    pub(super) role: &'m str,
    /// Id of the call that a tool answers.
    pub(super) answers: Option<&'m str>,
    pub(super) content: Vec<Part<'m>>,
    pub(super) calls: Vec<ToolCall<'m>>,
}

/// A part of what a message says.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part<'m> {
    /// Text.
    Text(&'m str),
    /// Text of the model's reasoning.
    Reasoning(&'m str),
    /// Something at an address.
    Uri { modality: &'m str, uri: &'m str },
    /// Something in base64.
    Blob { modality: &'m str, mime_type: &'m str, base64: &'m str },
    /// Anything else, whole.
    Other(Value<'m>),
}

/// A tool that the model calls.
#[derive(Clone, Copy, Debug)]
pub(super) struct ToolCall<'m> {
    pub(super) id: &'m str,
    pub(super) name: &'m str,
    pub(super) arguments: Value<'m>,
}

/// Reads messages (the first source) with system instructions (the second) before them, and gives them to `write`. One of
/// them is enough; `Ok(None)` where neither is there, or `write` says so.
pub(super) fn read<T>(
    sources: Sources<'_, '_>,
    write: impl FnOnce(&[Message<'_>]) -> Option<T>,
) -> Result<Option<T>, ()> {
    let [mut messages, mut instructions] = [None, None];
    let value = |place: usize, held: &mut Option<JsonValue>| match sources.get(place).copied().flatten() {
        Some(Value::Text(text)) => JsonValue::parse(text).map(|json| *held = Some(json)).map_err(drop),
        _ => Ok(()),
    };
    value(0, &mut messages)?;
    value(1, &mut instructions)?;
    let structured = |place: usize| sources.get(place).copied().flatten();
    let messages = messages.as_ref().map(JsonValue::value).or_else(|| structured(0));
    let instructions = instructions.as_ref().map(JsonValue::value).or_else(|| structured(1));
    let mut list = Vec::new();
    if let Some(instructions) = instructions {
        let mut message = Message { role: "system", answers: None, content: Vec::new(), calls: Vec::new() };
        elements(instructions)?.for_each(|part| message.add(part, &mut Vec::new()));
        list.push(message);
    }
    if let Some(messages) = messages {
        for message in elements(messages)? {
            let Value::Map(message) = message else { return Err(()) };
            add(&mut list, message);
        }
    }
    Ok(if list.is_empty() { None } else { write(&list) })
}

fn elements(list: Value<'_>) -> Result<impl Iterator<Item = Value<'_>>, ()> {
    match list {
        Value::Array(list) => Ok(list.iter()),
        _ => Err(()),
    }
}

/// Adds a message. Answers of tools become messages of their own, as other forms have them.
fn add<'m>(list: &mut Vec<Message<'m>>, message: Attributes<'m>) {
    let text = |key| message.get(key).and_then(Value::as_text);
    let role = text("role").unwrap_or_default();
    let mut whole = Message { role, answers: text("tool_call_id"), content: Vec::new(), calls: Vec::new() };
    let mut answers = Vec::new();
    match message.get("parts").or_else(|| message.get("content")) {
        Some(Value::Text(text)) => whole.content.push(Part::Text(text)),
        Some(Value::Array(parts)) => parts.iter().for_each(|part| whole.add(part, &mut answers)),
        Some(other) => whole.content.push(Part::Other(other)),
        None => {}
    }
    if let Some(Value::Array(calls)) = message.get("tool_calls") {
        whole.calls.extend(
            calls.iter().filter_map(|call| if let Value::Map(call) = call { Some(tool_call(call)) } else { None }),
        );
    }
    if answers.is_empty() || !whole.content.is_empty() || !whole.calls.is_empty() {
        list.push(whole);
    }
    list.append(&mut answers);
}

impl<'m> Message<'m> {
    fn add(&mut self, part: Value<'m>, answers: &mut Vec<Self>) {
        let Value::Map(map) = part else {
            self.content.push(part.as_text().map_or(Part::Other(part), Part::Text));
            return;
        };
        let text = |key| map.get(key).and_then(Value::as_text);
        let modality = text("modality").unwrap_or_default();
        let part = match text("type").unwrap_or_default() {
            "text" => text("content").or_else(|| text("text")).map(Part::Text),
            "reasoning" => text("content").or_else(|| text("text")).map(Part::Reasoning),
            "uri" => text("uri").map(|uri| Part::Uri { modality, uri }),
            "blob" => text("content").map(|base64| Part::Blob {
                modality,
                mime_type: text("mime_type").unwrap_or_default(),
                base64,
            }),
            "tool_call" => {
                self.calls.push(tool_call(map));
                return;
            }
            "tool_call_response" => {
                // Older emitters wrote `result`.
                let response = map.get("response").or_else(|| map.get("result"));
                let content = response.map(|response| response.as_text().map_or(Part::Other(response), Part::Text));
                answers.push(Self {
                    role: "tool",
                    answers: text("id"),
                    content: content.into_iter().collect(),
                    calls: Vec::new(),
                });
                return;
            }
            _ => None,
        };
        self.content.push(part.unwrap_or(Part::Other(Value::Map(map))));
    }
}

/// A call as the conventions write it, or as OpenAI does, with a `function` in it.
fn tool_call(call: Attributes<'_>) -> ToolCall<'_> {
    let function = if let Some(Value::Map(function)) = call.get("function") { function } else { call };
    ToolCall {
        id: call.get("id").and_then(Value::as_text).unwrap_or_default(),
        name: function.get("name").and_then(Value::as_text).unwrap_or_default(),
        arguments: function.get("arguments").unwrap_or(Value::Empty),
    }
}
