//! OTLP over HTTP to a backend: protobuf, gzip where wanted, headers of the user's.

use super::{Delivery, SendError, Sink};
use crate::config::{Compression, OtlpHttp};
use crate::receivers::Signal;
use bytes::Bytes;
use flate2::write::GzEncoder;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceResponse;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceResponse;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode};
use std::io::Write;
use std::time::Duration;

/// Most bytes of an answer that are read.
const ANSWER_BYTES: usize = 64 << 10;

/// A backend that is spoken to.
#[derive(Debug)]
pub struct Backend {
    client: Client,
    traces: String,
    logs: String,
    metrics: String,
    compression: Compression,
}

impl Backend {
    /// A backend as configured.
    ///
    /// # Errors
    /// The HTTP client cannot be made, for example because a header does not fit.
    pub fn new(config: &OtlpHttp) -> Result<Self, String> {
        let mut headers = HeaderMap::new();
        for (name, value) in &config.headers {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|error| format!("header {name:?}: {error}"))?;
            let mut value =
                HeaderValue::from_str(value).map_err(|error| format!("value of header {name:?}: {error}"))?;
            value.set_sensitive(true);
            headers.append(name, value);
        }
        // The process may have a provider already: then that one serves.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .default_headers(headers)
            .timeout(config.timeout)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| format!("the HTTP client cannot be made: {error}"))?;
        Ok(Self {
            client,
            traces: format!("{}/v1/traces", config.endpoint),
            logs: format!("{}/v1/logs", config.endpoint),
            metrics: format!("{}/v1/metrics", config.endpoint),
            compression: config.compression,
        })
    }
}

impl Sink for Backend {
    async fn send(&mut self, delivery: &Delivery) -> Result<u64, SendError> {
        let url = match delivery.signal {
            Signal::Traces => &self.traces,
            Signal::Logs => &self.logs,
            Signal::Metrics => &self.metrics,
        };
        let mut request = self.client.post(url).header(CONTENT_TYPE, "application/x-protobuf");
        let body = match self.compression {
            Compression::None => delivery.bytes.clone(),
            Compression::Gzip => {
                request = request.header(CONTENT_ENCODING, "gzip");
                gzip(delivery.bytes.clone()).await?
            }
        };
        match request.body(body).send().await {
            Ok(response) => judge(response, delivery.signal).await,
            Err(error) => Err(SendError::Again { why: chain(&error), after: None }),
        }
    }
}

/// Retryable statuses are those of the OTLP specification, section "Retryable Response Codes".
async fn judge(response: Response, signal: Signal) -> Result<u64, SendError> {
    let status = response.status();
    if status.is_success() {
        return Ok(rejected(signal, &answer(response).await));
    }
    let why = format!("the backend answered {status}");
    match status {
        StatusCode::TOO_MANY_REQUESTS
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => Err(SendError::Again { why, after: retry_after(response.headers()) }),
        _ => Err(SendError::Never { why }),
    }
}

/// The wait that the answer asks for, in whole seconds; a date is taken as no wish.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

async fn answer(mut response: Response) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        if whole.len() + chunk.len() > ANSWER_BYTES {
            return Vec::new();
        }
        whole.extend_from_slice(&chunk);
    }
    whole
}

/// How many items a partial success turned away. An answer that is not readable turned nothing away.
fn rejected(signal: Signal, answer: &[u8]) -> u64 {
    let rejected = match signal {
        Signal::Traces => ExportTraceServiceResponse::decode(answer)
            .ok()
            .and_then(|response| response.partial_success)
            .map(|partial| (partial.rejected_spans, partial.error_message)),
        Signal::Logs => ExportLogsServiceResponse::decode(answer)
            .ok()
            .and_then(|response| response.partial_success)
            .map(|partial| (partial.rejected_log_records, partial.error_message)),
        Signal::Metrics => ExportMetricsServiceResponse::decode(answer)
            .ok()
            .and_then(|response| response.partial_success)
            .map(|partial| (partial.rejected_data_points, partial.error_message)),
    };
    let Some((rejected, message)) = rejected else { return 0 };
    if rejected > 0 || !message.is_empty() {
        tracing::warn!(rejected, message, "the backend took only a part");
    }
    u64::try_from(rejected).unwrap_or(0)
}

async fn gzip(bytes: Bytes) -> Result<Bytes, SendError> {
    let pack = move || {
        let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), flate2::Compression::fast());
        encoder.write_all(&bytes)?;
        encoder.finish()
    };
    match tokio::task::spawn_blocking(pack).await {
        Ok(Ok(packed)) => Ok(packed.into()),
        Ok(Err(error)) => Err(SendError::Never { why: format!("cannot compress: {error}") }),
        Err(_) => Err(SendError::Never { why: "cannot compress".to_owned() }),
    }
}

/// The error with what is under it: the client's own sentence hides the cause.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut under = error.source();
    while let Some(cause) = under {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        under = cause.source();
    }
    text
}
