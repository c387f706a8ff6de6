//! Records without personal data and without secrets, but with numbers, identifiers and code that look like them: few may
//! be hit.
#![expect(clippy::indexing_slicing, reason = "a finding that does not fit its text or the manifest must stop the test")]

use std::collections::{BTreeMap, BTreeSet};
use tollgate_pii_redactor::Redactor;

/// At most one record of so many may be hit.
const ONE_IN: usize = 20;

/// The records of a file; lines that begin with `# ` are headings.
fn records(file: &str) -> Vec<&str> {
    file.lines().filter(|line| !line.is_empty() && !line.starts_with("# ")).collect()
}

fn assert_few_hit(language: &str, file: &str, least: usize) {
    let records = records(file);
    assert!(records.len() >= least, "{language} has only {} records", records.len());
    let redactor = Redactor::default();
    let types = redactor.manifest().types;
    let mut by_type: BTreeMap<&str, usize> = BTreeMap::new();
    let mut hit = 0;
    for record in &records {
        let found = redactor.redact_text(record).1;
        hit += usize::from(!found.is_empty());
        let kinds: BTreeSet<&str> = found.iter().map(|finding| types[usize::from(finding.kind)].as_str()).collect();
        for kind in kinds {
            *by_type.entry(kind).or_default() += 1;
        }
        for finding in found {
            let kind = &types[usize::from(finding.kind)];
            println!("{kind} {:?} in {record:?}", &record[finding.start..finding.end]);
        }
    }
    println!("{language}: {hit} of {} records hit: {by_type:?}", records.len());
    assert!(hit * ONE_IN <= records.len(), "{language}: {hit} of {} records are hit: {by_type:?}", records.len());
}

#[test]
fn few_english_records_are_hit() {
    assert_few_hit("English", include_str!("hard_negatives/en.txt"), 320);
}

#[test]
fn few_chinese_records_are_hit() {
    assert_few_hit("Chinese", include_str!("hard_negatives/zh.txt"), 260);
}

#[test]
fn no_record_is_there_twice() {
    for file in [include_str!("hard_negatives/en.txt"), include_str!("hard_negatives/zh.txt")] {
        let records = records(file);
        let different: BTreeSet<&str> = records.iter().copied().collect();
        assert_eq!(different.len(), records.len());
    }
}
