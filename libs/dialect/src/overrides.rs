//! What a user changes of a preset.

use std::fmt;

/// Renames, copies and drops on top of a preset. They see what the preset leaves of a span, with one exception: a name
/// that is renamed or copied here is not taken out by the preset before. They win: what stands under the new name already
/// is replaced.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// From the first name to the second.
    pub rename: Vec<(String, String)>,
    /// The second name beside the first.
    pub copy: Vec<(String, String)>,
    /// Names that are taken out, after renames and copies.
    pub drop: Vec<String>,
}

impl Overrides {
    /// Whether nothing is changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rename.is_empty() && self.copy.is_empty() && self.drop.is_empty()
    }
}

/// Overrides that contradict each other.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OverrideError {
    /// A name is empty.
    Empty,
    /// A name is renamed or copied to itself.
    Itself(String),
    /// Two names lead to this one.
    Twice(String),
    /// More than 10,000 names.
    TooMany(usize),
}

impl fmt::Display for OverrideError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("a name is empty"),
            Self::Itself(name) => write!(f, "{name:?} leads to itself; remove it"),
            Self::Twice(name) => write!(f, "two names lead to {name:?}; an attribute has one value"),
            Self::TooMany(count) => write!(f, "{count} names; at most {MOST} are possible"),
        }
    }
}

impl std::error::Error for OverrideError {}

/// Most names of all overrides of a dialect.
const MOST: usize = 10_000;

impl Overrides {
    pub(crate) fn check(&self) -> Result<(), OverrideError> {
        let pairs = || self.rename.iter().chain(&self.copy);
        let count = pairs().count() + self.drop.len();
        if count > MOST {
            return Err(OverrideError::TooMany(count));
        }
        if pairs().any(|(from, to)| from.is_empty() || to.is_empty()) || self.drop.iter().any(String::is_empty) {
            return Err(OverrideError::Empty);
        }
        if let Some((name, _)) = pairs().find(|(from, to)| from == to) {
            return Err(OverrideError::Itself(name.clone()));
        }
        let mut targets: Vec<&String> = pairs().map(|(_, to)| to).collect();
        targets.sort_unstable();
        match targets.windows(2).find(|two| matches!(two, [a, b] if a == b)) {
            Some([twice, _]) => Err(OverrideError::Twice((*twice).clone())),
            _ => Ok(()),
        }
    }
}
