//! Usage as a partition: every token is in one part, the most specific that is reported.
//!
//! A part has its own rate, or that of what it is a part of. Cache writes of five minutes and of an hour are parts of
//! the cache writes; those, cache reads, audio and images are parts of the input; reasoning, audio and images are parts of
//! the output. What remains of a whole has the whole's rate. What is not tokens is billed where the row has a rate for it.

use crate::cost::Cost;
use crate::data::unit::Unit;
use crate::money::Usd;
use crate::rates::Rates;
use crate::unpriced::Unpriced;
use tollgate_call::Usage;

/// A cost whose parts are being added up. It is made in its place: a cost is large, and copies of it take time.
struct Bill<'b, 'a> {
    cost: &'b mut Cost<'a>,
}

/// What is not tokens, by its name in [`Usage::UNITS`], and the units that have its rate, the first that is listed.
const OTHER_UNITS: [(&str, &[Unit]); Usage::UNITS.len()] = [
    ("images", &[Unit::Images]),
    ("audio_input_seconds", &[Unit::AudioInputTime, Unit::AudioTime]),
    ("audio_output_seconds", &[Unit::AudioOutputTime, Unit::AudioTime]),
    ("video_seconds", &[Unit::VideoTime]),
    ("characters", &[Unit::Characters]),
    ("pages", &[Unit::Pages]),
    ("search_units", &[Unit::SearchUnits]),
];

/// Tools that the provider runs and bills by the call.
const TOOLS: [(&str, Unit); 2] = [("web_search", Unit::WebSearch), ("file_search", Unit::StorageSearch)];

/// Prices `usage` at `rates`: adds parts, total, savings and notes to a cost that has none.
pub(crate) fn bill(usage: &Usage, rates: &Rates<'_>, cost: &mut Cost<'_>) -> Result<(), Unpriced> {
    let mut bill = Bill { cost };
    bill.other_units(usage, rates)?;
    let has_tokens = usage.input_tokens.is_some() || usage.output_tokens.is_some();
    let prices_tokens = rates.prices_tokens();
    match (has_tokens && prices_tokens, bill.cost.parts.is_empty()) {
        (true, _) => bill.tokens(usage, rates)?,
        (false, false) => {}
        (false, true) if !has_tokens && prices_tokens => return Err(Unpriced::MissingUsage),
        (false, true) => return Err(Unpriced::NoRate),
    }
    bill.tools(usage, rates)?;
    if rates.has(Unit::Request) {
        bill.part(rates, Unit::Request, 1)?;
    }
    Ok(())
}

/// What a unit is a part of, where its rate is not listed.
const fn parent(unit: Unit) -> Option<Unit> {
    match unit {
        Unit::CacheWrite5m | Unit::CacheWrite1h => Some(Unit::CacheWrite),
        Unit::CacheReadAudio | Unit::CacheReadImage => Some(Unit::CacheRead),
        Unit::CacheRead | Unit::CacheWrite | Unit::AudioInput | Unit::ImageInput => Some(Unit::Input),
        Unit::Reasoning | Unit::AudioOutput | Unit::ImageOutput => Some(Unit::Output),
        _ => None,
    }
}

/// The unit whose rate `unit` has: itself, or the nearest that it is a part of. What was cached of a modality has the
/// modality's rate where the cache has none.
fn rated_as(rates: &Rates<'_>, unit: Unit) -> Option<Unit> {
    if rates.has(unit) {
        return Some(unit);
    }
    match unit {
        Unit::CacheReadAudio if !rates.has(Unit::CacheRead) => rated_as(rates, Unit::AudioInput),
        Unit::CacheReadImage if !rates.has(Unit::CacheRead) => rated_as(rates, Unit::ImageInput),
        _ => rated_as(rates, parent(unit)?),
    }
}

/// Takes from `read` and `whole`, which is of another modality, what was both: as reported, and where that is not known
/// and has a rate of its own, the least that it must have been.
struct Both {
    units: u64,
    is_unknown: bool,
}

