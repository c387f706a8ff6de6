//! The messages of OTLP as a table: which field of which message is what.
//!
//! Source: `opentelemetry/proto/{common,resource,trace,logs,collector}/v1`. One table serves the check of a request,
//! the walk over its texts, and the splicing of new ones, so that the three cannot disagree.

/// A message type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    Traces,
    ResourceSpans,
    ScopeSpans,
    Span,
    Event,
    Link,
    Status,
    Logs,
    ResourceLogs,
    ScopeLogs,
    Log,
    Resource,
    EntityRef,
    Scope,
    KeyValue,
    AnyValue,
    Array,
    KeyValues,
}

/// What a field is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// A message, any number of times.
    Many(Message),
    /// A message, at most once.
    Once(Message),
    /// A string that people or programs wrote: content, which a redactor sees.
    Text,
    /// A string that names things: keys, versions, schema addresses, trace state. Not content.
    Label,
    /// Bytes that may be content.
    Blob,
    /// Bytes that are an id.
    Id,
    /// An integer, enumeration or truth value.
    Varint,
    /// Eight bytes.
    Fixed64,
    /// Four bytes.
    Fixed32,
    /// Not a field that is known here. It is kept as it is.
    Unknown,
}

impl Message {
    /// What the field `number` of this message is.
    pub(crate) const fn role(self, number: u32) -> Role {
        match (self, number) {
            (Self::Traces, 1) => Role::Many(Self::ResourceSpans),
            (Self::Logs, 1) => Role::Many(Self::ResourceLogs),

            (Self::ResourceSpans | Self::ResourceLogs, 1) => Role::Once(Self::Resource),
            (Self::ResourceSpans, 2) => Role::Many(Self::ScopeSpans),
            (Self::ResourceLogs, 2) => Role::Many(Self::ScopeLogs),
            (Self::ScopeSpans | Self::ScopeLogs, 1) => Role::Once(Self::Scope),
            (Self::ScopeSpans, 2) => Role::Many(Self::Span),
            (Self::ScopeLogs, 2) => Role::Many(Self::Log),
            (Self::ResourceSpans | Self::ResourceLogs | Self::ScopeSpans | Self::ScopeLogs, 3) => Role::Label,

            (Self::Resource, 1) => Role::Many(Self::KeyValue),
            (Self::Resource, 2) => Role::Varint,
            (Self::Resource, 3) => Role::Many(Self::EntityRef),
            (Self::EntityRef, 1..=4) => Role::Label,
            (Self::Scope, 1 | 2) => Role::Label,
            (Self::Scope, 3) => Role::Many(Self::KeyValue),
            (Self::Scope, 4) => Role::Varint,

            (Self::Span, 1 | 2 | 4) => Role::Id,
            (Self::Span, 3) => Role::Label,
            (Self::Span, 5) => Role::Text,
            (Self::Span, 6 | 10 | 12 | 14) => Role::Varint,
            (Self::Span, 7 | 8) => Role::Fixed64,
            (Self::Span, 9) => Role::Many(Self::KeyValue),
            (Self::Span, 11) => Role::Many(Self::Event),
            (Self::Span, 13) => Role::Many(Self::Link),
            (Self::Span, 15) => Role::Once(Self::Status),
            (Self::Span, 16) => Role::Fixed32,

            (Self::Event, 1) => Role::Fixed64,
            (Self::Event, 2) => Role::Text,
            (Self::Event, 3) => Role::Many(Self::KeyValue),
            (Self::Event, 4) => Role::Varint,
            (Self::Link, 1 | 2) => Role::Id,
            (Self::Link, 3) => Role::Label,
            (Self::Link, 4) => Role::Many(Self::KeyValue),
            (Self::Link, 5) => Role::Varint,
            (Self::Link, 6) => Role::Fixed32,
            (Self::Status, 2) => Role::Text,
            (Self::Status, 3) => Role::Varint,

            (Self::Log, 1 | 11) => Role::Fixed64,
            (Self::Log, 2 | 7) => Role::Varint,
            (Self::Log, 3) => Role::Label,
            (Self::Log, 5) => Role::Once(Self::AnyValue),
            (Self::Log, 6) => Role::Many(Self::KeyValue),
            (Self::Log, 8) => Role::Fixed32,
            (Self::Log, 9 | 10) => Role::Id,
            (Self::Log, 12) => Role::Text,

            (Self::KeyValue, 1) => Role::Label,
            (Self::KeyValue, 2) => Role::Once(Self::AnyValue),
            (Self::KeyValue, 3) => Role::Varint,
            (Self::AnyValue, 1) => Role::Text,
            (Self::AnyValue, 2 | 3 | 8) => Role::Varint,
            (Self::AnyValue, 4) => Role::Fixed64,
            (Self::AnyValue, 5) => Role::Once(Self::Array),
            (Self::AnyValue, 6) => Role::Once(Self::KeyValues),
            (Self::AnyValue, 7) => Role::Blob,
            (Self::Array, 1) => Role::Many(Self::AnyValue),
            (Self::KeyValues, 1) => Role::Many(Self::KeyValue),

            _ => Role::Unknown,
        }
    }
}
