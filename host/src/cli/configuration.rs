//! Reading the configuration file, for the commands that need it.

use crate::config::{Config, Problem};
use std::path::Path;
use std::process::ExitCode;

/// The configuration, or the exit code after every problem has been printed.
pub(super) fn load(file: &Path) -> Result<Config, ExitCode> {
    let yaml = std::fs::read_to_string(file).map_err(|error| super::fail(format!("{}: {error}", file.display())))?;
    Config::parse(&yaml).map_err(|problems| refuse(file, &problems))
}

/// Prints problems as `FILE:LINE: path: message`.
pub(super) fn refuse(file: &Path, problems: &[Problem]) -> ExitCode {
    for problem in problems {
        eprintln!("{}:{problem}", file.display());
    }
    ExitCode::FAILURE
}
