//! Days that exist, as identifiers carry them.

/// Whether there is such a day.
pub(in super::super) fn exists(year: u32, month: u32, day: u32) -> bool {
    (1..=days_of(year, month)).contains(&day)
}

/// Whether there is such a day in a year of which the last two digits are known: 29 February counts where the year
/// may be a leap year in some century.
pub(in super::super) fn exists_in_short_year(year: u32, month: u32, day: u32) -> bool {
    exists(if year == 0 { 2000 } else { 1900 + year }, month, day)
}

/// Days of a month; 0 for a month that does not exist.
fn days_of(year: u32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        1..=12 => 31,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn february_has_its_leap_days() {
        for (year, days) in [(1999, 28), (2000, 29), (1900, 28), (2024, 29)] {
            assert_eq!(days_of(year, 2), days);
        }
        assert!(exists_in_short_year(0, 2, 29) && !exists_in_short_year(99, 2, 29));
        assert!(!exists(2000, 13, 1) && !exists(2000, 0, 1) && !exists(2000, 4, 31) && !exists(2000, 4, 0));
    }
}
