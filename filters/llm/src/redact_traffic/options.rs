//! The field `redact_traffic` of the configuration.

use crate::fields::Fields;
use serde_json::{Value, json};
use tollgate_pii_redactor::traffic::{self, OnError};
use tollgate_token_extractor::host_matches;

/// Most bytes that may be held of a body: what can be read while other streams of the worker wait.
const MOST_BODY: u64 = 16 << 20;

/// How the traffic of a route is redacted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// What is done to an exchange.
    pub exchange: traffic::Options,
    /// Configuration of the redactor, as JSON text.
    pub redactor: String,
}

/// Requests that are treated alike.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Route {
    /// The host of the request, as in the routes of the extractor: in lower case and without a port, `.example.com` for
    /// everything below it. `None` for every host.
    pub host: Option<String>,
    /// How the path begins; `None` for every path.
    pub path_prefix: Option<String>,
    /// How the traffic is redacted; `None` leaves it alone.
    pub options: Option<Options>,
}

impl Route {
    /// Whether a request to this host and path is of this route.
    #[must_use]
    pub fn fits(&self, host: &str, path: &str) -> bool {
        self.host.as_deref().is_none_or(|pattern| host_matches(pattern, host))
            && self.path_prefix.as_deref().is_none_or(|prefix| path.starts_with(prefix))
    }
}

/// Most routes.
const MOST_ROUTES: usize = 100;

/// Reads the field: an object for every request, a truth value for all of its defaults, or a list of routes, of which the
/// first that a request fits decides.
pub(crate) fn routes(fields: &mut Fields<'_>) -> Vec<Route> {
    match fields.value("redact_traffic") {
        None | Some(Value::Bool(false)) => Vec::new(),
        Some(Value::Bool(true)) => route(fields.child("redact_traffic", json!({}))).into_iter().collect(),
        Some(Value::Array(list)) if list.len() > MOST_ROUTES => {
            fields.wrong::<()>("redact_traffic", &format!("must have at most {MOST_ROUTES} routes"));
            Vec::new()
        }
        Some(Value::Array(list)) => {
            let routes = list.into_iter().enumerate();
            routes
                .filter_map(|(place, value)| route(fields.child(&format!("redact_traffic[{place}]"), value)))
                .collect()
        }
        Some(other) => {
            let route = route(fields.child("redact_traffic", other));
            // Alone, a route that does nothing is none.
            route.into_iter().filter(|route| route.options.is_some()).collect()
        }
    }
}

fn route(mut fields: Fields<'_>) -> Option<Route> {
    let defaults = traffic::Options::default();
    let policies = [("block", OnError::Block), ("pass", OnError::Pass), ("mask_all", OnError::MaskAll)];
    let host = fields.line("host");
    if host.as_deref().is_some_and(|host| host.contains(':') || host != host.to_ascii_lowercase()) {
        fields.wrong::<()>("host", "must be in lower case and without a port");
    }
    let path_prefix = fields.line("path_prefix");
    if path_prefix.as_deref().is_some_and(|prefix| !prefix.starts_with('/')) {
        fields.wrong::<()>("path_prefix", "must begin with a slash");
    }
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
    Some(Route { host, path_prefix, options: something.then_some(Options { exchange, redactor }) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn routes(text: &str) -> Vec<Route> {
        Config::parse(format!(r#"{{"redact_traffic": {text}}}"#).as_bytes()).unwrap().redact_traffic
    }

    fn read(text: &str) -> Option<Options> {
        routes(text).into_iter().next().and_then(|route| route.options)
    }

    #[test]
    fn the_first_route_that_fits_decides() {
        let routes = routes(
            r#"[{"host": "api.openai.com", "path_prefix": "/v1/chat", "response": true},
                {"host": ".openai.com", "request": false}, {"path_prefix": "/v1/"}]"#,
        );
        for (host, path, expected) in [
            ("api.openai.com", "/v1/chat/completions", Some(0)),
            ("API.openai.com:443", "/v1/chat/completions", Some(0)),
            ("api.openai.com", "/v1/models", Some(1)),
            ("eu.api.openai.com", "/v1/chat", Some(1)),
            ("openai.com", "/v1/chat", Some(2)),
            ("10.0.0.1:8080", "/v1/chat", Some(2)),
            ("10.0.0.1:8080", "/health", None),
        ] {
            assert_eq!(routes.iter().position(|route| route.fits(host, path)), expected, "{host}{path}");
        }
        let on: Vec<bool> = routes.iter().map(|route| route.options.is_some()).collect();
        assert_eq!(on, [true, false, true]);
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
        assert_eq!(Config::parse(b"{}").unwrap().redact_traffic, []);
    }

    #[test]
    fn every_problem_has_its_path() {
        for (text, path) in [
            (r#""yes""#, "redact_traffic"),
            (r#"{"request": "yes"}"#, "redact_traffic.request"),
            (r#"{"on_error": "ignore"}"#, "redact_traffic.on_error"),
            (r#"{"max_body_bytes": 10}"#, "redact_traffic.max_body_bytes"),
            (r#"{"operator": "mask"}"#, "redact_traffic.operator"),
            (r#"[{"host": "a"}, {"host": 7}]"#, "redact_traffic[1].host"),
            (r#"[{"path_prefix": ""}]"#, "redact_traffic[0].path_prefix"),
            (r#"[{"path_prefix": "v1"}]"#, "redact_traffic[0].path_prefix"),
            (r#"[{"host": "API.example.com"}]"#, "redact_traffic[0].host"),
            (r#"[{"host": "api.example.com:443"}]"#, "redact_traffic[0].host"),
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
