//! Counts over the texts of a set, and the figures that come of them.

use crate::span::{Span, pair, ratio};
use std::collections::BTreeMap;

/// Counts of one type, or of several together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    /// Labelled values.
    pub(crate) gold: usize,
    /// Labelled values that a finding was paired with.
    pub(crate) hits: usize,
    /// Of these, those with the very same ends.
    pub(crate) exact: usize,
    /// Findings that were paired with nothing.
    pub(crate) wrong: usize,
    /// Findings that were paired with nothing but lie at least half inside a label of another type: the value is taken
    /// out, under another name.
    pub(crate) crossed: usize,
    /// Characters of labelled values.
    pub(crate) characters: usize,
    /// Of these, those that no finding of any type covers.
    pub(crate) leaked: usize,
}

impl Count {
    /// Right findings over all findings, without those that crossed.
    pub(crate) fn precision(&self) -> f64 {
        share(self.hits, self.hits + self.wrong)
    }

    /// Right findings over all findings, where one that crossed is a wrong one.
    pub(crate) fn strict_precision(&self) -> f64 {
        share(self.hits, self.hits + self.wrong + self.crossed)
    }

    pub(crate) fn recall(&self) -> f64 {
        share(self.hits, self.gold)
    }

    /// The harmonic mean of precision and recall that weighs recall twice.
    pub(crate) fn f2(&self) -> f64 {
        let (precision, recall) = (self.precision(), self.recall());
        if precision + recall == 0.0 { 0.0 } else { 5.0 * precision * recall / (4.0 * precision + recall) }
    }

    /// Labelled values found with their very ends, over all labelled values.
    pub(crate) fn exactness(&self) -> f64 {
        share(self.exact, self.gold)
    }

    /// Characters that stay readable, over all characters of labelled values.
    pub(crate) fn leak(&self) -> f64 {
        ratio(self.leaked, self.characters)
    }

    fn add(&mut self, other: &Self) {
        self.gold += other.gold;
        self.hits += other.hits;
        self.exact += other.exact;
        self.wrong += other.wrong;
        self.crossed += other.crossed;
        self.characters += other.characters;
        self.leaked += other.leaked;
    }
}

/// A share of nothing is whole: no finding, none wrong.
fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 1.0 } else { ratio(part, whole) }
}

/// What was counted over the texts of a set.
#[derive(Clone, Debug, Default)]
pub(crate) struct Score {
    /// By type, the types that are evaluated.
    pub(crate) types: BTreeMap<String, Count>,
    /// Findings of types that the set does not label: in no label at all, and at least half inside one.
    pub(crate) others: BTreeMap<String, (usize, usize)>,
}

/// What one text gave, by place.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Labels that were missed.
    pub(crate) missed: Vec<usize>,
    /// Findings that were wrong.
    pub(crate) wrong: Vec<usize>,
}

impl Score {
    /// Nothing counted yet, of these types.
    pub(crate) fn of(types: &[&str]) -> Self {
        let types = types.iter().map(|&kind| (kind.to_owned(), Count::default())).collect();
        Self { types, others: BTreeMap::new() }
    }

    /// Counts one text. Labels of types that are not evaluated only say what a finding of another type may lie in.
    pub(crate) fn add(&mut self, text: &str, gold: &[Span], found: &[Span]) -> Outcome {
        let mut outcome = Outcome::default();
        let pairs = pair(gold, found);
        for (place, (span, pair)) in gold.iter().zip(&pairs).enumerate() {
            let Some(count) = self.types.get_mut(&span.kind) else { continue };
            count.gold += 1;
            match pair.and_then(|place| found.get(place)) {
                Some(finding) => {
                    count.hits += 1;
                    count.exact += usize::from((finding.start, finding.end) == (span.start, span.end));
                }
                None => outcome.missed.push(place),
            }
            for (at, _) in text.get(span.start..span.end).unwrap_or("").char_indices() {
                let at = span.start + at;
                count.characters += 1;
                count.leaked += usize::from(!found.iter().any(|finding| (finding.start..finding.end).contains(&at)));
            }
        }
        for (place, finding) in found.iter().enumerate().filter(|(place, _)| !pairs.contains(&Some(*place))) {
            let inside = |same: bool| {
                gold.iter().any(|span| (span.kind == finding.kind) == same && finding.is_half_inside(span))
            };
            match self.types.get_mut(&finding.kind) {
                Some(count) if inside(false) => count.crossed += 1,
                Some(count) => {
                    count.wrong += 1;
                    outcome.wrong.push(place);
                }
                None => {
                    let other = self.others.entry(finding.kind.clone()).or_default();
                    *(if inside(false) || inside(true) { &mut other.1 } else { &mut other.0 }) += 1;
                }
            }
        }
        outcome
    }

