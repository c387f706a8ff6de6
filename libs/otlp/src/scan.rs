//! One pass over a request: every rule checked, every span or log record indexed, nothing copied.

use crate::error::{Fault, Limits, ScanError, What};
use crate::schema::{Message, Role};
use crate::wire::{Frame, Payload, Reader};

/// Where a span, log record or metric stands, and the attributes in it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Item {
    /// First byte of the field's tag.
    pub(crate) at: u32,
    pub(crate) frame: Frame,
    /// Index into the groups.
    pub(crate) group: u32,
    /// From the first attribute to one past the last; both the end of the message where there is none.
    pub(crate) attributes: (u32, u32),
}

/// The resource and scope that items share.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Group {
    /// The message of the resource (`ResourceSpans`, ...).
    pub(crate) outer: Frame,
    /// The message of the scope (`ScopeSpans`, ...).
    pub(crate) inner: Frame,
    pub(crate) resource: Frame,
    pub(crate) scope: Frame,
}

/// An item that is not let in, with the frames around it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refused {
    pub(crate) outer: Frame,
    pub(crate) inner: Frame,
    pub(crate) at: u32,
    pub(crate) end: u32,
}

/// What differs between traces, logs and metrics.
pub(crate) trait Signal {
    /// What is kept of an item.
    type Entry;
    const REQUEST: Message;
    /// Number of the attributes field in the item's message.
    const ATTRIBUTES: u32;

    /// Checks one item and indexes it; `None` for an item that has to be refused.
    fn entry(scan: &mut Scan<'_>, item: Item) -> Result<Option<Self::Entry>, Fault>;

    /// The part of an entry that all items have.
    fn item(entry: &Self::Entry) -> &Item;
}

/// A request whose every byte has been checked.
#[derive(Debug)]
pub(crate) struct Scanned<'a, S: Signal> {
    pub(crate) bytes: &'a [u8],
    pub(crate) groups: Vec<Group>,
    pub(crate) entries: Vec<S::Entry>,
    pub(crate) refused: Vec<Refused>,
    pub(crate) unknown: u32,
}

impl<'a, S: Signal> Scanned<'a, S> {
    pub(crate) fn scan(bytes: &'a [u8], limits: &Limits) -> Result<Self, ScanError> {
        Self::walk(bytes, limits, false)
    }

    /// Indexes bytes that were checked before: what is within attributes and the like is stepped over.
    pub(crate) fn rescan(bytes: &'a [u8]) -> Result<Self, ScanError> {
        let limits = Limits { bytes: usize::MAX, items: u32::MAX, values: u32::MAX, depth: u8::MAX };
        Self::walk(bytes, &limits, true)
    }

    fn walk(bytes: &'a [u8], limits: &Limits, checked: bool) -> Result<Self, ScanError> {
        let limit = limits.bytes.min(i32::MAX as usize);
        if bytes.len() > limit {
            return Err(ScanError::TooLarge { size: bytes.len(), limit });
        }
        let mut scan = Scan { bytes, limits: *limits, checked, items: 0, values: 0, unknown: 0 };
        let mut scanned = Self { bytes, groups: Vec::new(), entries: Vec::new(), refused: Vec::new(), unknown: 0 };
        match scanned.request(&mut scan) {
            Ok(()) => {
                scanned.unknown = scan.unknown;
                Ok(scanned)
            }
            Err(fault) => Err(ScanError::from_fault(fault, limits)),
        }
    }

    fn request(&mut self, scan: &mut Scan<'a>) -> Result<(), Fault> {
        let mut reader = Reader::new(self.bytes, 0);
        while let Some(field) = reader.field()? {
            match (S::REQUEST.role(field.number), field.payload) {
                (Role::Many(message), Payload::Bytes(frame)) => self.resource_group(scan, message, frame)?,
                (Role::Unknown, _) => scan.unknown += 1,
                _ => return Err(Fault::new(field.at as usize, What::WireType)),
            }
        }
        Ok(())
    }

