//! Where scores go: what evaluations and users say of calls.

use super::SendError;
use std::future::Future;
use tollgate_score::Score;

/// A backend that takes scores.
///
/// Evaluations and feedback hand scores over as events, through the queue of an output like any other telemetry, so that
/// they survive what everything else survives. An output whose backend has an API of its own for scores implements this,
/// and gives the events in its deliveries to it.
///
/// What holds for all implementations:
/// - One attempt; sending again is for the caller. A score that is sent again has the same [id](Score::id) and time, so that
///   the backend knows it again.
/// - `Ok(rejected)` means that the backend has all but `rejected` of them, which it will never take.
pub trait Scores: Send + Sync {
    /// Hands scores over.
    fn send_scores(&self, scores: &[Score]) -> impl Future<Output = Result<u64, SendError>> + Send;
}
