//! Reading a mapping key by key: typed values, defaults, and every problem noted with its line.
//!
//! A [`Section`] remembers which keys were asked for. When it goes out of use, keys that nobody asked for are
//! reported, with the nearest known key.

use super::problem::Problems;
use super::suggest::nearest;
use super::units;
use saphyr::{MarkedYaml, Scalar, YamlData};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

/// A value with its place in the file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node<'a> {
    yaml: &'a MarkedYaml<'a>,
    /// Line of the key that holds the value, or of the value itself where it is an item of a list.
    pub(crate) line: usize,
}

impl<'a> Node<'a> {
    /// A node at its own line.
    pub(crate) fn new(yaml: &'a MarkedYaml<'a>) -> Self {
        Self { yaml, line: yaml.span.start.line() }
    }

    pub(crate) fn yaml(self) -> &'a MarkedYaml<'a> {
        self.yaml
    }

    pub(crate) fn is_null(self) -> bool {
        matches!(self.yaml.data, YamlData::Value(Scalar::Null))
    }

    pub(crate) fn is_mapping(self) -> bool {
        matches!(self.yaml.data, YamlData::Mapping(_))
    }

    /// The value as text, as it stands in the file.
    pub(crate) fn text(self) -> Option<String> {
        scalar_text(self)
    }

    /// What the value is, in words for a message.
    fn kind(self) -> &'static str {
        match &self.yaml.data {
            YamlData::Value(Scalar::Null) => "nothing",
            YamlData::Value(Scalar::Boolean(_)) => "a truth value",
            YamlData::Value(Scalar::Integer(_)) => "a whole number",
            YamlData::Value(Scalar::FloatingPoint(_)) => "a number",
            YamlData::Value(Scalar::String(_)) | YamlData::Representation(..) => "text",
            YamlData::Sequence(_) => "a list",
            YamlData::Mapping(_) => "a mapping",
            YamlData::Tagged(..) => "a tagged value",
            YamlData::Alias(_) | YamlData::BadValue => "a value that cannot be read",
        }
    }
}

/// A mapping that is being read.
#[derive(Debug)]
pub(crate) struct Section<'a> {
    entries: BTreeMap<&'a str, Node<'a>>,
    asked: Vec<&'static str>,
    /// Line of the key that opens the section.
    pub(crate) line: usize,
    /// Path of the section.
    pub(crate) path: String,
    problems: &'a Problems,
}

impl<'a> Section<'a> {
    /// Opens a mapping. A value of another kind is noted, and read as if it were empty.
    pub(crate) fn open(node: Node<'a>, path: impl Into<String>, problems: &'a Problems) -> Self {
        let path = path.into();
        let mut entries = BTreeMap::new();
        match &node.yaml.data {
            YamlData::Mapping(mapping) => {
                for (key, value) in mapping {
                    let line = key.span.start.line();
                    match &key.data {
                        YamlData::Value(Scalar::String(name)) => {
                            entries.insert(name.as_ref(), Node { yaml: value, line });
                        }
                        _ => problems.add(line, path.clone(), "keys are text; put quotes around this one"),
                    }
                }
            }
            YamlData::Value(Scalar::Null) => {}
            _ => problems.add(node.line, path.clone(), format!("expected a mapping of keys, found {}", node.kind())),
        }
        Self { entries, asked: Vec::new(), line: node.line, path, problems }
    }

    /// Notes a problem with the value of `key`, at its line where it is there.
    pub(crate) fn problem(&self, key: &str, message: impl Into<String>) {
        let line = self.entries.get(key).map_or(self.line, |node| node.line);
        self.problems.add(line, self.path_of(key), message);
    }

    /// Notes a problem with an item of a list, at its line and path.
    pub(crate) fn problem_at(&self, line: usize, path: String, message: impl Into<String>) {
        self.problems.add(line, path, message);
    }

