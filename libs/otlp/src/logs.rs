//! A request with log records, and one record of it.

use crate::error::{Fault, Limits, ScanError, What};
use crate::scan::{Group, Item, Scan, Scanned, Signal};
use crate::schema::{Message, Role};
use crate::splice::{Enclosing, Splicer};
use crate::trace::{id_at, is_id, resource_attributes, scope_name};
use crate::value::{Attributes, Value};
use crate::wire::{Frame, Payload, Reader};
use std::borrow::Cow;

/// An `ExportLogsServiceRequest` that has been checked: everything in it can be read, and its records are indexed.
#[derive(Debug)]
pub struct LogsRequest<'a> {
    pub(crate) scanned: Scanned<'a, Logs>,
}

impl<'a> LogsRequest<'a> {
    /// Checks a request and indexes its log records.
    ///
    /// # Errors
    /// What is wrong with the bytes, and where.
    pub fn scan(bytes: &'a [u8], limits: &Limits) -> Result<Self, ScanError> {
        Scanned::scan(bytes, limits).map(|scanned| Self { scanned })
    }

    /// Indexes a request that was [scanned](Self::scan) before, as [`TraceRequest::rescan`](crate::TraceRequest::rescan)
    /// does.
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

    /// How many log records were indexed.
    #[must_use]
    pub fn len(&self) -> usize {
        self.scanned.entries.len()
    }

    /// Whether there is no log record.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.scanned.entries.is_empty()
    }

    /// Fields that are not known here. They are kept as they are, and no text in them is seen by a redactor; whoever
    /// cannot have that takes them out with [`known_only`](Self::known_only).
    #[must_use]
    pub fn unknown_fields(&self) -> u32 {
        self.scanned.unknown
    }

    /// The log record at `index`.
    #[must_use]
    pub fn log(&self, index: usize) -> Option<Log<'_>> {
        let entry = self.scanned.entries.get(index)?;
        let group = self.scanned.group(&entry.item)?;
        Some(Log { bytes: self.scanned.bytes, entry, group })
    }

    /// All log records in the order of the wire.
    pub fn logs(&self) -> impl Iterator<Item = Log<'_>> {
        (0..self.len()).filter_map(|index| self.log(index))
    }

    /// The request with those of its log records that `keep` wants, and how many these are. What is around them stays.
    pub fn retain(&self, mut keep: impl FnMut(&Log<'_>) -> bool) -> (Cow<'a, [u8]>, usize) {
        let mut splicer = Splicer::new(self.scanned.bytes);
        let mut enclosing = Enclosing::default();
        let mut kept = 0;
        for log in self.logs() {
            if keep(&log) {
                kept += 1;
                continue;
            }
            enclosing.open(&mut splicer, log.group.outer, log.group.inner);
            let item = &log.entry.item;
            splicer.replace(item.at, item.frame.end, 0, 0);
        }
        if kept == self.len() {
            return (Cow::Borrowed(self.scanned.bytes), kept);
        }
        enclosing.close(&mut splicer);
        // Removing cannot make a request too large.
        (Cow::Owned(splicer.finish().unwrap_or_default()), kept)
    }
}

/// One log record of a request, read where it stands.
#[derive(Clone, Copy, Debug)]
pub struct Log<'r> {
    pub(crate) bytes: &'r [u8],
    pub(crate) entry: &'r LogEntry,
    pub(crate) group: &'r Group,
}

impl<'r> Log<'r> {
    /// Trace id; `None` where there is none that is one, which OTLP allows.
    #[must_use]
    pub fn trace_id(&self) -> Option<[u8; 16]> {
        id_at(self.bytes, self.entry.trace_id?)
    }

    /// Span id; `None` where there is none that is one.
    #[must_use]
    pub fn span_id(&self) -> Option<[u8; 8]> {
        id_at(self.bytes, self.entry.span_id?)
    }

    /// When it happened, in nanoseconds since 1970; 0 where it is not said.
    #[must_use]
    pub fn time(&self) -> u64 {
        self.entry.time
    }

