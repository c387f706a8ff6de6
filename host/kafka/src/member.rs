//! What a member of a group does: it reads, hands over, and commits.
//!
//! ```text
//! poll ─▶ (one answer waits) ─▶ hand over, several at once ─▶ Take
//!                                          commit ◀─ Tracker ◀─ Ack
//! ```
//!
//! Where nothing is taken, nothing is read: all partitions are paused, and the broker is asked only so that this member
//! keeps them.

use crate::Connection;
use crate::ack::{Ack, Due, Tracker};
use crate::consumer::{ConsumerOptions, InitialOffset, Phase, Refused, Take, Watch};
use crate::join::{Got, Join};
use krafka::consumer::{
    AutoOffsetReset, Consumer, ConsumerRebalanceListener, ConsumerRecord, OffsetAndMetadata,
    PartitionAssignmentStrategy, TopicPartition,
};
use krafka::{CloseOptions, KrafkaError};
use std::collections::VecDeque;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tollgate_otlp::Items;

/// How long one call of the client waits for records.
const POLL: Duration = Duration::from_secs(1);
/// The same while all partitions are paused, and only membership is to be kept.
const POLL_PAUSED: Duration = Duration::from_millis(200);
/// Wait after a poll that failed.
const POLL_AGAIN: Duration = Duration::from_millis(500);
/// How often polls may fail one after the other before the group is joined anew.
const POLL_FAILURES: u32 = 20;
/// First and longest wait before a request that was refused for now is handed over again.
const TAKE_AGAIN: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));
/// Most records of one poll: what is fetched is bounded in bytes.
const POLL_RECORDS: i32 = 4_096;
/// Longest that leaving the group may take.
const LEAVE: Duration = Duration::from_secs(5);

/// All that a member has to do with.
pub(crate) struct Member<T, W> {
    pub(crate) connection: Connection,
    pub(crate) options: ConsumerOptions,
    pub(crate) take: Arc<T>,
    pub(crate) watch: Arc<W>,
    pub(crate) tracker: Tracker,
    pub(crate) phase: watch::Receiver<Phase>,
}

/// Joins the group and reads until it is time to leave, or until something is wrong that needs a new beginning.
pub(crate) async fn join<T: Take, W: Watch>(
    member: &Member<T, W>,
    quieted: &watch::Sender<bool>,
) -> krafka::Result<()> {
    let joined = Arc::new(Joined {
        tracker: member.tracker.clone(),
        watch: Arc::clone(&member.watch),
        consumer: OnceLock::new(),
    });
    let names: Vec<_> = member.options.topics.iter().map(|(topic, _)| topic).collect();
    let begin = async {
        let consumer = Arc::new(build(member, Arc::clone(&joined)).await?);
        let _ = joined.consumer.set(Arc::downgrade(&consumer));
        consumer.subscribe(&names).await?;
        krafka::Result::Ok(consumer)
    };
    let mut phase = member.phase.clone();
    let consumer = tokio::select! {
        biased;
        _ = phase.wait_for(|phase| *phase != Phase::Reading) => return Ok(()),
        begun = begin => begun?,
    };
    tracing::info!(group = member.options.group_id, ?names, "Kafka is read");

    let (sender, receiver) = mpsc::channel(1);
    let handing = Handing {
        take: Arc::clone(&member.take),
        watch: Arc::clone(&member.watch),
        tracker: member.tracker.clone(),
        phase: member.phase.clone(),
    };
    let handing = tokio::spawn(hand_over(receiver, Arc::new(handing), member.options.clone()));
    let committing = tokio::spawn(commit_every(member.options.commit_interval, Arc::clone(&joined)));
    let read = read(member, &consumer, sender).await;
    // What is being handed over ends by itself: what was refused is given up when reading has ended.
    let _ = handing.await;
    if read.is_ok() {
        quieted.send_replace(true);
        let mut phase = member.phase.clone();
        let _ = phase.wait_for(|phase| *phase == Phase::Leaving).await;
    }
    committing.abort();
    let _ = committing.await;
    joined.commit(&consumer, member.tracker.due()).await;
    let closed = consumer.close_with(CloseOptions::new().timeout(LEAVE)).await;
    if let Err(error) = closed {
        tracing::debug!(%error, "the consumer group was not left in order");
    }
    read
}

async fn build<T: Take, W: Watch>(member: &Member<T, W>, joined: Arc<Joined<W>>) -> krafka::Result<Consumer> {
    let options = &member.options;
    let kafka = member.connection.open().await?;
    let bytes = |bytes: usize| i32::try_from(bytes).unwrap_or(i32::MAX);
    let mut builder = kafka
        .consumer(&options.group_id)
        .auto_offset_reset(match options.initial_offset {
            InitialOffset::Latest => AutoOffsetReset::Latest,
            InitialOffset::Earliest => AutoOffsetReset::Earliest,
        })
        .enable_auto_commit(false)
        .session_timeout(options.session_timeout)
        .heartbeat_interval(options.heartbeat_interval)
        .fetch_min_bytes(bytes(options.min_fetch_size))
        .fetch_max_bytes(bytes(options.max_fetch_size))
        .max_partition_fetch_bytes(bytes(options.max_partition_fetch_size))
        .fetch_max_wait(options.max_fetch_wait)
        .max_poll_records(POLL_RECORDS)
        .max_buffered_records(POLL_RECORDS)
        // Only the partitions that move stop being read, and only what was read of those comes again elsewhere.
        .partition_assignment_strategy(PartitionAssignmentStrategy::CooperativeSticky)
        .rebalance_listener(joined)
        .metrics_push(false);
    if let Some(id) = &options.group_instance_id {
        builder = builder.group_instance_id(id);
    }
    builder.build().await
}

