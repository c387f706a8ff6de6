//! Which exchanges are LLM calls, whose they are, and in which API.

mod common;

use common::{CHAT, Call, MESSAGES, sse};
use tollgate_call::{Api, Skipped};
use tollgate_token_extractor::{Extractor, RequestHead};

const CHAT_ANSWER: &str = r#"{"id":"c","object":"chat.completion","model":"m","choices":[]}"#;
const CHAT_EVENT: &str = r#"{"id":"c","object":"chat.completion.chunk","model":"m","choices":[]}"#;
const RESPONSE: &str = r#"{"id":"r","object":"response","model":"m","status":"completed"}"#;
const RESPONSE_EVENT: &str = r#"{"type":"response.created","response":{"id":"r","model":"m"}}"#;
const MESSAGE: &str = r#"{"model":"m","id":"x","type":"message","role":"assistant","content":[]}"#;
const MESSAGE_EVENT: &str = r#"{"type":"message_start","message":{"id":"x","model":"m"}}"#;

fn at(host: &'static str, path: &'static str, body: &str) -> Call {
    Call { host, ..Call::json(path, body) }
}

#[test]
fn an_unknown_path_is_recognised_by_the_shape_of_the_answer() {
    let prefix = r#"{"pad":"x","#;
    let cases: &[(String, Result<Api, Skipped>)] = &[
        (CHAT_ANSWER.into(), Ok(Api::CHAT_COMPLETIONS)),
        (sse(&[CHAT_EVENT, "[DONE]"]), Ok(Api::CHAT_COMPLETIONS)),
        (RESPONSE.into(), Ok(Api::RESPONSES)),
        (sse(&[RESPONSE_EVENT]), Ok(Api::RESPONSES)),
        (MESSAGE.into(), Ok(Api::ANTHROPIC_MESSAGES)),
        (sse(&[r#"{"type":"ping"}"#, MESSAGE_EVENT]), Ok(Api::ANTHROPIC_MESSAGES)),
        // A marker within the first 4 KiB counts, one behind them does not.
        (CHAT_ANSWER.replace('{', &prefix.replace('x', &"x".repeat(4000))), Ok(Api::CHAT_COMPLETIONS)),
        (CHAT_ANSWER.replace('{', &prefix.replace('x', &"x".repeat(5000))), Err(Skipped::NotAnLlmCall)),
        // Weak markers decide nothing.
        (r#"{"type":"message","text":"to you"}"#.into(), Err(Skipped::NotAnLlmCall)),
        (sse(&[r#"{"type":"ping"}"#, r#"{"type":"message"}"#, r#"{"role":"assistant"}"#]), Err(Skipped::NotAnLlmCall)),
        (r#"{"choices":[],"usage":{"prompt_tokens":1}}"#.into(), Err(Skipped::NotAnLlmCall)),
        ("[1,2,3]".into(), Err(Skipped::NotAnLlmCall)),
        ("<html></html>".into(), Err(Skipped::NotAnLlmCall)),
        (String::new(), Err(Skipped::NotAnLlmCall)),
    ];
    for (body, expected) in cases {
        let call = at("llm.internal:8080", "/in-house/generate", body);
        for size in [1, 7, 1_000_000] {
            let record = call.read(&[size]).record;
            assert_eq!(record.clone().map(|record| record.api.unwrap()), expected.clone(), "{body:.80}");
            if let Ok(record) = record {
                assert_eq!((record.response_model.as_deref(), record.provider), (Some("m"), None));
            }
        }
    }
}

#[test]
fn hosts_paths_and_methods_tell_the_rest() {
    let openai = |api| Ok((Some("openai"), api));
    type Case = (&'static str, &'static str, &'static str, &'static str, Result<(Option<&'static str>, Api), Skipped>);
    let cases: &[Case] = &[
        ("POST", "api.openai.com", CHAT, CHAT_ANSWER, openai(Api::CHAT_COMPLETIONS)),
        ("POST", "api.openai.com:443", "/v1/responses?x=1", RESPONSE, openai(Api::RESPONSES)),
        ("POST", "localhost:11434", CHAT, CHAT_ANSWER, Ok((None, Api::CHAT_COMPLETIONS))),
        ("POST", "api.anthropic.com", MESSAGES, MESSAGE, Ok((Some("anthropic"), Api::ANTHROPIC_MESSAGES))),
        ("GET", "api.openai.com", "/v1/models", "{}", Err(Skipped::Models)),
        ("GET", "api.openai.com", "/anything", "{}", Err(Skipped::StoredContent)),
        ("GET", "localhost", "/v1/models", "{}", Err(Skipped::Models)),
        ("GET", "localhost", "/index.html", "<html>", Err(Skipped::NotAnLlmCall)),
        ("GET", "api.openai.com", "/v1/responses/resp_1", RESPONSE, Err(Skipped::StoredContent)),
        ("POST", "api.anthropic.com", "/v1/messages/count_tokens", r#"{"input_tokens":3}"#, Err(Skipped::CountTokens)),
        ("POST", "api.anthropic.com", "/v1/messages/batches", "{}", Err(Skipped::Batches)),
        ("POST", "api.openai.com", "/v1/files", "{}", Err(Skipped::Files)),
        ("POST", "api.openai.com", "/v1/something/new", "{}", Err(Skipped::NotAnLlmCall)),
    ];
    for (method, host, path, body, expected) in cases {
        let reading = Call { method, ..at(host, path, body) }.read(&[3]);
        let got = reading.record.as_ref().map(|record| (record.provider.as_deref(), record.api.clone().unwrap()));
        assert_eq!(got, expected.as_ref().cloned(), "{method} {host}{path}");
        let unsupported = *path == "/v1/something/new";
        assert_eq!(reading.notes.contains(&"unsupported_api"), unsupported, "{method} {host}{path}");
    }
}

#[test]
fn a_path_on_an_unknown_host_must_be_confirmed() {
    // A mail service, for one, may have messages too.
    let mut call = at("mail.example.com", MESSAGES, r#"{"id":"<20260101@example.com>","message":"Queued"}"#);
    call.request = br#"{"to":"someone"}"#.to_vec();
    assert_eq!(call.read(&[5]).record, Err(Skipped::NotAnLlmCall));
    call.body = MESSAGE.into();
    assert!(call.read(&[5]).record.is_ok());
    call.body.clear();
    call.request = br#"{"model":"claude"}"#.to_vec();
    assert!(call.read(&[5]).record.is_ok());
}

#[test]
fn azure_names_the_deployment_in_the_path() {
    let mut call = at("x.openai.azure.com", "/openai/deployments/my-gpt/chat/completions?api-version=1", CHAT_ANSWER);
    call.request = br#"{"messages":[]}"#.to_vec();
    let record = call.read(&[9]).record.unwrap();
    assert_eq!(
        (record.provider.as_deref(), record.request_model.as_deref()),
        (Some("azure.ai.openai"), Some("my-gpt"))
    );
}

#[test]
fn a_deployment_with_a_long_name_is_kept_in_part() {
    let path: &str = Box::leak(format!("/openai/deployments/{}/chat/completions", "ü".repeat(30_000)).into());
    let mut call = at("x.openai.azure.com", path, CHAT_ANSWER);
    call.request = b"{}".to_vec();
    assert_eq!(call.read(&[9]).record.unwrap().request_model, Some("ü".repeat(128)));
}

#[test]
fn configured_routes_come_first() {
    let config = r#"{"providers": [
        {"host": ".llm.internal", "path_prefix": "/claude/", "provider": "in-house", "api": "anthropic.messages"},
        {"host": ".llm.internal", "provider": "vllm"},
        {"host": "api.openai.com", "provider": "openai-eu"}
    ]}"#;
    let extractor = Extractor::configure(config).unwrap();
    let cases = [
        ("a.llm.internal", "/claude/ask", MESSAGE, "in-house", Api::ANTHROPIC_MESSAGES),
        ("a.llm.internal", CHAT, CHAT_ANSWER, "vllm", Api::CHAT_COMPLETIONS),
        ("api.openai.com", CHAT, CHAT_ANSWER, "openai-eu", Api::CHAT_COMPLETIONS),
        ("api.groq.com", CHAT, CHAT_ANSWER, "groq", Api::CHAT_COMPLETIONS),
    ];
    for (host, path, body, provider, api) in cases {
        let record = Call { extractor: extractor.clone(), ..at(host, path, body) }.read(&[11]).record.unwrap();
        assert_eq!((record.provider.as_deref(), record.api), (Some(provider), Some(api)), "{host}{path}");
    }
}

#[test]
fn an_upload_to_an_unknown_path_is_not_looked_at() {
    let head = RequestHead {
        method: "POST",
        host: "example.com",
        path: "/upload",
        content_type: Some(b"multipart/form-data; boundary=x"),
    };
    assert!(!Extractor::default().exchange(head).reads_bodies());
    let head = RequestHead { content_type: Some(b"application/vnd.api+JSON"), ..head };
    assert!(Extractor::default().exchange(head).reads_bodies());
}

#[test]
fn other_protocols_are_left_alone() {
    type Case = (&'static str, &'static str, &'static str, &'static str, u16, Result<(), Skipped>);
    let cases: &[Case] = &[
        ("GET", "api.openai.com", "/v1/realtime?model=m", "", 101, Err(Skipped::Realtime)),
        ("GET", "api.openai.com", "/v1/responses", "", 101, Err(Skipped::Upgrade)),
        ("GET", "localhost", "/chat", "", 101, Err(Skipped::Upgrade)),
        ("POST", "api.openai.com", CHAT, "application/json", 101, Err(Skipped::Upgrade)),
        ("CONNECT", "api.openai.com:443", "", "", 200, Err(Skipped::Upgrade)),
        ("CONNECT", "localhost", "", "", 200, Err(Skipped::Upgrade)),
        (
            "POST",
            "generativelanguage.googleapis.com",
            "/g.Service/Generate",
            "application/grpc",
            200,
            Err(Skipped::Grpc),
        ),
        ("POST", "localhost", "/g.Service/Generate", "application/grpc-web+proto", 200, Err(Skipped::Grpc)),
        ("POST", "localhost", "/g.Service/Generate", "Application/gRPC+json", 200, Err(Skipped::Grpc)),
        ("POST", "localhost", "/generate", "application/json", 200, Ok(())),
    ];
    for (method, host, path, kind, status, expected) in cases {
        let content_type = Some(kind.as_bytes()).filter(|kind| !kind.is_empty());
        let mut exchange = Extractor::default().exchange(RequestHead { method, host, path, content_type });
        exchange.response_head(*status, []);
        assert_eq!(exchange.reads_bodies(), expected.is_ok(), "{method} {host}{path}");
        exchange.response_body(CHAT_ANSWER.as_bytes(), 1);
        let record = exchange.end(tollgate_call::Outcome::Complete).record;
        assert_eq!(record.map(drop), *expected, "{method} {host}{path} {kind}");
    }
}
