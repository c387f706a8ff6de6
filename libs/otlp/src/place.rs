//! Where in a request a text can stand, and what each place is called.

use crate::schema::{Message, NUMBERS};

macro_rules! places {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// A place in which a text can stand. Values of attributes stand at `<owner>.attributes.<key>`; the place here
        /// is the `<owner>.attributes` of it, so there are few and their number does not depend on what is sent.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Place {
            $($(#[$doc])* $variant,)*
        }

        impl Place {
            /// All places.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name, for example `span.status.message`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

places! {
    /// Attributes of a resource.
    ResourceAttributes = "resource.attributes",
    /// Schema of a resource.
    ResourceSchemaUrl = "resource.schema_url",
    /// Schema of an entity that a resource refers to.
    EntitySchemaUrl = "resource.entity.schema_url",
    /// Type of an entity.
    EntityType = "resource.entity.type",
    /// Keys of the attributes that identify an entity.
    EntityIdKeys = "resource.entity.id_keys",
    /// Keys of the attributes that describe an entity.
    EntityDescriptionKeys = "resource.entity.description_keys",
    /// Name of a scope of instrumentation.
    ScopeName = "scope.name",
    /// Its version.
    ScopeVersion = "scope.version",
    /// Its attributes.
    ScopeAttributes = "scope.attributes",
    /// Its schema.
    ScopeSchemaUrl = "scope.schema_url",
    /// A trace id that is none, because it has not 16 bytes.
    SpanTraceId = "span.trace_id",
    /// A span id that is none, because it has not 8 bytes.
    SpanId = "span.span_id",
    /// The parent's id, where it is none.
    SpanParentId = "span.parent_span_id",
    /// Trace state of a span.
    SpanTraceState = "span.trace_state",
    /// Name of a span.
    SpanName = "span.name",
    /// Attributes of a span.
    SpanAttributes = "span.attributes",
    /// What a span says of its status.
    SpanStatusMessage = "span.status.message",
    /// Name of an event of a span.
    EventName = "event.name",
    /// Attributes of an event of a span, those of an exception among them.
    EventAttributes = "event.attributes",
    /// Trace id of a link, where it is none.
    LinkTraceId = "link.trace_id",
    /// Span id of a link, where it is none.
    LinkSpanId = "link.span_id",
    /// Trace state of a link.
    LinkTraceState = "link.trace_state",
    /// Attributes of a link.
    LinkAttributes = "link.attributes",
    /// Severity of a log record, in the words of its source.
    LogSeverityText = "log.severity_text",
    /// Body of a log record, with all that is within it.
    LogBody = "log.body",
    /// Attributes of a log record.
    LogAttributes = "log.attributes",
    /// Name of the event that a log record is.
    LogEventName = "log.event_name",
    /// Trace id of a log record, where it is none.
    LogTraceId = "log.trace_id",
    /// Span id of a log record, where it is none.
    LogSpanId = "log.span_id",
    /// Name of a metric.
    MetricName = "metric.name",
    /// Description of a metric.
    MetricDescription = "metric.description",
    /// Unit of a metric.
    MetricUnit = "metric.unit",
    /// What is said of a metric beside its points.
    MetricAttributes = "metric.attributes",
    /// Attributes of a data point.
    PointAttributes = "point.attributes",
    /// Attributes of an exemplar that are not those of its point.
    ExemplarAttributes = "exemplar.attributes",
    /// Trace id of an exemplar, where it is none.
    ExemplarTraceId = "exemplar.trace_id",
    /// Span id of an exemplar, where it is none.
    ExemplarSpanId = "exemplar.span_id",
}

impl Place {
    /// Whether a text in the place is free in its form. An id has a length and a trace state a grammar, so something
    /// that only says that a text was here would break them; it is left empty instead.
    pub(crate) const fn is_free(self) -> bool {
        !matches!(
            self,
            Self::SpanTraceId
                | Self::SpanId
                | Self::SpanParentId
                | Self::SpanTraceState
                | Self::LinkTraceId
                | Self::LinkSpanId
                | Self::LinkTraceState
                | Self::LogTraceId
                | Self::LogSpanId
                | Self::ExemplarTraceId
                | Self::ExemplarSpanId
        )
    }
}

/// The places as a table, as [`Message::role`] has one.
#[expect(clippy::indexing_slicing, reason = "evaluated when this is compiled")]
static PLACES: [[Option<Place>; NUMBERS]; Message::ALL.len()] = {
    let mut places = [[None; NUMBERS]; Message::ALL.len()];
    let mut at = 0;
    while at < NUMBERS * Message::ALL.len() {
        let (message, number) = (at / NUMBERS, at % NUMBERS);
        places[message][number] = Message::ALL[message].has(number as u32);
        at += 1;
    }
    places
};

impl Message {
    /// Where the texts of the field `number` stand. Values within an attribute or a body stand where that stands.
    #[inline]
    pub(crate) fn place(self, number: u32) -> Option<Place> {
        *PLACES.get(self as usize)?.get(number as usize)?
    }

    const fn has(self, number: u32) -> Option<Place> {
        Some(match (self, number) {
            (Self::Resource, 1) => Place::ResourceAttributes,
            (Self::ResourceSpans | Self::ResourceLogs | Self::ResourceMetrics, 3) => Place::ResourceSchemaUrl,
            (Self::EntityRef, 1) => Place::EntitySchemaUrl,
            (Self::EntityRef, 2) => Place::EntityType,
            (Self::EntityRef, 3) => Place::EntityIdKeys,
            (Self::EntityRef, 4) => Place::EntityDescriptionKeys,
            (Self::Scope, 1) => Place::ScopeName,
            (Self::Scope, 2) => Place::ScopeVersion,
            (Self::Scope, 3) => Place::ScopeAttributes,
            (Self::ScopeSpans | Self::ScopeLogs | Self::ScopeMetrics, 3) => Place::ScopeSchemaUrl,
            (Self::Span, 1) => Place::SpanTraceId,
            (Self::Span, 2) => Place::SpanId,
            (Self::Span, 3) => Place::SpanTraceState,
            (Self::Span, 4) => Place::SpanParentId,
            (Self::Span, 5) => Place::SpanName,
            (Self::Span, 9) => Place::SpanAttributes,
            (Self::Status, 2) => Place::SpanStatusMessage,
            (Self::Event, 2) => Place::EventName,
            (Self::Event, 3) => Place::EventAttributes,
            (Self::Link, 1) => Place::LinkTraceId,
            (Self::Link, 2) => Place::LinkSpanId,
            (Self::Link, 3) => Place::LinkTraceState,
            (Self::Link, 4) => Place::LinkAttributes,
            (Self::Log, 3) => Place::LogSeverityText,
            (Self::Log, 5) => Place::LogBody,
            (Self::Log, 6) => Place::LogAttributes,
            (Self::Log, 9) => Place::LogTraceId,
            (Self::Log, 10) => Place::LogSpanId,
            (Self::Log, 12) => Place::LogEventName,
            (Self::Metric, 1) => Place::MetricName,
            (Self::Metric, 2) => Place::MetricDescription,
            (Self::Metric, 3) => Place::MetricUnit,
            (Self::Metric, 12) => Place::MetricAttributes,
            (Self::NumberPoint | Self::SummaryPoint, 7) => Place::PointAttributes,
            (Self::HistogramPoint, 9) | (Self::ExponentialPoint, 1) => Place::PointAttributes,
            (Self::Exemplar, 4) => Place::ExemplarSpanId,
            (Self::Exemplar, 5) => Place::ExemplarTraceId,
            (Self::Exemplar, 7) => Place::ExemplarAttributes,
            _ => return None,
        })
    }
}

/// Keys of attributes whose values name things, in the conventions of OpenTelemetry and here: few values that repeat,
/// without which spans and their costs cannot be told apart.
const NAMING: [&str; 20] = [
    "cloud.provider",
    "cloud.region",
    "deployment.environment",
    "deployment.environment.name",
    "error.type",
    "gen_ai.operation.name",
    "gen_ai.output.type",
    "gen_ai.provider.name",
    "gen_ai.request.model",
    "gen_ai.response.finish_reasons",
    "gen_ai.response.model",
    "gen_ai.system",
    "gen_ai.token.type",
    "gen_ai.tool.type",
    "service.name",
    "service.namespace",
    "service.version",
    "telemetry.sdk.language",
    "telemetry.sdk.name",
    "telemetry.sdk.version",
];

/// Start of the keys of what the project's own plugins write.
const OWN: &[u8] = b"tollgate.";

/// Whether the values of the attribute `key` name things.
pub(crate) fn names_things(key: &[u8]) -> bool {
    key.starts_with(OWN) || NAMING.binary_search_by(|name| name.as_bytes().cmp(key)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Role;
    use std::collections::BTreeSet;

    #[test]
    fn every_text_of_the_schema_has_a_place() {
        let within = [Message::KeyValue, Message::AnyValue, Message::Array, Message::KeyValues];
        let mut used = BTreeSet::new();
        for message in Message::ALL.iter().filter(|message| !within.contains(message)) {
            for number in 0..2 * NUMBERS as u32 {
                assert_eq!(message.role(number), message.defined(number), "the table holds all of {message:?}");
                assert_eq!(message.place(number), message.has(number), "{message:?}");
                let holds_text = matches!(
                    message.role(number),
                    Role::Text
                        | Role::Label
                        | Role::Blob
                        | Role::Id(_)
                        | Role::Many(Message::KeyValue)
                        | Role::Once(Message::AnyValue)
                );
                assert_eq!(message.place(number).is_some(), holds_text, "{message:?} {number}");
                used.extend(message.place(number));
            }
        }
        assert!(used.iter().eq(Place::ALL), "a place that nothing stands in");
        assert!(Message::ALL.iter().enumerate().all(|(number, message)| number == *message as usize));
    }

    #[test]
    fn names_of_places_are_their_own() {
        let names: BTreeSet<_> = Place::ALL.iter().map(|place| place.name()).collect();
        assert_eq!(names.len(), Place::ALL.len());
        assert!(NAMING.is_sorted());
        assert!(names_things(b"service.name") && names_things(b"tollgate.call.role") && !names_things(b"user.id"));
    }
}
