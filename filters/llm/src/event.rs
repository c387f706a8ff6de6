//! A call as an OTLP log record: the event that carries what was said.
//!
//! Source: the OpenTelemetry conventions for generative AI, "Events". The event has the attributes of the span, is of
//! severity DEBUG, and holds messages in structured form, where the span has them as JSON text.

use crate::call::Call;
use crate::config::Sampling;
use crate::span;
use tollgate_otlp::{LogWriter, Severity};
use tollgate_semconv::event::GEN_AI_CLIENT_INFERENCE_OPERATION_DETAILS;

/// The encoded event of a call; `None` where nothing of what was said was captured.
pub(crate) fn encode(call: &Call<'_>, sampling: Sampling) -> Option<Vec<u8>> {
    span::said(call.content).next()?;
    let mut event = LogWriter::event(GEN_AI_CLIENT_INFERENCE_OPERATION_DETAILS, call.ended, Severity::Debug);
    event.within(call.trace_id, call.span_id, call.trace_flags());
    let mut attributes = event.attributes();
    span::facts(&mut attributes, call, sampling);
    for (key, messages) in span::said(call.content) {
        // Messages that are nested too deeply for a value stay text.
        if attributes.set_json(key, messages).is_err() {
            attributes.set(key, messages);
        }
    }
    Some(event.bytes().to_vec())
}
