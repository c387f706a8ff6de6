//! Why a run stops.

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
    /// The process under test could not be started, or ended.
    #[error("{name} {what}; it wrote last:\n{log}")]
    Process {
        /// Which one.
        name: &'static str,
        /// What happened.
        what: String,
        /// The end of its log.
        log: String,
    },
    /// The process under test ended while it started.
    #[error("{name} ended at its start ({status:?}); it wrote last:\n{log}")]
    Ended {
        /// Which one.
        name: &'static str,
        /// How it ended.
        status: Option<std::process::ExitStatus>,
        /// The end of its log.
        log: String,
    },
    /// The system refused.
    #[error("{what}: {error}")]
    System {
        /// What was asked for.
        what: &'static str,
        /// What the system says.
        error: std::io::Error,
    },
    /// An option that means nothing, or something that is not there.
    #[error("{0}")]
    Option(String),
    /// What was promised does not hold.
    #[error("FAILED: {0}")]
    Broken(String),
}

impl Fault {
    pub(crate) fn system(what: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |error| Self::System { what, error }
    }

    pub(crate) fn refused(what: &'static str) -> impl FnOnce(nix::Error) -> Self {
        move |error| Self::System { what, error: error.into() }
    }
}
