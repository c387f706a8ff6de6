//! Sampling decisions: which traces are kept, by which rule, and with which probability.
//!
//! Two faces, one arithmetic. [`head::Ratio`] decides at the start of a call from the trace id alone; that is what
//! the Envoy filter uses. [`Sampler`] decides on whole traces, by policies named and shaped like those of the
//! OpenTelemetry Collector's `tail_sampling` processor; that is what the host uses. Both draw from the same 56 bits
//! of the trace id, so that whatever a lower ratio keeps a higher one keeps too, on any machine, without talking.
//!
//! Policies are asked in order and the first that matches decides; a trace that none matches is dropped. Every
//! verdict carries the probability with which a trace like it is kept, so that counts made from what was kept can be
//! scaled back. Metering does not depend on any of this: it comes before.
//!
//! ```
//! use tollgate_sampler::Sampler;
//! let sampler = Sampler::configure(r#"{"policies": [
//!     {"name": "errors", "type": "status_code", "status_code": {"status_codes": ["ERROR"]}},
//!     {"name": "rest", "type": "probabilistic", "probabilistic": {"sampling_percentage": 10}}
//! ]}"#).unwrap();
//! assert_eq!(sampler.manifest().rules, ["errors", "rest", "no policy matched"]);
//! assert!(sampler.manifest().reads.contains(&"span:status".to_owned()));
//! ```
#![cfg_attr(not(feature = "component"), forbid(unsafe_code))]

#[cfg(feature = "component")]
mod component;
mod config;
pub mod head;
mod policy;
mod sampler;

pub use sampler::Sampler;
