//! New texts in the place of old ones.

use crate::EditError;
use crate::encode::varint;
use crate::logs::LogsRequest;
use crate::metrics::MetricsRequest;
use crate::scan::{Scanned, Signal};
use crate::schema::{Message, Role};
use crate::splice::{Splicer, scanned};
use crate::texts::TextSet;
use crate::trace::TraceRequest;
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
        replace(&self.scanned, given, changed)
    }
}

impl LogsRequest<'_> {
    /// As [`TraceRequest::replace`].
    ///
    /// # Errors
    /// Rows that are not in `given`, text that is not UTF-8, or a request that would become too large.
    pub fn replace(&self, given: &TextSet, changed: &Texts) -> Result<Vec<u8>, EditError> {
        replace(&self.scanned, given, changed)
    }
}

impl MetricsRequest<'_> {
    /// As [`TraceRequest::replace`].
    ///
    /// # Errors
    /// Rows that are not in `given`, text that is not UTF-8, or a request that would become too large.
    pub fn replace(&self, given: &TextSet, changed: &Texts) -> Result<Vec<u8>, EditError> {
        replace(&self.scanned, given, changed)
    }
}

fn replace<S: Signal>(scan: &Scanned<'_, S>, given: &TextSet, changed: &Texts) -> Result<Vec<u8>, EditError> {
    changed.check(given.len() as u32).map_err(EditError::Malformed)?;
    let mut new: Vec<Option<&str>> = vec![None; given.len()];
    for (row, text) in changed.iter() {
        if let Some(slot) = new.get_mut(row as usize) {
            *slot = Some(text);
        }
    }
    let patches: Vec<(u32, &str)> =
        given.spots().filter_map(|(at, row)| Some((at, (*new.get(row as usize)?)?))).collect();
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
                (Role::Text | Role::Label | Role::Blob, Payload::Bytes(frame)) if at == field.at => {
                    self.text(field, frame, text);
                }
                (Role::Id(_), Payload::Bytes(frame)) if at == field.at => self.text(field, frame, ""),
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
