//! Plugins: loaded from their files, checked against their pins, configured. All problems are found before anything
//! starts, each with its line in the configuration file.

mod adapters;
mod health;
mod pool;
mod reload;

pub use reload::Watched;

use adapters::{PooledEnricher, PooledRedactor, PooledSampler, Reconfigure};

use crate::config::{Config, Limits, Plugin, Problem, Stage};
use crate::metrics::Metrics;
use crate::stages::plugin::{Enricher, Hosted, Redactor, Sampler};
use std::thread::available_parallelism;
use tollgate_engine::{ConfigureError, Digest, Engine, EngineConfig, EngineError};

/// What an instance may keep between calls at least, so that not every call needs a fresh one.
const LEAST_SPARE: u64 = 1 << 20;

/// All plugins of a configuration, ready to run.
#[derive(Debug, Default)]
pub struct Opened {
    /// Enrichers in their order.
    pub enrich: Vec<Hosted<dyn Enricher>>,
    /// Redactors in their order.
    pub redact: Vec<Hosted<dyn Redactor>>,
    /// The sampler.
    pub sample: Option<Hosted<dyn Sampler>>,
    /// The digest of the sampler's file.
    pub sampler_digest: Option<Digest>,
    /// Plugins whose files are watched.
    pub watched: Vec<Watched>,
}

/// Loads and configures every plugin.
///
/// # Errors
/// Everything that is wrong with any of them.
pub fn open(config: &Config, metrics: &Metrics) -> Result<Opened, Vec<Problem>> {
    let mut engines = Engines::new(config);
    let mut opened = Opened::default();
    let mut problems = Vec::new();
    for (stage, plugin) in config.plugins() {
        if let Err(found) = open_one(&mut engines, stage, plugin, metrics, &mut opened) {
            problems.extend(found);
        }
    }
    problems.sort();
    if problems.is_empty() { Ok(opened) } else { Err(problems) }
}

impl Opened {
    /// Gives every plugin the [health batch](health).
    ///
    /// # Errors
    /// Those that did not get through it.
    pub fn prove(&self, config: &Config) -> Result<(), Vec<Problem>> {
        let enrich = config.enrich.iter().zip(self.enrich.iter().map(|hosted| health::enricher(hosted.plugin())));
        let redact =
            config.redact.plugins.iter().zip(self.redact.iter().map(|hosted| health::redactor(hosted.plugin())));
        let sample = config.sample.iter().map(|sample| &sample.plugin);
        let sample = sample.zip(self.sample.iter().map(|hosted| health::sampler(hosted.plugin())));
        let problems = enrich.chain(redact).chain(sample).filter_map(|(plugin, outcome)| {
            let message = format!("does not get through the health batch: {}", outcome.err()?);
            Some(Problem { line: plugin.place.line, path: plugin.place.path.clone(), message })
        });
        let problems: Vec<_> = problems.collect();
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }
}

