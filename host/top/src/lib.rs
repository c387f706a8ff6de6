//! The terminal view of a running host: `tollgate top`.
//!
//! [`Snapshot`] is what the host answers at `/api/live` and `/api/calls` (docs/API.md). [`View`] is a snapshot with what is
//! known of the host, and [`View::render`] draws one: a function of the view and the room there is, without a terminal. So
//! [`View::plain`] is the same frame as text, and the tests look at buffers. [`run`] asks again and again, and shows it.
//!
//! ```
//! use tollgate_top::{Snapshot, View};
//! let mut view = View::new("http://127.0.0.1:9464");
//! assert!(view.plain(60, 12).contains("asking"));
//! view.away("connection refused");
//! assert!(view.plain(60, 12).contains("connection refused"));
//! view.show(Snapshot::default());
//! assert!(view.plain(60, 12).contains("calls/s"));
//! ```
#![forbid(unsafe_code)]

mod format;
mod render;
mod snapshot;
mod terminal;
mod view;

pub use snapshot::{Call, Calls, Latency, Live, Model, Snapshot, Sums, Tokens};
pub use terminal::run;
pub use view::View;
