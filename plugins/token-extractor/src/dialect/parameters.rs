//! Parameters of a request, as the providers' APIs name them, from one JSON object.

use super::convert::response_format;
use super::facts::{Facts, count, first_count};
use super::to;
use serde_json::Value;

/// Takes over what is a parameter of the conventions. Members that are none are left alone.
pub(super) fn read(request: &Value, facts: &mut Facts<'_>) {
    let text = |name: &str| request.get(name).and_then(Value::as_str).map(str::to_owned);
    let real = |names: [&str; 2]| names.iter().find_map(|name| request.get(name).and_then(Value::as_f64));
    facts.set_text(to::REQUEST_MODEL, text("model"));
    facts.set_real(to::TEMPERATURE, real(["temperature", "temperature"]));
    facts.set_real(to::TOP_P, real(["top_p", "topP"]));
    facts.set_real(to::FREQUENCY_PENALTY, real(["frequency_penalty", "frequencyPenalty"]));
    facts.set_real(to::PRESENCE_PENALTY, real(["presence_penalty", "presencePenalty"]));
    facts.set_count(to::TOP_K, first_count(request, &["top_k", "topK"]));
    let most = ["max_completion_tokens", "max_output_tokens", "max_tokens", "maxTokens", "maxOutputTokens"];
    facts.set_count(to::MAX_TOKENS, first_count(request, &most));
    // A seed may be negative.
    facts.set_seed(request.get("seed").and_then(Value::as_i64));
    facts.set_count(to::CHOICE_COUNT, count(request.get("n")).filter(|count| *count != 1));
    facts.set_list(to::STOP_SEQUENCES, request.get("stop_sequences").or_else(|| request.get("stop")));
    facts.set_stream(request.get("stream").and_then(Value::as_bool));
    facts.set_text(to::PREVIOUS_RESPONSE, text("previous_response_id"));
    let effort = request.get("reasoning").and_then(|reasoning| reasoning.get("effort")?.as_str());
    facts.set_text(to::REASONING_LEVEL, effort.map(str::to_owned).or_else(|| text("reasoning_effort")));
    let format = request.get("response_format").and_then(|format| format.get("type")?.as_str());
    facts.set_text(to::OUTPUT_TYPE, format.and_then(response_format));
}
