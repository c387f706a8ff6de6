//! The proxy-wasm module: observes LLM traffic inside Envoy, and touches it only where it is told to.
//!
//! In: the callbacks of Envoy for every HTTP stream (headers, body chunks, the end). Out, for every LLM call: counters
//! and histograms, fields for the access log, and an OTLP span for a collector. Every callback says *continue*, nothing
//! is buffered, no byte is changed; what cannot be read costs a counter. The exceptions are
//! [`include_usage`], [`redact_traffic`], [`response_headers`], [`feedback`] and [`budgets`], which are off unless they are
//! configured, and say there what they do and where they stop.
//!
//! [`filter::Filter`] is the whole of it, generic over [`proxy::Proxy`]. In Envoy that is `abi.rs`, the only file that
//! knows the ABI; natively it is a model of Envoy, under which the filter is tested and fuzzed.
//!
//! The way of a call: [`exchange`] gives what callbacks bring to the token extractor, and is over in `on_log`, with the
//! outcome that [`outcome`] reads from Envoy's details; [`root`] then or soon after makes out the record, prices it, redacts
//! captured content, and hands the call to [`metrics`], to the access log, and, where it is sampled, as a span, an event,
//! or both to [`export`].
//!
//! ```
//! use tollgate_filter::config::Config;
//! let refusal = Config::parse(br#"{"export": {"clutser": "collector"}}"#).unwrap_err();
//! assert!(refusal.to_string().contains("export.clutser: there is no such field"));
//! ```

#[cfg(target_arch = "wasm32")]
mod abi;
mod access_log;
pub mod budgets;
mod call;
pub mod config;
mod event;
pub mod exchange;
pub mod export;
mod extra;
pub mod feedback;
mod fields;
pub mod filter;
mod ids;
pub mod include_usage;
pub mod metrics;
pub mod models;
pub mod outcome;
pub mod proxy;
mod redact;
pub mod redact_traffic;
mod resource;
pub mod response_headers;
pub mod root;
mod span;
pub mod trace_context;
