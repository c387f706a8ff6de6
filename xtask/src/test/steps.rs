//! The steps, the quick ones first.
//!
//! Pure crates are tested in the dev profile, whose arithmetic checks for overflow. What needs wasmtime is tested in
//! the release profile, which the demo and the build use too, so that wasmtime is compiled once; the lints run in it
//! for the same reason.

use super::Context;
use super::data::Data;
use super::results::{Counts, Outcome, run, run_all};
use crate::build::{self, Layout};
use crate::demo;
use crate::package;
use crate::tools::Tools;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One step.
pub(super) struct Step {
    pub(super) name: &'static str,
    pub(super) what: &'static str,
    /// Whether it uses what the step `build` makes.
    pub(super) needs_build: bool,
    pub(super) run: fn(&Context) -> Outcome,
}

pub(super) const STEPS: &[Step] = &[
    Step { name: "format", what: "rustfmt has nothing to change", needs_build: false, run: format },
    Step { name: "trees", what: "pure crates depend on nothing that does I/O", needs_build: false, run: trees },
    Step { name: "pure", what: "unit, golden and property tests of the pure crates", needs_build: false, run: pure },
    Step { name: "wasm", what: "pure crates compile for wasm", needs_build: false, run: wasm },
    Step { name: "lint", what: "clippy has no warning", needs_build: false, run: lint },
    Step { name: "build", what: "components, filter and binary", needs_build: false, run: build },
    Step {
        name: "manifests",
        what: "OCI images of the filter, and manifests against published schemas",
        needs_build: true,
        run: manifests,
    },
    Step { name: "system", what: "host, engine, real Envoy and official clients", needs_build: true, run: system },
    Step {
        name: "crash",
        what: "what the host acknowledged arrives, however it is killed",
        needs_build: true,
        run: crash,
    },
    Step { name: "example", what: "the example plugin's own tests", needs_build: false, run: example },
    Step { name: "demo", what: "the demo, whose totals must agree", needs_build: true, run: demo },
];

const WASM: &str = "wasm32-unknown-unknown";

/// What a pure crate may not depend on: each brings I/O, an ABI or a runtime into code that has to run anywhere.
const IMPURE: &[&str] =
    &["proxy-wasm", "wit-bindgen", "tokio", "opentelemetry-proto", "reqwest", "wasmtime", "getrandom"];

/// Crates whose tests run in the dev profile beside the pure ones.
const LIGHT: &[&str] = &[
    "tollgate-sdk",
    "tollgate-envoy-model",
    "tollgate-filter",
    "tollgate-metering",
    "tollgate-store",
    "tollgate-top",
    "tollgate-clickhouse",
    "tollgate-parquet",
    "tollgate-kafka",
    "tollgate-bench-envoy",
    "tollgate-bench-host",
    "tollgate-bench-redaction",
    "xtask",
];

/// Crates whose tests run in the release profile.
const HEAVY: &[&str] = &["tollgate-simulated-provider", "tollgate-engine", "tollgate", "tollgate-e2e"];

fn format(context: &Context) -> Outcome {
    run_all([
        cargo(&context.layout.root, &["fmt", "--all", "--check"]),
        cargo(&example_folder(&context.layout), &["fmt", "--check"]),
    ])
}

fn trees(context: &Context) -> Outcome {
    let mut counts = Counts::default();
    let mut impure = Vec::new();
    for package in pure_packages(&context.layout)? {
        let arguments = ["tree", "--edges", "normal", "--prefix", "none", "--format", "{p}", "--package", &package];
        let output = cargo(&context.layout.root, &arguments).output().map_err(|error| failed(error.to_string()))?;
        if !output.status.success() {
            return Err(failed(String::from_utf8_lossy(&output.stderr).into_owned()));
        }
        let tree = String::from_utf8_lossy(&output.stdout);
        let found = tree.lines().filter_map(|line| line.split(' ').next()).find(|name| IMPURE.contains(name));
        match found {
            None => counts.passed += 1,
            Some(name) => {
                counts.failed += 1;
                impure.push(format!("{package} depends on {name}; see `cargo tree -p {package} -i {name}`"));
            }
        }
    }
    if impure.is_empty() { Ok(counts) } else { Err((counts, impure.join("; "))) }
}

