//! Where telemetry goes.
//!
//! ```text
//! queue ─▶ batch ─▶ sending (prepare, cut, again) ─▶ sink
//! ```
//!
//! The queue holds what waits. A [`Batch`] joins small deliveries. A [`Sending`] has them [prepared](Prepare) once, cuts
//! large ones, sends again what was not taken, and counts; all within the [`Limits`] of the output. A [`Sink`] is what remains for an output to
//! be: it makes one attempt to hand over one delivery, and says what became of it. Each output has a queue and workers
//! of its own, so that one that is slow or down costs the others nothing.
//!
//! A further output is a file with a [`Sink`], its section in `config/outputs.rs`, and a line where outputs are started.

mod answer;
mod batch;
pub mod clickhouse;
mod compress;
pub mod json_lines;
pub mod kafka;
pub mod langfuse;
pub mod loki;
pub mod otlp_grpc;
pub mod otlp_http;
pub mod parquet;
mod prepare;
pub mod prometheus;
pub mod prometheus_remote_write;
mod queue;
mod raw_codec;
mod retry;
mod rotation;
pub mod scores;
mod sending;
pub mod store;
mod tls;
pub(crate) mod wire;

pub use batch::Batch;
pub use prepare::{InDialect, Only, Prepare, Prepared};
pub use queue::{Body, Queue, Queued, Stopped, Worker, start};
pub use retry::Backoff;
pub use sending::{Sending, Shipment};

use crate::receivers::Signal;
use bytes::Bytes;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

/// An encoded OTLP request on its way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// What it carries.
    pub signal: Signal,
    /// The request in protobuf. Requests that are written one after the other are one request.
    pub bytes: Bytes,
    /// How many spans, log records or data points it has.
    pub items: u64,
}

/// Why a delivery was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// It may be taken later: the receiver is down, slow, or has too much to do. It is sent again after a wait.
    #[error("{why}")]
    Again {
        /// What went wrong.
        why: String,
        /// How long the receiver asked to wait, where it did.
        after: Option<Duration>,
    },
    /// It will never be taken. It is dropped and counted as `refused`.
    #[error("{why}")]
    Never {
        /// What went wrong.
        why: String,
    },
    /// It is larger than the receiver takes. Smaller parts are sent in its place; a single item that is refused so is
    /// dropped and counted as `too_large`.
    #[error("{why}")]
    TooLarge {
        /// What went wrong.
        why: String,
    },
}

/// What a sink wants to be given at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes of a delivery, as it is in protobuf. A single item may be larger: it is for the receiver to refuse.
    pub max_bytes: usize,
    /// Most spans, log records or data points of a delivery.
    pub max_items: u64,
    /// Whether small deliveries that wait become one, up to these limits.
    pub join: bool,
    /// Deliveries that may be under way at once. Where there is more than one, their order is not kept.
    pub num_consumers: usize,
}

impl Limits {
    /// One delivery at a time, as it comes.
    pub const AS_IT_COMES: Self = Self { max_bytes: usize::MAX, max_items: u64::MAX, join: false, num_consumers: 1 };
}

/// An output: makes one attempt to hand over one delivery.
///
/// What holds for all implementations:
/// - `send` returns within a time that the output's configuration bounds. It does not wait and try again; that is done
///   by its caller, who knows for how long.
/// - `Ok(rejected)` means that the receiver has it, and has what it is for to survive its own end, as far as the receiver
///   says so. `rejected` is the number of items that it turned away for good (partial success of OTLP).
/// - What was sent may be sent again after a crash, and parts of a delivery that failed in between too: a sink does not
///   answer with `Ok` before the receiver has, and leaves duplicates to be told by trace and span id.
/// - The future may be dropped at any await: what was not answered with `Ok` stays with the caller.
/// - Up to [`Limits::num_consumers`] calls run at once.
/// - A sink that wants rows rather than requests reads `delivery.bytes` with the `tollgate_otlp` crate.
pub trait Sink: Send + Sync + 'static {
    /// What it wants to be given at once. Asked once, at the start.
    fn limits(&self) -> Limits {
        Limits::AS_IT_COMES
    }

    /// How long a delivery waits for others to be joined with, up to the limits; zero for not at all. It is for outputs that
    /// write few large things, and they have one delivery under way at a time. Where a queue is half full nothing waits in it
    /// for more. Asked once, at the start.
    fn linger(&self) -> Duration {
        Duration::ZERO
    }

    /// What is done to each delivery before it is sent the first time; nothing where it goes as it is. Asked once, at the
    /// start.
    fn preparation(&self) -> Option<Arc<dyn Prepare>> {
        None
    }

    /// Sends a delivery once.
    fn send(&self, delivery: &Delivery) -> impl Future<Output = Result<u64, SendError>> + Send;
}

/// The error with what is under it: clients' own sentences hide the cause.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut under = error.source();
    while let Some(cause) = under {
        let more = cause.to_string();
        if !text.ends_with(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        under = cause.source();
    }
    text
}
