//! Spans of other conventions, in the names of the GenAI conventions.
//!
//! Instrumentations in use speak older versions of the conventions, OpenInference, OpenLLMetry's own names, those of
//! Langfuse, of the Vercel AI SDK, of Pydantic AI, of Google's Agent Development Kit, or those of a gateway. The
//! [`Enricher`] adds the current name beside what it finds. It removes nothing, and replaces a value that stands under
//! the current name in one case only: a count that by arithmetic cannot include its parts, as the conventions want it.
//! What the emitter had is then under `tollgate.usage.reported_input_tokens` (or `..output..`).
//!
//! Each span gets `tollgate.call.role`, so that tokens and cost are counted once: see
//! [`call_role`](tollgate_semconv::call_role). Where it has token counts, under whichever name,
//! `tollgate.usage.source` is set to `reported`, unless somebody has said where they come from.

mod adk;
mod ai_sdk;
mod convert;
mod facts;
mod gateways;
mod langfuse;
mod messages;
mod older;
mod openinference;
mod parameters;
mod read;
mod span;
mod to;
mod usage;

use convert::{Convert, provider_name, response_format};
use facts::Facts;
use span::{Index, Span};
use tollgate_columns::{Attribute, Batch, ConfigError, Edits, EnricherManifest, Kind, Problem};
use tollgate_semconv::{RENAMED, attribute, call_role, operation};

/// `(foreign name, number of the current name, conversion)`: a value that needs a new name, and little more.
type Rename = (&'static str, u16, Convert);

/// Of several names with the same meaning the first that a span has counts.
const RENAMES: [&[Rename]; 6] =
    [older::RENAMES, openinference::RENAMES, langfuse::RENAMES, ai_sdk::RENAMES, adk::RENAMES, gateways::RENAMES];

/// Adds the current names. See the [module](self).
#[derive(Clone, Debug)]
pub struct Enricher {
    reads: Vec<String>,
    /// The number of each of `reads`: numbers are the same with content and without.
    numbers: Vec<u16>,
    /// How many numbers there are.
    names: usize,
    /// Renames by number of what is read, in the order of preference.
    renames: Vec<(u16, u16, Convert)>,
    content: bool,
}

impl Enricher {
    /// Reads the configuration, a JSON object or blank text: `content` (boolean, default false) also turns what was
    /// said into `gen_ai.input.messages`, `gen_ai.output.messages` and `gen_ai.system_instructions`.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn configure(json: &str) -> Result<Self, ConfigError> {
        let mut content = false;
        if !json.trim().is_empty() {
            let config: serde_json::Map<String, serde_json::Value> = serde_json::from_str(json)
                .map_err(|error| ConfigError::new("", format!("not a JSON object: {error}")))?;
            let mut problems = Vec::new();
            for (name, value) in &config {
                let problem = match (name.as_str(), value.as_bool()) {
                    ("content", Some(wanted)) => {
                        content = wanted;
                        continue;
                    }
                    ("content", None) => "write true or false",
                    _ => "is not known; there is `content`",
                };
                problems.push(Problem { path: name.clone(), message: problem.to_owned() });
            }
            if !problems.is_empty() {
                return Err(ConfigError { problems });
            }
        }
        Ok(Self::new(content))
    }

    fn new(content: bool) -> Self {
        let current = to::WRITES.iter().map(|(name, _)| *name);
        let mut names: Vec<&str> = current.chain(read::NAMES.iter().copied()).collect();
        let mut number = |name: &'static str| {
            let at = names.iter().position(|known| *known == name).unwrap_or_else(|| {
                names.push(name);
                names.len() - 1
            });
            u16::try_from(at).unwrap_or(u16::MAX)
        };
        let renamed = RENAMED.iter().filter_map(|(old, new)| {
            let number = to::WRITES.iter().position(|(name, _)| name == new)?;
            let convert = if *new == attribute::GEN_AI_PROVIDER_NAME { Convert::Provider } else { Convert::AsIs };
            Some((*old, u16::try_from(number).ok()?, convert))
        });
        let foreign = RENAMES.into_iter().flatten().copied();
        let renames = renamed.chain(foreign).map(|(old, new, convert)| (number(old), new, convert)).collect();
        let is_content = |name: &str| {
            let written = to::WRITES.iter().skip(usize::from(to::SYSTEM_INSTRUCTIONS));
            written.map(|(name, _)| *name).chain(read::content()).any(|content| content == name)
        };
        let read = names.iter().copied().zip(0..).filter(|(name, _)| content || !is_content(name));
        let (reads, numbers) = read.map(|(name, number)| (name.to_owned(), number)).unzip();
        Self { reads, numbers, names: names.len(), renames, content }
    }

    /// What is read and written.
    #[must_use]
    pub fn manifest(&self) -> EnricherManifest {
        let writes = to::WRITES.iter().take(self.writes());
        EnricherManifest {
            name: concat!(env!("CARGO_PKG_NAME"), "-dialect").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            reads: self.reads.clone(),
            writes: writes.map(|(name, kind)| Attribute::new(name, *kind)).collect(),
        }
    }

    fn writes(&self) -> usize {
        if self.content { to::COUNT } else { usize::from(to::SYSTEM_INSTRUCTIONS) }
    }

    /// The attributes to add.
    #[must_use]
    pub fn enrich(&self, batch: &Batch) -> Batch {
        let index = Index::new(batch, &self.numbers, self.names);
        // Most batches speak one dialect: what no span has is not asked for span by span.
        let renames: Vec<_> = self.renames.iter().filter(|(from, ..)| index.has(*from)).collect();
        let mut facts = Facts::new();
        let mut edits = Edits::new(batch.items);
        for row in 0..batch.items {
            let span = Span { index: &index, row };
            facts.begin(span);
            for &&(from, number, convert) in &renames {
                rename(span, from, number, convert, &mut facts);
            }
            older::read(span, &mut facts);
            openinference::read(span, &mut facts);
            langfuse::read(span, &mut facts);
            ai_sdk::read(span, &mut facts);
            adk::read(span, &mut facts);
            gateways::read(span, &mut facts);
            if !is_genai(&facts) {
                continue;
            }
            usage::settle(&mut facts);
            let role = role(&facts);
            facts.set_text(to::ROLE, role);
            if self.content {
                messages::read(span, &mut facts);
            }
            facts.write(row, self.writes(), &mut edits);
        }
        edits.finish()
    }
}

