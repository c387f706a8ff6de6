//! `tollgate top` on a terminal: it shows what the host answers, outlives it, and ends at a key.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod support;

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use support::{BINARY, Folder, Host, request};
use tollgate_otlp::SpanWriter;

/// The command on a terminal of its own, made by `script` of util-linux; `None`, loudly, where that is not there.
struct Terminal {
    child: Child,
    shown: Arc<Mutex<String>>,
}

impl Terminal {
    fn start(url: &str) -> Option<Self> {
        let command = format!("stty rows 30 cols 120; exec {BINARY} top --interval 200ms --url {url}");
        let child = Command::new("script")
            .args(["--quiet", "--return", "--command", &command, "/dev/null"])
            .env("TERM", "xterm")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let Ok(mut child) = child else {
            let required = std::env::var_os("TOLLGATE_REQUIRE_DATA").is_some_and(|value| value == "1");
            assert!(!required, "there is no `script`; install util-linux");
            eprintln!("SKIPPED: there is no `script`, of util-linux");
            return None;
        };
        let (mut output, shown) = (child.stdout.take().unwrap(), Arc::new(Mutex::new(String::new())));
        let seen = Arc::clone(&shown);
        std::thread::spawn(move || {
            let mut bytes = [0; 4_096];
            while let Ok(read @ 1..) = output.read(&mut bytes) {
                seen.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..read]));
            }
        });
        Some(Self { child, shown })
    }

    /// Waits until a text has been written, since `from`; gives where the output ends now.
    fn until(&self, text: &str, from: usize) -> usize {
        let begun = Instant::now();
        loop {
            let shown = self.shown.lock().unwrap().clone();
            if shown[from..].contains(text) {
                return shown.len();
            }
            assert!(begun.elapsed() < Duration::from_secs(30), "no {text} in\n{}", shown[from..].escape_debug());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Presses a key, and waits for the end: whether it was a good one, and the whole output.
    fn end_with(mut self, key: &[u8]) -> (bool, String) {
        let mut input = self.child.stdin.take().unwrap();
        input.write_all(key).unwrap();
        input.flush().unwrap();
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(10) {
            if let Some(status) = self.child.try_wait().unwrap() {
                std::thread::sleep(Duration::from_millis(100));
                return (status.success(), self.shown.lock().unwrap().clone());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("{key:?} does not end it");
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn host(address: &str) -> Host {
    let folder = Folder::new();
    let yaml = format!(
        "log: {{path: {}}}\nreceivers: {{otlp: {{protocols: {{http: {{endpoint: 127.0.0.1:0}}}}}}}}\n\
         outputs: {{prometheus: {{endpoint: {address}}}}}\n",
        folder.path("log").display()
    );
    Host::start_yaml(folder, yaml)
}

async fn send(host: &Host, model: &str) {
    let now = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos()).unwrap();
    let mut span = SpanWriter::new([1; 16], [1; 8], "chat");
    span.times(now - 1_000_000_000, now).set("gen_ai.operation.name", "chat").set("gen_ai.request.model", model);
    assert_eq!(host.post("/v1/traces", request(&[span])).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_outlives_the_host_and_ends_at_a_key() {
    let first = host("127.0.0.1:0");
    let address = first.metrics_address().to_owned();
    let Some(terminal) = Terminal::start(&first.metrics) else { return };
    send(&first, "AAAAAAAA").await;
    let end = terminal.until("AAAAAAAA", 0);
    first.stop();
    let end = terminal.until("AWAY", end);
    let second = host(&address);
    send(&second, "ZZZZZZZZ").await;
    terminal.until("ZZZZZZZZ", end);
    let (success, output) = terminal.end_with(b"q");
    assert!(success);
    let (begin, given_back) = (output.find("\x1b[?1049h"), output.rfind("\x1b[?1049l"));
    assert!(begin.is_some() && given_back > begin, "the screen is given back: {}", output.escape_debug());
}

#[tokio::test(flavor = "multi_thread")]
async fn control_c_ends_it_while_there_is_no_host() {
    let Some(terminal) = Terminal::start("http://127.0.0.1:9") else { return };
    terminal.until("AWAY", 0);
    assert!(terminal.end_with(b"\x03").0);
}
