//! Values as RowBinary has them.
//!
//! Source: ClickHouse, "RowBinary" of the formats for input and output: integers and floating-point numbers are
//! little-endian, lengths are LEB128, a nullable value has a byte before it, a decimal is its integer, an array or map its
//! length and then its elements.

use tollgate_otlp::Value;

/// A length.
#[inline]
pub(crate) fn length(out: &mut Vec<u8>, mut value: usize) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Text or bytes.
#[inline]
pub(crate) fn string(out: &mut Vec<u8>, text: &[u8]) {
    length(out, text.len());
    out.extend_from_slice(text);
}

/// An id as lower-case hexadecimal digits.
#[inline]
pub(crate) fn hex(out: &mut Vec<u8>, id: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    length(out, id.len() * 2);
    for byte in id {
        let digit = |four: u8| DIGITS.get(usize::from(four)).copied().unwrap_or_default();
        out.extend([digit(byte >> 4), digit(byte & 15)]);
    }
}

/// An id that may be absent, which is an empty text.
#[inline]
pub(crate) fn id(out: &mut Vec<u8>, id: Option<&[u8]>) {
    hex(out, id.unwrap_or_default());
}

/// A time in nanoseconds since 1970 as `DateTime64(9)`, which ends in the year 2262.
#[inline]
pub(crate) fn time(out: &mut Vec<u8>, nanoseconds: u64) {
    out.extend_from_slice(&i64::try_from(nanoseconds).unwrap_or(i64::MAX).to_le_bytes());
}

/// Something whose length is known once it is written: how many elements, or bytes, `write` says there are.
#[inline]
pub(crate) fn counted(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>) -> usize) {
    let at = out.len();
    out.push(0);
    let count = write(out);
    if count < 0x80 {
        if let Some(length) = out.get_mut(at) {
            *length = count as u8;
        }
        return;
    }
    // Few are that long, so that room is made for one byte only.
    let mut bytes = Vec::with_capacity(10);
    length(&mut bytes, count);
    out.splice(at..=at, bytes);
}

/// A value as text.
#[inline]
pub(crate) fn value(out: &mut Vec<u8>, value: Value<'_>) {
    match value {
        Value::Text(text) => string(out, text.as_bytes()),
        value => counted(out, |out| {
            let before = out.len();
            value.write_text(out);
            out.len() - before
        }),
    }
}

/// A map of attributes.
#[inline]
pub(crate) fn map<'a>(
    out: &mut Vec<u8>,
    attributes: impl Iterator<Item = (&'a str, Value<'a>)>,
    mut seen: impl FnMut(&'a str, Value<'a>),
) {
    counted(out, |out| {
        let mut count = 0;
        for (key, content) in attributes {
            string(out, key.as_bytes());
            value(out, content);
            seen(key, content);
            count += 1;
        }
        count
    });
}

/// A value that may be NULL.
#[inline]
pub(crate) fn nullable(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    match bytes {
        Some(bytes) => {
            out.push(0);
            out.extend_from_slice(bytes);
        }
        None => out.push(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_leb128_wherever_they_are_known() {
        for (count, bytes) in [
            (0usize, &[0x00][..]),
            (127, &[0x7f]),
            (128, &[0x80, 0x01]),
            (300, &[0xac, 0x02]),
            (16_384, &[0x80, 0x80, 0x01]),
        ] {
            let mut before = vec![9];
            length(&mut before, count);
            assert_eq!(&before[1..], bytes, "{count}");
            let mut after = vec![9];
            counted(&mut after, |out| {
                out.extend(std::iter::repeat_n(7, 3));
                count
            });
            assert_eq!(after, [&[9], bytes, &[7, 7, 7]].concat(), "{count}");
        }
    }

    #[test]
    fn ids_and_times() {
        let mut out = Vec::new();
        hex(&mut out, &[0x0a, 0xf9]);
        assert_eq!(out, b"\x040af9");
        out.clear();
        time(&mut out, u64::MAX);
        assert_eq!(out, i64::MAX.to_le_bytes());
    }
}
