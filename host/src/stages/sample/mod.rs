//! Stage 5, sample: traces are put together, decided whole, and kept or dropped. They have been metered before.
//!
//! A trace is decided a little after its root and all parents have come, or when it has waited long enough, or earlier
//! where a bound is reached: it is never thrown away undecided. Spans that come after the decision follow it.
//!
//! What waits and what was decided is behind one lock, which is held for the bookkeeping alone. The sampler is asked
//! outside of it; a trace that is being decided is marked, and spans that come meanwhile wait for the answer.

mod annotate;
mod ask;
mod assembly;
mod decisions;
mod fragment;
mod lineage;
mod stress;

pub(crate) use ask::ask;
pub use assembly::{Assembly, Bounds, Early, Trace, TraceId};
pub use decisions::{Decision, Decisions, Late, Rule, Sizes};
pub use fragment::{Arrival, Fragment, Place, fragments};
pub use stress::StressRelief;

use super::Exchange;
use super::deliver::Deliver;
use super::log::Receipt;
use super::plugin::{Hosted, Sampler};
use crate::config;
use crate::memory::{Memory, Share, Use};
use crate::metrics::Metrics;
use crate::receivers::Signal;
use annotate::Decided;
use bytes::Bytes;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};
use stress::Stress;
use tollgate_otlp::{Reads, ReadsError};
use tollgate_sampler::head::{self, Ratio};

/// Traces that are decided in one call of the sampler.
const TRACES_A_CALL: usize = 512;
/// Bytes of their spans after which no further trace is added to a call.
const BYTES_A_CALL: u64 = 8 << 20;

/// How the stage works.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How long and how much waits.
    pub bounds: Bounds,
    /// How many decisions are remembered.
    pub decisions: Sizes,
    /// What happens when too much waits, beside early decisions.
    pub stress: Option<StressRelief>,
}

impl Settings {
    /// The settings of a configuration.
    #[must_use]
    pub fn of(config: &config::Sample) -> Self {
        let percent = |percent: u64| percent as f64 / 100.0;
        Self {
            bounds: Bounds {
                wait: config.decision_wait,
                wait_complete: config.decision_wait_after_root_received,
                wait_open: config.max_open_wait,
                traces: config.num_traces,
                bytes: config.max_bytes,
                trace_bytes: config.maximum_trace_size_bytes,
            },
            decisions: Sizes {
                sampled: config.decision_cache.sampled_cache_size,
                non_sampled: config.decision_cache.non_sampled_cache_size,
            },
            stress: config.stress_relief.map(|relief| StressRelief {
                activation: percent(relief.activation_level),
                deactivation: percent(relief.deactivation_level),
                minimum: relief.minimum_activation_duration,
                ratio: Ratio::new(percent(relief.sampling_percentage)).unwrap_or(Ratio::NEVER),
            }),
        }
    }
}

/// The stage: what waits, what was decided, and who decides.
#[derive(Debug)]
pub struct Sample {
    decider: Exchange<Decider>,
    state: Mutex<State>,
    most_bytes: u64,
    /// One moment by both clocks: that which waiting is measured by, and that which the sampler is told.
    moment: (Instant, u64),
    deliver: Arc<Deliver>,
    memory: Memory,
    metrics: Metrics,
}

/// Who decides, and what of the spans.
#[derive(Debug)]
struct Decider {
    sampler: Hosted<dyn Sampler>,
    reads: Reads,
}

impl Decider {
    fn new(sampler: Hosted<dyn Sampler>) -> Result<Arc<Self>, ReadsError> {
        let reads = Reads::compile(&sampler.plugin().manifest().reads)?;
        Ok(Arc::new(Self { sampler, reads }))
    }

    /// The names of its rules.
    fn rules(&self) -> &[String] {
        &self.sampler.plugin().manifest().rules
    }
}

#[derive(Debug)]
struct State {
    assembly: Assembly,
    decisions: Decisions,
    stress: Stress,
    /// The memory of what waits.
    share: Share,
}

