//! `parquet`: files that DuckDB, ClickHouse and Spark read.

use super::outputs::Queue;
use super::section::Section;
use super::stages::whole;
use std::path::PathBuf;
use std::time::Duration;
use tollgate_parquet::Compression;

/// A folder of Parquet files.
#[derive(Clone, Debug, PartialEq)]
pub struct Parquet {
    /// Name for logs and counters: the key.
    pub name: String,
    /// The folder.
    pub path: PathBuf,
    /// Bytes of OTLP that become files together.
    pub max_bytes: usize,
    /// Longest that something waits to be written.
    pub max_age: Duration,
    /// Most files that are written together, and one a day beside these.
    pub max_partitions: usize,
    /// Bytes of OTLP after which a row group ends.
    pub row_group_bytes: usize,
    /// Compression of pages.
    pub compression: Compression,
    /// What waits.
    pub queue: Queue,
}

impl Parquet {
    pub(super) fn read(name: &str, mut section: Section<'_>) -> Self {
        let path = section.required_text("path", "the folder to write to");
        let words = [("zstd", Compression::Zstd), ("snappy", Compression::Snappy), ("none", Compression::None)];
        let output = Self {
            name: name.to_owned(),
            path: PathBuf::from(path),
            max_bytes: whole(section.size("max_bytes", 32 << 20, (1 << 10)..=(1 << 30))),
            max_age: section.duration("max_age", Duration::from_secs(60), Duration::ZERO..=Duration::from_secs(86_400)),
            max_partitions: whole(section.integer("max_partitions", 100, 1..=10_000)),
            row_group_bytes: whole(section.size("row_group_bytes", 16 << 20, (1 << 10)..=(1 << 30))),
            compression: section.word("compression", Compression::Zstd, &words),
            queue: Queue::read(&mut section),
        };
        if u64::try_from(output.max_bytes).unwrap_or(u64::MAX) > output.queue.max_bytes / 2 {
            section.problem(
                "max_bytes",
                "is more than half of queue.max_bytes, at which what waits is written; make queue.max_bytes larger",
            );
        }
        section.finish();
        output
    }
}
