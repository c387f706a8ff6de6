//! Every text of a request, for a redactor.

use crate::logs::LogsRequest;
use crate::metrics::MetricsRequest;
use crate::place::{Place, names_things};
use crate::project::push_bytes;
use crate::scan::{Item, Scanned, Signal};
use crate::schema::{Message, Role};
use crate::splice::scanned;
use crate::trace::TraceRequest;
use crate::value::{Attributes, key_and_value};
use crate::wire::{Frame, Payload, Reader};
use std::collections::HashMap;
use tollgate_columns::Texts;

/// The attribute that says which spans and log records are of one conversation.
const CONVERSATION: &str = "gen_ai.conversation.id";

/// Whom a text belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// The span, log record or metric with this index.
    Item(u32),
    /// An item that was refused.
    Refused,
    /// A resource or the scope of instrumentation, which the items from `first` up to `end` share.
    Shared {
        /// The first of these items.
        first: u32,
        /// One past the last.
        end: u32,
    },
}

/// What a text is to a redactor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Written by people or programs.
    Content,
    /// Names something: a key, a unit, a model.
    Name,
    /// Bytes that are not UTF-8, or an id that is none; each byte that is no text is a question mark.
    Bytes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Row {
    /// Index of the name of its place.
    name: u32,
    place: Place,
    group: u32,
    kind: Kind,
}

/// A field of the request that holds a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Spot {
    /// First byte of the field.
    at: u32,
    row: u32,
    owner: Owner,
}

/// The texts of one request.
///
/// These are all strings that OTLP has, and bytes: names, keys of attributes and maps, values at any depth, bodies,
/// messages, versions, schema addresses, trace states. Bytes that are not UTF-8 are there with a question mark for
/// each byte that is no text, and so are ids of another length than ids have. Not among them are empty strings, ids,
/// numbers, and fields that are not known here.
///
/// A text that [names things](Self::is_name) is there once, however often it stands in the request; every other text
/// once for each place it stands in.
///
/// Items keep their indexes in a request whose texts were [replaced](TraceRequest::replace), so counts by owner can be
/// set on them with edits afterwards.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextSet {
    texts: Texts,
    rows: Vec<Row>,
    /// Names of places.
    names: Vec<String>,
    /// Ascending.
    spots: Vec<Spot>,
}

impl TextSet {
    /// The texts as a column whose rows are 0, 1, 2, and so on.
    #[must_use]
    pub fn texts(&self) -> &Texts {
        &self.texts
    }

    /// How many texts.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The place that a text stands in, without the key of an attribute.
    #[must_use]
    pub fn place(&self, row: u32) -> Option<Place> {
        self.rows.get(row as usize).map(|row| row.place)
    }

    /// The name of the place with the key, for example `span.attributes.gen_ai.input.messages`.
    #[must_use]
    pub fn name(&self, row: u32) -> &str {
        let name = self.rows.get(row as usize).and_then(|row| self.names.get(row.name as usize));
        name.map_or("", String::as_str)
    }

    /// Number of the name of the place; the same for all texts whose place has that name.
    #[must_use]
    pub fn name_number(&self, row: u32) -> u32 {
        self.rows.get(row as usize).map_or(0, |row| row.name)
    }

    /// The group of a text: texts of one span or log record, or of those with one `gen_ai.conversation.id`, have the
    /// same. 0 for texts that name things and those of resources and scopes.
    #[must_use]
    pub fn group(&self, row: u32) -> u32 {
        self.rows.get(row as usize).map_or(0, |row| row.group)
    }

    /// Whether a text names things, so that it repeats from request to request.
    #[must_use]
    pub fn is_name(&self, row: u32) -> bool {
        self.kind(row) == Some(Kind::Name)
    }

    /// Whether a text stands for bytes that are not all text.
    #[must_use]
    pub fn is_bytes(&self, row: u32) -> bool {
        self.kind(row) == Some(Kind::Bytes)
    }

    /// Whether any text may stand in the place of this one. Trace states have a grammar and ids a length, so nothing but
    /// the empty text is sure to be right there.
    #[must_use]
    pub fn is_free(&self, row: u32) -> bool {
        self.place(row).is_some_and(Place::is_free)
    }

    /// The row and owner of each field that holds a text, in the order of the wire.
    pub fn owners(&self) -> impl Iterator<Item = (u32, Owner)> {
        self.spots.iter().map(|spot| (spot.row, spot.owner))
    }

    /// First byte and row of each field that holds a text, in the order of the wire.
    pub(crate) fn spots(&self) -> impl Iterator<Item = (u32, u32)> {
        self.spots.iter().map(|spot| (spot.at, spot.row))
    }

    fn kind(&self, row: u32) -> Option<Kind> {
        self.rows.get(row as usize).map(|row| row.kind)
    }
}

impl TraceRequest<'_> {
    /// Every text of the request.
    #[must_use]
    pub fn texts(&self) -> TextSet {
        texts(&self.scanned)
    }
}

