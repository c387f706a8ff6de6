//! The simulated provider over a real socket: what a client sees on the wire, and what the ledger says about it.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, in its helpers too")]

use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tollgate_simulated_provider::ledger::{Cut, Served};
use tollgate_simulated_provider::{Limits, SimulatedProvider};

/// Sends one request and returns all that comes until the connection closes.
async fn exchange(provider: &SimulatedProvider, method: &str, path: &str, headers: &str, body: &[u8]) -> String {
    let mut connection = send(provider, method, path, headers, body).await;
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

async fn send(provider: &SimulatedProvider, method: &str, path: &str, headers: &str, body: &[u8]) -> TcpStream {
    let mut connection = TcpStream::connect(provider.address()).await.unwrap();
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: provider\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n"
    );
    connection.write_all(&[head.as_bytes(), body].concat()).await.unwrap();
    connection
}

fn chat(extra: Value) -> Vec<u8> {
    with(json!({"model": "gpt-4o", "messages": [{"role": "user", "content": "hello"}]}), extra)
}

fn messages(extra: Value) -> Vec<u8> {
    with(
        json!({"model": "claude-haiku-4-5", "max_tokens": 9, "messages": [{"role": "user", "content": "hello"}]}),
        extra,
    )
}

fn with(mut request: Value, extra: Value) -> Vec<u8> {
    request.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    request.to_string().into_bytes()
}

/// The only entry of the ledger, once it is there.
async fn only_entry(provider: &SimulatedProvider) -> Served {
    for _ in 0..500 {
        if let [entry] = provider.served().as_slice() {
            return entry.clone();
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the ledger holds {:?}", provider.served());
}

async fn start() -> SimulatedProvider {
    SimulatedProvider::start("127.0.0.1:0").await.unwrap()
}

#[tokio::test]
async fn a_json_answer_has_its_length_and_its_line_in_the_ledger() {
    let provider = start().await;
    let headers = "x-sim-cached-tokens: 64\r\nx-sim-output-tokens: 12\r\n";
    let answer = exchange(&provider, "POST", "/v1/chat/completions", headers, &chat(json!({}))).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"), "{head}");
    assert!(head.contains(&format!("content-length: {}", body.len())), "{head}");
    let body: Value = serde_json::from_str(body).unwrap();

    let entry = only_entry(&provider).await;
    assert_eq!(body["id"], entry.id);
    assert_eq!(
        (entry.provider.as_str(), entry.api.as_str(), entry.status, entry.cut),
        ("openai", "chat_completions", Some(200), None)
    );
    assert_eq!((entry.request_model.as_deref(), entry.model.as_deref()), (Some("gpt-4o"), Some("gpt-4o-2024-08-06")));
    let usage = entry.usage.unwrap();
    assert_eq!(body["usage"]["prompt_tokens"].as_u64(), usage.input_tokens);
    assert_eq!((usage.cache_read_tokens, usage.output_tokens), (Some(64), Some(12)));
}

#[tokio::test]
async fn the_ledger_is_read_and_emptied_over_http() {
    let provider = start().await;
    exchange(&provider, "POST", "/v1/messages", "", &messages(json!({}))).await;
    let answer = exchange(&provider, "GET", "/sim/served", "", b"").await;
    let line = answer.split_once("\r\n\r\n").unwrap().1;
    assert_eq!(serde_json::from_str::<Served>(line.trim()).unwrap(), provider.served()[0]);
    assert!(answer.contains("x-sim-dropped: 0\r\n"), "{answer}");
    exchange(&provider, "DELETE", "/sim/served", "", b"").await;
    assert_eq!(provider.served(), []);
}

#[tokio::test]
async fn a_full_ledger_goes_on_serving_and_counts() {
    let limits = Limits { ledger_entries: 1, ..Limits::default() };
    let provider = SimulatedProvider::start_with("127.0.0.1:0", limits).await.unwrap();
    for _ in 0..3 {
        let answer = exchange(&provider, "POST", "/v1/chat/completions", "", &chat(json!({}))).await;
        assert!(answer.starts_with("HTTP/1.1 200"));
    }
    assert_eq!((provider.served().len(), provider.dropped()), (1, 2));
}

#[tokio::test]
async fn a_stream_that_the_provider_cuts_ends_without_its_last_chunk() {
    let provider = start().await;
    let request = messages(json!({"stream": true}));
    let answer = exchange(&provider, "POST", "/v1/messages", "x-sim-cut-after-chunks: 4\r\n", &request).await;
    assert_eq!(answer.matches("\ndata: ").count(), 4, "{answer}");
    assert!(!answer.contains("message_stop") && !answer.ends_with("0\r\n\r\n"), "{answer}");
    let entry = only_entry(&provider).await;
    assert_eq!((entry.cut, entry.frames), (Some(Cut::Provider), 4));
    let usage = entry.usage.unwrap();
    assert_eq!((usage.output_tokens, usage.cache_read_tokens), (Some(1), Some(0)), "what message_start reported");
}

#[tokio::test]
async fn a_cut_json_body_is_shorter_than_its_length() {
    let provider = start().await;
    let request = chat(json!({}));
    let answer = exchange(&provider, "POST", "/v1/chat/completions", "x-sim-cut-after-chunks: 1\r\n", &request).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(&format!("content-length: {}", body.len() * 2)) || body.len() % 2 == 1, "{head}");
    assert!(serde_json::from_str::<Value>(body).is_err());
    let entry = only_entry(&provider).await;
    assert_eq!((entry.cut, entry.usage), (Some(Cut::Provider), None));
}

#[tokio::test]
async fn a_client_that_leaves_a_stream_is_recorded_with_what_it_was_sent() {
    let provider = start().await;
    let request = chat(json!({"stream": true, "stream_options": {"include_usage": true}}));
    let mut connection =
        send(&provider, "POST", "/v1/chat/completions", "x-sim-chunk-delay-ms: 200\r\n", &request).await;
    connection.read_u8().await.unwrap();
    drop(connection);
    let entry = only_entry(&provider).await;
    assert_eq!((entry.cut, entry.usage, entry.status), (Some(Cut::Client), None, Some(200)));
    assert!(entry.frames < entry.frames_planned, "{entry:?}");
}

#[tokio::test]
async fn a_client_that_leaves_before_the_head_is_recorded_without_status() {
    let provider = start().await;
    let request = chat(json!({}));
    let connection = send(&provider, "POST", "/v1/chat/completions", "x-sim-delay-ms: 60000\r\n", &request).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    drop(connection);
    let entry = only_entry(&provider).await;
    assert_eq!((entry.cut, entry.status, entry.frames), (Some(Cut::Client), None, 0));
    assert_eq!(entry.request_model.as_deref(), Some("gpt-4o"));
}

#[tokio::test]
async fn errors_have_the_status_and_the_type_of_their_provider() {
    let provider = start().await;
    for (path, body, headers, status, kind) in [
        ("/v1/chat/completions", chat(json!({})), "x-sim-error: 429\r\n", 429, "requests"),
        ("/v1/responses", chat(json!({"input": "x"})), "x-sim-error: 500\r\n", 500, "server_error"),
        ("/v1/messages", messages(json!({})), "x-sim-error: overloaded\r\n", 529, "overloaded_error"),
        ("/v1/messages", b"{".to_vec(), "", 400, "invalid_request_error"),
        ("/v1/chat/completions", chat(json!({})), "x-sim-error: 418\r\n", 400, "invalid_request_error"),
    ] {
        provider.reset();
        let answer = exchange(&provider, "POST", path, headers, &body).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        let body: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
        assert_eq!(body["error"]["type"], kind);
        let entry = only_entry(&provider).await;
        assert_eq!((entry.status, entry.error.as_deref(), entry.usage), (Some(status), Some(kind), None));
    }
}

#[tokio::test]
async fn an_error_can_come_inside_the_stream() {
    let provider = start().await;
    let headers = "x-sim-error: overloaded\r\nx-sim-error-after-chunks: 3\r\n";
    let answer = exchange(&provider, "POST", "/v1/messages", headers, &messages(json!({"stream": true}))).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("event: error\ndata: {\"type\":\"error\",\"error\":{"), "{answer}");
    assert!(!answer.contains("message_stop"), "{answer}");
    let entry = only_entry(&provider).await;
    assert_eq!((entry.status, entry.error.as_deref(), entry.cut), (Some(200), Some("overloaded_error"), None));
}

