//! Spans of other conventions, in the names of the GenAI conventions.
//!
//! Instrumentations in use speak older versions of the conventions, OpenInference, OpenLLMetry's own names or those of
//! the Vercel AI SDK. The [`Enricher`] adds the current name beside what it finds. It never replaces a value that is
//! already there under the current name, and it removes nothing.
//!
//! Where a span has token counts, under whichever name, `tollgate.usage.source` is set to `reported`, unless somebody
//! has said where they come from. Counts are taken over as they are: all four dialects mean totals that include their
//! parts.

mod rule;

use rule::{Convert, FOREIGN, WRITES};
use tollgate_columns::{Attribute, Batch, ConfigError, Edits, EnricherManifest, Kind};
use tollgate_semconv::{RENAMED, attribute, usage_source};

/// Adds the current names. See the [module](self).
#[derive(Clone, Debug)]
pub struct Enricher {
    reads: Vec<String>,
    rules: Vec<Rule>,
}

/// How one attribute is found.
#[derive(Clone, Debug)]
struct Rule {
    name: &'static str,
    kind: Kind,
    /// Where it stands among the reads under its current name.
    current: u16,
    /// Other names in the order of preference, by place among the reads.
    others: Vec<(u16, Convert)>,
}

/// The number of `tollgate.usage.source` among the writes: behind those of the rules.
fn number(place: usize) -> u16 {
    u16::try_from(place).unwrap_or(u16::MAX)
}

impl Enricher {
    /// Reads the configuration, which has no members yet: blank text or `{}`.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn configure(json: &str) -> Result<Self, ConfigError> {
        if !json.trim().is_empty() {
            let config: serde_json::Map<String, serde_json::Value> = serde_json::from_str(json)
                .map_err(|error| ConfigError::new("", format!("not a JSON object: {error}")))?;
            let unknown =
                |name: &String| ConfigError::new(name.as_str(), "is not known; there is nothing to configure");
            let problems: Vec<_> = config.keys().flat_map(|name| unknown(name).problems).collect();
            if !problems.is_empty() {
                return Err(ConfigError { problems });
            }
        }
        let mut reads = vec![attribute::TOLLGATE_USAGE_SOURCE.to_owned()];
        let mut read = |name: &str| {
            reads.push(name.to_owned());
            number(reads.len() - 1)
        };
        let rules = WRITES
            .iter()
            .map(|&(name, kind)| {
                let current = read(name);
                let renamed = RENAMED.iter().filter(|(_, new)| *new == name).map(|(old, _)| {
                    let convert =
                        if name == attribute::GEN_AI_PROVIDER_NAME { Convert::Provider } else { Convert::AsIs };
                    (*old, convert)
                });
                let foreign =
                    FOREIGN.iter().filter(|(_, new, _)| *new == name).map(|(old, _, convert)| (*old, *convert));
                let others = renamed.chain(foreign).map(|(old, convert)| (read(old), convert)).collect();
                Rule { name, kind, current, others }
            })
            .collect();
        Ok(Self { reads, rules })
    }

    /// What is read and written.
    #[must_use]
    pub fn manifest(&self) -> EnricherManifest {
        let written = self.rules.iter().map(|rule| Attribute::new(rule.name, rule.kind));
        EnricherManifest {
            name: concat!(env!("CARGO_PKG_NAME"), "-dialect").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            reads: self.reads.clone(),
            writes: written.chain([Attribute::new(attribute::TOLLGATE_USAGE_SOURCE, Kind::Text)]).collect(),
        }
    }

    /// The attributes to add.
    #[must_use]
    pub fn enrich(&self, batch: &Batch) -> Batch {
        let mut edits = Edits::new(batch.items);
        let mut counted = Rows::default();
        for (place, rule) in self.rules.iter().enumerate() {
            let counts = [attribute::GEN_AI_USAGE_INPUT_TOKENS, attribute::GEN_AI_USAGE_OUTPUT_TOKENS];
            let is_count = counts.contains(&rule.name);
            if !is_count && !rule.others.iter().any(|(other, _)| is_present(batch, *other)) {
                continue;
            }
            let mut settled = Rows::with(batch, rule.current);
            for &(other, convert) in &rule.others {
                rule.translate(batch, other, convert, number(place), &mut settled, &mut edits);
            }
            if is_count {
                counted.add(&settled);
            }
        }
        let known = Rows::with(batch, 0);
        for row in counted.iter().filter(|row| !known.has(*row)) {
            edits.text(row, number(self.rules.len()), usage_source::REPORTED);
        }
        edits.finish()
    }
}

