//! A collector: keeps the body of every request it gets.

use crate::upstream::{Answer, Request, Upstream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// A collector of OTLP over HTTP.
pub struct Sink {
    upstream: Upstream,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Sink {
    /// Starts a collector that accepts everything.
    #[must_use]
    pub fn start() -> Self {
        Self::answering(|_| Answer::sized(200, &[("content-type", "application/x-protobuf")], b""))
    }

    /// Starts a collector that answers as a test wants.
    #[must_use]
    pub fn answering(answer: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        let requests = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&requests);
        let upstream = Upstream::start(move |request| {
            kept.lock().unwrap().push(request.clone());
            answer(request)
        });
        Self { upstream, requests }
    }

    /// Where it listens.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.upstream.port()
    }

    /// Every request so far.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// Waits until `enough` is satisfied with the requests so far, for ten seconds at most, and gives them.
    #[must_use]
    pub fn wait(&self, enough: impl Fn(&[Request]) -> bool) -> Vec<Request> {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let requests = self.requests();
            if enough(&requests) || Instant::now() > deadline {
                return requests;
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}
