//! One pass over a chunk: the frames are taken off, and each document is fed to the reading of the API.

use super::prefix::Prefix;
use super::{Form, Frames};
use crate::api::Reading;
use crate::base64::Base64;
use crate::event_stream::{self, EventStream, Head};
use crate::facts::Facts;
use crate::notes;
use crate::sse;
use tollgate_call::Timing;
use tollgate_json::{Kind, Node, Reader, Reason, Scalar, Visitor, Want};

/// The machinery, lent out for a chunk.
pub(super) struct Pass<'a> {
    pub(super) frames: &'a mut Frames,
    pub(super) elapsed: u64,
    pub(super) timing: &'a mut Timing,
}

/// What an AWS event stream needs.
#[derive(Debug)]
pub(super) struct EventFrames {
    stream: EventStream,
    /// Where payloads are JSON that holds the event as base64: the reading of that.
    wrapper: Option<Wrapper>,
}

#[derive(Debug)]
struct Wrapper {
    reader: Reader,
    base64: Base64,
}

impl EventFrames {
    pub(super) fn new(wrapped: bool) -> Self {
        let wrapper = wrapped.then(|| Wrapper { reader: Reader::new(0), base64: Base64::default() });
        Self { stream: EventStream::default(), wrapper }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        let wrapper = self.wrapper.as_ref().map_or(0, |wrapper| wrapper.reader.heap_bytes());
        size_of::<Self>() + self.stream.heap_bytes() + wrapper
    }
}

impl Pass<'_> {
    pub(super) fn push<R: Reading>(&mut self, chunk: &[u8], answer: &mut R) {
        let Pass { frames, elapsed, timing } = self;
        let Frames { form, reader, sse, events, sentinel, documents, depth, prefix } = &mut **frames;
        match form {
            Form::Document => {
                if reader.push(chunk, answer).is_err() {
                    malformed(answer);
                }
            }
            Form::Documents => {
                let mut rest = chunk;
                // White space between documents is nothing; within one it may be what is said.
                while !(rest.is_empty() || reader.is_blank() && rest.trim_ascii_start().is_empty()) {
                    if reader.is_blank() {
                        rest = prefix.read(rest.trim_ascii_start(), reader, answer);
                    }
                    match reader.push_one(rest, answer) {
                        Ok(left) => rest = left,
                        Err(_) => return malformed(answer),
                    }
                    if reader.is_complete() {
                        reader.reset();
                        *documents = documents.saturating_add(1);
                        end_document(answer, *elapsed, timing);
                    }
                }
            }
            Form::Array => {
                let mut elements = Elements { answer, depth, elapsed: *elapsed, timing, documents };
                if reader.push(chunk, &mut elements).is_err() {
                    malformed(elements.answer);
                }
            }
            Form::Sse => {
                sse.push(
                    chunk,
                    &mut Events { reader, prefix, sentinel, elapsed: *elapsed, cut: false, timing, answer },
                );
            }
            Form::Events => {
                if let Some(EventFrames { stream, wrapper }) = events.as_deref_mut() {
                    let mut messages =
                        Messages { reader, wrapper: wrapper.as_mut(), elapsed: *elapsed, cut: false, timing, answer };
                    if stream.push(chunk, &mut messages).is_err() {
                        messages.answer.facts_mut().notes.add(notes::DAMAGED_EVENT_STREAM);
                    }
                }
            }
            Form::Blank | Form::Other => {}
        }
    }

    pub(super) fn end<R: Reading>(&mut self, cut: bool, answer: &mut R) {
        let Pass { frames, elapsed, timing } = self;
        let Frames { form, reader, sse, events, sentinel, documents, depth, prefix } = &mut **frames;
        match form {
            Form::Document => {
                let end = reader.finish(answer);
                answer.end_document();
                match end {
                    Ok(()) => answer.facts_mut().ended = true,
                    Err(_) if cut => {}
                    Err(_) => malformed(answer),
                }
            }
            Form::Documents => {
                if !reader.is_blank() {
                    let _ = reader.finish(answer);
                    answer.end_document();
                    if !cut {
                        malformed(answer);
                    }
                }
            }
            Form::Array => {
                let mut elements = Elements { answer, depth, elapsed: *elapsed, timing, documents };
                let end = reader.finish(&mut elements);
                match end {
                    Ok(()) => answer.facts_mut().ended = true,
                    Err(_) => {
                        answer.end_document();
                        if !cut {
                            malformed(answer);
                        }
                    }
                }
            }
            Form::Sse => {
                sse.finish(&mut Events { reader, prefix, sentinel, elapsed: *elapsed, cut, timing, answer });
            }
            Form::Events => {
                if let Some(EventFrames { stream, wrapper }) = events.as_deref_mut() {
                    let mut messages =
                        Messages { reader, wrapper: wrapper.as_mut(), elapsed: *elapsed, cut, timing, answer };
                    if stream.finish(&mut messages).is_err() && !cut {
                        messages.answer.facts_mut().notes.add(notes::DAMAGED_EVENT_STREAM);
                    }
                }
            }
            Form::Blank | Form::Other => {}
        }
    }
}

