//! What the columns are and where each comes from.

use Kind::{Cost, Integer, List, Map, Name, Real, Text, Time};
use Source::{Attributes, Item, Resource};
use tollgate_semconv::attribute as a;

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name in the file.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// Where its values come from.
    pub from: Source,
}

/// The type of a column. All but [`Kind::Time`] and [`Kind::Map`] may be NULL, which stands for what was not said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `TIMESTAMP(MICROS, UTC)`. Spark reads no nanoseconds, so these stand in a column beside it.
    Time,
    /// `INT64`.
    Integer,
    /// `DOUBLE`.
    Real,
    /// `DECIMAL(38, 9)`, made of a number of billionths.
    Cost,
    /// `STRING` with many different values: ids and content.
    Text,
    /// `STRING` with few different values.
    Name,
    /// `LIST<STRING>`.
    List,
    /// `MAP<STRING, STRING>`, each key once. Values that are no text are JSON.
    Map,
}

/// Where the values of a column come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A field of the span or log record.
    Item(Part),
    /// The first of these attributes of the span or log record that is there with a value of the column's type.
    Attributes(&'static [&'static str]),
    /// An attribute of the resource.
    Resource(&'static str),
}

/// A field of a span or log record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Start of a span; time of a log record, or when it was observed where it has none.
    Time,
    /// Trace id in lower-case hexadecimal digits; NULL for log records outside of a trace.
    TraceId,
    /// Span id in lower-case hexadecimal digits.
    SpanId,
    /// Id of the parent in lower-case hexadecimal digits; NULL for roots.
    ParentId,
    /// W3C trace state.
    TraceState,
    /// Name of a span.
    Name,
    /// `internal`, `server`, `client`, `producer`, `consumer`, `unspecified`.
    Kind,
    /// `unset`, `ok`, `error`.
    Status,
    /// What the status says.
    StatusMessage,
    /// Nanoseconds from start to end; NULL where one is not said or the end comes first.
    Duration,
    /// Name of the instrumentation scope.
    Scope,
    /// Number of a log record's severity.
    SeverityNumber,
    /// Severity of a log record in its own words.
    SeverityText,
    /// Name of the event that a log record is.
    EventName,
    /// Body of a log record, as JSON where it is no text.
    Body,
    /// All attributes.
    AllAttributes,
    /// All attributes of the resource.
    AllResource,
}

const fn field(name: &'static str, kind: Kind, from: Source) -> Field {
    Field { name, kind, from }
}

/// Columns of `traces`, in order.
pub const SPANS: &[Field] = &[
    field("timestamp", Time, Item(Part::Time)),
    field("start_time_unix_nano", Integer, Item(Part::Time)),
    field("duration_nano", Integer, Item(Part::Duration)),
    field("trace_id", Text, Item(Part::TraceId)),
    field("span_id", Text, Item(Part::SpanId)),
    field("parent_span_id", Text, Item(Part::ParentId)),
    field("trace_state", Name, Item(Part::TraceState)),
    field("span_name", Name, Item(Part::Name)),
    field("span_kind", Name, Item(Part::Kind)),
    field("service_name", Name, Resource(a::SERVICE_NAME)),
    field("scope_name", Name, Item(Part::Scope)),
    field("status_code", Name, Item(Part::Status)),
    field("status_message", Name, Item(Part::StatusMessage)),
    field("error_type", Name, Attributes(&[a::ERROR_TYPE])),
    field("operation", Name, Attributes(&[a::GEN_AI_OPERATION_NAME])),
    field("provider", Name, Attributes(&[a::GEN_AI_PROVIDER_NAME])),
    field("request_model", Name, Attributes(&[a::GEN_AI_REQUEST_MODEL])),
    field("response_model", Name, Attributes(&[a::GEN_AI_RESPONSE_MODEL])),
    field("response_id", Text, Attributes(&[a::GEN_AI_RESPONSE_ID])),
    field("call_role", Name, Attributes(&[a::TOLLGATE_CALL_ROLE])),
    field("input_tokens", Integer, Attributes(&[a::GEN_AI_USAGE_INPUT_TOKENS])),
    field("output_tokens", Integer, Attributes(&[a::GEN_AI_USAGE_OUTPUT_TOKENS])),
    field("cache_read_input_tokens", Integer, Attributes(&[a::GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS])),
    field("cache_write_input_tokens", Integer, Attributes(&[a::GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS])),
    field("reasoning_output_tokens", Integer, Attributes(&[a::GEN_AI_USAGE_REASONING_OUTPUT_TOKENS])),
    field("usage_source", Name, Attributes(&[a::TOLLGATE_USAGE_SOURCE])),
    field("cost_usd", Cost, Attributes(&[a::TOLLGATE_COST_NANO_USD])),
    field("cost_source", Name, Attributes(&[a::TOLLGATE_COST_SOURCE])),
    field("price_set", Name, Attributes(&[a::TOLLGATE_COST_PRICE_SET])),
    field("price_row", Name, Attributes(&[a::TOLLGATE_COST_PRICE_ROW])),
    field("unpriced_reason", Name, Attributes(&[a::TOLLGATE_COST_UNPRICED])),
    field("time_to_first_chunk_seconds", Real, Attributes(&[a::GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK])),
    field("finish_reasons", List, Attributes(&[a::GEN_AI_RESPONSE_FINISH_REASONS])),
    field("user_id", Name, Attributes(&[a::USER_ID, "enduser.id"])),
    field("session_id", Name, Attributes(&[a::GEN_AI_CONVERSATION_ID, "session.id"])),
    field("tenant_id", Name, Attributes(&["tenant.id"])),
    field("sampling_probability", Real, Attributes(&[a::TOLLGATE_SAMPLING_PROBABILITY])),
    field("attributes", Map, Item(Part::AllAttributes)),
    field("resource_attributes", Map, Item(Part::AllResource)),
];

/// Columns of `logs`, in order.
pub const LOGS: &[Field] = &[
    field("timestamp", Time, Item(Part::Time)),
    field("time_unix_nano", Integer, Item(Part::Time)),
    field("trace_id", Text, Item(Part::TraceId)),
    field("span_id", Text, Item(Part::SpanId)),
    field("severity_number", Integer, Item(Part::SeverityNumber)),
    field("severity_text", Name, Item(Part::SeverityText)),
    field("event_name", Name, Item(Part::EventName)),
    field("service_name", Name, Resource(a::SERVICE_NAME)),
    field("scope_name", Name, Item(Part::Scope)),
    field("body", Text, Item(Part::Body)),
    field("attributes", Map, Item(Part::AllAttributes)),
    field("resource_attributes", Map, Item(Part::AllResource)),
];