fn open_one(
    engines: &mut Engines,
    stage: Stage,
    plugin: &Plugin,
    metrics: &Metrics,
    opened: &mut Opened,
) -> Result<(), Vec<Problem>> {
    let place = &plugin.place;
    let problem =
        |key: &str, message: String| vec![Problem { line: place.line, path: format!("{}{key}", place.path), message }];
    let loaded = load(engines, plugin).map_err(|error| problem(error.key(), error.to_string()))?;
    let refused = |error: ConfigureError| match error {
        ConfigureError::Refused(refusal) => {
            let line = |path: &str| place.line_of(path);
            let path = |path: &str| match path {
                "" => format!("{}.config", place.path),
                path => format!("{}.config.{path}", place.path),
            };
            let found = refusal.problems.into_iter();
            found.map(|p| Problem { line: line(&p.path), path: path(&p.path), message: p.message }).collect()
        }
        other => problem("", other.to_string()),
    };
    let seats = engines.seats;
    let config = plugin.whole_config().map_err(|(field, message)| problem(&format!(".{field}"), message))?;
    let watched = |running: Box<dyn Reconfigure>| Watched::new(plugin, &loaded, running);
    match stage {
        Stage::Enrich => {
            let enricher = PooledEnricher::open(&loaded, &config, seats).map_err(refused)?;
            let reads = tollgate_otlp::Reads::compile(&enricher.manifest().reads);
            reads.map_err(|error| problem("", format!("the plugin's manifest: {error}")))?;
            opened.watched.extend(watched(Box::new(enricher.clone())));
            opened.enrich.push(Hosted::new(&plugin.name, stage, plugin.on_error, metrics, Box::new(enricher)));
        }
        Stage::Redact => {
            let redactor = PooledRedactor::open(&loaded, &config, seats).map_err(refused)?;
            opened.watched.extend(watched(Box::new(redactor.clone())));
            opened.redact.push(Hosted::new(&plugin.name, stage, plugin.on_error, metrics, Box::new(redactor)));
        }
        Stage::Sample => {
            let sampler = PooledSampler::open(&loaded, &config, 1).map_err(refused)?;
            let reads = tollgate_otlp::Reads::compile(&sampler.manifest().reads);
            reads.map_err(|error| problem("", format!("the plugin's manifest: {error}")))?;
            opened.watched.extend(watched(Box::new(sampler.clone())));
            opened.sampler_digest = Some(loaded.describe().sha256);
            opened.sample = Some(Hosted::new(&plugin.name, stage, plugin.on_error, metrics, Box::new(sampler)));
        }
    }
    Ok(())
}

/// Why a plugin was not loaded.
#[derive(Debug, thiserror::Error)]
enum OpenError {
    #[error("{path}: {error}")]
    Read { path: String, error: std::io::Error },
    #[error("{0}")]
    Pin(#[from] tollgate_engine::NotADigest),
    #[error("{0}")]
    Load(#[from] tollgate_engine::LoadError),
    #[error("{0}")]
    Engine(#[from] EngineError),
}

impl OpenError {
    /// The key that the problem is about.
    fn key(&self) -> &'static str {
        match self {
            Self::Read { .. } => ".path",
            Self::Pin(_) | Self::Load(tollgate_engine::LoadError::Digest { .. }) => ".sha256",
            Self::Load(_) => ".path",
            Self::Engine(_) => ".limits",
        }
    }
}

fn load(engines: &mut Engines, plugin: &Plugin) -> Result<tollgate_engine::Plugin, OpenError> {
    let bytes = std::fs::read(&plugin.path)
        .map_err(|error| OpenError::Read { path: plugin.path.display().to_string(), error })?;
    let engine = engines.with(plugin.limits)?;
    Ok(match &plugin.sha256 {
        Some(pin) => engine.load_pinned(&bytes, format!("sha256:{pin}").parse::<Digest>()?)?,
        None => engine.load(&bytes)?,
    })
}

/// One engine for each set of limits in use: an engine gives all its plugins the same.
#[derive(Debug)]
struct Engines {
    made: Vec<(Limits, Engine)>,
    seats: usize,
    instances: u32,
    spare_bytes: usize,
}

impl Engines {
    fn new(config: &Config) -> Self {
        let seats = available_parallelism().map_or(1, usize::from).min(16);
        // A plugin in every seat, and room for one that replaces another while both are alive.
        let plugins = config.plugins().count();
        let instances = u32::try_from(plugins * (seats + 1)).unwrap_or(u32::MAX);
        let spare = config.memory.spare() / u64::from(instances.max(1));
        let spare_bytes = usize::try_from(spare.max(LEAST_SPARE)).unwrap_or(usize::MAX);
        Self { made: Vec::new(), seats, instances: instances.max(1), spare_bytes }
    }

    fn with(&mut self, limits: Limits) -> Result<&Engine, EngineError> {
        let at = match self.made.iter().position(|(known, _)| *known == limits) {
            Some(at) => at,
            None => {
                let config = EngineConfig {
                    memory_bytes: usize::try_from(limits.memory).unwrap_or(usize::MAX),
                    deadline: limits.deadline,
                    spare_bytes: self.spare_bytes,
                    instances: self.instances,
                    ..EngineConfig::default()
                };
                self.made.push((limits, Engine::new(config)?));
                self.made.len() - 1
            }
        };
        #[expect(clippy::indexing_slicing, reason = "found or pushed just above")]
        Ok(&self.made[at].1)
    }
}
