//! OTLP over HTTP to a backend: protobuf or JSON, compressed where wanted, headers of the user's.

use super::{Delivery, Limits, SendError, Sink, answer, chain, compress, tls, wire};
use crate::config::{Compression, Encoding, OtlpHttp};
use crate::receivers::Signal;
use bytes::Bytes;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode};
use std::time::{Duration, SystemTime};

/// Most bytes of an answer that are read.
const ANSWER_BYTES: usize = 64 << 10;

/// A backend that is spoken to.
#[derive(Debug)]
pub struct Backend {
    client: Client,
    endpoint: String,
    encoding: Encoding,
    compression: Compression,
    limits: Limits,
}

impl Backend {
    /// A backend as configured.
    ///
    /// # Errors
    /// The HTTP client cannot be made, for example because a header does not fit or a file of TLS cannot be read.
    pub fn new(config: &OtlpHttp) -> Result<Self, String> {
        let mut headers = HeaderMap::new();
        for (name, value) in &config.headers {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|error| format!("header {name:?}: {error}"))?;
            let mut value =
                HeaderValue::from_str(value).map_err(|error| format!("value of header {name:?}: {error}"))?;
            value.set_sensitive(true);
            headers.append(name, value);
        }
        let client = tls::http_client(&config.tls, config.timeout, headers)?;
        Ok(Self {
            client,
            endpoint: config.endpoint.clone(),
            encoding: config.encoding,
            compression: config.compression,
            limits: config.requests.limits(),
        })
    }

    /// The body as it goes over the wire.
    async fn body(&self, delivery: &Delivery) -> Result<Bytes, SendError> {
        let (encoding, compression) = (self.encoding, self.compression);
        if (encoding, compression) == (Encoding::Proto, Compression::None) {
            return Ok(delivery.bytes.clone());
        }
        let (items, bytes) = (wire::items(delivery.signal), delivery.bytes.clone());
        let pack = move || -> Result<Bytes, String> {
            let encoded = match encoding {
                Encoding::Proto => bytes,
                Encoding::Json => wire::json(items, &bytes)?.into(),
            };
            if compression == Compression::None {
                return Ok(encoded);
            }
            let out = Vec::with_capacity(encoded.len() / 4);
            let packed = compress::copy(compression, &mut &encoded[..], out);
            packed.map(Bytes::from).map_err(|error| format!("cannot compress: {error}"))
        };
        match tokio::task::spawn_blocking(pack).await {
            Ok(packed) => packed.map_err(|why| SendError::Never { why }),
            // Only a process that ends drops work that has not begun.
            Err(error) => Err(SendError::Again { why: format!("cannot compress: {error}"), after: None }),
        }
    }
}

impl Sink for Backend {
    fn limits(&self) -> Limits {
        self.limits
    }

    async fn send(&self, delivery: &Delivery) -> Result<u64, SendError> {
        let content_type = match self.encoding {
            Encoding::Proto => "application/x-protobuf",
            Encoding::Json => "application/json",
        };
        let url = format!("{}/v1/{}", self.endpoint, delivery.signal.as_str());
        let mut request = self.client.post(url).header(CONTENT_TYPE, content_type);
        if let Some(coding) = compress::coding(self.compression) {
            request = request.header(CONTENT_ENCODING, coding);
        }
        match request.body(self.body(delivery).await?).send().await {
            Ok(response) => judge(response, delivery.signal).await,
            Err(error) => Err(SendError::Again { why: chain(&error), after: None }),
        }
    }
}

/// What an answer means for the request.
///
/// Source: OTLP specification, "OTLP/HTTP Response": 429, 502, 503 and 504 are retryable, and nothing else is. 413 is
/// answered with smaller parts, which are requests of their own.
async fn judge(response: Response, signal: Signal) -> Result<u64, SendError> {
    let status = response.status();
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let content_type = header(CONTENT_TYPE).to_ascii_lowercase();
    let after: Option<Duration> = answer::retry_after(header(RETRY_AFTER), SystemTime::now());
    let body = body(response).await;
    if status.is_success() {
        return Ok(match content_type.starts_with("application/json") {
            true => answer::rejected_json(wire::items(signal), &body),
            false => answer::rejected_protobuf(&body),
        });
    }
    let words = answer::words(&content_type, &body);
    let why = if words.is_empty() {
        format!("the backend answered {status}")
    } else {
        format!("the backend answered {status}: {words}")
    };
    Err(match status {
        StatusCode::TOO_MANY_REQUESTS
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => SendError::Again { why, after },
        StatusCode::PAYLOAD_TOO_LARGE => SendError::TooLarge { why },
        _ => SendError::Never { why },
    })
}

/// The beginning of an answer's body; what breaks off is as good as its beginning.
async fn body(mut response: Response) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        let room = ANSWER_BYTES.saturating_sub(whole.len());
        whole.extend_from_slice(chunk.get(..room.min(chunk.len())).unwrap_or_default());
        if whole.len() == ANSWER_BYTES {
            break;
        }
    }
    whole
}
