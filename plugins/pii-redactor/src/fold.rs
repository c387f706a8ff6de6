//! What hides a value from a plain look, made plain: escapes, characters of another width, of no width, and digits and
//! letters of other scripts that look like ASCII.
//!
//! Only what is listed here changes, each character by itself, and every change leads back to the bytes it came from;
//! in particular there is no full compatibility normalisation, whose results have other lengths. Escapes are those of
//! JSON and of most programming languages. They are undone wherever they stand, also in logs that quote JSON and in
//! JSON inside the strings of JSON, where each level doubles the backslashes: a run of backslashes before an escape
//! counts as one. Nothing of this is ever written: it is for looking only.

mod escape;
mod look_alike;

use crate::text::{cut, find_class};
use crate::view::View;
use look_alike::{Plain, plain};

/// The text as the scan should see it, or `None` where it may look at the text itself.
pub(crate) fn fold(text: &[u8]) -> Option<View> {
    if text.is_ascii() && memchr::memchr(b'\\', text).is_none() {
        return None;
    }
    let mut folding = Folding { text, view: View::default(), done: 0, changed: false, latin: false };
    folding.run();
    folding.finish()
}

/// How many bytes at the end of a text may look otherwise with what follows: the beginning of an escape, or a letter
/// of another script whose neighbour decides.
pub(crate) fn unfinished(text: &[u8]) -> usize {
    let letter = match text {
        [.., 0xCD..=0xD1, _] => 2,
        _ => 0,
    };
    letter.max(escape::unfinished(text))
}

struct Folding<'a> {
    text: &'a [u8],
    view: View,
    /// Bytes of the text before this place are in the view.
    done: usize,
    changed: bool,
    /// The last character that was looked at became a Latin letter.
    latin: bool,
}

impl Folding<'_> {
    fn run(&mut self) {
        let mut place = 0;
        while let Some(start) = find_class(self.text, place, is_interesting) {
            place = match self.text.get(start..start + 3) {
                Some([b'\\', ..]) => self.escape(start),
                // Punctuation of Chinese and Japanese is everywhere in their texts, and little of it changes.
                Some([0xE3, second, third]) if (*second, *third) != (0x80, 0x80) => start + 3,
                Some([0xEF, 0xBC, 0x81..=0x8A | 0x8C | 0x8F | 0x9A..=0x9F | 0xBB..=0xBE]) => start + 3,
                _ if self.text.get(start) == Some(&b'\\') => self.escape(start),
                _ => self.character(start),
            };
        }
    }

    /// An escape, a run of backslashes that is none, or nothing of interest. Gives where to go on.
    fn escape(&mut self, start: usize) -> usize {
        let Some((character, end)) = escape::read(self.text, start) else {
            return escape::run_end(self.text, start).max(start + 1);
        };
        match plain(character, self.latin_before(start), self.latin_after(end)) {
            Plain::Same => self.replace(start, end, character.encode_utf8(&mut [0; 4]).as_bytes()),
            Plain::Becomes(byte) => self.replace(start, end, &[byte]),
            Plain::Nothing => self.replace(start, end, &[]),
        }
        end
    }

    fn character(&mut self, start: usize) -> usize {
        let Some((character, length)) = decode(cut(self.text, start, start + 4)) else { return start + 1 };
        let end = start + length;
        match plain(character, self.latin_before(start), self.latin_after(end)) {
            Plain::Same => {}
            Plain::Becomes(byte) => self.replace(start, end, &[byte]),
            Plain::Nothing => self.replace(start, end, &[]),
        }
        end
    }

    /// Whether the character before `start` is a Latin letter, as it is seen.
    fn latin_before(&self, start: usize) -> bool {
        let before = start.checked_sub(1).and_then(|place| self.text.get(place));
        if self.done == start { self.latin } else { before.is_some_and(u8::is_ascii_alphabetic) }
    }

    /// Whether a Latin letter follows.
    fn latin_after(&self, end: usize) -> bool {
        self.text.get(end).is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'@')
    }

    fn replace(&mut self, start: usize, end: usize, with: &[u8]) {
        if !self.changed {
            self.changed = true;
            self.view = View::with_capacity(self.text.len());
        }
        self.view.copy(self.text, self.done, start);
        self.view.replace(start, end - start, with);
        self.done = end;
        self.latin = match with {
            [byte] => byte.is_ascii_alphabetic(),
            [] => self.latin,
            _ => false,
        };
    }

    fn finish(mut self) -> Option<View> {
        self.view.copy(self.text, self.done, self.text.len());
        self.changed.then_some(self.view)
    }
}

