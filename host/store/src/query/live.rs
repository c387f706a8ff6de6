//! What happens now: rates, cost and latency of a window.

use super::aggregate::{COLUMNS, COUNT, one};
use super::filter::Filter;
use super::sums::Sums;
use crate::error::StoreError;
use crate::store::Store;
use rusqlite::params_from_iter;
use rusqlite::types::ValueRef;
use std::cmp::Reverse;
use std::collections::HashMap;

/// Most models that are told apart; calls of others are summed as one.
pub const MOST_MODELS: usize = 1_000;

/// Most calls of a question, because the times of all are ranked in memory: 24 bytes each.
pub const MOST_LIVE_CALLS: usize = 1_000_000;

/// Percentiles of times in nanoseconds, exact: the nearest rank, so each is the time of a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Latency {
    /// Calls whose time is known.
    pub calls: u64,
    /// Half of the calls took no longer.
    pub p50: u64,
    /// 95 of a hundred took no longer.
    pub p95: u64,
    /// 99 of a hundred took no longer.
    pub p99: u64,
}

/// The calls of one model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelLive {
    /// The model; `None` for calls that do not say.
    pub model: Option<String>,
    /// Sums.
    pub sums: Sums,
    /// From start to end.
    pub duration: Latency,
}

/// The calls of a window.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Live {
    /// Sums over all calls.
    pub totals: Sums,
    /// From start to end.
    pub duration: Latency,
    /// To the first chunk of the answer.
    pub first_chunk: Latency,
    /// By model, those with most calls first.
    pub models: Vec<ModelLive>,
    /// Calls of models beyond [`MOST_MODELS`].
    pub other: Sums,
}

impl Store {
    /// The calls that `filter` lets through: their sums and percentiles, and the same by model.
    ///
    /// # Errors
    /// The file cannot be read, it takes too long, or there are more than [`MOST_LIVE_CALLS`].
    pub fn live(&self, filter: &Filter) -> Result<Live, StoreError> {
        self.live_of(filter, MOST_LIVE_CALLS)
    }

    fn live_of(&self, filter: &Filter, most: usize) -> Result<Live, StoreError> {
        let condition = filter.condition();
        let sql = format!(
            "SELECT {COLUMNS}, calls.duration, calls.first_chunk, coalesce(calls.request_model, calls.response_model)
             FROM calls{}",
            condition.sql
        );
        let (mut live, mut models) = (Live::default(), HashMap::<Option<String>, (Sums, Vec<u64>)>::new());
        let (mut durations, mut first_chunks) = (Vec::new(), Vec::new());
        self.read(|connection| {
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query(params_from_iter(condition.values))?;
            let mut model = None;
            while let Some(row) = rows.next()? {
                if durations.len() >= most || first_chunks.len() >= most {
                    return Err(StoreError::TooMany(most));
                }
                let one = one(row)?;
                let whole = |column| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(column)?.and_then(known));
                let (duration, first_chunk) = (whole(COUNT)?, whole(COUNT + 1)?);
                name(row.get_ref(COUNT + 2)?, &mut model);
                live.totals.add(&one);
                durations.extend(duration);
                first_chunks.extend(first_chunk);
                let place = if models.contains_key(&model) || models.len() >= MOST_MODELS {
                    models.get_mut(&model)
                } else {
                    Some(models.entry(model.clone()).or_default())
                };
                match place {
                    Some((sums, durations)) => {
                        sums.add(&one);
                        durations.extend(duration);
                    }
                    None => live.other.add(&one),
                }
            }
            Ok(())
        })?;
        (live.duration, live.first_chunk) = (latency(&mut durations), latency(&mut first_chunks));
        let models = models.into_iter();
        live.models = models
            .map(|(model, (sums, mut durations))| ModelLive { model, sums, duration: latency(&mut durations) })
            .collect();
        live.models.sort_by(|a, b| (Reverse(a.sums.calls), &a.model).cmp(&(Reverse(b.sums.calls), &b.model)));
        Ok(live)
    }
}

fn known(number: i64) -> Option<u64> {
    u64::try_from(number).ok()
}

/// Puts a name where the one before it was.
fn name(value: ValueRef<'_>, place: &mut Option<String>) {
    let ValueRef::Text(bytes) = value else {
        *place = None;
        return;
    };
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    let name = place.get_or_insert_default();
    name.clear();
    name.push_str(text);
}

fn latency(times: &mut [u64]) -> Latency {
    times.sort_unstable();
    let rank = |percent: usize| {
        let rank = (times.len() * percent).div_ceil(100).max(1);
        times.get(rank - 1).copied().unwrap_or(0)
    };
    Latency { calls: u64::try_from(times.len()).unwrap_or(u64::MAX), p50: rank(50), p95: rank(95), p99: rank(99) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;
    use tollgate_otlp::{Envelope, RequestWriter, SpanWriter};

    #[test]
    fn more_calls_than_can_be_ranked_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let options = Options { path: folder.path().join("calls.db"), ..Options::default() };
        let store = Store::open(options, 10).unwrap();
        let mut writer = RequestWriter::new();
        for number in 1..=5 {
            let mut span = SpanWriter::new([1; 16], [number; 8], "chat");
            span.times(1, 2).set("gen_ai.operation.name", "chat");
            writer.push(&Envelope::default(), span.bytes());
        }
        store.insert(10, &writer.finish()).unwrap();
        assert_eq!(store.live_of(&Filter::default(), 5).unwrap().duration.calls, 5);
        assert!(matches!(store.live_of(&Filter::default(), 4), Err(StoreError::TooMany(4))));
    }

    #[test]
    fn percentiles_are_the_nearest_rank() {
        let hundred: Vec<u64> = (1..=100).collect();
        for (times, expected) in [
            (&[][..], [0, 0, 0]),
            (&[7], [7, 7, 7]),
            (&[1, 2], [1, 2, 2]),
            (&[1, 2, 3], [2, 3, 3]),
            (&hundred, [50, 95, 99]),
        ] {
            let mut times: Vec<u64> = times.iter().rev().copied().collect();
            let Latency { calls, p50, p95, p99 } = latency(&mut times);
            assert_eq!((calls, [p50, p95, p99]), (times.len() as u64, expected));
        }
    }
}
