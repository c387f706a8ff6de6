//! Connections of receivers: how many, how long, how slow, and how they end with the process.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod support;

use std::time::Duration;
use support::{Host, chat, client, request, spans};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::{Code, Status};

const PLAIN: &str = "http: {endpoint: 127.0.0.1:0}";
const GRPC: &str = "grpc: {endpoint: 127.0.0.1:0}";
const TRACES: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

async fn connect(address: &str) -> TcpStream {
    TcpStream::connect(address.strip_prefix("http://").unwrap()).await.unwrap()
}

/// The head of a request with a body of `length` bytes.
fn head(length: usize) -> String {
    format!(
        "POST /v1/traces HTTP/1.1\r\nhost: tollgate\r\ncontent-type: application/x-protobuf\r\n\
         content-length: {length}\r\n\r\n"
    )
}

/// Everything that comes until the other side ends the connection.
async fn rest(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    let _ = stream.read_to_end(&mut read).await;
    String::from_utf8_lossy(&read).to_lowercase()
}

/// A gRPC message.
fn framed(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap();
    [&[0], length.to_be_bytes().as_slice(), message].concat()
}

/// A body that brings something and then nothing more, without ending.
fn unfinished(part: Vec<u8>) -> reqwest::Body {
    use http_body_util::BodyExt;
    let part = http_body_util::Full::new(bytes::Bytes::from(part)).map_err(|never| match never {});
    struct Stuck<B>(B);
    impl<B: http_body::Body<Data = bytes::Bytes> + Unpin> http_body::Body for Stuck<B> {
        type Data = bytes::Bytes;
        type Error = B::Error;
        fn poll_frame(
            mut self: std::pin::Pin<&mut Self>,
            context: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<http_body::Frame<bytes::Bytes>, B::Error>>> {
            match std::pin::Pin::new(&mut self.0).poll_frame(context) {
                std::task::Poll::Ready(None) => std::task::Poll::Pending,
                other => other,
            }
        }
    }
    reqwest::Body::wrap(Stuck(part.map_err(std::io::Error::other::<std::convert::Infallible>)))
}

fn grpc_client() -> reqwest::Client {
    drop(client());
    reqwest::Client::builder().http2_prior_knowledge().build().unwrap()
}

/// The status of a gRPC call that has no message.
async fn status(sender: &reqwest::Client, host: &Host, timeout: Option<&str>, body: reqwest::Body) -> Status {
    let mut call = sender.post(format!("{}{TRACES}", host.grpc)).header("content-type", "application/grpc");
    if let Some(timeout) = timeout {
        call = call.header("grpc-timeout", timeout);
    }
    let answer = call.body(body).send().await.unwrap();
    Status::from_header_map(answer.headers()).expect("no status in the head")
}

#[tokio::test(flavor = "multi_thread")]
async fn more_connections_than_allowed_are_closed_and_counted() {
    let host = Host::start_both(GRPC, "http: {endpoint: 127.0.0.1:0, max_connections: 2}", "");
    let first = connect(&host.http).await;
    let _second = connect(&host.http).await;
    host.until_metric(r#"tollgate_connections{receiver="OTLP/HTTP"} 2"#).await;
    assert_eq!(rest(&mut connect(&host.http).await).await, "");
    host.until_metric(r#"tollgate_connections_ended_total{receiver="OTLP/HTTP",reason="too_many"} 1"#).await;
    drop(first);
    host.until_metric(r#"tollgate_connections{receiver="OTLP/HTTP"} 1"#).await;
    assert_eq!(host.post("/v1/traces", request(&[chat(1, 1)])).await.0, 200, "there is room again");
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_without_a_request_end() {
    let http = "http: {endpoint: 127.0.0.1:0, idle_timeout: 200ms}";
    let host = Host::start_both("grpc: {endpoint: 127.0.0.1:0, idle_timeout: 200ms}", http, "");
    // Nothing, half a head, the beginning of HTTP/2, and a request that was answered.
    let body = request(&[chat(1, 1)]);
    let whole = [head(body.len()).into_bytes(), body].concat();
    let cases: [(&str, &[u8]); 4] = [
        (&host.http, b""),
        (&host.http, b"POST /v1/traces HTTP/1.1\r\nhos"),
        (&host.grpc, b"PRI * HTTP/2"),
        (&host.http, &whole),
    ];
    for (address, sent) in cases {
        let mut stream = connect(address).await;
        stream.write_all(sent).await.unwrap();
        // It ends, or this waits for ever.
        let _ = rest(&mut stream).await;
    }
    host.until_metric(r#"tollgate_connections_ended_total{receiver="OTLP/HTTP",reason="idle"} 3"#).await;
    host.until_metric(r#"tollgate_connections_ended_total{receiver="OTLP/gRPC",reason="idle"} 1"#).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_do_not_come_are_given_up() {
    let http = "http: {endpoint: 127.0.0.1:0, read_timeout: 200ms}";
    let host = Host::start_both("grpc: {endpoint: 127.0.0.1:0, read_timeout: 200ms}", http, "");
    let mut slow = connect(&host.http).await;
    slow.write_all(format!("{}half", head(100)).as_bytes()).await.unwrap();
    let answer = rest(&mut slow).await;
    assert!(answer.starts_with("http/1.1 503 "), "{answer}");
    assert!(answer.contains("\r\nretry-after: 1\r\n") && answer.contains("\r\nconnection: close\r\n"), "{answer}");
    let status = status(&grpc_client(), &host, None, unfinished(vec![0; 3])).await;
    assert_eq!(status.code(), Code::Unavailable);
    assert!(!status.details().is_empty(), "RetryInfo");
    let page = host.until_metric(r#"tollgate_requests_refused_total{reason="too_slow"} 2"#).await;
    assert!(page.contains("tollgate_memory_bytes{use=\"requests\"} 0\n"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_deadline_of_a_grpc_sender_is_kept() {
    let host = Host::start_both(GRPC, PLAIN, "");
    let status = status(&grpc_client(), &host, Some("100m"), unfinished(vec![0; 3])).await;
    assert_eq!(status.code(), Code::DeadlineExceeded);
    host.until_metric(r#"tollgate_requests_refused_total{reason="deadline"} 1"#).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grpc_request_has_one_message() {
    let host = Host::start_both(GRPC, PLAIN, "");
    let sender = grpc_client();
    let good = request(&[chat(1, 1)]);
    let mut flagged = framed(&good);
    flagged[0] = 2;
    let mut compressed = framed(&good);
    compressed[0] = 1;
    let cases = [
        ("no prefix", vec![0, 0]),
        ("too short", framed(&good)[..20].to_vec()),
        ("two messages", [framed(&good), framed(&good)].concat()),
        ("unknown flag", flagged),
        ("compressed with nothing", compressed),
    ];
    for (what, body) in cases {
        assert_eq!(status(&sender, &host, None, body.into()).await.code(), Code::InvalidArgument, "{what}");
    }
    let call = sender.post(format!("{}{TRACES}", host.grpc)).header("content-type", "application/grpc");
    let answer = call.header("grpc-encoding", "snappy").body(framed(&good)).send().await.unwrap();
    assert_eq!(Status::from_header_map(answer.headers()).unwrap().code(), Code::Unimplemented);
    assert_eq!(answer.headers()["grpc-accept-encoding"], "identity, gzip, zstd");
    let call = sender.post(format!("{}{TRACES}", host.grpc)).header("content-type", "application/json");
    assert_eq!(call.body("{}").send().await.unwrap().status(), 415);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_that_is_still_sending_learns_why_it_is_refused() {
    let host = Host::start_with("http: {endpoint: 127.0.0.1:0, max_request_body_size: 64KiB}", "");
    let mut stream = connect(&host.http).await;
    let large = vec![0; 8 << 20];
    stream.write_all(head(large.len()).as_bytes()).await.unwrap();
    stream.write_all(&large).await.expect("all of it is taken");
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_json_needs_in_memory_counts() {
    let host = Host::start("memory: {buffers: 8MiB}");
    let bomb = format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{}{{}}]}}]}}]}}"#, "{},".repeat(100_000));
    let answer = client().post(format!("{}/v1/traces", host.http)).header("content-type", "application/json");
    assert_eq!(answer.body(bomb).send().await.unwrap().status(), 429);
    host.until_metric(r#"tollgate_memory_bytes{use="requests"} 0"#).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn at_the_end_what_has_begun_is_answered_and_what_is_new_is_sent_away() {
    let host = Host::start_both(GRPC, PLAIN, "health: {endpoint: 127.0.0.1:0}\nshutdown: {deadline: 30s}");
    let ready = |address: String| async move {
        let answer = client().get(format!("{address}/readyz")).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    for address in [&host.health, &host.metrics] {
        assert_eq!(ready(address.clone()).await, (200, "ready\n".to_owned()));
    }
    let body = request(&[chat(1, 1)]);
    let mut begun = connect(&host.http).await;
    begun.write_all(head(body.len()).as_bytes()).await.unwrap();
    begun.write_all(&body[..10]).await.unwrap();
    host.until_metric(r#"tollgate_memory_bytes{use="requests"} 10"#).await;

    host.terminate();
    for address in [&host.health, &host.metrics] {
        while ready(address.clone()).await != (503, "draining\n".to_owned()) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(client().get(format!("{address}/healthz")).send().await.unwrap().status(), 200);
    }
    let mut new = connect(&host.http).await;
    new.write_all(head(body.len()).as_bytes()).await.unwrap();
    new.write_all(&body).await.unwrap();
    let answer = rest(&mut new).await;
    assert!(answer.starts_with("http/1.1 503 "), "{answer}");
    assert!(answer.contains("\r\nretry-after: 1\r\n") && answer.contains("\r\nconnection: close\r\n"), "{answer}");
    let status = status(&grpc_client(), &host, None, framed(&body).into()).await;
    assert_eq!((status.code(), status.details().is_empty()), (Code::Unavailable, false));

    begun.write_all(&body[10..]).await.unwrap();
    let answer = rest(&mut begun).await;
    assert!(answer.starts_with("http/1.1 200 ") && answer.contains("\r\nconnection: close\r\n"), "{answer}");
    let (ended, written) = host.ended();
    assert!(ended.success());
    assert_eq!(spans(&written).len(), 1);
}
