//! A process that aborts at each of the named points leaves everything that it acknowledged.
#![cfg(feature = "failpoints")]

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Command;
use tollgate_journal::{Config, Journal};

const FOLDER: &str = "TOLLGATE_JOURNAL_TEST_FOLDER";
const SIGABRT: i32 = 6;

fn config(folder: &Path) -> Config {
    Config { segment_bytes: 1000, ..Config::new(folder.join("journal")) }
}

#[test]
#[ignore = "runs as a child of the other test"]
fn child() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let folder = Path::new(&folder);
    let mut said = OpenOptions::new().create(true).append(true).open(folder.join("said")).unwrap();
    let (journal, _) = Journal::open(config(folder)).unwrap();
    let mut held = Vec::new();
    for number in 0..60_u8 {
        held.push((number, journal.append(1, &[&[number; 100]]).unwrap()));
        writeln!(said, "acknowledged {number}").unwrap();
        if number % 5 == 4 {
            for (number, _) in held.drain(..4) {
                writeln!(said, "done {number}").unwrap();
            }
            if number == 39 {
                held.drain(..).for_each(|(number, _)| writeln!(said, "done {number}").unwrap());
            }
            journal.flush();
        }
    }
}

#[test]
fn what_was_acknowledged_survives_an_abort_at_every_point() {
    let points = ["create", "write", "fsync", "unlink"];
    for point in points.iter().flat_map(|point| [format!("{point}.before"), format!("{point}.after")]) {
        for pass in [1, 2, 3, 7, 17, 18, 19, 40] {
            let folder = tempfile::tempdir().unwrap();
            let status = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "child", "--ignored"])
                .env(FOLDER, folder.path())
                .env("TOLLGATE_FAILPOINTS", format!("journal.{point}=abort@{pass}"))
                .output()
                .unwrap()
                .status;
            let what = format!("{point} at {pass}");
            let few = point.starts_with("create") || point.starts_with("unlink");
            assert!(few && pass > 3 || status.signal() == Some(SIGABRT), "{what}: {status}");
            let said = std::fs::read_to_string(folder.path().join("said")).unwrap();
            let numbers = |verb: &str| -> BTreeSet<u8> {
                said.lines().filter_map(|line| line.strip_prefix(verb)?.trim().parse().ok()).collect()
            };
            let (acknowledged, done) = (numbers("acknowledged"), numbers("done"));
            // The last may have been done when the process ended, and not said so.
            let (_journal, recovery) = Journal::open(config(folder.path())).unwrap();
            let recovered: Vec<_> = recovery.map(|record| record.payload).collect();
            assert!(recovered.iter().all(|payload| *payload == [payload[0]; 100]), "{what}");
            let recovered: BTreeSet<u8> = recovered.iter().map(|payload| payload[0]).collect();
            let missing: Vec<_> = acknowledged.difference(&done).filter(|owed| !recovered.contains(owed)).collect();
            let unsaid = if status.success() { 60 } else { 1 };
            assert!(missing.len() <= unsaid, "{what}: {missing:?}");
        }
    }
}
