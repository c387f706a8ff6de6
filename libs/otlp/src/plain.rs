//! A value as plain text.

use crate::json_write;
use crate::value::{Array, Attributes, Value};
use std::io::Write;

impl Value<'_> {
    /// Appends the value as the OpenTelemetry Collector writes one where a store has nothing but text (`AsString` of its
    /// `pcommon.Value`): text as it is, numbers as JSON has them, truth values as words, bytes in base64, arrays and maps
    /// as JSON in the order of the wire, nothing for no value. Doubles that JSON has no number for are `NaN`, `Infinity`
    /// and `-Infinity`.
    pub fn write_text(self, out: &mut Vec<u8>) {
        match self {
            Self::Empty => {}
            Self::Text(text) => out.extend_from_slice(text.as_bytes()),
            Self::Boolean(value) => out.extend_from_slice(if value { b"true" } else { b"false" }),
            Self::Integer(value) => integer(out, value),
            Self::Real(value) => real(out, value),
            Self::Bytes(value) => json_write::base64(out, value),
            Self::Array(array) => json_array(out, array),
            Self::Map(map) => json_map(out, map),
        }
    }

    fn write_json(self, out: &mut Vec<u8>) {
        match self {
            Self::Empty => out.extend_from_slice(b"null"),
            Self::Text(text) => json_write::string(out, text.as_bytes()),
            Self::Real(value) if !value.is_finite() => quoted(out, |out| real(out, value)),
            Self::Bytes(value) => quoted(out, |out| json_write::base64(out, value)),
            value => value.write_text(out),
        }
    }
}

fn quoted(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    out.push(b'"');
    write(out);
    out.push(b'"');
}

fn json_array(out: &mut Vec<u8>, array: Array<'_>) {
    out.push(b'[');
    for (index, value) in array.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        value.write_json(out);
    }
    out.push(b']');
}

fn json_map(out: &mut Vec<u8>, map: Attributes<'_>) {
    out.push(b'{');
    for (index, (key, value)) in map.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        json_write::string(out, key.as_bytes());
        out.push(b':');
        value.write_json(out);
    }
    out.push(b'}');
}

fn integer(out: &mut Vec<u8>, value: i64) {
    let mut digits = [0u8; 20];
    let mut rest = value.unsigned_abs();
    let mut length = 0;
    for place in digits.iter_mut().rev() {
        *place = b'0' + (rest % 10) as u8;
        rest /= 10;
        length += 1;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(digits.last_chunk::<20>().map_or(&[][..], |all| all.get(20 - length..).unwrap_or_default()));
}

/// The shortest digits that are read back as the same double; with an exponent where Go's JSON has one.
fn real(out: &mut Vec<u8>, value: f64) {
    let size = value.abs();
    // Writing to a vector does not fail.
    let _ = if value.is_nan() {
        write!(out, "NaN")
    } else if value.is_infinite() {
        write!(out, "{}", if value > 0.0 { "Infinity" } else { "-Infinity" })
    } else if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = format!("{value:e}");
        let exponent = text.split_once('e').filter(|(_, exponent)| !exponent.starts_with('-'));
        match exponent {
            Some((digits, exponent)) => write!(out, "{digits}e+{exponent}"),
            None => write!(out, "{text}"),
        }
    } else {
        write!(out, "{value}")
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected texts are those of the Collector's `pcommon.Value`.
    #[test]
    fn values_are_the_texts_of_the_collector() {
        let cases: &[(Value<'_>, &str)] = &[
            (Value::Empty, ""),
            (Value::Text("a\"b"), "a\"b"),
            (Value::Boolean(true), "true"),
            (Value::Integer(0), "0"),
            (Value::Integer(-12), "-12"),
            (Value::Integer(i64::MIN), "-9223372036854775808"),
            (Value::Integer(i64::MAX), "9223372036854775807"),
            (Value::Real(1.0), "1"),
            (Value::Real(0.25), "0.25"),
            (Value::Real(-0.0), "-0"),
            (Value::Real(1e20), "100000000000000000000"),
            (Value::Real(1e21), "1e+21"),
            (Value::Real(1.5e-9), "1.5e-9"),
            (Value::Real(1e-6), "0.000001"),
            (Value::Real(f64::NAN), "NaN"),
            (Value::Real(f64::NEG_INFINITY), "-Infinity"),
            (Value::Bytes(b"foo"), "Zm9v"),
        ];
        for (value, text) in cases {
            let mut out = Vec::new();
            value.write_text(&mut out);
            assert_eq!(String::from_utf8(out).unwrap(), *text, "{value:?}");
        }
    }
}
