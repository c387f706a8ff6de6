//! New texts in the place of old ones, and edits with them.

use crate::edit_set::EditSet;
use crate::edits::{Cells, EditError};
use crate::encode::varint;
use crate::logs::LogsRequest;
use crate::metrics::MetricsRequest;
use crate::scan::{Item, Scanned, Signal};
use crate::schema::{Message, Role};
use crate::splice::{Splicer, scanned};
use crate::texts::TextSet;
use crate::trace::TraceRequest;
use crate::value::key_and_value;
use crate::wire::{Field, Frame, Payload, Reader};
use tollgate_columns::{Malformed, Texts};

impl TraceRequest<'_> {
    /// The request with the texts of `changed` in the place of those of `given`, which is this request's
    /// [`texts`](Self::texts); rows refer to it, and a text that stands in several places is replaced in each. An id
    /// that was none becomes empty, whatever its new text. Every other byte stays, lengths of messages around apart.
    ///
    /// # Errors
    /// Rows that are not in `given`, text that is not UTF-8, or a request that would become too large.
    pub fn replace(&self, given: &TextSet, changed: &Texts) -> Result<Vec<u8>, EditError> {
        replace(&self.scanned, given, changed, None)
    }

    /// As [`replace`](Self::replace), and as [`apply_set`](Self::apply_set) of what comes of it, in one go. Attributes to
    /// edit are found by their keys as they stand.
    ///
    /// # Errors
    /// Rows that are not in `given`, text that is not UTF-8, or a request that would become too large.
    pub fn replace_and_apply(
        &self,
        given: &TextSet,
        changed: &Texts,
        edits: EditSet<'_>,
    ) -> Result<Vec<u8>, EditError> {
        replace(&self.scanned, given, changed, Some(edits))
    }
}

impl LogsRequest<'_> {
    /// As [`TraceRequest::replace`].
    ///
    /// # Errors
    /// Rows that are not in `given`, text that is not UTF-8, or a request that would become too large.
    pub fn replace(&self, given: &TextSet, changed: &Texts) -> Result<Vec<u8>, EditError> {
        replace(&self.scanned, given, changed, None)
    }

    /// As [`TraceRequest::replace_and_apply`].
    ///
    /// # Errors
    /// Rows that are not in `given`, text that is not UTF-8, or a request that would become too large.
    pub fn replace_and_apply(
        &self,
        given: &TextSet,
        changed: &Texts,
        edits: EditSet<'_>,
    ) -> Result<Vec<u8>, EditError> {
        replace(&self.scanned, given, changed, Some(edits))
    }
}

impl MetricsRequest<'_> {
    /// As [`TraceRequest::replace`].
    ///
    /// # Errors
    /// Rows that are not in `given`, text that is not UTF-8, or a request that would become too large.
    pub fn replace(&self, given: &TextSet, changed: &Texts) -> Result<Vec<u8>, EditError> {
        replace(&self.scanned, given, changed, None)
    }
}

fn replace<S: Signal>(
    scan: &Scanned<'_, S>,
    given: &TextSet,
    changed: &Texts,
    edits: Option<EditSet<'_>>,
) -> Result<Vec<u8>, EditError> {
    changed.check(given.len() as u32).map_err(EditError::Malformed)?;
    let mut new: Vec<Option<&str>> = vec![None; given.len()];
    for (row, text) in changed.iter() {
        if let Some(slot) = new.get_mut(row as usize) {
            *slot = Some(text);
        }
    }
    let patches: Vec<(u32, &str)> =
        given.spots().filter_map(|(at, row)| Some((at, (*new.get(row as usize)?)?))).collect();
    let (columns, cells, arena) = match edits {
        Some(EditSet { writes, columns, arena, .. }) => (columns, Some(writes), arena),
        None => (Vec::new(), None, Vec::new()),
    };
    let cells = cells.map(|writes| Cells::new(writes, &columns));
    let edited = cells.as_ref().map(Cells::rows).unwrap_or_default();
    let edited: Vec<(u32, Item)> = if edited.is_empty() {
        Vec::new()
    } else {
        let rows = edited.iter().filter_map(|&row| Some((row, *S::item(scan.entries.get(row as usize)?))));
        rows.collect()
    };
    let mut replacer = Replacer {
        splicer: Splicer::with_arena(scan.bytes, arena),
        bytes: scan.bytes,
        patches: &patches,
        edited: &edited,
        cells,
        attributes: S::ATTRIBUTES,
    };
    let whole = Frame { length: 0, body: 0, end: scan.bytes.len() as u32 };
    replacer.message(S::REQUEST, whole);
    if replacer.patches.is_empty() {
        Ok(replacer.splicer.finish()?)
    } else {
        let what = "the texts are not those of this request";
        Err(EditError::Malformed(Malformed { attribute: changed.attribute, what }))
    }
}

