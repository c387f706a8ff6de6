//! A streamed body as frames: server-sent events, lines, elements of an array, messages of an AWS event stream.
//!
//! Frames are cut out of the bytes as they were transferred, so that one which does not change goes on as it came.
//! Bytes between frames are frames without data.

pub(crate) mod array;
pub(crate) mod events;
pub(crate) mod lines;
pub(crate) mod sse;

use super::counts::Reason;
use super::texts::Made;

/// How a body is framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// Server-sent events (HTML standard, section "Server-sent events").
    Sse,
    /// JSON documents, one a line.
    Lines,
    /// JSON documents as elements of one array.
    Array,
    /// AWS event stream (Smithy 2.0, "Amazon Event Stream Specification").
    Events,
}

impl Framing {
    /// The data of a frame; `None` where it has none.
    pub(crate) fn data(self, frame: &[u8]) -> Result<Option<String>, Reason> {
        match self {
            Self::Sse => sse::data(frame),
            Self::Lines | Self::Array => lines::data(frame),
            Self::Events => events::data(frame),
        }
    }

    /// The frame with other data.
    pub(crate) fn with_data(self, frame: &[u8], data: &str) -> Result<Vec<u8>, Reason> {
        match self {
            Self::Sse => Ok(sse::with_data(frame, data)),
            Self::Lines | Self::Array => Ok(lines::with_data(frame, data)),
            Self::Events => events::with_data(frame, data),
        }
    }

    /// A frame that was made. `behind` says that it goes behind all others, and not before one.
    pub(crate) fn made(self, made: &Made, behind: bool) -> Result<Vec<u8>, Reason> {
        let data = made.data.as_bytes();
        match self {
            Self::Sse => Ok(sse::made(made)),
            Self::Lines => Ok([data, b"\n"].concat()),
            Self::Array if behind => Ok([b",\n", data].concat()),
            Self::Array => Ok([data, b",\n"].concat()),
            Self::Events => events::with_data(&made.frame, &made.data),
        }
    }
}

/// A frame, as it was transferred.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    /// It has data.
    Event(Vec<u8>),
    /// It has none: it stands between others.
    Between(Vec<u8>),
    /// It has none, and no more will come.
    End(Vec<u8>),
}

/// Cuts frames out of chunks.
#[derive(Debug)]
pub(crate) struct Frames {
    framing: Framing,
    /// What is not a whole frame yet.
    held: Vec<u8>,
    /// Bytes of it that have been looked at: whole lines, or what `array` has seen.
    seen: usize,
    array: array::State,
    begun: bool,
}

impl Frames {
    pub(crate) fn new(framing: Framing) -> Self {
        Self { framing, held: Vec::new(), seen: 0, array: array::State::default(), begun: false }
    }

    pub(crate) fn framing(&self) -> Framing {
        self.framing
    }

    pub(crate) fn push(&mut self, chunk: &[u8]) {
        self.held.extend_from_slice(chunk);
    }

    /// Bytes that wait for the rest of their frame.
    pub(crate) fn held(&self) -> usize {
        self.held.len()
    }

    /// Gives up, and lets go of what waits.
    pub(crate) fn take_held(&mut self) -> Vec<u8> {
        self.seen = 0;
        std::mem::take(&mut self.held)
    }

    /// The next frame that is whole; where the stream ends, also one that is not.
    pub(crate) fn next(&mut self, last: bool) -> Result<Option<Frame>, Reason> {
        if self.held.is_empty() {
            return Ok(None);
        }
        let found = match self.framing {
            Framing::Sse => sse::end(&self.held, &mut self.seen, &mut self.begun),
            Framing::Lines => lines::end(&self.held, &mut self.seen),
            Framing::Array => self.array.end(&self.held, &mut self.seen)?,
            Framing::Events => events::end(&self.held)?,
        };
        let (end, kind) = match found {
            Some(found) => found,
            None if last && self.framing == Framing::Events => return Err(Reason::Damaged),
            None if last => (self.held.len(), Kind::Event),
            None => return Ok(None),
        };
        self.seen = 0;
        let rest = self.held.split_off(end.min(self.held.len()));
        let frame = std::mem::replace(&mut self.held, rest);
        Ok(Some(match kind {
            Kind::Event => Frame::Event(frame),
            Kind::Between => Frame::Between(frame),
            Kind::End => Frame::End(frame),
        }))
    }
}

/// What was cut out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Event,
    Between,
    End,
}

/// Bytes as text.
pub(crate) fn utf8(bytes: &[u8]) -> Result<&str, Reason> {
    std::str::from_utf8(bytes).map_err(|_| Reason::NotUtf8)
}
