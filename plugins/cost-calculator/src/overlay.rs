//! What a user knows beyond a price set: negotiated prices, discounts, names of their own.
//!
//! The form is that of a price [`document`](crate::document), with a first line of its own and three more kinds of line:
//!
//! ```text
//! overlay NAME VERSION DATE                  what this is
//! currency CODE RATE                         one unit of a currency, ISO 4217, in US dollars
//! alias [provider:ID] RULE.. to PROVIDER MODEL
//!                                            calls of these names have the prices of that model
//! adjust [CONDITION..] FACTOR                rates are so many times higher: `*1.1`, `+10%`, `-15%`
//! provider ID, model ID, match .., price ..  rows that come before those of the set
//! ```
//!
//! Conditions of `adjust`: `provider:ID`, `model:RULE` (any of several), `units:UNIT,UNIT`, `from:DAY`, `until:DAY` (the
//! day excluded), `when:KEY=VALUE`. Where several lines apply, their factors are multiplied; they apply to rows of the
//! overlay as well.
//!
//! A `price` may say `in:CODE`, and where machines are paid by the hour `gpu_hour=RATE gpus=NUMBER
//! tokens_per_hour=NUMBER output_weight=NUMBER` in place of rates: the price of an hour is spread over the tokens that
//! are read in an hour, and a token that is written costs `output_weight` (default 1) times as much as one that is read.
//!
//! A row of an overlay holds from the first day that it names; before it, the set tells. Nothing but what an overlay names
//! changes.

mod parse;

use crate::data::alias;
use crate::data::clause::Rule;
use crate::data::rate::Factor;
use crate::data::table::Tables;
use crate::data::unit::Unit;
use crate::name::{Name, Room};
use crate::served::Served;
use std::fmt;

/// Most bytes of an overlay.
pub(crate) const MOST_BYTES: usize = 1 << 20;
/// Most `adjust` lines of an overlay.
pub(crate) const MOST_ADJUSTMENTS: usize = 128;
/// Most `alias` lines of an overlay.
pub(crate) const MOST_ALIASES: usize = 10_000;

/// An overlay on a price set.
#[derive(Clone, Debug)]
pub struct Overlay {
    /// Rows that come before those of the set.
    pub(crate) tables: Tables,
    /// Names that are matched whole, ascending.
    whole: Vec<(String, usize)>,
    /// Aliases by other rules, in the order of the document.
    ruled: Vec<usize>,
    aliases: Vec<Alias>,
    adjustments: Vec<Adjustment>,
}

/// Calls that have the prices of another model.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Alias {
    provider: Option<String>,
    rules: Vec<Rule>,
    to: (String, String),
}

/// Factors that were agreed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adjustment {
    /// Line of the overlay, counted from 1.
    pub line: usize,
    /// What the rates are multiplied with.
    pub factor: Factor,
    provider: Option<String>,
    models: Vec<Rule>,
    units: Vec<Unit>,
    /// First day, and the first day on which it no longer holds; days since 1970-01-01, UTC.
    from: Option<i32>,
    until: Option<i32>,
    when: Vec<(String, String)>,
}

/// Everything that is wrong with an overlay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverlayError {
    /// Name of the file, as the caller gave it.
    pub file: String,
    /// What is wrong, in the order of the lines.
    pub problems: Vec<OverlayProblem>,
}

/// One thing that is wrong with an overlay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverlayProblem {
    /// Line, counted from 1; 0 for the overlay as a whole.
    pub line: usize,
    /// The word of the line that is wrong, or the one that begins it.
    pub field: String,
    /// What is wrong with it and what to write instead.
    pub message: String,
}

impl fmt::Display for OverlayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, OverlayProblem { line, field, message }) in self.problems.iter().enumerate() {
            let separator = if number == 0 { "" } else { "\n" };
            write!(f, "{separator}{}:{line}: {field}: {message}", self.file)?;
        }
        Ok(())
    }
}

impl std::error::Error for OverlayError {}

