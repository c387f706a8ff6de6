//! Budgets of consumers in real Envoy: refused by the local rate limit of the example, and by the filter itself.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that fails says where")]

use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tollgate_e2e::{Answer, Envoy, Piece, Settings, Upstream, client};

const PATH: &str = "/v1/chat/completions";
const REQUEST: &[u8] = br#"{"model":"gpt-4o","messages":[{"role":"user","content":"hello"}]}"#;
/// 1200 tokens, 0.0045 USD.
const ANSWER: &str = r#"{"id":"c1","object":"chat.completion","model":"gpt-4o","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1000,"completion_tokens":200,"total_tokens":1200}}"#;
const EVENT: &[u8] = b"data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"model\":\"gpt-4o\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hi\"}}]}\n\n";
const USAGE: &[u8] = b"data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"model\":\"gpt-4o\",\"choices\":[],\"usage\":{\"prompt_tokens\":1000,\"completion_tokens\":200}}\n\n";

/// Seconds of the windows here, so that a test sees the end of one.
const PERIOD: u64 = 8;

/// The example, with small budgets in short windows.
fn example(upstream: &Upstream) -> Settings {
    let tokens = format!("\"tokens\": 2000, \"period_s\": {PERIOD}}}");
    Settings::new(upstream.port()).example("budget.yaml").replaced("\"tokens\": 100000, \"period_s\": 60}", &tokens)
}

/// Waits for the beginning of a window, so that what follows is in one.
fn begin_window() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let period = Duration::from_secs(PERIOD);
    thread::sleep(period - Duration::from_nanos((now.as_nanos() % period.as_nanos()).try_into().unwrap()));
}

fn call(envoy: &Envoy, consumer: &str) -> client::Response {
    let headers: [(&str, &[u8]); 2] = [("content-type", b"application/json"), ("x-consumer", consumer.as_bytes())];
    client::request(envoy.port(), "POST", PATH, &headers, REQUEST)
}

/// A provider, and how many calls have come to it.
fn provider() -> (Upstream, Arc<AtomicU64>) {
    let came = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&came);
    let upstream = Upstream::start(move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        Answer::json(ANSWER)
    });
    (upstream, came)
}

fn statuses(envoy: &Envoy, consumer: &str, calls: usize) -> Vec<u16> {
    (0..calls).map(|_| call(envoy, consumer).status).collect()
}

#[test]
fn the_local_rate_limit_refuses_who_has_used_up_a_budget() {
    let (upstream, came) = provider();
    let mut settings = example(&upstream);
    settings.workers = 4;
    let Some(envoy) = Envoy::start(&settings) else { return };
    begin_window();
    // Each call is a connection of its own, so that the kernel deals them out to the workers.
    assert_eq!(statuses(&envoy, "a", 8), [200, 200, 429, 429, 429, 429, 429, 429], "2400 tokens of 2000");
    assert_eq!(statuses(&envoy, "b", 1), [200]);
    let refused = call(&envoy, "a");
    assert_eq!(refused.header("content-type"), Some(&b"application/json"[..]));
    let body: Value = serde_json::from_slice(&refused.body).unwrap();
    let error = &body["error"];
    assert_eq!((&error["type"], &error["code"]), (&"budget_exceeded".into(), &"tokens-per-minute".into()), "{body}");
    assert_eq!(error["message"], "the budget tokens-per-minute of this consumer is used up");
    let wait: u64 = String::from_utf8_lossy(refused.header("retry-after").unwrap()).parse().unwrap();
    assert!((1..=PERIOD).contains(&wait), "{wait}");
    assert_eq!(
        error["resets_in_s"].as_str().map(str::to_owned).or(error["resets_in_s"].as_u64().map(|n| n.to_string())),
        Some(wait.to_string())
    );
    assert_eq!(came.load(Ordering::SeqCst), 3);
    let line = envoy.access_log(10).pop().unwrap();
    assert_eq!(
        (&line["flags"], &line["budget"], &line["consumer"]),
        (&"RL".into(), &"tokens-per-minute".into(), &"a".into())
    );
    begin_window();
    assert_eq!(statuses(&envoy, "a", 3), [200, 200, 429], "the next window");
    assert!(envoy.admin("/stats?filter=budgets.http_local_rate_limit.enforced").contains(": 8"));
    assert_eq!(envoy.count("budget_exceeded;budget=tokens-per-minute"), 8);
}