impl Both {
    fn of(
        reported: Option<u64>,
        has_rate: bool,
        excess: u64,
        read: &mut u64,
        whole: &mut u64,
    ) -> Result<Self, Unpriced> {
        let is_unknown = reported.is_none() && has_rate && *read > 0 && *whole > 0;
        let units = match reported {
            Some(reported) => reported,
            None if is_unknown => excess.min(*read).min(*whole),
            None => 0,
        };
        *read = read.checked_sub(units).ok_or(Unpriced::InconsistentUsage)?;
        *whole = whole.checked_sub(units).ok_or(Unpriced::InconsistentUsage)?;
        Ok(Self { units, is_unknown })
    }
}

impl Bill<'_, '_> {
    fn tokens(&mut self, usage: &Usage, rates: &Rates<'_>) -> Result<(), Unpriced> {
        if usage.input_tokens.is_none() && rates.has(Unit::Input) {
            return Err(Unpriced::MissingUsage);
        }
        self.cost.notes.output_not_reported = usage.output_tokens.is_none() && rates.has(Unit::Output);
        let input = self.input_parts(usage, rates)?;
        self.whole(rates, Unit::Input, usage.input_tokens.unwrap_or(0), &input)?;
        let output = [
            (Unit::Reasoning, usage.reasoning_tokens.unwrap_or(0)),
            (Unit::AudioOutput, usage.audio_output_tokens.unwrap_or(0)),
            (Unit::ImageOutput, usage.image_output_tokens.unwrap_or(0)),
        ];
        self.whole(rates, Unit::Output, usage.output_tokens.unwrap_or(0), &output)
    }

    /// The parts of the input that are reported, apart from each other.
    fn input_parts(&mut self, usage: &Usage, rates: &Rates<'_>) -> Result<[(Unit, u64); 8], Unpriced> {
        let or_zero = |count: Option<u64>| count.unwrap_or(0);
        let (mut five, mut hour) = (or_zero(usage.cache_write_5m_tokens), or_zero(usage.cache_write_1h_tokens));
        let split = five.checked_add(hour).ok_or(Unpriced::Overflow)?;
        let write = usage.cache_write_tokens.unwrap_or(split);
        if split > write {
            if rates.has(Unit::CacheWrite5m) || rates.has(Unit::CacheWrite1h) {
                return Err(Unpriced::InconsistentUsage);
            }
            self.cost.notes.inconsistent_usage = true;
            (five, hour) = (0, 0);
        }
        let mut read = or_zero(usage.cache_read_tokens);
        let (mut audio, mut image) = (or_zero(usage.audio_input_tokens), or_zero(usage.image_input_tokens));
        let parts = [read, write, audio, image].into_iter().try_fold(0_u64, u64::checked_add);
        let excess = parts.ok_or(Unpriced::Overflow)?.saturating_sub(or_zero(usage.input_tokens));
        let (reported, has_rate) = (usage.cache_read_audio_tokens, rates.has(Unit::CacheReadAudio));
        let read_audio = Both::of(reported, has_rate, excess, &mut read, &mut audio)?;
        let (reported, has_rate) = (usage.cache_read_image_tokens, rates.has(Unit::CacheReadImage));
        let excess = excess.saturating_sub(read_audio.units);
        let read_image = Both::of(reported, has_rate, excess, &mut read, &mut image)?;
        self.cost.notes.cached_modality_unknown = read_audio.is_unknown || read_image.is_unknown;
        Ok([
            (Unit::CacheRead, read),
            (Unit::CacheReadAudio, read_audio.units),
            (Unit::CacheReadImage, read_image.units),
            (Unit::CacheWrite, write - five - hour),
            (Unit::CacheWrite5m, five),
            (Unit::CacheWrite1h, hour),
            (Unit::AudioInput, audio),
            (Unit::ImageInput, image),
        ])
    }

