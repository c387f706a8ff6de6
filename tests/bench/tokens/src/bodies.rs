//! The answers that are read.

use crate::Case;
use std::ops::Range;

/// Deltas of each stream.
const DELTAS: u64 = 300;

pub(crate) fn cases() -> Vec<Case> {
    let chat = frames(&chat_events(), "data: ", "\n\n");
    let messages = frames(&messages_events(), "event: e\ndata: ", "\n\n");
    let responses = frames(&responses_events(), "event: e\ndata: ", "\n\n");
    let gemini = frames(&gemini_events(), "data: ", "\r\n\r\n");
    let lines = frames(&ollama_lines(), "", "\n");
    let document = frames(&[document()], "", "");
    let each = |(body, documents): &(Vec<u8>, Vec<Range<usize>>)| body.len() / documents.len();
    let (event, whole) = (each(&chat), chat.0.len());
    let case = |name, path, (body, documents): &(Vec<u8>, Vec<Range<usize>>), chunk| Case {
        name,
        path,
        body: body.clone(),
        chunk,
        documents: documents.clone(),
        output_tokens: DELTAS,
    };
    vec![
        case("chat completions stream, whole", "/v1/chat/completions", &chat, whole),
        case("chat completions stream, an event a chunk", "/v1/chat/completions", &chat, event),
        case("chat completions stream, 16 bytes a chunk", "/v1/chat/completions", &chat, 16),
        case("messages stream, an event a chunk", "/v1/messages", &messages, each(&messages)),
        case("responses stream, an event a chunk", "/v1/responses", &responses, each(&responses)),
        case("Gemini stream, an event a chunk", "/v1beta/models/g:streamGenerateContent", &gemini, each(&gemini)),
        case("Ollama lines, a line a chunk", "/api/chat", &lines, each(&lines)),
        case("chat completions document", "/v1/chat/completions", &document, document.0.len()),
    ]
}

/// The documents in their frames, and where they are.
fn frames(documents: &[String], before: &str, after: &str) -> (Vec<u8>, Vec<Range<usize>>) {
    let (mut body, mut places) = (String::new(), Vec::new());
    for document in documents {
        body += before;
        places.push(body.len()..body.len() + document.len());
        body += document;
        body += after;
    }
    (body.into_bytes(), places)
}

fn chat_events() -> Vec<String> {
    let head =
        r#"{"id":"chatcmpl-b7Zq1","object":"chat.completion.chunk","created":1755280559,"model":"gpt-4o-2024-08-06","#;
    let mut events: Vec<String> = (0..DELTAS)
        .map(|number| {
            format!(r#"{head}"choices":[{{"index":0,"delta":{{"content":" w{number}"}},"finish_reason":null}}]}}"#)
        })
        .collect();
    events.push(format!(
        r#"{head}"choices":[],"usage":{{"prompt_tokens":40,"completion_tokens":{DELTAS},"total_tokens":340,"prompt_tokens_details":{{"cached_tokens":0}}}}}}"#
    ));
    events
}

fn messages_events() -> Vec<String> {
    let start = r#"{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-sonnet-4","content":[],"stop_reason":null,"usage":{"input_tokens":40,"output_tokens":1}}}"#;
    let mut events = vec![start.to_owned()];
    events.extend((0..DELTAS).map(|number| {
        format!(r#"{{"type":"content_block_delta","index":0,"delta":{{"type":"text_delta","text":" w{number}"}}}}"#)
    }));
    events.push(format!(
        r#"{{"type":"message_delta","delta":{{"stop_reason":"end_turn"}},"usage":{{"output_tokens":{DELTAS}}}}}"#
    ));
    events.push(r#"{"type":"message_stop"}"#.to_owned());
    events
}

fn responses_events() -> Vec<String> {
    let created = r#"{"type":"response.created","response":{"id":"resp_1","object":"response","status":"in_progress","model":"gpt-5","output":[],"usage":null}}"#;
    let mut events = vec![created.to_owned()];
    events.extend((0..DELTAS).map(|number| {
        format!(
            r#"{{"type":"response.output_text.delta","sequence_number":{number},"item_id":"msg_67c9fdcf37fc8190","output_index":0,"content_index":0,"delta":" w{number}","logprobs":[],"obfuscation":"u3Yk0a"}}"#
        )
    }));
    events.push(format!(
        r#"{{"type":"response.completed","response":{{"id":"resp_1","object":"response","status":"completed","model":"gpt-5","output":[{{"type":"message","content":[{{"type":"output_text","text":"{}"}}]}}],"usage":{{"input_tokens":40,"output_tokens":{DELTAS},"total_tokens":340}}}}}}"#,
        " word".repeat(300)
    ));
    events
}

fn gemini_events() -> Vec<String> {
    (1..=DELTAS)
        .map(|number| {
            let finish = if number == DELTAS { r#","finishReason":"STOP""# } else { "" };
            format!(
                r#"{{"candidates":[{{"content":{{"parts":[{{"text":" w{number}"}}],"role":"model"}},"index":0{finish}}}],"usageMetadata":{{"promptTokenCount":40,"candidatesTokenCount":{number},"totalTokenCount":{}}},"modelVersion":"gemini-2.5-flash","responseId":"r1"}}"#,
                40 + number
            )
        })
        .collect()
}

fn ollama_lines() -> Vec<String> {
    let head = r#"{"model":"llama3","created_at":"2026-05-24T20:57:43.314639Z","#;
    let mut lines: Vec<String> = (0..DELTAS)
        .map(|number| format!(r#"{head}"message":{{"role":"assistant","content":" w{number}"}},"done":false}}"#))
        .collect();
    lines.push(format!(
        r#"{head}"message":{{"role":"assistant","content":""}},"done_reason":"stop","done":true,"prompt_eval_count":40,"eval_count":{DELTAS}}}"#
    ));
    lines
}

/// An answer of 4 KB.
fn document() -> String {
    let text = "The quick brown fox jumps over the lazy dog. ".repeat(80);
    format!(
        r#"{{"id":"chatcmpl-b7Zq1","object":"chat.completion","created":1755280559,"model":"gpt-4o-2024-08-06","choices":[{{"index":0,"message":{{"role":"assistant","content":"{text}","refusal":null,"annotations":[]}},"logprobs":null,"finish_reason":"stop"}}],"usage":{{"prompt_tokens":40,"completion_tokens":{DELTAS},"total_tokens":340,"prompt_tokens_details":{{"cached_tokens":0,"audio_tokens":0}},"completion_tokens_details":{{"reasoning_tokens":0,"audio_tokens":0}}}},"service_tier":"default","system_fingerprint":"fp_1"}}"#
    )
}
