//! The configuration: JSON text, read whole, with everything that is wrong in it reported at once.

use crate::kind::{Kind, Kinds};
use crate::operator::Operator;
use serde_json::Value;
use tollgate_columns::{ConfigError, Problem};

/// Findings in one text, unless configured otherwise.
pub(crate) const MAX_FINDINGS: usize = 10_000;
/// The highest limit that may be configured.
const HIGHEST_MAX_FINDINGS: u64 = 1_000_000;

/// What a redactor looks for and what it does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Config {
    pub(crate) kinds: Kinds,
    pub(crate) operator: Operator,
    pub(crate) max_findings: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { kinds: Kinds::of(Kind::all()), operator: Operator::Replace, max_findings: MAX_FINDINGS }
    }
}

impl Config {
    pub(crate) fn parse(json: &str) -> Result<Self, ConfigError> {
        let value: Value =
            serde_json::from_str(json).map_err(|error| ConfigError::new("", format!("is not JSON: {error}")))?;
        let Value::Object(fields) = value else {
            return Err(ConfigError::new("", "must be an object, for example {\"operator\": \"replace\"}"));
        };
        let mut config = Self::default();
        let mut problems = Vec::new();
        for (name, value) in &fields {
            match name.as_str() {
                "types" => config.types(value, &mut problems),
                "operator" => config.operator(value, &mut problems),
                "max_findings" => config.max_findings(value, &mut problems),
                _ => problems.push(problem(name, "is unknown; known are types, operator, max_findings")),
            }
        }
        if problems.is_empty() { Ok(config) } else { Err(ConfigError { problems }) }
    }

    fn types(&mut self, value: &Value, problems: &mut Vec<Problem>) {
        let Some(names) = value.as_array().filter(|names| !names.is_empty()) else {
            problems.push(problem("types", "must be a list of type names with at least one entry"));
            return;
        };
        let mut kinds = Vec::new();
        for (place, name) in names.iter().enumerate() {
            let kind = name.as_str().and_then(Kind::from_name).filter(|kind| *kind != Kind::UNSCANNED);
            match kind {
                Some(kind) if kinds.contains(&kind) => {
                    problems.push(problem(&format!("types[{place}]"), "is named twice"));
                }
                Some(kind) => kinds.push(kind),
                None => {
                    problems.push(problem(&format!("types[{place}]"), &format!("must be one of {}", names_of_types())))
                }
            }
        }
        self.kinds = Kinds::of(kinds);
    }

    fn operator(&mut self, value: &Value, problems: &mut Vec<Problem>) {
        match value.as_str() {
            Some("replace") => self.operator = Operator::Replace,
            Some("mask") => self.operator = Operator::Mask,
            _ => problems.push(problem("operator", "must be \"replace\" or \"mask\"")),
        }
    }

    fn max_findings(&mut self, value: &Value, problems: &mut Vec<Problem>) {
        let limit = value.as_u64().filter(|limit| (1..=HIGHEST_MAX_FINDINGS).contains(limit));
        match limit.and_then(|limit| usize::try_from(limit).ok()) {
            Some(limit) => self.max_findings = limit,
            None => {
                problems.push(problem("max_findings", &format!("must be an integer from 1 to {HIGHEST_MAX_FINDINGS}")));
            }
        }
    }
}

fn problem(path: &str, message: &str) -> Problem {
    Problem { path: path.to_owned(), message: message.to_owned() }
}

fn names_of_types() -> String {
    let names: Vec<&str> = Kind::all().filter(|kind| *kind != Kind::UNSCANNED).map(Kind::name).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_is_reported_with_its_path() {
        let cases: &[(&str, &[&str])] = &[
            ("", &[""]),
            ("[]", &[""]),
            (r#"{"type": []}"#, &["type"]),
            (r#"{"types": []}"#, &["types"]),
            (r#"{"types": ["EMAIL_ADDRESS", "MAIL", 7, "EMAIL_ADDRESS"]}"#, &["types[1]", "types[2]", "types[3]"]),
            (r#"{"types": ["UNSCANNED"]}"#, &["types[0]"]),
            (r#"{"max_findings": 0, "operator": "hash", "x": 1}"#, &["max_findings", "operator", "x"]),
            (r#"{"max_findings": 1.5}"#, &["max_findings"]),
        ];
        for (json, paths) in cases {
            let error = Config::parse(json).expect_err(json);
            let found: Vec<&str> = error.problems.iter().map(|problem| problem.path.as_str()).collect();
            assert_eq!(&found[..], *paths, "{json}: {error}");
        }
    }

    #[test]
    fn a_configuration_sets_what_it_names() {
        let config = Config::parse(r#"{"types": ["US_SSN"], "operator": "mask", "max_findings": 3}"#).unwrap();
        assert!(config.kinds.has(Kind::US_SSN) && !config.kinds.has(Kind::EMAIL_ADDRESS));
        assert_eq!((config.operator, config.max_findings), (Operator::Mask, 3));
        let config = Config::parse("{}").unwrap();
        assert!(Kind::all().all(|kind| config.kinds.has(kind)));
        assert_eq!((config.operator, config.max_findings), (Operator::Replace, MAX_FINDINGS));
    }
}
