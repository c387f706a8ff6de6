//! Requests, put together from spans: written ones, and ones taken out of other requests.

use crate::encode;
use crate::json_read::JsonError;
use crate::span_writer::{NewValue, attribute, json_attribute};
use crate::splice::scanned;
use crate::trace::Span;
use crate::value::key_and_value;
use crate::wire::{Frame, Payload, Reader};
use std::collections::BTreeMap;

/// What is around a span: resource, instrumentation scope and their schema addresses, as encoded fields.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Envelope {
    /// The fields of `ResourceSpans` but the scopes.
    resource: Vec<u8>,
    /// The fields of `ScopeSpans` but the spans.
    scope: Vec<u8>,
}

impl Envelope {
    /// An envelope with attributes of the resource, and the name and version of the scope.
    #[must_use]
    pub fn new(resource: &[(&str, NewValue<'_>)], scope_name: &str, scope_version: &str) -> Self {
        let mut envelope = Self::default();
        encode::nested(&mut envelope.resource, 1, |out| {
            for (key, value) in resource {
                attribute(out, 1, key, *value);
            }
        });
        encode::nested(&mut envelope.scope, 1, |out| {
            encode::bytes(out, 1, scope_name.as_bytes());
            encode::bytes(out, 2, scope_version.as_bytes());
        });
        envelope
    }

    /// Bytes that it takes, encoded.
    #[must_use]
    pub fn size(&self) -> usize {
        self.resource.len() + self.scope.len()
    }

    /// The fields of `ResourceSpans` but the scopes, and those of `ScopeSpans` but the spans, encoded, to be kept.
    #[must_use]
    pub fn fields(&self) -> (&[u8], &[u8]) {
        (&self.resource, &self.scope)
    }

    /// An envelope of [`fields`](Self::fields) that were kept.
    #[must_use]
    pub fn of_fields(resource: Vec<u8>, scope: Vec<u8>) -> Self {
        Self { resource, scope }
    }
}

impl Span<'_> {
    /// Whether another span stands in the same resource and scope of the same request, so that both have one envelope.
    #[must_use]
    pub fn shares_envelope(&self, other: &Span<'_>) -> bool {
        std::ptr::eq(self.bytes, other.bytes)
            && self.group.outer == other.group.outer
            && self.group.inner == other.group.inner
    }

    /// What is around this span, for a [`RequestWriter`] that gets it later.
    #[must_use]
    pub fn envelope(&self) -> Envelope {
        Envelope {
            resource: fields_but(self.bytes, self.group.outer, 2),
            scope: fields_but(self.bytes, self.group.inner, 2),
        }
    }
}

/// The fields of a message but those with a number, as they stand.
fn fields_but(bytes: &[u8], frame: Frame, number: u32) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut reader = Reader::within(bytes, frame);
    while let Some(field) = scanned(reader.field()) {
        if field.number != number {
            kept.extend_from_slice(bytes.get(field.at as usize..field.end as usize).unwrap_or_default());
        }
    }
    kept
}

/// Writes an `ExportTraceServiceRequest`. Spans of equal envelopes share one; order within an envelope is kept.
///
/// An `ExportLogsServiceRequest` has its resources, scopes and records under the same field numbers, so that encoded
/// `LogRecord` messages, in the place of spans, make one; a request has items of one kind.
///
/// The writer grows with what is pushed; whoever pushes watches [`size`](Self::size).
#[derive(Clone, Debug, Default)]
pub struct RequestWriter {
    resources: Vec<Resource>,
    by_resource: BTreeMap<Vec<u8>, usize>,
    spans: usize,
    size: usize,
}

#[derive(Clone, Debug, Default)]
struct Resource {
    scopes: Vec<Vec<u8>>,
    by_scope: BTreeMap<Vec<u8>, usize>,
}

impl RequestWriter {
    /// A request without spans.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many spans were pushed.
    #[must_use]
    pub fn len(&self) -> usize {
        self.spans
    }

