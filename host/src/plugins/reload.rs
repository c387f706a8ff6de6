//! Files of plugins that change while the host runs.
//!
//! Each plugin with files is looked at every few seconds. Where one of its files has changed, it is configured anew; where
//! that fails, it goes on as it was, and the failure is logged and counted once for each state of the files.

use super::adapters::Reconfigure;
use crate::config::Plugin;
use crate::metrics::Metrics;
use std::time::SystemTime;

/// Time of the last change and size, in bytes, of each file; `None` where it cannot be looked at.
type Stamps = Vec<Option<(SystemTime, u64)>>;

/// A plugin whose files are watched.
#[derive(Debug)]
pub struct Watched {
    plugin: Plugin,
    loaded: tollgate_engine::Plugin,
    running: Box<dyn Reconfigure>,
    seen: Stamps,
}

impl Watched {
    pub(super) fn new(
        plugin: &Plugin,
        loaded: &tollgate_engine::Plugin,
        running: Box<dyn Reconfigure>,
    ) -> Option<Self> {
        let seen = stamps(plugin);
        (!plugin.files.is_empty()).then(|| Self { plugin: plugin.clone(), loaded: loaded.clone(), running, seen })
    }

    /// Looks whether a file has changed and configures the plugin anew if so.
    pub fn look(&mut self, metrics: &Metrics) {
        let now = stamps(&self.plugin);
        if now == self.seen {
            return;
        }
        self.seen = now;
        let name = &self.plugin.name;
        let config = self.plugin.whole_config().map_err(|(field, message)| format!("{field}: {message}"));
        let outcome = match config.and_then(|config| self.running.reconfigure(&self.loaded, &config)) {
            Ok(()) => {
                tracing::info!(plugin = name, "configured anew: a file of its configuration has changed");
                "ok"
            }
            Err(error) => {
                tracing::error!(plugin = name, error, "goes on as it was: the changed configuration is not right");
                "failed"
            }
        };
        metrics.plugin_reloads.with(vec![("plugin", name.clone()), ("outcome", outcome.to_owned())]).inc();
    }
}

fn stamps(plugin: &Plugin) -> Stamps {
    let stamp = |file: &std::path::PathBuf| {
        let data = std::fs::metadata(file).ok()?;
        Some((data.modified().ok()?, data.len()))
    };
    plugin.files.values().map(stamp).collect()
}
