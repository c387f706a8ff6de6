//! AWS event streams (`application/vnd.amazon.eventstream`): bytes in, cut anywhere; the headers that matter and the
//! payload of each message out, piece by piece.
//!
//! The format is that of the Amazon Event Stream Specification (Smithy 2.0, "Wire Format"). All numbers are big-endian.
//!
//! | bytes | part |
//! |---|---|
//! | 4 | length of the message, all parts included |
//! | 4 | length of the headers |
//! | 4 | checksum of the eight bytes before |
//! | as told | headers: length of the name (1), name, type of the value (1), value |
//! | what is left | payload |
//! | 4 | checksum of everything before |
//!
//! Checksums are CRC-32 as in gzip. The first one is checked before a length is believed. The last one can only be
//! checked when the payload has been handed on, since nothing of it is held: [`Sink::end`] says how it came out, and
//! reading goes on with the next message, whose place the first checksum vouches for.
//!
//! | type | value | bytes |
//! |---|---|---|
//! | 0, 1 | true, false | 0 |
//! | 2 | byte | 1 |
//! | 3 | short | 2 |
//! | 4 | integer | 4 |
//! | 5 | long | 8 |
//! | 6 | bytes | length (2), then as many |
//! | 7 | text in UTF-8 | length (2), then as many |
//! | 8 | milliseconds since 1970 | 8 |
//! | 9 | UUID | 16 |
//!
//! Held are the values of six headers, up to [`MAX_VALUE`] bytes each, and nothing else.

use crc32fast::Hasher;
use std::fmt;

/// Bytes of a header's value that are kept; longer ones are cut.
pub const MAX_VALUE: usize = 256;

/// Bytes that the headers of a message may have together, as the format has it.
pub const MAX_HEADERS: u32 = 128 * 1024;

/// Bytes of the two lengths and their checksum.
const PRELUDE: usize = 12;

/// Bytes of a message that are neither headers nor payload.
const OVERHEAD: u32 = 16;

/// Bytes of a header's name that are held: one more than the longest that is known has.
const HELD_NAME: usize = 16;

/// What takes the messages. Every message that begins also ends.
pub trait Sink {
    /// A message begins, with these headers.
    fn begin(&mut self, head: &Head);

    /// The next piece of the message's payload; never empty.
    fn data(&mut self, piece: &[u8]);

    /// The message is at its end. `intact` says whether its checksum was right: `false` means that headers and payload
    /// were damaged, or that the stream ended within the message.
    fn end(&mut self, intact: bool);
}

/// The headers of a message that say what it is. A value is empty where the message has no such header of type text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    message_type: Vec<u8>,
    event_type: Vec<u8>,
    exception_type: Vec<u8>,
    error_code: Vec<u8>,
    error_message: Vec<u8>,
    content_type: Vec<u8>,
}

impl Head {
    /// `:message-type`: `event`, `exception` (an error that the service models) or `error` (another one).
    #[must_use]
    pub fn message_type(&self) -> &[u8] {
        &self.message_type
    }

    /// `:event-type`: which event this is, for example `chunk`.
    #[must_use]
    pub fn event_type(&self) -> &[u8] {
        &self.event_type
    }

    /// `:exception-type`: which exception this is, for example `throttlingException`.
    #[must_use]
    pub fn exception_type(&self) -> &[u8] {
        &self.exception_type
    }

    /// `:error-code` of a message of type `error`.
    #[must_use]
    pub fn error_code(&self) -> &[u8] {
        &self.error_code
    }

    /// `:error-message` of a message of type `error`.
    #[must_use]
    pub fn error_message(&self) -> &[u8] {
        &self.error_message
    }

    /// `:content-type`: the media type of the payload.
    #[must_use]
    pub fn content_type(&self) -> &[u8] {
        &self.content_type
    }

    fn named(&mut self, name: &[u8]) -> Option<&mut Vec<u8>> {
        match name {
            b":message-type" => Some(&mut self.message_type),
            b":event-type" => Some(&mut self.event_type),
            b":exception-type" => Some(&mut self.exception_type),
            b":error-code" => Some(&mut self.error_code),
            b":error-message" => Some(&mut self.error_message),
            b":content-type" => Some(&mut self.content_type),
            _ => None,
        }
    }

