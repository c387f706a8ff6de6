//! Moments as RFC 3339 writes them.

/// Nanoseconds since 1970 of a moment such as `2026-10-14T10:30:00.5+02:00`; digits after the ninth are cut off.
/// `None` where the text is not such a moment, or is one that a 64-bit number cannot hold.
#[must_use]
pub fn nanoseconds(text: &str) -> Option<i64> {
    let (date, rest) = text.split_at_checked(10)?;
    let (mark, rest) = rest.split_at_checked(1)?;
    let (clock, rest) = rest.split_at_checked(8)?;
    if !matches!(mark, "T" | "t" | " ") {
        return None;
    }
    let [year, month, day] = numbers(date, '-')?;
    let [hour, minute, second] = numbers(clock, ':')?;
    let in_range = (1..=12).contains(&month) && (1..=days_of(year, month)).contains(&day);
    // 60 is the leap second.
    if !in_range || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let (fraction, zone) = fraction(rest)?;
    let seconds = days_since_1970(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - offset(zone)?;
    seconds.checked_mul(1_000_000_000)?.checked_add(fraction)
}

/// Nanoseconds of a length of time: whole numbers with the units `ms`, `s`, `m`, `h` or `d`, as `1m30s`.
#[must_use]
pub fn length(text: &str) -> Option<u64> {
    let (mut rest, mut total) = (text, 0_u64);
    while !rest.is_empty() {
        let (number, after) = rest.split_at_checked(rest.find(|c: char| !c.is_ascii_digit())?)?;
        let (unit, after) =
            after.split_at_checked(after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len()))?;
        let nanos: u64 = match unit {
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            "d" => 86_400_000_000_000,
            _ => return None,
        };
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(nanos)?)?;
        rest = after;
    }
    (!text.is_empty()).then_some(total)
}

/// Three numbers of two digits (the first of four in a date) between separators.
fn numbers(text: &str, separator: char) -> Option<[i64; 3]> {
    let mut parts = text.split(separator);
    let mut next = || {
        let part = parts.next()?;
        part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok())?
    };
    let numbers = [next()?, next()?, next()?];
    parts.next().is_none().then_some(numbers)
}

/// The nanoseconds after the point, and what follows them.
fn fraction(text: &str) -> Option<(i64, &str)> {
    let Some(text) = text.strip_prefix('.') else { return Some((0, text)) };
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, zone) = text.split_at_checked(end)?;
    let nine: String = digits.chars().chain("000000000".chars()).take(9).collect();
    if digits.is_empty() { None } else { Some((nine.parse().ok()?, zone)) }
}

/// Seconds that the zone is ahead of UTC.
fn offset(zone: &str) -> Option<i64> {
    if matches!(zone, "Z" | "z") {
        return Some(0);
    }
    let (sign, clock) = zone.split_at_checked(1)?;
    let (hour, minute) = clock.split_once(':')?;
    let whole = |text: &str| -> Option<i64> {
        (text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
    };
    let (hour, minute) = (whole(hour)?, whole(minute)?);
    if hour > 23 || minute > 59 {
        return None;
    }
    match sign {
        "+" => Some(hour * 3_600 + minute * 60),
        "-" => Some(-(hour * 3_600 + minute * 60)),
        _ => None,
    }
}

fn days_of(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// A moment, nanoseconds since 1970, as RFC 3339 writes it in UTC; the fraction only where there is one.
#[must_use]
pub fn text(nanoseconds: u64) -> String {
    let (seconds, fraction) = (nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000);
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // The calendar repeats after 146,097 days, 400 years; years begin in March, so that the leap day comes last.
    let (cycle, day) = ((days + 719_468) / 146_097, (days + 719_468) % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = cycle * 400 + year + next;
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    let fraction = if fraction == 0 { String::new() } else { format!(".{fraction:09}") };
    let fraction = fraction.trim_end_matches('0');
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z")
}

/// Days of the Gregorian calendar, counted in years that begin in March, so that the leap day comes last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month = (month + 9) % 12;
    let before = year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    before + (month * 153 + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::{length, nanoseconds, text};

    #[test]
    fn lengths_are_numbers_with_units() {
        for (text, nanos) in [
            ("200ms", Some(200_000_000)),
            ("1m30s", Some(90_000_000_000)),
            ("2d1h", Some(176_400_000_000_000)),
            ("0s", Some(0)),
            ("", None),
            ("5", None),
            ("s", None),
            ("-1s", None),
            ("1w", None),
            ("1h 2s", None),
            ("99999999999999999999s", None),
            ("999999999d", None),
        ] {
            assert_eq!(length(text), nanos, "{text:?}");
        }
    }

    #[test]
    fn moments_are_read_with_fraction_and_zone() {
        for (text, nanos) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("1969-12-31T23:59:59Z", Some(-1_000_000_000)),
            ("2000-02-29T00:00:00Z", Some(951_782_400_000_000_000)),
            ("2026-10-14T08:30:00Z", Some(1_791_966_600_000_000_000)),
            ("2026-10-14T10:30:00.5+02:00", Some(1_791_966_600_500_000_000)),
            ("2026-10-14t03:00:00.123456789123-05:30", Some(1_791_966_600_123_456_789)),
            ("2026-10-14 08:30:00z", Some(1_791_966_600_000_000_000)),
            ("2016-12-31T23:59:60Z", Some(1_483_228_800_000_000_000)),
            ("2026-02-29T00:00:00Z", None),
            ("2026-13-01T00:00:00Z", None),
            ("2026-10-14T24:00:00Z", None),
            ("2026-10-14T08:30:00", None),
            ("2026-10-14T08:30:00.Z", None),
            ("2026-10-14T08:30:00+2:00", None),
            ("2026-10-14", None),
            ("yesterday", None),
            ("9999-12-31T23:59:59Z", None),
            ("é026-10-14T08:30:00Z", None),
        ] {
            assert_eq!(nanoseconds(text), nanos, "{text}");
        }
    }

    #[test]
    fn moments_are_written_as_they_are_read() {
        for (nanos, written) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400_000_000_000, "2000-02-29T00:00:00Z"),
            (1_791_966_600_500_000_000, "2026-10-14T08:30:00.5Z"),
            (1_791_966_600_000_000_001, "2026-10-14T08:30:00.000000001Z"),
            (u64::MAX, "2554-07-21T23:34:33.709551615Z"),
        ] {
            assert_eq!(text(nanos), written);
        }
        // Every day until 2200, at a time of its own.
        for day in 0..84_000_u64 {
            let nanos = day * 86_400_000_000_000 + day * 1_000_000_007 % 86_400_000_000_000;
            assert_eq!(nanoseconds(&text(nanos)), i64::try_from(nanos).ok(), "{}", text(nanos));
        }
    }
}
