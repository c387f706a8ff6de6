//! Rows over columns: what a plugin author reads.

use crate::{Batch, Integers, Reals, Texts};

impl Batch {
    /// The items of the batch, each as a row.
    #[must_use]
    pub fn rows(&self) -> Rows<'_> {
        Rows { batch: self, places: &[], next: 0 }
    }

    /// One item of the batch; `None` past its end.
    #[must_use]
    pub fn row(&self, item: u32) -> Option<Row<'_>> {
        (item < self.items).then_some(Row { batch: self, places: &[], item })
    }

    /// The batch with its columns by attribute: for whoever asks each row for many attributes.
    #[must_use]
    pub fn table(&self) -> Table<'_> {
        let mut table = Table { batch: self, places: Vec::new() };
        for (place, column) in (1..).zip(&self.texts) {
            table.put(column.attribute, |at| &mut at.text, place);
        }
        for (place, column) in (1..).zip(&self.integers) {
            table.put(column.attribute, |at| &mut at.integer, place);
        }
        for (place, column) in (1..).zip(&self.reals) {
            table.put(column.attribute, |at| &mut at.real, place);
        }
        table
    }
}

/// A batch with its columns by attribute. Its rows find a value without looking through the columns.
#[derive(Clone, Debug)]
pub struct Table<'a> {
    batch: &'a Batch,
    places: Vec<Places>,
}

/// Where the columns of an attribute stand, each one more than its index; 0 where there is none.
#[derive(Clone, Copy, Debug, Default)]
struct Places {
    text: u32,
    integer: u32,
    real: u32,
}

impl Table<'_> {
    /// The items of the batch, each as a row.
    #[must_use]
    pub fn rows(&self) -> Rows<'_> {
        Rows { batch: self.batch, places: &self.places, next: 0 }
    }

    /// Of two columns of one attribute the first counts, as it does for those who look through them.
    fn put(&mut self, attribute: u16, of: impl Fn(&mut Places) -> &mut u32, place: u32) {
        let at = usize::from(attribute);
        if at >= self.places.len() {
            self.places.resize(at + 1, Places::default());
        }
        if let Some(found) = self.places.get_mut(at).map(of)
            && *found == 0
        {
            *found = place;
        }
    }
}

/// Iterator over the rows of a batch.
#[derive(Clone, Debug)]
pub struct Rows<'a> {
    batch: &'a Batch,
    places: &'a [Places],
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
        Some(Row { batch: self.batch, places: self.places, item })
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
    /// By attribute; empty where columns are looked through.
    places: &'a [Places],
    item: u32,
}

impl<'a> Row<'a> {
    /// The item's index in the batch; the row number for edits.
    #[must_use]
    pub fn index(self) -> u32 {
        self.item
    }

    /// The text value of an attribute. Composite values (arrays, maps) are JSON text.
    #[inline]
    #[must_use]
    pub fn text(self, attribute: u16) -> Option<&'a str> {
        let column: &Texts = self.column(&self.batch.texts, attribute, |at| at.text, |column| column.attribute)?;
        column.get(position(&column.rows, self.item)?)
    }

    /// The integer value of an attribute; booleans are 0 and 1.
    #[inline]
    #[must_use]
    pub fn integer(self, attribute: u16) -> Option<i64> {
        let column: &Integers =
            self.column(&self.batch.integers, attribute, |at| at.integer, |column| column.attribute)?;
        column.values.get(position(&column.rows, self.item)?).copied()
    }

    /// The floating-point value of an attribute.
    #[inline]
    #[must_use]
    pub fn real(self, attribute: u16) -> Option<f64> {
        let column: &Reals = self.column(&self.batch.reals, attribute, |at| at.real, |column| column.attribute)?;
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

    #[inline]
    fn column<C>(
        self,
        columns: &'a [C],
        attribute: u16,
        place: impl Fn(&Places) -> u32,
        attribute_of: impl Fn(&C) -> u16,
    ) -> Option<&'a C> {
        if self.places.is_empty() {
            return columns.iter().find(|column| attribute_of(column) == attribute);
        }
        let place = self.places.get(usize::from(attribute)).map(place)?.checked_sub(1)?;
        columns.get(usize::try_from(place).ok()?)
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

#[cfg(test)]
mod tests {
    use crate::any::batch;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_table_says_what_looking_through_the_columns_says(batch in batch(6)) {
            let table = batch.table();
            prop_assert_eq!(table.rows().len(), 6);
            for (found, searched) in table.rows().zip(batch.rows()) {
                prop_assert_eq!(found.index(), searched.index());
                for attribute in 0..6 {
                    prop_assert_eq!(found.text(attribute), searched.text(attribute));
                    prop_assert_eq!(found.integer(attribute), searched.integer(attribute));
                    prop_assert_eq!(found.real(attribute), searched.real(attribute));
                    prop_assert_eq!(found.count(attribute), searched.count(attribute));
                }
            }
        }
    }
}
