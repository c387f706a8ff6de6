//! OTLP over gRPC: the method `Export` of the services of traces, logs and metrics.
//!
//! A unary method has one message each way, so its framing is done here, and a message is read and unpacked within the
//! same bounds as a body of OTLP over HTTP. Source: "gRPC over HTTP2" and "Compression" of the gRPC documentation.

use super::body::Coding;
use super::deadline::deadline;
use super::exchange::{Exchange, Head};
use super::{Intake, Refusal, Signal, status};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use axum::routing::any;
use bytes::{BufMut, Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use std::future::ready;
use std::sync::Arc;
use tonic::Status;

/// What comes before a message: whether it is compressed, and its length.
pub(super) const PREFIX: usize = 5;

/// The services of OTLP, each with its one method; everything else answers `UNIMPLEMENTED`.
pub(super) fn router<I: Intake>(exchange: Arc<Exchange<I>>) -> Router {
    let methods = [
        ("/opentelemetry.proto.collector.trace.v1.TraceService/Export", Signal::Traces),
        ("/opentelemetry.proto.collector.logs.v1.LogsService/Export", Signal::Logs),
        ("/opentelemetry.proto.collector.metrics.v1.MetricsService/Export", Signal::Metrics),
    ];
    let unknown = || async { refused(Status::unimplemented("there is no such service or method here")) };
    methods.into_iter().fold(Router::new().fallback(unknown), |router, (path, signal)| {
        let export =
            move |State(exchange): State<Arc<Exchange<I>>>, request: Request| export(exchange, signal, request);
        router.route(path, any(export).with_state(Arc::clone(&exchange)))
    })
}

async fn export<I: Intake>(exchange: Arc<Exchange<I>>, signal: Signal, request: Request) -> Response {
    let (head, mut body) = request.into_parts();
    let headers = &head.headers;
    if !headers.get(header::CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"application/grpc")) {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return response;
    }
    let Some(coding) = Coding::of(headers.get("grpc-encoding").map(HeaderValue::as_bytes)) else {
        let mut response = refused(Status::unimplemented("the encoding of messages is neither gzip nor zstd"));
        response.headers_mut().insert("grpc-accept-encoding", HeaderValue::from_static("identity, gzip, zstd"));
        return response;
    };
    let limit = exchange.bounds.bytes;
    let find = move |framed| message(framed, coding, limit);
    let taken = exchange.take(Head { headers, signal, json: false }, &mut body, find);
    let answer = match deadline(headers) {
        Some(time) => tokio::time::timeout(time, taken).await.unwrap_or(Err(Refusal::Deadline)),
        None => taken.await,
    };
    match answer {
        Ok(accepted) => accepted_with(&status::response_protobuf(signal, &accepted)),
        Err(refusal) => {
            exchange.refused(&refusal);
            refused(Status::from(&refusal))
        }
    }
}

/// The one message of a request, and how it is compressed.
fn message(mut framed: Bytes, coding: Coding, limit: usize) -> Result<(Bytes, Coding), Refusal> {
    let invalid = |what: &str| Refusal::Invalid(format!("the request is not one gRPC message: {what}"));
    let Some(&[flag, a, b, c, d]) = framed.first_chunk::<PREFIX>() else {
        return Err(invalid("it ends before the length"));
    };
    let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
    if length > limit {
        return Err(Refusal::TooLarge { limit });
    }
    let message = framed.split_off(PREFIX);
    if message.len() != length {
        return Err(invalid("its length is not the one that it names"));
    }
    match (flag, coding) {
        (0, _) => Ok((message, Coding::Identity)),
        (1, Coding::Identity) => Err(invalid("it is marked as compressed, and no encoding is named")),
        (1, coding) => Ok((message, coding)),
        _ => Err(invalid("its first byte is neither 0 nor 1")),
    }
}

/// One message, then the status in trailers.
fn accepted_with(message: &[u8]) -> Response {
    let mut framed = BytesMut::with_capacity(PREFIX + message.len());
    framed.put_u8(0);
    framed.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    framed.put_slice(message);
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    let body = Full::new(framed.freeze()).with_trailers(ready(Some(Ok(trailers))));
    let mut response = Response::new(Body::new(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    response
}

/// A status and no message.
fn refused(status: Status) -> Response {
    status.into_http::<Body>()
}
