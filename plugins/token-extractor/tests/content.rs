//! What was said, captured where the configuration asks for it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{CHAT, Call, MESSAGES, RESPONSES, sse};
use serde_json::{Value, json};
use tollgate_call::Content;
use tollgate_token_extractor::Extractor;

fn captured(mut call: Call, request: &str, input: usize, output: usize) -> Content {
    let config = json!({"content": {"input_bytes": input, "output_bytes": output}});
    call.extractor = Extractor::configure(&config.to_string()).unwrap();
    call.request = request.as_bytes().to_vec();
    let whole = call.read(&[usize::MAX]).content;
    for size in [1, 7] {
        assert_eq!(call.read(&[size]).content, whole);
    }
    whole
}

fn value(messages: &Option<String>) -> Value {
    messages.as_ref().map_or(Value::Null, |text| serde_json::from_str(text).unwrap())
}

#[test]
fn nothing_is_captured_unless_asked_for() {
    let call = Call::json(CHAT, r#"{"choices":[{"message":{"content":"secret"}}]}"#);
    assert_eq!(call.read(&[9]).content, Content::default());
}

#[test]
fn each_api_gives_the_messages_of_the_conventions() {
    let text = |text: &str| json!({"type": "text", "content": text});
    let call = |id: &str| json!({"type": "tool_call", "id": id, "name": "weather", "arguments": {"city": "Zürich"}});
    let chat = sse(&[
        r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":"Grüe\u007a"}}]}"#,
        r#"{"choices":[{"index":0,"delta":{"content":"i 👋"}},{"index":1,"delta":{"content":"Hi"}}]}"#,
        r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"call_1","function":{"name":"weather","arguments":"{\"city\""}}]}}]}"#,
        r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":":\"Zürich\"}"}}]}}]}"#,
        "[DONE]",
    ]);
    let messages = sse(&[
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}"#,
        r#"{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"tu_1","name":"weather","input":{}}}"#,
        r#"{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"city\": "}}"#,
        r#"{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"\"Zürich\"}"}}"#,
    ]);
    let responses = sse(&[
        r#"{"type":"response.output_text.delta","delta":"H"}"#,
        r#"{"type":"response.function_call_arguments.delta","delta":"{}"}"#,
        r#"{"type":"response.output_text.delta","delta":"i"}"#,
        r#"{"type":"response.completed","response":{"status":"completed","output":[{"content":[{"type":"output_text","text":"Hi"}]}]}}"#,
    ]);
    let named = [
        ("response.output_text.delta", r#"{"delta":"H"}"#),
        ("response.function_call_arguments.delta", r#"{"delta":"{}","type":"response.function_call_arguments.delta"}"#),
        ("response.output_text.delta", r#"{"delta":"i","type":"response.output_text.delta"}"#),
        ("response.reasoning_summary_text.delta", r#"{"delta":"no"}"#),
    ]
    .map(|(name, data)| format!("event: {name}\ndata: {data}\n\n"))
    .concat();
    let cases = [
        (
            Call::stream(CHAT, chat),
            json!([
                {"role": "assistant", "parts": [text("Grüezi 👋"), call("call_1")]},
                {"role": "assistant", "parts": [text("Hi")]},
            ]),
        ),
        (
            Call::json(
                CHAT,
                r#"{"choices":[{"index":0,"message":{"content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"weather","arguments":"{\"city\":\"Zürich\"}"}}]}}]}"#,
            ),
            json!([{"role": "assistant", "parts": [call("call_1")]}]),
        ),
        (Call::stream(MESSAGES, messages), json!([{"role": "assistant", "parts": [text("Hi"), call("tu_1")]}])),
        (
            Call::json(
                MESSAGES,
                r#"{"type":"message","content":[{"type":"text","text":"H"},{"type":"text","text":"i"}]}"#,
            ),
            json!([{"role": "assistant", "parts": [text("Hi")]}]),
        ),
        (Call::stream(RESPONSES, responses), json!([{"role": "assistant", "parts": [text("Hi")]}])),
        (Call::stream(RESPONSES, named), json!([{"role": "assistant", "parts": [text("Hi")]}])),
        (
            Call::json(
                RESPONSES,
                r#"{"object":"response","output":[{"type":"message","content":[{"type":"output_text","text":"Hi"}]}]}"#,
            ),
            json!([{"role": "assistant", "parts": [text("Hi")]}]),
        ),
    ];
    for (call, expected) in cases {
        let content = captured(call, "{}", 0, 1000);
        assert_eq!((value(&content.output_messages), content.truncated), (expected, false));
        assert_eq!(content.input_messages, None);
    }
}

#[test]
fn input_messages_are_read_from_each_api() {
    let text = |text: &str| json!({"type": "text", "content": text});
    let cases = [
        (
            CHAT,
            json!({"messages": [
                {"role": "system", "content": "Be kind"},
                {"role": "user", "content": [{"type": "text", "text": "Look"}, {"type": "image_url", "image_url": {"url": "data:.."}}]},
                {"role": "assistant", "content": null, "tool_calls": [{"id": "c1", "function": {"name": "f", "arguments": "{}"}}]},
                {"role": "tool", "tool_call_id": "c1", "content": "42"},
            ]}),
            json!([
                {"role": "system", "parts": [text("Be kind")]},
                {"role": "user", "parts": [text("Look"), {"type": "image_url"}]},
                {"role": "assistant", "parts": [{"type": "tool_call", "id": "c1", "name": "f", "arguments": {}}]},
                {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "42"}]},
            ]),
        ),
        (
            MESSAGES,
            json!({"system": [{"type": "text", "text": "Be kind"}], "messages": [
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "42"}]},
                {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "f", "input": {"a": 1}}]},
            ]}),
            json!([
                {"role": "system", "parts": [text("Be kind")]},
                {"role": "user", "parts": [{"type": "tool_call_response", "id": "t1", "response": "42"}]},
                {"role": "assistant", "parts": [{"type": "tool_call", "id": "t1", "name": "f", "arguments": {"a": 1}}]},
            ]),
        ),
        (
            RESPONSES,
            json!({"instructions": "Be kind", "input": [
                {"role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
                {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
                {"type": "function_call_output", "call_id": "c1", "output": "42"},
            ]}),
            json!([
                {"role": "system", "parts": [text("Be kind")]},
                {"role": "user", "parts": [text("Hi")]},
                {"role": "assistant", "parts": [{"type": "tool_call", "id": "c1", "name": "f", "arguments": {}}]},
                {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "42"}]},
            ]),
        ),
        (RESPONSES, json!({"input": "Hi"}), json!([{"role": "user", "parts": [text("Hi")]}])),
    ];
    for (path, request, expected) in cases {
        let content = captured(Call::json(path, "{}"), &request.to_string(), 10_000, 0);
        assert_eq!((value(&content.input_messages), content.truncated), (expected, false));
        assert_eq!(content.output_messages, None);
    }
}

