//! An Envoy with one worker, and what the system and its admin interface say of it.

use crate::fault::Fault;
use crate::variant::{self, Filter, Ports};
use crate::wire::{Connection, Kind, Piece};
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::time::{ClockId, clock_getcpuclockid};
use nix::unistd::Pid;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{self, Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// Longest wait for Envoy to start, and for a counter.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is the same for every Envoy of a run.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    /// The Envoy binary.
    pub(crate) binary: PathBuf,
    /// The module of the filter.
    pub(crate) module: PathBuf,
    /// Port of the provider.
    pub(crate) provider: u16,
    /// Port of the collector.
    pub(crate) collector: u16,
    /// The core that Envoy runs on; anywhere where it is `None`.
    pub(crate) core: Option<usize>,
}

impl Setting {
    /// Says what is run, for the head of the figures.
    ///
    /// # Errors
    /// There is no module.
    pub(crate) fn describe(&self) -> Result<String, Fault> {
        let file = |error| Fault::File { path: self.module.clone(), error };
        let bytes = fs::metadata(&self.module).map_err(file)?.len();
        let where_to = match self.core {
            Some(core) => format!("Envoy on core {core}, callers and provider on another"),
            None => "cores as the system chooses".to_owned(),
        };
        Ok(format!("{}: {} KiB\none worker; {where_to}", self.module.display(), bytes / 1024))
    }
}

/// A running Envoy; dropping it ends it.
#[derive(Debug)]
pub(crate) struct Envoy {
    process: Child,
    binary: PathBuf,
    folder: Folder,
    clock: ClockId,
    ports: Ports,
}

impl Envoy {
    /// Starts Envoy and waits until it is ready.
    ///
    /// # Errors
    /// It does not start; the fault has what it wrote.
    pub(crate) async fn start(setting: &Setting, filter: &Filter) -> Result<Self, Fault> {
        let ports = Ports {
            listener: free_port()?,
            admin: free_port()?,
            provider: setting.provider,
            collector: setting.collector,
        };
        let folder = Folder::new()?;
        let file = variant::write(filter, ports, &setting.module, &folder.0)?;
        let process = spawn(setting, &file, &folder.0)?;
        let clock = clock(&process)?;
        let mut envoy = Self { process, binary: setting.binary.clone(), folder, clock, ports };
        let deadline = Instant::now() + PATIENCE;
        while !matches!(envoy.admin("/ready").await, Ok((200, _))) {
            if let Ok(Some(status)) = envoy.process.try_wait() {
                return Err(envoy.fault(&format!("ended at its start with {status}")));
            }
            if Instant::now() > deadline {
                return Err(envoy.fault("does not become ready"));
            }
            sleep(Duration::from_millis(20)).await;
        }
        Ok(envoy)
    }

    /// Where callers connect.
    pub(crate) const fn port(&self) -> u16 {
        self.ports.listener
    }

    /// Processor time of the whole process until now, user and system.
    ///
    /// # Errors
    /// It has ended.
    pub(crate) fn cpu(&self) -> Result<Duration, Fault> {
        let time = self.clock.now().map_err(|error| self.fault(&format!("has no processor time: {error}")))?;
        Ok(Duration::from(time))
    }

    /// Bytes of memory that Envoy holds (resident set).
    ///
    /// # Errors
    /// It has ended.
    pub(crate) fn resident(&self) -> Result<u64, Fault> {
        let path = PathBuf::from(format!("/proc/{}/status", self.process.id()));
        let status = fs::read_to_string(&path).map_err(|error| Fault::File { path, error })?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        kib.map(|kib| kib * 1024).ok_or_else(|| self.fault("ended"))
    }

    /// How long threads of Envoy could have run until now, and waited for a core that was busy with something else.
    pub(crate) fn waited(&self) -> Duration {
        let threads = fs::read_dir(format!("/proc/{}/task", self.process.id())).into_iter().flatten().flatten();
        // Time on a core, time of waiting for one, and how often; nanoseconds. Kernels without it say 0.
        let waited = |text: String| text.split_whitespace().nth(1)?.parse::<u64>().ok();
        let each =
            threads.filter_map(|thread| fs::read_to_string(thread.path().join("schedstat")).ok().and_then(waited));
        Duration::from_nanos(each.sum())
    }

    /// Counters and gauges whose name has this in it, by their whole name.
    ///
    /// # Errors
    /// The admin interface does not answer.
    pub(crate) async fn stats(&self, part: &str) -> Result<BTreeMap<String, u64>, Fault> {
        let (_, text) = self.admin(&format!("/stats?filter={part}")).await?;
        let line =
            |line: &str| line.split_once(": ").and_then(|(name, value)| Some((name.to_owned(), value.parse().ok()?)));
        Ok(text.lines().filter_map(line).collect())
    }

