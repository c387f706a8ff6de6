//! Any callbacks in any order with any bytes, under any of the configurations: the filter does not panic, holds no more
//! than it may, and forgets a stream that is gone; and where it only watches it neither holds nor changes anything.
#![no_main]

use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use tollgate_envoy_model::{Model, ROOT, Refusals};
use tollgate_filter::filter::Filter;
use tollgate_filter::proxy::Flow;

const QUEUE_BYTES: usize = 4096;

const EXPORT: &str = r#""export": {"cluster": "c", "batch_bytes": 1024, "queue_bytes": 4096, "in_flight": 2, "attempts": 2, "content": "span_and_event"},
    "capture_content": {"input_bytes": 2000, "output_bytes": 2000}, "metrics": {"series": 3}"#;

/// The first one only watches.
const MORE: [&str; 6] = [
    "",
    r#", "access_log": "off""#,
    r#", "include_usage": {"mode": "inject_and_strip", "event_bytes": 1024, "content_length": "rewrite"}"#,
    r#", "include_usage": "inject", "redact_traffic": {"response": true, "max_body_bytes": 2048}"#,
    r#", "redact_traffic": {"response": true, "max_body_bytes": 2048, "on_error": "mask_all"}"#,
    r#", "response_headers": {"trailers": true, "max_body_bytes": 1024},
        "feedback": {"key": "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"},
        "budgets": {"key_header": "x-request-id", "keys": 3, "limits": [{"name": "t", "tokens": 10, "period_s": 60}]}"#,
];

const NAMES: [&str; 12] = [
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

const VALUES: [&str; 16] = [
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
    "zstd",
    "95",
    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
];

#[derive(Arbitrary, Debug)]
enum Value<'a> {
    Word(u8),
    Bytes(&'a [u8]),
}

type Head<'a> = Vec<(u8, Value<'a>)>;

#[derive(Arbitrary, Debug)]
enum Step<'a> {
    Create { id: u8, root: bool },
    RequestHeaders { id: u8, head: Head<'a>, end: bool },
    RequestBody { id: u8, chunk: &'a [u8], end: bool },
    RequestTrailers { id: u8 },
    ResponseHeaders { id: u8, head: Head<'a>, end: bool },
    ResponseBody { id: u8, chunk: &'a [u8], end: bool },
    ResponseTrailers { id: u8 },
    Log { id: u8, details: &'a [u8] },
    Delete { id: u8 },
    Tick { root: u8 },
    Answered { token: u8, status: Option<u16>, body: &'a [u8] },
    Refuse(u16),
    Clock(u64),
    Configure(u8),
}

fn head(head: Head<'_>) -> Vec<(String, Vec<u8>)> {
    let name = |number: u8| NAMES[usize::from(number) % NAMES.len()].to_owned();
    let value = |value| match value {
        Value::Word(number) => VALUES[usize::from(number) % VALUES.len()].as_bytes().to_vec(),
        Value::Bytes(bytes) => bytes.to_vec(),
    };
    head.into_iter().map(|(number, of)| (name(number), value(of))).collect()
}

/// Few ids, so that callbacks meet.
fn id(number: u8) -> u32 {
    u32::from(number % 5) + 1
}

fn configuration(number: u8) -> String {
    format!("{{{EXPORT}{}}}", MORE[usize::from(number) % MORE.len()])
}

fn take(model: &Model, filter: &mut Filter, step: Step<'_>) -> Flow {
    let put = |chunk: &[u8]| {
        *model.chunk.borrow_mut() = chunk.to_vec();
        chunk.len()
    };
    match step {
        Step::Create { id: stream, root } => filter.create(id(stream), if root { 0 } else { ROOT }),
        Step::RequestHeaders { id: stream, head: given, end } => {
            model.headers.borrow_mut()[0] = head(given);
            return filter.request_headers(model, id(stream), end);
        }
        Step::RequestBody { id: stream, chunk, end } => return filter.request_body(model, id(stream), put(chunk), end),
        Step::RequestTrailers { id: stream } => return filter.request_trailers(model, id(stream)),
        Step::ResponseHeaders { id: stream, head: given, end } => {
            model.headers.borrow_mut()[1] = head(given);
            return filter.response_headers(model, id(stream), end);
        }
        Step::ResponseBody { id: stream, chunk, end } => {
            return filter.response_body(model, id(stream), put(chunk), end);
        }
        Step::ResponseTrailers { id: stream } => return filter.response_trailers(model, id(stream)),
        Step::Log { id: stream, details } => {
            *model.details.borrow_mut() = Some(details.to_vec());
            filter.log(model, id(stream));
        }
        Step::Delete { id: stream } => filter.delete(model, id(stream)),
        Step::Tick { root } => filter.tick(model, id(root)),
        Step::Answered { token, status, body } => {
            let status = status.map(|status| (":status".to_owned(), status.to_string().into_bytes()));
            let answered = status.is_some();
            model.headers.borrow_mut()[2] = status.into_iter().collect();
            *model.callout.borrow_mut() = body.to_vec();
            filter.call_answered(model, ROOT, u32::from(token), answered);
        }
        Step::Refuse(bits) => {
            let bit = |number: u8| bits & (1 << number) != 0 && bits & 0x8000 != 0;
            model.refusals.set(Refusals {
                headers: bit(0),
                bodies: bit(1),
                properties: bit(2),
                states: bit(3),
                metrics: bit(4),
                calls: bit(5),
                clock: bit(6),
                changes: bit(7),
                shared: bit(8),
            });
        }
        Step::Clock(now) => model.now.set(now),
        Step::Configure(number) => {
            model.configure(filter, &configuration(number));
        }
    }
    Flow::Continue
}

fuzz_target!(|input: (u8, Vec<Step<'_>>)| {
    let (first, steps) = input;
    let (model, mut filter) = (Model::default(), Filter::default());
    assert!(model.configure(&mut filter, &configuration(first)), "{:?}", model.log_lines());
    let mut watches = usize::from(first) % MORE.len() < 2;
    for step in steps {
        if let Step::Configure(number) = &step {
            watches &= usize::from(*number) % MORE.len() < 2;
        }
        let flow = take(&model, &mut filter, step);
        assert!(!watches || (flow, model.changes()) == (Flow::Continue, 0));
        assert!(filter.held_bytes() <= 5 * QUEUE_BYTES);
        assert!(filter.open_streams() <= 5);
    }
    for context in 0..8 {
        filter.delete(&model, context);
    }
    assert_eq!((filter.open_streams(), filter.held_bytes()), (0, 0));
});
