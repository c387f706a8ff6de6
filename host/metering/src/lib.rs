//! Metrics of calls to models and of the process that counts them.
//!
//! A [`Registry`] holds families of counters, gauges and histograms. What is counted is whole: tokens, calls, nano-dollars,
//! nanoseconds; [`Scale`] says what one is in the unit of the metric, so that sums are exact in every form in which they
//! leave. A family holds a bounded number of series, and what comes after is counted in one with `other` for the values
//! that came from outside, so that the sum over a family is exact too.
//!
//! [`Calls`] are the metrics of calls, by the names of the OpenTelemetry GenAI conventions and others. A call whose labels
//! were seen before is found by a hash of them and costs no allocation.
//!
//! The forms: [`Format`] for scrapes (Prometheus text 0.0.4, OpenMetrics 1.0.0, and the protobuf messages that native
//! histograms need), [`Registry::otlp`] and [`RemoteWriter`] for what is sent.
//!
//! ```
//! use tollgate_metering::{Described, Format, Registry};
//! let registry = Registry::default();
//! let requests = registry.counter(Described::new("requests", "Requests"));
//! requests.with([("reason", "invalid")]).inc();
//! let page = String::from_utf8(registry.page(Format::Text, 0)).unwrap();
//! assert!(page.contains("requests_total{reason=\"invalid\"} 1\n"));
//! ```
#![forbid(unsafe_code)]

mod calls;
mod exemplar;
mod exponential;
mod family;
mod format;
mod histogram;
mod names;
mod number;
mod otlp;
mod protobuf;
mod registry;
mod remote_write;
mod snapshot;
mod table;
mod text;
mod value;

pub use calls::{Call, Calls, CallsOptions, Names};
pub use exemplar::{Exemplar, Origin};
pub use exponential::MIN_SIZE as MIN_EXPONENTIAL_SIZE;
pub use family::{Counter, Family, Gauge, Handle, Histogram};
pub use format::Format;
pub use histogram::{Distribution, Layout};
pub use names::label_name;
pub use number::Scale;
pub use registry::{Bounds, Described, Registry};
pub use remote_write::RemoteWriter;
pub use value::{Level, Sum};

use std::time::{SystemTime, UNIX_EPOCH};

/// Nanoseconds since 1970; 0 where the clock is before that.
#[must_use]
pub fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
