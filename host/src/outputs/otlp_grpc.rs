//! OTLP over gRPC to a backend. Requests stay the bytes that they are.

use super::raw_codec::RawCodec;
use super::tls::Pem;
use super::{Delivery, InDialect, Limits, Prepare, SendError, Sink, answer, chain, wire};
use crate::config::{Compression, OtlpGrpc};
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;
use tonic::codec::CompressionEncoding;
use tonic::metadata::{Ascii, MetadataKey, MetadataMap, MetadataValue};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use tonic::{Code, Request, Status};

/// Most bytes of an answer. The transport refuses a larger one with the status by which servers refuse a request; no
/// server has this limit, so it tells the two apart.
const ANSWER_BYTES: usize = 65_521;
/// How often an open connection is asked whether it still is one, while requests are under way.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// How long the answer to that may take.
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(20);

/// A backend that is spoken to. The connection is made with the first request, and again whenever it is lost.
#[derive(Debug)]
pub struct Backend {
    channel: Channel,
    headers: MetadataMap,
    compression: Option<CompressionEncoding>,
    timeout: Duration,
    limits: Limits,
    dialect: Option<Arc<tollgate_dialect::Dialect>>,
}

impl Backend {
    /// A backend as configured.
    ///
    /// # Errors
    /// A file of TLS cannot be read or holds something else, or a header does not fit.
    pub fn new(config: &OtlpGrpc) -> Result<Self, String> {
        let mut headers = MetadataMap::new();
        for (name, value) in &config.headers {
            let key: MetadataKey<Ascii> =
                name.to_ascii_lowercase().parse().map_err(|error| format!("header {name:?}: {error}"))?;
            let mut value: MetadataValue<Ascii> =
                value.parse().map_err(|error| format!("value of header {name:?}: {error}"))?;
            value.set_sensitive(true);
            headers.append(key, value);
        }
        let mut endpoint = Endpoint::from_shared(config.endpoint.clone())
            .map_err(|error| format!("endpoint: {}", chain(&error)))?
            .connect_timeout(config.timeout)
            .http2_keep_alive_interval(KEEP_ALIVE)
            .keep_alive_timeout(KEEP_ALIVE_TIMEOUT);
        if config.endpoint.starts_with("https://") {
            let mut tls = ClientTlsConfig::new();
            let pem = Pem::read(&config.tls)?;
            tls = match pem.authorities {
                Some(authorities) => tls.ca_certificate(Certificate::from_pem(authorities)),
                None => tls.with_native_roots(),
            };
            if let Some((certificate, key)) = pem.identity {
                tls = tls.identity(Identity::from_pem(certificate, key));
            }
            if let Some(name) = &config.tls.server_name_override {
                tls = tls.domain_name(name);
            }
            endpoint = endpoint.tls_config(tls).map_err(|error| format!("tls: {}", chain(&error)))?;
        }
        let compression = match config.compression {
            Compression::None => None,
            Compression::Gzip => Some(CompressionEncoding::Gzip),
            Compression::Zstd => Some(CompressionEncoding::Zstd),
        };
        Ok(Self {
            channel: endpoint.connect_lazy(),
            headers,
            compression,
            timeout: config.timeout,
            limits: config.requests.limits(),
            dialect: config.dialect.compile(),
        })
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
        let mut client = tonic::client::Grpc::new(self.channel.clone()).max_decoding_message_size(ANSWER_BYTES);
        if let Some(compression) = self.compression {
            client = client.send_compressed(compression);
        }
        let mut request = Request::new(delivery.bytes.clone());
        *request.metadata_mut() = self.headers.clone();
        request.set_timeout(self.timeout);
        let method = wire::method(wire::items(delivery.signal));
        let call = async {
            client.ready().await.map_err(|error| Status::unavailable(chain(&error)))?;
            client.unary(request, method, RawCodec).await
        };
        match tokio::time::timeout(self.timeout, call).await {
            Ok(Ok(response)) => Ok(answer::rejected_protobuf(response.get_ref())),
            Ok(Err(status)) => judge(&status),
            Err(_) => Err(SendError::Again { why: format!("no answer within {:?}", self.timeout), after: None }),
        }
    }
}

