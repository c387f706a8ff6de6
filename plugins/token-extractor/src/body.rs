//! The body of an answer: one JSON document or several, or a stream of events, told apart by its first byte.

mod pass;
mod prefix;

use crate::api::Reading;
use crate::api::anthropic_messages::Messages;
use crate::api::openai_chat::Chat;
use crate::api::openai_responses::Responses;
use crate::api::ruled::Ruled;
use crate::api::shape::Shape;
use crate::content::OutputText;
use crate::facts::{Facts, MAX_NAME};
use crate::format::{self, Format, Formats};
use crate::sse::Sse;
use pass::{EventFrames, Pass};
use prefix::Prefix;
use std::sync::Arc;
use tollgate_call::{ContentLimits, Timing};
use tollgate_json::Reader;

/// Bytes of an answer that are held while its API is not known. Every API shows itself in fewer.
const MAX_HELD: usize = 4096;

/// Reads one body.
#[derive(Debug)]
pub(crate) struct Body {
    frames: Frames,
    answer: Answer,
    format: Option<Arc<Format>>,
    output_limit: usize,
}

/// The machinery that takes a body apart.
#[derive(Debug)]
struct Frames {
    form: Form,
    reader: Reader,
    sse: Sse,
    /// What an event stream needs besides; most bodies are none.
    events: Option<Box<EventFrames>>,
    /// Bytes of `[DONE]` that the event's data has matched.
    sentinel: usize,
    /// Documents that came whole, where there may be several.
    documents: u64,
    /// Values that are open at the root of an array of documents.
    depth: u8,
    /// How the events of a stream begin.
    prefix: Prefix,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Nothing but white space or a byte order mark has come.
    Blank,
    /// One JSON document.
    Document,
    /// JSON documents, one after the other: a stream, if there is more than one.
    Documents,
    /// JSON documents as the elements of one array.
    Array,
    /// Server-sent events.
    Sse,
    /// AWS event stream.
    Events,
    /// Nothing of it; not read.
    Other,
}

/// The reading of the API that the answer is in.
#[derive(Debug)]
enum Answer {
    Chat(Box<Chat>),
    Responses(Box<Responses>),
    Messages(Box<Messages>),
    Ruled(Box<Ruled>),
    /// Not known yet: what has come is held, to be read once it is.
    Unknown {
        shape: Box<Shape>,
        held: Vec<u8>,
        formats: Arc<Formats>,
    },
    /// No API that is read.
    None,
}

impl Answer {
    fn of(format: &Arc<Format>) -> Self {
        match format.reader {
            format::Reader::Chat => Self::Chat(Box::default()),
            format::Reader::Responses => Self::Responses(Box::default()),
            format::Reader::Messages => Self::Messages(Box::default()),
            format::Reader::Rules => Self::Ruled(Box::new(Ruled::new(Arc::clone(format)))),
        }
    }

    fn facts_mut(&mut self) -> Option<&mut Facts> {
        match self {
            Self::Chat(chat) => Some(chat.facts_mut()),
            Self::Responses(responses) => Some(responses.facts_mut()),
            Self::Messages(messages) => Some(messages.facts_mut()),
            Self::Ruled(ruled) => Some(ruled.facts_mut()),
            Self::Unknown { .. } | Self::None => None,
        }
    }
}

impl Body {
    /// A body in the given format.
    pub(crate) fn of(format: Arc<Format>, content: ContentLimits) -> Self {
        Self::new(Answer::of(&format), Some(format), content)
    }

    /// A body in a format that its shape will tell.
    pub(crate) fn unknown(formats: &Arc<Formats>, content: ContentLimits) -> Self {
        let answer = Answer::Unknown { shape: Box::default(), held: Vec::new(), formats: Arc::clone(formats) };
        Self::new(answer, None, content)
    }

    /// A body that is not read.
    pub(crate) fn unread() -> Self {
        Self::new(Answer::None, None, ContentLimits::default())
    }

    fn new(answer: Answer, format: Option<Arc<Format>>, content: ContentLimits) -> Self {
        let frames = Frames {
            form: Form::Blank,
            reader: Reader::new(content.output_bytes.max(MAX_NAME + 1)),
            sse: Sse::default(),
            events: None,
            sentinel: 0,
            documents: 0,
            depth: 0,
            prefix: Prefix::default(),
        };
        Self { frames, answer, format, output_limit: content.output_bytes }
    }

    /// Reads the next bytes, which came `elapsed` nanoseconds after the request began.
    pub(crate) fn push(&mut self, chunk: &[u8], elapsed: u64, timing: &mut Timing) {
        if matches!(self.answer, Answer::None) || self.frames.form == Form::Other {
            return;
        }
        let chunk = if self.frames.form == Form::Blank { self.begin(chunk) } else { chunk };
        let mut pass = Pass { frames: &mut self.frames, elapsed, timing };
        match &mut self.answer {
            Answer::Chat(chat) => pass.push(chunk, chat.as_mut()),
            Answer::Responses(responses) => pass.push(chunk, responses.as_mut()),
            Answer::Messages(messages) => pass.push(chunk, messages.as_mut()),
            Answer::Ruled(ruled) => pass.push(chunk, ruled.as_mut()),
            Answer::None => {}
            Answer::Unknown { shape, held, formats } => {
                let (head, tail) = chunk.split_at_checked(MAX_HELD - held.len()).unwrap_or((chunk, &[]));
                held.extend_from_slice(head);
                pass.push(head, shape.as_mut());
                let full = held.len() >= MAX_HELD;
                if let Some(format) = shape.format.and_then(|name| formats.named(name)) {
                    let held = std::mem::take(held);
                    self.read_as(format);
                    self.push(&held, elapsed, timing);
                    self.push(tail, elapsed, timing);
                } else if full {
                    self.answer = Answer::None;
                }
            }
        }
    }

