//! What is written around a value, made plain once and asked many times.
//!
//! Letters are small, `_`, `-` and `.` are spaces, and a capital behind a small letter starts a word, so that
//! `taxId`, `tax_id` and `Tax-ID` are all `tax id`. A window never reaches past a placeholder or a mask.

use crate::text::{Text, cut, run_end, slice};
use std::cmp::Reverse;

/// Bytes looked at before a value. A label and its value are closer than this.
const BEFORE: usize = 64;
/// The same in letters: an ideograph, which says more, counts as two.
const LETTERS: usize = 40;
/// Bytes looked at behind a value.
const BEHIND: usize = 24;
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
pub(super) struct Nearby<'t, 'a> {
    text: &'t Text<'a>,
    end: usize,
    before: Window,
    /// Read when it is asked for.
    behind: Option<Window>,
}

impl<'t, 'a> Nearby<'t, 'a> {
    /// Reads what is written around `start..end`.
    pub(super) fn of(text: &'t Text<'a>, start: usize, end: usize) -> Self {
        let mut left = LETTERS;
        let window = cut(text.bytes(), start.saturating_sub(BEFORE), start);
        let near = window.iter().rev().take_while(|byte| {
            // Of a character of several bytes all but one count.
            left -= usize::from(**byte < 0xc0);
            left > 0 && in_window(**byte)
        });
        let length = near.count();
        let before = Window::of(cut(window, window.len() - length, window.len()));
        Self { text, end, before, behind: None }
    }

    /// The nearest of the words. Words are written small; `*` at the end of one stands for any ending.
    pub(super) fn named(&mut self, words: &[&str]) -> Option<Named> {
        self.label(words).or_else(|| {
            let (text, end) = (self.text, self.end);
            let behind = self.behind.get_or_insert_with(|| {
                let to = run_end(text, end, BEHIND, in_window);
                Window::of(slice(text, end, to))
            });
            nearest(behind, words, |word| {
                let (start, _) = behind.first(word)?;
                Some(Named { distance: BEFORE + start, length: word.len(), label: false, colon: false, words: 1 })
            })
        })
    }

    /// The nearest of the words before the value.
    pub(super) fn label(&self, words: &[&str]) -> Option<Named> {
        nearest(&self.before, words, |word| {
            let (_, end) = self.before.last(word)?;
            let between = cut(self.before.plain(), end, self.before.length);
            let label = between.len() <= LABEL && !between.iter().any(u8::is_ascii_digit);
            let colon = label && between.iter().any(|byte| matches!(byte, b':' | b'='));
            Some(Named { distance: between.len(), length: word.len(), label, colon, words: 1 })
        })
    }
}

fn nearest(window: &Window, words: &[&str], find: impl Fn(&[u8]) -> Option<Named>) -> Option<Named> {
    if window.words == 0 {
        return None;
    }
    let mut nearest: Option<Named> = None;
    let mut count = 0;
    for named in words.iter().map(|word| word.as_bytes()).filter(|word| window.may_have(word)).filter_map(find) {
        count += 1;
        let key = |named: &Named| (named.distance, Reverse(named.length));
        if nearest.as_ref().is_none_or(|nearest| key(&named) < key(nearest)) {
            nearest = Some(named);
        }
    }
    nearest.map(|named| Named { words: count, ..named })
}

fn in_window(byte: u8) -> bool {
    !matches!(byte, b'<' | b'>' | b'*')
}

const OTHER: u8 = 0;
const SMALL: u8 = 1;
const CAPITAL: u8 = 2;
/// The first byte of a character of several bytes.
const IDEOGRAPH: u8 = 3;
/// The same of a Latin-1 letter.
const LATIN: u8 = 4;
const CLASSES: u8 = 5;

/// No word starts.
const WITHIN: u8 = 0;
/// A word starts.
const START: u8 = 1;
/// A word starts with a capital behind a small letter.
const JOINT: u8 = 2;

/// Whether a word starts where one class follows another.
static STARTS: [u8; (CLASSES * CLASSES) as usize] = starts();

#[expect(clippy::indexing_slicing, reason = "evaluated when the program is compiled")]
const fn starts() -> [u8; (CLASSES * CLASSES) as usize] {
    let mut table = [WITHIN; (CLASSES * CLASSES) as usize];
    let mut pair = 0;
    while pair < CLASSES * CLASSES {
        table[pair as usize] = match (pair / CLASSES, pair % CLASSES) {
            (SMALL, CAPITAL) => JOINT,
            (_, IDEOGRAPH | LATIN) => START,
            (OTHER | IDEOGRAPH | LATIN, SMALL | CAPITAL) => START,
            _ => WITHIN,
        };
        pair += 1;
    }
    table
}

