//! Runs the workload of the official clients (`tests/clients/workload.py`).

use crate::demo::stop;
use crate::tools::Python;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Longest that the workload may take; it takes about ten seconds.
const LONGEST: Duration = Duration::from_secs(180);

/// What the workload did.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Calls made.
    pub(crate) calls: u64,
    /// Personal data that was planted.
    pub(crate) planted: Vec<Planted>,
    /// Trace ids of calls that were answered with an error, as the callers sent them in `traceparent`.
    pub(crate) error_trace_ids: Vec<String>,
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

/// Makes all calls through `base_url`, with progress on standard output, and returns the report that it writes to
/// `report`.
pub(crate) fn run(root: &Path, python: &Python, base_url: &str, report: &Path) -> Result<Report, String> {
    let mut child = Command::new(&python.program)
        .args(["-W", "ignore::DeprecationWarning"])
        .arg(root.join("tests/clients/workload.py"))
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
            Err(error) => break Err(format!("the workload: {error}")),
        }
        if let Err(asked) = stop::check() {
            break Err(asked);
        }
        if begun.elapsed() > LONGEST {
            break Err(format!("the workload did not end within {} s", LONGEST.as_secs()));
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
        .map_err(|error| format!("the workload ended ({status}) without a report: {}: {error}", report.display()))?;
    let value: Value = serde_json::from_str(&text).map_err(|error| format!("{}: {error}", report.display()))?;
    Ok(read(&value))
}

fn read(report: &Value) -> Report {
    let texts = |name: &str| -> Vec<String> {
        let list = report.get(name).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let planted = report.get("planted").and_then(Value::as_array).into_iter().flatten();
    Report {
        calls: report.get("calls").and_then(Value::as_u64).unwrap_or(0),
        planted: planted
            .filter_map(|planted| {
                let field = |name: &str| Some(planted.get(name)?.as_str()?.to_owned());
                Some(Planted { kind: field("type")?, value: field("value")? })
            })
            .collect(),
        error_trace_ids: texts("error_trace_ids"),
        unexpected: texts("unexpected"),
    }
}
