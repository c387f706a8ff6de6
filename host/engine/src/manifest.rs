//! The rules that manifests and edits keep to, beyond the shape of their columns.

use crate::text;
use std::collections::BTreeSet;
use tollgate_columns::{Attribute, Batch, Kind, Malformed};

/// Most bytes of a name, be it a plugin's or an attribute's.
const LONGEST_NAME: usize = 256;
/// Attribute numbers are 16 bits wide.
const MOST_NAMES: usize = 65_535;

/// Checks a plugin's own name and version.
pub(crate) fn check_plugin(name: &str, version: &str) -> Result<(), String> {
    check_name("name", name)?;
    check_name("version", version)
}

/// Checks a list of names: not too many, each one sound and there once.
pub(crate) fn check_names<'a>(what: &str, names: impl ExactSizeIterator<Item = &'a str>) -> Result<(), String> {
    if names.len() > MOST_NAMES {
        return Err(format!("it declares {} {what}; at most {MOST_NAMES} can be numbered", names.len()));
    }
    let mut seen = BTreeSet::new();
    for name in names {
        check_name(what, name)?;
        if !seen.insert(name) {
            return Err(format!("`{name}` is twice in its list of {what}"));
        }
    }
    Ok(())
}

/// Checks what an enricher wants to write: span attributes only.
pub(crate) fn check_writes(writes: &[Attribute]) -> Result<(), String> {
    check_names("written attributes", writes.iter().map(|attribute| attribute.name.as_str()))?;
    let prefixes = ["span:", "scope:", "resource:"];
    match writes.iter().find(|attribute| prefixes.iter().any(|prefix| attribute.name.starts_with(prefix))) {
        Some(attribute) => Err(format!("`{}` cannot be written; only span attributes can", attribute.name)),
        None => Ok(()),
    }
}

fn check_name(what: &str, name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err(format!("a name in its {what} is empty"));
    }
    if name.len() > LONGEST_NAME {
        return Err(format!("a name in its {what} has {} bytes; at most {LONGEST_NAME} are allowed", name.len()));
    }
    if text::shown(name) != name {
        return Err(format!("a name in its {what} has control characters: `{}`", text::shown(name)));
    }
    Ok(())
}

/// Checks edits against what the manifest says is written: known attributes, values of their kind, one column each.
pub(crate) fn check_edits(edits: &Batch, items: u32, writes: &[Attribute]) -> Result<(), Malformed> {
    edits.check(items, writes.len())?;
    let mut seen = BTreeSet::new();
    let texts = edits.texts.iter().map(|column| (column.attribute, [Kind::Text, Kind::Composite]));
    let integers = edits.integers.iter().map(|column| (column.attribute, [Kind::Integer, Kind::Boolean]));
    let reals = edits.reals.iter().map(|column| (column.attribute, [Kind::Real, Kind::Real]));
    for (attribute, kinds) in texts.chain(integers).chain(reals) {
        let declared = writes.get(usize::from(attribute)).map(|written| written.kind);
        if !declared.is_some_and(|declared| kinds.contains(&declared)) {
            return Err(Malformed { attribute, what: "values are not of the kind that the manifest declares" });
        }
        if !seen.insert(attribute) {
            return Err(Malformed { attribute, what: "there are two columns for one attribute" });
        }
    }
    for column in &edits.integers {
        let boolean = writes.get(usize::from(column.attribute)).is_some_and(|written| written.kind == Kind::Boolean);
        if boolean && column.values.iter().any(|value| !matches!(value, 0 | 1)) {
            return Err(Malformed { attribute: column.attribute, what: "a truth value is neither 0 nor 1" });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tollgate_columns::Integers;

    #[test]
    fn names_are_sound_and_there_once() {
        let long = "n".repeat(257);
        let cases: &[(&[&str], &str)] = &[
            (&["a", "b"], ""),
            (&["a", "b", "a"], "`a` is twice in its list of reads"),
            (&[""], "a name in its reads is empty"),
            (&["a\u{1b}[2J"], "a name in its reads has control characters: `a\\u{1b}[2J`"),
            (&[&long], "a name in its reads has 257 bytes; at most 256 are allowed"),
        ];
        for (names, error) in cases {
            assert_eq!(check_names("reads", names.iter().copied()).err().as_deref().unwrap_or(""), *error);
        }
        let many: Vec<_> = (0..=MOST_NAMES).map(|n| n.to_string()).collect();
        assert!(check_names("reads", many.iter().map(String::as_str)).is_err());
    }

    #[test]
    fn only_span_attributes_can_be_written() {
        for (name, sound) in [("team", true), ("spanner", true), ("span:name", false), ("resource:host", false)] {
            assert_eq!(check_writes(&[Attribute::new(name, Kind::Text)]).is_ok(), sound, "{name}");
        }
    }

    #[test]
    fn truth_values_are_0_and_1() {
        let writes = [Attribute::new("flag", Kind::Boolean)];
        for (value, sound) in [(0, true), (1, true), (2, false), (-1, false)] {
            let column = Integers { attribute: 0, rows: vec![0], values: vec![value] };
            let edits = Batch { items: 1, integers: vec![column], ..Batch::default() };
            assert_eq!(check_edits(&edits, 1, &writes).is_ok(), sound, "{value}");
        }
    }
}
