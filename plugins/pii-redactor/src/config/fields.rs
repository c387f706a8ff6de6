//! The fields of one object: each is read once, and what nobody reads is a mistake.

use crate::kind::Kind;
use crate::rules::Rules;
use serde_json::{Map, Value};
use tollgate_columns::Problem;

/// The fields of an object at a path, and the problems found so far.
pub(super) struct Fields<'a> {
    path: String,
    object: &'a Map<String, Value>,
    known: Vec<&'static str>,
    problems: &'a mut Vec<Problem>,
}

impl<'a> Fields<'a> {
    pub(super) fn new(path: &str, object: &'a Map<String, Value>, problems: &'a mut Vec<Problem>) -> Self {
        Self { path: path.to_owned(), object, known: Vec::new(), problems }
    }

    /// Reports a problem of a field.
    pub(super) fn problem(&mut self, field: &str, message: impl Into<String>) {
        let path = if self.path.is_empty() || field.is_empty() {
            format!("{}{field}", self.path)
        } else {
            format!("{}.{field}", self.path)
        };
        self.problems.push(Problem { path, message: message.into() });
    }

    /// The value of a field, where it is there.
    pub(super) fn value(&mut self, field: &'static str) -> Option<&'a Value> {
        self.known.push(field);
        self.object.get(field)
    }

    /// The fields of an object within.
    pub(super) fn object(&mut self, field: &'static str, read: impl FnOnce(&mut Fields<'_>)) {
        let Some(value) = self.value(field) else { return };
        match value.as_object() {
            Some(object) => self.within(field, object, read),
            None => self.problem(field, "must be an object"),
        }
    }

    /// The objects of a list, at most `most`.
    pub(super) fn objects(&mut self, field: &'static str, most: usize, mut read: impl FnMut(&mut Fields<'_>)) {
        for (place, value) in self.list(field, most).into_iter().enumerate() {
            let name = format!("{field}[{place}]");
            match value.as_object() {
                Some(object) => self.within(&name, object, &mut read),
                None => self.problem(&name, "must be an object"),
            }
        }
    }

    fn within(&mut self, name: &str, object: &Map<String, Value>, read: impl FnOnce(&mut Fields<'_>)) {
        let path = if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) };
        let mut fields = Fields::new(&path, object, self.problems);
        read(&mut fields);
        fields.finish();
    }

    /// A text that is not empty.
    pub(super) fn text(&mut self, field: &'static str) -> Option<&'a str> {
        let value = self.value(field)?;
        let text = value.as_str().filter(|text| !text.is_empty());
        if text.is_none() {
            self.problem(field, "must be a text that is not empty");
        }
        text
    }

    /// A list of texts that are not empty, at most `most`.
    pub(super) fn texts(&mut self, field: &'static str, most: usize) -> Vec<&'a str> {
        let mut texts = Vec::new();
        for (place, value) in self.list(field, most).into_iter().enumerate() {
            match value.as_str().filter(|text| !text.is_empty()) {
                Some(text) => texts.push(text),
                None => self.problem(&format!("{field}[{place}]"), "must be a text that is not empty"),
            }
        }
        texts
    }

    fn list(&mut self, field: &'static str, most: usize) -> Vec<&'a Value> {
        let Some(value) = self.value(field) else { return Vec::new() };
        match value.as_array() {
            Some(list) if list.len() <= most => list.iter().collect(),
            Some(_) => {
                self.problem(field, format!("must have at most {most} entries"));
                Vec::new()
            }
            None => {
                self.problem(field, "must be a list");
                Vec::new()
            }
        }
    }

    /// A whole number in a range.
    pub(super) fn number(&mut self, field: &'static str, default: usize, least: usize, most: usize) -> usize {
        let Some(value) = self.value(field) else { return default };
        let number = value.as_u64().and_then(|number| usize::try_from(number).ok());
        number.filter(|number| (least..=most).contains(number)).unwrap_or_else(|| {
            self.problem(field, format!("must be a whole number from {least} to {most}"));
            default
        })
    }

    /// Names of types, built in or introduced by rules; `None` where the field is not there.
    pub(super) fn kinds(&mut self, field: &'static str, rules: &Rules) -> Option<Vec<Kind>> {
        let value = self.value(field)?;
        let Some(names) = value.as_array().filter(|names| !names.is_empty()) else {
            self.problem(field, "must be a list of type names with at least one entry");
            return None;
        };
        let mut kinds = Vec::new();
        for (place, name) in names.iter().enumerate() {
            let path = format!("{field}[{place}]");
            match name.as_str().and_then(|name| kind(name, rules)) {
                Some(kind) if kinds.contains(&kind) => self.problem(&path, "is named twice"),
                Some(kind) => kinds.push(kind),
                None => self.problem(&path, "is no type; docs/REDACTION.md lists them"),
            }
        }
        Some(kinds)
    }

    /// Reports the fields that nobody read.
    pub(super) fn finish(&mut self) {
        let unknown: Vec<String> =
            self.object.keys().filter(|name| !self.known.contains(&name.as_str())).cloned().collect();
        let known = self.known.join(", ");
        for name in unknown {
            self.problem(&name, format!("is unknown; known are {known}"));
        }
    }
}

/// The type with that name, built in or introduced by a rule.
pub(super) fn kind(name: &str, rules: &Rules) -> Option<Kind> {
    Kind::from_name(name).or_else(|| rules.kind(name)).filter(|kind| *kind != Kind::UNSCANNED)
}
