//! The Vercel AI SDK, versions 4 to 6. Version 7 speaks the conventions, with agents and steps around each call.
//!
//! Source: the SDK's documentation of its telemetry, and what it sends. Up to version 5 the counts are the provider's
//! own: without what a cache served, for providers that count so. Version 6 sends inclusive counts and their parts.

use super::convert::Convert;
use super::facts::{Facts, count, first_count};
use super::span::Span;
use super::usage::{self, Stated};
use super::{Rename, read, to};
use serde_json::Value;
use tollgate_semconv::{call_role, operation, provider};

/// `(foreign name, current name, conversion)`.
pub(super) const RENAMES: &[Rename] = &[
    ("ai.model.provider", to::PROVIDER, Convert::Provider),
    ("ai.model.id", to::REQUEST_MODEL, Convert::AsIs),
    ("ai.response.model", to::RESPONSE_MODEL, Convert::AsIs),
    ("ai.response.id", to::RESPONSE_ID, Convert::AsIs),
    ("ai.response.finishReason", to::FINISH_REASONS, Convert::List),
    ("ai.finishReason", to::FINISH_REASONS, Convert::List),
    ("ai.response.msToFirstChunk", to::FIRST_CHUNK, Convert::Milliseconds),
    ("ai.usage.inputTokens", to::INPUT, Convert::AsIs),
    ("ai.usage.promptTokens", to::INPUT, Convert::AsIs),
    ("ai.usage.outputTokens", to::OUTPUT, Convert::AsIs),
    ("ai.usage.completionTokens", to::OUTPUT, Convert::AsIs),
    ("ai.usage.cachedInputTokens", to::CACHE_READ, Convert::AsIs),
    ("ai.usage.inputTokenDetails.cacheReadTokens", to::CACHE_READ, Convert::AsIs),
    ("ai.usage.inputTokenDetails.cacheWriteTokens", to::CACHE_WRITE, Convert::AsIs),
    ("ai.usage.reasoningTokens", to::REASONING, Convert::AsIs),
    ("ai.usage.outputTokenDetails.reasoningTokens", to::REASONING, Convert::AsIs),
    ("ai.settings.maxOutputTokens", to::MAX_TOKENS, Convert::AsIs),
    ("ai.settings.maxTokens", to::MAX_TOKENS, Convert::AsIs),
    ("ai.settings.temperature", to::TEMPERATURE, Convert::AsIs),
    ("ai.settings.topP", to::TOP_P, Convert::AsIs),
    ("ai.settings.topK", to::TOP_K, Convert::AsIs),
    ("ai.settings.frequencyPenalty", to::FREQUENCY_PENALTY, Convert::AsIs),
    ("ai.settings.presencePenalty", to::PRESENCE_PENALTY, Convert::AsIs),
    ("ai.settings.seed", to::SEED, Convert::AsIs),
    ("ai.telemetry.metadata.sessionId", to::CONVERSATION, Convert::AsIs),
    ("ai.telemetry.metadata.userId", to::USER, Convert::AsIs),
    ("ai.telemetry.functionId", to::AGENT_NAME, Convert::AsIs),
    ("ai.toolCall.name", to::TOOL_NAME, Convert::AsIs),
    ("ai.toolCall.id", to::TOOL_CALL_ID, Convert::AsIs),
];

/// Operation, and what only the provider's own answer says.
pub(super) fn read<'b>(span: Span<'_, 'b>, facts: &mut Facts<'b>) {
    let Some(name) = span.text(read::AI_OPERATION) else { return };
    facts.known = true;
    let call = name.rsplit('.').next().unwrap_or(name);
    let (operation, role) = match call {
        "doGenerate" | "doStream" => (Some(operation::CHAT), call_role::BILLABLE),
        "doEmbed" => (Some(operation::EMBEDDINGS), call_role::BILLABLE),
        // The span around the calls repeats the sum of their usage.
        "generateText" | "streamText" | "generateObject" | "streamObject" | "embed" | "embedMany" => {
            (Some(operation::INVOKE_AGENT), call_role::WRAPPER)
        }
        "toolCall" => (Some(operation::EXECUTE_TOOL), call_role::AGGREGATE),
        _ => (None, call_role::AGGREGATE),
    };
    facts.set_text(to::OPERATION, operation);
    facts.role = facts.role.or(Some(role));
    facts.set_stream((call == "doStream").then_some(true));
    facts.total = facts.total.or_else(|| span.count(read::AI_TOTAL));
    if name.contains("mbed") {
        facts.set_count(to::INPUT, span.count(read::AI_TOKENS));
    }
    if let Some(metadata) = span.json(read::AI_METADATA) {
        provider_metadata(&metadata, span.has(read::AI_NO_CACHE), facts);
    }
}

fn provider_metadata(metadata: &Value, inclusive: bool, facts: &mut Facts<'_>) {
    let member = |name: &str| metadata.get(name);
    if let Some(usage) = member("anthropic").or_else(|| member("vertex")).and_then(|anthropic| anthropic.get("usage")) {
        let raw = Stated::anthropic(usage);
        // The same count as the provider's own, which leaves the cached parts out.
        if !inclusive && raw.input.is_some() && facts.count(to::INPUT) == raw.input {
            usage::raise_input(raw.cached(), facts);
        }
        raw.write(facts);
    }
    if let Some(usage) = member("bedrock").and_then(|bedrock| bedrock.get("usage")) {
        let read = first_count(usage, &["cacheReadInputTokens", "cacheReadInputTokenCount"]);
        let write = first_count(usage, &["cacheWriteInputTokens", "cacheWriteInputTokenCount"]);
        let cached = read.unwrap_or(0).saturating_add(write.unwrap_or(0));
        if !inclusive && facts.text(to::PROVIDER) == Some(provider::AWS_BEDROCK) {
            usage::raise_input(cached, facts);
        }
        facts.set_count(to::CACHE_READ, read);
        facts.set_count(to::CACHE_WRITE, write);
    }
    if let Some(usage) = member("google").and_then(|google| google.get("usageMetadata")) {
        facts.total = facts.total.or_else(|| count(usage.get("totalTokenCount")));
        facts.set_count(to::REASONING, count(usage.get("thoughtsTokenCount")));
        facts.set_count(to::CACHE_READ, count(usage.get("cachedContentTokenCount")));
    }
    if let Some(openai) = member("openai") {
        facts.set_count(to::CACHE_READ, count(openai.get("cachedPromptTokens")));
        facts.set_count(to::REASONING, count(openai.get("reasoningTokens")));
        let tier = openai.get("serviceTier").and_then(Value::as_str);
        facts.set_text(to::RESPONSE_TIER, tier.map(str::to_owned));
        facts.set_text(to::RESPONSE_ID, openai.get("responseId").and_then(Value::as_str).map(str::to_owned));
    }
}
