//! `simulated-provider`: the simulated LLM provider as a program.

use clap::Parser;
use std::net::SocketAddr;
use std::process::ExitCode;
use tollgate_simulated_provider::{Limits, SimulatedProvider};

/// A simulated LLM provider: OpenAI and Anthropic, JSON and SSE. Requests steer it through x-sim-* headers;
/// GET /sim/served tells what was served.
#[derive(Parser)]
#[command(name = "simulated-provider", version)]
struct Arguments {
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Calls the ledger keeps; later ones are only counted.
    #[arg(long, default_value_t = Limits::default().ledger_entries)]
    ledger_entries: usize,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let limits = Limits { ledger_entries: arguments.ledger_entries, ..Limits::default() };
    match SimulatedProvider::start_with(arguments.listen, limits).await {
        Ok(provider) => {
            println!("simulated provider listening on {}", provider.base_url());
            tokio::select! {
                () = provider.wait() => ExitCode::FAILURE,
                _ = tokio::signal::ctrl_c() => ExitCode::SUCCESS,
            }
        }
        Err(error) => {
            eprintln!("simulated-provider: cannot listen on {}: {error}", arguments.listen);
            ExitCode::FAILURE
        }
    }
}
