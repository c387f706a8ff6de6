//! `admit:`, `memory:`, `link:` and `shutdown:`.

use super::section::Section;
use std::time::Duration;

/// What refused senders are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admit {
    /// How long a refused sender is asked to wait.
    pub retry_after: Duration,
}

impl Admit {
    pub(super) fn read(root: &mut Section<'_>) -> Self {
        let mut admit = Self { retry_after: Duration::from_secs(1) };
        if let Some(mut section) = root.section("admit") {
            let range = Duration::from_secs(1)..=Duration::from_secs(300);
            admit.retry_after = section.duration("retry_after", admit.retry_after, range);
            section.finish();
        }
        admit
    }
}

/// The ceiling for memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Most memory of the process, in bytes.
    pub limit: u64,
    /// Most bytes of telemetry that is buffered; where it is not set it follows from the limit.
    pub buffers: Option<u64>,
}

impl Memory {
    pub(super) fn read(root: &mut Section<'_>) -> Self {
        let mut memory = Self { limit: 512 << 20, buffers: None };
        if let Some(mut section) = root.section("memory") {
            memory.limit = section.size("limit", memory.limit, (64 << 20)..=(1 << 40));
            let is_set = section.node("buffers").is_some();
            memory.buffers = is_set.then(|| section.size("buffers", memory.limit / 2, (1 << 10)..=(1 << 40)));
            section.finish();
        }
        memory
    }

    /// Most bytes of telemetry that is buffered, by a process that has `resident` bytes before there is any, and tables that
    /// may grow to `tables` bytes. A fifth of what is left is for what is not counted byte by byte: the allocator's gaps,
    /// buffers of connections, and what plugins take while they work.
    #[must_use]
    pub fn budget(&self, resident: u64, tables: u64) -> u64 {
        let left = self.limit.saturating_sub(resident).saturating_sub(tables).saturating_sub(self.spare()) / 5 * 4;
        self.buffers.unwrap_or(left.max(self.limit / 8))
    }

    /// Linear memory that all instances of plugins together may keep between calls, in bytes.
    #[must_use]
    pub fn spare(&self) -> u64 {
        self.limit / 16
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
