//! Edits: values that a plugin sets, row by row, and the columns they become.

use crate::{Batch, Integers, Reals, Texts};

/// Collects values by row and attribute, and turns them into columns. The last value set for a cell wins.
#[derive(Clone, Debug, Default)]
pub struct Edits {
    items: u32,
    texts: Vec<(u16, Vec<(u32, String)>)>,
    integers: Vec<(u16, Vec<(u32, i64)>)>,
    reals: Vec<(u16, Vec<(u32, f64)>)>,
}

impl Edits {
    /// Edits for a batch of `items`.
    #[must_use]
    pub fn new(items: u32) -> Self {
        Self { items, ..Self::default() }
    }

    /// Sets a text value. Composite values are JSON text.
    pub fn text(&mut self, row: u32, attribute: u16, value: impl Into<String>) {
        cells(&mut self.texts, attribute).push((row, value.into()));
    }

    /// Sets an integer value; booleans are 0 and 1.
    pub fn integer(&mut self, row: u32, attribute: u16, value: i64) {
        cells(&mut self.integers, attribute).push((row, value));
    }

    /// Sets a floating-point value.
    pub fn real(&mut self, row: u32, attribute: u16, value: f64) {
        cells(&mut self.reals, attribute).push((row, value));
    }

    /// The columns: rows ascending, one value a cell. Cells past the end of the batch are left out.
    #[must_use]
    pub fn finish(self) -> Batch {
        let items = self.items;
        let texts = self.texts.into_iter().map(|(attribute, cells)| {
            let mut column = Texts { attribute, offsets: vec![0], ..Texts::default() };
            for (row, value) in settled(cells, items) {
                column.push(row, &value);
            }
            column
        });
        let integers = self.integers.into_iter().map(|(attribute, cells)| {
            let (rows, values) = settled(cells, items).into_iter().unzip();
            Integers { attribute, rows, values }
        });
        let reals = self.reals.into_iter().map(|(attribute, cells)| {
            let (rows, values) = settled(cells, items).into_iter().unzip();
            Reals { attribute, rows, values }
        });
        Batch { items, texts: texts.collect(), integers: integers.collect(), reals: reals.collect() }
    }
}

fn cells<T>(columns: &mut Vec<(u16, Vec<(u32, T)>)>, attribute: u16) -> &mut Vec<(u32, T)> {
    let at = match columns.iter().position(|(known, _)| *known == attribute) {
        Some(at) => at,
        None => {
            columns.push((attribute, Vec::new()));
            columns.len() - 1
        }
    };
    #[expect(clippy::indexing_slicing, reason = "found or pushed just above")]
    &mut columns[at].1
}

/// Cells in ascending order of row, the last one set for a row kept.
fn settled<T>(mut cells: Vec<(u32, T)>, items: u32) -> Vec<(u32, T)> {
    cells.retain(|(row, _)| *row < items);
    if !cells.is_sorted_by(|a, b| a.0 < b.0) {
        cells.reverse();
        cells.sort_by_key(|(row, _)| *row);
        cells.dedup_by_key(|(row, _)| *row);
    }
    cells
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
        let batch = edits.finish();
        assert_eq!(batch.check(3, 2), Ok(()));
        let seen: Vec<_> = batch.texts[0].iter().collect();
        assert_eq!(seen, [(0, "first"), (2, "last")]);
    }
}
