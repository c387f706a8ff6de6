//! The documentation lists every type that is built in.

use std::fmt::Write as _;
use tollgate_pii_redactor::{Category, Kind};

const DOCS: &str = include_str!("../../../docs/REDACTION.md");

#[test]
fn every_type_is_documented() {
    for category in [Category::Personal, Category::Secret] {
        let mut table = String::from("| type | what it is |\n|---|---|\n");
        for kind in Kind::all().filter(|kind| kind.category() == category) {
            let _ = writeln!(table, "| `{}` | {} |", kind.name(), kind.about());
        }
        assert!(DOCS.contains(&table), "docs/REDACTION.md should have this table:\n{table}");
    }
}
