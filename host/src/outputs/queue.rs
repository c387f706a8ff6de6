//! The queue before an output, and the workers that empty it.
//!
//! What is in memory is bounded by the bytes of the configuration; what comes beyond that is a reference to the log. The
//! delivery of a record is marked in the log when the output has taken it, so that after a crash each output gets what
//! it has not had yet.

mod gather;
mod source;

use super::{Batch, Delivery, Limits, Sending, Shipment, Sink};
use crate::config;
use crate::memory::{Memory, Share, Use};
use crate::metrics::{Labels, Metrics};
use crate::receivers::Signal;
use crate::stages::log::{Log, Part, Receipt};
use bytes::Bytes;
use source::Source;
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
    /// What still waits is dropped: the output is not in the configuration any more.
    Removed,
}

/// What waits for a worker, in order.
#[derive(Debug)]
struct Waiting {
    /// Was taken by a worker and not sent.
    returned: VecDeque<Queued>,
    receiver: mpsc::UnboundedReceiver<Queued>,
}

impl Waiting {
    /// What comes next with as much of what waits behind it as is one request within the limits, and what came after that.
    fn join(&mut self, first: Queued, limits: Limits) -> (Vec<Queued>, Option<Queued>) {
        let most = u64::try_from(limits.max_bytes).unwrap_or(u64::MAX);
        let (signal, mut bytes, mut items) = (first.signal, first.size, first.items);
        let mut taken = vec![first];
        while limits.join
            && let Some(another) = self.returned.pop_front().or_else(|| self.receiver.try_recv().ok())
        {
            bytes = bytes.saturating_add(another.size);
            items = items.saturating_add(another.items);
            if another.signal != signal || bytes > most || items > limits.max_items {
                return (taken, Some(another));
            }
            taken.push(another);
        }
        (taken, None)
    }
}

/// Starts an output: its queue and its workers.
pub fn start<S: Sink>(
    name: &str,
    sink: S,
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
    let worker = Worker::start(sink, waiting, depth.clone(), retry);
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
            let items = queued.items;
            self.depth.given_up(Phase::GivenUp, &[queued], items);
        }
    }
}

impl Worker {
    fn start<S: Sink>(sink: S, waiting: Arc<Mutex<Waiting>>, depth: Depth, retry: config::Retry) -> Self {
        let (phase, seen) = watch::channel(Phase::Running);
        let sending = Arc::new(Sending::new(&depth.output, sink, retry, &depth.memory, &depth.metrics));
        let linger = sending.linger();
        // What waits for more waits in one place.
        let consumers = if linger.is_zero() { sending.limits().num_consumers.max(1) } else { 1 };
        let work = |_| {
            let (waiting, depth) = (Arc::clone(&waiting), depth.clone());
            let source = Source::new(waiting, linger, depth.clone());
            tokio::spawn(work(Arc::clone(&sending), source, depth.clone(), seen.clone()))
        };
        let tasks = (0..consumers).map(work).collect();
        Self { tasks, phase, waiting, depth }
    }

    /// Stops the workers. What they are sending is put back, and what waits waits for those that follow.
    pub async fn stop(self) -> Stopped {
        let _ = self.phase.send(Phase::HandingOver);
        for task in self.tasks {
            let _ = task.await;
        }
        Stopped { waiting: self.waiting, depth: self.depth }
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

    /// Closes the queue of an output that is not wanted any more and waits until it is empty. At the deadline what still
    /// waits is dropped and counted.
    pub async fn remove(self, deadline: tokio::time::Instant) {
        let _ = self.phase.send(Phase::Draining);
        for mut task in self.tasks {
            if tokio::time::timeout_at(deadline, &mut task).await.is_err() {
                let _ = self.phase.send(Phase::Removed);
                let _ = task.await;
            }
        }
    }
}

/// A queue without workers.
#[derive(Debug)]
pub struct Stopped {
    waiting: Arc<Mutex<Waiting>>,
    depth: Depth,
}

impl Stopped {
    /// Starts workers again, with another sink.
    pub fn start<S: Sink>(self, sink: S, retry: config::Retry) -> Worker {
        Worker::start(sink, self.waiting, self.depth, retry)
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

    fn is_half_full(&self) -> bool {
        self.held.load(Ordering::Acquire) >= self.most_bytes / 2
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

    /// An output ends before it has taken `items` of these. Where the process ends, what is in the log comes again when the
    /// next one starts.
    fn given_up(&self, phase: Phase, queued: &[Queued], items: u64) {
        if phase == Phase::Removed {
            self.dropped("removed", items);
        } else if queued.iter().flat_map(|queued| &queued.receipts).any(Receipt::is_on_disk) {
            self.metrics.output_left_in_log.with(self.labels()).inc_by(items);
        } else {
            self.dropped("shutdown", items);
        }
    }
}

async fn work<S: Sink>(sending: Arc<Sending<S>>, mut source: Source, depth: Depth, mut phase: watch::Receiver<Phase>) {
    let mut open = true;
    loop {
        let taken = tokio::select! {
            taken = source.next(sending.limits()) => taken,
            now = changed(&mut phase, |phase| phase != Phase::Running), if open => {
                if now == Phase::HandingOver {
                    return source.put_back(Vec::new()).await;
                }
                open = false;
                source.close().await;
                continue;
            }
        };
        let Some(taken) = taken else { return };
        let mut shipment = None;
        let interrupted = tokio::select! {
            biased;
            now = changed(&mut phase, |phase| matches!(phase, Phase::GivenUp | Phase::HandingOver | Phase::Removed)) => Some(now),
            () = deliver(&sending, &taken, &depth, &mut shipment) => None,
        };
        if interrupted == Some(Phase::HandingOver) {
            return source.put_back(taken).await;
        }
        if let Some(now) = interrupted {
            let left = shipment.as_ref().map_or(taken.iter().map(|queued| queued.items).sum(), Shipment::left);
            depth.given_up(now, &taken, left);
        }
        for queued in taken {
            depth.left(&queued);
            if interrupted.is_none() && queued.marks {
                queued.receipts.iter().for_each(|receipt| receipt.done_for(depth.part));
            }
        }
    }
}

/// Waits for a phase that is wanted. A worker whose owner is gone goes on as it is.
async fn changed(phase: &mut watch::Receiver<Phase>, wanted: impl Fn(Phase) -> bool) -> Phase {
    let now = phase.wait_for(|phase| wanted(*phase)).await.map(|phase| *phase);
    match now {
        Ok(phase) => phase,
        Err(_) => std::future::pending().await,
    }
}

/// Sends deliveries as one request, until it is taken or has no hope. What is left stands in `shipment` meanwhile.
async fn deliver<S: Sink>(sending: &Sending<S>, taken: &[Queued], depth: &Depth, shipment: &mut Option<Shipment>) {
    // What is read back or joined is in memory beside what waits.
    let _copies = depth.memory.hold(Use::Queues, taken.iter().map(|queued| queued.size).sum());
    let mut batch = None;
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
        let delivery = Delivery { signal: queued.signal, bytes, items: queued.items };
        match &mut batch {
            None => batch = Some(Batch::new(delivery)),
            Some(batch) => batch.add(&delivery),
        }
    }
    if let Some(batch) = batch {
        sending.send(shipment.insert(Shipment::new(batch.finish()))).await;
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
