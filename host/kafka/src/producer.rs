//! Writes requests to topics: every record is acknowledged before a request counts as sent.

use crate::partition::SaramaCompat;
use crate::{Connection, CutError, Hasher, Keys, Topics, cut};
use bytes::Bytes;
use krafka::error::ErrorCode;
use krafka::{Kafka, KrafkaError, producer};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tollgate_otlp::Items;

/// Whose acknowledgement a record needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acks {
    /// All replicas that are in sync: `all`. A record is written once, however often it is sent.
    All,
    /// The leader: `1`. What only the leader had is lost with it.
    Leader,
}

/// Compression of record batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// As they are.
    None,
    /// gzip.
    Gzip,
    /// snappy.
    Snappy,
    /// lz4.
    Lz4,
    /// zstd.
    Zstd,
}

/// How records are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProducerOptions {
    /// Where they go.
    pub topics: Topics,
    /// What they are keyed by.
    pub keys: Keys,
    /// To which partition a key belongs.
    pub hasher: Hasher,
    /// Largest record, before compression.
    pub max_message_bytes: usize,
    /// Whose acknowledgement is waited for.
    pub acks: Acks,
    /// Compression of batches.
    pub compression: Compression,
    /// How long a batch that is not full waits for more.
    pub linger: Duration,
}

/// What became of a request that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Records that were written.
    pub records: usize,
    /// Items that were left out, since each by itself is larger than a record may be.
    pub too_large: u64,
}

/// Why a request was not sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// It may be taken later. Some of its records may have been written.
    #[error("{0}")]
    Again(String),
    /// It will never be taken.
    #[error("{0}")]
    Never(String),
    /// The broker takes no record of this size; smaller parts may be taken.
    #[error("{0}")]
    TooLarge(String),
}

/// Writes requests to topics. The connection is made when it is needed, so brokers may come later than this.
#[derive(Debug)]
pub struct Producer {
    connection: Connection,
    options: ProducerOptions,
    open: Mutex<Option<Arc<producer::Producer>>>,
}

impl Producer {
    /// A producer without a connection.
    #[must_use]
    pub fn new(connection: Connection, options: ProducerOptions) -> Self {
        Self { connection, options, open: Mutex::new(None) }
    }

    /// Writes the records of a request and waits until the broker has each. Where this is dropped, records that were
    /// handed to the client may be written still.
    ///
    /// # Errors
    /// Not all records have been acknowledged.
    pub async fn send(&self, items: Items, request: Bytes) -> Result<Sent, SendError> {
        let (keys, most) = (self.options.keys, self.options.max_message_bytes);
        let cuts = tokio::task::spawn_blocking(move || cut(&request, items, keys, most)).await;
        let cuts = cuts.map_err(|error| SendError::Again(format!("the request was not cut: {error}")))?;
        let cuts = cuts.map_err(|error: CutError| SendError::Never(error.to_string()))?;
        let sent = Sent { records: cuts.records.len(), too_large: cuts.too_large };
        if cuts.records.is_empty() {
            return Ok(sent);
        }
        let producer = self.producer().await.map_err(|error| meaning(&error))?;
        let topic = self.options.topics.of(items);
        let mut handles = Vec::with_capacity(cuts.records.len());
        let mut failed = None;
        for record in cuts.records {
            let mut out = krafka::Record::new(topic, record.value);
            out.key = record.key;
            match producer.enqueue(out).await {
                Ok(handle) => handles.push(handle),
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
        }
        for handle in handles {
            if let Err(error) = handle.await {
                failed.get_or_insert(error);
            }
        }
        match failed {
            None => Ok(sent),
            Some(error) => {
                if error.is_fatal() {
                    self.forget(&producer).await;
                }
                Err(meaning(&error))
            }
        }
    }

    /// The client, which is made where there is none.
    async fn producer(&self) -> krafka::Result<Arc<producer::Producer>> {
        let mut open = self.open.lock().await;
        if let Some(producer) = &*open {
            return Ok(Arc::clone(producer));
        }
        let producer = Arc::new(self.build(&self.connection.open().await?).await?);
        *open = Some(Arc::clone(&producer));
        Ok(producer)
    }

    async fn build(&self, kafka: &Kafka) -> krafka::Result<producer::Producer> {
        let ProducerOptions { hasher, max_message_bytes, acks, compression, linger, .. } = self.options;
        let mut builder = kafka
            .producer()
            .acks(match acks {
                Acks::All => producer::Acks::All,
                Acks::Leader => producer::Acks::Leader,
            })
            .idempotent(acks == Acks::All)
            .compression(match compression {
                Compression::None => krafka::Compression::None,
                Compression::Gzip => krafka::Compression::Gzip,
                Compression::Snappy => krafka::Compression::Snappy,
                Compression::Lz4 => krafka::Compression::Lz4,
                Compression::Zstd => krafka::Compression::Zstd,
            })
            .linger(linger)
            // A batch is what the broker's limit holds for.
            .batch_size(max_message_bytes)
            .buffer_memory(max_message_bytes.saturating_mul(8).max(32 << 20))
            .max_block(self.connection.timeout)
            .delivery_timeout(self.connection.timeout.saturating_mul(2).saturating_add(linger))
            .metrics_push(false);
        if hasher == Hasher::SaramaCompat {
            builder = builder.partitioner(SaramaCompat::default());
        }
        builder.build().await
    }

    /// Lets go of a client that is of no use any more.
    async fn forget(&self, failed: &Arc<producer::Producer>) {
        let mut open = self.open.lock().await;
        if open.as_ref().is_some_and(|open| Arc::ptr_eq(open, failed)) {
            *open = None;
        }
    }
}

/// What an error means for the request. A login that fails, a right that is missing and a topic that is not there are put
/// right by people, and what was to be sent has to be there then.
fn meaning(error: &KrafkaError) -> SendError {
    let why = chain(error);
    match error {
        KrafkaError::Broker { code: ErrorCode::MessageTooLarge | ErrorCode::RecordListTooLarge, .. } => {
            SendError::TooLarge(why)
        }
        KrafkaError::Broker { code: ErrorCode::InvalidRecord, .. }
        | KrafkaError::Serialization { .. }
        | KrafkaError::Compression { .. } => SendError::Never(why),
        _ => SendError::Again(why),
    }
}

/// The error with what is under it.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut under = error.source();
    while let Some(cause) = under {
        let more = cause.to_string();
        if !text.ends_with(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        under = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_never_passes_is_given_up() {
        let broker = |code| KrafkaError::broker(code, "so");
        let is_again = |error: &KrafkaError| matches!(meaning(error), SendError::Again(_));
        for error in [
            broker(ErrorCode::NotEnoughReplicas),
            broker(ErrorCode::TopicAuthorizationFailed),
            broker(ErrorCode::UnknownTopicOrPartition),
            KrafkaError::auth("no such user"),
            KrafkaError::timeout("produce"),
            KrafkaError::delivery_timeout(true, "late"),
            KrafkaError::unknown_topic("t"),
        ] {
            assert!(is_again(&error), "{error}");
        }
        assert!(matches!(meaning(&broker(ErrorCode::MessageTooLarge)), SendError::TooLarge(_)));
        assert!(matches!(meaning(&broker(ErrorCode::InvalidRecord)), SendError::Never(_)));
    }
}
