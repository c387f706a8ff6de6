//! The configured extractor.

use crate::exchange::{Exchange, Plan};
use crate::path::{self, Call};
use crate::provider;
use serde_json::{Map, Value};
use tollgate_call::{Api, ContentLimits, Skipped};
use tollgate_columns::{ConfigError, Problem};

/// How many times larger than transferred an answer may become by decoding, unless configured. Answers of providers
/// stay below 20.
pub const DEFAULT_EXPANSION: u32 = 200;

/// Bytes of the largest window that an encoding of an answer may ask for, unless configured: what RFC 9659 has a decoder
/// of `zstd` support.
pub const DEFAULT_WINDOW: u64 = 8 << 20;

/// The beginning of a request.
#[derive(Clone, Copy, Debug, Default)]
pub struct RequestHead<'a> {
    /// `:method`.
    pub method: &'a str,
    /// `:authority`, with or without a port.
    pub host: &'a str,
    /// `:path`, with or without a query.
    pub path: &'a str,
    /// The `content-type` header.
    pub content_type: Option<&'a [u8]>,
}

/// Limits of one exchange.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) content: ContentLimits,
    pub(crate) expansion: u32,
    pub(crate) window: u64,
}

/// Tells LLM calls from other traffic and reads them. [`Extractor::default`] knows the public providers.
///
/// # Configuration
/// A JSON object; every member may be left out.
///
/// | member | meaning |
/// |---|---|
/// | `providers` | list of routes that are looked at before the public providers, in order |
/// | `providers[].host` | host in lower case, without port; `.example.com` is everything below it, `*` stands for a part of one label |
/// | `providers[].path_prefix` | beginning of the path; at least one of `host` and `path_prefix` is given |
/// | `providers[].provider` | the value of `gen_ai.provider.name` |
/// | `providers[].api` | `chat.completions`, `responses` or `anthropic.messages`, where paths do not tell |
/// | `content.input_bytes`, `content.output_bytes` | how much content is captured, in bytes; 0, the default, is none |
/// | `expansion_limit` | how many times larger than transferred an answer may become by decoding; 200 |
/// | `window_limit` | bytes of the largest window that the encoding of an answer (`br`, `zstd`) may ask for; 8388608 |
#[derive(Clone, Debug)]
pub struct Extractor {
    routes: Vec<Route>,
    limits: Limits,
}

#[derive(Clone, Debug)]
struct Route {
    host: Option<String>,
    path_prefix: Option<String>,
    provider: String,
    api: Option<Api>,
}

impl Default for Extractor {
    fn default() -> Self {
        let limits = Limits { content: ContentLimits::default(), expansion: DEFAULT_EXPANSION, window: DEFAULT_WINDOW };
        Self { routes: Vec::new(), limits }
    }
}

impl Extractor {
    /// Reads a configuration; blank text is the default.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its path.
    pub fn configure(json: &str) -> Result<Self, ConfigError> {
        if json.trim().is_empty() {
            return Ok(Self::default());
        }
        let config: Value =
            serde_json::from_str(json).map_err(|error| ConfigError::new("", format!("not JSON: {error}")))?;
        let mut checker = Checker::default();
        let extractor = checker.extractor(&config);
        if checker.0.is_empty() { Ok(extractor) } else { Err(ConfigError { problems: checker.0 }) }
    }

    /// Begins an exchange.
    #[must_use]
    pub fn exchange(&self, head: RequestHead<'_>) -> Exchange {
        self.exchange_asking(head, || head.content_type)
    }

