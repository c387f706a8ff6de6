//! Estimates for spans: what was said in, counts out.

use crate::config::{Fill, Settings};
use crate::messages::{self, Shape};
use crate::model;
use crate::overhead::Overhead;
use crate::tally::Tally;
use crate::tools;
use crate::unestimated::Unestimated;
use crate::vocabulary::Encoding;
use tollgate_columns::{Attribute, Batch, ConfigError, Edits, EnricherManifest, Kind, Row};
use tollgate_semconv::{attribute as name, counts, operation, usage_source};

/// What is read, by place in the manifest.
mod read {
    pub(super) const OPERATION: u16 = 0;
    pub(super) const REQUEST_MODEL: u16 = 1;
    pub(super) const RESPONSE_MODEL: u16 = 2;
    pub(super) const INPUT: u16 = 3;
    pub(super) const OUTPUT: u16 = 4;
    pub(super) const ERROR: u16 = 5;
    pub(super) const STATUS: u16 = 6;
    pub(super) const HTTP_STATUS: u16 = 7;
    pub(super) const SYSTEM: u16 = 8;
    pub(super) const INPUT_MESSAGES: u16 = 9;
    pub(super) const OUTPUT_MESSAGES: u16 = 10;
    pub(super) const TOOLS: u16 = 11;
}

const READS: [&str; 12] = [
    name::GEN_AI_OPERATION_NAME,
    name::GEN_AI_REQUEST_MODEL,
    name::GEN_AI_RESPONSE_MODEL,
    name::GEN_AI_USAGE_INPUT_TOKENS,
    name::GEN_AI_USAGE_OUTPUT_TOKENS,
    name::ERROR_TYPE,
    "span:status",
    name::HTTP_RESPONSE_STATUS_CODE,
    name::GEN_AI_SYSTEM_INSTRUCTIONS,
    name::GEN_AI_INPUT_MESSAGES,
    name::GEN_AI_OUTPUT_MESSAGES,
    name::GEN_AI_TOOL_DEFINITIONS,
];

/// What is written, by place in the manifest.
mod write {
    pub(super) const INPUT: u16 = 0;
    pub(super) const OUTPUT: u16 = 1;
    pub(super) const SOURCE: u16 = 2;
    pub(super) const ESTIMATOR: u16 = 3;
    pub(super) const ESTIMATED: u16 = 4;
    pub(super) const LOWER_BOUND: u16 = 5;
    pub(super) const UNESTIMATED: u16 = 6;
}

const WRITES: [(&str, Kind); 7] = [
    (name::GEN_AI_USAGE_INPUT_TOKENS, Kind::Integer),
    (name::GEN_AI_USAGE_OUTPUT_TOKENS, Kind::Integer),
    (name::TOLLGATE_USAGE_SOURCE, Kind::Text),
    (name::TOLLGATE_USAGE_ESTIMATOR, Kind::Text),
    (name::TOLLGATE_USAGE_ESTIMATED, Kind::Text),
    (name::TOLLGATE_USAGE_LOWER_BOUND, Kind::Text),
    (name::TOLLGATE_USAGE_UNESTIMATED, Kind::Text),
];

/// Estimates the usage of calls to a model that have none.
///
/// A span is estimated if its operation is a call to a model (`chat`, `text_completion`, `generate_content`,
/// `embeddings`), neither count was reported, and it did not fail: a provider bills no refusal, and nobody knows what it
/// bills for an answer that broke off.
///
/// | field | meaning | default |
/// |---|---|---|
/// | `fill` | `missing`: calls without either count; `partial`: also calls with one, whose other is estimated | `missing` |
/// | `fallback` | vocabulary for models whose own is not public or not known: `o200k_base`, `cl100k_base` | none |
/// | `lower_bounds` | whether a count is written that leaves out images, or reasoning that is not shown | true |
/// | `max_text_bytes` | most text of a count, in bytes, 1 KiB to 64 MiB; with more there is no estimate | 1 MiB |
/// | `max_batch_bytes` | most text that is counted of a batch, in bytes; later spans have no estimate | 1 MiB |
///
/// Both limits bound the time that counting takes, so that a call of the plugin ends before its deadline whatever the text
/// is. A byte of ASCII, Chinese, Japanese or Korean counts as one; any other character, which takes longer, as 16, and as
/// 400 where it is of another kind than those before it.
#[derive(Clone, Debug)]
pub struct Enricher {
    settings: Settings,
}

