//! Sampling decisions: which traces are kept, by which rule, and with which probability.
//!
//! Two faces, one arithmetic. [`head::Ratio`] decides at the start of a call from the trace id alone; that is what
//! the Envoy filter uses. [`Sampler`] decides on whole traces; that is what the host uses. Both draw from the same 56
//! bits of randomness of the trace, so that whatever a lower ratio keeps a higher one keeps too, on any machine,
//! without talking.
//!
//! A configuration has one of two forms. `policies` are those of the OpenTelemetry Collector's `tail_sampling`
//! processor, by its keys and its rule: what any policy drops is dropped, else what any policy samples is kept.
//! `rules` are as in Honeycomb's Refinery: the first whose conditions hold decides, by a sampler of its own, which may
//! follow the traffic. Every verdict carries the exact threshold of randomness from which on traces like this one are
//! kept, so that what is kept can be scaled back; where a limit decided, it says that there is none. Metering does not
//! depend on any of this: it comes before.
//!
//! Nothing here has a clock: the time comes with the traces.
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

mod bucket;
#[cfg(feature = "component")]
mod component;
mod config;
mod dynamic;
mod expression;
pub mod head;
mod matcher;
mod ottl;
mod policy;
mod reads;
mod rule;
mod sampler;
mod trace;

pub use sampler::Sampler;
