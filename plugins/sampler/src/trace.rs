//! One trace, as the rules see it.

use crate::reads::Attribute;
use std::ops::Range;
use tollgate_columns::{Batch, Row};

/// A trace among those that are decided together.
#[derive(Clone, Debug)]
pub(crate) struct Trace<'a> {
    pub(crate) batch: &'a Batch,
    /// Its spans, as rows of the batch.
    pub(crate) spans: Range<u32>,
    /// The time, in nanoseconds since 1970.
    pub(crate) now: u64,
    /// Its randomness, below 2^56.
    pub(crate) randomness: u64,
    /// Threshold by which it was thinned before it came here; 0 where it was not.
    pub(crate) thinned: u64,
    /// Encoded bytes of its spans.
    pub(crate) bytes: u64,
    /// Whether a span without a parent has come.
    pub(crate) root: bool,
    /// Whether the parents of all its spans have come too.
    pub(crate) complete: bool,
}

impl<'a> Trace<'a> {
    /// Its spans.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Row<'a>> {
        let batch = self.batch;
        self.spans.clone().filter_map(move |span| batch.row(span))
    }

    /// How many spans have come.
    pub(crate) fn span_count(&self) -> u64 {
        u64::from(self.spans.end.saturating_sub(self.spans.start))
    }

    /// Nanoseconds from the earliest start to the latest end. A span without an end counts as its start.
    pub(crate) fn duration(&self, start: u16, duration: u16) -> i64 {
        let mut window: Option<(i64, i64)> = None;
        for row in self.rows() {
            let Some(from) = row.integer(start) else { continue };
            let to = from.saturating_add(row.integer(duration).unwrap_or(0));
            window = Some(window.map_or((from, to), |(first, last)| (first.min(from), last.max(to))));
        }
        window.map_or(0, |(first, last)| last.saturating_sub(first))
    }
}

/// A value of an attribute.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Value<'a> {
    /// Text; arrays and maps are JSON text.
    Text(&'a str),
    /// A whole number; truth values are 0 and 1.
    Integer(i64),
    /// A number.
    Real(f64),
}

impl Value<'_> {
    /// The value as a number, where it is one.
    pub(crate) fn number(self) -> Option<f64> {
        match self {
            Self::Text(_) => None,
            Self::Integer(value) => Some(value as f64),
            Self::Real(value) => Some(value),
        }
    }
}

/// The value in one column.
pub(crate) fn value(row: Row<'_>, number: u16) -> Option<Value<'_>> {
    row.text(number)
        .map(Value::Text)
        .or_else(|| row.integer(number).map(Value::Integer))
        .or_else(|| row.real(number).map(Value::Real))
}

/// The span's own value of an attribute, else its resource's.
pub(crate) fn nearest(row: Row<'_>, attribute: Attribute) -> Option<Value<'_>> {
    attribute.places().find_map(|number| value(row, number))
}