impl Rule {
    /// Takes over the values of one other name, for the rows that have none yet.
    fn translate(
        &self,
        batch: &Batch,
        other: u16,
        convert: Convert,
        write: u16,
        settled: &mut Rows,
        edits: &mut Edits,
    ) {
        for column in batch.texts.iter().filter(|column| column.attribute == other) {
            for (row, value) in column.iter() {
                if settled.has(row) {
                    continue;
                }
                let done = match self.kind {
                    Kind::Integer => count_text(value).map(|count| edits.integer(row, write, count)),
                    Kind::Boolean => truth(value).map(|truth| edits.integer(row, write, truth)),
                    _ => convert.text(value).map(|text| edits.text(row, write, text)),
                };
                if done.is_some() {
                    settled.insert(row);
                }
            }
        }
        if !matches!(self.kind, Kind::Integer | Kind::Boolean) {
            return;
        }
        for column in batch.integers.iter().filter(|column| column.attribute == other) {
            for (&row, &value) in column.rows.iter().zip(&column.values) {
                if value >= 0 && settled.insert(row) {
                    edits.integer(row, write, value);
                }
            }
        }
        for column in batch.reals.iter().filter(|column| column.attribute == other) {
            for (&row, &value) in column.rows.iter().zip(&column.values) {
                if let Some(count) = whole(value)
                    && settled.insert(row)
                {
                    edits.integer(row, write, count);
                }
            }
        }
    }
}

/// A set of rows of one batch.
#[derive(Default)]
struct Rows(Vec<bool>);

impl Rows {
    /// The rows that have a value of an attribute.
    fn with(batch: &Batch, attribute: u16) -> Self {
        let texts = batch.texts.iter().filter(|column| column.attribute == attribute).map(|column| &column.rows);
        let integers = batch.integers.iter().filter(|column| column.attribute == attribute).map(|column| &column.rows);
        let reals = batch.reals.iter().filter(|column| column.attribute == attribute).map(|column| &column.rows);
        let mut rows = Self::default();
        texts.chain(integers).chain(reals).flatten().for_each(|row| {
            rows.insert(*row);
        });
        rows
    }

    fn has(&self, row: u32) -> bool {
        usize::try_from(row).is_ok_and(|row| self.0.get(row) == Some(&true))
    }

    /// Adds a row. Whether it was new.
    fn insert(&mut self, row: u32) -> bool {
        let Ok(place) = usize::try_from(row) else { return false };
        if self.0.len() <= place {
            self.0.resize(place + 1, false);
        }
        self.0.get_mut(place).is_some_and(|known| !std::mem::replace(known, true))
    }

    fn add(&mut self, other: &Self) {
        other.iter().for_each(|row| {
            self.insert(row);
        });
    }

    fn iter(&self) -> impl Iterator<Item = u32> {
        self.0.iter().zip(0..).filter(|(known, _)| **known).map(|(_, row)| row)
    }
}

fn is_present(batch: &Batch, attribute: u16) -> bool {
    batch.texts.iter().any(|column| column.attribute == attribute)
        || batch.integers.iter().any(|column| column.attribute == attribute)
        || batch.reals.iter().any(|column| column.attribute == attribute)
}

/// A count that is spelled as text.
fn count_text(text: &str) -> Option<i64> {
    text.parse().ok().filter(|count| *count >= 0)
}

fn truth(text: &str) -> Option<i64> {
    text.parse::<bool>().ok().map(i64::from)
}

