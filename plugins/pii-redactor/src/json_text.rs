//! Where a finding stands in a JSON text, so that what is written in its place leaves the text JSON.
//!
//! Detection needs none of this: escapes are undone for it by [`fold`](crate::fold). But a number outside of strings
//! must be replaced by a string, and nothing may be replaced across the end of a string. Both are told from the raw
//! bytes alone: the number of backslashes before a quotation mark says how many strings deep it opens or closes one.
//! Strings that hold JSON themselves (arguments of a tool call) are followed to a bounded depth.

use serde::de::IgnoredAny;

/// JSON inside a string inside JSON, and so on: documents deeper than this are plain strings.
const DEEPEST: usize = 3;

/// What may stand before the part of a number that is a value: a sign, or `0.`.
const LONGEST_SIGN: usize = 8;

/// Whether the text is worth reading as JSON.
pub(crate) fn is_likely(text: &[u8]) -> bool {
    matches!(text.iter().find(|byte| !byte.is_ascii_whitespace()), Some(b'{' | b'['))
}

/// Whether the text is JSON.
pub(crate) fn parses(text: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(text).is_ok()
}

/// A quotation mark as it is written inside so many strings.
pub(crate) fn quotation_mark(depth: usize) -> &'static str {
    match depth {
        0 => "\"",
        1 => "\\\"",
        2 => "\\\\\\\"",
        _ => "\\\\\\\\\\\\\\\"",
    }
}

/// A walk over a JSON text, or over the pieces of one as they come.
#[derive(Clone, Debug)]
pub(crate) struct Walk {
    /// The document, and the documents within its strings; the last is where the walk is.
    levels: Vec<Level>,
    /// Backslashes directly before the place.
    backslashes: u32,
    /// Whether documents within strings are followed.
    nested: bool,
    place: usize,
    /// Bytes that belong to an escape whose beginning was seen.
    skip: u8,
}

#[derive(Clone, Copy, Debug, Default)]
struct Level {
    in_string: bool,
    /// The first character of the string that is no blank has been seen.
    begun: bool,
    /// Where the last string of this document began, behind its quotation mark.
    string: usize,
    /// Whether the document parses, once somebody asked.
    valid: Option<bool>,
}

/// What the walk says of a stretch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Aligned {
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// The stretch is a number outside of strings, so many strings deep: what replaces it needs quotation marks.
    pub(crate) quotes: Option<usize>,
    /// In how many strings the stretch stands.
    pub(crate) depth: usize,
}

impl Walk {
    /// A walk over a whole text; documents within strings are followed.
    pub(crate) fn whole() -> Self {
        Self { levels: vec![Level::default()], backslashes: 0, nested: true, place: 0, skip: 0 }
    }

    /// A walk over a document that comes in pieces; it is taken to be valid, and its strings to be plain.
    pub(crate) fn pieces() -> Self {
        let level = Level { valid: Some(true), ..Level::default() };
        Self { levels: vec![level], backslashes: 0, nested: false, place: 0, skip: 0 }
    }

    /// Walks on to `place`. Places count from where the first piece began, or from the last [`rebase`](Self::rebase).
    pub(crate) fn advance(&mut self, text: &[u8], place: usize) {
        let end = place.min(text.len());
        let mut from = self.place;
        while let Some(rest) = text.get(from..end) {
            if self.is_at_rest() {
                let Some(step) = memchr::memchr2(b'"', b'\\', rest) else { break };
                from += step;
            }
            let Some(&byte) = text.get(from..end).and_then(<[u8]>::first) else { break };
            self.step(text, from, byte);
            from += 1;
        }
        self.place = self.place.max(place);
    }

    /// Says that so many bytes at the beginning of the text are gone.
    pub(crate) fn rebase(&mut self, gone: usize) {
        self.place = self.place.saturating_sub(gone);
        for level in &mut self.levels {
            level.string = level.string.saturating_sub(gone);
        }
    }

