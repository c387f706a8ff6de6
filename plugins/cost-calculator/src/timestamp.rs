//! RFC 3339 moments.

use crate::data::document::parse_day;

/// Seconds since 1970 of a moment such as `2026-10-14T08:30:00Z` or `2026-10-14T10:30:00.5+02:00`; fractions are cut
/// off. `None` where the text is not RFC 3339.
pub(crate) fn parse(text: &str) -> Option<i64> {
    let (day, rest) = text.split_at_checked(10)?;
    let days = i64::from(parse_day(day)?);
    let (mark, rest) = rest.split_at_checked(1)?;
    let (clock, rest) = rest.split_at_checked(8)?;
    let seconds = match (mark, clock.as_bytes()) {
        ("T" | "t" | " ", [h1, h2, b':', m1, m2, b':', s1, s2]) => {
            // 60 is the leap second.
            two(*h1, *h2, 23)? * 3_600 + two(*m1, *m2, 59)? * 60 + two(*s1, *s2, 60)?
        }
        _ => return None,
    };
    let zone = match rest.strip_prefix('.') {
        None => rest,
        Some(fraction) => {
            let zone = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
            (zone.len() < fraction.len()).then_some(zone)?
        }
    };
    let east = match zone.as_bytes() {
        [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let offset = two(*h1, *h2, 23)? * 3_600 + two(*m1, *m2, 59)? * 60;
            if *sign == b'+' { offset } else { -offset }
        }
        _ => return None,
    };
    Some(days * 86_400 + seconds - east)
}

fn two(tens: u8, ones: u8, most: i64) -> Option<i64> {
    let digit = |byte: u8| byte.is_ascii_digit().then(|| i64::from(byte - b'0'));
    Some(digit(tens)? * 10 + digit(ones)?).filter(|&number| number <= most)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn moments_are_read_with_their_zone() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2026-10-14T08:30:00Z", Some(1_791_966_600)),
            ("2026-10-14T10:30:00.999+02:00", Some(1_791_966_600)),
            ("2026-10-14t03:00:00-05:30", Some(1_791_966_600)),
            ("1969-12-31T23:59:59Z", Some(-1)),
            ("2026-10-14", None),
            ("2026-10-14T08:30:00", None),
            ("2026-10-14T08:30Z", None),
            ("2026-10-14T24:00:00Z", None),
            ("2026-02-30T00:00:00Z", None),
            ("2026-10-14T08:30:00.Z", None),
            ("2026-10-14T08:30:00+2:00", None),
            ("2026-10-14T08:30:00Zé", None),
            ("é026-10-14T08:30:00Z", None),
        ] {
            assert_eq!(parse(text), seconds, "{text}");
        }
    }
}
