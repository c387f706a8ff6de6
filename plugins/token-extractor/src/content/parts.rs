//! What is in a message of a request, as parts of the GenAI conventions.

use super::held::Held;
use super::outline::Value;
use super::write::{self, Object, list, modality_of, string};
use std::borrow::Cow;

/// A string.
pub(super) fn text(value: Option<&Value>) -> Option<&Held> {
    match value? {
        Value::Text(held) if !held.is_empty() => Some(held),
        _ => None,
    }
}

/// A word, empty where there is none.
pub(super) fn word(value: Option<&Value>) -> Cow<'_, str> {
    match value {
        Some(Value::Text(held)) => held.as_str(),
        Some(Value::Word(word)) => Cow::Borrowed(word),
        _ => Cow::Borrowed(""),
    }
}

/// JSON text, and whether it was cut.
pub(super) fn json(value: Option<&Value>) -> Option<(Cow<'_, str>, bool)> {
    match value? {
        Value::Json(held) | Value::Text(held) if !held.is_empty() && held.bytes() != b"null" => {
            Some((held.as_str(), held.cut))
        }
        _ => None,
    }
}

/// The parts of a text, of one part, or of a list of them. `modality` is what binary data is where nothing says it.
pub(super) fn parts(content: &Value, modality: &str) -> Vec<String> {
    match content {
        Value::List(items) => items.iter().filter_map(|item| part(item, modality)).collect(),
        single => part(single, modality).into_iter().collect(),
    }
}

/// What the model thought: a text, or a list of texts.
pub(super) fn reasoning(value: Option<&Value>) -> Vec<String> {
    let thought = |held: &Held| Object::part("reasoning").held("content", held).end();
    match value {
        Some(Value::List(items)) => {
            items.iter().filter_map(|item| text(item.get("text").or(Some(item)))).map(thought).collect()
        }
        Some(value @ Value::Object(_)) => text(value.get("text")).map(thought).into_iter().collect(),
        value => text(value).map(thought).into_iter().collect(),
    }
}

pub(super) fn refusal(held: &Held) -> String {
    Object::part("refusal").held("content", held).end()
}