impl Sample {
    /// A stage with these settings.
    ///
    /// # Errors
    /// The manifest names something that cannot be read of a span.
    pub fn new(
        sampler: Hosted<dyn Sampler>,
        settings: Settings,
        deliver: Arc<Deliver>,
        memory: &Memory,
        metrics: &Metrics,
    ) -> Result<Self, ReadsError> {
        let decider = Exchange::new(Decider::new(sampler)?);
        let state = State {
            assembly: Assembly::new(settings.bounds),
            decisions: Decisions::new(settings.decisions),
            stress: Stress::new(settings.stress),
            share: memory.hold(Use::Traces, 0),
        };
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let moment = (Instant::now(), u64::try_from(since.as_nanos()).unwrap_or(u64::MAX));
        let most_bytes = settings.bounds.bytes;
        let (state, memory, metrics) = (Mutex::new(state), memory.clone(), metrics.clone());
        Ok(Self { decider, state, most_bytes, moment, deliver, memory, metrics })
    }

    /// Puts another sampler in the place of this one. What waits is decided by it; what was decided stays so.
    ///
    /// # Errors
    /// The manifest names something that cannot be read of a span.
    pub fn exchange(&self, sampler: Hosted<dyn Sampler>) -> Result<(), ReadsError> {
        let decider = Decider::new(sampler)?;
        self.with_state(|state| {
            if decider.rules() != self.decider.now().rules() {
                state.decisions.forget_rules();
            }
            self.decider.exchange(decider);
        });
        Ok(())
    }

    /// Takes the spans of a request. Where they are too much, whoever brought them decides what has to go.
    pub fn add(&self, request: &Bytes, receipt: &Receipt, now: Instant) {
        let arrivals = fragments(request, receipt);
        let decider = self.decider.now();
        let mut decided = Vec::new();
        let large: Vec<Trace> = self.with_state(|state| {
            let level = state.assembly.bytes() as f64 / self.most_bytes.max(1) as f64;
            let relief = state.stress.ratio(level, now);
            arrivals.into_iter().filter_map(|arrival| self.arrive(state, arrival, relief, now, &mut decided)).collect()
        });
        self.part(&decider, decided);
        self.count_early(large.len(), Early::TraceSize);
        self.decide(large, now);
        self.drain(now, |assembly| {
            let (trace, early) = assembly.excess()?;
            self.count_early(1, early);
            Some(trace)
        });
    }

    /// Decides the traces that are due.
    pub fn tick(&self, now: Instant) {
        self.drain(now, |assembly| assembly.due(now));
    }

    /// Decides everything that waits: the process is ending.
    pub fn flush(&self) {
        self.drain(Instant::now(), Assembly::first);
    }

    /// Puts spans where they belong: behind a decision, or to their trace. Gives a trace that has become too large.
    fn arrive(
        &self,
        state: &mut State,
        arrival: Arrival,
        relief: Option<Ratio>,
        now: Instant,
        decided: &mut Vec<Decided>,
    ) -> Option<Trace> {
        match state.decisions.of(&arrival.trace) {
            Some(late) => {
                self.metrics.sampling_late_spans.inc_by(count(arrival.fragment.spans));
                let decision = match late {
                    Late::Kept(decision) => decision,
                    // What was dropped stays dropped; by what is not remembered, and does not matter.
                    Late::Dropped => Decision { keep: false, rule: Rule::SamplerFailed, ratio: None },
                };
                decided.push((arrival.fragment, decision));
                None
            }
            None => match relief {
                Some(ratio) if !state.assembly.knows(&arrival.trace) => {
                    let randomness = arrival.randomness.unwrap_or_else(|| head::randomness(arrival.trace));
                    let keep = ratio.keeps(randomness);
                    let decision = Decision { keep, rule: Rule::StressRelief, ratio: Some(ratio) };
                    self.count_decision(&self.decider.now(), decision);
                    state.decisions.remember(arrival.trace, decision);
                    decided.push((arrival.fragment, decision));
                    None
                }
                _ => state.assembly.add(arrival, now),
            },
        }
    }

    /// Takes and decides portions until there are none.
    fn drain(&self, now: Instant, mut take: impl FnMut(&mut Assembly) -> Option<Trace>) {
        loop {
            let traces = self.with_state(|state| {
                let (mut traces, mut bytes) = (Vec::new(), 0);
                while traces.len() < TRACES_A_CALL && bytes < BYTES_A_CALL {
                    let Some(trace) = take(&mut state.assembly) else { break };
                    bytes += trace.bytes;
                    traces.push(trace);
                }
                traces
            });
            if traces.is_empty() {
                return;
            }
            self.decide(traces, now);
        }
    }

