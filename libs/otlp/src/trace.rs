//! A request with spans, and one span of it.

use crate::error::{Fault, Limits, ScanError, What};
use crate::scan::{Group, Item, Scan, Scanned, Signal};
use crate::schema::Message;
use crate::value::Attributes;
use crate::wire::{Frame, Payload, Reader};
use std::borrow::Cow;

/// An `ExportTraceServiceRequest` that has been checked: everything in it can be read, and its spans are indexed.
#[derive(Debug)]
pub struct TraceRequest<'a> {
    pub(crate) scanned: Scanned<'a, Spans>,
}

impl<'a> TraceRequest<'a> {
    /// Checks a request and indexes its spans.
    ///
    /// # Errors
    /// What is wrong with the bytes, and where. Spans whose ids are not ids do not make the request wrong: they are
    /// [refused](Self::refused) one by one, as OTLP asks.
    pub fn scan(bytes: &'a [u8], limits: &Limits) -> Result<Self, ScanError> {
        Scanned::scan(bytes, limits).map(|scanned| Self { scanned })
    }

    /// Indexes a request that was [scanned](Self::scan) before, or made of one that was by editing and replacing. That
    /// takes a fraction of a scan, because what is within attributes, events and links is not looked at again.
    /// [`unknown_fields`](Self::unknown_fields) counts none of those there.
    ///
    /// # Errors
    /// The bytes are no such request after all, where that is seen.
    pub fn rescan(bytes: &'a [u8]) -> Result<Self, ScanError> {
        Scanned::rescan(bytes).map(|scanned| Self { scanned })
    }

    /// The request as it was given.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.scanned.bytes
    }

    /// How many spans were indexed.
    #[must_use]
    pub fn len(&self) -> usize {
        self.scanned.entries.len()
    }

    /// Whether there is no span.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.scanned.entries.is_empty()
    }

    /// Spans that are not indexed because their trace id is not 16 bytes, their span id not 8, one of them is all
    /// zeroes, or their parent id is neither absent nor 8 bytes. They belong into `rejected_spans` of the answer.
    #[must_use]
    pub fn refused(&self) -> usize {
        self.scanned.refused.len()
    }

    /// Fields that are not known here. They are kept as they are, and no text in them is seen by a redactor; whoever
    /// cannot have that takes them out with [`known_only`](Self::known_only).
    #[must_use]
    pub fn unknown_fields(&self) -> u32 {
        self.scanned.unknown
    }

    /// The request without the refused spans.
    #[must_use]
    pub fn accepted(&self) -> Cow<'a, [u8]> {
        crate::edits::without_refused(&self.scanned)
    }

    /// The span at `index`.
    #[must_use]
    pub fn span(&self, index: usize) -> Option<Span<'_>> {
        let entry = self.scanned.entries.get(index)?;
        let group = self.scanned.group(&entry.item)?;
        Some(Span { bytes: self.scanned.bytes, entry, group })
    }

    /// All spans in the order of the wire.
    pub fn spans(&self) -> impl Iterator<Item = Span<'_>> {
        (0..self.len()).filter_map(|index| self.span(index))
    }
}

/// What a span stands for in the call it is part of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SpanKind {
    /// Not said.
    #[default]
    Unspecified,
    /// Inside the application.
    Internal,
    /// Answers a call.
    Server,
    /// Makes a call.
    Client,
    /// Sends a message.
    Producer,
    /// Receives a message.
    Consumer,
}

impl SpanKind {
    /// All kinds, each at its number on the wire.
    pub const ALL: [Self; 6] =
        [Self::Unspecified, Self::Internal, Self::Server, Self::Client, Self::Producer, Self::Consumer];

    /// The word used for `span:kind`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::Internal => "internal",
            Self::Server => "server",
            Self::Client => "client",
            Self::Producer => "producer",
            Self::Consumer => "consumer",
        }
    }
}

/// How what a span stands for ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StatusCode {
    /// Not said.
    #[default]
    Unset,
    /// Said to be in order.
    Ok,
    /// Failed.
    Error,
}

impl StatusCode {
    /// All codes, each at its number on the wire.
    pub const ALL: [Self; 3] = [Self::Unset, Self::Ok, Self::Error];

    /// The word used for `span:status`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unset => "unset",
            Self::Ok => "ok",
            Self::Error => "error",
        }
    }
}

/// One span of a request, read where it stands.
#[derive(Clone, Copy, Debug)]
pub struct Span<'r> {
    pub(crate) bytes: &'r [u8],
    pub(crate) entry: &'r SpanEntry,
    pub(crate) group: &'r Group,
}

impl<'r> Span<'r> {
    /// Trace id.
    #[must_use]
    pub fn trace_id(&self) -> [u8; 16] {
        id_at(self.bytes, self.entry.trace_id).unwrap_or_default()
    }

