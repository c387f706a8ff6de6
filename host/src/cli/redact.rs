//! `tollgate redact`: texts in, texts without what was found out.

use super::component::Input;
use super::explain::{self, Found};
use super::lines::{self, Object};
use serde_json::{Value, json};
use std::io::{self, Write as _};
use std::process::ExitCode;
use tollgate_columns::Given;
use tollgate_engine::Redactor;

/// The place of a text whose line does not name one.
const PLACE: &str = "text";

/// Redacts each line, or with `text` the whole input; `explain` prints what was found for people.
pub(super) fn redact(input: &Input, text: bool, explain: bool) -> ExitCode {
    let opened = input.load("pii_redactor.wasm").and_then(|plugin| {
        let config = input.config("{}")?;
        plugin.redactor(&config).map_err(|error| error.to_string())
    });
    let mut redactor = match opened {
        Ok(redactor) => redactor,
        Err(error) => return super::fail(error),
    };
    if text {
        return whole(&mut redactor, input, explain);
    }
    if explain {
        return lines::each_text(&input.file, |line| {
            let text = lines::text(line, "text")?;
            let redacted = run(&mut redactor, place(line)?, text)?;
            Ok(format!("{}\n{}", lines::id(line), explain::text(text, &redacted.found)))
        });
    }
    lines::each(&input.file, |line| Ok(vec![answer(&mut redactor, line)?]))
}

/// The whole input as one text.
fn whole(redactor: &mut Redactor, input: &Input, explain: bool) -> ExitCode {
    let text = match lines::whole(&input.file) {
        Ok(text) => text,
        Err(error) => return super::fail(error),
    };
    match run(redactor, PLACE, &text) {
        Ok(redacted) => {
            // Whoever reads may stop reading.
            let _ = if explain {
                io::stdout().write_all(explain::text(&text, &redacted.found).as_bytes())
            } else {
                for Found { kind, start, end } in &redacted.found {
                    eprintln!("{kind} {start}..{end}");
                }
                io::stdout().write_all(redacted.text.as_bytes())
            };
            ExitCode::SUCCESS
        }
        Err(error) => super::fail(error),
    }
}

fn answer(redactor: &mut Redactor, line: &Object) -> Result<Value, String> {
    let text = lines::text(line, "text")?;
    let redacted = run(redactor, place(line)?, text)?;
    let finding = |Found { kind, start, end }: &Found| json!({ "type": kind, "start": start, "end": end });
    let findings: Vec<Value> = redacted.found.iter().map(finding).collect();
    Ok(json!({ "id": lines::id(line), "text": redacted.text, "findings": findings }))
}

fn place(line: &Object) -> Result<&str, String> {
    Ok(lines::optional_text(line, "place")?.unwrap_or(PLACE))
}

struct Redacted {
    text: String,
    found: Vec<Found>,
}

fn run(redactor: &mut Redactor, place: &str, text: &str) -> Result<Redacted, String> {
    let redaction = redactor.redact(&Given::of(place, &[text])).map_err(|error| error.to_string())?;
    let types = &redactor.manifest().types;
    let found = redaction.findings.iter().map(|(_, kind, start, end)| {
        let kind = types.get(usize::from(kind)).cloned().unwrap_or_default();
        Found { kind, start, end }
    });
    let text = redaction.changed.iter().next().map_or(text, |(_, changed)| changed).to_owned();
    Ok(Redacted { text, found: found.collect() })
}