fn malformed(answer: &mut (impl Reading + ?Sized)) {
    answer.facts_mut().notes.add(notes::MALFORMED_RESPONSE);
}

/// A document of a stream is at its end.
#[inline]
fn end_document(answer: &mut (impl Reading + ?Sized), elapsed: u64, timing: &mut Timing) {
    answer.end_document();
    let facts = answer.facts_mut();
    facts.end_document();
    let Facts { output, stream, .. } = facts;
    if std::mem::take(output) && *stream {
        timing.time_to_first_chunk.get_or_insert(elapsed);
        timing.time_to_last_chunk = Some(elapsed);
        timing.output_chunks += 1;
    }
}

/// Ends the text of an event.
#[inline]
fn end_text<R: Reading>(reader: &mut Reader, cut: bool, answer: &mut R) {
    match reader.finish(answer) {
        Err(error) if !cut || error.reason != Reason::Incomplete => malformed(answer),
        _ => {}
    }
    reader.reset();
}

/// Reads the elements of the outermost array as documents of their own. It is one for all readings: a reader for each
/// would take more room than the form is worth.
struct Elements<'a> {
    answer: &'a mut dyn Reading,
    /// Values open at the root: 1 in the array, 2 in an element.
    depth: &'a mut u8,
    elapsed: u64,
    timing: &'a mut Timing,
    documents: &'a mut u64,
}

impl Visitor for Elements<'_> {
    fn key(&mut self, at: Node, key: &[u8]) -> Want {
        self.answer.key(at, key)
    }

    fn item(&mut self, at: Node) -> Want {
        if at == Reader::ROOT && *self.depth == 1 { Want::Take(Reader::ROOT) } else { self.answer.item(at) }
    }

    fn scalar(&mut self, at: Node, value: Scalar<'_>) {
        self.answer.scalar(at, value);
    }

    fn piece(&mut self, at: Node, piece: &[u8]) {
        self.answer.piece(at, piece);
    }

    fn begin(&mut self, at: Node, kind: Kind) {
        if at == Reader::ROOT {
            *self.depth = self.depth.saturating_add(1);
            if *self.depth == 1 {
                return;
            }
        }
        self.answer.begin(at, kind);
    }

    fn end(&mut self, at: Node) {
        if at != Reader::ROOT {
            return self.answer.end(at);
        }
        *self.depth = self.depth.saturating_sub(1);
        if *self.depth == 1 {
            self.answer.end(at);
            *self.documents = self.documents.saturating_add(1);
            end_document(self.answer, self.elapsed, self.timing);
        }
    }
}

/// The data that ends a stream of OpenAI's chat completions. It is no JSON.
const SENTINEL: &[u8] = b"[DONE]";

/// Feeds the data of each server-sent event to the answer's reading, as a document of its own.
struct Events<'a, R> {
    reader: &'a mut Reader,
    prefix: &'a mut Prefix,
    sentinel: &'a mut usize,
    elapsed: u64,
    /// Whether the stream was broken off, and with it the event that is ended now.
    cut: bool,
    timing: &'a mut Timing,
    answer: &'a mut R,
}