    /// Bills `count` of `whole`: the parts, and what remains.
    fn whole(&mut self, rates: &Rates<'_>, whole: Unit, count: u64, parts: &[(Unit, u64)]) -> Result<(), Unpriced> {
        let differs = |unit: Unit| rated_as(rates, unit).is_some_and(|rated| rated != whole);
        let mut rest = count;
        for (unit, units) in parts.iter().filter(|(unit, units)| *units > 0 && differs(*unit)) {
            rest = rest.checked_sub(*units).ok_or(Unpriced::InconsistentUsage)?;
            self.part(rates, *unit, *units)?;
        }
        // Parts at the rate of the whole are told apart where they fit; the total is the same either way.
        let same = || parts.iter().filter(|(unit, units)| *units > 0 && !differs(*unit));
        match same().try_fold(rest, |rest, (_, units)| rest.checked_sub(*units)) {
            Some(left) => {
                rest = left;
                same().try_for_each(|(unit, units)| self.part(rates, *unit, *units))?;
            }
            None => self.cost.notes.inconsistent_usage = true,
        }
        self.part(rates, whole, rest)
    }

    fn part(&mut self, rates: &Rates<'_>, unit: Unit, units: u64) -> Result<(), Unpriced> {
        if units == 0 {
            return Ok(());
        }
        let rate = rates.get(rated_as(rates, unit).ok_or(Unpriced::NoRate)?)?;
        let amount = self.cost.parts.push(unit, units, rate).ok_or(Unpriced::Overflow)?;
        self.cost.total = self.cost.total.checked_add(amount).ok_or(Unpriced::Overflow)?;
        self.save(rates, unit, units, amount)
    }

    /// Adds what a part that is about the cache saved, against the rate of what it would be a part of without.
    fn save(&mut self, rates: &Rates<'_>, unit: Unit, units: u64, amount: Usd) -> Result<(), Unpriced> {
        let (without, saved) = match unit {
            Unit::CacheRead => (Unit::Input, &mut self.cost.savings.cache_read),
            Unit::CacheReadAudio => (Unit::AudioInput, &mut self.cost.savings.cache_read),
            Unit::CacheReadImage => (Unit::ImageInput, &mut self.cost.savings.cache_read),
            Unit::CacheWrite | Unit::CacheWrite5m | Unit::CacheWrite1h => {
                (Unit::Input, &mut self.cost.savings.cache_write)
            }
            _ => return Ok(()),
        };
        let Some(without) = rated_as(rates, without) else { return Ok(()) };
        let instead = Usd::of(units, rates.get(without)?, without.per());
        let difference = instead.and_then(|instead| instead.checked_sub(amount));
        *saved = difference.and_then(|amount| saved.checked_add(amount)).ok_or(Unpriced::Overflow)?;
        Ok(())
    }

    fn other_units(&mut self, usage: &Usage, rates: &Rates<'_>) -> Result<(), Unpriced> {
        if usage.other_units.is_empty() {
            return Ok(());
        }
        for (name, rated) in OTHER_UNITS {
            let units = usage.other_units.get(name).copied().unwrap_or(0);
            if let Some(&unit) = rated.iter().find(|&&unit| rates.has(unit)) {
                self.part(rates, unit, units)?;
            }
        }
        Ok(())
    }

    fn tools(&mut self, usage: &Usage, rates: &Rates<'_>) -> Result<(), Unpriced> {
        for (tool, &calls) in &usage.server_tool_calls {
            if tool == "web_search" && rates.has(Unit::GroundedPrompts) {
                self.part(rates, Unit::GroundedPrompts, calls.min(1))?;
                continue;
            }
            match TOOLS.iter().find(|(name, unit)| name == tool && rates.has(*unit)) {
                Some((_, unit)) => self.part(rates, *unit, calls)?,
                None => self.cost.notes.tools_not_priced |= calls > 0,
            }
        }
        Ok(())
    }
}
