//! How an exchange ended.

use serde::{Deserialize, Serialize};

/// How the exchange ended, as the seat that watched it saw it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The answer came to its end.
    #[default]
    Complete,
    /// The caller went away first.
    ClientAborted,
    /// The provider (or the way to it) broke off.
    UpstreamAborted,
    /// A time limit ended it.
    TimedOut,
}

impl Outcome {
    /// The word used in attributes and in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::ClientAborted => "client_aborted",
            Self::UpstreamAborted => "upstream_aborted",
            Self::TimedOut => "timed_out",
        }
    }

    /// Whether the answer is whole.
    #[must_use]
    pub const fn is_complete(self) -> bool {
        matches!(self, Self::Complete)
    }
}
