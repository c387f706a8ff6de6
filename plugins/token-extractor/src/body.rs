//! The body of an answer: a JSON document, or a stream of events, told apart by its first byte.

use crate::api::Reading;
use crate::api::anthropic_messages::Messages;
use crate::api::openai_chat::Chat;
use crate::api::openai_responses::Responses;
use crate::api::shape::Shape;
use crate::content::OutputText;
use crate::facts::{Facts, MAX_NAME};
use crate::notes;
use crate::sse::{Sink, Sse};
use tollgate_call::{Api, ContentLimits, Timing};
use tollgate_json::{Reader, Reason};

/// Bytes of an answer that are held while its API is not known. Every API shows itself in fewer.
const MAX_HELD: usize = 4096;

/// Reads one body.
#[derive(Debug)]
pub(crate) struct Body {
    form: Form,
    reader: Reader,
    sse: Sse,
    /// Bytes of `[DONE]` that the event's data has matched.
    sentinel: usize,
    answer: Answer,
    output_limit: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Nothing but white space or a byte order mark has come.
    Blank,
    Json,
    Stream,
    /// Neither; not read.
    Other,
}

/// The reading of the API that the answer is in.
#[derive(Debug)]
enum Answer {
    Chat(Box<Chat>),
    Responses(Box<Responses>),
    Messages(Box<Messages>),
    /// Not known yet: what has come is held, to be read once it is.
    Unknown {
        shape: Box<Shape>,
        held: Vec<u8>,
    },
    /// No API that is read.
    None,
}

impl Answer {
    fn new(api: Option<Api>) -> Self {
        match api {
            Some(Api::ChatCompletions) => Self::Chat(Box::default()),
            Some(Api::Responses) => Self::Responses(Box::default()),
            Some(Api::AnthropicMessages) => Self::Messages(Box::default()),
            None => Self::Unknown { shape: Box::default(), held: Vec::new() },
        }
    }

    fn facts_mut(&mut self) -> Option<&mut Facts> {
        match self {
            Self::Chat(chat) => Some(chat.facts_mut()),
            Self::Responses(responses) => Some(responses.facts_mut()),
            Self::Messages(messages) => Some(messages.facts_mut()),
            Self::Unknown { .. } | Self::None => None,
        }
    }

    fn api(&self) -> Option<Api> {
        match self {
            Self::Chat(_) => Some(Api::ChatCompletions),
            Self::Responses(_) => Some(Api::Responses),
            Self::Messages(_) => Some(Api::AnthropicMessages),
            Self::Unknown { .. } | Self::None => None,
        }
    }
}

impl Body {
    /// A body in the given API, or in one that its shape will tell.
    pub(crate) fn new(api: Option<Api>, content: ContentLimits) -> Self {
        Self {
            form: Form::Blank,
            reader: Reader::new(content.output_bytes.max(MAX_NAME + 1)),
            sse: Sse::default(),
            sentinel: 0,
            answer: Answer::new(api),
            output_limit: content.output_bytes,
        }
    }

    /// Reads the next bytes, which came `elapsed` nanoseconds after the request began.
    pub(crate) fn push(&mut self, chunk: &[u8], elapsed: u64, timing: &mut Timing) {
        if matches!(self.answer, Answer::None) || self.form == Form::Other {
            return;
        }
        let chunk = if self.form == Form::Blank { self.begin(chunk) } else { chunk };
        let Body { form, reader, sse, sentinel, answer, .. } = self;
        let mut pass = Pass { form: *form, reader, sse, sentinel, elapsed, timing };
        match answer {
            Answer::Chat(chat) => pass.push(chunk, chat.as_mut()),
            Answer::Responses(responses) => pass.push(chunk, responses.as_mut()),
            Answer::Messages(messages) => pass.push(chunk, messages.as_mut()),
            Answer::None => {}
            Answer::Unknown { shape, held } => {
                let (head, tail) = chunk.split_at_checked(MAX_HELD - held.len()).unwrap_or((chunk, &[]));
                held.extend_from_slice(head);
                pass.push(head, shape.as_mut());
                let (api, full) = (shape.api, held.len() >= MAX_HELD);
                if let Some(api) = api {
                    let held = std::mem::take(held);
                    self.read_as(api);
                    self.push(&held, elapsed, timing);
                    self.push(tail, elapsed, timing);
                } else if full {
                    self.answer = Answer::None;
                }
            }
        }
    }

    /// Starts over, in an API that is now known.
    fn read_as(&mut self, api: Api) {
        self.answer = Answer::new(Some(api));
        self.reader.reset();
        self.sse = Sse::default();
        self.sentinel = 0;
        self.prepare();
    }

