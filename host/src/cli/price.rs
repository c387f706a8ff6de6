//! `tollgate price`: usage in, cost out, through an enricher that writes the whole bill.

use super::bill;
use super::component::Input;
use super::lines::{self, Object};
use crate::moment;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::ExitCode;
use tollgate_columns::{Batch, Edits};
use tollgate_engine::Enricher;
use tollgate_semconv::{attribute, operation};

const EXPLANATION: &str = "tollgate.cost.explanation";

/// Counts of a line's `usage`, and the attributes that carry them.
const COUNTS: [(&str, &str); 13] = [
    ("input_tokens", attribute::GEN_AI_USAGE_INPUT_TOKENS),
    ("output_tokens", attribute::GEN_AI_USAGE_OUTPUT_TOKENS),
    ("cache_read_tokens", attribute::GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS),
    ("cache_write_tokens", attribute::GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS),
    ("cache_write_5m_tokens", attribute::TOLLGATE_USAGE_CACHE_WRITE_5M_TOKENS),
    ("cache_write_1h_tokens", attribute::TOLLGATE_USAGE_CACHE_WRITE_1H_TOKENS),
    ("reasoning_tokens", attribute::GEN_AI_USAGE_REASONING_OUTPUT_TOKENS),
    ("audio_input_tokens", attribute::GEN_AI_USAGE_AUDIO_INPUT_TOKENS),
    ("audio_output_tokens", attribute::GEN_AI_USAGE_AUDIO_OUTPUT_TOKENS),
    ("image_input_tokens", attribute::GEN_AI_USAGE_IMAGE_INPUT_TOKENS),
    ("image_output_tokens", attribute::GEN_AI_USAGE_IMAGE_OUTPUT_TOKENS),
    ("cache_read_audio_tokens", attribute::GEN_AI_USAGE_AUDIO_CACHE_READ_INPUT_TOKENS),
    ("cache_read_image_tokens", attribute::GEN_AI_USAGE_IMAGE_CACHE_READ_INPUT_TOKENS),
];

/// Prices each line; `explain` prints bills for people in the place of JSON.
pub(super) fn price(input: &Input, files: &PriceFiles, explain: bool) -> ExitCode {
    match open(input, files) {
        Ok(mut enricher) if explain => lines::each_text(&input.file, |line| {
            let answer = answer(&mut enricher, line)?;
            let text = |name: &str| line.get(name).and_then(Value::as_str).unwrap_or_default();
            Ok(match answer.get("cost") {
                Some(cost) => bill::text(text("model"), text("provider"), cost),
                None => {
                    let reason = answer.get("unpriced").and_then(Value::as_str).unwrap_or_default();
                    format!("{}\n  no price: {reason}\n", text("model"))
                }
            })
        }),
        Ok(mut enricher) => lines::each(&input.file, |line| Ok(vec![answer(&mut enricher, line)?])),
        Err(error) => super::fail(error),
    }
}

/// Files that stand in the place of the prices that come with Tollgate, or on top of them.
#[derive(Debug, clap::Args)]
pub(super) struct PriceFiles {
    /// A price document in the place of the one that comes with Tollgate.
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,
    /// An overlay: negotiated prices, discounts, aliases.
    #[arg(long, value_name = "FILE")]
    overlay: Option<PathBuf>,
}

/// The cost calculator with an explanation, and with the files.
pub(super) fn open(input: &Input, files: &PriceFiles) -> Result<Enricher, String> {
    let plugin = input.load("cost_calculator.wasm")?;
    let config = input.config("{}")?;
    let mut config: Object = serde_json::from_str(&config).map_err(|error| format!("the configuration: {error}"))?;
    config.insert("explanation".to_owned(), true.into());
    for (field, file) in [("prices", &files.prices), ("overlay", &files.overlay)] {
        let Some(file) = file else { continue };
        let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        config.insert(format!("{field}_file"), file.display().to_string().into());
        config.insert(field.to_owned(), text.into());
    }
    plugin.enricher(&Value::Object(config).to_string()).map_err(|error| error.to_string())
}

