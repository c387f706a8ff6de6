//! OpenInference (Phoenix, Arize, and the traces of Envoy AI Gateway unless it is told otherwise).
//!
//! Source: the OpenInference semantic conventions. `llm.token_count.prompt` includes its details; emitters that leave
//! the cached part out are found by their own total, or because a part is larger than its whole.

use super::convert::Convert;
use super::facts::Facts;
use super::parameters;
use super::span::{JSON_BYTES, Span};
use super::{Rename, read, to};
use serde::Deserialize;
use tollgate_semconv::{call_role, operation};

/// `(foreign name, current name, conversion)`.
pub(super) const RENAMES: &[Rename] = &[
    ("llm.provider", to::PROVIDER, Convert::Provider),
    ("llm.system", to::PROVIDER, Convert::Provider),
    ("llm.request.model_name", to::REQUEST_MODEL, Convert::AsIs),
    ("embedding.model_name", to::REQUEST_MODEL, Convert::AsIs),
    ("llm.response.model_name", to::RESPONSE_MODEL, Convert::AsIs),
    ("llm.finish_reason", to::FINISH_REASONS, Convert::List),
    ("llm.token_count.prompt", to::INPUT, Convert::AsIs),
    ("llm.token_count.completion", to::OUTPUT, Convert::AsIs),
    ("llm.token_count.prompt_details.cache_read", to::CACHE_READ, Convert::AsIs),
    ("llm.token_count.prompt_details.cache_input", to::CACHE_READ, Convert::AsIs),
    ("llm.token_count.prompt_details.cache_write", to::CACHE_WRITE, Convert::AsIs),
    ("llm.token_count.prompt_details.audio", to::AUDIO_INPUT, Convert::AsIs),
    ("llm.token_count.prompt_details.image", to::IMAGE_INPUT, Convert::AsIs),
    ("llm.token_count.completion_details.reasoning", to::REASONING, Convert::AsIs),
    ("llm.token_count.completion_details.audio", to::AUDIO_OUTPUT, Convert::AsIs),
    ("llm.token_count.completion_details.image", to::IMAGE_OUTPUT, Convert::AsIs),
    ("agent.name", to::AGENT_NAME, Convert::AsIs),
    ("tool.name", to::TOOL_NAME, Convert::AsIs),
    ("session.id", to::CONVERSATION, Convert::AsIs),
];

/// The beginning of an answer as the client had it.
#[derive(Deserialize)]
struct Answer {
    id: Option<String>,
}

/// Kind of span, parameters, and the id that stands in the answer.
pub(super) fn read<'b>(span: Span<'_, 'b>, facts: &mut Facts<'b>) {
    let Some(kind) = span.text(read::OI_KIND) else { return };
    facts.known = true;
    facts.total = facts.total.or_else(|| span.count(read::OI_TOTAL));
    let (operation, role) = match kind {
        "LLM" => (Some(operation::CHAT), call_role::BILLABLE),
        "EMBEDDING" => (Some(operation::EMBEDDINGS), call_role::BILLABLE),
        "AGENT" => (Some(operation::INVOKE_AGENT), call_role::AGGREGATE),
        "TOOL" => (Some(operation::EXECUTE_TOOL), call_role::AGGREGATE),
        "RETRIEVER" => (Some(operation::RETRIEVAL), call_role::AGGREGATE),
        // A chain that has usage repeats that of the call in it.
        "CHAIN" if facts.has(to::INPUT) || facts.has(to::OUTPUT) => (None, call_role::WRAPPER),
        _ => (None, call_role::AGGREGATE),
    };
    facts.set_text(to::OPERATION, operation);
    facts.role = facts.role.or(Some(role));
    let request = span.json(read::OI_PARAMETERS).or_else(|| span.json(read::OI_EMBEDDING_PARAMETERS));
    if let Some(request) = &request {
        parameters::read(request, facts);
    }
    if let Some(model) = span.text(read::OI_MODEL) {
        // Instrumentations replace the name that was asked for by that of the answer.
        if facts.text(to::REQUEST_MODEL).is_some_and(|asked| asked != model) {
            facts.set_text(to::RESPONSE_MODEL, Some(model));
        }
        facts.set_text(to::REQUEST_MODEL, Some(model));
    }
    if role == call_role::BILLABLE
        && !facts.has(to::RESPONSE_ID)
        && let Some(output) =
            span.text(read::OI_OUTPUT).filter(|text| text.starts_with('{') && text.len() <= JSON_BYTES)
        && let Ok(Answer { id: Some(id) }) = serde_json::from_str(output)
    {
        facts.set_text(to::RESPONSE_ID, Some(id));
    }
}
