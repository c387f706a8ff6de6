//! The committed price document as text, for those who show, compare and write prices.

/// The document that [`PriceSet::builtin`](crate::PriceSet::builtin) is compiled from.
pub const DOCUMENT: &str = include_str!("../data/prices.txt");
