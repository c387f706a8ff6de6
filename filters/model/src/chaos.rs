//! Callbacks in any order, as a proxy that has gone mad would make them: for property tests and for fuzzing.
//!
//! A [`Step`] is one callback, or one change of what the proxy does. What it is filled with is for the caller to choose;
//! [`HEADER_NAMES`] and their like are what gets far.

use crate::{HeaderMap, Model, Refusals};
use tollgate_filter::filter::Filter;
use tollgate_filter::proxy::Flow;

/// A callback, or a change of what the proxy does.
#[derive(Clone, Debug)]
pub enum Step {
    /// A root gets one of [`configurations`].
    Configure {
        /// Root.
        root: u32,
        /// Which; too much is wrapped.
        which: usize,
    },
    /// A context appears.
    Create {
        /// Context.
        id: u32,
        /// Whose it is; 0 makes it a root.
        root: u32,
    },
    /// Headers of a request.
    RequestHeaders {
        /// Context.
        id: u32,
        /// All of them.
        headers: HeaderMap,
        /// Whether there is nothing else.
        end: bool,
    },
    /// A chunk of a request.
    RequestBody {
        /// Context.
        id: u32,
        /// Its bytes.
        chunk: Vec<u8>,
        /// How many are said to be there; at most one too many.
        said: usize,
        /// Whether it is the last.
        end: bool,
    },
    /// Trailers of a request.
    RequestTrailers {
        /// Context.
        id: u32,
    },
    /// Headers of an answer.
    ResponseHeaders {
        /// Context.
        id: u32,
        /// All of them.
        headers: HeaderMap,
        /// Whether there is nothing else.
        end: bool,
    },
    /// A chunk of an answer.
    ResponseBody {
        /// Context.
        id: u32,
        /// Its bytes.
        chunk: Vec<u8>,
        /// How many are said to be there; at most one too many.
        said: usize,
        /// Whether it is the last.
        end: bool,
    },
    /// Trailers of an answer.
    ResponseTrailers {
        /// Context.
        id: u32,
    },
    /// The end of a stream.
    Log {
        /// Context.
        id: u32,
        /// `response.code_details`.
        details: Option<Vec<u8>>,
    },
    /// A context goes away.
    Delete {
        /// Context.
        id: u32,
    },
    /// The timer.
    Tick {
        /// Root.
        root: u32,
    },
    /// An answer to a call of the filter's own.
    Answered {
        /// Root.
        root: u32,
        /// Number of the call, which need not have been made.
        token: u32,
        /// Its status; without one no answer came.
        status: Option<Vec<u8>>,
        /// Its `retry-after`.
        wait: Vec<u8>,
        /// Its body.
        body: Vec<u8>,
    },
    /// What the proxy refuses from now on, as [`refusals`] has it.
    Refuse(u16),
    /// Another time, in nanoseconds since 1970; earlier ones as well.
    Clock(u64),
}

impl Step {
    /// Takes the step, and says whether the filter holds the stream.
    pub fn take(self, model: &Model, filter: &mut Filter) -> Flow {
        let set = |which: usize, headers: HeaderMap| {
            if let Some(map) = model.headers.borrow_mut().get_mut(which) {
                *map = headers;
            }
        };
        match self {
            Self::Configure { root, which } => {
                let configurations = configurations();
                if let Some(json) = configurations.get(which % configurations.len()) {
                    model.configure_root(filter, root, json);
                }
            }
            Self::Create { id, root } => filter.create(id, root),
            Self::RequestHeaders { id, headers, end } => {
                set(0, headers);
                return filter.request_headers(model, id, end);
            }
            Self::RequestBody { id, chunk, said, end } => {
                let size = said.min(chunk.len().saturating_add(1));
                *model.chunk.borrow_mut() = chunk;
                return filter.request_body(model, id, size, end);
            }
            Self::ResponseHeaders { id, headers, end } => {
                set(1, headers);
                return filter.response_headers(model, id, end);
            }
            Self::ResponseBody { id, chunk, said, end } => {
                let size = said.min(chunk.len().saturating_add(1));
                *model.chunk.borrow_mut() = chunk;
                return filter.response_body(model, id, size, end);
            }
            Self::RequestTrailers { id } => return filter.request_trailers(model, id),
            Self::ResponseTrailers { id } => return filter.response_trailers(model, id),
            Self::Log { id, details } => {
                *model.details.borrow_mut() = details;
                filter.log(model, id);
            }
            Self::Delete { id } => filter.delete(model, id),
            Self::Tick { root } => filter.tick(model, root),
            Self::Answered { root, token, status, wait, body } => {
                let answered = status.is_some();
                let status = status.map(|status| (":status".to_owned(), status));
                set(2, status.into_iter().chain([("retry-after".to_owned(), wait)]).collect());
                *model.callout.borrow_mut() = body;
                filter.call_answered(model, root, token, answered);
            }
            Self::Refuse(bits) => model.refusals.set(refusals(bits)),
            Self::Clock(now) => model.now.set(now),
        }
        Flow::Continue
    }
}

/// What is refused, a bit each; nothing where the highest bit is not set, so that half of the time all goes well.
#[must_use]
pub const fn refusals(bits: u16) -> Refusals {
    const fn bit(bits: u16, n: u8) -> bool {
        bits & 0x8000 != 0 && bits & (1 << n) != 0
    }
    Refusals {
        headers: bit(bits, 0),
        bodies: bit(bits, 1),
        properties: bit(bits, 2),
        states: bit(bits, 3),
        metrics: bit(bits, 4),
        calls: bit(bits, 5),
        clock: bit(bits, 6),
        changes: bit(bits, 7),
        shared: bit(bits, 8),
    }
}

