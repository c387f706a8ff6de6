//! Which models have metrics of their own.
//!
//! Names of models come from outside, and Envoy never forgets a metric. The number of series is limited anyway; a list
//! says which names are worth one, so that a typing error or a probe takes none.

use crate::fields::Fields;

/// Most names in the list: each is compared with the model of every call.
const MOST: usize = 1_000;

/// What models that are not on the list count as.
pub(crate) const OTHER: &str = "other";

/// A list of names, in which `*` stands for any characters, none included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Models(Option<Vec<String>>);

impl Models {
    /// The name that calls of a model count under. Without a list that is every model's own; a call that names no model
    /// counts as that, whatever is on the list.
    #[must_use]
    pub fn counted<'a>(&self, model: &'a str) -> &'a str {
        let listed = |names: &Vec<String>| names.iter().any(|name| matches(name, model));
        if model.is_empty() || self.0.as_ref().is_none_or(listed) { model } else { OTHER }
    }
}

/// Reads the field `models`.
pub(crate) fn models(fields: &mut Fields<'_>) -> Models {
    let names = fields.list("models");
    if names.as_ref().is_some_and(|names| names.len() > MOST) {
        fields.wrong::<()>("models", &format!("must be at most {MOST} names"));
    }
    Models(names)
}

/// Whether a text is what a pattern says.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(start) else { return false };
    let (middle, end) = rest.rsplit_once('*').unwrap_or(("", rest));
    // The first place that a part fits leaves the most for those behind it.
    for part in middle.split('*') {
        let Some((_, behind)) = text.split_once(part) else { return false };
        text = behind;
    }
    text.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn asterisks_stand_for_any_characters() {
        for (pattern, text, fits) in [
            ("gpt-4o", "gpt-4o", true),
            ("gpt-4o", "gpt-4o-mini", false),
            ("gpt-4o*", "gpt-4o", true),
            ("gpt-4o*", "gpt-4o-mini", true),
            ("gpt-4o*", "chatgpt-4o", false),
            ("*sonnet", "claude-3-5-sonnet", true),
            ("*sonnet", "claude-3-5-sonnet-latest", false),
            ("claude-*-sonnet*", "claude-3-5-sonnet-latest", true),
            ("claude-*-sonnet*", "claude-sonnet", false),
            ("a*a", "a", false),
            ("a*b*b*c", "abbc", true),
            ("a*b*b*c", "abc", false),
            ("*", "", true),
            ("**", "x", true),
            ("*模*", "大模型", true),
            ("", "x", false),
        ] {
            assert_eq!(matches(pattern, text), fits, "{pattern} {text}");
        }
    }

    #[test]
    fn what_is_not_listed_is_other() {
        let list = Models(Some(vec!["gpt-4o*".to_owned(), "o3".to_owned()]));
        for (model, counted) in [("gpt-4o-mini", "gpt-4o-mini"), ("o3", "o3"), ("o3-mini", OTHER), ("", "")] {
            assert_eq!(list.counted(model), counted);
        }
        assert_eq!(Models::default().counted("anything"), "anything");
        assert_eq!(Models(Some(Vec::new())).counted("anything"), OTHER);
    }

    #[test]
    fn the_list_is_read() {
        let config = Config::parse(br#"{"metrics": {"models": ["gpt-*"]}}"#).unwrap();
        assert_eq!(config.models, Models(Some(vec!["gpt-*".to_owned()])));
        let many = serde_json::json!({"metrics": {"models": vec!["x"; MOST + 1]}}).to_string();
        for wrong in [r#"{"metrics": {"models": "gpt"}}"#, r#"{"metrics": {"models": [1]}}"#, &many] {
            let refusal = Config::parse(wrong.as_bytes()).unwrap_err();
            assert!(refusal.to_string().starts_with("metrics.models: must be"), "{refusal}");
        }
    }
}