    /// Whether nothing but a quotation mark or a backslash changes what the walk knows.
    fn is_at_rest(&self) -> bool {
        let begun = self.levels.last().is_none_or(|level| !level.in_string || level.begun);
        begun && self.backslashes == 0 && self.skip == 0
    }

    fn step(&mut self, text: &[u8], place: usize, byte: u8) {
        if self.skip > 0 {
            self.skip -= 1;
            return;
        }
        let code = || text.get(place + 1..place + 5).unwrap_or(&[]);
        match byte {
            b'\\' => {
                self.backslashes += 1;
                return;
            }
            // A backslash one level deeper, as two of this level are.
            b'u' if self.backslashes % 2 == 1 && matches!(code(), b"005c" | b"005C") => {
                self.backslashes += 1;
                self.skip = 4;
                return;
            }
            b'"' => self.quotation_mark(self.backslashes.trailing_ones(), place),
            b'u' if self.backslashes % 2 == 1 && code() == b"0022" => {
                self.quotation_mark(self.backslashes.trailing_ones(), place + 4);
            }
            b'n' | b'r' | b't' if self.backslashes > 0 => {}
            _ => self.content(byte),
        }
        self.backslashes = 0;
    }

    /// A quotation mark that is `depth` strings deep.
    fn quotation_mark(&mut self, depth: u32, place: usize) {
        let depth = usize::try_from(depth).unwrap_or(usize::MAX);
        if depth >= self.levels.len() {
            return self.content(b'"');
        }
        self.levels.truncate(depth + 1);
        if let Some(level) = self.levels.last_mut() {
            level.in_string = !level.in_string;
            level.begun = false;
            level.string = place + 1;
        }
    }

    fn content(&mut self, byte: u8) {
        let nested = self.nested && self.levels.len() <= DEEPEST;
        let Some(level) = self.levels.last_mut() else { return };
        if !level.in_string || level.begun || byte.is_ascii_whitespace() {
            return;
        }
        level.begun = true;
        if nested && matches!(byte, b'{' | b'[') {
            self.levels.push(Level::default());
        }
    }

    /// Brings a stretch at or behind the place of the walk into line, and walks to its end: it is cut at the end of
    /// its string, and grown to the whole number where it stands outside of strings.
    pub(crate) fn align(&mut self, text: &[u8], start: usize, end: usize) -> Aligned {
        self.advance(text, start);
        // What began like a document and is none is a plain string.
        while self.levels.len() > 1 && !self.is_valid(text, self.levels.len() - 1) {
            self.levels.pop();
        }
        let depth = self.levels.len().saturating_sub(1);
        if !self.is_string() {
            if !self.is_valid(text, depth) {
                return Aligned { start, end, quotes: None, depth };
            }
            let literal = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
            // What is no number does not stand here in JSON, and has no end to grow to.
            let number = text.get(start..end).is_some_and(|value| value.iter().all(literal));
            let before = text.get(..start).unwrap_or(&[]).iter().rev();
            let head = if self.nested {
                before.take(LONGEST_SIGN).take_while(|byte| number && literal(byte)).count()
            } else {
                // In pieces no more than the sign of a number is still there.
                before.take(1).take_while(|byte| number && **byte == b'-').count()
            };
            // In pieces what is behind may not have come yet; a value that is found ends where its number ends.
            let behind = text.get(end..).filter(|_| number && self.nested).unwrap_or(&[]).iter();
            let tail = behind.take_while(|byte| literal(byte)).count();
            let grown = Aligned { start: start - head, end: end + tail, quotes: Some(depth), depth };
            self.advance(text, grown.end);
            return grown;
        }
        let mut cut = end;
        for place in start..end.min(text.len()) {
            let Some(&byte) = text.get(place) else { break };
            let run = usize::try_from(self.backslashes).unwrap_or(0);
            self.step(text, place, byte);
            self.place = place + 1;
            let closed = self.levels.len() <= depth || self.levels.get(depth).is_some_and(|level| !level.in_string);
            if closed && place > start {
                cut = (place - run.min(place - start)).max(start);
                break;
            }
        }
        self.advance(text, end);
        Aligned { start, end: cut, quotes: None, depth: depth + 1 }
    }

