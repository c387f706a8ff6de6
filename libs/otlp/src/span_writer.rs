//! Spans and attributes, written from nothing.

use crate::encode::{self, any};
use crate::json_read::{self, JsonError};
use crate::trace::{SpanKind, StatusCode};
use crate::value::Value;

/// A value to be written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum NewValue<'a> {
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
    /// An array of text.
    Texts(&'a [&'a str]),
    /// A value that was read, arrays and maps included.
    Read(Value<'a>),
}

impl NewValue<'_> {
    fn encode(self, out: &mut Vec<u8>) {
        match self {
            Self::Text(value) => any::text(out, value.as_bytes()),
            Self::Boolean(value) => any::boolean(out, value),
            Self::Integer(value) => any::int(out, value),
            Self::Real(value) => any::real(out, value),
            Self::Bytes(value) => any::blob(out, value),
            Self::Texts(values) => encode::nested(out, 5, |out| {
                for value in values {
                    encode::nested(out, 1, |out| any::text(out, value.as_bytes()));
                }
            }),
            Self::Read(value) => match value {
                Value::Empty => {}
                Value::Text(value) => any::text(out, value.as_bytes()),
                Value::Boolean(value) => any::boolean(out, value),
                Value::Integer(value) => any::int(out, value),
                Value::Real(value) => any::real(out, value),
                Value::Bytes(value) => any::blob(out, value),
                Value::Array(array) => encode::bytes(out, 5, array.encoded()),
                Value::Map(map) => encode::bytes(out, 6, map.encoded()),
            },
        }
    }
}

impl<'a> From<Value<'a>> for NewValue<'a> {
    fn from(value: Value<'a>) -> Self {
        Self::Read(value)
    }
}

impl<'a> From<&'a str> for NewValue<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(value)
    }
}

impl From<bool> for NewValue<'_> {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

impl From<i64> for NewValue<'_> {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<u64> for NewValue<'_> {
    /// Counts past `i64::MAX`, which OTLP cannot say, are `i64::MAX`.
    fn from(value: u64) -> Self {
        Self::Integer(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

impl From<f64> for NewValue<'_> {
    fn from(value: f64) -> Self {
        Self::Real(value)
    }
}

impl<'a> From<&'a [&'a str]> for NewValue<'a> {
    fn from(value: &'a [&'a str]) -> Self {
        Self::Texts(value)
    }
}

/// Appends an attribute as field `number`.
pub(crate) fn attribute(out: &mut Vec<u8>, number: u32, key: &str, value: NewValue<'_>) {
    encode::key_value(out, number, key, |out| value.encode(out));
}

/// Appends an attribute whose value is JSON text as field `number`; nothing where the text is not JSON.
pub(crate) fn json_attribute(out: &mut Vec<u8>, number: u32, key: &str, json: &str) -> Result<(), JsonError> {
    let before = out.len();
    let result = encode::key_value(out, number, key, |out| json_read::any_value(out, json));
    if result.is_err() {
        out.truncate(before);
    }
    result
}

/// Writes the attributes of a span or a log record behind what is written already.
#[derive(Debug)]
pub struct AttributeWriter<'w> {
    out: &'w mut Vec<u8>,
    /// Number of the field that holds the attributes.
    number: u32,
}

impl<'w> AttributeWriter<'w> {
    pub(crate) fn new(out: &'w mut Vec<u8>, number: u32) -> Self {
        Self { out, number }
    }

    /// Adds an attribute. A key is to be added once.
    pub fn set<'v>(&mut self, key: &str, value: impl Into<NewValue<'v>>) -> &mut Self {
        attribute(self.out, self.number, key, value.into());
        self
    }

    /// Adds an attribute whose value is JSON text, as an array, a map, or what else the text says.
    ///
    /// # Errors
    /// The text is not JSON; nothing is added.
    pub fn set_json(&mut self, key: &str, json: &str) -> Result<&mut Self, JsonError> {
        json_attribute(self.out, self.number, key, json)?;
        Ok(self)
    }
}

