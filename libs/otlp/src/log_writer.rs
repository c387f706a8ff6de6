//! Log records, written from nothing.

use crate::encode;
use crate::span_writer::AttributeWriter;

/// Severities by their numbers in OTLP, of which there are four for each name; these are the first of four.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Severity {
    /// `TRACE`.
    Trace = 1,
    /// `DEBUG`.
    Debug = 5,
    /// `INFO`.
    Info = 9,
    /// `WARN`.
    Warn = 13,
    /// `ERROR`.
    Error = 17,
    /// `FATAL`.
    Fatal = 21,
}

/// Writes one log record that is an event: it has a name, and no body. `event_name` is of OTLP 1.5.
///
/// ```
/// use tollgate_otlp::{Envelope, Limits, LogWriter, LogsRequest, RequestWriter, Severity};
/// let mut log = LogWriter::event("shop.sold", 1_000, Severity::Info);
/// log.within([1; 16], [2; 8], 1);
/// log.attributes().set("shop.item", "tea").set_json("shop.prices", "[1, 2]")?;
///
/// let mut writer = RequestWriter::new();
/// writer.push(&Envelope::new(&[], "example", "1"), log.bytes());
/// let bytes = writer.finish();
/// let request = LogsRequest::scan(&bytes, &Limits::default())?;
/// let log = request.log(0).ok_or("no record")?;
/// assert_eq!((log.time(), log.trace_id()), (1_000, Some([1; 16])));
/// assert_eq!(log.attributes().get("shop.item").and_then(|value| value.as_text()), Some("tea"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct LogWriter {
    bytes: Vec<u8>,
}

impl LogWriter {
    /// An event that happened, and was seen, at `time`, in nanoseconds since 1970.
    #[must_use]
    pub fn event(name: &str, time: u64, severity: Severity) -> Self {
        let mut bytes = Vec::with_capacity(512);
        encode::fixed64(&mut bytes, 1, time);
        encode::integer(&mut bytes, 2, severity as u64);
        encode::fixed64(&mut bytes, 11, time);
        encode::bytes(&mut bytes, 12, name.as_bytes());
        Self { bytes }
    }

    /// Says which span it belongs to, and the W3C trace flags of that span.
    pub fn within(&mut self, trace_id: [u8; 16], span_id: [u8; 8], trace_flags: u8) -> &mut Self {
        encode::fixed32(&mut self.bytes, 8, trace_flags.into());
        encode::bytes(&mut self.bytes, 9, &trace_id);
        encode::bytes(&mut self.bytes, 10, &span_id);
        self
    }

    /// Writes attributes.
    pub fn attributes(&mut self) -> AttributeWriter<'_> {
        AttributeWriter::new(&mut self.bytes, 6)
    }

    /// Writes the body, a map. It is to be written once.
    pub fn body(&mut self, write: impl FnOnce(&mut AttributeWriter<'_>)) -> &mut Self {
        encode::nested(&mut self.bytes, 5, |out| {
            encode::nested(out, 6, |out| write(&mut AttributeWriter::new(out, 1)));
        });
        self
    }

    /// The encoded `LogRecord` message, without tag and length.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}
