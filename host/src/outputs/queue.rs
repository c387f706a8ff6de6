//! The queue before an output, and the workers that empty it.
//!
//! What is in memory is bounded by the bytes of the configuration; what comes beyond that is a reference to the log. The
//! delivery of a record is marked in the log when the output has taken it, so that after a crash each output gets what
//! it has not had yet.

use super::retry::{Backoff, jitter};
use super::{Delivery, SendError, Sink};
use crate::config;
use crate::memory::{Memory, Share, Use};
use crate::metrics::{Labels, Metrics};
use crate::receivers::Signal;
use crate::stages::log::{Log, Part, Receipt};
use bytes::{Bytes, BytesMut};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{Mutex, mpsc, watch};
use tokio::task::JoinHandle;
use tollgate_journal::ReadError;

/// Bytes that an entry of a queue counts for beyond its payload: itself, and what the log holds for it.
const BOOKKEEPING: u64 = 256;

/// The end of a queue that takes deliveries.
#[derive(Clone, Debug)]
pub struct Queue {
    sender: mpsc::UnboundedSender<Queued>,
    depth: Depth,
}

/// A delivery that waits.
#[derive(Debug)]
pub struct Queued {
    signal: Signal,
    items: u64,
    size: u64,
    body: Body,
    receipts: Vec<Receipt>,
    /// Whether the record is to be marked as done for this output.
    marks: bool,
    _bookkeeping: Share,
}

/// Where the bytes of a delivery are.
#[derive(Clone, Debug)]
pub enum Body {
    /// In memory, which other outputs may share.
    Held(Arc<(Bytes, Share)>),
    /// In the log.
    Stored(Receipt),
}

impl Queued {
    /// A delivery of `size` bytes with the receipts of all that it was made of. `marks` says that it is all of its record,
    /// and that there are other outputs that may be slower.
    #[must_use]
    pub fn new(
        (signal, items, size): (Signal, u64, u64),
        body: Body,
        receipts: Vec<Receipt>,
        marks: bool,
        memory: &Memory,
    ) -> Self {
        Self { signal, items, size, body, receipts, marks, _bookkeeping: memory.hold(Use::Queues, BOOKKEEPING) }
    }

    /// Bytes in memory.
    fn held(&self) -> u64 {
        match self.body {
            Body::Held(_) => self.size,
            Body::Stored(_) => 0,
        }
    }
}

/// What waits in a queue, with the counters of its output.
#[derive(Clone, Debug)]
struct Depth {
    output: Arc<str>,
    part: Part,
    held: Arc<AtomicU64>,
    most_bytes: u64,
    memory: Memory,
    metrics: Metrics,
}

/// The running workers of an output.
#[derive(Debug)]
pub struct Worker {
    tasks: Vec<JoinHandle<()>>,
    phase: watch::Sender<Phase>,
    waiting: Arc<Mutex<Waiting>>,
    depth: Depth,
}

/// How far the end of a worker has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Deliveries come and go.
    Running,
    /// What is not sent is put back, for the worker that follows.
    HandingOver,
    /// Nothing more is taken; what waits is sent.
    Draining,
    /// What still waits is left to the log, or dropped where there is none.
    GivenUp,
}

/// What waits for a worker, in order.
#[derive(Debug)]
struct Waiting {
    /// Was taken by a worker and not sent.
    returned: VecDeque<Queued>,
    receiver: mpsc::UnboundedReceiver<Queued>,
}

/// Starts an output: its queue and its workers, one for each of the sinks.
pub fn start<S: Sink>(
    name: &str,
    sinks: Vec<S>,
    limits: config::Queue,
    retry: config::Retry,
    memory: &Memory,
    metrics: &Metrics,
) -> (Queue, Worker) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let depth = Depth {
        output: Arc::from(name),
        part: Part::of(name),
        held: Arc::default(),
        most_bytes: limits.max_bytes,
        memory: memory.clone(),
        metrics: metrics.clone(),
    };
    depth.show();
    let waiting = Arc::new(Mutex::new(Waiting { returned: VecDeque::new(), receiver }));
    let worker = Worker::start(sinks, waiting, depth.clone(), retry);
    (Queue { sender, depth }, worker)
}