    /// Name of the event, where the record is one; empty where it is not. Emitters from before OTLP 1.5 have it as the
    /// attribute `event.name`.
    #[must_use]
    pub fn event_name(&self) -> &'r str {
        let mut reader = Reader::within(self.bytes, self.entry.item.frame);
        while let Ok(Some(field)) = reader.field() {
            if let (12, Payload::Bytes(frame)) = (field.number, field.payload)
                && frame.body < frame.end
            {
                return std::str::from_utf8(frame.slice(self.bytes)).unwrap_or_default();
            }
        }
        self.attributes().get("event.name").and_then(Value::as_text).unwrap_or_default()
    }

    /// When it was observed, in nanoseconds since 1970; 0 where it is not said.
    #[must_use]
    pub fn observed_time(&self) -> u64 {
        match self.field(11) {
            Some(Payload::Fixed64(time)) => time,
            _ => 0,
        }
    }

    /// Number of the severity, 1 to 24 where it is said; 0 where it is not.
    #[must_use]
    pub fn severity_number(&self) -> u32 {
        match self.field(2) {
            Some(Payload::Varint(number)) => u32::try_from(number).unwrap_or(0),
            _ => 0,
        }
    }

    /// Severity in the words of the source; empty where there is none.
    #[must_use]
    pub fn severity_text(&self) -> &'r str {
        match self.field(3) {
            Some(Payload::Bytes(frame)) => std::str::from_utf8(frame.slice(self.bytes)).unwrap_or_default(),
            _ => "",
        }
    }

    /// The last field of this number.
    fn field(&self, number: u32) -> Option<Payload> {
        let mut reader = Reader::within(self.bytes, self.entry.item.frame);
        let mut found = None;
        while let Ok(Some(field)) = reader.field() {
            if field.number == number {
                found = Some(field.payload);
            }
        }
        found
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> Value<'r> {
        Value::read(self.bytes, self.entry.body)
    }

    /// Attributes in the order of the wire.
    #[must_use]
    pub fn attributes(&self) -> Attributes<'r> {
        let (start, end) = self.entry.item.attributes;
        Attributes::new(self.bytes, start, end, Logs::ATTRIBUTES)
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

    /// The encoded `LogRecord` message, without tag and length.
    #[must_use]
    pub fn bytes(&self) -> &'r [u8] {
        self.entry.item.frame.slice(self.bytes)
    }
}

/// What is kept of a log record: where its parts stand.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LogEntry {
    pub(crate) item: Item,
    trace_id: Option<u32>,
    span_id: Option<u32>,
    body: Frame,
    time: u64,
}

/// The logs signal.
#[derive(Debug)]
pub(crate) struct Logs;

impl Signal for Logs {
    type Entry = LogEntry;
    const REQUEST: Message = Message::Logs;
    const ATTRIBUTES: u32 = 6;

    fn item(entry: &LogEntry) -> &Item {
        &entry.item
    }

    /// Log records are never refused: an id that is not one is as good as none.
    fn entry(scan: &mut Scan<'_>, item: Item) -> Result<Option<LogEntry>, Fault> {
        let mut entry = LogEntry { item, ..LogEntry::default() };
        let mut body = None;
        let mut reader = Reader::within(scan.bytes, item.frame);
        while let Some(field) = reader.field()? {
            match (Message::Log.role(field.number), field.payload) {
                (Role::Many(_), Payload::Bytes(frame)) => {
                    scan.attribute(field.at, frame)?;
                    if entry.item.attributes.0 == item.frame.end {
                        entry.item.attributes.0 = field.at;
                    }
                    entry.item.attributes.1 = field.end;
                }
                (Role::Once(_), Payload::Bytes(frame)) => {
                    if body.replace(frame).is_some() {
                        return Err(Fault::new(field.at as usize, What::Repeated));
                    }
                    scan.value(frame, scan.limits.depth)?;
                }
                (Role::Text | Role::Label, Payload::Bytes(frame)) => scan.utf8(frame)?,
                (Role::Id(16), Payload::Bytes(frame)) => {
                    entry.trace_id = is_id::<16>(scan.bytes, frame).then_some(frame.body);
                }
                (Role::Id(_), Payload::Bytes(frame)) => {
                    entry.span_id = is_id::<8>(scan.bytes, frame).then_some(frame.body);
                }
                (Role::Fixed64, Payload::Fixed64(value)) if field.number == 1 => entry.time = value,
                (Role::Fixed64, Payload::Fixed64(_))
                | (Role::Varint, Payload::Varint(_))
                | (Role::Fixed32, Payload::Fixed32) => {}
                (Role::Unknown, _) => scan.unknown += 1,
                _ => return Err(Fault::new(field.at as usize, What::WireType)),
            }
        }
        entry.body = body.unwrap_or_default();
        Ok(Some(entry))
    }
}
