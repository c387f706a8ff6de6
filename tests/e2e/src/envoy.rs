//! A running Envoy: started on a configuration, asked for its counters, its log and its access log, and ended.

use crate::client;
use crate::data::{envoy_binary, root};
use crate::settings::{Settings, free_port};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{self, Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Longest wait for Envoy to start, and for a line or a number to appear.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running Envoy; dropping it ends it.
pub struct Envoy {
    process: Child,
    folder: PathBuf,
    port: u16,
    admin: u16,
    workers: u32,
}

impl Envoy {
    /// Starts Envoy and waits until it is ready; `None` where there is no Envoy or no filter.
    #[must_use]
    pub fn start(settings: &Settings) -> Option<Self> {
        let (port, admin) = (free_port(), free_port());
        let (process, folder) = spawn(settings, port, admin)?;
        let mut envoy = Self { process, folder, port, admin, workers: settings.workers };
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
        self.settle();
        self.told()
    }

    fn told(&self) -> BTreeMap<String, u64> {
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
        self.settle();
        self.told_sum(start)
    }

    fn told_sum(&self, start: &str) -> u64 {
        self.told().iter().filter(|(name, _)| name.starts_with(start)).map(|(_, value)| value).sum()
    }

    /// Waits until every worker has told Envoy what it has counted so far. The filter does that by its timer.
    ///
    /// # Panics
    /// Where the timers stand still.
    pub fn settle(&self) {
        // Workers and the main thread tick, each as often as the others; two rounds, because one may be under way.
        let enough = self.told_sum("heartbeat") + 2 * (u64::from(self.workers) + 1);
        let told = self.wait_count("heartbeat", enough);
        assert!(told >= enough, "the filter's timers stand still:\n{}", self.log());
    }

    /// A number of Envoy's own statistics; 0 where there is none.
    #[must_use]
    pub fn stat(&self, name: &str) -> u64 {
        let text = self.admin(&format!("/stats?filter=^{name}$"));
        text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")?.parse().ok()).unwrap_or(0)
    }

    /// Gives a dynamic listener another configuration; whether Envoy took it.
    ///
    /// # Panics
    /// Where Envoy does nothing about it.
    pub fn reconfigure(&mut self, settings: &Settings) -> bool {
        const RESULTS: [&str; 2] = ["listener_manager.lds.update_success", "listener_manager.lds.update_rejected"];
        let before = RESULTS.map(|name| self.stat(name));
        settings.write(&self.folder, self.port, self.admin).expect("the module is there still");
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let now = RESULTS.map(|name| self.stat(name));
            if now != before {
                return now[0] > before[0];
            }
            thread::sleep(Duration::from_millis(20));
        }
        panic!("Envoy did not read its listeners anew:\n{}", self.log());
    }

    /// Waits until the counters whose name starts so come to at least `least`; gives what they come to.
    #[must_use]
    pub fn wait_count(&self, start: &str, least: u64) -> u64 {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let count = self.told_sum(start);
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
    let written = settings.write(&folder, port, admin)?;
    let log = File::create(folder.join("envoy.log")).expect("a log");
    let process = Command::new(binary)
        .args(["--disable-hot-restart", "--log-level", "warn", "--concurrency", &settings.workers.to_string()])
        .args(["--file-flush-interval-msec", "20", "-c"])
        .arg(written.bootstrap)
        .current_dir(root())
        .stdin(Stdio::null())
        .stdout(log.try_clone().expect("a log"))
        .stderr(log)
        .spawn()
        .expect("Envoy starts");
    Some((process, folder))
}
