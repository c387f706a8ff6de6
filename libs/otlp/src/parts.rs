//! Events and links of a span, and what a log record has beside time, body and attributes.

use crate::logs::Log;
use crate::scan::Group;
use crate::trace::{Span, is_id};
use crate::value::Attributes;
use crate::wire::{Frame, Payload, Reader};

/// An event of a span, read where it stands.
#[derive(Clone, Copy, Debug)]
pub struct SpanEvent<'r> {
    bytes: &'r [u8],
    frame: Frame,
}

impl<'r> SpanEvent<'r> {
    /// When it happened, in nanoseconds since 1970; 0 where it is not said.
    #[must_use]
    pub fn time(&self) -> u64 {
        last(self.bytes, self.frame, 1, |payload| if let Payload::Fixed64(time) = payload { Some(time) } else { None })
            .unwrap_or(0)
    }

    /// Name.
    #[must_use]
    pub fn name(&self) -> &'r str {
        text(self.bytes, self.frame, 2)
    }

    /// Attributes in the order of the wire.
    #[must_use]
    pub fn attributes(&self) -> Attributes<'r> {
        Attributes::new(self.bytes, self.frame.body, self.frame.end, 3)
    }
}

/// A link of a span to another one, read where it stands.
#[derive(Clone, Copy, Debug)]
pub struct SpanLink<'r> {
    bytes: &'r [u8],
    frame: Frame,
}

impl<'r> SpanLink<'r> {
    /// Trace id of the other span; `None` where there is none that is one.
    #[must_use]
    pub fn trace_id(&self) -> Option<[u8; 16]> {
        id(self.bytes, self.frame, 1)
    }

    /// Id of the other span; `None` where there is none that is one.
    #[must_use]
    pub fn span_id(&self) -> Option<[u8; 8]> {
        id(self.bytes, self.frame, 2)
    }

    /// Trace state of the other span; empty where there is none.
    #[must_use]
    pub fn trace_state(&self) -> &'r str {
        text(self.bytes, self.frame, 3)
    }

    /// Attributes in the order of the wire.
    #[must_use]
    pub fn attributes(&self) -> Attributes<'r> {
        Attributes::new(self.bytes, self.frame.body, self.frame.end, 4)
    }
}

impl<'r> Span<'r> {
    /// Events and links, each in the order of the wire.
    #[must_use]
    pub fn events_and_links(&self) -> (Vec<SpanEvent<'r>>, Vec<SpanLink<'r>>) {
        let (bytes, mut events, mut links) = (self.bytes, Vec::new(), Vec::new());
        let mut reader = Reader::within(bytes, self.entry.item.frame);
        while let Ok(Some(field)) = reader.field() {
            match (field.number, field.payload) {
                (11, Payload::Bytes(frame)) => events.push(SpanEvent { bytes, frame }),
                (13, Payload::Bytes(frame)) => links.push(SpanLink { bytes, frame }),
                _ => {}
            }
        }
        (events, links)
    }

    /// Version of the instrumentation scope; empty where there is none.
    #[must_use]
    pub fn scope_version(&self) -> &'r str {
        text(self.bytes, self.group.scope, 2)
    }
}

/// What a log record says beside time, body and attributes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogFields<'r> {
    /// Severity as a number, from 1 (`TRACE`) to 24 (`FATAL4`); 0 where it is not said.
    pub severity_number: u32,
    /// Severity in the words of the sender.
    pub severity_text: &'r str,
    /// Flags: the low eight bits are the trace flags of W3C Trace Context.
    pub flags: u32,
    /// When it was seen, in nanoseconds since 1970; 0 where it is not said.
    pub observed_time: u64,
    /// Name of the event, where it is one.
    pub event_name: &'r str,
}

impl<'r> Log<'r> {
    /// What it says beside time, body and attributes, read at once.
    #[must_use]
    pub fn fields(&self) -> LogFields<'r> {
        let mut fields = LogFields::default();
        let mut reader = Reader::within(self.bytes, self.entry.item.frame);
        while let Ok(Some(field)) = reader.field() {
            match (field.number, field.payload) {
                // The wire has 32 bits of an enumeration.
                (2, Payload::Varint(value)) => fields.severity_number = value as u32,
                (3, Payload::Bytes(frame)) => fields.severity_text = utf8(self.bytes, frame),
                (8, Payload::Fixed32) => {
                    let bytes = self.bytes.get(..field.end as usize).and_then(<[u8]>::last_chunk::<4>);
                    fields.flags = bytes.map_or(0, |bytes| u32::from_le_bytes(*bytes));
                }
                (11, Payload::Fixed64(value)) => fields.observed_time = value,
                (12, Payload::Bytes(frame)) => fields.event_name = utf8(self.bytes, frame),
                _ => {}
            }
        }
        fields
    }

    /// Whether another record stands in the same resource and scope of the same request.
    #[must_use]
    pub fn shares_envelope(&self, other: &Log<'_>) -> bool {
        let same = |ours: &Group, theirs: &Group| ours.outer == theirs.outer && ours.inner == theirs.inner;
        std::ptr::eq(self.bytes, other.bytes) && same(self.group, other.group)
    }

    /// Version of the instrumentation scope; empty where there is none.
    #[must_use]
    pub fn scope_version(&self) -> &'r str {
        text(self.bytes, self.group.scope, 2)
    }

    /// Attributes of the instrumentation scope.
    #[must_use]
    pub fn scope_attributes(&self) -> Attributes<'r> {
        Attributes::new(self.bytes, self.group.scope.body, self.group.scope.end, 3)
    }

    /// Address of the schema of the resource; empty where there is none.
    #[must_use]
    pub fn resource_schema_url(&self) -> &'r str {
        text(self.bytes, self.group.outer, 3)
    }

    /// Address of the schema of the scope; empty where there is none.
    #[must_use]
    pub fn scope_schema_url(&self) -> &'r str {
        text(self.bytes, self.group.inner, 3)
    }
}

/// The last of the field `number`, which is the one that counts.
fn last<T>(bytes: &[u8], frame: Frame, number: u32, read: impl Fn(Payload) -> Option<T>) -> Option<T> {
    let mut found = None;
    let mut reader = Reader::within(bytes, frame);
    while let Ok(Some(field)) = reader.field() {
        if field.number == number {
            found = read(field.payload).or(found);
        }
    }
    found
}

fn text(bytes: &[u8], frame: Frame, number: u32) -> &str {
    let frame =
        last(bytes, frame, number, |payload| if let Payload::Bytes(frame) = payload { Some(frame) } else { None });
    frame.map_or("", |frame| utf8(bytes, frame))
}

fn utf8(bytes: &[u8], frame: Frame) -> &str {
    std::str::from_utf8(frame.slice(bytes)).unwrap_or_default()
}

fn id<const N: usize>(bytes: &[u8], frame: Frame, number: u32) -> Option<[u8; N]> {
    let frame =
        last(bytes, frame, number, |payload| if let Payload::Bytes(frame) = payload { Some(frame) } else { None })?;
    if is_id::<N>(bytes, frame) { frame.slice(bytes).first_chunk::<N>().copied() } else { None }
}
