//! The bounded queue before an output, and the worker that empties it.

use super::retry::{Backoff, jitter};
use super::{Delivery, SendError, Sink};
use crate::config;
use crate::metrics::Metrics;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

/// The end of a queue that takes deliveries.
#[derive(Clone, Debug)]
pub struct Queue {
    sender: mpsc::Sender<Delivery>,
    depth: Depth,
}

/// What waits in a queue, with the counters of its output.
#[derive(Clone, Debug)]
struct Depth {
    output: Arc<str>,
    bytes: Arc<AtomicU64>,
    most_bytes: u64,
    metrics: Metrics,
}

/// The running worker of an output.
#[derive(Debug)]
pub struct Worker {
    task: JoinHandle<()>,
    phase: watch::Sender<Phase>,
}

/// How far the end of a worker has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Deliveries come and go.
    Running,
    /// Nothing more is taken; what waits is sent.
    Draining,
    /// What still waits is dropped.
    GivenUp,
}

/// Starts an output: its queue and its worker.
pub fn start<S: Sink>(
    name: &str,
    sink: S,
    limits: config::Queue,
    retry: config::Retry,
    metrics: &Metrics,
) -> (Queue, Worker) {
    let (sender, receiver) = mpsc::channel(limits.max_requests);
    let depth = Depth {
        output: Arc::from(name),
        bytes: Arc::default(),
        most_bytes: limits.max_bytes,
        metrics: metrics.clone(),
    };
    let (phase, seen) = watch::channel(Phase::Running);
    let task = tokio::spawn(work(sink, receiver, depth.clone(), retry, seen));
    (Queue { sender, depth }, Worker { task, phase })
}

impl Queue {
    /// Takes a delivery, or drops and counts it where the queue is full.
    pub fn push(&self, delivery: Delivery) {
        let (items, size) = (delivery.items, Depth::size(&delivery));
        if !self.depth.take(size) {
            self.depth.dropped("queue_full", items);
            return;
        }
        // Counted before it is sent, since the worker may be done with it at once.
        self.depth.requests().inc();
        if let Err(error) = self.sender.try_send(delivery) {
            self.depth.requests().dec();
            self.depth.give_back(size);
            let full = matches!(error, mpsc::error::TrySendError::Full(_));
            self.depth.dropped(if full { "queue_full" } else { "shutdown" }, items);
        }
    }
}

impl Worker {
    /// Closes the queue and waits until it is empty. At the deadline what still waits is dropped and counted.
    pub async fn drain(mut self, deadline: tokio::time::Instant) {
        let _ = self.phase.send(Phase::Draining);
        if tokio::time::timeout_at(deadline, &mut self.task).await.is_err() {
            let _ = self.phase.send(Phase::GivenUp);
            let _ = self.task.await;
        }
    }
}

impl Depth {
    fn size(delivery: &Delivery) -> u64 {
        u64::try_from(delivery.bytes.len()).unwrap_or(u64::MAX)
    }

    fn take(&self, size: u64) -> bool {
        let fits = |bytes: u64| bytes.checked_add(size).filter(|&total| total <= self.most_bytes);
        let taken = self.bytes.fetch_update(Ordering::AcqRel, Ordering::Acquire, fits).is_ok();
        self.show();
        taken
    }

    fn give_back(&self, size: u64) {
        self.bytes.fetch_sub(size, Ordering::AcqRel);
        self.show();
    }

    fn show(&self) {
        let bytes = i64::try_from(self.bytes.load(Ordering::Acquire)).unwrap_or(i64::MAX);
        self.metrics.queue_bytes.with(self.labels()).set(bytes);
    }

    fn requests(&self) -> prometheus_client::metrics::gauge::Gauge {
        self.metrics.queue_requests.with(self.labels())
    }

    fn labels(&self) -> crate::metrics::Labels {
        vec![("output", self.output.to_string())]
    }

    fn dropped(&self, reason: &'static str, items: u64) {
        let mut labels = self.labels();
        labels.push(("reason", reason.to_owned()));
        self.metrics.output_dropped.with(labels).inc_by(items);
    }
}

async fn work<S: Sink>(
    mut sink: S,
    mut receiver: mpsc::Receiver<Delivery>,
    depth: Depth,
    retry: config::Retry,
    mut phase: watch::Receiver<Phase>,
) {
    let mut open = true;
    loop {
        let delivery = tokio::select! {
            delivery = receiver.recv() => delivery,
            _ = phase.wait_for(|phase| *phase != Phase::Running), if open => {
                open = false;
                receiver.close();
                continue;
            }
        };
        let Some(delivery) = delivery else { return };
        let sent = tokio::select! {
            biased;
            _ = phase.wait_for(|phase| *phase == Phase::GivenUp) => Err("shutdown"),
            sent = send(&mut sink, &delivery, &depth, retry) => sent,
        };
        match sent {
            Ok(rejected) => {
                depth.metrics.output_sent.with(depth.labels()).inc_by(delivery.items.saturating_sub(rejected));
                if rejected > 0 {
                    depth.dropped("rejected", rejected);
                }
            }
            Err(reason) => depth.dropped(reason, delivery.items),
        }
        depth.give_back(Depth::size(&delivery));
        depth.requests().dec();
    }
}

