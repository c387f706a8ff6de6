//! `cargo xtask demo`: the whole of it on one machine, and a comparison of what every seat counted.
//!
//! Simulated provider, host and Envoy are started with copies of the example configurations; the official clients
//! make about a hundred calls through Envoy; then the host's metrics, Envoy's metrics and the spans that the host
//! wrote are compared with the ledger of the provider. Everything it writes is below `target/demo/`.

mod configs;
mod exposition;
mod http;
mod ports;
mod process;
mod spans;
pub(crate) mod stop;
mod table;
mod tally;

use crate::build::Layout;
use crate::clients::{self, Planted, Report};
use crate::tools::{Python, Tools};
use configs::Folder;
use exposition::Page;
use ports::Ports;
use process::Process;
use spans::Spans;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};
use tally::By;

/// How long telemetry may take from the last call to the file.
const SETTLE: Duration = Duration::from_secs(30);

/// Builds, then runs the demo. With `stay` everything goes on running until Ctrl-C.
///
/// # Errors
/// What could not be started; or sentences that say where the totals differ from what the provider served, or where
/// planted personal data came out.
pub(crate) fn run(layout: &Layout, stay: bool) -> Result<(), String> {
    stop::listen()?;
    // Before the build, so that nobody waits for it to hear that something is missing.
    println!("1/5 tools");
    let programs = Programs::find(layout)?;
    println!("2/5 build");
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
    println!("3/5 start");
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

    println!("4/5 calls of the official clients through Envoy");
    let begun = Instant::now();
    let base_url = format!("http://127.0.0.1:{}", ports.envoy);
    let report = clients::run(&layout.root, &programs.python, &base_url, &folder.file("workload.json"))?;
    println!("  made in {:.1} s", begun.elapsed().as_secs_f64());

    println!("5/5 what was seen");
    let seen = Seen::collect(&ports, &folder, &mut processes)?;
    println!("\n{}", seen.tables());
    println!("Look next at");
    println!("  http://127.0.0.1:{}/metrics  the host's metrics", ports.metrics);
    println!("  http://127.0.0.1:{}/stats/prometheus  Envoy's, those of the filter start with tollgate_", ports.admin);
    println!("  {}  the spans, one OTLP/JSON request a line", folder.file(SPANS).display());
    println!("  {}  Envoy's access log with the fields of the filter", folder.file("envoy.log").display());

    let problems = seen.problems(&report, &folder)?;
    if !problems.is_empty() {
        return Err(format!("{} problems:\n  {}", problems.len(), problems.join("\n  ")));
    }
    println!(
        "\nAll {} calls came out as the provider served them, in Envoy and in the host, and none of the {} planted \
         texts is in any output.",
        report.calls,
        report.planted.len()
    );
    if stay {
        println!("Everything goes on running; Ctrl-C ends it. Callers: {base_url}");
        stop::wait();
    }
    Ok(())
}

/// The file of JSON lines that the example configuration names.
const SPANS: &str = "spans.jsonl";

/// What each seat says after the calls.
struct Seen {
    ledger: String,
    host: Page,
    envoy: Page,
    spans: Spans,
}

impl Seen {
    /// Reads everything, once the telemetry of all served calls has gone through the host.
    fn collect(ports: &Ports, folder: &Folder, processes: &mut [Process]) -> Result<Self, String> {
        let page =
            |port, path: &str| http::get(port, path).map_err(|error| format!("http://127.0.0.1:{port}{path}: {error}"));
        let begun = Instant::now();
        loop {
            processes.iter_mut().try_for_each(Process::check)?;
            stop::check()?;
            let ledger = page(ports.provider, "/sim/served")?;
            let host = Page::read(&page(ports.metrics, "/metrics")?);
            let late = begun.elapsed() > SETTLE;
            if late || settled(&host, ledger.lines().count()) {
                if late {
                    println!("  the host has not seen all calls after {} s", SETTLE.as_secs());
                }
                let envoy = Page::read(&page(ports.admin, "/stats/prometheus")?);
                let file = folder.file(SPANS);
                let lines = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
                let spans = Spans::read(&lines).map_err(|error| format!("{}: {error}", file.display()))?;
                return Ok(Self { ledger, host, envoy, spans });
            }
            sleep(Duration::from_millis(100));
        }
    }

    fn tables(&self) -> String {
        let mut text = table::table(&tally::host(&self.host, By::Requested));
        let redactions = |page: &Page, name: &str| {
            let types: Vec<_> = redactions(page, name).iter().map(|(kind, count)| format!("{kind} {count}")).collect();
            if types.is_empty() { "none".to_owned() } else { types.join(", ") }
        };
        text.push_str(&format!("\n  redacted by the filter      {}\n", redactions(&self.envoy, ENVOY_REDACTIONS)));
        text.push_str(&format!("  redacted by the host        {}\n", redactions(&self.host, HOST_REDACTIONS)));
        let teams: Vec<_> = self
            .spans
            .team_costs
            .iter()
            .map(|(team, nanos)| format!("{team} {}", table::dollars(u64::try_from(*nanos).unwrap_or(0))))
            .collect();
        text.push_str(&format!("  cost of kept spans by team  {}\n", teams.join(", ")));
        text.push_str(&format!(
            "  spans kept                  {} of {} seen\n",
            tally::whole(self.host.sum("tollgate_spans_kept_total")),
            tally::whole(self.host.sum("tollgate_spans_received_total")),
        ));
        text
    }

