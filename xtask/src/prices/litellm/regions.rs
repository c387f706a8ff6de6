//! What it costs to have a call computed in a region.
//!
//! `provider_specific_entry` of an Anthropic model holds factors on all rates, by the `inference_geo` of the answer;
//! and under `fast` the factor of a speed, which the base has as prices of their own.

use super::{Report, row, text};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use tollgate_cost_calculator::document::Document;
use tollgate_cost_calculator::{Factor, PriceSet};

const PROVIDER: &str = "anthropic";
/// Keys of the field that are no places.
const NO_PLACES: &[&str] = &["fast"];

/// A row of the base and a place.
type Place = (String, String);
/// A key of the table and its factor, where that is one.
type Said = (String, Option<Factor>);

/// Adds the factors to the rows of the base that the models lead to.
pub(super) fn add(document: &mut Document, base: &PriceSet, table: &Map<String, Value>, report: &mut Report) {
    // Keys of one row that differ leave it without.
    let mut factors: BTreeMap<Place, Vec<Said>> = BTreeMap::new();
    for (key, entry) in table.iter().filter(|(_, entry)| text(entry, "litellm_provider") == PROVIDER) {
        let places = entry.get("provider_specific_entry").and_then(Value::as_object);
        for (place, factor) in places.into_iter().flatten().filter(|(place, _)| !NO_PLACES.contains(&place.as_str())) {
            let factor = factor.as_str().and_then(|factor| Factor::parse(&format!("*{factor}")));
            match row(base, PROVIDER, key) {
                Some((PROVIDER, model)) => {
                    let place = place.to_ascii_lowercase();
                    factors.entry((model.to_owned(), place)).or_default().push((key.clone(), factor));
                }
                _ => report.leave(key, "a factor for a region, of a model that the base lacks"),
            }
        }
    }
    for ((model, place), found) in factors {
        let first = found.first().and_then(|(_, factor)| *factor);
        let Some(factor) = first.filter(|_| found.iter().all(|(_, factor)| *factor == first)) else {
            found.iter().for_each(|(key, _)| report.leave(key, "a factor for a region that is none, or differs"));
            continue;
        };
        let providers = document.providers.iter_mut().filter(|provider| provider.id == PROVIDER);
        for row in providers.flat_map(|provider| &mut provider.models).filter(|row| row.id == model) {
            row.scales.push(("inference_geo".to_owned(), place.clone(), factor));
            report.scaled += 1;
        }
    }
}
