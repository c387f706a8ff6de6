//! Metrics of calls to models, and of all operations of agents.
//!
//! What a call is counted in depends on a few of its words. The series for each combination of these that was seen are held
//! together as a [`Track`], so that a call finds all of them by one hash and counts with a few additions.

mod instruments;
mod track;

use crate::exemplar::Origin;
use crate::family::cut;
use crate::registry::Registry;
use crate::table::Table;
use instruments::Instruments;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;
use track::{Key, Track};

/// Tracks that are held for each series that a family may have: calls that differ by error or source share most series.
const TRACKS: usize = 4;

/// Counts above this are what no provider reports: they are not exact in JSON, and would drown all others.
const MOST: u64 = (1 << 53) - 1;

/// Names under which calls are counted, besides those of Tollgate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// `gen_ai.client.*` of the OpenTelemetry GenAI conventions.
    Client,
    /// `gen_ai.client.inference.*`, which is to replace it.
    Inference,
    /// `llm_app_*`, which many dashboards use.
    LlmApp,
}

/// What of calls is counted.
#[derive(Clone, Debug, PartialEq)]
pub struct CallsOptions {
    /// Names under which calls are counted.
    pub names: Vec<Names>,
    /// What the names of the metrics of all operations begin with.
    pub namespace: String,
    /// Labels besides those of the conventions, as attributes.
    pub dimensions: Vec<String>,
    /// Upper bounds of the buckets of durations, in seconds; `None` has those of the conventions.
    pub seconds: Option<Vec<f64>>,
    /// Most exponential buckets of a histogram; 0 has none.
    pub max_size: usize,
    /// Whether spans are remembered as exemplars.
    pub exemplars: bool,
}

impl Default for CallsOptions {
    fn default() -> Self {
        Self {
            names: vec![Names::Client],
            namespace: "tollgate.operation".to_owned(),
            dimensions: Vec::new(),
            seconds: None,
            max_size: 160,
            exemplars: true,
        }
    }
}

/// A span of a GenAI operation. Texts that are not known are empty.
#[derive(Clone, Debug, Default)]
pub struct Call<'a> {
    /// `gen_ai.operation.name`.
    pub operation: &'a str,
    /// `gen_ai.provider.name`.
    pub provider: &'a str,
    /// `gen_ai.request.model`.
    pub request_model: &'a str,
    /// `gen_ai.response.model`.
    pub response_model: &'a str,
    /// `error.type`; empty where it did not fail.
    pub error_type: &'a str,
    /// Who says what it cost.
    pub cost_source: &'a str,
    /// Why it has no price.
    pub unpriced: &'a str,
    /// Values of the dimensions, in their order.
    pub dimensions: &'a [Cow<'a, str>],
    /// Whether it is one call to a model, whose tokens and cost count.
    pub billable: bool,
    /// Whether it stands for an operation of its own, rather than for one that another span stands for.
    pub operates: bool,
    /// How long it took, in nanoseconds.
    pub duration: Option<u64>,
    /// Nanoseconds until the first chunk of a streamed answer.
    pub first_chunk: Option<u64>,
    /// Tokens: input, output, and the parts of those: cache read, cache write, reasoning.
    pub tokens: [Option<u64>; 5],
    /// What it cost, in nano-dollars.
    pub cost: Option<u64>,
    /// The span.
    pub origin: Option<Origin>,
}

/// The metrics of calls.
#[derive(Debug)]
pub struct Calls {
    instruments: Instruments,
    tracks: Table<Track>,
    registry: Arc<Registry>,
    exemplars: bool,
}

impl Calls {
    /// Registers the metrics.
    #[must_use]
    pub fn new(registry: Arc<Registry>, options: &CallsOptions) -> Self {
        let bounds = registry.bounds();
        Self {
            instruments: Instruments::new(&registry, options),
            tracks: Table::new(bounds.max_series.saturating_mul(TRACKS)),
            registry,
            exemplars: options.exemplars,
        }
    }

    /// Counts a call. `now` is in nanoseconds since 1970.
    pub fn count(&self, call: &Call<'_>, now: u64) {
        let key = || {
            let words = [call.operation, call.provider, call.request_model, call.response_model];
            let more = [call.error_type, call.cost_source, call.unpriced];
            let roles = [if call.billable { "b" } else { "" }, if call.operates { "o" } else { "" }];
            let words = words.into_iter().chain(more).chain(roles);
            words.chain(call.dimensions.iter().map(AsRef::as_ref)).map(cut)
        };
        let origin = call.origin.as_ref().filter(|_| self.exemplars);
        let count = |track: &Track| track.count(&self.instruments, call, origin, now);
        let hash = self.tracks.hash(key());
        if self.tracks.find(hash, |track| track.is(key()), count).is_some() {
            return;
        }
        let new = || Track::new(Key::new(key()));
        if self.tracks.add(hash, |track| track.is(key()), new, count).is_none() {
            // No room: what is held makes way, since the words that come now are the ones that will come next.
            let gone = self.tracks.retain(|_| false, |_| true);
            self.instruments.tracks_forgotten.inc_by(gone);
            if self.tracks.add(hash, |track| track.is(key()), new, count).is_none() {
                count(&new());
            }
        }
    }

    /// Forgets what has been idle, so that its series can expire. To be called before a page is made.
    pub fn expire(&self, now: u64) {
        let Some(expiration) = self.registry.bounds().expiration else { return };
        let before = now.saturating_sub(nanos(expiration));
        // A track that goes says of its series when it was last used; those that stay hold theirs.
        self.tracks.retain(|track| track.last_used() >= before, |_| true);
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
