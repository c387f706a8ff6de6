//! Postal codes of Germany (Deutsche Post): 01001 to 99998, directly behind their German name.
//!
//! Five digits are everywhere, and are postal codes in many countries: so only the name tells, and it is looked for
//! before anything else is.

use super::{Run, candidate, ends};
use crate::candidate::{Candidate, Proof};
use crate::kind::Kind;
use crate::number::value;
use crate::text::{Text, before, run_start, slice};

/// Endings of the words that lead to the number.
const NAMES: &[&str] = &["plz", "postleitzahl", "plz ist", "postleitzahl ist", "postleitzahl lautet", "德国邮编"];
/// Bytes of the longest of them.
const LONGEST: usize = 20;

pub(super) fn find(text: &Text<'_>, run: Run) -> Option<Candidate> {
    let Run { start, first_digit, end } = run;
    let gap = run_start(text, start, 4, |byte| matches!(byte, b' ' | b':' | b'=' | b'"' | b'.'));
    let gap = if before(text, gap, 1) == 0x9a && before(text, gap, 2) == 0xbc {
        gap.saturating_sub("：".len())
    } else {
        gap
    };
    if start != first_digit || !matches!(before(text, gap, 1) | 0x20, b'z' | b'l' | b't' | 0x80..) {
        return None;
    }
    let head = slice(text, gap.saturating_sub(LONGEST), gap);
    let named = NAMES.iter().any(|name| {
        let split = head.len().checked_sub(name.len()).and_then(|place| head.split_at_checked(place));
        split.is_some_and(|(front, tail)| {
            let whole = !name.is_ascii() || !front.last().is_some_and(u8::is_ascii_alphabetic);
            whole && tail.eq_ignore_ascii_case(name.as_bytes())
        })
    });
    let code = slice(text, start, end);
    let valid = code.iter().all(u8::is_ascii_digit) && (1001..=99_998).contains(&value(code));
    (named && valid && ends(text, end, false))
        .then(|| candidate(Kind::DE_PLZ, start, end, Proof::Named, "DE_PLZ: five digits behind their name"))
}

#[cfg(test)]
mod tests {
    use super::super::tests::assert_found;
    use crate::kind::Kind;

    #[test]
    fn codes_stand_behind_their_name() {
        for text in ["PLZ: 10119", "plz=\"10119\"", "Die Postleitzahl lautet 10119.", "Postleitzahl 10119 Berlin"] {
            assert_found(text, &[(Kind::DE_PLZ, "10119")]);
        }
        for text in ["10119 Berlin", "zip code 10119", "PLZ: 00119", "PLZ: 1011", "PLZ und 10119", "xplz 10119"] {
            assert_found(text, &[]);
        }
    }
}