#[tokio::test]
async fn a_request_over_the_limit_and_an_unknown_path_are_refused() {
    let limits = Limits { request_bytes: 200, ..Limits::default() };
    let provider = SimulatedProvider::start_with("127.0.0.1:0", limits).await.unwrap();
    let long = messages(json!({"system": "x".repeat(200)}));
    let answer = exchange(&provider, "POST", "/v1/messages", "", &long).await;
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("request_too_large"), "{answer}");
    let answer = exchange(&provider, "POST", "/v1/nothing", "", b"{}").await;
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
}

#[tokio::test]
async fn a_large_answer_a_compressed_one_and_one_with_a_trailer_arrive() {
    let provider = start().await;
    let request = chat(json!({"stream": true}));
    let large = exchange(&provider, "POST", "/v1/chat/completions", "x-sim-reply-bytes: 3000000\r\n", &request).await;
    assert!(large.len() > 3_000_000 && large.ends_with("\r\n0\r\n\r\n"));
    let packed = exchange(&provider, "POST", "/v1/chat/completions", "x-sim-gzip: 1\r\n", &request).await;
    assert!(packed.contains("content-encoding: gzip\r\n") && !packed.contains("data:"), "{packed}");
    let headers = "te: trailers\r\nx-sim-trailers: 1\r\n";
    let trailed = exchange(&provider, "POST", "/v1/chat/completions", headers, &request).await;
    assert!(trailed.ends_with("0\r\nx-sim-trailer: end\r\n\r\n"), "{trailed}");
    assert!(provider.served().iter().all(|entry| entry.cut.is_none()));
}

#[tokio::test]
async fn tokens_are_counted_without_a_call_and_models_are_listed_for_both() {
    let provider = start().await;
    let counted = exchange(&provider, "POST", "/v1/messages/count_tokens", "", &messages(json!({}))).await;
    assert!(counted.ends_with(r#"{"input_tokens":3}"#), "{counted}");
    let openai = exchange(&provider, "GET", "/v1/models", "", b"").await;
    assert!(openai.contains("gpt-4o-2024-08-06") && !openai.contains("claude"), "{openai}");
    let anthropic = exchange(&provider, "GET", "/v1/models", "anthropic-version: 2023-06-01\r\n", b"").await;
    assert!(anthropic.contains("claude-haiku-4-5-20251001") && !anthropic.contains("gpt"), "{anthropic}");
    assert_eq!(provider.served(), []);
}
