//! What changed between two price documents, for the person who imports.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use tollgate_cost_calculator::document::{Document, Model, Provider};

/// One line a model that was added (`+`), removed (`-`) or changed (`~`, with its rows), and a line of totals.
pub(super) fn between(old: &Document, new: &Document) -> String {
    let (before, after) = (models(old), models(new));
    let (mut added, mut removed, mut changed) = (0, 0, 0);
    let mut text = String::new();
    for (name, model) in &after {
        match before.get(name) {
            None => {
                added += 1;
                // Of a first import nobody reads the lines.
                if !before.is_empty() {
                    let _ = writeln!(text, "+ {name}");
                }
            }
            Some(known) if known != model => {
                changed += 1;
                let _ = writeln!(text, "~ {name}");
                for (mark, from, to) in [('-', known, model), ('+', model, known)] {
                    let others = rows(to);
                    for row in rows(from).iter().filter(|row| !others.contains(row)) {
                        let _ = writeln!(text, "    {mark} {row}");
                    }
                }
            }
            Some(_) => {}
        }
    }
    for name in before.keys().filter(|name| !after.contains_key(*name)) {
        removed += 1;
        let _ = writeln!(text, "- {name}");
    }
    let _ = writeln!(
        text,
        "{} {} -> {} {}: {added} models added, {removed} removed, {changed} changed, {} in all",
        if old.name.is_empty() { "nothing" } else { &old.name },
        old.version,
        new.name,
        new.version,
        after.len()
    );
    text
}

fn models<'a>(document: &'a Document) -> BTreeMap<String, &'a Model> {
    let of =
        |provider: &'a Provider| provider.models.iter().map(|model| (format!("{}/{}", provider.id, model.id), model));
    document.providers.iter().flat_map(of).collect()
}

fn rows(model: &Model) -> Vec<String> {
    let rules: Vec<_> = model.matches.iter().map(ToString::to_string).collect();
    let mut rows = vec![format!("match {}", rules.join(" "))];
    rows.extend((!model.source.is_empty()).then(|| format!("from {}", model.source)));
    rows.extend(model.prices.iter().map(ToString::to_string));
    rows.extend(model.scales.iter().map(|(key, value, factor)| format!("scale when:{key}={value} {factor}")));
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_is_listed_with_its_rows() {
        let set = |models: &str| Document::parse(&format!("set s 1 2026-01-01\nprovider p\n{models}")).unwrap();
        let old = set("model a\nmatch equals:a\nprice input=1\nmodel b\nmatch equals:b\nprice input=1\n");
        let new = set(
            "model b\nmatch equals:b\nprice input=2\nscale when:k=v *1.1\nmodel c\nmatch equals:c\nprice input=1\n",
        );
        assert_eq!(
            between(&old, &new),
            "~ p/b\n    - price input=1\n    + price input=2\n    + scale when:k=v *1.1\n+ p/c\n- p/a\n\
             s 1 -> s 1: 1 models added, 1 removed, 1 changed, 2 in all\n"
        );
    }
}
