//! Price sets: all rows, and the question what a call costs.

use crate::cost::{Cost, Notes, Parts, PriceRef, Row, Savings, Source};
use crate::data::compile::compile;
use crate::data::document::{Document, DocumentError};
use crate::data::table::Tables;
use crate::find::{Found, find, find_only};
use crate::money::Usd;
use crate::overlay::{Agreed, Overlay};
use crate::partition::bill;
use crate::rates::Rates;
use crate::served::Served;
use crate::unpriced::Unpriced;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use tollgate_call::Usage;

mod builtin {
    #![allow(
        unused_imports,
        clippy::unreadable_literal,
        clippy::large_stack_arrays,
        reason = "written by the build script"
    )]
    use crate::data::clause::Test::*;
    use crate::data::rate::{Factor, Rate};
    use crate::data::table::Validity::*;
    use crate::data::table::*;
    use crate::data::unit::Unit::*;
    use std::borrow::Cow;

    include!(concat!(env!("OUT_DIR"), "/full.rs"));
    include!(concat!(env!("OUT_DIR"), "/core.rs"));
}

/// A set of prices. Lookups allocate nothing and are the same in every seat.
#[derive(Clone, Debug)]
pub struct PriceSet {
    tables: Cow<'static, Tables>,
    overlay: Option<Arc<Overlay>>,
    /// The labels of the set and of its overlay.
    both: String,
}

/// A call to be priced.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// `gen_ai.provider.name`, or what the caller has instead; `None` where nobody knows.
    pub provider: Option<&'a str>,
    /// The model, as the answer names it, else as the request does.
    pub model: &'a str,
    /// What was used, in inclusive counts.
    pub usage: &'a Usage,
    /// When the call began, in seconds since 1970: the price of that moment counts.
    pub at_unix_seconds: i64,
    /// How the call was served, where that is known.
    pub served: Served<'a>,
}

