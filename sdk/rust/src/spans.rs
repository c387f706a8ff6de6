//! Spans as an author sees them: rows to read, with a place to put edits.

use crate::attributes::{Accepts, Read};
use std::cell::RefCell;
use tollgate_columns::{Batch, Edits, Row, Rows, Table};

/// The spans of one call.
#[derive(Debug)]
pub struct Spans<'a> {
    table: Table<'a>,
    edits: RefCell<Edits>,
}

impl<'a> Spans<'a> {
    pub(crate) fn new(batch: &'a Batch) -> Self {
        Self { table: batch.table(), edits: RefCell::new(Edits::new(batch.items)) }
    }

    /// Each span in turn.
    #[must_use]
    pub fn iter(&self) -> SpanIter<'_> {
        SpanIter { rows: self.table.rows(), edits: &self.edits }
    }

    /// How many spans.
    #[must_use]
    pub fn len(&self) -> usize {
        self.table.rows().len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn finish(self) -> Batch {
        self.edits.into_inner().finish()
    }
}

impl<'s> IntoIterator for &'s Spans<'_> {
    type Item = Span<'s>;
    type IntoIter = SpanIter<'s>;

    fn into_iter(self) -> SpanIter<'s> {
        self.iter()
    }
}

/// Iterator over the spans of one call.
#[derive(Debug)]
pub struct SpanIter<'s> {
    rows: Rows<'s>,
    edits: &'s RefCell<Edits>,
}

impl<'s> Iterator for SpanIter<'s> {
    type Item = Span<'s>;

    fn next(&mut self) -> Option<Span<'s>> {
        self.rows.next().map(|row| Span { row, edits: self.edits })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.rows.size_hint()
    }
}

impl ExactSizeIterator for SpanIter<'_> {}

/// One span: the attributes that the plugin reads, and a place for those that it writes.
#[derive(Clone, Copy, Debug)]
pub struct Span<'s> {
    row: Row<'s>,
    edits: &'s RefCell<Edits>,
}

impl<'s> Span<'s> {
    /// The text value; arrays and maps are JSON text. `None` where the span has no text under that name.
    #[must_use]
    pub fn text(self, attribute: Read) -> Option<&'s str> {
        self.row.text(attribute.0)
    }

    /// The integer value; truth values are 0 and 1.
    #[must_use]
    pub fn integer(self, attribute: Read) -> Option<i64> {
        self.row.integer(attribute.0)
    }

    /// The floating-point value.
    #[must_use]
    pub fn real(self, attribute: Read) -> Option<f64> {
        self.row.real(attribute.0)
    }

    /// The value as a count: a non-negative integer, or text that spells one.
    #[must_use]
    pub fn count(self, attribute: Read) -> Option<u64> {
        self.row.count(attribute.0)
    }

    /// Sets an attribute, or replaces it. The last value set wins.
    pub fn set<V, A: Accepts<V>>(self, attribute: A, value: V) {
        if let Ok(mut edits) = self.edits.try_borrow_mut() {
            attribute.put(&mut edits, self.row.index(), value);
        }
    }
}
