//! `admit:`, `link:`, `meter:` and `shutdown:`.

use super::section::Section;
use std::time::Duration;

/// How much may be in work at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admit {
    /// Most bytes of requests that were received and not yet answered.
    pub max_bytes_in_flight: u64,
    /// How long a refused sender is asked to wait.
    pub retry_after: Duration,
}

impl Admit {
    pub(super) fn read(root: &mut Section<'_>) -> Self {
        let mut admit = Self { max_bytes_in_flight: 256 << 20, retry_after: Duration::from_secs(1) };
        if let Some(mut section) = root.section("admit") {
            admit.max_bytes_in_flight =
                section.size("max_bytes_in_flight", admit.max_bytes_in_flight, (1 << 10)..=(1 << 40));
            let range = Duration::from_secs(1)..=Duration::from_secs(300);
            admit.retry_after = section.duration("retry_after", admit.retry_after, range);
            section.finish();
        }
        admit
    }
}

/// What is remembered of calls, to find those that are reported twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// Most response ids and spans that are remembered; 0 links none.
    pub max_entries: usize,
    /// How long each is remembered.
    pub ttl: Duration,
}

impl Link {
    pub(super) fn read(root: &mut Section<'_>) -> Self {
        let mut link = Self { max_entries: 100_000, ttl: Duration::from_secs(600) };
        if let Some(mut section) = root.section("link") {
            link.max_entries = whole(section.integer("max_entries", 100_000, 0..=10_000_000));
            link.ttl = section.duration("ttl", link.ttl, Duration::from_secs(1)..=Duration::from_secs(86_400));
            section.finish();
        }
        link
    }
}

/// Bounds of the metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meter {
    /// Most label combinations a metric; what comes after is counted under `other`.
    pub max_series: usize,
}

impl Meter {
    pub(super) fn read(root: &mut Section<'_>) -> Self {
        let mut meter = Self { max_series: 1_000 };
        if let Some(mut section) = root.section("meter") {
            meter.max_series = whole(section.integer("max_series", 1_000, 1..=1_000_000));
            section.finish();
        }
        meter
    }
}

/// How the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shutdown {
    /// How long waiting traces and full queues may take to flush.
    pub deadline: Duration,
}

impl Shutdown {
    pub(super) fn read(root: &mut Section<'_>) -> Self {
        let mut shutdown = Self { deadline: Duration::from_secs(10) };
        if let Some(mut section) = root.section("shutdown") {
            let range = Duration::ZERO..=Duration::from_secs(600);
            shutdown.deadline = section.duration("deadline", shutdown.deadline, range);
            section.finish();
        }
        shutdown
    }
}

pub(super) fn whole(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}
