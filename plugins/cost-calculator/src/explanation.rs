//! A cost as JSON: what `tollgate price` prints and `tollgate.cost.explanation` holds.

use crate::cost::{Cost, Parts};
use serde::ser::{Serialize, SerializeMap, SerializeStruct, Serializer};

/// `{"total", "currency", "parts": {UNIT: {"units", "rate", "per", "amount"}}, "price": {"set", "row", "tier",
/// "source"}}`, and `"notes"` where there are any. Amounts and rates are exact decimal text.
impl Serialize for Cost<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let notes: Vec<_> = self.notes.words().collect();
        let mut cost = serializer.serialize_struct("Cost", 4 + usize::from(!notes.is_empty()))?;
        cost.serialize_field("total", &self.total.to_string())?;
        cost.serialize_field("currency", self.currency)?;
        cost.serialize_field("parts", &self.parts)?;
        let price = Price {
            set: self.price.set,
            row: self.price.row.to_string(),
            tier: self.price.tier.to_string(),
            source: self.price.source.as_str(),
        };
        cost.serialize_field("price", &price)?;
        if !notes.is_empty() {
            cost.serialize_field("notes", &notes)?;
        }
        cost.end()
    }
}

#[derive(serde::Serialize)]
struct Price<'a> {
    set: &'a str,
    row: String,
    tier: String,
    source: &'static str,
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
        let mut parts = serializer.serialize_map(Some(self.as_slice().len()))?;
        for part in self.as_slice() {
            let (rate, amount) = (part.rate.to_string(), part.amount.to_string());
            parts.serialize_entry(part.unit.name(), &Part { units: part.units, rate, per: part.unit.per(), amount })?;
        }
        parts.end()
    }
}