    /// Span id.
    #[must_use]
    pub fn span_id(&self) -> [u8; 8] {
        id_at(self.bytes, self.entry.span_id).unwrap_or_default()
    }

    /// Id of the parent; `None` for a root. All zeroes, which some emitters send for roots, is `None`.
    #[must_use]
    pub fn parent_id(&self) -> Option<[u8; 8]> {
        let at = self.entry.parent?;
        id_at(self.bytes, at).filter(|id| *id != [0; 8])
    }

    /// Trace state, as in the W3C header; empty where there is none.
    #[must_use]
    pub fn trace_state(&self) -> &'r str {
        self.text(self.entry.trace_state)
    }

    /// Name.
    #[must_use]
    pub fn name(&self) -> &'r str {
        self.text(self.entry.name)
    }

    /// Kind; numbers that OTLP does not have are [`SpanKind::Unspecified`].
    #[must_use]
    pub fn kind(&self) -> SpanKind {
        self.entry.kind
    }

    /// Start, in nanoseconds since 1970; 0 where it is not said.
    #[must_use]
    pub fn start_time(&self) -> u64 {
        self.entry.start
    }

    /// End, in nanoseconds since 1970; 0 where it is not said.
    #[must_use]
    pub fn end_time(&self) -> u64 {
        self.entry.end
    }

    /// Nanoseconds from start to end; `None` where one is not said or the end comes first.
    #[must_use]
    pub fn duration(&self) -> Option<u64> {
        if self.entry.start == 0 || self.entry.end == 0 { None } else { self.entry.end.checked_sub(self.entry.start) }
    }

    /// Flags: the low eight bits are the trace flags of W3C Trace Context; 0 where they are not said.
    #[must_use]
    pub fn flags(&self) -> u32 {
        let mut flags = 0;
        let mut reader = Reader::within(self.bytes, self.entry.item.frame);
        while let Ok(Some(field)) = reader.field() {
            if let (16, Payload::Fixed32) = (field.number, field.payload) {
                // Its four bytes are the last of the field.
                let bytes = self.bytes.get(..field.end as usize).and_then(<[u8]>::last_chunk::<4>);
                flags = bytes.map_or(0, |bytes| u32::from_le_bytes(*bytes));
            }
        }
        flags
    }

    /// Status code; numbers that OTLP does not have are [`StatusCode::Unset`].
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status_parts().0
    }

    /// Status message; empty where there is none.
    #[must_use]
    pub fn status_message(&self) -> &'r str {
        self.text(self.status_parts().1)
    }

    /// Attributes in the order of the wire.
    #[must_use]
    pub fn attributes(&self) -> Attributes<'r> {
        let (start, end) = self.entry.item.attributes;
        Attributes::new(self.bytes, start, end, Spans::ATTRIBUTES)
    }

    /// Attributes of the resource.
    #[must_use]
    pub fn resource(&self) -> Attributes<'r> {
        resource_attributes(self.bytes, self.group)
    }

    /// Name of the instrumentation scope; empty where there is none.
    #[must_use]
    pub fn scope_name(&self) -> &'r str {
        scope_name(self.bytes, self.group)
    }

    /// The encoded `Span` message, without tag and length.
    #[must_use]
    pub fn bytes(&self) -> &'r [u8] {
        self.entry.item.frame.slice(self.bytes)
    }

    fn text(&self, frame: Frame) -> &'r str {
        std::str::from_utf8(frame.slice(self.bytes)).unwrap_or_default()
    }

    fn status_parts(&self) -> (StatusCode, Frame) {
        let (mut code, mut message) = (StatusCode::Unset, Frame::default());
        let mut reader = Reader::within(self.bytes, self.entry.status);
        while let Ok(Some(field)) = reader.field() {
            match (field.number, field.payload) {
                (2, Payload::Bytes(frame)) => message = frame,
                (3, Payload::Varint(value)) => code = numbered(&StatusCode::ALL, value),
                _ => {}
            }
        }
        (code, message)
    }
}

pub(crate) fn resource_attributes<'r>(bytes: &'r [u8], group: &Group) -> Attributes<'r> {
    Attributes::new(bytes, group.resource.body, group.resource.end, 1)
}

pub(crate) fn scope_name<'r>(bytes: &'r [u8], group: &Group) -> &'r str {
    let mut name = Frame::default();
    let mut reader = Reader::within(bytes, group.scope);
    while let Ok(Some(field)) = reader.field() {
        if let (1, Payload::Bytes(frame)) = (field.number, field.payload) {
            name = frame;
        }
    }
    std::str::from_utf8(name.slice(bytes)).unwrap_or_default()
}

pub(crate) fn id_at<const N: usize>(bytes: &[u8], at: u32) -> Option<[u8; N]> {
    bytes.get(at as usize..)?.first_chunk::<N>().copied()
}

