//! The seam to `tollgate:plugin@0.1.0`: everything that knows how that version looks is in this folder. The next
//! version gets a folder of its own, and a variant wherever [`Worlds`] is used; the host's own types stay the same.

mod bindings;
mod extraction;

use crate::limits::Limits;
use crate::plugin::Plugin;
use crate::seat::Kind;
use crate::{World, enricher, redactor, sampler};
use bindings::enricher::exports::tollgate::plugin::enrichment;
use bindings::enricher::tollgate::plugin::{columns as wire, types};
use bindings::redactor::exports::tollgate::plugin::redaction;
use bindings::sampler::exports::tollgate::plugin::sampling;
use bindings::{enricher::EnricherPre, extractor::ExtractorPre, redactor::RedactorPre, sampler::SamplerPre};
use tollgate_columns::{
    Attribute, Batch, ConfigError, EnricherManifest, Findings, Given, Integers, Kind as ValueKind, Problem, Reals,
    Redaction, RedactorManifest, SamplerManifest, Texts, Traces, Verdicts,
};
use wasmtime::component::InstancePre;

pub(crate) use extraction::Extractor;
pub(crate) type Store = wasmtime::Store<Limits>;

/// A component's worlds, ready to be instantiated.
pub(crate) struct Worlds {
    enricher: Option<EnricherPre<Limits>>,
    redactor: Option<RedactorPre<Limits>>,
    sampler: Option<SamplerPre<Limits>>,
    extractor: Option<ExtractorPre<Limits>>,
}

impl Worlds {
    /// Checks that the component has the shape of each world whose interface it exports.
    pub(crate) fn of(pre: &InstancePre<Limits>, worlds: &[World]) -> wasmtime::Result<Self> {
        let has = |world| worlds.contains(&world);
        Ok(Self {
            enricher: has(World::Enricher).then(|| EnricherPre::new(pre.clone())).transpose()?,
            redactor: has(World::Redactor).then(|| RedactorPre::new(pre.clone())).transpose()?,
            sampler: has(World::Sampler).then(|| SamplerPre::new(pre.clone())).transpose()?,
            extractor: has(World::Extractor).then(|| ExtractorPre::new(pre.clone())).transpose()?,
        })
    }
}

/// An instance of an enricher.
pub(crate) struct Enricher(bindings::enricher::Enricher);

impl Kind for Enricher {
    type Manifest = EnricherManifest;
    const WORLD: World = World::Enricher;

    fn instantiate(plugin: &Plugin, store: &mut Store) -> Option<wasmtime::Result<Self>> {
        Some(plugin.loaded().worlds.enricher.as_ref()?.instantiate(store).map(Self))
    }

    fn configure(&self, store: &mut Store, config: &str) -> wasmtime::Result<Result<EnricherManifest, ConfigError>> {
        let configured = self.0.tollgate_plugin_enrichment().call_configure(store, config)?;
        Ok(configured.map_err(config_error).map(|enrichment::Manifest { name, version, reads, writes }| {
            let attribute = |types::Attribute { name, kind }| Attribute { name, kind: value_kind(kind) };
            EnricherManifest { name, version, reads, writes: writes.into_iter().map(attribute).collect() }
        }))
    }

    fn check(manifest: &EnricherManifest) -> Result<(), String> {
        enricher::check(manifest)
    }
}

impl Enricher {
    pub(crate) fn enrich(&self, store: &mut Store, spans: Batch) -> wasmtime::Result<Result<Batch, String>> {
        let edits = self.0.tollgate_plugin_enrichment().call_enrich(store, &wire_batch(spans))?;
        Ok(edits.map(batch))
    }
}

/// An instance of a redactor.
pub(crate) struct Redactor(bindings::redactor::Redactor);

impl Kind for Redactor {
    type Manifest = RedactorManifest;
    const WORLD: World = World::Redactor;

    fn instantiate(plugin: &Plugin, store: &mut Store) -> Option<wasmtime::Result<Self>> {
        Some(plugin.loaded().worlds.redactor.as_ref()?.instantiate(store).map(Self))
    }

    fn configure(&self, store: &mut Store, config: &str) -> wasmtime::Result<Result<RedactorManifest, ConfigError>> {
        let configured = self.0.tollgate_plugin_redaction().call_configure(store, config)?;
        Ok(configured.map_err(config_error).map(|redaction::Manifest { name, version, types }| RedactorManifest {
            name,
            version,
            types,
        }))
    }

