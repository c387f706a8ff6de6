//! What is written around a value, made plain once and asked many times.
//!
//! Letters are small, `_`, `-` and `.` are spaces, and a capital behind a small letter starts a word, so that
//! `taxId`, `tax_id` and `Tax-ID` are all `tax id`. A window never reaches past a placeholder or a mask.

use crate::text::{Text, cut, run_end, run_start, slice};
use std::cell::Cell;
use std::cmp::Reverse;

/// Bytes looked at before a value. A label and its value are closer than this.
const BEFORE: usize = 72;
/// The same in letters: an ideograph, which says more, counts as two.
const LETTERS: usize = 40;
/// Bytes looked at behind a value.
const BEHIND: usize = 24;
/// Room for a window in which every second letter starts a word.
const ROOM: usize = BEFORE + LETTERS;
/// Bytes between a label and the value that belongs to it: `: `, ` number is `, `号码是：`.
const LABEL: usize = 14;

/// A word that stands near a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Named {
    /// Bytes between the word and the value; words behind the value count as farther away.
    pub(super) distance: usize,
    /// Bytes of the word: of two words at the same place the longer says more.
    pub(super) length: usize,
    /// It stands directly before the value.
    pub(super) label: bool,
    /// A colon or an equals sign leads from the word to the value.
    pub(super) colon: bool,
    /// How many of the words stand near.
    pub(super) words: usize,
}

/// The words around one value.
#[derive(Debug)]
pub(super) struct Nearby {
    before: Window,
    behind: Window,
}

impl Nearby {
    /// Reads what is written around `start..end`.
    pub(super) fn of(text: &Text<'_>, start: usize, end: usize) -> Self {
        let left = Cell::new(LETTERS);
        let from = run_start(text, start, BEFORE, |byte| {
            // Of a character of several bytes all but one count.
            left.set(left.get().saturating_sub(usize::from(byte < 0xc0)));
            left.get() > 0 && in_window(byte)
        });
        let to = run_end(text, end, BEHIND, in_window);
        Self { before: Window::of(slice(text, from, start)), behind: Window::of(slice(text, end, to)) }
    }

    /// The nearest of the words. Words are written small; `*` at the end of one stands for any ending.
    pub(super) fn named(&self, words: &[&str]) -> Option<Named> {
        let mut nearest: Option<Named> = None;
        let mut count = 0;
        for named in words.iter().filter_map(|word| self.one(word.as_bytes())) {
            count += 1;
            let key = |named: &Named| (named.distance, Reverse(named.length));
            if nearest.as_ref().is_none_or(|nearest| key(&named) < key(nearest)) {
                nearest = Some(named);
            }
        }
        nearest.map(|named| Named { words: count, ..named })
    }

    fn one(&self, word: &[u8]) -> Option<Named> {
        if let Some((_, end)) = self.before.last(word) {
            let between = cut(self.before.plain(), end, self.before.length);
            let label = between.len() <= LABEL && !between.iter().any(u8::is_ascii_digit);
            let colon = label && between.iter().any(|byte| matches!(byte, b':' | b'='));
            return Some(Named { distance: between.len(), length: word.len(), label, colon, words: 1 });
        }
        let (start, _) = self.behind.first(word)?;
        Some(Named { distance: BEFORE + start, length: word.len(), label: false, colon: false, words: 1 })
    }
}

fn in_window(byte: u8) -> bool {
    !matches!(byte, b'<' | b'>' | b'*')
}

/// Most words that a window remembers.
const WORDS: usize = 32;

#[derive(Debug)]
struct Window {
    bytes: [u8; ROOM],
    length: usize,
    /// Where words begin: behind what is no letter, and at every ideograph.
    starts: [u8; WORDS],
    words: usize,
    /// Which bytes, modulo 64, words begin with.
    initials: u64,
}

