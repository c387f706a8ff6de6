//! Which folder a row goes to.
//!
//! Names are escaped as Hive does it (`FileUtils.escapePathName`), which is what DuckDB and Spark undo.

use crate::item::Item;
use std::collections::HashMap;
use std::fmt::Write as _;
use tollgate_otlp::{Value, iso8601};
use tollgate_semconv::attribute::SERVICE_NAME;

/// The partition of rows without a date or a service; engines read it as NULL.
pub const UNKNOWN: &str = "__HIVE_DEFAULT_PARTITION__";
/// The service of rows whose own would be one partition too many, or is too long for the name of a folder.
pub const OTHER: &str = "__other__";
/// Most bytes of an escaped service; file systems have 255 for a name.
const MOST_NAME_BYTES: usize = 200;
/// Most days of one request; rows of further days go to the partition without a date. Days come from senders' clocks.
const MOST_DAYS: usize = 31;

const NANOS_A_DAY: u64 = 86_400 * 1_000_000_000;

/// Rows by the folder they go to, relative to the table.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Partition {
    pub(crate) folder: String,
    /// Numbers of the rows, by time.
    pub(crate) rows: Vec<usize>,
}

/// Partitions of rows, and how many rows are not in that of their own day and service. There are at most `most`, and one a
/// day beside these.
pub(crate) fn partitions<'r>(rows: impl Iterator<Item = Item<'r>>, most: usize) -> (Vec<Partition>, u64) {
    let mut by_place: HashMap<(u64, &'r str), Vec<(u64, usize)>> = HashMap::new();
    for (number, row) in rows.enumerate() {
        let time = row.time();
        let service = row.resource().get(SERVICE_NAME).and_then(Value::as_text).unwrap_or_default();
        by_place.entry((time / NANOS_A_DAY, service)).or_default().push((time, number));
    }
    let mut places: Vec<_> = by_place.into_iter().collect();
    // The largest first; of those of a size the first in order, so that the same rows always go to the same places.
    places.sort_by(|(a, rows_a), (b, rows_b)| rows_b.len().cmp(&rows_a.len()).then_with(|| a.cmp(b)));
    let (mut days, mut folded) = (Vec::new(), 0_u64);
    let mut folders: Vec<Partition> = Vec::new();
    let mut places_of: HashMap<String, usize> = HashMap::new();
    let mut times: Vec<Vec<(u64, usize)>> = Vec::new();
    for (number, ((day, service), rows)) in places.into_iter().enumerate() {
        let known_day = day == 0 || days.contains(&day) || days.len() < MOST_DAYS;
        if known_day && day != 0 && !days.contains(&day) {
            days.push(day);
        }
        let date = if day == 0 || !known_day { UNKNOWN.to_owned() } else { date(day) };
        let service = Some(escape(service)).filter(|name| number < most && name.len() <= MOST_NAME_BYTES);
        if !known_day || service.is_none() {
            folded = folded.saturating_add(u64::try_from(rows.len()).unwrap_or(u64::MAX));
        }
        let folder = format!("date={date}/service={}", service.as_deref().unwrap_or(OTHER));
        let place = *places_of.entry(folder.clone()).or_insert_with(|| {
            folders.push(Partition { folder, rows: Vec::new() });
            times.push(Vec::new());
            times.len() - 1
        });
        if let Some(all) = times.get_mut(place) {
            all.extend(rows);
        }
    }
    for (partition, mut rows) in folders.iter_mut().zip(times) {
        rows.sort_unstable();
        partition.rows = rows.into_iter().map(|(_, number)| number).collect();
    }
    (folders, folded)
}

fn date(day: u64) -> String {
    let mut text = iso8601(day.saturating_mul(NANOS_A_DAY));
    text.truncate("2026-09-21".len());
    text
}

/// The value of a partition as part of a path.
#[must_use]
pub fn escape(value: &str) -> String {
    if value.is_empty() {
        return UNKNOWN.to_owned();
    }
    let mut escaped = String::with_capacity(value.len());
    for c in value.chars() {
        let special = c.is_ascii_control() || "\"#%'*/:=?\\{[]^".contains(c);
        if special {
            let _ = write!(escaped, "%{:02X}", u32::from(c));
        } else {
            escaped.push(c);
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped_as_hive_does() {
        for (name, escaped) in [
            ("shop", "shop"),
            ("a/b", "a%2Fb"),
            ("..", ".."),
            ("100% = x", "100%25 %3D x"),
            ("a:b\\c\u{0}\n\u{7f}", "a%3Ab%5Cc%00%0A%7F"),
            ("größe", "größe"),
            ("", UNKNOWN),
        ] {
            assert_eq!(escape(name), escaped, "{name:?}");
        }
    }
}
