//! The bounded queue before an output, and the worker that empties it.

use super::{Batch, Delivery, Sending, Shipment, Sink};
use crate::config;
use crate::metrics::Metrics;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{Mutex, mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};

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
    let sending = Arc::new(Sending::new(name, sink, retry, metrics));
    let waiting = Arc::new(Mutex::new(Waiting { receiver, next: None }));
    let mut consumers = JoinSet::new();
    for _ in 0..sending.limits().num_consumers.max(1) {
        consumers.spawn(work(Arc::clone(&sending), Arc::clone(&waiting), depth.clone(), seen.clone()));
    }
    let task = tokio::spawn(async move { while consumers.join_next().await.is_some() {} });
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

/// The end of the queue that the consumers of an output share.
struct Waiting {
    receiver: mpsc::Receiver<Delivery>,
    /// Taken out, and not fitting into the batch before it.
    next: Option<Delivery>,
}

impl Waiting {
    /// What comes next, with as much of what waits behind it as fits. Gives the number of deliveries too.
    fn batch(&mut self, first: Delivery, limits: super::Limits) -> (Delivery, i64) {
        let (mut batch, mut count) = (Batch::new(limits, first), 1);
        while let Ok(next) = self.receiver.try_recv() {
            if let Err(next) = batch.add(next) {
                self.next = Some(next);
                break;
            }
            count += 1;
        }
        (batch.finish(), count)
    }
}

async fn work<S: Sink>(
    sending: Arc<Sending<S>>,
    waiting: Arc<Mutex<Waiting>>,
    depth: Depth,
    mut phase: watch::Receiver<Phase>,
) {
    loop {
        let mut waiting = waiting.lock().await;
        let first = match waiting.next.take() {
            Some(next) => Some(next),
            None => tokio::select! {
                delivery = waiting.receiver.recv() => delivery,
                _ = phase.wait_for(|phase| *phase != Phase::Running), if !waiting.receiver.is_closed() => {
                    waiting.receiver.close();
                    continue;
                }
            },
        };
        let Some(first) = first else { return };
        let (delivery, count) = waiting.batch(first, sending.limits());
        drop(waiting);
        let size = Depth::size(&delivery);
        let mut shipment = Shipment::new(delivery);
        let given_up = tokio::select! {
            biased;
            _ = phase.wait_for(|phase| *phase == Phase::GivenUp) => true,
            () = sending.send(&mut shipment) => false,
        };
        if given_up {
            depth.dropped("shutdown", shipment.left());
        }
        depth.give_back(size);
        depth.requests().dec_by(count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outputs::SendError;
    use crate::receivers::Signal;
    use bytes::Bytes;
    use std::time::Duration;

    /// Fails as often as it is told, then takes.
    struct Flaky {
        failures: AtomicU64,
        error: SendError,
    }

    impl Sink for Flaky {
        async fn send(&self, _: &Delivery) -> Result<u64, SendError> {
            let failures = self.failures.load(Ordering::Relaxed);
            if failures == 0 {
                return Ok(1);
            }
            self.failures.store(failures - 1, Ordering::Relaxed);
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
        let page = run(Flaky { failures: 3.into(), error: again() }, limits(1000, 10), &[5]).await;
        assert_line(&page, r#"tollgate_output_retries_total{output="out"} 3"#);
        assert_line(&page, r#"tollgate_output_sent_total{output="out"} 9"#);
        assert_line(&page, r#"tollgate_output_dropped_total{output="out",reason="rejected"} 1"#);
        assert_line(&page, r#"tollgate_output_queue_bytes{output="out"} 0"#);
        assert_line(&page, r#"tollgate_output_queue_requests{output="out"} 0"#);
    }

    #[tokio::test]
    async fn a_refused_delivery_is_not_sent_again() {
        let never = SendError::Never { why: "bad".to_owned() };
        let page = run(Flaky { failures: 1.into(), error: never }, limits(1000, 10), &[5, 5]).await;
        assert_line(&page, r#"tollgate_output_dropped_total{output="out",reason="refused"} 10"#);
        assert_line(&page, r#"tollgate_output_sent_total{output="out"} 9"#);
        assert!(!page.contains("tollgate_output_retries_total{"));
    }

    #[tokio::test]
    async fn what_passes_either_bound_of_the_queue_is_dropped_and_counted() {
        let page = run(Flaky { failures: 0.into(), error: again() }, limits(100, 10), &[60, 60, 40]).await;
        assert_line(&page, r#"tollgate_output_dropped_total{output="out",reason="queue_full"} 10"#);
        let page = run(Flaky { failures: 0.into(), error: again() }, limits(1000, 2), &[1, 1, 1]).await;
        assert_line(&page, r#"tollgate_output_dropped_total{output="out",reason="queue_full"} 10"#);
    }

    #[tokio::test]
    async fn at_the_deadline_what_waits_is_dropped_and_counted() {
        let page = run(Flaky { failures: u64::MAX.into(), error: again() }, limits(1000, 10), &[5, 5]).await;
        assert_line(&page, r#"tollgate_output_dropped_total{output="out",reason="shutdown"} 20"#);
        assert_line(&page, r#"tollgate_output_queue_requests{output="out"} 0"#);
    }
}