/// A count, and whether something that was billed is not in it.
#[derive(Clone, Copy, Debug)]
struct Estimate {
    tokens: i64,
    lower_bound: bool,
}

impl Enricher {
    /// Reads the configuration, a JSON object with the fields above, and unpacks the vocabularies, so that no batch
    /// waits for them.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its path.
    pub fn configure(json: &str) -> Result<Self, ConfigError> {
        let settings = Settings::parse(json)?;
        Encoding::ALL.into_iter().for_each(Encoding::load);
        Ok(Self { settings })
    }

    /// What the enricher sees and changes.
    #[must_use]
    pub fn manifest(&self) -> EnricherManifest {
        EnricherManifest {
            name: "tokenizer".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            reads: READS.iter().map(|&name| name.to_owned()).collect(),
            writes: WRITES.iter().map(|(name, kind)| Attribute::new(name, *kind)).collect(),
        }
    }

    /// Estimates a batch. Columns of input refer to the manifest's reads, columns of the answer to its writes.
    #[must_use]
    pub fn enrich(&self, batch: &Batch) -> Batch {
        let mut edits = Edits::new(batch.items);
        let mut room = self.settings.max_batch_bytes;
        for span in batch.rows().filter(|span| is_call(*span)) {
            self.estimate(span, &mut room, &mut edits);
        }
        edits.finish()
    }

    fn estimate(&self, span: Row<'_>, room: &mut usize, edits: &mut Edits) {
        let has = |attribute| is_present(span, attribute);
        let wanted = match (self.settings.fill, has(read::INPUT), has(read::OUTPUT)) {
            (_, false, false) => (true, true),
            (Fill::Partial, input, output) => (!input, !output),
            (Fill::Missing, ..) => return,
        };
        let is_embedding = span.text(read::OPERATION) == Some(operation::EMBEDDINGS);
        let (input, output) = (wanted.0, wanted.1 && !is_embedding);
        if !input && !output {
            return;
        }
        let row = span.index();
        let model = match self.model(span) {
            Ok(model) => model,
            Err(reason) => return edits.text(row, write::UNESTIMATED, reason.as_str()),
        };
        let input = input.then(|| self.within(room, model.encoding, |tally| input_of(span, model.encoding, tally)));
        let output = output.then(|| {
            self.within(room, model.encoding, |tally| {
                tally.lower_bound = model.hides_reasoning;
                output_of(span, tally)
            })
        });
        let reason = [input, output].into_iter().flatten().find_map(Result::err);
        if let Some(reason) = reason {
            edits.text(row, write::UNESTIMATED, reason.as_str());
        }
        let [input, output] = [input, output].map(|count| count.and_then(Result::ok));
        let Some(which) = counts_of(input.is_some(), output.is_some()) else { return };
        for (estimate, attribute) in [(input, write::INPUT), (output, write::OUTPUT)] {
            if let Some(estimate) = estimate {
                edits.integer(row, attribute, estimate.tokens);
            }
        }
        let bound = |estimate: Option<Estimate>| estimate.is_some_and(|estimate| estimate.lower_bound);
        if let Some(bounds) = counts_of(bound(input), bound(output)) {
            edits.text(row, write::LOWER_BOUND, bounds);
        }
        edits.text(row, write::SOURCE, usage_source::ESTIMATED);
        edits.text(row, write::ESTIMATOR, model.estimator());
        edits.text(row, write::ESTIMATED, which);
    }

    /// One count, within the limits of the span and of the batch.
    fn within(
        &self,
        batch: &mut usize,
        encoding: Encoding,
        count: impl FnOnce(&mut Tally) -> Result<(), Unestimated>,
    ) -> Result<Estimate, Unestimated> {
        let room = self.settings.max_text_bytes.min(*batch);
        let mut tally = Tally::new(encoding, room);
        let counted = count(&mut tally);
        *batch -= room - tally.room();
        counted?;
        let tokens = tally.tokens().map_err(|reason| match reason {
            Unestimated::TooLarge if room < self.settings.max_text_bytes => Unestimated::BatchLimit,
            reason => reason,
        })?;
        if tally.lower_bound && !self.settings.lower_bounds {
            return Err(Unestimated::LowerBound);
        }
        Ok(Estimate { tokens, lower_bound: tally.lower_bound })
    }

