//! Server-sent events: bytes in, cut anywhere; the data of each event out, piece by piece.
//!
//! Framing is that of the HTML standard (section "Server-sent events"): lines end in CR, LF or CRLF; a byte order
//! mark may lead; a line that begins with a colon is a comment; several `data` lines are one text with line feeds
//! between; an empty line ends the event; one space after the colon of a field is not part of its value. In one thing
//! it is more lenient: an event that the end of the stream cuts off is ended, not thrown away, since a provider that
//! forgets the last empty line has still said what it said.
//!
//! Nothing is held but the name of the event, up to [`MAX_NAME`] bytes.

use memchr::memchr2;

/// Bytes of the longest event name that is kept; longer ones are cut.
pub const MAX_NAME: usize = 64;

/// What takes the events.
pub trait Sink {
    /// The event's data begins. `name` is what the stream has called the event so far; empty where it has not.
    fn begin(&mut self, name: &[u8]) {
        let _ = name;
    }

    /// The next piece of the event's data.
    fn data(&mut self, piece: &[u8]);

    /// The event is at its end. `name` is empty where the stream gave none. Events without data are not reported.
    fn event(&mut self, name: &[u8]);
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// In the byte order mark, with this many bytes seen.
    Mark(usize),
    /// At the beginning of a line.
    Line,
    /// In the name of a field, which has matched `data` or `event` up to here.
    Field { known: Field, matched: usize },
    /// After the colon: a space may follow.
    Colon(Field),
    /// In the value of a field.
    Value(Field),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Data,
    Event,
    Other,
}

impl Field {
    fn name(self) -> &'static [u8] {
        match self {
            Self::Data => b"data",
            Self::Event => b"event",
            Self::Other => b"",
        }
    }
}

/// The framing of one stream.
#[derive(Clone, Debug)]
pub struct Sse {
    state: State,
    /// The last byte was a CR: a LF that follows belongs to it.
    after_return: bool,
    /// The event has data.
    has_data: bool,
    /// The stream has had a field or a comment that means something.
    is_confirmed: bool,
    name: Vec<u8>,
}

const MARK: &[u8] = b"\xEF\xBB\xBF";

impl Default for Sse {
    fn default() -> Self {
        Self { state: State::Mark(0), after_return: false, has_data: false, is_confirmed: false, name: Vec::new() }
    }
}

impl Sse {
    /// Reads the next bytes.
    pub fn push<S: Sink>(&mut self, chunk: &[u8], sink: &mut S) {
        let mut rest = chunk;
        while let Some((&byte, left)) = rest.split_first() {
            if self.after_return {
                self.after_return = false;
                if byte == b'\n' {
                    rest = left;
                    continue;
                }
            }
            rest = match self.state {
                State::Mark(seen) => self.mark(seen, byte, rest, left),
                State::Line => self.line(byte, rest, left, sink),
                State::Field { known, matched } => self.field(known, matched, byte, left, sink),
                State::Colon(field) => {
                    self.begin_value(field, sink);
                    if byte == b' ' { left } else { rest }
                }
                State::Value(field) => self.value(field, rest, sink),
            };
        }
    }

    /// Ends the stream, and with it an event that has begun.
    pub fn finish<S: Sink>(&mut self, sink: &mut S) {
        self.end_event(sink);
        self.state = State::Line;
    }

    /// Whether the bytes are a stream of events: they had data, the name of an event, or a comment.
    #[must_use]
    pub fn is_confirmed(&self) -> bool {
        self.is_confirmed
    }

