//! A Collector's configuration, as far as sampling is concerned.

use saphyr::{LoadableYamlNode, MarkedYaml, Scalar, YamlData};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What was found in a file.
#[derive(Debug, Default)]
pub(super) struct Document {
    /// `tail_sampling` processors in order.
    pub(super) processors: Vec<Processor>,
    /// Pipelines of traces.
    pub(super) pipelines: Vec<Pipeline>,
}

/// A `tail_sampling` processor.
#[derive(Debug)]
pub(super) struct Processor {
    pub(super) name: String,
    pub(super) line: usize,
    pub(super) settings: Map<String, Value>,
    lines: BTreeMap<String, usize>,
}

/// A pipeline of traces.
#[derive(Debug)]
pub(super) struct Pipeline {
    pub(super) line: usize,
    pub(super) processors: Vec<String>,
    pub(super) exporters: Vec<String>,
}

impl Processor {
    /// The line of a path such as `policies[0].latency`, or of the nearest thing around it.
    pub(super) fn line_of(&self, path: &str) -> usize {
        let mut path = path;
        while !path.is_empty() {
            if let Some(line) = self.lines.get(path) {
                return *line;
            }
            path = path.rfind(['.', '[']).and_then(|end| path.get(..end)).unwrap_or_default();
        }
        self.line
    }

    /// The policies.
    pub(super) fn policies(&self) -> &[Value] {
        self.settings.get("policies").and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }
}

/// Reads the file.
///
/// # Errors
/// It is not YAML, or has no such processor.
pub(super) fn load(text: &str) -> Result<Document, String> {
    let documents = MarkedYaml::load_from_str(text)
        .map_err(|error| format!("line {}: is not YAML: {}", error.marker().line(), error.info()))?;
    let mut found = Document::default();
    let Some(root) = documents.first() else { return Err("the file is empty".to_owned()) };
    for (name, node, line) in get(root, "processors").map(entries).unwrap_or_default() {
        if name == "tail_sampling" || name.starts_with("tail_sampling/") {
            let mut lines = BTreeMap::new();
            let settings = match value(node, String::new(), &mut lines) {
                Value::Object(settings) => settings,
                _ => Map::new(),
            };
            found.processors.push(Processor { name: name.to_owned(), line, settings, lines });
        }
    }
    if found.processors.is_empty() {
        return Err("there is no processor tail_sampling in it".to_owned());
    }
    let pipelines = get(root, "service").and_then(|service| get(service, "pipelines"));
    for (name, node, line) in pipelines.map(entries).unwrap_or_default() {
        if name == "traces" || name.starts_with("traces/") {
            let names = |key| get(node, key).map(texts).unwrap_or_default();
            found.pipelines.push(Pipeline { line, processors: names("processors"), exporters: names("exporters") });
        }
    }
    Ok(found)
}

fn entries<'a, 'y>(node: &'a MarkedYaml<'y>) -> Vec<(&'a str, &'a MarkedYaml<'y>, usize)> {
    let YamlData::Mapping(mapping) = &node.data else { return Vec::new() };
    let entry = |(key, value): (&'a MarkedYaml<'y>, &'a MarkedYaml<'y>)| match &key.data {
        YamlData::Value(Scalar::String(name)) => Some((name.as_ref(), value, key.span.start.line())),
        _ => None,
    };
    mapping.iter().filter_map(entry).collect()
}

fn get<'a, 'y>(node: &'a MarkedYaml<'y>, key: &str) -> Option<&'a MarkedYaml<'y>> {
    entries(node).into_iter().find(|(name, _, _)| *name == key).map(|(_, value, _)| value)
}

fn texts(node: &MarkedYaml<'_>) -> Vec<String> {
    let YamlData::Sequence(items) = &node.data else { return Vec::new() };
    let text = |item: &MarkedYaml<'_>| match &item.data {
        YamlData::Value(Scalar::String(text)) => Some(text.to_string()),
        _ => None,
    };
    items.iter().filter_map(text).collect()
}

/// The value as JSON, with the line of each path. What JSON cannot say is null.
fn value(yaml: &MarkedYaml<'_>, path: String, lines: &mut BTreeMap<String, usize>) -> Value {
    match &yaml.data {
        YamlData::Value(Scalar::Boolean(value)) => Value::Bool(*value),
        YamlData::Value(Scalar::Integer(value)) => Value::from(*value),
        YamlData::Value(Scalar::FloatingPoint(value)) => Value::from(value.into_inner()),
        // Go's parser takes `50_000` for a number.
        YamlData::Value(Scalar::String(text)) => match text.replace('_', "").parse::<u64>() {
            Ok(number) if text.contains('_') && !text.starts_with('_') => Value::from(number),
            _ => Value::String(text.to_string()),
        },
        YamlData::Sequence(items) => {
            let item = |(index, item): (usize, &MarkedYaml<'_>)| {
                let path = format!("{path}[{index}]");
                lines.insert(path.clone(), item.span.start.line());
                value(item, path, lines)
            };
            items.iter().enumerate().map(item).collect()
        }
        YamlData::Mapping(_) => {
            let mut object = Map::new();
            for (name, item, line) in entries(yaml) {
                let path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
                lines.insert(path.clone(), line);
                object.insert(name.to_owned(), value(item, path, lines));
            }
            Value::Object(object)
        }
        _ => Value::Null,
    }
}
