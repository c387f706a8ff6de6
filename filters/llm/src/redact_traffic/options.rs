//! The field `redact_traffic` of the configuration.

use crate::fields::Fields;
use serde_json::{Value, json};
use tollgate_pii_redactor::traffic::{self, OnError};

/// Most bytes that may be held of a body: what can be read while other streams of the worker wait.
const MOST_BODY: u64 = 16 << 20;

/// How the traffic is redacted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// What is done to an exchange.
    pub exchange: traffic::Options,
    /// Configuration of the redactor, as JSON text.
    pub redactor: String,
}

/// Reads the field: an object, or a truth value for all of its defaults.
pub(crate) fn options(fields: &mut Fields<'_>) -> Option<Options> {
    let value = match fields.value("redact_traffic")? {
        Value::Bool(false) => return None,
        Value::Bool(true) => json!({}),
        other => other,
    };
    let mut fields = fields.child("redact_traffic", value);
    let defaults = traffic::Options::default();
    let policies = [("block", OnError::Block), ("pass", OnError::Pass), ("mask_all", OnError::MaskAll)];
    let exchange = traffic::Options {
        request: fields.truth("request").unwrap_or(defaults.request),
        response: fields.truth("response").unwrap_or(defaults.response),
        restore: fields.truth("restore").unwrap_or(defaults.restore),
        on_error: fields.choice("on_error", &policies).unwrap_or(defaults.on_error),
        max_body_bytes: fields
            .whole("max_body_bytes", 1024, MOST_BODY)
            .and_then(|bytes| bytes.try_into().ok())
            .unwrap_or(defaults.max_body_bytes),
    };
    let redactor = fields.value("redactor").unwrap_or_else(|| json!({})).to_string();
    fields.finish();
    let something = exchange.request || exchange.response;
    something.then_some(Options { exchange, redactor })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn read(text: &str) -> Option<Options> {
        Config::parse(format!(r#"{{"redact_traffic": {text}}}"#).as_bytes()).unwrap().redact_traffic
    }

    #[test]
    fn every_field_is_read() {
        let full = r#"{"request": false, "response": true, "restore": false, "on_error": "mask_all",
                       "max_body_bytes": 2048, "redactor": {"operator": "mask"}}"#;
        let exchange = traffic::Options {
            request: false,
            response: true,
            restore: false,
            on_error: OnError::MaskAll,
            max_body_bytes: 2048,
        };
        assert_eq!(read(full), Some(Options { exchange, redactor: r#"{"operator":"mask"}"#.to_owned() }));
        let defaults = Options { exchange: traffic::Options::default(), redactor: "{}".to_owned() };
        assert_eq!(read("true"), Some(defaults.clone()));
        assert_eq!(read("{}"), Some(defaults));
        for off in ["false", "null", r#"{"request": false}"#] {
            assert_eq!(read(off), None, "{off}");
        }
        assert_eq!(Config::parse(b"{}").unwrap().redact_traffic, None);
    }

    #[test]
    fn every_problem_has_its_path() {
        for (text, path) in [
            (r#""yes""#, "redact_traffic"),
            (r#"{"request": "yes"}"#, "redact_traffic.request"),
            (r#"{"on_error": "ignore"}"#, "redact_traffic.on_error"),
            (r#"{"max_body_bytes": 10}"#, "redact_traffic.max_body_bytes"),
            (r#"{"operator": "mask"}"#, "redact_traffic.operator"),
        ] {
            let refusal = Config::parse(format!(r#"{{"redact_traffic": {text}}}"#).as_bytes()).unwrap_err();
            let paths: Vec<_> = refusal.problems.iter().map(|problem| problem.path.as_str()).collect();
            assert_eq!(paths, [path], "{text}");
        }
        let both = br#"{"redact_traffic": true, "include_usage": {"mode": "inject", "content_length": "rewrite"}}"#;
        let refusal = Config::parse(both).unwrap_err();
        assert_eq!(refusal.problems[0].path, "include_usage.content_length");
    }
}
