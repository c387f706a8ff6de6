//! What the engine allows its plugins.

use std::time::Duration;

/// Limits of the engine. Every plugin gets the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineConfig {
    /// Largest component that is loaded, in bytes. Default 32 MiB.
    pub component_bytes: usize,
    /// Most linear memory of an instance, in bytes. Default 64 MiB.
    pub memory_bytes: usize,
    /// Linear memory that an instance may keep between calls, in bytes, beyond what it had when it was configured. Linear
    /// memory does not shrink, so an instance that took more for a call is replaced by a fresh one. Default 16 MiB.
    pub spare_bytes: usize,
    /// Most bytes that one call may hand to the host. Default 32 MiB.
    pub result_bytes: usize,
    /// Most instances alive at once, over all plugins: one for each handle that is in use. Each reserves address
    /// space (about 4 GiB) but only the memory that it touches. Default 128.
    pub instances: u32,
    /// Time to instantiate and configure. Default 5 s.
    pub configure_deadline: Duration,
    /// Time for a call, whatever its size. Default 500 ms.
    pub deadline: Duration,
    /// Time for a call in addition, for each item (span, text, trace) that it is about. Default 50 us.
    pub deadline_per_item: Duration,
    /// Time for a call in addition, for each KiB that it is given. Default 50 us, that is, 20 MB/s.
    pub deadline_per_kib: Duration,
    /// How exactly deadlines are kept: a call is stopped at most this much too late. Default 5 ms.
    pub tick: Duration,
    /// Calls after which an instance is replaced by a fresh one, so that nothing a plugin keeps lives for ever.
    /// Default 10,000.
    pub calls_per_instance: u32,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            component_bytes: 32 << 20,
            memory_bytes: 64 << 20,
            spare_bytes: 16 << 20,
            result_bytes: 32 << 20,
            instances: 128,
            configure_deadline: Duration::from_secs(5),
            deadline: Duration::from_millis(500),
            deadline_per_item: Duration::from_micros(50),
            deadline_per_kib: Duration::from_micros(50),
            tick: Duration::from_millis(5),
            calls_per_instance: 10_000,
        }
    }
}

impl EngineConfig {
    /// Time for a call about `items`, given `bytes`.
    #[must_use]
    pub fn deadline_of(&self, items: u32, bytes: usize) -> Duration {
        let kib = u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX);
        let per_item = self.deadline_per_item.saturating_mul(items);
        let per_kib = self.deadline_per_kib.saturating_mul(kib);
        self.deadline.saturating_add(per_item).saturating_add(per_kib)
    }

    /// A deadline in ticks of the epoch, never less than two: the first tick may come at once.
    pub(crate) fn ticks(&self, deadline: Duration) -> u64 {
        let tick = self.tick.as_nanos().max(1);
        u64::try_from(deadline.as_nanos().div_ceil(tick)).unwrap_or(u64::MAX).clamp(1, 1 << 40) + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_grow_with_the_batch() {
        let config = EngineConfig::default();
        assert_eq!(config.deadline_of(0, 0), Duration::from_millis(500));
        assert_eq!(config.deadline_of(1000, 0), Duration::from_millis(550));
        assert_eq!(config.deadline_of(0, 1 << 20), Duration::from_micros(551_200));
        assert!(config.deadline_of(u32::MAX, usize::MAX) > config.deadline);
    }

    #[test]
    fn a_deadline_is_at_least_two_ticks_and_never_wraps() {
        let config = EngineConfig::default();
        assert_eq!(config.ticks(Duration::ZERO), 2);
        assert_eq!(config.ticks(Duration::from_millis(500)), 101);
        assert_eq!(config.ticks(Duration::MAX), (1 << 40) + 1);
        let config = EngineConfig { tick: Duration::ZERO, ..config };
        assert_eq!(config.ticks(Duration::from_nanos(3)), 4);
    }
}