    /// Begins an exchange, and asks for the `content-type` header only where nothing else tells what the call is; that
    /// of `head` is not looked at. For seats where reading a header has a price.
    #[must_use]
    pub fn exchange_asking<B: AsRef<[u8]>>(
        &self,
        head: RequestHead<'_>,
        content_type: impl FnOnce() -> Option<B>,
    ) -> Exchange {
        let host = provider::host(head.host);
        let route = self.routes.iter().find(|route| route.matches(&host, head.path));
        let provider = match route {
            Some(route) => Some(route.provider.clone()),
            None => provider::at_host(&host).map(str::to_owned),
        };
        let known = provider.is_some();
        let plan = match (path::call(head.method, head.path), route.and_then(|route| route.api)) {
            (Call::NoInference, _) if known => Plan::Skip { why: Skipped::NoInference, unsupported: false },
            (Call::NoInference, _) => Plan::Skip { why: unknown_host(head.path), unsupported: false },
            (_, Some(api)) => Plan::Read { api, sure: true },
            (Call::Read(api), None) => Plan::Read { api, sure: known },
            (Call::OtherApi, None) => Plan::Skip { why: Skipped::NotAnLlmCall, unsupported: known },
            (Call::Unknown, None) if may_be_json(content_type().as_ref().map(AsRef::as_ref)) => Plan::Recognise,
            (Call::Unknown, None) => Plan::Skip { why: Skipped::NotAnLlmCall, unsupported: false },
        };
        Exchange::new(plan, provider, head.path, self.limits)
    }
}

/// What to say of a call without inference at a host that nobody named: most are no LLM calls at all.
fn unknown_host(path: &str) -> Skipped {
    let llm = ["/chat/completions", "/count_tokens", "/v1/models", "/v1/responses", "/v1/messages"];
    if llm.iter().any(|part| path.contains(part)) { Skipped::NoInference } else { Skipped::NotAnLlmCall }
}

/// Whether the request can be one to an LLM API: they take JSON.
fn may_be_json(content_type: Option<&[u8]>) -> bool {
    content_type.is_none_or(|value| value.windows(4).any(|part| part.eq_ignore_ascii_case(b"json")))
}

impl Route {
    fn matches(&self, host: &str, path: &str) -> bool {
        self.host.as_ref().is_none_or(|pattern| provider::matches(pattern, host))
            && self.path_prefix.as_ref().is_none_or(|prefix| path.starts_with(prefix.as_str()))
    }
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
        let Some(config) = self.object("", config, &["providers", "content", "expansion_limit", "window_limit"]) else {
            return extractor;
        };
        match config.get("providers") {
            None => {}
            Some(Value::Array(routes)) => {
                for (index, route) in routes.iter().enumerate() {
                    extractor.routes.extend(self.route(&format!("providers[{index}]"), route));
                }
            }
            Some(_) => self.problem("providers", "must be a list of {host, path_prefix, provider, api}"),
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

    fn route(&mut self, path: &str, route: &Value) -> Option<Route> {
        let route = self.object(path, route, &["host", "path_prefix", "provider", "api"])?;
        let mut text = |name: &str| match route.get(name) {
            None => None,
            Some(Value::String(text)) if !text.is_empty() => Some(text.clone()),
            Some(_) => {
                self.problem(format!("{path}.{name}"), "must be a text that is not empty");
                None
            }
        };
        let (host, path_prefix, provider, api) = (text("host"), text("path_prefix"), text("provider"), text("api"));
        if !route.contains_key("host") && !route.contains_key("path_prefix") {
            self.problem(path, "give `host`, `path_prefix` or both");
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
        let api = api.and_then(|word| match serde_json::from_value(Value::String(word)) {
            Ok(api) => Some(api),
            Err(_) => {
                let message = "must be `chat.completions`, `responses` or `anthropic.messages`";
                self.problem(format!("{path}.api"), message);
                None
            }
        });
        Some(Route { host, path_prefix, provider: provider?, api })
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

    fn number<T: TryFrom<u64>>(&mut self, of: &Map<String, Value>, path: &str, name: &str, least: u64, into: &mut T) {
        let Some(value) = of.get(name) else { return };
        match value.as_u64().filter(|number| *number >= least).and_then(|number| T::try_from(number).ok()) {
            Some(number) => *into = number,
            None => self.problem(format!("{path}{name}"), format!("must be a whole number from {least}")),
        }
    }
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
        ];
        for (config, paths) in cases {
            let error = Extractor::configure(config).unwrap_err();
            let found: Vec<_> = error.problems.iter().map(|problem| problem.path.as_str()).collect();
            assert_eq!(found, *paths, "{config}: {error}");
        }
        for good in
            ["", " ", "{}", r#"{"content": {"output_bytes": 5}, "expansion_limit": 9, "window_limit": 1048576}"#]
        {
            assert!(Extractor::configure(good).is_ok(), "{good}");
        }
    }
}
