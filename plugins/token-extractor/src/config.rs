//! The configuration, read whole: every problem is reported with its path.

use crate::extractor::{Extractor, Route};
use crate::format::Definition;
use crate::request;
use serde_json::{Map, Value};
use std::sync::Arc;
use tollgate_call::{ContentLimits, Operation};
use tollgate_columns::{ConfigError, Problem};

/// Most APIs that a configuration may add.
const MAX_APIS: usize = 64;

/// Reads a configuration; blank text is the default.
///
/// # Errors
/// Everything that is wrong with it, each with its path.
pub(crate) fn read(json: &str) -> Result<Extractor, ConfigError> {
    if json.trim().is_empty() {
        return Ok(Extractor::default());
    }
    let config: Value =
        serde_json::from_str(json).map_err(|error| ConfigError::new("", format!("not JSON: {error}")))?;
    let mut checker = Checker::default();
    let extractor = checker.extractor(&config);
    if checker.0.is_empty() { Ok(extractor) } else { Err(ConfigError { problems: checker.0 }) }
}

/// Collects problems while it reads a configuration.
#[derive(Default)]
struct Checker(Vec<Problem>);

impl Checker {
    fn problem(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.0.push(Problem { path: path.into(), message: message.into() });
    }

    fn extractor(&mut self, config: &Value) -> Extractor {
        let mut extractor = Extractor::default();
        let Some(config) =
            self.object("", config, &["providers", "apis", "content", "expansion_limit", "window_limit"])
        else {
            return extractor;
        };
        for (path, api) in self.list(config, "apis", "{name, path, operation, request, response, usage}") {
            self.api(&path, api, &mut extractor);
        }
        for (path, route) in self.list(config, "providers", "{host, path_prefix, provider, api}") {
            let route = self.route(&path, route, &extractor);
            extractor.routes.extend(route);
        }
        if let Some(content) = config.get("content")
            && let Some(content) = self.object("content", content, &["input_bytes", "output_bytes"])
        {
            let ContentLimits { input_bytes, output_bytes } = &mut extractor.limits.content;
            self.number(content, "content.", "input_bytes", 0, input_bytes);
            self.number(content, "content.", "output_bytes", 0, output_bytes);
        }
        self.number(config, "", "expansion_limit", 1, &mut extractor.limits.expansion);
        self.number(config, "", "window_limit", 1, &mut extractor.limits.window);
        extractor
    }

