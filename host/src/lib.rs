//! The `tollgate` host: OTLP in; spans enriched, redacted, metered and sampled by components; telemetry out.
//!
//! A request takes this way, always in this order: [`receivers`] (OTLP over gRPC and HTTP) hand the encoded bytes to
//! the [`stages`] (admit, enrich, redact, log, meter, sample, deliver), which hand them to the queues of the
//! [`outputs`]. All that waits anywhere takes its bytes from one [`memory`]. [`plugins`] loads the components that run in the stages; [`config`] says which; [`metrics`] is what
//! everything counts, [`costs`] what calls cost by time, about which [`api`] answers; [`process`] puts all of it
//! together, and [`cli`] is what a user types.
//!
//! ```
//! use tollgate_host::config::Config;
//! let problems = Config::parse("receivers: {}").unwrap_err();
//! assert_eq!(problems.len(), 2, "nothing is received, and nothing is delivered");
//! ```

pub mod api;
pub mod cli;
pub mod config;
pub mod costs;
pub mod memory;
pub mod metrics;
pub mod outputs;
pub mod plugins;
pub mod process;
pub mod receivers;
pub mod stages;

use tollgate_store::{moment, money};
