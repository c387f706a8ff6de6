//! What a table of rules consists of.

use std::fmt;

/// One rule of a dialect: what it reads, what it writes, and why.
///
/// A rule that writes a name which the span has already is not applied: the emitter knows best. A rule whose sources are
/// not there is not applied either. One whose sources cannot be converted leaves them as they are, and is counted.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Attributes that it reads. `resource:` before a name reads an attribute of the resource.
    pub from: &'static [&'static str],
    /// The attribute that it writes, or where it writes several, the beginning of their names and a dot.
    pub to: &'static str,
    /// What it does.
    pub action: Action,
    /// What becomes of the sources.
    pub keep: Keep,
    /// Which spans it is for.
    pub when: When,
    /// Why it is there.
    pub why: &'static str,
}

/// What a rule does.
#[derive(Clone, Copy, Debug)]
pub enum Action {
    /// The value of the first source that is there, as it is.
    Same,
    /// The text of the first source that is there, looked up.
    Values(&'static [(&'static str, &'static str)], Others),
    /// The value in another form.
    Convert(Conversion),
    /// Nothing is written: the sources, which may be patterns with one `*`, are taken out.
    Drop,
}

impl Action {
    /// Whether all sources go into what is written, and not only the first that is there.
    pub(crate) fn reads_all(self) -> bool {
        matches!(
            self,
            Self::Convert(
                Conversion::CostDetails
                    | Conversion::UsageDetails
                    | Conversion::Sum
                    | Conversion::Object(_)
                    | Conversion::ChatMessages
                    | Conversion::FlatMessages
            )
        )
    }
}

/// What becomes of texts that are not in the table of [`Action::Values`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Others {
    /// They stay the same.
    Same,
    /// Nothing is written for them, and the source stays.
    Unwritten,
}

/// What becomes of the sources of a rule that was applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// They stay: the attribute is doubled.
    Stay,
    /// Those that were read are taken out: the attribute is renamed.
    Go,
    /// The attributes that fit one of these patterns, with one `*` each, are taken out.
    Without(&'static [&'static str]),
}

/// Which spans a rule is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// All.
    Always,
    /// Spans whose usage counts: `tollgate.call.role` is `billable`, or where no role is said, the operation or the span
    /// kind of OpenInference is a call to a model, or neither is said.
    Counts,
    /// All other spans: agents, workflows, tools, wrappers, duplicates. What usage they have is that of other spans.
    Aggregates,
    /// Spans of these operations.
    Operation(&'static [&'static str]),
}

/// Conversions of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conversion {
    /// Billionths of a US dollar, integer, to US dollars, double.
    Dollars,
    /// The part of `tollgate.cost.explanation` that these units are, in US dollars, double.
    CostOf(&'static [&'static str]),
    /// Total, and parts where `tollgate.cost.explanation` has them, as a JSON object of US dollars by the keys of
    /// [`Conversion::UsageDetails`].
    CostDetails,
    /// Counts of tokens as a JSON object of parts that do not overlap: `input` and `output` are what no other part counts.
    UsageDetails,
    /// A count, an integer that is not below zero, as it is.
    Count,
    /// The sum of all sources, integers; only where all are there.
    Sum,
    /// All sources that are there as one JSON object, under these keys.
    Object(&'static [&'static str]),
    /// Any value as JSON text; text stays the same, but has to be JSON.
    Json,
    /// Any value as text; what is not text becomes JSON.
    Text,
    /// As [`Conversion::Json`], with its media type under this name beside it.
    TypedJson(&'static str),
    /// As [`Conversion::Text`], with its media type under this name beside it.
    TypedText(&'static str),
    /// Messages (the first source) with system instructions (the second) before them, as a JSON array of chat messages
    /// in the form of OpenAI's chat completions.
    ChatMessages,
    /// The same messages, flattened as OpenInference does: `<i>.message.role`, `<i>.message.content`, ...
    FlatMessages,
    /// Definitions of tools, flattened: `<i>.tool.json_schema`.
    FlatTools,
    /// Start of the span plus seconds, as a date of ISO 8601.
    DateAfterStart,
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Always => f.write_str("all"),
            Self::Counts => f.write_str("calls that count"),
            Self::Aggregates => f.write_str("spans that do not count"),
            Self::Operation(names) => write!(f, "{}", names.join(", ")),
        }
    }
}

impl fmt::Display for Conversion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dollars => f.write_str("nano-dollars to dollars, a double"),
            Self::CostOf(units) => write!(f, "the cost of {}, a double", units.join(", ")),
            Self::CostDetails => f.write_str("JSON of dollars: `total`, and the parts that are known"),
            Self::UsageDetails => {
                f.write_str("JSON of counts that do not overlap; `input` leaves the cached parts out")
            }
            Self::Count => f.write_str("as it is, where it is a count"),
            Self::Sum => f.write_str("the sum"),
            Self::Object(keys) => write!(f, "JSON object with the keys {}", keys.join(", ")),
            Self::Json => f.write_str("JSON text"),
            Self::Text => f.write_str("text, or JSON text"),
            Self::TypedJson(name) => write!(f, "JSON text, and `application/json` as `{name}`"),
            Self::TypedText(name) => write!(f, "text, or JSON text, and which of both as `{name}`"),
            Self::ChatMessages => f.write_str("JSON array of chat messages, system instructions first"),
            Self::FlatMessages => f.write_str("one attribute for each part of each message, system instructions first"),
            Self::FlatTools => f.write_str("one attribute for each tool"),
            Self::DateAfterStart => f.write_str("start of the span plus seconds, as a date"),
        }
    }
}