#[test]
fn the_filter_refuses_by_itself() {
    let (upstream, came) = provider();
    let filter = r#"{"budgets": {"key_header": "x-consumer", "limits": [
        {"name": "usd-per-day", "usd": 0.009, "period_s": 31622400}]}}"#;
    let mut settings = Settings::new(upstream.port()).filter(filter);
    settings.workers = 4;
    let Some(envoy) = Envoy::start(&settings) else { return };
    assert_eq!(statuses(&envoy, "a", 4), [200, 200, 429, 429]);
    let refused = call(&envoy, "a");
    let body: Value = serde_json::from_slice(&refused.body).unwrap();
    assert_eq!((&body["type"], &body["error"]["code"]), (&"error".into(), &"usd-per-day".into()));
    let message = body["error"]["message"].as_str().unwrap();
    assert!(message.contains("0.009 USD of 0.009 USD for 31622400 seconds"), "{message}");
    assert_eq!(refused.header("retry-after"), Some(body["error"]["resets_in_s"].to_string().as_bytes()));
    assert_eq!(statuses(&envoy, "b", 1), [200]);
    assert_eq!((came.load(Ordering::SeqCst), envoy.wait_count("calls", 3)), (3, 3));
    assert_eq!(envoy.access_log(6)[2]["details"], "tollgate_budget");
}

#[test]
fn streams_count_and_those_that_break_off_count_what_they_have() {
    const HEADERS: &[(&str, &str)] = &[("content-type", "text/event-stream")];
    let number = AtomicU64::new(0);
    let upstream = Upstream::start(move |_| match number.fetch_add(1, Ordering::SeqCst) {
        0 => Answer::events([EVENT, USAGE, b"data: [DONE]\n\n"]),
        1 => Answer::chunked(200, HEADERS, [EVENT, USAGE]).then(Piece::Reset),
        2 => Answer::chunked(200, HEADERS, [EVENT, USAGE]).then(Piece::Hold),
        _ => Answer::json(ANSWER),
    });
    let filter = r#"{"budgets": {"key_header": "x-consumer", "limits": [
        {"name": "tokens", "tokens": 3600, "period_s": 31622400}]}}"#;
    let Some(envoy) = Envoy::start(&Settings::new(upstream.port()).filter(filter)) else { return };
    assert_eq!(call(&envoy, "a").status, 200);
    assert!(!call(&envoy, "a").whole, "the provider resets");
    let headers: [(&str, &[u8]); 2] = [("content-type", b"application/json"), ("x-consumer", b"a")];
    let mut exchange = client::Exchange::begin(envoy.port(), "POST", PATH, &headers, REQUEST);
    assert_eq!(exchange.head().status, 200);
    let mut body = Vec::new();
    while body.len() < EVENT.len() + USAGE.len() {
        assert!(exchange.chunk(&mut body));
    }
    drop(exchange);
    assert_eq!(envoy.access_log(3)[2]["outcome"], "client_aborted");
    assert_eq!(statuses(&envoy, "a", 1), [429], "three calls of 1200 tokens");
}

#[test]
fn all_workers_meet_in_the_same_sums() {
    let upstream = Upstream::start(|_| Answer::json(ANSWER));
    let filter = r#"{"budgets": {"key_header": "x-consumer", "limits": [
        {"name": "tokens", "tokens": 1200000, "period_s": 31622400}]}}"#;
    let mut settings = Settings::new(upstream.port()).filter(filter);
    settings.workers = 4;
    let Some(envoy) = Envoy::start(&settings) else { return };
    // A thousand calls in all are what the budget is for, whoever makes them; eight callers at a time.
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| statuses(&envoy, "a", 125).iter().for_each(|status| assert_eq!(*status, 200)));
        }
    });
    assert_eq!(envoy.wait_count("calls", 1000), 1000);
    assert_eq!(statuses(&envoy, "a", 2), [429, 429], "no call was lost between the workers");
    assert_eq!(envoy.count("budget_unkept"), 0);
}