    /// Asks the sampler about traces that were taken, and deals with them. Where it fails they are kept.
    fn decide(&self, traces: Vec<Trace>, now: Instant) {
        if traces.is_empty() {
            return;
        }
        let decider = self.decider.now();
        let at = self.time(now);
        let asked = decider.sampler.call(Duration::ZERO, |sampler| ask(sampler, &decider.reads, &traces, at));
        let verdicts = asked.ok().flatten().unwrap_or_default();
        let failed = Decision { keep: true, rule: Rule::SamplerFailed, ratio: Some(Ratio::ALWAYS) };
        let decisions: Vec<Decision> =
            (0..traces.len()).map(|index| verdicts.get(index).copied().unwrap_or(failed)).collect();
        // They wait no longer, and are there until all that is kept is written anew.
        let _parting = self.memory.hold(Use::Traces, traces.iter().map(|trace| trace.bytes).sum());
        let late = self.with_state(|state| {
            let release = |(trace, decision): (&Trace, &Decision)| {
                state.decisions.remember(trace.id, *decision);
                state.assembly.release(trace)
            };
            traces.iter().zip(&decisions).map(release).collect::<Vec<_>>()
        });
        let mut decided = Vec::new();
        for ((trace, late), decision) in traces.into_iter().zip(late).zip(decisions) {
            self.count_decision(&decider, decision);
            self.metrics.sampling_late_spans.inc_by(count(late.iter().map(|fragment| fragment.spans).sum()));
            decided.extend(trace.fragments.into_iter().chain(late).map(|fragment| (fragment, decision)));
        }
        self.part(&decider, decided);
    }

    /// Delivers what is kept, with the decision written on it, and counts what is dropped.
    fn part(&self, decider: &Decider, decided: Vec<Decided>) {
        let (kept, dropped): (Vec<_>, Vec<_>) = decided.into_iter().partition(|(_, decision)| decision.keep);
        let lost: usize = dropped.iter().map(|(fragment, _)| fragment.spans).sum();
        if lost > 0 {
            self.metrics.spans_dropped.with(vec![("reason", "sampled".to_owned())]).inc_by(count(lost));
        }
        drop(dropped);
        for portion in annotate::portions(kept) {
            let spans = portion.iter().map(|(fragment, _)| fragment.spans).sum();
            let bytes = annotate::annotated(&portion, decider.rules());
            let receipts = portion.into_iter().map(|(fragment, _)| fragment.receipt).collect();
            self.deliver.deliver(Signal::Traces, bytes, spans, receipts);
        }
    }

    fn with_state<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let result = work(&mut state);
        let bytes = state.assembly.bytes();
        state.share.set(bytes);
        let gauge = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        self.metrics.sampling_pending_traces.set(gauge(state.assembly.traces()));
        self.metrics.sampling_pending_bytes.set(i64::try_from(bytes).unwrap_or(i64::MAX));
        self.metrics.sampling_stress_relief.set(i64::from(state.stress.is_active()));
        let (kept, dropped) = state.decisions.len();
        self.metrics.sampling_remembered.set(gauge(kept + dropped));
        result
    }

    /// Nanoseconds since 1970 at a moment. They run as evenly as the moments do, whatever is done to the clock.
    fn time(&self, now: Instant) -> u64 {
        let (started, since) = self.moment;
        let passed = now.saturating_duration_since(started).as_nanos();
        since.saturating_add(u64::try_from(passed).unwrap_or(u64::MAX))
    }

    fn count_decision(&self, decider: &Decider, decision: Decision) {
        let rule = annotate::name(decision.rule, decider.rules());
        let verdict = if decision.keep { "keep" } else { "drop" };
        self.metrics.sampling_decisions.with(vec![("rule", rule.to_owned()), ("verdict", verdict.to_owned())]).inc();
    }

    fn count_early(&self, traces: usize, early: Early) {
        if traces > 0 {
            self.metrics.sampling_evicted.with(vec![("reason", early.as_str().to_owned())]).inc_by(count(traces));
        }
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
