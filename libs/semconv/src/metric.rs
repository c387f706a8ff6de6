//! Metrics: names, units, bucket boundaries.
//!
//! Source: OpenTelemetry GenAI conventions, metrics. Two generations of them are in use: the histograms
//! `gen_ai.client.token.usage` and `gen_ai.client.operation.duration`, which is what emitters send today, and
//! `gen_ai.client.inference.*`, which is to replace them. Never sum one with the other.

/// What a metric is recorded with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instrument {
    /// A sum that only grows.
    Counter,
    /// A distribution over [`Metric::boundaries`].
    Histogram,
}

/// A metric: all that has to be known to declare it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Metric {
    /// Name.
    pub name: &'static str,
    /// Unit in UCUM notation: `s`, `{token}`.
    pub unit: &'static str,
    /// Counter or histogram.
    pub instrument: Instrument,
    /// Upper bounds of the histogram's buckets, inclusive, ascending, in `unit`; empty for counters.
    pub boundaries: &'static [f64],
    /// What it says, as help text.
    pub description: &'static str,
}

/// Bucket boundaries of durations, in seconds.
pub const SECONDS: &[f64] = &[0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];

/// Bucket boundaries of token counts.
pub const TOKENS: &[f64] = &[
    1.0,
    4.0,
    16.0,
    64.0,
    256.0,
    1024.0,
    4096.0,
    16384.0,
    65536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
];

const fn seconds(name: &'static str, description: &'static str) -> Metric {
    Metric { name, unit: "s", instrument: Instrument::Histogram, boundaries: SECONDS, description }
}

const fn tokens(name: &'static str, description: &'static str) -> Metric {
    Metric { name, unit: "{token}", instrument: Instrument::Histogram, boundaries: TOKENS, description }
}

const fn token_counter(name: &'static str, description: &'static str) -> Metric {
    Metric { name, unit: "{token}", instrument: Instrument::Counter, boundaries: &[], description }
}

/// Tokens of a call; attribute `gen_ai.token.type` says which.
pub const CLIENT_TOKEN_USAGE: Metric = tokens("gen_ai.client.token.usage", "Tokens read and written by a call.");

/// Duration of a call.
pub const CLIENT_OPERATION_DURATION: Metric = seconds("gen_ai.client.operation.duration", "Duration of a call.");

/// Time from the request to the first chunk of a stream.
pub const CLIENT_TIME_TO_FIRST_CHUNK: Metric =
    seconds("gen_ai.client.operation.time_to_first_chunk", "Time from the request to the first chunk of the answer.");

/// Time between chunks of a stream.
pub const CLIENT_TIME_PER_OUTPUT_CHUNK: Metric =
    seconds("gen_ai.client.operation.time_per_output_chunk", "Time from one chunk of the answer to the next.");

/// Newer conventions: duration of an inference.
pub const INFERENCE_DURATION: Metric = seconds("gen_ai.client.inference.duration", "Duration of an inference.");

/// Newer conventions: time from the request to the first chunk.
pub const INFERENCE_TIME_TO_FIRST_CHUNK: Metric = seconds(
    "gen_ai.client.inference.time_to_first_chunk",
    "Time from the request to the first chunk of the answer of an inference.",
);

/// Newer conventions: time between chunks.
pub const INFERENCE_TIME_PER_OUTPUT_CHUNK: Metric = seconds(
    "gen_ai.client.inference.time_per_output_chunk",
    "Time from one chunk of the answer of an inference to the next.",
);

/// Newer conventions: all tokens read.
pub const INFERENCE_INPUT_TOKENS: Metric =
    token_counter("gen_ai.client.inference.usage.input_tokens", "Tokens read, cached ones included.");

/// Newer conventions: all tokens written.
pub const INFERENCE_OUTPUT_TOKENS: Metric =
    token_counter("gen_ai.client.inference.usage.output_tokens", "Tokens written, reasoning included.");

/// Newer conventions: the part of the input that came from the cache.
pub const INFERENCE_CACHE_READ_TOKENS: Metric =
    token_counter("gen_ai.client.inference.usage.cache_read.input_tokens", "Tokens read from the provider's cache.");

/// Newer conventions: the part of the input that went into the cache.
pub const INFERENCE_CACHE_WRITE_TOKENS: Metric =
    token_counter("gen_ai.client.inference.usage.cache_write.input_tokens", "Tokens written to the provider's cache.");

/// Newer conventions: the part of the output that was reasoning.
pub const INFERENCE_REASONING_TOKENS: Metric =
    token_counter("gen_ai.client.inference.usage.reasoning.output_tokens", "Tokens of reasoning.");

/// Newer conventions: input of one call as a distribution.
pub const INFERENCE_OPERATION_INPUT_TOKENS: Metric =
    tokens("gen_ai.client.inference.operation.input_tokens", "Tokens read by one inference.");

/// Newer conventions: output of one call as a distribution.
pub const INFERENCE_OPERATION_OUTPUT_TOKENS: Metric =
    tokens("gen_ai.client.inference.operation.output_tokens", "Tokens written by one inference.");

/// Every metric of this module.
pub const ALL: &[Metric] = &[
    CLIENT_TOKEN_USAGE,
    CLIENT_OPERATION_DURATION,
    CLIENT_TIME_TO_FIRST_CHUNK,
    CLIENT_TIME_PER_OUTPUT_CHUNK,
    INFERENCE_DURATION,
    INFERENCE_TIME_TO_FIRST_CHUNK,
    INFERENCE_TIME_PER_OUTPUT_CHUNK,
    INFERENCE_INPUT_TOKENS,
    INFERENCE_OUTPUT_TOKENS,
    INFERENCE_CACHE_READ_TOKENS,
    INFERENCE_CACHE_WRITE_TOKENS,
    INFERENCE_REASONING_TOKENS,
    INFERENCE_OPERATION_INPUT_TOKENS,
    INFERENCE_OPERATION_OUTPUT_TOKENS,
];
