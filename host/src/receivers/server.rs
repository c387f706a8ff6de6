//! The servers of the receivers: they accept connections, within a bound, and end in order.

use super::auth::Access;
use super::body::{Bounds, Unpacker};
use super::connection;
use super::exchange::Exchange;
use super::renew::{Encryption, Files};
use super::{Intake, grpc, http};
use crate::config::{self, Receivers};
use crate::metrics::Metrics;
use axum::Router;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsAcceptor;

/// How long a client has for the handshake of TLS.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Wait after the system could not accept a connection, for example because there are too many open files.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Why a receiver cannot start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// An address is in use, or not this machine's.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        error: std::io::Error,
    },
    /// Certificates or tokens cannot be read.
    #[error("{receiver}: {why}")]
    Credentials {
        /// Which receiver.
        receiver: &'static str,
        /// What is wrong.
        why: String,
    },
}

/// What the connections of one receiver share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) receiver: &'static str,
    pub(super) bounds: ConnectionBounds,
    /// True when the process ends.
    pub(super) ending: watch::Receiver<bool>,
    /// Requests that are not answered.
    pub(super) open: Arc<watch::Sender<usize>>,
    pub(super) metrics: Metrics,
}

/// Bounds on connections.
#[derive(Clone, Copy, Debug)]
pub(super) struct ConnectionBounds {
    pub(super) idle_timeout: Duration,
    pub(super) max_concurrent_streams: u32,
    pub(super) http2_only: bool,
}

impl Shared {
    /// Counts a connection that this side ends, or does not take.
    pub(super) fn count(&self, reason: &'static str) {
        let labels = vec![("receiver", self.receiver.to_owned()), ("reason", reason.to_owned())];
        self.metrics.connections_ended.with(labels).inc();
    }
}

/// The running servers of all receivers.
#[derive(Debug)]
pub struct Servers {
    tasks: Vec<JoinHandle<()>>,
    watchers: Vec<JoinHandle<()>>,
    ending: watch::Sender<bool>,
    disconnect: watch::Sender<Option<Instant>>,
}

impl Servers {
    /// Starts what the configuration names.
    ///
    /// # Errors
    /// An address cannot be listened on, or certificates or tokens cannot be read; nothing is running then.
    pub async fn start<I: Intake>(config: &Receivers, intake: &Arc<I>, metrics: &Metrics) -> Result<Self, ServeError> {
        let (ending, disconnect) = (watch::Sender::new(false), watch::Sender::new(None));
        let mut servers = Self { tasks: Vec::new(), watchers: Vec::new(), ending, disconnect };
        let unpacker = Unpacker::new();
        let mut bound = Vec::new();
        if let Some(config) = &config.grpc {
            let settings = Settings {
                receiver: "OTLP/gRPC",
                endpoint: config.endpoint,
                connections: config.connections,
                max_concurrent_streams: config.max_concurrent_streams,
                protocols: &[b"h2"],
                tls: config.tls.as_ref(),
                auth: config.auth.as_ref(),
            };
            let server = settings.bind(metrics).await?;
            let bounds = settings.bounds(config.max_message, grpc::PREFIX, &**intake);
            let router = grpc::router(server.exchange(intake, bounds, &unpacker));
            bound.push((settings, server, router));
        }
        if let Some(config) = &config.http {
            let settings = Settings {
                receiver: "OTLP/HTTP",
                endpoint: config.endpoint,
                connections: config.connections,
                max_concurrent_streams: HTTP_STREAMS,
                protocols: &[b"h2", b"http/1.1"],
                tls: config.tls.as_ref(),
                auth: config.auth.as_ref(),
            };
            let server = settings.bind(metrics).await?;
            let bounds = settings.bounds(config.max_body, 0, &**intake);
            let router = http::router(server.exchange(intake, bounds, &unpacker));
            bound.push((settings, server, router));
        }
        for (settings, server, router) in bound {
            servers.run(&settings, server, router, metrics);
        }
        Ok(servers)
    }

    fn run(&mut self, settings: &Settings<'_>, server: Bound, router: Router, metrics: &Metrics) {
        if settings.tls.is_some() || settings.auth.is_some() {
            self.watchers.push(tokio::spawn(server.files.watch()));
        }
        let shared = Arc::new(Shared {
            receiver: settings.receiver,
            bounds: ConnectionBounds {
                idle_timeout: settings.connections.idle_timeout,
                max_concurrent_streams: settings.max_concurrent_streams,
                http2_only: settings.protocols.len() == 1,
            },
            ending: self.ending.subscribe(),
            open: Arc::new(watch::Sender::new(0)),
            metrics: metrics.clone(),
        });
        let accepting = Accepting {
            listener: server.listener,
            encryption: server.encryption,
            router,
            places: Arc::new(Semaphore::new(settings.connections.max_connections)),
            shared,
        };
        self.tasks.push(tokio::spawn(accepting.run(self.disconnect.subscribe())));
    }

    /// Ends in order: requests that have begun are answered, new ones are refused with a status that asks to send
    /// again, and connections end. What is not over at `until` is cut off.
    pub async fn drain(self, until: Instant) {
        let _ = self.disconnect.send(Some(until));
        let _ = self.ending.send(true);
        for task in self.tasks {
            let _ = task.await;
        }
        for watcher in self.watchers {
            watcher.abort();
        }
    }
}

/// Requests that one connection of OTLP over HTTP/2 may have open at once.
const HTTP_STREAMS: u32 = 64;

