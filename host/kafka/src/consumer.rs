//! A member of a consumer group, from its start to its end.

use crate::Connection;
use crate::ack::{Ack, Tracker};
use crate::member::{self, Member};
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tollgate_otlp::Items;

/// Wait before the group is joined again after that failed; it grows to the longest.
const JOIN_AGAIN: Duration = Duration::from_millis(500);
/// Longest wait before the group is joined again.
const JOIN_AGAIN_LONGEST: Duration = Duration::from_secs(15);

/// Where a group begins that has committed nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InitialOffset {
    /// With what comes after it has joined.
    Latest,
    /// With the oldest record that there is.
    Earliest,
}

/// How records are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerOptions {
    /// Where they are read from, each topic with its signal.
    pub topics: Vec<(String, Items)>,
    /// The group, whose members share the partitions.
    pub group_id: String,
    /// Keeps its partitions over a restart that is shorter than the session.
    pub group_instance_id: Option<String>,
    /// Where a group begins that has committed nothing.
    pub initial_offset: InitialOffset,
    /// How long the group waits for a member that says nothing.
    pub session_timeout: Duration,
    /// How often a member says that it lives.
    pub heartbeat_interval: Duration,
    /// Fewest bytes that a broker answers with before `max_fetch_wait`.
    pub min_fetch_size: usize,
    /// Most bytes of an answer of one broker, but for a single batch that is larger.
    pub max_fetch_size: usize,
    /// Most bytes of it from one partition, but for a single batch that is larger.
    pub max_partition_fetch_size: usize,
    /// How long a broker waits for `min_fetch_size`.
    pub max_fetch_wait: Duration,
    /// Most bytes of records that are handed over as one request. A single record may be larger.
    pub max_request_bytes: usize,
    /// Requests that are handed over at once.
    pub concurrency: usize,
    /// How often offsets are committed.
    pub commit_interval: Duration,
}

/// Why records were not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// They may be taken later: their partitions wait.
    #[error("{why}")]
    Later {
        /// What stands in the way.
        why: String,
        /// How long to wait.
        after: Duration,
    },
    /// They never will be: they are counted and left out.
    #[error("{0}")]
    Invalid(String),
}

/// Who takes what is read.
pub trait Take: Send + Sync + 'static {
    /// Takes a request. Its offsets are committed when this has answered with `Ok` and the last clone of `ack` is gone:
    /// who has nothing durable of it by then keeps one.
    ///
    /// A request that was taken may come again: after a commit that failed, after the end of the process, and when its
    /// partition went to another member.
    fn take(&self, items: Items, request: bytes::Bytes, ack: Ack) -> impl Future<Output = Result<(), Refused>> + Send;
}

/// Who counts.
pub trait Watch: Send + Sync + 'static {
    /// Records were read.
    fn received(&self, topic: &str, records: u64);
    /// A record is no request and was left out.
    fn invalid(&self, topic: &str);
    /// A request waits, because it was refused for now.
    fn waits(&self);
    /// Offsets were committed, or were not.
    fn committed(&self, is_done: bool);
    /// Partitions came or went.
    fn rebalanced(&self);
    /// How many records of a partition are not committed; nothing where it is another member's.
    fn lag(&self, topic: &str, partition: i32, records: Option<u64>);
}

/// How far a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// It reads.
    Reading,
    /// It reads no more. It is a member still, so that what it has read is not read by another while it is worked on.
    Stopped,
    /// It commits what is done, and leaves.
    Leaving,
}

/// A running member of a group.
#[derive(Debug)]
pub struct Consumer {
    phase: watch::Sender<Phase>,
    task: JoinHandle<()>,
    /// True once nothing is handed over any more.
    quiet: watch::Receiver<bool>,
}

impl Consumer {
    /// Starts to read. Brokers may come later than this: they are asked until they answer. From the time that `frozen` is
    /// true nothing more counts as done.
    pub fn start<T: Take, W: Watch>(
        connection: Connection,
        options: ConsumerOptions,
        take: Arc<T>,
        watch: Arc<W>,
        frozen: Arc<AtomicBool>,
    ) -> Self {
        let tracker = Tracker::new(frozen);
        let (phase, seen) = watch::channel(Phase::Reading);
        let (quieted, quiet) = watch::channel(false);
        let member = Member { connection, options, take, watch, tracker, phase: seen };
        let task = tokio::spawn(live(member, quieted));
        Self { phase, task, quiet }
    }

    /// Reads no more, and waits until nothing is being handed over. What waits because it was refused is given up.
    pub async fn stop(&self) {
        self.phase.send_if_modified(|phase| {
            let is_new = *phase < Phase::Stopped;
            *phase = (*phase).max(Phase::Stopped);
            is_new
        });
        let _ = self.quiet.clone().wait_for(|quiet| *quiet).await;
    }

    /// Commits what is done, and leaves the group, within a time.
    pub async fn leave(self, within: Duration) {
        let _ = self.phase.send(Phase::Leaving);
        let mut task = self.task;
        if tokio::time::timeout(within, &mut task).await.is_err() {
            tracing::warn!(?within, "a member of a consumer group has not left in time; its group waits for it");
            task.abort();
        }
    }
}

/// Joins the group, again and again, until it is time to leave.
async fn live<T: Take, W: Watch>(member: Member<T, W>, quieted: watch::Sender<bool>) {
    let mut phase = member.phase.clone();
    let mut wait = JOIN_AGAIN;
    while *phase.borrow_and_update() == Phase::Reading {
        let began = tokio::time::Instant::now();
        match member::join(&member, &quieted).await {
            Ok(()) => break,
            Err(error) => {
                let why = crate::producer::chain(&error);
                tracing::error!(why, ?wait, group = member.options.group_id, "Kafka cannot be read; trying again");
            }
        }
        if began.elapsed() > JOIN_AGAIN_LONGEST {
            wait = JOIN_AGAIN;
        }
        let stopped = phase.wait_for(|phase| *phase != Phase::Reading);
        if tokio::time::timeout(wait, stopped).await.is_ok() {
            break;
        }
        wait = wait.saturating_mul(2).min(JOIN_AGAIN_LONGEST);
    }
    quieted.send_replace(true);
}
