//! Why a call has no price.

use std::fmt;

/// Why a call has no price. Unknown is said, and counted; it is never a cost of zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unpriced {
    /// No model is named.
    MissingModel,
    /// Nobody knows when the call was made, so that no price can be said to have been in force.
    MissingTime,
    /// Neither input nor output tokens are known, or the input of a row that prices input.
    MissingUsage,
    /// A count is negative, fractional or not a number.
    MalformedUsage,
    /// A separately priced part is larger than what it is a part of.
    InconsistentUsage,
    /// The provider is not in the price set, and the model's name alone does not tell.
    UnknownProvider,
    /// The provider has no row for the model.
    UnknownModel,
    /// The set at hand leaves out the models of the provider; the whole set may have a row.
    LeftOut,
    /// The row has no rate for something that was used.
    NoRate,
    /// The amount is too large to hold.
    Overflow,
}

impl Unpriced {
    /// Every reason.
    pub const ALL: [Self; 10] = [
        Self::MissingModel,
        Self::MissingTime,
        Self::MissingUsage,
        Self::MalformedUsage,
        Self::InconsistentUsage,
        Self::UnknownProvider,
        Self::UnknownModel,
        Self::LeftOut,
        Self::NoRate,
        Self::Overflow,
    ];

    /// The word used in `tollgate.cost.unpriced`, in counters and in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MissingModel => "missing_model",
            Self::MissingTime => "missing_time",
            Self::MissingUsage => "missing_usage",
            Self::MalformedUsage => "malformed_usage",
            Self::InconsistentUsage => "inconsistent_usage",
            Self::UnknownProvider => "unknown_provider",
            Self::UnknownModel => "unknown_model",
            Self::LeftOut => "left_out",
            Self::NoRate => "no_rate",
            Self::Overflow => "overflow",
        }
    }
}

impl fmt::Display for Unpriced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::error::Error for Unpriced {}
