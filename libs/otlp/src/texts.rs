//! Every text of a request, for a redactor; and new texts back into the request.

use crate::EditError;
use crate::encode::varint;
use crate::logs::LogsRequest;
use crate::project::push_bytes;
use crate::scan::{Scanned, Signal};
use crate::schema::{Message, Role};
use crate::splice::{Splicer, scanned};
use crate::trace::TraceRequest;
use crate::value::key_and_value;
use crate::wire::{Field, Frame, Payload, Reader};
use tollgate_columns::{Malformed, Texts};

/// Whom a text belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The span or log record with this index.
    Item(u32),
    /// An item that was refused.
    Refused,
    /// A resource, or the scope of instrumentation: shared by the items below it.
    Shared,
}

/// The texts of one request in the order of the wire.
///
/// These are content: names of spans, events and log events, status messages, bodies of log records, and the values
/// of attributes of resources, scopes, spans, events, links and log records, strings within arrays and maps and bytes
/// that are UTF-8 included. Not among them, and never rewritten: keys of attributes and maps, names and versions of
/// scopes, schema addresses, severity texts, trace states, and fields that are not known here. Empty strings are left
/// out.
///
/// Items keep their indexes in a request whose texts were [replaced](TraceRequest::replace), so counts by owner can be
/// set on them with edits afterwards.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextSet {
    texts: Texts,
    /// First byte of each text's field.
    places: Vec<u32>,
    owners: Vec<Owner>,
}

impl TextSet {
    /// The texts as a column whose rows are 0, 1, 2, and so on: what a redactor is given.
    #[must_use]
    pub fn texts(&self) -> &Texts {
        &self.texts
    }

    /// How many texts.
    #[must_use]
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Whom the text of a row belongs to.
    #[must_use]
    pub fn owner(&self, row: u32) -> Option<Owner> {
        self.owners.get(row as usize).copied()
    }
}

impl TraceRequest<'_> {
    /// Every text of the request.
    #[must_use]
    pub fn texts(&self) -> TextSet {
        texts(&self.scanned)
    }

    /// The request with the texts of `changed` in the place of those of `given`, which is this request's
    /// [`texts`](Self::texts); rows refer to it. Every other byte stays, lengths of messages around apart.
    ///
    /// # Errors
    /// Rows that are not in `given`, text that is not UTF-8, or a request that would become too large.
    pub fn replace(&self, given: &TextSet, changed: &Texts) -> Result<Vec<u8>, EditError> {
        replace(&self.scanned, given, changed)
    }
}

impl LogsRequest<'_> {
    /// Every text of the request.
    #[must_use]
    pub fn texts(&self) -> TextSet {
        texts(&self.scanned)
    }

    /// As [`TraceRequest::replace`].
    ///
    /// # Errors
    /// Rows that are not in `given`, text that is not UTF-8, or a request that would become too large.
    pub fn replace(&self, given: &TextSet, changed: &Texts) -> Result<Vec<u8>, EditError> {
        replace(&self.scanned, given, changed)
    }
}

fn texts<S: Signal>(scan: &Scanned<'_, S>) -> TextSet {
    let starts: Vec<u32> = scan.items().map(|item| item.at).collect();
    let mut collector = Collector { bytes: scan.bytes, starts: &starts, next: 0, set: TextSet::default() };
    let whole = Frame { length: 0, body: 0, end: scan.bytes.len() as u32 };
    collector.message(S::REQUEST, whole, Owner::Shared);
    collector.set
}

struct Collector<'a> {
    bytes: &'a [u8],
    /// Where the items begin that were not refused.
    starts: &'a [u32],
    /// The item that comes next.
    next: u32,
    set: TextSet,
}

