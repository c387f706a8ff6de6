//! Words near a number that say what it is.
//!
//! A window never reaches past a placeholder or a mask: what a first pass took out must not change what a second pass
//! finds.

use crate::text::{Text, run_end, run_start, slice};
use memchr::memmem;

/// Bytes looked at on either side. A label and its number are closer than this.
const WINDOW: usize = 40;
/// Names of payment cards.
pub(crate) const CARD: &[&str] = &[
    "card",
    "cards",
    "credit",
    "debit",
    "cc",
    "visa",
    "mastercard",
    "amex",
    "信用卡",
    "银行卡",
    "储蓄卡",
    "借记卡",
    "卡号",
];
/// Whether one of the words stands within the window before `start`.
fn before(text: &Text<'_>, start: usize, words: &[&str]) -> bool {
    let from = run_start(text, start, WINDOW, in_window);
    contains(slice(text, from, start), words)
}

/// Whether one of the words stands within the window before `start` or behind `end`.
pub(crate) fn around(text: &Text<'_>, start: usize, end: usize, words: &[&str]) -> bool {
    let to = run_end(text, end, WINDOW / 2, in_window);
    before(text, start, words) || contains(slice(text, end, to), words)
}

fn in_window(byte: u8) -> bool {
    !matches!(byte, b'<' | b'>' | b'*')
}

/// Whether one of the words stands in the window: Latin ones as whole words in any case, Chinese ones anywhere.
fn contains(window: &[u8], words: &[&str]) -> bool {
    let latin = |token: &[u8]| words.iter().any(|word| token.eq_ignore_ascii_case(word.as_bytes()));
    let foreign =
        || words.iter().filter(|word| !word.is_ascii()).any(|word| memmem::find(window, word.as_bytes()).is_some());
    window.split(|byte| !byte.is_ascii_alphabetic()).any(latin) || (!window.is_ascii() && foreign())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_count_as_whole_words_near_the_number() {
        let cases: &[(&str, bool)] = &[
            ("Card: 12", true),
            ("my_card=12", true),
            ("discard 12", false),
            ("信用卡12", true),
            ("card, and then a lot of other words that lead away 12", false),
            ("<CREDIT_CARD> 12", false),
        ];
        for (text, expected) in cases {
            assert_eq!(before(&Text::whole(text.as_bytes()), text.len() - 2, CARD), *expected, "{text}");
        }
        assert!(around(&Text::whole(b"12 visa"), 0, 2, CARD));
    }
}
