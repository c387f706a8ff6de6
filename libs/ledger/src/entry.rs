//! One call, as it is added.

use crate::alerts::Level;
use crate::sums::{KINDS, Savings, Sums, Totals};
use std::borrow::Cow;

/// Most bytes of a value that are told apart; longer ones are cut, between characters.
pub const LONGEST_VALUE: usize = 128;

/// One call. What is not known is `None`; it is never taken for 0.
#[derive(Clone, Copy, Debug, Default)]
pub struct Entry<'a> {
    /// When the call ended, in nanoseconds since 1970; 0 where that is not known.
    pub ended: u64,
    /// The model.
    pub model: Option<&'a str>,
    /// Who answered.
    pub provider: Option<&'a str>,
    /// What was asked for.
    pub operation: Option<&'a str>,
    /// Who computed the cost.
    pub source: Option<&'a str>,
    /// Values of the dimensions that the user chose, in their order; those beyond [`Limits::dimensions`] are left out.
    ///
    /// [`Limits::dimensions`]: crate::Limits::dimensions
    pub values: &'a [Option<Cow<'a, str>>],
    /// What it cost, in nano-dollars.
    pub cost: Option<u64>,
    /// Why it has no cost, one word; of no meaning where it has one.
    pub unpriced: Option<&'a str>,
    /// Tokens by kind, in the order of [`KINDS`].
    pub tokens: [Option<u64>; KINDS.len()],
    /// What the provider's cache saved, in nano-dollars.
    pub savings: Savings<i64>,
    /// Whether the provider and the price set say different costs.
    pub disagrees: bool,
    /// The level that the call reached by itself.
    pub level: Option<Level>,
    /// Trace, for the list of alerts.
    pub trace_id: [u8; 16],
    /// Span, for the list of alerts.
    pub span_id: [u8; 8],
}

impl Entry<'_> {
    /// The call as sums of one.
    pub(crate) fn sums(&self) -> Sums {
        let counted = self.tokens.iter().take(2).any(Option::is_some);
        Sums {
            cost: self.cost.unwrap_or(0).into(),
            calls: 1,
            priced: self.cost.is_some().into(),
            counted: counted.into(),
            tokens: self.tokens.map(|tokens| tokens.unwrap_or(0).into()),
        }
    }

    /// The call as totals of one.
    pub(crate) fn totals(&self) -> Totals {
        Totals {
            sums: self.sums(),
            savings: Savings {
                cache_read: self.savings.cache_read.into(),
                cache_write: self.savings.cache_write.into(),
            },
            disagreements: self.disagrees.into(),
            warnings: (self.level == Some(Level::Warning)).into(),
            criticals: (self.level == Some(Level::Critical)).into(),
        }
    }
}

/// A value without what is too long of it.
pub(crate) fn cut(value: &str) -> &str {
    value.get(..value.floor_char_boundary(LONGEST_VALUE)).unwrap_or_default()
}
