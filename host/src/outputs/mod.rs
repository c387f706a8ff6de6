//! Where telemetry goes. Each output has a bounded queue and a worker of its own, so that one that is slow or down
//! costs the others nothing.

pub mod json_lines;
pub mod otlp_http;
pub mod prometheus;
mod queue;
mod retry;

pub use queue::{Body, Queue, Queued, Worker, start};
pub use retry::Backoff;

use crate::receivers::Signal;
use bytes::Bytes;
use std::future::Future;
use std::time::Duration;

/// An encoded OTLP request on its way out.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// What it carries.
    pub signal: Signal,
    /// The request in protobuf.
    pub bytes: Bytes,
    /// How many spans, log records or data points it has.
    pub items: u64,
}

/// Why a delivery was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// It may be taken later.
    #[error("{why}")]
    Again {
        /// What went wrong.
        why: String,
        /// How long the receiver asked to wait, where it did.
        after: Option<Duration>,
    },
    /// It will never be taken.
    #[error("{why}")]
    Never {
        /// What went wrong.
        why: String,
    },
}

/// What an output does with one delivery.
pub trait Sink: Send + 'static {
    /// Most bytes of deliveries that are joined into one request.
    fn most_bytes(&self) -> usize {
        1 << 20
    }

    /// Sends it once. Gives how many of its items the receiver turned away for good.
    fn send(&mut self, delivery: &Delivery) -> impl Future<Output = Result<u64, SendError>> + Send;
}
