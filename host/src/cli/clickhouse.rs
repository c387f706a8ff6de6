//! `tollgate clickhouse`: the tables, printed or made.

use super::configuration;
use crate::config::ClickHouse;
use crate::outputs::clickhouse::client;
use clap::Subcommand;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use tollgate_clickhouse::migrate::{all_statements, backfill, migrate};

/// Statements of a migration may wait for other hosts of a cluster, and those of a backfill read whole days.
const PATIENCE: Duration = Duration::from_secs(3_600);

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Print the statements that create the tables, for those who run them themselves.
    Schema {
        #[command(flatten)]
        which: Which,
    },
    /// Create the tables, or bring those of an earlier version or of the Collector's exporter to the current version.
    Migrate {
        #[command(flatten)]
        which: Which,
        /// Fill the table of calls from spans that were there before it.
        #[arg(long)]
        backfill: bool,
    },
}

/// Which server.
#[derive(Debug, clap::Args)]
pub(super) struct Which {
    /// The configuration file, of which `outputs.clickhouse` is read.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The output, where there are several: its key, as in `clickhouse/archive`.
    #[arg(long, value_name = "KEY")]
    output: Option<String>,
}

pub(super) fn run(command: &Command) -> ExitCode {
    let (Command::Schema { which } | Command::Migrate { which, .. }) = command;
    let output = match output(&which.config, which.output.as_deref()) {
        Ok(output) => output,
        Err(code) => return code,
    };
    match command {
        Command::Schema { .. } => {
            for statement in all_statements(&output.schema) {
                println!("{statement};\n");
            }
            ExitCode::SUCCESS
        }
        Command::Migrate { backfill, .. } => match make(output, *backfill) {
            Ok(()) => ExitCode::SUCCESS,
            Err(why) => super::fail(why),
        },
    }
}

fn output(file: &Path, key: Option<&str>) -> Result<ClickHouse, ExitCode> {
    let mut outputs = configuration::load(file)?.outputs.clickhouse;
    let names: Vec<_> = outputs.iter().map(|output| output.name.clone()).collect();
    outputs.retain(|output| key.is_none_or(|key| output.name == key));
    match (outputs.pop(), outputs.is_empty()) {
        (Some(output), true) => Ok(output),
        (None, _) if names.is_empty() => Err(super::fail(format!("{}: has no outputs.clickhouse", file.display()))),
        _ => Err(super::fail(format!("name one output with --output: {}", names.join(", ")))),
    }
}

fn make(output: ClickHouse, fill: bool) -> Result<(), String> {
    let output = ClickHouse { timeout: PATIENCE, ..output };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("cannot start: {error}"))?;
    runtime.block_on(async {
        let client = client(&output)?;
        let report = migrate(&client, &output.schema, None).await.map_err(|error| error.to_string())?;
        match report.from == report.to {
            true => println!("{}: version {}, nothing to do", output.endpoint, report.to),
            false => println!("{}: version {}, from {}", output.endpoint, report.to, report.from),
        }
        for table in report.ttl_changed {
            println!("{table}: time to live changed");
        }
        if fill {
            let days = backfill(&client, &output.schema).await.map_err(|failure| failure.to_string())?;
            println!("{}: filled from {} days", output.schema.calls, days.len());
        }
        Ok(())
    })
}
