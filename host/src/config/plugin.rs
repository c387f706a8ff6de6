//! One plugin of a stage, and the YAML of its own configuration turned into the JSON text that it reads.

use super::problem::Problems;
use super::section::{Node, Section};
use saphyr::{MarkedYaml, Scalar, YamlData};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// What happens to a batch when the plugin fails on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnError {
    /// The batch goes on without what the plugin would have done: `bypass`, and for redactors `pass`.
    Bypass,
    /// The batch is refused with a retryable status.
    Block,
    /// Redactors only: the batch goes on with something else in the place of each text that the plugin should have seen.
    MaskAll,
}

/// Words of the configuration, each with what it stands for.
pub(super) type Words = &'static [(&'static str, OnError)];

impl OnError {
    /// The words for enrichers and samplers.
    pub(super) const OTHERS: Words = &[("bypass", Self::Bypass), ("block", Self::Block)];
    /// The words for redactors: a text that a redactor has not seen is passed, which is more than a bypass.
    pub(super) const REDACTORS: Words = &[("block", Self::Block), ("pass", Self::Bypass), ("mask_all", Self::MaskAll)];
}

/// Limits of one plugin's instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most linear memory, in bytes.
    pub memory: u64,
    /// Longest that one call may take.
    pub deadline: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { memory: 64 << 20, deadline: Duration::from_secs(1) }
    }
}

/// A plugin as the configuration names it.
#[derive(Clone, Debug, PartialEq)]
pub struct Plugin {
    /// Name for logs and counters: the file's stem unless given.
    pub name: String,
    /// The component file.
    pub path: PathBuf,
    /// SHA-256 that the file must have, in lower-case hexadecimal.
    pub sha256: Option<String>,
    /// What happens when it fails.
    pub on_error: OnError,
    /// Its configuration, as JSON text, without the files.
    pub config: String,
    /// Files whose text belongs into the configuration, by the field that it is the value of.
    pub files: BTreeMap<String, PathBuf>,
    /// Its limits.
    pub limits: Limits,
    /// Where it stands in the file, for problems that only the plugin can find.
    pub place: Place,
}

/// Where a plugin, and each value of its configuration, stands in the file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Place {
    /// Path of the plugin, for example `enrich[0]`.
    pub path: String,
    /// Line of the plugin.
    pub line: usize,
    lines: BTreeMap<String, usize>,
}

impl Place {
    /// The line of a path that the plugin names, or of the nearest thing around it that the file has.
    #[must_use]
    pub fn line_of(&self, path: &str) -> usize {
        let mut path = path;
        loop {
            if let Some(line) = self.lines.get(path) {
                return *line;
            }
            match path.rfind(['.', '[']).and_then(|end| path.get(..end)) {
                Some(shorter) => path = shorter,
                None => return self.lines.get("").copied().unwrap_or(self.line),
            }
        }
    }
}

impl Plugin {
    /// The plugin without where it stands in the file, to compare it with another.
    #[must_use]
    pub fn without_place(&self) -> Self {
        Self { place: Place::default(), ..self.clone() }
    }

    pub(super) fn read(mut section: Section<'_>, words: Words, default_on_error: OnError) -> Self {
        let path = section.required_text("path", "the component file, such as target/tollgate/plugins/sampler.wasm");
        let path = PathBuf::from(path);
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let name = section.text("name").unwrap_or(stem);
        let sha256 = section.text("sha256").and_then(|digest| {
            let digest = digest.strip_prefix("sha256:").unwrap_or(&digest).to_ascii_lowercase();
            let whole = digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
            if !whole {
                section.problem("sha256", "is not a SHA-256 digest; write its 64 hexadecimal digits");
            }
            whole.then_some(digest)
        });
        let on_error = section.word("on_error", default_on_error, words);
        let limits = match section.section("limits") {
            Some(mut section) => {
                let default = Limits::default();
                let limits = Limits {
                    memory: section.size("memory", default.memory, (1 << 20)..=(4 << 30)),
                    deadline: section.duration(
                        "deadline",
                        default.deadline,
                        Duration::from_millis(1)..=Duration::from_secs(60),
                    ),
                };
                section.finish();
                limits
            }
            None => Limits::default(),
        };
        let mut place = Place { path: section.path.clone(), line: section.line, ..Place::default() };
        let config = match section.node("config") {
            Some(node) => {
                place.lines.insert(String::new(), node.line);
                json(node, &section, &mut place.lines)
            }
            None => "{}".to_owned(),
        };
        let files = match section.section("files") {
            Some(mut section) => {
                let files = section.texts().into_iter().map(|(field, file)| (field, PathBuf::from(file))).collect();
                let _ = section.entries();
                section.finish();
                files
            }
            None => BTreeMap::new(),
        };
        section.finish();
        Self { name, path, sha256, on_error, config, files, limits, place }
    }

