//! The protobuf wire format, read from bytes that nobody has vouched for.
//!
//! A [`Reader`] walks the fields of one message. Positions are absolute in the request, so that a range found deep
//! inside can be patched from outside. Nothing here allocates or panics.

use crate::error::{Fault, What};

/// A length-delimited field: where its length is written, where its content begins and where it ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Frame {
    /// First byte of the length, which is also one past the tag.
    pub(crate) length: u32,
    /// First byte of the content.
    pub(crate) body: u32,
    /// One past the last byte of the content.
    pub(crate) end: u32,
}

impl Frame {
    /// The content.
    pub(crate) fn slice(self, bytes: &[u8]) -> &[u8] {
        bytes.get(self.body as usize..self.end as usize).unwrap_or_default()
    }
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Payload {
    Varint(u64),
    Fixed64(u64),
    Fixed32,
    Bytes(Frame),
    Group,
}

/// One field of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    /// First byte of the tag.
    pub(crate) at: u32,
    /// One past the last byte of the field.
    pub(crate) end: u32,
    /// Field number.
    pub(crate) number: u32,
    /// What it holds.
    pub(crate) payload: Payload,
}

/// Groups within groups that an unknown field may have.
pub(crate) const GROUP_DEPTH: u8 = 16;

/// A cursor over the fields of one message. `bytes` ends where the message ends; it is shorter than 4 GiB.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// Reads from `at` to the end of `bytes`.
    pub(crate) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    /// Reads the content of `frame`.
    #[inline]
    pub(crate) fn within(bytes: &'a [u8], frame: Frame) -> Self {
        Self { bytes: bytes.get(..frame.end as usize).unwrap_or_default(), at: frame.body as usize }
    }

    /// Where the cursor stands.
    pub(crate) fn at(&self) -> u32 {
        self.at as u32
    }

    /// What is left to read.
    pub(crate) fn rest(self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// The byte under the cursor, where the message has not ended.
    #[inline]
    pub(crate) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Steps over one byte.
    #[inline]
    pub(crate) fn step(&mut self) {
        self.at += 1;
    }

    /// The next field; `None` at the end of the message.
    #[inline]
    pub(crate) fn field(&mut self) -> Result<Option<Field>, Fault> {
        if self.at >= self.bytes.len() {
            return Ok(None);
        }
        let at = self.at();
        let tag = self.tag()?;
        let payload = self.payload(tag, GROUP_DEPTH)?;
        Ok(Some(Field { at, end: self.at(), number: tag >> 3, payload }))
    }

    /// A tag: field number and wire type.
    #[inline]
    pub(crate) fn tag(&mut self) -> Result<u32, Fault> {
        let at = self.at;
        let tag = self.varint()?;
        match u32::try_from(tag) {
            Ok(tag) if tag >= 8 => Ok(tag),
            _ => Err(Fault::new(at, What::Tag)),
        }
    }

    /// A length and its content, skipped.
    #[inline]
    pub(crate) fn frame(&mut self) -> Result<Frame, Fault> {
        let length = self.at;
        let size = self.varint()?;
        let body = self.at;
        let left = self.bytes.len().saturating_sub(body);
        match usize::try_from(size) {
            Ok(size) if size <= left => {
                self.at = body + size;
                Ok(Frame { length: length as u32, body: body as u32, end: self.at as u32 })
            }
            _ => Err(Fault::new(length, What::Truncated)),
        }
    }

    /// Key and value of a `KeyValue` where they come first and in this order, as every encoder writes them.
    #[inline]
    pub(crate) fn key_then_value(&mut self) -> Option<(Frame, Frame)> {
        if self.peek() != Some(0x0a) {
            return None;
        }
        self.step();
        let key = self.frame().ok()?;
        if self.peek() != Some(0x12) {
            return None;
        }
        self.step();
        Some((key, self.frame().ok()?))
    }

    /// A variable-length integer of at most ten bytes and 64 bits.
    #[inline]
    pub(crate) fn varint(&mut self) -> Result<u64, Fault> {
        match self.bytes.get(self.at) {
            Some(&byte) if byte < 0x80 => {
                self.at += 1;
                Ok(u64::from(byte))
            }
            _ => self.long_varint(),
        }
    }

    fn long_varint(&mut self) -> Result<u64, Fault> {
        let start = self.at;
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let Some(&byte) = self.bytes.get(self.at) else {
                return Err(Fault::new(start, What::Truncated));
            };
            self.at += 1;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                // The tenth byte has room for one bit only.
                let fits = shift < 63 || byte <= 1;
                return if fits { Ok(value) } else { Err(Fault::new(start, What::Varint)) };
            }
        }
        Err(Fault::new(start, What::Varint))
    }

    /// Eight bytes, little-endian.
    #[inline]
    pub(crate) fn fixed64(&mut self) -> Result<u64, Fault> {
        let chunk = self.bytes.get(self.at..).and_then(|rest| rest.first_chunk::<8>());
        let Some(chunk) = chunk else {
            return Err(Fault::new(self.at, What::Truncated));
        };
        self.at += 8;
        Ok(u64::from_le_bytes(*chunk))
    }

    /// Four bytes, skipped.
    fn fixed32(&mut self) -> Result<(), Fault> {
        if self.bytes.len().saturating_sub(self.at) < 4 {
            return Err(Fault::new(self.at, What::Truncated));
        }
        self.at += 4;
        Ok(())
    }

    /// What follows a tag.
    #[inline]
    pub(crate) fn payload(&mut self, tag: u32, group_depth: u8) -> Result<Payload, Fault> {
        match tag & 7 {
            0 => self.varint().map(Payload::Varint),
            1 => self.fixed64().map(Payload::Fixed64),
            2 => self.frame().map(Payload::Bytes),
            3 => self.group(tag >> 3, group_depth).map(|()| Payload::Group),
            5 => self.fixed32().map(|()| Payload::Fixed32),
            _ => Err(Fault::new(self.at, What::Tag)),
        }
    }

    /// The rest of a group, up to its end tag. OTLP has none; one may come in a field that is not known here.
    fn group(&mut self, number: u32, depth: u8) -> Result<(), Fault> {
        let Some(depth) = depth.checked_sub(1) else {
            return Err(Fault::new(self.at, What::Depth));
        };
        loop {
            let at = self.at;
            let tag = self.tag()?;
            if tag & 7 == 4 {
                return if tag >> 3 == number { Ok(()) } else { Err(Fault::new(at, What::Tag)) };
            }
            self.payload(tag, depth)?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn varint(bytes: &[u8]) -> Result<u64, What> {
        Reader::new(bytes, 0).varint().map_err(|fault| fault.what)
    }

    #[test]
    fn varints_end_after_ten_bytes_and_sixty_four_bits() {
        let cases: &[(&[u8], Result<u64, What>)] = &[
            (&[0x00], Ok(0)),
            (&[0x7f], Ok(127)),
            (&[0x80, 0x01], Ok(128)),
            (&[0x80, 0x00], Ok(0)),
            (&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], Ok(u64::MAX)),
            (&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02], Err(What::Varint)),
            (&[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00], Err(What::Varint)),
            (&[], Err(What::Truncated)),
            (&[0x80], Err(What::Truncated)),
        ];
        for (bytes, expected) in cases {
            assert_eq!(&varint(bytes), expected, "{bytes:x?}");
        }
    }

    #[test]
    fn fields_that_do_not_fit_are_faults() {
        let cases: &[(&[u8], What)] = &[
            (&[0x0a, 0x02, 0x61], What::Truncated),
            (&[0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], What::Truncated),
            (&[0x09, 1, 2, 3, 4, 5, 6, 7], What::Truncated),
            (&[0x0d, 1, 2, 3], What::Truncated),
            (&[0x00, 0x00], What::Tag),
            (&[0x07, 0x00], What::Tag),
            (&[0x0e, 0x00], What::Tag),
            (&[0x0c], What::Tag),
            (&[0x80, 0x80, 0x80, 0x80, 0x10, 0x00], What::Tag),
            (&[0x0b, 0x14], What::Tag),
            (&[0x0b, 0x08, 0x01], What::Truncated),
            (&[0x0b; 64], What::Depth),
        ];
        for (bytes, what) in cases {
            assert_eq!(Reader::new(bytes, 0).field().map_err(|fault| fault.what), Err(*what), "{bytes:x?}");
        }
    }

    #[test]
    fn a_group_is_skipped_whole() {
        let mut reader = Reader::new(&[0x0b, 0x08, 0x01, 0x13, 0x14, 0x0c, 0x10, 0x05], 0);
        assert_eq!(reader.field().unwrap().unwrap().payload, Payload::Group);
        assert_eq!(reader.field().unwrap().unwrap().payload, Payload::Varint(5));
        assert_eq!(reader.field().unwrap(), None);
    }
}
