//! Texts that are JSON: what escapes hide is made visible for detection, and findings lead back to the raw bytes.
//!
//! The reader is lenient: content that was cut off somewhere is read as far as it goes. Strings that hold JSON
//! themselves (arguments of a tool call) are read in turn, to a bounded depth.

use crate::bytes::{at, run_end, run_start, slice};
use crate::view::{View, place};
use serde::de::IgnoredAny;

/// JSON inside a string inside JSON, and so on: documents deeper than this are plain strings.
const DEEPEST: u8 = 3;

/// A JSON text with its escapes resolved.
#[derive(Debug, Default)]
pub(crate) struct Document {
    /// Escapes resolved, everything else as it stands.
    pub(crate) view: View,
    /// Ascending; the first starts at 0. Each reaches to the start of the next.
    segments: Vec<Segment>,
}

/// A stretch of a document that is all inside one string, or all outside.
#[derive(Clone, Copy, Debug)]
struct Segment {
    start: usize,
    string: bool,
    /// In how many strings the document is that this is a part of.
    depth: u8,
    /// The document parses, so replacements must keep it so.
    valid: bool,
}

/// A finding brought into line with the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Aligned {
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// The replacement stands for a number and needs quotation marks, escaped for so many strings around.
    pub(crate) quotes: Option<u8>,
}

/// Whether the text is worth reading as JSON.
pub(crate) fn is_likely(text: &[u8]) -> bool {
    matches!(text.iter().find(|byte| !byte.is_ascii_whitespace()), Some(b'{' | b'['))
}

/// Reads a text for which [`is_likely`] holds.
pub(crate) fn read(text: &[u8]) -> Document {
    let mut document = Document { view: View::with_capacity(text.len()), segments: Vec::new() };
    document.walk(text, &|index| (place(index), place(index + 1)), 0, parses(text));
    document
}

fn parses(text: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(text).is_ok()
}

impl Document {
    /// Copies a document, string by string. `origin` says where a byte of `text` came from.
    fn walk(&mut self, text: &[u8], origin: &dyn Fn(usize) -> (u32, u32), depth: u8, valid: bool) {
        let mut index = 0;
        self.segment(false, depth, valid);
        while index < text.len() {
            let byte = at(text, index);
            self.view.push(byte, origin(index));
            index += 1;
            if byte != b'"' {
                continue;
            }
            let (content, end) = unescape(text, index);
            let nested = depth < DEEPEST && is_likely(&content.bytes) && parses(&content.bytes);
            let outer = |inner: usize| {
                let (start, end) = content.source(inner, inner + 1);
                (origin(start).0, origin(end.saturating_sub(1)).1)
            };
            if nested {
                self.walk(&content.bytes, &outer, depth + 1, true);
            } else {
                self.segment(true, depth, valid);
                for (inner, &byte) in content.bytes.iter().enumerate() {
                    self.view.push(byte, outer(inner));
                }
            }
            self.segment(false, depth, valid);
            if end < text.len() {
                self.view.push(b'"', origin(end));
            }
            index = end + 1;
        }
    }

    fn segment(&mut self, string: bool, depth: u8, valid: bool) {
        self.segments.push(Segment { start: self.view.bytes.len(), string, depth, valid });
    }

    /// Whether the whole text parsed.
    pub(crate) fn is_valid(&self) -> bool {
        self.segments.first().is_some_and(|segment| segment.valid)
    }

    /// Brings a finding in the view into line: cut at the end of its string; grown to the whole number where it is
    /// outside of strings.
    pub(crate) fn align(&self, start: usize, end: usize) -> Aligned {
        let next = self.segments.partition_point(|segment| segment.start <= start);
        let limit = self.segments.get(next).map_or(self.view.bytes.len(), |segment| segment.start);
        let segment = next.checked_sub(1).and_then(|place| self.segments.get(place));
        let end = end.min(limit);
        match segment {
            Some(Segment { string: false, depth, valid: true, start: floor }) => {
                let literal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
                let bytes = &self.view.bytes;
                Aligned {
                    start: run_start(bytes, start, start - floor, literal),
                    end: run_end(bytes, end, limit - end, literal),
                    quotes: Some(*depth),
                }
            }
            _ => Aligned { start, end, quotes: None },
        }
    }
}

