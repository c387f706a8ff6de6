//! Reads the fields of a JSON object and collects everything that is wrong with them, each with its path.

use serde_json::{Map, Value};
use tollgate_columns::Problem;

/// Everything that is wrong so far.
pub(crate) type Problems = Vec<Problem>;

/// One JSON object of the configuration.
pub(crate) struct Fields<'a> {
    map: Map<String, Value>,
    path: String,
    problems: &'a mut Problems,
}

impl<'a> Fields<'a> {
    /// The fields of `value`, which stands at `path`; an object without fields, and a problem, where it is no object.
    pub(crate) fn new(value: Value, path: &str, problems: &'a mut Problems) -> Self {
        let map = match value {
            Value::Object(map) => map,
            Value::Null => Map::new(),
            other => {
                problem(problems, path, format!("must be an object, not {}", kind(&other)));
                Map::new()
            }
        };
        Self { map, path: path.to_owned(), problems }
    }

    /// Reports every field that nobody took.
    pub(crate) fn finish(self) {
        for name in self.map.keys() {
            problem(self.problems, &join(&self.path, name), "there is no such field".to_owned());
        }
    }

    /// Takes a field as it is.
    pub(crate) fn value(&mut self, name: &str) -> Option<Value> {
        self.map.remove(name).filter(|value| !value.is_null())
    }

    /// Takes a field that is an object of its own.
    pub(crate) fn object(&mut self, name: &str) -> Fields<'_> {
        let value = self.map.remove(name).unwrap_or_default();
        Fields::new(value, &join(&self.path, name), self.problems)
    }

    /// The fields of a value that was taken with [`Fields::value`].
    pub(crate) fn child(&mut self, name: &str, value: Value) -> Fields<'_> {
        Fields::new(value, &join(&self.path, name), self.problems)
    }

    /// Takes a text.
    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        match self.value(name)? {
            Value::String(text) => Some(text),
            other => self.wrong(name, &format!("must be a text, not {}", kind(&other))),
        }
    }

    /// Takes a text that goes into a header or names a cluster: not empty, no control characters.
    pub(crate) fn line(&mut self, name: &str) -> Option<String> {
        let text = self.text(name)?;
        if text.is_empty() || text.chars().any(char::is_control) {
            return self.wrong(name, "must be one line of text, and not empty");
        }
        Some(text)
    }

    /// Takes a whole number between two bounds, inclusive.
    pub(crate) fn whole(&mut self, name: &str, least: u64, most: u64) -> Option<u64> {
        let value = self.value(name)?;
        // A protobuf Struct has doubles only, so 4e3 and 4000.0 are whole numbers too.
        let whole = value.as_u64().or_else(|| {
            let real = value.as_f64()?;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be in range")]
            (real.fract() == 0.0 && (0.0..=9e15).contains(&real)).then_some(real as u64)
        });
        match whole {
            Some(number) if (least..=most).contains(&number) => Some(number),
            _ => self.wrong(name, &format!("must be a whole number from {least} to {most}, not {value}")),
        }
    }

    /// Takes a number from 0 to 1.
    pub(crate) fn ratio(&mut self, name: &str) -> Option<f64> {
        let value = self.value(name)?;
        match value.as_f64() {
            Some(number) if (0.0..=1.0).contains(&number) => Some(number),
            _ => self.wrong(name, &format!("must be a number from 0 to 1, not {value}")),
        }
    }

    /// Takes a truth value.
    pub(crate) fn truth(&mut self, name: &str) -> Option<bool> {
        match self.value(name)? {
            Value::Bool(truth) => Some(truth),
            other => self.wrong(name, &format!("must be true or false, not {}", kind(&other))),
        }
    }

    /// Takes one of a few words.
    pub(crate) fn choice<T: Copy>(&mut self, name: &str, choices: &[(&str, T)]) -> Option<T> {
        let text = self.text(name)?;
        if let Some((_, choice)) = choices.iter().find(|(word, _)| *word == text) {
            return Some(*choice);
        }
        let words: Vec<_> = choices.iter().map(|(word, _)| *word).collect();
        self.wrong(name, &format!("must be one of {}, not {text:?}", words.join(", ")))
    }

    /// Takes the name of a header, or the beginning of one; in lower case, as HTTP/2 and Envoy want it.
    pub(crate) fn header_name(&mut self, name: &str) -> Option<String> {
        let text = self.text(name)?;
        let token = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if !(1..=128).contains(&text.len()) || !text.bytes().all(token) {
            return self.wrong(name, "must be the name of a header: letters, digits, - and _");
        }
        Some(text.to_ascii_lowercase())
    }

    /// Takes a list of texts.
    pub(crate) fn list(&mut self, name: &str) -> Option<Vec<String>> {
        let value = self.value(name)?;
        let texts =
            value.as_array().and_then(|list| list.iter().map(|text| text.as_str().map(str::to_owned)).collect());
        texts.or_else(|| self.wrong(name, "must be a list of texts"))
    }

    /// Takes an object of texts.
    pub(crate) fn texts(&mut self, name: &str) -> Vec<(String, String)> {
        let mut object = self.object(name);
        let names: Vec<String> = object.map.keys().cloned().collect();
        let texts = names.into_iter().filter_map(|name| object.line(&name).map(|text| (name, text))).collect();
        object.finish();
        texts
    }

    /// Reports that a field is wrong.
    pub(crate) fn wrong<T>(&mut self, name: &str, message: &str) -> Option<T> {
        problem(self.problems, &join(&self.path, name), message.to_owned());
        None
    }
}

/// Path of a field within an object.
pub(crate) fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn problem(problems: &mut Problems, path: &str, message: String) {
    problems.push(Problem { path: path.to_owned(), message });
}

const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
