//! Every label that the filter puts into the name of a metric is in the documentation, and among the `stats_tags` of the
//! example, which take it out again.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::panic, reason = "a test that fails says where")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn read(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Names in the `stats_tags` of a configuration of Envoy, each of which is the name in its expression.
fn tags(path: &str) -> BTreeSet<String> {
    let text = read(path);
    let tags = text.lines().filter_map(|line| line.trim().strip_prefix("- { tag_name: "));
    tags.map(|line| {
        let (name, expression) = line.split_once(", regex: ").unwrap();
        assert_eq!(expression, format!(r"'^wasmcustom\.tollgate\..*?(;{name}=([^;]+))' }}"));
        name.to_owned()
    })
    .collect()
}

/// Labels in the table of metrics.
fn documented() -> BTreeSet<String> {
    let text = read("docs/ENVOY.md");
    let table = text.split("\n## Metrics\n").nth(1).and_then(|rest| rest.split("\n## ").next()).unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    let cells = rows.map(|row| row.split('|').nth(2).unwrap().trim());
    cells.flat_map(|cell| cell.split(", ")).filter(|label| !label.is_empty()).map(str::to_owned).collect()
}

/// Labels in the source: `;name=` in a text, or the argument behind the name of the counter.
fn used() -> BTreeSet<String> {
    let mut labels = BTreeSet::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../llm/src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap();
            let code = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
            for part in code.split(';').skip(1) {
                let end = part.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(part.len());
                if end > 0 && part[end..].starts_with('=') {
                    labels.insert(part[..end].to_owned());
                }
            }
            for call in code.split("add_labelled(").skip(1) {
                if let Some(label) = call.split(',').nth(1).and_then(|word| word.trim().strip_prefix('"')) {
                    labels.insert(label.trim_end_matches('"').to_owned());
                }
            }
        }
    }
    labels
}

#[test]
fn every_label_is_documented_and_has_a_tag() {
    let tags = tags("examples/envoy/envoy.yaml");
    assert_eq!(tags, documented());
    let used = used();
    assert!(used.contains("outcome") && used.contains("reason"), "labels are found in the source: {used:?}");
    assert_eq!(used.difference(&tags).collect::<Vec<_>>(), Vec::<&String>::new());
}
