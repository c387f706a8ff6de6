//! What a receiver answers with status 200.

use crate::wire::{Payload, Reader};

/// How many items of a request the receiver did not take, by the body of its answer: `rejected_spans`,
/// `rejected_log_records` or `rejected_data_points` of `partial_success`, which have the same numbers in the responses of
/// all three signals. 0 where the answer does not say so, or is none that can be read.
///
/// ```
/// assert_eq!(tollgate_otlp::rejected(b""), 0);
/// assert_eq!(tollgate_otlp::rejected(b"\x0a\x02\x08\x03"), 3);
/// ```
#[must_use]
pub fn rejected(response: &[u8]) -> u64 {
    let within = |bytes: &[u8], at: usize, number: u32| {
        let mut reader = Reader::new(bytes, at);
        std::iter::from_fn(|| reader.field().ok().flatten()).filter(|field| field.number == number).last()
    };
    let Some(Payload::Bytes(partial)) = within(response, 0, 1).map(|field| field.payload) else { return 0 };
    let rejected = within(response.get(..partial.end as usize).unwrap_or_default(), partial.body as usize, 1);
    match rejected.map(|field| field.payload) {
        // A count below zero is none.
        Some(Payload::Varint(rejected)) => i64::try_from(rejected).map_or(0, i64::cast_unsigned),
        _ => 0,
    }
}
