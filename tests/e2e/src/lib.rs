//! What end-to-end tests stand on: a real Envoy, an upstream that replays exact bytes, a collector that keeps what it
//! gets, and a client that speaks raw HTTP/1.1.
//!
//! Everything listens on loopback, on ports that the system gives; everything is bounded in time; every process and
//! thread that was started ends with the value that stands for it. Where the Envoy binary or the recorded traffic is
//! missing a test says `SKIPPED:` loudly and passes, unless `TOLLGATE_REQUIRE_DATA=1`, where it fails.
//!
//! ```no_run
//! use tollgate_e2e::{Answer, Envoy, Settings, Upstream, client};
//! let upstream = Upstream::start(|_| Answer::json("{}"));
//! let Some(envoy) = Envoy::start(&Settings::new(upstream.port())) else { return };
//! let response = client::post(envoy.port(), "/v1/chat/completions", b"{}");
//! assert_eq!(response.body, b"{}");
//! ```
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "test support")]

pub mod chat;
pub mod client;
mod data;
mod envoy;
mod settings;
mod sink;
mod upstream;
mod wire;

pub use data::{build_output, recorded_traffic, skipped};
pub use envoy::{Envoy, refused_start};
pub use settings::Settings;
pub use sink::Sink;
pub use upstream::{Answer, Piece, Request, Upstream};
