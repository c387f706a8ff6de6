//! The series of the calls that share all words.

use super::instruments::{Instruments, LlmApp, Operations};
use super::{Call, MOST};
use crate::exemplar::Origin;
use crate::family::{Family, Handle, Metric};
use crate::histogram::Distribution;
use crate::value::Sum;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use tollgate_semconv::{attribute, token_type};

/// Kinds of tokens, as labels. Those behind the first two are parts of them, and have no word in the conventions.
const KINDS: [&str; 5] = [token_type::INPUT, token_type::OUTPUT, "cache_read", "cache_write", "reasoning"];

/// The words, in the order in which [`Calls::count`](super::Calls::count) gives them.
#[derive(Debug)]
pub(super) struct Key(Box<[Box<str>]>);

/// Names of labels and their values.
type Labels<'k> = Vec<(&'k str, &'k str)>;

impl Key {
    pub(super) fn new<'k>(words: impl Iterator<Item = &'k str>) -> Self {
        Self(words.map(Into::into).collect())
    }

    fn word(&self, place: usize) -> &str {
        self.0.get(place).map_or("", |word| word)
    }

    /// The labels of the conventions, then those of the user's.
    fn labels<'k>(&'k self, dimensions: &'k [String], response_model: bool) -> Labels<'k> {
        let mut labels = vec![
            (attribute::GEN_AI_OPERATION_NAME, self.word(0)),
            (attribute::GEN_AI_PROVIDER_NAME, self.word(1)),
            (attribute::GEN_AI_REQUEST_MODEL, self.word(2)),
        ];
        if response_model {
            labels.push((attribute::GEN_AI_RESPONSE_MODEL, self.word(3)));
        }
        labels.extend(self.dimensions(dimensions));
        labels
    }

    /// The labels of `llm_app_*`.
    fn short_labels<'k>(&'k self, dimensions: &'k [String]) -> Labels<'k> {
        let labels = [("model", self.word(2)), ("provider", self.word(1)), ("operation", self.word(0))];
        labels.into_iter().chain(self.dimensions(dimensions)).collect()
    }

    fn dimensions<'k>(&'k self, names: &'k [String]) -> impl Iterator<Item = (&'k str, &'k str)> {
        names.iter().zip(self.0.iter().skip(9)).map(|(name, value)| (name.as_str(), &**value))
    }

    fn error_type(&self) -> (&'static str, &str) {
        (attribute::ERROR_TYPE, self.word(4))
    }

    fn cost_source(&self) -> (&'static str, &str) {
        ("source", self.word(5))
    }

    fn unpriced(&self) -> (&'static str, &str) {
        ("reason", self.word(6))
    }
}

/// A series that is looked for when something is first counted in it.
#[derive(Debug)]
struct Slot<M>(OnceLock<Handle<M>>);

impl<M> Default for Slot<M> {
    fn default() -> Self {
        Self(OnceLock::new())
    }
}

impl<M: Metric> Slot<M> {
    fn get<'k>(&self, family: &Family<M>, labels: impl FnOnce() -> Labels<'k>) -> &Handle<M> {
        self.0.get_or_init(|| family.with(labels()))
    }

    fn used(&self, time: u64) {
        if let Some(handle) = self.0.get() {
            handle.used(time);
        }
    }
}

/// The series of the calls that share all words.
#[derive(Debug)]
pub(super) struct Track {
    key: Key,
    used: AtomicU64,
    calls: Slot<Sum>,
    errors: Slot<Sum>,
    duration: Slot<Distribution>,
    /// Only where it is a call to a model.
    billable: Option<Box<Billable>>,
}

/// The series of calls to models.
#[derive(Debug, Default)]
struct Billable {
    token_usage: [Slot<Distribution>; 2],
    duration: Slot<Distribution>,
    first_chunk: Slot<Distribution>,
    inference_duration: Slot<Distribution>,
    inference_first_chunk: Slot<Distribution>,
    inference_usage: [Slot<Sum>; 5],
    inference_distribution: [Slot<Distribution>; 2],
    app_calls: Slot<Sum>,
    app_cost: Slot<Sum>,
    app_tokens: [Slot<Distribution>; 2],
    tokens: [Slot<Sum>; 5],
    cost_usd: Slot<Sum>,
    cost_nano_usd: Slot<Sum>,
    unpriced: Slot<Sum>,
}

impl Track {
    pub(super) fn new(key: Key) -> Self {
        let billable = (!key.word(7).is_empty()).then(Box::default);
        Self {
            key,
            used: AtomicU64::new(0),
            calls: Slot::default(),
            errors: Slot::default(),
            duration: Slot::default(),
            billable,
        }
    }

    pub(super) fn is<'k>(&self, words: impl Iterator<Item = &'k str>) -> bool {
        self.key.0.iter().map(|word| &**word).eq(words)
    }

    pub(super) fn last_used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    pub(super) fn count(&self, to: &Instruments, call: &Call<'_>, origin: Option<&Origin>, now: u64) {
        self.used.fetch_max(now, Ordering::Relaxed);
        if call.operates {
            self.operation(&to.operations, &to.dimensions, call, origin);
        }
        if let Some(billable) = &self.billable {
            billable.tokens(&self.key, to, call, origin);
            billable.cost(&self.key, to, call, origin);
            billable.times(&self.key, to, call, origin);
            if let Some(app) = &to.llm_app {
                billable.llm_app(&self.key, app, &to.dimensions, call, origin);
            }
        }
    }

    fn operation(&self, to: &Operations, dimensions: &[String], call: &Call<'_>, origin: Option<&Origin>) {
        let labels = || self.key.labels(dimensions, false);
        self.calls.get(&to.calls, labels).inc_from(1, origin);
        if !call.error_type.is_empty() {
            self.errors.get(&to.errors, || with(labels(), self.key.error_type())).inc_from(1, origin);
        }
        if let Some(duration) = call.duration {
            self.duration.get(&to.duration, labels).observe(duration, origin);
        }
    }
}

