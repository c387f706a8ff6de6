//! What was said, as messages of parts.
//!
//! Source of the shape written: the JSON schemas of the GenAI conventions for `gen_ai.input.messages`,
//! `gen_ai.output.messages` and `gen_ai.system_instructions`. Read are the shapes in which dialects hold messages:
//! those of the OpenAI, Anthropic and Gemini APIs, of the Vercel AI SDK, and families of numbered attributes. What is
//! no message is left where it is, and so is JSON of more than 1 MiB.

use super::facts::Facts;
use super::span::Span;
use super::{read, to};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Deepest name of a family: `0.message.tool_calls.0.tool_call.function.name` has seven parts.
const DEEPEST: usize = 12;

/// Sets the messages of a span, from the first name that has them.
pub(super) fn read<'b>(span: Span<'_, 'b>, facts: &mut Facts<'b>) {
    ai_sdk(span, facts);
    adk(span, facts);
    let input = [read::LANGFUSE_INPUT, read::PYDANTIC_MESSAGES, read::PYDANTIC_EVENTS, read::OLD_PROMPT];
    let output = [read::LANGFUSE_OUTPUT, read::OLD_COMPLETION];
    let families = [
        (to::INPUT_MESSAGES, [read::OI_INPUT_MESSAGES, read::OLD_PROMPTS], input.as_slice(), "user"),
        (to::OUTPUT_MESSAGES, [read::OI_OUTPUT_MESSAGES, read::OLD_COMPLETIONS], output.as_slice(), "assistant"),
    ];
    for (number, families, plain, role) in families {
        for family in families {
            set(number, span.json(family).and_then(nested).as_ref(), role, facts);
        }
        for &name in plain {
            if !facts.has(number)
                && let Some(text) = span.text(name)
            {
                let value = span.json(name).unwrap_or_else(|| Value::from(text));
                set(number, Some(&value), role, facts);
            }
        }
    }
}

fn ai_sdk<'b>(span: Span<'_, 'b>, facts: &mut Facts<'b>) {
    set(to::INPUT_MESSAGES, span.json(read::AI_MESSAGES).as_ref(), "user", facts);
    if let Some(prompt) = span.json(read::AI_PROMPT) {
        if let Some(system) = prompt.get("system").and_then(Value::as_str) {
            instructions(system, facts);
        }
        set(to::INPUT_MESSAGES, prompt.get("messages").or_else(|| prompt.get("prompt")), "user", facts);
    }
    let mut parts = Vec::new();
    if let Some(text) = span.text(read::AI_TEXT).or_else(|| span.text(read::AI_OBJECT)) {
        parts.push(json!({"type": "text", "content": text}));
    }
    if let Some(Value::Array(calls)) = span.json(read::AI_TOOL_CALLS) {
        parts.extend(calls.iter().filter_map(|call| tool_call(call, "toolCallId", "toolName", &["input", "args"])));
    }
    if !parts.is_empty() {
        let message = json!([{"role": "assistant", "parts": parts}]);
        facts.set_text(to::OUTPUT_MESSAGES, Some(message.to_string()));
    }
}

fn adk<'b>(span: Span<'_, 'b>, facts: &mut Facts<'b>) {
    if let Some(request) = span.json(read::ADK_REQUEST) {
        let config = request.get("config");
        if let Some(system) = config.and_then(|config| config.get("system_instruction")?.as_str()) {
            instructions(system, facts);
        }
        set(to::INPUT_MESSAGES, request.get("contents"), "user", facts);
    }
    if let Some(response) = span.json(read::ADK_RESPONSE) {
        set(to::OUTPUT_MESSAGES, response.get("content"), "assistant", facts);
    }
}

fn instructions(system: &str, facts: &mut Facts<'_>) {
    let parts = json!([{"type": "text", "content": system}]);
    facts.set_text(to::SYSTEM_INSTRUCTIONS, Some(parts.to_string()));
}

/// Sets messages from one message, a list of them, an object that has such a list, or plain text.
fn set(number: u16, value: Option<&Value>, role: &str, facts: &mut Facts<'_>) {
    let Some(value) = value.filter(|_| !facts.has(number)) else { return };
    let messages: Vec<Value> = match value {
        Value::Array(items) => items.iter().filter_map(|item| message(item, role)).collect(),
        Value::Object(object) => match object.get("messages") {
            Some(Value::Array(items)) => items.iter().filter_map(|item| message(item, role)).collect(),
            _ => message(value, role).into_iter().collect(),
        },
        Value::String(text) if !text.is_empty() => vec![text_message(text, role)],
        _ => return,
    };
    if !messages.is_empty() {
        facts.set_text(number, Some(Value::from(messages).to_string()));
    }
}

fn text_message(text: &str, role: &str) -> Value {
    json!({"role": role, "parts": [{"type": "text", "content": text}]})
}

