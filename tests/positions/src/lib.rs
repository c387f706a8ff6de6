//! Every position in which OTLP can hold a string or bytes, found in the descriptors that come with its messages, and
//! for each a request that holds a marker there and nowhere else.
//!
//! The descriptors are an authority of their own: a field that OTLP gains is a position as soon as the crate with its
//! messages has it, and a test that looks for markers fails until somebody handles the field.
#![forbid(unsafe_code)]

mod descriptor;

use descriptor::{Field, Kind, Schema};

/// How often a message may be within one of its own type: values are in arrays and maps, and these in such.
const NESTING: usize = 3;

/// A signal that OTLP has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// `ExportTraceServiceRequest`.
    Traces,
    /// `ExportLogsServiceRequest`.
    Logs,
    /// `ExportMetricsServiceRequest`.
    Metrics,
}

impl Signal {
    const fn request(self) -> &'static str {
        match self {
            Self::Traces => "opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest",
            Self::Logs => "opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest",
            Self::Metrics => "opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest",
        }
    }
}

/// A position, with a request that has a marker there.
#[derive(Clone, Debug)]
pub struct Position {
    /// The fields on the way, for example `resource_spans.scope_spans.spans.name`.
    pub path: String,
    /// An e-mail address that no other position has.
    pub marker: String,
    /// The encoded request.
    pub request: Vec<u8>,
}

/// All positions of a signal. Bytes are two: text, and text among bytes that are none.
///
/// # Errors
/// The descriptors do not have the request.
pub fn positions(signal: Signal) -> Result<Vec<Position>, String> {
    let schema = Schema::read()?;
    let mut walk = Walk { schema: &schema, way: Vec::new(), found: Vec::new() };
    walk.message(signal.request())?;
    if walk.found.is_empty() { Err(format!("{} holds no string", signal.request())) } else { Ok(walk.found) }
}

/// One request that holds the markers of all positions: encoded messages that follow each other are one message.
#[must_use]
pub fn together(positions: &[Position]) -> Vec<u8> {
    positions.iter().flat_map(|position| position.request.iter().copied()).collect()
}

/// Whether `marker` stands anywhere in the bytes.
#[must_use]
pub fn holds(bytes: &[u8], marker: &str) -> bool {
    bytes.windows(marker.len()).any(|window| window == marker.as_bytes())
}

struct Walk<'s> {
    schema: &'s Schema,
    /// The messages around, each with the field that was taken.
    way: Vec<(String, Field)>,
    found: Vec<Position>,
}

impl Walk<'_> {
    fn message(&mut self, name: &str) -> Result<(), String> {
        let schema = self.schema;
        if self.way.iter().filter(|(around, _)| around == name).count() >= NESTING {
            return Ok(());
        }
        for field in schema.fields(name)? {
            self.way.push((name.to_owned(), field.clone()));
            match &field.kind {
                Kind::Text => self.leaf("", |marker| marker.as_bytes().to_vec()),
                Kind::Bytes => {
                    self.leaf("", |marker| marker.as_bytes().to_vec());
                    self.leaf(" (not UTF-8)", |marker| [b"\xff\xfe ", marker.as_bytes(), b" \xff"].concat());
                }
                Kind::Message(inner) => self.message(inner)?,
                Kind::Number => {}
            }
            self.way.pop();
        }
        Ok(())
    }

    fn leaf(&mut self, what: &str, content: impl Fn(&str) -> Vec<u8>) {
        let number = self.found.len();
        let signal = self.way.first().map_or(0, |(message, _)| message.len());
        let marker = format!("p{number:04}.{signal}@marker.example.com");
        let mut encoded = content(&marker);
        for (message, field) in self.way.iter().rev() {
            encoded =
                [needed_before(message, field), delimited(field.number, &encoded), needed_after(message)].concat();
        }
        let names: Vec<&str> = self.way.iter().map(|(_, field)| field.name.as_str()).collect();
        self.found.push(Position { path: format!("{}{what}", names.join(".")), marker, request: encoded });
    }
}

/// An attribute has a key, and encoders write it first.
fn needed_before(message: &str, field: &Field) -> Vec<u8> {
    if message == "opentelemetry.proto.common.v1.KeyValue" && field.name != "key" {
        delimited(1, b"k")
    } else {
        Vec::new()
    }
}

/// A span without ids is refused. Of a field that is there twice the last one counts, so these do.
fn needed_after(message: &str) -> Vec<u8> {
    if message == "opentelemetry.proto.trace.v1.Span" {
        [delimited(1, &[1; 16]), delimited(2, &[2; 8]), delimited(4, &[3; 8])].concat()
    } else {
        Vec::new()
    }
}

/// A length-delimited field.
fn delimited(number: u32, content: &[u8]) -> Vec<u8> {
    let mut field = Vec::with_capacity(content.len() + 8);
    prost::encoding::encode_key(number, prost::encoding::WireType::LengthDelimited, &mut field);
    prost::encoding::encode_varint(u64::try_from(content.len()).unwrap_or(u64::MAX), &mut field);
    field.extend_from_slice(content);
    field
}