    /// Bytes of memory that the framing has allocated.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.name.capacity()
    }

    fn mark<'c>(&mut self, seen: usize, byte: u8, rest: &'c [u8], left: &'c [u8]) -> &'c [u8] {
        if MARK.get(seen) == Some(&byte) {
            self.state = if seen + 1 == MARK.len() { State::Line } else { State::Mark(seen + 1) };
            return left;
        }
        // A mark that is not whole was the beginning of a field nobody knows.
        self.state = if seen == 0 { State::Line } else { State::Field { known: Field::Other, matched: 0 } };
        rest
    }

    #[inline]
    fn line<'c, S: Sink>(&mut self, byte: u8, rest: &'c [u8], left: &'c [u8], sink: &mut S) -> &'c [u8] {
        let field = match rest {
            [b'd', b'a', b't', b'a', b':', value @ ..] => Some((Field::Data, value)),
            [b'e', b'v', b'e', b'n', b't', b':', value @ ..] => Some((Field::Event, value)),
            _ => None,
        };
        if let Some((field, value)) = field
            && let [first, after @ ..] = value
        {
            self.begin_value(field, sink);
            return self.value(field, if *first == b' ' { after } else { value }, sink);
        }
        match byte {
            b'\r' | b'\n' => {
                self.after_return = byte == b'\r';
                self.end_event(sink);
            }
            b'd' => self.state = State::Field { known: Field::Data, matched: 1 },
            b'e' => self.state = State::Field { known: Field::Event, matched: 1 },
            b':' => {
                self.is_confirmed = true;
                self.state = State::Value(Field::Other);
            }
            _ => self.state = State::Field { known: Field::Other, matched: 0 },
        }
        left
    }

    fn field<'c, S: Sink>(&mut self, known: Field, matched: usize, byte: u8, left: &'c [u8], sink: &mut S) -> &'c [u8] {
        let whole = if matched == known.name().len() { known } else { Field::Other };
        self.state = match byte {
            b':' => State::Colon(whole),
            b'\r' | b'\n' => {
                // A field without a colon has an empty value.
                self.after_return = byte == b'\r';
                self.begin_value(whole, sink);
                State::Line
            }
            _ if known.name().get(matched) == Some(&byte) => State::Field { known, matched: matched + 1 },
            _ => State::Field { known: Field::Other, matched: 0 },
        };
        left
    }

    #[inline]
    fn begin_value<S: Sink>(&mut self, field: Field, sink: &mut S) {
        match field {
            Field::Data => {
                if self.has_data {
                    sink.data(b"\n");
                } else {
                    sink.begin(&self.name);
                    self.has_data = true;
                    self.is_confirmed = true;
                }
            }
            Field::Event => {
                self.name.clear();
                self.is_confirmed = true;
            }
            Field::Other => {}
        }
        self.state = State::Value(field);
    }

    #[inline]
    fn value<'c, S: Sink>(&mut self, field: Field, rest: &'c [u8], sink: &mut S) -> &'c [u8] {
        let (value, left) = match memchr2(b'\n', b'\r', rest) {
            Some(end) => rest.split_at_checked(end).unwrap_or((rest, &[])),
            None => (rest, [].as_slice()),
        };
        match field {
            Field::Data if !value.is_empty() => sink.data(value),
            Field::Event => {
                let room = MAX_NAME.saturating_sub(self.name.len());
                self.name.extend_from_slice(value.get(..room).unwrap_or(value));
            }
            Field::Data | Field::Other => {}
        }
        match left.split_first() {
            // The end of the line, and of the event: most have them together.
            Some((b'\n', [b'\n', left @ ..])) | Some((b'\r', [b'\n', b'\r', b'\n', left @ ..])) => {
                self.state = State::Line;
                self.end_event(sink);
                left
            }
            Some((&end, left)) => {
                self.after_return = end == b'\r';
                self.state = State::Line;
                left
            }
            None => left,
        }
    }

    fn end_event<S: Sink>(&mut self, sink: &mut S) {
        if std::mem::take(&mut self.has_data) {
            sink.event(&self.name);
        }
        self.name.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Default)]
    struct Events(Vec<(String, String)>, Vec<u8>);

    impl Sink for Events {
        fn data(&mut self, piece: &[u8]) {
            self.1.extend_from_slice(piece);
        }
        fn event(&mut self, name: &[u8]) {
            let data = String::from_utf8_lossy(&std::mem::take(&mut self.1)).into_owned();
            self.0.push((String::from_utf8_lossy(name).into_owned(), data));
        }
    }

    fn read<'c>(chunks: impl IntoIterator<Item = &'c [u8]>) -> Vec<(String, String)> {
        let (mut sse, mut events) = (Sse::default(), Events::default());
        chunks.into_iter().for_each(|chunk| sse.push(chunk, &mut events));
        sse.finish(&mut events);
        events.0
    }

    #[test]
    fn streams_read_as_the_standard_says_at_every_split() {
        let cases: &[(&str, &[(&str, &str)])] = &[
            ("data: a\n\n", &[("", "a")]),
            ("data:a\n\n", &[("", "a")]),
            ("data:  a\n\n", &[("", " a")]),
            ("data: a\r\rdata: b\r\n\r\ndata: c\n\n", &[("", "a"), ("", "b"), ("", "c")]),
            ("data: a\r\ndata: b\r\n\r\n", &[("", "a\nb")]),
            ("data: a\ndata:\ndata: b\n\n", &[("", "a\n\nb")]),
            ("data\ndata\n\n", &[("", "\n")]),
            ("data\n\n", &[("", "")]),
            ("event: ping\ndata: {}\n\n", &[("ping", "{}")]),
            ("data: {}\nevent: late\n\n", &[("late", "{}")]),
            ("event: a\nevent: b\ndata: x\n\n", &[("b", "x")]),
            ("event: lonely\n\ndata: x\n\n", &[("", "x")]),
            (": comment\n\n:\ndata: x\n:more\n\n", &[("", "x")]),
            ("id: 7\nretry: 10\nother\ndatum: y\ndat: z\ndata: x\n\n", &[("", "x")]),
            ("\u{FEFF}data: x\n\n", &[("", "x")]),
            ("\u{FEFF}\u{FEFF}data: x\n\ndata: y\n\n", &[("", "y")]),
            ("\n\n\r\n\ndata: x\n\n\n\n", &[("", "x")]),
            ("data: first\n\ndata: unended", &[("", "first"), ("", "unended")]),
            ("data: über 日本語 🎉\n\n", &[("", "über 日本語 🎉")]),
            ("", &[]),
        ];
        for (stream, expected) in cases {
            let expected: Vec<_> = expected.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
            let bytes = stream.as_bytes();
            assert_eq!(read([bytes]), expected, "{stream:?}");
            for size in 1..=bytes.len() {
                assert_eq!(read(bytes.chunks(size)), expected, "{stream:?} in chunks of {size}");
            }
            for cut in 0..=bytes.len() {
                let (head, tail) = bytes.split_at(cut);
                assert_eq!(read([head, tail, b""]), expected, "{stream:?} cut at {cut}");
            }
        }
    }

    #[test]
    fn a_long_name_is_cut() {
        let stream = format!("event: {}\ndata: x\n\n", "n".repeat(10_000));
        assert_eq!(read(stream.as_bytes().chunks(100))[0].0.len(), MAX_NAME);
    }

    proptest! {
        #[test]
        fn any_bytes_give_the_same_events_at_every_chunk_size(
            bytes in prop::collection::vec(prop::sample::select(b"dataevent: \r\n\r\n\xEF\xBB\xBFx".to_vec()), 0..80),
            size in 1..9_usize,
        ) {
            prop_assert_eq!(read(bytes.chunks(size)), read([bytes.as_slice()]));
        }
    }
}
