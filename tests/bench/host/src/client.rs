//! A sender of OTLP that costs little: bodies are sent as they were prepared.

use crate::spans::{Template, gzip};
use crate::wire::Fields;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::{http1, http2};
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use hyper::{Request, Response, body::Incoming};
use hyper_util::rt::TokioIo;
use std::net::Ipv4Addr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::spawn_local;
use tokio::time::timeout;

/// Longest that an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(20);
/// Bytes of a gRPC message before the message itself.
const PREFIX: usize = 5;
const TRACE_SERVICE: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/// How telemetry travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Transport {
    Grpc,
    GrpcGzip,
    Http,
    HttpGzip,
}

impl Transport {
    pub(crate) const fn grpc(self) -> bool {
        matches!(self, Self::Grpc | Self::GrpcGzip)
    }

    pub(crate) const fn gzip(self) -> bool {
        matches!(self, Self::GrpcGzip | Self::HttpGzip)
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Grpc => "OTLP/gRPC",
            Self::GrpcGzip => "OTLP/gRPC gzip",
            Self::Http => "OTLP/HTTP",
            Self::HttpGzip => "OTLP/HTTP gzip",
        }
    }
}

/// A request as it goes over the wire.
#[derive(Clone, Debug)]
pub(crate) struct Payload {
    transport: Transport,
    body: Bytes,
}

impl Payload {
    /// The request of a template with the spans from this number on.
    pub(crate) fn of(template: &Template, first: u64, transport: Transport) -> Self {
        let before = if transport.grpc() { PREFIX } else { 0 };
        if transport.gzip() {
            Self::encoded(&template.numbered(first, 0), transport)
        } else {
            Self::finish(template.numbered(first, before), transport)
        }
    }

    /// An encoded request.
    pub(crate) fn encoded(request: &[u8], transport: Transport) -> Self {
        let before = if transport.grpc() { PREFIX } else { 0 };
        let body = if transport.gzip() {
            gzip(request, before).unwrap_or_default()
        } else {
            [vec![0; before].as_slice(), request].concat()
        };
        Self::finish(body, transport)
    }

    fn finish(mut body: Vec<u8>, transport: Transport) -> Self {
        if transport.grpc()
            && let Some((prefix, message)) = body.split_first_chunk_mut::<PREFIX>()
        {
            let length = u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes();
            *prefix = [u8::from(transport.gzip()), length[0], length[1], length[2], length[3]];
        }
        Self { transport, body: body.into() }
    }

    /// Bytes on the wire.
    pub(crate) fn len(&self) -> u64 {
        self.body.len() as u64
    }
}

/// What the other side says of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// All of it was taken.
    Accepted,
    /// It is to be sent again, after the time that was said, if one was.
    Again { after: Option<Duration> },
    /// It is refused for good, whole or in part.
    Refused(String),
}

/// The connection broke, or no answer came in time: nobody knows whether the request was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unknown;

/// A connection to a receiver.
#[derive(Debug)]
pub(crate) enum Connection {
    Http(http1::SendRequest<Full<Bytes>>),
    Grpc(http2::SendRequest<Full<Bytes>>),
}

/// Tasks of HTTP/2 run where everything else does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Local;

impl<F: Future + 'static> hyper::rt::Executor<F> for Local {
    fn execute(&self, future: F) {
        spawn_local(async {
            future.await;
        });
    }
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// Nobody listens.
    pub(crate) async fn open(port: u16, grpc: bool) -> Result<Self, Unknown> {
        let connecting = timeout(PATIENCE, TcpStream::connect((Ipv4Addr::LOCALHOST, port)));
        let stream = connecting.await.map_err(|_| Unknown)?.map_err(|_| Unknown)?;
        stream.set_nodelay(true).map_err(|_| Unknown)?;
        let stream = TokioIo::new(stream);
        if grpc {
            let mut builder = http2::Builder::new(Local);
            builder.initial_stream_window_size(1 << 20).max_send_buf_size(4 << 20);
            let (sender, driver) = builder.handshake(stream).await.map_err(|_| Unknown)?;
            spawn_local(driver);
            return Ok(Self::Grpc(sender));
        }
        let (sender, driver) = http1::handshake(stream).await.map_err(|_| Unknown)?;
        spawn_local(driver);
        Ok(Self::Http(sender))
    }

    /// Sends a request and waits for the answer.
    ///
    /// # Errors
    /// There is none; the connection is of no more use.
    pub(crate) async fn send(&mut self, payload: &Payload) -> Result<Answer, Unknown> {
        timeout(PATIENCE, self.exchange(payload)).await.map_err(|_| Unknown)?
    }

    async fn exchange(&mut self, payload: &Payload) -> Result<Answer, Unknown> {
        let request = Request::post(if payload.transport.grpc() {
            format!("http://127.0.0.1{TRACE_SERVICE}")
        } else {
            "/v1/traces".to_owned()
        });
        let request = match payload.transport {
            Transport::Grpc => request.header(CONTENT_TYPE, "application/grpc").header("te", "trailers"),
            Transport::GrpcGzip => request
                .header(CONTENT_TYPE, "application/grpc")
                .header("te", "trailers")
                .header("grpc-encoding", "gzip"),
            Transport::Http => request.header(CONTENT_TYPE, "application/x-protobuf").header("host", "127.0.0.1"),
            Transport::HttpGzip => request
                .header(CONTENT_TYPE, "application/x-protobuf")
                .header("host", "127.0.0.1")
                .header(CONTENT_ENCODING, "gzip"),
        };
        let request = request.body(Full::new(payload.body.clone())).map_err(|_| Unknown)?;
        match self {
            Self::Http(sender) => {
                sender.ready().await.map_err(|_| Unknown)?;
                over_http(sender.send_request(request).await.map_err(|_| Unknown)?).await
            }
            Self::Grpc(sender) => {
                sender.ready().await.map_err(|_| Unknown)?;
                over_grpc(sender.send_request(request).await.map_err(|_| Unknown)?).await
            }
        }
    }
}