/// `export.queue_bytes` of all [`configurations`].
pub const QUEUE_BYTES: usize = 4096;

/// `metrics.series` of all [`configurations`].
pub const SERIES: usize = 3;

/// Bytes of the sums of the consumers that budgets of [`configurations`] have room for.
pub const BUDGET_BYTES: usize = 3 * (8 + 2 * 12);

/// Configurations that have everything on in some one of them. The first only observes.
#[must_use]
pub fn configurations() -> Vec<String> {
    const OBSERVES: &str = r#"{
        "capture_content": {"input_bytes": 2000, "output_bytes": 2000},
        "export": {"cluster": "collector", "batch_bytes": 1024, "queue_bytes": 4096, "in_flight": 2, "attempts": 2,
                   "content": "span_and_event"},
        "metrics": {"series": 3}, "access_log": "record""#;
    const ASKS: &str =
        r#""include_usage": {"mode": "inject_and_strip", "event_bytes": 1024, "content_length": "LENGTH"}"#;
    const REDACTS: &str = r#""redact_traffic": {"response": true, "max_body_bytes": 2048, "on_error": "POLICY"}"#;
    const TELLS: &str = r#""rate_limit_values": true, "sampling": {"parent": "follow"},
        "response_headers": {"trailers": TRAILERS, "max_body_bytes": 1024}"#;
    const SPENDS: &str = r#""feedback": {"key": "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"},
        "budgets": {"key_header": "x-request-id", "keys": 3, "refuse": REFUSES, "limits": [
            {"name": "t", "tokens": 10, "period_s": 60}, {"name": "d", "usd": 1, "period_s": 86400}]}"#;
    // Without an access log streams that are over wait for others.
    let quiet = OBSERVES.replace("record", "off");
    let series = OBSERVES.replace(r#""series": 3"#, r#""series": 3, "models": ["gpt-*", "a*"]"#);
    let asks = |length| ASKS.replace("LENGTH", length);
    let redacts = |policy| REDACTS.replace("POLICY", policy);
    let tells = |trailers| TELLS.replace("TRAILERS", trailers);
    let spends = |refuses| SPENDS.replace("REFUSES", refuses);
    vec![
        format!("{OBSERVES}}}"),
        format!("{quiet}}}"),
        format!("{OBSERVES}, {}}}", asks("rewrite")),
        format!("{quiet}, {}, {}}}", asks("remove"), redacts("block")),
        format!("{OBSERVES}, {}, {}}}", asks("remove"), redacts("pass")),
        format!("{OBSERVES}, {}, {}, {}}}", asks("remove"), redacts("mask_all"), spends("true")),
        format!("{series}, {}, {}, {}}}", asks("rewrite"), tells("true"), spends("true")),
        format!("{series}, {}, {}, {}}}", asks("rewrite"), tells("false"), spends("false")),
    ]
}

/// How many of [`configurations`], from the first on, change nothing of any call.
pub const OBSERVING: usize = 2;

/// A text in bodies of [`CHUNKS`] that nothing may say that is not meant to carry content.
pub const CANARY: &str = "kanarek-7301";

/// Names of headers that are read.
pub const HEADER_NAMES: &[&str] = &[
    ":method",
    ":path",
    ":authority",
    ":status",
    "content-type",
    "content-encoding",
    "content-length",
    "date",
    "traceparent",
    "tracestate",
    "x-request-id",
    "upgrade",
];

/// Values that headers may have.
pub const HEADER_VALUES: &[&str] = &[
    "POST",
    "/v1/chat/completions",
    "/v1/responses",
    "/v1/messages",
    "/model/m/converse-stream",
    "api.openai.com",
    "api.anthropic.com",
    "200",
    "429",
    "101",
    "application/json",
    "text/event-stream",
    "gzip",
    "br",
    "zstd",
    "79",
    "95",
    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "a=1,ot=rv:00000000000001;th:c",
];

/// Pieces of bodies, of requests and of answers.
pub const CHUNKS: &[&str] = &[
    r#"{"model":"gpt-4o","messages":[{"role":"user","content":"kanarek-7301 has mail at jane@example.com\n4111111111111111"}]}"#,
    r#"{"model":"gpt-4o","stream":true,"messages":[{"role":"user","content":"kanarek-7301"}]}"#,
    r#"{"id":"c1","object":"chat.completion","model":"gpt-4o-2024-08-06","choices":[{"finish_reason":"stop","message":{"role":"assistant","content":"kanarek-7301"}}],"usage":{"prompt_tokens":10,"completion_tokens":2,"total_tokens":12}}"#,
    "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"model\":\"gpt-4o\",\"choices\":[{\"delta\":{\"content\":\"kanarek-7301 <EMAIL_ADDRESS_1>\"}}]}\n\n",
    "data: {\"object\":\"chat.completion.chunk\",\"choices\":[],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1}}\n\n",
    "data: [DONE]\n\n",
    "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"model\":\"claude-3\",\"usage\":{\"input_tokens\":3}}}\n\n",
    r#"{"error":{"type":"invalid_request_error","code":null,"message":"kanarek-7301"}}"#,
    "{\"usage\":{\"prompt_tokens\":-1e400",
    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
];

/// Values of `response.code_details`.
pub const DETAILS: &[&str] = &[
    "via_upstream",
    "downstream_remote_disconnect",
    "upstream_reset_after_response_started{connection_termination}",
    "response_timeout",
];
