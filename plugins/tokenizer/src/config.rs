//! The configuration, read whole; everything that is wrong with it is said at once.

use crate::vocabulary::Encoding;
use serde_json::Value;
use tollgate_columns::{ConfigError, Problem};

/// Which spans are estimated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fill {
    /// Those for which neither count was reported.
    Missing,
    /// Those also for which one was: the other is estimated.
    Partial,
}

/// What the configuration comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) fill: Fill,
    pub(crate) fallback: Option<Encoding>,
    pub(crate) lower_bounds: bool,
    pub(crate) max_text_bytes: usize,
    pub(crate) max_batch_bytes: usize,
}

const FIELDS: &str = "`fill`, `fallback`, `lower_bounds`, `max_text_bytes` and `max_batch_bytes`";
/// Bounds of the two limits, in bytes.
const LIMITS: std::ops::RangeInclusive<u64> = 1_024..=64 << 20;

impl Default for Settings {
    fn default() -> Self {
        Self {
            fill: Fill::Missing,
            fallback: None,
            lower_bounds: true,
            max_text_bytes: 1 << 20,
            max_batch_bytes: 1 << 20,
        }
    }
}

impl Settings {
    /// Reads the JSON text.
    ///
    /// # Errors
    /// Everything that is wrong, each with its path.
    pub(crate) fn parse(json: &str) -> Result<Self, ConfigError> {
        let config: Value = serde_json::from_str(json)
            .map_err(|error| ConfigError::new("", format!("the configuration is not JSON: {error}")))?;
        let Some(fields) = config.as_object() else {
            return Err(ConfigError::new("", "the configuration is a JSON object, `{}` for the defaults"));
        };
        let mut settings = Self::default();
        let mut problems = Vec::new();
        for (field, value) in fields {
            if let Err(message) = settings.set(field, value) {
                problems.push(Problem { path: field.clone(), message });
            }
        }
        if problems.is_empty() && settings.max_batch_bytes < settings.max_text_bytes {
            let message = format!("must not be below `max_text_bytes`, which is {}", settings.max_text_bytes);
            problems.push(Problem { path: "max_batch_bytes".to_owned(), message });
        }
        if problems.is_empty() { Ok(settings) } else { Err(ConfigError { problems }) }
    }

    fn set(&mut self, field: &str, value: &Value) -> Result<(), String> {
        match field {
            "fill" => {
                self.fill = match value.as_str() {
                    Some("missing") => Fill::Missing,
                    Some("partial") => Fill::Partial,
                    _ => return Err("write `missing` or `partial`".to_owned()),
                }
            }
            "fallback" => {
                self.fallback = match (value, value.as_str().and_then(Encoding::named)) {
                    (Value::Null, _) => None,
                    (_, Some(encoding)) => Some(encoding),
                    _ => return Err("write `o200k_base` or `cl100k_base`, or leave it out".to_owned()),
                }
            }
            "lower_bounds" => self.lower_bounds = value.as_bool().ok_or("write true or false")?,
            "max_text_bytes" => self.max_text_bytes = bytes(value)?,
            "max_batch_bytes" => self.max_batch_bytes = bytes(value)?,
            _ => return Err(format!("there is no such field; there are {FIELDS}")),
        }
        Ok(())
    }
}

fn bytes(value: &Value) -> Result<usize, String> {
    let bytes = value.as_u64().filter(|bytes| LIMITS.contains(bytes)).and_then(|bytes| usize::try_from(bytes).ok());
    bytes.ok_or_else(|| format!("write a number of bytes from {} to {}", LIMITS.start(), LIMITS.end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(json: &str) -> Vec<String> {
        Settings::parse(json).map_or_else(|error| error.problems.iter().map(Problem::to_string).collect(), |_| vec![])
    }

    #[test]
    fn defaults_and_every_field_are_read() {
        assert_eq!(Settings::parse("{}").unwrap(), Settings::default());
        let json = r#"{"fill": "partial", "fallback": "cl100k_base", "lower_bounds": false, "max_text_bytes": 2048,
            "max_batch_bytes": 4096}"#;
        let settings = Settings {
            fill: Fill::Partial,
            fallback: Some(Encoding::Cl100kBase),
            lower_bounds: false,
            max_text_bytes: 2_048,
            max_batch_bytes: 4_096,
        };
        assert_eq!(Settings::parse(json).unwrap(), settings);
        assert_eq!(Settings::parse(r#"{"fill": "missing", "fallback": null}"#).unwrap(), Settings::default());
    }

    #[test]
    fn everything_that_is_wrong_is_said_with_its_path() {
        let wrong = r#"{"fill": "all", "fallback": "p50k_base", "lower_bounds": 1, "max_text_bytes": 12,
            "max_batch_bytes": "4MiB", "model": "gpt-4o"}"#;
        let said = problems(wrong);
        let paths: Vec<_> = said.iter().map(|problem| problem.split(':').next().unwrap()).collect();
        assert_eq!(
            paths,
            ["fallback", "fill", "lower_bounds", "max_batch_bytes", "max_text_bytes", "model"],
            "{said:?}"
        );
        assert_eq!(
            problems(r#"{"max_text_bytes": 9999, "max_batch_bytes": 2000}"#),
            ["max_batch_bytes: must not be below `max_text_bytes`, which is 9999"]
        );
        assert_eq!(problems("[]"), ["the configuration is a JSON object, `{}` for the defaults"]);
        assert!(problems("{").first().unwrap().starts_with("the configuration is not JSON"));
    }
}
