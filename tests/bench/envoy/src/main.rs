//! What the filter costs a real Envoy, and how its memory behaves under long and wide traffic.
//!
//! One thread is caller, provider and collector; Envoy with one worker is between them. On a machine with two cores and
//! more each of the two stays on a core of its own.

mod answer;
mod caller;
mod concurrency;
mod envoy;
mod fault;
mod figures;
mod load;
mod mix;
mod overhead;
mod provider;
mod soak;
mod stage;
mod texts;
mod variant;
mod wire;
mod workload;

use crate::envoy::Setting;
use crate::fault::Fault;
use clap::{Parser, Subcommand};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tokio::runtime;
use tokio::signal::ctrl_c;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::LocalSet;

#[derive(Debug, Parser)]
#[command(about = "What the filter costs Envoy, and whether its memory stays flat")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Processor time, delay and memory, beside Envoy alone and Envoy's own `ai_protocol_manager`
    Overhead(overhead::Options),
    /// A million requests and 100,000 streams of every kind, and what memory they leave behind
    Soak(soak::Options),
    /// What each of 10,000 open streams holds
    Concurrency(concurrency::Options),
}

/// Where things are.
#[derive(Debug, clap::Args)]
struct Place {
    /// The module of the filter; else `filter/tollgate_filter.wasm` in the folder TOLLGATE_BUILD
    #[arg(long)]
    module: Option<PathBuf>,
    /// Let the system choose the cores
    #[arg(long)]
    no_pin: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = runtime::Builder::new_current_thread().enable_all().build().map_err(Fault::system("the runtime"));
    let outcome = outcome.and_then(|runtime| {
        LocalSet::new().block_on(&runtime, async {
            tokio::select! {
                ended = run(&arguments.command) => ended,
                stopped = stopped() => stopped,
            }
        })
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("{fault}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: &Command) -> Result<(), Fault> {
    match command {
        Command::Overhead(options) => overhead::run(options).await,
        Command::Soak(options) => soak::run(options).await,
        Command::Concurrency(options) => concurrency::run(options).await,
    }
}

/// Waits until this program is told to stop, so that no Envoy outlives it.
async fn stopped() -> Result<(), Fault> {
    let mut terminate = signal(SignalKind::terminate()).map_err(Fault::system("waiting for signals"))?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = ctrl_c() => {}
    }
    Err(Fault::Option("stopped before the end".to_owned()))
}

/// Finds Envoy and the module, and keeps this thread and Envoy on cores of their own.
fn place(place: &Place, provider: u16, collector: u16) -> Result<Setting, Fault> {
    let binary = std::env::var_os("ENVOY").map_or_else(|| root().join(".tools/envoy/envoy/_bin/envoy"), PathBuf::from);
    let build = std::env::var_os("TOLLGATE_BUILD").map_or_else(|| root().join("target/tollgate"), PathBuf::from);
    let module = place.module.clone().unwrap_or_else(|| build.join("filter/tollgate_filter.wasm"));
    let module = std::path::absolute(&module).map_err(|error| Fault::File { path: module, error })?;
    let core = match envoy::cores().as_slice() {
        [first, .., last] if !place.no_pin => {
            envoy::pin(*last)?;
            Some(*first)
        }
        _ => None,
    };
    Ok(Setting { binary, module, provider, collector, core })
}

/// The checkout.
fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.ancestors().nth(3).unwrap_or(manifest).to_path_buf()
}
