//! A disk that can lose power, fail and fill up.

#![allow(dead_code, reason = "each test uses some of it")]

mod simulated;

pub(crate) use simulated::{Crash, Fault, Simulated};

use std::time::Duration;
use tollgate_journal::{Config, Fsync};

/// Small segments, so that short histories have many.
pub(crate) fn config(fsync: Fsync) -> Config {
    Config { max_bytes: 4096, segment_bytes: 400, fsync, max_record_bytes: 300, ..Config::new("simulated") }
}

/// An interval at which nothing happens within a test.
pub(crate) const NEVER_COMES: Duration = Duration::from_secs(100_000);
