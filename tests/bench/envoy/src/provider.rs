//! The provider that Envoy calls, and the collector that the filter sends spans to.

use crate::answer::End;
use crate::fault::Fault;
use crate::stage::Stage;
use crate::wire::{Connection, Kind, Piece};
use prost::Message;
use std::cell::Cell;
use std::future::Future;
use std::rc::Rc;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::spawn_local;

/// What a collector says.
const TAKEN: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n";

/// Starts the provider; gives its port.
///
/// # Errors
/// There is no port.
pub(crate) async fn start(stage: Rc<Stage>) -> Result<u16, Fault> {
    listen(move |stream| provide(stream, Rc::clone(&stage))).await
}

/// What a collector got.
#[derive(Debug, Default)]
pub(crate) struct Collected {
    /// Requests.
    pub(crate) requests: Cell<u64>,
    /// Spans in them, where they are counted.
    pub(crate) spans: Cell<u64>,
    /// Whether the spans are counted.
    pub(crate) counting: bool,
}

/// As much of `opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest` as counting takes.
#[derive(Clone, PartialEq, prost::Message)]
struct Export {
    #[prost(message, repeated, tag = "1")]
    resources: Vec<OfResource>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct OfResource {
    #[prost(message, repeated, tag = "2")]
    scopes: Vec<OfScope>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct OfScope {
    #[prost(bytes = "vec", repeated, tag = "2")]
    spans: Vec<Vec<u8>>,
}

fn spans(body: &[u8]) -> Result<u64, Fault> {
    let export = Export::decode(body).map_err(|error| Fault::Protocol(format!("spans: {error}")))?;
    let scopes = export.resources.iter().flat_map(|resource| &resource.scopes);
    Ok(scopes.map(|scope| u64::try_from(scope.spans.len()).unwrap_or(u64::MAX)).sum())
}

/// Starts the collector, which takes everything at once; gives its port.
///
/// # Errors
/// There is no port.
pub(crate) async fn collector(collected: Rc<Collected>) -> Result<u16, Fault> {
    listen(move |stream| collect(stream, Rc::clone(&collected))).await
}

async fn listen<F>(serve: impl Fn(TcpStream) -> F + 'static) -> Result<u16, Fault>
where
    F: Future<Output = Result<(), Fault>> + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.map_err(Fault::system("listening"))?;
    let port = listener.local_addr().map_err(Fault::system("listening"))?.port();
    spawn_local(async move {
        loop {
            match listener.accept().await {
                // How a connection ends is no concern of this side: callers notice what is missing.
                Ok((stream, _)) => drop(spawn_local(serve(stream))),
                Err(error) => eprintln!("a connection could not be taken: {error}"),
            }
        }
    });
    Ok(port)
}

async fn provide(stream: TcpStream, stage: Rc<Stage>) -> Result<(), Fault> {
    let mut connection = Connection::new(stream)?;
    while let Some(head) = connection.head(Kind::Request).await? {
        let mut bytes = 0;
        connection
            .body(head.framing, |piece| {
                if let Piece::Data(data) = piece {
                    bytes += data.len();
                }
            })
            .await?;
        let Some(lane) = head.lane.and_then(|number| stage.lane(number)) else {
            return Err(Fault::Protocol("a request without a lane".to_owned()));
        };
        lane.got_request(bytes);
        let answer = lane.answer();
        let mut steps = answer.steps.iter().peekable();
        while let Some(step) = steps.next() {
            lane.sends(step.until);
            connection.send(&step.bytes).await?;
            if steps.peek().is_some() || answer.end == End::Broken {
                tokio::select! {
                    biased;
                    () = lane.arrival() => {}
                    () = connection.closed() => return Ok(()),
                }
            }
        }
        if answer.end == End::Broken {
            return Ok(());
        }
    }
    Ok(())
}

async fn collect(stream: TcpStream, collected: Rc<Collected>) -> Result<(), Fault> {
    let mut connection = Connection::new(stream)?;
    while let Some(head) = connection.head(Kind::Request).await? {
        let mut body = Vec::new();
        let keep = |piece: Piece<'_>| {
            if let (true, Piece::Data(data)) = (collected.counting, piece) {
                body.extend_from_slice(data);
            }
        };
        connection.body(head.framing, keep).await?;
        collected.spans.set(collected.spans.get() + spans(&body)?);
        collected.requests.set(collected.requests.get() + 1);
        connection.send(TAKEN).await?;
    }
    Ok(())
}
