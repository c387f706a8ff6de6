//! A real Envoy with the filter, on the configuration of `examples/envoy`, its ports replaced.

use crate::client;
use crate::data::{build_output, envoy_binary, root};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{self, Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Longest wait for Envoy to start, and for a line or a number to appear.
const PATIENCE: Duration = Duration::from_secs(20);

/// What differs from the example.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Port of the provider.
    pub provider: u16,
    /// Port of the collector; one where nobody listens unless it is set.
    pub collector: u16,
    /// The example in `examples/envoy`.
    pub example: &'static str,
    /// Configuration of the filter, JSON text; `None` leaves the filter out, and an empty text leaves what the example has.
    pub filter: Option<String>,
    /// Worker threads.
    pub workers: u32,
    /// Texts of the example to be replaced by others, before anything else.
    pub replace: Vec<(String, String)>,
}

impl Settings {
    /// The filter with its whole record in the access log and quick export, one worker.
    #[must_use]
    pub fn new(provider: u16) -> Self {
        let filter = r#"{"access_log": "record", "export": {"cluster": "collector", "flush_ms": 50}}"#;
        let filter = Some(filter.to_owned());
        Self { provider, collector: free_port(), example: "envoy.yaml", filter, workers: 1, replace: Vec::new() }
    }

    /// Another configuration of the filter.
    #[must_use]
    pub fn filter(mut self, json: &str) -> Self {
        self.filter = Some(json.to_owned());
        self
    }

    /// Another example, with the configuration of the filter that it has.
    #[must_use]
    pub fn example(mut self, name: &'static str) -> Self {
        self.example = name;
        self.filter = Some(String::new());
        self
    }

    /// A text of the example replaced by another.
    #[must_use]
    pub fn replaced(mut self, from: &str, to: &str) -> Self {
        self.replace.push((from.to_owned(), to.to_owned()));
        self
    }

    /// Envoy alone.
    #[must_use]
    pub fn without_filter(mut self) -> Self {
        self.filter = None;
        self
    }

    /// A collector.
    #[must_use]
    pub const fn collector(mut self, port: u16) -> Self {
        self.collector = port;
        self
    }

    fn write(&self, folder: &Path, listener: u16, admin: u16) -> Option<PathBuf> {
        let mut text = fs::read_to_string(root().join("examples/envoy").join(self.example)).expect("the example");
        for (from, to) in &self.replace {
            assert!(text.contains(from), "the example has no {from:?}");
            text = text.replace(from, to);
        }
        for (from, to) in [(10000, listener), (9901, admin), (8080, self.provider), (4318, self.collector)] {
            text = text.replace(&format!("port_value: {from} "), &format!("port_value: {to} "));
        }
        text = text.replace("/dev/stdout", &folder.join("access.log").display().to_string());
        let record = "record: \"%FILTER_STATE(wasm.tollgate.record:PLAIN)%\"\n";
        text = text.replace("trace_id: \"%", &format!("{record}                          trace_id: \"%"));
        match &self.filter {
            Some(json) => {
                let module = build_output("filter/tollgate_filter.wasm")?;
                text = text.replace("target/tollgate/filter/tollgate_filter.wasm", &module.display().to_string());
                if !json.is_empty() {
                    text = replace_block(&text, "value: |", &format!("value: {}", quoted(json)));
                }
            }
            None => text = without_block(&text, "- name: tollgate\n"),
        }
        let file = folder.join("envoy.yaml");
        fs::write(&file, text).expect("a configuration");
        Some(file)
    }
}

/// A running Envoy; dropping it ends it.
pub struct Envoy {
    process: Child,
    folder: PathBuf,
    port: u16,
    admin: u16,
}

impl Envoy {
    /// Starts Envoy and waits until it is ready; `None` where there is no Envoy or no filter.
    #[must_use]
    pub fn start(settings: &Settings) -> Option<Self> {
        let (port, admin) = (free_port(), free_port());
        let (process, folder) = spawn(settings, port, admin)?;
        let mut envoy = Self { process, folder, port, admin };
        let deadline = Instant::now() + PATIENCE;
        loop {
            if client::get_text(admin, "/ready").is_ok_and(|(status, _)| status == 200) {
                return Some(envoy);
            }
            let over = envoy.process.try_wait().expect("a process of ours");
            assert!(over.is_none() && Instant::now() < deadline, "Envoy does not start:\n{}", envoy.log());
            thread::sleep(Duration::from_millis(30));
        }
    }

