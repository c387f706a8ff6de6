//! The command line.

mod bill;
mod check;
mod clickhouse;
mod component;
mod configuration;
mod explain;
mod extract;
mod feedback;
mod import_otelcol;
mod inspect;
mod lines;
mod price;
mod prices;
mod redact;
mod reprice;
mod run;
mod sample;
mod top;

use component::Input;
use price::PriceFiles;

use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// LLM observability as WebAssembly: OTLP in, priced, redacted and sampled telemetry out.
#[derive(Debug, Parser)]
#[command(name = "tollgate", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Receive, enrich, redact, meter, sample and deliver telemetry until told to stop.
    Run {
        /// The configuration file. SIGHUP reads it again.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// How the log on standard error is written.
        #[arg(long, value_enum, value_name = "FORMAT", default_value = "text")]
        log_format: run::LogFormat,
    },
    /// Show what a running host sees, live: rates, cost, latency, errors, models, and the newest calls. Ends at q or Ctrl-C.
    Top {
        /// Address of the host's metrics page.
        #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:9464")]
        url: String,
        /// How often the host is asked.
        #[arg(long, value_name = "TIME", default_value = "2s")]
        interval: String,
        /// Print one frame as text, and end.
        #[arg(long)]
        once: bool,
    },
    /// Check a configuration file; prints every problem as FILE:LINE: path: message.
    Check {
        /// The configuration file.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// Do not load the plugins.
        #[arg(long)]
        no_plugins: bool,
    },
    /// Read recorded HTTP exchanges: JSON lines in, one call record a line out.
    Extract {
        #[command(flatten)]
        input: Input,
        /// Feed bodies this many bytes at a time.
        #[arg(long, value_name = "BYTES")]
        chunk: Option<usize>,
    },
    /// Price usage: JSON lines in, one bill a line out.
    Price {
        #[command(flatten)]
        input: Input,
        #[command(flatten)]
        files: PriceFiles,
        /// Print bills for people to read.
        #[arg(long)]
        explain: bool,
    },
    /// Show, compare, check and exchange price documents.
    #[command(subcommand)]
    Prices(prices::Command),
    /// Price recorded spans once more, by other prices: OTLP/JSON lines in, what differs and the sums out.
    Reprice {
        #[command(flatten)]
        input: Input,
        #[command(flatten)]
        files: PriceFiles,
    },
    /// Redact texts: JSON lines in, texts and findings out.
    Redact {
        #[command(flatten)]
        input: Input,
        /// The input is one plain text; it comes out redacted, with the findings on standard error.
        #[arg(long)]
        text: bool,
        /// Print what is found and why, for people to read, values included.
        #[arg(long)]
        explain: bool,
    },
    /// Decide on traces: OTLP/JSON lines in, one verdict a trace out.
    Sample {
        #[command(flatten)]
        input: Input,
    },
    /// Make a `sample:` section of the tail_sampling processors of an OpenTelemetry Collector's configuration, and say
    /// what maps and what is wrong with it.
    ImportOtelcol {
        /// The Collector's configuration, YAML.
        file: PathBuf,
    },
    /// Check tokens by which feedback says which call it is about.
    #[command(subcommand)]
    Feedback(feedback::Command),
    /// Print or make the tables of an output that is ClickHouse.
    #[command(subcommand)]
    Clickhouse(clickhouse::Command),
    /// Work with plugin files.
    #[command(subcommand)]
    Plugin(PluginCommand),
}

#[derive(Debug, Subcommand)]
enum PluginCommand {
    /// Show what a plugin is: worlds, manifest, imports, size and digest.
    Inspect {
        /// The component file.
        file: PathBuf,
        /// Configuration to configure the plugin with, as JSON text.
        #[arg(long, value_name = "JSON", default_value = "{}")]
        config: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Runs the command that the arguments name.
#[must_use]
pub fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Run { config, log_format } => run::run(&config, log_format),
        Command::Top { url, interval, once } => top::top(&url, &interval, once),
        Command::Check { config, no_plugins } => check::check(&config, no_plugins),
        Command::Extract { input, chunk } => extract::extract(&input, chunk),
        Command::Price { input, files, explain } => price::price(&input, &files, explain),
        Command::Prices(command) => prices::run(&command),
        Command::Reprice { input, files } => reprice::reprice(&input, &files),
        Command::Redact { input, text, explain: true } => redact::explain(&input, text),
        Command::Redact { input, text, explain: false } => redact::redact(&input, text),
        Command::Sample { input } => sample::sample(&input),
        Command::ImportOtelcol { file } => import_otelcol::import_otelcol(&file),
        Command::Feedback(command) => feedback::run(&command),
        Command::Clickhouse(command) => clickhouse::run(&command),
        Command::Plugin(PluginCommand::Inspect { file, config, json }) => inspect::inspect(&file, &config, json),
    }
}

/// Says on standard error why the command failed.
fn fail(why: impl std::fmt::Display) -> ExitCode {
    eprintln!("tollgate: {why}");
    ExitCode::FAILURE
}
