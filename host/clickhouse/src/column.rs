//! The columns about LLM calls: their names, their types, and the attributes they are read from.
//!
//! Each has a default that reads the same from the maps of attributes. So rows that were there before, and rows that an
//! OpenTelemetry Collector writes, have these columns too; rows that are written here bring them along, which saves the
//! server the work.

use tollgate_semconv::{attribute, call_role, operation};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One of few texts; empty where there is none.
    Word,
    /// Any text; empty where there is none.
    Text,
    /// A count; NULL where it is not known.
    Count,
    /// US dollars, exact to the nano-dollar; NULL where they are not known. The attribute is an integer of nano-dollars.
    Money,
    /// A floating-point number; NULL where there is none, or one that is not finite.
    Real,
    /// Texts of an array.
    Words,
    /// Whether the span counts as a call: `tollgate_semconv::call_role::is_billable`.
    Billable,
}

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Attributes of the span or log record that it is read from. The first that has a text counts.
    pub attributes: &'static [&'static str],
    /// Attribute of the resource that it is read from where none of these has a text.
    pub resource: Option<&'static str>,
    /// What it says, for those who read the table.
    pub comment: &'static str,
    /// The version of the tables that brings it. Migrations that are released never change, so that a further column has a
    /// further version, whose migration adds it.
    pub since: u32,
}