/// Writes one span.
///
/// ```
/// use tollgate_otlp::{SpanKind, SpanWriter, StatusCode};
/// let mut span = SpanWriter::new([1; 16], [2; 8], "chat gpt-4o");
/// span.kind(SpanKind::Client).times(1_000, 2_000).status(StatusCode::Error, "overloaded");
/// span.set("gen_ai.usage.input_tokens", 12_u64).set("gen_ai.request.stream", true);
/// assert!(!span.bytes().is_empty());
/// ```
#[derive(Clone, Debug)]
pub struct SpanWriter {
    bytes: Vec<u8>,
}

impl SpanWriter {
    /// A span. Ids of all zeroes are not ids; a receiver refuses the span.
    #[must_use]
    pub fn new(trace_id: [u8; 16], span_id: [u8; 8], name: &str) -> Self {
        let mut bytes = Vec::with_capacity(512);
        encode::bytes(&mut bytes, 1, &trace_id);
        encode::bytes(&mut bytes, 2, &span_id);
        encode::bytes(&mut bytes, 5, name.as_bytes());
        Self { bytes }
    }

    /// Sets the parent.
    pub fn parent(&mut self, span_id: [u8; 8]) -> &mut Self {
        encode::bytes(&mut self.bytes, 4, &span_id);
        self
    }

    /// Sets the trace state, in the form of the W3C header.
    pub fn trace_state(&mut self, trace_state: &str) -> &mut Self {
        encode::bytes(&mut self.bytes, 3, trace_state.as_bytes());
        self
    }

    /// Sets the kind.
    pub fn kind(&mut self, kind: SpanKind) -> &mut Self {
        encode::integer(&mut self.bytes, 6, kind as u64);
        self
    }

    /// Sets start and end, in nanoseconds since 1970.
    pub fn times(&mut self, start: u64, end: u64) -> &mut Self {
        encode::fixed64(&mut self.bytes, 7, start);
        encode::fixed64(&mut self.bytes, 8, end);
        self
    }

    /// Sets the status. To be called once.
    pub fn status(&mut self, code: StatusCode, message: &str) -> &mut Self {
        encode::nested(&mut self.bytes, 15, |out| {
            if !message.is_empty() {
                encode::bytes(out, 2, message.as_bytes());
            }
            encode::integer(out, 3, code as u64);
        });
        self
    }

    /// Sets the flags: bits 0 to 7 are the W3C trace flags of the span, bit 8 says that bit 9 means something, and bit 9
    /// that the parent is remote. Source: `SpanFlags` of `opentelemetry/proto/trace/v1`.
    pub fn flags(&mut self, flags: u32) -> &mut Self {
        encode::fixed32(&mut self.bytes, 16, flags);
        self
    }

    /// Writes attributes by way of what is shared with log records.
    pub fn attributes(&mut self) -> AttributeWriter<'_> {
        AttributeWriter::new(&mut self.bytes, 9)
    }

    /// Adds an attribute. A key is to be added once.
    pub fn set<'v>(&mut self, key: &str, value: impl Into<NewValue<'v>>) -> &mut Self {
        self.attributes().set(key, value);
        self
    }

    /// Adds an attribute whose value is JSON text, as an array, a map, or what else the text says.
    ///
    /// # Errors
    /// The text is not JSON; nothing is added.
    pub fn set_json(&mut self, key: &str, json: &str) -> Result<&mut Self, JsonError> {
        self.attributes().set_json(key, json)?;
        Ok(self)
    }

    /// Adds an event with attributes. `time` is in nanoseconds since 1970.
    pub fn event(&mut self, time: u64, name: &str, attributes: &[(&str, NewValue<'_>)]) -> &mut Self {
        encode::nested(&mut self.bytes, 11, |out| {
            encode::fixed64(out, 1, time);
            encode::bytes(out, 2, name.as_bytes());
            for (key, value) in attributes {
                attribute(out, 3, key, *value);
            }
        });
        self
    }

    /// The encoded `Span` message, without tag and length.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}
