//! The conditions under which a policy decides a trace.

use std::ops::Range;
use tollgate_columns::Batch;

/// What has to be so for a policy to decide. Named as in the Collector's `tail_sampling` processor; a condition on
/// spans holds for a trace if it holds for any of its spans.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Condition {
    /// Always.
    AlwaysSample,
    /// From the earliest start to the latest end it took this long: at least the first, below the second.
    Latency { at_least: i64, below: Option<i64>, start: u16, duration: u16 },
    /// A span has one of these statuses (`unset`, `ok`, `error`).
    StatusCode { statuses: Vec<String>, status: u16 },
    /// A span's attribute has one of these texts.
    StringAttribute { attribute: u16, values: Vec<String> },
    /// A span's attribute is a number within these bounds, both included.
    NumericAttribute { attribute: u16, min: f64, max: f64 },
    /// A span's attribute is this truth value.
    BooleanAttribute { attribute: u16, value: bool },
}

impl Condition {
    /// Whether it holds for the trace whose spans are `spans` of the batch.
    pub(crate) fn holds(&self, batch: &Batch, spans: Range<u32>) -> bool {
        let mut rows = spans.filter_map(|span| batch.row(span));
        match self {
            Self::AlwaysSample => true,
            Self::Latency { at_least, below, start, duration } => {
                let mut window: Option<(i64, i64)> = None;
                for row in rows {
                    let (Some(from), Some(took)) = (row.integer(*start), row.integer(*duration)) else { continue };
                    let to = from.saturating_add(took);
                    window = Some(window.map_or((from, to), |(first, last)| (first.min(from), last.max(to))));
                }
                let took = window.map_or(0, |(first, last)| last.saturating_sub(first));
                took >= *at_least && below.is_none_or(|below| took < below)
            }
            Self::StatusCode { statuses, status } => {
                rows.any(|row| row.text(*status).is_some_and(|seen| statuses.iter().any(|wanted| wanted == seen)))
            }
            Self::StringAttribute { attribute, values } => {
                rows.any(|row| row.text(*attribute).is_some_and(|seen| values.iter().any(|wanted| wanted == seen)))
            }
            Self::NumericAttribute { attribute, min, max } => rows.any(|row| {
                let value = row.real(*attribute).or_else(|| row.integer(*attribute).map(|value| value as f64));
                value.is_some_and(|value| (*min..=*max).contains(&value))
            }),
            Self::BooleanAttribute { attribute, value } => {
                rows.any(|row| row.integer(*attribute) == Some(i64::from(*value)))
            }
        }
    }
}
