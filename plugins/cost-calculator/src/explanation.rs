//! A charge as JSON: what `tollgate price` prints and `tollgate.cost.explanation` holds; and its parts in short.

use crate::charge::Charge;
use crate::cost::{Cost, Parts, Source};
use serde::ser::{Serialize, SerializeMap, Serializer};
use std::fmt::{self, Write as _};

/// ```json
/// {"total", "currency", "source", "reported", "computed", "disagrees",
///  "parts": {UNIT: {"units", "rate", "per", "amount"}}, "savings": {"cache_read", "cache_write"},
///  "price": {"set", "row", "tier", "from", "adjustments"}, "notes", "unpriced"}
/// ```
/// Amounts and rates are exact decimal text. What does not apply is left out: `reported` and `disagrees` where the
/// provider says nothing, `computed` where it is the total, `parts`, `savings` and `price` where we have no price and
/// `unpriced` says why.
impl Serialize for Charge<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut charge = serializer.serialize_map(None)?;
        charge.serialize_entry("total", &self.amount.to_string())?;
        charge.serialize_entry("currency", "USD")?;
        charge.serialize_entry("source", self.source.as_str())?;
        if let Some(reported) = self.reported {
            charge.serialize_entry("reported", &reported.to_string())?;
        }
        match &self.computed {
            Ok(cost) => {
                if self.source == Source::Provider {
                    charge.serialize_entry("computed", &cost.total.to_string())?;
                }
                if self.disagrees {
                    charge.serialize_entry("disagrees", &true)?;
                }
                explain(cost, &mut charge)?;
            }
            Err(reason) => charge.serialize_entry("unpriced", reason.as_str())?,
        }
        charge.end()
    }
}

fn explain<M: SerializeMap>(cost: &Cost<'_>, charge: &mut M) -> Result<(), M::Error> {
    charge.serialize_entry("parts", &cost.parts)?;
    let savings =
        Savings { cache_read: cost.savings.cache_read.to_string(), cache_write: cost.savings.cache_write.to_string() };
    if cost.savings != crate::cost::Savings::default() {
        charge.serialize_entry("savings", &savings)?;
    }
    let price = Price {
        set: cost.price.set,
        row: cost.price.row.to_string(),
        tier: cost.price.tier.to_string(),
        from: cost.price.from,
        adjustments: cost.price.agreed.iter().map(ToString::to_string).collect(),
    };
    charge.serialize_entry("price", &price)?;
    let notes: Vec<_> = cost.notes.words().collect();
    if notes.is_empty() { Ok(()) } else { charge.serialize_entry("notes", &notes) }
}

#[derive(serde::Serialize)]
struct Savings {
    cache_read: String,
    cache_write: String,
}

#[derive(serde::Serialize)]
struct Price<'a> {
    set: &'a str,
    row: String,
    tier: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    from: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    adjustments: Vec<String>,
}

#[derive(serde::Serialize)]
struct Part {
    units: u64,
    rate: String,
    per: u32,
    amount: String,
}

impl Serialize for Parts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut parts = serializer.serialize_map(None)?;
        for part in self.iter() {
            let (rate, amount) = (part.rate.to_string(), part.amount.to_string());
            parts.serialize_entry(part.unit.name(), &Part { units: part.units, rate, per: part.unit.per(), amount })?;
        }
        parts.end()
    }
}

/// In short: `400 cache_read at 1.25, 600 input at 2.5`.
impl fmt::Display for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, part) in self.iter().enumerate() {
            if number > 0 {
                f.write_str(", ")?;
            }
            write!(f, "{} {} at {}", part.units, part.unit.name(), part.rate)?;
        }
        if self.is_empty() { f.write_char('-') } else { Ok(()) }
    }
}