/// For every byte how it is written in a window, and its class.
static PLAIN: [[u8; 2]; 256] = plain();

#[expect(clippy::indexing_slicing, reason = "evaluated when the program is compiled")]
const fn plain() -> [[u8; 2]; 256] {
    let mut table = [[0; 2]; 256];
    let mut byte = 0u8;
    loop {
        table[byte as usize] = match byte {
            b'_' | b'-' | b'.' => [b' ', OTHER],
            b'a'..=b'z' => [byte, SMALL],
            b'A'..=b'Z' => [byte.to_ascii_lowercase(), CAPITAL],
            0xc3 => [byte, LATIN],
            0xc0.. => [byte, IDEOGRAPH],
            _ => [byte, OTHER],
        };
        if byte == u8::MAX {
            return table;
        }
        byte += 1;
    }
}

/// Most words that a window remembers.
const WORDS: usize = 32;

#[derive(Debug)]
struct Window {
    bytes: [u8; BEFORE],
    length: usize,
    /// Where words begin: behind what is no letter, at a capital behind a small letter, and at every ideograph.
    starts: [u8; WORDS],
    words: usize,
    /// Which bytes, modulo 64, words begin with.
    initials: u64,
    /// Bits of the places where a word begins with a capital behind a small letter: a space may be read there.
    joints: u64,
}

impl Window {
    fn of(given: &[u8]) -> Self {
        let mut window = Self {
            bytes: [0; BEFORE],
            length: given.len().min(BEFORE),
            starts: [0; WORDS],
            words: 0,
            initials: 0,
            joints: 0,
        };
        let mut last = OTHER;
        for (place, (slot, byte)) in (0u8..).zip(window.bytes.iter_mut().zip(given)) {
            let [plain, class] = PLAIN.get(usize::from(*byte)).copied().unwrap_or_default();
            // Capitals of the Latin-1 letters, in their second byte: `Ü` is `ü` with this bit unset.
            *slot = if last == LATIN && *byte < 0x9f { plain | 0x20 } else { plain };
            let starts = STARTS.get(usize::from(last * CLASSES + class)).copied().unwrap_or_default();
            last = class;
            if starts == JOINT {
                window.joints |= 1 << place;
            }
            // Written always and kept where a word starts: a branch here would be guessed wrong at every word.
            let starts = u8::from(starts != WITHIN);
            window.initials |= u64::from(starts) << (plain % 64);
            if let Some(start) = window.starts.get_mut(window.words) {
                *start = place;
                window.words += usize::from(starts);
            }
        }
        window
    }

    fn plain(&self) -> &[u8] {
        cut(&self.bytes, 0, self.length)
    }

    /// Where the word ends that begins at `start`, if it stands there.
    fn end_of(&self, start: usize, word: &[u8]) -> Option<usize> {
        let plain = self.plain();
        let (stem, open) = word.strip_suffix(b"*").map_or((word, false), |stem| (stem, true));
        let mut place = start;
        for letter in stem {
            if plain.get(place) == Some(letter) {
                place += 1;
            } else if *letter != b' ' || self.joints & 1 << place == 0 {
                return None;
            }
        }
        let goes_on = plain.get(place).is_some_and(u8::is_ascii_alphabetic) && self.joints & 1 << place == 0;
        (open || !goes_on || !stem.last().is_some_and(u8::is_ascii_alphabetic)).then_some(place)
    }

    /// Whether any word here begins as this one does.
    fn may_have(&self, word: &[u8]) -> bool {
        self.initials & 1 << (word.first().copied().unwrap_or(0) % 64) != 0
    }

    /// Where the word stands, from left to right.
    fn places<'a>(&'a self, word: &'a [u8]) -> impl DoubleEndedIterator<Item = (usize, usize)> + 'a {
        let initial = word.first().copied().unwrap_or(0);
        cut(&self.starts, 0, self.words).iter().filter_map(move |start| {
            let start = usize::from(*start);
            if self.bytes.get(start) != Some(&initial) {
                return None;
            }
            Some((start, self.end_of(start, word)?))
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
        let whole = Text::whole(text.as_bytes());
        Nearby::of(&whole, start, start + 1).named(words).map(|named| (named.distance, named.label))
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
            ("1 is my ssn", "ssn", Some((71, false))),
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
