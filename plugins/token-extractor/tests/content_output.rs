//! What a model says, captured as the output messages of the GenAI conventions, API by API.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use common::{CHAT, Call, MESSAGES, RESPONSES, captured, event_stream, sse, value, wrapped};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tollgate_call::Content;

/// Enough for every answer here.
const LIMIT: usize = 100_000;

fn text(text: &str) -> Value {
    json!({"type": "text", "content": text})
}

fn reasoning(text: &str) -> Value {
    json!({"type": "reasoning", "content": text})
}

fn call(id: &str) -> Value {
    json!({"type": "tool_call", "id": id, "name": "weather", "arguments": {"city": "Zürich"}})
}

fn said(parts: Value) -> Value {
    json!([{"role": "assistant", "parts": parts}])
}

fn at(host: &'static str, path: &'static str, body: &str) -> Call {
    Call { host, ..Call::json(path, body) }
}

fn hash(data: &[u8]) -> String {
    Sha256::digest(data).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Each call gives the messages.
fn check(rows: Vec<(&str, Call, Value)>) {
    for (what, call, expected) in rows {
        let content = captured(call.clone(), "{}", 0, LIMIT);
        assert_eq!(value(content.output_messages.as_ref()), expected, "{what}");
        assert!(!content.truncated, "{what}");
        // Whether content is captured changes nothing else.
        let mut captures = call.clone();
        captures.extractor =
            tollgate_token_extractor::Extractor::configure(r#"{"content":{"output_bytes":9999}}"#).unwrap();
        let (plain, with) = (call.read_in(5), captures.read_in(5));
        assert_eq!((plain.record, plain.timing, plain.notes), (with.record, with.timing, with.notes), "{what}");
        assert_eq!(plain.content, Content::default(), "{what}");
    }
}

#[test]
fn chat_completions() {
    let document = |message: &str| Call::json(CHAT, &format!(r#"{{"choices":[{{"index":0,"message":{message}}}]}}"#));
    let deltas = |deltas: &[&str]| {
        let events: Vec<_> =
            deltas.iter().map(|delta| format!(r#"{{"choices":[{{"index":0,"delta":{delta}}}]}}"#)).collect();
        Call::stream(CHAT, sse(&events.iter().map(String::as_str).collect::<Vec<_>>()))
    };
    let choices = sse(&[
        r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":"Grüe\u007a"}}]}"#,
        r#"{"choices":[{"index":0,"delta":{"content":"i 👋"}},{"index":1,"delta":{"content":"Hi"}}]}"#,
        // Members in the order of the alphabet, as some gateways write them.
        r#"{"choices":[{"delta":{"content":" you"},"index":1}]}"#,
        "[DONE]",
    ]);
    let audio = STANDARD.encode(b"RIFF");
    check(vec![
        ("a text", document(r#"{"role":"assistant","content":"Hi"}"#), said(json!([text("Hi")]))),
        (
            "two choices in a stream",
            Call::stream(CHAT, choices),
            json!([{"role": "assistant", "parts": [text("Grüezi 👋")]}, {"role": "assistant", "parts": [text("Hi you")]}]),
        ),
        (
            "calls of tools, one of them without arguments",
            document(
                r#"{"content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"weather","arguments":"{\"city\":\"Zürich\"}"}},
                    {"id":"c2","type":"function","function":{"name":"now","arguments":""}}]}"#,
            ),
            said(json!([call("c1"), {"type": "tool_call", "id": "c2", "name": "now"}])),
        ),
        (
            "calls of tools in a stream, side by side",
            deltas(&[
                r#"{"content":"Let me see."}"#,
                r#"{"tool_calls":[{"index":0,"id":"c1","function":{"name":"weather","arguments":""}}]}"#,
                r#"{"tool_calls":[{"index":1,"id":"c2","function":{"name":"weather","arguments":"{\"city\""}}]}"#,
                r#"{"tool_calls":[{"function":{"arguments":"{\"city\":\"Zür"},"index":0}]}"#,
                r#"{"tool_calls":[{"index":1,"function":{"arguments":":\"Zürich\"}"}},{"index":0,"function":{"arguments":"ich\"}"}}]}"#,
            ]),
            said(json!([text("Let me see."), call("c1"), call("c2")])),
        ),
        (
            "a server that repeats id and name, and has arguments as an object",
            deltas(&[
                r#"{"tool_calls":[{"index":0,"id":"c1","function":{"name":"weather"}}]}"#,
                r#"{"tool_calls":[{"index":0,"id":"c1","function":{"name":"weather","arguments":{"city":"Zürich"}}}]}"#,
            ]),
            said(json!([call("c1")])),
        ),
        (
            "a custom tool",
            document(r#"{"tool_calls":[{"id":"c1","type":"custom","custom":{"name":"sh","input":"ls -l"}}]}"#),
            said(json!([{"type": "tool_call", "id": "c1", "name": "sh", "arguments": "ls -l"}])),
        ),
        (
            "a function call, as before there were tools",
            deltas(&[
                r#"{"function_call":{"name":"weather","arguments":""}}"#,
                r#"{"function_call":{"arguments":"{\"city\":\"Zürich\"}"}}"#,
            ]),
            said(json!([{"type": "tool_call", "name": "weather", "arguments": {"city": "Zürich"}}])),
        ),
        (
            "a refusal",
            deltas(&[r#"{"refusal":"I can"}"#, r#"{"refusal":"not"}"#]),
            said(json!([{"type": "refusal", "content": "I cannot"}])),
        ),
        (
            "reasoning of DeepSeek, behind the content",
            document(r#"{"content":"Four","reasoning_content":"2+2"}"#),
            said(json!([reasoning("2+2"), text("Four")])),
        ),
        (
            "reasoning in a stream, under both names",
            deltas(&[
                r#"{"content":"","reasoning":"2","reasoning_content":"2"}"#,
                r#"{"content":"","reasoning":"+2","reasoning_content":"+2"}"#,
                r#"{"content":"Four","reasoning":null}"#,
            ]),
            said(json!([reasoning("2+2"), text("Four")])),
        ),
        (
            "content in parts",
            document(
                r#"{"content":[{"type":"thinking","thinking":[{"type":"text","text":"2+2"}]},{"type":"text","text":"Four"},{"type":"text","text":"!"}]}"#,
            ),
            said(json!([reasoning("2+2"), text("Four"), text("!")])),
        ),
        (
            "content in parts in a stream",
            deltas(&[
                r#"{"content":[{"type":"thinking","thinking":[{"type":"text","text":"2"}]}]}"#,
                r#"{"content":[{"type":"thinking","thinking":[{"type":"text","text":"+2"}]}]}"#,
                r#"{"content":[{"type":"text","text":"Fo"}]}"#,
                r#"{"content":"ur"}"#,
            ]),
            said(json!([reasoning("2+2"), text("Four")])),
        ),
        (
            "a recording",
            document(&format!(r#"{{"content":null,"audio":{{"id":"a","data":"{audio}","transcript":"Hi"}}}}"#)),
            said(json!([{"type": "blob", "modality": "audio", "size": 4, "sha256": hash(b"RIFF")}, text("Hi")])),
        ),
        (
            "a recording in a stream",
            deltas(&[r#"{"audio":{"id":"a","transcript":"H"}}"#, r#"{"audio":{"data":"UklG","transcript":"i"}}"#]),
            said(json!([text("Hi")])),
        ),
        (
            "completions",
            Call::json("/v1/completions", r#"{"choices":[{"index":0,"text":" one"},{"index":1,"text":" two"}]}"#),
            json!([{"role": "assistant", "parts": [text(" one")]}, {"role": "assistant", "parts": [text(" two")]}]),
        ),
        ("nothing", document(r#"{"content":""}"#), Value::Null),
    ]);
}

#[test]
fn responses() {
    let document = |output: &str| {
        Call::json(RESPONSES, &format!(r#"{{"object":"response","status":"completed","output":{output}}}"#))
    };
    let output = r#"[{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"Look it up"}],"encrypted_content":"gAAA"},
        {"type":"message","id":"msg_1","role":"assistant","content":[{"type":"output_text","text":"Hi","annotations":[]},{"type":"refusal","refusal":"No"}]},
        {"type":"web_search_call","id":"ws_1","status":"completed","action":{"type":"search","query":"q"}},
        {"type":"function_call","id":"fc_1","call_id":"c1","name":"weather","arguments":"{\"city\":\"Zürich\"}"}]"#;
    let parts = json!([
        reasoning("Look it up"),
        text("Hi"),
        {"type": "refusal", "content": "No"},
        {"type": "server_tool_call", "id": "ws_1", "name": "web_search", "server_tool_call": {"type": "web_search_call"}},
        call("c1"),
    ]);
    let completed = format!(
        r#"{{"type":"response.completed","response":{{"status":"completed","output":{}}}}}"#,
        output.replace('\n', " ")
    );
    let stream = sse(&[
        r#"{"type":"response.created","response":{"id":"r","status":"in_progress","output":[]}}"#,
        r#"{"type":"response.output_item.added","output_index":0,"item":{"type":"reasoning","id":"rs_1","summary":[]}}"#,
        r#"{"type":"response.reasoning_summary_text.delta","output_index":0,"summary_index":0,"delta":"Look it"}"#,
        r#"{"type":"response.reasoning_summary_text.delta","output_index":0,"summary_index":0,"delta":" up"}"#,
        r#"{"type":"response.output_item.added","output_index":1,"item":{"type":"message","id":"msg_1","content":[]}}"#,
        r#"{"type":"response.output_text.delta","output_index":1,"content_index":0,"delta":"H"}"#,
        r#"{"delta":"i","content_index":0,"output_index":1,"type":"response.output_text.delta"}"#,
        r#"{"type":"response.output_text.done","output_index":1,"content_index":0,"text":"Hi"}"#,
        r#"{"type":"response.refusal.delta","output_index":1,"content_index":1,"delta":"No"}"#,
        r#"{"item":{"id":"ws_1","status":"completed","type":"web_search_call"},"output_index":2,"type":"response.output_item.done"}"#,
        r#"{"type":"response.output_item.added","output_index":3,"item":{"type":"function_call","id":"fc_1","call_id":"c1","name":"weather","arguments":""}}"#,
        r#"{"type":"response.function_call_arguments.delta","output_index":3,"delta":"{\"city\":\"Z"}"#,
        r#"{"type":"response.function_call_arguments.delta","output_index":3,"delta":"ürich\"}"}"#,
        r#"{"type":"response.output_item.done","output_index":3,"item":{"type":"function_call","id":"fc_1","call_id":"c1","name":"weather","arguments":"{\"city\":\"Zürich\"}"}}"#,
        &completed,
    ]);
    let named = [
        ("response.output_text.delta", r#"{"delta":"H"}"#),
        ("response.audio.delta", r#"{"delta":"UklGRg=="}"#),
        ("response.output_text.delta", r#"{"delta":"i","type":"response.output_text.delta"}"#),
        ("response.something.delta", r#"{"delta":"no"}"#),
    ]
    .map(|(name, data)| format!("event: {name}\ndata: {data}\n\n"))
    .concat();
    let image = STANDARD.encode(b"\x89PNG");
    check(vec![
        ("a document", document(output), said(parts.clone())),
        ("a stream", Call::stream(RESPONSES, stream), said(parts.clone())),
        ("a stream of its last event alone", Call::stream(RESPONSES, sse(&[&completed])), said(parts)),
        ("events that are told by their names", Call::stream(RESPONSES, named), said(json!([text("Hi")]))),
        (
            "reasoning with its text",
            document(r#"[{"type":"reasoning","summary":[],"content":[{"type":"reasoning_text","text":"2+2"}]}]"#),
            said(json!([reasoning("2+2")])),
        ),
        (
            "a call that only its end tells of",
            Call::stream(
                RESPONSES,
                sse(&[
                    r#"{"type":"response.output_item.done","output_index":0,"item":{"arguments":"{\"city\":\"Zürich\"}","call_id":"c1","name":"weather","type":"function_call"}}"#,
                ]),
            ),
            said(json!([call("c1")])),
        ),
        (
            "an image",
            document(&format!(r#"[{{"type":"image_generation_call","id":"ig_1","result":"{image}"}}]"#)),
            said(json!([
                {"type": "server_tool_call", "id": "ig_1", "name": "image_generation", "server_tool_call": {"type": "image_generation_call"}},
                {"type": "blob", "modality": "image", "size": 4, "sha256": hash(b"\x89PNG")},
            ])),
        ),
        (
            "a tool of a server for tools",
            document(
                r#"[{"type":"mcp_call","id":"mcp_1","name":"roll","server_label":"dice","arguments":"{\"n\":2}"}]"#,
            ),
            said(json!([{"type": "server_tool_call", "id": "mcp_1", "name": "roll",
                         "server_tool_call": {"type": "mcp_call", "arguments": {"n": 2}}}])),
        ),
    ]);
}

#[test]
fn anthropic_messages() {
    let document = r#"{"type":"message","role":"assistant","content":[
        {"type":"thinking","thinking":"Look it up","signature":"Eq=="},{"type":"redacted_thinking","data":"Em=="},
        {"type":"text","text":"Let me"},{"type":"text","text":" see"},
        {"type":"server_tool_use","id":"st_1","name":"web_search","input":{"query":"q"}},
        {"type":"web_search_tool_result","tool_use_id":"st_1","content":[{"type":"web_search_result","url":"u","encrypted_content":"x"}]},
        {"id":"c1","input":{"city":"Zürich"},"name":"weather","type":"tool_use"},
        {"type":"tool_use","id":"c2","name":"now","input":{}}]}"#;
    let stream = sse(&[
        r#"{"type":"message_start","message":{"id":"m","role":"assistant","content":[],"usage":{"input_tokens":1}}}"#,
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":""}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Look "}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"it up"}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"Eq=="}}"#,
        r#"{"type":"content_block_start","index":1,"content_block":{"type":"redacted_thinking","data":"Em=="}}"#,
        r#"{"type":"content_block_start","index":2,"content_block":{"type":"text","text":""}}"#,
        r#"{"type":"content_block_delta","index":2,"delta":{"type":"text_delta","text":"Let "}}"#,
        r#"{"delta":{"text":"me","type":"text_delta"},"index":2,"type":"content_block_delta"}"#,
        r#"{"type":"content_block_delta","index":3,"delta":{"type":"text_delta","text":" see"}}"#,
        r#"{"type":"content_block_start","index":4,"content_block":{"type":"server_tool_use","id":"st_1","name":"web_search","input":{}}}"#,
        r#"{"type":"content_block_delta","index":4,"delta":{"type":"input_json_delta","partial_json":"{\"query\":\"q\"}"}}"#,
        r#"{"type":"content_block_start","index":5,"content_block":{"type":"web_search_tool_result","tool_use_id":"st_1","content":[{"type":"web_search_result"}]}}"#,
        r#"{"type":"content_block_start","index":6,"content_block":{"type":"tool_use","id":"c1","name":"weather","input":{}}}"#,
        r#"{"type":"content_block_delta","index":6,"delta":{"type":"input_json_delta","partial_json":"{\"city\": "}}"#,
        r#"{"type":"content_block_delta","index":6,"delta":{"type":"input_json_delta","partial_json":"\"Zürich\"}"}}"#,
        r#"{"type":"content_block_start","index":7,"content_block":{"type":"tool_use","id":"c2","name":"now","input":{}}}"#,
        r#"{"type":"content_block_delta","index":7,"delta":{"type":"input_json_delta","partial_json":""}}"#,
        r#"{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":9}}"#,
        r#"{"type":"message_stop"}"#,
    ]);
    let parts = said(json!([
        reasoning("Look it up"),
        {"type": "redacted_thinking"},
        text("Let me"),
        text(" see"),
        {"type": "server_tool_call", "id": "st_1", "name": "web_search",
         "server_tool_call": {"type": "server_tool_use", "arguments": {"query": "q"}}},
        {"type": "server_tool_call_response", "id": "st_1", "server_tool_call_response": {"type": "web_search_tool_result"}},
        call("c1"),
        {"type": "tool_call", "id": "c2", "name": "now", "arguments": {}},
    ]));
    let bedrock = "/model/anthropic.claude-3-haiku-20240307-v1:0/invoke";
    check(vec![
        ("a document", Call::json(MESSAGES, document), parts.clone()),
        ("a stream", Call::stream(MESSAGES, stream), parts.clone()),
        ("on Bedrock", at("bedrock-runtime.eu-west-1.amazonaws.com", bedrock, document), parts),
    ]);
}

#[test]
fn gemini() {
    const PATH: &str = "/v1beta/models/gemini-2.5-flash:generateContent";
    const STREAM: &str = "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse";
    let chunk =
        |parts: &str| format!(r#"{{"candidates":[{{"content":{{"parts":{parts},"role":"model"}},"index":0}}]}}"#);
    let image = STANDARD.encode(b"\x89PNG");
    let google = |path, body: &str| at("generativelanguage.googleapis.com", path, body);
    let chunks = [
        chunk(r#"[{"text":"2","thought":true}]"#),
        chunk(r#"[{"thought":true,"text":"+2"}]"#),
        chunk(r#"[{"text":"Fo"}]"#),
        chunk(r#"[{"text":"ur","thoughtSignature":"Eq=="}]"#),
        chunk(r#"[{"functionCall":{"name":"weather","args":{"city":"Zürich"}}}]"#),
    ];
    let parts = said(json!([
        reasoning("2+2"),
        text("Four"),
        {"type": "tool_call", "name": "weather", "arguments": {"city": "Zürich"}},
    ]));
    let events = sse(&chunks.iter().map(String::as_str).collect::<Vec<_>>());
    check(vec![
        (
            "a document",
            google(
                PATH,
                &chunk(
                    r#"[{"text":"2+2","thought":true},{"text":"Four"},{"text":"!"},{"functionCall":{"id":"c1","args":{"city":"Zürich"},"name":"weather"}}]"#,
                ),
            ),
            said(json!([reasoning("2+2"), text("Four"), text("!"), call("c1")])),
        ),
        ("a stream of events", google(STREAM, &events), parts.clone()),
        ("a stream that is an array", google(STREAM, &format!("[{}]", chunks.join(",\n"))), parts),
        (
            "an image",
            google(
                PATH,
                &chunk(&format!(r#"[{{"text":"Here"}},{{"inlineData":{{"mimeType":"image/png","data":"{image}"}}}}]"#)),
            ),
            said(json!([
                text("Here"),
                {"type": "blob", "mime_type": "image/png", "modality": "image", "size": 4, "sha256": hash(b"\x89PNG")},
            ])),
        ),
        (
            "two candidates",
            google(
                PATH,
                r#"{"candidates":[{"content":{"parts":[{"text":"A"}]},"index":0},{"content":{"parts":[{"text":"B"}]},"index":1}]}"#,
            ),
            json!([{"role": "assistant", "parts": [text("A")]}, {"role": "assistant", "parts": [text("B")]}]),
        ),
    ]);
}

#[test]
fn bedrock() {
    const HOST: &str = "bedrock-runtime.eu-west-1.amazonaws.com";
    let document = r#"{"output":{"message":{"role":"assistant","content":[
        {"reasoningContent":{"reasoningText":{"text":"2+2","signature":"Eq=="}}},{"reasoningContent":{"redactedContent":"Em=="}},
        {"text":"Let me"},{"text":" see"},{"toolUse":{"toolUseId":"c1","name":"weather","input":{"city":"Zürich"}}}]}},"stopReason":"tool_use"}"#;
    let delta = |data: &str| event_stream::event("contentBlockDelta", data);
    let stream = [
        event_stream::event("messageStart", r#"{"p":"ab","role":"assistant"}"#),
        delta(r#"{"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"2"}},"p":"a"}"#),
        delta(r#"{"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"+2"}}}"#),
        delta(r#"{"contentBlockIndex":0,"delta":{"reasoningContent":{"signature":"Eq=="}}}"#),
        delta(r#"{"contentBlockIndex":1,"delta":{"reasoningContent":{"redactedContent":"Em=="}}}"#),
        delta(r#"{"contentBlockIndex":2,"delta":{"text":"Let "}}"#),
        delta(r#"{"delta":{"text":"me"},"contentBlockIndex":2}"#),
        delta(r#"{"contentBlockIndex":3,"delta":{"text":" see"}}"#),
        event_stream::event(
            "contentBlockStart",
            r#"{"contentBlockIndex":4,"start":{"toolUse":{"toolUseId":"c1","name":"weather"}}}"#,
        ),
        delta(r#"{"contentBlockIndex":4,"delta":{"toolUse":{"input":"{\"city\": \"Z"}}}"#),
        delta(r#"{"contentBlockIndex":4,"delta":{"toolUse":{"input":"ürich\"}"}}}"#),
        event_stream::event("messageStop", r#"{"stopReason":"tool_use"}"#),
        event_stream::event("metadata", r#"{"usage":{"inputTokens":1,"outputTokens":2},"metrics":{"latencyMs":1}}"#),
    ]
    .concat();
    let streamed = |path, body: Vec<u8>| Call { body, ..at(HOST, path, "") };
    let parts =
        said(json!([reasoning("2+2"), {"type": "redacted_thinking"}, text("Let me"), text(" see"), call("c1")]));
    let invoke = |model: &str, body: &str| at(HOST, Box::leak(format!("/model/{model}/invoke").into()), body);
    let invoke_stream = |model: &str, events: &[&str]| {
        let path: &str = Box::leak(format!("/model/{model}/invoke-with-response-stream").into());
        streamed(path, events.iter().flat_map(|event| wrapped(event)).collect())
    };
    check(vec![
        ("Converse", at(HOST, "/model/amazon.nova-lite-v1:0/converse", document), parts.clone()),
        ("ConverseStream", streamed("/model/amazon.nova-lite-v1:0/converse-stream", stream), parts),
        (
            "Nova",
            invoke(
                "amazon.nova-lite-v1:0",
                r#"{"output":{"message":{"content":[{"text":"Hi"},{"toolUse":{"toolUseId":"c1","name":"weather","input":{"city":"Zürich"}}}]}},"stopReason":"tool_use"}"#,
            ),
            said(json!([text("Hi"), call("c1")])),
        ),
        (
            "Nova in a stream",
            invoke_stream(
                "amazon.nova-lite-v1:0",
                &[
                    r#"{"messageStart":{"role":"assistant"}}"#,
                    r#"{"contentBlockDelta":{"delta":{"text":"H"},"contentBlockIndex":0}}"#,
                    r#"{"contentBlockDelta":{"delta":{"text":"i"},"contentBlockIndex":0}}"#,
                    r#"{"contentBlockStart":{"start":{"toolUse":{"toolUseId":"c1","name":"weather"}},"contentBlockIndex":1}}"#,
                    r#"{"contentBlockDelta":{"delta":{"toolUse":{"input":"{\"city\":\"Zürich\"}"}},"contentBlockIndex":1}}"#,
                ],
            ),
            said(json!([text("Hi"), call("c1")])),
        ),
        (
            "Titan",
            invoke(
                "amazon.titan-text-express-v1",
                r#"{"inputTextTokenCount":1,"results":[{"outputText":"Hi","completionReason":"FINISH"}]}"#,
            ),
            said(json!([text("Hi")])),
        ),
        (
            "Titan in a stream",
            invoke_stream(
                "amazon.titan-text-express-v1",
                &[r#"{"outputText":"H","index":0}"#, r#"{"outputText":"i","index":0}"#],
            ),
            said(json!([text("Hi")])),
        ),
        (
            "Llama",
            invoke(
                "meta.llama3-8b-instruct-v1:0",
                r#"{"generation":"Hi","prompt_token_count":1,"generation_token_count":1}"#,
            ),
            said(json!([text("Hi")])),
        ),
        (
            "Mistral",
            invoke("mistral.mistral-7b-instruct-v0:2", r#"{"outputs":[{"text":"Hi","stop_reason":"stop"}]}"#),
            said(json!([text("Hi")])),
        ),
        (
            "models that speak chat completions",
            invoke(
                "mistral.mistral-large-2407-v1:0",
                r#"{"choices":[{"index":0,"message":{"content":"Hi","tool_calls":[{"id":"c1","function":{"name":"weather","arguments":"{\"city\":\"Zürich\"}"}}]}}]}"#,
            ),
            said(json!([text("Hi"), call("c1")])),
        ),
        (
            "Claude in a stream",
            invoke_stream(
                "anthropic.claude-3-haiku-20240307-v1:0",
                &[
                    r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
                    r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}"#,
                    r#"{"type":"message_stop"}"#,
                ],
            ),
            said(json!([text("Hi")])),
        ),
    ]);
}

#[test]
fn cohere_and_ollama() {
    let cohere = |path, body: &str| at("api.cohere.com", path, body);
    let ollama = |path, body: &str| at("localhost:11434", path, body);
    check(vec![
        (
            "Cohere v1",
            cohere(
                "/v1/chat",
                r#"{"generation_id":"g","text":"Hi","tool_calls":[{"name":"weather","parameters":{"city":"Zürich"}}],"meta":{}}"#,
            ),
            said(json!([text("Hi"), {"type": "tool_call", "name": "weather", "arguments": {"city": "Zürich"}}])),
        ),
        (
            "Cohere v1 in a stream",
            cohere(
                "/v1/chat",
                "{\"event_type\":\"stream-start\",\"generation_id\":\"g\"}\n{\"event_type\":\"text-generation\",\"text\":\"H\"}\n{\"event_type\":\"text-generation\",\"text\":\"i\"}\n{\"event_type\":\"stream-end\",\"finish_reason\":\"COMPLETE\",\"response\":{\"text\":\"Hi\"}}\n",
            ),
            said(json!([text("Hi")])),
        ),
        (
            "Cohere v2",
            cohere(
                "/v2/chat",
                r#"{"id":"i","message":{"role":"assistant","tool_plan":"Look it up","content":[{"type":"thinking","thinking":"2+2"},{"type":"text","text":"Hi"}],
                    "tool_calls":[{"id":"c1","type":"function","function":{"name":"weather","arguments":"{\"city\":\"Zürich\"}"}}]},"finish_reason":"TOOL_CALL","usage":{}}"#,
            ),
            said(json!([reasoning("Look it up"), reasoning("2+2"), text("Hi"), call("c1")])),
        ),
        (
            "Cohere v2 in a stream",
            cohere(
                "/v2/chat",
                &sse(&[
                    r#"{"type":"message-start","id":"i","delta":{"message":{"role":"assistant","content":[]}}}"#,
                    r#"{"type":"tool-plan-delta","delta":{"message":{"tool_plan":"Look"}}}"#,
                    r#"{"type":"tool-plan-delta","delta":{"message":{"tool_plan":" it up"}}}"#,
                    r#"{"type":"tool-call-start","index":0,"delta":{"message":{"tool_calls":{"id":"c1","type":"function","function":{"name":"weather","arguments":""}}}}}"#,
                    r#"{"type":"tool-call-delta","index":0,"delta":{"message":{"tool_calls":{"function":{"arguments":"{\"city\":\"Z"}}}}}"#,
                    r#"{"type":"tool-call-delta","index":0,"delta":{"message":{"tool_calls":{"function":{"arguments":"ürich\"}"}}}}}"#,
                    r#"{"type":"content-start","index":0,"delta":{"message":{"content":{"type":"text","text":""}}}}"#,
                    r#"{"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"H"}}}}"#,
                    r#"{"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"i"}}}}"#,
                    r#"{"type":"message-end","delta":{"finish_reason":"TOOL_CALL","usage":{}}}"#,
                ]),
            ),
            said(json!([reasoning("Look it up"), call("c1"), text("Hi")])),
        ),
        (
            "Ollama",
            ollama(
                "/api/chat",
                r#"{"model":"m","created_at":"t","message":{"role":"assistant","thinking":"2+2","content":"Hi","tool_calls":[{"function":{"name":"weather","arguments":{"city":"Zürich"}}}]},"done":true}"#,
            ),
            said(
                json!([reasoning("2+2"), text("Hi"), {"type": "tool_call", "name": "weather", "arguments": {"city": "Zürich"}}]),
            ),
        ),
        (
            "Ollama in a stream",
            ollama(
                "/api/chat",
                "{\"model\":\"m\",\"created_at\":\"t\",\"message\":{\"role\":\"assistant\",\"content\":\"\",\"thinking\":\"2\"},\"done\":false}\n{\"model\":\"m\",\"created_at\":\"t\",\"message\":{\"role\":\"assistant\",\"content\":\"\",\"thinking\":\"+2\"},\"done\":false}\n{\"model\":\"m\",\"created_at\":\"t\",\"message\":{\"role\":\"assistant\",\"content\":\"H\"},\"done\":false}\n{\"model\":\"m\",\"created_at\":\"t\",\"message\":{\"role\":\"assistant\",\"content\":\"i\"},\"done\":true}\n",
            ),
            said(json!([reasoning("2+2"), text("Hi")])),
        ),
        (
            "Ollama's completions",
            ollama("/api/generate", r#"{"model":"m","created_at":"t","response":"Hi","done":true}"#),
            said(json!([text("Hi")])),
        ),
    ]);
}
