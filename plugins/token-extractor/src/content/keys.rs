//! Members of requests in which something is said, and how each is read. All others are passed over.

/// How a value is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Treatment {
    /// A word that says what its neighbours are: kept even where the limit is reached.
    Word,
    /// Text, or an object or a list with more in it.
    Text,
    /// JSON that means something to the caller's tools only: kept as the text it is.
    Json,
    /// A URL, or an object with one.
    Url,
    /// Base64, a data URL, or an object that has it in it.
    Base64,
}

use Treatment::{Base64, Json, Text, Url, Word};

/// Members of the request itself, in the order in which what they hold was said.
pub(super) const ROOTS: &[(&str, Treatment)] = &[
    // System instructions: Anthropic, Converse and Ollama; Responses; Gemini, in both its spellings; Cohere v1.
    ("system", Text),
    ("instructions", Text),
    ("systemInstruction", Text),
    ("system_instruction", Text),
    ("preamble", Text),
    // Messages: Cohere v1 has all but the last apart. Then most; Gemini; Responses; completions; Titan.
    ("chat_history", Text),
    ("messages", Text),
    ("contents", Text),
    ("input", Text),
    ("prompt", Text),
    ("inputText", Text),
    ("message", Text),
    ("tool_results", Text),
    // Images beside the prompt of Ollama.
    ("images", Base64),
    // Tools: most; OpenAI before tools; Converse.
    ("tools", Text),
    ("functions", Text),
    ("toolConfig", Text),
];

/// Whether a member of the request holds definitions of tools.
pub(super) fn defines_tools(name: &str) -> bool {
    matches!(name, "tools" | "functions" | "toolConfig")
}

/// Members of what is below, sorted by name.
const KEYS: &[(&str, Treatment)] = &[
    ("args", Json),
    ("arguments", Json),
    ("audio", Text),
    ("audio_url", Url),
    ("bytes", Base64),
    ("call_id", Word),
    ("code", Json),
    ("codeExecution", Json),
    ("codeExecutionResult", Text),
    ("code_execution", Json),
    ("content", Text),
    ("custom", Text),
    ("data", Base64),
    ("description", Text),
    ("document", Text),
    ("executableCode", Text),
    ("file", Text),
    ("fileData", Text),
    ("fileUri", Url),
    ("file_data", Base64),
    ("file_id", Word),
    ("file_uri", Url),
    ("file_url", Url),
    ("filename", Word),
    ("format", Word),
    ("function", Text),
    ("functionCall", Text),
    ("functionDeclarations", Text),
    ("functionResponse", Text),
    ("function_call", Text),
    ("function_declarations", Text),
    ("function_response", Text),
    ("googleSearch", Json),
    ("google_search", Json),
    ("guardContent", Text),
    ("id", Word),
    ("image", Text),
    ("image_url", Url),
    ("images", Base64),
    ("inlineData", Text),
    ("inline_data", Text),
    ("input", Json),
    ("inputSchema", Text),
    ("input_audio", Text),
    ("input_schema", Json),
    ("json", Json),
    ("media_type", Word),
    ("message", Text),
    ("mimeType", Word),
    ("mime_type", Word),
    ("name", Word),
    ("output", Text),
    ("outputs", Json),
    ("parameter_definitions", Json),
    ("parameters", Json),
    ("parametersJsonSchema", Json),
    ("parts", Text),
    ("reasoning", Text),
    ("reasoningContent", Text),
    ("reasoningText", Text),
    ("reasoning_content", Text),
    ("redactedContent", Base64),
    ("refusal", Text),
    ("response", Json),
    ("role", Word),
    ("s3Location", Text),
    ("server_label", Word),
    ("source", Text),
    ("summary", Text),
    ("text", Text),
    ("thinking", Text),
    ("thought", Word),
    ("toolResult", Text),
    ("toolSpec", Text),
    ("toolUse", Text),
    ("toolUseId", Word),
    ("tool_call_id", Word),
    ("tool_calls", Text),
    ("tool_name", Word),
    ("tool_plan", Text),
    ("tool_use_id", Word),
    ("tools", Text),
    ("type", Word),
    ("uri", Url),
    ("url", Url),
    ("urlContext", Json),
    ("url_context", Json),
    ("video", Text),
    ("video_url", Url),
];

pub(super) fn root(key: &[u8]) -> Option<(&'static str, Treatment)> {
    ROOTS.iter().find(|(name, _)| name.as_bytes() == key).copied()
}

pub(super) fn below(key: &[u8]) -> Option<(&'static str, Treatment)> {
    let at = KEYS.binary_search_by(|(name, _)| name.as_bytes().cmp(key)).ok()?;
    KEYS.get(at).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_found() {
        for (name, treatment) in KEYS {
            assert_eq!(below(name.as_bytes()), Some((*name, *treatment)), "the keys are sorted at {name}");
        }
        assert_eq!(below(b"cache_control"), None);
    }
}
