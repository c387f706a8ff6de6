//! Where a worker takes its deliveries from.

use super::gather::Gathering;
use super::{Depth, Limits, Queued, Waiting};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// Deliveries in the order in which they came, as many at once as can be joined.
pub(super) struct Source {
    waiting: Arc<Mutex<Waiting>>,
    /// Came after a delivery with which it could not be joined.
    next: Option<Queued>,
    /// Wait for more to come, for as long as `linger`.
    gathering: Gathering,
    linger: Duration,
    depth: Depth,
}

impl Source {
    pub(super) fn new(waiting: Arc<Mutex<Waiting>>, linger: Duration, depth: Depth) -> Self {
        Self { waiting, next: None, gathering: Gathering::default(), linger, depth }
    }

    /// The next deliveries that are one request within the limits, or one that is larger; `None` when the queue is closed
    /// and empty. Nothing is lost where this is dropped before it is done.
    pub(super) async fn next(&mut self, limits: Limits) -> Option<Vec<Queued>> {
        if !self.linger.is_zero() {
            return self.gather(limits).await;
        }
        // Who waits for what comes holds the lock; what is here already does not wait for that.
        if let Some(first) = self.next.take() {
            let Ok(mut waiting) = self.waiting.try_lock() else { return Some(vec![first]) };
            let (taken, next) = waiting.join(first, limits);
            self.next = next;
            return Some(taken);
        }
        let mut waiting = self.waiting.lock().await;
        let first = match waiting.returned.pop_front() {
            Some(first) => first,
            None => waiting.receiver.recv().await?,
        };
        let (taken, next) = waiting.join(first, limits);
        self.next = next;
        Some(taken)
    }

    /// The next deliveries of one signal that are as many as can be joined, or have waited for long enough, or are in a queue
    /// that is half full; `None` when the queue is closed and empty. Nothing is lost where this is dropped before it is done.
    async fn gather(&mut self, limits: Limits) -> Option<Vec<Queued>> {
        loop {
            if let Some(ready) = self.gathering.ready(limits) {
                return Some(ready);
            }
            let mut waiting = self.waiting.lock().await;
            let here = waiting.returned.pop_front().or_else(|| waiting.receiver.try_recv().ok());
            let next = match (here, self.gathering.due()) {
                (Some(here), _) => Some(here),
                (None, Some(_)) if self.depth.is_half_full() => return self.gathering.largest(),
                (None, None) => waiting.receiver.recv().await,
                (None, Some(due)) => match tokio::time::timeout_at(due, waiting.receiver.recv()).await {
                    Ok(next) => next,
                    Err(_) => continue,
                },
            };
            let Some(next) = next else { return self.gathering.largest() };
            if let Some(full) = self.gathering.add(next, limits, self.linger) {
                return Some(full);
            }
        }
    }

    pub(super) async fn close(&self) {
        self.waiting.lock().await.receiver.close();
    }

    /// Puts back what was taken, before everything that waits.
    pub(super) async fn put_back(&mut self, taken: Vec<Queued>) {
        let mut waiting = self.waiting.lock().await;
        let gathered = self.gathering.take_all();
        for queued in self.next.take().into_iter().chain(gathered.into_iter().rev()).chain(taken.into_iter().rev()) {
            waiting.returned.push_front(queued);
        }
    }
}
