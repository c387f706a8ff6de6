//! The form of a key: literals that announce it, each with characters of an alphabet behind it.

use crate::candidate::{Candidate, Proof};
use crate::kind::Kind;
use crate::secret::{SURE, noise, published};
use crate::text::{self, Text, at, before, cut, run_end, slice, stands_at};

/// What characters may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alphabet {
    /// Decimal digits.
    Digit,
    /// Lower-case and upper-case hexadecimal digits.
    Hex,
    /// Capitals and the digits of base32 (RFC 4648).
    Base32,
    /// Capitals and digits.
    Upper,
    /// Letters and digits.
    Plain,
    /// base64url (RFC 4648): letters, digits, `-` and `_`.
    Url,
    /// base64url with `.` and `=`.
    Dotted,
    /// base64 (RFC 4648) with its padding.
    Base64,
    /// base64 as a URL has it (RFC 3986): letters, digits and `%`.
    Encoded,
}

impl Alphabet {
    fn has(self, byte: u8) -> bool {
        match self {
            Self::Digit => byte.is_ascii_digit(),
            Self::Hex => byte.is_ascii_hexdigit(),
            Self::Base32 => matches!(byte, b'A'..=b'Z' | b'2'..=b'7'),
            Self::Upper => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            Self::Plain => byte.is_ascii_alphanumeric(),
            Self::Url => text::is_word(byte) || byte == b'-',
            Self::Dotted => text::is_word(byte) || matches!(byte, b'-' | b'.' | b'='),
            Self::Base64 => byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='),
            Self::Encoded => byte.is_ascii_alphanumeric() || byte == b'%',
        }
    }
}

/// A literal, and how many characters of which alphabet follow it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part(pub(super) &'static str, pub(super) Alphabet, pub(super) usize, pub(super) usize);

/// What is asked of the characters besides their alphabet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Check {
    /// They are not masked: the literals and lengths leave no other doubt.
    Form,
    /// They are no stand-in such as `xxxx`, `EXAMPLE` or the alphabet.
    Real,
    /// They are no stand-in, and an unbroken run of this many letters and digits has both, or capitals and small
    /// letters that make no words.
    Random(usize),
    /// They are no stand-in, and may prove themselves: the last six of 36 are the CRC-32 of the others in base62.
    Sum,
}

/// One form of key.
#[derive(Debug)]
pub(super) struct Form {
    pub(super) kind: Kind,
    pub(super) parts: &'static [Part],
    pub(super) check: Check,
    /// Who issues it, for people who ask why.
    pub(super) rule: &'static str,
}

/// No upper limit.
pub(super) const ANY: usize = usize::MAX;

impl Form {
    /// The literal at the start.
    pub(super) const fn prefix(&self) -> &'static [u8] {
        match self.parts {
            [Part(prefix, ..), ..] => prefix.as_bytes(),
            [] => b"",
        }
    }

    /// The key of this form that starts at `start`.
    pub(super) fn find(&self, text: &Text<'_>, start: usize) -> Option<Candidate> {
        if !stands_at(text, start, self.prefix()) || !starts_key(text, start) {
            return None;
        }
        let sure = start + SURE;
        let mut place = start;
        let mut end = None;
        for (turn, &Part(literal, alphabet, shortest, longest)) in self.parts.iter().enumerate() {
            if !stands_at(text, place, literal.as_bytes()) {
                return None;
            }
            place += literal.len();
            // One more than is allowed at the end, so that a longer run is seen to be none.
            let last = turn + 1 == self.parts.len();
            let window = longest.saturating_add(usize::from(last)).min(sure.saturating_sub(place));
            let mut run = run_end(text, place, window, |byte| alphabet.has(byte));
            if last && run - place > longest && before(text, run, 1) == b'.' && !alphabet.has(at(text, run)) {
                run -= 1;
            }
            let length = run - place;
            if run >= sure {
                // What was seen is enough; the rest is everything that may belong to the key.
                end = Some(turn);
                place = run;
                break;
            }
            if length < shortest || length > longest {
                return None;
            }
            place = run;
        }
        let first = start + self.prefix().len();
        if end.is_none() {
            while place > first && matches!(before(text, place, 1), b'.' | b'=' | b'-') && self.may_shrink(text, place)
            {
                place -= 1;
            }
        }
        let body = slice(text, first, place);
        let accepted = match self.check {
            Check::Form => body.is_empty() || !noise::is_masked(body),
            Check::Real | Check::Sum => !noise::is_placeholder(body) && !is_word(body),
            Check::Random(run) => noise::is_drawn(body, run) && !noise::is_placeholder(body),
        };
        if !accepted || text.is_undecided() {
            return None;
        }
        if let Some(turn) = end {
            let rest = self.parts.get(turn..).unwrap_or(&[]);
            let may = |byte: u8| rest.iter().any(|part| part.1.has(byte) || part.0.as_bytes().first() == Some(&byte));
            place = run_end(text, place, usize::MAX, may);
            while matches!(before(text, place, 1), b'.') {
                place -= 1;
            }
        }
        if self.kind == Kind::GCP_API_KEY && published::by_google(slice(text, start, place)) {
            return None;
        }
        let proof = if self.check == Check::Sum && has_sum(body) { Proof::Checked } else { Proof::Form };
        Some(Candidate { kind: self.kind, start, end: place, proof, rule: self.rule })
    }

    /// Whether a sign at the end may belong to the sentence: the last part is longer than it must be, or padding that
    /// is part of a key does not end in it.
    fn may_shrink(&self, text: &Text<'_>, end: usize) -> bool {
        let Some(Part(_, alphabet, shortest, _)) = self.parts.last() else { return false };
        if *alphabet == Alphabet::Base64 {
            return false;
        }
        let window = slice(text, end.saturating_sub(shortest.saturating_add(1).min(SURE)), end);
        window.len() > *shortest && window.iter().all(|byte| alphabet.has(*byte))
    }
}

