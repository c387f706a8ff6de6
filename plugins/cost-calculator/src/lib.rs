//! Usage and a price set in, exact money out.
//!
//! In goes a [`Call`]: provider, model, token counts, the moment it began and how it was served. Out comes a [`Cost`]:
//! the exact total, its parts with units, rate and amount, and the row and tier of the price set that they come from;
//! or [`Unpriced`], why there is none. Arithmetic is on integers throughout, see [`Usd`].
//!
//! ```
//! use tollgate_call::Usage;
//! use tollgate_cost_calculator::{Call, PriceSet, Served};
//! let usage = Usage { input_tokens: Some(1_000), cache_read_tokens: Some(400), output_tokens: Some(200), ..Usage::default() };
//! let call = Call { provider: Some("openai"), model: "gpt-4o", usage: &usage, at_unix_seconds: 1_790_000_000, served: Served::default() };
//! let cost = PriceSet::builtin().price(&call).unwrap();
//! // 600 at $2.50, 400 at $1.25 and 200 at $10 a million.
//! assert_eq!(cost.total.to_string(), "0.004");
//! assert_eq!(cost.price.row.to_string(), "openai/gpt-4o");
//! ```
//!
//! [`Enricher`] does this for spans, as columns. Prices are in the committed
//! [`document`] `data/prices.txt`, which `cargo xtask prices` imports and the build script compiles into the program.
//!
//! [`Overlay`] puts negotiated prices, discounts and aliases on top, and [`Policy`] weighs what a provider reports against
//! what is computed.
//!
//! Not modelled: free quotas; tokens of video and of citations as such.
#![cfg_attr(not(feature = "component"), forbid(unsafe_code))]

mod builtin;
mod calculator;
mod changes;
mod charge;
#[cfg(feature = "component")]
mod component;
mod config;
mod cost;
mod data;
mod enricher;
mod explanation;
mod find;
mod lint;
mod money;
mod name;
mod overlay;
mod partition;
mod price_set;
mod rates;
mod served;
mod unpriced;

pub use builtin::DOCUMENT;
pub use calculator::Calculator;
pub use changes::changes;
pub use charge::{Authority, Charge, Policy};
pub use cost::{Cost, Notes, Part, Parts, PriceRef, Row, Savings, Source, Tier};
pub use data::document;
pub use data::rate::{Factor, Rate};
pub use data::unit::Unit;
pub use enricher::Enricher;
pub use lint::lint;
pub use money::Usd;
pub use overlay::{Adjustment, Agreed, Overlay, OverlayError, OverlayProblem};
pub use price_set::{Call, PriceSet, PriceSetError};
pub use served::Served;
pub use unpriced::Unpriced;
