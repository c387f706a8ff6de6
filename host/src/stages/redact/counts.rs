//! How often something was found: by type and place for metrics, by item for its attributes. Never what.

use crate::metrics::Metrics;
use std::collections::BTreeMap;
use tollgate_columns::{Attribute, Batch, Edits, Kind};
use tollgate_otlp::{Owner, Place, TextSet, Writes};
use tollgate_semconv::attribute::{
    TOLLGATE_REDACTION_COUNT, TOLLGATE_REDACTION_PREFIX, TOLLGATE_REDACTION_SHARED_COUNT,
};

/// The type of what was replaced because nobody could look at it.
pub(super) const UNSCANNED: &str = "UNSCANNED";

/// The attributes that have the counts.
#[derive(Debug)]
pub(super) struct Attributes {
    /// All findings of an item, then those of what it shares with others, then one attribute a type, ascending.
    names: Vec<String>,
    /// These, as what is written.
    pub(super) writes: Writes,
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
        let writes: Vec<_> = names.iter().map(|name| Attribute::new(name, Kind::Integer)).collect();
        Self { names, writes: Writes::compile(&[&writes]) }
    }

    /// Their names.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// The number of the attribute of each type; those are of the types that the attributes were made for.
    pub(super) fn numbers(&self, types: &[String]) -> Vec<u16> {
        types.iter().map(|kind| self.number(kind)).collect()
    }

    /// The number of the attribute for what nobody looked at.
    pub(super) fn unscanned(&self) -> u16 {
        self.number(UNSCANNED)
    }

    fn number(&self, kind: &str) -> u16 {
        let types = self.names.get(2..).unwrap_or_default();
        let at = types.binary_search(&name(kind)).unwrap_or_default();
        u16::try_from(at + 2).unwrap_or(u16::MAX)
    }

    /// The type that an attribute counts.
    fn kind(&self, number: u16) -> &str {
        let name = self.names.get(usize::from(number)).map_or("", String::as_str);
        name.strip_prefix(TOLLGATE_REDACTION_PREFIX).unwrap_or(name)
    }
}

fn name(kind: &str) -> String {
    format!("{TOLLGATE_REDACTION_PREFIX}{kind}")
}

/// Findings of all redactors in one request.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Findings by item and attribute, a cell as often as something was found.
    items: Vec<(u32, u16)>,
    /// Findings that items share, as changes from one item to the next.
    shared: BTreeMap<u32, i64>,
    /// Whether any item brings counts along.
    on_top: bool,
}

impl Counts {
    /// Adds findings, each the row of a text and the attribute of its type. One in a text that stands in several fields
    /// counts in each.
    pub(super) fn add(
        &mut self,
        found: &mut [(u32, u16)],
        texts: &TextSet,
        attributes: &Attributes,
        metrics: &Metrics,
    ) {
        if found.is_empty() {
            return;
        }
        found.sort_unstable();
        let mut has = vec![false; texts.len()];
        for (row, _) in found.iter() {
            usize::try_from(*row).ok().and_then(|row| has.get_mut(row)).into_iter().for_each(|has| *has = true);
        }
        let prefix = TOLLGATE_REDACTION_PREFIX.as_bytes();
        let keys = (0_u32..).take(texts.len()).filter(|row| texts.is_name(*row));
        let mut keys = keys.filter_map(|row| texts.texts().bytes(usize::try_from(row).ok()?));
        self.on_top |= keys.any(|key| key.starts_with(prefix));
        let mut of_place: BTreeMap<(u16, Option<Place>), u64> = BTreeMap::new();
        for (row, owner) in texts.owners() {
            if !usize::try_from(row).ok().and_then(|row| has.get(row)).is_some_and(|has| *has) {
                continue;
            }
            let first = found.partition_point(|(other, _)| *other < row);
            for &(_, number) in found.iter().skip(first).take_while(|(other, _)| *other == row) {
                *of_place.entry((number, texts.place(row))).or_default() += 1;
                match owner {
                    Owner::Item(item) => self.items.extend([(item, COUNT), (item, number)]),
                    Owner::Shared { first, end } if first < end => {
                        *self.shared.entry(first).or_default() += 1;
                        *self.shared.entry(end).or_default() -= 1;
                    }
                    _ => {}
                }
            }
        }
        for ((number, place), count) in of_place {
            let place = place.map_or("", Place::name).to_owned();
            let labels = vec![("type", attributes.kind(number).to_owned()), ("place", place)];
            metrics.redactions.with(labels).inc_by(count);
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
        let table = before.table();
        let rows: Vec<_> = table.rows().collect();
        let mut set = |item: u32, number, count: i64| {
            let row = usize::try_from(item).ok().and_then(|item| rows.get(item));
            let known = row.and_then(|row| row.integer(number)).unwrap_or(0).max(0);
            edits.integer(item, number, count.saturating_add(known));
        };
        let mut cells = self.items.clone();
        cells.sort_unstable();
        for same in cells.chunk_by(|one, other| one == other) {
            if let Some(&(item, number)) = same.first() {
                set(item, number, i64::try_from(same.len()).unwrap_or(i64::MAX));
            }
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
        assert_eq!(
            attributes.names(),
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
        let mut found = found.map(|(row, kind)| (row, attributes.number(kind)));
        counts.add(&mut found, &texts, &attributes, &metrics);
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
