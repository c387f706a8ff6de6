//! From a delivery to what the receiver takes: cut to its limits, sent again until it is taken, and counted.

use super::retry::{Backoff, jitter};
use super::{Delivery, Limits, Prepare, SendError, Sink, wire};
use crate::config::Retry;
use crate::memory::{Memory, Share, Use};
use crate::metrics::{Labels, Metrics};
use bytes::Bytes;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// What was learned of a receiver's limit is not believed below this: a receiver that refuses requests as small as this
/// for their size has something against what is in them.
const LEAST_LEARNED: usize = 64 << 10;

/// A sink with what all outputs do the same way.
///
/// It is shared by the consumers of a queue: one [`send`](Self::send) each.
#[derive(Debug)]
pub struct Sending<S> {
    sink: S,
    output: Arc<str>,
    limits: Limits,
    preparation: Option<Arc<dyn Prepare>>,
    /// Where what was prepared is counted.
    memory: Memory,
    retry: Retry,
    /// Most bytes that the receiver takes, as far as it has refused more. It is kept until the process ends.
    learned: AtomicUsize,
    metrics: Metrics,
}

/// What is left to send of a delivery.
///
/// It stands beside the future that sends it, so that whoever drops the future still knows what was not taken.
#[derive(Debug)]
pub struct Shipment {
    /// The part that comes next is the last.
    parts: Vec<Delivery>,
    /// Whether the parts are as the output wants them.
    prepared: bool,
    /// What the prepared parts take beside what they were made of.
    _share: Option<Share>,
}

impl Shipment {
    /// All of a delivery.
    #[must_use]
    pub fn new(delivery: Delivery) -> Self {
        Self { parts: vec![delivery], prepared: false, _share: None }
    }

    /// How many items have neither been taken nor dropped.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.parts.iter().map(|part| part.items).sum()
    }
}

impl<S: Sink> Sending<S> {
    /// Sends through `sink` under the name `output`.
    pub fn new(output: &str, sink: S, retry: Retry, memory: &Memory, metrics: &Metrics) -> Self {
        let limits = sink.limits();
        let preparation = sink.preparation();
        let learned = AtomicUsize::new(limits.max_bytes);
        Self {
            sink,
            output: Arc::from(output),
            limits,
            preparation,
            memory: memory.clone(),
            retry,
            learned,
            metrics: metrics.clone(),
        }
    }

    /// What the sink wants to be given at once. Deliveries may be larger; they are cut.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// How long deliveries wait for others to be joined with.
    pub fn linger(&self) -> Duration {
        self.sink.linger()
    }

    /// Sends until nothing is left: each part has been taken, or was dropped and counted. A part that was taken is not
    /// sent again when a later one fails. May be dropped at any time; `shipment` then says what is left.
    pub async fn send(&self, shipment: &mut Shipment) {
        self.prepare(shipment).await;
        while let Some(part) = shipment.parts.last() {
            let bound = self.learned.load(Ordering::Relaxed);
            if (part.bytes.len() > bound || part.items > self.limits.max_items)
                && let Some(parts) = cut(part, bound, self.limits.max_items)
            {
                shipment.replace(parts);
                continue;
            }
            match self.until_settled(part).await {
                Settled::Taken { rejected } => {
                    let taken = part.items.saturating_sub(rejected);
                    self.metrics.output_sent.with(self.labels()).inc_by(taken);
                    self.dropped("rejected", rejected.min(part.items));
                    shipment.parts.pop();
                }
                Settled::Dropped(reason) => {
                    self.dropped(reason, part.items);
                    shipment.parts.pop();
                }
                Settled::TooLarge(why) => {
                    // Halves, by items too, so that each is smaller whatever its items look like.
                    match cut(part, part.bytes.len() / 2, part.items.div_ceil(2)) {
                        Some(parts) => {
                            // A single item that is too large says nothing of requests that have more.
                            self.learn(part.bytes.len());
                            tracing::debug!(output = &*self.output, bytes = part.bytes.len(), why, "sending in parts");
                            shipment.replace(parts);
                        }
                        None => {
                            let (bytes, items) = (part.bytes.len(), part.items);
                            tracing::error!(output = &*self.output, bytes, items, why, "too large, and lost");
                            self.dropped("too_large", items);
                            shipment.parts.pop();
                        }
                    }
                }
            }
        }
    }

