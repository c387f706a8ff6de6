//! Protobuf, written to the end of a buffer.

/// Bytes that a variable-length integer takes.
pub(crate) fn varint_size(value: u64) -> usize {
    (64 - (value | 1).leading_zeros() as usize).div_ceil(7)
}

pub(crate) fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn tag(out: &mut Vec<u8>, number: u32, wire: u32) {
    varint(out, u64::from(number << 3 | wire));
}

pub(crate) fn integer(out: &mut Vec<u8>, number: u32, value: u64) {
    tag(out, number, 0);
    varint(out, value);
}

pub(crate) fn fixed64(out: &mut Vec<u8>, number: u32, value: u64) {
    tag(out, number, 1);
    out.extend_from_slice(&value.to_le_bytes());
}

pub(crate) fn fixed32(out: &mut Vec<u8>, number: u32, value: u32) {
    tag(out, number, 5);
    out.extend_from_slice(&value.to_le_bytes());
}

/// Tag and length of a field of `size` bytes.
pub(crate) fn header(out: &mut Vec<u8>, number: u32, size: usize) {
    tag(out, number, 2);
    varint(out, size as u64);
}

/// Bytes that tag and length take, for numbers below 16.
pub(crate) fn header_size(size: usize) -> usize {
    1 + varint_size(size as u64)
}

pub(crate) fn bytes(out: &mut Vec<u8>, number: u32, value: &[u8]) {
    header(out, number, value.len());
    out.extend_from_slice(value);
}

/// A field whose content `content` writes. The length goes before it afterwards, so content is moved by its size.
pub(crate) fn nested<T>(out: &mut Vec<u8>, number: u32, content: impl FnOnce(&mut Vec<u8>) -> T) -> T {
    tag(out, number, 2);
    let start = out.len();
    let result = content(out);
    let size = out.len() - start;
    varint(out, size as u64);
    let length = out.len() - start - size;
    if let Some(written) = out.get_mut(start..) {
        written.rotate_right(length);
    }
    result
}

/// A `KeyValue` field, its `AnyValue` written by `value`.
pub(crate) fn key_value<T>(out: &mut Vec<u8>, number: u32, key: &str, value: impl FnOnce(&mut Vec<u8>) -> T) -> T {
    nested(out, number, |out| {
        bytes(out, 1, key.as_bytes());
        nested(out, 2, value)
    })
}

/// The content of an `AnyValue`.
pub(crate) mod any {
    use super::{bytes, fixed64, integer};

    pub(crate) fn text(out: &mut Vec<u8>, value: &[u8]) {
        bytes(out, 1, value);
    }

    pub(crate) fn boolean(out: &mut Vec<u8>, value: bool) {
        integer(out, 2, u64::from(value));
    }

    pub(crate) fn int(out: &mut Vec<u8>, value: i64) {
        integer(out, 3, value.cast_unsigned());
    }

    pub(crate) fn real(out: &mut Vec<u8>, value: f64) {
        fixed64(out, 4, value.to_bits());
    }

    pub(crate) fn blob(out: &mut Vec<u8>, value: &[u8]) {
        bytes(out, 7, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_have_the_size_that_is_foretold() {
        for shift in 0..64 {
            for value in [(1u64 << shift) - 1, 1u64 << shift, u64::MAX] {
                let mut out = Vec::new();
                varint(&mut out, value);
                assert_eq!(out.len(), varint_size(value), "{value}");
                assert_eq!(crate::wire::Reader::new(&out, 0).varint(), Ok(value));
            }
        }
    }

    #[test]
    fn a_nested_field_has_its_length_before_it() {
        let mut out = Vec::new();
        nested(&mut out, 1, |out| out.extend_from_slice(&[7; 200]));
        assert_eq!(out.get(..3), Some([0x0a, 0xc8, 0x01].as_slice()));
        assert_eq!(out.get(3..), Some([7; 200].as_slice()));
    }
}
