//! Those who read metrics: Prometheus with promtool, and the official parser of OpenMetrics in Python.
//!
//! `PROMETHEUS` names the binary, which has `promtool` beside it; else it is looked for on `PATH`. Python is `TOLLGATE_PYTHON` or
//! `python3`, and has to be able to import `prometheus_client`. What is not there is skipped, and said so.
#![allow(dead_code, reason = "each test file uses a part of this")]

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Longest that anything is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// Says that a test does not run; with `TOLLGATE_REQUIRE_DATA=1` that is a failure.
fn skipped<T>(why: &str) -> Option<T> {
    let required = std::env::var_os("TOLLGATE_REQUIRE_DATA").is_some_and(|value| value == "1");
    assert!(!required, "{why}");
    eprintln!("SKIPPED: {why}");
    None
}

/// The Prometheus binary.
pub(crate) fn prometheus() -> Option<PathBuf> {
    let path = std::env::var_os("PROMETHEUS").map_or_else(|| PathBuf::from("prometheus"), PathBuf::from);
    let runs = Command::new(&path).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if runs.is_ok_and(|status| status.success()) {
        Some(path)
    } else {
        skipped("there is no prometheus; set PROMETHEUS")
    }
}

/// Runs a program with some input; `None` where there is none.
fn feed(command: &mut Command, input: &[u8]) -> Option<Output> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().ok()?;
    let _ = child.stdin.take().unwrap().write_all(input);
    Some(child.wait_with_output().unwrap())
}

/// What `promtool check metrics` says of a page in Prometheus text; nothing where all is well.
pub(crate) fn promtool(page: &[u8]) -> Option<String> {
    let promtool = prometheus()?.with_file_name("promtool");
    let output = feed(Command::new(promtool).args(["check", "metrics"]), page)?;
    Some(String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

/// Samples of a page in OpenMetrics text as the official parser reads them: name, labels, value, and the trace id of the
/// exemplar, as JSON.
pub(crate) fn open_metrics(page: &[u8]) -> Option<serde_json::Value> {
    let python = std::env::var_os("TOLLGATE_PYTHON").unwrap_or_else(|| "python3".into());
    let script = "import json, sys\n\
        from prometheus_client.openmetrics.parser import text_string_to_metric_families as read\n\
        families = read(sys.stdin.read())\n\
        trace = lambda s: s.exemplar.labels['trace_id'] if s.exemplar else None\n\
        print(json.dumps([[s.name, s.labels, s.value, trace(s)] for f in families for s in f.samples]))";
    let import = Command::new(&python).args(["-c", "import prometheus_client"]).stderr(Stdio::null()).status();
    if !import.is_ok_and(|status| status.success()) {
        return skipped("python cannot import prometheus_client; set PYTHONPATH");
    }
    let output = feed(Command::new(&python).args(["-c", script]), page)?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

/// A Prometheus that scrapes one address.
pub(crate) struct Prometheus {
    child: Child,
    folder: PathBuf,
    address: String,
}

impl Prometheus {
    /// Starts one that scrapes `target` (`127.0.0.1:PORT`), with exemplars, and with native histograms where asked for.
    pub(crate) fn start(target: &str, native: bool) -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let program = prometheus()?;
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("tollgate-prometheus-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let config = folder.join("prometheus.yml");
        let yaml = format!(
            "global: {{scrape_interval: 250ms, scrape_timeout: 250ms}}\n\
             scrape_configs: [{{job_name: t, static_configs: [{{targets: ['{target}']}}]}}]\n"
        );
        fs::write(&config, yaml).unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let features = if native { "exemplar-storage,native-histograms" } else { "exemplar-storage" };
        let log = fs::File::create(folder.join("log")).unwrap();
        let child = Command::new(program)
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .arg(format!("--enable-feature={features}"))
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        Some(Self { child, folder, address })
    }

    fn get(&self, path: &str) -> Option<serde_json::Value> {
        let (_, body) = get(&self.address, path, "")?;
        serde_json::from_slice(&body).ok()
    }

    /// The values of an instant query, each with the value of a label; sorted.
    pub(crate) fn query(&self, query: &str, label: &str) -> Vec<(String, f64)> {
        let answer = self.get(&format!("/api/v1/query?query={}", encode(query))).unwrap_or_default();
        let mut values: Vec<_> = answer["data"]["result"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|one| {
                let name = one["metric"][label].as_str().unwrap_or_default().to_owned();
                (name, one["value"][1].as_str().unwrap_or("NaN").parse().unwrap_or(f64::NAN))
            })
            .collect();
        values.sort_by(|a, b| a.0.cmp(&b.0));
        values
    }

    /// Waits until a query has an answer, and gives it.
    pub(crate) fn until(
        &self,
        query: &str,
        label: &str,
        enough: impl Fn(&[(String, f64)]) -> bool,
    ) -> Vec<(String, f64)> {
        let start = Instant::now();
        loop {
            let values = self.query(query, label);
            if enough(&values) {
                return values;
            }
            let log = || fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            let targets = || self.get("/api/v1/targets");
            assert!(start.elapsed() < PATIENCE, "{query} is {values:?}\n{:?}\n{}", targets(), log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Trace ids of the exemplars of a selector.
    pub(crate) fn exemplars(&self, selector: &str) -> Vec<String> {
        let path = format!("/api/v1/query_exemplars?query={}&start=0&end=9999999999", encode(selector));
        let answer = self.get(&path).unwrap_or_default();
        let series = answer["data"].as_array().cloned().unwrap_or_default();
        let exemplars = series.iter().flat_map(|one| one["exemplars"].as_array().cloned().unwrap_or_default());
        exemplars.filter_map(|one| one["labels"]["trace_id"].as_str().map(str::to_owned)).collect()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A page over HTTP: its head and its body.
pub(crate) fn get(address: &str, path: &str, accept: &str) -> Option<(String, Vec<u8>)> {
    let mut stream = TcpStream::connect(address).ok()?;
    // As of HTTP/1.0 the body ends with the connection.
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\nAccept: {accept}\r\n\r\n").ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let body = answer.split_off(end + 4);
    Some((String::from_utf8_lossy(&answer).into_owned(), body))
}

fn encode(query: &str) -> String {
    query.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
