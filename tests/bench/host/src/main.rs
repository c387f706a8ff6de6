//! The host as a process, watched from outside: how fast, how large, and whether it loses anything.
//!
//! One thread is senders and backend; the process under test is between them. On a machine with two cores and more each
//! of the two stays on a core of its own where speed is measured.

mod checked;
mod client;
mod crash;
mod fault;
mod figures;
mod ledger;
mod load;
mod memory;
mod process;
mod random;
mod sink;
mod slow;
mod soak;
mod spans;
mod subject;
mod throughput;
mod wire;

use crate::fault::Fault;
use clap::{Parser, Subcommand};
use std::process::ExitCode;
use tokio::runtime;
use tokio::signal::ctrl_c;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::LocalSet;

#[derive(Debug, Parser)]
#[command(about = "How fast the host is, how large, and whether it loses anything")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Spans a second through one core, beside rotel
    Throughput(throughput::Options),
    /// What the host holds when idle, at its limit and at three times its limit, beside rotel
    Memory(memory::Options),
    /// Minutes of overload: no loss, flat memory, true counters
    Soak(soak::Options),
    /// Kills the host again and again, and checks that what it acknowledged arrives
    Crash(crash::Options),
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
        Command::Throughput(options) => throughput::run(options).await,
        Command::Memory(options) => memory::run(options).await,
        Command::Soak(options) => soak::run(options).await,
        Command::Crash(options) => crash::run(options).await,
    }
}

/// Waits until this program is told to stop, so that no process under test outlives it.
async fn stopped() -> Result<(), Fault> {
    let mut terminate = signal(SignalKind::terminate()).map_err(Fault::system("waiting for signals"))?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = ctrl_c() => {}
    }
    Err(Fault::Option("stopped before the end".to_owned()))
}
