//! Price sets: all rows, and the question what a call costs.

use crate::cost::{Cost, Notes, PriceRef, Row, Source};
use crate::data::compile::compile;
use crate::data::document::{Document, DocumentError};
use crate::data::table::Tables;
use crate::find::find;
use crate::partition::bill;
use crate::rates::Rates;
use crate::unpriced::Unpriced;
use std::fmt;
use tollgate_call::Usage;

mod builtin {
    #![allow(clippy::unreadable_literal, clippy::large_stack_arrays, reason = "written by the build script")]
    use crate::data::clause::Test::*;
    use crate::data::rate::Rate;
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
    tables: std::borrow::Cow<'static, Tables>,
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
    /// How the call was served, where that is known: a service tier (`flex`, `priority`), `batch`, `fast`, or several
    /// such words, or `key=value`, separated by commas. What was asked for is no substitute.
    pub tier: Option<&'a str>,
}

impl PriceSet {
    /// The whole committed set. It lies in the program's read-only data: getting it does no work.
    #[must_use]
    pub fn builtin() -> &'static Self {
        static SET: PriceSet = PriceSet { tables: std::borrow::Cow::Borrowed(&builtin::FULL) };
        &SET
    }

    /// The part of the committed set that most traffic needs, for seats where size counts. It knows every provider, but
    /// holds the models of some only. What it prices, the whole set prices alike.
    #[must_use]
    pub fn builtin_core() -> &'static Self {
        static SET: PriceSet = PriceSet { tables: std::borrow::Cow::Borrowed(&builtin::CORE) };
        &SET
    }

    /// Reads a price document; see [`document`](crate::document) for its form.
    ///
    /// # Errors
    /// The first line that is wrong, or what the document has too much of.
    pub fn parse(bytes: &[u8]) -> Result<Self, PriceSetError> {
        let text = std::str::from_utf8(bytes).map_err(|_| PriceSetError::NotText)?;
        let document = Document::parse(text).map_err(PriceSetError::Document)?;
        let tables = compile(&document, |_| true).map_err(|error| PriceSetError::TooLarge { what: error.what })?;
        Ok(Self { tables: std::borrow::Cow::Owned(tables) })
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
        if call.usage.input_tokens.is_none() && call.usage.output_tokens.is_none() {
            return Err(Unpriced::MissingUsage);
        }
        let tables = self.tables.as_ref();
        let found = find(tables, call.provider, call.model)?;
        let served = call.tier.filter(|tier| !is_standard(tier));
        let input_tokens = call.usage.input_tokens.unwrap_or(0);
        let of_row = call.tier.filter(|_| found.own);
        let rates = Rates::in_force(tables, found.model, call.at_unix_seconds, of_row, input_tokens);
        let bill = bill(call.usage, &rates)?;
        let provider = tables.providers.get(usize::from(found.model.provider));
        let row = Row {
            provider: provider.map_or("", |provider| tables.text(provider.id)),
            model: tables.text(found.model.id),
        };
        Ok(Cost {
            total: bill.total,
            currency: "USD",
            parts: bill.parts,
            price: PriceRef { set: self.label(), row, tier: rates.tier, source: Source::Local },
            notes: Notes {
                by_model: found.by_model,
                tier_not_listed: served.is_some() && rates.tier.served.is_none(),
                ..bill.notes
            },
        })
    }
}

/// Words for being served in the ordinary way. OpenAI says `default`, Anthropic `standard`; `auto` is a wish.
fn is_standard(tier: &str) -> bool {
    ["", "auto", "default", "standard"].iter().any(|word| tier.eq_ignore_ascii_case(word))
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
