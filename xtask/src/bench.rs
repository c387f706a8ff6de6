//! `cargo xtask bench`: every benchmark of the project, one after the other.
//!
//! Each prints its figures beside a named peer measured in the same run. None of them passes or fails.

use crate::build::{self, Layout};
use crate::tools::Tools;
use std::process::Command;

/// Packages without a runtime of components that have a benchmark.
const PACKAGES: [&str; 9] = [
    "tollgate-token-extractor",
    "tollgate-cost-calculator",
    "tollgate-tokenizer",
    "tollgate-ledger",
    "tollgate-otlp",
    "tollgate-dialect",
    "tollgate-store",
    "tollgate-clickhouse",
    "tollgate-parquet",
];

/// The benchmarks of the engine. The packages that the tests of the system select are selected here too: with others,
/// features differ, and cargo would compile wasmtime again.
const ENGINE: [&str; 10] = [
    "bench",
    "--quiet",
    "--package",
    "tollgate-engine",
    "--package",
    "tollgate",
    "--package",
    "tollgate-e2e",
    "--package",
    "tollgate-simulated-provider",
];

/// What the host is measured for from outside, and with what options where no others are given: short, for a run of all
/// benchmarks.
const HOST: [(&str, &[&str]); 4] = [
    ("throughput", &["--transport", "grpc-gzip,http", "--batch", "100"]),
    ("memory", &[]),
    ("soak", &["--minutes", "2"]),
    ("crash", &["--rounds", "50"]),
];

/// Builds, then runs them all.
///
/// # Errors
/// A sentence where one of them could not be run.
pub(crate) fn run(layout: &Layout) -> Result<(), String> {
    let tools = Tools::of(&layout.root);
    let prices = tools.genai_prices()?;
    let chdb = tools.chdb()?;
    tools.presidio()?;
    tools.envoy()?;
    build::run().map_err(|error| error.to_string())?;
    tokens(layout)?;
    pricing(layout)?;
    redaction(layout, &[])?;
    for package in PACKAGES {
        println!("\n=== {package}");
        let mut bench = cargo(layout, &["bench", "--quiet", "--benches", "--package", package]);
        if let Ok(packages) = tools.duckdb() {
            bench.env("TOLLGATE_DUCKDB", packages);
        }
        bench.env("TOLLGATE_GENAI_PRICES", &prices).env("TOLLGATE_CHDB", &chdb);
        ended(package, &mut bench)?;
    }
    println!("\n=== tollgate-kafka");
    let mut kafka = cargo(layout, &["bench", "--quiet", "--benches", "--package", "tollgate-kafka"]);
    ended("tollgate-kafka", kafka.env("TOLLGATE_KAFKA", tools.kafka()?))?;
    println!("\n=== the boundary of components");
    let mut boundary = cargo(layout, &[&ENGINE, ["--bench", "boundary"].as_slice()].concat());
    ended("boundary", boundary.env("TOLLGATE_BUILD", layout.out()))?;
    sandbox(layout)?;
    for (mode, options) in HOST {
        host(layout, mode, options)?;
    }
    envoy(layout, "overhead", &[])?;
    envoy(layout, "soak", &[])?;
    envoy(layout, "concurrency", &[])
}

/// What the filter costs Envoy beside Envoy alone and Envoy's own token counter (`overhead`), whether its memory stays
/// flat under long traffic (`soak`), and what an open stream holds (`concurrency`).
///
/// # Errors
/// A sentence where it could not be run.
pub(crate) fn envoy(layout: &Layout, mode: &str, options: &[&str]) -> Result<(), String> {
    let envoy = Tools::of(&layout.root).envoy()?;
    if !options.iter().any(|option| option.starts_with("--module")) {
        build::ensure_target(layout).and_then(|()| build::filter(layout)).map_err(|error| error.to_string())?;
    }
    println!("\n=== the filter in Envoy: {mode}");
    let mut bench = cargo(layout, &["run", "--quiet", "--release", "--package", "tollgate-bench-envoy", "--", mode]);
    ended(mode, bench.args(options).env("ENVOY", envoy).env("TOLLGATE_BUILD", layout.out()))
}

