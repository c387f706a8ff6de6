//! Why a run stops. A figure of traffic that was harmed is worth nothing, so nothing is measured on past one of these.

use std::path::PathBuf;

/// What went wrong, and where.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// A file could not be read or written.
    #[error("{path}: {error}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// Envoy could not be started, or ended.
    #[error("Envoy ({binary}) {what}; it wrote:\n{log}")]
    Envoy {
        /// The binary.
        binary: PathBuf,
        /// What happened.
        what: String,
        /// Its log.
        log: String,
    },
    /// The example's configuration is not what is expected.
    #[error("examples/envoy/envoy.yaml has no {0:?}, which this program replaces")]
    Example(String),
    /// An option that means nothing.
    #[error("{0}")]
    Option(String),
    /// The system refused.
    #[error("{what}: {error}")]
    System {
        /// What was asked for.
        what: &'static str,
        /// What the system says.
        error: std::io::Error,
    },
    /// Something on a connection is no HTTP/1.1.
    #[error("not HTTP/1.1 as this program reads it: {0}")]
    Protocol(String),
    /// The other side went away before the message was over.
    #[error("the connection ended after {received} bytes of the body")]
    CutOff {
        /// Bytes of the body until then.
        received: usize,
    },
    /// An exchange took too long.
    #[error("no whole answer within {0} seconds")]
    Late(u64),
    /// An exchange brought something else than the provider sent, or the provider something else than the caller.
    #[error("the traffic was harmed, {workload}: {what}")]
    Harmed {
        /// Which traffic.
        workload: String,
        /// The difference.
        what: String,
    },
}

impl Fault {
    pub(crate) fn system(what: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |error| Self::System { what, error }
    }
}
