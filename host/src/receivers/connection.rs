//! One connection of a receiver: its requests, its end when it is idle, and its end with the process.

use super::server::Shared;
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Request, Version, header};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tower::{ServiceExt, service_fn};

/// How long a connection that was asked to end has for what is still on its way.
const GRACE: Duration = Duration::from_secs(5);
/// Most bytes of heads that are read at once from a connection of HTTP/1.
const HEAD_BYTES: usize = 64 << 10;

/// What a connection has to do.
#[derive(Clone, Copy, Debug)]
struct Activity {
    /// Requests that are not answered.
    open: usize,
    /// Requests that were begun.
    begun: u64,
    /// When the last of them was answered.
    since: Instant,
}

/// One request of a connection that is not answered.
struct Open {
    connection: Arc<watch::Sender<Activity>>,
    /// Requests of all connections, where this one is among those that the end of the process waits for.
    all: Option<Arc<watch::Sender<usize>>>,
}

impl Open {
    fn new(connection: &Arc<watch::Sender<Activity>>, all: Option<&Arc<watch::Sender<usize>>>) -> Self {
        connection.send_modify(|activity| {
            activity.open += 1;
            activity.begun += 1;
        });
        if let Some(all) = all {
            all.send_modify(|open| *open += 1);
        }
        Self { connection: Arc::clone(connection), all: all.map(Arc::clone) }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.connection.send_modify(|activity| {
            activity.open = activity.open.saturating_sub(1);
            activity.since = Instant::now();
        });
        if let Some(all) = &self.all {
            all.send_modify(|open| *open = open.saturating_sub(1));
        }
    }
}

/// Serves a connection until its peer, its idleness or the end of the process ends it.
pub(super) async fn serve<IO>(io: IO, router: Router, shared: Arc<Shared>)
where
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, mut activity) = watch::channel(Activity { open: 0, begun: 0, since: Instant::now() });
    let sender = Arc::new(sender);
    let all = Arc::clone(&shared.open);
    let ending = shared.ending.clone();
    let mut stopped = shared.ending.clone();
    let service = service_fn(move |request: Request<hyper::body::Incoming>| {
        // One that comes while the process ends is refused, and not waited for.
        let waited_for = (!*ending.borrow()).then_some(&all);
        let (open, router, ending) = (Open::new(&sender, waited_for), router.clone(), ending.clone());
        async move {
            let old = request.version() < Version::HTTP_2;
            let mut response = router.oneshot(request.map(Body::new)).await?;
            if old && *ending.borrow() {
                response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            drop(open);
            Ok::<_, Infallible>(response)
        }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    if shared.bounds.http2_only {
        builder = builder.http2_only();
    }
    builder.http1().max_buf_size(HEAD_BYTES);
    builder.http2().max_concurrent_streams(shared.bounds.max_concurrent_streams);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(io), TowerToHyperService::new(service)));

    // A connection that comes while the process ends has its one request answered first.
    let late = *stopped.borrow_and_update();
    let mut asked_to_end = None;
    loop {
        let now = *activity.borrow_and_update();
        if asked_to_end.is_none() && *stopped.borrow() && (!late || now.begun > 0) {
            connection.as_mut().graceful_shutdown();
            asked_to_end = Some(Instant::now());
        }
        let since = asked_to_end.map_or(now.since, |asked| asked.max(now.since));
        let allowed = if asked_to_end.is_some() { GRACE } else { shared.bounds.idle_timeout };
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection broke off");
                }
                return;
            }
            () = sleep_until(since + allowed), if now.open == 0 => {
                if asked_to_end.is_some() {
                    return;
                }
                shared.count("idle");
                connection.as_mut().graceful_shutdown();
                asked_to_end = Some(Instant::now());
            }
            Ok(()) = activity.changed() => {}
            Ok(()) = stopped.changed(), if asked_to_end.is_none() => {}
        }
    }
}