    /// Whether no span was pushed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.spans == 0
    }

    /// Bytes that the request will have, give or take the lengths of messages.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// Adds an encoded `Span` message: of a [`SpanWriter`](crate::SpanWriter), or [`Span::bytes`] kept from before. Or a
    /// `LogRecord`, of a [`LogWriter`](crate::LogWriter).
    pub fn push(&mut self, envelope: &Envelope, span: &[u8]) {
        let spans = self.spans_of(envelope);
        let before = spans.len();
        encode::bytes(spans, 2, span);
        let grown = spans.len() - before;
        self.size += grown;
        self.spans += 1;
    }

    /// Adds a span of another request as it is.
    pub fn copy(&mut self, span: &Span<'_>) {
        self.push(&span.envelope(), span.bytes());
    }

    /// Adds a span of another request, changed.
    pub fn copy_changed(&mut self, span: &Span<'_>, changes: &SpanChanges) {
        self.push(&span.envelope(), &changes.apply(span));
    }

    fn spans_of(&mut self, envelope: &Envelope) -> &mut Vec<u8> {
        let new_resource = !self.by_resource.contains_key(&envelope.resource);
        if new_resource {
            self.by_resource.insert(envelope.resource.clone(), self.resources.len());
            self.resources.push(Resource::default());
            self.size += envelope.resource.len();
        }
        let at = self.by_resource.get(&envelope.resource).copied().unwrap_or_default();
        #[expect(clippy::indexing_slicing, reason = "the map holds places in the list only")]
        let resource = &mut self.resources[at];
        if !resource.by_scope.contains_key(&envelope.scope) {
            resource.by_scope.insert(envelope.scope.clone(), resource.scopes.len());
            resource.scopes.push(Vec::new());
            self.size += envelope.scope.len();
        }
        let at = resource.by_scope.get(&envelope.scope).copied().unwrap_or_default();
        #[expect(clippy::indexing_slicing, reason = "the map holds places in the list only")]
        &mut resource.scopes[at]
    }

    /// The encoded request. Resources and scopes come in the order in which they were first pushed.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.size + 64);
        let mut resources: Vec<_> = self.by_resource.into_iter().map(|(fields, at)| (at, fields)).collect();
        resources.sort_unstable_by_key(|(at, _)| *at);
        for ((_, fields), resource) in resources.into_iter().zip(self.resources) {
            let mut scopes: Vec<_> = resource.by_scope.into_iter().map(|(fields, at)| (at, fields)).collect();
            scopes.sort_unstable_by_key(|(at, _)| *at);
            // Lengths come first on the wire, and contents are large: they are added up rather than moved.
            let size = |((_, fields), spans): (&(usize, Vec<u8>), &Vec<u8>)| fields.len() + spans.len();
            let sizes = scopes.iter().zip(&resource.scopes).map(size);
            let whole = fields.len() + sizes.map(|size| encode::header_size(size) + size).sum::<usize>();
            encode::header(&mut out, 1, whole);
            out.extend_from_slice(&fields);
            for scope in scopes.iter().zip(&resource.scopes) {
                encode::header(&mut out, 2, size(scope));
                let ((_, fields), spans) = scope;
                out.extend_from_slice(fields);
                out.extend_from_slice(spans);
            }
        }
        out
    }
}

/// Changes to one span on its way into another request: a new trace state, attributes set.
#[derive(Clone, Debug, Default)]
pub struct SpanChanges {
    trace_state: Option<String>,
    keys: Vec<String>,
    attributes: Vec<u8>,
}

impl SpanChanges {
    /// No change.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Replaces the trace state.
    pub fn trace_state(&mut self, trace_state: impl Into<String>) -> &mut Self {
        self.trace_state = Some(trace_state.into());
        self
    }

    /// Sets an attribute, in the place of any that the span has by this key. A key is to be set once.
    pub fn set<'v>(&mut self, key: &str, value: impl Into<NewValue<'v>>) -> &mut Self {
        self.keys.push(key.to_owned());
        attribute(&mut self.attributes, 9, key, value.into());
        self
    }

    /// Sets an attribute whose value is JSON text.
    ///
    /// # Errors
    /// The text is not JSON; nothing is set.
    pub fn set_json(&mut self, key: &str, json: &str) -> Result<&mut Self, JsonError> {
        json_attribute(&mut self.attributes, 9, key, json)?;
        self.keys.push(key.to_owned());
        Ok(self)
    }

    /// The encoded `Span` message with the changes made. Every field that is not changed is copied as it stands.
    #[must_use]
    pub fn apply(&self, span: &Span<'_>) -> Vec<u8> {
        let frame = span.entry.item.frame;
        let mut out = Vec::with_capacity(span.bytes().len() + self.attributes.len() + 64);
        // Where what is kept and not yet copied begins.
        let mut kept = frame.body;
        let mut reader = Reader::within(span.bytes, frame);
        while let Some(field) = scanned(reader.field()) {
            let replaced = match (field.number, field.payload) {
                (3, _) => self.trace_state.is_some(),
                (9, Payload::Bytes(frame)) => {
                    let (key, _) = key_and_value(span.bytes, frame);
                    self.keys.iter().any(|changed| changed.as_bytes() == key)
                }
                _ => false,
            };
            if replaced {
                out.extend_from_slice(span.bytes.get(kept as usize..field.at as usize).unwrap_or_default());
                kept = field.end;
            }
        }
        out.extend_from_slice(span.bytes.get(kept as usize..frame.end as usize).unwrap_or_default());
        if let Some(trace_state) = &self.trace_state
            && !trace_state.is_empty()
        {
            encode::bytes(&mut out, 3, trace_state.as_bytes());
        }
        out.extend_from_slice(&self.attributes);
        out
    }
}
