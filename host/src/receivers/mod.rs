//! Where telemetry comes in: OTLP over gRPC, over HTTP, and from Kafka.
//!
//! A receiver turns its transport into `(signal, encoded request)`, hands that to the [`Intake`], and turns the answer
//! into the status that the OTLP specification names. It knows nothing of the stages.

pub mod auth;
mod body;
mod connection;
mod deadline;
mod exchange;
pub mod grpc;
pub mod health;
pub mod http;
mod json;
pub mod kafka;
mod renew;
mod server;
pub mod status;
pub mod tls;

use crate::stages::admit::{Admission, Lease};
use bytes::Bytes;
use std::fmt::Debug;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

pub use json::to_protobuf;
pub use server::{ServeError, Servers};

/// What a request carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Signal {
    /// Spans: `ExportTraceServiceRequest`.
    Traces,
    /// Log records: `ExportLogsServiceRequest`.
    Logs,
    /// Metrics: `ExportMetricsServiceRequest`.
    Metrics,
}

impl Signal {
    /// The word used in metrics, and the last part of the path of OTLP over HTTP.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Traces => "traces",
            Self::Logs => "logs",
            Self::Metrics => "metrics",
        }
    }
}

/// A request as it came, in protobuf, with its share of the bytes in flight.
#[derive(Debug)]
pub struct Received {
    /// What it carries.
    pub signal: Signal,
    /// The encoded request.
    pub bytes: Bytes,
    /// Given back when the request has been answered.
    pub lease: Lease,
    /// Who keeps it until nothing here can lose it any more; nobody where the answer is all that its sender waits for.
    pub origin: Option<Origin>,
}

/// Keeps a request where it came from. Where there is no log on disk that keeps it from then on, a clone of this is held
/// until every output has it.
pub type Origin = Arc<dyn Debug + Send + Sync>;

/// What was accepted of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accepted {
    /// Spans, log records or data points that were refused for good; a sender does not send them again.
    pub rejected: u64,
    /// Why; empty where nothing was rejected.
    pub message: String,
}

/// Why a request was not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is not what it says it is, and never will be.
    #[error("{0}")]
    Invalid(String),
    /// It is larger than the receiver's limit, and never will be smaller.
    #[error("the request is larger than {limit} bytes; send smaller batches")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// There is too much in work; the same request may be accepted later.
    #[error("{what}; send again later")]
    Overloaded {
        /// Which limit is reached.
        what: &'static str,
        /// How long to wait.
        retry_after: Duration,
    },
    /// It has not come whole in the time that it may take; a sender may be faster the next time.
    #[error("the request did not come whole within {within:?}; send again")]
    TooSlow {
        /// The time that it may take.
        within: Duration,
        /// How long to wait.
        retry_after: Duration,
    },
    /// It brings no token, or none that is right.
    #[error("{0}")]
    Unauthenticated(&'static str),
    /// The time that its sender gave it is over.
    #[error("the deadline of the sender has passed; send again")]
    Deadline,
    /// Something that the request needs does not work now.
    #[error("{what}; send again later")]
    Unavailable {
        /// What does not work.
        what: String,
        /// How long to wait.
        retry_after: Duration,
    },
}

/// What takes requests from receivers.
pub trait Intake: Send + Sync + 'static {
    /// The bound on bytes in flight, taken while a request is read.
    fn admission(&self) -> &Admission;

    /// Takes a request through the stages that decide whether it is accepted.
    fn accept(&self, received: Received) -> impl Future<Output = Result<Accepted, Refusal>> + Send;
}