    /// Counts a finding that lies outside of the text altogether, in what surrounds it.
    pub(crate) fn add_outside(&mut self, kind: &str) {
        match self.types.get_mut(kind) {
            Some(count) => count.wrong += 1,
            None => self.others.entry(kind.to_owned()).or_default().0 += 1,
        }
    }

    /// The types that `chosen` keeps, together.
    pub(crate) fn total(&self, chosen: impl Fn(&str) -> bool) -> Count {
        let mut total = Count::default();
        for (_, count) in self.types.iter().filter(|(kind, _)| chosen(kind)) {
            total.add(count);
        }
        total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(one: f64, other: f64) -> bool {
        (one - other).abs() < 1e-9
    }

    #[test]
    fn figures_of_counts() {
        let count = Count { gold: 10, hits: 6, exact: 5, wrong: 2, crossed: 4, characters: 100, leaked: 25 };
        assert!(near(count.precision(), 0.75));
        assert!(near(count.strict_precision(), 0.5));
        assert!(near(count.recall(), 0.6));
        assert!(near(count.f2(), 5.0 * 0.75 * 0.6 / (4.0 * 0.75 + 0.6)));
        assert!(near(count.exactness(), 0.5));
        assert!(near(count.leak(), 0.25));
        let nothing_found = Count { gold: 3, ..Count::default() };
        assert!(near(nothing_found.f2(), 0.0) && near(nothing_found.recall(), 0.0));
    }

    #[test]
    fn a_text_is_counted_by_type() {
        // Bytes:      0         9    14  (two bytes each)
        let text = "ann@x.org 电话 5550123";
        let gold = [Span::new("EMAIL", 0, 9), Span::new("PHONE", 17, 24), Span::new("WORD", 10, 16)];
        let found = [
            Span::new("EMAIL", 0, 9),
            // Less than half of the number.
            Span::new("PHONE", 17, 20),
            // Inside a label that is not evaluated, and of another type.
            Span::new("EMAIL", 10, 16),
            // Not a type of the set: once in a label, once in none.
            Span::new("URL", 4, 9),
            Span::new("URL", 9, 10),
        ];
        let mut score = Score::of(&["EMAIL", "PHONE"]);
        let outcome = score.add(text, &gold, &found);
        assert_eq!((outcome.missed, outcome.wrong), (vec![1], vec![1]));
        let email = Count { gold: 1, hits: 1, exact: 1, crossed: 1, characters: 9, ..Count::default() };
        assert_eq!(score.types["EMAIL"], email);
        // The part that was found is covered, the rest leaks.
        let phone = Count { gold: 1, wrong: 1, characters: 7, leaked: 4, ..Count::default() };
        assert_eq!(score.types["PHONE"], phone);
        assert_eq!(score.others["URL"], (1, 1));
        assert_eq!(score.types.len(), 2);
        let total = score.total(|_| true);
        assert_eq!((total.gold, total.hits, total.wrong, total.crossed), (2, 1, 1, 1));
        score.add_outside("PHONE");
        assert_eq!(score.total(|kind| kind == "PHONE").wrong, 2);
    }

    #[test]
    fn characters_leak_not_bytes() {
        let text = "身份证号";
        let mut score = Score::of(&["A"]);
        score.add(text, &[Span::new("A", 0, 12)], &[Span::new("B", 0, 3)]);
        let count = score.types["A"];
        assert_eq!((count.characters, count.leaked), (4, 3));
    }
}
