//! What the host answers, as far as it is shown. Fields that are not here may come and go.

use serde::Deserialize;

/// The answers of one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// Of `/api/live`.
    pub live: Live,
    /// Of `/api/calls`.
    pub calls: Vec<Call>,
}

/// The answer of `/api/live`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
pub struct Live {
    /// Whether calls may be missing.
    #[serde(default)]
    pub sampled: bool,
    /// When it was made.
    #[serde(default)]
    pub until: String,
    /// The part of the window that was observed.
    #[serde(default)]
    pub observed_seconds: f64,
    /// Calls a second.
    pub calls_per_second: Option<f64>,
    /// Dollars an hour, decimal text.
    pub cost_usd_per_hour: Option<String>,
    /// Tokens a second.
    pub tokens_per_second: Option<f64>,
    /// Sums.
    #[serde(default)]
    pub totals: Sums,
    /// Times of calls.
    #[serde(default)]
    pub duration: Latency,
    /// Times to the first chunk.
    #[serde(default)]
    pub time_to_first_chunk: Latency,
    /// By model.
    #[serde(default)]
    pub models: Vec<Model>,
}

/// Sums over calls.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
pub struct Sums {
    /// Decimal text.
    pub cost_usd: String,
    /// Calls.
    pub calls: u64,
    /// Calls without a cost.
    pub unpriced_calls: u64,
    /// Calls that failed.
    pub failed_calls: u64,
    /// Tokens.
    pub tokens: Tokens,
}

/// Tokens. They are shown rounded, and a sum may be over 64 bits.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
pub struct Tokens {
    /// Read.
    pub input: Option<f64>,
    /// Written.
    pub output: Option<f64>,
}

/// Percentiles in nanoseconds.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
pub struct Latency {
    /// Half of the calls.
    pub p50_ns: Option<u64>,
    /// 95 of a hundred.
    pub p95_ns: Option<u64>,
    /// 99 of a hundred.
    pub p99_ns: Option<u64>,
}

/// The calls of a model.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
pub struct Model {
    /// The model.
    pub model: Option<String>,
    /// Sums.
    #[serde(flatten)]
    pub sums: Sums,
    /// Times.
    #[serde(default)]
    pub duration: Latency,
}

/// The answer of `/api/calls`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
pub struct Calls {
    /// The newest first.
    pub calls: Vec<Call>,
}

/// A call.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
pub struct Call {
    /// RFC 3339.
    pub time: String,
    /// Asked for.
    pub request_model: Option<String>,
    /// That answered.
    pub response_model: Option<String>,
    /// Service.
    pub service: Option<String>,
    /// User.
    pub user: Option<String>,
    /// Tokens.
    pub tokens: Tokens,
    /// Decimal text.
    pub cost_usd: Option<String>,
    /// From start to end.
    pub duration_ns: Option<u64>,
    /// Why it failed.
    pub error_type: Option<String>,
}