fn pure(context: &Context) -> Outcome {
    let packages = pure_packages(&context.layout)?;
    let mut tests = cargo(&context.layout.root, &["test", "--quiet", "--no-fail-fast"]);
    tests.args(selected(packages.iter().map(String::as_str).chain(LIGHT.iter().copied())));
    let tools = Tools::of(&context.layout.root);
    let prices = tools.genai_prices().map_err(failed)?;
    let litellm = tools.litellm(&context.layout.root).map_err(failed)?;
    tests.envs(context.data.variables()).env("TOLLGATE_GENAI_PRICES", prices).env("TOLLGATE_LITELLM", litellm);
    readers_of_metrics(&tools, &mut tests)?;
    readers_of_files(&tools, &mut tests)?;
    match tools.langfuse() {
        Ok(packages) => {
            tests.env("TOLLGATE_LANGFUSE", packages);
        }
        Err(why) if Data::required() => return Err(failed(why)),
        Err(why) => println!("SKIPPED: tests with the models of Langfuse: {why}"),
    }
    clickhouse(&tools, &mut tests)?;
    run(&mut tests)
}

fn wasm(context: &Context) -> Outcome {
    build::ensure_target(&context.layout).map_err(|error| failed(error.to_string()))?;
    let packages = pure_packages(&context.layout)?;
    let mut check = cargo(&context.layout.root, &["check", "--quiet", "--target", WASM]);
    run(check.args(selected(packages.iter().map(String::as_str))))
}

fn lint(context: &Context) -> Outcome {
    build::ensure_target(&context.layout).map_err(|error| failed(error.to_string()))?;
    let root = &context.layout.root;
    let mut shells = cargo(root, &["clippy", "--quiet", "--profile", "wasm", "--target", WASM, "--lib"]);
    for package in packages_in(&context.layout, "plugins")? {
        shells.args(["--package", &package, "--features", &format!("{package}/component")]);
    }
    shells.args(["--", "-D", "warnings"]);
    let mut example = cargo(&example_folder(&context.layout), &["clippy", "--quiet", "--target-dir"]);
    example.arg(example_target(&context.layout)).args(["--", "-D", "warnings"]);
    let native = ["clippy", "--quiet", "--release", "--workspace", "--all-targets", "--", "-D", "warnings"];
    run_all([cargo(root, &native), shells, example])
}

/// The host is built together with the tests that need wasmtime: alone its dependencies have fewer features, and all of it
/// would be compiled twice.
fn build(context: &Context) -> Outcome {
    let layout = &context.layout;
    build::guests(layout).map_err(|error| failed(error.to_string()))?;
    let mut tests = cargo(&layout.root, &["test", "--quiet", "--release", "--no-run"]);
    run(tests.args(selected(HEAVY.iter().copied())))?;
    build::tested_binary(layout).map_err(|error| failed(error.to_string()))?;
    Ok(Counts::default())
}

fn manifests(context: &Context) -> Outcome {
    package::built(&context.layout).map_err(|error| failed(error.to_string()))?;
    let tools = Tools::of(&context.layout.root);
    let schemas = tools.schemas().map_err(failed)?;
    let envoy = tools.envoy().map_err(failed)?;
    let mut tests =
        cargo(&context.layout.root, &["test", "--quiet", "--no-fail-fast", "--package", "tollgate-manifests"]);
    tests.env("TOLLGATE_SCHEMAS", schemas).env("TOLLGATE_BUILD", context.layout.out()).env("ENVOY", envoy);
    run(&mut tests)
}

fn system(context: &Context) -> Outcome {
    let tools = Tools::of(&context.layout.root);
    let envoy = tools.envoy().map_err(failed)?;
    let python = tools.python().map_err(failed)?;
    let mut tests = cargo(&context.layout.root, &["test", "--quiet", "--release", "--no-fail-fast"]);
    tests
        .args(selected(HEAVY.iter().copied()))
        .envs(context.data.variables())
        .env("TOLLGATE_BUILD", context.layout.out())
        .env("ENVOY", envoy)
        .env("TOLLGATE_PYTHON", python.program)
        .env("PYTHONPATH", python.packages)
        .env("TOLLGATE_PEERS", tools.peers().map_err(failed)?);
    match tools.node().and_then(|node| Ok((node, tools.node_peers()?))) {
        Ok((node, peers)) => {
            tests.env("TOLLGATE_NODE", node.program).env("TOLLGATE_NODE_MODULES", node.packages);
            tests.env("TOLLGATE_PEERS_NODE", peers);
        }
        Err(why) if Data::required() => return Err(failed(why)),
        Err(why) => println!("SKIPPED: tests of clients for Node: {why}"),
    }
    readers_of_metrics(&tools, &mut tests)?;
    clickhouse(&tools, &mut tests)?;
    readers_of_files(&tools, &mut tests)?;
    match tools.phoenix() {
        Ok(packages) => {
            tests.env("TOLLGATE_PHOENIX", packages);
        }
        Err(why) if Data::required() => return Err(failed(why)),
        Err(why) => println!("SKIPPED: tests with Arize Phoenix: {why}"),
    }
    match tools.kafka() {
        Ok(packages) => {
            tests.env("TOLLGATE_KAFKA", packages);
        }
        Err(why) if Data::required() => return Err(failed(why)),
        Err(why) => println!("SKIPPED: tests with Kafka: {why}"),
    }
    run(&mut tests)
}

