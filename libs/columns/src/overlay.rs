//! Batches out of batches: some of the columns under other numbers, and columns with edits made to them.

use crate::{Batch, Integers, Reals, Texts};

impl Batch {
    /// The columns of some attributes: what stands at place `i` of `attributes` becomes attribute `i`.
    #[must_use]
    pub fn select(&self, attributes: &[u16]) -> Self {
        let mut selected = Self { items: self.items, ..Self::default() };
        for (attribute, &from) in (0_u16..).zip(attributes) {
            let texts = self.texts.iter().find(|column| column.attribute == from);
            selected.texts.extend(texts.map(|column| Texts { attribute, ..column.clone() }));
            let integers = self.integers.iter().find(|column| column.attribute == from);
            selected.integers.extend(integers.map(|column| Integers { attribute, ..column.clone() }));
            let reals = self.reals.iter().find(|column| column.attribute == from);
            selected.reals.extend(reals.map(|column| Reals { attribute, ..column.clone() }));
        }
        selected
    }

    /// Puts the values of `edits`, which are about the same items, in the place of those that are here, whatever their
    /// type was: attribute `i` of the edits is `attributes[i]` here; those without a number here are left out. Where edits
    /// set a cell in two types, that of the later column counts, texts before integers before reals.
    pub fn overlay(&mut self, edits: &Self, attributes: &[Option<u16>]) {
        let here = |attribute: u16| attributes.get(usize::from(attribute)).copied().flatten();
        for column in &edits.texts {
            if let Some(attribute) = here(column.attribute) {
                self.without(attribute, &column.rows);
                put(&mut self.texts, Texts { attribute, ..column.clone() }, |column| column.attribute, both_texts);
            }
        }
        for column in &edits.integers {
            if let Some(attribute) = here(column.attribute) {
                self.without(attribute, &column.rows);
                let new = Integers { attribute, ..column.clone() };
                put(
                    &mut self.integers,
                    new,
                    |column| column.attribute,
                    |old, new| {
                        let (rows, values) = both((old.rows, old.values), (new.rows, new.values));
                        Integers { attribute, rows, values }
                    },
                );
            }
        }
        for column in &edits.reals {
            if let Some(attribute) = here(column.attribute) {
                self.without(attribute, &column.rows);
                let new = Reals { attribute, ..column.clone() };
                put(
                    &mut self.reals,
                    new,
                    |column| column.attribute,
                    |old, new| {
                        let (rows, values) = both((old.rows, old.values), (new.rows, new.values));
                        Reals { attribute, rows, values }
                    },
                );
            }
        }
    }

    /// Takes the values of an attribute out of these rows, which are ascending.
    fn without(&mut self, attribute: u16, rows: &[u32]) {
        let stays = |row: u32| rows.binary_search(&row).is_err();
        for column in self.texts.iter_mut().filter(|column| column.attribute == attribute) {
            if !column.rows.iter().all(|row| stays(*row)) {
                let mut left = Texts { attribute, ..Texts::default() };
                column.iter().filter(|(row, _)| stays(*row)).for_each(|(row, text)| _ = left.push(row, text));
                *column = left;
            }
        }
        for column in self.integers.iter_mut().filter(|column| column.attribute == attribute) {
            keep(&mut column.rows, &mut column.values, stays);
        }
        for column in self.reals.iter_mut().filter(|column| column.attribute == attribute) {
            keep(&mut column.rows, &mut column.values, stays);
        }
        // A column without rows is none, as it is in what is projected.
        self.texts.retain(|column| !column.rows.is_empty());
        self.integers.retain(|column| !column.rows.is_empty());
        self.reals.retain(|column| !column.rows.is_empty());
    }
}

/// Puts a column among others of its type, together with the one that is there for its attribute.
fn put<C: Default>(columns: &mut Vec<C>, new: C, attribute: impl Fn(&C) -> u16, both: impl FnOnce(C, C) -> C) {
    match columns.iter_mut().find(|column| attribute(column) == attribute(&new)) {
        Some(column) => *column = both(std::mem::take(column), new),
        None => columns.push(new),
    }
}

/// Two columns of texts that have no row in common, as one.
fn both_texts(old: Texts, new: Texts) -> Texts {
    let mut merged = Texts { attribute: new.attribute, ..Texts::default() };
    let (mut old, mut new) = (old.iter().peekable(), new.iter().peekable());
    while let Some((row, text)) = match (old.peek(), new.peek()) {
        (Some((first, _)), Some((second, _))) if first < second => old.next(),
        (Some(_), None) => old.next(),
        _ => new.next(),
    } {
        let _ = merged.push(row, text);
    }
    merged
}

/// Two columns that have no row in common, as one.
fn both<T: Copy>(old: (Vec<u32>, Vec<T>), new: (Vec<u32>, Vec<T>)) -> (Vec<u32>, Vec<T>) {
    let mut cells: Vec<(u32, T)> = old.0.into_iter().zip(old.1).chain(new.0.into_iter().zip(new.1)).collect();
    // Two ascending runs, which a stable sort merges.
    cells.sort_by_key(|(row, _)| *row);
    cells.into_iter().unzip()
}

/// Keeps the cells of rows that stay.
fn keep<T: Copy>(rows: &mut Vec<u32>, values: &mut Vec<T>, stays: impl Fn(u32) -> bool) {
    if !rows.iter().all(|row| stays(*row)) {
        let cells = rows.iter().zip(values.iter()).filter(|(row, _)| stays(**row));
        (*rows, *values) = cells.map(|(row, value)| (*row, *value)).unzip();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::any::batch;
    use proptest::prelude::*;

    /// What a cell has, by type.
    fn cell(batch: &Batch, item: u32, attribute: u16) -> (Option<String>, Option<i64>, Option<f64>) {
        let row = batch.row(item).unwrap();
        (row.text(attribute).map(str::to_owned), row.integer(attribute), row.real(attribute))
    }

    proptest! {
        #[test]
        fn what_is_selected_has_the_values_of_its_attributes(batch in batch(6), attributes in proptest::collection::vec(0..7_u16, 0..8)) {
            let selected = batch.select(&attributes);
            prop_assert_eq!(selected.check(6, attributes.len()), Ok(()));
            for item in 0..6 {
                for (at, from) in (0..).zip(&attributes) {
                    prop_assert_eq!(cell(&selected, item, at), cell(&batch, item, *from));
                }
            }
        }

        #[test]
        fn edits_replace_what_they_set_and_nothing_else(
            before in batch(6),
            edits in batch(6),
            left_out in 0..6_u16,
        ) {
            // Attribute `i` of the edits is the one after it here; one of them is nobody's.
            let attributes: Vec<Option<u16>> = (0..5).map(|at| (at != left_out).then_some(at + 1)).collect();
            let mut after = before.clone();
            after.overlay(&edits, &attributes);
            prop_assert_eq!(after.check(6, 6), Ok(()));
            for item in 0..6 {
                for here in 0..6_u16 {
                    let edit = here.checked_sub(1).filter(|at| *at != left_out).map(|at| cell(&edits, item, at));
                    let expected = match edit {
                        Some((_, _, Some(real))) => (None, None, Some(real)),
                        Some((_, Some(integer), None)) => (None, Some(integer), None),
                        Some((Some(text), None, None)) => (Some(text), None, None),
                        _ => cell(&before, item, here),
                    };
                    prop_assert_eq!(cell(&after, item, here), expected, "item {} attribute {}", item, here);
                }
            }
        }
    }
}
