//! Stage 3, log: the place of the durable log, between redaction and the acknowledgement.
//!
//! What is appended here has been redacted, and is acknowledged only when the append has succeeded. The one log there
//! is now keeps nothing: what was acknowledged lives in memory until it is delivered.

use crate::receivers::{Refusal, Signal};

/// Says that an accepted request was dealt with, once its last clone is gone. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Receipt;

/// Makes a request durable.
pub trait Log: Send + Sync {
    /// Appends a request; it survives the process when this returns.
    ///
    /// # Errors
    /// It is not durable; the sender is told to send it again.
    fn append(&self, signal: Signal, request: &[u8]) -> Result<(), Refusal>;
}

/// Keeps nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoLog;

impl Log for NoLog {
    fn append(&self, _: Signal, _: &[u8]) -> Result<(), Refusal> {
        Ok(())
    }
}