/// What is configured of a receiver, beside its protocol.
struct Settings<'c> {
    receiver: &'static str,
    endpoint: SocketAddr,
    connections: config::Connections,
    max_concurrent_streams: u32,
    protocols: &'static [&'static [u8]],
    tls: Option<&'c config::Tls>,
    auth: Option<&'c config::Auth>,
}

/// A receiver that has its address and its credentials, and does not accept anything yet.
struct Bound {
    listener: TcpListener,
    encryption: Option<Encryption>,
    access: Access,
    files: Files,
}

impl Settings<'_> {
    async fn bind(&self, metrics: &Metrics) -> Result<Bound, ServeError> {
        let mut files = Files::new(self.receiver, metrics);
        let credentials = |why| ServeError::Credentials { receiver: self.receiver, why };
        let encryption = self.tls.map(|tls| files.encryption(tls, self.protocols)).transpose().map_err(credentials)?;
        let access = self.auth.map(|auth| files.access(auth)).transpose().map_err(credentials)?.unwrap_or_default();
        let address = self.endpoint;
        let listener = TcpListener::bind(address).await.map_err(|error| ServeError::Listen { address, error })?;
        let address = listener.local_addr().unwrap_or(address);
        tracing::info!(%address, "{} listening", self.receiver);
        if !address.ip().is_loopback() && (self.tls.is_none() || self.auth.is_none()) {
            let lacks = match (self.tls, self.auth) {
                (None, None) => "neither tls nor auth: whoever reaches it can read and send",
                (None, Some(_)) => "no tls: tokens and telemetry can be read on the way",
                _ if self.tls.is_some_and(|tls| tls.client_ca_file.is_some()) => "",
                _ => "no auth: whoever reaches it can send",
            };
            if !lacks.is_empty() {
                tracing::warn!(%address, "{} is reachable from other machines and has {lacks}", self.receiver);
            }
        }
        Ok(Bound { listener, encryption, access, files })
    }

    fn bounds(&self, bytes: usize, framing: usize, intake: &impl Intake) -> Bounds {
        Bounds { bytes, framing, time: self.connections.read_timeout, retry_after: intake.admission().retry_after() }
    }
}

impl Bound {
    fn exchange<I: Intake>(&self, intake: &Arc<I>, bounds: Bounds, unpacker: &Unpacker) -> Arc<Exchange<I>> {
        let (intake, access, unpacker) = (Arc::clone(intake), self.access.clone(), unpacker.clone());
        Arc::new(Exchange { intake, access, bounds, unpacker })
    }
}

/// The loop that accepts connections.
struct Accepting {
    listener: TcpListener,
    encryption: Option<Encryption>,
    router: Router,
    places: Arc<Semaphore>,
    shared: Arc<Shared>,
}

impl Accepting {
    /// Accepts until the process ends, and then until every request that has begun is answered.
    async fn run(self, disconnect: watch::Receiver<Option<Instant>>) {
        let mut connections = JoinSet::new();
        let mut over =
            Box::pin(Self::over(self.shared.ending.clone(), self.shared.open.subscribe(), disconnect.clone()));
        loop {
            tokio::select! {
                () = &mut over => break,
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, _)) => self.take(stream, &mut connections),
                    Err(error) => {
                        tracing::warn!(receiver = self.shared.receiver, %error, "a connection could not be accepted");
                        self.shared.count("accept");
                        tokio::time::sleep(ACCEPT_AGAIN).await;
                    }
                },
                Some(_) = connections.join_next(), if !connections.is_empty() => {}
            }
        }
        drop(self.listener);
        let until = disconnect.borrow().unwrap_or_else(Instant::now);
        let rest = async { while connections.join_next().await.is_some() {} };
        if timeout_at(until, rest).await.is_err() {
            connections.shutdown().await;
        }
    }

    /// Done when the process ends and no request is open, or when connections are to be cut off.
    async fn over(
        mut ending: watch::Receiver<bool>,
        mut open: watch::Receiver<usize>,
        disconnect: watch::Receiver<Option<Instant>>,
    ) {
        let _ = ending.wait_for(|ending| *ending).await;
        let until = disconnect.borrow().unwrap_or_else(Instant::now);
        let _ = timeout_at(until, open.wait_for(|open| *open == 0)).await;
    }

    fn take(&self, stream: TcpStream, connections: &mut JoinSet<()>) {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            self.shared.count("too_many");
            return;
        };
        let _ = stream.set_nodelay(true);
        let encryption = self.encryption.as_ref().map(Encryption::now);
        let (router, shared) = (self.router.clone(), Arc::clone(&self.shared));
        let gauge = shared.metrics.connections.with(vec![("receiver", shared.receiver.to_owned())]);
        connections.spawn(async move {
            let _place = Place::taken(place, gauge);
            let Some(encryption) = encryption else { return connection::serve(stream, router, shared).await };
            match timeout(HANDSHAKE, TlsAcceptor::from(encryption).accept(stream)).await {
                Ok(Ok(stream)) => connection::serve(stream, router, shared).await,
                Ok(Err(error)) => {
                    tracing::debug!(receiver = shared.receiver, %error, "a TLS handshake failed");
                    shared.count("tls");
                }
                Err(_) => shared.count("tls_timeout"),
            }
        });
    }
}

/// The place of an open connection.
struct Place {
    _permit: OwnedSemaphorePermit,
    gauge: tollgate_metering::Handle<tollgate_metering::Level>,
}

impl Place {
    fn taken(permit: OwnedSemaphorePermit, gauge: tollgate_metering::Handle<tollgate_metering::Level>) -> Self {
        gauge.inc();
        Self { _permit: permit, gauge }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.gauge.dec();
    }
}
