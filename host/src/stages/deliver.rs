//! Stage 6, deliver: every output gets each delivery, in a queue of its own.
//!
//! A queue holds deliveries in memory up to its bound. What comes beyond that waits in the log, and is read back when
//! its turn comes: a queue never drops. What stands in the log as it is, a request whose traces were not sampled, waits
//! there at no cost; what was put together from several requests is appended as a record of its own first. Without a
//! log on disk requests are refused where a queue is full.

use super::Exchange;
use super::log::{Kind, Log, Receipt};
use crate::memory::{Memory, Use};
use crate::metrics::Metrics;
use crate::outputs::{Body, Queue, Queued};
use crate::receivers::{Refusal, Signal};
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;

/// The queues of all outputs.
#[derive(Debug)]
pub struct Deliver {
    queues: Exchange<[Queue]>,
    log: Log,
    memory: Memory,
    retry_after: Duration,
    metrics: Metrics,
}

impl Deliver {
    /// Delivers to these queues. What does not fit into one of them waits in the log.
    #[must_use]
    pub fn new(queues: Vec<Queue>, log: Log, memory: Memory, retry_after: Duration, metrics: &Metrics) -> Self {
        Self { queues: Exchange::new(queues.into()), log, memory, retry_after, metrics: metrics.clone() }
    }

    /// Delivers to other queues from now on.
    pub fn exchange(&self, queues: Vec<Queue>) {
        self.queues.exchange(queues.into());
    }

    /// Whether requests can be let in. Where there is a log on disk they always can.
    ///
    /// # Errors
    /// A queue is full and there is no log for what comes beyond it.
    pub fn has_room(&self) -> Result<(), Refusal> {
        if self.log.is_on_disk() || self.queues.now().iter().all(|queue| queue.has_room(0)) {
            return Ok(());
        }
        Err(Refusal::Overloaded { what: "the queue of an output is full", retry_after: self.retry_after })
    }

    /// Hands over what was accepted with one receipt: it stands in the log as it is.
    pub fn request(&self, signal: Signal, bytes: Bytes, items: usize, receipt: Receipt) {
        self.hand_out(signal, bytes, items, vec![receipt], true);
    }

    /// Hands over what was put together from the requests with these receipts.
    pub fn deliver(&self, signal: Signal, bytes: Bytes, items: usize, receipts: Vec<Receipt>) {
        self.hand_out(signal, bytes, items, receipts, false);
    }

    /// Hands over metrics of this process. They are not in the log: the next ones say the same and more, so where they do not
    /// fit they are left out and counted.
    pub fn own_metrics(&self, bytes: Bytes, points: u64) {
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if self.queues.now().iter().all(|queue| queue.has_room(size)) {
            self.hand_out(Signal::Metrics, bytes, usize::try_from(points).unwrap_or(usize::MAX), Vec::new(), false);
        } else {
            self.metrics.own_points_left_out.inc_by(points);
        }
    }

    /// `as_logged` says that the only receipt is that of a record with just these bytes.
    fn hand_out(&self, signal: Signal, bytes: Bytes, items: usize, receipts: Vec<Receipt>, as_logged: bool) {
        if items == 0 {
            return;
        }
        let items = u64::try_from(items).unwrap_or(u64::MAX);
        if signal == Signal::Traces {
            self.metrics.spans_kept.inc_by(items);
        }
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let queues = self.queues.now();
        let fits = queues.iter().all(|queue| queue.has_room(size));
        let (receipts, as_logged) = match fits || as_logged {
            true => (receipts, as_logged),
            // The copy stands for its sources from here on.
            false => match self.log.append(kind(signal), &bytes) {
                Ok(copy) if copy.is_on_disk() => (vec![copy], true),
                _ => (receipts, false),
            },
        };
        let stored = receipts.first().filter(|receipt| as_logged && receipt.is_on_disk());
        let held = Arc::new((bytes, self.memory.hold(Use::Queues, size)));
        for queue in queues.iter() {
            if !receipts.is_empty() && receipts.iter().all(|receipt| receipt.is_done_for(queue.part())) {
                continue;
            }
            let body = match stored {
                Some(stored) if !queue.has_room(size) => Body::Stored(stored.clone()),
                _ => Body::Held(Arc::clone(&held)),
            };
            let marks = stored.is_some() && queues.len() > 1;
            queue.push(Queued::new((signal, items, size), body, receipts.clone(), marks, &self.memory));
        }
    }
}

/// What a delivery is in the log when it was put together after sampling.
const fn kind(signal: Signal) -> Kind {
    match signal {
        Signal::Traces => Kind::Kept,
        Signal::Logs => Kind::Logs,
        Signal::Metrics => Kind::Metrics,
    }
}
