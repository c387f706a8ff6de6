//! Small deliveries of one signal as one: in protobuf, requests that are written one after the other are one request.

use super::{Delivery, Limits};

/// A delivery that is being put together from what waits. Nothing is waited for.
#[derive(Debug)]
pub struct Batch {
    limits: Limits,
    first: Delivery,
    more: Vec<Delivery>,
    bytes: usize,
    items: u64,
}

impl Batch {
    /// Begins with a delivery, whatever its size.
    #[must_use]
    pub fn new(limits: Limits, first: Delivery) -> Self {
        let (bytes, items) = (first.bytes.len(), first.items);
        Self { limits, first, more: Vec::new(), bytes, items }
    }

    /// Adds the delivery that comes next. Where it does not fit, or is of another signal, it is given back.
    ///
    /// # Errors
    /// The delivery, to begin the next batch with.
    pub fn add(&mut self, next: Delivery) -> Result<(), Delivery> {
        let bytes = self.bytes.saturating_add(next.bytes.len());
        let items = self.items.saturating_add(next.items);
        let fits = bytes <= self.limits.max_bytes && items <= self.limits.max_items;
        if !self.limits.join || !fits || next.signal != self.first.signal {
            return Err(next);
        }
        (self.bytes, self.items) = (bytes, items);
        self.more.push(next);
        Ok(())
    }

    /// All of it as one delivery. A single one is not copied.
    #[must_use]
    pub fn finish(self) -> Delivery {
        if self.more.is_empty() {
            return self.first;
        }
        let mut bytes = Vec::with_capacity(self.bytes);
        for delivery in std::iter::once(&self.first).chain(&self.more) {
            bytes.extend_from_slice(&delivery.bytes);
        }
        Delivery { signal: self.first.signal, bytes: bytes.into(), items: self.items }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::receivers::Signal;
    use bytes::Bytes;

    fn delivery(signal: Signal, bytes: &'static [u8], items: u64) -> Delivery {
        Delivery { signal, bytes: Bytes::from_static(bytes), items }
    }

    #[test]
    fn deliveries_are_joined_up_to_each_limit_and_within_a_signal() {
        use Signal::{Logs, Traces};
        let limits = Limits { max_bytes: 8, max_items: 5, join: true, num_consumers: 1 };
        let large = delivery(Traces, b"longer than the limit", 1);
        for (what, limits, first, next, joined) in [
            ("both limits reached", limits, delivery(Traces, b"abcd", 2), delivery(Traces, b"efgh", 3), true),
            ("a byte too many", limits, delivery(Traces, b"abcd", 2), delivery(Traces, b"efghi", 3), false),
            ("an item too many", limits, delivery(Traces, b"abcd", 2), delivery(Traces, b"efgh", 4), false),
            ("another signal", limits, delivery(Traces, b"a", 1), delivery(Logs, b"b", 1), false),
            ("the first is over the limit", limits, large, delivery(Traces, b"", 1), false),
            ("not wanted", Limits::AS_IT_COMES, delivery(Traces, b"a", 1), delivery(Traces, b"b", 1), false),
        ] {
            let mut batch = Batch::new(limits, first.clone());
            let given_back = batch.add(next.clone()).err();
            assert_eq!(given_back, (!joined).then(|| next.clone()), "{what}");
            let whole = if joined { [&first.bytes[..], &next.bytes[..]].concat() } else { first.bytes.to_vec() };
            let items = if joined { first.items + next.items } else { first.items };
            assert_eq!(batch.finish(), Delivery { signal: first.signal, bytes: whole.into(), items }, "{what}");
        }
    }
}
