//! OTLP over HTTP to a backend: protobuf or JSON, compressed where wanted, headers of the user's.

use super::{Delivery, InDialect, Limits, Prepare, SendError, Sink, answer, chain, compress, tls, wire};
use crate::config::{Compression, Encoding, OtlpHttp};
use crate::receivers::Signal;
use bytes::Bytes;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode};
use std::sync::Arc;
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
    dialect: Option<Arc<tollgate_dialect::Dialect>>,
    passing: fn(StatusCode) -> bool,
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
            dialect: config.dialect.compile(),
            passing: passes,
        })
    }

    /// The same with other statuses after which a request is sent again.
    pub(super) fn with_passing(self, passing: fn(StatusCode) -> bool) -> Self {
        Self { passing, ..self }
    }

    /// Posts a body of another kind than OTLP, with the headers and within the time of this backend.
    pub(super) async fn post(
        &self,
        url: &str,
        content_type: &str,
        body: impl Into<reqwest::Body>,
    ) -> Result<Answered, SendError> {
        let request = self.client.post(url).header(CONTENT_TYPE, content_type).body(body);
        match request.send().await {
            Ok(response) => Ok(Answered::read(response).await),
            Err(error) => Err(SendError::Again { why: chain(&error), after: None }),
        }
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

    fn preparation(&self) -> Option<Arc<dyn Prepare>> {
        self.dialect.clone().map(|dialect| Arc::new(InDialect(dialect)) as Arc<dyn Prepare>)
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
            Ok(response) => judge(Answered::read(response).await, delivery.signal, self.passing),
            Err(error) => Err(SendError::Again { why: chain(&error), after: None }),
        }
    }
}

/// An answer, as far as it is read.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) status: StatusCode,
    content_type: String,
    /// How long the backend asked to wait, where it did.
    after: Option<Duration>,
    pub(super) body: Vec<u8>,
}

impl Answered {
    async fn read(response: Response) -> Self {
        let status = response.status();
        let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let content_type = header(CONTENT_TYPE).to_ascii_lowercase();
        let after = answer::retry_after(header(RETRY_AFTER), SystemTime::now());
        Self { status, content_type, after, body: body(response).await }
    }

    /// What a status that is no success means; `is_passing` says which will pass.
    pub(super) fn refusal(self, is_passing: impl FnOnce(StatusCode) -> bool) -> SendError {
        let words = answer::words(&self.content_type, &self.body);
        let status = self.status;
        let why = if words.is_empty() {
            format!("the backend answered {status}")
        } else {
            format!("the backend answered {status}: {words}")
        };
        match status {
            StatusCode::PAYLOAD_TOO_LARGE => SendError::TooLarge { why },
            status if is_passing(status) => SendError::Again { why, after: self.after },
            _ => SendError::Never { why },
        }
    }
}

/// What an answer means for the request.
///
/// Source: OTLP specification, "OTLP/HTTP Response": 429, 502, 503 and 504 are retryable, and nothing else is. 413 is
/// answered with smaller parts, which are requests of their own.
fn judge(answered: Answered, signal: Signal, is_passing: fn(StatusCode) -> bool) -> Result<u64, SendError> {
    if answered.status.is_success() {
        return Ok(match answered.content_type.starts_with("application/json") {
            true => answer::rejected_json(wire::items(signal), &answered.body),
            false => answer::rejected_protobuf(&answered.body),
        });
    }
    Err(answered.refusal(is_passing))
}

/// Statuses after which OTLP has a request sent again.
fn passes(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
    )
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
