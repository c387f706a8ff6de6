//! Content is cut where a limit is, and is valid JSON wherever that was; what is held does not grow with what passes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use common::{CHAT, Call, MESSAGES, RESPONSES, captured, sse, value};
use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tollgate_call::{Content, Outcome};
use tollgate_token_extractor::{Extractor, RequestHead, notes};

fn output(content: &str) -> Call {
    Call::json(CHAT, &json!({"choices": [{"index": 0, "message": {"content": content}}]}).to_string())
}

fn configured(input: usize, output: usize) -> Extractor {
    let config = json!({"content": {"input_bytes": input, "output_bytes": output}});
    Extractor::configure(&config.to_string()).unwrap()
}

/// Every text of a content, whose JSON is valid.
fn texts(content: &Content) -> [Value; 4] {
    [&content.system_instructions, &content.input_messages, &content.output_messages, &content.tool_definitions]
        .map(|text| value(text.as_ref()))
}

#[test]
fn nothing_is_captured_unless_asked_for() {
    let call = output("secret");
    let mut exchange = call.begin();
    assert_eq!(call.read(&[9]).content, Content::default());
    exchange.response_body(&call.body, 0);
    assert_eq!(exchange.end(Outcome::Complete).content, Content::default());
}

#[test]
fn output_is_cut_inside_a_text_and_says_so() {
    let said =
        |text: &str| json!([{"role": "assistant", "parts": [{"type": "text", "content": text, "truncated": true}]}]);
    // The third character is two bytes long, and the limit falls between them.
    let content = captured(output("Grüezi mitenand"), "{}", 0, 3);
    assert_eq!((value(content.output_messages.as_ref()), content.truncated), (said("Gr"), true));
    let chunk = |text: &str| json!({"choices": [{"index": 0, "delta": {"content": text}}]}).to_string();
    // What comes after a cut is not captured, even if it were short enough.
    for (first, limit, kept) in [("Grüezi", 3, "Gr"), ("G", 2, "G"), ("Grü", 4, "Grü")] {
        let stream = sse(&[&chunk(first), &chunk("ü"), &chunk("x")]);
        let content = captured(Call::stream(CHAT, stream), "{}", 0, limit);
        assert_eq!((value(content.output_messages.as_ref()), content.truncated), (said(kept), true), "{first} {limit}");
    }
    let whole = captured(output("four"), "{}", 0, 4);
    assert!(!whole.truncated, "{whole:?}");
}

