//! One finding for each place: how overlaps are settled.

use crate::candidate::Candidate;

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
                let end = last.end.max(candidate.end);
                if candidate.beats(champion) {
                    *champion = candidate;
                    *last = Candidate { start: last.start, ..candidate };
                }
                last.end = end;
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
    use crate::candidate::Proof::{self, Checked, Form, Named};
    use crate::kind::Kind;

    #[test]
    fn overlaps_are_settled() {
        const PHONE: Kind = Kind::PHONE_NUMBER;
        const CARD: Kind = Kind::CREDIT_CARD;
        const MAIL: Kind = Kind::EMAIL_ADDRESS;
        const KEY: Kind = Kind::API_KEY;
        type Given = (Kind, Proof, usize, usize);
        type Settled = (Kind, usize, usize);
        let cases: &[(&str, &[Given], &[Settled])] = &[
            ("apart", &[(PHONE, Form, 5, 9), (KEY, Form, 0, 5)], &[(KEY, 0, 5), (PHONE, 5, 9)]),
            ("checked beats form", &[(PHONE, Form, 0, 9), (CARD, Checked, 0, 8)], &[(CARD, 0, 9)]),
            ("named beats form", &[(MAIL, Form, 0, 9), (PHONE, Named, 0, 8)], &[(PHONE, 0, 9)]),
            ("secret beats checked", &[(CARD, Checked, 0, 9), (KEY, Form, 4, 8)], &[(KEY, 0, 9)]),
            ("longer beats shorter", &[(CARD, Form, 0, 4), (MAIL, Form, 0, 9)], &[(MAIL, 0, 9)]),
            ("order of types", &[(MAIL, Form, 0, 4), (CARD, Form, 0, 4)], &[(CARD, 0, 4)]),
            ("a part sticks out", &[(MAIL, Form, 0, 9), (CARD, Form, 7, 12)], &[(MAIL, 0, 12)]),
        ];
        for (name, given, expected) in cases {
            let given = given.iter().map(|&(kind, proof, start, end)| Candidate { kind, start, end, proof, rule: "" });
            let settled: Vec<_> = resolve(given.collect()).into_iter().map(|c| (c.kind, c.start, c.end)).collect();
            assert_eq!(settled, *expected, "{name}");
        }
    }
}
