//! What is counted for each provider, operation and model.

use super::PREFIX;
use crate::proxy::MetricKind;
use tollgate_call::{Outcome, UsageSource};

/// One of the numbers of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(super) enum Measure {
    Complete,
    ClientAborted,
    UpstreamAborted,
    TimedOut,
    Errors,
    InputTokens,
    OutputTokens,
    CacheReadTokens,
    CacheWriteTokens,
    ReasoningTokens,
    UsageReported,
    UsagePartial,
    UsageAborted,
    UsageEstimated,
    UsageMissing,
    Cost,
    Unpriced,
    TimeToFirstChunk,
    Duration,
}

/// How many measures there are.
pub(super) const MEASURES: usize = Measure::Duration as usize + 1;

impl Measure {
    /// Every measure, in order.
    pub(super) const ALL: [Self; MEASURES] = [
        Self::Complete,
        Self::ClientAborted,
        Self::UpstreamAborted,
        Self::TimedOut,
        Self::Errors,
        Self::InputTokens,
        Self::OutputTokens,
        Self::CacheReadTokens,
        Self::CacheWriteTokens,
        Self::ReasoningTokens,
        Self::UsageReported,
        Self::UsagePartial,
        Self::UsageAborted,
        Self::UsageEstimated,
        Self::UsageMissing,
        Self::Cost,
        Self::Unpriced,
        Self::TimeToFirstChunk,
        Self::Duration,
    ];

    /// The whole name of the metric of a series.
    pub(super) fn told_as(self, labels: &str) -> String {
        let (name, last) = self.name();
        [PREFIX, name, labels, last].concat()
    }

    /// Name and last label.
    pub(super) const fn name(self) -> (&'static str, &'static str) {
        match self {
            Self::Complete => ("calls", ";outcome=complete"),
            Self::ClientAborted => ("calls", ";outcome=client_aborted"),
            Self::UpstreamAborted => ("calls", ";outcome=upstream_aborted"),
            Self::TimedOut => ("calls", ";outcome=timed_out"),
            Self::Errors => ("errors", ""),
            Self::InputTokens => ("tokens", ";kind=input"),
            Self::OutputTokens => ("tokens", ";kind=output"),
            Self::CacheReadTokens => ("tokens", ";kind=cache_read"),
            Self::CacheWriteTokens => ("tokens", ";kind=cache_write"),
            Self::ReasoningTokens => ("tokens", ";kind=reasoning"),
            Self::UsageReported => ("usage", ";source=reported"),
            Self::UsagePartial => ("usage", ";source=partial"),
            Self::UsageAborted => ("usage", ";source=aborted"),
            Self::UsageEstimated => ("usage", ";source=estimated"),
            Self::UsageMissing => ("usage", ";source=missing"),
            Self::Cost => ("cost_nano_usd", ""),
            Self::Unpriced => ("unpriced", ""),
            Self::TimeToFirstChunk => ("time_to_first_chunk_ms", ""),
            Self::Duration => ("duration_ms", ""),
        }
    }

    pub(super) const fn kind(self) -> MetricKind {
        match self {
            Self::TimeToFirstChunk | Self::Duration => MetricKind::Histogram,
            _ => MetricKind::Counter,
        }
    }

    pub(super) const fn of_outcome(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Complete => Self::Complete,
            Outcome::ClientAborted => Self::ClientAborted,
            Outcome::UpstreamAborted => Self::UpstreamAborted,
            Outcome::TimedOut => Self::TimedOut,
        }
    }

    pub(super) const fn of_source(source: Option<UsageSource>) -> Self {
        match source {
            Some(UsageSource::Reported) => Self::UsageReported,
            Some(UsageSource::Partial) => Self::UsagePartial,
            Some(UsageSource::Aborted) => Self::UsageAborted,
            Some(UsageSource::Estimated) => Self::UsageEstimated,
            None => Self::UsageMissing,
        }
    }
}
