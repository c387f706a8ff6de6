//! The labelled texts, JSON lines in gzip files of one folder.

use crate::span::Span;
use flate2::read::GzDecoder;
use serde_json::Value;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;

/// A text with its labels.
pub(crate) struct Row {
    pub(crate) text: String,
    pub(crate) gold: Vec<Span>,
}

/// A short text for one type of identifier.
pub(crate) struct Case {
    pub(crate) entity: String,
    pub(crate) text: String,
    /// Whether there is something to find.
    pub(crate) positive: bool,
    /// Where; empty where the set does not say.
    pub(crate) spans: Vec<Span>,
}

/// A text that holds a secret of one rule, or none.
pub(crate) struct Secret {
    pub(crate) rule: String,
    pub(crate) text: String,
    pub(crate) positive: bool,
    /// Where, unless the set does not say.
    pub(crate) span: Option<Span>,
}

/// The folder of the sets.
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// The folder in `TOLLGATE_PII`; without it this says so.
    pub(crate) fn of_environment() -> Option<Self> {
        let folder = std::env::var_os("TOLLGATE_PII").map(|folder| Self(folder.into()));
        if folder.is_none() {
            eprintln!("SKIPPED: TOLLGATE_PII does not name the folder of labelled texts");
        }
        folder
    }

    /// Sentences with labels: `prose_en`, `prose_zh`.
    pub(crate) fn prose(&self, name: &str) -> Result<Vec<Row>, String> {
        self.read(name, |row| {
            let spans = row.get("spans")?.as_array()?.iter();
            let gold = spans.map(|span| Some(Span::new(text(span, "type")?, place(span, "bs")?, place(span, "be")?)));
            Some(Row { text: text(row, "text")?.to_owned(), gold: gold.collect::<Option<_>>()? })
        })
    }

    /// Texts by type of identifier.
    pub(crate) fn cases(&self) -> Result<Vec<Case>, String> {
        self.read("recognizer_cases", |row| {
            let (entity, case) = (text(row, "entity")?, text(row, "text")?);
            let spans = row.get("spans").and_then(Value::as_array).into_iter().flatten();
            Some(Case {
                entity: entity.to_owned(),
                text: case.to_owned(),
                positive: row.get("expected")?.as_u64()? >= 1,
                spans: spans.map(|span| in_bytes(entity, case, span)).collect::<Option<_>>()?,
            })
        })
    }

    /// Texts by rule of secret.
    pub(crate) fn secrets(&self) -> Result<Vec<Secret>, String> {
        self.read("secrets_gitleaks", |row| {
            let (rule, secret) = (text(row, "rule")?, text(row, "text")?);
            let span = match row.get("start") {
                Some(_) => Some(in_bytes(rule, secret, row)?),
                None => None,
            };
            let positive = row.get("positive")?.as_bool()?;
            Some(Secret { rule: rule.to_owned(), text: secret.to_owned(), positive, span })
        })
    }

    fn read<T>(&self, name: &str, each: impl Fn(&Value) -> Option<T>) -> Result<Vec<T>, String> {
        let path = self.0.join(format!("{name}.jsonl.gz"));
        let wrong = |why: String| format!("{}: {why}", path.display());
        let file = File::open(&path).map_err(|error| wrong(error.to_string()))?;
        let lines = BufReader::new(GzDecoder::new(file)).lines();
        let rows = lines.enumerate().map(|(number, line)| {
            let line = line.map_err(|error| wrong(error.to_string()))?;
            let row = serde_json::from_str(&line).map_err(|error| wrong(format!("line {}: {error}", number + 1)))?;
            each(&row).ok_or_else(|| wrong(format!("line {} is not as the set's description says", number + 1)))
        });
        rows.collect()
    }
}

fn text<'row>(row: &'row Value, field: &str) -> Option<&'row str> {
    row.get(field)?.as_str()
}

fn place(row: &Value, field: &str) -> Option<usize> {
    usize::try_from(row.get(field)?.as_u64()?).ok()
}

/// A stretch that is given in characters.
fn in_bytes(kind: &str, text: &str, row: &Value) -> Option<Span> {
    let byte = |character: usize| text.char_indices().map(|(at, _)| at).chain([text.len()]).nth(character);
    Some(Span::new(kind, byte(place(row, "start")?)?, byte(place(row, "end")?)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_in_characters_become_places_in_bytes() {
        let row = serde_json::json!({ "start": 2, "end": 6 });
        assert_eq!(in_bytes("A", "证号x张12", &row), Some(Span::new("A", 6, 12)));
        assert_eq!(in_bytes("A", "证号x", &row), None);
    }
}
