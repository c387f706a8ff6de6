//! Codes that may be all letters, where a label with a colon leads to them: nothing else tells where to look.

use super::nearby::Nearby;
use super::table::BIC;
use super::{begins, candidate, ends};
use crate::candidate::{Candidate, Proof};
use crate::kind::Kind;
use crate::mac;
use crate::text::{Text, at, run_end, slice};

/// The bank identifier or hardware address of letters behind the colon.
pub(crate) fn find_behind(text: &Text<'_>, colon: usize) -> Option<Candidate> {
    let start = run_end(text, colon + 1, 3, |byte| matches!(byte, b' ' | b'"'));
    // A capital and another, or a pair of hexadecimal digits and a hyphen.
    let (first, second) = (at(text, start), at(text, start + 1));
    let capitals = first.is_ascii_uppercase() && second.is_ascii_uppercase();
    let pair = first.is_ascii_hexdigit() && at(text, start + 2) == b'-';
    if !capitals && !pair {
        return None;
    }
    let end = run_end(text, start, 12, |byte| byte.is_ascii_alphabetic());
    if end - start == 2 && at(text, end) == b'-' {
        return mac::find(text, start, end);
    }
    let code = slice(text, start, end);
    let bic = matches!(code.len(), 8 | 11) && code.iter().all(u8::is_ascii_uppercase) && super::table::bic(code);
    if !bic || !begins(text, start, false) || !ends(text, end, false) {
        return None;
    }
    let label = Nearby::of(text, start, end).named(BIC)?.label;
    label.then(|| candidate(Kind::SWIFT_CODE, start, end, Proof::Named, "SWIFT_CODE: institution, country, label"))
}

#[cfg(test)]
mod tests {
    use super::super::tests::assert_found;
    use crate::kind::Kind;

    #[test]
    fn codes_of_letters_behind_a_label() {
        for (text, kind, value) in [
            ("BIC: DEUTDEFF", Kind::SWIFT_CODE, "DEUTDEFF"),
            ("{\"swiftCode\": \"NEDSZAJJXXX\"}", Kind::SWIFT_CODE, "NEDSZAJJXXX"),
            ("MAC: AA-BB-CC-DD-EE-FA", Kind::MAC_ADDRESS, "AA-BB-CC-DD-EE-FA"),
        ] {
            assert_found(text, &[(kind, value)]);
        }
        for text in ["note: DOCUMENT", "BIC: DEUTXXFF", "BIC: DEUTDEFFX", "bic: overseas", "swift: DEUTDEFF.txt"] {
            assert_found(text, &[]);
        }
    }
}
