//! Whatever the proxy does, the filter does not panic and does not grow; and where no rewriting is on, it never holds
//! and never changes anything.
#![allow(clippy::indexing_slicing, reason = "a test that fails says where")]

use proptest::prelude::*;
use tollgate_envoy_model::{Model, ROOT, Refusals};
use tollgate_filter::filter::Filter;
use tollgate_filter::proxy::Flow;

const QUEUE_BYTES: usize = 4096;
const SERIES: usize = 3;

const CONFIG: &str = r#"{
    "capture_content": {"input_bytes": 2000, "output_bytes": 2000},
    "export": {"cluster": "collector", "batch_bytes": 1024, "queue_bytes": 4096, "in_flight": 2, "attempts": 2,
               "content": "span_and_event"},
    "metrics": {"series": 3}, "access_log": "record"
}"#;

const REWRITES: &str = r#""series": 3},
    "include_usage": {"mode": "inject_and_strip", "event_bytes": 1024, "content_length": "rewrite"}"#;

const REDACTS: &str = r#""series": 3},
    "include_usage": {"mode": "inject_and_strip", "event_bytes": 1024},
    "redact_traffic": {"response": true, "max_body_bytes": 2048, "on_error": "POLICY"}"#;

const TELLS: &str = r#""series": 3, "models": ["gpt-*", "a*"]},
    "include_usage": {"mode": "inject_and_strip", "event_bytes": 1024, "content_length": "rewrite"},
    "response_headers": {"trailers": TRAILERS, "max_body_bytes": 1024},
    "feedback": {"key": "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"},
    "budgets": {"key_header": "x-request-id", "keys": 3, "refuse": TRAILERS, "limits": [
        {"name": "t", "tokens": 10, "period_s": 60}, {"name": "d", "usd": 1, "period_s": 86400}]}"#;

/// Bytes of the sums of three consumers.
const BUDGET_BYTES: usize = 3 * (8 + 2 * 12);

/// A callback, or a change of what the proxy does.
#[derive(Clone, Debug)]
enum Step {
    Create { id: u32, root: u32 },
    RequestHeaders { id: u32, headers: Vec<(String, Vec<u8>)>, end: bool },
    RequestBody { id: u32, chunk: Vec<u8>, said: usize, end: bool },
    ResponseHeaders { id: u32, headers: Vec<(String, Vec<u8>)>, end: bool },
    ResponseBody { id: u32, chunk: Vec<u8>, said: usize, end: bool },
    RequestTrailers { id: u32 },
    ResponseTrailers { id: u32 },
    Log { id: u32, details: Option<Vec<u8>> },
    Delete { id: u32 },
    Tick { root: u32 },
    Answered { root: u32, token: u32, status: Option<Vec<u8>>, wait: Vec<u8>, body: Vec<u8> },
    Refuse(u16),
    Clock(u64),
}

/// Few ids, so that callbacks meet: two roots, streams of both, and one that nobody created.
fn id() -> impl Strategy<Value = u32> {
    1..6u32
}

fn words(words: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => proptest::sample::select(words).prop_map(|word| word.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..40),
    ]
}

fn headers() -> impl Strategy<Value = Vec<(String, Vec<u8>)>> {
    let names = &[
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
    ];
    let values = words(&[
        "POST",
        "/v1/chat/completions",
        "/v1/responses",
        "/v1/messages",
        "api.openai.com",
        "api.anthropic.com",
        "200",
        "429",
        "application/json",
        "text/event-stream",
        "gzip",
        "br",
        "79",
        "95",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "a=1,ot=rv:00000000000001;th:c",
    ]);
    proptest::collection::vec((proptest::sample::select(names).prop_map(str::to_owned), values), 0..9)
}

