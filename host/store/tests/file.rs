//! The file: damaged, of others, of other versions, in use.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod support;

use rusqlite::Connection;
use std::fs;
use std::io::{Seek, SeekFrom, Write};
use support::{NOW, call, folder, ids, request};
use tollgate_store::{Filter, Store, StoreError};

/// A store with two thousand calls, closed.
fn filled() -> (tempfile::TempDir, tollgate_store::Options) {
    let (folder, options) = folder(16 << 20);
    let store = Store::open(options.clone(), NOW).unwrap();
    for batch in 0..4 {
        let spans: Vec<_> = (batch * 500..batch * 500 + 500).map(|number| call(number, NOW)).collect();
        store.insert(NOW, &request("shop", &spans)).unwrap();
    }
    drop(store);
    (folder, options)
}

fn overwrite(path: &std::path::Path, at: u64, bytes: &[u8]) {
    let mut file = fs::File::options().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(bytes).unwrap();
}

#[test]
fn a_file_that_is_damaged_at_the_start_is_set_aside_and_one_begun() {
    for damage in ["header", "schema", "cut", "text"] {
        let (_folder, options) = filled();
        match damage {
            "header" => overwrite(&options.path, 0, &[0x55; 100]),
            "schema" => overwrite(&options.path, 100, &[0x55; 3_000]),
            "cut" => fs::File::options().write(true).open(&options.path).unwrap().set_len(5_000).unwrap(),
            _ => fs::write(&options.path, "this is no database\n".repeat(100)).unwrap(),
        }
        let damaged = fs::read(&options.path).unwrap();
        let store = Store::open(options.clone(), NOW).unwrap();
        assert_eq!(store.stats().damaged, 1, "{damage}");
        assert_eq!(store.insert(NOW, &request("shop", [&call(1, NOW)])).unwrap().stored, 1);
        assert_eq!(store.calls(&Filter::default(), None, 10).unwrap().calls.len(), 1);
        let aside = options.path.with_extension("db.damaged");
        assert_eq!(fs::read(aside).unwrap(), damaged, "{damage}: what was set aside is as it was");
    }
}

#[test]
fn a_file_that_is_damaged_later_is_set_aside_at_the_next_insert() {
    let (_folder, options) = filled();
    let size = fs::metadata(&options.path).unwrap().len();
    let store = Store::open(options.clone(), NOW).unwrap();
    for at in (8 * 4_096..size - 4_096).step_by(4_096) {
        overwrite(&options.path, at, &[0x55; 4_096]);
    }
    let mut seen = false;
    for number in 10_000..14_000 {
        // Questions fail until the writer has seen to it; the insert itself does not.
        seen |= matches!(store.calls(&Filter::default(), None, 1_000), Err(StoreError::Damaged(_)));
        let inserted = store.insert(NOW, &request("shop", [&call(number, NOW)])).unwrap();
        assert_eq!(inserted.stored, 1);
        if store.stats().damaged > 0 {
            break;
        }
    }
    assert!(seen && store.stats().damaged == 1);
    assert_eq!(store.calls(&Filter::default(), None, 1_000).unwrap().calls.len(), 1);
    assert!(options.path.with_extension("db.damaged").exists());
}

#[test]
fn there_is_one_file_set_aside_at_most() {
    let (folder, options) = folder(16 << 20);
    for _ in 0..3 {
        fs::write(&options.path, "no database").unwrap();
        Store::open(options.clone(), NOW).unwrap();
    }
    let mut names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["calls.db", "calls.db.damaged", "calls.db.lock"]);
}

#[test]
fn a_database_of_another_program_is_left_alone() {
    let (_folder, options) = folder(16 << 20);
    let other = Connection::open(&options.path).unwrap();
    other.execute_batch("CREATE TABLE mine (id INTEGER); INSERT INTO mine VALUES (7)").unwrap();
    let error = Store::open(options.clone(), NOW).unwrap_err();
    assert!(matches!(error, StoreError::Foreign { .. }), "{error}");
    assert!(
        error.to_string().ends_with("is a database of another program (application id 0); give the store another path")
    );
    let kept: i64 = other.query_row("SELECT id FROM mine", [], |row| row.get(0)).unwrap();
    assert_eq!(kept, 7);
}

#[test]
fn a_newer_version_is_refused_in_plain_words_and_left_alone() {
    let (_folder, options) = filled();
    Connection::open(&options.path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let error = Store::open(options.clone(), NOW).unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 99, .. }), "{error}");
    assert!(
        error.to_string().contains("has schema version 99, and this program knows versions up to 1; run the newer")
    );
    Connection::open(&options.path).unwrap().pragma_update(None, "user_version", 1).unwrap();
    let store = Store::open(options, NOW).unwrap();
    assert_eq!(store.trace(ids(7, 7).0).unwrap().unwrap().spans, 1);
}

#[test]
fn one_process_at_a_time_uses_it() {
    let (_folder, options) = folder(16 << 20);
    let store = Store::open(options.clone(), NOW).unwrap();
    let error = Store::open(options.clone(), NOW).unwrap_err();
    assert!(matches!(error, StoreError::InUse { .. }), "{error}");
    drop(store);
    Store::open(options, NOW).unwrap();
}

#[test]
fn a_folder_that_cannot_be_made_is_said() {
    let (_folder, options) = folder(16 << 20);
    fs::write(&options.path, "").unwrap();
    let path = options.path.join("calls.db");
    let error = Store::open(tollgate_store::Options { path, ..options }, NOW).unwrap_err();
    assert!(matches!(error, StoreError::Disk { .. }), "{error}");
}