    fn list<'v>(&mut self, config: &'v Map<String, Value>, name: &str, of: &str) -> Vec<(String, &'v Value)> {
        match config.get(name) {
            None => Vec::new(),
            Some(Value::Array(items)) => {
                items.iter().enumerate().map(|(index, item)| (format!("{name}[{index}]"), item)).collect()
            }
            Some(_) => {
                self.problem(name, format!("must be a list of {of}"));
                Vec::new()
            }
        }
    }

    fn route(&mut self, path: &str, route: &Value, extractor: &Extractor) -> Option<Route> {
        let route = self.object(path, route, &["host", "path_prefix", "provider", "api"])?;
        let [host, path_prefix, provider, api] =
            ["host", "path_prefix", "provider", "api"].map(|name| self.text(route, path, name));
        if route.get("host").is_none() && route.get("path_prefix").is_none() {
            self.problem(path, "must have `host`, `path_prefix` or both");
        }
        if let Some(host) = host.as_deref().filter(|host| host.contains(':') || **host != host.to_ascii_lowercase()) {
            let message = format!("write the host in lower case and without a port, not {host:?}");
            self.problem(format!("{path}.host"), message);
        }
        if path_prefix.as_ref().is_some_and(|prefix| !prefix.starts_with('/')) {
            self.problem(format!("{path}.path_prefix"), "must begin with a slash");
        }
        if !route.contains_key("provider") {
            self.problem(format!("{path}.provider"), "is missing; name the provider, for example `openai`");
        }
        let format = api.and_then(|name| {
            let format = extractor.formats.named(&name);
            if format.is_none() {
                let names: Vec<_> = extractor.formats.names().filter(|name| !name.contains('/')).collect();
                self.problem(format!("{path}.api"), format!("is no API; APIs are {}", names.join(", ")));
            }
            format
        });
        Some(Route { host, path_prefix, provider: provider?, format })
    }

    /// An API of the user's own.
    fn api(&mut self, path: &str, api: &Value, extractor: &mut Extractor) {
        let members = ["name", "path", "operation", "stream", "request", "response", "usage"];
        let Some(api) = self.object(path, api, &members) else { return };
        let (name, end) = (self.text(api, path, "name"), self.text(api, path, "path"));
        for missing in ["name", "path", "response"].iter().filter(|name| !api.contains_key(**name)) {
            self.problem(format!("{path}.{missing}"), "is missing");
        }
        if let Some(name) = name.as_deref().filter(|name| name.contains('/') || extractor.formats.named(name).is_some())
        {
            self.problem(format!("{path}.name"), format!("{name:?} is taken, or has a slash in it"));
        }
        if extractor.paths.len() >= MAX_APIS {
            self.problem(path, format!("there are more than {MAX_APIS} APIs"));
        }
        let operation = match self.text(api, path, "operation") {
            None => Operation::default(),
            Some(word) => serde_json::from_value(Value::String(word)).unwrap_or_else(|_| {
                let words = "`chat`, `text_completion`, `generate_content`, `embeddings`, `rerank` or `moderation`";
                self.problem(format!("{path}.operation"), format!("must be {words}"));
                Operation::default()
            }),
        };
        let bare_stream = match self.text(api, path, "stream").as_deref() {
            None | Some("sse") => false,
            Some("documents") => true,
            Some(_) => {
                self.problem(format!("{path}.stream"), "must be `sse`, or `documents` for NDJSON and JSON arrays");
                false
            }
        };
        let [request, response, usage] = ["request", "response", "usage"].map(|name| self.rules(api, path, name));
        let (Some(name), Some(end)) = (name, end) else { return };
        let (response, usage) = (pairs(&response), pairs(&usage));
        let definition =
            Definition { name: &name, operation, bare_stream, response: &response, usage: &usage, ..Definition::EMPTY };
        let compiled = definition.compile().map_err(|wrong| self.wrong_rules(path, "", wrong));
        let fields = match api.get("request") {
            None => None,
            Some(_) => {
                request::compile(pairs(&request)).map_err(|wrong| self.wrong_rules(path, "request.", wrong)).ok()
            }
        };
        let Ok(mut format) = compiled else { return };
        format.request = fields.map(Arc::new);
        let format = Arc::new(format);
        extractor.paths.push((end, Arc::clone(&format)));
        extractor.formats_mut().add(format);
    }

    fn wrong_rules(&mut self, path: &str, prefix: &str, wrong: Vec<(String, String)>) {
        wrong.into_iter().for_each(|(name, problem)| self.problem(format!("{path}.{prefix}{name}"), problem));
    }

    /// An object of names and rules; a rule may be a text, or a list of texts that are alternatives.
    fn rules(&mut self, of: &Map<String, Value>, path: &str, name: &str) -> Vec<(String, String)> {
        let Some(value) = of.get(name) else { return Vec::new() };
        let path = format!("{path}.{name}");
        let Some(rules) = value.as_object() else {
            self.problem(path, "must be an object of names and rules");
            return Vec::new();
        };
        let mut read = Vec::new();
        for (name, rule) in rules {
            let texts = match rule {
                Value::String(rule) => Some(rule.clone()),
                Value::Array(rules) => {
                    rules.iter().map(Value::as_str).collect::<Option<Vec<_>>>().map(|all| all.join(" | "))
                }
                _ => None,
            };
            match texts {
                Some(rule) => read.push((name.clone(), rule)),
                None => self.problem(format!("{path}.{name}"), "must be a text, or a list of texts"),
            }
        }
        read
    }

    fn object<'v>(&mut self, path: &str, value: &'v Value, known: &[&str]) -> Option<&'v Map<String, Value>> {
        let Some(object) = value.as_object() else {
            self.problem(path, "must be an object");
            return None;
        };
        for name in object.keys().filter(|name| !known.contains(&name.as_str())) {
            let separator = if path.is_empty() { "" } else { "." };
            let message = format!("is not known; known are {}", known.join(", "));
            self.problem(format!("{path}{separator}{name}"), message);
        }
        Some(object)
    }

    fn text(&mut self, of: &Map<String, Value>, path: &str, name: &str) -> Option<String> {
        match of.get(name) {
            None => None,
            Some(Value::String(text)) if !text.is_empty() => Some(text.clone()),
            Some(_) => {
                self.problem(format!("{path}.{name}"), "must be a text that is not empty");
                None
            }
        }
    }

    fn number<T: TryFrom<u64>>(&mut self, of: &Map<String, Value>, path: &str, name: &str, least: u64, into: &mut T) {
        let Some(value) = of.get(name) else { return };
        match value.as_u64().filter(|number| *number >= least).and_then(|number| T::try_from(number).ok()) {
            Some(number) => *into = number,
            None => self.problem(format!("{path}{name}"), format!("must be a whole number from {least}")),
        }
    }
}

