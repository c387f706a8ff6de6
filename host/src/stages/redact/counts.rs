//! How often something was found: by type and place for metrics, by item for its attributes. Never what.

use crate::metrics::Metrics;
use std::collections::BTreeMap;
use tollgate_columns::{Attribute, Batch, Edits, Kind};
use tollgate_otlp::{Owner, Place, TextSet};
use tollgate_semconv::attribute::{
    TOLLGATE_REDACTION_COUNT, TOLLGATE_REDACTION_PREFIX, TOLLGATE_REDACTION_SHARED_COUNT,
};

/// The type of what was replaced because nobody could look at it.
pub(super) const UNSCANNED: &str = "UNSCANNED";

/// The attributes that have the counts.
#[derive(Debug)]
pub(super) struct Attributes {
    /// All findings of an item, then those of what it shares with others, then one attribute a type, ascending.
    pub(super) writes: Vec<Attribute>,
}

/// Numbers of the first two.
const COUNT: u16 = 0;
const SHARED: u16 = 1;

impl Attributes {
    /// Attributes for these types.
    pub(super) fn of<'t>(types: impl Iterator<Item = &'t String>) -> Self {
        let mut names: Vec<String> = types.map(String::as_str).chain([UNSCANNED]).map(name).collect();
        names.sort_unstable();
        names.dedup();
        names.splice(0..0, [TOLLGATE_REDACTION_COUNT.to_owned(), TOLLGATE_REDACTION_SHARED_COUNT.to_owned()]);
        Self { writes: names.iter().map(|name| Attribute::new(name, Kind::Integer)).collect() }
    }

    fn number(&self, kind: &str) -> Option<u16> {
        let types = self.writes.get(2..).unwrap_or_default();
        let at = types.binary_search_by(|write| write.name.as_str().cmp(&name(kind))).ok()?;
        u16::try_from(at + 2).ok()
    }
}

fn name(kind: &str) -> String {
    format!("{TOLLGATE_REDACTION_PREFIX}{kind}")
}

/// Findings of all redactors in one request.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// By item and attribute.
    items: BTreeMap<(u32, u16), i64>,
    /// Findings that items share, as changes from one item to the next.
    shared: BTreeMap<u32, i64>,
    /// Whether any item brings counts along.
    on_top: bool,
}

impl Counts {
    /// Adds findings, each the row of a text and a type. One in a text that stands in several fields counts in each.
    pub(super) fn add(&mut self, found: &[(u32, String)], texts: &TextSet, attributes: &Attributes, metrics: &Metrics) {
        if found.is_empty() {
            return;
        }
        let mut keys = texts.texts().iter().filter(|(row, _)| texts.is_name(*row));
        self.on_top |= keys.any(|(_, key)| key.starts_with(TOLLGATE_REDACTION_PREFIX));
        let mut of_row: BTreeMap<u32, BTreeMap<&str, u32>> = BTreeMap::new();
        for (row, kind) in found {
            *of_row.entry(*row).or_default().entry(kind).or_default() += 1;
        }
        let mut of_place: BTreeMap<(&str, Option<Place>), u64> = BTreeMap::new();
        for (row, owner) in texts.owners() {
            for (&kind, &count) in of_row.get(&row).into_iter().flatten() {
                *of_place.entry((kind, texts.place(row))).or_default() += u64::from(count);
                match owner {
                    Owner::Item(item) => {
                        let numbers = [Some(COUNT), attributes.number(kind)];
                        for number in numbers.into_iter().flatten() {
                            *self.items.entry((item, number)).or_default() += i64::from(count);
                        }
                    }
                    Owner::Shared { first, end } if first < end => {
                        *self.shared.entry(first).or_default() += i64::from(count);
                        *self.shared.entry(end).or_default() -= i64::from(count);
                    }
                    _ => {}
                }
            }
        }
        for ((kind, place), count) in of_place {
            let place = place.map_or("", Place::name).to_owned();
            metrics.redactions.with(vec![("type", kind.to_owned()), ("place", place)]).inc_by(count);
        }
    }

