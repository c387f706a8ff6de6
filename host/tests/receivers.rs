//! OTLP as senders meet it: every kind of request gets the status that the specification names, over HTTP and gRPC.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod support;

use bytes::{Buf, BufMut, Bytes};
use flate2::write::GzEncoder;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;
use std::io::Write;
use std::pin::Pin;
use std::task::{Context, Poll};
use support::{Host, chat, client, request, spans};
use tollgate_host::receivers::status::{RetryInfo, RpcStatus};
use tollgate_otlp::SpanWriter;
use tonic::codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::{Code, Status};

const SMALL: &str = "http: {endpoint: 127.0.0.1:0, max_request_body_size: 64KiB}";

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).unwrap()
}

/// A frame whose window is larger than 8 MiB, which no decoder has to have.
fn wide_zstd(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 3).unwrap();
    encoder.window_log(27).unwrap();
    encoder.include_contentsize(false).unwrap();
    encoder.write_all(bytes).unwrap();
    encoder.flush().unwrap();
    encoder.finish().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

const TRACES_JSON: &str = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{
    "traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"chat",
    "startTimeUnixNano":"1544712660000000000","endTimeUnixNano":"1544712661000000000"}]}]}]}"#;
const METRICS_JSON: &str = r#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"calls","sum":{
    "aggregationTemporality":2,"isMonotonic":true,"dataPoints":[{"asInt":"7"},{"asDouble":2.5}]}}]}]}]}"#;
const LOGS_JSON: &str = r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"hello"}}]}]}]}"#;

