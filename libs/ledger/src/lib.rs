//! What calls cost, added up by time and by who made them, in bounded memory.
//!
//! In goes an [`Entry`] a call, with the time of its arrival; nothing here reads a clock. Out comes a [`Report`] of the
//! last minutes, hours or days: totals, and for each dimension (model, provider, operation, source, and what the user
//! chose) the values that cost most. Money is in nano-dollars, whole; sums are exact.
//!
//! # Time
//!
//! An entry counts at the time at which its call ended, because the question is what was spent then, not when the news
//! of it came. Time is held in buckets of a minute for [`Limits::recent`] and of an hour for [`Limits::retention`]; a
//! minute that is no longer recent is added to its hour. A window begins at a whole minute where all of it is recent, and
//! at a whole hour where not, so it is never shorter than what was asked for.
//!
//! - A call without a time of its end counts at its arrival.
//! - A call that ended after its arrival, by a clock that is ahead, counts at its arrival; one that was ahead by more
//!   than a minute is counted in [`Counters::ahead`].
//! - A call that ended before everything that is held is in no bucket; [`Counters::late`] and [`Counters::late_cost`]
//!   have it.
//! - Where the clock of the arrivals is set back, what was counted at times that have yet to come is added to the time
//!   that it is now: no sum loses it.
//!
//! # Values
//!
//! A dimension holds at most [`Limits::values`] values a bucket (or fewer where there are only a few words to tell apart);
//! see [`Breakdown`] for what that does to the figures, and how much they may be wrong. The sum over the values of a
//! dimension, those without a value and `other` included, is the total to the nano-dollar, always.
//!
//! # Memory
//!
//! At most [`Limits::most_bytes`], and twice a bucket's share of it for each [`Window`] that is alive while calls are
//! added.
//!
//! ```
//! use std::borrow::Cow;
//! use std::time::Duration;
//! use tollgate_ledger::{Entry, Ledger, Limits};
//!
//! let minute = 60_000_000_000;
//! let now = 1_000_000 * minute;
//! let mut ledger = Ledger::new(Limits { dimensions: 1, ..Limits::default() });
//! for (user, cost) in [("ada", 4_500_000), ("bob", 500_000), ("ada", 1)] {
//!     let user = [Some(Cow::Borrowed(user))];
//!     ledger.add(now, &Entry { ended: now, model: Some("gpt-4o"), cost: Some(cost), values: &user, ..Entry::default() });
//! }
//! let report = ledger.window(now, Duration::from_secs(900)).report();
//! assert_eq!((report.totals.sums.calls, report.totals.sums.cost), (3, 5_000_001));
//! let users = report.dimensions[0].lines.iter().map(|line| (&*line.value, line.sums.cost));
//! assert_eq!(users.collect::<Vec<_>>(), [("ada", 4_500_001), ("bob", 500_000)]);
//! ```
#![forbid(unsafe_code)]

mod alerts;
mod breakdown;
mod bucket;
mod entry;
mod ledger;
mod limits;
mod report;
mod sums;
mod table;

pub use alerts::{Alert, Level};
pub use breakdown::{Breakdown, Line};
pub use entry::{Entry, LONGEST_VALUE};
pub use ledger::{Counters, Ledger};
pub use limits::{Limits, WORDS};
pub use report::{Report, Window};
pub use sums::{KINDS, Savings, Sums, Totals, Weight};