impl Queue {
    /// The part of a record that is this output's.
    #[must_use]
    pub fn part(&self) -> Part {
        self.depth.part
    }

    /// Whether `bytes` more can be held in memory. A queue that is empty takes anything.
    #[must_use]
    pub fn has_room(&self, bytes: u64) -> bool {
        let held = self.depth.held.load(Ordering::Acquire);
        held == 0 || held.saturating_add(bytes) < self.depth.most_bytes
    }

    /// Takes a delivery.
    pub fn push(&self, queued: Queued) {
        // Counted before it is sent, since a worker may be done with it at once.
        self.depth.entered(&queued);
        if let Err(mpsc::error::SendError(queued)) = self.sender.send(queued) {
            self.depth.left(&queued);
            self.depth.given_up(&queued);
        }
    }
}

impl Worker {
    fn start<S: Sink>(sinks: Vec<S>, waiting: Arc<Mutex<Waiting>>, depth: Depth, retry: config::Retry) -> Self {
        let (phase, seen) = watch::channel(Phase::Running);
        let work = |sink| {
            let source = Source { waiting: Arc::clone(&waiting), next: None };
            tokio::spawn(work(sink, source, depth.clone(), retry, seen.clone()))
        };
        let tasks = sinks.into_iter().map(work).collect();
        Self { tasks, phase, waiting, depth }
    }

    /// Puts other sinks in the place of these, of another kind or with another configuration. What is being sent is sent
    /// again by them; what waits waits for them.
    pub async fn replace<S: Sink>(self, sinks: Vec<S>, retry: config::Retry) -> Self {
        let _ = self.phase.send(Phase::HandingOver);
        for task in self.tasks {
            let _ = task.await;
        }
        Self::start(sinks, self.waiting, self.depth, retry)
    }

    /// Closes the queue and waits until it is empty. At the deadline what still waits is given up: it stays in the log,
    /// or is dropped and counted where there is none.
    pub async fn drain(self, deadline: tokio::time::Instant, log: &Log) {
        let _ = self.phase.send(Phase::Draining);
        for mut task in self.tasks {
            if tokio::time::timeout_at(deadline, &mut task).await.is_err() {
                log.freeze();
                let _ = self.phase.send(Phase::GivenUp);
                let _ = task.await;
            }
        }
    }
}

impl Depth {
    fn entered(&self, queued: &Queued) {
        self.held.fetch_add(queued.held(), Ordering::AcqRel);
        self.metrics.queue_requests.with(self.labels()).inc();
        self.show();
    }

    fn left(&self, queued: &Queued) {
        self.held.fetch_sub(queued.held(), Ordering::AcqRel);
        self.metrics.queue_requests.with(self.labels()).dec();
        self.show();
    }

    fn show(&self) {
        let bytes = i64::try_from(self.held.load(Ordering::Acquire)).unwrap_or(i64::MAX);
        self.metrics.queue_bytes.with(self.labels()).set(bytes);
    }

    fn labels(&self) -> Labels {
        vec![("output", self.output.to_string())]
    }

    fn dropped(&self, reason: &'static str, items: u64) {
        let mut labels = self.labels();
        labels.push(("reason", reason.to_owned()));
        self.metrics.output_dropped.with(labels).inc_by(items);
    }

    /// The process ends before an output has taken this. What is in the log comes again when the next one starts.
    fn given_up(&self, queued: &Queued) {
        if queued.receipts.iter().any(Receipt::is_on_disk) {
            self.metrics.output_left_in_log.with(self.labels()).inc_by(queued.items);
        } else {
            self.dropped("shutdown", queued.items);
        }
    }
}

/// Deliveries in the order in which they came, the small ones joined.
struct Source {
    waiting: Arc<Mutex<Waiting>>,
    /// Came after a delivery with which it could not be joined.
    next: Option<Queued>,
}

impl Source {
    /// The next deliveries that are of one signal, at most `most` bytes together, or one that is larger; `None` when the
    /// queue is closed and empty. Nothing is lost where this is dropped before it is done.
    async fn next(&mut self, most: u64) -> Option<Vec<Queued>> {
        let mut waiting = self.waiting.lock().await;
        let first = match self.next.take().or_else(|| waiting.returned.pop_front()) {
            Some(next) => next,
            None => waiting.receiver.recv().await?,
        };
        let (signal, mut size) = (first.signal, first.size);
        let mut taken = vec![first];
        while let Some(another) = waiting.returned.pop_front().or_else(|| waiting.receiver.try_recv().ok()) {
            size = size.saturating_add(another.size);
            if another.signal != signal || size > most {
                self.next = Some(another);
                break;
            }
            taken.push(another);
        }
        Some(taken)
    }

