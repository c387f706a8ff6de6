//! Ctrl-C and SIGTERM: noted here, looked at wherever the demo waits, so that all programs are ended in order.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::Duration;

static ASKED: AtomicBool = AtomicBool::new(false);

/// Takes over the two signals, for the rest of the process.
pub(crate) fn listen() -> Result<(), String> {
    ctrlc::set_handler(|| ASKED.store(true, Ordering::Relaxed)).map_err(|error| format!("signals: {error}"))
}

/// An error where the user has asked to stop.
pub(crate) fn check() -> Result<(), String> {
    if ASKED.load(Ordering::Relaxed) { Err("stopped, as asked".to_owned()) } else { Ok(()) }
}

/// Waits until the user asks to stop.
pub(crate) fn wait() {
    while check().is_ok() {
        sleep(Duration::from_millis(100));
    }
}
