//! A process that writes is killed, again and again: what it was told is stored is there.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod support;

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Duration;
use support::{NOW, call, folder, request};
use tollgate_store::{Filter, Options, Store};

const PATH: &str = "TOLLGATE_STORE_CRASH_PATH";

/// Calls of one request.
const BATCH: u64 = 40;

/// The process that is killed: it stores calls, and says how many after each request. Run by the test below only.
#[test]
#[ignore = "is run by the other test, in a process of its own"]
fn child() {
    let Some(path) = std::env::var_os(PATH) else { return };
    let store = Store::open(Options { path: path.into(), max_bytes: 64 << 20, ..Options::default() }, NOW).unwrap();
    let mut next =
        store.calls(&Filter::default(), None, 1).unwrap().calls.first().map_or(0, |call| call.time - NOW + 1);
    loop {
        let spans: Vec<_> = (next..next + BATCH).map(|number| call(number, NOW + number)).collect();
        store.insert(NOW + next + BATCH, &request("shop", &spans)).unwrap();
        next += BATCH;
        // Past the harness, which would hold back what a test prints.
        writeln!(std::io::stderr(), "stored {next}").unwrap();
    }
}

#[test]
fn what_was_acknowledged_survives_the_end_of_the_process() {
    let (_folder, options) = folder(64 << 20);
    let mut acknowledged = 0;
    for round in 0..12 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["child", "--exact", "--ignored", "--nocapture"])
            .env(PATH, &options.path)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut said = |acknowledged: &mut u64| {
            let line = lines.next()?.ok()?;
            *acknowledged = line.strip_prefix("stored ")?.parse().ok()?;
            Some(())
        };
        // At least one request, and then at some moment of one.
        said(&mut acknowledged).expect("the child stores");
        std::thread::sleep(Duration::from_micros(900 * round * round));
        child.kill().unwrap();
        child.wait().unwrap();
        while said(&mut acknowledged).is_some() {}

        let store = Store::open(options.clone(), NOW).unwrap();
        assert_eq!(store.stats().damaged, 0);
        let found = store.live(&Filter::default()).unwrap().totals.calls;
        assert!(found >= acknowledged, "{found} of {acknowledged} calls");
        // A request of that size is one transaction: all of it is there, or nothing.
        assert_eq!(found % BATCH, 0);
        acknowledged = found;
    }
    let connection = rusqlite::Connection::open(&options.path).unwrap();
    let check: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
}