fn answer(enricher: &mut Enricher, line: &Object) -> Result<Value, String> {
    let span = span(&enricher.manifest().reads, line)?;
    let edits = enricher.enrich(span).map_err(|error| error.to_string())?;
    let written = |name: &str| {
        let place = enricher.manifest().writes.iter().position(|write| write.name == name)?;
        edits.rows().next()?.text(u16::try_from(place).ok()?)
    };
    if let Some(reason) = written(attribute::TOLLGATE_COST_UNPRICED) {
        return Ok(json!({ "id": lines::id(line), "unpriced": reason }));
    }
    let bill = written(EXPLANATION).ok_or("the plugin gave neither a bill nor a reason for having none")?;
    let cost: Value = serde_json::from_str(bill).map_err(|error| format!("the plugin's bill is not JSON: {error}"))?;
    Ok(json!({ "id": lines::id(line), "cost": cost }))
}

/// The line as one span of a call, in columns of what the enricher reads.
fn span(reads: &[String], line: &Object) -> Result<Batch, String> {
    let mut span = Span { reads, edits: Edits::new(1) };
    span.text(attribute::GEN_AI_OPERATION_NAME, operation::CHAT);
    for (field, name) in [
        ("provider", attribute::GEN_AI_PROVIDER_NAME),
        ("model", attribute::GEN_AI_REQUEST_MODEL),
        ("tier", attribute::TOLLGATE_RESPONSE_SERVICE_TIER),
        ("speed", attribute::TOLLGATE_RESPONSE_SPEED),
        ("inference_geo", attribute::TOLLGATE_RESPONSE_INFERENCE_GEO),
    ] {
        if let Some(text) = lines::optional_text(line, field)? {
            span.text(name, text);
        }
    }
    let at = lines::text(line, "at")?;
    let nanoseconds =
        moment::nanoseconds(at).ok_or_else(|| format!("at: {at:?} is not a moment as RFC 3339 writes it"))?;
    span.integer("span:startTime", nanoseconds);
    match line.get("usage") {
        None | Some(Value::Null) => {}
        Some(Value::Object(usage)) => {
            for (field, name) in COUNTS {
                span.count(name, usage.get(field).unwrap_or(&Value::Null));
            }
            for (maps, prefix) in [
                ("other_units", attribute::TOLLGATE_USAGE_UNIT_PREFIX),
                ("server_tool_calls", attribute::TOLLGATE_USAGE_SERVER_TOOL_PREFIX),
            ] {
                for (name, units) in usage.get(maps).and_then(Value::as_object).into_iter().flatten() {
                    span.count(&format!("{prefix}{name}"), units);
                }
            }
            let reported = usage.get("provider_cost_nano_usd").unwrap_or(&Value::Null);
            span.count(attribute::TOLLGATE_COST_PROVIDER_NANO_USD, reported);
        }
        Some(_) => return Err("usage: is not an object".to_owned()),
    }
    Ok(span.edits.finish())
}

struct Span<'a> {
    reads: &'a [String],
    edits: Edits,
}

impl Span<'_> {
    fn place(&self, name: &str) -> Option<u16> {
        u16::try_from(self.reads.iter().position(|read| read == name)?).ok()
    }

    fn text(&mut self, name: &str, value: &str) {
        if let Some(place) = self.place(name) {
            self.edits.text(0, place, value);
        }
    }

    fn integer(&mut self, name: &str, value: i64) {
        if let Some(place) = self.place(name) {
            self.edits.integer(0, place, value);
        }
    }

    /// A count as it came: whether it is one is for the plugin to say.
    fn count(&mut self, name: &str, value: &Value) {
        match (value, value.as_i64()) {
            (Value::Null, _) => {}
            (_, Some(integer)) => self.integer(name, integer),
            (Value::Number(number), None) => {
                if let (Some(place), Some(real)) = (self.place(name), number.as_f64()) {
                    self.edits.real(0, place, real);
                }
            }
            (other, None) => self.text(name, &other.to_string()),
        }
    }
}
