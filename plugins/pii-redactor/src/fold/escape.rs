//! Escapes of JSON (RFC 8259, section 7), at any depth of strings within strings.
//!
//! A string within a string doubles the backslashes before an escape, or writes each as `\u005c`. So any run of
//! backslashes, in either form, before what an escape may begin with counts as one.

use crate::text::cut;

/// Longest run of backslashes, in bytes: four levels of strings, and a few that are written as `\u005c`.
const LONGEST_RUN: usize = 36;

/// What stands at a backslash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Escape {
    /// An escape: the character that it stands for, and where it ends.
    Whole(char, usize),
    /// No escape.
    None,
    /// The text ends before that can be told.
    Unfinished,
}

/// The character that the escape at `start`, a backslash, stands for, and where the escape ends.
///
/// A surrogate without its partner stands for the replacement character. `None` where the backslashes begin no escape.
pub(super) fn read(text: &[u8], start: usize) -> Option<(char, usize)> {
    match escape(text, start) {
        Escape::Whole(character, end) => Some((character, end)),
        Escape::None => None,
        Escape::Unfinished => lone(text, start),
    }
}

/// End of the run of backslashes at `start`.
pub(super) fn run_end(text: &[u8], start: usize) -> usize {
    let mut end = start;
    let limit = text.len().min(start + LONGEST_RUN);
    while end < limit {
        let rest = cut(text, end, end + 6);
        match rest {
            [b'\\', b'u', b'0', b'0', b'5', b'c' | b'C'] => end += 6,
            [b'\\', ..] => end += 1,
            _ => break,
        }
    }
    end
}

fn escape(text: &[u8], start: usize) -> Escape {
    let end = run_end(text, start);
    let Some(letter) = text.get(end) else { return Escape::Unfinished };
    let short = match *letter {
        b'n' => '\n',
        b't' => '\t',
        b'r' => '\r',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        other @ (b'"' | b'/') => char::from(other),
        b'u' => return unicode(text, start, end),
        _ => return Escape::None,
    };
    Escape::Whole(short, end + 1)
}

/// The escape whose `u` is at `letter`, behind the run that begins at `start`.
fn unicode(text: &[u8], start: usize, letter: usize) -> Escape {
    let end = letter + 5;
    let unit = match unit(text, letter + 1) {
        Ok(unit) => unit,
        Err(unfinished) => return if unfinished { Escape::Unfinished } else { Escape::None },
    };
    if let Some(character) = char::from_u32(unit) {
        return Escape::Whole(character, end);
    }
    let lone = Escape::Whole(char::REPLACEMENT_CHARACTER, end);
    if unit >= 0xDC00 {
        return lone;
    }
    // The partner is written with the same run.
    let run = cut(text, start, letter + 1);
    let partner = cut(text, end, end + run.len());
    if partner.len() < run.len() && run.starts_with(partner) {
        return Escape::Unfinished;
    }
    match (partner == run).then(|| self::unit(text, end + run.len())) {
        Some(Ok(low @ 0xDC00..=0xDFFF)) => {
            let character = char::from_u32(0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00));
            Escape::Whole(character.unwrap_or(char::REPLACEMENT_CHARACTER), end + run.len() + 4)
        }
        Some(Err(true)) => Escape::Unfinished,
        _ => lone,
    }
}

/// The first of a pair of surrogates at the end of a text.
fn lone(text: &[u8], start: usize) -> Option<(char, usize)> {
    let letter = run_end(text, start);
    let whole = text.get(letter) == Some(&b'u') && unit(text, letter + 1).is_ok();
    whole.then_some((char::REPLACEMENT_CHARACTER, letter + 5))
}

/// Four hexadecimal digits; the error says whether the text ends before that can be told.
fn unit(text: &[u8], start: usize) -> Result<u32, bool> {
    let digits = cut(text, start, start + 4);
    let value = digits.iter().try_fold(0, |value, digit| Some(value * 16 + char::from(*digit).to_digit(16)?));
    value.filter(|_| digits.len() == 4).ok_or(value.is_some())
}

/// How many bytes at the end of the text may be the beginning of an escape.
pub(super) fn unfinished(text: &[u8]) -> usize {
    // Two escapes of a pair.
    let longest = 2 * (LONGEST_RUN + 5);
    let mut place = text.len().saturating_sub(longest);
    while let Some(step) = memchr::memchr(b'\\', cut(text, place, text.len())) {
        let start = place + step;
        match escape(text, start) {
            Escape::Unfinished => return text.len() - start,
            Escape::Whole(_, end) => place = end,
            Escape::None => place = run_end(text, start).max(start + 1),
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_of_every_depth_are_read() {
        for (text, expected) in [
            ("\\u0040", Some(('@', 6))),
            ("\\\\u0040", Some(('@', 7))),
            ("\\u005cu0040", Some(('@', 11))),
            ("\\\\u005Cu0040", Some(('@', 12))),
            ("\\u005c\\u005cu0040", Some(('@', 17))),
            ("\\u005c\\u0022", Some(('"', 12))),
            ("\\u005cn", Some(('\n', 7))),
            ("\\u005cx", None),
            ("\\ud83d\\ude00", Some(('😀', 12))),
            ("\\\\ud83d\\\\ude00", Some(('😀', 14))),
            ("\\ud83dx", Some(('\u{fffd}', 6))),
            ("\\ud83d", Some(('\u{fffd}', 6))),
            ("\\Windows", None),
            ("\\", None),
        ] {
            assert_eq!(read(text.as_bytes(), 0), expected, "{text}");
        }
    }

    #[test]
    fn what_may_become_an_escape_is_told() {
        for (text, expected) in [
            ("plain", 0),
            ("x\\", 1),
            ("x\\\\", 2),
            ("x\\u", 2),
            ("x\\u00", 4),
            ("x\\u0040", 0),
            ("x\\u00g", 0),
            ("x\\n", 0),
            ("x\\u005c", 6),
            ("x\\u005cu00", 9),
            ("x\\ud83d", 6),
            ("x\\ud83d\\", 7),
            ("x\\ud83d\\ude0", 11),
            ("x\\ud83d\\ude00", 0),
            ("x\\ud83dz", 0),
        ] {
            assert_eq!(unfinished(text.as_bytes()), expected, "{text}");
        }
    }
}
