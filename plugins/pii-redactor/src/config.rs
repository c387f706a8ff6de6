//! The configuration: JSON text, read whole, with everything that is wrong in it reported at once.

mod fields;
mod operators;
mod rule;

use crate::allow::Allow;
use crate::kind::{Kind, Kinds};
use crate::operator::{Key, Operator};
use crate::places::Places;
use crate::rules::Rules;
use fields::Fields;
use serde_json::Value;
use tollgate_columns::ConfigError;

/// Findings in one text, unless configured otherwise.
const MAX_FINDINGS: usize = 10_000;
/// Bytes of one text, unless configured otherwise.
const MAX_TEXT_SIZE: usize = 64 << 20;

/// What a redactor looks for and what it does.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) kinds: Kinds,
    pub(crate) allow: Allow,
    pub(crate) places: Places,
    pub(crate) rules: Rules,
    operator: Operator,
    /// Those that differ from `operator`, by the number of their type.
    operators: Vec<(Kind, Operator)>,
    pub(crate) key: Option<Key>,
    pub(crate) max_findings: usize,
    pub(crate) max_text_size: usize,
    pub(crate) max_values: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            kinds: Kinds::of(Kind::all()),
            allow: Allow::default(),
            places: Places::default(),
            rules: Rules::default(),
            operator: Operator::Replace,
            operators: Vec::new(),
            key: None,
            max_findings: MAX_FINDINGS,
            max_text_size: MAX_TEXT_SIZE,
            max_values: crate::conversation::MAX_VALUES,
        }
    }
}

impl Config {
    pub(crate) fn parse(json: &str) -> Result<Self, ConfigError> {
        let value: Value =
            serde_json::from_str(json).map_err(|error| ConfigError::new("", format!("is not JSON: {error}")))?;
        let Value::Object(object) = value else {
            return Err(ConfigError::new("", "must be an object, for example {\"operator\": \"replace\"}"));
        };
        let mut problems = Vec::new();
        let mut fields = Fields::new("", &object, &mut problems);
        // Rules come first: they introduce types that the other fields may name.
        let mut config = Self { rules: rule::read(&mut fields), ..Self::default() };
        for kind in config.rules.kinds() {
            config.kinds.insert(kind);
        }
        if let Some(kinds) = fields.kinds("types", &config.rules) {
            config.kinds = Kinds::of(kinds);
        }
        for kind in fields.kinds("exclude_types", &config.rules).unwrap_or_default() {
            config.kinds.remove(kind);
        }
        config.allow = Allow::new(fields.texts("allow", 10_000));
        config.places = Places::new(rule::places(&mut fields, &config.rules));
        config.key = operators::key(&mut fields);
        config.operator = operators::one(&mut fields, "operator").unwrap_or_default();
        config.operators = operators::by_type(&mut fields, &config.rules);
        config.max_findings = fields.number("max_findings", MAX_FINDINGS, 1, 1_000_000);
        config.max_text_size = fields.number("max_text_size", MAX_TEXT_SIZE, 1, u32::MAX as usize);
        config.max_values = fields.number("max_values", config.max_values, 1, 1_000_000);
        let pseudonyms = config.operators.iter().map(|(_, operator)| *operator).chain([config.operator]);
        if config.key.is_none() && pseudonyms.into_iter().any(|operator| operator == Operator::Pseudonym) {
            fields
                .problem("pseudonym", "is missing: the operator pseudonym needs a key, {\"key_id\": .., \"key\": ..}");
        }
        fields.finish();
        if problems.is_empty() { Ok(config) } else { Err(ConfigError { problems }) }
    }

    /// What is done with findings of a type.
    pub(crate) fn operator(&self, kind: Kind) -> Operator {
        let own = self.operators.iter().find(|(of, _)| *of == kind);
        own.map_or(self.operator, |(_, operator)| *operator)
    }

    /// The name of a type, built in or of the user's.
    pub(crate) fn name(&self, kind: Kind) -> &str {
        match kind.name() {
            "" => self.rules.name(kind),
            name => name,
        }
    }

    /// The names of all types, in the order of their numbers.
    pub(crate) fn names(&self) -> Vec<String> {
        let own = self.rules.names().iter().cloned();
        Kind::all().map(|kind| kind.name().to_owned()).chain(own).collect()
    }

    /// Whether a finding may have to be given back.
    pub(crate) fn is_reversible(&self) -> bool {
        self.operator == Operator::Reversible
            || self.operators.iter().any(|(_, operator)| *operator == Operator::Reversible)
    }
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
            (r#"{"exclude_types": ["MAIL"]}"#, &["exclude_types[0]"]),
            (r#"{"max_findings": 0, "operator": "hash", "x": 1}"#, &["operator", "max_findings", "x"]),
            (r#"{"max_findings": 1.5}"#, &["max_findings"]),
            (r#"{"operator": {"mask": {"keep_last": -1}}}"#, &["operator.mask.keep_last"]),
            (r#"{"operators": {"MAIL": "keep", "URL": "gone"}}"#, &["operators.MAIL", "operators.URL"]),
            (r#"{"operator": "pseudonym"}"#, &["pseudonym"]),
            (r#"{"pseudonym": {"key_id": "a b", "key": "c2hvcnQ="}}"#, &["pseudonym.key_id", "pseudonym.key"]),
            (r#"{"allow": [7]}"#, &["allow[0]"]),
            (r#"{"rules": [{"type": "X"}]}"#, &["rules[0]"]),
            (r#"{"rules": [{"type": "x y", "pattern": "a"}]}"#, &["rules[0].type"]),
            (r#"{"rules": [{"type": "X", "pattern": "("}]}"#, &["rules[0].pattern"]),
            (r#"{"rules": [{"type": "X", "pattern": "a", "validator": "sum"}]}"#, &["rules[0].validator"]),
            (r#"{"rules": [{"type": "X", "pattern": "a", "max_length": 999}]}"#, &["rules[0].max_length"]),
            (r#"{"fields": [{"types": ["URL"]}]}"#, &["fields[0].name"]),
        ];
        for (json, paths) in cases {
            let error = Config::parse(json).expect_err(json);
            let found: Vec<&str> = error.problems.iter().map(|problem| problem.path.as_str()).collect();
            assert_eq!(&found[..], *paths, "{json}: {error}");
        }
    }

    #[test]
    fn a_configuration_sets_what_it_names() {
        let config = Config::parse(
            r#"{"types": ["US_SSN", "BADGE"], "operator": "mask", "operators": {"BADGE": {"mask": {"keep_last": 2}}},
                "max_findings": 3, "rules": [{"type": "BADGE", "pattern": "B-[0-9]{4}"}],
                "pseudonym": {"key_id": "k1", "key": "MDEyMzQ1Njc4OWFiY2RlZg=="}}"#,
        )
        .unwrap();
        let badge = Kind::of_user(0);
        assert!(config.kinds.has(Kind::US_SSN) && config.kinds.has(badge) && !config.kinds.has(Kind::EMAIL_ADDRESS));
        assert_eq!(config.operator(Kind::US_SSN), Operator::Mask { keep_last: None });
        assert_eq!(config.operator(badge), Operator::Mask { keep_last: Some(2) });
        assert_eq!((config.name(badge), config.max_findings), ("BADGE", 3));
        assert_eq!(config.names().last().map(String::as_str), Some("BADGE"));
        let config = Config::parse("{}").unwrap();
        assert!(Kind::all().all(|kind| config.kinds.has(kind)));
        assert_eq!((config.operator(Kind::URL), config.max_findings), (Operator::Replace, MAX_FINDINGS));
    }
}