pub(super) fn tool_call(id: &str, name: &str, arguments: Option<(Cow<'_, str>, bool)>) -> String {
    write::tool_call(id, name, arguments.as_ref().map(|(text, cut)| (&**text, *cut)), false)
}

pub(super) fn server_tool_call(id: &str, name: &str, kind: &str, call: &Value) -> String {
    let arguments = json(call.get("arguments").or(call.get("input")));
    write::server_tool_call(id, name, kind, arguments.as_ref().map(|(text, cut)| (&**text, *cut)))
}

/// The result of a tool, which is JSON text.
pub(super) fn tool_response(id: &str, response: &str, cut: bool) -> String {
    Object::part("tool_call_response").some("id", id).said("response", response, false).truncated(cut).end()
}

/// What a tool answered, as JSON text: a string as it is, a list as parts.
pub(super) fn response(content: Option<&Value>) -> (String, bool) {
    match content {
        Some(Value::Text(held)) => (string(&held.as_str()), held.cut),
        Some(content) => (list(&parts(content, "document")), false),
        None => ("null".to_owned(), false),
    }
}

/// One part. What has no meaning without what was left out is none.
fn part(part: &Value, modality: &str) -> Option<String> {
    match part {
        Value::Text(held) => (!held.is_empty()).then(|| said(held)),
        Value::Blob(_) => data(part, "", modality),
        Value::Object(_) => match &*word(part.get("type")) {
            "" => untyped(part),
            kind => typed(kind, part),
        },
        Value::Json(_) | Value::Word(_) | Value::List(_) => None,
    }
}

fn said(held: &Held) -> String {
    Object::part("text").held("content", held).end()
}

/// A part that says what it is: OpenAI, Anthropic, Cohere v2, Mistral.
fn typed(kind: &str, part: &Value) -> Option<String> {
    let id = || word(part.get("id"));
    match kind {
        "text" | "input_text" | "output_text" => text(part.get("text")).map(said),
        "refusal" => text(part.get("refusal")).map(refusal),
        "thinking" => reasoning(part.get("thinking")).into_iter().next(),
        "reasoning" | "reasoning_text" | "summary_text" => {
            reasoning(part.get("text").or(part.get("reasoning"))).into_iter().next()
        }
        "redacted_thinking" => Some(write::redacted_reasoning()),
        "tool_use" => Some(tool_call(&id(), &word(part.get("name")), json(part.get("input")))),
        "server_tool_use" | "mcp_tool_use" => Some(server_tool_call(&id(), &word(part.get("name")), kind, part)),
        "tool_result" => {
            let (result, cut) = response(part.get("content"));
            Some(tool_response(&word(part.get("tool_use_id")), &result, cut))
        }
        _ if kind.ends_with("_tool_result") => Some(write::server_tool_result(&word(part.get("tool_use_id")), kind)),
        "image_url" | "input_image" => media(part, part.get("image_url"), "image"),
        "video_url" => media(part, part.get("video_url"), "video"),
        "audio_url" => media(part, part.get("audio_url"), "audio"),
        "input_audio" => media(part, part.get("input_audio"), "audio"),
        "file" | "input_file" => media(part, part.get("file"), "document"),
        "image" => media(part, part.get("source").or(part.get("image")), "image"),
        "document" | "container_upload" => media(part, part.get("source").or(part.get("document")), "document"),
        _ => None,
    }
    // A part of a type that is not known, or without what its type promises, is known to have been there.
    .or_else(|| {
        let empty = matches!(kind, "text" | "input_text" | "output_text" | "thinking");
        let other = || match text(part.get("text")) {
            Some(held) => Object::part(kind).held("content", held).end(),
            None => Object::part(kind).end(),
        };
        (!empty).then(other)
    })
}

/// A part that is told by its one member: Gemini and Converse.
fn untyped(part: &Value) -> Option<String> {
    let get = |names: [&str; 2]| names.into_iter().find_map(|name| part.get(name));
    if let Some(held) = text(part.get("text")) {
        let thought = matches!(part.get("thought"), Some(Value::Word(word)) if &**word == "true");
        return Some(if thought { Object::part("reasoning").held("content", held).end() } else { said(held) });
    }
    if let Some(inline) = get(["inlineData", "inline_data"]) {
        return media(inline, Some(inline), "document");
    }
    if let Some(file) = get(["fileData", "file_data"]) {
        return media(file, Some(file), "document");
    }
    if let Some(call) = get(["functionCall", "function_call"]) {
        return Some(tool_call(&word(call.get("id")), &word(call.get("name")), json(call.get("args"))));
    }
    if let Some(result) = get(["functionResponse", "function_response"]) {
        let (response, cut) = json(result.get("response")).unwrap_or((Cow::Borrowed("null"), false));
        let id = [word(result.get("id")), word(result.get("name"))];
        let id = id.iter().find(|id| !id.is_empty()).map_or("", |id| id);
        return Some(
            Object::part("tool_call_response").some("id", id).said("response", &response, cut).truncated(cut).end(),
        );
    }
    if let Some(code) = part.get("executableCode") {
        let code = json(code.get("code"));
        let code = code.as_ref().map(|(text, cut)| (&**text, *cut));
        return Some(write::server_tool_call("", "code_execution", "executableCode", code));
    }
    if part.get("codeExecutionResult").is_some() {
        return Some(write::server_tool_result("", "codeExecutionResult"));
    }
    if let Some(call) = part.get("toolUse") {
        return Some(tool_call(&word(call.get("toolUseId")), &word(call.get("name")), json(call.get("input"))));
    }
    if let Some(result) = part.get("toolResult") {
        let (response, cut) = response(result.get("content"));
        return Some(tool_response(&word(result.get("toolUseId")), &response, cut));
    }
    if let Some(thought) = part.get("reasoningContent") {
        let told = reasoning(thought.get("reasoningText")).into_iter().next();
        return told.or_else(|| thought.get("redactedContent").map(|_| write::redacted_reasoning()));
    }
    for kind in ["image", "audio", "video", "document"] {
        if let Some(held) = part.get(kind) {
            return media(held, held.get("source"), kind);
        }
    }
    if let Some(held) =
        part.get("guardContent").and_then(|guarded| text(guarded.get("text").and_then(|part| part.get("text"))))
    {
        return Some(said(held));
    }
    json(part.get("json")).map(|(value, cut)| Object::part("json").said("content", &value, cut).truncated(cut).end())
}

/// A part with an image, a recording or a document: its data, or where it is. `at` is the member it is in.
fn media(part: &Value, at: Option<&Value>, modality: &str) -> Option<String> {
    let at = at.unwrap_or(part);
    let either = |names: &[&str]| names.iter().find_map(|name| at.get(name).or(part.get(name)));
    let mime = word(either(&["media_type", "mimeType", "mime_type"]));
    let format = word(either(&["format"]));
    let mime = if mime.is_empty() { Cow::Borrowed(media_type(modality, &format)) } else { mime };
    let source = either(&["data", "bytes", "file_data", "url", "uri", "fileUri", "file_uri", "file_url"])
        .or(either(&["s3Location"]).and_then(|location| location.get("uri")))
        .unwrap_or(at);
    data(source, &mime, modality).or_else(|| {
        let id = word(either(&["file_id"]));
        let file = || {
            let modality = modality_of(&mime).unwrap_or(modality);
            Object::part("file").some("mime_type", &mime).text("modality", modality).text("file_id", &id).end()
        };
        // Documents that are made of parts, and those that are texts.
        let inner =
            || text(at.get("text")).map(said).or_else(|| parts(at.get("content")?, modality).into_iter().next());
        if id.is_empty() { inner() } else { Some(file()) }
    })
}

/// Binary data, or the address of it, or the text that is in its place.
fn data(value: &Value, mime: &str, modality: &str) -> Option<String> {
    match value {
        Value::Blob(blob) => {
            let (own, blob) = &**blob;
            Some(write::blob(own.as_deref().unwrap_or(mime), modality, blob))
        }
        Value::Text(held) if held.is_empty() => None,
        Value::Text(held) if held.as_str().contains("://") || held.bytes().starts_with(b"data:") => {
            let modality = modality_of(mime).unwrap_or(modality);
            Some(Object::part("uri").some("mime_type", mime).text("modality", modality).held("uri", held).end())
        }
        Value::Text(held) => Some(said(held)),
        _ => None,
    }
}

/// The media type of what Converse, and OpenAI for audio, name by its format alone; empty where there is none to tell.
fn media_type(modality: &str, format: &str) -> &'static str {
    match (modality, format) {
        ("image", "png") => "image/png",
        ("image", "jpeg") => "image/jpeg",
        ("image", "gif") => "image/gif",
        ("image", "webp") => "image/webp",
        ("audio", "wav") => "audio/wav",
        ("audio", "mp3") => "audio/mpeg",
        ("audio", "flac") => "audio/flac",
        ("video", "mp4") => "video/mp4",
        ("video", "webm") => "video/webm",
        ("video", "mov") => "video/quicktime",
        ("document", "pdf") => "application/pdf",
        ("document", "csv") => "text/csv",
        ("document", "html") => "text/html",
        ("document", "txt") => "text/plain",
        ("document", "md") => "text/markdown",
        _ => "",
    }
}
