//! The backend behind the process under test: an OTLP server that counts and answers at once, or misbehaves.

use crate::client::Local;
use crate::fault::Fault;
use crate::wire::each_span;
use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::io::Read;
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::spawn_local;
use tokio::time::sleep;

/// How the backend behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    /// Takes everything at once.
    Well,
    /// Takes everything, each request only after that time.
    Slow(Duration),
    /// Takes nothing, and says so: 503 or UNAVAILABLE.
    Refusing,
    /// Takes everything, and says the opposite.
    Forgetting,
    /// Neither takes nor answers anything.
    Stalled,
    /// Closes every connection.
    Down,
}

impl Mood {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Well => "well",
            Self::Slow(_) => "slow",
            Self::Refusing => "refusing",
            Self::Forgetting => "forgetting",
            Self::Stalled => "stalled",
            Self::Down => "down",
        }
    }
}

/// What looks at each span that arrives.
type Observer = Box<dyn FnMut(&[u8])>;

/// The backend.
pub(crate) struct Sink {
    /// Port of OTLP over HTTP.
    pub(crate) http: u16,
    /// Port of OTLP over gRPC.
    pub(crate) grpc: u16,
    state: Rc<State>,
}

struct State {
    mood: Cell<Mood>,
    changed: Notify,
    spans: Cell<u64>,
    requests: Cell<u64>,
    malformed: Cell<u64>,
    observer: RefCell<Observer>,
}

impl Sink {
    /// Listens on two free ports.
    ///
    /// # Errors
    /// There are none.
    pub(crate) async fn start(observer: impl FnMut(&[u8]) + 'static) -> Result<Self, Fault> {
        let state = Rc::new(State {
            mood: Cell::new(Mood::Well),
            changed: Notify::new(),
            spans: Cell::default(),
            requests: Cell::default(),
            malformed: Cell::default(),
            observer: RefCell::new(Box::new(observer)),
        });
        let http = listen(Rc::clone(&state), false).await?;
        let grpc = listen(Rc::clone(&state), true).await?;
        Ok(Self { http, grpc, state })
    }

    /// Spans taken until now, repeated ones too.
    pub(crate) fn spans(&self) -> u64 {
        self.state.spans.get()
    }

    /// Requests that were not OTLP.
    pub(crate) fn malformed(&self) -> u64 {
        self.state.malformed.get()
    }

    /// Behaves like this from now on; what is under way follows.
    pub(crate) fn be(&self, mood: Mood) {
        self.state.mood.set(mood);
        self.state.changed.notify_waiters();
    }
}

async fn listen(state: Rc<State>, grpc: bool) -> Result<u16, Fault> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(Fault::system("listening"))?;
    let port = listener.local_addr().map_err(Fault::system("listening"))?.port();
    spawn_local(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if state.mood.get() != Mood::Down {
                spawn_local(serve(stream, Rc::clone(&state), grpc));
            }
        }
    });
    Ok(port)
}

async fn serve(stream: TcpStream, state: Rc<State>, grpc: bool) {
    let _ = stream.set_nodelay(true);
    let own = Rc::clone(&state);
    let service = service_fn(move |request| answer(request, Rc::clone(&own), grpc));
    let stream = TokioIo::new(stream);
    let served = async {
        // A connection that breaks is the sender's affair.
        if grpc {
            let mut server = http2::Builder::new(Local);
            server.initial_stream_window_size(4 << 20).initial_connection_window_size(16 << 20);
            let _ = server.serve_connection(stream, service).await;
        } else {
            let _ = http1::Builder::new().serve_connection(stream, service).await;
        }
    };
    tokio::select! {
        () = served => {}
        () = until(&state, |mood| mood == Mood::Down) => {}
    }
}

async fn until(state: &State, is: impl Fn(Mood) -> bool) {
    loop {
        let changed = state.changed.notified();
        if is(state.mood.get()) {
            return;
        }
        changed.await;
    }
}

type Answered = Result<Response<UnsyncBoxBody<Bytes, Infallible>>, hyper::Error>;

async fn answer(request: Request<Incoming>, state: Rc<State>, grpc: bool) -> Answered {
    let encoding = if grpc { "grpc-encoding" } else { CONTENT_ENCODING.as_str() };
    let gzip = request.headers().get(encoding).is_some_and(|value| value == "gzip");
    let body = request.into_body().collect().await?.to_bytes();
    until(&state, |mood| mood != Mood::Stalled).await;
    let mood = state.mood.get();
    if let Mood::Slow(time) = mood {
        sleep(time).await;
    }
    if mood != Mood::Refusing {
        take(&state, &body, gzip, grpc);
    }
    let taken = !matches!(mood, Mood::Refusing | Mood::Forgetting);
    Ok(if grpc { over_grpc(taken) } else { over_http(taken) })
}

fn take(state: &State, body: &Bytes, gzip: bool, grpc: bool) {
    // A gRPC message has its own flag beside that of the request.
    let packed = gzip && (!grpc || body.first() == Some(&1));
    let message = if grpc { body.get(5..).unwrap_or_default() } else { body };
    let mut unpacked = Vec::new();
    let message = if packed {
        if MultiGzDecoder::new(message).read_to_end(&mut unpacked).is_err() {
            state.malformed.set(state.malformed.get() + 1);
        }
        unpacked.as_slice()
    } else {
        message
    };
    let (mut spans, mut observer) = (0, state.observer.borrow_mut());
    let whole = each_span(message, |span| {
        spans += 1;
        observer(span);
    });
    state.spans.set(state.spans.get() + spans);
    state.requests.set(state.requests.get() + 1);
    if whole.is_err() {
        state.malformed.set(state.malformed.get() + 1);
    }
}

fn over_http(taken: bool) -> Response<UnsyncBoxBody<Bytes, Infallible>> {
    let mut response = Response::new(Full::default().boxed_unsync());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"));
    if !taken {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    }
    response
}

fn over_grpc(taken: bool) -> Response<UnsyncBoxBody<Bytes, Infallible>> {
    let mut trailers = HeaderMap::new();
    // UNAVAILABLE is 14. An empty message is its prefix and nothing.
    trailers.insert("grpc-status", HeaderValue::from_static(if taken { "0" } else { "14" }));
    let message = if taken { Bytes::from_static(&[0; 5]) } else { Bytes::new() };
    let body = Full::new(message).with_trailers(async move { Some(Ok(trailers)) });
    let mut response = Response::new(body.boxed_unsync());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    response
}