/// Backslashes, and first bytes of characters that may change: in most texts few bytes are.
#[inline(always)]
fn is_interesting(byte: u8) -> bool {
    // C2: spaces and the soft hyphen. CD: a joiner. CE to D1: Greek and Cyrillic. D8 to DB: Arabic digits.
    // E0, E1: digits of Indic and other scripts, Mongolian and Khmer signs. E2, E3: punctuation. EF: other widths.
    // F0: mathematical letters and digits.
    (byte == b'\\')
        | (byte == 0xC2)
        | (byte.wrapping_sub(0xCD) <= 0xD1 - 0xCD)
        | (byte.wrapping_sub(0xD8) <= 0xDB - 0xD8)
        | (byte.wrapping_sub(0xE0) <= 0xE3 - 0xE0)
        | (byte.wrapping_sub(0xEF) <= 1)
}

/// The character that the bytes start with, and its length.
fn decode(bytes: &[u8]) -> Option<(char, usize)> {
    let lead = *bytes.first()?;
    let length = match lead {
        0xC0..=0xDF => 2,
        0xE0..=0xEF => 3,
        _ => 4,
    };
    let character = std::str::from_utf8(bytes.get(..length)?).ok()?.chars().next()?;
    Some((character, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_folded_leads_back_to_whole_characters() {
        let cases: &[(&str, Option<&str>)] = &[
            ("plain", None),
            ("中文，没有全角数字：（好）。", None),
            ("１３８", Some("138")),
            ("a＠b．ｃn", Some("a@b.cn")),
            ("1\u{200b}2", Some("12")),
            ("4\u{a0}5—6", Some("4 5-6")),
            ("é１", Some("é1")),
            ("٠١٢٣", Some("0123")),
            ("۴۵", Some("45")),
            ("१२", Some("12")),
            ("𝟏𝟐𝓪", Some("12a")),
            ("аnn@exаmple.com", Some("ann@example.com")),
            ("тел", None),
            ("номер89161234567", None),
            ("a\\u0040b", Some("a@b")),
            ("a\\\\u0040b", Some("a@b")),
            ("x\\nann", Some("x\nann")),
            ("\\\"key\\\"", Some("\"key\"")),
            ("C:\\Windows\\System32", None),
            ("\\uff14\\u200b2", Some("42")),
            ("\\ud83d\\ude00", Some("😀")),
            ("\\ud83d", Some("\u{fffd}")),
            ("a\\u005cu0040b", Some("a@b")),
            ("cut off \\u00", None),
            ("https:\\/\\/a", Some("https://a")),
        ];
        for (text, expected) in cases {
            let view = fold(text.as_bytes());
            assert_eq!(
                view.as_ref().map(|view| String::from_utf8_lossy(&view.bytes).into_owned()).as_deref(),
                *expected,
                "{text}"
            );
            let Some(view) = view else { continue };
            for index in 0..view.bytes.len() {
                let (start, end) = view.source(index, index + 1);
                assert!(start < end && end <= text.len(), "{text} {index}");
            }
            assert_eq!(view.source(0, 1).0, 0);
            assert_eq!(view.source(0, view.bytes.len()).1, text.len(), "{text}");
        }
    }
}