/// The host as a process, beside rotel: spans a second through one core (`throughput`), what it holds (`memory`), whether
/// it stays flat and loses nothing under overload (`soak`), and whether what it acknowledged survives being killed (`crash`).
///
/// # Errors
/// A sentence where it could not be run, or where something promised does not hold.
pub(crate) fn host(layout: &Layout, mode: &str, options: &[&str]) -> Result<(), String> {
    println!("\n=== the host: {mode}");
    let mut bench = cargo(layout, &["run", "--quiet", "--release", "--package", "tollgate-bench-host", "--", mode]);
    bench.args(options);
    if !options.contains(&"--help") {
        build::run().map_err(|error| error.to_string())?;
        if mode == "crash" {
            build::failpoints(layout).map_err(|error| error.to_string())?;
        }
        if matches!(mode, "throughput" | "memory") {
            bench.env("ROTEL", Tools::of(&layout.root).rotel()?);
        }
    }
    ended(mode, bench.env("TOLLGATE_BUILD", layout.out()))
}

/// What the sandbox costs: each component beside the same library called natively, as a share of its stage.
///
/// # Errors
/// A sentence where it could not be run.
pub(crate) fn sandbox(layout: &Layout) -> Result<(), String> {
    build::run().map_err(|error| error.to_string())?;
    println!("\n=== the sandbox");
    let mut bench = cargo(layout, &[&ENGINE, ["--bench", "sandbox"].as_slice()].concat());
    ended("sandbox", bench.env("TOLLGATE_BUILD", layout.out()))
}

/// What reading an answer costs, native and in wasm.
///
/// # Errors
/// A sentence where it could not be run.
pub(crate) fn tokens(layout: &Layout) -> Result<(), String> {
    let module = build::guest(layout, "tollgate-bench-tokens", &[]).map_err(|error| error.to_string())?;
    println!("\n=== reading answers");
    let mut bench = cargo(layout, &[&ENGINE, ["--bench", "tokens"].as_slice()].concat());
    ended("tokens", bench.env("TOLLGATE_BENCH_TOKENS", module))
}

/// What pricing a call costs, native and in wasm.
///
/// # Errors
/// A sentence where it could not be run.
pub(crate) fn pricing(layout: &Layout) -> Result<(), String> {
    let module = build::guest(layout, "tollgate-bench-prices", &[]).map_err(|error| error.to_string())?;
    println!("\n=== pricing calls");
    let mut bench = cargo(layout, &[&ENGINE, ["--bench", "prices"].as_slice()].concat());
    ended("prices", bench.env("TOLLGATE_BENCH_PRICES", module))
}

/// What the redactor finds in labelled texts, and how fast, beside Presidio unless an option says otherwise.
///
/// # Errors
/// A sentence where it could not be run.
pub(crate) fn redaction(layout: &Layout, options: &[&str]) -> Result<(), String> {
    println!("\n=== redaction");
    let mut bench = cargo(layout, &["run", "--quiet", "--release", "--package", "tollgate-bench-redaction", "--"]);
    bench.args(options);
    if !options.contains(&"--without-presidio") {
        let python = Tools::of(&layout.root).presidio()?;
        bench.env("TOLLGATE_PYTHON", python.program).env("TOLLGATE_PRESIDIO", python.packages);
    }
    ended("redaction", &mut bench)?;
    println!("\n=== the speed of redaction, native and in wasm");
    build::run().map_err(|error| error.to_string())?;
    let mut speed = cargo(layout, &[&ENGINE, ["--bench", "redaction"].as_slice()].concat());
    ended("the speed of redaction", speed.env("TOLLGATE_BUILD", layout.out()))?;
    println!("\n=== what redaction adds to a stream");
    let mut traffic = cargo(layout, &["bench", "--quiet", "--package", "tollgate-pii-redactor", "--bench", "traffic"]);
    ended("what redaction adds to a stream", &mut traffic)
}

fn cargo(layout: &Layout, arguments: &[&str]) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(arguments).current_dir(&layout.root);
    cargo
}

fn ended(name: &str, command: &mut Command) -> Result<(), String> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{name} ended with {status}")),
        Err(error) => Err(format!("{name} could not be started: {error}")),
    }
}
