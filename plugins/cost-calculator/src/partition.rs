//! Usage as a partition: every token is in one part, the most specific that is reported.
//!
//! A part has its own rate, or that of what it is a part of. Cache writes of five minutes and of an hour are parts of
//! the cache writes; those, cache reads and audio are parts of the input; reasoning and audio are parts of the
//! output. What remains of a whole has the whole's rate.

use crate::cost::{Notes, Part, Parts};
use crate::data::unit::Unit;
use crate::money::Usd;
use crate::rates::Rates;
use crate::unpriced::Unpriced;
use tollgate_call::Usage;

/// The priced parts of a call, their sum, and what is to be said about them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bill {
    pub(crate) parts: Parts,
    pub(crate) total: Usd,
    pub(crate) notes: Notes,
}

/// Prices `usage` at `rates`.
pub(crate) fn bill(usage: &Usage, rates: &Rates<'_>) -> Result<Bill, Unpriced> {
    if !rates.prices_tokens() {
        return Err(Unpriced::NoRate);
    }
    if usage.input_tokens.is_none() && (usage.output_tokens.is_none() || rates.get(Unit::Input).is_some()) {
        return Err(Unpriced::MissingUsage);
    }
    let mut bill = Bill::default();
    bill.notes.output_not_reported = usage.output_tokens.is_none() && rates.get(Unit::Output).is_some();
    let input = bill.input_parts(usage, rates)?;
    bill.whole(rates, Unit::Input, usage.input_tokens.unwrap_or(0), &input)?;
    let output = [
        (Unit::Reasoning, usage.reasoning_tokens.unwrap_or(0)),
        (Unit::AudioOutput, usage.audio_output_tokens.unwrap_or(0)),
    ];
    bill.whole(rates, Unit::Output, usage.output_tokens.unwrap_or(0), &output)?;
    if rates.get(Unit::Request).is_some() {
        bill.part(rates, Unit::Request, 1)?;
    }
    Ok(bill)
}

/// What a unit is a part of, where its rate is not listed.
const fn parent(unit: Unit) -> Option<Unit> {
    match unit {
        Unit::CacheWrite5m | Unit::CacheWrite1h => Some(Unit::CacheWrite),
        Unit::CacheReadAudio => Some(Unit::CacheRead),
        Unit::CacheRead | Unit::CacheWrite | Unit::AudioInput => Some(Unit::Input),
        Unit::Reasoning | Unit::AudioOutput => Some(Unit::Output),
        _ => None,
    }
}

/// The unit whose rate `unit` has: itself, or the nearest that it is a part of.
fn rated_as(rates: &Rates<'_>, unit: Unit) -> Option<Unit> {
    if rates.get(unit).is_some() { Some(unit) } else { rated_as(rates, parent(unit)?) }
}

impl Bill {
    /// The parts of the input that are reported, apart from each other.
    fn input_parts(&mut self, usage: &Usage, rates: &Rates<'_>) -> Result<[(Unit, u64); 6], Unpriced> {
        let or_zero = |count: Option<u64>| count.unwrap_or(0);
        let (mut five, mut hour) = (or_zero(usage.cache_write_5m_tokens), or_zero(usage.cache_write_1h_tokens));
        let split = five.checked_add(hour).ok_or(Unpriced::Overflow)?;
        let write = usage.cache_write_tokens.unwrap_or(split);
        if split > write {
            if rates.get(Unit::CacheWrite5m).is_some() || rates.get(Unit::CacheWrite1h).is_some() {
                return Err(Unpriced::InconsistentUsage);
            }
            self.notes.inconsistent_usage = true;
            (five, hour) = (0, 0);
        }
        let (mut read, mut audio) = (or_zero(usage.cache_read_tokens), or_zero(usage.audio_input_tokens));
        // Cached audio has a rate of its own, but is not reported: at least the excess of the parts was both.
        let mut both = 0;
        if rates.get(Unit::CacheReadAudio).is_some() && read > 0 && audio > 0 {
            self.notes.cached_audio_unknown = true;
            let parts = read.checked_add(write).and_then(|sum| sum.checked_add(audio)).ok_or(Unpriced::Overflow)?;
            both = parts.saturating_sub(or_zero(usage.input_tokens)).min(read).min(audio);
            (read, audio) = (read - both, audio - both);
        }
        Ok([
            (Unit::CacheRead, read),
            (Unit::CacheReadAudio, both),
            (Unit::CacheWrite, write - five - hour),
            (Unit::CacheWrite5m, five),
            (Unit::CacheWrite1h, hour),
            (Unit::AudioInput, audio),
        ])
    }

    /// Bills `count` of `whole`: the parts, and what remains.
    fn whole(&mut self, rates: &Rates<'_>, whole: Unit, count: u64, parts: &[(Unit, u64)]) -> Result<(), Unpriced> {
        let differs = |unit: Unit| rated_as(rates, unit).is_some_and(|rated| rated != whole);
        let mut rest = count;
        for (unit, units) in parts.iter().filter(|(unit, _)| differs(*unit)) {
            rest = rest.checked_sub(*units).ok_or(Unpriced::InconsistentUsage)?;
            self.part(rates, *unit, *units)?;
        }
        // Parts at the rate of the whole are told apart where they fit; the total is the same either way.
        let same = || parts.iter().filter(|(unit, _)| !differs(*unit));
        match same().try_fold(rest, |rest, (_, units)| rest.checked_sub(*units)) {
            Some(left) => {
                rest = left;
                same().try_for_each(|(unit, units)| self.part(rates, *unit, *units))?;
            }
            None => self.notes.inconsistent_usage = true,
        }
        self.part(rates, whole, rest)
    }

    fn part(&mut self, rates: &Rates<'_>, unit: Unit, units: u64) -> Result<(), Unpriced> {
        if units == 0 {
            return Ok(());
        }
        let rate = rated_as(rates, unit).and_then(|rated| rates.get(rated)).ok_or(Unpriced::NoRate)?;
        let amount = Usd::of(units, rate, unit.per()).ok_or(Unpriced::Overflow)?;
        self.total = self.total.checked_add(amount).ok_or(Unpriced::Overflow)?;
        if self.parts.push(Part { unit, units, rate, amount }) { Ok(()) } else { Err(Unpriced::Overflow) }
    }
}