    fn problems(&self, report: &Report, folder: &Folder) -> Result<Vec<String>, String> {
        let mut problems = report.unexpected.clone();
        let served = tally::served(&self.ledger, By::Answering)?;
        let calls: u64 = served.values().map(|counts| counts.calls).sum();
        if calls != report.calls {
            problems.push(format!("the clients made {} calls, the provider served {calls}", report.calls));
        }
        let (host, envoy) = (tally::host(&self.host, By::Answering), tally::envoy(&self.envoy));
        problems.extend(tally::differences("the host", &served, &host));
        problems.extend(tally::differences("Envoy", &served, &envoy));
        problems.extend(tally::price_differences(("the host", &host), ("Envoy", &envoy)));
        if host.values().all(|counts| counts.cost_nano_usd == 0) {
            problems.push("no call has a price".to_owned());
        }
        let kept = tally::whole(self.host.sum("tollgate_spans_kept_total"));
        if self.spans.count != kept {
            problems.push(format!("the host kept {kept} spans and wrote {}", self.spans.count));
        }
        for id in report.error_trace_ids.iter().filter(|id| !self.spans.trace_ids.contains(*id)) {
            problems.push(format!("the trace {id}, which a caller began and an error ended, is on no span"));
        }
        if self.spans.team_costs.is_empty() {
            problems.push("no span has a business.team; the example plugin adds it".to_owned());
        }
        let mut found = redactions(&self.envoy, ENVOY_REDACTIONS);
        for (kind, count) in redactions(&self.host, HOST_REDACTIONS) {
            *found.entry(kind).or_default() += count;
        }
        problems.extend(unredacted(&report.planted, &found));
        for name in [SPANS, "host.log", "envoy.log"] {
            let file = folder.file(name);
            let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
            problems.extend(leaks(&report.planted, name, &text));
        }
        Ok(problems)
    }
}

const ENVOY_REDACTIONS: &str = "tollgate_redactions";
const HOST_REDACTIONS: &str = "tollgate_redactions_total";

/// Whether the host has counted that many calls, decided every trace and emptied its queues.
fn settled(host: &Page, calls: usize) -> bool {
    let counted = host.sum("gen_ai_client_operation_duration_seconds_count");
    let waiting = ["tollgate_sampling_pending_traces", "tollgate_output_queue_requests", "tollgate_bytes_in_flight"];
    u64::try_from(calls).is_ok_and(|calls| tally::whole(counted) >= calls)
        && waiting.iter().all(|name| host.sum(name) == 0.0)
}

/// Findings by type.
fn redactions(page: &Page, name: &str) -> BTreeMap<String, u64> {
    let mut types = BTreeMap::new();
    for sample in page.of(name) {
        *types.entry(sample.label("type").to_owned()).or_default() += tally::whole(sample.value);
    }
    types
}

/// Sentences for types that were planted more often than found.
fn unredacted(planted: &[Planted], found: &BTreeMap<String, u64>) -> Vec<String> {
    let mut wanted: BTreeMap<&str, u64> = BTreeMap::new();
    for planted in planted {
        *wanted.entry(&planted.kind).or_default() += 1;
    }
    wanted
        .into_iter()
        .map(|(kind, wanted)| (kind, wanted, found.get(kind).copied().unwrap_or(0)))
        .filter(|(_, wanted, found)| found < wanted)
        .map(|(kind, wanted, found)| format!("{kind} was planted {wanted} times and redacted {found} times"))
        .collect()
}

/// Sentences for planted texts that a file holds.
fn leaks(planted: &[Planted], name: &str, text: &str) -> Vec<String> {
    let mut values: Vec<_> = planted.iter().map(|planted| (&planted.kind, &planted.value)).collect();
    values.sort();
    values.dedup();
    values
        .into_iter()
        .filter(|(_, value)| text.contains(value.as_str()))
        .map(|(kind, value)| format!("{name} holds the planted {kind} {value:?}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planted() -> Vec<Planted> {
        ["a@example.com", "a@example.com", "b@example.com"]
            .map(|value| Planted { kind: "EMAIL_ADDRESS".into(), value: value.into() })
            .to_vec()
    }

    #[test]
    fn a_leak_is_told_once_a_text() {
        assert_eq!(leaks(&planted(), "spans.jsonl", "nothing"), Vec::<String>::new());
        let told = leaks(&planted(), "spans.jsonl", "to a@example.com and a@example.com");
        assert_eq!(told, ["spans.jsonl holds the planted EMAIL_ADDRESS \"a@example.com\""]);
    }

    #[test]
    fn a_type_that_is_found_less_often_than_planted_is_told() {
        let found = |count| BTreeMap::from([("EMAIL_ADDRESS".to_owned(), count)]);
        assert_eq!(unredacted(&planted(), &found(3)), Vec::<String>::new());
        assert_eq!(unredacted(&planted(), &found(2)), ["EMAIL_ADDRESS was planted 3 times and redacted 2 times"]);
    }

    #[test]
    fn the_host_has_settled_when_it_counted_all_and_nothing_waits() {
        let page = |text: &str| Page::read(text);
        let counted = "gen_ai_client_operation_duration_seconds_count{a=\"b\"} 3\n";
        assert!(settled(&page(counted), 3));
        assert!(!settled(&page(counted), 4));
        assert!(!settled(&page(&format!("{counted}tollgate_sampling_pending_traces 1\n")), 3));
    }
}
