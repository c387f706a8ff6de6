//! The official clients through real Envoy: what they make of every kind of answer is the same with the filter as
//! without, and the records are right. The provider is the simulated one, `@copilotkit/aimock`, and for Bedrock
//! one that answers as the reference has it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that fails says where")]

use base64::Engine as _;
use flate2::Crc;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread;
use tollgate_e2e::{Answer, Envoy, Request, Settings, Upstream, skipped};
use tollgate_simulated_provider::SimulatedProvider;

const FILTER: &str = r#"{"access_log": "record", "extractor": {"providers": [
    {"path_prefix": "/v1/messages", "provider": "anthropic"},
    {"path_prefix": "/v1beta/", "provider": "gcp.gemini"},
    {"path_prefix": "/model/", "provider": "aws.bedrock"},
    {"path_prefix": "/v1/", "provider": "openai"}]}}"#;
const EVENT_STREAM: &str = "application/vnd.amazon.eventstream";
const NODE_MODULES: &str = "TOLLGATE_NODE_MODULES";

/// What calls of each API are: the beginning of their names, provider, API, model.
const CALLS: [(&str, &str, &str, &str); 8] = [
    ("openai chat", "openai", "chat.completions", "gpt-4o"),
    ("openai responses", "openai", "responses", "gpt-4o"),
    ("openai embeddings", "openai", "embeddings", "text-embedding-3-small"),
    ("anthropic messages", "anthropic", "anthropic.messages", "claude-sonnet-4-5"),
    ("google generateContent", "gcp.gemini", "generateContent", "gemini-2.5-flash"),
    ("google embedContent", "gcp.gemini", "embedContent", "gemini-embedding-001"),
    ("bedrock converse", "aws.bedrock", "converse", "anthropic.claude-3-haiku-20240307-v1:0"),
    ("bedrock invoke", "aws.bedrock", "invoke", "anthropic.claude-3-haiku-20240307-v1:0"),
];

/// A command that runs the Python clients, where they are installed.
fn python(clients: &[&str]) -> Option<Vec<OsString>> {
    let python = env::var_os("TOLLGATE_PYTHON").unwrap_or_else(|| "python3".into());
    let imports = Command::new(&python).args(["-c", "import openai, anthropic, google.genai, boto3"]).output();
    if !imports.is_ok_and(|output| output.status.success()) {
        skipped("python3 has no openai, anthropic, google-genai and boto3");
        return None;
    }
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/../clients/calls.py");
    let options = ["-W", "ignore::DeprecationWarning", program, "{}"].map(OsString::from);
    Some([python].into_iter().chain(options).chain(clients.iter().map(OsString::from)).collect())
}

/// A command that runs a program of Node, where it and its packages are installed.
fn node(program: &str, arguments: &[&str]) -> Option<Vec<OsString>> {
    let node = env::var_os("TOLLGATE_NODE").unwrap_or_else(|| "node".into());
    if env::var_os(NODE_MODULES).is_none() || Command::new(&node).arg("--version").output().is_err() {
        skipped("there is no node, or TOLLGATE_NODE_MODULES names no folder with openai and @copilotkit/aimock");
        return None;
    }
    let program = format!("{}/../clients/{program}", env!("CARGO_MANIFEST_DIR"));
    Some([node, program.into()].into_iter().chain(arguments.iter().map(OsString::from)).collect())
}

