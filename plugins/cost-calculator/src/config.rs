//! The configuration of the enricher.

use crate::charge::{Authority, Policy};
use crate::money::Usd;
use crate::overlay::Overlay;
use crate::price_set::PriceSet;
use serde_json::Value;
use tollgate_columns::{ConfigError, Problem};
use tollgate_semconv::cost_level;

/// What the configuration says.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) explanation: bool,
    /// A price set in the place of the builtin one.
    pub(crate) prices: Option<PriceSet>,
    pub(crate) overlay: Option<Overlay>,
    pub(crate) policy: Policy,
    pub(crate) levels: Levels,
    pub(crate) names: Names,
}

/// What a single call may cost before it is remarked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Levels {
    warning: Option<Usd>,
    critical: Option<Usd>,
}

impl Default for Levels {
    /// $0.05 and $0.50.
    fn default() -> Self {
        Self { warning: Some(Usd::from_nanos(50_000_000)), critical: Some(Usd::from_nanos(500_000_000)) }
    }
}

impl Levels {
    /// The level that an amount reaches.
    pub(crate) fn of(self, amount: Usd) -> Option<&'static str> {
        let reaches = |level: Option<Usd>| level.is_some_and(|level| amount >= level);
        if reaches(self.critical) {
            Some(cost_level::CRITICAL)
        } else {
            reaches(self.warning).then_some(cost_level::WARNING)
        }
    }
}

/// Names that other tools read the cost under, in the order of [`Names::ALL`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Names([bool; Names::ALL.len()]);

impl Names {
    /// `gen_ai.usage.cost`: Langfuse, OpenLIT. `llm.cost.*`: OpenInference, which is what Phoenix reads. The other two are
    /// names that dashboards use.
    pub(crate) const ALL: [&'static str; 4] = ["gen_ai.usage.cost", "llm.cost.*", "llm.cost.usd", "gen_ai.cost.usd"];

    /// Those that are asked for, with their places.
    pub(crate) fn iter(self) -> impl Iterator<Item = &'static str> {
        Self::ALL.into_iter().zip(self.0).filter_map(|(name, wanted)| wanted.then_some(name))
    }
}

impl Config {
    /// Reads a JSON object.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its path.
    pub(crate) fn parse(json: &str) -> Result<Self, ConfigError> {
        let config: Value = serde_json::from_str(json)
            .map_err(|error| ConfigError::new("", format!("the configuration is not JSON: {error}")))?;
        let Some(fields) = config.as_object() else {
            return Err(ConfigError::new("", "the configuration is a JSON object, `{}` for the defaults"));
        };
        let mut config = Self {
            explanation: false,
            prices: None,
            overlay: None,
            policy: Policy::default(),
            levels: Levels::default(),
            names: Names::default(),
        };
        let mut problems = Vec::new();
        let file = |field, default| fields.get(field).and_then(Value::as_str).unwrap_or(default);
        let files = (file("prices_file", "prices"), file("overlay_file", "overlay"));
        for (field, value) in fields {
            let found = config.field(field, value, files);
            problems.extend(found.into_iter().map(|message| Problem { path: field.clone(), message }));
        }
        if let Levels { warning: Some(warning), critical: Some(critical) } = config.levels
            && warning > critical
        {
            let message = format!("{warning} is more than `critical_usd`, {critical}");
            problems.push(Problem { path: "warning_usd".to_owned(), message });
        }
        if problems.is_empty() { Ok(config) } else { Err(ConfigError { problems }) }
    }

    /// Takes a field, and says what is wrong with it.
    fn field(&mut self, field: &str, value: &Value, (prices, overlay): (&str, &str)) -> Vec<String> {
        let found = match field {
            "explanation" => boolean(value).map(|explanation| self.explanation = explanation),
            "prices" => match value.as_str().map(|text| PriceSet::parse(text.as_bytes())) {
                Some(Ok(set)) => {
                    self.prices = Some(set);
                    Ok(())
                }
                Some(Err(error)) => Err(format!("{prices}: {error}")),
                None => Err("write the price document as text".to_owned()),
            },
            "overlay" => match value.as_str().map(|text| Overlay::parse(overlay, text)) {
                Some(Ok(overlay)) => {
                    self.overlay = Some(overlay);
                    Ok(())
                }
                Some(Err(error)) => return error.to_string().lines().map(str::to_owned).collect(),
                None => Err("write the overlay as text".to_owned()),
            },
            "prices_file" | "overlay_file" => value.as_str().map(|_| ()).ok_or("write the name of the file".to_owned()),
            "authority" => authority(value).map(|authority| self.policy.authority = authority),
            "tolerance" => share(value).map(|tolerance| self.policy.tolerance_ppm = tolerance),
            "warning_usd" => amount(value).map(|amount| self.levels.warning = amount),
            "critical_usd" => amount(value).map(|amount| self.levels.critical = amount),
            "names" => self.names(value),
            _ => Err("there is no such field; there are `explanation`, `prices`, `prices_file`, `overlay`, `overlay_file`, `authority`, \
                      `tolerance`, `warning_usd`, `critical_usd`, `names`"
                .to_owned()),
        };
        found.err().into_iter().collect()
    }

