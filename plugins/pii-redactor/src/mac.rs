//! Hardware addresses of network interfaces (IEEE 802, EUI-48): six pairs of hexadecimal digits with colons or hyphens
//! between, or three groups of four with full stops.
//!
//! Left alone, because they identify nobody: all zeros and broadcast. Left alone, because they are longer things:
//! eight pairs and more, as in fingerprints of keys.

use crate::candidate::{Candidate, Proof};
use crate::kind::Kind;
use crate::text::{Text, at, before, is_word, run_start, slice, starts_token};

/// The address of which one group of hexadecimal digits is at `start..end`.
pub(crate) fn find(text: &Text<'_>, start: usize, end: usize) -> Option<Candidate> {
    let size = end - start;
    let next = at(text, end);
    let mark = if is_mark(next) { next } else { before(text, start, 1) };
    let groups = match (size, mark) {
        (2, b':' | b'-') => 6,
        (4, b'.') => 3,
        _ => return None,
    };
    let first = first_group(text, start, size, mark, groups);
    let end = first + groups * (size + 1) - 1;
    let written = slice(text, first, end);
    let pairs = written.split(|byte| *byte == mark);
    let whole = written.len() == end - first
        && pairs.clone().count() == groups
        && pairs.clone().all(|group| group.len() == size && group.iter().all(u8::is_ascii_hexdigit))
        && starts(text, first)
        && ends(text, end);
    let mut digits = pairs.flatten();
    let nobody =
        digits.clone().all(|byte| *byte == b'0') || digits.clone().all(|byte| byte.eq_ignore_ascii_case(&b'f'));
    // Twelve digits and hyphens or full stops may be many things; with colons they are an address.
    let plain = mark != b':' && digits.all(u8::is_ascii_digit);
    (whole && !nobody && !plain).then_some(Candidate {
        kind: Kind::MAC_ADDRESS,
        start: first,
        end,
        proof: Proof::Form,
        rule: "MAC_ADDRESS: groups of hexadecimal digits",
    })
}

/// The address around a colon, hyphen or full stop, where no digit came before it.
pub(crate) fn find_at_mark(text: &Text<'_>, mark: usize) -> Option<Candidate> {
    let size = if at(text, mark) == b'.' { 4 } else { 2 };
    let hexadecimal = |place: usize| at(text, place).is_ascii_hexdigit();
    if !before(text, mark, 1).is_ascii_hexdigit() || !before(text, mark, size).is_ascii_hexdigit() {
        return None;
    }
    let goes_on = hexadecimal(mark + 1) && hexadecimal(mark + size) && at(text, mark + size + 1) == at(text, mark);
    goes_on.then(|| find(text, mark.checked_sub(size)?, mark)).flatten()
}

/// Start of the first group, going back over groups with the same mark.
fn first_group(text: &Text<'_>, start: usize, size: usize, mark: u8, groups: usize) -> usize {
    let mut first = start;
    for _ in 1..groups {
        let Some(end) = first.checked_sub(1).filter(|_| before(text, first, 1) == mark) else { break };
        let previous = run_start(text, end, size + 1, is_word);
        let group = slice(text, previous, end);
        if group.len() != size || !group.iter().all(u8::is_ascii_hexdigit) {
            break;
        }
        first = previous;
    }
    first
}

/// Whether an address may start here: behind a colon only where a word leads to it, not another group.
fn starts(text: &Text<'_>, first: usize) -> bool {
    if before(text, first, 1) != b':' {
        return starts_token(text, first) && !is_mark(before(text, first, 1));
    }
    let label = slice(text, run_start(text, first - 1, 5, is_word), first - 1);
    label.is_empty() || label.len() > 4 || !label.iter().all(u8::is_ascii_hexdigit)
}

fn ends(text: &Text<'_>, end: usize) -> bool {
    match at(text, end) {
        b':' | b'-' | b'.' => !at(text, end + 1).is_ascii_alphanumeric(),
        b'@' | b'*' | b'%' | b'=' => false,
        other => !is_word(other),
    }
}

fn is_mark(byte: u8) -> bool {
    matches!(byte, b':' | b'-' | b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mac(text: &str) -> Option<&str> {
        let whole = Text::whole(text.as_bytes());
        let group = |byte: u8| byte.is_ascii_alphanumeric();
        let mut found = None;
        for start in 0..text.len() {
            let end = crate::text::run_end(&whole, start, 9, group);
            let starts = start == 0 || !group(text.as_bytes()[start - 1]);
            if starts && end > start && text.as_bytes()[start..end].iter().any(u8::is_ascii_digit) {
                found = found.or_else(|| find(&whole, start, end));
            }
            if b":-.".contains(&text.as_bytes()[start]) {
                found = found.or_else(|| find_at_mark(&whole, start));
            }
        }
        found.and_then(|found| text.get(found.start..found.end))
    }

    #[test]
    fn addresses() {
        for text in [
            "00:00:5e:00:53:af",
            "02-00-5E-10-00-0A",
            "aa:bb:cc:dd:ee:f0",
            "aa:bb:cc:dd:ee:ff",
            "0000.5e00.53af",
            "aabb.cc00.ddee",
            "02:42:11:22:33:44",
            "aa-bb-cc-dd-ee-ff",
            "aabb.ccdd.eeff",
        ] {
            assert_eq!(mac(text), Some(text));
            assert_eq!(mac(&format!("地址{text}，")), Some(text), "between ideographs");
            assert_eq!(mac(&format!("mac:{text}")), Some(text), "behind a label");
        }
    }

    #[test]
    fn what_is_no_address() {
        for (text, why) in [
            ("00:00:00:00:00:00", "nobody"),
            ("ff:ff:ff:ff:ff:ff", "everybody"),
            ("FFFF.FFFF.FFF0.1", "longer"),
            ("02:00:5e:10:00", "five pairs"),
            ("02:00:5e:10:00:0a:0b:0c", "eight pairs"),
            ("02:00-5e:10-00:0a", "mixed marks"),
            ("02:00:5e:10:00:0g", "no hexadecimal digit"),
            ("x02:00:5e:10:00:0a", "a longer word"),
            ("01-23-45-67-89-01", "twelve digits"),
            ("12:34:56", "a time"),
            ("a02-00-5e-10-00-0a", "an identifier"),
            ("1:02:00:5e:10:00:0a", "seven groups"),
            ("[.02aa.00bb.5e10]", "a collation weight"),
            ("v1-02-00-5e-10-00-0a", "an identifier"),
        ] {
            assert_eq!(mac(text), None, "{text}: {why}");
        }
    }
}