fn chunk() -> impl Strategy<Value = Vec<u8>> {
    let model = "[a-z]{1,3}".prop_map(|model| format!("{{\"model\":\"{model}\",\"messages\":[]}}").into_bytes());
    prop_oneof![
        2 => model,
        3 => words(&[
            r#"{"model":"gpt-4o","messages":[{"role":"user","content":"mail to jane@example.com\n4111111111111111"}]}"#,
            r#"{"id":"c1","object":"chat.completion","model":"gpt-4o-2024-08-06","choices":[{"finish_reason":"stop","message":{"role":"assistant","content":"hi"}}],"usage":{"prompt_tokens":10,"completion_tokens":2,"total_tokens":12}}"#,
            "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"model\":\"gpt-4o\",\"choices\":[{\"delta\":{\"content\":\"h\"}}]}\n\n",
            "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1}}\n\n",
            "data: [DONE]\n\n",
            "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"model\":\"claude-3\",\"usage\":{\"input_tokens\":3}}}\n\n",
            r#"{"error":{"type":"invalid_request_error","code":null}}"#,
            "{\"usage\":{\"prompt_tokens\":-1e400",
            "[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
        ]),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let said = prop_oneof![3 => Just(usize::MAX), 1 => 0..50usize];
    let said2 = prop_oneof![3 => Just(usize::MAX), 1 => 0..50usize];
    let details = words(&[
        "via_upstream",
        "downstream_remote_disconnect",
        "upstream_reset_after_response_started{connection_termination}",
        "response_timeout",
    ]);
    prop_oneof![
        3 => (id(), 0..3u32).prop_map(|(id, root)| Step::Create { id, root }),
        4 => (id(), headers(), prop::bool::weighted(0.1))
            .prop_map(|(id, headers, end)| Step::RequestHeaders { id, headers, end }),
        4 => (id(), chunk(), said, any::<bool>())
            .prop_map(|(id, chunk, said, end)| Step::RequestBody { id, chunk, said, end }),
        4 => (id(), headers(), any::<bool>()).prop_map(|(id, headers, end)| Step::ResponseHeaders { id, headers, end }),
        6 => (id(), chunk(), said2, any::<bool>())
            .prop_map(|(id, chunk, said, end)| Step::ResponseBody { id, chunk, said, end }),
        1 => id().prop_map(|id| Step::RequestTrailers { id }),
        1 => id().prop_map(|id| Step::ResponseTrailers { id }),
        4 => (id(), proptest::option::of(details)).prop_map(|(id, details)| Step::Log { id, details }),
        1 => id().prop_map(|id| Step::Delete { id }),
        2 => id().prop_map(|root| Step::Tick { root }),
        2 => (id(), 0..4u32, proptest::option::of(words(&["200", "503", "400"])), words(&["1", "0"]), words(&["\n\u{2}\u{8}\u{1}"]))
            .prop_map(|(root, token, status, wait, body)| Step::Answered { root, token, status, wait, body }),
        1 => any::<u16>().prop_map(Step::Refuse),
        1 => any::<u64>().prop_map(Step::Clock),
    ]
}

fn refusals(bits: u16) -> Refusals {
    // Half of the time nothing is refused.
    let bit = |n: u8| bits & 0x8000 != 0 && bits & (1 << n) != 0;
    Refusals {
        headers: bit(0),
        bodies: bit(1),
        properties: bit(2),
        states: bit(3),
        metrics: bit(4),
        calls: bit(5),
        clock: bit(6),
        changes: bit(7),
        shared: bit(8),
    }
}

/// Takes a step, and says whether the filter holds the stream.
fn take(model: &Model, filter: &mut Filter, step: Step) -> Flow {
    let set = |which: usize, headers: Vec<(String, Vec<u8>)>| model.headers.borrow_mut()[which] = headers;
    match step {
        Step::Create { id, root } => filter.create(id, root),
        Step::RequestHeaders { id, headers, end } => {
            set(0, headers);
            return filter.request_headers(model, id, end);
        }
        Step::RequestBody { id, chunk, said, end } => {
            let size = said.min(chunk.len() + 1);
            *model.chunk.borrow_mut() = chunk;
            return filter.request_body(model, id, size, end);
        }
        Step::ResponseHeaders { id, headers, end } => {
            set(1, headers);
            return filter.response_headers(model, id, end);
        }
        Step::ResponseBody { id, chunk, said, end } => {
            let size = said.min(chunk.len() + 1);
            *model.chunk.borrow_mut() = chunk;
            return filter.response_body(model, id, size, end);
        }
        Step::RequestTrailers { id } => return filter.request_trailers(model, id),
        Step::ResponseTrailers { id } => return filter.response_trailers(model, id),
        Step::Log { id, details } => {
            *model.details.borrow_mut() = details;
            filter.log(model, id);
        }
        Step::Delete { id } => filter.delete(model, id),
        Step::Tick { root } => filter.tick(model, root),
        Step::Answered { root, token, status, wait, body } => {
            let answered = status.is_some();
            let status = status.map(|status| (":status".to_owned(), status));
            set(2, status.into_iter().chain([("retry-after".to_owned(), wait)]).collect());
            *model.callout.borrow_mut() = body;
            filter.call_answered(model, root, token, answered);
        }
        Step::Refuse(bits) => model.refusals.set(refusals(bits)),
        Step::Clock(now) => model.now.set(now),
    }
    Flow::Continue
}

proptest! {
    #[test]
    fn any_callbacks_in_any_order(rewrites in 0..7_usize, steps in proptest::collection::vec(step(), 0..120)) {
        let (model, mut filter) = (Model::default(), Filter::default());
        let redacts = |policy| REDACTS.replace("POLICY", policy);
        let config = match rewrites {
            0 => CONFIG.to_owned(),
            1 => CONFIG.replace("\"series\": 3}", REWRITES),
            5 | 6 => CONFIG.replace("\"series\": 3}", &TELLS.replace("TRAILERS", if rewrites == 5 { "true" } else { "false" })),
            other => CONFIG.replace("\"series\": 3}", &redacts(["block", "pass", "mask_all"][other - 2])),
        };
        prop_assert!(model.configure(&mut filter, &config));
        for step in steps {
            let flow = take(&model, &mut filter, step);
            prop_assert!(rewrites > 0 || (flow, model.changes()) == (Flow::Continue, 0));
            prop_assert!(filter.held_bytes() <= QUEUE_BYTES);
            prop_assert!(filter.open_streams() <= 5);
            prop_assert!(model.shared.borrow().values().map(|(value, _)| value.len()).sum::<usize>() <= BUDGET_BYTES);
        }
        // Models that come from outside get no more series than were allowed, and `other`.
        let names = model.metric_names();
        let models: std::collections::BTreeSet<_> = names
            .iter()
            .filter_map(|name| name.split(';').find(|label| label.starts_with("model=") && *label != "model=other"))
            .collect();
        prop_assert!(models.len() <= SERIES, "{models:?}");
        let distinct: std::collections::BTreeSet<_> = names.iter().collect();
        prop_assert_eq!(distinct.len(), names.len(), "a metric was declared twice");
    }

    #[test]
    fn any_bytes_as_configuration(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = tollgate_filter::config::Config::parse(&bytes);
    }

    #[test]
    fn any_traceparent(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        let _ = tollgate_filter::trace_context::Parent::parse(&bytes);
        let _ = tollgate_filter::trace_context::trace_state(&bytes);
    }
}

#[test]
fn contexts_that_nobody_created_are_ignored() {
    let (model, mut filter) = (Model::default(), Filter::default());
    for id in [0, ROOT, 7, u32::MAX] {
        filter.request_headers(&model, id, false);
        filter.request_body(&model, id, 5, true);
        filter.request_trailers(&model, id);
        filter.response_headers(&model, id, true);
        filter.response_body(&model, id, 5, true);
        filter.response_trailers(&model, id);
        filter.log(&model, id);
        filter.tick(&model, id);
        filter.call_answered(&model, id, id, true);
        filter.delete(&model, id);
    }
    assert_eq!(model.metric_names(), Vec::<String>::new());
}
