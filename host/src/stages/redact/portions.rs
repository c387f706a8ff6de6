//! Texts in portions for calls of a redactor. Texts of one group stay together, so that a value has one number in all of
//! them.

use std::collections::HashMap;
use tollgate_columns::Given;
use tollgate_otlp::TextSet;

/// Texts for one call.
#[derive(Debug, Default)]
pub(super) struct Portion {
    pub(super) given: Given,
    /// For each text of the call, its row in the request.
    pub(super) rows: Vec<u32>,
    /// Places by their number in the request.
    names: HashMap<u32, u32>,
}

/// Portions of about `usual` bytes. A group that is larger has one of its own, of up to `most` bytes or one text; a group
/// that is still larger is in several, and is counted.
pub(super) fn portions(texts: &TextSet, mut rows: Vec<u32>, usual: usize, most: usize) -> (Vec<Portion>, u64) {
    let size = |row: u32| usize::try_from(row).ok().and_then(|row| texts.texts().bytes(row)).map_or(0, <[u8]>::len);
    rows.sort_by_key(|&row| (texts.group(row), row));
    let (mut portions, mut split) = (vec![Portion::default()], 0);
    for group in rows.chunk_by(|a, b| texts.group(*a) == texts.group(*b)) {
        let whole: usize = group.iter().map(|&row| size(row)).sum();
        // Group 0 is no group: its texts have nothing to do with each other.
        let together = group.first().is_some_and(|&row| texts.group(row) > 0);
        let limit = if together { most } else { usual };
        split += u64::from(together && whole > most && group.len() > 1);
        let mut fits = held(&portions) + whole <= usual;
        for &row in group {
            if !fits || held(&portions) + size(row) > limit.max(usual) {
                fits = true;
                if held(&portions) > 0 {
                    portions.push(Portion::default());
                }
            }
            if let Some(portion) = portions.last_mut() {
                portion.push(texts, row);
            }
        }
    }
    portions.retain(|portion| !portion.rows.is_empty());
    (portions, split)
}

fn held(portions: &[Portion]) -> usize {
    portions.last().map_or(0, |portion| portion.given.texts.data.len())
}

impl Portion {
    fn push(&mut self, texts: &TextSet, row: u32) {
        let text = usize::try_from(row).ok().and_then(|row| texts.texts().get(row)).unwrap_or_default();
        let given = &mut self.given;
        let place = *self.names.entry(texts.name_number(row)).or_insert_with(|| {
            given.names.push(texts.name(row).to_owned());
            u32::try_from(given.names.len() - 1).unwrap_or(u32::MAX)
        });
        given.push(text, place, texts.group(row));
        self.rows.push(row);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tollgate_otlp::{Envelope, Limits, RequestWriter, SpanWriter, TraceRequest};

    /// Spans with a conversation and a prompt of so many bytes.
    fn request(spans: &[(&str, usize)]) -> Vec<u8> {
        let mut writer = RequestWriter::new();
        for ((conversation, size), id) in spans.iter().zip(1..) {
            let mut span = SpanWriter::new([id; 16], [id; 8], "");
            span.set("gen_ai.conversation.id", *conversation).set("p", "x".repeat(*size).as_str());
            writer.push(&Envelope::default(), span.bytes());
        }
        writer.finish()
    }

    fn sizes(spans: &[(&str, usize)]) -> (Vec<Vec<usize>>, u64) {
        let bytes = request(spans);
        let texts = TraceRequest::scan(&bytes, &Limits::default()).unwrap().texts();
        // Keys and ids of conversations would only be in the way.
        let rows = (0..).zip(texts.texts().iter()).filter(|(_, (_, text))| text.starts_with('x')).map(|(row, _)| row);
        let (portions, split) = portions(&texts, rows.collect(), 100, 300);
        for portion in &portions {
            assert_eq!(portion.given.check(), Ok(()));
            assert_eq!(portion.given.names, ["span.attributes.p"]);
            for (index, &row) in portion.rows.iter().enumerate() {
                assert_eq!(portion.given.texts.get(index), texts.texts().get(row as usize));
                assert_eq!(portion.given.group(index), texts.group(row));
            }
        }
        let sizes = portions
            .iter()
            .map(|portion| (0..portion.rows.len()).map(|at| portion.given.texts.bytes(at).unwrap().len()).collect());
        (sizes.collect(), split)
    }

    #[test]
    fn groups_stay_together_as_long_as_they_fit_a_call() {
        /// Spans, sizes of the texts in each portion, and groups that are split.
        type Case<'c> = (&'c [(&'c str, usize)], &'c [&'c [usize]], u64);
        let cases: [Case<'_>; 7] = [
            (&[], &[], 0),
            (&[("a", 40), ("b", 40), ("c", 40)], &[&[40, 40], &[40]], 0),
            // A conversation whose spans are apart.
            (&[("a", 60), ("b", 60), ("a", 39)], &[&[60, 39], &[60]], 0),
            // Larger than a usual portion, and still one.
            (&[("b", 50), ("a", 150), ("a", 140), ("c", 10)], &[&[50], &[150, 140], &[10]], 0),
            // Larger than any may be.
            (&[("a", 200), ("a", 150), ("a", 20)], &[&[200], &[150, 20]], 1),
            // One text larger than that has a call of its own.
            (&[("a", 400)], &[&[400]], 0),
            (&[("a", 400), ("a", 1)], &[&[400], &[1]], 1),
        ];
        for (spans, expected, split) in cases {
            let (sizes, counted) = sizes(spans);
            assert_eq!(sizes, expected, "{spans:?}");
            assert_eq!(counted, split, "{spans:?}");
        }
    }
}