    fn is_string(&self) -> bool {
        self.levels.last().is_some_and(|level| level.in_string)
    }

    fn is_valid(&mut self, text: &[u8], depth: usize) -> bool {
        if let Some(valid) = self.levels.get(depth).and_then(|level| level.valid) {
            return valid;
        }
        let outer = depth.checked_sub(1).and_then(|outer| self.levels.get(outer));
        let valid = outer.map_or_else(|| parses(text), |outer| holds_json(text, outer.string, depth));
        if let Some(level) = self.levels.get_mut(depth) {
            level.valid = Some(valid);
        }
        valid
    }
}

/// Whether the string whose content starts at `start`, which is inside `depth - 1` other strings, holds JSON.
fn holds_json(text: &[u8], start: usize, depth: usize) -> bool {
    let content = text.get(start..string_end(text, start, depth)).unwrap_or(&[]);
    let Ok(mut content) = std::str::from_utf8(content).map(str::to_owned) else { return false };
    for _ in 0..depth {
        match serde_json::from_str(&format!("\"{content}\"")) {
            Ok(inner) => content = inner,
            Err(_) => return false,
        }
    }
    parses(content.as_bytes())
}

/// End of the content of a string: the first quotation mark, with its backslashes, that is less than `depth` strings
/// deep.
fn string_end(text: &[u8], start: usize, depth: usize) -> usize {
    let mut backslashes = 0u32;
    let content = text.get(start..).unwrap_or(&[]);
    for (step, byte) in content.iter().enumerate() {
        match byte {
            b'\\' => backslashes += 1,
            b'"' if usize::try_from(backslashes.trailing_ones()).is_ok_and(|level| level < depth) => {
                // So many of the backslashes are those of the mark; others before them are content.
                return start + step - ((1 << backslashes.trailing_ones().min(16)) - 1);
            }
            _ => backslashes = 0,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn a_stretch_is_brought_into_line() {
        let cases: &[(&str, &str, &str, Option<usize>)] = &[
            (r#"{"a":-123.5,"b":1}"#, "123", "-123.5", Some(0)),
            (r#"{"a":"-123"}"#, "123", "123", None),
            (r#"{"a":"x 123","b":1}"#, "123\",\"b", "123", None),
            (r#"{"a":"{\"b\":123}"}"#, "123", "123", Some(1)),
            (r#"{"a":"{\"b\":\"123\"}"}"#, "123", "123", None),
            (r#"{"a":"{\"b\":\"x\\\"123\"}"}"#, "123", "123", None),
            (r#"{"a":"[call 123]"}"#, "123", "123", None),
            (r#"{"a":"{\u0022b\u0022:123}"}"#, "123", "123", Some(1)),
            (r#"{"a":"{\u0022b\u0022:\u0022123\u0022}"}"#, "123", "123", None),
            (r#"{"a":"{\u0022b\u0022:\u0022x\u005c\u0022,123\u0022}"}"#, "123", "123", None),
            (r#"{"a":"\\","b":123}"#, "123", "123", Some(0)),
            (r#"{"a":"{\"b\":\"{\\\"c\\\":123}\"}"}"#, "123", "123", Some(2)),
            (r#"{"a": 123"#, "123", "123", None),
            (r#"{"a":"123\\\" and \" more"}"#, "123", "123", None),
        ];
        for (text, given, expected, quotes) in cases {
            let start = text.find(given).unwrap();
            let aligned = Walk::whole().align(text.as_bytes(), start, start + given.len());
            assert_eq!((&text[aligned.start..aligned.end], aligned.quotes), (*expected, *quotes), "{text}");
        }
    }
}
