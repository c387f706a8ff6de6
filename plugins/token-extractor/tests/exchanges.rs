//! Exchanges that have been misread elsewhere, each at every way to cut it.
//!
//! A table row is one complaint: what the provider sends, and what has to be read from it. The bytes were written
//! for these tests, in the shapes that the providers' API references describe.

mod common;

use common::{CHAT, Call, MESSAGES, RESPONSES, sse};
use tollgate_call::{Outcome, Reading, Record, UsageSource};

/// What a row expects, as `model|reasons|input/output/read/write/reasoning|source|error`, `-` for what is missing.
fn summary(reading: &Reading) -> String {
    let record = match &reading.record {
        Ok(record) => record,
        Err(why) => return why.as_str().to_owned(),
    };
    let Record { response_model, finish_reasons, usage, usage_source, error_type, .. } = record;
    let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let usage = usage.as_ref().map(|usage| {
        let counts = [
            usage.input_tokens,
            usage.output_tokens,
            usage.cache_read_tokens,
            usage.cache_write_tokens,
            usage.reasoning_tokens,
        ];
        counts.map(|count| count.map_or("-".to_owned(), |count| count.to_string())).join("/")
    });
    let source = usage_source.map(|source| source.as_str().to_owned());
    [or_dash(response_model), finish_reasons.join(","), or_dash(&usage), or_dash(&source), or_dash(error_type)]
        .join("|")
}

struct Row {
    what: &'static str,
    call: Call,
    expected: &'static str,
    notes: &'static [&'static str],
}

fn row(what: &'static str, call: Call, expected: &'static str, notes: &'static [&'static str]) -> Row {
    Row { what, call, expected, notes }
}

const CHUNK: &str = r#"{"id":"c1","model":"gpt-4o","choices":[{"index":0,"delta":{"content":"Hi"}}]}"#;
const STOP: &str = r#"{"id":"c1","model":"gpt-4o","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;
const USAGE: &str =
    r#"{"id":"c1","model":"gpt-4o","choices":[],"usage":{"prompt_tokens":7,"completion_tokens":2,"total_tokens":9}}"#;