    /// The path of a key of this section.
    pub(crate) fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// The value of `key`; `None` where it is absent or empty.
    pub(crate) fn node(&mut self, key: &'static str) -> Option<Node<'a>> {
        self.asked.push(key);
        self.entries.get(key).copied().filter(|node| !node.is_null())
    }

    /// The section under `key`, where `key` is written. `grpc:` with nothing after it is a section of defaults.
    pub(crate) fn section(&mut self, key: &'static str) -> Option<Section<'a>> {
        self.asked.push(key);
        let node = self.entries.get(key).copied()?;
        Some(Section::open(node, self.path_of(key), self.problems))
    }

    /// Whether `key` is written, with or without a value.
    pub(crate) fn has(&mut self, key: &'static str) -> bool {
        self.asked.push(key);
        self.entries.contains_key(key)
    }

    /// Whether there is a mapping under `key`.
    pub(crate) fn is_mapping(&self, key: &str) -> bool {
        self.entries.get(key).is_some_and(|node| matches!(node.yaml.data, YamlData::Mapping(_)))
    }

    /// The items of the list under `key`, each with its path.
    pub(crate) fn list(&mut self, key: &'static str) -> Vec<(Node<'a>, String)> {
        let Some(node) = self.node(key) else { return Vec::new() };
        let YamlData::Sequence(items) = &node.yaml.data else {
            self.problem(key, format!("expected a list, found {}", node.kind()));
            return Vec::new();
        };
        let path = self.path_of(key);
        items.iter().enumerate().map(|(index, item)| (Node::new(item), format!("{path}[{index}]"))).collect()
    }

    /// The texts of the list under `key`, each with its line and path.
    pub(crate) fn text_list(&mut self, key: &'static str) -> Vec<(String, usize, String)> {
        let mut texts = Vec::new();
        for (node, path) in self.list(key) {
            match scalar_text(node).map(|text| expand(&text)) {
                Some(Ok(text)) => texts.push((text, node.line, path)),
                Some(Err(message)) => self.problems.add(node.line, path, message),
                None => self.problems.add(node.line, path, format!("expected text, found {}", node.kind())),
            }
        }
        texts
    }

    /// All entries, for sections whose keys are names that the user chose.
    pub(crate) fn entries(&mut self) -> Vec<(&'a str, Node<'a>)> {
        std::mem::take(&mut self.entries).into_iter().collect()
    }

    /// All entries as text with `${env:NAME}` replaced, for mappings whose keys the user chose.
    pub(crate) fn texts(&self) -> Vec<(String, String)> {
        let mut texts = Vec::new();
        for (key, node) in &self.entries {
            match scalar_text(*node).map(|text| expand(&text)) {
                Some(Ok(text)) => texts.push(((*key).to_owned(), text)),
                Some(Err(message)) => self.problem(key, message),
                None => self.problem(key, format!("expected text, found {}", node.kind())),
            }
        }
        texts
    }

    /// Text, with `${env:NAME}` replaced by the environment's value.
    pub(crate) fn text(&mut self, key: &'static str) -> Option<String> {
        let node = self.node(key)?;
        match scalar_text(node) {
            Some(text) => match expand(&text) {
                Ok(text) => Some(text),
                Err(message) => {
                    self.problem(key, message);
                    None
                }
            },
            None => {
                self.problem(key, format!("expected text, found {}", node.kind()));
                None
            }
        }
    }

    /// Text that must be there. An empty string stands in for one that is not.
    pub(crate) fn required_text(&mut self, key: &'static str, what: &str) -> String {
        if self.node(key).is_none() {
            self.problem(key, format!("is missing: {what}"));
            return String::new();
        }
        self.text(key).unwrap_or_default()
    }

    /// One of a few words.
    pub(crate) fn word<T: Copy>(&mut self, key: &'static str, default: T, words: &[(&'static str, T)]) -> T {
        let Some(text) = self.text(key) else { return default };
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
            return *value;
        }
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        self.problem(key, format!("{text:?} is not one of {}{}", known.join(", "), did_you_mean(&text, &known)));
        default
    }

    /// A truth value.
    pub(crate) fn truth(&mut self, key: &'static str, default: bool) -> bool {
        let Some(node) = self.node(key) else { return default };
        let YamlData::Value(Scalar::Boolean(value)) = &node.yaml.data else {
            self.problem(key, format!("expected true or false, found {}", node.kind()));
            return default;
        };
        *value
    }

    /// A whole number within a range.
    pub(crate) fn integer(&mut self, key: &'static str, default: u64, range: RangeInclusive<u64>) -> u64 {
        let Some(node) = self.node(key) else { return default };
        match &node.yaml.data {
            YamlData::Value(Scalar::Integer(value)) => match u64::try_from(*value) {
                Ok(value) if range.contains(&value) => return value,
                _ => {
                    let message = format!("{value} is outside {} to {}", range.start(), range.end());
                    self.problem(key, message);
                }
            },
            _ => self.problem(key, format!("expected a whole number, found {}", node.kind())),
        }
        default
    }

    /// A size in bytes within a range: a number, or text such as `64MiB`.
    pub(crate) fn size(&mut self, key: &'static str, default: u64, range: RangeInclusive<u64>) -> u64 {
        let Some(node) = self.node(key) else { return default };
        let text = scalar_text(node).or_else(|| match &node.yaml.data {
            YamlData::Value(Scalar::Integer(value)) => Some(value.to_string()),
            _ => None,
        });
        match text.as_deref().map(|text| (text, units::size(text))) {
            Some((_, Some(bytes))) if range.contains(&bytes) => return bytes,
            Some((text, Some(_))) => {
                let message = format!("{text} is outside {} to {} bytes", range.start(), range.end());
                self.problem(key, message);
            }
            Some((text, None)) => {
                self.problem(key, format!("{text:?} is not a size; write bytes, or a number with KiB, MiB or GiB"));
            }
            None => self.problem(key, format!("expected a size such as 64MiB, found {}", node.kind())),
        }
        default
    }

    /// A duration within a range, such as `1m30s`.
    pub(crate) fn duration(
        &mut self,
        key: &'static str,
        default: Duration,
        range: RangeInclusive<Duration>,
    ) -> Duration {
        let Some(node) = self.node(key) else { return default };
        // Nought is the one duration that needs no unit.
        let nought = matches!(node.yaml.data, YamlData::Value(Scalar::Integer(0))).then(|| "0".to_owned());
        match scalar_text(node).or(nought).map(|text| (units::duration(&text), text)) {
            Some((Some(duration), _)) if range.contains(&duration) => return duration,
            Some((Some(_), text)) => {
                let message = format!("{text} is outside {:?} to {:?}", range.start(), range.end());
                self.problem(key, message);
            }
            Some((None, text)) => {
                self.problem(key, format!("{text:?} is not a duration; write one such as 200ms, 5s or 1m30s"));
            }
            None => {
                self.problem(key, format!("expected a duration with its unit, such as 5s, found {}", node.kind()));
            }
        }
        default
    }

    /// An address and port to listen on. `localhost` stands for 127.0.0.1.
    pub(crate) fn listen(&mut self, key: &'static str, default: SocketAddr) -> SocketAddr {
        let Some(text) = self.text(key) else { return default };
        let numeric = match text.strip_prefix("localhost:") {
            Some(port) => format!("127.0.0.1:{port}"),
            None => text.clone(),
        };
        numeric.parse().unwrap_or_else(|_| {
            self.problem(key, format!("{text:?} is not an address to listen on; write one such as 127.0.0.1:4317"));
            default
        })
    }

    /// Reports the keys that nobody asked for.
    pub(crate) fn finish(mut self) {
        // Some are asked for whether they are there, and then for what they are.
        self.asked.dedup();
        for (key, node) in &self.entries {
            if !self.asked.contains(key) {
                let known = self.asked.join(", ");
                let hint = did_you_mean(key, &self.asked);
                let message = format!("is not a known key{hint}; known here: {known}");
                self.problems.add(node.line, self.path_of(key), message);
            }
        }
    }
}