/// Sends until it is taken or given up; gives what the receiver turned away, or the reason of the loss.
async fn send<S: Sink>(
    sink: &mut S,
    delivery: &Delivery,
    depth: &Depth,
    retry: config::Retry,
) -> Result<u64, &'static str> {
    let mut backoff = Backoff::new(retry);
    loop {
        match sink.send(delivery).await {
            Ok(rejected) => return Ok(rejected),
            Err(SendError::Never { why }) => {
                tracing::error!(output = &*depth.output, items = delivery.items, why, "a delivery is lost");
                return Err("refused");
            }
            Err(SendError::Again { why, after }) => {
                let Some(wait) = backoff.next(after, jitter()) else {
                    tracing::error!(output = &*depth.output, items = delivery.items, why, "a delivery is lost");
                    return Err("retries_exhausted");
                };
                tracing::warn!(output = &*depth.output, why, ?wait, "sending again");
                depth.metrics.output_retries.with(depth.labels()).inc();
                tokio::time::sleep(wait).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::receivers::Signal;
    use bytes::Bytes;
    use std::time::Duration;

    /// Fails as often as it is told, then takes.
    struct Flaky {
        failures: usize,
        error: SendError,
    }

    impl Sink for Flaky {
        async fn send(&mut self, _: &Delivery) -> Result<u64, SendError> {
            if self.failures == 0 {
                return Ok(1);
            }
            self.failures -= 1;
            Err(self.error.clone())
        }
    }

    fn delivery(bytes: usize) -> Delivery {
        Delivery { signal: Signal::Traces, bytes: Bytes::from(vec![0; bytes]), items: 10 }
    }

    fn limits(max_bytes: u64, max_requests: usize) -> config::Queue {
        config::Queue { max_bytes, max_requests }
    }

    const RETRY: config::Retry = config::Retry {
        initial_interval: Duration::from_millis(1),
        max_interval: Duration::from_millis(2),
        max_elapsed_time: Duration::from_secs(60),
    };

    async fn run(sink: Flaky, limits: config::Queue, deliveries: &[usize]) -> String {
        let metrics = Metrics::new(100);
        let (queue, worker) = start("out", sink, limits, RETRY, &metrics);
        for &bytes in deliveries {
            queue.push(delivery(bytes));
        }
        worker.drain(tokio::time::Instant::now() + Duration::from_millis(500)).await;
        metrics.page()
    }

    fn again() -> SendError {
        SendError::Again { why: "down".to_owned(), after: None }
    }

    fn assert_line(page: &str, line: &str) {
        assert!(page.lines().any(|found| found == line), "no line {line} in\n{page}");
    }

    #[tokio::test]
    async fn a_delivery_is_sent_again_until_it_is_taken() {
        let page = run(Flaky { failures: 3, error: again() }, limits(1000, 10), &[5]).await;
        assert_line(&page, r#"tollgate_output_retries_total{output="out"} 3"#);
        assert_line(&page, r#"tollgate_output_sent_total{output="out"} 9"#);
        assert_line(&page, r#"tollgate_output_dropped_total{output="out",reason="rejected"} 1"#);
        assert_line(&page, r#"tollgate_output_queue_bytes{output="out"} 0"#);
        assert_line(&page, r#"tollgate_output_queue_requests{output="out"} 0"#);
    }

    #[tokio::test]
    async fn a_refused_delivery_is_not_sent_again() {
        let never = SendError::Never { why: "bad".to_owned() };
        let page = run(Flaky { failures: 1, error: never }, limits(1000, 10), &[5, 5]).await;
        assert_line(&page, r#"tollgate_output_dropped_total{output="out",reason="refused"} 10"#);
        assert_line(&page, r#"tollgate_output_sent_total{output="out"} 9"#);
        assert!(!page.contains("tollgate_output_retries_total{"));
    }

    #[tokio::test]
    async fn what_passes_either_bound_of_the_queue_is_dropped_and_counted() {
        let page = run(Flaky { failures: 0, error: again() }, limits(100, 10), &[60, 60, 40]).await;
        assert_line(&page, r#"tollgate_output_dropped_total{output="out",reason="queue_full"} 10"#);
        let page = run(Flaky { failures: 0, error: again() }, limits(1000, 2), &[1, 1, 1]).await;
        assert_line(&page, r#"tollgate_output_dropped_total{output="out",reason="queue_full"} 10"#);
    }

    #[tokio::test]
    async fn at_the_deadline_what_waits_is_dropped_and_counted() {
        let page = run(Flaky { failures: usize::MAX, error: again() }, limits(1000, 10), &[5, 5]).await;
        assert_line(&page, r#"tollgate_output_dropped_total{output="out",reason="shutdown"} 20"#);
        assert_line(&page, r#"tollgate_output_queue_requests{output="out"} 0"#);
    }
}
