//! What open streams hold, by what the allocator has given out: a long answer, and ten thousand answers at once.

mod common;

use common::{event_stream, sse};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use tollgate_call::Outcome;
use tollgate_token_extractor::{Exchange, Extractor, RequestHead};

/// The system's allocator, which counts what each thread holds.
struct Counting;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
}

fn count(bytes: isize) {
    // The allocator is asked while a thread ends, too.
    let _ = HELD.try_with(|held| held.set(held.get() + bytes));
}

#[expect(unsafe_code, reason = "an allocator is unsafe by its trait; this one only counts")]
// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size().cast_signed());
        // SAFETY: as for the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        count(-layout.size().cast_signed());
        // SAFETY: as for the caller.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn held() -> isize {
    HELD.get()
}

/// What an open stream may hold, in bytes, beyond the event in progress.
const MOST: isize = 8 * 1024;
const OPEN: usize = 10_000;

struct Stream {
    name: &'static str,
    path: &'static str,
    /// An answer of a few events, without its end.
    body: Vec<u8>,
    /// An event that may come any number of times.
    delta: Vec<u8>,
}

fn streams() -> Vec<Stream> {
    let chat = r#"{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt-4o-2024-08-06","service_tier":"default","system_fingerprint":"fp_1","choices":[{"index":0,"delta":{"content":"some \"text\""},"finish_reason":null}],"usage":null}"#;
    let delta = r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"some text"}}"#;
    let start = r#"{"type":"message_start","message":{"id":"msg_1","model":"claude-sonnet-4","usage":{"input_tokens":40,"cache_read_input_tokens":5,"cache_creation":{"ephemeral_5m_input_tokens":1},"output_tokens":1}}}"#;
    let created = r#"{"type":"response.created","response":{"id":"resp_1","model":"gpt-5","status":"in_progress"}}"#;
    let text = r#"{"type":"response.output_text.delta","output_index":0,"delta":"some text"}"#;
    let gemini = r#"{"candidates":[{"content":{"parts":[{"text":"some text"}],"role":"model"}}],"usageMetadata":{"promptTokenCount":4,"candidatesTokenCount":9,"totalTokenCount":13,"promptTokensDetails":[{"modality":"TEXT","tokenCount":4}]},"modelVersion":"gemini-2.5-flash","responseId":"r"}"#;
    let line = "{\"model\":\"llama3\",\"message\":{\"role\":\"assistant\",\"content\":\"some text\"},\"done\":false}\n";
    let converse = event_stream::event("contentBlockDelta", r#"{"contentBlockIndex":0,"delta":{"text":"some text"}}"#);
    let stream = |name, path, begin: &str, delta: &str| Stream {
        name,
        path,
        body: begin.as_bytes().to_vec(),
        delta: delta.as_bytes().to_vec(),
    };
    vec![
        stream("chat completions", "/v1/chat/completions", "", &sse(&[chat])),
        stream("messages", "/v1/messages", &sse(&[start]), &sse(&[delta])),
        stream("responses", "/v1/responses", &sse(&[created]), &sse(&[text])),
        stream("Gemini", "/v1beta/models/g:streamGenerateContent", "", &sse(&[gemini])),
        stream(
            "Gemini as an array",
            "/v1beta/models/g:streamGenerateContent",
            &format!("[{gemini}"),
            &format!(",{gemini}"),
        ),
        stream("Ollama", "/api/chat", "", line),
        Stream { name: "Converse", path: "/model/m/converse-stream", body: Vec::new(), delta: converse },
    ]
}

fn begin(extractor: &Extractor, stream: &Stream) -> Box<Exchange> {
    let head = RequestHead { method: "POST", host: "api.openai.com", path: stream.path, ..RequestHead::default() };
    let mut exchange = Box::new(extractor.exchange(head));
    exchange.request_body(
        br#"{"model":"asked-for","stream":true,"temperature":0.5,"messages":[{"role":"user","content":"Hi"}]}"#,
    );
    exchange.response_head(200, []);
    exchange.response_body(&stream.body, 0);
    exchange
}

#[test]
fn ten_thousand_open_streams_hold_a_few_kilobytes_each() {
    let extractor = Extractor::default();
    for stream in streams() {
        let before = held();
        let mut open = Vec::with_capacity(OPEN);
        for number in 0..OPEN {
            let mut exchange = begin(&extractor, &stream);
            exchange.response_body(&stream.delta, 1);
            // Each is left at another byte of an event.
            exchange.response_body(stream.delta.get(..number % stream.delta.len()).unwrap(), 2);
            open.push(exchange);
        }
        let each = (held() - before) / OPEN.cast_signed();
        println!("{}: {each} bytes a stream", stream.name);
        assert!(each <= MOST, "{}: {each} bytes a stream", stream.name);
        assert!(open.iter().all(|exchange| exchange.heap_bytes().cast_signed() <= MOST), "{}", stream.name);
    }
}

#[test]
fn an_answer_of_a_hundred_megabytes_holds_what_a_short_one_holds() {
    let extractor = Extractor::default();
    for (number, stream) in streams().iter().enumerate() {
        let (chunk, before) = (stream.delta.repeat(200), held());
        let mut exchange = begin(&extractor, stream);
        // One of them whole; the others would only take longer.
        let size = if number == 0 { 100_000_000 } else { 5_000_000 };
        let (mut sent, mut most) = (0, 0);
        while sent < size {
            let (head, tail) = chunk.split_at(sent % stream.delta.len());
            exchange.response_body(head, 1);
            exchange.response_body(tail, 2);
            sent += chunk.len();
            most = most.max(held() - before);
        }
        println!("{}: {most} bytes at most in {sent}", stream.name);
        assert!(most <= MOST, "{}: {most} bytes", stream.name);
        let record = exchange.end(Outcome::ClientAborted).record.unwrap();
        assert!(record.stream, "{}", stream.name);
    }
}