#[tokio::test(flavor = "multi_thread")]
async fn every_http_request_gets_the_status_of_the_specification() {
    let host = Host::start_with(SMALL, "");
    let good = request(&[chat(1, 1)]);
    let cut = good[..good.len() - 3].to_vec();
    let large = vec![0_u8; 70_000];
    let bomb = gzip(&vec![0_u8; 10_000_000]);
    let half_gzip = gzip(&good)[..20].to_vec();
    let twice = |packed: fn(&[u8]) -> Vec<u8>| [packed(&good[..9]), packed(&good[9..])].concat();
    let zstd_bomb = zstd(&vec![0_u8; 10_000_000]);
    let half_zstd = zstd(&good)[..20].to_vec();
    let protobuf = "application/x-protobuf";
    let json = "application/json";
    // What it is, method, path, content type, content encoding, body; status and content type of the answer.
    type Case<'a> = (&'a str, &'a str, &'a str, &'a str, &'a str, Vec<u8>, u16, &'a str);
    let cases: Vec<Case<'_>> = vec![
        ("protobuf", "POST", "/v1/traces", protobuf, "", good.clone(), 200, protobuf),
        ("gzip", "POST", "/v1/traces", protobuf, "gzip", gzip(&good), 200, protobuf),
        ("gzip of two members", "POST", "/v1/traces", protobuf, "gzip", twice(gzip), 200, protobuf),
        ("zstd", "POST", "/v1/traces", protobuf, "zstd", zstd(&good), 200, protobuf),
        ("zstd of two frames", "POST", "/v1/traces", protobuf, "ZSTD", twice(zstd), 200, protobuf),
        ("JSON metrics in zstd", "POST", "/v1/metrics", json, "zstd", zstd(METRICS_JSON.as_bytes()), 200, json),
        ("nothing but the limits", "POST", "/v1/traces", protobuf, "identity", vec![], 200, protobuf),
        ("JSON", "POST", "/v1/traces", json, "", TRACES_JSON.into(), 200, json),
        ("JSON with a charset", "POST", "/v1/traces", "application/json; charset=utf-8", "", b"{}".into(), 200, json),
        ("JSON in gzip", "POST", "/v1/logs", json, "gzip", gzip(LOGS_JSON.as_bytes()), 200, json),
        ("JSON logs", "POST", "/v1/logs", json, "", LOGS_JSON.into(), 200, json),
        ("garbage", "POST", "/v1/traces", protobuf, "", b"\xff\xff\xff garbage".into(), 400, protobuf),
        ("garbage logs", "POST", "/v1/logs", protobuf, "", b"\xff\xff\xff garbage".into(), 400, protobuf),
        ("truncated", "POST", "/v1/traces", protobuf, "", cut, 400, protobuf),
        ("JSON that ends early", "POST", "/v1/traces", json, "", br#"{"resourceSpans":["#.into(), 400, json),
        ("another kind of JSON", "POST", "/v1/traces", json, "", br#"{"resourceSpans":7}"#.into(), 400, json),
        ("not gzip", "POST", "/v1/traces", protobuf, "gzip", good.clone(), 400, protobuf),
        ("half gzip", "POST", "/v1/traces", protobuf, "gzip", half_gzip, 400, protobuf),
        ("not zstd", "POST", "/v1/traces", protobuf, "zstd", good.clone(), 400, protobuf),
        ("half zstd", "POST", "/v1/traces", protobuf, "zstd", half_zstd, 400, protobuf),
        ("zstd with a window of 128 MiB", "POST", "/v1/traces", protobuf, "zstd", wide_zstd(&good), 400, protobuf),
        ("garbage metrics", "POST", "/v1/metrics", protobuf, "", b"\xff\xff\xff garbage".into(), 400, protobuf),
        ("over the limit", "POST", "/v1/traces", protobuf, "", large.clone(), 413, protobuf),
        ("over the limit in JSON", "POST", "/v1/traces", json, "", large, 413, json),
        ("over the limit unpacked", "POST", "/v1/traces", protobuf, "gzip", bomb, 413, protobuf),
        ("over the limit unpacked", "POST", "/v1/traces", protobuf, "zstd", zstd_bomb, 413, protobuf),
        ("no content type", "POST", "/v1/traces", "", "", good.clone(), 415, "text/plain; charset=utf-8"),
        ("wrong content type", "POST", "/v1/traces", "text/plain", "", good.clone(), 415, "text/plain; charset=utf-8"),
        ("unknown coding", "POST", "/v1/traces", protobuf, "br", good.clone(), 415, "text/plain; charset=utf-8"),
        ("wrong method", "GET", "/v1/traces", "", "", vec![], 405, "text/plain; charset=utf-8"),
        ("wrong method for logs", "PUT", "/v1/logs", protobuf, "", good.clone(), 405, "text/plain; charset=utf-8"),
        ("wrong path", "POST", "/v1/spans", protobuf, "", good, 404, ""),
    ];
    let client = client();
    for (what, method, path, content_type, coding, body, status, answer_type) in cases {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let mut sent = client.request(method, format!("{}{path}", host.http)).body(body);
        for (name, value) in [("content-type", content_type), ("content-encoding", coding)] {
            if !value.is_empty() {
                sent = sent.header(name, value);
            }
        }
        let answer = sent.send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{what}");
        let header = |name: &str| answer.headers().get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
        assert_eq!(header("content-type"), answer_type, "{what}");
        assert_eq!(header("retry-after"), "", "{what}");
        if status == 405 {
            assert_eq!(header("allow"), "POST", "{what}");
        }
        let body = answer.bytes().await.unwrap();
        if matches!(status, 400 | 413) {
            let expected = if status == 400 { Code::InvalidArgument } else { Code::ResourceExhausted };
            let (code, message) = match answer_type {
                "application/json" => {
                    let json: serde_json::Value = serde_json::from_slice(&body).unwrap();
                    (json["code"].as_i64(), json["message"].as_str().unwrap().to_owned())
                }
                _ => {
                    let status = RpcStatus::decode(body).unwrap();
                    (Some(i64::from(status.code)), status.message)
                }
            };
            assert_eq!(code, Some(i64::from(i32::from(expected))), "{what}");
            assert!(!message.is_empty(), "{what}");
        }
    }
    host.until_metric(r#"tollgate_requests_refused_total{reason="invalid"} 11"#).await;
    host.until_metric(r#"tollgate_requests_refused_total{reason="too_large"} 4"#).await;
    host.until_metric("tollgate_metric_points_received_total 2").await;
    let (status, written) = host.stop();
    assert!(status.success());
    assert_eq!(spans(&written).len(), 6, "the good requests, and nothing else, came through");
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_without_ids_are_rejected_and_the_others_accepted() {
    let host = Host::start("");
    let bad = SpanWriter::new([0; 16], [1; 8], "no trace");
    let (status, body) = host.post("/v1/traces", request(&[chat(1, 1), bad])).await;
    assert_eq!(status, 200);
    let partial = ExportTraceServiceResponse::decode(body.as_slice()).unwrap().partial_success.unwrap();
    assert_eq!(partial.rejected_spans, 1);
    assert!(partial.error_message.contains("trace id"), "{}", partial.error_message);
    let page = host.until_metric(r#"tollgate_spans_rejected_total{reason="invalid_id"} 1"#).await;
    assert!(page.contains("tollgate_spans_received_total 1\n"), "{page}");
    assert_eq!(spans(&host.stop().1).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_over_the_bound_are_refused_with_the_time_to_wait() {
    let host = Host::start("memory: {buffers: 1KiB}\nadmit: {retry_after: 7s}");
    let large = request(&[chat(1, 1).set("text", "x".repeat(2_000).as_str()).clone()]);
    let client = client();
    let sent = client.post(format!("{}/v1/traces", host.http)).header("content-type", "application/x-protobuf");
    let answer = sent.body(large.clone()).send().await.unwrap();
    assert_eq!(answer.status(), 429);
    assert_eq!(answer.headers()["retry-after"], "7");
    let status = RpcStatus::decode(answer.bytes().await.unwrap()).unwrap();
    assert_eq!(wait_of(&status), Some(7));

    let status = export(&host, TRACES, large.into(), None).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert_eq!(wait_of(&RpcStatus::decode(status.details()).unwrap()), Some(7));
    host.until_metric(r#"tollgate_requests_refused_total{reason="overloaded"} 2"#).await;
    host.until_metric(r#"tollgate_memory_bytes{use="requests"} 0"#).await;
    assert_eq!(host.post("/v1/traces", request(&[chat(1, 1)])).await.0, 200);
}

/// Seconds of the `RetryInfo` in a status.
fn wait_of(status: &RpcStatus) -> Option<i64> {
    let info = RetryInfo::decode(status.details.first()?.value.as_slice()).unwrap();
    Some(info.retry_delay?.seconds)
}

const TRACES: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
const METRICS: &str = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
const LOGS: &str = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";

/// A body that brings something and then nothing more, without ending.
struct Unfinished(Option<Bytes>);

impl http_body::Body for Unfinished {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        self.0.take().map_or(Poll::Pending, |bytes| Poll::Ready(Some(Ok(http_body::Frame::data(bytes)))))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_of_a_grpc_message_count_before_it_is_whole() {
    let host = Host::start("memory: {buffers: 32KiB}\nadmit: {retry_after: 7s}");
    let mut part = vec![0];
    part.extend_from_slice(&900_000_u32.to_be_bytes());
    part.resize(48 << 10, 0);
    let _ = rustls::crypto::ring::default_provider().install_default();
    let sender = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
    let answer = sender
        .post(format!("{}/opentelemetry.proto.collector.trace.v1.TraceService/Export", host.grpc))
        .header("content-type", "application/grpc")
        .body(reqwest::Body::wrap(Unfinished(Some(part.into()))))
        .send()
        .await
        .unwrap();
    let status = Status::from_header_map(answer.headers()).unwrap();
    assert_eq!(status.code(), Code::ResourceExhausted);
    let details = RpcStatus::decode(status.details()).unwrap().details;
    assert_eq!(RetryInfo::decode(details[0].value.as_slice()).unwrap().retry_delay.unwrap().seconds, 7);
    drop(answer);
    let page = host.until_metric(r#"tollgate_requests_refused_total{reason="overloaded"} 1"#).await;
    assert!(page.contains("tollgate_memory_bytes{use=\"requests\"} 0\n"), "what was taken is given back: {page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_grpc_request_gets_the_status_of_the_specification() {
    let host = Host::start("");
    let good = request(&[chat(1, 1)]);
    let cut = Bytes::from(good[..good.len() - 3].to_vec());
    let good = Bytes::from(good);
    let large = Bytes::from(vec![0_u8; 2 << 20]);
    let (gzip, zstd) = (Some(CompressionEncoding::Gzip), Some(CompressionEncoding::Zstd));
    let profiles = "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export";
    let other = "/opentelemetry.proto.collector.trace.v1.TraceService/Import";
    let cases: Vec<(&str, &'static str, Bytes, Option<CompressionEncoding>, Code)> = vec![
        ("spans", TRACES, good.clone(), None, Code::Ok),
        ("spans in gzip", TRACES, good.clone(), gzip, Code::Ok),
        ("spans in zstd", TRACES, good.clone(), zstd, Code::Ok),
        ("nothing", LOGS, Bytes::new(), None, Code::Ok),
        ("garbage", TRACES, Bytes::from_static(b"\xff\xff garbage"), None, Code::InvalidArgument),
        ("garbage logs", LOGS, Bytes::from_static(b"\xff\xff garbage"), None, Code::InvalidArgument),
        ("truncated", TRACES, cut, None, Code::InvalidArgument),
        ("over the limit", TRACES, large.clone(), None, Code::ResourceExhausted),
        ("over the limit unpacked", TRACES, large, gzip, Code::ResourceExhausted),
        ("metrics", METRICS, Bytes::new(), None, Code::Ok),
        ("another service", profiles, good.clone(), None, Code::Unimplemented),
        ("another method", other, good, None, Code::Unimplemented),
    ];
    for (what, path, message, compression, code) in cases {
        match export(&host, path, message, compression).await {
            Ok(answer) => {
                assert_eq!(code, Code::Ok, "{what}");
                assert!(answer.is_empty(), "{what}: everything was accepted");
            }
            Err(status) => {
                assert_eq!(status.code(), code, "{what}: {status}");
                if matches!(code, Code::InvalidArgument | Code::ResourceExhausted) {
                    let details = RpcStatus::decode(status.details()).unwrap();
                    assert_eq!(wait_of(&details), None, "{what}: it is not to be sent again");
                }
            }
        }
    }
    assert_eq!(spans(&host.stop().1).len(), 3);
}

/// Calls a method with an encoded message.
async fn export(
    host: &Host,
    path: &'static str,
    message: Bytes,
    compression: Option<CompressionEncoding>,
) -> Result<Bytes, Status> {
    let channel = tonic::transport::Channel::from_shared(host.grpc.clone()).unwrap().connect().await.unwrap();
    let mut client = tonic::client::Grpc::new(channel);
    if let Some(compression) = compression {
        client = client.send_compressed(compression);
    }
    client.ready().await.unwrap();
    let path = tonic::codegen::http::uri::PathAndQuery::from_static(path);
    client.unary(tonic::Request::new(message), path, Raw).await.map(tonic::Response::into_inner)
}

/// Messages as bytes.
#[derive(Clone, Copy)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}
