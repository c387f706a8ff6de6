//! What Envoy and the host say after the calls.

use super::configs::Folder;
use super::exposition::Page;
use super::ports::Ports;
use super::process::Process;
use super::spans::Spans;
use super::tally::{self, By};
use super::{http, stop, table};
use std::collections::BTreeMap;
use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long telemetry may take from the last call to the file.
const SETTLE: Duration = Duration::from_secs(30);

/// The file of JSON lines that the example configuration names.
pub(crate) const SPANS: &str = "spans.jsonl";
/// Copies of the metrics pages, which are gone when the demo ends.
pub(crate) const HOST_METRICS: &str = "host-metrics.txt";
pub(crate) const ENVOY_METRICS: &str = "envoy-metrics.txt";

/// What each seat says. Both seats end in one host; its counts are told apart by when they came.
pub(crate) struct Seen {
    /// What the provider served, as JSON lines.
    pub(crate) ledger: String,
    /// Envoy's metrics.
    pub(crate) envoy: Page,
    /// The host's metrics of the spans that came through Envoy.
    pub(crate) host_of_envoy: Page,
    /// The host's metrics of the spans that came from the SDK.
    pub(crate) host_of_sdk: Page,
    /// The spans that the host wrote, of both.
    pub(crate) spans: Spans,
}

/// The host's metrics, once it has counted that many calls in all and nothing waits in it.
///
/// # Errors
/// A process that ended. A host that is late is no error here: what it did not count is told as a difference.
pub(crate) fn settled(ports: &Ports, processes: &mut [Process], calls: u64) -> Result<Page, String> {
    let begun = Instant::now();
    loop {
        processes.iter_mut().try_for_each(Process::check)?;
        stop::check()?;
        let host = Page::read(&page(ports.metrics, "/metrics")?);
        if is_settled(&host, calls) {
            return Ok(host);
        }
        if begun.elapsed() > SETTLE {
            println!("  the host has not seen all calls after {} s", SETTLE.as_secs());
            return Ok(host);
        }
        sleep(Duration::from_millis(100));
    }
}

fn is_settled(host: &Page, calls: u64) -> bool {
    let counted = host.sum("gen_ai_client_operation_duration_seconds_count");
    let waiting = ["tollgate_sampling_pending_traces", "tollgate_output_queue_requests", "tollgate_memory_bytes"];
    tally::whole(counted) >= calls && waiting.iter().all(|name| host.sum(name) == 0.0)
}

impl Seen {
    /// Reads everything, given the host's metrics from between the two seats.
    pub(crate) fn collect(ports: &Ports, folder: &Folder, after_envoy: Page) -> Result<Self, String> {
        let file = folder.file(SPANS);
        let lines = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let keep = |name: &str, text: String| {
            let file = folder.file(name);
            fs::write(&file, &text).map_err(|error| format!("{}: {error}", file.display()))?;
            Ok::<_, String>(Page::read(&text))
        };
        let host = keep(HOST_METRICS, page(ports.metrics, "/metrics")?)?;
        Ok(Self {
            ledger: page(ports.provider, "/sim/served")?,
            envoy: keep(ENVOY_METRICS, page(ports.admin, "/stats/prometheus")?)?,
            host_of_sdk: host.since(&after_envoy),
            host_of_envoy: after_envoy,
            spans: Spans::read(&lines).map_err(|error| format!("{}: {error}", file.display()))?,
        })
    }

    /// Sum of a counter of the host over both seats.
    pub(crate) fn host(&self, name: &str) -> u64 {
        tally::whole(self.host_of_envoy.sum(name) + self.host_of_sdk.sum(name))
    }

    /// Values that the filter took out, by type.
    pub(crate) fn redacted_by_filter(&self) -> BTreeMap<String, u64> {
        redactions(&[&self.envoy], "tollgate_redactions")
    }

    /// Values that the host took out, by type, whichever way they came.
    pub(crate) fn redacted_by_host(&self) -> BTreeMap<String, u64> {
        redactions(&[&self.host_of_envoy, &self.host_of_sdk], "tollgate_redactions_total")
    }

    /// The tables for the user.
    pub(crate) fn tables(&self) -> String {
        let mut text = table::tables(&[
            ("through Envoy", &tally::host(&self.host_of_envoy, By::Requested)),
            ("from an OpenTelemetry SDK", &tally::host(&self.host_of_sdk, By::Requested)),
        ]);
        let counts = |types: BTreeMap<String, u64>| {
            let types: Vec<_> = types.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
            if types.is_empty() { "none".to_owned() } else { types.join(", ") }
        };
        text.push_str(&format!("\n  redacted by the filter      {}\n", counts(self.redacted_by_filter())));
        text.push_str(&format!("  redacted by the host        {}\n", counts(self.redacted_by_host())));
        let dollars = |nanos: i64| table::dollars(u64::try_from(nanos).unwrap_or(0));
        let teams: Vec<_> =
            self.spans.team_costs.iter().map(|(team, nanos)| format!("{team} {}", dollars(*nanos))).collect();
        text.push_str(&format!("  cost of kept spans by team  {}\n", teams.join(", ")));
        text.push_str(&format!(
            "  spans kept                  {} of {} seen\n",
            self.host("tollgate_spans_kept_total"),
            self.host("tollgate_spans_received_total"),
        ));
        text
    }
}

/// The body of a metrics page or of the provider's ledger.
fn page(port: u16, path: &str) -> Result<String, String> {
    http::get(port, path).map_err(|error| format!("http://127.0.0.1:{port}{path}: {error}"))
}

fn redactions(pages: &[&Page], name: &str) -> BTreeMap<String, u64> {
    let mut types = BTreeMap::new();
    for sample in pages.iter().flat_map(|page| page.of(name)) {
        *types.entry(sample.label("type").to_owned()).or_default() += tally::whole(sample.value);
    }
    types
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_has_settled_when_it_counted_all_and_nothing_waits() {
        let page = |text: &str| Page::read(text);
        let counted = "gen_ai_client_operation_duration_seconds_count{a=\"b\"} 3\n";
        assert!(is_settled(&page(counted), 3));
        assert!(!is_settled(&page(counted), 4));
        assert!(!is_settled(&page(&format!("{counted}tollgate_sampling_pending_traces 1\n")), 3));
    }
}
