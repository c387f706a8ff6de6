//! JSON text to an encoded `AnyValue`: how composite values come back from a plugin.

use crate::encode::{self, any};
use std::fmt;

/// Text that is not JSON, or not JSON that can be a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JsonError {
    /// The byte of the text at which it was seen, counted from 0.
    pub at: usize,
    /// What was expected there.
    pub expected: &'static str,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "byte {} of the JSON text: expected {}", self.at, self.expected)
    }
}

impl std::error::Error for JsonError {}

/// Arrays and objects within each other; the same bound as for requests, so that what is written can be read.
const DEPTH: u8 = 23;

/// Appends the content of an `AnyValue`. Whole numbers that fit become integers, other numbers doubles; `null`
/// becomes a value without content. On an error `out` holds a part.
pub(crate) fn any_value(out: &mut Vec<u8>, text: &str) -> Result<(), JsonError> {
    let mut parser = Parser { text, bytes: text.as_bytes(), at: 0 };
    parser.space();
    parser.value(out, DEPTH)?;
    parser.space();
    if parser.at == text.len() { Ok(()) } else { Err(parser.expected("the end of the text")) }
}

struct Parser<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
}

impl Parser<'_> {
    fn expected(&self, expected: &'static str) -> JsonError {
        JsonError { at: self.at, expected }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn word(&mut self, word: &str) -> Result<(), JsonError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if rest.starts_with(word.as_bytes()) {
            self.at += word.len();
            Ok(())
        } else {
            Err(self.expected("a value"))
        }
    }

    fn value(&mut self, out: &mut Vec<u8>, depth: u8) -> Result<(), JsonError> {
        match self.peek() {
            Some(b'"') => {
                let text = self.string()?;
                any::text(out, text.as_bytes());
                Ok(())
            }
            Some(b'[') => encode::nested(out, 5, |out| self.array(out, depth)),
            Some(b'{') => encode::nested(out, 6, |out| self.object(out, depth)),
            Some(b't') => self.word("true").map(|()| any::boolean(out, true)),
            Some(b'f') => self.word("false").map(|()| any::boolean(out, false)),
            Some(b'n') => self.word("null"),
            _ => self.number(out),
        }
    }

    fn array(&mut self, out: &mut Vec<u8>, depth: u8) -> Result<(), JsonError> {
        let Some(depth) = depth.checked_sub(1) else {
            return Err(self.expected("fewer arrays and objects within each other (at most 23)"));
        };
        self.at += 1;
        self.space();
        if self.take(b']') {
            return Ok(());
        }
        loop {
            self.space();
            encode::nested(out, 1, |out| self.value(out, depth))?;
            self.space();
            if self.take(b']') {
                return Ok(());
            }
            if !self.take(b',') {
                return Err(self.expected("',' or ']'"));
            }
        }
    }

    fn object(&mut self, out: &mut Vec<u8>, depth: u8) -> Result<(), JsonError> {
        let Some(depth) = depth.checked_sub(1) else {
            return Err(self.expected("fewer arrays and objects within each other (at most 23)"));
        };
        self.at += 1;
        self.space();
        if self.take(b'}') {
            return Ok(());
        }
        loop {
            self.space();
            let key = self.string()?;
            self.space();
            if !self.take(b':') {
                return Err(self.expected("':'"));
            }
            self.space();
            encode::key_value(out, 1, &key, |out| self.value(out, depth))?;
            self.space();
            if self.take(b'}') {
                return Ok(());
            }
            if !self.take(b',') {
                return Err(self.expected("',' or '}'"));
            }
        }
    }

    fn string(&mut self) -> Result<String, JsonError> {
        if !self.take(b'"') {
            return Err(self.expected("'\"'"));
        }
        let mut text = String::new();
        loop {
            let start = self.at;
            let rest = self.bytes.get(start..).unwrap_or_default();
            let plain = rest.iter().position(|&byte| byte < 0x20 || byte == b'"' || byte == b'\\');
            self.at = start + plain.unwrap_or(rest.len());
            text.push_str(self.text.get(start..self.at).unwrap_or_default());
            if self.take(b'"') {
                return Ok(text);
            }
            if !self.take(b'\\') {
                return Err(self.expected("the end of the string"));
            }
            text.push(self.escape()?);
        }
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        let plain = match self.peek() {
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                return self.unicode();
            }
            _ => return Err(self.expected("an escape sequence")),
        };
        self.at += 1;
        Ok(plain)
    }

    /// `XXXX`, or `XXXX\uXXXX` where the first is the upper half of a pair. Halves on their own are not text.
    fn unicode(&mut self) -> Result<char, JsonError> {
        let at = self.at;
        let mut code = self.hex4()?;
        if (0xd800..0xdc00).contains(&code) && self.take(b'\\') && self.take(b'u') {
            let low = self.hex4()?;
            if (0xdc00..0xe000).contains(&low) {
                code = 0x1_0000 + ((code - 0xd800) << 10) + (low - 0xdc00);
            }
        }
        char::from_u32(code).ok_or(JsonError { at, expected: "both halves of a surrogate pair" })
    }

    fn hex4(&mut self) -> Result<u32, JsonError> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            code = code << 4 | digit.ok_or(self.expected("four hexadecimal digits"))?;
            self.at += 1;
        }
        Ok(code)
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { Err(self.expected("a digit")) }
    }

    fn number(&mut self, out: &mut Vec<u8>) -> Result<(), JsonError> {
        let start = self.at;
        if !matches!(self.peek(), Some(b'-' | b'0'..=b'9')) {
            return Err(self.expected("a value"));
        }
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        let mut whole = true;
        if self.take(b'.') {
            whole = false;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            whole = false;
            self.at += 1;
            if !self.take(b'+') {
                self.take(b'-');
            }
            self.digits()?;
        }
        let text = self.text.get(start..self.at).unwrap_or_default();
        match text.parse::<i64>() {
            Ok(value) if whole => any::int(out, value),
            _ => match text.parse::<f64>() {
                Ok(value) if value.is_finite() => any::real(out, value),
                _ => return Err(JsonError { at: start, expected: "a number that fits a double" }),
            },
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Raw;
    use crate::wire::Frame;

    /// Reads JSON and writes it again.
    fn round(text: &str) -> Result<String, JsonError> {
        let mut encoded = Vec::new();
        any_value(&mut encoded, text)?;
        let mut json = Vec::new();
        let whole = Frame { length: 0, body: 0, end: encoded.len() as u32 };
        crate::json_write::value(&mut json, &encoded, Raw::read(&encoded, whole));
        Ok(String::from_utf8(json).unwrap())
    }

    #[test]
    fn json_becomes_a_value_and_json_again() {
        let cases = [
            ("null", "null"),
            (
                " [ 1 , -0.5 , 1e3 , \"a\" , true , false , null , [ ] , { } ] ",
                r#"[1,-0.5,1000.0,"a",true,false,null,[],{}]"#,
            ),
            (r#"{"a":{"b":[{"c":"d"}]},"a":2}"#, r#"{"a":{"b":[{"c":"d"}]},"a":2}"#),
            (r#""\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00""#, "\"\\\"\\\\/\\u0008\\u000c\\n\\r\\té😀\""),
            ("9223372036854775807", "9223372036854775807"),
            ("9223372036854775808", "9.223372036854776e18"),
        ];
        for (text, json) in cases {
            assert_eq!(round(text).as_deref(), Ok(json), "{text}");
        }
    }

    #[test]
    fn what_is_not_json_is_refused_where_it_goes_wrong() {
        let cases = [
            ("", 0),
            ("nul", 0),
            ("01", 1),
            ("1.", 2),
            ("-", 1),
            ("1e", 2),
            ("1e999", 0),
            ("+1", 0),
            ("NaN", 0),
            ("[1", 2),
            ("[1,]", 3),
            ("{\"a\" 1}", 5),
            ("{1:1}", 1),
            ("\"a", 2),
            ("\"\n\"", 1),
            ("\"\\x\"", 2),
            ("\"\\ud83d\"", 3),
            ("\"\\ude00\"", 3),
            ("\"\\u12g4\"", 5),
            ("1 2", 2),
        ];
        for (text, at) in cases {
            assert_eq!(round(text).map_err(|error| error.at), Err(at), "{text}");
        }
    }

    #[test]
    fn nesting_has_a_limit() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(round(&nested(23)).is_ok());
        assert!(round(&nested(24)).is_err());
        assert!(round(&"[".repeat(1_000_000)).is_err());
        assert!(round(&"{\"a\":".repeat(1_000_000)).is_err());
    }
}