    fn all(&self) -> [&Vec<u8>; 6] {
        let Self { message_type, event_type, exception_type, error_code, error_message, content_type } = self;
        [message_type, event_type, exception_type, error_code, error_message, content_type]
    }

    fn clear(&mut self) {
        let Self { message_type, event_type, exception_type, error_code, error_message, content_type } = self;
        for value in [message_type, event_type, exception_type, error_code, error_message, content_type] {
            value.clear();
        }
    }
}

/// Why reading stopped, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error {
    /// What is wrong.
    pub reason: Reason,
    /// Bytes from the beginning of the stream to the message that is wrong.
    pub offset: u64,
}

/// What is wrong with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The checksum of the lengths is not theirs: they were damaged, or this is no event stream.
    PreludeChecksum {
        /// As the message has it.
        stated: u32,
        /// As it should be.
        computed: u32,
    },
    /// The message is said to be shorter than its own headers and checksums.
    Lengths {
        /// Of the message.
        total: u32,
        /// Of its headers.
        headers: u32,
    },
    /// Headers of this many bytes, more than [`MAX_HEADERS`].
    HeadersTooLong(u32),
    /// A header without a name.
    HeaderName,
    /// A header's value is of a type that the format does not have.
    HeaderType(u8),
    /// A header that is longer than what is left for headers.
    HeaderLength,
    /// The stream ended before the message did.
    Incomplete,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reason {
            Reason::PreludeChecksum { stated, computed } => {
                write!(f, "checksum of the lengths is {stated:#010x}, but should be {computed:#010x},")?;
            }
            Reason::Lengths { total, headers } => write!(f, "length {total} has no room for {headers} of headers")?,
            Reason::HeadersTooLong(length) => write!(f, "headers of {length} bytes, more than {MAX_HEADERS},")?,
            Reason::HeaderName => f.write_str("header without a name")?,
            Reason::HeaderType(word) => write!(f, "header of unknown type {word}")?,
            Reason::HeaderLength => f.write_str("header longer than the headers")?,
            Reason::Incomplete => f.write_str("the stream ends in the middle")?,
        }
        write!(f, " of the message at byte {}", self.offset)
    }
}

impl std::error::Error for Error {}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The lengths and their checksum.
    Prelude,
    /// A part of the headers.
    Headers(Part),
    Payload,
    /// The checksum of the message.
    Checksum,
    /// Nothing: the stream cannot be read on.
    Failed(Error),
}

/// What comes next in a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    NameLength,
    /// The name, with this many bytes to come.
    Name(u8),
    Type,
    /// The length of a value; `kept` where it is that of a text.
    Length {
        kept: bool,
    },
    LengthLow {
        kept: bool,
        high: u8,
    },
    /// The value, with this many bytes to come.
    Value {
        kept: bool,
        left: u16,
    },
}

/// The framing of one stream.
#[derive(Clone, Debug)]
pub struct EventStream {
    state: State,
    /// Bytes of the prelude, or of the checksum at the end, until they are whole.
    held: [u8; PRELUDE],
    held_bytes: usize,
    /// Bytes of headers and payload that are still to come.
    headers_left: u32,
    payload_left: u32,
    checksum: Hasher,
    /// The name of the header that is being read, or its beginning.
    name: Vec<u8>,
    head: Head,
    /// Where in the stream the message begins, and how long it is.
    offset: u64,
    total: u32,
    is_confirmed: bool,
}

impl Default for EventStream {
    fn default() -> Self {
        Self {
            state: State::Prelude,
            held: [0; PRELUDE],
            held_bytes: 0,
            headers_left: 0,
            payload_left: 0,
            checksum: Hasher::new(),
            name: Vec::new(),
            head: Head::default(),
            offset: 0,
            total: 0,
            is_confirmed: false,
        }
    }
}