#[test]
fn limits_cut_and_say_so() {
    let call = || Call::json(CHAT, r#"{"choices":[{"index":0,"message":{"content":"Grüezi mitenand"}}]}"#);
    // The third character is two bytes long, and the limit falls between them.
    let content = captured(call(), "{}", 0, 3);
    assert_eq!(
        value(&content.output_messages),
        json!([{"role": "assistant", "parts": [{"type": "text", "content": "Gr"}]}])
    );
    assert!(content.truncated);
    let content = captured(call(), r#"{"messages":[{"role":"user","content":"too long for its limit"}]}"#, 20, 1000);
    assert_eq!((content.input_messages, content.truncated), (None, true));
}

#[test]
fn what_comes_after_a_cut_is_not_captured() {
    let chunk = |text: &str| format!(r#"{{"choices":[{{"index":0,"delta":{{"content":"{text}"}}}}]}}"#);
    for (first, limit, kept) in [("Grüezi", 3, "Gr"), ("G", 2, "G"), ("Grü", 4, "Grü")] {
        let stream = sse(&[&chunk(first), &chunk("ü"), &chunk("x")]);
        let content = captured(Call::stream(CHAT, stream), "{}", 0, limit);
        let text = json!([{"role": "assistant", "parts": [{"type": "text", "content": kept}]}]);
        assert_eq!((value(&content.output_messages), content.truncated), (text, true), "{first} {limit}");
    }
}
