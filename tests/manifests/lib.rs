//! Reads the manifests in `examples/`, for the tests beside.

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Number, Value};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// The folders with manifests.
pub const FOLDERS: [&str; 3] = ["examples/istio", "examples/envoy-gateway", "examples/kubernetes"];

/// The root of the checkout.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap_or_default()
}

/// A document of a manifest.
#[derive(Debug)]
pub struct Document {
    /// The file it is in, from the root of the checkout.
    pub file: String,
    /// What it says.
    pub value: Value,
}

/// Every document of every manifest.
///
/// # Errors
/// A sentence that says which file cannot be read.
pub fn documents() -> Result<Vec<Document>, String> {
    let mut files = Vec::new();
    for folder in FOLDERS {
        let entries = fs::read_dir(root().join(folder)).map_err(|error| format!("{folder}: {error}"))?;
        for entry in entries {
            let name = entry.map_err(|error| format!("{folder}: {error}"))?.file_name();
            let name = name.to_string_lossy();
            if name.ends_with(".yaml") {
                files.push(format!("{folder}/{name}"));
            }
        }
    }
    files.sort();
    let mut documents = Vec::new();
    for file in files {
        let text = fs::read_to_string(root().join(&file)).map_err(|error| format!("{file}: {error}"))?;
        let values = yaml(&text).map_err(|error| format!("{file}: {error}"))?;
        documents.extend(values.into_iter().map(|value| Document { file: file.clone(), value }));
    }
    Ok(documents)
}

/// Says that a test does not run, and why, also where its runner keeps to itself what tests say.
///
/// # Panics
/// With `TOLLGATE_REQUIRE_DATA=1`, where a run without it would prove less.
pub fn skipped(why: &str) {
    let required = std::env::var_os("TOLLGATE_REQUIRE_DATA").is_some_and(|value| value == "1");
    assert!(!required, "{why}");
    let _shown = writeln!(std::io::stderr(), "SKIPPED: {why}");
}

/// The documents of a YAML text, as JSON.
///
/// # Errors
/// A sentence that says what is no YAML, or has no JSON.
pub fn yaml(text: &str) -> Result<Vec<Value>, String> {
    let documents = Yaml::load_from_str(text).map_err(|error| error.to_string())?;
    documents.iter().map(json).collect()
}

fn json(yaml: &Yaml<'_>) -> Result<Value, String> {
    match yaml {
        Yaml::Value(Scalar::Null) => Ok(Value::Null),
        Yaml::Value(Scalar::Boolean(value)) => Ok(Value::Bool(*value)),
        Yaml::Value(Scalar::Integer(value)) => Ok(Value::from(*value)),
        Yaml::Value(Scalar::FloatingPoint(value)) => {
            Number::from_f64(value.into_inner()).map(Value::Number).ok_or_else(|| "a number that is none".to_owned())
        }
        Yaml::Value(Scalar::String(value)) => Ok(Value::String(value.to_string())),
        Yaml::Sequence(items) => items.iter().map(json).collect(),
        Yaml::Mapping(members) => {
            let mut map = Map::new();
            for (name, value) in members {
                let Yaml::Value(Scalar::String(name)) = name else {
                    return Err("a member whose name is no text".to_owned());
                };
                map.insert(name.to_string(), json(value)?);
            }
            Ok(Value::Object(map))
        }
        other => Err(format!("{other:?} is not read here")),
    }
}
