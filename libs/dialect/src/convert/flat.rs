//! Lists flattened into attributes, one for each leaf, with places in their names.
//!
//! Source: the semantic conventions of OpenInference, "Flattened list attributes".

use super::chat::arguments;
use super::messages::{Message, Part};
use super::{Outcome, json};
use std::fmt::Write as _;
use tollgate_otlp::{AttributeWriter, JsonValue, Value};

/// Most attributes that one list is flattened into. Receivers bound the attributes of a span too; what a longer list has
/// beyond is in the attribute that holds the list whole.
const MOST: usize = 2_000;

/// Writes attributes until there are too many.
struct Flat<'o, 'w> {
    out: &'o mut AttributeWriter<'w>,
    prefix: &'o str,
    name: String,
    written: usize,
}

impl Flat<'_, '_> {
    fn set(&mut self, name: std::fmt::Arguments<'_>, value: &str) {
        if self.written < MOST {
            self.name.clear();
            self.name.push_str(self.prefix);
            // Writing to a string does not fail.
            let _ = self.name.write_fmt(name);
            self.out.set(&self.name, value);
        }
        self.written += 1;
    }

    fn outcome(&self) -> Outcome {
        match self.written {
            0 => Outcome::Absent,
            written if written > MOST => Outcome::Bad,
            _ => Outcome::Written,
        }
    }
}

/// Writes messages under `prefix`.
pub(super) fn messages(list: &[Message<'_>], prefix: &str, out: &mut AttributeWriter<'_>) -> Outcome {
    let mut flat = Flat { out, prefix, name: String::new(), written: 0 };
    for (i, message) in list.iter().enumerate() {
        flat.set(format_args!("{i}.message.role"), message.role);
        if let Some(id) = message.answers {
            flat.set(format_args!("{i}.message.tool_call_id"), id);
        }
        match message.content.as_slice() {
            [Part::Text(text)] => flat.set(format_args!("{i}.message.content"), text),
            [Part::Other(value)] if message.answers.is_some() => {
                flat.set(format_args!("{i}.message.content"), &json(*value));
            }
            parts => {
                let parts = parts.iter().filter(|part| is_shown(part));
                parts.enumerate().for_each(|(j, part)| content(&mut flat, i, j, part));
            }
        }
        for (j, call) in message.calls.iter().enumerate() {
            let place = format_args!("{i}.message.tool_calls.{j}.tool_call").to_string();
            if !call.id.is_empty() {
                flat.set(format_args!("{place}.id"), call.id);
            }
            flat.set(format_args!("{place}.function.name"), call.name);
            flat.set(format_args!("{place}.function.arguments"), &arguments(call.arguments));
        }
    }
    flat.outcome()
}

/// OpenInference has names for text and images; the rest is in the attribute that holds the list whole.
fn is_shown(part: &Part<'_>) -> bool {
    match part {
        Part::Text(_) => true,
        Part::Uri { modality, .. } | Part::Blob { modality, .. } => *modality == "image",
        Part::Reasoning(_) | Part::Other(_) => false,
    }
}

fn content(flat: &mut Flat<'_, '_>, i: usize, j: usize, part: &Part<'_>) {
    let place = format!("{i}.message.contents.{j}.message_content");
    let image = match part {
        Part::Text(text) => {
            flat.set(format_args!("{place}.type"), "text");
            flat.set(format_args!("{place}.text"), text);
            return;
        }
        Part::Uri { uri, .. } => (*uri).to_owned(),
        Part::Blob { mime_type, base64, .. } => format!("data:{mime_type};base64,{base64}"),
        Part::Reasoning(_) | Part::Other(_) => return,
    };
    flat.set(format_args!("{place}.type"), "image");
    flat.set(format_args!("{place}.image.image.url"), &image);
}

/// Writes definitions of tools under `prefix`, each as JSON text.
pub(super) fn tools(value: Value<'_>, prefix: &str, out: &mut AttributeWriter<'_>) -> Outcome {
    let parsed;
    let value = match value {
        Value::Text(text) => match JsonValue::parse(text) {
            Ok(json) => {
                parsed = json;
                parsed.value()
            }
            Err(_) => return Outcome::Bad,
        },
        value => value,
    };
    let Value::Array(list) = value else { return Outcome::Bad };
    let mut flat = Flat { out, prefix, name: String::new(), written: 0 };
    for (i, tool) in list.iter().enumerate() {
        flat.set(format_args!("{i}.tool.json_schema"), &json(tool));
    }
    flat.outcome()
}
