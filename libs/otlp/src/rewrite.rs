//! Spans with attributes taken out and added, one span after the other.

use crate::EditError;
use crate::scan::Signal;
use crate::span_writer::AttributeWriter;
use crate::splice::{Enclosing, Splicer, scanned};
use crate::trace::{Span, Spans, TraceRequest};
use crate::wire::{Frame, Payload, Reader};
use std::borrow::Cow;

/// What is to be changed in one span.
#[derive(Debug, Default)]
pub struct SpanEdits {
    /// Places among the attributes of the span.
    removed: Vec<u32>,
    added: Vec<u8>,
}

impl SpanEdits {
    /// Takes out the attribute at a place: that of [`Span::attributes`], counted from 0.
    pub fn remove(&mut self, place: u32) {
        self.removed.push(place);
    }

    /// Adds attributes behind the last.
    pub fn attributes(&mut self) -> AttributeWriter<'_> {
        AttributeWriter::new(&mut self.added, Spans::ATTRIBUTES)
    }
}

impl<'a> TraceRequest<'a> {
    /// The request with what `change` does to each of its spans. Every byte that is not part of a change or of the length
    /// of a message around one stays. Where nothing is changed, the request itself is given.
    ///
    /// # Errors
    /// The request would be larger than protobuf allows.
    pub fn rewrite<'r>(&'r self, mut change: impl FnMut(Span<'r>, &mut SpanEdits)) -> Result<Cow<'a, [u8]>, EditError> {
        let mut splicer = Splicer::new(self.scanned.bytes);
        let mut enclosing = Enclosing::default();
        let mut edits = SpanEdits::default();
        let mut changed = false;
        for span in self.spans() {
            edits.removed.clear();
            // What is added is written where the splicer takes it from.
            edits.added = std::mem::take(&mut splicer.arena);
            let from = edits.added.len();
            change(span, &mut edits);
            splicer.arena = std::mem::take(&mut edits.added);
            let to = splicer.arena.len();
            if from == to && edits.removed.is_empty() {
                continue;
            }
            changed = true;
            enclosing.open(&mut splicer, span.group.outer, span.group.inner);
            splicer.enter(span.entry.item.frame);
            remove(&mut splicer, span, &mut edits.removed);
            let (_, end) = span.entry.item.attributes;
            splicer.replace(end, end, from, to);
            splicer.leave();
        }
        enclosing.close(&mut splicer);
        if changed { Ok(Cow::Owned(splicer.finish()?)) } else { Ok(Cow::Borrowed(self.scanned.bytes)) }
    }
}

fn remove(splicer: &mut Splicer<'_>, span: Span<'_>, removed: &mut Vec<u32>) {
    removed.sort_unstable();
    removed.dedup();
    let mut removed = removed.iter().copied().peekable();
    let (start, end) = span.entry.item.attributes;
    let mut reader = Reader::within(span.bytes, Frame { length: start, body: start, end });
    let mut place = 0;
    while removed.peek().is_some()
        && let Some(field) = scanned(reader.field())
    {
        if field.number != Spans::ATTRIBUTES || !matches!(field.payload, Payload::Bytes(_)) {
            continue;
        }
        if removed.next_if_eq(&place).is_some() {
            splicer.replace(field.at, field.end, 0, 0);
        }
        place += 1;
    }
}