/// Reads until it is time to stop.
async fn read<T: Take, W: Watch>(
    member: &Member<T, W>,
    consumer: &Consumer,
    sender: mpsc::Sender<Vec<Got>>,
) -> krafka::Result<()> {
    let mut phase = member.phase.clone();
    let mut failures = 0;
    loop {
        let room = tokio::select! {
            biased;
            _ = phase.wait_for(|phase| *phase != Phase::Reading) => return Ok(()),
            room = tokio::time::timeout(POLL, sender.reserve()) => room,
        };
        let polled = match &room {
            // Dropped only where nothing is read any more.
            Ok(_) => tokio::select! {
                biased;
                _ = phase.wait_for(|phase| *phase != Phase::Reading) => return Ok(()),
                polled = consumer.poll(POLL) => polled,
            },
            Err(_) => poll_paused(consumer).await,
        };
        match (polled, room) {
            (Ok(records), _) if records.is_empty() => failures = 0,
            (Ok(records), room) => {
                failures = 0;
                let got = member.note(records);
                match room {
                    Ok(Ok(room)) => room.send(got),
                    // Read of a partition that came while the others were paused.
                    _ => drop(sender.send(got).await),
                }
            }
            (Err(error), _) => {
                failures += 1;
                if error.is_fatal() || failures >= POLL_FAILURES {
                    member.tracker.forget_all();
                    return Err(error);
                }
                tracing::warn!(why = crate::producer::chain(&error), "Kafka cannot be read; trying again");
                tokio::time::sleep(POLL_AGAIN).await;
            }
        }
    }
}

/// Keeps the membership, and reads nothing of what was assigned before.
async fn poll_paused(consumer: &Consumer) -> Result<Vec<ConsumerRecord>, KrafkaError> {
    let assigned = consumer.assignment().await;
    for (topic, partitions) in &assigned {
        consumer.pause(topic, partitions).await;
    }
    let polled = consumer.poll(POLL_PAUSED).await;
    for (topic, partitions) in &assigned {
        consumer.resume(topic, partitions).await;
    }
    polled
}

impl<T: Take, W: Watch> Member<T, W> {
    /// Remembers records that were read. One without a value is none of ours.
    fn note(&self, records: Vec<ConsumerRecord>) -> Vec<Got> {
        let mut got = Vec::with_capacity(records.len());
        let mut counted: Vec<(Arc<str>, u64)> = Vec::new();
        for record in records {
            match counted.iter_mut().find(|(topic, _)| *topic == record.topic) {
                Some((_, count)) => *count += 1,
                None => counted.push((Arc::clone(&record.topic), 1)),
            }
            let mark = self.tracker.hand_out(&record.topic, record.partition, record.offset, record.leader_epoch);
            match (record.value, signal(&self.options.topics, &record.topic)) {
                (Some(value), Some(items)) => got.push(Got { mark, items, value }),
                _ => {
                    self.watch.invalid(&record.topic);
                    drop(self.tracker.ack(vec![mark]));
                }
            }
        }
        counted.iter().for_each(|(topic, count)| self.watch.received(topic, *count));
        got
    }
}

/// The signal of a topic.
fn signal(topics: &[(String, Items)], topic: &str) -> Option<Items> {
    topics.iter().find(|(name, _)| name == topic).map(|(_, items)| *items)
}

/// What those who hand over share.
struct Handing<T, W> {
    take: Arc<T>,
    watch: Arc<W>,
    tracker: Tracker,
    phase: watch::Receiver<Phase>,
}

/// Hands over what was read, several requests at once, until nothing more comes.
async fn hand_over<T: Take, W: Watch>(
    mut receiver: mpsc::Receiver<Vec<Got>>,
    handing: Arc<Handing<T, W>>,
    options: ConsumerOptions,
) {
    let mut tasks = JoinSet::new();
    while let Some(got) = receiver.recv().await {
        for join in Join::of(got, options.max_request_bytes) {
            while tasks.len() >= options.concurrency.max(1) {
                tasks.join_next().await;
            }
            let handing = Arc::clone(&handing);
            tasks.spawn(async move { handing.until_settled(join).await });
        }
    }
    while tasks.join_next().await.is_some() {}
}

