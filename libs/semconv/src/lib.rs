//! Every attribute and metric name Tollgate reads or writes, in one table.
//!
//! The names are those of the OpenTelemetry semantic conventions for generative AI, which have a repository of their
//! own (`open-telemetry/semantic-conventions-genai`) and are still in development. The published Rust crate of
//! conventions ends before that move, so the names are held here. What has no convention is under `tollgate.*`.
//!
//! - [`attribute`]: names of span and metric attributes that are emitted;
//! - [`event`]: names of events, which are log records;
//! - [`metric`]: metrics with unit and bucket boundaries;
//! - [`operation`], [`provider`], [`token_type`], [`usage_source`], [`counts`], [`cost_level`], [`cost_source`],
//!   [`call_role`]: well-known values;
//! - [`RENAMED`] and [`RESHAPED`]: what emitters of older conventions call the same things.
//!
//! ```
//! use tollgate_semconv::{attribute, current_name, metric};
//! assert_eq!(attribute::GEN_AI_USAGE_INPUT_TOKENS, "gen_ai.usage.input_tokens");
//! assert_eq!(current_name("gen_ai.usage.prompt_tokens"), Some(attribute::GEN_AI_USAGE_INPUT_TOKENS));
//! assert_eq!(metric::CLIENT_OPERATION_DURATION.unit, "s");
//! ```
#![forbid(unsafe_code)]

pub mod attribute;
pub mod event;
pub mod metric;
mod names;
mod renamed;
mod values;

pub use renamed::{RENAMED, RESHAPED, current_name};
pub use values::{
    call_role, cost_level, cost_source, counts, error_type, operation, provider, token_type, usage_source,
};

#[cfg(test)]
mod tests {
    use super::{RENAMED, RESHAPED, attribute, current_name, event, metric};
    use std::collections::BTreeSet;

    fn is_convention_name(name: &str) -> bool {
        name.contains('.')
            && name.split('.').all(|part| {
                part.starts_with(|c: char| c.is_ascii_lowercase())
                    && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
            })
    }

    #[test]
    fn emitted_names_are_unique_lower_case_and_dotted() {
        let metrics = metric::ALL.iter().map(|metric| metric.name);
        let mut seen = BTreeSet::new();
        for name in attribute::ALL.iter().chain(event::ALL).copied().chain(metrics) {
            assert!(is_convention_name(name), "{name}");
            assert!(seen.insert(name), "{name} is declared twice");
        }
    }

    #[test]
    fn no_name_is_both_old_and_new() {
        let olds: BTreeSet<_> = RENAMED.iter().chain(RESHAPED).map(|(old, _)| *old).collect();
        for name in attribute::ALL {
            assert!(!olds.contains(name), "{name} is emitted, and said to be old");
        }
        for (old, new) in RENAMED.iter().chain(RESHAPED) {
            assert!(attribute::ALL.contains(new), "{old} leads to {new}, which is not emitted");
        }
        assert_eq!(olds.len(), RENAMED.len() + RESHAPED.len(), "an old name leads to two new ones");
    }

    #[test]
    fn old_names_are_found_and_others_are_not() {
        for (old, new) in RENAMED {
            assert_eq!(current_name(old), Some(*new));
        }
        for unknown in ["", "gen_ai", "gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens2", "zzz"] {
            assert_eq!(current_name(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn bucket_boundaries_ascend() {
        for metric in metric::ALL {
            assert!(metric.boundaries.is_sorted_by(|a, b| a < b), "{}", metric.name);
            assert_eq!(
                metric.boundaries.is_empty(),
                metric.instrument == metric::Instrument::Counter,
                "{}",
                metric.name
            );
        }
    }
}
