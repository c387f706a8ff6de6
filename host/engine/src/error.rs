//! Why a plugin was not loaded, not configured, or stopped.

use crate::Digest;
use std::time::Duration;
use tollgate_columns::{ConfigError, Malformed};

/// The engine could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The WebAssembly runtime could not be set up with these limits.
    #[error("the WebAssembly engine cannot be set up: {0}; where address space is limited, allow fewer instances")]
    Runtime(String),
    /// The thread that keeps deadlines could not be started.
    #[error("the thread that keeps plugin deadlines cannot be started: {0}")]
    Ticker(#[from] std::io::Error),
}

/// A file was not loaded as a plugin.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file is larger than components may be.
    #[error("the file has {bytes} bytes; a plugin may have at most {most}")]
    TooLarge {
        /// Size of the file.
        bytes: usize,
        /// The limit.
        most: usize,
    },
    /// The file is not the one that was pinned.
    #[error("the file's digest is {found}, but the configuration pins {pinned}")]
    Digest {
        /// Digest that the configuration names.
        pinned: Digest,
        /// Digest of the file.
        found: Digest,
    },
    /// The file is no WebAssembly at all.
    #[error("the file is not a WebAssembly component (it does not begin with the bytes of one)")]
    NotWebAssembly,
    /// The file is a core module: one step is missing.
    #[error(
        "the file is a WebAssembly module, not a component; `wasm-tools component new MODULE -o COMPONENT` makes one \
         of it"
    )]
    CoreModule,
    /// The file is broken.
    #[error("the file is not a valid WebAssembly component: {0}")]
    Invalid(String),
    /// The plugin wants something that plugins are not given.
    #[error(
        "the plugin imports `{import}`; a plugin is given no files, network, clock or anything else, so it may \
         import nothing but the types of `tollgate:plugin`"
    )]
    Import {
        /// Name of the import.
        import: String,
    },
    /// The plugin is made for another version of the interface.
    #[error("the plugin's `{interface}` speaks {speaks}, this host speaks {host}")]
    Version {
        /// Interface, for example `tollgate:plugin/enrichment`.
        interface: String,
        /// Version that the plugin speaks.
        speaks: String,
        /// Versions that the host speaks.
        host: &'static str,
    },
    /// The component is valid, but not a plugin.
    #[error("the component exports no interface of a plugin (it exports {})", list(.exports))]
    NotAPlugin {
        /// What it exports instead.
        exports: Vec<String>,
    },
    /// An interface is there but has not the shape it must have.
    #[error("the plugin's interfaces are not those of the version it names: {0}")]
    Shape(String),
}

fn list(names: &[String]) -> String {
    if names.is_empty() {
        return "nothing".to_owned();
    }
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// A plugin could not be put to use.
#[derive(Debug, thiserror::Error)]
pub enum ConfigureError {
    /// The plugin is of another kind.
    #[error("the plugin is not {wanted}; it is {is}")]
    Kind {
        /// What was wanted of it.
        wanted: &'static str,
        /// What it is.
        is: String,
    },
    /// The plugin refused its configuration.
    #[error("the plugin refuses its configuration: {0}")]
    Refused(ConfigError),
    /// What the plugin says about itself breaks the rules.
    #[error("the plugin's manifest breaks the rules: {0}")]
    Manifest(String),
    /// The plugin was stopped while it was configured.
    #[error("while the plugin was configured: {0}")]
    Stopped(CallError),
}

/// A call gave no result. The plugin is usable again afterwards: where the instance may be damaged, the next call gets
/// a fresh one.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The plugin trapped.
    #[error("the plugin trapped: {why}")]
    Trapped {
        /// The trap, in the runtime's words.
        why: String,
    },
    /// The plugin was stopped at its deadline.
    #[error("the plugin was stopped after {after:?}, its time for this call")]
    Deadline {
        /// The time it had.
        after: Duration,
    },
    /// The plugin wanted more memory than it may have, and ended.
    #[error("the plugin wanted more than its {limit} bytes of memory")]
    Memory {
        /// Bytes that it may have.
        limit: usize,
    },
    /// The plugin refused the call, in its own words.
    #[error("the plugin refused: {0}")]
    Refused(String),
    /// The result breaks the rules of its columns.
    #[error("the plugin's answer breaks the rules: {0}")]
    Malformed(#[from] Malformed),
    /// The result could not be taken over: it is too large, or not made as its interface says.
    #[error("the plugin's answer cannot be read: {why}")]
    Unreadable {
        /// What is wrong, in the runtime's words.
        why: String,
    },
    /// No instance could be made: all are in use, or the plugin no longer takes its configuration.
    #[error("no instance of the plugin can be made: {why}")]
    Unavailable {
        /// What is wrong.
        why: String,
    },
}