    /// Decides the form by the first byte, and gives what is left from there on.
    fn begin<'c>(&mut self, chunk: &'c [u8]) -> &'c [u8] {
        let solid = |byte: &u8| !byte.is_ascii_whitespace() && !b"\xEF\xBB\xBF".contains(byte);
        let Some(at) = chunk.iter().position(solid) else { return &[] };
        let chunk = chunk.get(at..).unwrap_or_default();
        self.form = match chunk.first() {
            Some(b'{' | b'[') => Form::Json,
            // The fields of an event stream, and its comments.
            Some(b'd' | b'e' | b'i' | b'r' | b':') => Form::Stream,
            _ => Form::Other,
        };
        self.prepare();
        chunk
    }

    fn prepare(&mut self) {
        let (stream, limit) = (self.form == Form::Stream, self.output_limit);
        if let Some(facts) = self.answer.facts_mut() {
            facts.stream = stream;
            facts.text = OutputText::new(limit);
        }
    }

    /// Ends the body. `cut` says that it was broken off, so that being incomplete is no fault of its own.
    pub(crate) fn end(&mut self, cut: bool, elapsed: u64, timing: &mut Timing) {
        let Body { form, reader, sse, sentinel, answer, .. } = self;
        let mut pass = Pass { form: *form, reader, sse, sentinel, elapsed, timing };
        match answer {
            Answer::Chat(chat) => pass.end(cut, chat.as_mut()),
            Answer::Responses(responses) => pass.end(cut, responses.as_mut()),
            Answer::Messages(messages) => pass.end(cut, messages.as_mut()),
            Answer::Unknown { .. } | Answer::None => {}
        }
    }

    /// The API that the answer was read in.
    pub(crate) fn api(&self) -> Option<Api> {
        self.answer.api()
    }

    /// Whether the answer is a stream of events; `None` where nothing of it could be read.
    pub(crate) fn is_stream(&self) -> Option<bool> {
        match self.form {
            Form::Blank => None,
            // Plain text may begin like the field of an event.
            Form::Stream => self.sse.is_confirmed().then_some(true),
            Form::Json | Form::Other => Some(false),
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
            Answer::Unknown { held, .. } => size_of::<Shape>() + held.capacity(),
            Answer::None => 0,
        };
        answer + self.reader.heap_bytes() + self.sse.heap_bytes()
    }
}

/// One pass over a chunk: the machinery, lent out, beside the answer that it feeds.
struct Pass<'a> {
    form: Form,
    reader: &'a mut Reader,
    sse: &'a mut Sse,
    sentinel: &'a mut usize,
    elapsed: u64,
    timing: &'a mut Timing,
}

impl Pass<'_> {
    fn push<R: Reading>(&mut self, chunk: &[u8], answer: &mut R) {
        match self.form {
            Form::Json => {
                if self.reader.push(chunk, answer).is_err() {
                    malformed(answer);
                }
            }
            Form::Stream => {
                let Pass { reader, sse, sentinel, elapsed, timing, .. } = self;
                sse.push(chunk, &mut Events { reader, sentinel, elapsed: *elapsed, cut: false, timing, answer });
            }
            Form::Blank | Form::Other => {}
        }
    }

    fn end<R: Reading>(&mut self, cut: bool, answer: &mut R) {
        match self.form {
            Form::Json => {
                let end = self.reader.finish(answer);
                answer.end_document();
                match end {
                    Ok(()) => answer.facts_mut().ended = true,
                    Err(_) if cut => {}
                    Err(_) => malformed(answer),
                }
            }
            Form::Stream => {
                let Pass { reader, sse, sentinel, elapsed, timing, .. } = self;
                sse.finish(&mut Events { reader, sentinel, elapsed: *elapsed, cut, timing, answer });
            }
            Form::Blank | Form::Other => {}
        }
    }
}

fn malformed<R: Reading>(answer: &mut R) {
    answer.facts_mut().notes.add(notes::MALFORMED_RESPONSE);
}

/// The data that ends a stream of OpenAI's chat completions. It is no JSON.
const SENTINEL: &[u8] = b"[DONE]";

/// Feeds the data of each event to the answer's reading, as a document of its own.
struct Events<'a, R> {
    reader: &'a mut Reader,
    sentinel: &'a mut usize,
    elapsed: u64,
    /// Whether the stream was broken off, and with it the event that is ended now.
    cut: bool,
    timing: &'a mut Timing,
    answer: &'a mut R,
}

impl<R: Reading> Sink for Events<'_, R> {
    #[inline]
    fn begin(&mut self, name: &[u8]) {
        self.answer.begin_event(name);
    }

    #[inline]
    fn data(&mut self, piece: &[u8]) {
        let mut piece = piece;
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
        match self.reader.finish(self.answer) {
            Err(error) if !self.cut || error.reason != Reason::Incomplete => malformed(self.answer),
            _ => {}
        }
        self.reader.reset();
        self.answer.end_document();
        if std::mem::take(&mut self.answer.facts_mut().output) {
            self.timing.time_to_first_chunk.get_or_insert(self.elapsed);
            self.timing.time_to_last_chunk = Some(self.elapsed);
            self.timing.output_chunks += 1;
        }
    }
}
