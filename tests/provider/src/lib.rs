//! A simulated LLM provider for tests and the demo: OpenAI and Anthropic, JSON and SSE.
//!
//! In: HTTP requests as the official clients send them, to `/v1/chat/completions`, `/v1/responses` (OpenAI),
//! `/v1/messages`, `/v1/messages/count_tokens` (Anthropic) and `/v1/models`. A request says through `x-sim-*` headers
//! how it wants to be answered (see [`directives`]); without them the answer is a function of the request alone.
//!
//! Out: answers in the shapes of the two public API references, and a [`ledger`]: one line a call with what was
//! really served, to compare the counts of others with. `GET /sim/served` returns it, `DELETE /sim/served` empties it.
//!
//! ```
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! use tollgate_simulated_provider::SimulatedProvider;
//!
//! let provider = SimulatedProvider::start("127.0.0.1:0").await?;
//! println!("point a client at {}/v1", provider.base_url());
//! assert!(provider.served().is_empty());
//! provider.stop().await;
//! # Ok::<(), std::io::Error>(())
//! # }).unwrap();
//! ```
#![forbid(unsafe_code)]

mod answer;
mod anthropic_messages;
mod delivery;
pub mod directives;
mod fault;
pub mod ledger;
mod models;
mod openai_chat;
mod openai_responses;
mod plan;
mod server;
mod text;

use axum::serve::ListenerExt;
use ledger::{Ledger, Served};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::{TcpListener, ToSocketAddrs};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// What bounds the memory of a simulated provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Calls the ledger keeps; later ones are only counted.
    pub ledger_entries: usize,
    /// Largest request body, in bytes; a larger one is answered with status 413.
    pub request_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { ledger_entries: 100_000, request_bytes: 32 * 1024 * 1024 }
    }
}

/// A running simulated provider. It stops when it is dropped.
#[derive(Debug)]
pub struct SimulatedProvider {
    address: SocketAddr,
    ledger: Arc<Ledger>,
    shutdown: Option<oneshot::Sender<()>>,
    server: JoinHandle<()>,
}

impl SimulatedProvider {
    /// Listens on `address` (port 0 takes a free one) with the default [`Limits`].
    ///
    /// # Errors
    /// Where the address cannot be bound.
    pub async fn start(address: impl ToSocketAddrs) -> io::Result<Self> {
        Self::start_with(address, Limits::default()).await
    }

    /// Listens on `address` with limits of the caller's.
    ///
    /// # Errors
    /// Where the address cannot be bound.
    pub async fn start_with(address: impl ToSocketAddrs, limits: Limits) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        // Small events must leave at once, or Nagle's algorithm adds tens of milliseconds to what others measure.
        // A connection that cannot be set so is slower, and that is all.
        let listener = listener.tap_io(|connection| drop(connection.set_nodelay(true)));
        let ledger = Arc::new(Ledger::new(limits.ledger_entries));
        let router = server::router(Arc::clone(&ledger), limits.request_bytes);
        let (shutdown, stopped) = oneshot::channel::<()>();
        let server = tokio::spawn(async move {
            // A dropped sender stops the server just as a sent message does.
            let serving = axum::serve(listener, router);
            tokio::select! {
                _ = serving => {}
                _ = stopped => {}
            }
        });
        Ok(Self { address, ledger, shutdown: Some(shutdown), server })
    }

    /// The address it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://host:port`, without a trailing slash.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The calls served so far, in the order in which they ended.
    #[must_use]
    pub fn served(&self) -> Vec<Served> {
        self.ledger.entries()
    }

    /// Calls that the ledger had no room for since the last reset.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.ledger.dropped()
    }

    /// Empties the ledger.
    pub fn reset(&self) {
        self.ledger.reset();
    }

    /// Stops listening and waits until the listener is gone.
    pub async fn stop(mut self) {
        drop(self.shutdown.take());
        // The task can only end by returning: it neither panics nor is it cancelled.
        let _ended = self.server.await;
    }

    /// Serves until the listener fails; for a program that does nothing else.
    pub async fn wait(mut self) {
        let _ended = (&mut self.server).await;
        drop(self.shutdown.take());
    }
}
