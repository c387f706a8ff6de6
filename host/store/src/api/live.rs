//! `GET /api/live`.

use super::parameters::{FILTERS, Parameters};
use super::parts::{Percentiles, Source, Whole};
use super::{Context, Refusal};
use crate::moment;
use crate::money::usd;
use crate::query::Sums;
use crate::store::Store;
use serde::Serialize;

const MINUTE: u64 = 60_000_000_000;

/// Most models that can be asked for.
const MOST_LIMIT: usize = 100;

/// What happens now.
#[derive(Debug, Serialize)]
pub struct LiveAnswer {
    #[serde(flatten)]
    source: Source,
    since: String,
    until: String,
    observed_seconds: f64,
    #[serde(flatten)]
    rates: Rates,
    duration: Percentiles,
    time_to_first_chunk: Percentiles,
    models: Vec<One>,
    other_models: Whole,
}

#[derive(Debug, Serialize)]
struct Rates {
    totals: Whole,
    calls_per_second: Option<f64>,
    cost_usd_per_hour: Option<String>,
    tokens_per_second: Option<f64>,
}

#[derive(Debug, Serialize)]
struct One {
    model: Option<String>,
    #[serde(flatten)]
    sums: Whole,
    duration: Percentiles,
}

/// Answers `GET /api/live`.
///
/// # Errors
/// The question is wrong, or the store cannot answer.
pub fn live(store: &Store, question: &str, context: Context) -> Result<LiveAnswer, Refusal> {
    let known: Vec<_> = FILTERS.into_iter().filter(|name| !matches!(*name, "since" | "until")).collect();
    let parameters = Parameters::parse(question, &known)?;
    let filter = parameters.filter(context, Some(MINUTE))?;
    let limit = parameters.count("limit", 20, MOST_LIMIT)?;
    let mut live = store.live(&filter)?;
    let since = filter.since.unwrap_or(0);
    // A store that was begun a moment ago has not seen the whole window; one that was there before has.
    let seen = store.held_since()?.map_or(store.opened(), |held| held.min(store.opened()));
    let observed = context.now.saturating_sub(since.max(seen));
    let mut other = live.other;
    for model in live.models.iter().skip(limit) {
        other.merge(&model.sums);
    }
    live.models.truncate(limit);
    Ok(LiveAnswer {
        source: Source::new(store, context.sampled)?,
        since: moment::text(since),
        until: moment::text(context.now),
        observed_seconds: rounded(seconds(observed)),
        rates: Rates::new(&live.totals, observed),
        duration: Percentiles::new(live.duration),
        time_to_first_chunk: Percentiles::new(live.first_chunk),
        models: live
            .models
            .into_iter()
            .map(|one| One { model: one.model, sums: Whole::new(&one.sums), duration: Percentiles::new(one.duration) })
            .collect(),
        other_models: Whole::new(&other),
    })
}

impl Rates {
    /// By a length of time in nanoseconds; `None` where none has passed.
    #[expect(clippy::cast_precision_loss, reason = "what is exact stands beside it")]
    fn new(sums: &Sums, observed: u64) -> Self {
        let tokens: u128 = sums.tokens.iter().take(2).sum();
        let per_second = |count: f64| (observed > 0).then(|| rounded(count / seconds(observed)));
        let (hour, observed_nanos) = (60 * u128::from(MINUTE), u128::from(observed));
        Self {
            totals: Whole::new(sums),
            calls_per_second: per_second(sums.calls as f64),
            cost_usd_per_hour: (observed > 0)
                .then(|| usd((sums.nano_usd.saturating_mul(hour) + observed_nanos / 2) / observed_nanos)),
            tokens_per_second: per_second(tokens as f64),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "nanoseconds of years are exact to the microsecond")]
fn seconds(nanos: u64) -> f64 {
    nanos as f64 / 1e9
}

/// To six places.
fn rounded(number: f64) -> f64 {
    (number * 1e6).round() / 1e6
}