/// A key may follow anything but a letter, a digit or the stem of a file name.
fn starts_key(text: &Text<'_>, start: usize) -> bool {
    let last = before(text, start, 1);
    !(last.is_ascii_alphanumeric() || (last == b'.' && before(text, start, 2).is_ascii_alphanumeric()))
}

/// Whether the body is the rest of a name in code: letters alone that make words.
fn is_word(body: &[u8]) -> bool {
    !body.iter().any(u8::is_ascii_digit) && noise::is_wordy(body)
}

/// Whether the last six characters are the CRC-32 of the thirty before, in base62: the checksum that GitHub put into
/// its tokens in 2021 and npm took over.
fn has_sum(body: &[u8]) -> bool {
    if body.len() != 36 {
        return false;
    }
    let mut sum = u64::from(crc32fast::hash(cut(body, 0, 30)));
    cut(body, 30, 36).iter().rev().all(|byte| {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'A'..=b'Z' => byte - b'A' + 10,
            b'a'..=b'z' => byte - b'a' + 36,
            _ => return false,
        };
        let same = sum % 62 == u64::from(digit);
        sum /= 62;
        same
    }) && sum == 0
}

/// Which byte of a prefix the scan stops at: the first separator behind a letter, so that prefixes of which one begins
/// like another meet, or else a rare capital.
const fn anchor(prefix: &[u8]) -> Option<usize> {
    let mut found = None;
    let mut place = 0;
    #[expect(clippy::indexing_slicing, reason = "below the length, and evaluated by the compiler")]
    while place < prefix.len() {
        match prefix[place] {
            b'-' | b'_' | b'~' if place > 0 => return Some(place),
            b'A' | b'J' => found = Some(place),
            _ => {}
        }
        place += 1;
    }
    found
}

/// What the forms are told apart by.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// This byte of the prefix, at which the scan stops.
    Anchor(u8),
    /// How the prefix starts: the scan stops at a digit behind it.
    Start,
    /// No prefix: only the parts and what stands between them.
    Shape,
}

/// The forms that are recognised in the same way.
pub(super) struct Group<const N: usize> {
    /// Place in the table, place of the anchor in the prefix, first byte of the prefix.
    places: [(u8, u8, u8); N],
    /// Which two bytes stand before the anchor, or start the prefix, in any of the forms, by their low five bits.
    pairs: [u64; 16],
}

/// How many forms are recognised that way.
pub(super) const fn count(forms: &[Form], by: By) -> usize {
    let mut count = 0;
    let mut place = 0;
    while place < forms.len() {
        #[expect(clippy::indexing_slicing, reason = "below the length, and evaluated by the compiler")]
        if is_in(forms[place].prefix(), by) {
            count += 1;
        }
        place += 1;
    }
    count
}

#[expect(clippy::indexing_slicing, reason = "a place in the prefix, and evaluated by the compiler")]
const fn is_in(prefix: &[u8], by: By) -> bool {
    match (anchor(prefix), by) {
        (Some(place), By::Anchor(byte)) => prefix[place] == byte,
        (None, By::Start) => !prefix.is_empty(),
        (None, By::Shape) => prefix.is_empty(),
        _ => false,
    }
}