/// OTLP specification, "OTLP/HTTP Response": 429, 502, 503 and 504 are sent again.
async fn over_http(response: Response<Incoming>) -> Result<Answer, Unknown> {
    let (head, body) = response.into_parts();
    let body = body.collect().await.map_err(|_| Unknown)?.to_bytes();
    let status = head.status.as_u16();
    Ok(match status {
        200 => accepted(&body),
        429 | 502 | 503 | 504 => {
            let seconds = head.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
            Answer::Again { after: seconds.map(Duration::from_secs) }
        }
        _ => Answer::Refused(format!("status {status}: {}", String::from_utf8_lossy(&body))),
    })
}

/// OTLP specification, "OTLP/gRPC Response": some codes are sent again, RESOURCE_EXHAUSTED only with a `RetryInfo`.
async fn over_grpc(response: Response<Incoming>) -> Result<Answer, Unknown> {
    let (head, body) = response.into_parts();
    let body = body.collect().await.map_err(|_| Unknown)?;
    let trailers = body.trailers().cloned().unwrap_or_default();
    let said = if trailers.contains_key("grpc-status") { &trailers } else { &head.headers };
    let code = text(said, "grpc-status").and_then(|code| code.parse().ok()).ok_or(Unknown)?;
    let after = retry_info(said);
    Ok(match code {
        0 => accepted(body.to_bytes().get(PREFIX..).unwrap_or_default()),
        1 | 4 | 10 | 11 | 14 | 15 => Answer::Again { after },
        8 if after.is_some() => Answer::Again { after },
        _ => Answer::Refused(format!("gRPC code {code}: {}", text(said, "grpc-message").unwrap_or_default())),
    })
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// A response is empty, or has a `partial_success` that says what was not taken.
fn accepted(response: &[u8]) -> Answer {
    let partial = Fields(response).filter_map(Result::ok).find(|field| field.number == 1 && !field.inner.is_empty());
    match partial {
        None => Answer::Accepted,
        Some(partial) => Answer::Refused(format!("partial success: {:?}", String::from_utf8_lossy(partial.inner))),
    }
}

/// The delay of the `google.rpc.RetryInfo` in the details of a status.
fn retry_info(headers: &HeaderMap) -> Option<Duration> {
    let encoded = headers.get("grpc-status-details-bin")?.as_bytes();
    let status = STANDARD_NO_PAD.decode(encoded).or_else(|_| STANDARD.decode(encoded)).ok()?;
    // Status.details = 3; Any.type_url = 1, Any.value = 2; RetryInfo.retry_delay = 1; Duration: seconds = 1, nanos = 2.
    let field = |message, number| Fields(message).filter_map(Result::ok).find(move |field| field.number == number);
    let details = Fields(&status).filter_map(Result::ok).filter(|field| field.number == 3);
    let info = details
        .map(|any| any.inner)
        .find(|any| field(any, 1).is_some_and(|name| name.inner.ends_with(b"/google.rpc.RetryInfo")))?;
    let delay = field(field(info, 2)?.inner, 1)?.inner;
    let part = |number| field(delay, number).map_or(0, |field| field.integer);
    Some(Duration::new(part(1), u32::try_from(part(2)).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    #[test]
    fn a_retry_info_is_read_with_and_without_padding() {
        let mut headers = HeaderMap::new();
        assert_eq!(retry_info(&headers), None);
        let info = b"\x0a\x05\x08\x01\x10\xe8\x07";
        let mut any = b"\x0a\x28type.googleapis.com/google.rpc.RetryInfo".to_vec();
        crate::wire::bytes(&mut any, 2, info);
        let mut status = b"\x08\x08".to_vec();
        crate::wire::bytes(&mut status, 3, &any);
        for encoded in [STANDARD_NO_PAD.encode(&status), STANDARD.encode(&status)] {
            headers.insert("grpc-status-details-bin", HeaderValue::from_str(&encoded).unwrap());
            assert_eq!(retry_info(&headers), Some(Duration::new(1, 1000)));
        }
    }

    #[test]
    fn a_partial_success_is_no_acknowledgement() {
        assert_eq!(accepted(b""), Answer::Accepted);
        assert_eq!(accepted(b"\x0a\x00"), Answer::Accepted);
        assert!(matches!(accepted(b"\x0a\x02\x08\x01"), Answer::Refused(_)));
    }
}
