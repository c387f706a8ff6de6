//! Every text of a request, for a redactor.

use crate::collect::texts;
use crate::logs::LogsRequest;
use crate::metrics::MetricsRequest;
use crate::place::Place;
use crate::trace::TraceRequest;
use tollgate_columns::Texts;

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
pub(crate) enum Kind {
    /// Written by people or programs.
    Content,
    /// Names something: a key, a unit, a model.
    Name,
    /// Bytes that are not UTF-8, or an id that is none; each byte that is no text is a question mark.
    Bytes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// Index of the name of its place.
    pub(crate) name: u32,
    pub(crate) place: Place,
    pub(crate) group: u32,
    pub(crate) kind: Kind,
}

/// A field of the request that holds a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spot {
    /// First byte of the field.
    pub(crate) at: u32,
    pub(crate) row: u32,
    pub(crate) owner: Owner,
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
    pub(crate) texts: Texts,
    pub(crate) rows: Vec<Row>,
    /// Names of places.
    pub(crate) names: Vec<String>,
    /// Ascending.
    pub(crate) spots: Vec<Spot>,
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
