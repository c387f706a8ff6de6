//! A process under test, as the system sees it.

use crate::fault::Fault;
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::signal::{Signal, kill};
use nix::time::{ClockId, clock_getcpuclockid};
use nix::unistd::Pid;
use std::fs::{self, File, OpenOptions};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{self, Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::time::sleep;

/// Longest wait for a process to start or to end.
const PATIENCE: Duration = Duration::from_secs(60);
/// The ports to choose from.
const FIRST_PORT: u16 = 20_000;
const PORTS: u32 = 12_000;
/// Bytes of the end of a log that are shown.
const SHOWN: usize = 4000;

/// A running process; dropping it ends it.
#[derive(Debug)]
pub(crate) struct Process {
    name: &'static str,
    child: Child,
    clock: ClockId,
    log: PathBuf,
}

impl Process {
    /// Starts a process that writes to a log, on one core where one is given.
    ///
    /// # Errors
    /// It cannot be started.
    pub(crate) fn start(
        name: &'static str,
        mut command: Command,
        log: PathBuf,
        core: Option<usize>,
    ) -> Result<Self, Fault> {
        let opened = OpenOptions::new().create(true).append(true).open(&log);
        let file = opened.map_err(|error| Fault::File { path: log.clone(), error })?;
        let copy = file.try_clone().map_err(|error| Fault::File { path: log.clone(), error })?;
        command.stdin(Stdio::null()).stdout(copy).stderr(file);
        // A process starts where the thread that starts it may run, so a thread of its own says where that is.
        let started = thread::spawn(move || {
            core.map_or(Ok(()), pin)?;
            command.spawn().map_err(Fault::system("starting a process"))
        });
        let child = started.join().unwrap_or_else(|_| Err(Fault::Option("a thread failed".to_owned())))?;
        let clock = clock_getcpuclockid(pid(&child)).map_err(Fault::refused("the processor clock of a process"))?;
        Ok(Self { name, child, clock, log })
    }

    /// Waits until it listens on all of those ports.
    ///
    /// # Errors
    /// It ends before, or does not come to it.
    pub(crate) async fn ready(&mut self, ports: &[u16]) -> Result<(), Fault> {
        let start = Instant::now();
        for port in ports {
            while TcpStream::connect((Ipv4Addr::LOCALHOST, *port)).await.is_err() {
                if let Some(status) = self.ended() {
                    return Err(Fault::Ended { name: self.name, status: Some(status), log: self.said() });
                }
                if start.elapsed() > PATIENCE {
                    return Err(self.fault("does not become ready"));
                }
                sleep(Duration::from_millis(5)).await;
            }
        }
        Ok(())
    }

    /// How it ended, if it did.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Processor time until now, user and system.
    ///
    /// # Errors
    /// It has ended.
    pub(crate) fn cpu(&self) -> Result<Duration, Fault> {
        self.clock.now().map(Duration::from).map_err(|error| self.fault(&format!("has no processor time: {error}")))
    }

    /// Bytes of memory that it holds now (resident set); 0 where it has ended.
    pub(crate) fn resident(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).map_or(0, |kib| kib * 1024)
    }

    /// How long its threads could have run until now and waited for a core that was busy with something else.
    pub(crate) fn waited(&self) -> Duration {
        let threads = fs::read_dir(format!("/proc/{}/task", self.child.id())).into_iter().flatten().flatten();
        // Time on a core, time of waiting for one, and how often; nanoseconds. Kernels without it say 0.
        let waited = |text: String| text.split_whitespace().nth(1)?.parse::<u64>().ok();
        let each =
            threads.filter_map(|thread| fs::read_to_string(thread.path().join("schedstat")).ok().and_then(waited));
        Duration::from_nanos(each.sum())
    }

    /// Ends it without a word, as a crash does.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Asks it to end, and waits.
    pub(crate) async fn stop(mut self) {
        let _ = kill(pid(&self.child), Signal::SIGTERM);
        let start = Instant::now();
        while self.ended().is_none() && start.elapsed() < PATIENCE {
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// A fault of this process, with the end of its log.
    pub(crate) fn fault(&self, what: &str) -> Fault {
        Fault::Process { name: self.name, what: what.to_owned(), log: self.said() }
    }

    fn said(&self) -> String {
        let log = fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(log.get(log.len().saturating_sub(SHOWN)..).unwrap_or_default()).into_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

fn pid(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).unwrap_or(i32::MAX))
}

/// Processor time of this process until now.
pub(crate) fn own_cpu() -> Duration {
    ClockId::CLOCK_PROCESS_CPUTIME_ID.now().map(Duration::from).unwrap_or_default()
}

/// Keeps this thread, and what it starts from now on, on one core.
///
/// # Errors
/// There is no such core.
pub(crate) fn pin(core: usize) -> Result<(), Fault> {
    let mut set = CpuSet::new();
    set.set(core).map_err(Fault::refused("a core"))?;
    sched_setaffinity(Pid::from_raw(0), &set).map_err(Fault::refused("staying on a core"))
}

/// Keeps this thread on the last core, and gives the first one for the process under test, where there are two.
///
/// # Errors
/// The system refuses.
pub(crate) fn apart() -> Result<Option<usize>, Fault> {
    let set = sched_getaffinity(Pid::from_raw(0)).unwrap_or_default();
    let cores: Vec<_> = (0..CpuSet::count()).filter(|core| set.is_set(*core).unwrap_or(false)).collect();
    match cores.as_slice() {
        [first, .., last] => {
            pin(*last)?;
            Ok(Some(*first))
        }
        _ => Ok(None),
    }
}

/// A port on which nobody listens now. It is below those that the system gives to connections: who tries to connect to one of
/// these before anybody listens may be connected with itself.
///
/// # Errors
/// There is none.
pub(crate) fn free_port() -> Result<u16, Fault> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    for _ in 0..PORTS {
        // Programs that run at the same time begin at different places.
        let number = process::id().wrapping_mul(97).wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % PORTS;
        let port = FIRST_PORT + u16::try_from(number).unwrap_or(0);
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    Err(Fault::Option("no port is free".to_owned()))
}

/// A folder that goes when this does.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// A folder of its own in `parent`, else among temporary files.
    ///
    /// # Errors
    /// It cannot be made.
    pub(crate) fn new(parent: Option<&Path>) -> Result<Self, Fault> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let parent = parent.map_or_else(std::env::temp_dir, Path::to_path_buf);
        let path = parent.join(format!("tollgate-bench-host-{}-{number}", process::id()));
        fs::create_dir_all(&path).map_err(|error| Fault::File { path: path.clone(), error })?;
        Ok(Self(path))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Writes a file.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn write(&self, name: &str, text: &str) -> Result<PathBuf, Fault> {
        use std::io::Write;
        let path = self.path(name);
        let written = File::create(&path).and_then(|mut file| file.write_all(text.as_bytes()));
        written.map(|()| path.clone()).map_err(|error| Fault::File { path, error })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