/// What a status that is not `OK` means for the request.
///
/// Source: OTLP specification, "OTLP/gRPC Response" and "OTLP/gRPC Throttling": the retryable codes, and
/// `RESOURCE_EXHAUSTED` only where the server says with `RetryInfo` that it will recover.
fn judge(status: &Status) -> Result<u64, SendError> {
    if status.code() == Code::OutOfRange && status.message().contains(&format!("limit is: {ANSWER_BYTES} ")) {
        tracing::warn!("the backend's answer is not read: it is larger than {ANSWER_BYTES} bytes");
        return Ok(0);
    }
    let words = answer::short(status.message());
    // What the transport says hides its cause; a server's status has none.
    let why = match status.source() {
        Some(source) => format!("{words}: {}", chain(source)),
        None => format!("the backend answered {:?}: {words}", status.code()),
    };
    let after = answer::retry_info(status.details());
    if after.is_none() && is_about_size(status.code(), status.message()) {
        return Err(SendError::TooLarge { why });
    }
    let retryable = match status.code() {
        Code::Cancelled
        | Code::DeadlineExceeded
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unavailable
        | Code::DataLoss => true,
        Code::ResourceExhausted => after.is_some(),
        // A connection that broke, or a peer that does not speak HTTP/2: not the server's word on the request.
        _ => status.source().is_some(),
    };
    Err(if retryable { SendError::Again { why, after } } else { SendError::Never { why } })
}

/// Whether a server refuses a request because of its size. There is no code for it: gRPC libraries use
/// `RESOURCE_EXHAUSTED` or `OUT_OF_RANGE` with sentences of their own, servers behind them `INVALID_ARGUMENT`, and
/// proxies answer HTTP 413, which has no code of gRPC.
fn is_about_size(code: Code, message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|words| message.contains(words));
    match code {
        Code::ResourceExhausted | Code::OutOfRange | Code::InvalidArgument => says(&[
            "larger than",
            "too large",
            "too big",
            "exceeds maximum",
            "exceeds the maximum",
            "message size",
            "request size",
            "size limit",
        ]),
        _ => says(&["http status code 413", "status: 413"]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size_is_recognised_in_the_words_of_every_library() {
        use Code::{InvalidArgument, OutOfRange, ResourceExhausted, Unavailable, Unknown};
        for (code, message, size) in [
            (ResourceExhausted, "grpc: received message larger than max (5000000 vs. 4194304)", true),
            (ResourceExhausted, "grpc: received message after decompression larger than max 4194304", true),
            (ResourceExhausted, "SERVER: Received message larger than max (5000000 vs. 4194304)", true),
            (ResourceExhausted, "gRPC message exceeds maximum size 4194304: 5000000", true),
            (ResourceExhausted, "Received message exceeds the maximum configured message size.", true),
            (ResourceExhausted, "the request is larger than 4194304 bytes; send smaller batches", true),
            (OutOfRange, "Error, decoded message length too large: found 9 bytes, the limit is: 4 bytes", true),
            (
                ResourceExhausted,
                "Error decompressing: size limit, of 4194304 bytes, exceeded while decompressing message",
                true,
            ),
            (InvalidArgument, "request size 5000000 is over the limit", true),
            (Unknown, "grpc-status header missing, mapped from HTTP status code 413", true),
            (ResourceExhausted, "quota exceeded", false),
            (ResourceExhausted, "too many requests", false),
            (OutOfRange, "time range not retained", false),
            (InvalidArgument, "span without trace id", false),
            (Unavailable, "message larger than max", false),
        ] {
            assert_eq!(is_about_size(code, message), size, "{code:?} {message}");
        }
    }
}
