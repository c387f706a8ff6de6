//! Looking at single bytes of a text without ever leaving it.
//!
//! All neighbour tests are ASCII tests on purpose: in Chinese text a value touches ideographs with no space between,
//! so a word boundary in the Unicode sense does not exist there.

/// The byte at `index`; 0 past the end.
#[inline]
pub(crate) fn at(text: &[u8], index: usize) -> u8 {
    text.get(index).copied().unwrap_or(0)
}

/// The byte `back` places before `index`; 0 before the start.
#[inline]
pub(crate) fn before(text: &[u8], index: usize, back: usize) -> u8 {
    index.checked_sub(back).and_then(|place| text.get(place)).copied().unwrap_or(0)
}

/// `text[start..end]`, cut to what exists.
#[inline]
pub(crate) fn slice(text: &[u8], start: usize, end: usize) -> &[u8] {
    let end = end.min(text.len());
    text.get(start.min(end)..end).unwrap_or(&[])
}

/// Whether `prefix` stands at `index`.
#[inline]
pub(crate) fn stands_at(text: &[u8], index: usize, prefix: &[u8]) -> bool {
    text.get(index..).is_some_and(|rest| rest.starts_with(prefix))
}

/// ASCII letter, digit or underscore: what an identifier is made of.
#[inline]
pub(crate) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// First index from `start` whose byte is not in the class, at most `limit` bytes on.
#[inline]
pub(crate) fn run_end(text: &[u8], start: usize, limit: usize, class: impl Fn(u8) -> bool) -> usize {
    let window = slice(text, start, start.saturating_add(limit));
    start + window.iter().position(|&byte| !class(byte)).unwrap_or(window.len())
}

/// First index of the run of the class that ends at `end`, at most `limit` bytes back.
#[inline]
pub(crate) fn run_start(text: &[u8], end: usize, limit: usize, class: impl Fn(u8) -> bool) -> usize {
    let window = slice(text, end.saturating_sub(limit), end);
    end - window.iter().rev().position(|&byte| !class(byte)).unwrap_or(window.len())
}

/// Whether a number may start at `start`: nothing before it makes it the tail of a longer token.
///
/// A hyphen or full stop behind a letter, a digit, a mask or a placeholder means that the number is the tail of an
/// identifier, a version or a decimal fraction. `\n`, `\t` and `\r` written as two characters end a token too.
pub(crate) fn starts_token(text: &[u8], start: usize) -> bool {
    let (last, previous) = (before(text, start, 1), before(text, start, 2));
    match last {
        b'n' | b't' | b'r' if previous == b'\\' => true,
        b'*' | b'#' | b'$' | b'@' | b'\\' => false,
        b'-' | b'.' | b'/' | b'+' | b'~' => !(is_word(previous) || matches!(previous, b'>' | b'*' | b'/' | b'.')),
        other => !is_word(other),
    }
}

/// Whether a number may end at `end`: what follows does not make it the head of a longer token.
pub(crate) fn ends_token(text: &[u8], end: usize) -> bool {
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
            ("\\n", true),
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
            assert_eq!(starts_token(whole.as_bytes(), text.len()), *expected, "{text:?}");
        }
    }

    #[test]
    fn a_number_ends_a_token_unless_it_runs_on() {
        let cases: &[(&str, bool)] =
            &[("", true), (".", true), (".5", false), ("-Office", true), ("-1", false), ("x", false), ("号", true)];
        for (text, expected) in cases {
            let whole = format!("415{text}");
            assert_eq!(ends_token(whole.as_bytes(), 3), *expected, "{text:?}");
        }
    }
}