/// `; did you mean ...?`, or nothing.
pub(crate) fn did_you_mean(word: &str, known: &[&str]) -> String {
    nearest(word, known).map(|known| format!(" (did you mean {known:?}?)")).unwrap_or_default()
}

fn scalar_text(node: Node<'_>) -> Option<String> {
    match &node.yaml.data {
        YamlData::Value(Scalar::String(text)) => Some(text.to_string()),
        _ => None,
    }
}

/// Replaces each `${env:NAME}` and `${env:NAME:-default}`; `$$` is a dollar sign. This is the notation of the OpenTelemetry Collector.
fn expand(text: &str) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        if let Some(after) = after.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some((name, after)) = after.strip_prefix("{env:").and_then(|after| after.split_once('}')) {
            let (name, default) = name.split_once(":-").map_or((name, None), |(name, text)| (name, Some(text)));
            match (std::env::var(name), default) {
                (Ok(value), _) => out.push_str(&value),
                (Err(_), Some(default)) => out.push_str(default),
                (Err(_), None) => return Err(format!("the environment has no variable {name}")),
            }
            rest = after;
        } else {
            out.push('$');
            rest = after;
        }
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::expand;

    #[test]
    fn environment_variables_are_put_in_place() {
        // PATH is the one variable that every test run has.
        let path = std::env::var("PATH").unwrap();
        assert_eq!(expand("a ${env:PATH} b"), Ok(format!("a {path} b")));
        assert_eq!(expand("${env:PATH:-none}:1"), Ok(format!("{path}:1")));
        assert_eq!(expand("${env:TOLLGATE_NO_SUCH_VARIABLE:-::1}:1"), Ok("::1:1".to_owned()));
        assert_eq!(expand("$${env:PATH} costs 5$"), Ok("${env:PATH} costs 5$".to_owned()));
        assert_eq!(
            expand("${env:TOLLGATE_NO_SUCH_VARIABLE}"),
            Err("the environment has no variable TOLLGATE_NO_SUCH_VARIABLE".to_owned())
        );
    }
}