/// Takes over the value of another name, where there is none yet.
fn rename<'b>(span: Span<'_, 'b>, from: u16, number: u16, convert: Convert, facts: &mut Facts<'b>) {
    if facts.has(number) {
        return;
    }
    let kind = to::WRITES.get(usize::from(number)).map(|(_, kind)| *kind);
    match (kind, convert) {
        (Some(Kind::Integer), _) => facts.set_count(number, span.count(from)),
        (Some(Kind::Boolean), _) => facts.set_stream(span.truth(from)),
        (Some(Kind::Real), Convert::Milliseconds) => facts.set_real(number, span.number(from).map(|time| time / 1e3)),
        (Some(Kind::Real), _) => facts.set_real(number, span.number(from)),
        (_, Convert::Provider) => facts.set_text(number, span.text(from).map(provider_name)),
        (_, Convert::ResponseFormat) => facts.set_text(number, span.text(from).and_then(response_format)),
        (_, Convert::List) => {
            let text = span.text(from);
            let list = text.filter(|text| text.starts_with('[')).and_then(|text| serde_json::from_str(text).ok());
            facts.set_list(number, list.or_else(|| text.map(serde_json::Value::from)).as_ref());
        }
        (_, Convert::AsIs | Convert::Milliseconds) => facts.set_text(number, span.text(from)),
    }
}

/// Whether the span is about a model, an agent or a tool at all.
fn is_genai(facts: &Facts<'_>) -> bool {
    let telling = [to::OPERATION, to::PROVIDER, to::REQUEST_MODEL, to::RESPONSE_MODEL];
    facts.known || telling.into_iter().chain(to::COUNTS).any(|number| facts.has(number))
}

/// What the span is to the bill. Operations that nobody knows are sums of others: no emitter invents a new name for a
/// plain call.
fn role(facts: &Facts<'_>) -> Option<&'static str> {
    let is_call = facts.text(to::OPERATION).map(|name| operation::INFERENCE.contains(&name));
    match (facts.role, is_call) {
        (Some(call_role::BILLABLE) | None, Some(false)) => Some(call_role::AGGREGATE),
        (Some(role), _) => Some(role),
        (None, Some(true)) => Some(call_role::BILLABLE),
        (None, None) => {
            let counted = facts.has(to::INPUT) || facts.has(to::OUTPUT);
            let model = facts.has(to::REQUEST_MODEL) || facts.has(to::RESPONSE_MODEL);
            (counted && model).then_some(call_role::BILLABLE)
        }
    }
}

#[cfg(test)]
#[path = "dialect/tests.rs"]
mod tests;
