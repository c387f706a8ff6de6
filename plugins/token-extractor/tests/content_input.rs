//! What a request says, captured as system instructions, input messages and definitions of tools of the GenAI
//! conventions, API by API.

mod common;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use common::{CHAT, Call, MESSAGES, RESPONSES, captured, value};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Enough for every request here.
const LIMIT: usize = 100_000;
const GEMINI: (&str, &str) = ("generativelanguage.googleapis.com", "/v1beta/models/gemini-2.5-flash:generateContent");
const CONVERSE: (&str, &str) = ("bedrock-runtime.eu-west-1.amazonaws.com", "/model/amazon.nova-lite-v1:0/converse");
const OPENAI: &str = "api.openai.com";
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and so on, a few bytes more than are looked at to tell base64 from text";

fn text(text: &str) -> Value {
    json!({"type": "text", "content": text})
}

fn message(role: &str, parts: Value) -> Value {
    json!({"role": role, "parts": parts})
}

fn call(id: &str) -> Value {
    json!({"type": "tool_call", "id": id, "name": "weather", "arguments": {"city": "Zürich"}})
}

fn response(id: &str, response: Value) -> Value {
    json!({"type": "tool_call_response", "id": id, "response": response})
}

fn blob(mime: Option<&str>, modality: &str, data: &[u8]) -> Value {
    let sha256: String = Sha256::digest(data).iter().map(|byte| format!("{byte:02x}")).collect();
    let mut blob = json!({"type": "blob", "modality": modality, "size": data.len(), "sha256": sha256});
    if let (Some(mime), Some(blob)) = (mime, blob.as_object_mut()) {
        blob.insert("mime_type".to_owned(), mime.into());
    }
    blob
}

/// The attributes of one request: system instructions, messages, definitions of tools.
fn attributes((host, path): (&'static str, &'static str), request: &Value) -> [Value; 3] {
    let call = Call { host, ..Call::json(path, "{}") };
    let content = captured(call, &request.to_string(), LIMIT, 0);
    assert!(!content.truncated, "{request}");
    assert_eq!(content.output_messages, None);
    [&content.system_instructions, &content.input_messages, &content.tool_definitions].map(|text| value(text.as_ref()))
}

fn check(at: (&'static str, &'static str), request: &Value, expected: [Value; 3]) {
    assert_eq!(attributes(at, request), expected, "{request}");
}

fn check_messages(at: (&'static str, &'static str), rows: Vec<(Value, Value)>) {
    for (request, expected) in rows {
        check(at, &request, [Value::Null, expected, Value::Null]);
    }
}

