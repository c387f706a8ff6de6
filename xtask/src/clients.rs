//! Runs the programs in `tests/clients`: official clients, and an official SDK.

use crate::demo::stop;
use crate::tools::Python;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Longest that a program may take; the slower takes about ten seconds.
const LONGEST: Duration = Duration::from_secs(180);

/// Calls of the official clients of the providers, to the address of a proxy.
pub(crate) const WORKLOAD: &str = "workload.py";
/// Applications that send spans of their own, to the address of an OTLP/HTTP receiver.
pub(crate) const SDK_SPANS: &str = "sdk_spans.py";

/// What a program did. What it does not say is empty.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Calls made, or reported in spans.
    pub(crate) calls: u64,
    /// The calls, as JSON lines in the form of the simulated provider's ledger.
    pub(crate) ledger: String,
    /// Personal data that was planted, once for each place.
    pub(crate) planted: Vec<Planted>,
    /// Ids of traces that sampling has to keep.
    pub(crate) kept_trace_ids: Vec<String>,
    /// Teams that have to be charged.
    pub(crate) teams: Vec<String>,
    /// What did not come back as expected, in sentences.
    pub(crate) unexpected: Vec<String>,
}

/// One planted text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Planted {
    /// Type name of the redactor.
    pub(crate) kind: String,
    /// The text itself.
    pub(crate) value: String,
}

/// Runs a program against `base_url`, with progress on standard output, and returns the report that it writes to
/// `report`.
pub(crate) fn run(
    root: &Path,
    python: &Python,
    program: &str,
    base_url: &str,
    report: &Path,
) -> Result<Report, String> {
    let mut child = Command::new(&python.program)
        .args(["-W", "ignore::DeprecationWarning"])
        .arg(root.join("tests/clients").join(program))
        .arg(base_url)
        .arg(report)
        .env("PYTHONPATH", &python.packages)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        // A proxy of the machine's must not stand between the clients and this machine.
        .env("NO_PROXY", "127.0.0.1")
        .stdin(Stdio::null())
        .spawn()
        .map_err(|error| format!("{} could not be started: {error}", python.program.display()))?;
    let begun = Instant::now();
    let ended = loop {
        match child.try_wait() {
            Ok(Some(status)) => break Ok(status),
            Ok(None) => {}
            Err(error) => break Err(format!("{program}: {error}")),
        }
        if let Err(asked) = stop::check() {
            break Err(asked);
        }
        if begun.elapsed() > LONGEST {
            break Err(format!("{program} did not end within {} s", LONGEST.as_secs()));
        }
        sleep(Duration::from_millis(20));
    };
    let status = match ended {
        Ok(status) => status,
        Err(why) => {
            // Where it has ended meanwhile there is nothing to kill.
            let _gone = child.kill().and_then(|()| child.wait().map(drop));
            return Err(why);
        }
    };
    let text = fs::read_to_string(report)
        .map_err(|error| format!("{program} ended ({status}) without a report: {}: {error}", report.display()))?;
    let value: Value = serde_json::from_str(&text).map_err(|error| format!("{}: {error}", report.display()))?;
    Ok(read(&value))
}

fn read(report: &Value) -> Report {
    let list = |name: &str| report.get(name).and_then(Value::as_array).into_iter().flatten();
    let texts = |name: &str| list(name).filter_map(Value::as_str).map(str::to_owned).collect();
    Report {
        calls: report.get("calls").and_then(Value::as_u64).unwrap_or(0),
        ledger: list("ledger").map(|call| format!("{call}\n")).collect(),
        planted: list("planted")
            .filter_map(|planted| {
                let field = |name: &str| Some(planted.get(name)?.as_str()?.to_owned());
                Some(Planted { kind: field("type")?, value: field("value")? })
            })
            .collect(),
        kept_trace_ids: texts("kept_trace_ids"),
        teams: texts("teams"),
        unexpected: texts("unexpected"),
    }
}