    /// Whether nothing was found.
    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty() && self.shared.is_empty()
    }

    /// Whether items may bring counts along that these come on top of.
    pub(super) fn come_on_top(&self) -> bool {
        self.on_top
    }

    /// The counts as edits, on top of what the items bring along.
    pub(super) fn edits(&self, before: &Batch, items: usize) -> Batch {
        let items = u32::try_from(items).unwrap_or(u32::MAX);
        let mut edits = Edits::new(items);
        let rows: Vec<_> = before.rows().collect();
        let mut set = |item: u32, number, count: i64| {
            let row = usize::try_from(item).ok().and_then(|item| rows.get(item));
            let known = row.and_then(|row| row.integer(number)).unwrap_or(0).max(0);
            edits.integer(item, number, count.saturating_add(known));
        };
        for (&(item, number), &count) in &self.items {
            set(item, number, count);
        }
        let mut shared = 0;
        let mut changes = self.shared.iter().peekable();
        while let Some((&first, change)) = changes.next() {
            shared += change;
            let end = changes.peek().map_or(items, |&(&next, _)| next);
            for item in (first..end).take_while(|_| shared > 0) {
                set(item, SHARED, shared);
            }
        }
        edits.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tollgate_otlp::{Envelope, Limits, RequestWriter, SpanWriter, TraceRequest};

    #[test]
    fn findings_count_where_they_are() {
        let mut writer = RequestWriter::new();
        let (one, two) = (Envelope::new(&[("r", "shared".into())], "s", ""), Envelope::default());
        for (envelope, id) in [(&one, 1), (&one, 2), (&two, 3)] {
            let mut span = SpanWriter::new([id; 16], [id; 8], "name");
            span.set("k", "v");
            writer.push(envelope, span.bytes());
        }
        let bytes = writer.finish();
        let texts = TraceRequest::scan(&bytes, &Limits::default()).unwrap().texts();
        let row = |wanted: &str| texts.texts().iter().find(|(_, text)| *text == wanted).unwrap().0;
        let attributes = Attributes::of([&"B".to_owned(), &"A".to_owned()].into_iter());
        let names: Vec<&str> = attributes.writes.iter().map(|write| write.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "tollgate.redaction.count",
                "tollgate.redaction.shared.count",
                "tollgate.redaction.A",
                "tollgate.redaction.B",
                "tollgate.redaction.UNSCANNED"
            ]
        );
        let metrics = Metrics::new(100);
        let mut counts = Counts::default();
        assert!(counts.is_empty());
        // The key stands in every span, the name of the first span is a text of its own.
        let found = [(row("shared"), "A"), (row("s"), "B"), (row("s"), "B"), (row("k"), "A"), (row("name"), "B")];
        let found = found.map(|(row, kind)| (row, kind.to_owned()));
        counts.add(&found, &texts, &attributes, &metrics);
        let page = metrics.page();
        for line in [
            r#"tollgate_redactions_total{type="A",place="resource.attributes"} 1"#,
            r#"tollgate_redactions_total{type="B",place="scope.name"} 2"#,
            r#"tollgate_redactions_total{type="A",place="span.attributes"} 3"#,
            r#"tollgate_redactions_total{type="B",place="span.name"} 1"#,
        ] {
            assert!(page.lines().any(|found| found == line), "no line {line} in\n{page}");
        }
        let mut before = Edits::new(3);
        before.integer(2, 0, 5);
        let edits = counts.edits(&before.finish(), 3);
        let rows: Vec<Vec<_>> = edits.rows().map(|row| (0..5).map(|number| row.integer(number)).collect()).collect();
        assert_eq!(rows[0], [Some(2), Some(3), Some(1), Some(1), None]);
        assert_eq!(rows[1], [Some(1), Some(3), Some(1), None, None]);
        assert_eq!(rows[2], [Some(6), None, Some(1), None, None], "on top of what it brought along");
    }
}