#[test]
fn chat_completions() {
    let png = STANDARD.encode(PNG);
    let request = json!({
        "messages": [
            {"role": "developer", "content": "Be kind"},
            {"role": "user", "name": "ada", "content": [
                {"type": "text", "text": "Look"},
                {"type": "image_url", "image_url": {"url": format!("data:image/png;base64,{png}"), "detail": "low"}},
                {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
                {"type": "input_audio", "input_audio": {"data": png, "format": "wav"}},
                {"type": "file", "file": {"file_data": format!("data:application/pdf;base64,{png}"), "filename": "a.pdf"}},
                {"type": "file", "file": {"file_id": "file-1"}},
            ]},
            {"role": "assistant", "content": null, "reasoning_content": "Look it up", "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{\"city\":\"Zürich\"}"}}]},
            {"role": "tool", "tool_call_id": "c1", "content": "42"},
            {"role": "tool", "tool_call_id": "c2", "content": [{"type": "text", "text": "43"}]},
            {"role": "assistant", "content": [{"type": "refusal", "refusal": "No"}]},
            {"role": "assistant", "function_call": {"name": "now", "arguments": "{}"}},
            {"role": "function", "name": "now", "content": "noon"},
        ],
        "tools": [
            {"type": "function", "function": {"name": "weather", "description": "Tells it", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}},
            {"type": "custom", "custom": {"name": "sh", "description": "Runs it"}},
        ],
        "functions": [{"name": "now", "parameters": {}}],
        "metadata": {"content": "not said"},
    });
    let messages = json!([
        message("system", json!([text("Be kind")])),
        message(
            "user",
            json!([
                text("Look"),
                blob(Some("image/png"), "image", PNG),
                {"type": "uri", "modality": "image", "uri": "https://example.com/a.png"},
                blob(Some("audio/wav"), "audio", PNG),
                blob(Some("application/pdf"), "document", PNG),
                {"type": "file", "modality": "document", "file_id": "file-1"},
            ])
        ),
        message("assistant", json!([{"type": "reasoning", "content": "Look it up"}, call("c1")])),
        message("tool", json!([response("c1", json!("42"))])),
        message("tool", json!([response("c2", json!([text("43")]))])),
        message("assistant", json!([{"type": "refusal", "content": "No"}])),
        message("assistant", json!([{"type": "tool_call", "name": "now", "arguments": {}}])),
        message("tool", json!([{"type": "tool_call_response", "response": "noon"}])),
    ]);
    let tools = json!([
        {"type": "function", "name": "weather", "description": "Tells it",
         "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
        {"type": "custom", "name": "sh", "description": "Runs it"},
        {"type": "function", "name": "now", "parameters": {}},
    ]);
    check((OPENAI, CHAT), &request, [Value::Null, messages, tools]);
    check_messages(
        (OPENAI, "/v1/completions"),
        vec![
            (json!({"prompt": "Once"}), json!([message("user", json!([text("Once")]))])),
            (json!({"prompt": ["Once", "Twice"]}), json!([message("user", json!([text("Once"), text("Twice")]))])),
            (json!({"prompt": [1, 2, 3]}), Value::Null),
        ],
    );
}

