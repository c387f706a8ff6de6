//! What the table of the LiteLLM package adds to the base: models of the base's providers that the base has no row for
//! and that make or read something else than text, providers of such models, and what serving in a region costs.
//!
//! No row of the base is changed or comes later than before: what is added stands behind the base's models, under whole
//! names that the base finds nothing for.

mod decimal;
mod key;
mod rates;
mod regions;

use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt;
use tollgate_call::Usage;
use tollgate_cost_calculator::document::{Clause, Document, Model, Price, Provider, Rule, Test, Tiered};
use tollgate_cost_calculator::{Call, PriceSet, Served, Unit, Unpriced};

/// The mark of the rows.
pub(super) const SOURCE: &str = "litellm";

/// What models are for whose rows are taken.
const MODES: &[&str] = &[
    "image_generation",
    "image_edit",
    "video_generation",
    "audio_speech",
    "audio_transcription",
    "rerank",
    "realtime",
    "ocr",
    "embedding",
    "moderation",
];

/// Providers of the table and their ids here; where two have the same id and model, the first counts.
const PROVIDERS: &[(&str, &str)] = &[
    ("azure", "azure"),
    ("azure_ai", "azure"),
    ("bedrock", "aws"),
    ("aws_polly", "aws"),
    ("transcribe", "aws"),
    ("gemini", "google"),
    ("vertex_ai", "google"),
    ("vertex_ai-embedding-models", "google"),
    ("vertex_ai-language-models", "google"),
    ("vertex_ai-video-models", "google"),
    ("openai", "openai"),
    ("cloudflare", "cloudflare"),
    ("cohere", "cohere"),
    ("databricks", "databricks"),
    ("elevenlabs", "elevenlabs"),
    ("fireworks_ai", "fireworks"),
    ("fireworks_ai-embedding-models", "fireworks"),
    ("groq", "groq"),
    ("meta", "meta"),
    ("minimax", "minimax"),
    ("mistral", "mistral"),
    ("novita", "novita"),
    ("perplexity", "perplexity"),
    ("together_ai", "together"),
    ("voyage", "voyageai"),
    ("xai", "x-ai"),
    ("assemblyai", "assemblyai"),
    ("black_forest_labs", "black-forest-labs"),
    ("deepgram", "deepgram"),
    ("fal_ai", "fal"),
    ("jina_ai", "jina"),
    ("recraft", "recraft"),
    ("runwayml", "runway"),
    ("soniox", "soniox"),
    ("stability", "stability"),
];

/// Providers that the base lacks, and names that mean them besides the id. Each serves nothing but such models: one
/// that hosts language models, too, is not added, since the base finds those by the model's name as long as it does
/// not know the provider.
const ADDED: &[(&str, &[&str])] = &[
    ("assemblyai", &["contains:assemblyai", "contains:assembly-ai"]),
    ("black-forest-labs", &["equals:black_forest_labs", "equals:bfl"]),
    ("deepgram", &["contains:deepgram"]),
    ("fal", &["equals:fal_ai", "equals:fal-ai", "equals:fal.ai"]),
    ("jina", &["equals:jina_ai", "equals:jina-ai", "equals:jinaai"]),
    ("recraft", &["equals:recraftai", "equals:recraft-ai"]),
    ("runway", &["equals:runwayml"]),
    ("soniox", &["contains:soniox"]),
    ("stability", &["equals:stability-ai", "equals:stabilityai", "equals:stability_ai"]),
];

/// Models whose provider says that they cost nothing. All other zeros of the table may as well mean that nobody knows.
const FREE: &[&str] = &["omni-moderation-latest", "omni-moderation-2024-09-26"];

/// Entries that are wrong on their face, and why.
const DOUBTFUL: &[(&str, &str)] = &[
    // $0.37 and $0.12 an hour, each under the other's name.
    ("assemblyai/best", "doubtful: the price of the other model"),
    ("assemblyai/nano", "doubtful: the price of the other model"),
    // $100 a million tokens, where its siblings cost $0.10.
    ("embed-multilingual-light-v3.0", "doubtful: a thousand times the price of its siblings"),
    ("runwayml/eleven_multilingual_v2", "doubtful: an estimate, as the table says itself"),
];

/// What became of the table's entries.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// Models that were added.
    added: usize,
    /// Entries that the base has a row for.
    known: usize,
    /// Rows of the base that got a factor.
    scaled: usize,
    /// Keys of what was left out, by the reason.
    left_out: BTreeMap<String, Vec<String>>,
}

/// The prices of a model by how it is served, from keys in their order.
#[derive(Default)]
struct Gathered {
    id: String,
    prices: Vec<Price>,
}

/// Adds to `document`, which holds the base alone, what `table` has beyond it.
pub(super) fn add(document: &mut Document, table: &Value) -> Result<Report, String> {
    let table = table.as_object().ok_or("the table of LiteLLM is not an object")?;
    let base = PriceSet::parse(document.to_string().as_bytes()).map_err(|error| error.to_string())?;
    let mut report = Report::default();
    regions::add(document, &base, table, &mut report);
    let mut gathered: BTreeMap<(&str, String), Gathered> = BTreeMap::new();
    for (litellm, id) in PROVIDERS {
        let entries = table.iter().filter(|(_, entry)| text(entry, "litellm_provider") == *litellm);
        for (key, entry) in entries.filter(|(_, entry)| MODES.contains(&text(entry, "mode"))) {
            match taken(key, entry, id, &base) {
                Ok(None) => report.known += 1,
                Ok(Some((read, prices))) => {
                    let model = gathered.entry((*id, read.name.clone())).or_default();
                    model.id = read.name;
                    for price in prices {
                        match model.prices.iter().find(|known| known.when == price.when) {
                            None => model.prices.push(price),
                            Some(known) if *known == price => {}
                            Some(_) => report.leave(key, "another key of the same model has another price"),
                        }
                    }
                }
                Err(why) => report.leave(key, &why),
            }
        }
    }
    for (key, entry) in table.iter().filter(|(_, entry)| MODES.contains(&text(entry, "mode"))) {
        if PROVIDERS.iter().all(|(provider, _)| *provider != text(entry, "litellm_provider")) {
            report.leave(key, "the provider is a gateway, or hosts language models that the base lacks");
        }
    }
    for ((provider, _), model) in gathered {
        report.append(document, provider, model);
    }
    Ok(report)
}