impl Billable {
    fn tokens(&self, key: &Key, to: &Instruments, call: &Call<'_>, origin: Option<&Origin>) {
        let labels = |kind| with(key.labels(&to.dimensions, true), (attribute::GEN_AI_TOKEN_TYPE, kind));
        let modal = || with(key.labels(&to.dimensions, true), (attribute::GEN_AI_TOKEN_MODALITY, "unknown"));
        for (place, kind) in KINDS.into_iter().enumerate() {
            let Some(tokens) = call.tokens.get(place).copied().flatten() else { continue };
            if tokens > MOST {
                to.impossible.inc();
                continue;
            }
            if let Some(slot) = self.tokens.get(place) {
                slot.get(&to.tokens, || labels(kind)).inc_by(tokens);
            }
            if let Some((client, slot)) = to.client.as_ref().zip(self.token_usage.get(place)) {
                slot.get(&client.token_usage, || labels(kind)).observe(tokens, origin);
            }
            if let Some(inference) = &to.inference {
                if let Some((slot, family)) = self.inference_usage.get(place).zip(inference.usage.get(place)) {
                    slot.get(family, modal).inc_by(tokens);
                }
                let distribution = self.inference_distribution.get(place).zip(inference.distribution.get(place));
                if let Some((slot, family)) = distribution {
                    slot.get(family, || key.labels(&to.dimensions, true)).observe(tokens, origin);
                }
            }
        }
    }

    fn cost(&self, key: &Key, to: &Instruments, call: &Call<'_>, origin: Option<&Origin>) {
        let labels = || key.labels(&to.dimensions, true);
        match call.cost {
            Some(cost) if cost > MOST => to.impossible.inc(),
            Some(cost) => {
                let labels = || with(labels(), key.cost_source());
                self.cost_usd.get(&to.cost_usd, labels).inc_from(cost, origin);
                self.cost_nano_usd.get(&to.cost_nano_usd, labels).inc_by(cost);
            }
            None if !call.unpriced.is_empty() => {
                self.unpriced.get(&to.unpriced, || with(labels(), key.unpriced())).inc_from(1, origin);
            }
            None => {}
        }
    }

    fn times(&self, key: &Key, to: &Instruments, call: &Call<'_>, origin: Option<&Origin>) {
        let labels = || key.labels(&to.dimensions, true);
        let failed = || with(labels(), key.error_type());
        if let Some(client) = &to.client {
            if let Some(nanos) = call.first_chunk {
                self.first_chunk.get(&client.first_chunk, labels).observe(nanos, origin);
            }
            if let Some(nanos) = call.duration {
                self.duration.get(&client.duration, failed).observe(nanos, origin);
            }
        }
        if let Some(inference) = &to.inference {
            if let Some(nanos) = call.first_chunk {
                self.inference_first_chunk.get(&inference.first_chunk, labels).observe(nanos, origin);
            }
            if let Some(nanos) = call.duration {
                self.inference_duration.get(&inference.duration, failed).observe(nanos, origin);
            }
        }
    }

    fn llm_app(&self, key: &Key, to: &LlmApp, dimensions: &[String], call: &Call<'_>, origin: Option<&Origin>) {
        let labels = || key.short_labels(dimensions);
        self.app_calls.get(&to.calls, labels).inc_from(1, origin);
        if let Some(cost) = call.cost.filter(|cost| *cost <= MOST) {
            self.app_cost.get(&to.cost, labels).inc_from(cost, origin);
        }
        for ((slot, kind), tokens) in self.app_tokens.iter().zip(KINDS).zip(call.tokens) {
            if let Some(tokens) = tokens.filter(|tokens| *tokens <= MOST) {
                slot.get(&to.tokens, || with(labels(), ("type", kind))).observe(tokens, origin);
            }
        }
    }
}

/// Series do not expire while a track holds them; when it goes they are as old as it is.
impl Drop for Track {
    fn drop(&mut self) {
        let used = self.last_used();
        self.calls.used(used);
        self.errors.used(used);
        self.duration.used(used);
        let Some(billable) = &self.billable else { return };
        let Billable { token_usage, inference_usage, inference_distribution, app_tokens, tokens, .. } = &**billable;
        let distributions = token_usage.iter().chain(inference_distribution).chain(app_tokens).chain([
            &billable.duration,
            &billable.first_chunk,
            &billable.inference_duration,
            &billable.inference_first_chunk,
        ]);
        distributions.for_each(|slot| slot.used(used));
        let sums = inference_usage.iter().chain(tokens).chain([
            &billable.app_calls,
            &billable.app_cost,
            &billable.cost_usd,
            &billable.cost_nano_usd,
            &billable.unpriced,
        ]);
        sums.for_each(|slot| slot.used(used));
    }
}

fn with<'k>(mut labels: Labels<'k>, label: (&'k str, &'k str)) -> Labels<'k> {
    labels.push(label);
    labels
}
