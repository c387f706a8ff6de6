//! Stretches of a text with a type, and how found ones are matched with labelled ones.

/// A stretch of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// Name of the type.
    pub(crate) kind: String,
    /// First byte.
    pub(crate) start: usize,
    /// One past the last byte.
    pub(crate) end: usize,
}

impl Span {
    pub(crate) fn new(kind: &str, start: usize, end: usize) -> Self {
        Self { kind: kind.to_owned(), start, end }
    }

    pub(crate) fn len(&self) -> usize {
        self.end.saturating_sub(self.start)
    }

    /// Bytes that both have.
    pub(crate) fn overlap(&self, other: &Self) -> usize {
        self.end.min(other.end).saturating_sub(self.start.max(other.start))
    }

    /// Bytes of both over bytes of either: 1 for the same stretch, 0 for stretches apart.
    pub(crate) fn iou(&self, other: &Self) -> f64 {
        let both = self.overlap(other);
        ratio(both, self.len() + other.len() - both)
    }

    /// Whether at least half of it lies inside the other.
    pub(crate) fn is_half_inside(&self, other: &Self) -> bool {
        self.len() > 0 && 2 * self.overlap(other) >= self.len()
    }
}

/// The part of a whole; of nothing, 0.
pub(crate) fn ratio(part: usize, whole: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts and bytes far below 2^52")]
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// How much of both a pair has to share.
const LEAST_IOU: f64 = 0.5;

/// Pairs labelled and found stretches of the same type, one to one: of all pairs that share at least half, the one that
/// shares most is taken first. Gives for each labelled stretch the place of the found one.
pub(crate) fn pair(gold: &[Span], found: &[Span]) -> Vec<Option<usize>> {
    let mut pairs: Vec<(f64, usize, usize)> = Vec::new();
    for (label, span) in gold.iter().enumerate() {
        for (place, finding) in found.iter().enumerate().filter(|(_, finding)| finding.kind == span.kind) {
            let shared = span.iou(finding);
            if shared >= LEAST_IOU {
                pairs.push((shared, label, place));
            }
        }
    }
    pairs.sort_by(|one, other| other.0.total_cmp(&one.0));
    let mut matched = vec![None; gold.len()];
    for (_, label, place) in pairs {
        let taken = matched.contains(&Some(place));
        if let Some(free @ None) = matched.get_mut(label).filter(|_| !taken) {
            *free = Some(place);
        }
    }
    matched
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_part_of_two_stretches() {
        for (one, other, expected) in [
            ((0, 10), (0, 10), 1.0),
            ((0, 10), (10, 20), 0.0),
            ((0, 10), (5, 15), 1.0 / 3.0),
            ((0, 10), (0, 5), 0.5),
            ((2, 4), (0, 8), 0.25),
            ((3, 3), (3, 3), 0.0),
        ] {
            let (one, other) = (Span::new("A", one.0, one.1), Span::new("B", other.0, other.1));
            assert!((one.iou(&other) - expected).abs() < 1e-9, "{one:?} {other:?}");
            assert!((other.iou(&one) - expected).abs() < 1e-9, "{one:?} {other:?}");
        }
    }

    #[test]
    fn half_inside_is_measured_on_the_finding() {
        let gold = Span::new("A", 10, 20);
        assert!(Span::new("B", 10, 12).is_half_inside(&gold));
        assert!(Span::new("B", 5, 15).is_half_inside(&gold));
        assert!(!Span::new("B", 4, 15).is_half_inside(&gold));
        assert!(!Span::new("B", 12, 12).is_half_inside(&gold));
    }

    #[test]
    fn the_best_pair_is_taken_first_and_each_once() {
        let gold = [Span::new("A", 0, 10), Span::new("A", 10, 20), Span::new("B", 30, 40)];
        // The first shares half with the first label and the second shares all of it.
        let found = [Span::new("A", 0, 5), Span::new("A", 0, 10), Span::new("A", 30, 40), Span::new("A", 11, 20)];
        assert_eq!(pair(&gold, &found), [Some(1), Some(3), None]);
        // One finding over two labels: it is as near to both, and counts once.
        assert_eq!(pair(&gold, &[Span::new("A", 0, 20)]), [Some(0), None, None]);
        // Less than half is no pair.
        assert_eq!(pair(&gold, &[Span::new("A", 0, 4)]), [None, None, None]);
        assert_eq!(pair(&[], &found), Vec::<Option<usize>>::new());
    }

    #[test]
    fn a_label_whose_best_finding_is_taken_gets_the_next() {
        let gold = [Span::new("A", 0, 10), Span::new("A", 4, 14)];
        let found = [Span::new("A", 2, 12), Span::new("A", 0, 10)];
        assert_eq!(pair(&gold, &found), [Some(1), Some(0)]);
    }
}