fn chat_rows() -> Vec<Row> {
    let stream = |events: &[&str]| Call::stream(CHAT, sse(events));
    vec![
        row("a plain stream", stream(&[CHUNK, STOP, USAGE, "[DONE]"]), "gpt-4o|stop|7/2/-/-/-|reported|-", &[]),
        row("no usage asked for", stream(&[CHUNK, STOP, "[DONE]"]), "gpt-4o|stop|-|-|-", &[]),
        row("[DONE] behind blanks", stream(&[CHUNK, STOP, USAGE, "\t\t [DONE]"]), "gpt-4o|stop|7/2/-/-/-|reported|-", &[]),
        row("no [DONE]", stream(&[CHUNK, STOP, USAGE]), "gpt-4o|stop|7/2/-/-/-|reported|-", &[]),
        row(
            "usage null in every chunk but the last",
            stream(&[r#"{"model":"m","choices":[{"index":0,"delta":{"content":"x"},"finish_reason":null}],"usage":null}"#, STOP, USAGE, "[DONE]"]),
            "m|stop|7/2/-/-/-|reported|-",
            &[],
        ),
        row(
            "usage early, events after it",
            stream(&[USAGE, CHUNK, STOP, r#"{"choices":[],"usage":null}"#, "[DONE]"]),
            "gpt-4o|stop|7/2/-/-/-|reported|-",
            &[],
        ),
        row(
            "usage in every chunk: the last value of each field counts, nothing is added up",
            stream(&[
                r#"{"model":"m","choices":[{"index":0,"delta":{"content":"a"}}],"usage":{"prompt_tokens":5,"completion_tokens":1}}"#,
                r#"{"choices":[{"index":0,"delta":{"content":"b"},"finish_reason":"stop"}],"usage":{"completion_tokens":2}}"#,
                r#"{"choices":[],"usage":{"prompt_tokens":null,"completion_tokens":3}}"#,
                "[DONE]",
            ]),
            "m|stop|5/3/-/-/-|reported|-",
            &[],
        ),
        row(
            "cached and reasoning tokens are parts",
            stream(&[
                r#"{"model":"m","choices":[],"usage":{"prompt_tokens":100,"completion_tokens":50,"total_tokens":150,"prompt_tokens_details":{"cached_tokens":64,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":32}}}"#,
            ]),
            "m||100/50/64/-/32|reported|-",
            &[],
        ),
        row(
            "DeepSeek's name for cached tokens",
            Call::json(CHAT, r#"{"model":"m","choices":[{"index":0,"message":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":1,"prompt_cache_hit_tokens":4,"prompt_cache_miss_tokens":5}}"#),
            "m|stop|9/1/4/-/-|reported|-",
            &[],
        ),
        row(
            "Groq's place for usage",
            stream(&[r#"{"model":"m","choices":[],"x_groq":{"id":"r","usage":{"prompt_tokens":3,"completion_tokens":4}}}"#]),
            "m||3/4/-/-/-|reported|-",
            &[],
        ),
        row(
            "several choices, index after reason, reasons in the order seen",
            stream(&[
                r#"{"model":"m","choices":[{"finish_reason":"length","index":1,"delta":{}}]}"#,
                r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
                r#"{"choices":[{"index":1,"delta":{},"finish_reason":"length"}]}"#,
            ]),
            "m|length,stop|-|-|-",
            &[],
        ),
        row(
            "empty id, model and reason are none",
            stream(&[r#"{"id":"","model":"","choices":[{"index":0,"delta":{},"finish_reason":""}]}"#]),
            "-||-|-|-",
            &[],
        ),
        row(
            "negative, fractional, huge and textual counts are malformed, not 0",
            Call::json(CHAT, r#"{"model":"m","choices":[],"usage":{"prompt_tokens":-7,"completion_tokens":1.5,"total_tokens":9007199254740993,"prompt_tokens_details":{"cached_tokens":"3"}}}"#),
            "m||-|-|-",
            &["malformed_usage"],
        ),
        row(
            "a malformed count beside a good one",
            Call::json(CHAT, r#"{"model":"m","choices":[],"usage":{"prompt_tokens":7,"completion_tokens":-1}}"#),
            "m||7/-/-/-/-|partial|-",
            &["malformed_usage"],
        ),
        row(
            "2^53 is a count",
            Call::json(CHAT, r#"{"model":"m","choices":[],"usage":{"prompt_tokens":9007199254740992,"completion_tokens":0}}"#),
            "m||9007199254740992/0/-/-/-|reported|-",
            &[],
        ),
        row(
            "a total that disagrees is kept and noted",
            Call::json(CHAT, r#"{"model":"m","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":4}}"#),
            "m||1/2/-/-/-|reported|-",
            &["provider_total_disagrees"],
        ),
        row("usage without counts is none", Call::json(CHAT, r#"{"model":"m","choices":[],"usage":{}}"#), "m||-|-|-", &[]),
        row(
            "an error in the middle of the stream",
            stream(&[CHUNK, r#"{"error":{"message":"overloaded","type":"server_error","code":null}}"#]),
            "gpt-4o||-|-|server_error",
            &[],
        ),
        row(
            "an error with only a number",
            stream(&[CHUNK, r#"{"id":"c1","choices":[],"error":{"code":502,"message":"bad gateway"}}"#, "[DONE]"]),
            "gpt-4o||-|-|502",
            &[],
        ),
        row(
            "an event that is no JSON does not spoil the others",
            stream(&[CHUNK, r#"{"choices":[{]"#, STOP, USAGE, "[DONE]"]),
            "gpt-4o|stop|7/2/-/-/-|reported|-",
            &["malformed_response"],
        ),
        row("a document that is cut", Call::json(CHAT, r#"{"model":"m","choices":["#), "m||-|-|-", &["malformed_response"]),
        row("a byte order mark before JSON", Call::json(CHAT, "\u{FEFF} {\"model\":\"m\",\"choices\":[]}"), "m||-|-|-", &[]),
        row(
            "multi-byte characters and escapes everywhere",
            stream(&[r#"{"model":"größe-日本-🎉","choices":[{"index":0,"delta":{"content":"\ud83c\udf89 \"{\\","refusal":"ü"},"finish_reason":"\u0073top"}]}"#, USAGE]),
            "größe-日本-🎉|stop|7/2/-/-/-|reported|-",
            &[],
        ),
        row(
            "CRLF, comments, fields nobody knows, an event over several data lines",
            Call::stream(CHAT, ": hello\r\n\r\nid: 1\r\nretry: 5\r\ndata: {\"model\":\r\ndata: \"m\",\r\ndata\r\ndata:\"choices\":[],\"usage\":{\"prompt_tokens\":1,\r\ndata: \"completion_tokens\":2}}\r\n\r\ndata: [DONE]\r\n\r\n".into()),
            "m||1/2/-/-/-|reported|-",
            &[],
        ),
        row(
            "a byte order mark before a stream, empty events, no empty line at the end",
            Call::stream(CHAT, format!("\u{FEFF}\n\ndata:\n\ndata: \n\ndata: {CHUNK}\n\n\n\ndata: {USAGE}")),
            "gpt-4o||7/2/-/-/-|reported|-",
            &[],
        ),
    ]
}

fn other_rows() -> Vec<Row> {
    let start = r#"{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude","content":[],"stop_reason":null,"usage":{"input_tokens":10,"cache_creation_input_tokens":200,"cache_read_input_tokens":3000,"cache_creation":{"ephemeral_5m_input_tokens":150,"ephemeral_1h_input_tokens":50},"output_tokens":1,"service_tier":"standard"}}}"#;
    let delta = r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hello"}}"#;
    let stop = r#"{"type":"message_stop"}"#;
    let end = |usage: &str| {
        format!(
            r#"{{"type":"message_delta","delta":{{"stop_reason":"end_turn","stop_sequence":null}},"usage":{usage}}}"#
        )
    };
    let messages = |events: &[&str]| Call::stream(MESSAGES, sse(events));
    let created = r#"{"type":"response.created","response":{"id":"resp_1","object":"response","status":"in_progress","model":"gpt-5","tools":[{"type":"function","parameters":{"id":"no","model":"no"}}],"usage":null}}"#;
    let text = r#"{"type":"response.output_text.delta","item_id":"msg_1","output_index":0,"delta":"Hi"}"#;
    let completed = r#"{"type":"response.completed","response":{"id":"resp_1","object":"response","status":"completed","model":"gpt-5","output":[{"id":"msg_1","status":"completed","model":"no"}],"usage":{"input_tokens":20,"input_tokens_details":{"cached_tokens":8},"output_tokens":30,"output_tokens_details":{"reasoning_tokens":12},"total_tokens":50}}}"#;
    let responses = |events: &[&str]| Call::stream(RESPONSES, sse(events));
    vec![
        row(
            "Anthropic excludes cache from input; message_delta with the output alone",
            messages(&[start, r#"{"type":"ping"}"#, delta, &end(r#"{"output_tokens":42}"#), stop]),
            "claude|end_turn|3210/42/3000/200/-|reported|-",
            &[],
        ),
        row(
            "message_delta with full usage is not added to message_start's",
            messages(&[
                start,
                delta,
                &end(
                    r#"{"input_tokens":11,"cache_creation_input_tokens":200,"cache_read_input_tokens":3000,"output_tokens":42}"#,
                ),
                stop,
            ]),
            "claude|end_turn|3211/42/3000/200/-|reported|-",
            &[],
        ),
        row(
            "cache counts in message_delta only",
            messages(&[
                r#"{"type":"message_start","message":{"id":"m","model":"qwen","usage":{"input_tokens":0,"output_tokens":0}}}"#,
                delta,
                &end(r#"{"input_tokens":5,"cache_read_input_tokens":7,"output_tokens":2}"#),
                stop,
            ]),
            "qwen|end_turn|12/2/7/-/-|reported|-",
            &[],
        ),
        row(
            "a stream that ends before message_delta has only the placeholder",
            messages(&[start, delta]),
            "claude||3210/1/3000/200/-|partial|-",
            &["unterminated_stream"],
        ),
        row(
            "an error event",
            messages(&[start, r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#]),
            "claude||3210/1/3000/200/-|partial|overloaded_error",
            &[],
        ),
        row(
            "an Anthropic document",
            Call::json(
                MESSAGES,
                r#"{"id":"msg_1","type":"message","model":"claude","role":"assistant","content":[{"type":"text","text":"model"}],"stop_reason":"tool_use","usage":{"input_tokens":3,"output_tokens":4}}"#,
            ),
            "claude|tool_use|3/4/-/-/-|reported|-",
            &[],
        ),
        row(
            "a Responses stream, the whole answer again in its last event",
            responses(&[created, text, completed]),
            "gpt-5|completed|20/30/8/-/12|reported|-",
            &[],
        ),
        row(
            "a Responses stream that failed",
            responses(&[
                created,
                r#"{"type":"response.failed","response":{"id":"resp_1","status":"failed","error":{"code":"rate_limit_exceeded","message":"slow down"},"usage":null}}"#,
            ]),
            "gpt-5|failed|-|-|rate_limit_exceeded",
            &[],
        ),
        row(
            "a flat error event",
            responses(&[created, r#"{"type":"error","code":"server_error","message":"oops","param":null}"#]),
            "gpt-5||-|-|server_error",
            &[],
        ),
        row(
            "a Responses stream that just stops",
            responses(&[created, text]),
            "gpt-5||-|-|-",
            &["unterminated_stream"],
        ),
        row(
            "a Responses document in the queue",
            Call::json(
                RESPONSES,
                r#"{"id":"resp_1","object":"response","status":"queued","model":"gpt-5","output":[],"error":null,"usage":null}"#,
            ),
            "gpt-5|queued|-|-|-",
            &[],
        ),
    ]
}

#[test]
fn every_complaint_reads_right_at_every_split() {
    for Row { what, call, expected, notes } in chat_rows().into_iter().chain(other_rows()) {
        let whole = call.read(&[call.body.len().max(1)]);
        assert_eq!((summary(&whole).as_str(), whole.notes.as_slice()), (expected, notes), "{what}");
        for size in 1..=16 {
            assert_eq!(call.read(&[size]).record, whole.record, "{what}, in chunks of {size}");
            assert_eq!(call.read(&[size]).notes, whole.notes, "{what}, in chunks of {size}");
        }
        for cut in 1..call.body.len() {
            assert_eq!(call.read(&[cut, call.body.len()]).record, whole.record, "{what}, cut at {cut}");
        }
    }
}

#[test]
fn a_stream_cut_anywhere_gives_a_record_marked_aborted() {
    let rows = other_rows();
    let call = &rows[0].call;
    let mut seen = Vec::new();
    for cut in 0..call.body.len() {
        let reading = call.cut_at(cut, Outcome::ClientAborted);
        let record = reading.record.unwrap();
        assert_eq!(record.outcome, Outcome::ClientAborted);
        let ended = record.error_type.is_none();
        assert!(ended || record.error_type.as_deref() == Some("client_aborted"), "{:?}", record.error_type);
        let source = if ended { UsageSource::Reported } else { UsageSource::Aborted };
        assert!(record.usage.is_none() || record.usage_source == Some(source), "cut at {cut}: {record:?}");
        assert_eq!(record.usage.is_none(), record.usage_source.is_none());
        assert!(reading.notes.is_empty(), "cut at {cut}: {:?}", reading.notes);
        let output = record.usage.and_then(|usage| usage.output_tokens);
        if seen.last() != Some(&output) {
            seen.push(output);
        }
    }
    assert_eq!(seen, [None, Some(1), Some(42)], "the placeholder of message_start, then the final count");
}

#[test]
fn errors_are_named_by_type_code_or_status() {
    let cases: &[(u16, &str, &str)] = &[
        (400, r#"{"error":{"message":"m","type":"invalid_request_error","code":"x"}}"#, "invalid_request_error"),
        (404, r#"{"error":{"message":"m","code":"DeploymentNotFound"}}"#, "DeploymentNotFound"),
        (429, r#"{"error":{"message":"m","code":429}}"#, "429"),
        (400, r#"{"object":"error","message":"m","type":"invalid_model","code":"1500"}"#, "invalid_model"),
        (500, r#"{"error":"a sentence"}"#, "500"),
        (502, "<html>Bad Gateway</html>", "502"),
        (503, "", "503"),
        (401, r#"{"detail":"Unauthorized"}"#, "401"),
        (529, r#"{"type":"error","error":{"type":"overloaded_error","message":"m"}}"#, "overloaded_error"),
        (200, r#"{"error":{"message":"provider gave up"}}"#, "_OTHER"),
    ];
    for path in [CHAT, MESSAGES, RESPONSES] {
        for (status, body, expected) in cases {
            let mut call = Call::json(path, body);
            call.status = *status;
            for size in [1, 7, 1000] {
                let record = call.read(&[size]).record.unwrap();
                assert_eq!(record.error_type.as_deref(), Some(*expected), "{path} {status} {body}");
                assert_eq!((record.status, record.request_model.as_deref()), (Some(*status), Some("asked-for")));
            }
        }
    }
}

#[test]
fn an_error_in_plain_text_is_no_stream() {
    for (body, stream) in [
        ("denied by policy", false),
        ("error: no such route", false),
        ("rate limit exceeded\n", false),
        ("id: 7\n\n", false),
        ("event: error\ndata: {}\n\n", true),
        (": keep-alive\n\n", true),
        ("data: {}", true),
    ] {
        let mut call = Call::json(CHAT, body);
        call.status = 403;
        for size in [1, 7, 1000] {
            let record = call.read(&[size]).record.unwrap();
            assert_eq!((record.stream, record.error_type.as_deref()), (stream, Some("403")), "{body}");
        }
    }
}

#[test]
fn calls_without_an_answer_are_named_by_how_they_ended() {
    for (outcome, error) in [
        (Outcome::UpstreamAborted, Some("upstream_aborted")),
        (Outcome::TimedOut, Some("timed_out")),
        (Outcome::Complete, None),
    ] {
        let mut call = Call::json(CHAT, "");
        call.status = 0;
        let reading = call.cut_at(0, outcome);
        let record = reading.record.unwrap();
        assert_eq!((record.status, record.error_type.as_deref(), record.usage), (None, error, None));
    }
}

#[test]
fn five_thousand_events_in_one_chunk_are_read_in_one_pass() {
    let mut events = vec![CHUNK; 5_000];
    let long = format!(r#"{{"choices":[{{"index":0,"delta":{{"content":"{}"}}}}]}}"#, "x".repeat(600_000));
    events.extend([long.as_str(), STOP, USAGE, "[DONE]"]);
    let call = Call::stream(CHAT, sse(&events));
    assert!(call.body.len() > 1_000_000);
    let reading = call.read(&[call.body.len()]);
    assert_eq!(summary(&reading), "gpt-4o|stop|7/2/-/-/-|reported|-");
    assert_eq!(reading.timing.output_chunks, 5_001);
    assert_eq!(reading.timing.response_bytes, call.body.len() as u64);
}

#[test]
fn clock_readings_are_of_chunks_that_carry_output() {
    let role =
        r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":"","tool_calls":null,"refusal":null}}]}"#;
    let tool = r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{"}}]}}]}"#;
    let mut exchange = Call::stream(CHAT, String::new()).begin();
    for (elapsed, event) in [(10, role), (20, CHUNK), (30, tool), (40, STOP), (50, USAGE)] {
        exchange.response_body(sse(&[event]).as_bytes(), elapsed);
    }
    let timing = exchange.end(Outcome::Complete).timing;
    assert_eq!((timing.time_to_first_chunk, timing.time_to_last_chunk, timing.output_chunks), (Some(20), Some(30), 2));
    assert_eq!(timing.time_per_output_chunk(), Some(10));

    let document = Call::json(CHAT, r#"{"choices":[{"index":0,"message":{"content":"Hi"}}]}"#).read(&[5]).timing;
    assert_eq!((document.time_to_first_chunk, document.output_chunks), (None, 0));
}

#[test]
fn an_end_that_events_share_may_have_output_that_only_some_need() {
    let event = |content: &str| {
        format!(r#"{{"id":"chatcmpl-1","choices":[{{"delta":{{"content":"{content}"}},"text":"more"}}]}}"#)
    };
    let events: Vec<String> = ["a", "b", "c", "", "d", "", "e"].map(event).into();
    let events: Vec<&str> = events.iter().map(String::as_str).collect();
    let call = Call::stream(CHAT, sse(&events));
    let (whole, cut) = (call.read(&[usize::MAX]), call.read(&[1]));
    assert_eq!(whole.timing.output_chunks, 7);
    assert_eq!(whole, cut);
}

#[test]
fn a_beginning_that_events_share_may_end_within_a_number() {
    let event =
        |number: u64| format!(r#"{{"id":"chatcmpl-1","created":{number},"choices":[{{"delta":{{"content":"a"}}}}]}}"#);
    // The second and the third differ behind the number; the fourth goes on with it.
    let other = r#"{"id":"chatcmpl-1","created":1 ,"choices":[{"delta":{"content":"a"}}]}"#.to_owned();
    let events = [event(1), event(1), other, event(10), event(1), event(12)];
    let events: Vec<&str> = events.iter().map(String::as_str).collect();
    let call = Call::stream(CHAT, sse(&events));
    let (whole, cut) = (call.read(&[usize::MAX]), call.read(&[1]));
    assert_eq!(whole.notes, Vec::<&str>::new());
    assert_eq!(whole.timing.output_chunks, 6);
    assert_eq!(whole, cut);
}
