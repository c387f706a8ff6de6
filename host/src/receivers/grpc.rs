//! OTLP over gRPC. Messages stay the bytes that they came as: the codec does not decode them.

use super::arriving::{Arriving, Held};
use super::{Intake, Received, Refusal, Signal, status};
use bytes::{Buf, BufMut, Bytes};
use std::convert::Infallible;
use std::marker::PhantomData;
use std::sync::Arc;
use std::task::{Context, Poll};
use tonic::body::Body;
use tonic::codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::{BoxFuture, Service, http};
use tonic::server::{Grpc, NamedService, UnaryService};
use tonic::{Request, Response, Status};

/// Requests that one connection may have open at once.
const STREAMS_PER_CONNECTION: u32 = 64;

/// The gRPC server with the trace and log services; other services answer `UNIMPLEMENTED`.
pub fn server<I: Intake>(intake: Arc<I>, max_message: usize) -> tonic::transport::server::Router {
    tonic::transport::Server::builder()
        .max_concurrent_streams(STREAMS_PER_CONNECTION)
        .add_service(Export::<I, Traces> { intake: Arc::clone(&intake), max_message, service: PhantomData })
        .add_service(Export::<I, Logs> { intake, max_message, service: PhantomData })
}

/// One of OTLP's export services.
trait ExportService: NamedService + Send + Sync + 'static {
    const METHOD: &'static str;
    const SIGNAL: Signal;
}

/// `TraceService`.
struct Traces;

impl NamedService for Traces {
    const NAME: &'static str = "opentelemetry.proto.collector.trace.v1.TraceService";
}

impl ExportService for Traces {
    const METHOD: &'static str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
    const SIGNAL: Signal = Signal::Traces;
}

/// `LogsService`.
struct Logs;

impl NamedService for Logs {
    const NAME: &'static str = "opentelemetry.proto.collector.logs.v1.LogsService";
}

impl ExportService for Logs {
    const METHOD: &'static str = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
    const SIGNAL: Signal = Signal::Logs;
}

struct Export<I, S> {
    intake: Arc<I>,
    max_message: usize,
    service: PhantomData<fn() -> S>,
}

impl<I, S> Clone for Export<I, S> {
    fn clone(&self) -> Self {
        Self { intake: Arc::clone(&self.intake), max_message: self.max_message, service: PhantomData }
    }
}

impl<I, S: NamedService> NamedService for Export<I, S> {
    const NAME: &'static str = S::NAME;
}

impl<I: Intake, S: ExportService> Service<http::Request<Body>> for Export<I, S> {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Self::Error>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let export = self.clone();
        Box::pin(async move {
            if request.uri().path() != S::METHOD {
                return Ok(Status::unimplemented("the service has one method, Export").into_http());
            }
            let max_message = export.max_message;
            let (arriving, held) = match Arriving::new(export.intake.admission().clone()) {
                Ok(arriving) => arriving,
                Err(refusal) => {
                    export.intake.admission().count_refusal(&refusal);
                    return Ok(Status::from(&refusal).into_http());
                }
            };
            let request = request.map(|body| arriving.of(body));
            let mut grpc = Grpc::new(RawCodec)
                .accept_compressed(CompressionEncoding::Gzip)
                .accept_compressed(CompressionEncoding::Zstd)
                .max_decoding_message_size(max_message);
            Ok(too_large_is_final(grpc.unary(One { export, held }, request).await, max_message))
        })
    }
}

/// One call of a service, with what its bytes have taken of the bound on bytes in flight.
struct One<I, S> {
    export: Export<I, S>,
    held: Held,
}

impl<I: Intake, S: ExportService> UnaryService<Bytes> for One<I, S> {
    type Response = Bytes;
    type Future = BoxFuture<Response<Bytes>, Status>;

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let intake = Arc::clone(&self.export.intake);
        let held = self.held.clone();
        Box::pin(async move {
            let bytes = request.into_inner();
            let answer = async {
                let lease = held.for_message(intake.admission(), bytes.len())?;
                intake.accept(Received { signal: S::SIGNAL, bytes, lease }).await
            };
            match answer.await {
                Ok(accepted) => Ok(Response::new(status::response_protobuf(S::SIGNAL, &accepted).into())),
                Err(refusal) => {
                    intake.admission().count_refusal(&refusal);
                    Err(Status::from(&refusal))
                }
            }
        })
    }
}

/// The transport answers a message over the limit with `OUT_OF_RANGE`, which OTLP senders take as "send again".
/// Nothing else here answers so; it becomes `RESOURCE_EXHAUSTED`, which without `RetryInfo` is final.
fn too_large_is_final(response: http::Response<Body>, limit: usize) -> http::Response<Body> {
    match Status::from_header_map(response.headers()) {
        Some(status) if status.code() == tonic::Code::OutOfRange => {
            Status::from(&Refusal::TooLarge { limit }).into_http()
        }
        _ => response,
    }
}

/// Messages as bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RawCodec;

impl Codec for RawCodec {
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

impl Encoder for RawCodec {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(item);
        Ok(())
    }
}

impl Decoder for RawCodec {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}