    fn names(&mut self, value: &Value) -> Result<(), String> {
        let refuse = || format!("write a list of {}", Names::ALL.join(", "));
        for name in value.as_array().ok_or_else(refuse)? {
            let place = Names::ALL.iter().position(|known| name.as_str() == Some(known));
            let slot = place.and_then(|place| self.names.0.get_mut(place));
            *slot.ok_or_else(|| format!("{name} is not among them; {}", refuse()))? = true;
        }
        Ok(())
    }
}

fn authority(value: &Value) -> Result<Authority, String> {
    match value.as_str() {
        Some("provider") => Ok(Authority::Provider),
        Some("local") => Ok(Authority::Local),
        _ => Err("write \"provider\" or \"local\"".to_owned()),
    }
}

fn boolean(value: &Value) -> Result<bool, String> {
    value.as_bool().ok_or("write true or false".to_owned())
}

/// A share from 0 to 1, in millionths.
fn share(value: &Value) -> Result<u32, String> {
    match value.as_f64() {
        Some(share) if (0.0..=1.0).contains(&share) => Ok((share * 1e6).round() as u32),
        _ => Err("write a share from 0 to 1, such as 0.01 for one per cent".to_owned()),
    }
}

/// An amount of US dollars; `null` for none.
fn amount(value: &Value) -> Result<Option<Usd>, String> {
    match value.as_f64() {
        // Nano-dollars of a million dollars are far below 2^53.
        Some(dollars) if (0.0..=1e6).contains(&dollars) => Ok(Some(Usd::from_nanos((dollars * 1e9).round() as u64))),
        None if value.is_null() => Ok(None),
        _ => Err("write US dollars from 0 to 1000000, or null for no such level".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_that_is_wrong_is_named() {
        for (config, path, said) in [
            ("[]", "", "JSON object"),
            ("{", "", "not JSON"),
            (r#"{"explanation": 1}"#, "explanation", "true or false"),
            (r#"{"authority": "us"}"#, "authority", "provider"),
            (r#"{"tolerance": 2}"#, "tolerance", "0 to 1"),
            (r#"{"warning_usd": -1}"#, "warning_usd", "null"),
            (r#"{"warning_usd": 2, "critical_usd": 1}"#, "warning_usd", "more than"),
            (r#"{"names": ["cost"]}"#, "names", "llm.cost.*"),
            (r#"{"names": "cost"}"#, "names", "list"),
            (
                r#"{"prices": "set", "prices_file": "mine.txt"}"#,
                "prices",
                "mine.txt: the price set, line 1: there are 0 words",
            ),
            (r#"{"overlay": 1}"#, "overlay", "text"),
            (
                r#"{"overlay": "overlay a 1 2026-01-01\nadjust 3", "overlay_file": "acme.prices"}"#,
                "overlay",
                "acme.prices:2: 3:",
            ),
            (r#"{"levels": {}}"#, "levels", "no such field"),
        ] {
            let error = Config::parse(config).unwrap_err();
            assert_eq!(error.problems.len(), 1, "{config}: {error:?}");
            assert_eq!(error.problems[0].path, path, "{config}");
            assert!(error.problems[0].message.contains(said), "{config}: {error:?}");
        }
    }

    #[test]
    fn levels_begin_at_their_amount() {
        let levels = |config| Config::parse(config).unwrap().levels;
        let of = |levels: Levels, nanos| levels.of(Usd::from_nanos(nanos));
        let default = levels("{}");
        assert_eq!(of(default, 49_999_999), None);
        assert_eq!(of(default, 50_000_000), Some("warning"));
        assert_eq!(of(default, 499_999_999), Some("warning"));
        assert_eq!(of(default, 500_000_000), Some("critical"));
        let own = levels(r#"{"warning_usd": null, "critical_usd": 0.001}"#);
        assert_eq!((of(own, 999_999), of(own, 1_000_000)), (None, Some("critical")));
    }
}