/// One message in any of the shapes, or plain text.
fn message(value: &Value, role: &str) -> Option<Value> {
    if let Value::String(text) = value {
        return Some(text_message(text, role));
    }
    // OpenInference has the message one level down.
    let value = value.get("message").filter(|inner| inner.is_object()).unwrap_or(value);
    let role = match value.get("role").and_then(Value::as_str).unwrap_or(role) {
        "model" => "assistant",
        "developer" => "system",
        role => role,
    };
    let mut parts = Vec::new();
    let answers = value.get("tool_call_id").and_then(Value::as_str);
    match (value.get("content").or_else(|| value.get("contents")), answers) {
        (Some(content), Some(id)) if !content.is_null() => {
            parts.push(json!({"type": "tool_call_response", "id": id, "response": content}));
        }
        (Some(Value::String(text)), _) if !text.is_empty() => parts.push(json!({"type": "text", "content": text})),
        (Some(Value::Array(items)), _) => parts.extend(items.iter().filter_map(part)),
        _ => {}
    }
    if let Some(Value::Array(items)) = value.get("parts") {
        parts.extend(items.iter().filter_map(part));
    }
    if let Some(Value::Array(calls)) = value.get("tool_calls") {
        parts.extend(calls.iter().filter_map(|call| {
            let call = call.get("tool_call").unwrap_or(call);
            let function = call.get("function").unwrap_or(call);
            let mut part = tool_call(function, "id", "name", &["arguments", "args"])?;
            if let (Some(part), Some(id)) = (part.as_object_mut(), call.get("id")) {
                part.insert("id".to_owned(), id.clone());
            }
            Some(part)
        }));
    }
    (!parts.is_empty()).then(|| json!({"role": role, "parts": parts}))
}

/// One part in any of the shapes. One of a type that is not known here is kept as it is, as the conventions allow.
fn part(value: &Value) -> Option<Value> {
    let value = value.get("message_content").unwrap_or(value);
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    let response = |id: Option<&str>, response: Option<&Value>| {
        Some(json!({"type": "tool_call_response", "id": id, "response": response?}))
    };
    match text("type") {
        Some("text" | "input_text" | "output_text") => {
            Some(json!({"type": "text", "content": text("text").or_else(|| text("content"))?}))
        }
        Some("reasoning" | "thinking") => {
            let said = text("text").or_else(|| text("thinking")).or_else(|| text("content"))?;
            Some(json!({"type": "reasoning", "content": said}))
        }
        Some("tool-call") => tool_call(value, "toolCallId", "toolName", &["input", "args"]),
        Some("tool_use") => tool_call(value, "id", "name", &["input"]),
        Some("tool-result") => response(text("toolCallId"), value.get("output").or_else(|| value.get("result"))),
        Some("tool_result") => response(text("tool_use_id"), value.get("content")),
        Some(_) => Some(value.clone()),
        None => {
            if let Some(said) = text("text") {
                let thought = value.get("thought").and_then(Value::as_bool).unwrap_or(false);
                let kind = if thought { "reasoning" } else { "text" };
                return Some(json!({"type": kind, "content": said}));
            }
            if let Some(call) = value.get("function_call").or_else(|| value.get("functionCall")) {
                return tool_call(call, "id", "name", &["args"]);
            }
            let answer = value.get("function_response").or_else(|| value.get("functionResponse"))?;
            response(answer.get("id").and_then(Value::as_str), answer.get("response"))
        }
    }
}

/// A call of a tool; arguments that are JSON text become what they spell.
fn tool_call(value: &Value, id: &str, name: &str, arguments: &[&str]) -> Option<Value> {
    let mut part = Map::new();
    part.insert("type".to_owned(), Value::from("tool_call"));
    if let Some(id) = value.get(id) {
        part.insert("id".to_owned(), id.clone());
    }
    part.insert("name".to_owned(), Value::from(value.get(name)?.as_str()?));
    if let Some(given) = arguments.iter().find_map(|member| value.get(*member)) {
        let spelt = given.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
        part.insert("arguments".to_owned(), spelt.filter(Value::is_object).unwrap_or_else(|| given.clone()));
    }
    Some(Value::Object(part))
}

/// One level of a family: what stands there, and what is below.
#[derive(Default)]
struct Branch {
    value: Option<Value>,
    /// Lists have numbers as names. A map keeps a number from outside from becoming a length.
    below: BTreeMap<Key, Branch>,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Place(u32),
    Name(String),
}

/// The members of a family as the value they were flattened from: `{"0.role": "user"}` is `[{"role": "user"}]`. Of a
/// member that is there twice the last counts, as in any JSON object.
fn nested(members: Value) -> Option<Value> {
    let Value::Object(members) = members else { return None };
    let mut root = Branch::default();
    for (name, value) in members {
        let mut branch = &mut root;
        if name.split('.').count() > DEEPEST {
            continue;
        }
        for step in name.split('.') {
            let key = step.parse().map_or_else(|_| Key::Name(step.to_owned()), Key::Place);
            branch = branch.below.entry(key).or_default();
        }
        branch.value = Some(value);
    }
    Some(grown(root))
}

fn grown(branch: Branch) -> Value {
    if branch.below.is_empty() {
        return branch.value.unwrap_or_default();
    }
    if branch.below.keys().all(|key| matches!(key, Key::Place(_))) {
        return branch.below.into_values().map(grown).collect();
    }
    let named = branch.below.into_iter().map(|(key, below)| match key {
        Key::Place(place) => (place.to_string(), grown(below)),
        Key::Name(name) => (name, grown(below)),
    });
    Value::Object(named.collect())
}