    /// Sum of the filter's own counters or gauges whose name starts so.
    ///
    /// # Errors
    /// The admin interface does not answer.
    pub(crate) async fn own(&self, name: &str) -> Result<u64, Fault> {
        let start = format!("wasmcustom.tollgate.{name}");
        let stats = self.stats(&start.replace(';', ".")).await?;
        Ok(stats.iter().filter(|(name, _)| name.starts_with(&start)).map(|(_, value)| value).sum())
    }

    /// The same, when it is at least so much, or does not become so for a while: the filter tells its counters to Envoy
    /// at its timer.
    ///
    /// # Errors
    /// The admin interface does not answer.
    pub(crate) async fn own_in_time(&self, name: &str, least: u64) -> Result<u64, Fault> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let told = self.own(name).await?;
            if told >= least || Instant::now() > deadline {
                return Ok(told);
            }
            sleep(Duration::from_millis(100)).await;
        }
    }

    /// A fault of Envoy, with its log.
    pub(crate) fn fault(&self, what: &str) -> Fault {
        let log = fs::read_to_string(self.folder.0.join("envoy.log")).unwrap_or_default();
        Fault::Envoy { binary: self.binary.clone(), what: what.to_owned(), log }
    }

    async fn admin(&self, path: &str) -> Result<(u16, String), Fault> {
        let mut connection = Connection::open(self.ports.admin).await?;
        connection.send(format!("GET {path} HTTP/1.1\r\nhost: admin\r\n\r\n").as_bytes()).await?;
        let Some(head) = connection.head(Kind::Answer).await? else { return Err(Fault::CutOff { received: 0 }) };
        let mut body = Vec::new();
        let keep = |piece: Piece<'_>| {
            if let Piece::Data(data) = piece {
                body.extend_from_slice(data);
            }
        };
        connection.body(head.framing, keep).await?;
        Ok((head.status, String::from_utf8_lossy(&body).into_owned()))
    }
}

impl Drop for Envoy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A folder that goes when this does.
#[derive(Debug)]
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self, Fault> {
        let path = std::env::temp_dir().join(format!("tollgate-bench-{}-{}", process::id(), free_port()?));
        fs::create_dir_all(&path).map_err(|error| Fault::File { path: path.clone(), error })?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn spawn(setting: &Setting, file: &Path, folder: &Path) -> Result<Child, Fault> {
    let path = folder.join("envoy.log");
    let log = File::create(&path).map_err(|error| Fault::File { path: path.clone(), error })?;
    let copy = log.try_clone().map_err(|error| Fault::File { path, error })?;
    let mut command = Command::new(&setting.binary);
    command
        .args(["--disable-hot-restart", "--log-level", "error", "--concurrency", "1", "-c"])
        .arg(file)
        .current_dir(crate::root())
        .stdin(Stdio::null())
        .stdout(copy)
        .stderr(log);
    // A process starts where the thread that starts it may run, so a thread of its own says where that is.
    let core = setting.core;
    let started = thread::spawn(move || {
        core.map_or(Ok(()), pin)?;
        command.spawn().map_err(Fault::system("starting Envoy"))
    });
    started.join().unwrap_or_else(|_| Err(Fault::Option("the thread that starts Envoy failed".to_owned())))
}

fn clock(process: &Child) -> Result<ClockId, Fault> {
    let id = i32::try_from(process.id()).map_err(|error| Fault::Option(error.to_string()))?;
    clock_getcpuclockid(Pid::from_raw(id)).map_err(refused("the processor clock of Envoy"))
}

/// Keeps this thread, and what it starts from now on, on one core.
///
/// # Errors
/// There is no such core.
pub(crate) fn pin(core: usize) -> Result<(), Fault> {
    let mut set = CpuSet::new();
    set.set(core).map_err(refused("a core"))?;
    sched_setaffinity(Pid::from_raw(0), &set).map_err(refused("staying on a core"))
}

/// The cores that this process may run on.
pub(crate) fn cores() -> Vec<usize> {
    let set = sched_getaffinity(Pid::from_raw(0)).unwrap_or_default();
    (0..CpuSet::count()).filter(|core| set.is_set(*core).unwrap_or(false)).collect()
}

fn refused(what: &'static str) -> impl Fn(nix::Error) -> Fault {
    move |error| Fault::System { what, error: error.into() }
}

fn free_port() -> Result<u16, Fault> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(Fault::system("listening"))?;
    Ok(listener.local_addr().map_err(Fault::system("listening"))?.port())
}