#[test]
fn arguments_that_are_cut_are_a_text() {
    let call = r#"{"id":"c1","function":{"name":"f","arguments":"{\"city\":\"Zürich\"}"}}"#;
    let call = Call::json(CHAT, &format!(r#"{{"choices":[{{"message":{{"tool_calls":[{call}]}}}}]}}"#));
    let content = captured(call, "{}", 0, 10);
    let part = json!({"type": "tool_call", "id": "c1", "name": "f", "arguments": "{\"city\"", "truncated": true});
    assert_eq!(value(content.output_messages.as_ref()), json!([{"role": "assistant", "parts": [part]}]));
}

#[test]
fn input_is_cut_inside_a_text_and_keeps_its_role() {
    let request = r#"{"messages":[{"role":"system","content":"Be kind"},{"content":"A long question, too long to be kept","role":"assistant"},{"role":"user","content":"?"}]}"#;
    let content = captured(Call::json(CHAT, "{}"), request, 120, 0);
    assert_eq!(
        value(content.input_messages.as_ref()),
        json!([
            {"role": "system", "parts": [{"type": "text", "content": "Be kind"}]},
            {"role": "assistant", "parts": [{"type": "text", "content": "A long ques", "truncated": true}]},
        ])
    );
    assert!(content.truncated);
}

#[test]
fn definitions_of_tools_leave_room_for_messages() {
    let tool = |name: String| json!({"type": "function", "function": {"name": name, "description": "d".repeat(1000)}});
    let tools: Vec<_> = (0..100).map(|number| tool(format!("f{number}"))).collect();
    let request = format!(
        r#"{{"tools":{},"messages":[{{"role":"user","content":"Hi"}}],"system":"Be kind"}}"#,
        Value::from(tools)
    );
    let content = captured(Call::json(CHAT, "{}"), &request, 10_000, 0);
    let [system, messages, _, tools] = texts(&content);
    assert_eq!(messages, json!([{"role": "user", "parts": [{"type": "text", "content": "Hi"}]}]));
    assert_eq!(system, json!([{"type": "text", "content": "Be kind"}]));
    let tools = tools.as_array().unwrap();
    assert!((4..=5).contains(&tools.len()), "{}", tools.len());
    assert_eq!(tools.last().unwrap()["truncated"], true);
    assert!(content.truncated);
}

#[test]
fn a_schema_that_is_cut_is_left_out() {
    let schema = json!({"type": "object", "properties": {"city": {"type": "string", "description": "x".repeat(1000)}}});
    let request = json!({"tools": [{"name": "f", "input_schema": schema}]});
    let content = captured(Call::json(MESSAGES, "{}"), &request.to_string(), 1000, 0);
    assert_eq!(value(content.tool_definitions.as_ref()), json!([{"type": "function", "name": "f", "truncated": true}]));
}

/// What an exchange may hold besides content: two readers, names, counts.
const PLAIN: usize = 8 * 1024;

#[test]
fn an_image_of_twenty_megabytes_is_a_hash_and_the_texts_around_it_are_kept() {
    const LIMIT: usize = 4096;
    let image: Vec<u8> = (0..20_000_000_u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let encoded = STANDARD.encode(&image);
    let bodies = [
        (
            CHAT,
            format!(
                r#"{{"model":"m","messages":[{{"role":"user","content":[{{"type":"text","text":"Before"}},{{"type":"image_url","image_url":{{"url":"data:image/png;base64,{encoded}"}}}},{{"type":"text","text":"After"}}]}}]}}"#
            ),
        ),
        (
            MESSAGES,
            format!(
                r#"{{"model":"m","messages":[{{"role":"user","content":[{{"type":"text","text":"Before"}},{{"type":"image","source":{{"type":"base64","media_type":"image/png","data":"{encoded}"}}}},{{"type":"text","text":"After"}}]}}]}}"#
            ),
        ),
    ];
    let sha256: String = Sha256::digest(&image).iter().map(|byte| format!("{byte:02x}")).collect();
    for (path, body) in bodies {
        let extractor = configured(LIMIT, LIMIT);
        let head = RequestHead { method: "POST", host: "llm.internal", path, content_type: None };
        let mut exchange = extractor.exchange(head);
        let mut most = 0;
        for chunk in body.as_bytes().chunks(16 * 1024 - 1) {
            exchange.request_body(chunk);
            most = most.max(exchange.heap_bytes());
        }
        assert!(most <= PLAIN + LIMIT, "{path}: {most} bytes");
        exchange.response_head(200, []);
        let content = exchange.end(Outcome::Complete).content;
        let image = json!({"type": "blob", "mime_type": "image/png", "modality": "image", "size": 20_000_000, "sha256": sha256});
        assert_eq!(
            value(content.input_messages.as_ref()),
            json!([{"role": "user", "parts": [{"type": "text", "content": "Before"}, image, {"type": "text", "content": "After"}]}])
        );
        assert!(!content.truncated);
    }
}

#[test]
fn what_is_held_is_bounded_by_the_limit() {
    const LIMIT: usize = 10_000;
    let long = format!(r#""{}""#, "é".repeat(1_000_000));
    let many = |item: &str| item.repeat(200_000);
    let requests = [
        format!(r#"{{"messages":[{{"role":"user","content":{long}}}]}}"#),
        format!(r#"{{"messages":[{}1]}}"#, many("[],")),
        format!(r#"{{"messages":[{}1]}}"#, many("{},")),
        format!(r#"{{"messages":[{{{}"role":1}}]}}"#, many(r#""role":"","#)),
        format!(r#"{{{}"messages":[]}}"#, many(r#""messages":[{"role":"user"}],"#)),
        format!(r#"{{"messages":[{{"content":{}"#, many("[")),
        format!(r#"{{"messages":[{{"tool_calls":[{{"function":{{"arguments":{{"a":{long}}}}}}}]}}]}}"#),
    ];
    for request in requests {
        let mut exchange =
            configured(LIMIT, 0).exchange(RequestHead { method: "POST", host: "h", path: CHAT, content_type: None });
        for chunk in request.as_bytes().chunks(1000) {
            exchange.request_body(chunk);
        }
        let held = exchange.heap_bytes();
        assert!(held <= PLAIN + 8 * LIMIT, "{held}: {}", request.get(..60).unwrap());
        let content = exchange.end(Outcome::Complete).content;
        let length = content.input_messages.as_ref().map_or(0, String::len);
        assert!(length <= 6 * LIMIT, "{length}: {}", request.get(..60).unwrap());
        texts(&content);
    }
    let part = r#"{"type":"redacted_thinking","data":"x"},"#;
    let choice = r#"{"message":{"content":"a"}},"#;
    let call = r#"{"id":"i","function":{"name":"n","arguments":"{}"}},"#;
    let answers = [
        (MESSAGES, format!(r#"{{"type":"message","content":[{}{{}}]}}"#, many(part))),
        (CHAT, format!(r#"{{"choices":[{}{{}}]}}"#, many(choice))),
        (CHAT, format!(r#"{{"choices":[{{"message":{{"tool_calls":[{}{{}}]}}}}]}}"#, many(call))),
        (CHAT, format!(r#"{{"choices":[{{"message":{{"content":{long}}}}}]}}"#)),
        (RESPONSES, format!(r#"{{"output":[{}{{}}]}}"#, many(r#"{"type":"web_search_call","id":"x"},"#))),
    ];
    for (path, body) in answers {
        let call = Call { extractor: configured(0, LIMIT), ..Call::json(path, &body) };
        let mut exchange = call.begin();
        let mut most = 0;
        for chunk in call.body.chunks(50_000) {
            exchange.response_body(chunk, 0);
            most = most.max(exchange.heap_bytes());
        }
        // Parts are at most 512, and so is what waits.
        assert!(most <= PLAIN + 4 * LIMIT + 512 * 512, "{path} {most}: {}", body.get(..60).unwrap());
        let reading = exchange.end(Outcome::Complete);
        texts(&reading.content);
        assert!(reading.content.truncated, "{}", body.get(..60).unwrap());
    }
}

#[test]
fn too_many_parts_are_noted() {
    let part = r#"{"type":"redacted_thinking","data":"x"},"#;
    let body = format!(r#"{{"type":"message","model":"m","content":[{}{{}}]}}"#, part.repeat(1000));
    let call = Call { extractor: configured(0, 100), ..Call::json(MESSAGES, &body) };
    let reading = call.read(&[100]);
    assert_eq!(reading.notes, [notes::CONTENT_PARTS_LIMIT]);
    let messages = value(reading.content.output_messages.as_ref());
    assert_eq!(messages[0]["parts"].as_array().unwrap().len(), 512);
    let values = r#"{"role":"user"},"#.repeat(40_000);
    let request = format!(r#"{{"messages":[{values}{{}}]}}"#);
    let call = Call { extractor: configured(1 << 24, 0), request: request.into(), ..Call::json(CHAT, "{}") };
    let reading = call.read(&[100]);
    assert!(reading.notes.contains(&notes::CONTENT_PARTS_LIMIT) && reading.content.truncated);
}

/// JSON that often looks like a conversation, cut anywhere.
fn conversation() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        "\"messages\":[",
        "{\"role\":\"user\",\"content\":",
        "\"role\":\"assistant\"",
        "\"content\":[",
        "\"text\":",
        "\"type\":\"text\",",
        "{\"type\":\"tool_use\",\"id\":\"c\",\"name\":\"f\",\"input\":",
        "\"input_schema\":",
        "\"tools\":[",
        "\"system\":",
        "\"image_url\":",
        "\"data:image/png;base64,iVBORw0K\"",
        "\"data\":\"AAAA\"",
        "\"arguments\":",
        "\"choices\":[{\"message\":{",
        "\"delta\":",
        "\"tool_calls\":[{\"id\":\"c\",\"function\":{\"name\":\"f\",\"arguments\":",
        "\"reasoning_content\":",
        "\"output\":[{\"type\":\"message\",\"content\":[{\"type\":\"output_text\",\"text\":",
        "\"Grüezi 👋\"",
        "\"\\ud83d\\ude00 \\\" \\u00fc\"",
        "\"{\\\"a\\\":1}\"",
        "{\"a\":[1,2.5e3,true,null]}",
        "null",
        "12",
        "1e999",
        "\u{1}",
    ]);
    prop::collection::vec(words, 0..40).prop_map(|words| words.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn whatever_passes_content_is_valid_and_the_same_at_every_cut(
        mut request in conversation(),
        mut body in conversation(),
        begin in prop::bool::weighted(0.8),
        size in 1..30_usize,
        input in 0..400_usize,
        output in 0..60_usize,
        path in prop::sample::select(vec![CHAT, MESSAGES, RESPONSES, "/v1/chat", "/v1beta/models/m:generateContent"]),
    ) {
        if begin {
            request.insert_str(0, "{\"messages\":[{\"role\":\"user\",\"content\":");
            body.insert_str(0, "{\"model\":\"m\",");
        }
        let call = Call { extractor: configured(input, output), request: request.into(), ..Call::json(path, &body) };
        let whole = call.read_in(usize::MAX);
        texts(&whole.content);
        for size in [1, size] {
            prop_assert_eq!(&call.read_in(size), &whole);
        }
        // Broken off anywhere it is valid too.
        texts(&call.cut_at(body.len() / 2, Outcome::TimedOut).content);
    }

    #[test]
    fn a_stream_is_cut_at_any_limit(limit in 0..80_usize, size in 1..30_usize) {
        let stream = sse(&[
            r#"{"choices":[{"index":0,"delta":{"reasoning_content":"Grü"}}]}"#,
            r#"{"choices":[{"index":0,"delta":{"content":"ezi 👋"}}]}"#,
            r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c1","function":{"name":"f","arguments":"{\"a\":"}}]}}]}"#,
            r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"\"Zürich\"}"}}]}}]}"#,
        ]);
        let call = Call { extractor: configured(0, limit), ..Call::stream(CHAT, stream) };
        let content = call.read_in(size).content;
        prop_assert_eq!(&content, &call.read_in(usize::MAX).content);
        texts(&content);
        // Reasoning, text, id, name and arguments.
        let all = "Grü".len() + "ezi 👋".len() + "c1".len() + "f".len() + "{\"a\":\"Zürich\"}".len();
        prop_assert_eq!(content.truncated, limit > 0 && limit < all);
    }
}
