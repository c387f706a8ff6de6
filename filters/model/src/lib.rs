//! A model of the proxy side of proxy-wasm, to run and fuzz the filter natively.
//!
//! [`Model`] is what Envoy gives the filter: headers, chunks, attributes, a clock, and calls that can be refused. A test
//! sets it up, calls the filter's callbacks in the order that Envoy would, or in one it never would, and looks at what
//! the filter asked for. The model is hostile on demand: header bytes that are no text, attributes that are missing,
//! buffers that cannot be read, metrics, fields and calls that are refused, a clock that steps back.
//!
//! ```
//! use tollgate_envoy_model::{Answer, Model, Request, run};
//! use tollgate_filter::filter::Filter;
//! let model = Model::default();
//! let mut filter = Filter::default();
//! assert!(model.configure(&mut filter, "{}"));
//! run(&model, &mut filter, &Request::post("/v1/chat/completions", "{}"), &Answer::json("{}"));
//! assert_eq!(model.sum("tollgate.calls"), 1);
//! ```
#![forbid(unsafe_code)]

pub mod chaos;
mod exchange;
mod model;

pub use exchange::{Answer, BUFFER_LIMIT, End, Passed, Request, run};
pub use model::{HeaderMap, Model, ROOT, Refusals, Sent, Shared};
