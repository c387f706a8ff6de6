//! `outputs.store`, the embedded database of recent calls.

use super::log::{Log, Storage};
use super::outputs::{Outputs, Queue};
use super::section::Section;
use std::path::PathBuf;
use std::time::Duration;
use tollgate_store::{LEAST_BYTES, Options};

/// The name of the output in logs and counters.
pub(super) const NAME: &str = "store";

/// Recent spans and calls in a file, about which `/api` answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store {
    /// How much is held, and where.
    pub options: Options,
    /// What waits.
    pub queue: Queue,
    /// Whether nobody asked for it: it is there because nothing else is.
    pub implied: bool,
}

impl Store {
    /// Name for logs and counters.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        NAME
    }
}

/// What the configuration says of a store.
#[derive(Debug, Default)]
pub(super) enum AskedStore {
    /// Nothing.
    #[default]
    Nothing,
    /// That there is to be none.
    Off,
    /// That there is to be one; with an empty path it is where it always is.
    On(Store),
}

impl AskedStore {
    pub(super) fn read(mut section: Section<'_>) -> Self {
        let enabled = section.truth("enabled", true);
        let (mut options, day) = (Options::default(), Duration::from_secs(86_400));
        options.path = section.text("path").map(PathBuf::from).unwrap_or_default();
        options.max_bytes = section.size("max_bytes", options.max_bytes, LEAST_BYTES..=(1 << 40));
        options.max_age = section.duration("max_age", options.max_age, Duration::from_secs(60)..=366 * day);
        let content = options.max_content_bytes.min(options.max_bytes / 16);
        options.max_content_bytes = section.size("max_content_bytes", content, (1 << 10)..=(16 << 20));
        if options.max_content_bytes > options.max_bytes / 16 {
            section.problem("max_content_bytes", "is more than a sixteenth of max_bytes");
        }
        let queue = Queue::read(&mut section);
        section.finish();
        if enabled { Self::On(Store { options, queue, implied: false }) } else { Self::Off }
    }

    pub(super) const fn is_on(&self) -> bool {
        matches!(self, Self::On(_))
    }

    /// The store that there is. Without being asked for there is one where calls would be metered and go nowhere, there is
    /// somebody to ask about them, and the disk is used anyway. It is beside the log unless it is said where.
    pub(super) fn settle(self, outputs: &Outputs, log: &Log) -> Option<Store> {
        let usual = log.path.with_file_name(Options::default().path);
        match self {
            Self::Off => None,
            Self::On(mut store) => {
                if store.options.path.as_os_str().is_empty() {
                    store.options.path = usual;
                }
                Some(store)
            }
            Self::Nothing => {
                let others = outputs.otlp_grpc.len() + outputs.otlp_http.len() + outputs.json_lines.len();
                let is_wanted = others == 0 && outputs.prometheus.is_some() && log.storage == Storage::Disk;
                let options = Options { path: usual, ..Options::default() };
                is_wanted.then_some(Store { options, queue: Queue::DEFAULT, implied: true })
            }
        }
    }
}