impl<T: Take, W: Watch> Handing<T, W> {
    /// Hands over until the records are taken, or are known to be none, or nothing is handed over any more.
    async fn until_settled(&self, join: Join) {
        let mut phase = self.phase.clone();
        let mut waiting = VecDeque::from([join]);
        while let Some(mut join) = waiting.pop_front() {
            // Another member has them by now.
            join.retain(|mark| self.tracker.has(mark));
            let (request, count) = (join.request(), join.records.len());
            if count == 0 {
                continue;
            }
            let trying = Trying(Some(self.tracker.ack(join.marks())));
            let mut wait = TAKE_AGAIN.0;
            let refused = loop {
                let Some(ack) = &trying.0 else { return };
                match self.take.take(join.items(), request.clone(), ack.clone()).await {
                    Ok(()) => break None,
                    Err(Refused::Invalid(why)) => break Some(why),
                    Err(Refused::Later { why, after }) => {
                        tracing::debug!(why, "records wait");
                        self.watch.waits();
                        let after = after.clamp(wait, TAKE_AGAIN.1);
                        let stopped = phase.wait_for(|phase| *phase != Phase::Reading);
                        if tokio::time::timeout(after, stopped).await.is_ok() {
                            return;
                        }
                        if !join.marks().iter().any(|mark| self.tracker.has(mark)) {
                            break None;
                        }
                        wait = wait.saturating_mul(2).min(TAKE_AGAIN.1);
                    }
                }
            };
            match refused {
                None => trying.settled(),
                // Each by itself, so that those go on which are none of it. They stay marked until then.
                Some(_) if count > 1 => {
                    for one in join.apart().rev() {
                        waiting.push_front(one);
                    }
                }
                Some(why) => {
                    for mark in join.marks() {
                        tracing::warn!(why, topic = mark.topic(), place = ?mark, "a record is no request and is left out");
                        self.watch.invalid(mark.topic());
                    }
                    trying.settled();
                }
            }
        }
    }
}

/// Records that are being handed over. Where that ends without a word they are not done, and come again.
struct Trying(Option<Ack>);

impl Trying {
    fn settled(mut self) {
        self.0 = None;
    }
}

impl Drop for Trying {
    fn drop(&mut self) {
        if let Some(ack) = self.0.take() {
            ack.give_up();
        }
    }
}

/// What the client calls when partitions come and go, with what commits.
struct Joined<W> {
    tracker: Tracker,
    watch: Arc<W>,
    consumer: OnceLock<Weak<Consumer>>,
}

impl<W: Watch> Joined<W> {
    /// Commits offsets; what was not committed is due again.
    async fn commit(&self, consumer: &Consumer, due: Vec<Due>) {
        if due.is_empty() {
            return;
        }
        let offsets = due.iter().map(|due| {
            let (topic, partition) = &due.place;
            let offset = match due.leader_epoch {
                Some(epoch) => OffsetAndMetadata::with_epoch(due.offset, epoch),
                None => OffsetAndMetadata::new(due.offset),
            };
            (TopicPartition::new(&**topic, *partition), offset)
        });
        match consumer.commit_offsets(offsets).await {
            Ok(()) => {
                self.tracker.committed(&due);
                self.watch.committed(true);
            }
            Err(error) => {
                tracing::warn!(why = crate::producer::chain(&error), "offsets were not committed");
                self.watch.committed(false);
            }
        }
    }

    fn forget(&self, partitions: &[TopicPartition]) {
        for TopicPartition { topic, partition, .. } in partitions {
            self.tracker.forget(topic, *partition);
            self.watch.lag(topic, *partition, None);
        }
    }

    async fn show_lag(&self, consumer: &Consumer) {
        for (place, lag) in consumer.lag().await {
            let done = self.tracker.done_to(place.topic(), place.partition()).or(lag.position);
            if let (Some(end), Some(done)) = (lag.high_watermark, done) {
                let records = u64::try_from(end.saturating_sub(done)).unwrap_or(0);
                self.watch.lag(place.topic(), place.partition(), Some(records));
            }
        }
    }
}

impl<W: Watch> ConsumerRebalanceListener for Joined<W> {
    async fn on_partitions_assigned<'a>(&'a self, partitions: &'a [TopicPartition]) {
        tracing::info!(partitions = partitions.len(), "partitions came");
        self.watch.rebalanced();
    }

    async fn on_partitions_revoked<'a>(&'a self, partitions: &'a [TopicPartition]) {
        tracing::info!(partitions = partitions.len(), "partitions go to another member");
        if let Some(consumer) = self.consumer.get().and_then(Weak::upgrade) {
            let goes = |due: &Due| {
                partitions.iter().any(|place| place.topic() == &*due.place.0 && place.partition() == due.place.1)
            };
            self.commit(&consumer, self.tracker.due().into_iter().filter(goes).collect()).await;
        }
        self.forget(partitions);
        self.watch.rebalanced();
    }

    async fn on_partitions_lost<'a>(&'a self, partitions: &'a [TopicPartition]) {
        tracing::warn!(partitions = partitions.len(), "partitions were lost: this member was silent for too long");
        self.forget(partitions);
        self.watch.rebalanced();
    }
}

async fn commit_every<W: Watch>(interval: Duration, joined: Arc<Joined<W>>) {
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Some(consumer) = joined.consumer.get().and_then(Weak::upgrade) else { return };
        joined.commit(&consumer, joined.tracker.due()).await;
        joined.show_lag(&consumer).await;
    }
}