impl<R: Reading> sse::Sink for Events<'_, R> {
    #[inline]
    fn begin(&mut self, name: &[u8]) {
        self.answer.begin_event(name);
    }

    #[inline]
    fn data(&mut self, piece: &[u8]) {
        let mut piece = piece;
        // Blanks before the data would hide the sentinel in some chunks, and not in others.
        if *self.sentinel == 0 && piece.first().is_some_and(u8::is_ascii_whitespace) && self.reader.is_blank() {
            piece = piece.trim_ascii_start();
        }
        if (*self.sentinel > 0 || piece.first() == SENTINEL.first()) && self.reader.is_blank() {
            let expected = SENTINEL.get(*self.sentinel..).unwrap_or_default();
            let same = piece.iter().zip(expected).take_while(|(byte, expected)| byte == expected).count();
            *self.sentinel += same;
            piece = piece.get(same..).unwrap_or_default();
            if piece.is_empty() {
                return;
            }
            let held = std::mem::take(self.sentinel);
            let _ = self.reader.push(SENTINEL.get(..held).unwrap_or_default(), self.answer);
        }
        if self.reader.is_blank() {
            piece = self.prefix.read(piece, self.reader, self.answer);
        }
        if piece.is_empty() {
            return;
        }
        // The error stays in the reader, and is looked at when the event ends.
        let _ = self.reader.push(piece, self.answer);
    }

    #[inline]
    fn event(&mut self, _name: &[u8]) {
        if std::mem::take(self.sentinel) == SENTINEL.len() {
            self.answer.facts_mut().ended = true;
            return;
        }
        if self.reader.is_blank() {
            // Data of nothing but white space, which some servers send to keep the connection alive.
            return;
        }
        end_text(self.reader, self.cut, self.answer);
        end_document(self.answer, self.elapsed, self.timing);
    }
}

/// Feeds the payload of each message of an AWS event stream to the answer's reading, as a document of its own.
struct Messages<'a, R> {
    reader: &'a mut Reader,
    wrapper: Option<&'a mut Wrapper>,
    elapsed: u64,
    cut: bool,
    timing: &'a mut Timing,
    answer: &'a mut R,
}

impl<R: Reading> event_stream::Sink for Messages<'_, R> {
    fn begin(&mut self, head: &Head) {
        let word = match head.message_type() {
            b"exception" => head.exception_type(),
            b"error" => head.error_code(),
            _ => return,
        };
        self.answer.facts_mut().fail(word);
        self.answer.facts_mut().ended = true;
    }

    fn data(&mut self, piece: &[u8]) {
        // Errors stay in the readers, and are looked at when the message ends.
        let mut event = |bytes: &[u8]| {
            let _ = self.reader.push(bytes, self.answer);
        };
        match &mut self.wrapper {
            Some(Wrapper { reader, base64 }) => {
                let _ = reader.push(piece, &mut Unwrap { base64, event: &mut event });
            }
            None => event(piece),
        }
    }

    fn end(&mut self, intact: bool) {
        if !intact && !self.cut {
            self.answer.facts_mut().notes.add(notes::DAMAGED_EVENT_STREAM);
        }
        if let Some(Wrapper { reader, base64 }) = &mut self.wrapper {
            let whole = reader.is_blank() || reader.is_complete();
            if !whole && !self.cut {
                malformed(self.answer);
            }
            reader.reset();
            *base64 = Base64::default();
        }
        if self.reader.is_blank() {
            return;
        }
        end_text(self.reader, self.cut, self.answer);
        end_document(self.answer, self.elapsed, self.timing);
    }
}

/// Takes the event out of `{"bytes": "<base64>", "p": ".."}`, as Bedrock wraps what the model streams.
struct Unwrap<'a> {
    base64: &'a mut Base64,
    /// Is given the event as it comes.
    event: &'a mut dyn FnMut(&[u8]),
}

impl Visitor for Unwrap<'_> {
    fn key(&mut self, at: Node, key: &[u8]) -> Want {
        if at == Reader::ROOT && key == b"bytes" { Want::Pieces(1) } else { Want::Skip }
    }

    fn item(&mut self, _at: Node) -> Want {
        Want::Skip
    }

    fn scalar(&mut self, _at: Node, _value: Scalar<'_>) {}

    fn piece(&mut self, _at: Node, piece: &[u8]) {
        self.base64.push(piece, &mut *self.event);
    }
}