/// The model and the prices of an entry; `None` where the base has a row for it.
fn taken(key: &str, entry: &Value, id: &str, base: &PriceSet) -> Result<Option<(key::Key, Vec<Price>)>, String> {
    let (mode, provider) = (text(entry, "mode"), text(entry, "litellm_provider"));
    let read = key::read(key, provider, mode.starts_with("image"))?;
    if row(base, id, &read.name).is_some() {
        return Ok(None);
    }
    if let Some((_, why)) = DOUBTFUL.iter().find(|(doubtful, _)| *doubtful == key) {
        return Err((*why).to_owned());
    }
    if provider == "fireworks_ai" && mode == "image_generation" {
        return Err("priced by the steps of making an image".to_owned());
    }
    let no_fields = Map::new();
    let fields = entry.as_object().unwrap_or(&no_fields);
    let mut prices = rates::prices(mode, fields, read.size).map_err(|field| format!("no unit for {field}"))?;
    if FREE.contains(&read.name.as_str()) {
        prices = vec![Price { rates: vec![(Unit::Input, Tiered::default())], ..Price::default() }];
    }
    if prices.is_empty() {
        return Err("nothing but zeros, or nothing at all".to_owned());
    }
    for price in &mut prices {
        price.when.extend(read.when.iter().cloned());
    }
    Ok(Some((read, prices)))
}

/// The provider and id of the row that a set has for a model.
fn row<'a>(set: &'a PriceSet, provider: &str, model: &str) -> Option<(&'a str, &'a str)> {
    let usage = Usage { input_tokens: Some(0), output_tokens: Some(0), ..Usage::default() };
    let call =
        Call { provider: Some(provider), model, usage: &usage, at_unix_seconds: i64::MAX, served: Served::default() };
    match set.price(&call) {
        Ok(cost) => Some((cost.price.row.provider, cost.price.row.model)),
        Err(Unpriced::UnknownModel | Unpriced::UnknownProvider | Unpriced::LeftOut) => None,
        // It has a row, which prices something else than tokens.
        Err(_) => Some(("", "")),
    }
}

impl Report {
    fn leave(&mut self, key: &str, why: &str) {
        self.left_out.entry(why.to_owned()).or_default().push(key.to_owned());
    }

    fn append(&mut self, document: &mut Document, provider: &str, mut model: Gathered) {
        let is_token = |price: &Price| price.when.is_empty() && price.rates.iter().any(|(unit, _)| unit.is_token());
        if model.prices.iter().any(is_token) {
            let by_size = |price: &Price| price.when.iter().any(|(key, _)| key == "size" || key == "quality");
            let before = model.prices.len();
            model.prices.retain(|price| !by_size(price));
            if model.prices.len() < before {
                self.leave(&model.id, "by size and quality, where the model is priced by tokens");
            }
        }
        // More conditions first: the first price that holds and names the unit counts.
        model.prices.sort_by_key(|price| if price.when.is_empty() { 0 } else { usize::MAX - price.when.len() });
        let place = document.providers.iter().position(|known| known.id == provider);
        let place = place.unwrap_or_else(|| {
            let names = ADDED.iter().find(|(id, _)| *id == provider).map_or(&[][..], |(_, names)| names);
            document.providers.push(Provider {
                id: provider.to_owned(),
                named: names.iter().filter_map(|name| named(name)).collect(),
                ..Provider::default()
            });
            document.providers.len() - 1
        });
        let Some(provider) = document.providers.get_mut(place) else { return };
        if provider.models.iter().any(|known| known.id == model.id) {
            return self.leave(&model.id, "the base has a model of that id under other names");
        }
        self.added += 1;
        provider.models.push(Model {
            matches: vec![Rule(vec![Clause::new(Test::Equals, &model.id)])],
            source: SOURCE.to_owned(),
            prices: model.prices,
            id: model.id,
            ..Model::default()
        });
    }
}

/// A rule of [`ADDED`].
fn named(rule: &str) -> Option<Rule> {
    let (test, text) = rule.split_once(':')?;
    let test = if test == "contains" { Test::Contains } else { Test::Equals };
    Some(Rule(vec![Clause::new(test, text)]))
}

fn text<'a>(json: &'a Value, field: &str) -> &'a str {
    json.get(field).and_then(Value::as_str).unwrap_or_default()
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let left: usize = self.left_out.values().map(Vec::len).sum();
        writeln!(
            f,
            "litellm: {} models added, {} entries that the base has a row for, {} rows of the base with a factor, {left} \
             entries left out:",
            self.added, self.known, self.scaled
        )?;
        for (why, keys) in &self.left_out {
            writeln!(f, "  {:>4} {why}: {}", keys.len(), keys.join(" "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "litellm/tests.rs"]
mod tests;
