//! A loaded plugin: compiled and checked, not yet configured.

use crate::verify::{Outside, VERSION};
use crate::{
    ConfigureError, Digest, Engine, Enricher, Extractor, Redactor, Sampler, World, seat::Seat, v0_1_0::Worlds,
};
use std::sync::Arc;

/// A component that was checked and compiled. Cloning is cheap and gives the same plugin.
#[derive(Clone, Debug)]
pub struct Plugin(Arc<Loaded>);

pub(crate) struct Loaded {
    pub(crate) engine: Engine,
    pub(crate) worlds: Worlds,
    description: Description,
}

/// What a component is, as far as its file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// The kinds of plugin that it is; at least one.
    pub worlds: Vec<World>,
    /// The version of `tollgate:plugin` that it speaks.
    pub version: &'static str,
    /// What it imports: interfaces that hold nothing but types, if any.
    pub imports: Vec<String>,
    /// Size of the file, in bytes.
    pub size: usize,
    /// Digest of the file, as a configuration would pin it.
    pub sha256: Digest,
}

impl Plugin {
    pub(crate) fn new(engine: Engine, worlds: Worlds, outside: Outside, sha256: Digest, size: usize) -> Self {
        let Outside { worlds: kinds, imports } = outside;
        let description = Description { worlds: kinds, version: VERSION, imports, size, sha256 };
        Self(Arc::new(Loaded { engine, worlds, description }))
    }

    pub(crate) fn loaded(&self) -> &Loaded {
        &self.0
    }

    /// What the component is.
    #[must_use]
    pub fn describe(&self) -> &Description {
        &self.0.description
    }

    /// Configures the plugin as an enricher. Each handle has its own instance, and so shares nothing with others of
    /// the same plugin: take one a tenant.
    ///
    /// # Errors
    /// The plugin is no enricher, refuses the configuration, or was stopped.
    pub fn enricher(&self, config: &str) -> Result<Enricher, ConfigureError> {
        Seat::open(self, config).map(Enricher::new)
    }

    /// Configures the plugin as a redactor; see [`enricher`](Self::enricher).
    ///
    /// # Errors
    /// The plugin is no redactor, refuses the configuration, or was stopped.
    pub fn redactor(&self, config: &str) -> Result<Redactor, ConfigureError> {
        Seat::open(self, config).map(Redactor::new)
    }

    /// Configures the plugin as a sampler; see [`enricher`](Self::enricher).
    ///
    /// # Errors
    /// The plugin is no sampler, refuses the configuration, or was stopped.
    pub fn sampler(&self, config: &str) -> Result<Sampler, ConfigureError> {
        Seat::open(self, config).map(Sampler::new)
    }

    /// Configures the plugin as an extractor; see [`enricher`](Self::enricher).
    ///
    /// # Errors
    /// The plugin is no extractor, refuses the configuration, or was stopped.
    pub fn extractor(&self, config: &str) -> Result<Extractor, ConfigureError> {
        Seat::open(self, config).map(Extractor::new)
    }
}

impl std::fmt::Debug for Loaded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(&self.description, f)
    }
}
