//! Records that hold nothing to find: how many are hit.

use crate::detector::Detector;
use crate::span::ratio;
use std::collections::{BTreeMap, BTreeSet};

/// The records, by language; lines that begin with `# ` are headings.
const SETS: [(&str, &str); 2] = [
    ("English", include_str!("../../../../plugins/pii-redactor/tests/hard_negatives/en.txt")),
    ("Chinese", include_str!("../../../../plugins/pii-redactor/tests/hard_negatives/zh.txt")),
];

/// Prints how many records are hit, and by which types.
pub(crate) fn report(detectors: &mut [&mut dyn Detector], show: bool) -> Result<(), String> {
    println!("\n=== records that hold nothing to find");
    for (language, records) in SETS {
        let records: Vec<&str> = records.lines().filter(|line| !line.is_empty() && !line.starts_with("# ")).collect();
        for detector in &mut *detectors {
            let found = detector.find(&records)?;
            let mut types: BTreeMap<&str, usize> = BTreeMap::new();
            let mut hit = 0;
            for (record, findings) in records.iter().zip(&found.findings) {
                let kinds: BTreeSet<&str> = findings.iter().map(|finding| finding.kind.as_str()).collect();
                hit += usize::from(!kinds.is_empty());
                if show && !kinds.is_empty() && detector.redacted("").is_some() {
                    eprintln!("wrong {kinds:?} in {record:?}");
                }
                kinds.into_iter().for_each(|kind| *types.entry(kind).or_default() += 1);
            }
            let mut types: Vec<(&str, usize)> = types.into_iter().collect();
            types.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
            let types: Vec<String> = types.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
            println!(
                "{language} {:<18} {hit:>4} of {} hit, {:>5.1} %  {}",
                detector.name(),
                records.len(),
                100.0 * ratio(hit, records.len()),
                types.join(", ")
            );
        }
    }
    Ok(())
}
