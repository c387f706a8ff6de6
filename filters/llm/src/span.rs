//! A call as an OTLP span.

use crate::call::Call;
use crate::config::Sampling;
use tollgate_call::{Api, Content, Record, UsageSource};
use tollgate_cost_calculator::{Charge, Source, Unpriced, Usd};
use tollgate_otlp::{AttributeWriter, Envelope, NewValue, SpanKind, SpanWriter, StatusCode, trace_state};
use tollgate_semconv::attribute as name;

/// What spans are sent by: the resource of the configuration, and this module.
pub(crate) fn envelope(resource: &[(String, String)]) -> Envelope {
    let resource: Vec<(&str, NewValue<'_>)> =
        resource.iter().map(|(name, value)| (name.as_str(), value.as_str().into())).collect();
    Envelope::new(&resource, "tollgate", env!("CARGO_PKG_VERSION"))
}

/// Bit of `Span.flags`: whether the parent is remote is known.
const HAS_IS_REMOTE: u32 = 0x100;
/// Bit of `Span.flags`: the parent is remote.
const IS_REMOTE: u32 = 0x200;

/// The encoded span of a call: kind *client*, named by operation and model, in the caller's trace.
pub(crate) fn encode(call: &Call<'_>, sampling: Sampling, with_content: bool) -> Vec<u8> {
    let record = call.record;
    let title = match record.model() {
        Some(model) => format!("{} {model}", record.operation.as_str()),
        None => record.operation.as_str().to_owned(),
    };
    let mut span = SpanWriter::new(call.trace_id, call.span_id, &title);
    span.kind(SpanKind::Client).times(call.started, call.ended);
    let remote = if call.caller.parent.is_some() { IS_REMOTE } else { 0 };
    span.flags(u32::from(call.trace_flags()) | HAS_IS_REMOTE | remote);
    if let Some(parent) = call.caller.parent {
        span.parent(parent.span_id);
    }
    state(&mut span, call, sampling);
    if record.error_type.is_some() {
        span.status(StatusCode::Error, "");
    }
    let mut attributes = span.attributes();
    facts(&mut attributes, call, sampling);
    if with_content {
        for (key, messages) in said(call.content) {
            attributes.set(key, messages);
        }
    }
    span.bytes().to_vec()
}

/// The caller's trace state, with the threshold that the span was kept by. Where there is none to say, it stays as it
/// is, byte by byte.
fn state(span: &mut SpanWriter, call: &Call<'_>, sampling: Sampling) {
    let before = call.caller.trace_state.as_deref().unwrap_or_default();
    if thins(call, sampling) {
        span.trace_state(&trace_state::with_threshold(before, Some(sampling.ratio.threshold())));
    } else if !before.is_empty() {
        span.trace_state(before);
    }
}

/// Whether the ratio decided on the span. Where the caller did, or everything is kept, nobody needs a threshold.
fn thins(call: &Call<'_>, sampling: Sampling) -> bool {
    let callers_choice = sampling.follow_parent && call.caller.parent.is_some();
    !callers_choice && sampling.ratio.threshold() != 0
}

/// Everything that is known of a call but what was said: the same on its span and on its event.
pub(crate) fn facts(attributes: &mut AttributeWriter<'_>, call: &Call<'_>, sampling: Sampling) {
    let record = call.record;
    if thins(call, sampling) {
        attributes.set(name::TOLLGATE_SAMPLING_PROBABILITY, sampling.ratio.probability());
    }
    if let Some(error) = record.error_type.as_deref() {
        attributes.set(name::ERROR_TYPE, error);
    }
    identity(attributes, record, &call.caller.host);
    usage(attributes, record);
    if call.usage_requested {
        attributes.set(name::TOLLGATE_USAGE_REQUESTED, true);
    }
    match &call.cost {
        Some(Ok(charge)) => {
            price(attributes, charge);
            if let Some(level) = call.cost_level {
                attributes.set(name::TOLLGATE_COST_LEVEL, level);
            }
        }
        Some(Err(unpriced)) => no_price(attributes, *unpriced),
        None => {}
    }
    parameters(attributes, record);
    timing(attributes, call);
    redactions(attributes, call);
}

fn identity(span: &mut AttributeWriter<'_>, record: &Record, host: &str) {
    span.set(name::GEN_AI_OPERATION_NAME, record.operation.as_str());
    for (key, value) in [
        (name::GEN_AI_PROVIDER_NAME, record.provider.as_deref()),
        (name::GEN_AI_REQUEST_MODEL, record.request_model.as_deref()),
        (name::GEN_AI_RESPONSE_MODEL, record.response_model.as_deref()),
        (name::GEN_AI_RESPONSE_ID, record.response_id.as_deref()),
        (name::TOLLGATE_RESPONSE_SERVICE_TIER, record.service_tier.as_deref()),
        (name::TOLLGATE_RESPONSE_SPEED, record.speed.as_deref()),
        (name::TOLLGATE_RESPONSE_INFERENCE_GEO, record.inference_geo.as_deref()),
        (name::OPENAI_RESPONSE_SYSTEM_FINGERPRINT, record.system_fingerprint.as_deref()),
        (name::TOLLGATE_ERROR_CODE, record.error_code.as_deref()),
        (name::TOLLGATE_API, record.api.as_ref().map(Api::as_str)),
    ] {
        if let Some(value) = value {
            span.set(key, value);
        }
    }
    texts(span, name::GEN_AI_RESPONSE_FINISH_REASONS, &record.finish_reasons);
    texts(span, name::TOLLGATE_RESPONSE_TOOLS_CALLED, &record.tools_called);
    if record.stream {
        span.set(name::GEN_AI_REQUEST_STREAM, true);
    }
    if let Some(status) = record.status {
        span.set(name::HTTP_RESPONSE_STATUS_CODE, i64::from(status));
    }
    let (address, port) = host_and_port(host);
    if !address.is_empty() {
        span.set(name::SERVER_ADDRESS, address);
    }
    if let Some(port) = port {
        span.set(name::SERVER_PORT, i64::from(port));
    }
    span.set(name::TOLLGATE_OUTCOME, record.outcome.as_str());
}

/// What the request asked for. The conventions leave out a choice count of 1.
fn parameters(span: &mut AttributeWriter<'_>, record: &Record) {
    let asked = &record.parameters;
    for (key, value) in [
        (name::GEN_AI_REQUEST_TEMPERATURE, asked.temperature),
        (name::GEN_AI_REQUEST_TOP_P, asked.top_p),
        (name::GEN_AI_REQUEST_FREQUENCY_PENALTY, asked.frequency_penalty),
        (name::GEN_AI_REQUEST_PRESENCE_PENALTY, asked.presence_penalty),
    ] {
        if let Some(value) = value {
            span.set(key, value);
        }
    }
    for (key, value) in [
        (name::GEN_AI_REQUEST_TOP_K, asked.top_k),
        (name::GEN_AI_REQUEST_MAX_TOKENS, asked.max_tokens),
        (name::GEN_AI_REQUEST_CHOICE_COUNT, asked.choice_count.filter(|count| *count != 1)),
        (name::GEN_AI_REQUEST_SEED, asked.seed),
        (name::GEN_AI_EMBEDDINGS_DIMENSION_COUNT, asked.dimensions),
    ] {
        if let Some(value) = value {
            span.set(key, value);
        }
    }
    for (key, value) in [
        (name::GEN_AI_REQUEST_REASONING_LEVEL, &asked.reasoning_level),
        (name::GEN_AI_REQUEST_PREVIOUS_RESPONSE_ID, &asked.previous_response_id),
        (name::GEN_AI_OUTPUT_TYPE, &asked.output_type),
        (name::GEN_AI_CONVERSATION_ID, &asked.conversation_id),
        (name::TOLLGATE_REQUEST_SERVICE_TIER, &asked.service_tier),
        (name::USER_ID, &asked.user),
    ] {
        if let Some(value) = value {
            span.set(key, value.as_str());
        }
    }
    texts(span, name::GEN_AI_REQUEST_STOP_SEQUENCES, &asked.stop_sequences);
    texts(span, name::GEN_AI_REQUEST_ENCODING_FORMATS, &asked.encoding_formats);
    texts(span, name::TOLLGATE_REQUEST_TOOLS, &asked.tools);
}

fn texts(span: &mut AttributeWriter<'_>, key: &str, values: &[String]) {
    if !values.is_empty() {
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        span.set(key, values.as_slice());
    }
}

fn timing(span: &mut AttributeWriter<'_>, call: &Call<'_>) {
    let timing = call.timing;
    if let Some(time) = timing.time_to_first_chunk {
        span.set(name::GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK, time as f64 / 1e9)
            .set(name::TOLLGATE_RESPONSE_OUTPUT_CHUNKS, timing.output_chunks);
    }
    if let Some(time) = timing.time_per_output_chunk() {
        span.set(name::TOLLGATE_RESPONSE_TIME_PER_OUTPUT_CHUNK, time as f64 / 1e9);
    }
    span.set(name::HTTP_REQUEST_BODY_SIZE, timing.request_bytes)
        .set(name::HTTP_RESPONSE_BODY_SIZE, timing.response_bytes);
}

/// The parts of an `:authority`. An IPv6 address keeps its brackets.
fn host_and_port(authority: &str) -> (&str, Option<u16>) {
    match authority.rsplit_once(':') {
        Some((host, port)) => port.parse().map_or((authority, None), |port| (host, Some(port))),
        None => (authority, None),
    }
}

fn usage(span: &mut AttributeWriter<'_>, record: &Record) {
    let Some(usage) = &record.usage else { return };
    for (key, tokens) in [
        (name::GEN_AI_USAGE_INPUT_TOKENS, usage.input_tokens),
        (name::GEN_AI_USAGE_OUTPUT_TOKENS, usage.output_tokens),
        (name::GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS, usage.cache_read_tokens),
        (name::GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS, usage.cache_write_tokens),
        (name::TOLLGATE_USAGE_CACHE_WRITE_5M_TOKENS, usage.cache_write_5m_tokens),
        (name::TOLLGATE_USAGE_CACHE_WRITE_1H_TOKENS, usage.cache_write_1h_tokens),
        (name::GEN_AI_USAGE_REASONING_OUTPUT_TOKENS, usage.reasoning_tokens),
        (name::GEN_AI_USAGE_AUDIO_INPUT_TOKENS, usage.audio_input_tokens),
        (name::GEN_AI_USAGE_AUDIO_OUTPUT_TOKENS, usage.audio_output_tokens),
        (name::GEN_AI_USAGE_IMAGE_INPUT_TOKENS, usage.image_input_tokens),
        (name::GEN_AI_USAGE_IMAGE_OUTPUT_TOKENS, usage.image_output_tokens),
        (name::GEN_AI_USAGE_AUDIO_CACHE_READ_INPUT_TOKENS, usage.cache_read_audio_tokens),
        (name::GEN_AI_USAGE_IMAGE_CACHE_READ_INPUT_TOKENS, usage.cache_read_image_tokens),
        (name::TOLLGATE_USAGE_TOOL_USE_INPUT_TOKENS, usage.tool_use_input_tokens),
        (name::TOLLGATE_COST_PROVIDER_NANO_USD, usage.provider_cost_nano_usd),
    ] {
        if let Some(tokens) = tokens {
            span.set(key, tokens);
        }
    }
    for (unit, units) in &usage.other_units {
        span.set(&format!("{}{unit}", name::TOLLGATE_USAGE_UNIT_PREFIX), *units);
    }
    for (tool, calls) in &usage.server_tool_calls {
        span.set(&format!("{}{tool}", name::TOLLGATE_USAGE_SERVER_TOOL_PREFIX), *calls);
    }
    if let Some(source) = record.usage_source.map(UsageSource::as_str) {
        span.set(name::TOLLGATE_USAGE_SOURCE, source);
    }
}

fn price(span: &mut AttributeWriter<'_>, charge: &Charge<'_>) {
    let amount = charge.amount.as_f64();
    let source = charge.source.as_str();
    span.set(name::TOLLGATE_COST_AMOUNT, amount)
        .set(name::TOLLGATE_COST_CURRENCY, "USD")
        .set(name::TOLLGATE_COST_SOURCE, source)
        .set(name::GEN_AI_USAGE_COST_AMOUNT, amount)
        .set(name::GEN_AI_USAGE_COST_CURRENCY, "USD")
        .set(name::GEN_AI_USAGE_COST_SOURCE, source);
    let nanos = |amount: Usd| i64::try_from(amount.nanos()).ok();
    if let Some(nanos) = nanos(charge.amount) {
        span.set(name::TOLLGATE_COST_NANO_USD, nanos);
    }
    if charge.disagrees {
        span.set(name::TOLLGATE_COST_DISAGREES, true);
    }
    let Ok(cost) = &charge.computed else { return };
    span.set(name::TOLLGATE_COST_PRICE_SET, cost.price.set)
        .set(name::TOLLGATE_COST_PRICE_ROW, cost.price.row.to_string().as_str())
        .set(name::TOLLGATE_COST_TIER, cost.price.tier.to_string().as_str())
        .set(name::TOLLGATE_COST_PARTS, cost.parts.to_string().as_str());
    if charge.source == Source::Provider
        && let Some(nanos) = nanos(cost.total)
    {
        span.set(name::TOLLGATE_COST_COMPUTED_NANO_USD, nanos);
    }
    for (saved, name) in [
        (cost.savings.cache_read, name::TOLLGATE_SAVINGS_CACHE_READ_NANO_USD),
        (cost.savings.cache_write, name::TOLLGATE_SAVINGS_CACHE_WRITE_NANO_USD),
    ] {
        if let Some(nanos) = nanos(saved).filter(|nanos| *nanos != 0) {
            span.set(name, nanos);
        }
    }
}

fn no_price(span: &mut AttributeWriter<'_>, unpriced: Unpriced) {
    // What this seat's set leaves out is for a later seat with the whole set, which prices what has no reason yet.
    if unpriced != Unpriced::LeftOut {
        span.set(name::TOLLGATE_COST_UNPRICED, unpriced.as_str());
    }
}

/// What was said, where capture is on; redacted before it came here.
pub(crate) fn said(content: &Content) -> impl Iterator<Item = (&'static str, &str)> {
    [
        (name::GEN_AI_SYSTEM_INSTRUCTIONS, &content.system_instructions),
        (name::GEN_AI_INPUT_MESSAGES, &content.input_messages),
        (name::GEN_AI_OUTPUT_MESSAGES, &content.output_messages),
        (name::GEN_AI_TOOL_DEFINITIONS, &content.tool_definitions),
    ]
    .into_iter()
    .filter_map(|(key, messages)| Some((key, messages.as_deref()?)))
}

/// What became of what was said.
fn redactions(span: &mut AttributeWriter<'_>, call: &Call<'_>) {
    if call.content.truncated {
        span.set(name::TOLLGATE_CONTENT_TRUNCATED, true);
    }
    let total: u64 = call.redactions.iter().map(|(_, count)| count).sum();
    if total > 0 {
        span.set(name::TOLLGATE_REDACTION_COUNT, total);
    }
    for (kind, count) in call.redactions {
        span.set(&format!("{}{kind}", name::TOLLGATE_REDACTION_PREFIX), *count);
    }
}
