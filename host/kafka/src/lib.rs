//! OTLP over Kafka, as the OpenTelemetry Collector's `kafka` exporter and receiver have it: topics by signal, values that
//! are `Export*ServiceRequest`s in protobuf (`otlp_proto`), keys that keep what belongs together in one partition.
//!
//! A [`Producer`] [cuts](cut) a request into records and has them acknowledged by the broker. A [`Consumer`] is a member
//! of a consumer group: it hands what it reads to somebody who [takes](Take) it, and commits an offset only when
//! everything before it [was taken](Ack). Neither knows what a record is for.

mod ack;
mod connection;
mod consumer;
mod cut;
mod join;
mod member;
mod partition;
mod producer;
mod wire;

pub use ack::Ack;
pub use connection::{Connection, Mechanism, Sasl, Tls, check_brokers};
pub use consumer::{Consumer, ConsumerOptions, InitialOffset, Refused, Take, Watch};
pub use cut::{CutError, Cuts, Keys, OVERHEAD, Record, cut};
pub use partition::{Hasher, sarama_partition};
pub use producer::{Acks, Compression, Producer, ProducerOptions, SendError, Sent};

/// A topic for each signal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topics {
    /// Spans.
    pub traces: String,
    /// Log records.
    pub logs: String,
    /// Metrics.
    pub metrics: String,
}

impl Default for Topics {
    /// The Collector's defaults.
    fn default() -> Self {
        Self { traces: "otlp_spans".to_owned(), logs: "otlp_logs".to_owned(), metrics: "otlp_metrics".to_owned() }
    }
}

impl Topics {
    /// The topic of a signal.
    #[must_use]
    pub fn of(&self, items: tollgate_otlp::Items) -> &str {
        match items {
            tollgate_otlp::Items::Spans => &self.traces,
            tollgate_otlp::Items::LogRecords => &self.logs,
            tollgate_otlp::Items::DataPoints => &self.metrics,
        }
    }
}

/// Why a topic's name is none; nothing where it is one.
///
/// Source: Kafka's rule for topics: 1 to 249 of the characters `a-zA-Z0-9._-`, and neither `.` nor `..`.
#[must_use]
pub fn topic_problem(name: &str) -> Option<&'static str> {
    let is_known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    match name {
        "" => Some("is empty"),
        "." | ".." => Some("is no name of a topic"),
        name if name.len() > 249 => Some("is longer than 249 characters"),
        name if !name.bytes().all(is_known) => Some("has characters other than a-z, A-Z, 0-9, '.', '_' and '-'"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_topics() {
        for (name, is_one) in [
            ("otlp_spans", true),
            ("a.B-9_c", true),
            ("", false),
            (".", false),
            ("..", false),
            ("...", true),
            ("a b", false),
            ("^spans", false),
        ] {
            assert_eq!(topic_problem(name).is_none(), is_one, "{name:?}");
        }
        assert!(topic_problem(&"x".repeat(249)).is_none() && topic_problem(&"x".repeat(250)).is_some());
    }
}
