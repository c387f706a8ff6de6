//! Runs plugins, and nothing else: WebAssembly components in, checked answers out.
//!
//! The bytes of a component go through [`Engine::load`], which checks its names and its digest before anything of it is
//! compiled, and refuses one that wants anything from its host. A [`Plugin`] is configured into an [`Enricher`],
//! [`Redactor`], [`Sampler`] or [`Extractor`], each with an instance of its own. Every call has a deadline and a memory
//! limit, every answer is checked, and a plugin that traps, overruns or answers against the rules costs an error and a
//! counter; the next call gets a fresh instance.
//!
//! Calls are synchronous and take no longer than their deadline, so an asynchronous host makes them from a thread that
//! may block.
//!
//! ```
//! use tollgate_engine::{Engine, EngineConfig, LoadError};
//! let engine = Engine::new(EngineConfig { instances: 4, ..EngineConfig::default() }).unwrap();
//! let refusal = engine.load(b"not a component").unwrap_err();
//! assert!(matches!(refusal, LoadError::NotWebAssembly));
//! ```

mod config;
mod counters;
mod digest;
mod engine;
mod enricher;
mod error;
mod extractor;
mod limits;
mod manifest;
mod plugin;
mod redactor;
mod sampler;
mod seat;
mod text;
mod v0_1_0;
mod verify;

pub use config::EngineConfig;
pub use counters::{Counters, Counts};
pub use digest::{Digest, NotADigest};
pub use engine::Engine;
pub use enricher::Enricher;
pub use error::{CallError, ConfigureError, EngineError, LoadError};
pub use extractor::{Exchange, Extractor, ExtractorManifest, Reading, RequestHead};
pub use plugin::{Description, Plugin};
pub use redactor::Redactor;
pub use sampler::Sampler;
pub use verify::World;
