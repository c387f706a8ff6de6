//! Points at which a test ends the process, as a crash would.
//!
//! With the feature `failpoints`, `TOLLGATE_FAILPOINTS=journal.fsync.before=abort@17;journal.unlink.after=abort` aborts the
//! process at the 17th pass of the first point or the first pass of the second. Without the feature there is nothing.

/// Passes the point of this name.
#[cfg(not(feature = "failpoints"))]
#[inline(always)]
pub fn failpoint(_: &'static str) {}

#[cfg(feature = "failpoints")]
pub use armed::failpoint;

#[cfg(feature = "failpoints")]
mod armed {
    use std::collections::HashMap;
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// Passes that are left to each point of `TOLLGATE_FAILPOINTS`.
    static POINTS: LazyLock<HashMap<String, AtomicU64>> = LazyLock::new(|| {
        let text = std::env::var("TOLLGATE_FAILPOINTS").unwrap_or_default();
        text.split(';').filter(|point| !point.trim().is_empty()).map(parse).collect()
    });

    /// Passes the point of this name, and aborts the process when it is the pass that was asked for.
    pub fn failpoint(name: &'static str) {
        if let Some(left) = POINTS.get(name)
            && left.fetch_sub(1, Ordering::Relaxed) == 1
        {
            eprintln!("failpoint {name}: abort");
            std::process::abort();
        }
    }

    /// `name=abort` or `name=abort@pass`. Anything else ends the process: a test that crashes nothing would pass.
    fn parse(point: &str) -> (String, AtomicU64) {
        let parsed = point.trim().split_once('=').and_then(|(name, action)| match action.split_once('@') {
            None if action == "abort" => Some((name, 1)),
            Some(("abort", pass)) => pass.parse().ok().filter(|&pass| pass > 0).map(|pass| (name, pass)),
            _ => None,
        });
        let Some((name, pass)) = parsed else {
            eprintln!("TOLLGATE_FAILPOINTS: `{point}` is not name=abort or name=abort@pass");
            std::process::exit(2);
        };
        (name.to_owned(), AtomicU64::new(pass))
    }
}
