//! Any batch, for property tests.

use crate::{Batch, Integers, Reals, Texts};
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;

/// A batch of `items`, each cell of the attributes 0 to 4 with a value or none. An attribute has one column of a type at
/// most.
pub(crate) fn batch(items: u32) -> impl Strategy<Value = Batch> {
    let rows = move || btree_set(0..items, 0..=items as usize).prop_map(|rows| rows.into_iter().collect::<Vec<_>>());
    let columns = move || vec((any::<bool>(), rows(), any::<u8>()), 5);
    (columns(), columns(), columns()).prop_map(move |(texts, integers, reals)| {
        let there = |columns: Vec<(bool, Vec<u32>, u8)>| {
            let columns = (0_u16..).zip(columns).filter(|(_, (there, ..))| *there);
            columns.map(|(attribute, (_, rows, seed))| (attribute, rows, seed)).collect::<Vec<_>>()
        };
        let text = |(attribute, rows, seed): (u16, Vec<u32>, u8)| {
            let mut texts = Texts { attribute, ..Texts::default() };
            rows.iter().for_each(|row| assert!(texts.push(*row, &"x".repeat((usize::from(seed) + *row as usize) % 3))));
            texts
        };
        let integer = |(attribute, rows, seed): (u16, Vec<u32>, u8)| {
            let values = rows.iter().map(|row| i64::from(*row) * 10 + i64::from(seed)).collect();
            Integers { attribute, rows, values }
        };
        let real = |(attribute, rows, seed): (u16, Vec<u32>, u8)| {
            let values = rows.iter().map(|row| f64::from(*row) / 2.0 + f64::from(seed)).collect();
            Reals { attribute, rows, values }
        };
        Batch {
            items,
            texts: there(texts).into_iter().map(text).collect(),
            integers: there(integers).into_iter().map(integer).collect(),
            reals: there(reals).into_iter().map(real).collect(),
        }
    })
}