const fn column(name: &'static str, kind: Kind, attributes: &'static [&'static str], comment: &'static str) -> Column {
    Column { name, kind, attributes, resource: None, comment, since: 2 }
}

const fn shared(name: &'static str, attribute: &'static [&'static str; 1], comment: &'static str) -> Column {
    let [resource] = *attribute;
    Column { name, kind: Kind::Word, attributes: attribute, resource: Some(resource), comment, since: 2 }
}

/// Name of an evaluation, as the GenAI conventions have it.
const EVALUATION_NAME: &str = "gen_ai.evaluation.name";
/// Its score, a number.
const EVALUATION_SCORE: &str = "gen_ai.evaluation.score.value";
/// Its score in a word.
const EVALUATION_LABEL: &str = "gen_ai.evaluation.score.label";

const SESSION: Column =
    column("LlmSession", Kind::Text, &[attribute::GEN_AI_CONVERSATION_ID, "session.id"], "Conversation or session");
const RESPONSE_ID: Column = column("LlmResponseId", Kind::Text, &[attribute::GEN_AI_RESPONSE_ID], "Id of the answer");
const EVALUATION: [Column; 3] = [
    column("LlmEvaluation", Kind::Word, &[EVALUATION_NAME], "What was evaluated"),
    column("LlmEvaluationScore", Kind::Real, &[EVALUATION_SCORE], "Its score"),
    column("LlmEvaluationLabel", Kind::Word, &[EVALUATION_LABEL], "Its score in a word"),
];

/// The columns of the table of spans. Their order is that of the rows; new ones come at the end.
pub const SPANS: &[Column] = &[
    column("LlmOperation", Kind::Word, &[attribute::GEN_AI_OPERATION_NAME], "What was asked for"),
    column("LlmProvider", Kind::Word, &[attribute::GEN_AI_PROVIDER_NAME], "Who answered"),
    column("LlmRequestModel", Kind::Word, &[attribute::GEN_AI_REQUEST_MODEL], "Model that was asked for"),
    column("LlmResponseModel", Kind::Word, &[attribute::GEN_AI_RESPONSE_MODEL], "Model that answered"),
    RESPONSE_ID,
    column("LlmCallRole", Kind::Word, &[attribute::TOLLGATE_CALL_ROLE], "What the span is to the bill"),
    column(
        "LlmBillable",
        Kind::Billable,
        &[attribute::TOLLGATE_CALL_ROLE, attribute::GEN_AI_OPERATION_NAME],
        "Whether the span is a call that counts",
    ),
    column("LlmInputTokens", Kind::Count, &[attribute::GEN_AI_USAGE_INPUT_TOKENS], "Everything read"),
    column("LlmOutputTokens", Kind::Count, &[attribute::GEN_AI_USAGE_OUTPUT_TOKENS], "Everything written"),
    column("LlmCacheReadTokens", Kind::Count, &[attribute::GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS], "Part of the input"),
    column(
        "LlmCacheWriteTokens",
        Kind::Count,
        &[attribute::GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS],
        "Part of the input",
    ),
    column("LlmReasoningTokens", Kind::Count, &[attribute::GEN_AI_USAGE_REASONING_OUTPUT_TOKENS], "Part of the output"),
    column("LlmAudioInputTokens", Kind::Count, &[attribute::GEN_AI_USAGE_AUDIO_INPUT_TOKENS], "Part of the input"),
    column("LlmAudioOutputTokens", Kind::Count, &[attribute::GEN_AI_USAGE_AUDIO_OUTPUT_TOKENS], "Part of the output"),
    column("LlmImageInputTokens", Kind::Count, &[attribute::GEN_AI_USAGE_IMAGE_INPUT_TOKENS], "Part of the input"),
    column("LlmImageOutputTokens", Kind::Count, &[attribute::GEN_AI_USAGE_IMAGE_OUTPUT_TOKENS], "Part of the output"),
    column("LlmUsageSource", Kind::Word, &[attribute::TOLLGATE_USAGE_SOURCE], "Where the counts come from"),
    column("LlmCost", Kind::Money, &[attribute::TOLLGATE_COST_NANO_USD], "US dollars; NULL where it is not known"),
    column("LlmProviderCost", Kind::Money, &[attribute::TOLLGATE_COST_PROVIDER_NANO_USD], "As the provider reports it"),
    column("LlmCostSource", Kind::Word, &[attribute::TOLLGATE_COST_SOURCE], "Who computed the cost"),
    column("LlmPriceSet", Kind::Word, &[attribute::TOLLGATE_COST_PRICE_SET], "Version of the price set"),
    column("LlmPriceRow", Kind::Word, &[attribute::TOLLGATE_COST_PRICE_ROW], "Row of the price set"),
    column("LlmCostTier", Kind::Word, &[attribute::TOLLGATE_COST_TIER], "Service tier that was priced"),
    column("LlmUnpriced", Kind::Word, &[attribute::TOLLGATE_COST_UNPRICED], "Why there is no cost"),
    column(
        "LlmTimeToFirstChunk",
        Kind::Real,
        &[attribute::GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK],
        "Seconds to the first chunk of a stream",
    ),
    column("LlmFinishReasons", Kind::Words, &[attribute::GEN_AI_RESPONSE_FINISH_REASONS], "Why the model stopped"),
    column("LlmErrorType", Kind::Word, &[attribute::ERROR_TYPE], "Class of the failure"),
    column("LlmUser", Kind::Text, &[attribute::USER_ID], "End user"),
    SESSION,
    shared("LlmTenant", &["tenant.id"], "Tenant, of the span or its resource"),
    shared("LlmTeam", &["team"], "Team, of the span or its resource"),
    EVALUATION[0],
    EVALUATION[1],
    EVALUATION[2],
];

/// The columns of the table of log records: what ties one to a call, and evaluations, which come as events.
pub const LOGS: &[Column] = &[
    column("LlmOperation", Kind::Word, &[attribute::GEN_AI_OPERATION_NAME], "What was asked for"),
    RESPONSE_ID,
    SESSION,
    EVALUATION[0],
    EVALUATION[1],
    EVALUATION[2],
];

/// The columns of spans that the table of calls has too: all but those that say whether a span is a call, and evaluations.
pub fn calls() -> impl Iterator<Item = &'static Column> {
    SPANS.iter().filter(|column| {
        let of_evaluation = EVALUATION.iter().any(|evaluation| evaluation.name == column.name);
        !of_evaluation && column.kind != Kind::Billable && column.name != "LlmCallRole"
    })
}

impl Column {
    /// Its type in ClickHouse.
    #[must_use]
    pub const fn sql_type(&self) -> &'static str {
        match self.kind {
            Kind::Word => "LowCardinality(String)",
            Kind::Text => "String",
            Kind::Count => "Nullable(UInt64)",
            Kind::Money => "Nullable(Decimal(38, 9))",
            Kind::Real => "Nullable(Float64)",
            Kind::Words => "Array(LowCardinality(String))",
            Kind::Billable => "Bool",
        }
    }

    /// How it is compressed. Counts and times differ little in size, and the general codec does the rest.
    #[must_use]
    pub const fn codec(&self) -> &'static str {
        match self.kind {
            Kind::Count => "CODEC(T64, ZSTD(1))",
            _ => "CODEC(ZSTD(1))",
        }
    }

    /// The expression that reads it from the map `attributes` and the resource's map.
    #[must_use]
    pub fn default(&self, attributes: &str) -> String {
        let text = self.text(attributes);
        match self.kind {
            Kind::Word | Kind::Text => text,
            Kind::Count => format!("toUInt64OrNull({text})"),
            // Both factors are decimals, so that no digit goes through a double.
            Kind::Money => format!("toDecimal128(toInt64OrNull({text}), 0) * toDecimal128('0.000000001', 9)"),
            Kind::Real => format!("if(isFinite(toFloat64OrNull({text})), toFloat64OrNull({text}), NULL)"),
            Kind::Words => format!("JSONExtract({text}, 'Array(LowCardinality(String))')"),
            Kind::Billable => {
                let role = format!("{attributes}['{}']", attribute::TOLLGATE_CALL_ROLE);
                let name = format!("{attributes}['{}']", attribute::GEN_AI_OPERATION_NAME);
                let calls: Vec<_> = operation::INFERENCE.iter().map(|name| format!("'{name}'")).collect();
                format!("if({role} = '', {name} IN ({}), {role} = '{}')", calls.join(", "), call_role::BILLABLE)
            }
        }
    }

    /// The first text among what it is read from; names of attributes have nothing that would have to be escaped.
    fn text(&self, attributes: &str) -> String {
        let of_item = self.attributes.iter().map(|name| format!("{attributes}['{name}']"));
        let of_resource = self.resource.iter().map(|name| format!("ResourceAttributes['{name}']"));
        let mut all: Vec<String> = of_item.chain(of_resource).collect();
        let last = all.pop().unwrap_or_default();
        all.iter().rev().fold(last, |rest, first| format!("if({first} != '', {first}, {rest})"))
    }

    /// Its definition, as it stands in `CREATE TABLE` and `ADD COLUMN`.
    #[must_use]
    pub fn definition(&self, attributes: &str) -> String {
        let (name, sql_type, codec) = (self.name, self.sql_type(), self.codec());
        format!("{name} {sql_type} DEFAULT {} COMMENT '{}' {codec}", self.default(attributes), self.comment)
    }
}
