//! Secrets of applications in Microsoft Entra, which have a mark in the middle.

use crate::candidate::{Candidate, Proof};
use crate::kind::Kind;
use crate::secret::noise;
use crate::text::{Text, before, is_word, run_end, slice};

/// The secret whose mark `Q~` ends at `tilde`: three characters, a digit, the mark, and 31 to 34 more.
pub(super) fn find(text: &Text<'_>, tilde: usize) -> Option<Candidate> {
    if before(text, tilde, 1) != b'Q' || !before(text, tilde, 2).is_ascii_digit() {
        return None;
    }
    let start = tilde.checked_sub(5)?;
    let may = |byte: u8| is_word(byte) || matches!(byte, b'~' | b'.' | b'-');
    if !slice(text, start, tilde).iter().all(|byte| may(*byte)) || may(before(text, start, 1)) {
        return None;
    }
    let run = run_end(text, tilde + 1, 36, may);
    let end = if before(text, run, 1) == b'.' { run - 1 } else { run };
    let body = slice(text, tilde + 1, end);
    let accepted = matches!(body.len(), 31..=34) && !noise::is_placeholder(body) && !text.is_undecided();
    let rule = "form of a key: Microsoft Entra client secret";
    accepted.then_some(Candidate { kind: Kind::AZURE_CLIENT_SECRET, start, end, proof: Proof::Form, rule })
}
