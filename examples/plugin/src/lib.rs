//! Says whose call it was: adds user tier, team and cost centre to spans, from a table in the configuration.
//!
//! ```json
//! {
//!   "key": "user.id",
//!   "rows": {
//!     "u-17": { "user_tier": "gold", "team": "search", "cost_center": "4711" },
//!     "u-18": { "user_tier": "free" }
//!   },
//!   "otherwise": { "user_tier": "unknown" }
//! }
//! ```
//!
//! `key` names what the rows are looked up by: a span attribute such as `user.id` (the default) or
//! `gen_ai.agent.name`, or `resource:service.name`. A span without that attribute stays as it is; one whose value is
//! not in the table gets the tags under `otherwise`, if there are any.

use serde::Deserialize;
use std::collections::BTreeMap;
use tollgate_sdk::{Attributes, ConfigError, Enricher, Problem, Read, Spans, TextAttribute};

tollgate_sdk::export_enricher!(BusinessTags);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    #[serde(default = "user_id")]
    key: String,
    #[serde(default)]
    rows: BTreeMap<String, Tags>,
    otherwise: Option<Tags>,
}

fn user_id() -> String {
    "user.id".to_owned()
}

/// What is said of a user, an agent or a service. What is left out is not written.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tags {
    user_tier: Option<String>,
    team: Option<String>,
    cost_center: Option<String>,
}

/// The configured plugin: the table, and the attributes by handle.
struct BusinessTags {
    rows: BTreeMap<String, Tags>,
    otherwise: Option<Tags>,
    key: Read,
    user_tier: TextAttribute,
    team: TextAttribute,
    cost_center: TextAttribute,
}

impl Enricher for BusinessTags {
    const NAME: &'static str = env!("CARGO_PKG_NAME");
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");

    fn configure(config: &str, attributes: &mut Attributes) -> Result<Self, ConfigError> {
        let config: Config = serde_json::from_str(config).map_err(|error| ConfigError::new("", error.to_string()))?;
        let problems = config.problems();
        if !problems.is_empty() {
            return Err(ConfigError { problems });
        }
        Ok(Self {
            key: attributes.reads(&config.key),
            user_tier: attributes.writes_text("business.user_tier"),
            team: attributes.writes_text("business.team"),
            cost_center: attributes.writes_text("business.cost_center"),
            rows: config.rows,
            otherwise: config.otherwise,
        })
    }

    fn enrich(&mut self, spans: &Spans<'_>) -> Result<(), String> {
        for span in spans {
            let Some(key) = span.text(self.key) else { continue };
            let Some(tags) = self.rows.get(key).or(self.otherwise.as_ref()) else { continue };
            let tags =
                [(self.user_tier, &tags.user_tier), (self.team, &tags.team), (self.cost_center, &tags.cost_center)];
            for (attribute, value) in tags {
                if let Some(value) = value {
                    span.set(attribute, value);
                }
            }
        }
        Ok(())
    }
}

impl Config {
    /// Everything that is wrong with the table, so that it can be put right in one go.
    fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.key.is_empty() {
            let message = "name the attribute to look rows up by, for example `user.id`".to_owned();
            problems.push(Problem { path: "key".to_owned(), message });
        }
        let rows = self.rows.iter().map(|(key, tags)| (format!("rows.{key}"), tags));
        for (path, tags) in rows.chain(self.otherwise.iter().map(|tags| ("otherwise".to_owned(), tags))) {
            if tags.user_tier.is_none() && tags.team.is_none() && tags.cost_center.is_none() {
                let message = "give it at least one of user_tier, team and cost_center".to_owned();
                problems.push(Problem { path, message });
            }
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tollgate_sdk::Trial;

    const CONFIG: &str = r#"{
        "rows": {
            "u-17": { "user_tier": "gold", "team": "search", "cost_center": "4711" },
            "u-18": { "user_tier": "free" }
        },
        "otherwise": { "user_tier": "unknown" }
    }"#;

    #[test]
    fn a_span_gets_the_tags_of_its_user() {
        let mut plugin = Trial::<BusinessTags>::configure(CONFIG).unwrap();
        let tags = plugin
            .run(&[&[("user.id", "u-17".into())], &[("user.id", "u-18".into())], &[("user.id", "u-99".into())], &[]])
            .unwrap();
        assert_eq!(tags[0]["business.user_tier"], "gold".into());
        assert_eq!(tags[0]["business.team"], "search".into());
        assert_eq!(tags[0]["business.cost_center"], "4711".into());
        assert_eq!(tags[1].len(), 1);
        assert_eq!(tags[1]["business.user_tier"], "free".into());
        assert_eq!(tags[2]["business.user_tier"], "unknown".into());
        assert!(tags[3].is_empty());
    }

    #[test]
    fn rows_can_be_looked_up_by_service() {
        let config = r#"{"key": "resource:service.name", "rows": {"checkout": {"team": "payments"}}}"#;
        let mut plugin = Trial::<BusinessTags>::configure(config).unwrap();
        assert_eq!(plugin.manifest().reads, ["resource:service.name"]);
        let tags = plugin.run(&[&[("resource:service.name", "checkout".into())]]).unwrap();
        assert_eq!(tags[0]["business.team"], "payments".into());
    }

    #[test]
    fn everything_wrong_is_told_at_once() {
        let config = r#"{"key": "", "rows": {"u-17": {}}, "otherwise": {}}"#;
        let error = Trial::<BusinessTags>::configure(config).unwrap_err();
        let paths: Vec<_> = error.problems.iter().map(|problem| problem.path.as_str()).collect();
        assert_eq!(paths, ["key", "rows.u-17", "otherwise"]);
    }

    #[test]
    fn a_misspelt_tag_is_refused() {
        let error = Trial::<BusinessTags>::configure(r#"{"rows": {"u-17": {"tier": "gold"}}}"#).unwrap_err();
        assert!(error.to_string().starts_with("unknown field `tier`"), "{error}");
    }
}