    fn check(manifest: &RedactorManifest) -> Result<(), String> {
        redactor::check(manifest)
    }
}

impl Redactor {
    pub(crate) fn redact(&self, store: &mut Store, given: Given) -> wasmtime::Result<Result<Redaction, String>> {
        let Given { texts: texts_, places, names, groups } = given;
        let given = redaction::Given { texts: wire_texts(texts_), places, names, groups };
        let redacted = self.0.tollgate_plugin_redaction().call_redact(store, &given)?;
        Ok(redacted.map(|redaction::Redacted { findings, changed, skipped }| {
            let redaction::Findings { rows, types, starts, ends } = findings;
            Redaction { findings: Findings { rows, types, starts, ends }, changed: texts(changed), skipped }
        }))
    }
}

/// An instance of a sampler.
pub(crate) struct Sampler(bindings::sampler::Sampler);

impl Kind for Sampler {
    type Manifest = SamplerManifest;
    const WORLD: World = World::Sampler;

    fn instantiate(plugin: &Plugin, store: &mut Store) -> Option<wasmtime::Result<Self>> {
        Some(plugin.loaded().worlds.sampler.as_ref()?.instantiate(store).map(Self))
    }

    fn configure(&self, store: &mut Store, config: &str) -> wasmtime::Result<Result<SamplerManifest, ConfigError>> {
        let configured = self.0.tollgate_plugin_sampling().call_configure(store, config)?;
        Ok(configured.map_err(config_error).map(|sampling::Manifest { name, version, reads, rules }| SamplerManifest {
            name,
            version,
            reads,
            rules,
        }))
    }

    fn check(manifest: &SamplerManifest) -> Result<(), String> {
        sampler::check(manifest)
    }
}

impl Sampler {
    pub(crate) fn decide(&self, store: &mut Store, given: Traces) -> wasmtime::Result<Result<Verdicts, String>> {
        let Traces { now, ids, offsets, randomness, thresholds, bytes, progress, spans } = given;
        let spans = wire_batch(spans);
        let given = sampling::Traces { now, ids, offsets, randomness, thresholds, bytes, progress, spans };
        let verdicts = self.0.tollgate_plugin_sampling().call_decide(store, &given)?;
        Ok(verdicts.map(|sampling::Verdicts { keep, thresholds, rules }| Verdicts { keep, thresholds, rules }))
    }
}

fn config_error(error: types::ConfigError) -> ConfigError {
    let problem = |types::Problem { path, message }| Problem { path, message };
    ConfigError { problems: error.problems.into_iter().map(problem).collect() }
}

fn value_kind(kind: types::Kind) -> ValueKind {
    match kind {
        types::Kind::Text => ValueKind::Text,
        types::Kind::Integer => ValueKind::Integer,
        types::Kind::Real => ValueKind::Real,
        types::Kind::Boolean => ValueKind::Boolean,
        types::Kind::Composite => ValueKind::Composite,
    }
}

fn wire_batch(Batch { items, texts, integers, reals }: Batch) -> wire::Batch {
    let integer = |Integers { attribute, rows, values }| wire::Integers { attribute, rows, values };
    let real = |Reals { attribute, rows, values }| wire::Reals { attribute, rows, values };
    wire::Batch {
        items,
        texts: texts.into_iter().map(wire_texts).collect(),
        integers: integers.into_iter().map(integer).collect(),
        reals: reals.into_iter().map(real).collect(),
    }
}

fn wire_texts(Texts { attribute, rows, offsets, data }: Texts) -> wire::Texts {
    wire::Texts { attribute, rows, offsets, data }
}

fn batch(wire::Batch { items, texts: texts_, integers, reals }: wire::Batch) -> Batch {
    let integer = |wire::Integers { attribute, rows, values }| Integers { attribute, rows, values };
    let real = |wire::Reals { attribute, rows, values }| Reals { attribute, rows, values };
    Batch {
        items,
        texts: texts_.into_iter().map(texts).collect(),
        integers: integers.into_iter().map(integer).collect(),
        reals: reals.into_iter().map(real).collect(),
    }
}

fn texts(wire::Texts { attribute, rows, offsets, data }: wire::Texts) -> Texts {
    Texts { attribute, rows, offsets, data }
}
