//! `tollgate redact`: texts in, texts without what was found out.

use super::component::Input;
use super::explain;
use super::lines::{self, Object};
use serde_json::{Value, json};
use std::io::{self, Write as _};
use std::process::ExitCode;
use tollgate_columns::Given;
use tollgate_engine::Redactor;

/// The place of a text whose line does not name one.
const PLACE: &str = "text";

/// Redacts each line, or with `text` the whole input.
pub(super) fn redact(input: &Input, text: bool) -> ExitCode {
    let opened = input.load("pii_redactor.wasm").and_then(|plugin| {
        let config = input.config("{}")?;
        plugin.redactor(&config).map_err(|error| error.to_string())
    });
    match opened {
        Ok(mut redactor) if text => whole(&mut redactor, input).unwrap_or_else(super::fail),
        Ok(mut redactor) => lines::each(&input.file, |line| Ok(vec![answer(&mut redactor, line)?])),
        Err(error) => super::fail(error),
    }
}

/// Says what is found in each line, or with `text` in the whole input, and why.
pub(super) fn explain(input: &Input, text: bool) -> ExitCode {
    if !input.is_standard() {
        return super::fail("--explain: another component cannot say why it finds something; leave out --plugin");
    }
    let opened = input
        .config("{}")
        .and_then(|config| tollgate_pii_redactor::Redactor::configure(&config).map_err(|error| error.to_string()));
    let redactor = match opened {
        Ok(redactor) => redactor,
        Err(error) => return super::fail(error),
    };
    if !text {
        return lines::each_text(&input.file, |line| {
            Ok(format!("{}\n{}", lines::id(line), explain::text(&redactor, lines::text(line, "text")?)))
        });
    }
    match lines::whole(&input.file) {
        Ok(text) => {
            // Whoever reads may stop reading.
            let _ = io::stdout().write_all(explain::text(&redactor, &text).as_bytes());
            ExitCode::SUCCESS
        }
        Err(error) => super::fail(error),
    }
}

/// The whole input as one text.
fn whole(redactor: &mut Redactor, input: &Input) -> Result<ExitCode, String> {
    let text = lines::whole(&input.file)?;
    let redacted = run(redactor, PLACE, &text)?;
    for Found { kind, start, end } in &redacted.found {
        eprintln!("{kind} {start}..{end}");
    }
    let _ = io::stdout().write_all(redacted.text.as_bytes());
    Ok(ExitCode::SUCCESS)
}

fn answer(redactor: &mut Redactor, line: &Object) -> Result<Value, String> {
    let text = lines::text(line, "text")?;
    let place = lines::optional_text(line, "place")?.unwrap_or(PLACE);
    let redacted = run(redactor, place, text)?;
    let finding = |Found { kind, start, end }: &Found| json!({ "type": kind, "start": start, "end": end });
    let findings: Vec<Value> = redacted.found.iter().map(finding).collect();
    Ok(json!({ "id": lines::id(line), "text": redacted.text, "findings": findings }))
}

/// A finding: its type, and its bytes in the text as it was given.
struct Found {
    kind: String,
    start: u32,
    end: u32,
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
