//! Kafka: each delivery as records, in topics that OpenTelemetry Collectors and other hosts read.

use super::tls::Pem;
use super::{Delivery, Limits, SendError, Sink, wire};
use crate::config;
use tollgate_kafka::{Connection, Producer, ProducerOptions, Tls};

/// Topics that are written to.
#[derive(Debug)]
pub struct Topics {
    producer: Producer,
    limits: Limits,
}

impl Topics {
    /// Topics as configured. No broker has to answer yet.
    ///
    /// # Errors
    /// A file of TLS cannot be read.
    pub fn new(config: &config::Kafka) -> Result<Self, String> {
        let options = ProducerOptions {
            topics: config.topics.clone(),
            keys: config.keys,
            hasher: config.hasher,
            max_message_bytes: config.max_message_bytes,
            acks: config.acks,
            compression: config.compression,
            linger: config.linger,
        };
        let producer = Producer::new(connection(&config.connection)?, options);
        Ok(Self { producer, limits: config.requests.limits() })
    }
}

/// How brokers are reached, with what the files of TLS hold.
pub(crate) fn connection(config: &config::KafkaConnection) -> Result<Connection, String> {
    let tls = config.tls.as_ref().map(|tls| -> Result<Tls, String> {
        let Pem { authorities, identity } = Pem::read(tls)?;
        Ok(Tls { authorities, identity, server_name: tls.server_name_override.clone() })
    });
    Ok(Connection {
        brokers: config.brokers.clone(),
        client_id: config.client_id.clone(),
        tls: tls.transpose()?,
        sasl: config.sasl.clone(),
        timeout: config.timeout,
    })
}

impl Sink for Topics {
    fn limits(&self) -> Limits {
        self.limits
    }

    async fn send(&self, delivery: &Delivery) -> Result<u64, SendError> {
        match self.producer.send(wire::items(delivery.signal), delivery.bytes.clone()).await {
            Ok(sent) if sent.too_large == 0 => Ok(0),
            // Cutting the delivery into smaller ones would not make the item smaller.
            Ok(_) if delivery.items == 1 => {
                let why = format!("{} bytes are more than producer.max_message_bytes", delivery.bytes.len());
                Err(SendError::TooLarge { why })
            }
            Ok(sent) => {
                let items = sent.too_large;
                tracing::error!(items, "larger than producer.max_message_bytes, each by itself, and lost");
                Ok(items)
            }
            Err(tollgate_kafka::SendError::Again(why)) => Err(SendError::Again { why, after: None }),
            Err(tollgate_kafka::SendError::Never(why)) => Err(SendError::Never { why }),
            Err(tollgate_kafka::SendError::TooLarge(why)) => Err(SendError::TooLarge { why }),
        }
    }
}