    async fn close(&self) {
        self.waiting.lock().await.receiver.close();
    }

    /// Puts back what was taken, before everything that waits.
    async fn put_back(&mut self, taken: Vec<Queued>) {
        let mut waiting = self.waiting.lock().await;
        for queued in self.next.take().into_iter().chain(taken.into_iter().rev()) {
            waiting.returned.push_front(queued);
        }
    }
}

async fn work<S: Sink>(
    mut sink: S,
    mut source: Source,
    depth: Depth,
    retry: config::Retry,
    mut phase: watch::Receiver<Phase>,
) {
    let most = u64::try_from(sink.most_bytes()).unwrap_or(u64::MAX);
    let mut open = true;
    loop {
        let taken = tokio::select! {
            taken = source.next(most) => taken,
            _ = phase.wait_for(|phase| *phase != Phase::Running), if open => {
                if *phase.borrow() == Phase::HandingOver {
                    return source.put_back(Vec::new()).await;
                }
                open = false;
                source.close().await;
                continue;
            }
        };
        let Some(taken) = taken else { return };
        let interrupted = tokio::select! {
            biased;
            _ = phase.wait_for(|phase| matches!(phase, Phase::GivenUp | Phase::HandingOver)) => true,
            () = deliver(&mut sink, &taken, &depth, retry) => false,
        };
        if interrupted && *phase.borrow() == Phase::HandingOver {
            return source.put_back(taken).await;
        }
        for queued in taken {
            depth.left(&queued);
            match interrupted {
                false if queued.marks => queued.receipts.iter().for_each(|receipt| receipt.done_for(depth.part)),
                false => {}
                true => depth.given_up(&queued),
            }
        }
    }
}

/// Sends deliveries of one signal as one request, until it is taken or has no hope.
async fn deliver<S: Sink>(sink: &mut S, taken: &[Queued], depth: &Depth, retry: config::Retry) {
    // What is read back or joined is in memory beside what waits.
    let _copies = depth.memory.hold(Use::Queues, taken.iter().map(|queued| queued.size).sum());
    let mut whole = BytesMut::new();
    let (mut items, mut only) = (0, None);
    for queued in taken {
        let bytes = match &queued.body {
            Body::Held(held) => held.0.clone(),
            Body::Stored(stored) => match read(stored, depth).await {
                Ok(bytes) => bytes,
                Err(why) => {
                    tracing::error!(output = &*depth.output, items = queued.items, why, "a delivery is lost");
                    depth.dropped("unreadable", queued.items);
                    continue;
                }
            },
        };
        items += queued.items;
        if taken.len() == 1 {
            only = Some(bytes);
        } else {
            // Encoded requests one after the other are one request: their lists are joined.
            whole.extend_from_slice(&bytes);
        }
    }
    let (Some(first), true) = (taken.first(), items > 0) else { return };
    let delivery = Delivery { signal: first.signal, bytes: only.unwrap_or_else(|| whole.freeze()), items };
    match send(sink, &delivery, depth, retry).await {
        Ok(rejected) => {
            depth.metrics.output_sent.with(depth.labels()).inc_by(items.saturating_sub(rejected));
            if rejected > 0 {
                depth.dropped("rejected", rejected);
            }
        }
        Err(reason) => depth.dropped(reason, items),
    }
}

/// Reads a delivery back from the log; a disk that fails is asked again.
async fn read(stored: &Receipt, depth: &Depth) -> Result<Bytes, String> {
    loop {
        let stored = stored.clone();
        let read = tokio::task::spawn_blocking(move || stored.read()).await;
        match read.map_err(|error| error.to_string())? {
            Ok(bytes) => return Ok(bytes),
            Err(error @ ReadError::Damaged { .. }) => return Err(error.to_string()),
            Err(error) => {
                tracing::warn!(output = &*depth.output, %error, "the log cannot be read; trying again");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
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