    /// Starts over, in a format that is now known.
    fn read_as(&mut self, format: Arc<Format>) {
        self.answer = Answer::of(&format);
        self.format = Some(format);
        self.frames.form = Form::Blank;
        self.frames.reader.reset();
        self.frames.sse = Sse::default();
        self.frames.sentinel = 0;
        (self.frames.documents, self.frames.depth) = (0, 0);
        self.frames.prefix = Prefix::default();
    }

    /// Decides the form by the first byte, and gives what is left from there on.
    fn begin<'c>(&mut self, chunk: &'c [u8]) -> &'c [u8] {
        let solid = |byte: &u8| !byte.is_ascii_whitespace() && !b"\xEF\xBB\xBF".contains(byte);
        let Some(at) = chunk.iter().position(solid) else { return &[] };
        let chunk = chunk.get(at..).unwrap_or_default();
        let (bare, events) = self.format.as_ref().map_or((true, false), |format| (format.bare_stream, format.events));
        self.frames.form = match chunk.first() {
            Some(b'{') if bare => Form::Documents,
            Some(b'{') => Form::Document,
            Some(b'[') => Form::Array,
            // The length of the first message, of which none has 16 megabytes.
            Some(0) if events => Form::Events,
            // The fields of an event stream, and its comments.
            Some(b'd' | b'e' | b'i' | b'r' | b':') => Form::Sse,
            _ => Form::Other,
        };
        if self.frames.form == Form::Events {
            let wrapped = self.format.as_ref().is_some_and(|format| format.wrapped);
            self.frames.events = Some(Box::new(EventFrames::new(wrapped)));
        }
        let (stream, limit) = (bare || !matches!(self.frames.form, Form::Document | Form::Array), self.output_limit);
        if let Some(facts) = self.answer.facts_mut() {
            facts.stream = stream;
            facts.text = OutputText::new(limit);
        }
        chunk
    }

    /// Ends the body. `cut` says that it was broken off, so that being incomplete is no fault of its own; `asked` that
    /// the request asked for a stream.
    pub(crate) fn end(&mut self, cut: bool, asked: bool, elapsed: u64, timing: &mut Timing) {
        let mut pass = Pass { frames: &mut self.frames, elapsed, timing };
        match &mut self.answer {
            Answer::Chat(chat) => pass.end(cut, chat.as_mut()),
            Answer::Responses(responses) => pass.end(cut, responses.as_mut()),
            Answer::Messages(messages) => pass.end(cut, messages.as_mut()),
            Answer::Ruled(ruled) => pass.end(cut, ruled.as_mut()),
            Answer::Unknown { .. } | Answer::None => {}
        }
        // Only now it shows that what could have been a stream was none.
        if let (Form::Documents, false) = (self.frames.form, self.is_stream(asked))
            && let Some(facts) = self.answer.facts_mut()
        {
            facts.stream = false;
            facts.ended |= self.frames.documents == 1;
            (timing.time_to_first_chunk, timing.time_to_last_chunk, timing.output_chunks) = (None, None, 0);
        }
    }

    /// The format that the answer was read in.
    pub(crate) fn format(&self) -> Option<&Arc<Format>> {
        self.format.as_ref()
    }

    /// Whether the answer is a stream. `asked` says whether the request asked for one, which counts where nothing of
    /// the answer could be read, and where it is one document that may be all of a stream.
    pub(crate) fn is_stream(&self, asked: bool) -> bool {
        match self.frames.form {
            Form::Blank => asked,
            // Plain text may begin like the field of an event.
            Form::Sse => self.frames.sse.is_confirmed() || asked,
            Form::Events => true,
            Form::Documents => self.frames.documents > 1 || asked,
            Form::Array => self.format.as_ref().is_some_and(|format| format.bare_stream),
            Form::Document | Form::Other => false,
        }
    }

    /// What the answer said; nothing where its API is not read.
    pub(crate) fn take_facts(&mut self) -> Facts {
        self.answer.facts_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Bytes of memory that the reading has allocated.
    pub(crate) fn heap_bytes(&self) -> usize {
        let answer = match &self.answer {
            Answer::Chat(chat) => size_of::<Chat>() + chat.facts().heap_bytes(),
            Answer::Responses(responses) => size_of::<Responses>() + responses.facts().heap_bytes(),
            Answer::Messages(messages) => size_of::<Messages>() + messages.facts().heap_bytes(),
            Answer::Ruled(ruled) => size_of::<Ruled>() + ruled.facts().heap_bytes(),
            Answer::Unknown { held, .. } => size_of::<Shape>() + held.capacity(),
            Answer::None => 0,
        };
        let events = self.frames.events.as_ref().map_or(0, |events| events.heap_bytes());
        answer
            + events
            + self.frames.prefix.heap_bytes()
            + self.frames.reader.heap_bytes()
            + self.frames.sse.heap_bytes()
    }
}
