//! The configured extractor.

use crate::config;
use crate::exchange::{Exchange, Opening, Plan};
use crate::format::{Format, Formats};
use crate::path::{self, Call};
use crate::provider;
use crate::request::{self, Request};
use crate::tree::Tree;
use std::sync::Arc;
use tollgate_call::{ContentLimits, Skipped};
use tollgate_columns::ConfigError;

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
/// | `providers[].api` | name of an API, where paths do not tell: one of [`Api::ALL`](tollgate_call::Api::ALL), or of `apis` |
/// | `apis` | list of APIs of your own, whose formats are just places in JSON; see below |
/// | `content.input_bytes` | how much is captured of system instructions, input messages and tool definitions, in bytes; 0, the default, is nothing; see [`ContentLimits`] |
/// | `content.output_bytes` | how much is captured of output messages, in bytes; 0, the default, is nothing |
/// | `expansion_limit` | how many times larger than transferred an answer may become by decoding; 200 |
/// | `window_limit` | bytes of the largest window that the encoding of an answer (`br`, `zstd`) may ask for; 8388608 |
///
/// An API of `apis`:
///
/// | member | meaning |
/// |---|---|
/// | `name` | what records and attributes call it |
/// | `path` | end of the path of its calls |
/// | `operation` | `gen_ai.operation.name`: `chat` (the default), `text_completion`, `generate_content`, `embeddings`, `rerank`, `moderation` |
/// | `stream` | how it streams: `sse` (the default), or `documents`: JSON documents one after the other or in one array |
/// | `request` | where a request says what it asks for: `model`, `stream`, `temperature` and other parameters of the record; left out, the places of the APIs that are built in |
/// | `response` | where an answer says what: `id`, `model`, `finish_reasons`, `usage`, `count`, `text`, `error_type`, `end` and others |
/// | `usage` | how native counts become canonical: `"input_tokens": "usage.fresh + usage.cached"` |
///
/// A place is the keys that lead to it, with dots between; `[]` are elements of an array, `[choice]` elements that are
/// answers of their own, `[block]` elements that are blocks of content; `|` stands between alternatives. Native counts
/// are named by the last key of their usage object and their own: `usage.fresh`.
///
/// ```
/// # use tollgate_token_extractor::{Extractor, RequestHead};
/// # use tollgate_call::Outcome;
/// let config = r#"{"apis": [{
///     "name": "acme.generate", "path": "/generate",
///     "response": {"model": "engine", "finish_reasons": "parts[choice].why", "usage": "meter"},
///     "usage": {"input_tokens": "meter.in + meter.cached", "cache_read_tokens": "meter.cached", "output_tokens": "meter.out"}
/// }]}"#;
/// let extractor = Extractor::configure(config).unwrap();
/// let head = RequestHead { method: "POST", host: "llm.acme.example", path: "/v3/generate", ..Default::default() };
/// let mut exchange = extractor.exchange(head);
/// exchange.response_head(200, []);
/// exchange.response_body(br#"{"engine": "a-1", "parts": [{"why": "end"}], "meter": {"in": 5, "cached": 20, "out": 7}}"#, 1);
/// let record = exchange.end(Outcome::Complete).record.unwrap();
/// assert_eq!(record.response_model.as_deref(), Some("a-1"));
/// assert_eq!(record.usage.unwrap().input_tokens, Some(25));
/// ```
#[derive(Clone, Debug)]
pub struct Extractor {
    pub(crate) routes: Vec<Route>,
    pub(crate) limits: Limits,
    pub(crate) formats: Arc<Formats>,
    /// APIs of the configuration, by the ends of their paths.
    pub(crate) paths: Vec<(String, Arc<Format>)>,
    /// Where requests of built-in APIs say what they ask for.
    request: Arc<Tree<request::Field>>,
}

/// Who is at a host, or below a path.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    pub(crate) host: Option<String>,
    pub(crate) path_prefix: Option<String>,
    pub(crate) provider: String,
    pub(crate) format: Option<Arc<Format>>,
}

impl Default for Extractor {
    fn default() -> Self {
        let limits = Limits { content: ContentLimits::default(), expansion: DEFAULT_EXPANSION, window: DEFAULT_WINDOW };
        Self {
            routes: Vec::new(),
            limits,
            formats: Arc::default(),
            paths: Vec::new(),
            request: Arc::new(request::builtin()),
        }
    }
}

