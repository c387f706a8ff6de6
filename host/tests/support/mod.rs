//! The real binary over loopback: started with a configuration of the test's, and watched from outside.

#![allow(dead_code, reason = "each test file uses a part of this")]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tollgate_otlp::{Envelope, RequestWriter, SpanWriter};

/// The binary under test.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_tollgate");

/// The gRPC receiver of a test that says nothing of it.
const GRPC: &str = "grpc: {endpoint: 127.0.0.1:0, max_recv_msg_size_mib: 1}";

/// Longest that anything is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// The folder of built components, or a loud skip. `TOLLGATE_BUILD` names another one.
pub(crate) fn build() -> Option<PathBuf> {
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tollgate");
    let folder = std::env::var_os("TOLLGATE_BUILD").map_or(default, PathBuf::from);
    let needed = ["plugins/cost_calculator.wasm", "plugins/pii_redactor.wasm", "plugins/sampler.wasm"];
    let needed = needed.into_iter().chain(["plugins/token_extractor.wasm", "tests/hostile.wasm"]);
    let missing: Vec<_> = needed.filter(|file| !folder.join(file).is_file()).collect();
    if missing.is_empty() {
        return Some(folder);
    }
    let required = std::env::var_os("TOLLGATE_REQUIRE_DATA").is_some_and(|value| value == "1");
    assert!(!required, "{} has no {missing:?}; run `cargo xtask build`", folder.display());
    eprintln!("SKIPPED: {} has no {missing:?}; run `cargo xtask build`", folder.display());
    None
}

/// A folder of the test's own, removed at the end.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("tollgate-host-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A running host.
pub(crate) struct Host {
    child: Child,
    pub(crate) folder: Folder,
    /// `http://127.0.0.1:PORT` of OTLP over HTTP.
    pub(crate) http: String,
    /// `http://127.0.0.1:PORT` of OTLP over gRPC.
    pub(crate) grpc: String,
    /// `http://127.0.0.1:PORT` of the metrics page.
    pub(crate) metrics: String,
    /// `http://127.0.0.1:PORT` of the state of the process, where it is configured.
    pub(crate) health: String,
    said: Arc<Mutex<Vec<String>>>,
}

impl Host {
    /// Starts a host that listens on free ports and writes `out.jsonl`. `FOLDER` in `stages` becomes the test's folder.
    pub(crate) fn start(stages: &str) -> Self {
        Self::start_with("http: {endpoint: 127.0.0.1:0}", stages)
    }

    /// As [`start`](Self::start), with the HTTP receiver as the caller writes it.
    pub(crate) fn start_with(http: &str, stages: &str) -> Self {
        Self::start_in(Folder::new(), http, stages)
    }

    /// As [`start_with`](Self::start_with), in a folder where another one may have been.
    pub(crate) fn start_in(folder: Folder, http: &str, stages: &str) -> Self {
        Self::begin(folder, GRPC, http, stages)
    }

    /// As [`start`](Self::start), with both receivers as the caller writes them.
    pub(crate) fn start_both(grpc: &str, http: &str, stages: &str) -> Self {
        Self::begin(Folder::new(), grpc, http, stages)
    }

    fn begin(folder: Folder, grpc: &str, http: &str, stages: &str) -> Self {
        let yaml = yaml(&folder, grpc, http, stages);
        Self::start_yaml(folder, yaml)
    }

