//! Precision and recall on labelled sentences, where the data sets are at hand (folder in `TOLLGATE_PII`).
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a data set that is not as its description says must stop the test"
)]

mod support;

use serde_json::Value;
use std::collections::BTreeMap;
use support::rows;
use tollgate_pii_redactor::Redactor;

/// Counts of one type.
#[derive(Default)]
struct Score {
    gold: usize,
    found: usize,
    exact: usize,
    wrong: usize,
}

impl Score {
    fn recall(&self) -> f64 {
        ratio(self.found, self.gold)
    }

    fn precision(&self) -> f64 {
        ratio(self.found, self.found + self.wrong)
    }

    /// The harmonic mean that weighs recall twice.
    fn f2(&self) -> f64 {
        let (precision, recall) = (self.precision(), self.recall());
        5.0 * precision * recall / (4.0 * precision + recall).max(f64::MIN_POSITIVE)
    }
}

fn ratio(part: usize, whole: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts of a few thousand")]
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

/// A gold value counts as found where a finding of its type covers at least half of it. A finding counts as wrong
/// where it lies in no gold value of its type.
fn score(file: &str) -> Option<BTreeMap<String, Score>> {
    let redactor = Redactor::default();
    let mut scores: BTreeMap<String, Score> = BTreeMap::new();
    for row in rows(file)? {
        let text = row["text"].as_str().unwrap();
        let found = redactor.redact_text(text).1;
        let gold: Vec<(&str, usize, usize)> = row["spans"]
            .as_array()
            .unwrap()
            .iter()
            .map(|span| (span["type"].as_str().unwrap(), place(&span["bs"]), place(&span["be"])))
            .collect();
        for &(kind, start, end) in &gold {
            let score = scores.entry(kind.to_owned()).or_default();
            score.gold += 1;
            let of_kind = found.iter().filter(|finding| redactor.type_name(finding.kind) == kind);
            let best = of_kind.max_by_key(|finding| overlap(finding.start, finding.end, start, end));
            if let Some(best) = best.filter(|best| 2 * overlap(best.start, best.end, start, end) >= end - start) {
                score.found += 1;
                score.exact += usize::from((best.start, best.end) == (start, end));
            } else if std::env::var("TOLLGATE_SHOW_MISSES").is_ok()
                && Redactor::default().manifest().types.iter().any(|name| name == kind)
            {
                eprintln!("missed {kind} {:?} in {text:?}", &text[start..end]);
            }
        }
        for finding in &found {
            let name = redactor.type_name(finding.kind);
            let right = gold.iter().any(|&(kind, start, end)| {
                kind == name && 2 * overlap(finding.start, finding.end, start, end) >= finding.end - finding.start
            });
            if !right {
                scores.entry(name.to_owned()).or_default().wrong += 1;
                if std::env::var("TOLLGATE_SHOW_MISSES").is_ok() {
                    eprintln!("wrong {name} {:?} in {text:?}", &text[finding.start..finding.end]);
                }
            }
        }
    }
    let types = Redactor::default().manifest().types;
    scores.retain(|kind, _| types.contains(kind));
    println!("{file}");
    for (kind, score) in &scores {
        println!(
            "  {kind:15} gold {:4}  precision {:.3}  recall {:.3}  F2 {:.3}  exact {:.3}",
            score.gold,
            score.precision(),
            score.recall(),
            score.f2(),
            ratio(score.exact, score.gold)
        );
    }
    Some(scores)
}

fn place(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap()).unwrap()
}

fn overlap(start: usize, end: usize, other_start: usize, other_end: usize) -> usize {
    end.min(other_end).saturating_sub(start.max(other_start))
}

fn assert_floors(file: &str, floors: &[(&str, f64, f64)]) {
    let Some(scores) = score(file) else { return };
    for (kind, precision, recall) in floors {
        let score = scores.get(*kind).unwrap_or_else(|| panic!("{file} has no {kind}"));
        assert!(score.precision() >= *precision, "{file}: precision of {kind} is {:.3}", score.precision());
        assert!(score.recall() >= *recall, "{file}: recall of {kind} is {:.3}", score.recall());
    }
}

#[test]
fn english_sentences() {
    assert_floors(
        "prose_en.jsonl.gz",
        &[
            ("EMAIL_ADDRESS", 0.98, 0.97),
            ("CREDIT_CARD", 0.98, 0.97),
            ("IBAN_CODE", 0.98, 0.97),
            ("US_SSN", 0.98, 0.97),
            ("IP_ADDRESS", 0.98, 0.97),
            ("PHONE_NUMBER", 0.95, 0.85),
        ],
    );
}

#[test]
fn chinese_sentences() {
    assert_floors(
        "prose_zh.jsonl.gz",
        &[
            ("EMAIL_ADDRESS", 0.98, 0.97),
            ("CREDIT_CARD", 0.98, 0.97),
            ("CN_BANK_CARD", 0.98, 0.97),
            ("CN_PASSPORT", 0.98, 0.97),
            ("CN_ID_CARD", 0.98, 0.97),
            ("PHONE_NUMBER", 0.95, 0.97),
            ("IP_ADDRESS", 0.98, 0.97),
        ],
    );
}
