//! Clock readings of a call, kept apart from the record so that records compare equal across seats.

use serde::{Deserialize, Serialize};

/// When the parts of an answer came, in nanoseconds since the request began, by the seat's own clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timing {
    /// First chunk of a streamed answer that carries output (not a ping, not a role marker).
    pub time_to_first_chunk: Option<u64>,
    /// Last chunk that carries output.
    pub time_to_last_chunk: Option<u64>,
    /// Chunks (stream events) that carry output.
    pub output_chunks: u64,
    /// Bytes of the request body.
    pub request_bytes: u64,
    /// Bytes of the response body, as transferred.
    pub response_bytes: u64,
}

impl Timing {
    /// Mean nanoseconds between output chunks after the first; `None` with fewer than two chunks.
    #[must_use]
    pub fn time_per_output_chunk(&self) -> Option<u64> {
        let span = self.time_to_last_chunk?.checked_sub(self.time_to_first_chunk?)?;
        span.checked_div(self.output_chunks.checked_sub(1)?)
    }
}
