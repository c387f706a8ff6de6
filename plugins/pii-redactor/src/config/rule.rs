//! `rules` and `fields`: what the user looks for, and where.

use super::fields::Fields;
use crate::kind::{Kind, Kinds};
use crate::places::Place;
use crate::rules::{Description, Rules, Validator};

/// Most rules of a configuration.
const MAX_RULES: usize = 200;
/// Most terms of one rule.
const MAX_TERMS: usize = 100_000;
/// Longest value that a rule may find, in bytes: as much as a stream may hold back.
const LONGEST: usize = 128;

/// The rules of the user.
pub(super) fn read(fields: &mut Fields<'_>) -> Rules {
    let mut rules = Rules::default();
    fields.objects("rules", MAX_RULES, |fields| {
        let kind = fields.text("type");
        let pattern = fields.text("pattern");
        let terms = fields.texts("terms", MAX_TERMS);
        let keywords = fields.texts("keywords", 100);
        let allow = fields.texts("allow", 10_000);
        let max_length = fields.number("max_length", 64, 1, LONGEST);
        let validator = fields.text("validator").and_then(|name| {
            let validator = Validator::from_name(name);
            if validator.is_none() {
                fields.problem("validator", format!("must be one of {}", Validator::names()));
            }
            validator
        });
        let Some(kind) = kind.filter(|kind| is_name(kind)) else {
            return fields.problem("type", "must be a name of 1 to 64 capital letters, digits and underscores");
        };
        if pattern.is_some() != terms.is_empty() {
            return fields.problem("", "needs a pattern or terms, and not both");
        }
        if let Some(term) = terms.iter().find(|term| term.len() > LONGEST) {
            return fields.problem("terms", format!("has {term:?}, which is longer than {LONGEST} bytes"));
        }
        let description = Description { kind, pattern, terms, keywords, allow, max_length, validator };
        if let Err(why) = rules.add(&description) {
            fields.problem(if pattern.is_some() { "pattern" } else { "terms" }, why);
        }
    });
    rules
}

/// A name that can stand in a placeholder.
fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    name.len() <= 64
        && bytes.next().is_some_and(|byte| byte.is_ascii_uppercase())
        && bytes.all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

/// What is looked for in texts of certain places.
pub(super) fn places(fields: &mut Fields<'_>, rules: &Rules) -> Vec<Place> {
    let mut places = Vec::new();
    fields.objects("fields", 1_000, |fields| {
        let name = fields.text("name");
        let only = fields.kinds("types", rules).map(Kinds::of);
        let without = fields.kinds("exclude_types", rules).unwrap_or_default();
        let mut kinds = only.unwrap_or_else(|| every(rules));
        for kind in without {
            kinds.remove(kind);
        }
        if fields.value("skip").and_then(serde_json::Value::as_bool) == Some(true) {
            kinds = Kinds::NONE;
        }
        match name {
            Some(name) => places.push(Place::new(name, kinds)),
            None => fields.problem("name", "is missing: the place of a text, such as span.attributes.url.*"),
        }
    });
    places
}

fn every(rules: &Rules) -> Kinds {
    Kinds::of(Kind::all().chain(rules.kinds()))
}
