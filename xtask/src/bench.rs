//! `cargo xtask bench`: every benchmark of the project, one after the other.
//!
//! Each prints its figures beside a named peer measured in the same run. None of them passes or fails.

use crate::build::{self, Layout};
use crate::tools::Tools;
use std::process::Command;

/// Packages with a benchmark, the boundary of components last: it needs what the build makes.
const PACKAGES: [&str; 6] = [
    "tollgate-token-extractor",
    "tollgate-cost-calculator",
    "tollgate-pii-redactor",
    "tollgate-tokenizer",
    "tollgate-otlp",
    "tollgate-engine",
];

/// What is measured from outside, on whole processes.
const SCRIPTS: [(&str, &str); 2] =
    [("the host, by stage", "tests/bench/host.py"), ("the filter in Envoy", "tests/bench/overhead.py")];

/// Builds, then runs them all.
///
/// # Errors
/// A sentence where one of them could not be run.
pub(crate) fn run(layout: &Layout) -> Result<(), String> {
    let tools = Tools::of(&layout.root);
    let prices = tools.genai_prices()?;
    let envoy = tools.envoy()?;
    build::run().map_err(|error| error.to_string())?;
    for package in PACKAGES {
        println!("\n=== {package}");
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut bench = Command::new(cargo);
        bench.args(["bench", "--quiet", "--benches", "--package", package]).current_dir(&layout.root);
        ended(package, bench.env("TOLLGATE_BUILD", layout.out()).env("TOLLGATE_GENAI_PRICES", &prices))?;
    }
    for (what, script) in SCRIPTS {
        println!("\n=== {what} (needs nginx and wrk)");
        let mut python = Command::new("python3");
        python.arg(layout.root.join(script)).env("ENVOY", &envoy).env("TOLLGATE_BUILD", layout.out());
        ended(script, &mut python)?;
    }
    Ok(())
}

fn ended(name: &str, command: &mut Command) -> Result<(), String> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{name} ended with {status}")),
        Err(error) => Err(format!("{name} could not be started: {error}")),
    }
}
