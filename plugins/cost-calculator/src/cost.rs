//! What a call costs, and why.

use crate::data::rate::Rate;
use crate::data::unit::Unit;
use crate::money::Usd;
use crate::overlay::Agreed;
use std::fmt;

/// The cost of one call, with everything needed to check it by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost<'a> {
    /// The sum of the parts.
    pub total: Usd,
    /// Currency, ISO 4217.
    pub currency: &'static str,
    /// What the total is made of.
    pub parts: Parts,
    /// What the provider's cache saved.
    pub savings: Savings,
    /// Where the rates come from.
    pub price: PriceRef<'a>,
    /// What a reader of the number should know.
    pub notes: Notes,
}

/// The parts of a cost: each token is in exactly one. Parts without units are left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    entries: [Entry; MOST_PARTS],
    count: u8,
}

/// Ten parts of the input, four of the output, nine things that are not tokens, and the request itself.
const MOST_PARTS: usize = 24;

/// What the provider's cache saved against reading the same tokens without it, at the rates of the same call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Savings {
    /// By reading from the cache.
    pub cache_read: Usd,
    /// By writing to it; below zero where that costs more than reading does.
    pub cache_write: Usd,
}

/// One part of a cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// What was used.
    pub unit: Unit,
    /// How much of it.
    pub units: u64,
    /// US dollars for [`Unit::per`] of it.
    pub rate: Rate,
    /// Units times rate.
    pub amount: Usd,
}

/// A part as it is held: a cost is handed on by value, and the amount follows from the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    units: u64,
    digits: u64,
    decimals: u8,
    unit: Unit,
}

impl Default for Entry {
    fn default() -> Self {
        Self { units: 0, digits: 0, decimals: 0, unit: Unit::Input }
    }
}

impl From<Entry> for Part {
    fn from(entry: Entry) -> Self {
        let Entry { units, digits, decimals, unit } = entry;
        let rate = Rate { digits, decimals };
        // It was held when the part was made.
        Self { unit, units, rate, amount: Usd::of(units, rate, unit.per()).unwrap_or_default() }
    }
}

impl Parts {
    /// Appends a part and gives its amount; `None` where that cannot be held, or where there is no room, which the number
    /// of units rules out.
    pub(crate) fn push(&mut self, unit: Unit, units: u64, rate: Rate) -> Option<Usd> {
        let amount = Usd::of(units, rate, unit.per())?;
        let entry = Entry { units, digits: rate.digits, decimals: rate.decimals, unit };
        *self.entries.get_mut(usize::from(self.count))? = entry;
        self.count += 1;
        Some(amount)
    }

    /// The parts.
    pub fn iter(&self) -> impl Iterator<Item = Part> {
        self.entries.iter().take(self.count.into()).copied().map(Part::from)
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The part of that unit.
    #[must_use]
    pub fn get(&self, unit: Unit) -> Option<Part> {
        self.entries.iter().take(self.count.into()).find(|entry| entry.unit == unit).copied().map(Part::from)
    }
}

/// Where the rates of a cost come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriceRef<'a> {
    /// The price set: name, version and day of import.
    pub set: &'a str,
    /// The row, printed `provider/model`.
    pub row: Row<'a>,
    /// Where the row comes from, such as `litellm`; empty where that is the set's source.
    pub from: &'a str,
    /// What the user agreed with the provider.
    pub agreed: Agreed<'a>,
    /// The tier within the row.
    pub tier: Tier<'a>,
    /// Who computed the cost.
    pub source: Source,
}

/// A row of a price set, by the set's own ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row<'a> {
    /// Id of the provider whose row it is.
    pub provider: &'a str,
    /// Id of the model.
    pub model: &'a str,
}

impl fmt::Display for Row<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.provider, self.model)
    }
}

/// The tier of a row that was applied; printed `base`, `over 200000`, `batch`, `batch over 200000`, `base, us`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tier<'a> {
    /// How the call was served, where the row has rates for it.
    pub served: Option<&'a str>,
    /// The call read more tokens than this; 0 where no such threshold was passed.
    pub over: u32,
    /// How the call was served, where the row has a factor for it.
    pub scaled: Option<&'a str>,
}

impl fmt::Display for Tier<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.served, self.over) {
            (None, 0) => f.write_str("base")?,
            (None, over) => write!(f, "over {over}")?,
            (Some(served), 0) => f.write_str(served)?,
            (Some(served), over) => write!(f, "{served} over {over}")?,
        }
        self.scaled.map_or(Ok(()), |scaled| write!(f, ", {scaled}"))
    }
}

/// Who computed a cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// We did, from a price set.
    Local,
    /// The provider reported it.
    Provider,
}

impl Source {
    /// The word used in attributes and in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Provider => "provider",
        }
    }
}

/// What a reader of a cost should know about it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// The provider is not named, or not in the set; the model's name alone led to the row.
    pub by_model: bool,
    /// The call was served in a way for which the row has no rates; standard rates were applied.
    pub tier_not_listed: bool,
    /// Output tokens are not known; the cost is of the input alone.
    pub output_not_reported: bool,
    /// A part is larger than its whole, but has the same rate, so that the total does not depend on it.
    pub inconsistent_usage: bool,
    /// Cached tokens and such of another modality were read, and how much was both is not reported; the least possible is
    /// assumed.
    pub cached_modality_unknown: bool,
    /// The provider ran tools for which the row has no rate; they are not in the total.
    pub tools_not_priced: bool,
    /// The call went by an alias of the user's.
    pub by_alias: bool,
}

impl Notes {
    /// The words for the notes that are set.
    pub fn words(self) -> impl Iterator<Item = &'static str> {
        [
            (self.by_model, "by_model"),
            (self.tier_not_listed, "tier_not_listed"),
            (self.output_not_reported, "output_not_reported"),
            (self.inconsistent_usage, "inconsistent_usage"),
            (self.cached_modality_unknown, "cached_modality_unknown"),
            (self.tools_not_priced, "tools_not_priced"),
            (self.by_alias, "by_alias"),
        ]
        .into_iter()
        .filter_map(|(set, word)| set.then_some(word))
    }
}
