//! The presets, each a table.

mod datadog;
mod langfuse;
mod open_inference;
mod otel_1_36;

use crate::rule::{Action, Keep, Rule, When};

/// A kind of backend.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Preset {
    /// Backends that know the current conventions.
    #[default]
    Otel,
    /// Backends that know the conventions as they were in version 1.36.
    Otel136,
    /// Langfuse.
    Langfuse,
    /// Phoenix, Arize, and others that read OpenInference.
    OpenInference,
    /// Datadog LLM Observability.
    Datadog,
}

impl Preset {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 5] = [Self::Otel, Self::Otel136, Self::Langfuse, Self::OpenInference, Self::Datadog];

    /// Its name in configurations.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Otel => "otel",
            Self::Otel136 => "otel-1.36",
            Self::Langfuse => "langfuse",
            Self::OpenInference => "openinference",
            Self::Datadog => "datadog",
        }
    }

    /// The preset of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|preset| preset.name() == name)
    }

    /// What it is for, and where its rules come from.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::Otel => {
                "The names of the current GenAI conventions (`open-telemetry/semantic-conventions-genai`), as Tollgate \
                 writes them. Nothing is changed."
            }
            Self::Otel136 => otel_1_36::ABOUT,
            Self::Langfuse => langfuse::ABOUT,
            Self::OpenInference => open_inference::ABOUT,
            Self::Datadog => datadog::ABOUT,
        }
    }

    /// Its rules, in the order in which they are applied.
    #[must_use]
    pub const fn rules(self) -> &'static [Rule] {
        match self {
            Self::Otel => &[],
            Self::Otel136 => otel_1_36::RULES,
            Self::Langfuse => langfuse::RULES,
            Self::OpenInference => open_inference::RULES,
            Self::Datadog => datadog::RULES,
        }
    }
}

type Names = &'static [&'static str];

/// The attribute under another name.
const fn rename(from: Names, to: &'static str, action: Action, why: &'static str) -> Rule {
    Rule { from, to, action, keep: Keep::Go, when: When::Always, why }
}

/// The attribute under a second name.
const fn double(from: Names, to: &'static str, action: Action, why: &'static str) -> Rule {
    Rule { from, to, action, keep: Keep::Stay, when: When::Always, why }
}

/// Nothing in the place of what fits the patterns.
const fn drop(from: Names, why: &'static str) -> Rule {
    Rule { from, to: "", action: Action::Drop, keep: Keep::Go, when: When::Always, why }
}

/// The rule for some spans only.
const fn only(when: When, rule: Rule) -> Rule {
    Rule { when, ..rule }
}

/// The operations that are calls to a model, each with this value.
const fn calls(value: &'static str) -> [(&'static str, &'static str); 6] {
    [
        ("chat", value),
        ("text_completion", value),
        ("generate_content", value),
        ("embeddings", value),
        ("rerank", value),
        ("moderation", value),
    ]
}

/// Counts and costs under the names of the conventions and of OpenInference.
const USAGE: Names = &["gen_ai.usage.*tokens", "gen_ai.usage.cost*", "llm.token_count.*", "llm.cost.*"];

/// What agents and wrappers say of usage is the sum of the calls below them.
const AGGREGATE: &str = "The backend adds up the usage of all spans of a trace; what agents, workflows, wrappers and \
                         duplicates carry is that of the calls below them, and would be counted twice.";
