//! The request without what is not known here, for those who let nothing pass that a redactor cannot see.

use crate::logs::LogsRequest;
use crate::metrics::MetricsRequest;
use crate::scan::{Scanned, Signal};
use crate::schema::{Message, Role};
use crate::splice::{Splicer, scanned};
use crate::trace::TraceRequest;
use crate::wire::{Frame, Payload, Reader};
use std::borrow::Cow;

impl<'a> TraceRequest<'a> {
    /// The request without the [fields that are not known here](Self::unknown_fields).
    #[must_use]
    pub fn known_only(&self) -> Cow<'a, [u8]> {
        known_only(&self.scanned)
    }
}

impl<'a> LogsRequest<'a> {
    /// The request without the [fields that are not known here](Self::unknown_fields).
    #[must_use]
    pub fn known_only(&self) -> Cow<'a, [u8]> {
        known_only(&self.scanned)
    }
}

impl<'a> MetricsRequest<'a> {
    /// The request without the [fields that are not known here](Self::unknown_fields).
    #[must_use]
    pub fn known_only(&self) -> Cow<'a, [u8]> {
        known_only(&self.scanned)
    }
}

fn known_only<'a, S: Signal>(scan: &Scanned<'a, S>) -> Cow<'a, [u8]> {
    if scan.unknown == 0 {
        return Cow::Borrowed(scan.bytes);
    }
    let mut splicer = Splicer::new(scan.bytes);
    let whole = Frame { length: 0, body: 0, end: scan.bytes.len() as u32 };
    remove_unknown(&mut splicer, scan.bytes, S::REQUEST, whole);
    // Removing cannot make a request too large.
    Cow::Owned(splicer.finish().unwrap_or_default())
}

fn remove_unknown(splicer: &mut Splicer<'_>, bytes: &[u8], message: Message, frame: Frame) {
    let mut reader = Reader::within(bytes, frame);
    while let Some(field) = scanned(reader.field()) {
        match (message.role(field.number), field.payload) {
            (Role::Many(inner) | Role::Once(inner), Payload::Bytes(frame)) => {
                splicer.enter(frame);
                remove_unknown(splicer, bytes, inner, frame);
                splicer.leave();
            }
            (Role::Unknown, _) => splicer.replace(field.at, field.end, 0, 0),
            _ => {}
        }
    }
}
