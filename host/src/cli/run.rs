//! `tollgate run`.

use super::{configuration, fail};
use crate::config::Config;
use crate::metrics::Metrics;
use crate::plugins::{self, Opened};
use crate::process;
use clap::ValueEnum;
use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// Most threads for work that may block: stages, compression, files. The processors are busy with a few; the others wait
/// for the log, which makes durable at once what so many append at once. Each has a stack and caches of the allocator,
/// which no other limit counts.
const BLOCKING_THREADS: usize = 64;

/// How the log on standard error is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    /// A line for people.
    Text,
    /// An object a line.
    Json,
}

pub(super) fn run(file: &Path, format: LogFormat) -> ExitCode {
    let level = EnvFilter::try_from_env("TOLLGATE_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(level).with_writer(std::io::stderr);
    match format {
        LogFormat::Text => log.with_ansi(std::io::stderr().is_terminal()).init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
    let config = match configuration::load(file) {
        Ok(config) => config,
        Err(code) => return code,
    };
    let metrics = Metrics::of(&config.meter);
    let opened = match plugins::open(&config, &metrics) {
        Ok(opened) => opened,
        Err(problems) => return configuration::refuse(file, &problems),
    };
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = match runtime.enable_all().max_blocking_threads(BLOCKING_THREADS).build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(format!("the threads cannot be started: {error}")),
    };
    let ended = runtime.block_on(serve(&config, opened, metrics));
    // A plugin call that is under way ends at its deadline; nothing waits for it.
    runtime.shutdown_background();
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(error),
    }
}

async fn serve(config: &Config, opened: Opened, metrics: Metrics) -> Result<(), Box<dyn std::error::Error>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let stop = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    process::run(config, opened, metrics, stop).await?;
    Ok(())
}
