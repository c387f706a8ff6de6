//! The field `include_usage` of the configuration.

use crate::fields::Fields;
use serde_json::{Value, json};
use tollgate_semconv::provider;

/// Most bytes of a body that may be held: what can be parsed while other streams of the worker wait.
const MOST_BODY: u64 = 16 << 20;
/// Most bytes of an event that may be held back.
const MOST_EVENT: u64 = 1 << 20;

/// Who is asked unless others are named: the provider that defined the member. Others report usage without being asked,
/// or refuse a member that they do not know, some of them by version, as Azure does.
const PROVIDERS: &[&str] = &[provider::OPENAI];

/// How usage is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Whether the extra chunk is kept from callers who did not ask for it.
    pub strip: bool,
    /// Providers that are asked, by their `gen_ai.provider.name`.
    pub providers: Vec<String>,
    /// Bytes that a body may have, edited, to be held. Not above the buffer limit of the listener.
    pub body_bytes: usize,
    /// Bytes of an event of the answer that are held back at most.
    pub event_bytes: usize,
    /// Whether headers wait for the body, so that they say its length.
    pub hold_headers: bool,
}

impl Options {
    /// Whether a provider is asked.
    #[must_use]
    pub fn is_for(&self, provider: Option<&str>) -> bool {
        provider.is_some_and(|provider| self.providers.iter().any(|name| name == provider))
    }
}

/// Reads the field: an object, or its `mode` alone.
pub(crate) fn options(fields: &mut Fields<'_>) -> Option<Options> {
    let value = match fields.value("include_usage")? {
        Value::String(mode) => json!({ "mode": mode }),
        other => other,
    };
    let mut fields = fields.child("include_usage", value);
    let whole = |fields: &mut Fields<'_>, name, most, default| {
        fields.whole(name, 1024, most).and_then(|n| n.try_into().ok()).unwrap_or(default)
    };
    let modes = [("off", None), ("inject", Some(false)), ("inject_and_strip", Some(true))];
    let mode = fields.choice("mode", &modes).flatten();
    let lengths = [("remove", false), ("rewrite", true)];
    let options = Options {
        strip: mode.unwrap_or(false),
        providers: providers(&mut fields),
        body_bytes: whole(&mut fields, "body_bytes", MOST_BODY, 1 << 20),
        event_bytes: whole(&mut fields, "event_bytes", MOST_EVENT, 64 << 10),
        hold_headers: fields.choice("content_length", &lengths).unwrap_or(false),
    };
    fields.finish();
    mode.map(|_| options)
}

fn providers(fields: &mut Fields<'_>) -> Vec<String> {
    fields.list("providers").unwrap_or_else(|| PROVIDERS.iter().map(|name| (*name).to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn every_field_is_read() {
        let full = r#"{"include_usage": {"mode": "inject_and_strip", "providers": ["vllm"], "body_bytes": 2048,
                       "event_bytes": 4096.0, "content_length": "rewrite"}}"#;
        let expected = Options {
            strip: true,
            providers: vec!["vllm".to_owned()],
            body_bytes: 2048,
            event_bytes: 4096,
            hold_headers: true,
        };
        assert_eq!(Config::parse(full.as_bytes()).unwrap().include_usage, Some(expected));
        for (text, strip) in [
            (r#""off""#, None),
            ("null", None),
            ("{}", None),
            (r#"{"mode": "off", "body_bytes": 2048}"#, None),
            (r#""inject""#, Some(false)),
            (r#""inject_and_strip""#, Some(true)),
            (r#"{"mode": "inject"}"#, Some(false)),
        ] {
            let config = Config::parse(format!(r#"{{"include_usage": {text}}}"#).as_bytes()).unwrap();
            assert_eq!(config.include_usage.as_ref().map(|options| options.strip), strip, "{text}");
            if let Some(options) = config.include_usage {
                assert_eq!((options.body_bytes, options.event_bytes, options.hold_headers), (1 << 20, 65_536, false));
                assert!(options.is_for(Some("openai")) && !options.is_for(Some("mistral_ai")) && !options.is_for(None));
            }
        }
    }

    #[test]
    fn every_problem_has_its_path() {
        for (text, path) in [
            (r#""yes""#, "include_usage.mode"),
            ("true", "include_usage"),
            (r#"{"mode": 1}"#, "include_usage.mode"),
            (r#"{"mode": "inject", "providers": "openai"}"#, "include_usage.providers"),
            (r#"{"mode": "inject", "providers": [1]}"#, "include_usage.providers"),
            (r#"{"mode": "inject", "body_bytes": 10}"#, "include_usage.body_bytes"),
            (r#"{"mode": "inject", "event_bytes": 2000000}"#, "include_usage.event_bytes"),
            (r#"{"mode": "inject", "content_length": "keep"}"#, "include_usage.content_length"),
            (r#"{"mode": "inject", "limit": 1}"#, "include_usage.limit"),
        ] {
            let refusal = Config::parse(format!(r#"{{"include_usage": {text}}}"#).as_bytes()).unwrap_err();
            let paths: Vec<_> = refusal.problems.iter().map(|problem| problem.path.as_str()).collect();
            assert_eq!(paths, [path], "{text}");
        }
    }
}
