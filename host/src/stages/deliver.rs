//! Stage 6, deliver: every output gets its own copy of the reference, in its own queue.

use crate::metrics::Metrics;
use crate::outputs::{Delivery, Queue};
use crate::receivers::Signal;
use crate::stages::log::Receipt;
use bytes::Bytes;

/// The queues of all outputs.
#[derive(Debug)]
pub struct Deliver {
    queues: Vec<Queue>,
    metrics: Metrics,
}

impl Deliver {
    /// Delivers to these queues.
    #[must_use]
    pub fn new(queues: Vec<Queue>, metrics: &Metrics) -> Self {
        Self { queues, metrics: metrics.clone() }
    }

    /// Hands over an encoded request with `items` spans or log records, and the receipts of the requests they came in.
    pub fn deliver(&self, signal: Signal, bytes: Bytes, items: usize, receipts: Vec<Receipt>) {
        drop(receipts);
        if items == 0 {
            return;
        }
        let items = u64::try_from(items).unwrap_or(u64::MAX);
        if signal == Signal::Traces {
            self.metrics.spans_kept.inc_by(items);
        }
        for queue in &self.queues {
            queue.push(Delivery { signal, bytes: bytes.clone(), items });
        }
    }
}
