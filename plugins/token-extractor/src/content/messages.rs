//! The outline of a request as messages of the GenAI conventions.
//!
//! What is what is told by the names of the members alone, which no two APIs use for different things: so servers that
//! mix them are read as well.

use super::keys::{ROOTS, defines_tools};
use super::outline::Value;
use super::parts::{self, json, text, word};
use super::write::{Object, list};

/// Members of a request that hold instructions.
const INSTRUCTIONS: [&str; 5] = ["system", "instructions", "systemInstruction", "system_instruction", "preamble"];

/// `gen_ai.system_instructions`: a list of parts.
pub(super) fn system_instructions(root: &Value) -> Option<String> {
    let said = INSTRUCTIONS.iter().filter_map(|name| root.get(name));
    let parts: Vec<_> = said.flat_map(|said| parts::parts(said.get("parts").unwrap_or(said), "text")).collect();
    (!parts.is_empty()).then(|| list(&parts))
}

/// `gen_ai.input.messages`: a list of messages.
pub(super) fn messages(root: &Value) -> Option<String> {
    let mut messages = Vec::new();
    for (name, _) in ROOTS.iter().filter(|(name, _)| !INSTRUCTIONS.contains(name) && !defines_tools(name)) {
        match (*name, root.get(name)) {
            (_, None) => {}
            // Images of Ollama, which go with the prompt.
            ("images", Some(images)) => messages.extend(message("user", parts::parts(images, "image"))),
            // Cohere v1 gives results of tools without the ids of the calls.
            ("tool_results", Some(Value::List(results))) => {
                let parts = results.iter().filter_map(|result| json(result.get("outputs")));
                let parts: Vec<_> = parts.map(|(text, cut)| parts::tool_response("", &text, cut)).collect();
                messages.extend(message("tool", parts));
            }
            (_, Some(Value::List(items))) if items.iter().all(|item| matches!(item, Value::Object(_))) => {
                messages.extend(items.iter().filter_map(item));
            }
            // A text, or a list of prompts.
            (_, Some(said @ (Value::Text(_) | Value::List(_)))) => {
                messages.extend(message("user", parts::parts(said, "text")));
            }
            (_, Some(said)) => messages.extend(item(said)),
        }
    }
    (!messages.is_empty()).then(|| list(&messages))
}

fn message(role: &str, parts: Vec<String>) -> Option<String> {
    (!parts.is_empty()).then(|| Object::new().text("role", role).json("parts", &list(&parts)).end())
}

/// The conventions' word for a role.
fn role(word: &str) -> &str {
    match word {
        "" | "USER" => "user",
        "developer" | "SYSTEM" => "system",
        "model" | "CHATBOT" => "assistant",
        "function" | "TOOL" => "tool",
        other => other,
    }
}

/// An element of a list of messages, or of the items of Responses.
fn item(item: &Value) -> Option<String> {
    let id = || [word(item.get("call_id")), word(item.get("id"))].into_iter().find(|id| !id.is_empty());
    match &*word(item.get("type")) {
        "function_call" | "custom_tool_call" => {
            let arguments = json(item.get("arguments").or(item.get("input")));
            let call = parts::tool_call(&id().unwrap_or_default(), &word(item.get("name")), arguments);
            message("assistant", vec![call])
        }
        "function_call_output" | "custom_tool_call_output" => {
            let (response, cut) = parts::response(item.get("output"));
            message("tool", vec![parts::tool_response(&id().unwrap_or_default(), &response, cut)])
        }
        "reasoning" => {
            let said = ["summary", "content"].into_iter().filter_map(|name| item.get(name));
            message("assistant", said.flat_map(|said| parts::reasoning(Some(said))).collect())
        }
        kind if kind.ends_with("_call") => {
            let name = word(item.get("name"));
            let name = if name.is_empty() { kind.trim_end_matches("_call") } else { &name };
            message("assistant", vec![parts::server_tool_call(&id().unwrap_or_default(), name, kind, item)])
        }
        _ => turn(item),
    }
}

