//! Composite values as JSON text.

use crate::value::{Attributes, Raw, Value, key_and_value};
use crate::wire::{Frame, Payload, Reader};
use std::io::Write;

/// Writes a value as JSON: strings, integers and truth values as they are, arrays and maps in the order of the wire
/// (keys that repeat included), bytes as base64 text, no value as `null`. Doubles that JSON has no number for are the
/// texts `NaN`, `Infinity` and `-Infinity`.
pub(crate) fn value(out: &mut Vec<u8>, bytes: &[u8], raw: Raw<'_>) {
    match raw {
        Raw::Empty => out.extend_from_slice(b"null"),
        Raw::Text(text) => string(out, text),
        Raw::Boolean(true) => out.extend_from_slice(b"true"),
        Raw::Boolean(false) => out.extend_from_slice(b"false"),
        Raw::Integer(value) => display(out, value),
        Raw::Real(value) => real(out, value),
        Raw::Bytes(blob) => {
            out.push(b'"');
            base64(out, blob);
            out.push(b'"');
        }
        Raw::Array(frame) => array(out, bytes, frame),
        Raw::Map(frame) => map(out, bytes, frame),
    }
}

fn array(out: &mut Vec<u8>, bytes: &[u8], frame: Frame) {
    out.push(b'[');
    let mut first = true;
    let mut reader = Reader::within(bytes, frame);
    while let Ok(Some(field)) = reader.field() {
        if let (1, Payload::Bytes(element)) = (field.number, field.payload) {
            separate(out, &mut first);
            value(out, bytes, Raw::read(bytes, element));
        }
    }
    out.push(b']');
}

fn map(out: &mut Vec<u8>, bytes: &[u8], frame: Frame) {
    out.push(b'{');
    let mut first = true;
    let mut reader = Reader::within(bytes, frame);
    while let Ok(Some(field)) = reader.field() {
        if let (1, Payload::Bytes(entry)) = (field.number, field.payload) {
            let (key, element) = key_and_value(bytes, entry);
            separate(out, &mut first);
            string(out, key);
            out.push(b':');
            value(out, bytes, Raw::read(bytes, element));
        }
    }
    out.push(b'}');
}

impl Value<'_> {
    /// Appends this value as JSON text: see [`Attributes::to_json`] for maps; bytes are base64, no value is `null`, and
    /// doubles that JSON has no number for are the texts `NaN`, `Infinity` and `-Infinity`.
    pub fn push_json(self, out: &mut String) {
        let mut json = Vec::new();
        match self {
            Self::Empty => value(&mut json, &[], Raw::Empty),
            Self::Text(text) => string(&mut json, text.as_bytes()),
            Self::Boolean(truth) => value(&mut json, &[], Raw::Boolean(truth)),
            Self::Integer(number) => display(&mut json, number),
            Self::Real(number) => real(&mut json, number),
            Self::Bytes(blob) => value(&mut json, &[], Raw::Bytes(blob)),
            Self::Array(elements) => {
                let (bytes, frame) = elements.parts();
                array(&mut json, bytes, frame);
            }
            Self::Map(entries) => json.extend_from_slice(entries.to_json().as_bytes()),
        }
        // Texts of a request that was checked are UTF-8, and what is written here is.
        out.push_str(std::str::from_utf8(&json).unwrap_or_default());
    }
}

impl Attributes<'_> {
    /// These attributes as a JSON object, in the order of the wire.
    #[must_use]
    pub fn to_json(self) -> String {
        let mut out = vec![b'{'];
        let mut first = true;
        let bytes = self.request_bytes();
        for (key, frame) in self.keyed() {
            separate(&mut out, &mut first);
            string(&mut out, key);
            out.push(b':');
            value(&mut out, bytes, Raw::read(bytes, frame));
        }
        out.push(b'}');
        String::from_utf8(out).unwrap_or_default()
    }
}

fn separate(out: &mut Vec<u8>, first: &mut bool) {
    if !std::mem::take(first) {
        out.push(b',');
    }
}

fn display(out: &mut Vec<u8>, value: impl std::fmt::Display) {
    // Writing to a vector does not fail.
    let _ = write!(out, "{value}");
}

fn real(out: &mut Vec<u8>, value: f64) {
    if value.is_nan() {
        out.extend_from_slice(b"\"NaN\"");
    } else if value.is_infinite() {
        out.extend_from_slice(if value > 0.0 { b"\"Infinity\"" } else { b"\"-Infinity\"" });
    } else {
        // The debug form keeps the point of whole numbers, so that a double stays a double when it is read back.
        let _ = write!(out, "{value:?}");
    }
}

pub(crate) fn string(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    let mut rest = text;
    while let Some(at) = rest.iter().position(|&byte| byte < 0x20 || byte == b'"' || byte == b'\\') {
        let (plain, special) = rest.split_at(at);
        out.extend_from_slice(plain);
        if let Some((&byte, after)) = special.split_first() {
            escape(out, byte);
            rest = after;
        }
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

fn escape(out: &mut Vec<u8>, byte: u8) {
    match byte {
        b'"' => out.extend_from_slice(b"\\\""),
        b'\\' => out.extend_from_slice(b"\\\\"),
        b'\n' => out.extend_from_slice(b"\\n"),
        b'\r' => out.extend_from_slice(b"\\r"),
        b'\t' => out.extend_from_slice(b"\\t"),
        _ => {
            let _ = write!(out, "\\u{byte:04x}");
        }
    }
}

/// Base64 with the standard alphabet and padding (RFC 4648, section 4).
pub(crate) fn base64(out: &mut Vec<u8>, bytes: &[u8]) {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0u32, |word, &byte| word << 8 | u32::from(byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = (word >> (18 - 6 * place) & 63) as usize;
            let letter = ALPHABET.get(digit).copied().filter(|_| place <= chunk.len());
            out.push(letter.unwrap_or(b'='));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_rfc() {
        let cases = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ];
        for (plain, coded) in cases {
            let mut out = Vec::new();
            base64(&mut out, plain.as_bytes());
            assert_eq!(out, coded.as_bytes());
        }
    }

    #[test]
    fn strings_and_numbers_are_json() {
        let cases: &[(Raw<'_>, &str)] = &[
            (Raw::Text("a\"b\\c\nd\u{1}é".as_bytes()), r#""a\"b\\c\nd\u0001é""#),
            (Raw::Real(1.0), "1.0"),
            (Raw::Real(1e300), "1e300"),
            (Raw::Real(f64::NAN), "\"NaN\""),
            (Raw::Real(f64::NEG_INFINITY), "\"-Infinity\""),
            (Raw::Integer(i64::MIN), "-9223372036854775808"),
            (Raw::Empty, "null"),
            (Raw::Bytes(b"foo"), "\"Zm9v\""),
        ];
        for (raw, json) in cases {
            let mut out = Vec::new();
            value(&mut out, &[], *raw);
            assert_eq!(String::from_utf8(out).unwrap(), *json);
        }
    }
}
