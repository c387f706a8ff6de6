//! What is done to a delivery before it is sent the first time, and not again when it is sent again.

use super::Delivery;
use crate::receivers::Signal;
use bytes::Bytes;
use std::borrow::Cow;
use std::fmt::Debug;
use std::sync::Arc;
use tollgate_dialect::Dialect;

/// Makes of a delivery what the output wants. It is run beside the workers of the runtime, so it may take its time.
pub trait Prepare: Debug + Send + Sync {
    /// The delivery as it is to be sent.
    fn prepare(&self, delivery: Delivery) -> Prepared;
}

/// A delivery as it is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prepared {
    /// What is sent; nothing where the output wants none of it.
    pub delivery: Option<Delivery>,
    /// How many items the output does not want. They are counted as dropped, for the reason `not_wanted`.
    pub not_wanted: u64,
    /// How often something could not be converted, and goes as it is.
    pub unconverted: u64,
}

impl Prepared {
    /// All of a delivery, as it is.
    #[must_use]
    pub fn same(delivery: Delivery) -> Self {
        Self { delivery: Some(delivery), not_wanted: 0, unconverted: 0 }
    }
}

/// Lets some signals through as they are; the others are not wanted.
#[derive(Clone, Copy, Debug)]
pub struct Only(pub &'static [Signal]);

impl Prepare for Only {
    fn prepare(&self, delivery: Delivery) -> Prepared {
        match self.0.contains(&delivery.signal) {
            true => Prepared::same(delivery),
            false => Prepared { delivery: None, not_wanted: delivery.items, unconverted: 0 },
        }
    }
}

/// Puts spans into a dialect; logs and metrics go as they are.
#[derive(Clone, Debug)]
pub struct InDialect(pub Arc<Dialect>);

impl Prepare for InDialect {
    fn prepare(&self, delivery: Delivery) -> Prepared {
        if delivery.signal != Signal::Traces {
            return Prepared::same(delivery);
        }
        match self.0.apply(&delivery.bytes) {
            Ok(translated) => {
                let unconverted = translated.unconverted;
                let bytes = match translated.bytes {
                    Cow::Owned(bytes) => Bytes::from(bytes),
                    Cow::Borrowed(_) => delivery.bytes.clone(),
                };
                Prepared { delivery: Some(Delivery { bytes, ..delivery }), not_wanted: 0, unconverted }
            }
            Err(error) => {
                tracing::error!(%error, "spans are sent under the names they have");
                Prepared { unconverted: delivery.items, ..Prepared::same(delivery) }
            }
        }
    }
}