impl EventStream {
    /// Reads the next bytes.
    ///
    /// # Errors
    /// Where the stream cannot be read on; the same from then on, with nothing more for the sink. No message is open
    /// then: each fault is found before its message begins.
    pub fn push(&mut self, chunk: &[u8], sink: &mut dyn Sink) -> Result<(), Error> {
        let mut rest = chunk;
        while !rest.is_empty() {
            let read = match self.state {
                State::Prelude => self.prelude(rest, sink),
                State::Headers(part) => self.headers(part, rest, sink),
                State::Payload => Ok(self.payload(rest, sink)),
                State::Checksum => Ok(self.checksum(rest, sink)),
                State::Failed(error) => return Err(error),
            };
            rest = read.map_err(|reason| self.fail(reason))?;
        }
        Ok(())
    }

    /// Ends the stream, and with it a message that has begun, as one that is not intact.
    ///
    /// # Errors
    /// Where reading has stopped before, or the stream does not end with a message.
    pub fn finish(&mut self, sink: &mut dyn Sink) -> Result<(), Error> {
        match self.state {
            State::Prelude if self.held_bytes == 0 => Ok(()),
            State::Failed(error) => Err(error),
            State::Prelude | State::Headers(_) => Err(self.fail(Reason::Incomplete)),
            State::Payload | State::Checksum => {
                sink.end(false);
                Err(self.fail(Reason::Incomplete))
            }
        }
    }

    /// Whether the bytes are an event stream: the checksum of a message's lengths was right.
    #[must_use]
    pub fn is_confirmed(&self) -> bool {
        self.is_confirmed
    }

