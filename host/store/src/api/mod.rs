//! Questions as the text behind an address's question mark, and answers as JSON, as docs/API.md has them.
//!
//! What answers HTTP hands over the text and sends what comes back; it holds no rule of its own.

mod calls;
mod cost;
mod live;
mod parameters;
mod parts;

pub use calls::{CallsAnswer, calls};
pub use cost::{CostAnswer, cost, is_grouped};
pub use live::{LiveAnswer, live};

use crate::error::StoreError;
use crate::query::Trace;
use crate::store::Store;

/// What an answer depends on besides the question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context {
    /// The time, in nanoseconds since 1970.
    pub now: u64,
    /// Whether a sampler stands before the store, so that calls may be missing.
    pub sampled: bool,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The question is wrong; the text says what to write.
    #[error("{0}")]
    Question(String),
    /// Nothing like that is held.
    #[error("{0}")]
    NotFound(String),
    /// The store cannot answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Refusal {
    /// The status of HTTP: 400, 404, 503 where the same question may be answered later, 500 for all else.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::Question(_) | Self::Store(StoreError::TooMany(_)) => 400,
            Self::NotFound(_) => 404,
            Self::Store(StoreError::TooSlow(_) | StoreError::Damaged(_)) => 503,
            Self::Store(_) => 500,
        }
    }
}

/// `GET /api/traces/{id}`: the spans of a trace whose id is given in hexadecimal.
///
/// # Errors
/// The text is no id, nothing of the trace is held, or the store cannot answer.
pub fn trace(store: &Store, id: &str) -> Result<Trace, Refusal> {
    let trace_id = parameters::trace_id("the trace id", id)?;
    store.trace(trace_id)?.ok_or_else(|| {
        Refusal::NotFound(format!(
            "no span of the trace {id} is held; it has not come, was sampled out, or was removed for its age or for room"
        ))
    })
}