    /// Has a shipment prepared that is not yet. Where this is dropped, nothing has changed.
    async fn prepare(&self, shipment: &mut Shipment) {
        let Some(preparation) = self.preparation.as_ref().filter(|_| !shipment.prepared) else { return };
        let (preparation, parts) = (Arc::clone(preparation), shipment.parts.clone());
        let prepare = move || parts.into_iter().map(|part| preparation.prepare(part)).collect::<Vec<_>>();
        let prepared = match tokio::task::spawn_blocking(prepare).await {
            Ok(prepared) => prepared,
            Err(error) => {
                // Only a process that ends drops work that has not begun; what goes wrong within is a defect.
                tracing::error!(output = &*self.output, %error, "a delivery is sent unprepared");
                self.metrics.output_unconverted.with(self.labels()).inc_by(shipment.left());
                shipment.prepared = true;
                return;
            }
        };
        shipment.prepared = true;
        shipment.parts.clear();
        for part in prepared {
            self.dropped("not_wanted", part.not_wanted);
            if part.unconverted > 0 {
                self.metrics.output_unconverted.with(self.labels()).inc_by(part.unconverted);
            }
            shipment.parts.extend(part.delivery);
        }
        let bytes: usize = shipment.parts.iter().map(|part| part.bytes.len()).sum();
        shipment._share = Some(self.memory.hold(Use::Queues, u64::try_from(bytes).unwrap_or(u64::MAX)));
    }

    /// Sends a part, again after a wait where it may be taken then.
    async fn until_settled(&self, part: &Delivery) -> Settled {
        let mut backoff = Backoff::new(self.retry);
        loop {
            match self.sink.send(part).await {
                Ok(rejected) => return Settled::Taken { rejected },
                Err(SendError::TooLarge { why }) => return Settled::TooLarge(why),
                Err(SendError::Never { why }) => {
                    tracing::error!(output = &*self.output, items = part.items, why, "refused, and lost");
                    return Settled::Dropped("refused");
                }
                Err(SendError::Again { why, after }) => {
                    let Some(wait) = backoff.next(after, jitter()) else {
                        tracing::error!(output = &*self.output, items = part.items, why, "given up, and lost");
                        return Settled::Dropped("retries_exhausted");
                    };
                    tracing::warn!(output = &*self.output, why, ?wait, "sending again");
                    self.metrics.output_retries.with(self.labels()).inc();
                    tokio::time::sleep(wait).await;
                }
            }
        }
    }

    /// Remembers that `bytes` were too many. Halves of it are tried, so half of it is what is cut to from now on.
    fn learn(&self, bytes: usize) {
        if bytes > LEAST_LEARNED {
            let bound = (bytes / 2).max(LEAST_LEARNED);
            if self.learned.fetch_min(bound, Ordering::Relaxed) > bound {
                tracing::warn!(output = &*self.output, refused = bytes, bound, "requests are made smaller");
            }
        }
    }

    fn dropped(&self, reason: &'static str, items: u64) {
        if items > 0 {
            let mut labels = self.labels();
            labels.push(("reason", reason.to_owned()));
            self.metrics.output_dropped.with(labels).inc_by(items);
        }
    }

    fn labels(&self) -> Labels {
        vec![("output", self.output.to_string())]
    }
}

impl Shipment {
    /// Puts parts in the place of the one that comes next.
    fn replace(&mut self, parts: Vec<Delivery>) {
        self.parts.pop();
        self.parts.extend(parts.into_iter().rev());
    }
}

/// What became of a part.
enum Settled {
    Taken { rejected: u64 },
    TooLarge(String),
    Dropped(&'static str),
}

/// The parts of a delivery; `None` where it cannot be cut.
fn cut(delivery: &Delivery, max_bytes: usize, max_items: u64) -> Option<Vec<Delivery>> {
    let items = wire::items(delivery.signal);
    let parts = tollgate_otlp::split(&delivery.bytes, items, max_bytes, max_items.max(1)).ok()?;
    let whole = |part: tollgate_otlp::Part| Delivery {
        signal: delivery.signal,
        bytes: Bytes::from(part.bytes),
        items: part.items,
    };
    let parts: Vec<_> = parts.map(whole).collect();
    (parts.len() > 1).then_some(parts)
}

#[cfg(test)]
mod tests;
