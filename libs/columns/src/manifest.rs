//! What a plugin says about itself, and how it refuses a configuration.

use std::fmt;

/// The type of a value that a plugin writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// UTF-8 text.
    Text,
    /// A signed 64-bit integer.
    Integer,
    /// A 64-bit floating-point number.
    Real,
    /// A truth value, travelling as the integer 0 or 1.
    Boolean,
    /// An array or a map, travelling as JSON text.
    Composite,
}

/// An attribute that a plugin writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Exact name.
    pub name: String,
    /// Type that the value gets.
    pub kind: Kind,
}

impl Attribute {
    /// An attribute by name and kind.
    #[must_use]
    pub fn new(name: &str, kind: Kind) -> Self {
        Self { name: name.to_owned(), kind }
    }
}

/// What an enricher is, and all that it will see and change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EnricherManifest {
    /// Name of the plugin.
    pub name: String,
    /// Version of the plugin.
    pub version: String,
    /// Names of what is read; columns of input refer to this list.
    pub reads: Vec<String>,
    /// Attributes that are written; columns of edits refer to this list.
    pub writes: Vec<Attribute>,
}

/// What a redactor is, and what it can find.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RedactorManifest {
    /// Name of the plugin.
    pub name: String,
    /// Version of the plugin.
    pub version: String,
    /// Names of the types of finding.
    pub types: Vec<String>,
}

/// What a sampler is, what it looks at, and its rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SamplerManifest {
    /// Name of the plugin.
    pub name: String,
    /// Version of the plugin.
    pub version: String,
    /// Names of what is read.
    pub reads: Vec<String>,
    /// Names of the rules.
    pub rules: Vec<String>,
}

/// One thing that is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where, for example `rules[2].ratio`; empty for the configuration as a whole.
    pub path: String,
    /// What is wrong and what to write instead.
    pub message: String,
}

/// Why a configuration was refused: everything that is wrong with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfigError {
    /// At least one entry.
    pub problems: Vec<Problem>,
}

impl ConfigError {
    /// A refusal with one problem.
    #[must_use]
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { problems: vec![Problem { path: path.into(), message: message.into() }] }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() { f.write_str(&self.message) } else { write!(f, "{}: {}", self.path, self.message) }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}