/// The enumeration value with a number; the first for numbers there are none for. The wire has 32 bits of it.
fn numbered<T: Copy + Default>(all: &[T], number: u64) -> T {
    all.get(number as u32 as usize).copied().unwrap_or_default()
}

/// What is kept of a span: where its parts stand.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SpanEntry {
    pub(crate) item: Item,
    trace_id: u32,
    span_id: u32,
    parent: Option<u32>,
    name: Frame,
    trace_state: Frame,
    status: Frame,
    kind: SpanKind,
    start: u64,
    end: u64,
}

/// The traces signal.
#[derive(Debug)]
pub(crate) struct Spans;

impl Signal for Spans {
    type Entry = SpanEntry;
    const REQUEST: Message = Message::Traces;
    const ATTRIBUTES: u32 = 9;

    fn item(entry: &SpanEntry) -> &Item {
        &entry.item
    }

    fn entry(scan: &mut Scan<'_>, item: Item) -> Result<Option<SpanEntry>, Fault> {
        const fn varint(number: u32) -> u32 {
            number << 3
        }
        const fn fixed64(number: u32) -> u32 {
            number << 3 | 1
        }
        const fn bytes(number: u32) -> u32 {
            number << 3 | 2
        }
        const TRACE_ID: u32 = bytes(1);
        const SPAN_ID: u32 = bytes(2);
        const TRACE_STATE: u32 = bytes(3);
        const PARENT_SPAN_ID: u32 = bytes(4);
        const NAME: u32 = bytes(5);
        const KIND: u32 = varint(6);
        const START: u32 = fixed64(7);
        const END: u32 = fixed64(8);
        const ATTRIBUTE: u32 = bytes(9);
        const EVENT: u32 = bytes(11);
        const LINK: u32 = bytes(13);
        const STATUS: u32 = bytes(15);
        const FLAGS: u32 = 16 << 3 | 5;
        const DROPPED_ATTRIBUTES: u32 = varint(10);
        const DROPPED_EVENTS: u32 = varint(12);
        const DROPPED_LINKS: u32 = varint(14);

        let mut entry = SpanEntry { item, ..SpanEntry::default() };
        let (mut trace_id, mut span_id, mut parent) = (Frame::default(), Frame::default(), Frame::default());
        let mut status = None;
        let depth = scan.limits.depth;
        let mut reader = Reader::within(scan.bytes, item.frame);
        while reader.peek().is_some() {
            let at = reader.at();
            match reader.tag()? {
                ATTRIBUTE => {
                    let frame = reader.frame()?;
                    scan.attribute(at, frame)?;
                    if entry.item.attributes.0 == item.frame.end {
                        entry.item.attributes.0 = at;
                    }
                    entry.item.attributes.1 = frame.end;
                }
                TRACE_ID => trace_id = reader.frame()?,
                SPAN_ID => span_id = reader.frame()?,
                PARENT_SPAN_ID => parent = reader.frame()?,
                TRACE_STATE => {
                    entry.trace_state = reader.frame()?;
                    scan.utf8(entry.trace_state)?;
                }
                NAME => {
                    entry.name = reader.frame()?;
                    scan.utf8(entry.name)?;
                }
                KIND => entry.kind = numbered(&SpanKind::ALL, reader.varint()?),
                START => entry.start = reader.fixed64()?,
                END => entry.end = reader.fixed64()?,
                EVENT => scan.check(Message::Event, reader.frame()?, depth)?,
                LINK => scan.check(Message::Link, reader.frame()?, depth)?,
                STATUS => {
                    let frame = reader.frame()?;
                    if status.replace(frame).is_some() {
                        return Err(Fault::new(at as usize, What::Repeated));
                    }
                    scan.check(Message::Status, frame, depth)?;
                }
                tag @ (DROPPED_ATTRIBUTES | DROPPED_EVENTS | DROPPED_LINKS | FLAGS) => {
                    reader.payload(tag, 0)?;
                }
                tag => scan.other(Message::Span, &mut reader, at, tag)?,
            }
        }
        entry.status = status.unwrap_or_default();
        entry.trace_id = trace_id.body;
        entry.span_id = span_id.body;
        let ids = is_id::<16>(scan.bytes, trace_id) && is_id::<8>(scan.bytes, span_id);
        let parent_size = parent.end - parent.body;
        entry.parent = (parent_size == 8).then_some(parent.body);
        Ok((ids && matches!(parent_size, 0 | 8)).then_some(entry))
    }
}

/// Whether the content of `frame` is `N` bytes that are not all zero.
pub(crate) fn is_id<const N: usize>(bytes: &[u8], frame: Frame) -> bool {
    let id = frame.slice(bytes);
    id.len() == N && id.iter().any(|&byte| byte != 0)
}
