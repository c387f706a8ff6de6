//! What metrics were at a moment, for the forms in which they leave.

use crate::exemplar::Exemplar;
use crate::family::Labels;
use crate::histogram::{Layout, State};
use crate::registry::Described;
use std::sync::Arc;

/// What a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A sum that only grows.
    Sum,
    /// A value that goes up and down.
    Level,
    /// A distribution.
    Histogram,
}

/// What a series was.
#[derive(Debug)]
pub enum Value {
    /// Of a counter.
    Sum {
        /// What was counted, in the scale of the metric.
        value: u64,
        /// One of the spans.
        exemplar: Option<Exemplar>,
    },
    /// Of a gauge.
    Level(i64),
    /// Of a histogram.
    Histogram {
        #[doc(hidden)]
        state: Box<State>,
        /// Its buckets.
        layout: Arc<Layout>,
    },
}

/// A series.
#[derive(Debug)]
pub(crate) struct Point {
    pub(crate) labels: Labels,
    pub(crate) created: u64,
    pub(crate) value: Value,
}

/// A family.
#[derive(Debug)]
pub(crate) struct FamilySnapshot {
    pub(crate) described: Arc<Described>,
    pub(crate) kind: Kind,
    pub(crate) points: Vec<Point>,
}
