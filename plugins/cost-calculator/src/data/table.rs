//! Compiled tables: what a price set is while it is used.
//!
//! Flat arrays that point into each other by number and into one string. The builtin sets are such arrays in the
//! read-only data of the program, so that starting with them costs nothing; a set that is read at run time has the
//! same arrays on the heap. Lookups allocate nothing.

use super::clause::Test;
use super::rate::{Factor, Rate};
use super::unit::Unit;
use std::borrow::Cow;
use std::ops::Range;

/// A run of entries of an array, or of bytes of the string.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) count: u16,
}

impl Span {
    pub(crate) fn range(self) -> Range<usize> {
        let start = usize::try_from(self.start).unwrap_or(usize::MAX);
        start..start.saturating_add(usize::from(self.count))
    }

    pub(crate) fn of<T>(self, entries: &[T]) -> &[T] {
        entries.get(self.range()).unwrap_or_default()
    }
}

/// A provider.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Provider {
    pub(crate) id: Span,
    /// Rules on provider names, in `rules`.
    pub(crate) named: Span,
    /// Rules on model names where no provider is known, in `rules`.
    pub(crate) serves: Span,
    /// Providers whose rows apply as well, in `fallbacks`.
    pub(crate) fallback: Span,
    /// Model names that are matched whole, in `exact`, ascending by hash.
    pub(crate) exact: Span,
    /// All other rules on model names, in `rules`, by ascending model.
    pub(crate) rules: Span,
}

/// A name that is matched whole.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exact {
    pub(crate) hash: u32,
    pub(crate) name: Span,
    /// The model or the provider.
    pub(crate) leads_to: u16,
}

/// FNV-1a of 32 bits: short, and good enough for names that are compared afterwards.
pub(crate) fn hash(name: &[u8]) -> u32 {
    name.iter().fold(0x811C_9DC5, |hash, &byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// Clauses that all have to hold, and what they lead to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    /// [`letter_pairs`](super::clause::letter_pairs) that a name must have.
    pub(crate) pairs: u64,
    /// In `clauses`.
    pub(crate) clauses: Span,
    pub(crate) model: u16,
}

/// One clause.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clause {
    pub(crate) negated: bool,
    pub(crate) test: Test,
    pub(crate) text: Span,
}

/// A model.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Model {
    pub(crate) id: Span,
    pub(crate) provider: u16,
    /// Standard prices, in `prices`.
    pub(crate) standard: Span,
    /// Prices for calls served in a special way, in `prices`.
    pub(crate) variants: Span,
    /// Factors for calls served in a special way, in `scales`.
    pub(crate) scales: Span,
    /// Where the rows come from; empty where that is the set's source.
    pub(crate) source: Span,
}

/// One price of a model.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Price {
    pub(crate) validity: Validity,
    /// Conditions on how the call was served, in `conditions`.
    pub(crate) when: Span,
    /// In `quotes`; by unit, and by ascending size of input within the unit.
    pub(crate) quotes: Span,
}

pub(crate) use super::document::Validity;

/// A condition on how the call was served.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Condition {
    pub(crate) key: Span,
    pub(crate) value: Span,
}

/// A factor on rates for tokens, for calls served so.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    pub(crate) when: Condition,
    pub(crate) factor: Factor,
}

/// A rate of a unit where more than `over` tokens were read; 0 for the rate that holds from the start.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quote {
    pub(crate) over: u32,
    /// In `rates`.
    pub(crate) rate: u16,
    pub(crate) unit: Unit,
}

/// All tables of a price set.
#[derive(Clone, Debug)]
pub(crate) struct Tables {
    /// Name, version and day of import.
    pub(crate) label: Cow<'static, str>,
    pub(crate) text: Cow<'static, str>,
    pub(crate) providers: Cow<'static, [Provider]>,
    /// Ids of providers and their aliases, ascending by hash.
    pub(crate) provider_names: Cow<'static, [Exact]>,
    pub(crate) fallbacks: Cow<'static, [u16]>,
    pub(crate) exact: Cow<'static, [Exact]>,
    pub(crate) rules: Cow<'static, [Rule]>,
    pub(crate) clauses: Cow<'static, [Clause]>,
    pub(crate) models: Cow<'static, [Model]>,
    pub(crate) prices: Cow<'static, [Price]>,
    pub(crate) conditions: Cow<'static, [Condition]>,
    pub(crate) scales: Cow<'static, [Scale]>,
    pub(crate) quotes: Cow<'static, [Quote]>,
    pub(crate) rates: Cow<'static, [Rate]>,
}

impl Tables {
    pub(crate) fn text(&self, span: Span) -> &str {
        self.text.get(span.range()).unwrap_or_default()
    }

    pub(crate) fn bytes(&self, span: Span) -> &[u8] {
        span.of(self.text.as_bytes())
    }
}
