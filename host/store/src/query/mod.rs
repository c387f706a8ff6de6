//! What can be asked of the store.

mod aggregate;
mod calls;
mod cost;
mod cursor;
mod filter;
mod live;
mod sums;
mod trace;

pub use calls::{MOST_CALLS, Page};
pub use cost::{Cost, Group, GroupKey, KeyValue, MOST_GROUPS};
pub use cursor::Cursor;
pub use filter::Filter;
pub use live::{Latency, Live, MOST_LIVE_CALLS, MOST_MODELS, ModelLive};
pub use sums::Sums;
pub use trace::{MOST_TRACE_BYTES, MOST_TRACE_SPANS, Trace};

use crate::error::StoreError;
use crate::store::Store;
use rusqlite::OptionalExtension;

impl Store {
    /// When the oldest span that is held arrived, in nanoseconds since 1970; `None` where nothing is held.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn held_since(&self) -> Result<Option<u64>, StoreError> {
        self.read(|connection| {
            let received: Option<i64> = connection
                .prepare_cached("SELECT received FROM spans ORDER BY id LIMIT 1")?
                .query_row([], |row| row.get(0))
                .optional()?;
            Ok(received.and_then(|received| u64::try_from(received).ok()))
        })
    }
}
