//! The text that is scanned, and looking at single bytes of it without ever leaving it.
//!
//! All neighbour tests are ASCII tests on purpose: in Chinese text a value touches ideographs with no space between,
//! so a word boundary in the Unicode sense does not exist there.
//!
//! A text may be the beginning of a longer one: a stream of which more will come. Then it matters whether a decision
//! would be the same with more text, and that is told exactly: a decision for which nobody looked past the end of what
//! is there cannot change. So every look goes through the functions of this module, which note it.

use std::cell::Cell;

/// Bytes that are scanned, and whether more may follow them.
#[derive(Debug)]
pub(crate) struct Text<'a> {
    bytes: &'a [u8],
    more: bool,
    passed: Cell<bool>,
}

impl<'a> Text<'a> {
    /// A text that ends where its bytes end.
    pub(crate) fn whole(bytes: &'a [u8]) -> Self {
        Self { bytes, more: false, passed: Cell::new(false) }
    }

    /// The beginning of a text.
    pub(crate) fn beginning(bytes: &'a [u8]) -> Self {
        Self { bytes, more: true, passed: Cell::new(false) }
    }

    /// All that is there.
    pub(crate) fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// `bytes[start..end]`, cut to what is there, for looks that decide nothing.
    pub(crate) fn cut(&self, start: usize, end: usize) -> &'a [u8] {
        cut(self.bytes, start, end)
    }

    /// Whether more may follow.
    pub(crate) fn is_beginning(&self) -> bool {
        self.more
    }

    /// Bytes that are there.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether somebody looked past the end of what is there while more may follow; and forgets it.
    #[inline]
    pub(crate) fn take_passed(&self) -> bool {
        self.more && self.passed.replace(false)
    }

    /// Whether somebody looked past the end since that was last asked, so that what was seen may still change.
    #[inline]
    pub(crate) fn is_undecided(&self) -> bool {
        self.more && self.passed.get()
    }

    /// Notes that a decision depends on what follows the last byte.
    #[cold]
    pub(crate) fn pass(&self) {
        self.passed.set(true);
    }
}

/// The byte at `index`; 0 past the end.
#[inline]
pub(crate) fn at(text: &Text<'_>, index: usize) -> u8 {
    match text.bytes.get(index) {
        Some(byte) => *byte,
        None => {
            text.pass();
            0
        }
    }
}

/// The byte `back` places before `index`; 0 before the start.
#[inline]
pub(crate) fn before(text: &Text<'_>, index: usize, back: usize) -> u8 {
    index.checked_sub(back).and_then(|place| text.bytes.get(place)).copied().unwrap_or(0)
}

/// `text[start..end]`, cut to what exists.
#[inline]
pub(crate) fn slice<'a>(text: &Text<'a>, start: usize, end: usize) -> &'a [u8] {
    if end > text.bytes.len() {
        text.pass();
    }
    cut(text.bytes, start, end)
}

/// `bytes[start..end]`, cut to what exists.
#[inline]
pub(crate) fn cut(bytes: &[u8], start: usize, end: usize) -> &[u8] {
    let end = end.min(bytes.len());
    bytes.get(start.min(end)..end).unwrap_or(&[])
}

/// The first place from `from` on whose byte is in the class.
///
/// The class is asked about 16 bytes at once before it is asked about each, which a compiler turns into vector
/// instructions where the class is made of comparisons without branches.
#[inline(always)]
pub(crate) fn find_class(bytes: &[u8], from: usize, class: impl Fn(u8) -> bool) -> Option<usize> {
    let mut place = from;
    while let Some(chunk) = bytes.get(place..).and_then(|rest| rest.first_chunk::<16>()) {
        if chunk.iter().fold(false, |any, byte| any | class(*byte)) {
            break;
        }
        place += 16;
    }
    cut(bytes, place, bytes.len()).iter().position(|byte| class(*byte)).map(|step| place + step)
}

/// Whether `prefix` stands at `index`.
#[inline]
pub(crate) fn stands_at(text: &Text<'_>, index: usize, prefix: &[u8]) -> bool {
    let there = cut(text.bytes, index, index.saturating_add(prefix.len()));
    if there.len() < prefix.len() && prefix.starts_with(there) {
        text.pass();
    }
    there == prefix
}

