//! The walk over a request that collects its texts.

use crate::place::{Place, names_things};
use crate::project::push_bytes;
use crate::scan::{Item, Scanned, Signal};
use crate::schema::{Message, Role};
use crate::splice::scanned;
use crate::texts::{Kind, Owner, Row, Spot, TextSet};
use crate::value::{Attributes, key_and_value};
use crate::wire::{Frame, Payload, Reader};
use std::collections::HashMap;

/// The attribute that says which spans and log records are of one conversation.
const CONVERSATION: &str = "gen_ai.conversation.id";

/// Every text of a request that has been checked.
pub(crate) fn texts<S: Signal>(scan: &Scanned<'_, S>) -> TextSet {
    let items: Vec<(u32, u32)> = scan.items().map(|item| item.at).zip(groups(scan)).collect();
    let mut collector = Collector {
        bytes: scan.bytes,
        items: &items,
        next: 0,
        keys: Keys::default(),
        names: HashMap::new(),
        recent: Vec::new(),
        places: [None; Place::ALL.len()],
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
    keys: Keys<'a>,
    /// Rows of texts that name things, by the name of their place.
    names: HashMap<(u32, &'a [u8]), u32>,
    /// The last of these, for each name of a place.
    recent: Vec<Option<u32>>,
    /// Places without a key.
    places: [Option<At>; Place::ALL.len()],
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
            let seen = self.seen(place, key.slice(self.bytes));
            match self.keys.seen.get(seen as usize).and_then(|seen| seen.row) {
                Some(row) => self.set.spots.push(Spot { at: frame.body, row, owner: whose.owner }),
                None => {
                    let row = self.name(frame.body, key, keys, whose);
                    if let Some(seen) = self.keys.seen.get_mut(seen as usize) {
                        seen.row = row;
                    }
                }
            }
            let at = self.keys.seen.get(seen as usize).map_or(keys, |seen| seen.at);
            return self.value(value, at, whose);
        }
        let (key, _) = key_and_value(self.bytes, frame);
        let seen = self.seen(place, key);
        let at = self.keys.seen.get(seen as usize).map_or(keys, |seen| seen.at);
        self.pair(frame, keys, at, whose);
    }

    /// The fields of a `KeyValue`, whose key and value may stand in different places.
    fn pair(&mut self, frame: Frame, key: At, value: At, whose: Whose) {
        let mut reader = Reader::within(self.bytes, frame);
        while let Some(field) = scanned(reader.field()) {
            let Payload::Bytes(frame) = field.payload else { continue };
            match Message::KeyValue.role(field.number) {
                Role::Label => {
                    self.name(field.at, frame, key, whose);
                }
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

    /// A text that names things: it has one row, in whatever it stands. Gives that, unless the text is empty.
    fn name(&mut self, at: u32, frame: Frame, place: At, whose: Whose) -> Option<u32> {
        let text = frame.slice(self.bytes);
        if text.is_empty() {
            return None;
        }
        // Most often it is the same as the last time.
        let recent = self.recent.get(place.name as usize).copied().flatten();
        let same = recent.filter(|&row| self.set.texts.bytes(row as usize) == Some(text));
        let row = match same.or_else(|| self.names.get(&(place.name, text)).copied()) {
            Some(row) => {
                self.set.spots.push(Spot { at, row, owner: whose.owner });
                row
            }
            None => {
                let row = self.set.rows.len() as u32;
                self.names.insert((place.name, text), row);
                self.push(at, text, place, Kind::Name, Whose { group: 0, ..whose });
                row
            }
        };
        if let Some(recent) = self.recent.get_mut(place.name as usize) {
            *recent = Some(row);
        }
        Some(row)
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
        if let Some(Some(at)) = self.places.get(place as usize) {
            return *at;
        }
        let at = At { place, name: self.named(place.name().to_owned()), naming: false };
        if let Some(slot) = self.places.get_mut(place as usize) {
            *slot = Some(at);
        }
        at
    }

    /// The number of a key.
    fn seen(&mut self, place: Place, key: &'a [u8]) -> u32 {
        if let Some(number) = self.keys.find(place, key) {
            return number;
        }
        let name = format!("{}.{}", place.name(), std::str::from_utf8(key).unwrap_or_default());
        let at = At { place, name: self.named(name), naming: names_things(key) };
        self.keys.insert(key, at)
    }

    fn named(&mut self, name: String) -> u32 {
        self.set.names.push(name);
        self.recent.push(None);
        self.set.names.len() as u32 - 1
    }
}

/// A key of attributes.
struct Key<'a> {
    key: &'a [u8],
    /// Where its values stand.
    at: At,
    /// Its row, once it has one.
    row: Option<u32>,
    /// The key that came after it the last time.
    next: u32,
}

/// Keys that were seen. Spans of a kind have the same keys in the same order, so the key that comes is nearly always the
/// one that came after this one before; a table is only asked where it is not.
#[derive(Default)]
struct Keys<'a> {
    seen: Vec<Key<'a>>,
    numbers: HashMap<(Place, &'a [u8]), u32>,
    /// The one that came last.
    last: u32,
}

impl<'a> Keys<'a> {
    fn find(&mut self, place: Place, key: &'a [u8]) -> Option<u32> {
        let next = self.seen.get(self.last as usize)?.next;
        let is_next = self.seen.get(next as usize).is_some_and(|next| next.at.place == place && next.key == key);
        let number = if is_next { next } else { *self.numbers.get(&(place, key))? };
        self.follow(number);
        Some(number)
    }

    fn insert(&mut self, key: &'a [u8], at: At) -> u32 {
        let number = self.seen.len() as u32;
        self.seen.push(Key { key, at, row: None, next: number });
        self.numbers.insert((at.place, key), number);
        self.follow(number);
        number
    }

    fn follow(&mut self, number: u32) {
        if let Some(last) = self.seen.get_mut(self.last as usize) {
            last.next = number;
        }
        self.last = number;
    }
}