    /// The model that answered, else the one that was asked for.
    fn model(&self, span: Row<'_>) -> Result<Model, Unestimated> {
        let named = |attribute| span.text(attribute).filter(|name| !name.trim().is_empty());
        let names = [named(read::RESPONSE_MODEL), named(read::REQUEST_MODEL)];
        if let Some(family) = names.into_iter().flatten().find_map(model::family_of) {
            return Ok(Model { encoding: family.encoding, hides_reasoning: family.reasons, is_fallback: false });
        }
        match self.settings.fallback {
            Some(encoding) => Ok(Model { encoding, hides_reasoning: false, is_fallback: true }),
            None if names == [None, None] => Err(Unestimated::MissingModel),
            None => Err(Unestimated::UnknownModel),
        }
    }
}

/// How the texts of a model are counted.
#[derive(Clone, Copy, Debug)]
struct Model {
    encoding: Encoding,
    hides_reasoning: bool,
    /// Whether the vocabulary is one that the user chose, and not the model's.
    is_fallback: bool,
}

impl Model {
    fn estimator(self) -> String {
        format!("tiktoken {}{}", self.encoding, if self.is_fallback { " fallback" } else { "" })
    }
}

/// Whether the span is a call to a model that did not fail.
fn is_call(span: Row<'_>) -> bool {
    let is_inference = span.text(read::OPERATION).is_some_and(|name| operation::INFERENCE.contains(&name));
    let failed = span.text(read::ERROR).is_some_and(|error| !error.is_empty())
        || span.text(read::STATUS) == Some("error")
        || span.integer(read::HTTP_STATUS).is_some_and(|status| status >= 400);
    is_inference && !failed
}

/// Whether the attribute has a value, of whatever type: what is there is never replaced, even if it is no count.
fn is_present(span: Row<'_>, attribute: u16) -> bool {
    span.integer(attribute).is_some() || span.real(attribute).is_some() || span.text(attribute).is_some()
}

/// The word for what is true of one count, or of both.
fn counts_of(input: bool, output: bool) -> Option<&'static str> {
    match (input, output) {
        (true, true) => Some(counts::BOTH),
        (true, false) => Some(counts::INPUT),
        (false, true) => Some(counts::OUTPUT),
        (false, false) => None,
    }
}

fn input_of(span: Row<'_>, encoding: Encoding, tally: &mut Tally) -> Result<(), Unestimated> {
    let messages = span.text(read::INPUT_MESSAGES).ok_or(Unestimated::MissingContent)?;
    // Only a chat has roles and marks between them.
    let is_chat = matches!(span.text(read::OPERATION), Some(operation::CHAT | operation::GENERATE_CONTENT));
    let overhead = is_chat.then(|| Overhead::of(encoding));
    let mut said = messages::count(messages, Shape::Messages, "user", overhead, tally)?;
    if let Some(system) = span.text(read::SYSTEM) {
        said += messages::count(system, Shape::Parts, "system", overhead, tally)?;
    }
    if said == 0 {
        return Err(Unestimated::MissingContent);
    }
    if let Some(tools) = span.text(read::TOOLS) {
        tools::count(tools, Overhead::of(encoding), tally)?;
    }
    tally.add(overhead.map_or(0, |overhead| overhead.reply));
    Ok(())
}

fn output_of(span: Row<'_>, tally: &mut Tally) -> Result<(), Unestimated> {
    let messages = span.text(read::OUTPUT_MESSAGES).ok_or(Unestimated::MissingContent)?;
    match messages::count(messages, Shape::Messages, "assistant", None, tally)? {
        0 => Err(Unestimated::MissingContent),
        _ => Ok(()),
    }
}

#[cfg(test)]
#[path = "enricher_tests.rs"]
mod tests;