/// A count that came as a floating-point number, as JavaScript sends it.
fn whole(value: f64) -> Option<i64> {
    const MAX: f64 = 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "whole, and within what both types hold exactly")]
    ((0.0..=MAX).contains(&value) && value.fract() == 0.0).then_some(value as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// One value of a span attribute.
    enum V {
        T(&'static str),
        I(i64),
        R(f64),
    }
    use V::{I, R, T};

    /// Enriches one span, and gives the attributes it gets, as text, ascending by name.
    fn enriched(attributes: &[(&str, V)]) -> Vec<(String, String)> {
        let enricher = Enricher::configure("{}").unwrap();
        let manifest = enricher.manifest();
        let mut edits = Edits::new(1);
        for (name, value) in attributes {
            let place = manifest.reads.iter().position(|read| read == name).unwrap_or_else(|| panic!("{name}"));
            match value {
                T(text) => edits.text(0, number(place), *text),
                I(integer) => edits.integer(0, number(place), *integer),
                R(real) => edits.real(0, number(place), *real),
            }
        }
        let added = enricher.enrich(&edits.finish());
        assert_eq!(added.check(1, manifest.writes.len()), Ok(()));
        let row = added.rows().next().unwrap();
        let value = |place| row.text(place).map(str::to_owned).or(row.integer(place).map(|value| value.to_string()));
        let mut added: Vec<_> = (0..manifest.writes.len())
            .filter_map(|place| Some((manifest.writes[place].name.clone(), value(number(place))?)))
            .collect();
        added.sort();
        added
    }

    #[test]
    fn dialects_read_as_the_conventions() {
        type Case<'a> = (&'a str, &'a [(&'a str, V)], &'a [(&'a str, &'a str)]);
        let cases: &[Case<'_>] = &[
            (
                "current names stay, and the source is said",
                &[("gen_ai.usage.input_tokens", I(5)), ("gen_ai.usage.prompt_tokens", I(6))],
                &[("tollgate.usage.source", "reported")],
            ),
            (
                "a known source stays",
                &[("gen_ai.usage.input_tokens", I(5)), ("tollgate.usage.source", T("aborted"))],
                &[],
            ),
            (
                "older conventions",
                &[
                    ("gen_ai.system", T("vertex_ai")),
                    ("gen_ai.usage.prompt_tokens", I(10)),
                    ("gen_ai.usage.completion_tokens", T("3")),
                    ("gen_ai.usage.cache_creation.input_tokens", I(4)),
                    ("gen_ai.usage.cache_read_input_tokens", I(2)),
                    ("llm.is_streaming", T("true")),
                ],
                &[
                    ("gen_ai.provider.name", "gcp.vertex_ai"),
                    ("gen_ai.request.stream", "1"),
                    ("gen_ai.usage.cache_read.input_tokens", "2"),
                    ("gen_ai.usage.cache_write.input_tokens", "4"),
                    ("gen_ai.usage.input_tokens", "10"),
                    ("gen_ai.usage.output_tokens", "3"),
                    ("tollgate.usage.source", "reported"),
                ],
            ),
            (
                "OpenInference",
                &[
                    ("openinference.span.kind", T("LLM")),
                    ("llm.provider", T("azure")),
                    ("llm.system", T("openai")),
                    ("llm.model_name", T("gpt-4o")),
                    ("llm.token_count.prompt", I(100)),
                    ("llm.token_count.completion", I(20)),
                    ("llm.token_count.prompt_details.cache_read", I(60)),
                    ("llm.token_count.completion_details.reasoning", I(8)),
                ],
                &[
                    ("gen_ai.operation.name", "chat"),
                    ("gen_ai.provider.name", "azure.ai.openai"),
                    ("gen_ai.request.model", "gpt-4o"),
                    ("gen_ai.usage.cache_read.input_tokens", "60"),
                    ("gen_ai.usage.input_tokens", "100"),
                    ("gen_ai.usage.output_tokens", "20"),
                    ("gen_ai.usage.reasoning.output_tokens", "8"),
                    ("tollgate.usage.source", "reported"),
                ],
            ),
            (
                "OpenLLMetry",
                &[
                    ("llm.request.type", T("completion")),
                    ("llm.usage.prompt_tokens", I(1)),
                    ("llm.usage.completion_tokens", I(0)),
                    ("llm.usage.reasoning_tokens", I(0)),
                ],
                &[
                    ("gen_ai.operation.name", "text_completion"),
                    ("gen_ai.usage.input_tokens", "1"),
                    ("gen_ai.usage.output_tokens", "0"),
                    ("gen_ai.usage.reasoning.output_tokens", "0"),
                    ("tollgate.usage.source", "reported"),
                ],
            ),
            (
                "Vercel AI SDK, the call itself",
                &[
                    ("ai.operationId", T("ai.streamText.doStream")),
                    ("ai.model.provider", T("anthropic.messages")),
                    ("ai.model.id", T("claude-sonnet-4")),
                    ("ai.usage.promptTokens", R(12.0)),
                    ("ai.usage.completionTokens", R(3.0)),
                ],
                &[
                    ("gen_ai.operation.name", "chat"),
                    ("gen_ai.provider.name", "anthropic"),
                    ("gen_ai.request.model", "claude-sonnet-4"),
                    ("gen_ai.usage.input_tokens", "12"),
                    ("gen_ai.usage.output_tokens", "3"),
                    ("tollgate.usage.source", "reported"),
                ],
            ),
            (
                "Vercel AI SDK, the wrapper around calls is no call",
                &[("ai.operationId", T("ai.generateText"))],
                &[("gen_ai.operation.name", "invoke_agent")],
            ),
            (
                "what is no count is not taken over",
                &[
                    ("gen_ai.usage.prompt_tokens", I(-1)),
                    ("llm.token_count.prompt", T("many")),
                    ("ai.usage.promptTokens", R(1.5)),
                    ("openinference.span.kind", T("CHAIN")),
                ],
                &[],
            ),
            (
                "the next name counts where the first has nothing usable",
                &[("gen_ai.usage.prompt_tokens", I(-1)), ("llm.token_count.prompt", I(7))],
                &[("gen_ai.usage.input_tokens", "7"), ("tollgate.usage.source", "reported")],
            ),
        ];
        for (what, attributes, expected) in cases {
            let added = enriched(attributes);
            let added: Vec<_> = added.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            assert_eq!(added, *expected, "{what}");
        }
    }

    #[test]
    fn rows_are_told_apart() {
        let enricher = Enricher::configure("").unwrap();
        let place = |name: &str| number(enricher.reads.iter().position(|read| read == name).unwrap());
        let mut edits = Edits::new(3);
        edits.integer(0, place("gen_ai.usage.input_tokens"), 1);
        edits.integer(0, place("gen_ai.usage.prompt_tokens"), 9);
        edits.integer(2, place("gen_ai.usage.prompt_tokens"), 3);
        let added = enricher.enrich(&edits.finish());
        let rows: Vec<_> = added.rows().map(|row| (row.integer(3), row.text(number(enricher.rules.len())))).collect();
        assert_eq!(enricher.rules[3].name, attribute::GEN_AI_USAGE_INPUT_TOKENS);
        assert_eq!(rows, [(None, Some("reported")), (None, None), (Some(3), Some("reported"))]);
    }

    #[test]
    fn names_are_read_once_and_written_once() {
        let manifest = Enricher::configure("").unwrap().manifest();
        let reads: BTreeSet<_> = manifest.reads.iter().collect();
        let writes: BTreeSet<_> = manifest.writes.iter().map(|attribute| &attribute.name).collect();
        assert_eq!((reads.len(), writes.len()), (manifest.reads.len(), manifest.writes.len()));
    }

    #[test]
    fn a_configuration_with_anything_in_it_is_refused() {
        assert!(Enricher::configure(" ").is_ok());
        assert!(Enricher::configure("[]").is_err());
        let error = Enricher::configure(r#"{"a": 1, "b": 2}"#).unwrap_err();
        assert_eq!(error.problems.len(), 2);
    }
}
