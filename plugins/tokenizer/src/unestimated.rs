//! Why there is no estimate.

use std::fmt;

/// Why a count that nobody reported was not estimated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unestimated {
    /// Neither request nor answer names a model.
    MissingModel,
    /// The model's vocabulary is not public, or the model is not known, and no `fallback` is configured.
    UnknownModel,
    /// The span does not have what was said.
    MissingContent,
    /// What was said is not JSON; it may have been cut off.
    MalformedContent,
    /// There is more text than `max_text_bytes`.
    TooLarge,
    /// The batch had more text than `max_batch_bytes` before this span.
    BatchLimit,
    /// Not all that was billed is text, and `lower_bounds` is off.
    LowerBound,
}

impl Unestimated {
    /// Every reason.
    pub const ALL: [Self; 7] = [
        Self::MissingModel,
        Self::UnknownModel,
        Self::MissingContent,
        Self::MalformedContent,
        Self::TooLarge,
        Self::BatchLimit,
        Self::LowerBound,
    ];

    /// The word used in `tollgate.usage.unestimated`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MissingModel => "missing_model",
            Self::UnknownModel => "unknown_model",
            Self::MissingContent => "missing_content",
            Self::MalformedContent => "malformed_content",
            Self::TooLarge => "too_large",
            Self::BatchLimit => "batch_limit",
            Self::LowerBound => "lower_bound",
        }
    }
}

impl fmt::Display for Unestimated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::error::Error for Unestimated {}
