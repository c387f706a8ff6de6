//! A real OTLP backend within the test: gRPC and HTTP on one port, with or without TLS, that answers as it is told.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::{Buf, BufMut, Bytes};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tonic::Status;
use tonic::codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::BoxFuture;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Server, ServerTlsConfig};

/// A request as it came, unpacked.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// What is answered to one request.
pub(crate) enum Answer {
    /// Taken, with this body.
    Taken(Vec<u8>),
    /// A status of HTTP, its headers and body.
    Http(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// A status of gRPC.
    Grpc(Status),
    /// As the answer behind it, once this is done.
    After(tokio::sync::oneshot::Receiver<()>),
}

/// A running backend; it ends with the test.
#[derive(Clone)]
pub(crate) struct Backend {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    /// Requests that were answered with success.
    taken: Mutex<Vec<Seen>>,
    /// All requests that arrived whole.
    seen: Mutex<Vec<Seen>>,
    answers: Mutex<VecDeque<Answer>>,
    max_message: usize,
}

impl Backend {
    /// A backend that takes messages of gRPC and bodies of HTTP up to `max_message`.
    pub(crate) async fn start(max_message: usize, tls: Option<ServerTlsConfig>) -> Self {
        let here = tokio::runtime::Handle::current();
        Self::start_on(&here, "127.0.0.1:0".parse().unwrap(), max_message, tls)
    }

    /// As [`start`](Self::start), at an address and in a runtime whose end is the end of all its connections.
    pub(crate) fn start_on(
        runtime: &tokio::runtime::Handle,
        address: SocketAddr,
        max_message: usize,
        tls: Option<ServerTlsConfig>,
    ) -> Self {
        let _within = runtime.enter();
        let incoming = TcpIncoming::bind(address).unwrap();
        let address = incoming.local_addr().unwrap();
        let shared = Arc::new(Shared {
            taken: Mutex::default(),
            seen: Mutex::default(),
            answers: Mutex::default(),
            max_message,
        });
        let router = axum::Router::new().fallback(serve).with_state(Arc::clone(&shared));
        let mut server = Server::builder().accept_http1(true);
        if let Some(tls) = tls {
            server = server.tls_config(tls).unwrap();
        }
        let server = server.add_routes(router.into());
        runtime.spawn(async move { server.serve_with_incoming(incoming).await.unwrap() });
        Self { address, shared }
    }

    /// What the next requests are answered with; after these all are taken.
    pub(crate) fn answer(&self, answers: impl IntoIterator<Item = Answer>) {
        self.shared.answers.lock().unwrap().extend(answers);
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().clone()
    }

    /// Bodies that were taken.
    pub(crate) fn taken(&self) -> Vec<Seen> {
        self.shared.taken.lock().unwrap().clone()
    }

    /// Waits until so many requests have arrived.
    pub(crate) async fn until_seen(&self, count: usize) {
        let start = Instant::now();
        while self.seen().len() < count {
            assert!(start.elapsed() < Duration::from_secs(30), "{} of {count} requests", self.seen().len());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Shared {
    async fn next(&self, seen: &Seen) -> Answer {
        self.seen.lock().unwrap().push(seen.clone());
        loop {
            let answer = self.answers.lock().unwrap().pop_front();
            match answer {
                Some(Answer::After(gate)) => {
                    let _ = gate.await;
                }
                Some(Answer::Taken(body)) => {
                    self.taken.lock().unwrap().push(seen.clone());
                    return Answer::Taken(body);
                }
                Some(answer) => return answer,
                None => {
                    self.taken.lock().unwrap().push(seen.clone());
                    return Answer::Taken(Vec::new());
                }
            }
        }
    }
}

async fn serve(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let content_type = request.headers().get(header::CONTENT_TYPE).map_or("", |value| value.to_str().unwrap());
    if content_type.starts_with("application/grpc") {
        let max_message = shared.max_message;
        let call = Call { shared, path: request.uri().path().to_owned(), headers: request.headers().clone() };
        let mut grpc = tonic::server::Grpc::new(Raw)
            .accept_compressed(CompressionEncoding::Gzip)
            .accept_compressed(CompressionEncoding::Zstd)
            .max_decoding_message_size(max_message);
        return grpc.unary(call, request).await.map(Body::new);
    }
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let body = match parts.headers.get(header::CONTENT_ENCODING).map_or("", |value| value.to_str().unwrap()) {
        "" => body,
        "gzip" => {
            let mut unpacked = Vec::new();
            std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&body[..]), &mut unpacked).unwrap();
            unpacked.into()
        }
        "zstd" => zstd::decode_all(&body[..]).unwrap().into(),
        other => panic!("{other}"),
    };
    if body.len() > shared.max_message {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    }
    let seen = Seen { path: parts.uri.path().to_owned(), headers: parts.headers, body };
    match shared.next(&seen).await {
        Answer::Taken(body) => body.into_response(),
        Answer::Http(status, headers, body) => {
            let mut response = body.into_response();
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            for (name, value) in headers {
                response.headers_mut().insert(name, value.parse().unwrap());
            }
            response
        }
        Answer::Grpc(status) => panic!("{status} over HTTP"),
        Answer::After(_) => unreachable!(),
    }
}

/// One call of gRPC.
struct Call {
    shared: Arc<Shared>,
    path: String,
    headers: HeaderMap,
}

impl tonic::server::UnaryService<Bytes> for Call {
    type Response = Bytes;
    type Future = BoxFuture<tonic::Response<Bytes>, Status>;

    fn call(&mut self, request: tonic::Request<Bytes>) -> Self::Future {
        let (shared, path, headers) = (Arc::clone(&self.shared), self.path.clone(), self.headers.clone());
        let seen = Seen { path, headers, body: request.into_inner() };
        Box::pin(async move {
            match shared.next(&seen).await {
                Answer::Taken(body) => Ok(tonic::Response::new(body.into())),
                Answer::Grpc(status) => Err(status),
                _ => panic!("a status of HTTP over gRPC"),
            }
        })
    }
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
