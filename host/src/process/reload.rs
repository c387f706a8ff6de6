//! Another configuration while the process runs: no request is refused for it, and nothing that waits is lost.

use super::outputs::{OutputError, Outputs};
use crate::config::Config;
use crate::metrics::Metrics;
use crate::plugins::Opened;
use crate::stages::Stages;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tollgate_engine::Digest;
use tollgate_otlp::ReadsError;

/// A configuration to go on with, its plugins loaded, configured and proven.
#[derive(Debug)]
pub struct Reload {
    /// The configuration.
    pub config: Config,
    /// Its plugins.
    pub opened: Opened,
}

/// Why the process goes on as it was.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    /// Sections have changed that are read at the start only.
    #[error("{} cannot change while the process runs; restart it", .0.join(", "))]
    Fixed(Vec<&'static str>),
    /// A plugin's manifest names something that cannot be read.
    #[error("a plugin's manifest: {0}")]
    Manifest(#[from] ReadsError),
    /// An output cannot be opened.
    #[error(transparent)]
    Output(#[from] OutputError),
}

/// What of a running process can be exchanged.
pub(super) struct Running {
    pub(super) config: Config,
    pub(super) stages: Stages,
    pub(super) outputs: Outputs,
    /// The file of the sampler that decides.
    pub(super) sampler_digest: Option<Digest>,
    pub(super) watcher: Option<JoinHandle<()>>,
    /// Outputs that are emptied because the configuration has them no more.
    pub(super) leaving: Vec<JoinHandle<()>>,
    pub(super) metrics: Metrics,
}

impl Running {
    /// Goes on with another configuration, or, where something is wrong with it, as before.
    pub(super) async fn reload(&mut self, reload: Reload) {
        let outcome = match self.exchange(reload).await {
            Ok(()) => {
                tracing::info!("goes on with the new configuration");
                "ok"
            }
            Err(error) => {
                tracing::error!(%error, "goes on with the configuration that it has");
                "failed"
            }
        };
        self.metrics.config_reloads.with(vec![("outcome", outcome.to_owned())]).inc();
    }

    async fn exchange(&mut self, reload: Reload) -> Result<(), ReloadError> {
        let Reload { config, opened } = reload;
        let fixed = fixed(&self.config, &config);
        if !fixed.is_empty() {
            return Err(ReloadError::Fixed(fixed));
        }
        let pipeline = &self.stages.0;
        let Opened { enrich, redact, sample, sampler_digest, watched } = opened;
        let plugins = super::plugins(&config, enrich, redact, (&pipeline.link, pipeline.meter.names()), &self.metrics)?;
        let leaving = self.outputs.exchange(&config.outputs, |queues| pipeline.deliver.exchange(queues)).await?;
        // A sampler that stays the same keeps what it knows of rates.
        let plugin = |config: &Config| config.sample.as_ref().map(|sample| sample.plugin.without_place());
        let same = sampler_digest == self.sampler_digest && plugin(&self.config) == plugin(&config);
        if let (Some(stage), Some(sampler), false) = (&pipeline.sample, sample, same) {
            stage.exchange(sampler)?;
        }
        self.sampler_digest = sampler_digest;
        pipeline.plugins.exchange(plugins);
        if let Some(watcher) = self.watcher.take() {
            watcher.abort();
        }
        self.watcher = super::watch(watched, &self.metrics);
        let deadline = Instant::now() + config.shutdown.deadline.max(Duration::from_secs(1));
        self.leaving.retain(|task| !task.is_finished());
        self.leaving.extend(leaving.into_iter().map(|worker| tokio::spawn(worker.remove(deadline))));
        self.config = config;
        Ok(())
    }
}

/// Sections that differ and are read at the start only.
fn fixed(now: &Config, new: &Config) -> Vec<&'static str> {
    let same_stage = match (&now.sample, &new.sample) {
        (Some(now), Some(new)) => now.is_same_but_for_the_plugin(new),
        (now, new) => now.is_none() && new.is_none(),
    };
    let sections = [
        ("receivers", now.receivers == new.receivers),
        ("health", now.health == new.health),
        ("admit", now.admit == new.admit),
        ("memory", now.memory == new.memory),
        ("link", now.link == new.link),
        ("log", now.log == new.log),
        ("meter", now.meter == new.meter),
        ("cost", now.cost == new.cost),
        ("sample", same_stage),
        ("outputs.prometheus", now.outputs.prometheus == new.outputs.prometheus),
        // A store that is wanted no more gets nothing more; one that is wanted anew has to be opened.
        ("outputs.store", new.outputs.store.is_none() || now.outputs.store == new.outputs.store),
        ("outputs.prometheus_remote_write", now.outputs.prometheus_remote_write == new.outputs.prometheus_remote_write),
    ];
    sections.into_iter().filter_map(|(name, is_same)| (!is_same).then_some(name)).collect()
}
