//! OTLP over HTTP: `POST /v1/traces`, `POST /v1/logs` and `POST /v1/metrics`, protobuf or JSON, gzip or not.

use super::{Intake, Received, Refusal, Signal, status, to_protobuf};
use crate::stages::admit::Lease;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use axum::routing::any;
use bytes::Bytes;
use http_body_util::BodyExt;
use std::io::Read;
use std::sync::Arc;

/// The routes of OTLP over HTTP.
pub fn router<I: Intake>(intake: Arc<I>, max_body: usize) -> Router {
    Router::new()
        .route("/v1/traces", any(export::<I>))
        .route("/v1/logs", any(export::<I>))
        .route("/v1/metrics", any(export::<I>))
        .with_state(Receiver { intake, max_body })
}

struct Receiver<I> {
    intake: Arc<I>,
    max_body: usize,
}

impl<I> Clone for Receiver<I> {
    fn clone(&self) -> Self {
        Self { intake: Arc::clone(&self.intake), max_body: self.max_body }
    }
}

/// How request and answer are encoded; an answer has the encoding of its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Protobuf,
    Json,
}

impl Encoding {
    const fn content_type(self) -> &'static str {
        match self {
            Self::Protobuf => "application/x-protobuf",
            Self::Json => "application/json",
        }
    }

    fn of(headers: &HeaderMap) -> Option<Self> {
        let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
        let media_type = value.split(';').next().unwrap_or_default().trim();
        [Self::Protobuf, Self::Json].into_iter().find(|known| known.content_type().eq_ignore_ascii_case(media_type))
    }
}

async fn export<I: Intake>(State(receiver): State<Receiver<I>>, request: Request) -> Response {
    let signal = match request.uri().path() {
        "/v1/logs" => Signal::Logs,
        "/v1/metrics" => Signal::Metrics,
        _ => Signal::Traces,
    };
    if request.method() != Method::POST {
        let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "OTLP over HTTP uses POST");
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
        return response;
    }
    let Some(encoding) = Encoding::of(request.headers()) else {
        let sentence = "the content type is neither application/x-protobuf nor application/json";
        return plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, sentence);
    };
    let gzip = match request.headers().get(header::CONTENT_ENCODING).map(HeaderValue::as_bytes) {
        None => false,
        Some(coding) if coding.eq_ignore_ascii_case(b"identity") || coding.is_empty() => false,
        Some(coding) if coding.eq_ignore_ascii_case(b"gzip") => true,
        Some(_) => {
            let mut response = plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, "the content encoding is not gzip");
            response.headers_mut().insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
            return response;
        }
    };
    let answer = async {
        let mut lease = receiver.intake.admission().lease(0)?;
        let body = read(request.into_body(), receiver.max_body, &mut lease).await?;
        let (bytes, lease) = decode(body, lease, signal, encoding, gzip, receiver.max_body).await?;
        receiver.intake.accept(Received { signal, bytes, lease }).await
    };
    match answer.await {
        Ok(accepted) => {
            let body = match encoding {
                Encoding::Protobuf => status::response_protobuf(signal, &accepted),
                Encoding::Json => status::response_json(signal, &accepted),
            };
            respond(StatusCode::OK, encoding.content_type(), body)
        }
        Err(refusal) => {
            receiver.intake.admission().count_refusal(&refusal);
            refuse(&refusal, encoding)
        }
    }
}

/// Reads the body up to the limit, taking its bytes from the bound on bytes in flight as they come.
async fn read(mut body: Body, limit: usize, lease: &mut Lease) -> Result<Bytes, Refusal> {
    let mut whole = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Refusal::Invalid(format!("the body broke off: {error}")))?;
        let Ok(data) = frame.into_data() else { continue };
        if whole.len() + data.len() > limit {
            return Err(Refusal::TooLarge { limit });
        }
        lease.grow(data.len())?;
        whole.extend_from_slice(&data);
    }
    Ok(whole.into())
}

/// Unpacks and, from JSON, recodes on a thread that may block.
async fn decode(
    body: Bytes,
    lease: Lease,
    signal: Signal,
    encoding: Encoding,
    gzip: bool,
    limit: usize,
) -> Result<(Bytes, Lease), Refusal> {
    if !gzip && encoding == Encoding::Protobuf {
        return Ok((body, lease));
    }
    let work = move || {
        let mut lease = lease;
        let body = if gzip { gunzip(&body, limit, &mut lease)? } else { body };
        let body = match encoding {
            Encoding::Protobuf => body,
            Encoding::Json => to_protobuf(signal, &body)?.into(),
        };
        Ok((body, lease))
    };
    match tokio::task::spawn_blocking(work).await {
        Ok(decoded) => decoded,
        Err(_) => Err(Refusal::Invalid("the body could not be decoded".to_owned())),
    }
}

fn gunzip(packed: &[u8], limit: usize, lease: &mut Lease) -> Result<Bytes, Refusal> {
    let mut reader = flate2::read::MultiGzDecoder::new(packed);
    let mut whole = Vec::new();
    let mut chunk = vec![0; 64 << 10];
    loop {
        let read =
            reader.read(&mut chunk).map_err(|error| Refusal::Invalid(format!("the body is not gzip: {error}")))?;
        let Some(data) = chunk.get(..read).filter(|data| !data.is_empty()) else { return Ok(whole.into()) };
        if whole.len() + data.len() > limit {
            return Err(Refusal::TooLarge { limit });
        }
        lease.grow(data.len())?;
        whole.extend_from_slice(data);
    }
}

fn refuse(refusal: &Refusal, encoding: Encoding) -> Response {
    let body = match encoding {
        Encoding::Protobuf => prost::Message::encode_to_vec(&refusal.rpc_status()),
        Encoding::Json => refusal.rpc_status_json(),
    };
    let status = StatusCode::from_u16(refusal.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = respond(status, encoding.content_type(), body);
    if let Some(wait) = refusal.retry_after() {
        // The header counts whole seconds.
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn respond(status: StatusCode, content_type: &'static str, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

fn plain(status: StatusCode, sentence: &str) -> Response {
    respond(status, "text/plain; charset=utf-8", sentence.as_bytes().to_vec())
}
