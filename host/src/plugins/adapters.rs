//! The engine's plugins as the stages use them.

use super::pool::Pool;
use crate::stages::plugin::{Enricher, Failure, Redactor, Sampler};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tollgate_columns::{
    Batch, EnricherManifest, Given, Redaction, RedactorManifest, SamplerManifest, Traces, Verdicts,
};
use tollgate_engine::{CallError, ConfigureError, Plugin};

/// Instances of a plugin together with what the first of them said about itself.
#[derive(Debug)]
pub(super) struct Pooled<T, M> {
    manifest: M,
    pool: Pool<T>,
    /// Another number before and after each time the instances are replaced.
    configuration: AtomicU64,
}

impl<T, M> Pooled<T, M> {
    /// Configures `seats` instances, at least one.
    fn open(
        seats: usize,
        configure: impl Fn() -> Result<T, ConfigureError>,
        manifest: impl Fn(&T) -> M,
    ) -> Result<Self, ConfigureError> {
        let first = configure()?;
        let manifest = manifest(&first);
        let others = (1..seats).map(|_| configure()).collect::<Result<_, _>>()?;
        Ok(Self { manifest, pool: Pool::new(first, others), configuration: AtomicU64::new(0) })
    }
}

/// A plugin that takes another configuration while it runs.
pub(super) trait Reconfigure: Send + Sync + std::fmt::Debug {
    /// Replaces its instances by such with the configuration. What it reads and writes must stay the same.
    ///
    /// # Errors
    /// Why it goes on with the configuration that it has.
    fn reconfigure(&self, plugin: &Plugin, config: &str) -> Result<(), String>;
}

/// Instances that are shared by the stage and by whoever reconfigures them.
macro_rules! pooled {
    ($name:ident, $instance:ty, $manifest:ty, $configure:ident) => {
        #[derive(Clone, Debug)]
        pub(super) struct $name(Arc<Pooled<$instance, $manifest>>);

        impl $name {
            pub(super) fn open(plugin: &Plugin, config: &str, seats: usize) -> Result<Self, ConfigureError> {
                let manifest = |first: &$instance| first.manifest().clone();
                Pooled::open(seats, || plugin.$configure(config), manifest).map(Arc::new).map(Self)
            }
        }

        impl Reconfigure for $name {
            fn reconfigure(&self, plugin: &Plugin, config: &str) -> Result<(), String> {
                let manifest = plugin.$configure(config).map_err(|error| error.to_string())?.manifest().clone();
                if manifest != self.0.manifest {
                    return Err("it would read or write other attributes; restart to change that".to_owned());
                }
                self.0.configuration.fetch_add(1, Ordering::SeqCst);
                let replaced = self.0.pool.replace(|| plugin.$configure(config)).map_err(|error| error.to_string());
                self.0.configuration.fetch_add(1, Ordering::SeqCst);
                replaced
            }
        }
    };
}

pooled!(PooledEnricher, tollgate_engine::Enricher, EnricherManifest, enricher);
pooled!(PooledRedactor, tollgate_engine::Redactor, RedactorManifest, redactor);
pooled!(PooledSampler, tollgate_engine::Sampler, SamplerManifest, sampler);

impl Enricher for PooledEnricher {
    fn manifest(&self) -> &EnricherManifest {
        &self.0.manifest
    }

    fn enrich(&self, spans: Batch) -> Result<Batch, Failure> {
        self.0.pool.with(|enricher| enricher.enrich(spans)).map_err(Failure::from)
    }
}

impl Redactor for PooledRedactor {
    fn manifest(&self) -> &RedactorManifest {
        &self.0.manifest
    }

    fn redact(&self, given: &Given) -> Result<Redaction, Failure> {
        self.0.pool.with(|redactor| redactor.redact(given)).map_err(Failure::from)
    }

    fn configuration(&self) -> u64 {
        self.0.configuration.load(Ordering::SeqCst)
    }
}

impl Sampler for PooledSampler {
    fn manifest(&self) -> &SamplerManifest {
        &self.0.manifest
    }

    fn decide(&self, traces: Traces) -> Result<Verdicts, Failure> {
        self.0.pool.with(|sampler| sampler.decide(traces)).map_err(Failure::from)
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        let kind = match &error {
            CallError::Trapped { .. } => "trap",
            CallError::Deadline { .. } => "deadline",
            CallError::Memory { .. } => "memory",
            CallError::Refused(_) => "refused",
            CallError::Malformed(_) => "malformed",
            CallError::Unreadable { .. } => "unreadable",
            CallError::Unavailable { .. } => "unavailable",
        };
        Self { kind, message: error.to_string() }
    }
}