impl LogsRequest<'_> {
    /// Every text of the request.
    #[must_use]
    pub fn texts(&self) -> TextSet {
        texts(&self.scanned)
    }
}

impl MetricsRequest<'_> {
    /// Every text of the request.
    #[must_use]
    pub fn texts(&self) -> TextSet {
        texts(&self.scanned)
    }
}

fn texts<S: Signal>(scan: &Scanned<'_, S>) -> TextSet {
    let items: Vec<(u32, u32)> = scan.items().map(|item| item.at).zip(groups(scan)).collect();
    let mut collector = Collector {
        bytes: scan.bytes,
        items: &items,
        next: 0,
        keys: HashMap::new(),
        names: HashMap::new(),
        places: HashMap::new(),
        set: TextSet::default(),
    };
    let whole = Frame { length: 0, body: 0, end: scan.bytes.len() as u32 };
    let shared = Whose { owner: Owner::Shared { first: 0, end: 0 }, group: 0 };
    collector.message(S::REQUEST, whole, shared);
    collector.set
}

/// The group of each item: its number from 1, or that of the first item of its conversation.
fn groups<S: Signal>(scan: &Scanned<'_, S>) -> Vec<u32> {
    let mut conversations = HashMap::new();
    let mut of_conversation = |item: &Item, number| {
        let (start, end) = item.attributes;
        let conversation = Attributes::new(scan.bytes, start, end, S::ATTRIBUTES).get(CONVERSATION)?.as_text()?;
        Some(*conversations.entry(conversation).or_insert(number))
    };
    scan.items().zip(1..).map(|(item, number)| of_conversation(item, number).unwrap_or(number)).collect()
}

/// Whom texts belong to, and their group.
#[derive(Clone, Copy)]
struct Whose {
    owner: Owner,
    group: u32,
}

/// Where the texts of a value stand.
#[derive(Clone, Copy)]
struct At {
    place: Place,
    /// Index of the name of the place.
    name: u32,
    /// Whether they name things.
    naming: bool,
}

