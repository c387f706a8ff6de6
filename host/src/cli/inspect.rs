//! `tollgate plugin inspect`.

use super::fail;
use serde_json::{Value, json};
use std::path::Path;
use std::process::ExitCode;
use tollgate_columns::{Attribute, Kind};
use tollgate_engine::{ConfigureError, Engine, EngineConfig, Plugin, World};

pub(super) fn inspect(file: &Path, config: &str, as_json: bool) -> ExitCode {
    match describe(file, config) {
        Ok(description) if as_json => {
            println!("{description:#}");
            ExitCode::SUCCESS
        }
        Ok(description) => {
            print!("{}", text(&description));
            ExitCode::SUCCESS
        }
        Err(why) => fail(format!("{}: {why}", file.display())),
    }
}

fn describe(file: &Path, config: &str) -> Result<Value, Box<dyn std::error::Error>> {
    let bytes = std::fs::read(file)?;
    let engine = Engine::new(EngineConfig { instances: 2, ..EngineConfig::default() })?;
    let plugin = engine.load(&bytes)?;
    let outside = plugin.describe();
    let worlds: Vec<&str> = outside.worlds.iter().map(|world| world.name()).collect();
    let manifests: serde_json::Map<String, Value> = outside
        .worlds
        .iter()
        .map(|&world| {
            let shown = manifest(&plugin, world, config).unwrap_or_else(|error| json!({ "error": error.to_string() }));
            (world.name().to_owned(), shown)
        })
        .collect();
    Ok(json!({
        "file": file.display().to_string(),
        "package": format!("tollgate:plugin@{}", outside.version),
        "worlds": worlds,
        "imports": outside.imports,
        "size": outside.size,
        "sha256": outside.sha256.to_string(),
        "manifests": manifests,
    }))
}

fn manifest(plugin: &Plugin, world: World, config: &str) -> Result<Value, ConfigureError> {
    Ok(match world {
        World::Enricher => {
            let enricher = plugin.enricher(config)?;
            let manifest = enricher.manifest();
            let writes: Vec<Value> = manifest.writes.iter().map(written).collect();
            json!({ "name": manifest.name, "version": manifest.version, "reads": manifest.reads, "writes": writes })
        }
        World::Redactor => {
            let redactor = plugin.redactor(config)?;
            let manifest = redactor.manifest();
            json!({ "name": manifest.name, "version": manifest.version, "types": manifest.types })
        }
        World::Sampler => {
            let sampler = plugin.sampler(config)?;
            let manifest = sampler.manifest();
            json!({
                "name": manifest.name,
                "version": manifest.version,
                "reads": manifest.reads,
                "rules": manifest.rules,
            })
        }
        World::Extractor => {
            let extractor = plugin.extractor(config)?;
            let manifest = extractor.manifest();
            json!({ "name": manifest.name, "version": manifest.version, "apis": manifest.apis })
        }
    })
}

fn written(attribute: &Attribute) -> Value {
    let kind = match attribute.kind {
        Kind::Text => "text",
        Kind::Integer => "integer",
        Kind::Real => "real",
        Kind::Boolean => "boolean",
        Kind::Composite => "composite",
    };
    json!({ "name": attribute.name, "kind": kind })
}

/// The description as lines for people.
fn text(description: &Value) -> String {
    let mut lines = String::new();
    for key in ["file", "package", "worlds", "imports", "size", "sha256"] {
        let value = description.get(key).map(shown).unwrap_or_default();
        let unit = if key == "size" { " bytes" } else { "" };
        lines.push_str(&format!("{key:<8} {value}{unit}\n"));
    }
    let manifests = description.get("manifests").and_then(Value::as_object).into_iter().flatten();
    for (world, manifest) in manifests {
        lines.push_str(&format!("\n{world}\n"));
        for (key, value) in manifest.as_object().into_iter().flatten() {
            match value {
                Value::Array(items) => {
                    lines.push_str(&format!("  {key} ({})\n", items.len()));
                    items.iter().for_each(|item| lines.push_str(&format!("    {}\n", shown(item))));
                }
                value => lines.push_str(&format!("  {key:<8} {}\n", shown(value))),
            }
        }
    }
    lines
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Array(items) => items.iter().map(shown).collect::<Vec<_>>().join(", "),
        Value::Object(object) => object.values().rev().map(shown).collect::<Vec<_>>().join(": "),
        other => other.to_string(),
    }
}