#[test]
fn responses() {
    let png = STANDARD.encode(PNG);
    let request = json!({
        "instructions": "Be kind",
        "input": [
            {"role": "user", "content": [
                {"type": "input_text", "text": "Hi"},
                {"type": "input_image", "image_url": format!("data:image/png;base64,{png}")},
                {"type": "input_image", "file_id": "file-1"},
                {"type": "input_file", "filename": "a.pdf", "file_data": format!("data:application/pdf;base64,{png}")},
                {"type": "input_file", "file_url": "https://example.com/a.pdf"},
            ]},
            {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Look it up"}], "encrypted_content": "gAAA"},
            {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "weather", "arguments": "{\"city\":\"Zürich\"}"},
            {"type": "function_call_output", "call_id": "c1", "output": "42"},
            {"type": "custom_tool_call", "call_id": "c2", "name": "sh", "input": "ls -l"},
            {"type": "custom_tool_call_output", "call_id": "c2", "output": [{"type": "input_text", "text": "a"}]},
            {"type": "web_search_call", "id": "ws_1", "status": "completed"},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Done"}]},
        ],
        "tools": [{"type": "function", "name": "weather", "parameters": {"type": "object"}, "strict": true},
                  {"type": "web_search"}, {"type": "mcp", "server_label": "dice", "server_url": "https://example.com"}],
    });
    check(
        (OPENAI, RESPONSES),
        &request,
        [
            json!([text("Be kind")]),
            json!([
                message(
                    "user",
                    json!([
                        text("Hi"),
                        blob(Some("image/png"), "image", PNG),
                        {"type": "file", "modality": "image", "file_id": "file-1"},
                        blob(Some("application/pdf"), "document", PNG),
                        {"type": "uri", "modality": "document", "uri": "https://example.com/a.pdf"},
                    ])
                ),
                message("assistant", json!([{"type": "reasoning", "content": "Look it up"}])),
                message("assistant", json!([call("c1")])),
                message("tool", json!([response("c1", json!("42"))])),
                message("assistant", json!([{"type": "tool_call", "id": "c2", "name": "sh", "arguments": "ls -l"}])),
                message("tool", json!([response("c2", json!([text("a")]))])),
                message(
                    "assistant",
                    json!([{"type": "server_tool_call", "id": "ws_1", "name": "web_search",
                                             "server_tool_call": {"type": "web_search_call"}}])
                ),
                message("assistant", json!([text("Done")])),
            ]),
            json!([
                {"type": "function", "name": "weather", "parameters": {"type": "object"}},
                {"type": "web_search"},
                {"type": "mcp", "name": "dice"},
            ]),
        ],
    );
    check_messages((OPENAI, RESPONSES), vec![(json!({"input": "Hi"}), json!([message("user", json!([text("Hi")]))]))]);
}

#[test]
fn anthropic_messages() {
    let png = STANDARD.encode(PNG);
    let request = json!({
        "system": [{"type": "text", "text": "Be kind", "cache_control": {"type": "ephemeral"}}],
        "messages": [
            {"role": "user", "content": "Hi"},
            {"role": "user", "content": [
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": png}},
                {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}},
                {"type": "document", "source": {"type": "base64", "data": png, "media_type": "application/pdf"}},
                {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "Plain, and no base64"}},
                {"type": "document", "source": {"type": "file", "file_id": "file_1"}},
            ]},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "Look it up", "signature": "Eq=="},
                {"type": "redacted_thinking", "data": "Em=="},
                {"type": "server_tool_use", "id": "st_1", "name": "web_search", "input": {"query": "q"}},
                {"type": "web_search_tool_result", "tool_use_id": "st_1", "content": [{"type": "web_search_result", "url": "u"}]},
                {"type": "tool_use", "id": "c1", "name": "weather", "input": {"city": "Zürich"}},
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "c1", "content": "42"},
                {"type": "tool_result", "tool_use_id": "c2", "is_error": true, "content": [
                    {"type": "text", "text": "43"},
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": png}}]},
            ]},
        ],
        "tools": [{"name": "weather", "description": "Tells it", "input_schema": {"type": "object"}},
                  {"type": "web_search_20250305", "name": "web_search", "max_uses": 5}],
    });
    check(
        ("api.anthropic.com", MESSAGES),
        &request,
        [
            json!([text("Be kind")]),
            json!([
                message("user", json!([text("Hi")])),
                message(
                    "user",
                    json!([
                        blob(Some("image/png"), "image", PNG),
                        {"type": "uri", "modality": "image", "uri": "https://example.com/a.png"},
                        blob(Some("application/pdf"), "document", PNG),
                        text("Plain, and no base64"),
                        {"type": "file", "modality": "document", "file_id": "file_1"},
                    ])
                ),
                message(
                    "assistant",
                    json!([
                        {"type": "reasoning", "content": "Look it up"},
                        {"type": "redacted_thinking"},
                        {"type": "server_tool_call", "id": "st_1", "name": "web_search",
                         "server_tool_call": {"type": "server_tool_use", "arguments": {"query": "q"}}},
                        {"type": "server_tool_call_response", "id": "st_1",
                         "server_tool_call_response": {"type": "web_search_tool_result"}},
                        call("c1"),
                    ])
                ),
                message(
                    "user",
                    json!([
                        response("c1", json!("42")),
                        response("c2", json!([text("43"), blob(Some("image/png"), "image", PNG)])),
                    ])
                ),
            ]),
            json!([
                {"type": "function", "name": "weather", "description": "Tells it", "parameters": {"type": "object"}},
                {"type": "web_search_20250305", "name": "web_search"},
            ]),
        ],
    );
    // The type of a source comes first, and says that what looks like base64 is none.
    let word = "A".repeat(100);
    let source = format!(r#"{{"type":"text","media_type":"text/plain","data":"{word}"}}"#);
    let request = format!(r#"{{"messages":[{{"role":"user","content":[{{"type":"document","source":{source}}}]}}]}}"#);
    let content = captured(Call::json(MESSAGES, "{}"), &request, LIMIT, 0);
    assert_eq!(value(content.input_messages.as_ref()), json!([message("user", json!([text(&word)]))]));
    let system = json!({"system": "Be kind", "messages": []});
    check(("api.anthropic.com", MESSAGES), &system, [json!([text("Be kind")]), Value::Null, Value::Null]);
}

#[test]
fn gemini() {
    let png = STANDARD.encode(PNG);
    for (system, inline, mime, file, uri, declarations) in [
        ("systemInstruction", "inlineData", "mimeType", "fileData", "fileUri", "functionDeclarations"),
        ("system_instruction", "inline_data", "mime_type", "file_data", "file_uri", "function_declarations"),
    ] {
        let request = json!({
            "contents": [
                {"role": "user", "parts": [
                    {"text": "Look"},
                    {inline: {mime: "image/png", "data": png}},
                    {file: {mime: "video/mp4", uri: "gs://bucket/a.mp4"}},
                ]},
                {"role": "model", "parts": [
                    {"text": "Look it up", "thought": true, "thoughtSignature": "Eq=="},
                    {"functionCall": {"id": "c1", "name": "weather", "args": {"city": "Zürich"}}},
                ]},
                {"role": "user", "parts": [{"functionResponse": {"id": "c1", "name": "weather", "response": {"c": 20}}}]},
                {"parts": [{"text": "Hi"}]},
            ],
            system: {"parts": [{"text": "Be kind"}]},
            "tools": [{declarations: [{"name": "weather", "description": "Tells it", "parameters": {"type": "OBJECT"}}]},
                      {"googleSearch": {}}],
            "generationConfig": {"temperature": 1},
        });
        let expected = [
            json!([text("Be kind")]),
            json!([
                message(
                    "user",
                    json!([
                        text("Look"),
                        blob(Some("image/png"), "image", PNG),
                        {"type": "uri", "mime_type": "video/mp4", "modality": "video", "uri": "gs://bucket/a.mp4"},
                    ])
                ),
                message("assistant", json!([{"type": "reasoning", "content": "Look it up"}, call("c1")])),
                message("user", json!([response("c1", json!({"c": 20}))])),
                message("user", json!([text("Hi")])),
            ]),
            json!([
                {"type": "function", "name": "weather", "description": "Tells it", "parameters": {"type": "OBJECT"}},
                {"type": "googleSearch"},
            ]),
        ];
        check(GEMINI, &request, expected);
    }
}

#[test]
fn converse() {
    let png = STANDARD.encode(PNG);
    let request = json!({
        "system": [{"text": "Be kind"}, {"cachePoint": {"type": "default"}}],
        "messages": [
            {"role": "user", "content": [
                {"text": "Look"},
                {"image": {"format": "png", "source": {"bytes": png}}},
                {"document": {"format": "pdf", "name": "a", "source": {"bytes": png}}},
                {"video": {"format": "mp4", "source": {"s3Location": {"uri": "s3://bucket/a.mp4"}}}},
                {"guardContent": {"text": {"text": "Guarded", "qualifiers": ["query"]}}},
            ]},
            {"role": "assistant", "content": [
                {"reasoningContent": {"reasoningText": {"text": "Look it up", "signature": "Eq=="}}},
                {"reasoningContent": {"redactedContent": "Em=="}},
                {"toolUse": {"toolUseId": "c1", "name": "weather", "input": {"city": "Zürich"}}},
            ]},
            {"role": "user", "content": [{"toolResult": {"toolUseId": "c1", "status": "success", "content": [
                {"text": "42"}, {"json": {"c": 20}}, {"image": {"format": "png", "source": {"bytes": png}}}]}}]},
        ],
        "toolConfig": {"tools": [{"toolSpec": {"name": "weather", "description": "Tells it", "inputSchema": {"json": {"type": "object"}}}}]},
    });
    check(
        CONVERSE,
        &request,
        [
            json!([text("Be kind")]),
            json!([
                message(
                    "user",
                    json!([
                        text("Look"),
                        blob(Some("image/png"), "image", PNG),
                        blob(Some("application/pdf"), "document", PNG),
                        {"type": "uri", "mime_type": "video/mp4", "modality": "video", "uri": "s3://bucket/a.mp4"},
                        text("Guarded"),
                    ])
                ),
                message(
                    "assistant",
                    json!([
                        {"type": "reasoning", "content": "Look it up"},
                        {"type": "redacted_thinking"},
                        call("c1"),
                    ])
                ),
                message(
                    "user",
                    json!([response(
                        "c1",
                        json!([
                            text("42"),
                            {"type": "json", "content": {"c": 20}},
                            blob(Some("image/png"), "image", PNG),
                        ])
                    )])
                ),
            ]),
            json!([{"type": "function", "name": "weather", "description": "Tells it", "parameters": {"type": "object"}}]),
        ],
    );
    let invoke = (CONVERSE.0, "/model/amazon.titan-text-express-v1/invoke");
    check_messages(invoke, vec![(json!({"inputText": "Hi"}), json!([message("user", json!([text("Hi")]))]))]);
}

#[test]
fn cohere() {
    let v1 = ("api.cohere.com", "/v1/chat");
    let request = json!({
        "message": "And now?",
        "preamble": "Be kind",
        "chat_history": [{"role": "USER", "message": "Hi"}, {"role": "CHATBOT", "message": "Hello"}, {"role": "SYSTEM", "message": "Be brief"}],
        "tools": [{"name": "weather", "description": "Tells it", "parameter_definitions": {"city": {"type": "str"}}}],
        "tool_results": [{"call": {"name": "weather", "parameters": {}}, "outputs": [{"c": 20}]}],
    });
    check(
        v1,
        &request,
        [
            json!([text("Be kind")]),
            json!([
                message("user", json!([text("Hi")])),
                message("assistant", json!([text("Hello")])),
                message("system", json!([text("Be brief")])),
                message("user", json!([text("And now?")])),
                message("tool", json!([{"type": "tool_call_response", "response": [{"c": 20}]}])),
            ]),
            json!([{"type": "function", "name": "weather", "description": "Tells it", "parameters": {"city": {"type": "str"}}}]),
        ],
    );
    let png = STANDARD.encode(PNG);
    let request = json!({"messages": [
        {"role": "system", "content": "Be kind"},
        {"role": "user", "content": [{"type": "text", "text": "Look"}, {"type": "image_url", "image_url": {"url": format!("data:image/png;base64,{png}")}}]},
        {"role": "assistant", "tool_plan": "Look it up", "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{\"city\":\"Zürich\"}"}}]},
        {"role": "tool", "tool_call_id": "c1", "content": [{"type": "text", "text": "42"}]},
    ]});
    let messages = json!([
        message("system", json!([text("Be kind")])),
        message("user", json!([text("Look"), blob(Some("image/png"), "image", PNG)])),
        message("assistant", json!([{"type": "reasoning", "content": "Look it up"}, call("c1")])),
        message("tool", json!([response("c1", json!([text("42")]))])),
    ]);
    check(("api.cohere.com", "/v2/chat"), &request, [Value::Null, messages, Value::Null]);
}

