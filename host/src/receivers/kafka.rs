//! Kafka: a member of a consumer group, whose records come in like requests over OTLP.
//!
//! A record counts as taken when it has been accepted and is in the log on disk. Where the log is in memory it counts as
//! taken when the last [`Receipt`](crate::stages::log::Receipt) of its request is gone: when its traces are decided and every
//! output has what is kept of them.

use super::{Accepted, Intake, Received, Refusal, Signal};
use crate::config::KafkaReceiver;
use crate::metrics::Metrics;
use bytes::Bytes;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tollgate_kafka::{Ack, Connection, Consumer, Refused, Take, Watch};
use tollgate_otlp::Items;

/// Reads the topics of a configuration, from brokers that may come later. From the time that `frozen` is true nothing more
/// counts as done.
pub fn start<I: Intake>(
    config: &KafkaReceiver,
    connection: Connection,
    intake: Arc<I>,
    metrics: &Metrics,
    frozen: Arc<AtomicBool>,
) -> Consumer {
    // A request of small records may be larger than a record may.
    let most = config.max_message_bytes.max(config.options.max_request_bytes);
    let stages = ToStages { intake, max_message_bytes: config.max_message_bytes, max_bytes: most };
    let counts = Counts { metrics: metrics.clone() };
    Consumer::start(connection, config.options.clone(), Arc::new(stages), Arc::new(counts), frozen)
}

/// Bytes of memory that a member has beside what the stages count: an answer of the broker, what was read of one before, and
/// requests that wait to be handed over.
#[must_use]
pub fn buffers(config: &KafkaReceiver) -> u64 {
    let options = &config.options;
    let requests = options.concurrency.saturating_mul(options.max_request_bytes);
    u64::try_from(options.max_fetch_size.saturating_mul(2).saturating_add(requests)).unwrap_or(u64::MAX)
}

struct ToStages<I> {
    intake: Arc<I>,
    max_message_bytes: usize,
    /// Most bytes of a request.
    max_bytes: usize,
}

impl<I: Intake> Take for ToStages<I> {
    async fn take(&self, items: Items, request: Bytes, ack: Ack) -> Result<(), Refused> {
        match self.accept(items, request, ack).await {
            Ok(accepted) => {
                if accepted.rejected > 0 {
                    tracing::warn!(rejected = accepted.rejected, why = accepted.message, "left out of records");
                }
                Ok(())
            }
            Err(refusal) => {
                self.intake.admission().count_refusal(&refusal);
                Err(meaning(refusal))
            }
        }
    }
}

impl<I: Intake> ToStages<I> {
    async fn accept(&self, items: Items, request: Bytes, ack: Ack) -> Result<Accepted, Refusal> {
        let signal = match items {
            Items::Spans => Signal::Traces,
            Items::LogRecords => Signal::Logs,
            Items::DataPoints => Signal::Metrics,
        };
        if request.len() > self.max_bytes {
            return Err(Refusal::TooLarge { limit: self.max_message_bytes });
        }
        let lease = self.intake.admission().lease(request.len())?;
        self.intake.accept(Received { signal, bytes: request, lease, origin: Some(Arc::new(ack)) }).await
    }
}

/// What a refusal means for records, which have no sender to tell.
fn meaning(refusal: Refusal) -> Refused {
    let why = refusal.to_string();
    match refusal {
        Refusal::Invalid(_) | Refusal::TooLarge { .. } | Refusal::Unauthenticated(_) => Refused::Invalid(why),
        Refusal::Overloaded { retry_after: after, .. }
        | Refusal::TooSlow { retry_after: after, .. }
        | Refusal::Unavailable { retry_after: after, .. } => Refused::Later { why, after },
        Refusal::Deadline => Refused::Later { why, after: Duration::ZERO },
    }
}

struct Counts {
    metrics: Metrics,
}

fn of_topic(topic: &str) -> Vec<(&'static str, String)> {
    vec![("topic", topic.to_owned())]
}

impl Watch for Counts {
    fn received(&self, topic: &str, records: u64) {
        self.metrics.kafka_records.with(of_topic(topic)).inc_by(records);
    }

    fn invalid(&self, topic: &str) {
        self.metrics.kafka_invalid.with(of_topic(topic)).inc();
    }

    fn waits(&self) {
        self.metrics.kafka_waits.inc();
    }

    fn committed(&self, is_done: bool) {
        let outcome = if is_done { "ok" } else { "failed" };
        self.metrics.kafka_commits.with(vec![("outcome", outcome.to_owned())]).inc();
    }

    fn rebalanced(&self) {
        self.metrics.kafka_rebalances.inc();
    }

    fn lag(&self, topic: &str, partition: i32, records: Option<u64>) {
        let mut labels = of_topic(topic);
        labels.push(("partition", partition.to_string()));
        let records = records.map_or(0, |records| i64::try_from(records).unwrap_or(i64::MAX));
        self.metrics.kafka_lag.with(labels).set(records);
    }
}