    /// `ResourceSpans` or `ResourceLogs`. The resource may come after the scopes it is for.
    fn resource_group(&mut self, scan: &mut Scan<'a>, message: Message, outer: Frame) -> Result<(), Fault> {
        let first = self.groups.len();
        let mut resource = None;
        let mut reader = Reader::within(self.bytes, outer);
        while let Some(field) = reader.field()? {
            match (message.role(field.number), field.payload) {
                (Role::Many(message), Payload::Bytes(inner)) => self.scope_group(scan, message, outer, inner)?,
                (Role::Once(message), Payload::Bytes(frame)) => {
                    once(&mut resource, frame, field.at)?;
                    scan.check(message, frame, scan.limits.depth)?;
                }
                (Role::Label, Payload::Bytes(frame)) => scan.utf8(frame)?,
                (Role::Unknown, _) => scan.unknown += 1,
                _ => return Err(Fault::new(field.at as usize, What::WireType)),
            }
        }
        for group in self.groups.iter_mut().skip(first) {
            group.resource = resource.unwrap_or_default();
        }
        Ok(())
    }

    /// `ScopeSpans` or `ScopeLogs`. The scope may come after its items.
    fn scope_group(&mut self, scan: &mut Scan<'a>, message: Message, outer: Frame, inner: Frame) -> Result<(), Fault> {
        let group = self.groups.len() as u32;
        let first = self.entries.len();
        let mut scope = None;
        let mut reader = Reader::within(self.bytes, inner);
        while let Some(field) = reader.field()? {
            match (message.role(field.number), field.payload) {
                (Role::Many(_), Payload::Bytes(frame)) => {
                    scan.count_item(field.at)?;
                    let item = Item { at: field.at, frame, group, attributes: (frame.end, frame.end) };
                    match S::entry(scan, item)? {
                        Some(entry) => self.entries.push(entry),
                        None => self.refused.push(Refused { outer, inner, at: field.at, end: field.end }),
                    }
                }
                (Role::Once(message), Payload::Bytes(frame)) => {
                    once(&mut scope, frame, field.at)?;
                    scan.check(message, frame, scan.limits.depth)?;
                }
                (Role::Label, Payload::Bytes(frame)) => scan.utf8(frame)?,
                (Role::Unknown, _) => scan.unknown += 1,
                _ => return Err(Fault::new(field.at as usize, What::WireType)),
            }
        }
        if self.entries.len() > first {
            self.groups.push(Group { outer, inner, resource: Frame::default(), scope: scope.unwrap_or_default() });
        }
        Ok(())
    }

    pub(crate) fn items(&self) -> impl ExactSizeIterator<Item = &Item> {
        self.entries.iter().map(S::item)
    }

    pub(crate) fn group(&self, item: &Item) -> Option<&Group> {
        self.groups.get(item.group as usize)
    }
}

/// Whether `inner` in `message` is one of what [`Limits::values`] bounds.
fn counts_as_value(message: Message, inner: Message) -> bool {
    matches!(inner, Message::KeyValue | Message::Exemplar | Message::Quantile)
        || matches!(
            message,
            Message::Array
                | Message::Gauge
                | Message::Sum
                | Message::Histogram
                | Message::ExponentialHistogram
                | Message::Summary
        )
}

fn once(slot: &mut Option<Frame>, frame: Frame, at: u32) -> Result<(), Fault> {
    if slot.replace(frame).is_some() { Err(Fault::new(at as usize, What::Repeated)) } else { Ok(()) }
}

/// The state of a check: what has been counted against the limits.
#[derive(Debug)]
pub(crate) struct Scan<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) limits: Limits,
    /// Whether the bytes were checked before.
    checked: bool,
    items: u32,
    values: u32,
    pub(crate) unknown: u32,
}

