//! `sample:`: the sampler, and what waits for it. Keys are those of the Collector's `tail_sampling` processor and of
//! Refinery, where they have one for it.

use super::plugin::{OnError, Plugin};
use super::section::Section;
use super::stages::whole;
use std::time::Duration;

/// The sampler and the assembly of traces.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The sampler.
    pub plugin: Plugin,
    /// How long after its first span a trace is decided.
    pub decision_wait: Duration,
    /// How long after its root and all parents have come, where that is earlier.
    pub decision_wait_after_root_received: Duration,
    /// How long after its first span, where the parent of a call of a model, tool or agent has not come.
    pub max_open_wait: Duration,
    /// Most traces that wait for a decision.
    pub num_traces: usize,
    /// Most bytes of memory for what waits for a decision.
    pub max_bytes: u64,
    /// Bytes of memory from which on a trace is decided at once.
    pub maximum_trace_size_bytes: u64,
    /// Decisions remembered for spans that come late.
    pub decision_cache: DecisionCache,
    /// What happens when too much waits, beside early decisions; without it nothing.
    pub stress_relief: Option<StressRelief>,
}

/// Decisions remembered for spans that come late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecisionCache {
    /// Traces that were kept.
    pub sampled_cache_size: usize,
    /// Traces that were dropped.
    pub non_sampled_cache_size: usize,
}

/// When new traces are decided at once, by their ids alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StressRelief {
    /// Percentage of `max_bytes` from which on it is active.
    pub activation_level: u64,
    /// Percentage below which it ends.
    pub deactivation_level: u64,
    /// The shortest that it is active.
    pub minimum_activation_duration: Duration,
    /// Percentage of the traces that is kept.
    pub sampling_percentage: u64,
}

impl Sample {
    /// Whether nothing differs but who decides.
    #[must_use]
    pub fn is_same_but_for_the_plugin(&self, other: &Self) -> bool {
        Self { plugin: other.plugin.clone(), ..self.clone() } == *other
    }

    pub(super) fn read(root: &mut Section<'_>) -> Option<Self> {
        let mut section = root.section("sample")?;
        let Some(plugin) = section.section("plugin") else {
            section.problem("plugin", "is missing: the sampler, with its path");
            section.finish();
            return None;
        };
        let plugin = Plugin::read(plugin, OnError::OTHERS, OnError::Bypass);
        if plugin.on_error == OnError::Block {
            section.problem(
                "plugin",
                "on_error: a sampler cannot block, because its traces were acknowledged before; \
                 where it fails, traces are kept",
            );
        }
        let longest = Duration::ZERO..=Duration::from_secs(3600);
        let max_bytes = section.size("max_bytes", 256 << 20, (1 << 10)..=(1 << 40));
        let sample = Self {
            plugin,
            decision_wait: section.duration("decision_wait", Duration::from_secs(30), longest.clone()),
            decision_wait_after_root_received: section.duration(
                "decision_wait_after_root_received",
                Duration::from_secs(2),
                longest.clone(),
            ),
            max_open_wait: section.duration("max_open_wait", Duration::from_secs(120), longest),
            num_traces: whole(section.integer("num_traces", 50_000, 1..=10_000_000)),
            max_bytes,
            maximum_trace_size_bytes: section.size(
                "maximum_trace_size_bytes",
                (16 << 20).min(max_bytes),
                (1 << 10)..=max_bytes,
            ),
            decision_cache: DecisionCache::read(&mut section),
            stress_relief: StressRelief::read(&mut section),
        };
        section.finish();
        Some(sample)
    }
}

impl DecisionCache {
    fn read(sample: &mut Section<'_>) -> Self {
        let mut cache = Self { sampled_cache_size: 100_000, non_sampled_cache_size: 500_000 };
        if let Some(mut section) = sample.section("decision_cache") {
            let most = 0..=100_000_000;
            cache.sampled_cache_size = whole(section.integer("sampled_cache_size", 100_000, most.clone()));
            cache.non_sampled_cache_size = whole(section.integer("non_sampled_cache_size", 500_000, most));
            section.finish();
        }
        cache
    }
}

impl StressRelief {
    fn read(sample: &mut Section<'_>) -> Option<Self> {
        let mut section = sample.section("stress_relief")?;
        let activation_level = section.integer("activation_level", 90, 1..=100);
        let relief = Self {
            activation_level,
            deactivation_level: section.integer(
                "deactivation_level",
                activation_level.saturating_sub(15),
                0..=activation_level,
            ),
            minimum_activation_duration: section.duration(
                "minimum_activation_duration",
                Duration::from_secs(10),
                Duration::ZERO..=Duration::from_secs(3600),
            ),
            sampling_percentage: section.integer("sampling_percentage", 10, 0..=100),
        };
        section.finish();
        Some(relief)
    }
}
