//! One finding for each place: how overlaps are settled.

use crate::kind::Kind;

/// A place in a text and what was found there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) kind: Kind,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Candidate {
    /// Better first: secrets before checked values before shapes, then the longer, then the order of rules.
    fn beats(&self, other: &Self) -> bool {
        let key = |candidate: &Self| {
            (candidate.kind.rank(), candidate.end - candidate.start, std::cmp::Reverse(candidate.kind.number()))
        };
        key(self) > key(other)
    }
}

/// Sorted, non-overlapping candidates. Where two overlap, both are covered and the better one gives the type: a part
/// of a value that was recognised is never left standing.
pub(crate) fn resolve(mut candidates: Vec<Candidate>) -> Vec<Candidate> {
    candidates.sort_unstable_by_key(|candidate| (candidate.start, candidate.end));
    let mut settled: Vec<Candidate> = Vec::with_capacity(candidates.len());
    // The best single candidate in the last settled place, which decides its type.
    let mut best = None;
    for candidate in candidates {
        match (settled.last_mut(), &mut best) {
            (Some(last), Some(champion)) if candidate.start < last.end => {
                last.end = last.end.max(candidate.end);
                if candidate.beats(champion) {
                    *champion = candidate;
                    last.kind = candidate.kind;
                }
            }
            _ => {
                best = Some(candidate);
                settled.push(candidate);
            }
        }
    }
    settled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlaps_are_settled() {
        use Kind::{ApiKey, CreditCard, EmailAddress, PhoneNumber};
        let c = |kind, start, end| Candidate { kind, start, end };
        let cases: &[(&str, Vec<Candidate>, Vec<Candidate>)] = &[
            ("apart", vec![c(PhoneNumber, 5, 9), c(ApiKey, 0, 5)], vec![c(ApiKey, 0, 5), c(PhoneNumber, 5, 9)]),
            ("checked beats shape", vec![c(PhoneNumber, 0, 9), c(CreditCard, 0, 8)], vec![c(CreditCard, 0, 9)]),
            ("secret beats checked", vec![c(EmailAddress, 0, 9), c(ApiKey, 4, 8)], vec![c(ApiKey, 0, 9)]),
            ("longer beats shorter", vec![c(CreditCard, 0, 4), c(EmailAddress, 0, 9)], vec![c(EmailAddress, 0, 9)]),
            ("rule order", vec![c(EmailAddress, 0, 4), c(CreditCard, 0, 4)], vec![c(CreditCard, 0, 4)]),
            ("a part sticks out", vec![c(EmailAddress, 0, 9), c(CreditCard, 7, 12)], vec![c(EmailAddress, 0, 12)]),
        ];
        for (name, given, expected) in cases {
            assert_eq!(&resolve(given.clone()), expected, "{name}");
        }
    }
}
