//! Programs that run beside the demo. Each writes to a log of its own, and is ended by its id when it goes out of
//! scope, whatever happened.

use super::stop;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long a program may take until it answers.
const START: Duration = Duration::from_secs(60);
/// How long a program may take to end after it was asked to.
const END: Duration = Duration::from_secs(8);
const STEP: Duration = Duration::from_millis(50);
/// Lines of a log that are shown when its program failed.
const LOG_LINES: usize = 15;

/// A running program.
pub(crate) struct Process {
    name: &'static str,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts a program that writes its output to `log`, and waits until `ready`.
    pub(crate) fn start(
        name: &'static str,
        command: &mut Command,
        log: &Path,
        ready: impl Fn() -> bool,
    ) -> Result<Self, String> {
        let begun = Instant::now();
        let file = |error| format!("{}: {error}", log.display());
        let output = File::create(log).map_err(file)?;
        let child =
            command.stdin(Stdio::null()).stdout(output.try_clone().map_err(file)?).stderr(output).spawn().map_err(
                |error| format!("{name} ({}) could not be started: {error}", command.get_program().display()),
            )?;
        let mut process = Self { name, child, log: log.to_owned() };
        while !ready() {
            process.check()?;
            stop::check()?;
            if begun.elapsed() > START {
                return Err(process.failed(&format!("did not answer within {} s", START.as_secs())));
            }
            sleep(STEP);
        }
        println!("  {name} is ready after {:.1} s", begun.elapsed().as_secs_f64());
        Ok(process)
    }

    /// Says so where the program has ended.
    pub(crate) fn check(&mut self) -> Result<(), String> {
        match self.child.try_wait() {
            Ok(None) => Ok(()),
            Ok(Some(status)) => Err(self.failed(&format!("ended by itself ({status})"))),
            Err(error) => Err(format!("{}: {error}", self.name)),
        }
    }

    fn failed(&self, what: &str) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        let end = lines.get(lines.len().saturating_sub(LOG_LINES)..).unwrap_or_default().join("\n    ");
        format!("{} {what}; the end of {}:\n    {end}", self.name, self.log.display())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Asked first, so that the program can finish what it holds.
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).stderr(Stdio::null()).status();
        let begun = Instant::now();
        while asked.as_ref().is_ok_and(ExitStatus::success) && begun.elapsed() < END {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            sleep(STEP);
        }
        if let Err(error) = self.child.kill().and_then(|()| self.child.wait()) {
            eprintln!("{} (process {}) could not be ended: {error}", self.name, self.child.id());
        }
    }
}
