//! Edits: values that a plugin sets, row by row, and the columns they become.

use crate::{Batch, Integers, Reals, Texts};
use std::fmt::{self, Write as _};

/// Collects values by row and attribute, and turns them into columns. The last value set for a cell wins.
///
/// Values go straight into columns, texts into their arena: an edit allocates nothing of its own, and rows set in
/// ascending order, the common case, are columns already.
#[derive(Clone, Debug, Default)]
pub struct Edits {
    items: u32,
    texts: Vec<Texts>,
    integers: Vec<Integers>,
    reals: Vec<Reals>,
}

impl Edits {
    /// Edits for a batch of `items`.
    #[must_use]
    pub fn new(items: u32) -> Self {
        Self { items, ..Self::default() }
    }

    /// Sets a text value. Composite values are JSON text. Texts past 4 GiB in one column are left out.
    pub fn text(&mut self, row: u32, attribute: u16, value: impl AsRef<str>) {
        let new = || Texts { attribute, offsets: vec![0], ..Texts::default() };
        column(&mut self.texts, |column| column.attribute == attribute, new).push(row, value.as_ref());
    }

    /// Sets a text value to what `value` displays, which is written where it belongs without a text of its own.
    pub fn display(&mut self, row: u32, attribute: u16, value: impl fmt::Display) {
        let new = || Texts { attribute, offsets: vec![0], ..Texts::default() };
        let column = column(&mut self.texts, |column| column.attribute == attribute, new);
        let before = column.data.len();
        let written = write!(Arena(&mut column.data), "{value}");
        match u32::try_from(column.data.len()) {
            Ok(end) if written.is_ok() => {
                column.rows.push(row);
                column.offsets.push(end);
            }
            // As a text that does not fit is: left out.
            _ => column.data.truncate(before),
        }
    }

    /// Sets an integer value; booleans are 0 and 1.
    pub fn integer(&mut self, row: u32, attribute: u16, value: i64) {
        let new = || Integers { attribute, ..Integers::default() };
        let column = column(&mut self.integers, |column| column.attribute == attribute, new);
        column.rows.push(row);
        column.values.push(value);
    }

    /// Sets a floating-point value.
    pub fn real(&mut self, row: u32, attribute: u16, value: f64) {
        let new = || Reals { attribute, ..Reals::default() };
        let column = column(&mut self.reals, |column| column.attribute == attribute, new);
        column.rows.push(row);
        column.values.push(value);
    }

    /// The columns: rows ascending, one value a cell. Cells past the end of the batch are left out.
    #[must_use]
    pub fn finish(mut self) -> Batch {
        let items = self.items;
        for column in &mut self.texts {
            if let Some(order) = settled(&column.rows, items) {
                let mut sorted = Texts { attribute: column.attribute, offsets: vec![0], ..Texts::default() };
                for (row, at) in order {
                    if let Some(value) = column.get(at) {
                        sorted.push(row, value);
                    }
                }
                *column = sorted;
            }
        }
        for Integers { rows, values, .. } in &mut self.integers {
            settle(rows, values, items);
        }
        for Reals { rows, values, .. } in &mut self.reals {
            settle(rows, values, items);
        }
        Batch { items, texts: self.texts, integers: self.integers, reals: self.reals }
    }
}

/// The data of a column of texts as something to write to.
struct Arena<'a>(&'a mut Vec<u8>);

impl fmt::Write for Arena<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

/// The column of an attribute, made where it is not there yet. A plugin has few, so they are looked through.
fn column<C>(columns: &mut Vec<C>, is_it: impl Fn(&C) -> bool, new: impl FnOnce() -> C) -> &mut C {
    let at = columns.iter().position(is_it).unwrap_or_else(|| {
        columns.push(new());
        columns.len() - 1
    });
    #[expect(clippy::indexing_slicing, reason = "found or pushed just above")]
    &mut columns[at]
}

/// Puts rows and values in order.
fn settle<T: Copy>(rows: &mut Vec<u32>, values: &mut Vec<T>, items: u32) {
    if let Some(order) = settled(rows, items) {
        let kept = order.into_iter().filter_map(|(row, at)| Some((row, *values.get(at)?)));
        (*rows, *values) = kept.unzip();
    }
}

/// Rows below `items` in ascending order, each with the place it was last set at; `None` where the rows are in order.
fn settled(rows: &[u32], items: u32) -> Option<Vec<(u32, usize)>> {
    if rows.is_sorted_by(|a, b| a < b) && rows.last().is_none_or(|&last| last < items) {
        return None;
    }
    let mut order: Vec<_> = rows.iter().copied().zip(0..).filter(|(row, _)| *row < items).collect();
    order.sort_unstable_by_key(|&(row, at)| (row, std::cmp::Reverse(at)));
    order.dedup_by_key(|(row, _)| *row);
    Some(order)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_value_of_a_cell_wins_and_rows_come_out_ascending() {
        let mut edits = Edits::new(3);
        for (row, value) in [(2, "late"), (0, "first"), (2, "last"), (7, "past the end")] {
            edits.text(row, 1, value);
        }
        for (row, value) in [(1, 5), (1, 6), (9, 7), (0, 8)] {
            edits.integer(row, 0, value);
            edits.real(row, 2, value as f64);
        }
        let batch = edits.finish();
        assert_eq!(batch.check(3, 3), Ok(()));
        let seen: Vec<_> = batch.texts[0].iter().collect();
        assert_eq!(seen, [(0, "first"), (2, "last")]);
        assert_eq!(batch.integers, [Integers { attribute: 0, rows: vec![0, 1], values: vec![8, 6] }]);
        assert_eq!(batch.reals, [Reals { attribute: 2, rows: vec![0, 1], values: vec![8.0, 6.0] }]);
    }

    #[test]
    fn rows_in_order_stay_as_they_are() {
        let mut edits = Edits::new(2);
        edits.text(0, 4, "a");
        edits.text(1, 4, String::from("bc"));
        let batch = edits.finish();
        assert_eq!(batch.check(2, 5), Ok(()));
        let mut displayed = Edits::new(2);
        displayed.display(0, 4, 'a');
        displayed.display(1, 4, format_args!("b{}", 'c'));
        assert_eq!(displayed.finish(), batch);
        assert_eq!((batch.texts[0].offsets.as_slice(), batch.texts[0].data.as_slice()), (&[0, 1, 3][..], &b"abc"[..]));
    }
}