impl Window {
    fn of(given: &[u8]) -> Self {
        let mut window = Self { bytes: [0; ROOM], length: 0, starts: [0; WORDS], words: 0, initials: 0 };
        let mut last = 0u8;
        for &byte in given {
            let mut starts = byte >= 0xc0 || !last.is_ascii_alphabetic();
            if byte.is_ascii_uppercase() && last.is_ascii_lowercase() {
                window.push(b' ');
                starts = true;
            }
            let plain = match byte {
                b'_' | b'-' | b'.' => b' ',
                // Capitals of the Latin-1 letters, in their second byte: `Ü` is `ü` with this bit unset.
                0x80..=0x9e if last == 0xc3 => byte | 0x20,
                other => other.to_ascii_lowercase(),
            };
            if starts && (plain >= 0xc0 || plain.is_ascii_alphabetic()) {
                window.start(plain);
            }
            window.push(plain);
            last = byte;
        }
        window
    }

    fn push(&mut self, byte: u8) {
        if let Some(slot) = self.bytes.get_mut(self.length) {
            *slot = byte;
            self.length += 1;
        }
    }

    /// A word with this first byte begins here. Where there are more words than room the last ones are forgotten.
    fn start(&mut self, byte: u8) {
        if let (Some(slot), Ok(place)) = (self.starts.get_mut(self.words), u8::try_from(self.length)) {
            *slot = place;
            self.words += 1;
            self.initials |= 1 << (byte % 64);
        }
    }

    fn plain(&self) -> &[u8] {
        cut(&self.bytes, 0, self.length)
    }

    /// Where the word stands, from left to right.
    fn places<'a>(&'a self, word: &'a [u8]) -> impl DoubleEndedIterator<Item = (usize, usize)> + 'a {
        let initial = word.first().copied().unwrap_or(0);
        let possible = self.initials & 1 << (initial % 64) != 0;
        let starts = if possible { cut(&self.starts, 0, self.words) } else { &[] };
        starts.iter().filter_map(move |start| {
            let start = usize::from(*start);
            let rest = self.bytes.get(start..self.length)?;
            if rest.first() != Some(&initial) {
                return None;
            }
            let (stem, open) = word.strip_suffix(b"*").map_or((word, false), |stem| (stem, true));
            let behind = rest.strip_prefix(stem)?.first().copied().unwrap_or(0);
            let closed = open || !(stem.last().is_some_and(u8::is_ascii_alphabetic) && behind.is_ascii_alphabetic());
            closed.then_some((start, start + stem.len()))
        })
    }

    fn first(&self, word: &[u8]) -> Option<(usize, usize)> {
        self.places(word).next()
    }

    fn last(&self, word: &[u8]) -> Option<(usize, usize)> {
        self.places(word).next_back()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(text: &str, words: &[&str]) -> Option<(usize, bool)> {
        let start = text.find('1').unwrap();
        Nearby::of(&Text::whole(text.as_bytes()), start, start + 1)
            .named(words)
            .map(|named| (named.distance, named.label))
    }

    #[test]
    fn words_in_every_spelling() {
        for text in ["tax id: 1", "Tax-ID: 1", "TAX_ID: 1", "taxId: 1"] {
            assert_eq!(label(text, &["tax id"]), Some((2, true)), "{text}");
        }
        for (text, word, expected) in [
            ("Führerschein 1", "führerschein", Some((1, true))),
            ("FÜHRERSCHEIN 1", "führerschein", Some((1, true))),
            ("plakası 1", "plaka*", Some((4, true))),
            ("plakası 1", "plaka", None),
            ("plakanin 1", "plaka", None),
            ("请看身份证号：1", "身份证", Some((6, true))),
            ("1 is my ssn", "ssn", Some((79, false))),
            ("recall 1", "call", None),
            ("ssn and a few other words 1", "ssn", Some((23, false))),
            ("ssn 22, 1", "ssn", Some((5, false))),
            ("ssn and then a lot of other words that lead away 1", "ssn", None),
            ("<US_SSN> 1", "us ssn", None),
        ] {
            assert_eq!(label(text, &[word]), expected, "{text} {word}");
        }
    }

    #[test]
    fn the_nearest_word_counts_and_of_two_the_longer() {
        let text = Text::whole("passport or korean passport 1".as_bytes());
        let named = Nearby::of(&text, 28, 29).named(&["passport", "korean passport"]).unwrap();
        assert_eq!((named.distance, named.length), (1, 15));
    }
}
