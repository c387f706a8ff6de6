//! `cargo xtask bench`: every benchmark of the project, one after the other.
//!
//! Each prints its figures beside a named peer measured in the same run. None of them passes or fails.

use crate::build::{self, Layout};
use crate::tools::Tools;
use std::process::Command;

/// Packages with a benchmark, the boundary of components last: it needs what the build makes.
const PACKAGES: [&str; 5] = [
    "tollgate-token-extractor",
    "tollgate-cost-calculator",
    "tollgate-pii-redactor",
    "tollgate-otlp",
    "tollgate-engine",
];

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
    println!("\n=== the filter in Envoy (needs nginx and wrk)");
    let script = layout.root.join("tests/bench/overhead.py");
    let mut overhead = Command::new("python3");
    ended("tests/bench/overhead.py", overhead.arg(script).env("ENVOY", envoy).env("TOLLGATE_BUILD", layout.out()))
}

fn ended(name: &str, command: &mut Command) -> Result<(), String> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{name} ended with {status}")),
        Err(error) => Err(format!("{name} could not be started: {error}")),
    }
}
