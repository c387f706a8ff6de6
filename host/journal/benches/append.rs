//! What appending costs, beside a loop of std that writes and syncs a file, and beside the crate okaywal.
//!
//! `cargo bench -p tollgate-journal [-- FOLDER]`; the folder decides which disk is measured. All sides run in turns, and
//! the best of the rounds counts. The loop of std holds a lock from the write to the end of the fsync, as a log without
//! group commit does; its ratio is 1. okaywal syncs always.

#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use okaywal::{EntryId, LogManager, SegmentReader, WriteAheadLog};
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};
use tollgate_journal::{Config, Fsync, Journal};

const ROUNDS: usize = 3;
const SIZES: [(&str, usize); 3] = [("1 KB", 1 << 10), ("64 KB", 64 << 10), ("1 MB", 1 << 20)];
const APPENDERS: [usize; 3] = [1, 8, 64];
/// How long one side runs in one round.
const TIME: Duration = Duration::from_millis(400);
/// Most bytes that one side writes in one round, so that no disk is filled.
const BYTES: usize = 512 << 20;

/// A name, and what gives the appends a second in a folder.
type Side<'s> = (&'static str, &'s dyn Fn(&Path) -> f64);

fn main() {
    let folder = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let folder = folder.map_or_else(tempfile::tempdir, tempfile::tempdir_in).unwrap();
    let interval = Fsync::Interval(Duration::from_millis(100));
    for (name, size) in SIZES {
        for appenders in APPENDERS {
            println!("{name}, {appenders} at once: {:>24} {:>10} {:>7}", "appends/s", "MB/s", "ratio");
            let sides: [Side<'_>; 6] = [
                ("std, write and sync_data", &|path| std_loop(path, size, appenders, true)),
                ("okaywal", &|path| okaywal(path, size, appenders)),
                ("journal, always", &|path| journal(path, size, appenders, Fsync::Always)),
                ("journal, every 100 ms", &|path| journal(path, size, appenders, interval)),
                ("journal, never", &|path| journal(path, size, appenders, Fsync::Never)),
                ("std, write only", &|path| std_loop(path, size, appenders, false)),
            ];
            let mut best = [0.0_f64; 6];
            for _ in 0..ROUNDS {
                for ((_, run), best) in sides.iter().zip(&mut best) {
                    let side = tempfile::tempdir_in(folder.path()).unwrap();
                    *best = best.max(run(side.path()));
                }
            }
            for ((side, _), rate) in sides.iter().zip(best) {
                let peer = best.first().copied().unwrap_or_default();
                println!("  {side:<26} {rate:>18.0} {:>10.1} {:>6.1}x", rate * size as f64 / 1e6, rate / peer);
            }
        }
    }
}

/// Appends a second of so many threads that call this again and again.
fn rate(size: usize, appenders: usize, append: impl Fn() + Sync) -> f64 {
    let most = (BYTES / size / appenders).max(1);
    let start = Instant::now();
    let appended: usize = std::thread::scope(|scope| {
        let work = || (0..most).take_while(|_| start.elapsed() < TIME).map(|_| append()).count();
        let threads: Vec<_> = (0..appenders).map(|_| scope.spawn(work)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    appended as f64 / start.elapsed().as_secs_f64()
}

fn journal(path: &Path, size: usize, appenders: usize, fsync: Fsync) -> f64 {
    let config = Config { fsync, max_bytes: 8 << 30, ..Config::new(path) };
    let (journal, _) = Journal::open(config).unwrap();
    let payload = vec![0x5a; size];
    rate(size, appenders, || drop(journal.append(1, &[&payload]).unwrap()))
}

fn std_loop(path: &Path, size: usize, appenders: usize, sync: bool) -> f64 {
    let file = Mutex::new(File::create(path.join("log")).unwrap());
    let payload = vec![0x5a; size];
    rate(size, appenders, || {
        let mut file = file.lock().unwrap();
        file.write_all(&payload).unwrap();
        if sync {
            file.sync_data().unwrap();
        }
    })
}

fn okaywal(path: &Path, size: usize, appenders: usize) -> f64 {
    let log = WriteAheadLog::recover(path, Forget).unwrap();
    let payload = vec![0x5a; size];
    let rate = rate(size, appenders, || {
        let mut entry = log.begin_entry().unwrap();
        entry.write_chunk(&payload).unwrap();
        entry.commit().unwrap();
    });
    log.shutdown().unwrap();
    rate
}

/// Keeps nothing.
#[derive(Debug)]
struct Forget;

impl LogManager for Forget {
    fn recover(&mut self, _: &mut okaywal::Entry<'_>) -> std::io::Result<()> {
        Ok(())
    }

    fn checkpoint_to(&mut self, _: EntryId, _: &mut SegmentReader, _: &WriteAheadLog) -> std::io::Result<()> {
        Ok(())
    }
}
