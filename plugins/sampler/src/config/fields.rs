//! Reading JSON objects key by key, with every problem noted under its path.

use serde_json::{Map, Value};
use tollgate_columns::Problem;

/// What is wrong so far.
#[derive(Debug, Default)]
pub(super) struct Problems(Vec<Problem>);

impl Problems {
    /// Notes one.
    pub(super) fn add(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.0.push(Problem { path: path.into(), message: message.into() });
    }

    /// All of them, in the order in which they were found.
    pub(super) fn into_vec(self) -> Vec<Problem> {
        self.0
    }
}

/// An object that is being read. Keys that nobody asked for are reported by [`finish`](Self::finish).
pub(super) struct Fields<'a> {
    entries: Vec<(&'a str, &'a Value)>,
    known: Vec<&'static str>,
    pub(super) path: String,
}

impl<'a> Fields<'a> {
    /// Opens an object. `None`, and a problem noted, where the value is none.
    pub(super) fn open(value: &'a Value, path: impl Into<String>, problems: &mut Problems) -> Option<Self> {
        let path = path.into();
        match value {
            Value::Object(object) => Some(Self::of(object, path)),
            other => {
                problems.add(path, format!("expected a mapping of keys, found {}", kind(other)));
                None
            }
        }
    }

    fn of(object: &'a Map<String, Value>, path: String) -> Self {
        let present = object.iter().filter(|(_, value)| !value.is_null());
        Self { entries: present.map(|(key, value)| (key.as_str(), value)).collect(), known: Vec::new(), path }
    }

    /// The path of a key.
    pub(super) fn at(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Whether the key is there.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|(name, _)| *name == key)
    }

    /// Takes the value of a key; null is as if it were not there.
    pub(super) fn take(&mut self, key: &'static str) -> Option<&'a Value> {
        self.known.push(key);
        let at = self.entries.iter().position(|(name, _)| *name == key)?;
        Some(self.entries.swap_remove(at).1)
    }

    /// The object under a key.
    pub(super) fn section(&mut self, key: &'static str, problems: &mut Problems) -> Option<Fields<'a>> {
        let path = self.at(key);
        Fields::open(self.take(key)?, path, problems)
    }

    /// The items of the list under a key, each with its path.
    pub(super) fn list(&mut self, key: &'static str, problems: &mut Problems) -> Option<Vec<(&'a Value, String)>> {
        let path = self.at(key);
        match self.take(key)? {
            Value::Array(items) => {
                Some(items.iter().enumerate().map(|(index, item)| (item, format!("{path}[{index}]"))).collect())
            }
            other => {
                problems.add(path, format!("expected a list, found {}", kind(other)));
                None
            }
        }
    }

    /// The texts of the list under a key; empty where there is none.
    pub(super) fn texts(&mut self, key: &'static str, problems: &mut Problems) -> Vec<String> {
        let items = self.list(key, problems).unwrap_or_default();
        let mut texts = Vec::with_capacity(items.len());
        for (item, path) in items {
            match item {
                Value::String(text) => texts.push(text.clone()),
                other => problems.add(path, format!("expected text, found {}", kind(other))),
            }
        }
        texts
    }

    /// The text under a key.
    pub(super) fn text(&mut self, key: &'static str, problems: &mut Problems) -> Option<&'a str> {
        let path = self.at(key);
        match self.take(key)? {
            Value::String(text) => Some(text),
            other => {
                problems.add(path, format!("expected text, found {}", kind(other)));
                None
            }
        }
    }

    /// The truth value under a key, `false` where there is none.
    pub(super) fn flag(&mut self, key: &'static str, problems: &mut Problems) -> bool {
        let path = self.at(key);
        match self.take(key) {
            None => false,
            Some(Value::Bool(value)) => *value,
            Some(other) => {
                problems.add(path, format!("expected true or false, found {}", kind(other)));
                false
            }
        }
    }

    /// The number under a key.
    pub(super) fn number(&mut self, key: &'static str, problems: &mut Problems) -> Option<f64> {
        let path = self.at(key);
        let value = self.take(key)?;
        if value.as_f64().is_none() {
            problems.add(path, format!("expected a number, found {}", kind(value)));
        }
        value.as_f64()
    }

    /// The number under a key, within `least` and `most`; the default where there is none.
    pub(super) fn number_within(
        &mut self,
        key: &'static str,
        default: f64,
        (least, most): (f64, f64),
        problems: &mut Problems,
    ) -> f64 {
        let path = self.at(key);
        match self.number(key, problems) {
            Some(value) if (least..=most).contains(&value) => value,
            Some(value) => {
                problems.add(path, format!("{value} is outside {least} to {most}"));
                default
            }
            None => default,
        }
    }

    /// The whole number under a key, at least `least`.
    pub(super) fn whole(&mut self, key: &'static str, least: u64, problems: &mut Problems) -> Option<u64> {
        let path = self.at(key);
        let value = self.take(key)?;
        match value.as_u64() {
            Some(number) if number >= least => Some(number),
            _ => {
                problems.add(path, format!("expected a whole number, at least {least}, found {value}"));
                None
            }
        }
    }

    /// The duration under a key in nanoseconds, as `1m30s`.
    pub(super) fn duration(&mut self, key: &'static str, default: u64, problems: &mut Problems) -> u64 {
        let path = self.at(key);
        match self.text(key, problems).map(nanoseconds) {
            None => default,
            Some(Some(value)) if value > 0 => value,
            Some(_) => {
                problems.add(path, "is not a duration; write one such as 15s or 1m30s");
                default
            }
        }
    }

    /// Reports every key that is left, with those that are known here.
    pub(super) fn finish(self, problems: &mut Problems) {
        for (key, _) in &self.entries {
            let known = self.known.join(", ");
            problems.add(self.at(key), format!("is not a known key; known here: {known}"));
        }
    }
}

/// What a value is, in words for a message.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

/// A duration as `1m30s` or `200ms`, in nanoseconds.
pub(super) fn nanoseconds(text: &str) -> Option<u64> {
    let mut rest = text.trim();
    let mut total = 0.0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let (number, after) = rest.split_at_checked(rest.find(|c: char| !c.is_ascii_digit() && c != '.')?)?;
        let letters = after.find(|c: char| !c.is_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at_checked(letters)?;
        total += number.parse::<f64>().ok()?
            * match unit {
                "ns" => 1.0,
                "us" | "µs" => 1e3,
                "ms" => 1e6,
                "s" => 1e9,
                "m" => 60e9,
                "h" => 3600e9,
                _ => return None,
            };
        rest = after;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be in range")]
    (0.0..=1e19).contains(&total).then_some(total as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read() {
        for (text, nanos) in [
            ("15s", Some(15_000_000_000)),
            ("1m30s", Some(90_000_000_000)),
            ("1.5ms", Some(1_500_000)),
            ("7µs", Some(7_000)),
            ("", None),
            ("5", None),
            ("s", None),
            ("5 s", None),
            ("9999999999999999h", None),
        ] {
            assert_eq!(nanoseconds(text), nanos, "{text:?}");
        }
    }
}
