//! `cargo xtask demo`: the whole of it on one machine, and a comparison of what every seat counted.
//!
//! Simulated provider, host and Envoy are started with copies of the example configurations. The official clients make
//! about a hundred calls through Envoy; then applications with an OpenTelemetry SDK send spans straight to the host. The
//! host's metrics, Envoy's metrics and the spans that the host wrote are compared with the ledger of the provider and
//! with what the applications sent. Everything it writes is below `target/demo/`.

mod checks;
mod configs;
mod exposition;
mod http;
mod ports;
mod process;
mod seen;
mod spans;
pub(crate) mod stop;
mod table;
mod tally;

use crate::build::Layout;
use crate::clients;
use crate::tools::{Python, Tools};
use checks::Sent;
use configs::Folder;
use ports::Ports;
use process::Process;
use seen::Seen;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

/// Builds, then runs the demo. With `stay` everything goes on running until Ctrl-C.
///
/// # Errors
/// What could not be started; or sentences that say where the totals differ from what the provider served, or where
/// planted personal data came out.
pub(crate) fn run(layout: &Layout, stay: bool) -> Result<(), String> {
    stop::listen()?;
    // Before the build, so that nobody waits for it to hear that something is missing.
    println!("1/6 tools");
    let programs = Programs::find(layout)?;
    println!("2/6 build");
    crate::build::run().map_err(|error| error.to_string())?;
    build_provider(layout)?;
    run_built(layout, &programs, stay)
}

/// What the demo runs that is not built here.
pub(crate) struct Programs {
    envoy: PathBuf,
    python: Python,
}

impl Programs {
    /// Finds or installs them.
    pub(crate) fn find(layout: &Layout) -> Result<Self, String> {
        let tools = Tools::of(&layout.root);
        Ok(Self { envoy: tools.envoy()?, python: tools.python()? })
    }
}

/// Builds the simulated provider, together with the host, so that both use the same builds of the same libraries.
pub(crate) fn build_provider(layout: &Layout) -> Result<(), String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--release", "--package", "tollgate", "--package", "tollgate-simulated-provider"])
        .current_dir(&layout.root)
        .status()
        .map_err(|error| format!("cargo could not be started: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("the simulated provider could not be built: {status}")) }
}

/// Runs the demo with what is built.
pub(crate) fn run_built(layout: &Layout, programs: &Programs, stay: bool) -> Result<(), String> {
    println!("3/6 start");
    let folder = Folder::fresh(layout)?;
    let ports = Ports::free()?;
    let configs = (configs::host(layout, &folder, &ports)?, configs::envoy(layout, &folder, &ports)?);
    let mut processes = [
        Process::start(
            "the simulated provider",
            Command::new(layout.target.join("release/simulated-provider"))
                .args(["--listen", &format!("127.0.0.1:{}", ports.provider)]),
            &folder.file("provider.log"),
            || http::get(ports.provider, "/sim/served").is_ok(),
        )?,
        Process::start(
            "the host",
            Command::new(layout.binary()).args(["run", "--config"]).arg(&configs.0).current_dir(&folder.0),
            &folder.file("host.log"),
            || http::get(ports.metrics, "/metrics").is_ok(),
        )?,
        Process::start(
            "Envoy",
            Command::new(&programs.envoy)
                .arg("--config-path")
                .arg(&configs.1)
                // Shared memory of other Envoys on the machine is left alone.
                .args(["--use-dynamic-base-id", "--concurrency", "2", "--log-level", "warning"])
                .current_dir(&folder.0),
            &folder.file("envoy.log"),
            || http::get(ports.admin, "/ready").is_ok(),
        )?,
    ];

    println!("4/6 calls of the official clients through Envoy");
    let begun = Instant::now();
    let client = |program: &str, port: u16, report: &str| {
        let address = format!("http://127.0.0.1:{port}");
        clients::run(&layout.root, &programs.python, program, &address, &folder.file(report))
    };
    let through_envoy = client(clients::WORKLOAD, ports.envoy, "workload.json")?;
    println!("  made in {:.1} s", begun.elapsed().as_secs_f64());
    let after_envoy = seen::settled(&ports, &mut processes, through_envoy.calls)?;

    println!("5/6 spans of applications with an OpenTelemetry SDK, straight to the host");
    let from_sdk = client(clients::SDK_SPANS, ports.otlp_http, "sdk_spans.json")?;
    seen::settled(&ports, &mut processes, through_envoy.calls + from_sdk.calls)?;

    println!("6/6 what was seen");
    let seen = Seen::collect(&ports, &folder, after_envoy)?;
    println!("\n{}", seen.tables());
    println!("Look next at, in {}", folder.0.display());
    println!("  {:<18} the spans, one OTLP/JSON request a line", seen::SPANS);
    println!("  {:<18} the host's metrics", seen::HOST_METRICS);
    println!("  {:<18} Envoy's; those of the filter start with tollgate_", seen::ENVOY_METRICS);
    println!("  {:<18} Envoy's access log with the fields of the filter", "envoy.log");

    let sent = Sent { through_envoy, from_sdk };
    let problems = checks::problems(&seen, &sent, &folder)?;
    if !problems.is_empty() {
        return Err(format!("{} problems:\n  {}", problems.len(), problems.join("\n  ")));
    }
    println!(
        "\nAll {} calls came out as the provider served them, in Envoy and in the host, all {} of the SDK as it sent \
         them, and none of the {} planted texts is in any output.",
        sent.through_envoy.calls,
        sent.from_sdk.calls,
        sent.through_envoy.planted.len() + sent.from_sdk.planted.len()
    );
    if stay {
        println!("Everything goes on running; Ctrl-C ends it.");
        println!("  http://127.0.0.1:{}  for callers", ports.envoy);
        println!("  http://127.0.0.1:{}  for OTLP over HTTP; over gRPC on port {}", ports.otlp_http, ports.otlp_grpc);
        println!("  http://127.0.0.1:{}/metrics  the host's metrics", ports.metrics);
        println!("  http://127.0.0.1:{}/stats/prometheus  Envoy's", ports.admin);
        stop::wait();
    }
    Ok(())
}