impl Overlay {
    /// Name, version and day of the overlay.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.tables.label
    }

    /// How many models have rows of their own.
    #[must_use]
    pub fn models(&self) -> usize {
        self.tables.models.len()
    }

    /// The provider and model whose prices a call has, where it goes by an alias.
    pub(crate) fn alias(&self, provider: Option<&str>, model: &str) -> Option<(&str, &str)> {
        if self.aliases.is_empty() {
            return None;
        }
        let (mut room, mut provider_room) = (Room::new(), Room::new());
        let model = Name::new(model, &mut room)?;
        let provider = provider.and_then(|provider| Name::new(provider, &mut provider_room));
        let provider = provider.map(|name| provider_id(name.as_bytes()));
        let is_for = |alias: &&Alias| {
            alias.provider.as_ref().is_none_or(|wanted| provider.is_some_and(|named| named == wanted.as_bytes()))
        };
        let first = self.whole.partition_point(|(name, _)| name.as_bytes() < model.as_bytes());
        let whole = self.whole.get(first..).unwrap_or_default().iter();
        let whole = whole.take_while(|(name, _)| name.as_bytes() == model.as_bytes()).map(|(_, place)| *place);
        let ruled = self.ruled.iter().copied();
        let holds = |alias: &&Alias| alias.rules.iter().any(|rule| rule.passes(model.as_bytes()));
        let alias = |place: usize| self.aliases.get(place);
        let found = whole
            .filter_map(alias)
            .find(is_for)
            .or_else(|| ruled.filter_map(alias).find(|alias| is_for(alias) && holds(alias)))?;
        Some((&found.to.0, &found.to.1))
    }

    /// What was agreed for a row and a call.
    pub(crate) fn agreed(
        &self,
        row: (&str, &str),
        called: &str,
        at_unix_seconds: i64,
        served: Served<'_>,
    ) -> Agreed<'_> {
        let mut agreed = Agreed { adjustments: &self.adjustments, applied: 0 };
        for (place, adjustment) in self.adjustments.iter().enumerate() {
            if adjustment.applies(row, called, at_unix_seconds, served) {
                agreed.applied |= 1 << place;
            }
        }
        agreed
    }
}

fn provider_id(name: &[u8]) -> &[u8] {
    alias::alias(name).map_or(name, str::as_bytes)
}

impl Adjustment {
    fn applies(&self, row: (&str, &str), called: &str, at_unix_seconds: i64, served: Served<'_>) -> bool {
        let day = at_unix_seconds.div_euclid(86_400);
        let named = || {
            [row.1, called].into_iter().any(|name| {
                let mut room = Room::new();
                let name = Name::new(name, &mut room);
                name.is_some_and(|name| self.models.iter().any(|rule| rule.passes(name.as_bytes())))
            })
        };
        self.from.is_none_or(|from| day >= i64::from(from))
            && self.until.is_none_or(|until| day < i64::from(until))
            && self.provider.as_ref().is_none_or(|provider| row.0 == provider)
            && (self.models.is_empty() || named())
            && self.when.iter().all(|(key, value)| served.is(key, value))
    }
}

impl fmt::Display for Adjustment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (line {})", self.factor, self.line)
    }
}

/// The adjustments that apply to a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Agreed<'a> {
    adjustments: &'a [Adjustment],
    /// A bit for each.
    applied: u128,
}

const _: () = assert!(MOST_ADJUSTMENTS <= 128, "sets of adjustments are held in 128 bits");

impl<'a> Agreed<'a> {
    /// The adjustments, in the order of the overlay.
    pub fn iter(self) -> impl Iterator<Item = &'a Adjustment> {
        self.adjustments.iter().enumerate().filter(move |(place, _)| self.applied >> place & 1 == 1).map(|(_, one)| one)
    }

    /// Whether none applies.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.applied == 0
    }

    /// The product of all factors for a unit; `None` where it has too many digits.
    pub(crate) fn factor(self, unit: Unit) -> Option<Factor> {
        if self.is_empty() {
            return Some(Factor::ONE);
        }
        let of_unit = |one: &&Adjustment| one.units.is_empty() || one.units.contains(&unit);
        self.iter().filter(of_unit).try_fold(Factor::ONE, |factor, one| factor.and(one.factor))
    }
}

#[cfg(test)]
#[path = "overlay_tests.rs"]
mod tests;
