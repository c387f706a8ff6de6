//! `tollgate redact`: texts in, texts without what was found out.

use super::component::Input;
use super::lines::{self, Object};
use serde_json::{Value, json};
use std::process::ExitCode;
use tollgate_columns::Texts;
use tollgate_engine::Redactor;

pub(super) fn redact(input: &Input) -> ExitCode {
    let opened = input.load("pii_redactor.wasm").and_then(|plugin| {
        let config = input.config("{}")?;
        plugin.redactor(&config).map_err(|error| error.to_string())
    });
    match opened {
        Ok(mut redactor) => lines::each(&input.file, |line| Ok(vec![answer(&mut redactor, line)?])),
        Err(error) => super::fail(error),
    }
}

fn answer(redactor: &mut Redactor, line: &Object) -> Result<Value, String> {
    let text = lines::text(line, "text")?;
    let mut texts = Texts::default();
    texts.push(0, text);
    let redaction = redactor.redact(&texts).map_err(|error| error.to_string())?;
    let types = &redactor.manifest().types;
    let findings: Vec<Value> = redaction
        .findings
        .iter()
        .map(|(_, kind, start, end)| {
            let name = types.get(usize::from(kind)).map_or("", String::as_str);
            json!({ "type": name, "start": start, "end": end })
        })
        .collect();
    let redacted = redaction.changed.iter().next().map_or(text, |(_, changed)| changed);
    Ok(json!({ "id": lines::id(line), "text": redacted, "findings": findings }))
}
