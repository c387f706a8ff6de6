//! Attributes and their values, read where they stand.

use crate::wire::{Frame, Payload, Reader};

/// The value of an attribute or of a log body.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// No value, which OTLP allows.
    Empty,
    /// Text.
    Text(&'a str),
    /// A truth value.
    Boolean(bool),
    /// An integer.
    Integer(i64),
    /// A floating-point number.
    Real(f64),
    /// Bytes.
    Bytes(&'a [u8]),
    /// An array.
    Array(Array<'a>),
    /// A map.
    Map(Attributes<'a>),
}

impl<'a> Value<'a> {
    /// The text, where it is one.
    #[must_use]
    pub fn as_text(self) -> Option<&'a str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The integer, where it is one.
    #[must_use]
    pub fn as_integer(self) -> Option<i64> {
        if let Self::Integer(value) = self { Some(value) } else { None }
    }

    /// The number as a double, where it is a number.
    #[must_use]
    pub fn as_real(self) -> Option<f64> {
        match self {
            Self::Real(value) => Some(value),
            Self::Integer(value) => Some(value as f64),
            _ => None,
        }
    }

    /// The truth value, where it is one.
    #[must_use]
    pub fn as_boolean(self) -> Option<bool> {
        if let Self::Boolean(value) = self { Some(value) } else { None }
    }

    pub(crate) fn read(bytes: &'a [u8], frame: Frame) -> Self {
        match Raw::read(bytes, frame) {
            Raw::Empty => Self::Empty,
            Raw::Text(text) => Self::Text(std::str::from_utf8(text).unwrap_or_default()),
            Raw::Boolean(value) => Self::Boolean(value),
            Raw::Integer(value) => Self::Integer(value),
            Raw::Real(value) => Self::Real(value),
            Raw::Bytes(value) => Self::Bytes(value),
            Raw::Array(frame) => Self::Array(Array { bytes, frame }),
            Raw::Map(frame) => Self::Map(Attributes::new(bytes, frame.body, frame.end, 1)),
        }
    }
}

/// The elements of an array value.
#[derive(Clone, Copy, Debug)]
pub struct Array<'a> {
    bytes: &'a [u8],
    frame: Frame,
}

impl<'a> Array<'a> {
    /// The elements in order.
    pub fn iter(self) -> impl Iterator<Item = Value<'a>> {
        let mut reader = Reader::within(self.bytes, self.frame);
        std::iter::from_fn(move || next_frame(&mut reader, 1).map(|frame| Value::read(self.bytes, frame)))
    }

    pub(crate) fn parts(self) -> (&'a [u8], Frame) {
        (self.bytes, self.frame)
    }

    /// The encoded `ArrayValue`.
    pub(crate) fn encoded(self) -> &'a [u8] {
        self.frame.slice(self.bytes)
    }
}

impl PartialEq for Array<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

/// Attributes in the order of the wire; a key that is there twice comes twice.
#[derive(Clone, Copy, Debug)]
pub struct Attributes<'a> {
    reader: Reader<'a>,
    bytes: &'a [u8],
    number: u32,
}

impl<'a> Attributes<'a> {
    /// The fields `number` of the message part from `start` to `end`.
    pub(crate) fn new(bytes: &'a [u8], start: u32, end: u32, number: u32) -> Self {
        let part = Frame { length: start, body: start, end };
        Self { reader: Reader::within(bytes, part), bytes, number }
    }

    /// The first value of `key`; [`Value::Empty`] counts as none.
    #[must_use]
    pub fn get(self, key: &str) -> Option<Value<'a>> {
        let (_, value) = self.keyed().find(|(name, _)| *name == key.as_bytes())?;
        match Value::read(self.bytes, value) {
            Value::Empty => None,
            value => Some(value),
        }
    }

    /// The encoded message part that holds the attributes; of a map all of its `KeyValueList`.
    pub(crate) fn encoded(self) -> &'a [u8] {
        self.reader.rest()
    }

    pub(crate) fn request_bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// Keys as bytes, with their values unread.
    #[inline]
    pub(crate) fn keyed(mut self) -> impl Iterator<Item = (&'a [u8], Frame)> {
        std::iter::from_fn(move || {
            let frame = next_frame(&mut self.reader, self.number)?;
            Some(key_and_value(self.bytes, frame))
        })
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = (&'a str, Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let frame = next_frame(&mut self.reader, self.number)?;
        let (key, value) = key_and_value(self.bytes, frame);
        Some((std::str::from_utf8(key).unwrap_or_default(), Value::read(self.bytes, value)))
    }
}

impl PartialEq for Attributes<'_> {
    fn eq(&self, other: &Self) -> bool {
        Iterator::eq(*self, *other)
    }
}

/// The content of the next field `number`, which is below 16; other fields are passed over.
#[inline]
fn next_frame(reader: &mut Reader<'_>, number: u32) -> Option<Frame> {
    loop {
        // A tag of a low number is one byte, so the fields that are looked for are seen without reading a tag.
        if u32::from(reader.peek()?) == number << 3 | 2 {
            reader.step();
            return reader.frame().ok();
        }
        let field = reader.field().ok()??;
        if let Payload::Bytes(frame) = field.payload
            && field.number == number
        {
            return Some(frame);
        }
    }
}

/// The parts of a `KeyValue`.
#[inline]
pub(crate) fn key_and_value(bytes: &[u8], frame: Frame) -> (&[u8], Frame) {
    let mut reader = Reader::within(bytes, frame);
    if let Some((key, value)) = reader.key_then_value()
        && value.end == frame.end
    {
        return (key.slice(bytes), value);
    }
    let (mut key, mut value) = (Frame::default(), Frame::default());
    let mut reader = Reader::within(bytes, frame);
    while let Ok(Some(field)) = reader.field() {
        match (field.number, field.payload) {
            (1, Payload::Bytes(frame)) => key = frame,
            (2, Payload::Bytes(frame)) => value = frame,
            _ => {}
        }
    }
    (key.slice(bytes), value)
}

/// A value with its text unread, so that text is only checked by those who want it as text.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Raw<'a> {
    Empty,
    Text(&'a [u8]),
    Boolean(bool),
    Integer(i64),
    Real(f64),
    Bytes(&'a [u8]),
    Array(Frame),
    Map(Frame),
}

impl<'a> Raw<'a> {
    #[inline]
    pub(crate) fn read(bytes: &'a [u8], frame: Frame) -> Self {
        let mut reader = Reader::within(bytes, frame);
        // A value has one member, so the commonest are taken where they stand first.
        if reader.peek() == Some(0x0a) {
            reader.step();
            return reader.frame().map_or(Self::Empty, |text| Self::Text(text.slice(bytes)));
        }
        while let Ok(Some(field)) = reader.field() {
            match (field.number, field.payload) {
                (1, Payload::Bytes(text)) => return Self::Text(text.slice(bytes)),
                (2, Payload::Varint(value)) => return Self::Boolean(value != 0),
                (3, Payload::Varint(value)) => return Self::Integer(value.cast_signed()),
                (4, Payload::Fixed64(value)) => return Self::Real(f64::from_bits(value)),
                (5, Payload::Bytes(frame)) => return Self::Array(frame),
                (6, Payload::Bytes(frame)) => return Self::Map(frame),
                (7, Payload::Bytes(value)) => return Self::Bytes(value.slice(bytes)),
                _ => {}
            }
        }
        Self::Empty
    }
}
