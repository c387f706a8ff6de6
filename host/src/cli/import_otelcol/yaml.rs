//! JSON values as YAML for people.

use serde_json::{Map, Value};
use std::fmt::Write as _;

/// Writes a document. Small mappings and lists stand on one line.
pub(super) fn write(out: &mut String, value: &Value) {
    block(out, value, 0);
}

/// Longest line of a mapping or list in flow style.
const LINE: usize = 100;

fn block(out: &mut String, value: &Value, indent: usize) {
    let pad = " ".repeat(indent);
    match value {
        Value::Object(object) => {
            for (key, value) in ordered(object) {
                let _ = write!(out, "{pad}{}:", scalar(key));
                below(out, value, indent);
            }
        }
        Value::Array(items) => {
            for item in items {
                let _ = write!(out, "{pad}-");
                let mut inner = String::new();
                below(&mut inner, item, indent);
                // The first line of a mapping stands beside its dash.
                match inner.strip_prefix('\n') {
                    Some(lines) => {
                        let _ = write!(out, " {}", lines.trim_start());
                    }
                    None => out.push_str(&inner),
                }
            }
        }
        _ => {}
    }
}

/// A value behind a key or a dash: on the same line where it is short, else below.
fn below(out: &mut String, value: &Value, indent: usize) {
    let line = flow(value);
    if indent > 0 && line.len() + indent <= LINE || !matches!(value, Value::Object(_) | Value::Array(_)) {
        let _ = writeln!(out, " {line}");
    } else {
        out.push('\n');
        block(out, value, indent + 2);
    }
}

/// Entries with what they are called by first.
fn ordered(object: &Map<String, Value>) -> impl Iterator<Item = (&String, &Value)> {
    const FIRST: [&str; 4] = ["name", "type", "key", "path"];
    let first = FIRST.into_iter().filter_map(|key| object.get_key_value(key));
    first.chain(object.iter().filter(|(key, _)| !FIRST.contains(&key.as_str())))
}

fn flow(value: &Value) -> String {
    match value {
        Value::Object(object) => {
            let entries: Vec<String> =
                ordered(object).map(|(key, value)| format!("{}: {}", scalar(key), flow(value))).collect();
            format!("{{{}}}", entries.join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::String(text) => scalar(text),
        other => other.to_string(),
    }
}

/// A text, in quotation marks unless it can only be read as one.
fn scalar(text: &str) -> String {
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-./".contains(&byte))
        && !matches!(
            text.to_ascii_lowercase().as_str(),
            "true" | "false" | "yes" | "no" | "on" | "off" | "null" | "y" | "n"
        );
    let duration = text.ends_with(['s', 'm', 'h']) && text.starts_with(|c: char| c.is_ascii_digit());
    if plain || duration && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.') {
        text.to_owned()
    } else {
        Value::from(text).to_string()
    }
}
