//! Rows over columns: what a plugin author reads.

use crate::{Batch, Integers, Reals, Texts};

impl Batch {
    /// The items of the batch, each as a row.
    #[must_use]
    pub fn rows(&self) -> Rows<'_> {
        Rows { batch: self, next: 0 }
    }

    /// One item of the batch; `None` past its end.
    #[must_use]
    pub fn row(&self, item: u32) -> Option<Row<'_>> {
        (item < self.items).then_some(Row { batch: self, item })
    }
}

/// Iterator over the rows of a batch.
#[derive(Clone, Debug)]
pub struct Rows<'a> {
    batch: &'a Batch,
    next: u32,
}

impl<'a> Iterator for Rows<'a> {
    type Item = Row<'a>;

    fn next(&mut self) -> Option<Row<'a>> {
        let item = self.next;
        if item >= self.batch.items {
            return None;
        }
        self.next += 1;
        Some(Row { batch: self.batch, item })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = usize::try_from(self.batch.items - self.next).unwrap_or(usize::MAX);
        (left, Some(left))
    }
}

impl ExactSizeIterator for Rows<'_> {}

/// One item of a batch. Attributes are named by their place in the list that the plugin declared.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    batch: &'a Batch,
    item: u32,
}

impl<'a> Row<'a> {
    /// The item's index in the batch; the row number for edits.
    #[must_use]
    pub fn index(self) -> u32 {
        self.item
    }

    /// The text value of an attribute. Composite values (arrays, maps) are JSON text.
    #[must_use]
    pub fn text(self, attribute: u16) -> Option<&'a str> {
        let column: &Texts = self.batch.texts.iter().find(|column| column.attribute == attribute)?;
        column.get(position(&column.rows, self.item)?)
    }

    /// The integer value of an attribute; booleans are 0 and 1.
    #[must_use]
    pub fn integer(self, attribute: u16) -> Option<i64> {
        let column: &Integers = self.batch.integers.iter().find(|column| column.attribute == attribute)?;
        column.values.get(position(&column.rows, self.item)?).copied()
    }

    /// The floating-point value of an attribute.
    #[must_use]
    pub fn real(self, attribute: u16) -> Option<f64> {
        let column: &Reals = self.batch.reals.iter().find(|column| column.attribute == attribute)?;
        column.values.get(position(&column.rows, self.item)?).copied()
    }

    /// The value as a count: a non-negative integer, or text that spells one. Some emitters send counts as text.
    #[must_use]
    pub fn count(self, attribute: u16) -> Option<u64> {
        match self.integer(attribute) {
            Some(value) => u64::try_from(value).ok(),
            None => self.text(attribute)?.parse().ok(),
        }
    }
}

/// Where `item` stands in ascending `rows`. Dense columns, the common case, answer at once.
fn position(rows: &[u32], item: u32) -> Option<usize> {
    let guess = usize::try_from(item).ok()?;
    if rows.get(guess) == Some(&item) {
        return Some(guess);
    }
    rows.binary_search(&item).ok()
}
