//! Dates.

use tollgate_otlp::iso8601;

/// The time `seconds` after `start`, which is in nanoseconds since 1970, as a date. `None` where the start is not said, or
/// the seconds are no length of time within a century.
pub(super) fn after(start: u64, seconds: f64) -> Option<String> {
    const CENTURY: f64 = 3_155_760_000.0;
    if start == 0 || !(0.0..CENTURY).contains(&seconds) {
        return None;
    }
    Some(iso8601(start.checked_add((seconds * 1e9).round() as u64)?))
}

#[cfg(test)]
mod tests {
    use super::after;

    #[test]
    fn what_is_no_time_has_no_date() {
        assert_eq!(after(1_790_000_000_000_000_000, 0.25).as_deref(), Some("2026-09-21T14:13:20.250000Z"));
        for seconds in [-0.1, f64::NAN, f64::INFINITY, 1e300] {
            assert_eq!(after(1, seconds), None, "{seconds}");
        }
        assert_eq!(after(0, 1.0), None);
        assert_eq!(after(u64::MAX, 1.0), None);
    }
}
