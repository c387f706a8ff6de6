//! `tollgate run`.

use super::{configuration, fail};
use crate::config::{Config, Problem};
use crate::metrics::Metrics;
use crate::plugins::{self, Opened};
use crate::process::{self, Reload};
use clap::ValueEnum;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tracing_subscriber::EnvFilter;

/// Most threads for work that may block: stages, compression, files. The processors are busy with a few; the others wait
/// for the log, which makes durable at once what so many append at once. Each has a stack and caches of the allocator,
/// which no other limit counts.
const BLOCKING_THREADS: usize = 64;

/// What is logged unless the environment says otherwise. The client of Kafka tells of what it tries again by itself; what
/// fails is told by those who use it.
const LEVELS: &str = "info,krafka=error";

/// How the log on standard error is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    /// A line for people.
    Text,
    /// An object a line.
    Json,
}

pub(super) fn run(file: &Path, format: LogFormat) -> ExitCode {
    let level = EnvFilter::try_from_env("TOLLGATE_LOG").unwrap_or_else(|_| EnvFilter::new(LEVELS));
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
    let ended = runtime.block_on(serve(file, config, opened, metrics));
    // A plugin call that is under way ends at its deadline; nothing waits for it.
    runtime.shutdown_background();
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(error),
    }
}

async fn serve(
    file: &Path,
    config: Config,
    opened: Opened,
    metrics: Metrics,
) -> Result<(), Box<dyn std::error::Error>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let stop = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    let (reloads, taken) = mpsc::channel(1);
    let rereading = tokio::spawn(reread(file.to_owned(), signal(SignalKind::hangup())?, reloads, metrics.clone()));
    let ended = process::run(config, opened, metrics, taken, stop).await;
    rereading.abort();
    Ok(ended?)
}

/// Reads the configuration again at each hangup. What is not right in it is logged, and changes nothing.
async fn reread(file: PathBuf, mut hangup: Signal, reloads: mpsc::Sender<Reload>, metrics: Metrics) {
    while hangup.recv().await.is_some() {
        let (path, counts) = (file.clone(), metrics.clone());
        let read = tokio::task::spawn_blocking(move || reload(&path, &counts)).await;
        match read.unwrap_or_else(|error| Err(vec![error.to_string()])) {
            Ok(reload) => {
                let _ = reloads.send(reload).await;
            }
            Err(problems) => {
                for problem in problems {
                    tracing::error!(problem, "goes on with the configuration that it has");
                }
                metrics.config_reloads.with(vec![("outcome", "failed".to_owned())]).inc();
            }
        }
    }
}

/// The configuration as the file has it now, its plugins proven.
fn reload(file: &Path, metrics: &Metrics) -> Result<Reload, Vec<String>> {
    let shown = |problems: Vec<Problem>| -> Vec<String> {
        problems.iter().map(|problem| format!("{}:{problem}", file.display())).collect()
    };
    let yaml = std::fs::read_to_string(file).map_err(|error| vec![format!("{}: {error}", file.display())])?;
    let config = Config::parse(&yaml).map_err(shown)?;
    let opened = plugins::open(&config, metrics).map_err(shown)?;
    opened.prove(&config).map_err(shown)?;
    Ok(Reload { config, opened })
}