impl Scan<'_> {
    fn count_item(&mut self, at: u32) -> Result<(), Fault> {
        if self.items >= self.limits.items {
            return Err(Fault::new(at as usize, What::Items));
        }
        self.items += 1;
        Ok(())
    }

    #[inline]
    fn count_value(&mut self, at: u32) -> Result<(), Fault> {
        if self.values >= self.limits.values {
            return Err(Fault::new(at as usize, What::Values));
        }
        self.values += 1;
        Ok(())
    }

    #[inline]
    pub(crate) fn utf8(&self, frame: Frame) -> Result<(), Fault> {
        if self.checked {
            return Ok(());
        }
        let text = frame.slice(self.bytes);
        // Nearly all text is ASCII, and asking that first is several times faster than asking for UTF-8.
        if text.is_ascii() || std::str::from_utf8(text).is_ok() {
            Ok(())
        } else {
            Err(Fault::new(frame.body as usize, What::Utf8))
        }
    }

    /// Checks an attribute. What every encoder writes (key, then value, then nothing) is checked here, the rest by
    /// the table.
    #[inline]
    pub(crate) fn attribute(&mut self, at: u32, frame: Frame) -> Result<(), Fault> {
        if self.checked {
            return Ok(());
        }
        if let Some((key, value)) = Reader::within(self.bytes, frame).key_then_value()
            && value.end == frame.end
        {
            self.count_value(at)?;
            self.utf8(key)?;
            return self.value(value, self.limits.depth);
        }
        self.count_value(at)?;
        self.check(Message::KeyValue, frame, self.limits.depth)
    }

    /// Checks an `AnyValue`: the plain ones here, composite and odd ones by the table.
    #[inline]
    pub(crate) fn value(&mut self, frame: Frame, depth: u8) -> Result<(), Fault> {
        let mut reader = Reader::within(self.bytes, frame);
        match reader.peek() {
            None => return Ok(()),
            Some(0x0a) => {
                reader.step();
                let text = reader.frame()?;
                if text.end == frame.end && depth > 0 {
                    return self.utf8(text);
                }
            }
            Some(0x10 | 0x18) => {
                reader.step();
                reader.varint()?;
                if reader.at() == frame.end && depth > 0 {
                    return Ok(());
                }
            }
            _ => {}
        }
        self.check(Message::AnyValue, frame, depth)
    }

    /// Checks a message of any type by the table. `depth` is how many more values may be nested.
    pub(crate) fn check(&mut self, message: Message, frame: Frame, depth: u8) -> Result<(), Fault> {
        if self.checked {
            return Ok(());
        }
        let depth = match (message, depth.checked_sub(1)) {
            (Message::AnyValue, None) => return Err(Fault::new(frame.body as usize, What::Depth)),
            (Message::AnyValue, Some(less)) => less,
            _ => depth,
        };
        let mut seen = 0u32;
        let mut reader = Reader::within(self.bytes, frame);
        while let Some(field) = reader.field()? {
            let role = message.role(field.number);
            let single = match role {
                Role::Unknown => None,
                // The members of an `AnyValue` exclude each other.
                _ if message == Message::AnyValue => Some(1),
                Role::Once(_) => Some(1 << (field.number % 32)),
                _ => None,
            };
            if let Some(bit) = single {
                if seen & bit != 0 {
                    return Err(Fault::new(field.at as usize, What::Repeated));
                }
                seen |= bit;
            }
            match (role, field.payload) {
                (Role::Many(inner) | Role::Once(inner), Payload::Bytes(frame)) => {
                    if counts_as_value(message, inner) {
                        self.count_value(field.at)?;
                    }
                    self.check(inner, frame, depth)?;
                }
                (Role::Text | Role::Label, Payload::Bytes(frame)) => self.utf8(frame)?,
                (Role::Blob | Role::Id(_), Payload::Bytes(_))
                | (Role::Varint | Role::Varints, Payload::Varint(_))
                | (Role::Fixed64 | Role::Fixed64s, Payload::Fixed64(_))
                | (Role::Fixed32, Payload::Fixed32) => {}
                (Role::Varints, Payload::Bytes(frame)) => self.varints(frame)?,
                (Role::Fixed64s, Payload::Bytes(frame)) if (frame.end - frame.body).is_multiple_of(8) => {}
                (Role::Unknown, _) => self.unknown += 1,
                _ => return Err(Fault::new(field.at as usize, What::WireType)),
            }
        }
        Ok(())
    }

    /// A run of integers.
    fn varints(&self, frame: Frame) -> Result<(), Fault> {
        let mut reader = Reader::within(self.bytes, frame);
        while reader.peek().is_some() {
            reader.varint()?;
        }
        Ok(())
    }

    /// A field of `message` that the caller does not treat itself, by its tag: unknown ones are counted and skipped.
    pub(crate) fn other(&mut self, message: Message, reader: &mut Reader<'_>, at: u32, tag: u32) -> Result<(), Fault> {
        if message.role(tag >> 3) != Role::Unknown {
            return Err(Fault::new(at as usize, What::WireType));
        }
        reader.payload(tag, crate::wire::GROUP_DEPTH)?;
        self.unknown += 1;
        Ok(())
    }
}