/// Walks only into messages that hold a text to be replaced, or are items to be edited.
struct Replacer<'a> {
    splicer: Splicer<'a>,
    bytes: &'a [u8],
    /// First byte of the field and new text, ascending; those done are gone.
    patches: &'a [(u32, &'a str)],
    /// Items to be edited, with their rows, ascending; those done are gone.
    edited: &'a [(u32, Item)],
    cells: Option<Cells<'a>>,
    /// Number of an item's attributes.
    attributes: u32,
}

impl Replacer<'_> {
    /// Where there is something to do next; `None` where there is nothing more.
    fn stop(&self) -> Option<u32> {
        let patch = self.patches.first().map(|(at, _)| *at);
        let item = self.edited.first().map(|(_, item)| item.at);
        patch.into_iter().chain(item).min()
    }

    fn message(&mut self, message: Message, frame: Frame) {
        let mut reader = Reader::within(self.bytes, frame);
        while let Some(stop) = self.stop() {
            if stop >= frame.end {
                return;
            }
            let Some(field) = scanned(reader.field()) else { return };
            if stop < field.end && !self.field(message, field) {
                return;
            }
        }
    }

    /// Does what there is to do in a field; `false` where it is not what it should be.
    fn field(&mut self, message: Message, field: Field) -> bool {
        let patch = self.patches.first().filter(|(at, _)| *at < field.end).copied();
        match (message.role(field.number), field.payload) {
            (Role::Many(inner) | Role::Once(inner), Payload::Bytes(frame)) => {
                self.splicer.enter(frame);
                match self.edited.split_first() {
                    Some(((row, item), rest)) if item.at == field.at => {
                        self.edited = rest;
                        self.item(inner, item, *row);
                    }
                    _ => self.message(inner, frame),
                }
                self.splicer.leave();
                true
            }
            (Role::Text | Role::Label | Role::Blob, Payload::Bytes(frame)) => match patch {
                Some((at, text)) if at == field.at => self.text(field, frame, text),
                _ => false,
            },
            (Role::Id(_), Payload::Bytes(frame)) if patch.is_some_and(|(at, _)| at == field.at) => {
                self.text(field, frame, "")
            }
            _ => false,
        }
    }

    /// An item that has edits: attributes that are set stand where they stood, or behind the last.
    fn item(&mut self, message: Message, item: &Item, row: u32) {
        let mut cells = self.cells.take();
        if let Some(cells) = &mut cells {
            let _ = cells.go_to(row);
        }
        let (_, last) = item.attributes;
        let mut reader = Reader::within(self.bytes, item.frame);
        let mut rest = cells.as_mut();
        loop {
            if reader.at() >= last
                && let Some(cells) = rest.take()
            {
                for (from, to) in cells.rest() {
                    self.splicer.replace(last, last, from, to);
                }
            }
            let Some(field) = scanned(reader.field()) else { break };
            if field.number == self.attributes
                && let Payload::Bytes(frame) = field.payload
                && let Some((from, to)) =
                    rest.as_mut().and_then(|cells| cells.replacement(key_and_value(self.bytes, frame).0))
            {
                self.splicer.replace(field.at, field.end, from, to);
                while self.patches.first().is_some_and(|(at, _)| *at < field.end) {
                    self.next_patch();
                }
            } else if self.patches.first().is_some_and(|(at, _)| *at < field.end) && !self.field(message, field) {
                break;
            }
        }
        self.cells = cells;
    }

    fn text(&mut self, field: Field, frame: Frame, text: &str) -> bool {
        let from = self.splicer.arena.len();
        varint(&mut self.splicer.arena, text.len() as u64);
        self.splicer.arena.extend_from_slice(text.as_bytes());
        let to = self.splicer.arena.len();
        self.splicer.replace(frame.length, field.end, from, to);
        self.next_patch();
        true
    }

    fn next_patch(&mut self) {
        self.patches = self.patches.split_first().map_or(&[], |(_, rest)| rest);
    }
}
