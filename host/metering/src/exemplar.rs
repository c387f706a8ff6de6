//! Exemplars: one of the spans that a number was counted from.

/// Where something that is counted comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Trace id of the span.
    pub trace_id: [u8; 16],
    /// Its span id.
    pub span_id: [u8; 8],
    /// When it was counted, in nanoseconds since 1970.
    pub time: u64,
}

/// A value with the span that it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exemplar {
    /// What was counted, in the scale of the metric.
    pub value: u64,
    /// The span.
    pub origin: Origin,
}

/// An id as OTLP/JSON and W3C write it.
pub(crate) fn hexadecimal(id: &[u8]) -> String {
    use std::fmt::Write as _;
    id.iter().fold(String::with_capacity(id.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
