//! The `tollgate` command.

use std::process::ExitCode;
use tikv_jemallocator::Jemalloc;

/// It gives memory back a moment after it was freed (`.cargo/config.toml` says when), whichever thread it was freed on. What
/// the process has is then what it holds, which a limit of memory is about.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    tollgate_host::cli::main()
}