    /// Bytes of memory that the framing has allocated.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.name.capacity() + self.head.all().into_iter().map(Vec::capacity).sum::<usize>()
    }

    fn fail(&mut self, reason: Reason) -> Error {
        let error = Error { reason, offset: self.offset };
        self.state = State::Failed(error);
        error
    }

    fn prelude<'c>(&mut self, rest: &'c [u8], sink: &mut dyn Sink) -> Result<&'c [u8], Reason> {
        let rest = self.hold(rest, PRELUDE);
        if self.held_bytes < PRELUDE {
            return Ok(rest);
        }
        self.held_bytes = 0;
        let [t0, t1, t2, t3, h0, h1, h2, h3, c0, c1, c2, c3] = self.held;
        let lengths = [t0, t1, t2, t3, h0, h1, h2, h3];
        let (stated, computed) = (u32::from_be_bytes([c0, c1, c2, c3]), crc32fast::hash(&lengths));
        if stated != computed {
            return Err(Reason::PreludeChecksum { stated, computed });
        }
        self.is_confirmed = true;
        let (total, headers) = (u32::from_be_bytes([t0, t1, t2, t3]), u32::from_be_bytes([h0, h1, h2, h3]));
        let inner = total.checked_sub(OVERHEAD).and_then(|inner| inner.checked_sub(headers));
        self.payload_left = inner.ok_or(Reason::Lengths { total, headers })?;
        if headers > MAX_HEADERS {
            return Err(Reason::HeadersTooLong(headers));
        }
        (self.total, self.headers_left) = (total, headers);
        self.checksum.reset();
        self.checksum.update(&self.held);
        self.head.clear();
        if headers == 0 {
            self.begin(sink);
        } else {
            self.state = State::Headers(Part::NameLength);
        }
        Ok(rest)
    }

    fn headers<'c>(&mut self, part: Part, rest: &'c [u8], sink: &mut dyn Sink) -> Result<&'c [u8], Reason> {
        let (block, behind) = rest.split_at_checked(self.headers_left as usize).unwrap_or((rest, &[]));
        self.checksum.update(block);
        let (mut part, mut block) = (part, block);
        while !block.is_empty() {
            let before = block.len();
            (part, block) = self.header(part, block)?;
            // A chunk of at most `headers_left` bytes, which are 128 KiB.
            self.headers_left -= (before - block.len()) as u32;
            let needed = match part {
                Part::NameLength => 0,
                Part::Name(left) => u32::from(left) + 1,
                Part::Type | Part::LengthLow { .. } => 1,
                Part::Length { .. } => 2,
                Part::Value { left, .. } => u32::from(left),
            };
            if needed > self.headers_left {
                return Err(Reason::HeaderLength);
            }
        }
        self.state = State::Headers(part);
        if self.headers_left == 0 {
            self.begin(sink);
        }
        Ok(behind)
    }

    /// Reads one part of a header, or as much of it as there is; gives what comes next.
    fn header<'c>(&mut self, part: Part, block: &'c [u8]) -> Result<(Part, &'c [u8]), Reason> {
        let Some((&byte, left_over)) = block.split_first() else { return Ok((part, block)) };
        let next = match part {
            Part::NameLength => {
                self.name.clear();
                if byte == 0 {
                    return Err(Reason::HeaderName);
                }
                Part::Name(byte)
            }
            Part::Name(left) => {
                let (piece, behind) = block.split_at_checked(usize::from(left)).unwrap_or((block, &[]));
                keep(&mut self.name, piece, HELD_NAME);
                let left = left.saturating_sub(u8::try_from(piece.len()).unwrap_or(left));
                return Ok((if left == 0 { Part::Type } else { Part::Name(left) }, behind));
            }
            Part::Type => match byte {
                0 | 1 => Part::NameLength,
                2 => Part::Value { kept: false, left: 1 },
                3 => Part::Value { kept: false, left: 2 },
                4 => Part::Value { kept: false, left: 4 },
                5 | 8 => Part::Value { kept: false, left: 8 },
                6 => Part::Length { kept: false },
                7 => Part::Length { kept: true },
                9 => Part::Value { kept: false, left: 16 },
                unknown => return Err(Reason::HeaderType(unknown)),
            },
            Part::Length { kept } => Part::LengthLow { kept, high: byte },
            Part::LengthLow { kept, high } => {
                if let Some(value) = self.head.named(&self.name).filter(|_| kept) {
                    // The format forbids a name to come twice; where one does, the later counts.
                    value.clear();
                }
                match u16::from_be_bytes([high, byte]) {
                    0 => Part::NameLength,
                    left => Part::Value { kept, left },
                }
            }
            Part::Value { kept, left } => {
                let (piece, behind) = block.split_at_checked(usize::from(left)).unwrap_or((block, &[]));
                if let Some(value) = self.head.named(&self.name).filter(|_| kept) {
                    keep(value, piece, MAX_VALUE);
                }
                let left = left.saturating_sub(u16::try_from(piece.len()).unwrap_or(left));
                return Ok((if left == 0 { Part::NameLength } else { Part::Value { kept, left } }, behind));
            }
        };
        Ok((next, left_over))
    }

    fn begin(&mut self, sink: &mut dyn Sink) {
        self.state = if self.payload_left == 0 { State::Checksum } else { State::Payload };
        sink.begin(&self.head);
    }

    fn payload<'c>(&mut self, rest: &'c [u8], sink: &mut dyn Sink) -> &'c [u8] {
        let (piece, behind) = rest.split_at_checked(self.payload_left as usize).unwrap_or((rest, &[]));
        self.checksum.update(piece);
        self.payload_left = self.payload_left.saturating_sub(u32::try_from(piece.len()).unwrap_or(u32::MAX));
        if self.payload_left == 0 {
            self.state = State::Checksum;
        }
        sink.data(piece);
        behind
    }

    fn checksum<'c>(&mut self, rest: &'c [u8], sink: &mut dyn Sink) -> &'c [u8] {
        let rest = self.hold(rest, 4);
        if self.held_bytes == 4 {
            self.held_bytes = 0;
            let [c0, c1, c2, c3, ..] = self.held;
            self.offset += u64::from(self.total);
            self.state = State::Prelude;
            sink.end(std::mem::take(&mut self.checksum).finalize() == u32::from_be_bytes([c0, c1, c2, c3]));
        }
        rest
    }

    /// Holds bytes until there are as many as wanted; gives those that are left.
    fn hold<'c>(&mut self, rest: &'c [u8], wanted: usize) -> &'c [u8] {
        let missing = wanted.saturating_sub(self.held_bytes);
        let (piece, behind) = rest.split_at_checked(missing).unwrap_or((rest, &[]));
        let places = self.held.iter_mut().skip(self.held_bytes);
        places.zip(piece).for_each(|(place, byte)| *place = *byte);
        self.held_bytes += piece.len();
        behind
    }
}

/// Appends to what is kept of a text, as far as the limit allows.
fn keep(text: &mut Vec<u8>, piece: &[u8], limit: usize) {
    let room = limit.saturating_sub(text.len());
    text.extend_from_slice(piece.get(..room).unwrap_or(piece));
}
