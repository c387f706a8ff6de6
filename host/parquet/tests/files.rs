//! What readers see while files are written, when that fails, and at the limits.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use tollgate_otlp::{Envelope, RequestWriter, SpanWriter};
use tollgate_parquet::{Options, Rows, Store, WriteError};

const START: u64 = 1_790_000_000_000_000_000;
const DAY: u64 = 86_400_000_000_000;

/// A request with `count` spans of each service on each day.
fn request(services: &[String], days: u64, count: usize) -> Vec<u8> {
    let mut writer = RequestWriter::new();
    for service in services {
        let envelope = Envelope::new(&[("service.name", service.as_str().into())], "", "");
        for day in 0..days {
            for number in 0..count {
                let mut span = SpanWriter::new([1; 16], [2; 8], &format!("span {number}"));
                span.times(START + day * DAY, START + day * DAY + 1);
                writer.push(&envelope, span.bytes());
            }
        }
    }
    writer.finish()
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("s{number:03}")).collect()
}

fn parquet_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(parquet_files(&path));
        } else if path.extension().is_some_and(|end| end == "parquet") {
            found.push(path);
        }
    }
    found
}

#[test]
fn partitions_beyond_the_limit_go_to_one_a_day_and_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(Options { max_partitions: 4, ..Options::new(folder.path()) }).unwrap();
    let mut services = names(10);
    services.push("x".repeat(300));
    // One service has more rows than the others, so it keeps its folder.
    let mut bytes = request(&services, 2, 1);
    bytes.extend(request(&["s007".to_owned()], 2, 5));
    let written = store.write(Rows::Spans, &bytes).unwrap();
    assert_eq!((written.rows, written.files, written.folded), (32, 6, 22 - 4));
    for day in ["2026-09-21", "2026-09-22"] {
        for service in ["s007", "__other__"] {
            assert!(folder.path().join(format!("traces/date={day}/service={service}")).is_dir(), "{day} {service}");
        }
    }
}

#[test]
fn a_name_too_long_for_a_folder_is_with_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(Options::new(folder.path())).unwrap();
    let written = store.write(Rows::Spans, &request(&["/".repeat(67), "/".repeat(66)], 1, 1)).unwrap();
    assert_eq!((written.files, written.folded), (2, 1));
}

#[test]
fn days_beyond_the_limit_are_without_a_date() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(Options::new(folder.path())).unwrap();
    let written = store.write(Rows::Spans, &request(&names(1), 40, 1)).unwrap();
    assert_eq!((written.rows, written.files, written.folded), (40, 32, 9));
    assert!(folder.path().join("traces/date=__HIVE_DEFAULT_PARTITION__/service=s000").is_dir());
}

#[test]
fn a_reader_sees_whole_files_only() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(Options::new(folder.path())).unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut seen = 0;
            while !done.load(Ordering::Acquire) {
                for path in parquet_files(folder.path()) {
                    let bytes = fs::read(&path).unwrap();
                    assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"), "{}", path.display());
                    seen += 1;
                }
            }
            seen
        });
        for number in 0..30 {
            store.write(Rows::Spans, &request(&names(3), 1, 200 + number)).unwrap();
        }
        done.store(true, Ordering::Release);
        assert!(reader.join().unwrap() > 0);
    });
    assert_eq!(parquet_files(folder.path()).len(), 90);
    assert_eq!(fs::read_dir(folder.path().join("_temporary")).unwrap().count(), 0);
}

#[test]
fn where_a_folder_cannot_be_made_it_is_for_later_and_nothing_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(Options::new(folder.path())).unwrap();
    let blocked = folder.path().join("traces");
    fs::write(&blocked, "a file in the place of a folder").unwrap();
    let bytes = request(&names(2), 1, 1);
    assert!(matches!(store.write(Rows::Spans, &bytes), Err(WriteError::Io { .. })));
    assert_eq!(fs::read_dir(folder.path().join("_temporary")).unwrap().count(), 0);
    fs::remove_file(&blocked).unwrap();
    assert_eq!(store.write(Rows::Spans, &bytes).unwrap().files, 2);
}

#[test]
fn what_a_crash_left_is_removed_when_it_is_old() {
    let folder = tempfile::tempdir().unwrap();
    let temporary = folder.path().join("_temporary");
    fs::create_dir_all(&temporary).unwrap();
    for (name, age) in [("old.tmp", 7_200), ("young.tmp", 10)] {
        let file = fs::File::create(temporary.join(name)).unwrap();
        file.set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(age)).unwrap();
    }
    Store::open(Options::new(folder.path())).unwrap();
    let left: Vec<_> = fs::read_dir(&temporary).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["young.tmp"]);
}

#[test]
fn what_is_no_request_is_refused_and_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(Options::new(folder.path())).unwrap();
    assert!(matches!(store.write(Rows::Spans, b"\xff"), Err(WriteError::Request(_))));
    assert!(parquet_files(folder.path()).is_empty());
}