struct Collector<'a> {
    bytes: &'a [u8],
    /// Where the items that were not refused begin, with their groups.
    items: &'a [(u32, u32)],
    /// The item that comes next.
    next: usize,
    /// Where values stand, by the key of their attribute.
    keys: HashMap<(Place, &'a [u8]), At>,
    /// Rows of texts that name things, by the name of their place.
    names: HashMap<(u32, &'a [u8]), u32>,
    /// Places without a key.
    places: HashMap<Place, At>,
    set: TextSet,
}

impl<'a> Collector<'a> {
    fn message(&mut self, message: Message, frame: Frame, whose: Whose) {
        let mut reader = Reader::within(self.bytes, frame);
        while let Some(field) = scanned(reader.field()) {
            let Payload::Bytes(frame) = field.payload else { continue };
            match (message.role(field.number), message.place(field.number)) {
                (Role::Many(Message::KeyValue), Some(place)) => self.attribute(place, frame, whose),
                (Role::Once(Message::AnyValue), Some(place)) => {
                    let at = self.at(place);
                    self.value(frame, at, whose);
                }
                (Role::Many(inner) | Role::Once(inner), _) => {
                    let whose = self.whose(inner, field.at, frame, whose);
                    self.message(inner, frame, whose);
                }
                (Role::Text, Some(place)) => {
                    let at = self.at(place);
                    self.text(field.at, frame, at, whose);
                }
                (Role::Label, Some(place)) => {
                    let at = self.at(place);
                    self.name(field.at, frame, at, whose);
                }
                (Role::Id(length), Some(place)) if frame.end - frame.body != u32::from(length) => {
                    let at = self.at(place);
                    self.blob(field.at, frame, at, Kind::Bytes, whose);
                }
                _ => {}
            }
        }
    }

    /// Whom the texts of a message belong to.
    fn whose(&mut self, message: Message, at: u32, frame: Frame, around: Whose) -> Whose {
        match message {
            Message::Span | Message::Log | Message::Metric => match self.items.get(self.next) {
                Some(&(start, group)) if start == at => {
                    let owner = Owner::Item(self.next as u32);
                    self.next += 1;
                    Whose { owner, group }
                }
                _ => Whose { owner: Owner::Refused, group: self.items.len() as u32 + 1 },
            },
            Message::ResourceSpans
            | Message::ResourceLogs
            | Message::ResourceMetrics
            | Message::ScopeSpans
            | Message::ScopeLogs
            | Message::ScopeMetrics => {
                let before = |place: u32| self.items.partition_point(|&(start, _)| start < place) as u32;
                Whose { owner: Owner::Shared { first: before(frame.body), end: before(frame.end) }, group: 0 }
            }
            _ => around,
        }
    }

    /// An attribute: key and value, as every encoder writes them, or anything else that a `KeyValue` may be.
    fn attribute(&mut self, place: Place, frame: Frame, whose: Whose) {
        let keys = self.at(place);
        if let Some((key, value)) = Reader::within(self.bytes, frame).key_then_value()
            && value.end == frame.end
        {
            self.name(frame.body, key, keys, whose);
            let at = self.at_key(place, key.slice(self.bytes));
            return self.value(value, at, whose);
        }
        let (key, _) = key_and_value(self.bytes, frame);
        let at = self.at_key(place, key);
        self.pair(frame, keys, at, whose);
    }

    /// The fields of a `KeyValue`, whose key and value may stand in different places.
    fn pair(&mut self, frame: Frame, key: At, value: At, whose: Whose) {
        let mut reader = Reader::within(self.bytes, frame);
        while let Some(field) = scanned(reader.field()) {
            let Payload::Bytes(frame) = field.payload else { continue };
            match Message::KeyValue.role(field.number) {
                Role::Label => self.name(field.at, frame, key, whose),
                Role::Once(_) => self.value(frame, value, whose),
                _ => {}
            }
        }
    }

    /// An `AnyValue`: nearly every one is a string and nothing else, which needs no table.
    fn value(&mut self, frame: Frame, at: At, whose: Whose) {
        let mut reader = Reader::within(self.bytes, frame);
        if reader.peek() == Some(0x0a) {
            reader.step();
            if let Ok(text) = reader.frame() {
                return self.text(frame.body, text, at, whose);
            }
        }
        self.values(Message::AnyValue, frame, at, whose);
    }

    /// What is within a value; all of it stands where the value stands.
    fn values(&mut self, message: Message, frame: Frame, at: At, whose: Whose) {
        let mut reader = Reader::within(self.bytes, frame);
        while let Some(field) = scanned(reader.field()) {
            let Payload::Bytes(frame) = field.payload else { continue };
            match message.role(field.number) {
                Role::Text => self.text(field.at, frame, at, whose),
                Role::Blob => {
                    let kind =
                        if std::str::from_utf8(frame.slice(self.bytes)).is_ok() { Kind::Content } else { Kind::Bytes };
                    self.blob(field.at, frame, at, kind, whose);
                }
                Role::Many(Message::KeyValue) => self.pair(frame, at, at, whose),
                Role::Many(Message::AnyValue) | Role::Once(Message::AnyValue) => self.value(frame, at, whose),
                Role::Many(inner) | Role::Once(inner) => self.values(inner, frame, at, whose),
                _ => {}
            }
        }
    }

    fn text(&mut self, at: u32, frame: Frame, value: At, whose: Whose) {
        if value.naming {
            self.name(at, frame, value, whose);
        } else {
            self.push(at, frame.slice(self.bytes), value, Kind::Content, whose);
        }
    }

    /// A text that names things: it has one row, in whatever it stands.
    fn name(&mut self, at: u32, frame: Frame, place: At, whose: Whose) {
        let text = frame.slice(self.bytes);
        match self.names.get(&(place.name, text)) {
            Some(&row) => self.set.spots.push(Spot { at, row, owner: whose.owner }),
            None if text.is_empty() => {}
            None => {
                self.names.insert((place.name, text), self.set.rows.len() as u32);
                self.push(at, text, place, Kind::Name, Whose { group: 0, ..whose });
            }
        }
    }

    fn blob(&mut self, at: u32, frame: Frame, place: At, kind: Kind, whose: Whose) {
        let text = frame.slice(self.bytes);
        if std::str::from_utf8(text).is_ok() {
            return self.push(at, text, place, kind, whose);
        }
        // One byte for one, so that the texts of a request are never longer than the request.
        let mut readable = Vec::with_capacity(text.len());
        for chunk in text.utf8_chunks() {
            readable.extend_from_slice(chunk.valid().as_bytes());
            readable.resize(readable.len() + chunk.invalid().len(), b'?');
        }
        self.push(at, &readable, place, kind, whose);
    }

    fn push(&mut self, at: u32, text: &[u8], place: At, kind: Kind, whose: Whose) {
        if !text.is_empty() {
            let row = self.set.rows.len() as u32;
            // Texts of one request are no longer than the request, so they fit a column.
            push_bytes(&mut self.set.texts, row, text);
            self.set.rows.push(Row { name: place.name, place: place.place, group: whose.group, kind });
            self.set.spots.push(Spot { at, row, owner: whose.owner });
        }
    }

    /// A place without a key.
    fn at(&mut self, place: Place) -> At {
        if let Some(&at) = self.places.get(&place) {
            return at;
        }
        let at = At { place, name: self.named(place.name().to_owned()), naming: false };
        self.places.insert(place, at);
        at
    }

    /// Where the values of an attribute stand.
    fn at_key(&mut self, place: Place, key: &'a [u8]) -> At {
        if let Some(&at) = self.keys.get(&(place, key)) {
            return at;
        }
        let name = format!("{}.{}", place.name(), std::str::from_utf8(key).unwrap_or_default());
        let at = At { place, name: self.named(name), naming: names_things(key) };
        self.keys.insert((place, key), at);
        at
    }

    fn named(&mut self, name: String) -> u32 {
        self.set.names.push(name);
        self.set.names.len() as u32 - 1
    }
}
