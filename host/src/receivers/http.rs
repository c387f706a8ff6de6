//! OTLP over HTTP: `POST /v1/traces`, `POST /v1/logs` and `POST /v1/metrics`, protobuf or JSON, plain, in gzip or in
//! zstd.

use super::body::{Coding, linger};
use super::exchange::{Exchange, Head};
use super::{Intake, Refusal, Signal, status};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Version, header};
use axum::response::Response;
use axum::routing::any;
use std::sync::Arc;

/// The routes of OTLP over HTTP. Other paths answer 404.
pub(super) fn router<I: Intake>(exchange: Arc<Exchange<I>>) -> Router {
    [Signal::Traces, Signal::Logs, Signal::Metrics].into_iter().fold(Router::new(), |router, signal| {
        let export =
            move |State(exchange): State<Arc<Exchange<I>>>, request: Request| export(exchange, signal, request);
        router.route(&format!("/v1/{}", signal.as_str()), any(export).with_state(Arc::clone(&exchange)))
    })
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

async fn export<I: Intake>(exchange: Arc<Exchange<I>>, signal: Signal, request: Request) -> Response {
    let (head, mut body) = request.into_parts();
    let response = answer(&exchange, signal, &head.method, &head.headers, &mut body).await;
    if head.version < Version::HTTP_2 && !response.status().is_success() {
        linger(&mut body).await;
    }
    response
}

async fn answer<I: Intake>(
    exchange: &Exchange<I>,
    signal: Signal,
    method: &Method,
    headers: &HeaderMap,
    body: &mut Body,
) -> Response {
    if method != Method::POST {
        let response = plain(StatusCode::METHOD_NOT_ALLOWED, "OTLP over HTTP uses POST");
        return with(response, header::ALLOW, "POST");
    }
    let Some(encoding) = Encoding::of(headers) else {
        let sentence = "the content type is neither application/x-protobuf nor application/json";
        return plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, sentence);
    };
    let Some(coding) = Coding::of(headers.get(header::CONTENT_ENCODING).map(HeaderValue::as_bytes)) else {
        let response = plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, "the content encoding is neither gzip nor zstd");
        return with(response, header::ACCEPT_ENCODING, "gzip, zstd");
    };
    let head = Head { headers, signal, json: encoding == Encoding::Json };
    match exchange.take(head, body, |body| Ok((body, coding))).await {
        Ok(accepted) => {
            let body = match encoding {
                Encoding::Protobuf => status::response_protobuf(signal, &accepted),
                Encoding::Json => status::response_json(signal, &accepted),
            };
            respond(StatusCode::OK, encoding.content_type(), body)
        }
        Err(refusal) => {
            exchange.refused(&refusal);
            refuse(&refusal, encoding)
        }
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
    match refusal {
        Refusal::Unauthenticated(_) => with(response, header::WWW_AUTHENTICATE, "Bearer"),
        // What still comes of the body is not waited for.
        Refusal::TooSlow { .. } => with(response, header::CONNECTION, "close"),
        _ => response,
    }
}

fn respond(status: StatusCode, content_type: &'static str, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    with(response, header::CONTENT_TYPE, content_type)
}

fn plain(status: StatusCode, sentence: &str) -> Response {
    respond(status, "text/plain; charset=utf-8", sentence.as_bytes().to_vec())
}

fn with(mut response: Response, name: header::HeaderName, value: &'static str) -> Response {
    response.headers_mut().insert(name, HeaderValue::from_static(value));
    response
}
