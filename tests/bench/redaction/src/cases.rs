//! Short texts by type of identifier: what is found of a bare value, and of one that stands behind its name.

use crate::context;
use crate::data::{Case, Folder};
use crate::detector::Detector;
use crate::span::Span;
use std::collections::BTreeMap;

/// Types of ours that count for a type of the set besides the one of the same name.
const ALSO: &[(&str, &[&str])] = &[
    ("CREDIT_CARD", &["CN_BANK_CARD"]),
    ("PH_MOBILE_NUMBER", &["PHONE_NUMBER"]),
    ("TR_PHONE_NUMBER", &["PHONE_NUMBER"]),
];

/// The types that count for one of the set.
fn accepted(entity: &str) -> impl Iterator<Item = &str> {
    let also = ALSO.iter().find(|(name, _)| *name == entity).map_or([].as_slice(), |(_, also)| also);
    std::iter::once(entity).chain(also.iter().copied())
}

/// Counts of one type.
#[derive(Clone, Copy, Default)]
struct Counts {
    positives: usize,
    found: [usize; 2],
    negatives: usize,
    hit: [usize; 2],
}

impl Counts {
    fn add(&mut self, other: &Self) {
        self.positives += other.positives;
        self.negatives += other.negatives;
        for form in 0..2 {
            if let (Some(found), Some(hit)) = (self.found.get_mut(form), self.hit.get_mut(form)) {
                *found += other.found.get(form).copied().unwrap_or(0);
                *hit += other.hit.get(form).copied().unwrap_or(0);
            }
        }
    }
}

/// Prints, by type, positives found and negatives hit, bare and behind a name.
pub(crate) fn report(folder: &Folder, detectors: &mut [&mut dyn Detector], show: bool) -> Result<(), String> {
    let cases = folder.cases()?;
    println!("\n=== recognizer_cases: {} texts, bare and behind the name of the type", cases.len());
    if let Some(case) = cases.iter().find(|case| !context::is_known(&case.entity)) {
        println!("no phrase is known for {}", case.entity);
    }
    for detector in detectors {
        let counts = count(&cases, &mut **detector, show)?;
        println!(
            "\n{:<28} {:>7} {:>7} {:>7}   {:>7} {:>7} {:>7}",
            detector.name(),
            "values",
            "bare",
            "named",
            "none",
            "bare",
            "named"
        );
        let mut all = Counts::default();
        let mut known = Counts::default();
        let mut unknown = Vec::new();
        for (entity, counts) in &counts {
            all.add(counts);
            if accepted(entity).any(|kind| detector.knows(kind)) {
                known.add(counts);
                line(entity, counts);
            } else {
                unknown.push(*entity);
            }
        }
        line("all that it knows", &known);
        line("all", &all);
        if !unknown.is_empty() {
            println!("not types of it ({}): {}", unknown.len(), unknown.join(", "));
        }
    }
    Ok(())
}

fn line(name: &str, counts: &Counts) {
    let Counts { positives, found: [bare, named], negatives, hit: [wrong, wrong_named] } = counts;
    println!("{name:<28} {positives:>7} {bare:>7} {named:>7}   {negatives:>7} {wrong:>7} {wrong_named:>7}");
}

fn count<'case>(
    cases: &'case [Case],
    detector: &mut dyn Detector,
    show: bool,
) -> Result<BTreeMap<&'case str, Counts>, String> {
    let mut counts: BTreeMap<&str, Counts> = BTreeMap::new();
    let phrases: [Vec<&str>; 2] =
        [vec![""; cases.len()], cases.iter().map(|case| context::phrase(&case.entity, &case.text)).collect()];
    let show = show && detector.redacted("").is_some();
    for (form, phrases) in phrases.iter().enumerate() {
        let texts: Vec<String> =
            cases.iter().zip(phrases).map(|(case, phrase)| format!("{phrase}{}", case.text)).collect();
        let found = detector.find(&texts.iter().map(String::as_str).collect::<Vec<_>>())?;
        for (((case, phrase), text), findings) in cases.iter().zip(phrases).zip(&texts).zip(&found.findings) {
            let counts = counts.entry(&case.entity).or_default();
            let hit = is_hit(case, phrase.len(), findings);
            if form == 0 {
                counts.positives += usize::from(case.positive);
                counts.negatives += usize::from(!case.positive);
            }
            let counted = if case.positive { counts.found.get_mut(form) } else { counts.hit.get_mut(form) };
            if let Some(counted) = counted {
                *counted += usize::from(hit);
            }
            if show && hit != case.positive && accepted(&case.entity).any(|kind| detector.knows(kind)) {
                eprintln!("{} {} in {text:?}", if hit { "wrong" } else { "missed" }, case.entity);
            }
        }
    }
    Ok(counts)
}

/// Whether a finding of the case's type touches a value of it; where the set does not say where its value is, and in
/// texts without one, whether there is such a finding at all.
fn is_hit(case: &Case, moved: usize, findings: &[Span]) -> bool {
    let mut of_type = findings.iter().filter(|finding| accepted(&case.entity).any(|kind| kind == finding.kind));
    of_type.any(|finding| {
        let back = Span::new(&finding.kind, finding.start.saturating_sub(moved), finding.end.saturating_sub(moved));
        case.spans.is_empty() && back.len() > 0 || case.spans.iter().any(|span| span.overlap(&back) > 0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hit_is_of_the_type_and_in_the_value() {
        let case = |spans| Case { entity: "TR_PHONE_NUMBER".into(), text: "x 12345".into(), positive: true, spans };
        let labelled = case(vec![Span::new("", 2, 7)]);
        assert!(is_hit(&labelled, 0, &[Span::new("PHONE_NUMBER", 4, 6)]));
        assert!(is_hit(&labelled, 10, &[Span::new("TR_PHONE_NUMBER", 12, 17)]));
        assert!(!is_hit(&labelled, 0, &[Span::new("US_SSN", 2, 7)]));
        assert!(!is_hit(&labelled, 0, &[Span::new("PHONE_NUMBER", 0, 2)]));
        // In the phrase, which is no part of the case.
        assert!(!is_hit(&labelled, 10, &[Span::new("PHONE_NUMBER", 2, 9)]));
        assert!(!is_hit(&case(vec![]), 10, &[Span::new("PHONE_NUMBER", 2, 9)]));
        assert!(is_hit(&case(vec![]), 0, &[Span::new("PHONE_NUMBER", 0, 1)]));
    }
}
