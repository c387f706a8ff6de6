//! Times of OTLP as dates.

/// A time in nanoseconds since 1970 as a date of ISO 8601 in UTC, with microseconds: `2026-09-21T14:13:20.250000Z`.
#[must_use]
pub fn iso8601(nanos: u64) -> String {
    let (seconds, micros) = (nanos / 1_000_000_000, nanos / 1_000 % 1_000_000);
    let (year, month, day) = date(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
}

/// Year, month and day of a day counted from 1 January 1970. Years are counted from March, so that the day that leap years
/// add is the last, and in cycles of 400 years, which are all of one length.
fn date(days: u64) -> (u64, u64, u64) {
    let from_march = days + 719_468;
    let (cycle, day) = (from_march / 146_097, from_march % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (year, month) = (cycle * 400 + year, if month < 10 { month + 3 } else { month - 9 });
    (if month <= 2 { year + 1 } else { year }, month, day)
}

#[cfg(test)]
mod tests {
    use super::iso8601;

    #[test]
    fn dates_are_those_of_the_calendar() {
        // Seconds by `date -u +%s -d ...`.
        for (seconds, date) in [
            (0, "1970-01-01T00:00:00"),
            (951_782_400, "2000-02-29T00:00:00"),
            (951_868_799, "2000-02-29T23:59:59"),
            (1_709_164_800, "2024-02-29T00:00:00"),
            (1_735_689_599, "2024-12-31T23:59:59"),
            (1_790_000_000, "2026-09-21T14:13:20"),
            (4_107_542_400, "2100-03-01T00:00:00"),
        ] {
            assert_eq!(iso8601(seconds * 1_000_000_000), format!("{date}.000000Z"));
        }
        assert_eq!(iso8601(1_790_000_000_250_000_999), "2026-09-21T14:13:20.250000Z");
        assert!(iso8601(u64::MAX).starts_with("2554-"));
    }
}
