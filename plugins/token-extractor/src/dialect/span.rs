//! One span of a batch, read by number, and one batch, indexed by it.

use serde_json::Value;
use tollgate_columns::{Batch, Integers, Reals, Texts};

/// Longest JSON text that is parsed. Longer ones are left as they are.
pub(super) const JSON_BYTES: usize = 1 << 20;

/// The columns of one attribute.
#[derive(Clone, Copy, Debug, Default)]
struct Slot<'b> {
    texts: Option<&'b Texts>,
    integers: Option<&'b Integers>,
    reals: Option<&'b Reals>,
}

/// A batch by number of attribute.
#[derive(Debug)]
pub(super) struct Index<'b> {
    slots: Vec<Slot<'b>>,
}

impl<'b> Index<'b> {
    /// `numbers` has the number of each attribute that is read, `names` is how many numbers there are.
    pub(super) fn new(batch: &'b Batch, numbers: &[u16], names: usize) -> Self {
        let mut slots = vec![Slot::default(); names];
        let at = |attribute: u16| numbers.get(usize::from(attribute)).map(|number| usize::from(*number));
        for column in &batch.texts {
            if let Some(slot) = at(column.attribute).and_then(|at| slots.get_mut(at)) {
                slot.texts = Some(column);
            }
        }
        for column in &batch.integers {
            if let Some(slot) = at(column.attribute).and_then(|at| slots.get_mut(at)) {
                slot.integers = Some(column);
            }
        }
        for column in &batch.reals {
            if let Some(slot) = at(column.attribute).and_then(|at| slots.get_mut(at)) {
                slot.reals = Some(column);
            }
        }
        Self { slots }
    }

    /// Whether any span of the batch has the attribute.
    pub(super) fn has(&self, number: u16) -> bool {
        self.slot(number).is_some_and(|slot| slot.texts.is_some() || slot.integers.is_some() || slot.reals.is_some())
    }

    fn slot(&self, number: u16) -> Option<&Slot<'b>> {
        self.slots.get(usize::from(number))
    }
}

/// One span.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span<'i, 'b> {
    pub(super) index: &'i Index<'b>,
    pub(super) row: u32,
}

impl<'b> Span<'_, 'b> {
    /// The text of an attribute; empty text is none.
    pub(super) fn text(self, number: u16) -> Option<&'b str> {
        let column = self.index.slot(number)?.texts?;
        column.get(position(&column.rows, self.row)?).filter(|text| !text.is_empty())
    }

    fn integer(self, number: u16) -> Option<i64> {
        let column = self.index.slot(number)?.integers?;
        column.values.get(position(&column.rows, self.row)?).copied()
    }

    fn real(self, number: u16) -> Option<f64> {
        let column = self.index.slot(number)?.reals?;
        column.values.get(position(&column.rows, self.row)?).copied()
    }

    /// Whether the span has the attribute, with whatever value.
    pub(super) fn has(self, number: u16) -> bool {
        let Some(slot) = self.index.slot(number) else { return false };
        slot.texts.is_some_and(|column| position(&column.rows, self.row).is_some())
            || slot.integers.is_some_and(|column| position(&column.rows, self.row).is_some())
            || slot.reals.is_some_and(|column| position(&column.rows, self.row).is_some())
    }

    /// A count: an integer, a whole double as JavaScript sends it, or text that spells one; never negative.
    pub(super) fn count(self, number: u16) -> Option<i64> {
        if let Some(integer) = self.integer(number) {
            return (integer >= 0).then_some(integer);
        }
        match self.real(number) {
            Some(real) => whole(real),
            None => self.text(number)?.trim().parse().ok().filter(|count| *count >= 0),
        }
    }

    /// A number.
    pub(super) fn number(self, number: u16) -> Option<f64> {
        let value = match (self.real(number), self.integer(number)) {
            (Some(real), _) => real,
            (None, Some(integer)) => real(integer),
            (None, None) => self.text(number)?.trim().parse().ok()?,
        };
        value.is_finite().then_some(value)
    }

    /// A truth value; as text `true` or `false`.
    pub(super) fn truth(self, number: u16) -> Option<bool> {
        match self.integer(number) {
            Some(truth @ (0 | 1)) => Some(truth == 1),
            Some(_) => None,
            None => self.text(number)?.parse().ok(),
        }
    }

    /// JSON text, parsed.
    pub(super) fn json(self, number: u16) -> Option<Value> {
        self.text(number).filter(|text| text.len() <= JSON_BYTES).and_then(|text| serde_json::from_str(text).ok())
    }
}

/// Where `row` stands in ascending `rows`. Dense columns, the common case, answer at once.
fn position(rows: &[u32], row: u32) -> Option<usize> {
    let guess = usize::try_from(row).ok()?;
    if rows.get(guess) == Some(&row) {
        return Some(guess);
    }
    rows.binary_search(&row).ok()
}

/// A count that came as a floating-point number.
pub(super) fn whole(value: f64) -> Option<i64> {
    const MAX: f64 = 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "whole, and within what both types hold exactly")]
    ((0.0..=MAX).contains(&value) && value.fract() == 0.0).then_some(value as i64)
}

#[expect(clippy::cast_precision_loss, reason = "parameters of requests are small")]
fn real(value: i64) -> f64 {
    value as f64
}