#[test]
fn ollama() {
    let png = STANDARD.encode(PNG);
    let chat = json!({"model": "m", "messages": [
        {"role": "user", "content": "Look", "images": [png]},
        {"role": "assistant", "thinking": "Look it up", "content": "", "tool_calls": [{"function": {"name": "weather", "arguments": {"city": "Zürich"}}}]},
        {"role": "tool", "tool_name": "weather", "content": "42"},
    ]});
    let messages = json!([
        message("user", json!([text("Look"), blob(None, "image", PNG)])),
        message(
            "assistant",
            json!([
                {"type": "reasoning", "content": "Look it up"},
                {"type": "tool_call", "name": "weather", "arguments": {"city": "Zürich"}},
            ])
        ),
        message("tool", json!([{"type": "tool_call_response", "response": "42"}])),
    ]);
    check(("localhost:11434", "/api/chat"), &chat, [Value::Null, messages, Value::Null]);
    let generate = json!({"model": "m", "system": "Be kind", "prompt": "Look", "images": [png]});
    let messages = json!([message("user", json!([text("Look")])), message("user", json!([blob(None, "image", PNG)]))]);
    check(("localhost:11434", "/api/generate"), &generate, [json!([text("Be kind")]), messages, Value::Null]);
}

#[test]
fn what_is_no_conversation_has_no_messages() {
    for (path, request) in [
        ("/v1/embeddings", json!({"input": "secret"})),
        ("/v1/moderations", json!({"input": "secret"})),
        ("/v1/rerank", json!({"query": "secret", "documents": ["secret"]})),
    ] {
        check((OPENAI, path), &request, [Value::Null, Value::Null, Value::Null]);
    }
}