    /// The configuration with the text of its files, each under its field, and its name under the field with `_file`
    /// behind it.
    ///
    /// # Errors
    /// The field whose file cannot be read, and why.
    pub fn whole_config(&self) -> Result<String, (String, String)> {
        if self.files.is_empty() {
            return Ok(self.config.clone());
        }
        let mut config: serde_json::Map<_, _> = serde_json::from_str(&self.config)
            .map_err(|_| ("config".to_owned(), "has files beside it, and is no mapping".to_owned()))?;
        for (field, file) in &self.files {
            let text = std::fs::read_to_string(file)
                .map_err(|error| (format!("files.{field}"), format!("{}: {error}", file.display())))?;
            config.insert(format!("{field}_file"), file.display().to_string().into());
            config.insert(field.clone(), text.into());
        }
        Ok(serde_json::Value::Object(config).to_string())
    }

    /// Reads the list of plugins of a stage.
    pub(super) fn list(
        root: &mut Section<'_>,
        key: &'static str,
        words: Words,
        default_on_error: OnError,
        problems: &Problems,
    ) -> Vec<Self> {
        let items = root.list(key);
        let mut plugins: Vec<Self> = Vec::new();
        for (node, path) in items {
            let plugin = Self::read(Section::open(node, path.as_str(), problems), words, default_on_error);
            if plugins.iter().any(|other| other.name == plugin.name) {
                let message =
                    format!("another plugin of this stage is named {:?}; give one of them a name", plugin.name);
                problems.add(plugin.place.line, path, message);
            }
            plugins.push(plugin);
        }
        plugins
    }
}

fn json(node: Node<'_>, section: &Section<'_>, lines: &mut BTreeMap<String, usize>) -> String {
    match value(node.yaml(), String::new(), lines) {
        Ok(value) => value.to_string(),
        Err(message) => {
            section.problem("config", message);
            "{}".to_owned()
        }
    }
}

fn value(
    yaml: &MarkedYaml<'_>,
    path: String,
    lines: &mut BTreeMap<String, usize>,
) -> Result<serde_json::Value, String> {
    use serde_json::Value;
    Ok(match &yaml.data {
        YamlData::Value(Scalar::Null) => Value::Null,
        YamlData::Value(Scalar::Boolean(value)) => Value::Bool(*value),
        YamlData::Value(Scalar::Integer(value)) => Value::from(*value),
        YamlData::Value(Scalar::FloatingPoint(value)) => serde_json::Number::from_f64(value.into_inner())
            .map(Value::Number)
            .ok_or_else(|| format!("{path}: JSON has no infinity and no NaN"))?,
        YamlData::Value(Scalar::String(text)) => Value::String(text.to_string()),
        YamlData::Sequence(items) => {
            let mut list = Vec::with_capacity(items.len());
            for (index, item) in items.iter().enumerate() {
                let path = format!("{path}[{index}]");
                lines.insert(path.clone(), item.span.start.line());
                list.push(value(item, path, lines)?);
            }
            Value::Array(list)
        }
        YamlData::Mapping(mapping) => {
            let mut object = serde_json::Map::new();
            for (key, item) in mapping {
                let name = match &key.data {
                    YamlData::Value(Scalar::String(name)) => name.to_string(),
                    YamlData::Value(Scalar::Integer(number)) => number.to_string(),
                    YamlData::Value(Scalar::Boolean(truth)) => truth.to_string(),
                    _ => return Err(format!("{path}: keys are text; put quotes around them")),
                };
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                lines.insert(path.clone(), key.span.start.line());
                object.insert(name, value(item, path, lines)?);
            }
            Value::Object(object)
        }
        _ => return Err(format!("{path}: tags cannot be written as JSON")),
    })
}