    /// Where callers connect.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// What Envoy itself wrote.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("envoy.log")).unwrap_or_default()
    }

    /// Process id, to measure.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// A page of the admin interface.
    #[must_use]
    pub fn admin(&self, path: &str) -> String {
        client::get_text(self.admin, path).expect("the admin interface answers").1
    }

    /// The filter's counters and gauges, by the name that the filter gave them.
    #[must_use]
    pub fn metrics(&self) -> BTreeMap<String, u64> {
        self.admin("/stats?filter=wasmcustom")
            .lines()
            .filter_map(|line| {
                let (name, value) = line.split_once(": ")?;
                Some((name.strip_prefix("wasmcustom.tollgate.")?.to_owned(), value.parse().ok()?))
            })
            .collect()
    }

    /// Sum of the counters whose name starts so.
    #[must_use]
    pub fn count(&self, start: &str) -> u64 {
        self.metrics().iter().filter(|(name, _)| name.starts_with(start)).map(|(_, value)| value).sum()
    }

    /// Waits until the counters whose name starts so come to at least `least`; gives what they come to.
    #[must_use]
    pub fn wait_count(&self, start: &str, least: u64) -> u64 {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let count = self.count(start);
            if count >= least || Instant::now() > deadline {
                return count;
            }
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits for `lines` lines of access log and gives all of them.
    #[must_use]
    pub fn access_log(&self, lines: usize) -> Vec<serde_json::Value> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let text = fs::read_to_string(self.folder.join("access.log")).unwrap_or_default();
            let whole = text.rfind('\n').map_or("", |end| &text[..end]);
            if whole.lines().count() >= lines || Instant::now() > deadline {
                return whole.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Bytes of memory that Envoy holds (resident set).
    #[must_use]
    pub fn resident_bytes(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id())).expect("Linux");
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("VmRSS");
        line.split_whitespace().nth(1).expect("a number").parse::<u64>().expect("a number") * 1024
    }
}

impl Drop for Envoy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if thread::panicking() {
            eprintln!("Envoy wrote:\n{}", self.log());
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Starts Envoy with a configuration that it is to refuse, and gives what it wrote; `None` where there is no Envoy.
#[must_use]
pub fn refused_start(settings: &Settings) -> Option<String> {
    let (mut process, folder) = spawn(settings, free_port(), free_port())?;
    let deadline = Instant::now() + PATIENCE;
    let status = loop {
        match process.try_wait().expect("a process of ours") {
            Some(status) => break Some(status),
            None if Instant::now() > deadline => break None,
            None => thread::sleep(Duration::from_millis(30)),
        }
    };
    let _ = process.kill();
    let _ = process.wait();
    let log = fs::read_to_string(folder.join("envoy.log")).unwrap_or_default();
    let _ = fs::remove_dir_all(&folder);
    let status = status.unwrap_or_else(|| panic!("Envoy took the configuration:\n{log}"));
    assert!(!status.success(), "Envoy ended without an error:\n{log}");
    Some(log)
}

fn spawn(settings: &Settings, port: u16, admin: u16) -> Option<(Child, PathBuf)> {
    static STARTED: AtomicU32 = AtomicU32::new(0);
    let binary = envoy_binary()?;
    let number = STARTED.fetch_add(1, Ordering::SeqCst);
    let folder = std::env::temp_dir().join(format!("tollgate-e2e-{}-{number}", process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let file = settings.write(&folder, port, admin)?;
    let log = File::create(folder.join("envoy.log")).expect("a log");
    let process = Command::new(binary)
        .args(["--disable-hot-restart", "--log-level", "warn", "--concurrency", &settings.workers.to_string()])
        .args(["--file-flush-interval-msec", "20", "-c"])
        .arg(file)
        .current_dir(root())
        .stdin(Stdio::null())
        .stdout(log.try_clone().expect("a log"))
        .stderr(log)
        .spawn()
        .expect("Envoy starts");
    Some((process, folder))
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port()
}

/// Replaces a line, found by how it starts, and the deeper lines after it.
fn replace_block(text: &str, start: &str, with: &str) -> String {
    let mut lines = Vec::new();
    let mut inside = None;
    for line in text.lines() {
        let depth = line.len() - line.trim_start().len();
        if inside.is_some_and(|outer| depth > outer || line.trim().is_empty()) {
            continue;
        }
        inside = None;
        if format!("{}\n", line.trim_start()).starts_with(start) {
            inside = Some(depth);
            if !with.is_empty() {
                lines.push(format!("{}{with}", " ".repeat(depth)));
            }
        } else {
            lines.push(line.to_owned());
        }
    }
    lines.join("\n") + "\n"
}

fn without_block(text: &str, start: &str) -> String {
    replace_block(text, start, "")
}

/// A YAML scalar: JSON is one.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
