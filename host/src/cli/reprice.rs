//! `tollgate reprice`: recorded spans priced once more, by other prices.
//!
//! Spans come as the file output writes them, one OTLP/JSON request a line. Each call that has a cost, or a reason for
//! having none, is priced anew with the price of its own time; what differs is printed, and at the end the sums.

use super::component::Input;
use super::lines::{self, Object};
use super::price::{self, PriceFiles};
use crate::money::signed_usd;
use crate::receivers::{Signal, to_protobuf};
use crate::stages::hexadecimal;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::process::ExitCode;
use tollgate_columns::{Batch, Row};
use tollgate_engine::Enricher;
use tollgate_otlp::{Limits, Reads, Span, TraceRequest};
use tollgate_semconv::attribute as name;

/// Models in the sums; the calls of further ones are summed under `other`.
const MODELS: usize = 10_000;

pub(super) fn reprice(input: &Input, files: &PriceFiles) -> ExitCode {
    let opened = price::open(input, files).and_then(|enricher| {
        let reads = Reads::compile(&enricher.manifest().reads).map_err(|error| error.to_string())?;
        let reprice = Reprice { enricher, sums: BTreeMap::new(), is_done: false };
        Ok((reprice, reads))
    });
    match opened {
        Ok((mut reprice, reads)) => lines::each_then(
            &input.file,
            &mut reprice,
            |reprice, line| reprice.line(&reads, line),
            |reprice| (!std::mem::replace(&mut reprice.is_done, true)).then(|| Ok(vec![reprice.summary()])),
        ),
        Err(error) => super::fail(error),
    }
}

struct Reprice {
    enricher: Enricher,
    /// By provider and model.
    sums: BTreeMap<(String, String), Sums>,
    is_done: bool,
}

/// Calls, and what they cost by both prices, in billionths of a US dollar.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    calls: u64,
    changed: u64,
    unpriced: u64,
    before: i128,
    after: i128,
}

impl Reprice {
    fn line(&mut self, reads: &Reads, line: &Object) -> Result<Vec<Value>, String> {
        let json = serde_json::to_vec(line).map_err(|error| error.to_string())?;
        let request = to_protobuf(Signal::Traces, &json).map_err(|refusal| refusal.to_string())?;
        let limits = Limits { bytes: usize::MAX, ..Limits::default() };
        let scanned = TraceRequest::scan(&request, &limits).map_err(|error| error.to_string())?;
        let mut spans = reads.project(scanned.spans());
        let place = |name: &str| place(&self.enricher.manifest().reads, name);
        let (cost, reason) = (place(name::TOLLGATE_COST_NANO_USD), place(name::TOLLGATE_COST_UNPRICED));
        let before: Vec<Option<i64>> = spans.rows().map(|row| row.integer(cost?)).collect();
        let was_priced: Vec<bool> = spans.rows().map(|row| is_known(row, cost, reason)).collect();
        // The calculator leaves alone what has a cost, or a reason for having none.
        forget(&mut spans, &[cost, reason]);
        let edits = self.enricher.enrich(spans).map_err(|error| error.to_string())?;
        let mut answers = Vec::new();
        for ((row, span), (before, known)) in edits.rows().zip(scanned.spans()).zip(before.into_iter().zip(was_priced))
        {
            if known {
                answers.extend(self.call(row, &span, before));
            }
        }
        Ok(answers)
    }

    fn call(&mut self, row: Row<'_>, span: &Span<'_>, before: Option<i64>) -> Option<Value> {
        let writes = &self.enricher.manifest().writes;
        let place =
            |name: &str| writes.iter().position(|write| write.name == name).and_then(|at| u16::try_from(at).ok());
        let text = |name: &str| place(name).and_then(|place| row.text(place));
        let after = place(name::TOLLGATE_COST_NANO_USD).and_then(|place| row.integer(place));
        let attribute = |name: &str| {
            let value = span.attributes().get(name).and_then(|value| value.as_text());
            value.unwrap_or_default().to_owned()
        };
        let model = [name::GEN_AI_RESPONSE_MODEL, name::GEN_AI_REQUEST_MODEL].map(attribute);
        let model = model.into_iter().find(|model| !model.is_empty()).unwrap_or_default();
        let mut key = (attribute(name::GEN_AI_PROVIDER_NAME), model);
        if self.sums.len() >= MODELS && !self.sums.contains_key(&key) {
            key = ("other".to_owned(), "other".to_owned());
        }
        let sums = self.sums.entry(key.clone()).or_default();
        sums.calls += 1;
        sums.before += i128::from(before.unwrap_or(0));
        sums.after += i128::from(after.unwrap_or(0));
        sums.unpriced += u64::from(after.is_none());
        if before == after {
            return None;
        }
        sums.changed += 1;
        Some(json!({
            "trace_id": hexadecimal(&span.trace_id()),
            "span_id": hexadecimal(&span.span_id()),
            "provider": key.0,
            "model": key.1,
            "before_nano_usd": before,
            "after_nano_usd": after,
            "unpriced": text(name::TOLLGATE_COST_UNPRICED),
            "price_row": text(name::TOLLGATE_COST_PRICE_ROW),
            "parts": text(name::TOLLGATE_COST_PARTS),
        }))
    }

    /// The sums, by model and in all.
    fn summary(&self) -> Value {
        let mut all = Sums::default();
        let mut models = Vec::new();
        for ((provider, model), sums) in &self.sums {
            all.calls += sums.calls;
            all.changed += sums.changed;
            all.unpriced += sums.unpriced;
            all.before += sums.before;
            all.after += sums.after;
            let mut of_model = sums.json();
            if let Some(fields) = of_model.as_object_mut() {
                fields.insert("provider".to_owned(), provider.as_str().into());
                fields.insert("model".to_owned(), model.as_str().into());
            }
            models.push(of_model);
        }
        json!({ "summary": { "total": all.json(), "by_model": models } })
    }
}

impl Sums {
    fn json(self) -> Value {
        json!({
            "calls": self.calls,
            "changed": self.changed,
            "unpriced": self.unpriced,
            "before_usd": signed_usd(self.before),
            "after_usd": signed_usd(self.after),
            "difference_usd": signed_usd(self.after - self.before),
        })
    }
}

fn place(reads: &[String], name: &str) -> Option<u16> {
    u16::try_from(reads.iter().position(|read| read == name)?).ok()
}

fn is_known(row: Row<'_>, cost: Option<u16>, reason: Option<u16>) -> bool {
    cost.and_then(|cost| row.integer(cost)).is_some() || reason.and_then(|reason| row.text(reason)).is_some()
}

fn forget(spans: &mut Batch, columns: &[Option<u16>]) {
    spans.texts.retain(|column| !columns.contains(&Some(column.attribute)));
    spans.integers.retain(|column| !columns.contains(&Some(column.attribute)));
    spans.reals.retain(|column| !columns.contains(&Some(column.attribute)));
}
