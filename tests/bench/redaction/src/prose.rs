//! Labelled sentences: precision, recall, F2 and what stays readable, by type.

use crate::data::{Folder, Row};
use crate::detector::Detector;
use crate::score::{Count, Outcome, Score};
use crate::span::Span;

/// The types of the English set that have a structure of their own; names of persons and places have none.
const ENGLISH: &[&str] = &["CREDIT_CARD", "PHONE_NUMBER", "EMAIL_ADDRESS", "URL", "US_SSN", "IBAN_CODE", "IP_ADDRESS"];
/// The same of the Chinese set.
const CHINESE: &[&str] =
    &["PHONE_NUMBER", "CN_ID_CARD", "EMAIL_ADDRESS", "IP_ADDRESS", "CN_BANK_CARD", "CREDIT_CARD", "CN_PASSPORT"];

/// Labelled texts, and the types that are evaluated.
pub(crate) struct Set {
    pub(crate) name: &'static str,
    pub(crate) rows: Vec<Row>,
    types: &'static [&'static str],
}

impl Set {
    pub(crate) fn english(folder: &Folder) -> Result<Self, String> {
        Ok(Self { name: "prose_en", rows: folder.prose("prose_en")?, types: ENGLISH })
    }

    pub(crate) fn chinese(folder: &Folder) -> Result<Self, String> {
        Ok(Self { name: "prose_zh", rows: folder.prose("prose_zh")?, types: CHINESE })
    }

    /// Bytes of all texts.
    pub(crate) fn size(&self) -> usize {
        self.rows.iter().map(|row| row.text.len()).sum()
    }

    pub(crate) fn empty_score(&self) -> Score {
        Score::of(self.types)
    }

    /// Counts what was found in each text.
    pub(crate) fn score(&self, findings: &[Vec<Span>]) -> Score {
        let mut score = self.empty_score();
        for (row, found) in self.rows.iter().zip(findings) {
            score.add(&row.text, &row.gold, &self.named(row, found));
        }
        score
    }

    /// Findings in a text, under the names of the set.
    fn named(&self, row: &Row, found: &[Span]) -> Vec<Span> {
        found.iter().map(|span| card_named(self, &row.text, span.clone())).collect()
    }

    /// Writes each missed value of a type that is known and each wrong finding of one text, and what was read.
    pub(crate) fn show(&self, row: &Row, found: &[Span], outcome: &Outcome, known: impl Fn(&str) -> bool, read: &str) {
        let missed = outcome.missed.iter().filter_map(|&place| Some(("missed", row.gold.get(place)?)));
        let missed = missed.filter(|(_, span)| known(&span.kind));
        let wrong = outcome.wrong.iter().filter_map(|&place| Some(("wrong", found.get(place)?)));
        for (what, span) in missed.chain(wrong) {
            let value = row.text.get(span.start..span.end).unwrap_or("");
            eprintln!("{}: {what} {} {value:?} in {read:?}", self.name, span.kind);
        }
    }
}

/// A finding of a card under the name that the set has for it: the Chinese one tells cards of UnionPay, which begin
/// with 62, from others; the English one does not.
pub(crate) fn card_named(set: &Set, text: &str, mut span: Span) -> Span {
    if matches!(span.kind.as_str(), "CREDIT_CARD" | "CN_BANK_CARD") {
        let digits = text.get(span.start..span.end).unwrap_or("").chars().filter(char::is_ascii_digit);
        let union_pay = digits.take(2).eq("62".chars());
        let name = if union_pay && set.types.contains(&"CN_BANK_CARD") { "CN_BANK_CARD" } else { "CREDIT_CARD" };
        name.clone_into(&mut span.kind);
    }
    span
}

/// Prints the figures of a set, by type and together.
pub(crate) fn report(set: &Set, detectors: &mut [&mut dyn Detector], show: bool) -> Result<(), String> {
    println!("\n=== {}: {} texts, {:.2} MB", set.name, set.rows.len(), set.size() as f64 / 1e6);
    println!(
        "P over findings, without (P) and with (Px) those in a label of another type; R, F2 and exact over labels;"
    );
    println!("leak over characters of labels, not covered by any finding");
    let texts: Vec<&str> = set.rows.iter().map(|row| row.text.as_str()).collect();
    for detector in detectors {
        let found = detector.find(&texts)?;
        let score = set.score(&found.findings);
        println!(
            "\n{:<24} {:>5} {:>7} {:>7} {:>7} {:>7} {:>7} {:>7}",
            detector.name(),
            "gold",
            "P",
            "Px",
            "R",
            "F2",
            "exact",
            "leak"
        );
        for &kind in set.types {
            let note = if detector.knows(kind) { "" } else { "  not a type of it" };
            line(kind, &score.total(|other| other == kind), note);
        }
        line("all", &score.total(|_| true), "");
        line("all that it knows", &score.total(|kind| detector.knows(kind)), "");
        if !score.others.is_empty() {
            let others = score.others.iter().map(|(kind, (outside, inside))| format!("{kind} {outside}+{inside}"));
            println!(
                "of types that are not labelled, outside + inside of labels: {}",
                others.collect::<Vec<_>>().join(", ")
            );
        }
        if show && detector.redacted("").is_some() {
            for (row, found) in set.rows.iter().zip(&found.findings) {
                let found = set.named(row, found);
                let outcome = set.empty_score().add(&row.text, &row.gold, &found);
                set.show(row, &found, &outcome, |kind| detector.knows(kind), &row.text);
            }
        }
    }
    Ok(())
}

fn line(name: &str, count: &Count, note: &str) {
    println!(
        "{name:<24} {:>5} {:>7.3} {:>7.3} {:>7.3} {:>7.3} {:>7.3} {:>7.3}{note}",
        count.gold,
        count.precision(),
        count.strict_precision(),
        count.recall(),
        count.f2(),
        count.exactness(),
        count.leak(),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cards_have_the_name_that_the_set_has_for_them() {
        let set = |types| Set { name: "", rows: Vec::new(), types };
        for (kind, text, english, chinese) in [
            ("CREDIT_CARD", "6200 0000 0000 0005", "CREDIT_CARD", "CN_BANK_CARD"),
            ("CN_BANK_CARD", "6200000000000005", "CREDIT_CARD", "CN_BANK_CARD"),
            ("CN_BANK_CARD", "4111111111111111", "CREDIT_CARD", "CREDIT_CARD"),
            ("US_SSN", "620-00-0000", "US_SSN", "US_SSN"),
        ] {
            let named = |types| card_named(&set(types), text, Span::new(kind, 0, text.len())).kind;
            assert_eq!((named(ENGLISH), named(CHINESE)), (english.to_owned(), chinese.to_owned()), "{kind} {text}");
        }
    }
}