impl Extractor {
    /// Reads a configuration; blank text is the default.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its path.
    pub fn configure(json: &str) -> Result<Self, ConfigError> {
        config::read(json)
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
        content_type: impl Fn() -> Option<B>,
    ) -> Exchange {
        let host = provider::host(head.host);
        let route = self.routes.iter().find(|route| route.matches(&host, head.path));
        let provider = match route {
            Some(route) => Some(route.provider.clone()),
            None => provider::at_host(&host).map(str::to_owned),
        };
        let known = provider.is_some();
        let path = path::without_query(head.path);
        let path_model = path::model(path);
        let call = path::call(head.method, path);
        let chosen = self.chosen(&call, route, head.method, path);
        let mut header = None;
        let plan = match (call, chosen) {
            (_, Some(format)) => Plan::Read { format, sure: true },
            (Call::Aside(why), _) if known => Plan::Skip { why, unsupported: false },
            (Call::Aside(why), _) => Plan::Skip { why: unknown_host(path, why), unsupported: false },
            (Call::Read { format, .. }, _) => match self.variant(format, path_model.as_deref()) {
                Some(format) => Plan::Read { format, sure: known },
                None => Plan::Skip { why: Skipped::NotAnLlmCall, unsupported: true },
            },
            (Call::Unknown, _) => {
                header = content_type();
                match header.as_ref().map(AsRef::as_ref) {
                    Some(value) if is_grpc(value) => Plan::Skip { why: Skipped::Grpc, unsupported: known },
                    value if may_be_json(value) => Plan::Recognise,
                    _ => Plan::Skip { why: Skipped::NotAnLlmCall, unsupported: known },
                }
            }
        };
        // Requests of other APIs are JSON.
        if matches!(&plan, Plan::Read { format, .. } if format.uploads) {
            header = content_type();
        }
        let fields = match &plan {
            Plan::Read { format, .. } => format.request.as_ref(),
            Plan::Recognise | Plan::Skip { .. } => None,
        };
        Exchange::new(Opening {
            request: Request::new(fields.unwrap_or(&self.request), header.as_ref().map(AsRef::as_ref)),
            plan,
            provider,
            path_model,
            stream: matches!(call, Call::Read { stream: true, .. }),
            formats: &self.formats,
            limits: self.limits,
        })
    }

    /// The format that the configuration says: by the end of the path, or by the route, unless the path is one that
    /// makes no inference.
    fn chosen(&self, call: &Call, route: Option<&Route>, method: &str, path: &str) -> Option<Arc<Format>> {
        let own = self.paths.iter().find(|(end, _)| path.ends_with(end.as_str())).map(|(_, format)| format);
        let routed = route.and_then(|route| route.format.as_ref()).filter(|_| !matches!(call, Call::Aside(_)));
        own.or(routed).filter(|_| method.eq_ignore_ascii_case("POST")).cloned()
    }

    /// The variant of a format that a model speaks: what `InvokeModel` and `predict` carry is the family's own.
    fn variant(&self, format: &str, model: Option<&str>) -> Option<Arc<Format>> {
        /// What is in the names of models, and the variant that they speak.
        const VARIANTS: [(&str, &str); 5] = [
            ("anthropic", "anthropic"),
            ("claude", "anthropic"),
            ("embed", "embeddings"),
            ("rerank", "rerank"),
            ("imagen", "imagen"),
        ];
        let variant = VARIANTS.iter().find(|(part, _)| model.is_some_and(|model| model.contains(part)));
        let own = variant.and_then(|(_, variant)| self.formats.named(&format!("{format}/{variant}")));
        own.or_else(|| self.formats.named(format))
    }

    pub(crate) fn formats_mut(&mut self) -> &mut Formats {
        Arc::make_mut(&mut self.formats)
    }
}

/// What to say of a call without inference at a host that nobody named: most are no LLM calls at all.
fn unknown_host(path: &str, why: Skipped) -> Skipped {
    let llm = ["/chat/completions", "/v1/models", "/v1/responses", "/v1/messages"];
    let certain = matches!(why, Skipped::CountTokens | Skipped::Upgrade) || llm.iter().any(|part| path.contains(part));
    if certain { why } else { Skipped::NotAnLlmCall }
}

/// Whether the request can be one to an LLM API: they take JSON.
fn may_be_json(content_type: Option<&[u8]>) -> bool {
    content_type.is_none_or(|value| value.windows(4).any(|part| part.eq_ignore_ascii_case(b"json")))
}

/// Whether the request is gRPC or gRPC-Web, of whatever kind: `application/grpc`, `application/grpc-web+proto`,
/// `application/grpc+json` (gRPC over HTTP/2, "Requests"; gRPC-Web, "Protocol differences").
fn is_grpc(content_type: &[u8]) -> bool {
    const GRPC: &[u8] = b"application/grpc";
    content_type.get(..GRPC.len()).is_some_and(|start| start.eq_ignore_ascii_case(GRPC))
}

impl Route {
    fn matches(&self, host: &str, path: &str) -> bool {
        self.host.as_ref().is_none_or(|pattern| provider::matches(pattern, host))
            && self.path_prefix.as_ref().is_none_or(|prefix| path.starts_with(prefix.as_str()))
    }
}
