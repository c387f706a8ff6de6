//! What is odd about a price document that can be read.

use crate::data::clause::Test;
use crate::data::document::{Document, Model, Price, Provider, Validity};
use std::collections::BTreeMap;

/// Something that is not wrong by the form of the document, but hardly meant. Printed `PROVIDER/MODEL: message`.
#[must_use]
pub fn lint(document: &Document) -> Vec<String> {
    let mut odd = Vec::new();
    for provider in &document.providers {
        let mut ids = BTreeMap::new();
        let mut names: BTreeMap<&str, &str> = BTreeMap::new();
        for model in &provider.models {
            let mut say = |message: String| odd.push(format!("{}/{}: {message}", provider.id, model.id));
            if ids.insert(&model.id, ()).is_some() {
                say("is there twice; only the rules tell the two apart".to_owned());
            }
            if model.matches.is_empty() {
                say("has no `match`, so that no call is for it".to_owned());
            }
            if model.prices.is_empty() {
                say("has no `price`".to_owned());
            }
            for name in whole_names(model) {
                if let Some(earlier) = names.get(name).filter(|earlier| **earlier != model.id) {
                    say(format!("`equals:{name}` is for {earlier}, which stands before it"));
                } else if let Some(earlier) = shadowing(provider, model, name) {
                    say(format!("`equals:{name}` is for {earlier} by its rules, which stand before it"));
                }
                names.entry(name).or_insert(&model.id);
            }
            prices(model).into_iter().for_each(say);
        }
    }
    odd
}

fn whole_names(model: &Model) -> impl Iterator<Item = &str> {
    model.matches.iter().filter_map(|rule| match rule.0.as_slice() {
        [only] if only.test == Test::Equals && !only.negated => Some(only.text.as_str()),
        _ => None,
    })
}

/// A model before this one whose rules take the name.
fn shadowing<'p>(provider: &'p Provider, model: &Model, name: &str) -> Option<&'p str> {
    let earlier = provider.models.iter().take_while(|other| !std::ptr::eq(*other, model));
    earlier
        .into_iter()
        .find(|other| other.matches.iter().any(|rule| rule.passes(name.as_bytes())))
        .map(|other| other.id.as_str())
}

fn prices(model: &Model) -> Vec<String> {
    let mut odd = Vec::new();
    let standard: Vec<&Price> = model.prices.iter().filter(|price| price.when.is_empty()).collect();
    for (number, price) in standard.iter().enumerate() {
        let earlier = standard.get(..number).unwrap_or_default();
        match price.validity {
            Validity::Always if number > 0 => {
                odd.push(format!("`{price}` holds always and hides every price before it"));
            }
            Validity::From(day) if earlier.iter().any(|other| later(other, day)) => {
                odd.push(format!("`{price}` stands behind a later day and hides it"));
            }
            _ => {}
        }
        for (unit, tiered) in &price.rates {
            if tiered.over.iter().any(|(_, rate)| *rate == tiered.base) && tiered.over.len() == 1 {
                odd.push(format!("{} has a tier with the rate that it has anyway", unit.name()));
            }
        }
    }
    odd
}

fn later(price: &Price, day: i32) -> bool {
    matches!(price.validity, Validity::From(other) if other >= day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_odd_is_said() {
        for (models, said) in [
            ("model a\nmatch equals:a\nprice input=1\nprice from:2026-01-01 input=2", None),
            ("model a\nprice input=1", Some("p/a: has no `match`")),
            ("model a\nmatch equals:a", Some("p/a: has no `price`")),
            (
                "model a\nmatch equals:a\nprice input=1\nmodel a\nmatch equals:b\nprice input=1",
                Some("p/a: is there twice"),
            ),
            (
                "model a\nmatch equals:x\nprice input=1\nmodel b\nmatch equals:x\nprice input=1",
                Some("p/b: `equals:x` is for a, which stands before it"),
            ),
            (
                "model a\nmatch starts:x\nprice input=1\nmodel b\nmatch equals:x-1\nprice input=1",
                Some("p/b: `equals:x-1` is for a by its rules"),
            ),
            (
                "model a\nmatch equals:a\nprice from:2026-02-01 input=1\nprice from:2026-01-01 input=1",
                Some("p/a: `price from:2026-01-01 input=1` stands behind a later day"),
            ),
            ("model a\nmatch equals:a\nprice input=1\nprice input=2", Some("p/a: `price input=2` holds always")),
            ("model a\nmatch equals:a\nprice input=1>9:1", Some("p/a: input has a tier with the rate that it has")),
        ] {
            let document = Document::parse(&format!("set s 1 2026-01-01\nprovider p\n{models}")).unwrap();
            let found = lint(&document);
            assert_eq!(found.len(), usize::from(said.is_some()), "{models}: {found:?}");
            assert!(found.iter().zip(said).all(|(found, said)| found.starts_with(said)), "{models}: {found:?}");
        }
    }
}
