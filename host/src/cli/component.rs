//! The plugin behind a file command: found, loaded and configured.

use clap::Args;
use std::path::PathBuf;
use tollgate_engine::{Engine, EngineConfig, Plugin};

/// What every file command takes.
#[derive(Debug, Args)]
pub(super) struct Input {
    /// JSON lines; `-` for standard input, `.gz` for a packed file.
    #[arg(default_value = "-")]
    pub(super) file: PathBuf,
    /// Another component in the place of the one that comes with Tollgate.
    #[arg(long, value_name = "PATH")]
    plugin: Option<PathBuf>,
    /// Configuration of the plugin: JSON text, or a file with it.
    #[arg(long, value_name = "JSON|FILE")]
    config: Option<String>,
}

impl Input {
    /// Whether the plugin is the one that comes with Tollgate.
    pub(super) fn is_standard(&self) -> bool {
        self.plugin.is_none()
    }

    /// Loads the plugin; `standard` is the file name of the one that comes with Tollgate.
    pub(super) fn load(&self, standard: &str) -> Result<Plugin, String> {
        let path = match &self.plugin {
            Some(path) => path.clone(),
            None => find(standard)?,
        };
        let at = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let bytes = std::fs::read(&path).map_err(|error| at(&error))?;
        let engine = Engine::new(EngineConfig { instances: 2, ..EngineConfig::default() });
        engine.map_err(|error| error.to_string())?.load(&bytes).map_err(|error| at(&error))
    }

    /// The configuration as JSON text.
    pub(super) fn config(&self, default: &str) -> Result<String, String> {
        match &self.config {
            None => Ok(default.to_owned()),
            Some(json) if json.trim_start().starts_with('{') => Ok(json.clone()),
            Some(file) => std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}")),
        }
    }
}

/// Looks in the folder that `TOLLGATE_PLUGINS` names, else in `../plugins` from the binary.
fn find(name: &str) -> Result<PathBuf, String> {
    let folder = match std::env::var_os("TOLLGATE_PLUGINS") {
        Some(folder) => PathBuf::from(folder),
        None => {
            let binary = std::env::current_exe().map_err(|error| format!("where this program is: {error}"))?;
            let beside = |binary: &std::path::Path| Some(binary.parent()?.parent()?.join("plugins"));
            beside(&binary).unwrap_or_default()
        }
    };
    let path = folder.join(name);
    if path.is_file() {
        return Ok(path);
    }
    Err(format!("there is no {}; name the component with --plugin, or its folder in TOLLGATE_PLUGINS", path.display()))
}
