//! The messages of OTLP as a table: which field of which message is what.
//!
//! Source: `opentelemetry/proto/{common,resource,trace,logs,metrics,collector}/v1`. One table serves the check of a request,
//! the walk over its texts, and the splicing of new ones, so that the three cannot disagree.

macro_rules! messages {
    ($($name:ident,)*) => {
        /// A message type.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Message {
            $($name,)*
        }

        impl Message {
            /// All message types, each at its number.
            pub(crate) const ALL: &[Self] = &[$(Self::$name,)*];
        }
    };
}

messages! {
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
    Metrics,
    ResourceMetrics,
    ScopeMetrics,
    Metric,
    Gauge,
    Sum,
    Histogram,
    ExponentialHistogram,
    Summary,
    NumberPoint,
    HistogramPoint,
    ExponentialPoint,
    SummaryPoint,
    Buckets,
    Quantile,
    Exemplar,
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
    /// A string that people or programs wrote: content.
    Text,
    /// A string that names things: keys, versions, units, schema addresses. It repeats, and it rarely changes.
    Label,
    /// Bytes that may be content.
    Blob,
    /// Bytes that are an id where there are so many of them.
    Id(u8),
    /// An integer, enumeration or truth value.
    Varint,
    /// Eight bytes.
    Fixed64,
    /// Four bytes.
    Fixed32,
    /// Integers, one or a run of them.
    Varints,
    /// Eight bytes, or a run of such.
    Fixed64s,
    /// Not a field that is known here. It is kept as it is.
    Unknown,
}

/// Numbers of fields are below this in all of OTLP.
pub(crate) const NUMBERS: usize = 32;

/// The schema as a table: a match of this size is a chain of comparisons.
#[expect(clippy::indexing_slicing, reason = "evaluated when this is compiled")]
static ROLES: [[Role; NUMBERS]; Message::ALL.len()] = {
    let mut roles = [[Role::Unknown; NUMBERS]; Message::ALL.len()];
    let mut at = 0;
    while at < NUMBERS * Message::ALL.len() {
        let (message, number) = (at / NUMBERS, at % NUMBERS);
        roles[message][number] = Message::ALL[message].defined(number as u32);
        at += 1;
    }
    roles
};

impl Message {
    /// What the field `number` of this message is.
    #[inline]
    pub(crate) fn role(self, number: u32) -> Role {
        ROLES.get(self as usize).and_then(|roles| roles.get(number as usize)).copied().unwrap_or(Role::Unknown)
    }

    /// What OTLP defines the field `number` to be.
    pub(crate) const fn defined(self, number: u32) -> Role {
        match (self, number) {
            (Self::Traces, 1) => Role::Many(Self::ResourceSpans),
            (Self::Logs, 1) => Role::Many(Self::ResourceLogs),
            (Self::Metrics, 1) => Role::Many(Self::ResourceMetrics),

            (Self::ResourceSpans | Self::ResourceLogs | Self::ResourceMetrics, 1) => Role::Once(Self::Resource),
            (Self::ResourceSpans, 2) => Role::Many(Self::ScopeSpans),
            (Self::ResourceLogs, 2) => Role::Many(Self::ScopeLogs),
            (Self::ResourceMetrics, 2) => Role::Many(Self::ScopeMetrics),
            (Self::ScopeSpans | Self::ScopeLogs | Self::ScopeMetrics, 1) => Role::Once(Self::Scope),
            (Self::ScopeSpans, 2) => Role::Many(Self::Span),
            (Self::ScopeLogs, 2) => Role::Many(Self::Log),
            (Self::ScopeMetrics, 2) => Role::Many(Self::Metric),
            (Self::ResourceSpans | Self::ResourceLogs | Self::ResourceMetrics, 3) => Role::Label,
            (Self::ScopeSpans | Self::ScopeLogs | Self::ScopeMetrics, 3) => Role::Label,

            (Self::Resource, 1) => Role::Many(Self::KeyValue),
            (Self::Resource, 2) => Role::Varint,
            (Self::Resource, 3) => Role::Many(Self::EntityRef),
            (Self::EntityRef, 1..=4) => Role::Label,
            (Self::Scope, 1 | 2) => Role::Label,
            (Self::Scope, 3) => Role::Many(Self::KeyValue),
            (Self::Scope, 4) => Role::Varint,

            (Self::Span, 1) => Role::Id(16),
            (Self::Span, 2 | 4) => Role::Id(8),
            (Self::Span, 3 | 5) => Role::Text,
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
            (Self::Link, 1) => Role::Id(16),
            (Self::Link, 2) => Role::Id(8),
            (Self::Link, 3) => Role::Text,
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
            (Self::Log, 9) => Role::Id(16),
            (Self::Log, 10) => Role::Id(8),
            (Self::Log, 12) => Role::Text,

            (Self::Metric, 1..=3) => Role::Label,
            (Self::Metric, 5) => Role::Once(Self::Gauge),
            (Self::Metric, 7) => Role::Once(Self::Sum),
            (Self::Metric, 9) => Role::Once(Self::Histogram),
            (Self::Metric, 10) => Role::Once(Self::ExponentialHistogram),
            (Self::Metric, 11) => Role::Once(Self::Summary),
            (Self::Metric, 12) => Role::Many(Self::KeyValue),
            (Self::Gauge | Self::Sum, 1) => Role::Many(Self::NumberPoint),
            (Self::Histogram, 1) => Role::Many(Self::HistogramPoint),
            (Self::ExponentialHistogram, 1) => Role::Many(Self::ExponentialPoint),
            (Self::Summary, 1) => Role::Many(Self::SummaryPoint),
            (Self::Sum | Self::Histogram | Self::ExponentialHistogram, 2) | (Self::Sum, 3) => Role::Varint,

            (Self::NumberPoint, 2 | 3 | 4 | 6) => Role::Fixed64,
            (Self::NumberPoint, 5) => Role::Many(Self::Exemplar),
            (Self::NumberPoint, 7) => Role::Many(Self::KeyValue),
            (Self::NumberPoint, 8) => Role::Varint,
            (Self::HistogramPoint, 2..=5 | 11 | 12) => Role::Fixed64,
            (Self::HistogramPoint, 6 | 7) => Role::Fixed64s,
            (Self::HistogramPoint, 8) => Role::Many(Self::Exemplar),
            (Self::HistogramPoint, 9) => Role::Many(Self::KeyValue),
            (Self::HistogramPoint, 10) => Role::Varint,
            (Self::ExponentialPoint, 1) => Role::Many(Self::KeyValue),
            (Self::ExponentialPoint, 2..=5 | 7 | 12..=14) => Role::Fixed64,
            (Self::ExponentialPoint, 6 | 10) => Role::Varint,
            (Self::ExponentialPoint, 8 | 9) => Role::Once(Self::Buckets),
            (Self::ExponentialPoint, 11) => Role::Many(Self::Exemplar),
            (Self::Buckets, 1) => Role::Varint,
            (Self::Buckets, 2) => Role::Varints,
            (Self::SummaryPoint, 2..=5) => Role::Fixed64,
            (Self::SummaryPoint, 6) => Role::Many(Self::Quantile),
            (Self::SummaryPoint, 7) => Role::Many(Self::KeyValue),
            (Self::SummaryPoint, 8) => Role::Varint,
            (Self::Quantile, 1 | 2) => Role::Fixed64,
            (Self::Exemplar, 2 | 3 | 6) => Role::Fixed64,
            (Self::Exemplar, 4) => Role::Id(8),
            (Self::Exemplar, 5) => Role::Id(16),
            (Self::Exemplar, 7) => Role::Many(Self::KeyValue),

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
