//! The thread of [`crate::Fsync::Interval`].

use crate::shared::Shared;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Ends the thread when dropped.
#[derive(Default)]
pub(crate) struct Interval {
    alive: Mutex<Option<Sender<()>>>,
}

/// Starts the thread. It ends with the journal.
pub(crate) fn start(shared: &Arc<Shared>, every: Duration) -> std::io::Result<()> {
    let (alive, ended) = channel();
    *crate::sync::lock(&shared.interval.alive) = Some(alive);
    let shared = Arc::downgrade(shared);
    let work = move || {
        while ended.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
            let Some(shared) = shared.upgrade() else { return };
            // A failure is counted, and closes the segment.
            let _ = shared.commit.sync(&shared);
            if !shared.frozen() {
                shared.flush();
            }
        }
    };
    std::thread::Builder::new().name("journal-fsync".to_owned()).spawn(work).map(drop)
}
