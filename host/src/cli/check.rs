//! `tollgate check`.

use super::configuration;
use crate::metrics::Metrics;
use crate::plugins;
use std::path::Path;
use std::process::ExitCode;

pub(super) fn check(file: &Path, no_plugins: bool) -> ExitCode {
    let config = match configuration::load(file) {
        Ok(config) => config,
        Err(code) => return code,
    };
    if !no_plugins && let Err(problems) = plugins::open(&config, &Metrics::of(&config.meter)) {
        return configuration::refuse(file, &problems);
    }
    println!("{}: ok", file.display());
    ExitCode::SUCCESS
}