impl Collector<'_> {
    fn message(&mut self, message: Message, frame: Frame, owner: Owner) {
        let mut reader = Reader::within(self.bytes, frame);
        while let Some(field) = scanned(reader.field()) {
            match (message.role(field.number), field.payload) {
                (Role::Many(inner) | Role::Once(inner), Payload::Bytes(frame)) => match inner {
                    Message::Span | Message::Log => {
                        let owner = self.item(field.at);
                        self.message(inner, frame, owner);
                    }
                    Message::KeyValue => self.value(key_and_value(self.bytes, frame).1, owner),
                    _ => self.message(inner, frame, owner),
                },
                (Role::Text, Payload::Bytes(frame)) => self.text(field.at, frame, owner),
                (Role::Blob, Payload::Bytes(frame)) if std::str::from_utf8(frame.slice(self.bytes)).is_ok() => {
                    self.text(field.at, frame, owner);
                }
                _ => {}
            }
        }
    }

    /// An `AnyValue`: nearly every one is a string and nothing else, which needs no table.
    fn value(&mut self, frame: Frame, owner: Owner) {
        let mut reader = Reader::within(self.bytes, frame);
        if reader.peek() == Some(0x0a) {
            reader.step();
            if let Ok(text) = reader.frame() {
                return self.text(frame.body, text, owner);
            }
        }
        self.message(Message::AnyValue, frame, owner);
    }

    fn item(&mut self, at: u32) -> Owner {
        if self.starts.get(self.next as usize) == Some(&at) {
            self.next += 1;
            Owner::Item(self.next - 1)
        } else {
            Owner::Refused
        }
    }

    fn text(&mut self, at: u32, frame: Frame, owner: Owner) {
        if !frame.is_empty() {
            // Texts of one request are shorter than the request, so they fit a column.
            push_bytes(&mut self.set.texts, self.set.places.len() as u32, frame.slice(self.bytes));
            self.set.places.push(at);
            self.set.owners.push(owner);
        }
    }
}

fn replace<S: Signal>(scan: &Scanned<'_, S>, given: &TextSet, changed: &Texts) -> Result<Vec<u8>, EditError> {
    changed.check(given.len() as u32).map_err(EditError::Malformed)?;
    let mut patches = Vec::with_capacity(changed.rows.len());
    for (row, text) in changed.iter() {
        let foreign = Malformed { attribute: changed.attribute, what: "the texts are not those of this request" };
        let at = *given.places.get(row as usize).ok_or(EditError::Malformed(foreign))?;
        patches.push((at, text));
    }
    let mut replacer = Replacer { splicer: Splicer::new(scan.bytes), bytes: scan.bytes, patches: &patches };
    let whole = Frame { length: 0, body: 0, end: scan.bytes.len() as u32 };
    replacer.message(S::REQUEST, whole);
    if replacer.patches.is_empty() {
        Ok(replacer.splicer.finish()?)
    } else {
        let what = "the texts are not those of this request";
        Err(EditError::Malformed(Malformed { attribute: changed.attribute, what }))
    }
}

/// Walks only into messages that hold a text to be replaced.
struct Replacer<'a> {
    splicer: Splicer<'a>,
    bytes: &'a [u8],
    /// First byte of the field and new text, ascending; those done are gone.
    patches: &'a [(u32, &'a str)],
}

impl Replacer<'_> {
    fn message(&mut self, message: Message, frame: Frame) {
        let mut reader = Reader::within(self.bytes, frame);
        while let Some(&(at, text)) = self.patches.first() {
            if at >= frame.end {
                return;
            }
            let Some(field) = scanned(reader.field()) else { return };
            if at >= field.end {
                continue;
            }
            match (message.role(field.number), field.payload) {
                (Role::Many(inner) | Role::Once(inner), Payload::Bytes(frame)) if at >= frame.body => {
                    self.splicer.enter(frame);
                    self.message(inner, frame);
                    self.splicer.leave();
                }
                (Role::Text | Role::Blob, Payload::Bytes(frame)) if at == field.at => self.text(field, frame, text),
                _ => return,
            }
        }
    }

    fn text(&mut self, field: Field, frame: Frame, text: &str) {
        let from = self.splicer.arena.len();
        varint(&mut self.splicer.arena, text.len() as u64);
        self.splicer.arena.extend_from_slice(text.as_bytes());
        let to = self.splicer.arena.len();
        self.splicer.replace(frame.length, field.end, from, to);
        self.patches = self.patches.split_first().map_or(&[], |(_, rest)| rest);
    }
}