    /// Starts a host with a whole configuration of the test's.
    pub(crate) fn start_yaml(folder: Folder, yaml: String) -> Self {
        let config = folder.write("tollgate.yaml", yaml);
        let mut child = Command::new(BINARY)
            .args(["run", "--config"])
            .arg(config)
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (mut addresses, mut said) = ([const { String::new() }; 4], String::new());
        let ready = lines.by_ref().map_while(Result::ok).any(|line| {
            for (address, what) in addresses.iter_mut().zip(["OTLP/HTTP", "OTLP/gRPC", "metrics", "health"]) {
                if let Some((_, found)) = line.split_once(&format!("{what} listening address=")) {
                    *address = format!("http://{}", found.trim());
                }
            }
            said.push_str(&line);
            said.push('\n');
            line.ends_with(" ready")
        });
        assert!(ready, "the host did not start:\n{said}");
        // Whatever it says later goes to the test's own output, so that its pipe never fills.
        let said = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&said);
        std::thread::spawn(move || {
            lines.map_while(Result::ok).for_each(|line| {
                eprintln!("host: {line}");
                heard.lock().unwrap().push(line);
            });
        });
        let [http, grpc, metrics, health] = addresses;
        Self { child, folder, http, grpc, metrics, health, said }
    }

    /// Gives it another configuration, as [`start`](Self::start) does, and says so.
    pub(crate) fn reload(&self, stages: &str) {
        self.folder.write("tollgate.yaml", yaml(&self.folder, GRPC, "http: {endpoint: 127.0.0.1:0}", stages));
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-HUP", &pid]).status().unwrap().success());
    }

    /// What it has logged since it was ready, as far as a line holds `text`; waits until there are `count` of them.
    pub(crate) async fn until_said(&self, text: &str, count: usize) -> Vec<String> {
        let start = Instant::now();
        loop {
            let said = self.said.lock().unwrap().clone();
            let found: Vec<_> = said.iter().filter(|line| line.contains(text)).cloned().collect();
            if found.len() >= count {
                return found;
            }
            assert!(start.elapsed() < PATIENCE, "not {count} lines with {text} in\n{}", said.join("\n"));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Asks the API: status, and the answer.
    pub(crate) async fn ask(&self, path: &str) -> (u16, serde_json::Value) {
        let response = client().get(format!("{}{path}", self.metrics)).send().await.unwrap();
        let (status, body) = (response.status().as_u16(), response.bytes().await.unwrap());
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    /// `127.0.0.1:PORT` of the metrics page.
    pub(crate) fn metrics_address(&self) -> &str {
        self.metrics.trim_start_matches("http://")
    }

    /// The metrics page.
    pub(crate) async fn metrics(&self) -> String {
        client().get(format!("{}/metrics", self.metrics)).send().await.unwrap().text().await.unwrap()
    }

    /// Waits until the metrics page has a line, and gives the page.
    pub(crate) async fn until_metric(&self, line: &str) -> String {
        let start = Instant::now();
        loop {
            let page = self.metrics().await;
            if page.lines().any(|found| found == line) {
                return page;
            }
            assert!(start.elapsed() < PATIENCE, "no line {line} in\n{page}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Posts protobuf, and gives status and body.
    pub(crate) async fn post(&self, path: &str, body: Vec<u8>) -> (u16, Vec<u8>) {
        let request = client().post(format!("{}{path}", self.http));
        let response = request.header("content-type", "application/x-protobuf").body(body).send().await.unwrap();
        (response.status().as_u16(), response.bytes().await.unwrap().to_vec())
    }

    /// Kills it at once, and gives the folder.
    pub(crate) fn crash(mut self) -> Folder {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        std::mem::replace(&mut self.folder, Folder::new())
    }

    /// Sends SIGTERM.
    pub(crate) fn terminate(&self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    }

    /// Sends SIGTERM, waits for the end, and gives the requests that were written to the file.
    pub(crate) fn stop(self) -> (ExitStatus, Vec<serde_json::Value>) {
        self.terminate();
        self.ended()
    }

    /// Sends SIGTERM and waits for the end. What is in the file is of no matter, or was cut off by a crash before.
    pub(crate) fn end(mut self) -> ExitStatus {
        self.terminate();
        self.child.wait().unwrap()
    }

    /// Waits for the end, and gives the requests that were written to the file.
    pub(crate) fn ended(mut self) -> (ExitStatus, Vec<serde_json::Value>) {
        let status = self.child.wait().unwrap();
        let lines = std::fs::read_to_string(self.folder.path("out.jsonl")).unwrap_or_default();
        (status, lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
    }
}

/// The configuration of a host; outputs that the test adds come as the indented end of `stages`.
fn yaml(folder: &Folder, grpc: &str, http: &str, stages: &str) -> String {
    let stages = stages.replace("FOLDER", &folder.0.display().to_string());
    let (stages, outputs) = stages.split_once("outputs:\n").unwrap_or((&stages, ""));
    let log = if stages.contains("log:") {
        String::new()
    } else {
        format!("log: {{path: {}}}", folder.path("log").display())
    };
    format!(
        "{log}\nreceivers:\n  otlp:\n    protocols:\n      {grpc}\n      \
         {http}\n{stages}\noutputs:\n  prometheus: {{endpoint: 127.0.0.1:0}}\n  json_lines: {{path: {}}}\n{outputs}",
        folder.path("out.jsonl").display()
    )
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An HTTP client; building one needs the process to have cryptography.
pub(crate) fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}

/// All spans of written requests.
pub(crate) fn spans(requests: &[serde_json::Value]) -> Vec<serde_json::Value> {
    let list = |value: &serde_json::Value, key: &str| value[key].as_array().cloned().unwrap_or_default();
    let resources = requests.iter().flat_map(|request| list(request, "resourceSpans"));
    let scopes = resources.flat_map(|resource| list(&resource, "scopeSpans"));
    scopes.flat_map(|scope| list(&scope, "spans")).collect()
}

/// An attribute of a written span: the value without its type.
pub(crate) fn attribute(span: &serde_json::Value, name: &str) -> Option<serde_json::Value> {
    let attribute = span["attributes"].as_array()?.iter().find(|attribute| attribute["key"] == name)?;
    attribute["value"].as_object()?.values().next().cloned()
}

/// A span of a chat call.
pub(crate) fn chat(trace: u8, span: u8) -> SpanWriter {
    let mut writer = SpanWriter::new([trace; 16], [span; 8], "chat gpt-4o");
    writer.times(1_790_000_000_000_000_000, 1_790_000_001_500_000_000);
    writer.set("gen_ai.operation.name", "chat");
    writer.set("gen_ai.provider.name", "openai");
    writer.set("gen_ai.request.model", "gpt-4o");
    writer.set("gen_ai.usage.input_tokens", 1_000_u64);
    writer.set("gen_ai.usage.output_tokens", 200_u64);
    writer
}

/// An encoded request of spans.
pub(crate) fn request(spans: &[SpanWriter]) -> Vec<u8> {
    let envelope = Envelope::new(&[("service.name", "shop".into())], "tests", "1");
    let mut writer = RequestWriter::new();
    spans.iter().for_each(|span| writer.push(&envelope, span.bytes()));
    writer.finish()
}

/// Runs the binary to its end.
pub(crate) fn run(arguments: &[&str], input: &[u8]) -> Output {
    use std::io::Write;
    let mut command = Command::new(BINARY);
    if let Some(build) = build() {
        command.env("TOLLGATE_PLUGINS", build.join("plugins"));
    }
    let mut child = command
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    // A command that reads nothing closes its input; that is not the test's failure.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}