/// ASCII letter, digit or underscore: what an identifier is made of.
#[inline]
pub(crate) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// First index from `start` whose byte is not in the class, at most `limit` bytes on.
#[inline]
pub(crate) fn run_end(text: &Text<'_>, start: usize, limit: usize, class: impl Fn(u8) -> bool) -> usize {
    let window = cut(text.bytes, start, start.saturating_add(limit));
    match window.iter().position(|&byte| !class(byte)) {
        Some(length) => start + length,
        None => {
            if window.len() < limit {
                text.pass();
            }
            start + window.len()
        }
    }
}

/// First index of the run of the class that ends at `end`, at most `limit` bytes back.
#[inline]
pub(crate) fn run_start(text: &Text<'_>, end: usize, limit: usize, class: impl Fn(u8) -> bool) -> usize {
    let window = cut(text.bytes, end.saturating_sub(limit), end);
    end.min(text.bytes.len()) - window.iter().rev().position(|&byte| !class(byte)).unwrap_or(window.len())
}

/// Whether a number may start at `start`: nothing before it makes it the tail of a longer token.
///
/// A hyphen or full stop behind a letter, a digit, a mask or a placeholder means that the number is the tail of an
/// identifier, a version or a decimal fraction.
pub(crate) fn starts_token(text: &Text<'_>, start: usize) -> bool {
    let (last, previous) = (before(text, start, 1), before(text, start, 2));
    match last {
        b'*' | b'#' | b'$' | b'@' | b'\\' => false,
        b'-' | b'.' | b'/' | b'+' | b'~' => !(is_word(previous) || matches!(previous, b'>' | b'*' | b'/' | b'.')),
        other => !is_word(other),
    }
}

/// Whether a number may end at `end`: what follows does not make it the head of a longer token.
pub(crate) fn ends_token(text: &Text<'_>, end: usize) -> bool {
    match at(text, end) {
        b'.' | b'-' | b'/' => !at(text, end + 1).is_ascii_digit(),
        b'*' | b'%' => false,
        other => !is_word(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_starts_a_token_unless_an_identifier_runs_into_it() {
        let cases: &[(&str, bool)] = &[
            ("", true),
            (" ", true),
            ("是", true),
            ("x:", true),
            ("x=", true),
            ("(", true),
            ("\n", true),
            ("n", false),
            ("a-", false),
            ("0.", false),
            ("v_", false),
            ("#", false),
            ("<PHONE_NUMBER>-", false),
            ("****", false),
        ];
        for (text, expected) in cases {
            let whole = format!("{text}415");
            assert_eq!(starts_token(&Text::whole(whole.as_bytes()), text.len()), *expected, "{text:?}");
        }
    }

    #[test]
    fn a_number_ends_a_token_unless_it_runs_on() {
        let cases: &[(&str, bool)] =
            &[("", true), (".", true), (".5", false), ("-Office", true), ("-1", false), ("x", false), ("号", true)];
        for (text, expected) in cases {
            let whole = format!("415{text}");
            assert_eq!(ends_token(&Text::whole(whole.as_bytes()), 3), *expected, "{text:?}");
        }
    }

    #[test]
    fn a_look_past_the_end_is_noted_only_where_more_may_follow() {
        type Look = fn(&Text<'_>);
        let looks: &[(&str, Look, bool)] = &[
            (
                "a byte that is there",
                |text| {
                    let _ = at(text, 2);
                },
                false,
            ),
            (
                "a byte that is not",
                |text| {
                    let _ = at(text, 3);
                },
                true,
            ),
            (
                "a run that ends inside",
                |text| {
                    let _ = run_end(text, 0, 9, |byte| byte == b'a');
                },
                false,
            ),
            (
                "a run up to its limit",
                |text| {
                    let _ = run_end(text, 0, 3, |byte| byte.is_ascii_alphabetic());
                },
                false,
            ),
            (
                "a run to the end",
                |text| {
                    let _ = run_end(text, 0, 4, |byte| byte.is_ascii_alphabetic());
                },
                true,
            ),
            (
                "a prefix that differs early",
                |text| {
                    let _ = stands_at(text, 1, b"xyz");
                },
                false,
            ),
            (
                "a prefix that may go on",
                |text| {
                    let _ = stands_at(text, 1, b"bcd");
                },
                true,
            ),
            (
                "a slice",
                |text| {
                    let _ = slice(text, 1, 4);
                },
                true,
            ),
        ];
        for (name, look, expected) in looks {
            let text = Text::beginning(b"abc");
            look(&text);
            assert_eq!((text.take_passed(), text.take_passed()), (*expected, false), "{name}");
            let text = Text::whole(b"abc");
            look(&text);
            assert!(!text.take_passed(), "{name}");
        }
    }
}