impl PriceSet {
    /// The whole committed set. It lies in the program's read-only data: getting it does no work.
    #[must_use]
    pub fn builtin() -> &'static Self {
        static SET: PriceSet = PriceSet::of(&builtin::FULL);
        &SET
    }

    /// The part of the committed set that most traffic needs, for seats where size counts. It knows every provider, but
    /// holds the models of some only. What it prices, the whole set prices alike.
    #[must_use]
    pub fn builtin_core() -> &'static Self {
        static SET: PriceSet = PriceSet::of(&builtin::CORE);
        &SET
    }

    #[cfg(test)]
    pub(crate) fn tables(&self) -> &Tables {
        &self.tables
    }

    const fn of(tables: &'static Tables) -> Self {
        Self { tables: Cow::Borrowed(tables), overlay: None, both: String::new() }
    }

    /// The set with what a user knows beyond it.
    #[must_use]
    pub fn with_overlay(&self, overlay: Overlay) -> Self {
        let both = format!("{} + {}", self.label(), overlay.label());
        Self { tables: self.tables.clone(), overlay: Some(Arc::new(overlay)), both }
    }

    /// The overlay, where there is one.
    #[must_use]
    pub fn overlay(&self) -> Option<&Overlay> {
        self.overlay.as_deref()
    }

    /// Reads a price document; see [`document`](crate::document) for its form.
    ///
    /// # Errors
    /// The first line that is wrong, or what the document has too much of.
    pub fn parse(bytes: &[u8]) -> Result<Self, PriceSetError> {
        let text = std::str::from_utf8(bytes).map_err(|_| PriceSetError::NotText)?;
        let document = Document::parse(text).map_err(PriceSetError::Document)?;
        let tables = compile(&document).map_err(|error| PriceSetError::TooLarge { what: error.what })?;
        Ok(Self { tables: Cow::Owned(tables), overlay: None, both: String::new() })
    }

    /// Name, version and day of import, such as `genai-prices 0.2.3 (2026-11-23)`.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.tables.label
    }

    /// Ids of the providers, in order of precedence.
    pub fn providers(&self) -> impl Iterator<Item = &str> {
        self.tables.providers.iter().map(|provider| self.tables.text(provider.id))
    }

    /// How many models have rows.
    #[must_use]
    pub fn models(&self) -> usize {
        self.tables.models.len()
    }

    /// What the call costs, by the model that answered, and where that has no row, by the one that was asked for: a
    /// deployment may answer with a name of its own.
    ///
    /// # Errors
    /// Why it has no price, as [`price`](Self::price) says of the model that answered, or of the other where none did.
    pub fn price_or_as_asked(&self, call: &Call<'_>, asked: Option<&str>) -> Result<Cost<'_>, Unpriced> {
        let answered = self.price(call);
        match (&answered, asked.filter(|asked| *asked != call.model)) {
            (Err(Unpriced::MissingModel), Some(model)) => self.price(&Call { model, ..*call }),
            (Err(Unpriced::UnknownModel | Unpriced::UnknownProvider), Some(model)) => {
                self.price(&Call { model, ..*call }).or(answered)
            }
            _ => answered,
        }
    }

    /// What the call costs.
    ///
    /// # Errors
    /// Why it has no price. Never a cost of zero for something unknown.
    pub fn price(&self, call: &Call<'_>) -> Result<Cost<'_>, Unpriced> {
        let Usage { input_tokens, output_tokens, other_units, .. } = call.usage;
        if input_tokens.is_none() && output_tokens.is_none() && other_units.is_empty() {
            return Err(Unpriced::MissingUsage);
        }
        let named = self.overlay.as_deref().and_then(|overlay| overlay.alias(call.provider, call.model));
        let (provider, model) = named.map_or((call.provider, call.model), |(provider, model)| (Some(provider), model));
        let Matched { tables, found, rates, of_overlay } = self.matched(call, provider, model)?;
        let provider = tables.providers.get(usize::from(found.model.provider));
        let row = Row {
            provider: provider.map_or("", |provider| tables.text(provider.id)),
            model: tables.text(found.model.id),
        };
        let agreed = self.overlay.as_deref().map_or_else(Agreed::default, |overlay| {
            overlay.agreed((row.provider, row.model), call.model, call.at_unix_seconds, call.served)
        });
        let rates = rates.agreed_as(agreed);
        let set = match &self.overlay {
            Some(overlay) if of_overlay => overlay.label(),
            Some(_) if named.is_some() || !agreed.is_empty() => &self.both,
            _ => self.label(),
        };
        let mut cost = Cost {
            total: Usd::ZERO,
            currency: "USD",
            parts: Parts::default(),
            savings: Savings::default(),
            price: PriceRef {
                set,
                row,
                from: tables.text(found.model.source),
                agreed,
                tier: rates.tier,
                source: Source::Local,
            },
            notes: Notes {
                by_model: found.by_model && named.is_none(),
                by_alias: named.is_some(),
                tier_not_listed: call.served.is_special() && rates.tier.served.is_none(),
                ..Notes::default()
            },
        };
        bill(call.usage, &rates, &mut cost)?;
        Ok(cost)
    }

    /// The row for a model, and its rates: the overlay's where it has one that is in force, else the set's.
    fn matched(&self, call: &Call<'_>, provider: Option<&str>, model: &str) -> Result<Matched<'_>, Unpriced> {
        let input_tokens = call.usage.input_tokens.unwrap_or(0);
        let matched = |tables, found: Found<'_>, strict| {
            let served = if found.own { call.served } else { Served::default() };
            Rates::in_force(tables, found.model, call.at_unix_seconds, served, input_tokens, strict)
        };
        if let Some(overlay) = &self.overlay
            && let Some(found) = find_only(&overlay.tables, provider, model)
            && let Some(rates) = matched(&overlay.tables, found, true)
        {
            return Ok(Matched { tables: &overlay.tables, found, rates, of_overlay: true });
        }
        let tables = self.tables.as_ref();
        let found = find(tables, provider, model)?;
        let rates = matched(tables, found, false).ok_or(Unpriced::NoRate)?;
        Ok(Matched { tables, found, rates, of_overlay: false })
    }
}

/// A row and its rates.
struct Matched<'a> {
    tables: &'a Tables,
    found: Found<'a>,
    rates: Rates<'a>,
    of_overlay: bool,
}

/// Why a price set was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PriceSetError {
    /// The bytes are not UTF-8.
    NotText,
    /// A line is wrong.
    Document(DocumentError),
    /// There is more of something than can be numbered.
    TooLarge {
        /// Of what.
        what: &'static str,
    },
}

impl fmt::Display for PriceSetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotText => f.write_str("the price set is not UTF-8 text"),
            Self::Document(error) => write!(f, "the price set, {error}"),
            Self::TooLarge { what } => write!(f, "the price set has too many {what}; leave some out"),
        }
    }
}

impl std::error::Error for PriceSetError {}
