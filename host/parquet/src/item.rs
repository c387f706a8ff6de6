//! A span or a log record, as far as columns want to know.

use crate::fields::Part;
use tollgate_otlp::{Attributes, Log, Span, Value};

/// A row.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Item<'r> {
    Span(Span<'r>),
    Log(Log<'r>),
}

/// What a field is.
#[derive(Debug)]
pub(crate) enum Found<'r> {
    Nothing,
    Text(&'r str),
    Id(Vec<u8>),
    Value(Value<'r>),
    Integer(i64),
    Attributes(Attributes<'r>),
}

impl<'r> Item<'r> {
    /// Nanoseconds since 1970; 0 where it is not said.
    pub(crate) fn time(&self) -> u64 {
        match self {
            Self::Span(span) => span.start_time(),
            Self::Log(log) if log.time() == 0 => log.observed_time(),
            Self::Log(log) => log.time(),
        }
    }

    pub(crate) fn attributes(&self) -> Attributes<'r> {
        match self {
            Self::Span(span) => span.attributes(),
            Self::Log(log) => log.attributes(),
        }
    }

    pub(crate) fn resource(&self) -> Attributes<'r> {
        match self {
            Self::Span(span) => span.resource(),
            Self::Log(log) => log.resource(),
        }
    }

    /// Bytes on the wire.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Span(span) => span.bytes().len(),
            Self::Log(log) => log.bytes().len(),
        }
    }

    /// A field; what the other signal has is nothing here.
    pub(crate) fn part(&self, part: Part) -> Found<'r> {
        let text = |text: &'r str| if text.is_empty() { Found::Nothing } else { Found::Text(text) };
        match (self, part) {
            (_, Part::Time) => match self.time() {
                0 => Found::Nothing,
                time => Found::Integer(whole(time)),
            },
            (_, Part::AllAttributes) => Found::Attributes(self.attributes()),
            (_, Part::AllResource) => Found::Attributes(self.resource()),
            (Self::Span(span), Part::TraceId) => Found::Id(span.trace_id().to_vec()),
            (Self::Span(span), Part::SpanId) => Found::Id(span.span_id().to_vec()),
            (Self::Span(span), Part::ParentId) => span.parent_id().map_or(Found::Nothing, |id| Found::Id(id.to_vec())),
            (Self::Span(span), Part::TraceState) => text(span.trace_state()),
            (Self::Span(span), Part::Name) => Found::Text(span.name()),
            (Self::Span(span), Part::Kind) => Found::Text(span.kind().as_str()),
            (Self::Span(span), Part::Status) => Found::Text(span.status().as_str()),
            (Self::Span(span), Part::StatusMessage) => text(span.status_message()),
            (Self::Span(span), Part::Duration) => {
                span.duration().map_or(Found::Nothing, |nanos| Found::Integer(whole(nanos)))
            }
            (Self::Span(span), Part::Scope) => text(span.scope_name()),
            (Self::Log(log), Part::TraceId) => log.trace_id().map_or(Found::Nothing, |id| Found::Id(id.to_vec())),
            (Self::Log(log), Part::SpanId) => log.span_id().map_or(Found::Nothing, |id| Found::Id(id.to_vec())),
            (Self::Log(log), Part::Scope) => text(log.scope_name()),
            (Self::Log(log), Part::SeverityNumber) => match log.severity_number() {
                0 => Found::Nothing,
                number => Found::Integer(number.into()),
            },
            (Self::Log(log), Part::SeverityText) => text(log.severity_text()),
            (Self::Log(log), Part::EventName) => text(log.event_name()),
            (Self::Log(log), Part::Body) => Found::Value(log.body()),
            _ => Found::Nothing,
        }
    }
}

/// Times of OTLP go beyond what a signed number holds, but only after the year 2262.
fn whole(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