/// The content of the string that starts at `start`, behind its quotation mark, with the index of the closing mark.
fn unescape(text: &[u8], start: usize) -> (View, usize) {
    let mut view = View::default();
    let mut index = start;
    while index < text.len() {
        let byte = at(text, index);
        if byte == b'"' {
            break;
        }
        let mut length = 1;
        let mut character = None;
        if byte == b'\\' {
            (character, length) = escape(text, index);
        }
        match character {
            Some(character) => {
                for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                    view.push(byte, (place(index), place(index + length)));
                }
            }
            None => view.push(byte, (place(index), place(index + 1))),
        }
        index += length;
    }
    (view, index)
}

/// The character that the escape at `index` stands for, and its length. An escape that stands for nothing is left as
/// a backslash.
fn escape(text: &[u8], index: usize) -> (Option<char>, usize) {
    let short = match at(text, index + 1) {
        b'n' => '\n',
        b't' => '\t',
        b'r' => '\r',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        other @ (b'"' | b'\\' | b'/') => char::from(other),
        b'u' => return unicode_escape(text, index),
        _ => return (None, 1),
    };
    (Some(short), 2)
}

fn unicode_escape(text: &[u8], index: usize) -> (Option<char>, usize) {
    let Some(unit) = unit(text, index) else { return (None, 1) };
    if let Some(character) = char::from_u32(unit) {
        return (Some(character), 6);
    }
    match self::unit(text, index + 6) {
        Some(low @ 0xDC00..=0xDFFF) if unit < 0xDC00 => {
            let character = char::from_u32(0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00));
            (Some(character.unwrap_or(char::REPLACEMENT_CHARACTER)), 12)
        }
        // A surrogate without its partner stands for no character.
        _ => (Some(char::REPLACEMENT_CHARACTER), 6),
    }
}

fn unit(text: &[u8], index: usize) -> Option<u32> {
    let digits = slice(text, index + 2, index + 6);
    let whole = at(text, index) == b'\\' && at(text, index + 1) == b'u' && digits.len() == 4;
    let value = digits.iter().try_fold(0, |value, digit| Some(value * 16 + char::from(*digit).to_digit(16)?));
    value.filter(|_| whole)
}

/// A quotation mark as it is written inside so many strings.
pub(crate) fn quotation_mark(depth: u8) -> &'static str {
    match depth {
        0 => "\"",
        1 => "\\\"",
        2 => "\\\\\\\"",
        _ => "\\\\\\\\\\\\\\\"",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_resolved_and_lead_back() {
        let cases: &[(&str, &str)] = &[
            (r#"{"a":"x\u0040y"}"#, r#"{"a":"x@y"}"#),
            (r#"["\ud83d\ude00"]"#, "[\"😀\"]"),
            (r#"["\ud83d"]"#, "[\"\u{fffd}\"]"),
            (r#"["a\/b\n"]"#, "[\"a/b\n\"]"),
            (r#"["{\"b\":\"c\\u0040d\"}"]"#, r#"["{"b":"c@d"}"]"#),
            (r#"["cut off \u00"#, r#"["cut off \u00"#),
            (r#"["\q"]"#, r#"["\q"]"#),
        ];
        for (raw, expected) in cases {
            let document = read(raw.as_bytes());
            assert_eq!(String::from_utf8_lossy(&document.view.bytes), *expected, "{raw}");
            let whole = document.view.source(0, document.view.bytes.len());
            assert_eq!(whole, (0, raw.len()), "{raw}");
        }
    }

    #[test]
    fn quotation_marks_are_escaped_once_for_each_string_around() {
        let mut mark = String::from("\"");
        for depth in 0..=DEEPEST {
            assert_eq!(quotation_mark(depth), mark);
            let string = serde_json::to_string(&mark).unwrap();
            mark = string[1..string.len() - 1].to_owned();
        }
    }

    #[test]
    fn a_number_is_grown_to_the_whole_literal() {
        let document = read(br#"{"a":-123.5,"b":"-123"}"#);
        assert_eq!(document.align(6, 9), Aligned { start: 5, end: 11, quotes: Some(0) });
        assert_eq!(document.align(18, 21), Aligned { start: 18, end: 21, quotes: None });
        assert_eq!(document.align(18, 23), Aligned { start: 18, end: 21, quotes: None });
    }
}