/// A message with a role.
fn turn(item: &Value) -> Option<String> {
    let word_of_role = word(item.get("role"));
    let role = role(&word_of_role);
    let content = item.get("content").or(item.get("parts")).or(item.get("message"));
    if role == "tool" && item.get("parts").is_none() && item.get("tool_results").is_none() {
        let id = [word(item.get("tool_call_id")), word(item.get("tool_use_id"))];
        let id = id.iter().find(|id| !id.is_empty()).map_or("", |id| id);
        // Nova and others have their results as parts of the content.
        let typed =
            matches!(content, Some(Value::List(parts)) if parts.iter().any(|part| part.get("toolResult").is_some()));
        if !typed {
            let (response, cut) = parts::response(content);
            return message("tool", vec![parts::tool_response(id, &response, cut)]);
        }
    }
    let thought = ["reasoning_content", "reasoning", "thinking", "tool_plan"];
    let thought = thought.into_iter().filter_map(|name| item.get(name)).next();
    let mut said: Vec<_> = parts::reasoning(thought);
    said.extend(content.map(|content| parts::parts(content, "text")).unwrap_or_default());
    said.extend(text(item.get("refusal")).map(parts::refusal));
    said.extend(item.get("images").map(|images| parts::parts(images, "image")).unwrap_or_default());
    if let Some(Value::List(calls)) = item.get("tool_calls") {
        for call in calls {
            let function = call.get("function").or(call.get("custom")).unwrap_or(call);
            let arguments = ["arguments", "input", "parameters"].into_iter().find_map(|name| function.get(name));
            said.push(parts::tool_call(&word(call.get("id")), &word(function.get("name")), json(arguments)));
        }
    }
    if let Some(call @ Value::Object(_)) = item.get("function_call") {
        said.push(parts::tool_call("", &word(call.get("name")), json(call.get("arguments"))));
    }
    message(role, said)
}

/// `gen_ai.tool.definitions`: a list of `{type, name, description, parameters}`.
pub(super) fn tool_definitions(root: &Value) -> Option<String> {
    let lists =
        [root.get("tools"), root.get("functions"), root.get("toolConfig").and_then(|config| config.get("tools"))];
    let mut defined = Vec::new();
    for tool in lists.into_iter().flatten().flat_map(elements) {
        let declared = tool.get("functionDeclarations").or(tool.get("function_declarations"));
        match (declared, tool) {
            (Some(declared), _) => defined.extend(elements(declared).iter().filter_map(definition)),
            (None, Value::Object(members)) => match members.as_slice() {
                // Gemini's own tools are members without anything in them.
                [(name, Value::Json(_))] => defined.push(Object::part(name).end()),
                _ => defined.extend(definition(tool)),
            },
            _ => {}
        }
    }
    (!defined.is_empty()).then(|| list(&defined))
}

fn elements(value: &Value) -> &[Value] {
    match value {
        Value::List(items) => items,
        _ => &[],
    }
}

fn definition(tool: &Value) -> Option<String> {
    let function = ["function", "custom", "toolSpec"].into_iter().find_map(|name| tool.get(name)).unwrap_or(tool);
    let kind = word(tool.get("type"));
    let name = word(function.get("name").or(function.get("server_label")));
    if name.is_empty() && kind.is_empty() {
        return None;
    }
    let mut object = Object::part(if kind.is_empty() { "function" } else { &kind }).some("name", &name);
    if let Some(description) = text(function.get("description")) {
        object = object.held("description", description);
    }
    let schema = ["parameters", "parametersJsonSchema", "input_schema", "inputSchema", "parameter_definitions"];
    let schema = schema.into_iter().find_map(|name| function.get(name));
    match json(schema.and_then(|schema| schema.get("json")).or(schema)) {
        Some((schema, false)) => object = object.said("parameters", &schema, false),
        // Part of a schema says what is not so.
        Some((_, true)) => object = object.truncated(true),
        None => {}
    }
    Some(object.end())
}
