//! What is answered to those who ask.

use crate::alerts::Alert;
use crate::breakdown::Breakdown;
use crate::bucket::Bucket;
use crate::limits::Limits;
use crate::sums::Totals;
use std::sync::Arc;

/// What was counted in a span of time, not yet put together: taking one is quick, making a [`Report`] of it is not.
///
/// It begins with the minute in which the time that was asked for begins or, where that minute is no longer recent, with
/// its hour; it ends now.
#[derive(Clone, Debug)]
pub struct Window {
    /// When it begins, in nanoseconds since 1970.
    pub start: u64,
    /// When it ends, in nanoseconds since 1970.
    pub end: u64,
    /// When the first minute or hour begins that has calls; `None` where none has.
    pub first: Option<u64>,
    pub(crate) buckets: Vec<Arc<Bucket>>,
    pub(crate) alerts: Vec<Arc<Alert>>,
    pub(crate) limits: Limits,
}

/// What calls cost in a span of time.
#[derive(Clone, Debug)]
pub struct Report {
    /// Sums over all calls.
    pub totals: Totals,
    /// By model.
    pub model: Breakdown,
    /// By who answered.
    pub provider: Breakdown,
    /// By what was asked for.
    pub operation: Breakdown,
    /// By who computed the cost; calls without a cost have none.
    pub source: Breakdown,
    /// By the dimensions that the user chose, in their order.
    pub dimensions: Vec<Breakdown>,
    /// Calls without a cost by reason; `not_stated` where they do not say.
    pub unpriced_reason: Breakdown,
    /// Calls without a cost by model.
    pub unpriced_model: Breakdown,
    /// The newest calls that cost more than a level, the newest first.
    pub alerts: Vec<Arc<Alert>>,
}

impl Window {
    /// Puts the report together.
    #[must_use]
    pub fn report(&self) -> Report {
        let mut sum = Bucket::new(&self.limits);
        self.buckets.iter().for_each(|bucket| sum.merge(bucket));
        Report {
            totals: sum.totals,
            model: sum.model.breakdown(),
            provider: sum.provider.breakdown(),
            operation: sum.operation.breakdown(),
            source: sum.source.breakdown(),
            dimensions: sum.dimensions.into_iter().map(|table| table.breakdown()).collect(),
            unpriced_reason: sum.unpriced_reason.breakdown(),
            unpriced_model: sum.unpriced_model.breakdown(),
            alerts: self.alerts.clone(),
        }
    }
}