fn pairs(rules: &[(String, String)]) -> Vec<(&str, &str)> {
    rules.iter().map(|(name, rule)| (name.as_str(), rule.as_str())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_of_a_configuration_is_named_with_its_path() {
        let cases: &[(&str, &[&str])] = &[
            ("{", &[""]),
            ("[]", &[""]),
            (r#"{"provider": []}"#, &["provider"]),
            (r#"{"providers": {}}"#, &["providers"]),
            (r#"{"providers": [1, {}]}"#, &["providers[0]", "providers[1]", "providers[1].provider"]),
            (
                r#"{"providers": [{"host": "API.example.com:1", "path_prefix": "x", "provider": "", "api": "soap"}]}"#,
                &["providers[0].provider", "providers[0].host", "providers[0].path_prefix", "providers[0].api"],
            ),
            (
                r#"{"content": {"input_bytes": -1, "output": 2}, "expansion_limit": 0, "window_limit": "1 MiB"}"#,
                &["content.output", "content.input_bytes", "expansion_limit", "window_limit"],
            ),
            (r#"{"apis": [{}]}"#, &["apis[0].name", "apis[0].path", "apis[0].response"]),
            (
                r#"{"apis": [{"name": "responses", "path": "/x", "operation": "sing", "stream": "ws", "response": 1}]}"#,
                &["apis[0].name", "apis[0].operation", "apis[0].stream", "apis[0].response"],
            ),
            (
                r#"{"apis": [{"name": "acme", "path": "/x", "request": {"modell": "m"},
                    "response": {"idd": "id", "id": "a..b", "text": 5}, "usage": {"input_tokens": "a +", "tokens": "a"}}]}"#,
                &[
                    "apis[0].response.text",
                    "apis[0].response.id",
                    "apis[0].response.idd",
                    "apis[0].usage.input_tokens",
                    "apis[0].usage.tokens",
                    "apis[0].request.modell",
                ],
            ),
        ];
        for (config, paths) in cases {
            let error = read(config).unwrap_err();
            let found: Vec<_> = error.problems.iter().map(|problem| problem.path.as_str()).collect();
            assert_eq!(found, *paths, "{config}: {error}");
        }
        for good in
            ["", " ", "{}", r#"{"content": {"output_bytes": 5}, "expansion_limit": 9, "window_limit": 1048576}"#]
        {
            assert!(read(good).is_ok(), "{good}");
        }
    }
}