/// Says where DuckDB and PyArrow are.
fn readers_of_files(tools: &Tools, tests: &mut Command) -> Result<(), (Counts, String)> {
    match tools.duckdb() {
        Ok(packages) => {
            tests.env("TOLLGATE_DUCKDB", packages);
        }
        Err(why) if Data::required() => return Err(failed(why)),
        Err(why) => println!("SKIPPED: tests with DuckDB and PyArrow: {why}"),
    }
    Ok(())
}

/// Says where Prometheus, VictoriaMetrics and the official parser of pages are.
fn readers_of_metrics(tools: &Tools, tests: &mut Command) -> Result<(), (Counts, String)> {
    let python = tools.python().map_err(failed)?;
    tests.env("TOLLGATE_PYTHON", python.program).env("PYTHONPATH", python.packages);
    match tools.prometheus() {
        Ok(prometheus) => {
            tests.env("PROMETHEUS", prometheus);
        }
        Err(why) if Data::required() => return Err(failed(why)),
        Err(why) => println!("SKIPPED: tests with a real Prometheus: {why}"),
    }
    match tools.victoria() {
        Ok(victoria) => {
            tests.env("TOLLGATE_VICTORIA", victoria);
        }
        Err(why) if Data::required() => return Err(failed(why)),
        Err(why) => println!("SKIPPED: tests with a real VictoriaMetrics: {why}"),
    }
    Ok(())
}

/// Says where the engine of ClickHouse is.
fn clickhouse(tools: &Tools, tests: &mut Command) -> Result<(), (Counts, String)> {
    match tools.chdb() {
        Ok(packages) => {
            tests.env("TOLLGATE_CHDB", packages);
        }
        Err(why) if Data::required() => return Err(failed(why)),
        Err(why) => println!("SKIPPED: tests with the engine of ClickHouse: {why}"),
    }
    Ok(())
}

/// Half a minute of it; `cargo xtask bench host crash` has 200 rounds. A round that fails is shown with its seed.
fn crash(context: &Context) -> Outcome {
    build::failpoints(&context.layout).map_err(|error| failed(error.to_string()))?;
    let mut crash = cargo(&context.layout.root, &["run", "--quiet", "--release", "--package", "tollgate-bench-host"]);
    let crash = crash.args(["--", "crash", "--rounds", "30", "--require-failpoints"]);
    run(crash.env("TOLLGATE_BUILD", context.layout.out()))
}

fn example(context: &Context) -> Outcome {
    let mut tests = cargo(&example_folder(&context.layout), &["test", "--quiet", "--target-dir"]);
    run(tests.arg(example_target(&context.layout)))
}

fn demo(context: &Context) -> Outcome {
    demo::stop::listen().map_err(failed)?;
    let programs = demo::Programs::find(&context.layout).map_err(failed)?;
    demo::run_built(&context.layout, &programs, false).map_err(failed)?;
    Ok(Counts::default())
}

fn failed(why: String) -> (Counts, String) {
    (Counts::default(), why)
}

/// The packages below `libs/` and `plugins/`.
fn pure_packages(layout: &Layout) -> Result<Vec<String>, (Counts, String)> {
    let mut packages = packages_in(layout, "libs")?;
    packages.extend(packages_in(layout, "plugins")?);
    Ok(packages)
}

/// The packages in a folder, where each folder is a package of that name.
fn packages_in(layout: &Layout, folder: &str) -> Result<Vec<String>, (Counts, String)> {
    let folder = layout.root.join(folder);
    let entries = fs::read_dir(&folder).map_err(|error| failed(format!("{}: {error}", folder.display())))?;
    let with_manifest = entries.filter_map(Result::ok).filter(|entry| entry.path().join("Cargo.toml").exists());
    let mut packages: Vec<_> = with_manifest.map(|entry| format!("tollgate-{}", entry.file_name().display())).collect();
    packages.sort();
    Ok(packages)
}

fn selected<'a>(packages: impl Iterator<Item = &'a str>) -> impl Iterator<Item = &'a str> {
    packages.flat_map(|package| ["--package", package])
}

fn example_folder(layout: &Layout) -> PathBuf {
    layout.root.join("examples/plugin")
}

fn example_target(layout: &Layout) -> PathBuf {
    layout.target.join("examples-plugin")
}

fn cargo(folder: &Path, arguments: &[&str]) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(arguments).current_dir(folder);
    cargo
}