/// What a program made of its calls to a port.
fn results(command: &[OsString], port: u16) -> BTreeMap<String, Value> {
    let base = OsString::from(format!("http://127.0.0.1:{port}"));
    let arguments = command[1..].iter().map(|argument| if argument == "{}" { &base } else { argument });
    let output = Command::new(&command[0]).args(arguments).env("NO_PROXY", "127.0.0.1").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What is wrong with the records of a call, of which there are as many as the client tried.
fn judge(name: &str, records: &[Value]) -> Vec<String> {
    let known = name.replacen("node", "openai", 1);
    let (start, provider, api, model) = *CALLS.iter().find(|(start, ..)| known.starts_with(start)).unwrap();
    let kind = &known[start.len() + 1..];
    let streams = kind.ends_with("stream");
    let api = match (api, streams) {
        ("converse", true) => "converse-stream",
        ("invoke", true) => "invoke-with-response-stream",
        (api, _) => api,
    };
    let refused = match kind {
        "limit" => Some(429),
        "failed" => Some(500),
        _ => None,
    };
    let mut wrong = Vec::new();
    let attempts = if refused.is_some() { 2 } else { 1 };
    if records.len() != attempts {
        wrong.push(format!("{name}: {} records, not {attempts}", records.len()));
    }
    for record in records {
        let mut expected = vec![
            ("provider", json!(provider)),
            ("api", json!(api)),
            ("request_model", json!(model)),
            ("outcome", json!("complete")),
            ("status", json!(refused.unwrap_or(200))),
        ];
        if refused.is_none() {
            expected.extend([("stream", json!(streams)), ("error_type", Value::Null)]);
        }
        wrong.extend(
            expected
                .iter()
                .filter(|(field, value)| record[*field] != *value)
                .map(|(field, value)| format!("{name}: {field} is {}, not {value}", record[*field])),
        );
        let usage = &record["usage"];
        match refused {
            Some(_) if record["error_type"].is_null() => wrong.push(format!("{name}: no error in {record}")),
            // What is embedded has counts of the mock's own, or none.
            None if !start.contains("embed")
                && (usage["input_tokens"] != 11
                    || usage["output_tokens"] != 5
                    || record["usage_source"] != "reported") =>
            {
                wrong.push(format!("{name}: usage is {usage}, {}", record["usage_source"]));
            }
            _ => {}
        }
    }
    wrong
}

/// Runs clients against a provider through Envoy with and without the filter. `broken` are calls of which the provider's
/// answers are not to the client's liking; they have to be as little so either way.
fn compare(commands: &[Vec<OsString>], providers: [u16; 2], broken: &[&str]) {
    let Some(plain) = Envoy::start(&Settings::new(providers[0]).without_filter()) else { return };
    let Some(observed) = Envoy::start(&Settings::new(providers[1]).filter(FILTER)) else { return };
    let run =
        |port| -> BTreeMap<String, Value> { commands.iter().flat_map(|command| results(command, port)).collect() };
    let (without, with) = thread::scope(|scope| {
        let without = scope.spawn(|| run(plain.port()));
        (run(observed.port()), without.join().unwrap())
    });
    let mut wrong = Vec::new();
    for (name, made) in &without {
        if with.get(name) != Some(made) {
            wrong.push(format!("{name}: without the filter\n{made}\nand with it\n{:?}", with.get(name)));
        }
        let refused = name.ends_with("limit") || name.ends_with("failed");
        if made["error"].is_string() != (refused || broken.contains(&name.as_str())) {
            wrong.push(format!("{name}: {made}"));
        }
    }
    let refused = without.keys().filter(|name| name.ends_with("limit") || name.ends_with("failed")).count();
    let lines = observed.access_log(without.len() + refused);
    let mut records: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for line in &lines {
        let record = line["record"].as_str().map_or(Value::Null, |text| serde_json::from_str(text).unwrap());
        records.entry(line["request_id"].as_str().unwrap()).or_default().push(record);
    }
    for name in without.keys() {
        let records = records.get(name.as_str()).map_or(&[][..], Vec::as_slice);
        let judged = judge(name, records);
        // What the client cannot read the filter need not either.
        wrong.extend(judged.into_iter().filter(|_| records.is_empty() || !broken.contains(&name.as_str())));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(observed.count("calls"), lines.len() as u64);
}

#[test]
fn against_the_simulated_provider() {
    let Some(python) = python(&["openai", "anthropic"]) else { return };
    let Some(node) = node("calls.mjs", &["{}"]) else { return };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let start = || runtime.block_on(SimulatedProvider::start("127.0.0.1:0")).unwrap();
    let (one, other) = (start(), start());
    compare(&[python, node], [one.address().port(), other.address().port()], &[]);
}

/// A mock that ends with its value.
struct Aimock {
    process: Child,
    port: u16,
}

impl Aimock {
    fn start() -> Option<Self> {
        let command = node("aimock.mjs", &[])?;
        let mut process =
            Command::new(&command[0]).args(&command[1..]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().rsplit(':').next().unwrap().parse().unwrap();
        Some(Self { process, port })
    }
}

impl Drop for Aimock {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn against_aimock() {
    let Some(python) = python(&["openai", "openai-embeddings", "anthropic", "google", "bedrock"]) else { return };
    let Some(node) = node("calls.mjs", &["{}", "embeddings"]) else { return };
    let Some(aimock) = Aimock::start() else { return };
    // It starts a block of text with a union without a member, and has no `chunk` around the events of InvokeModel.
    let broken = ["bedrock converse stream", "bedrock invoke stream", "bedrock invoke tool stream"];
    compare(&[python, node], [aimock.port; 2], &broken);
}

/// A message of an event stream (Amazon Transcribe, "Event stream encoding").
fn message(kind: &str, payload: &Value) -> Vec<u8> {
    let mut headers = Vec::new();
    for (name, value) in [(":event-type", kind), (":content-type", "application/json"), (":message-type", "event")] {
        headers.push(u8::try_from(name.len()).unwrap());
        headers.extend_from_slice(name.as_bytes());
        headers.push(7);
        headers.extend_from_slice(&u16::try_from(value.len()).unwrap().to_be_bytes());
        headers.extend_from_slice(value.as_bytes());
    }
    let payload = payload.to_string().into_bytes();
    let number = |length: usize| u32::try_from(length).unwrap().to_be_bytes();
    let sum = |bytes: &[u8]| {
        let mut crc = Crc::new();
        crc.update(bytes);
        crc.sum().to_be_bytes()
    };
    let mut bytes = [number(headers.len() + payload.len() + 16), number(headers.len())].concat();
    bytes.extend_from_slice(&sum(&bytes));
    bytes.extend_from_slice(&[headers, payload].concat());
    bytes.extend_from_slice(&sum(&bytes));
    bytes
}

/// Converse and InvokeModel as Bedrock's reference has them, and `batchEmbedContents` of Gemini.
fn by_reference(request: &Request) -> Answer {
    if request.path.ends_with(":batchEmbedContents") {
        return Answer::json(json!({"embeddings": [{"values": [0.25, -0.5, 1.0]}]}).to_string());
    }
    let signed = request.header("authorization").unwrap();
    assert!(signed.starts_with("AWS4-HMAC-SHA256 Credential="), "{signed}");
    let refuse = |status, kind| {
        let headers = [("content-type", "application/json"), ("x-amzn-errortype", kind)];
        Answer::sized(status, &headers, br#"{"message": "Simulated."}"#)
    };
    match request.header("x-sim-error").as_deref() {
        Some("429") => return refuse(429, "ThrottlingException"),
        Some(_) => return refuse(500, "InternalServerException"),
        None => {}
    }
    let tool = request.header("x-sim-tool-call").is_some();
    let usage = json!({"inputTokens": 11, "outputTokens": 5, "totalTokens": 16});
    let block = if tool {
        json!({"toolUse": {"toolUseId": "t1", "name": "send", "input": {"to": "Ann"}}})
    } else {
        json!({"text": "Hello to you, and 你好."})
    };
    let own_block = if tool {
        json!({"type": "tool_use", "id": "t1", "name": "send", "input": {"to": "Ann"}})
    } else {
        json!({"type": "text", "text": "Hello to you, and 你好."})
    };
    let own = json!({"id": "m1", "type": "message", "role": "assistant", "model": "claude-3-haiku-20240307", "content": [own_block],
        "stop_reason": "end_turn", "stop_sequence": null, "usage": {"input_tokens": 11, "output_tokens": 5}});
    let delta = if tool { json!({"toolUse": {"input": "{\"to\":\"Ann\"}"}}) } else { block.clone() };
    let events = match request.path.rsplit('/').next().unwrap() {
        "converse" => {
            let output = json!({"message": {"role": "assistant", "content": [block]}});
            let answer =
                json!({"output": output, "stopReason": "end_turn", "usage": usage, "metrics": {"latencyMs": 7}});
            return Answer::json(answer.to_string());
        }
        "invoke" => return Answer::json(own.to_string()),
        "converse-stream" => {
            let mut events = vec![message("messageStart", &json!({"role": "assistant"}))];
            if tool {
                let start = json!({"contentBlockIndex": 0, "start": {"toolUse": {"toolUseId": "t1", "name": "send"}}});
                events.push(message("contentBlockStart", &start));
            }
            events.extend([
                message("contentBlockDelta", &json!({"contentBlockIndex": 0, "delta": delta})),
                message("contentBlockStop", &json!({"contentBlockIndex": 0})),
                message("messageStop", &json!({"stopReason": "end_turn"})),
                message("metadata", &json!({"usage": usage, "metrics": {"latencyMs": 7}})),
            ]);
            events
        }
        _ => {
            let mut begun = own.clone();
            begun["content"] = json!([]);
            begun["usage"] = json!({"input_tokens": 11, "output_tokens": 1});
            let delta = if tool {
                json!({"type": "input_json_delta", "partial_json": "{\"to\":\"Ann\"}"})
            } else {
                json!({"type": "text_delta", "text": "Hello to you, and 你好."})
            };
            let blank = if tool {
                json!({"type": "tool_use", "id": "t1", "name": "send", "input": {}})
            } else {
                json!({"type": "text", "text": ""})
            };
            [
                json!({"type": "message_start", "message": begun}),
                json!({"type": "content_block_start", "index": 0, "content_block": blank}),
                json!({"type": "content_block_delta", "index": 0, "delta": delta}),
                json!({"type": "content_block_stop", "index": 0}),
                json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 5}}),
                json!({"type": "message_stop"}),
            ]
            .iter()
            .map(|event| {
                let bytes = base64::engine::general_purpose::STANDARD.encode(event.to_string());
                message("chunk", &json!({ "bytes": bytes }))
            })
            .collect()
        }
    };
    // Cut where no message ends.
    Answer::chunked(200, &[("content-type", EVENT_STREAM)], events.concat().chunks(97)).end()
}

#[test]
fn bedrock_and_embeddings_of_google_as_their_references_have_them() {
    let Some(python) = python(&["bedrock", "google-embeddings"]) else { return };
    let upstream = Upstream::start(by_reference);
    compare(&[python], [upstream.port(); 2], &[]);
}
