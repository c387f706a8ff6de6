//! The engine's plugins as the stages use them.

use super::pool::Pool;
use crate::stages::plugin::{Enricher, Failure, Redactor, Sampler};
use tollgate_columns::{
    Batch, EnricherManifest, Redaction, RedactorManifest, SamplerManifest, Texts, Traces, Verdicts,
};
use tollgate_engine::{CallError, ConfigureError, Plugin};

/// Instances of a plugin together with what the first of them said about itself.
#[derive(Debug)]
pub(super) struct Pooled<T, M> {
    manifest: M,
    pool: Pool<T>,
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
        Ok(Self { manifest, pool: Pool::new(first, others) })
    }
}

type PooledEnricher = Pooled<tollgate_engine::Enricher, EnricherManifest>;
type PooledRedactor = Pooled<tollgate_engine::Redactor, RedactorManifest>;
type PooledSampler = Pooled<tollgate_engine::Sampler, SamplerManifest>;

pub(super) fn enricher(plugin: &Plugin, config: &str, seats: usize) -> Result<Box<dyn Enricher>, ConfigureError> {
    let pooled: PooledEnricher = Pooled::open(seats, || plugin.enricher(config), |first| first.manifest().clone())?;
    Ok(Box::new(pooled))
}

pub(super) fn redactor(plugin: &Plugin, config: &str, seats: usize) -> Result<Box<dyn Redactor>, ConfigureError> {
    let pooled: PooledRedactor = Pooled::open(seats, || plugin.redactor(config), |first| first.manifest().clone())?;
    Ok(Box::new(pooled))
}

pub(super) fn sampler(plugin: &Plugin, config: &str) -> Result<Box<dyn Sampler>, ConfigureError> {
    let pooled: PooledSampler = Pooled::open(1, || plugin.sampler(config), |first| first.manifest().clone())?;
    Ok(Box::new(pooled))
}

impl Enricher for PooledEnricher {
    fn manifest(&self) -> &EnricherManifest {
        &self.manifest
    }

    fn enrich(&self, spans: Batch) -> Result<Batch, Failure> {
        self.pool.with(|enricher| enricher.enrich(spans)).map_err(Failure::from)
    }
}

impl Redactor for PooledRedactor {
    fn manifest(&self) -> &RedactorManifest {
        &self.manifest
    }

    fn redact(&self, texts: &Texts) -> Result<Redaction, Failure> {
        self.pool.with(|redactor| redactor.redact(texts)).map_err(Failure::from)
    }
}

impl Sampler for PooledSampler {
    fn manifest(&self) -> &SamplerManifest {
        &self.manifest
    }

    fn decide(&self, traces: Traces) -> Result<Verdicts, Failure> {
        self.pool.with(|sampler| sampler.decide(traces)).map_err(Failure::from)
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