impl<const N: usize> Group<N> {
    /// Picks the forms from the table.
    #[expect(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "evaluated by the compiler")]
    pub(super) const fn of(forms: &[Form], by: By) -> Self {
        let mut this = Self { places: [(0, 0, 0); N], pairs: [0; 16] };
        let (mut place, mut count) = (0, 0);
        assert!(forms.len() <= 256, "places in the table are bytes");
        while place < forms.len() {
            let prefix = forms[place].prefix();
            if is_in(prefix, by) {
                let anchor = match anchor(prefix) {
                    Some(anchor) => anchor,
                    None => 0,
                };
                let start = if prefix.is_empty() { 0 } else { prefix[0] };
                this.places[count] = (place as u8, anchor as u8, start);
                count += 1;
                // The first of the two bytes, and the second; any byte where the prefix does not reach so far.
                let (first, second) = match by {
                    By::Start if prefix.len() > 1 => (prefix[0] as usize & 31, prefix[1] as usize & 31),
                    By::Start => (prefix[0] as usize & 31, 32),
                    _ if anchor >= 2 => (prefix[anchor - 2] as usize & 31, prefix[anchor - 1] as usize & 31),
                    _ if anchor == 1 => (32, prefix[0] as usize & 31),
                    _ => (32, 32),
                };
                let mut pair = 0;
                while pair < 1024 {
                    if (first == 32 || pair >> 5 == first) && (second == 32 || pair & 31 == second) {
                        this.pairs[pair / 64] |= 1 << (pair % 64);
                    }
                    pair += 1;
                }
            }
            place += 1;
        }
        this
    }

    /// Whether a form may have its anchor at `place`: a look at the two bytes before it.
    #[inline]
    pub(super) fn may_be_at(&self, text: &Text<'_>, place: usize) -> bool {
        self.has(before(text, place, 2), before(text, place, 1))
    }

    /// Whether a form may start at `start`, where a byte is and another.
    #[inline]
    pub(super) fn may_start(&self, text: &Text<'_>, start: usize) -> bool {
        self.has(at(text, start), at(text, start + 1))
    }

    #[inline]
    fn has(&self, first: u8, second: u8) -> bool {
        let pair = usize::from(first & 31) << 5 | usize::from(second & 31);
        self.pairs.get(pair / 64).is_some_and(|word| word & (1 << (pair % 64)) != 0)
    }

    /// The longest key of the forms whose anchor, or start where they have none, stands at `place`.
    pub(super) fn find(&self, text: &Text<'_>, place: usize, forms: &[Form]) -> Option<Candidate> {
        let found = self.places.iter().filter_map(|&(form, anchor, first)| {
            let start = place.checked_sub(usize::from(anchor))?;
            if first != 0 && at(text, start) != first {
                return None;
            }
            forms.get(usize::from(form))?.find(text, start)
        });
        found.reduce(longer)
    }
}

/// The longest key of the forms that starts at `start`.
pub(super) fn at_start(text: &Text<'_>, start: usize, forms: &[Form]) -> Option<Candidate> {
    forms.iter().filter_map(|form| form.find(text, start)).reduce(longer)
}

fn longer(best: Candidate, other: Candidate) -> Candidate {
    if other.end > best.end { other } else { best }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checksum_is_computed_over_the_thirty_characters_before_it() {
        let body = b"a1B2c3D4e5F6g7H8i9J0kLmNoPqRsT";
        let digits = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        let mut sum = u64::from(crc32fast::hash(body));
        let mut tail = [b'0'; 6];
        for byte in tail.iter_mut().rev() {
            *byte = digits[usize::try_from(sum % 62).unwrap()];
            sum /= 62;
        }
        let mut token = [&body[..], &tail[..]].concat();
        assert!(has_sum(&token));
        token[3] ^= 1;
        assert!(!has_sum(&token));
    }

    #[test]
    fn the_anchor_is_the_first_separator_or_a_rare_capital() {
        for (prefix, expected) in [
            ("ghp_", Some(3)),
            ("sk-proj-", Some(2)),
            ("_gitlab_", Some(7)),
            ("AKIA", Some(3)),
            ("LTAI", Some(2)),
            ("dapi", None),
        ] {
            assert_eq!(anchor(prefix.as_bytes()), expected, "{prefix}");
        }
    }
}
