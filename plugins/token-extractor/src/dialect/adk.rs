//! Google's Agent Development Kit.
//!
//! Source: the kit's telemetry module and the Gemini API's `usageMetadata`. The kit puts Gemini's candidate tokens
//! under `gen_ai.usage.output_tokens`, which leaves the tokens of its thoughts out; the whole answer, with both and
//! with the total, stands beside it as JSON.

use super::convert::Convert;
use super::facts::{Facts, first_count};
use super::parameters;
use super::span::Span;
use super::{Rename, read, to};
use serde_json::Value;
use tollgate_semconv::{call_role, operation};

/// `(foreign name, current name, conversion)`.
pub(super) const RENAMES: &[Rename] = &[
    ("gcp.vertex.agent.session_id", to::CONVERSATION, Convert::AsIs),
    ("gcp.vertex.agent.user_id", to::USER, Convert::AsIs),
];

/// Parameters and usage from the request and the answer.
pub(super) fn read<'b>(span: Span<'_, 'b>, facts: &mut Facts<'b>) {
    if span.text(read::SCOPE) != Some("gcp.vertex.agent") {
        return;
    }
    facts.known = true;
    if !span.has(read::ADK_RESPONSE) && !span.has(read::ADK_REQUEST) {
        facts.role = facts.role.or(Some(call_role::AGGREGATE));
        return;
    }
    let request = span.json(read::ADK_REQUEST).unwrap_or_default();
    let response = span.json(read::ADK_RESPONSE).unwrap_or_default();
    // Spans of tools have both names too, with nothing in them.
    if facts.has(to::REQUEST_MODEL) || request.get("model").is_some() {
        facts.set_text(to::OPERATION, Some(operation::GENERATE_CONTENT));
    }
    facts.set_text(to::REQUEST_MODEL, request.get("model").and_then(Value::as_str).map(str::to_owned));
    if let Some(config) = request.get("config") {
        parameters::read(config, facts);
    }
    let text = |names: [&str; 2]| names.iter().find_map(|name| response.get(name)?.as_str()).map(str::to_owned);
    facts.set_text(to::RESPONSE_MODEL, text(["model_version", "modelVersion"]));
    facts.set_text(to::RESPONSE_ID, text(["response_id", "responseId"]));
    facts.set_list(to::FINISH_REASONS, response.get("finish_reason"));
    let Some(usage) = response.get("usage_metadata").or_else(|| response.get("usageMetadata")) else { return };
    let total = first_count(usage, &["total_token_count", "totalTokenCount"]);
    let tools = first_count(usage, &["tool_use_prompt_token_count", "toolUsePromptTokenCount"]).unwrap_or(0);
    facts.total = facts.total.or(total.map(|total| total.saturating_sub(tools)));
    facts.set_count(to::INPUT, first_count(usage, &["prompt_token_count", "promptTokenCount"]));
    facts.set_count(to::OUTPUT, first_count(usage, &["candidates_token_count", "candidatesTokenCount"]));
    facts.set_count(to::REASONING, first_count(usage, &["thoughts_token_count", "thoughtsTokenCount"]));
    facts.set_count(to::CACHE_READ, first_count(usage, &["cached_content_token_count", "cachedContentTokenCount"]));
}
