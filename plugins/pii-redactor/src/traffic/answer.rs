//! The body of an answer as it passes.

use super::counts::{Applied, Direction, Reason};
use super::document::{self, UNSCANNED};
use super::frame::array::Depth;
use super::frame::{Frame, Frames, Framing, utf8};
use super::said::Said;
use super::texts::{Made, Texts, Way, Work};
use super::tree::{Detail, Tree};
use super::whole::{beside, rewritten, whole};
use super::{OnError, delta};

/// Data of the event that ends the streams of OpenAI and its likes.
const DONE: &str = "[DONE]";

/// Bytes that tell what a body is.
const TELLING: usize = 6;

/// What the body is.
#[derive(Debug)]
enum Form {
    /// Too little has come to tell.
    Open(Vec<u8>),
    Frames(Frames),
    /// One JSON document, which waits for its end.
    Document {
        held: Vec<u8>,
        depth: Depth,
        seen: usize,
        closed: bool,
    },
    /// Text that is no JSON; the bytes are the beginning of a character.
    Text {
        way: Box<Way>,
        held: Vec<u8>,
    },
    /// It goes on as it comes.
    Passed,
    /// Nothing of it goes on any more.
    Dropped,
}

/// An answer under way.
#[derive(Debug)]
pub(crate) struct Answer {
    said: Said,
    form: Form,
    texts: Texts,
    /// An event that may be the last, and what came behind it.
    pending: Option<(Vec<u8>, Vec<u8>)>,
    limit: usize,
    on_error: OnError,
}

impl Answer {
    pub(crate) fn new(said: Said, limit: usize, on_error: OnError) -> Self {
        Self { said, form: Form::Open(Vec::new()), texts: Texts::default(), pending: None, limit, on_error }
    }

    /// Takes the next bytes, and appends what goes on.
    ///
    /// # Errors
    /// The answer must not go on.
    pub(crate) fn push(
        &mut self,
        work: &mut Work<'_>,
        chunk: &[u8],
        last: bool,
        out: &mut Vec<u8>,
    ) -> Result<(), Reason> {
        let pushed = self.go_on(work, chunk, last, out);
        let waiting = self.waiting() as u64;
        work.counts.waiting_bytes = work.counts.waiting_bytes.max(waiting);
        let reason = match pushed {
            Ok(()) => return Ok(()),
            Err(reason) => reason,
        };
        match self.on_error {
            OnError::Pass => {
                work.counts.unread(Direction::Response, reason, Applied::Passed);
                self.give_up(work, out);
                Ok(())
            }
            OnError::MaskAll if matches!(self.form, Form::Text { .. }) => {
                work.counts.unread(Direction::Response, reason, Applied::Masked);
                self.drop_all();
                out.extend_from_slice(UNSCANNED.as_bytes());
                Ok(())
            }
            OnError::Block | OnError::MaskAll => {
                work.counts.unread(Direction::Response, reason, Applied::Blocked);
                self.drop_all();
                Err(reason)
            }
        }
    }

    /// Bytes that wait, of texts, frames and documents.
    pub(crate) fn waiting(&self) -> usize {
        let form = match &self.form {
            Form::Open(held) | Form::Document { held, .. } | Form::Text { held, .. } => held.len(),
            Form::Frames(frames) => frames.held(),
            Form::Passed | Form::Dropped => 0,
        };
        let pending = self.pending.as_ref().map_or(0, |(event, behind)| event.len() + behind.len());
        form + pending + self.texts.held() + self.texts.kept()
    }

    /// Whether something waits that only goes on at the end.
    pub(crate) fn holds(&self) -> bool {
        let form = match &self.form {
            Form::Open(held) | Form::Document { held, .. } => !held.is_empty(),
            Form::Frames(frames) => frames.held() > 0,
            Form::Text { way, held } => way.held() + held.len() > 0,
            Form::Passed | Form::Dropped => false,
        };
        form || self.pending.is_some() || self.texts.held() > 0
    }

    fn go_on(&mut self, work: &mut Work<'_>, chunk: &[u8], last: bool, out: &mut Vec<u8>) -> Result<(), Reason> {
        if let Form::Open(held) = &mut self.form {
            held.extend_from_slice(chunk);
            let held = std::mem::take(held);
            return match self.form_of(work, &held, last) {
                Some(Ok(form)) => {
                    self.form = form;
                    self.go_on(work, &held, last, out)
                }
                Some(Err(reason)) => {
                    self.form = Form::Open(held);
                    Err(reason)
                }
                None => {
                    if last {
                        out.extend_from_slice(&held);
                    } else {
                        self.form = Form::Open(held);
                    }
                    Ok(())
                }
            };
        }
        match &mut self.form {
            Form::Document { held, depth, seen, closed } => {
                held.extend_from_slice(chunk);
                for byte in held.get(*seen..).unwrap_or(&[]) {
                    if *closed && !byte.is_ascii_whitespace() {
                        // Another document behind the first: they come one a line.
                        let held = std::mem::take(held);
                        self.form = Form::Frames(Frames::new(Framing::Lines));
                        return self.go_on(work, &held, last, out);
                    }
                    *closed |= depth.step(*byte);
                    *seen += 1;
                }
                if held.len() > self.limit {
                    return Err(Reason::TooLarge);
                }
                if last { self.document(work, out) } else { Ok(()) }
            }
            Form::Text { way, held } => {
                held.extend_from_slice(chunk);
                let whole = match std::str::from_utf8(held) {
                    Ok(text) => text.len(),
                    Err(error) if error.error_len().is_none() && !last => error.valid_up_to(),
                    Err(_) => return Err(Reason::NotUtf8),
                };
                let text = held.get(..whole).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or("");
                let written = way.push(work, text, last);
                held.drain(..whole);
                work.counts.held_bytes = work.counts.held_bytes.max(way.held() as u64);
                out.extend_from_slice(written.as_bytes());
                Ok(())
            }
            Form::Frames(frames) => {
                frames.push(chunk);
                self.frames(work, last, out)
            }
            Form::Passed => {
                out.extend_from_slice(chunk);
                Ok(())
            }
            Form::Open(_) | Form::Dropped => Ok(()),
        }
    }

    /// What the body is, by what is said of it and how it begins; `None` where too little has come.
    fn form_of(&self, work: &Work<'_>, held: &[u8], last: bool) -> Option<Result<Form, Reason>> {
        let frames = |framing| Some(Ok(Form::Frames(Frames::new(framing))));
        let document =
            || Some(Ok(Form::Document { held: Vec::new(), depth: Depth::default(), seen: 0, closed: false }));
        if self.said == Said::Events && !held.is_empty() {
            return frames(Framing::Events);
        }
        let body = held.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(held).trim_ascii_start();
        let first = body.first()?;
        if body.len() < TELLING && !last && !matches!(first, b'{' | b'[') {
            return None;
        }
        let fields: [&[u8]; 5] = [b"data:", b"event:", b"id:", b"retry:", b":"];
        let events = fields.iter().any(|field| body.starts_with(field));
        match (first, self.said) {
            (b'{', Said::Lines) => frames(Framing::Lines),
            (b'{', _) => document(),
            (b'[', Said::Sse | Said::Text) => frames(Framing::Sse),
            (b'[', _) => frames(Framing::Array),
            (_, Said::Sse) => frames(Framing::Sse),
            _ if events => frames(Framing::Sse),
            (_, Said::Json | Said::Lines) => document(),
            (_, Said::Text) => Some(Ok(Form::Text { way: Box::new(Way::new(work, false)), held: Vec::new() })),
            _ => Some(Err(Reason::ContentType)),
        }
    }

    /// Everything whole that has come of a stream.
    fn frames(&mut self, work: &mut Work<'_>, last: bool, out: &mut Vec<u8>) -> Result<(), Reason> {
        loop {
            let Form::Frames(frames) = &mut self.form else { return Ok(()) };
            let Some(frame) = frames.next(last)? else { break };
            let framing = self.framing();
            match (frame, &mut self.pending) {
                (Frame::Event(frame), _) => {
                    if let Some((event, behind)) = self.pending.take() {
                        self.event(work, framing, &event, false, out)?;
                        out.extend_from_slice(&behind);
                    }
                    if self.may_be_last(framing, &frame) {
                        self.pending = Some((frame, Vec::new()));
                    } else {
                        self.event(work, framing, &frame, false, out)?;
                    }
                }
                (Frame::Between(frame), Some((_, behind))) if behind.len() < self.limit => behind.extend(frame),
                (Frame::Between(frame), _) => self.beside(work, framing, frame, out)?,
                (Frame::End(frame), _) => {
                    self.finish(work, framing, out)?;
                    out.extend_from_slice(&frame);
                }
            }
        }
        let waiting = matches!(&self.form, Form::Frames(frames) if frames.held() > self.limit);
        if waiting {
            return Err(Reason::TooLarge);
        }
        if last {
            let framing = self.framing();
            self.finish(work, framing, out)?;
        }
        Ok(())
    }

    fn framing(&self) -> Framing {
        match &self.form {
            Form::Frames(frames) => frames.framing(),
            _ => Framing::Sse,
        }
    }

    fn may_be_last(&self, framing: Framing, frame: &[u8]) -> bool {
        let has = memchr::memmem::find(frame, b"finishReason").is_some();
        let data = || framing.data(frame).ok().flatten();
        has && data().is_some_and(|data| Tree::of(&data, Detail::Values).is_ok_and(|tree| delta::may_be_last(&tree)))
    }

    /// The end of the stream: what waits goes on.
    fn finish(&mut self, work: &mut Work<'_>, framing: Framing, out: &mut Vec<u8>) -> Result<(), Reason> {
        if let Some((event, behind)) = self.pending.take() {
            self.event(work, framing, &event, true, out)?;
            out.extend_from_slice(&behind);
        }
        for made in self.texts.end(work) {
            out.extend_from_slice(&framing.made(&made, true)?);
        }
        Ok(())
    }

    /// An event, in the way that the policy says where it cannot be read.
    fn event(
        &mut self,
        work: &mut Work<'_>,
        framing: Framing,
        frame: &[u8],
        last: bool,
        out: &mut Vec<u8>,
    ) -> Result<(), Reason> {
        let begins = out.len();
        match self.rewrite(work, framing, frame, last, out) {
            Err(reason) if self.on_error == OnError::Pass => {
                out.truncate(begins);
                work.counts.unread(Direction::Response, reason, Applied::Passed);
                out.extend_from_slice(frame);
                Ok(())
            }
            Err(Reason::TooManyFindings) if self.on_error == OnError::MaskAll => {
                out.truncate(begins);
                work.counts.unread(Direction::Response, Reason::TooManyFindings, Applied::Masked);
                let data = framing.data(frame)?.unwrap_or_default();
                out.extend_from_slice(&framing.with_data(frame, &document::masked(&data)?)?);
                Ok(())
            }
            other => other,
        }
    }

    fn rewrite(
        &mut self,
        work: &mut Work<'_>,
        framing: Framing,
        frame: &[u8],
        last: bool,
        out: &mut Vec<u8>,
    ) -> Result<(), Reason> {
        let plain = framing != Framing::Events && !self.texts.concern(work, frame);
        if plain && utf8(frame).is_ok() {
            out.extend_from_slice(frame);
            return Ok(());
        }
        let Some(data) = framing.data(frame)? else {
            return self.beside(work, framing, frame.to_vec(), out);
        };
        let frame = beside(work, framing, frame)?;
        let done = data.trim_ascii() == DONE;
        let document = !done && data.trim_ascii_start().starts_with(['{', '[', '"']);
        if document {
            let written = self.texts.event(work, &data, (framing, &frame), last)?;
            for made in &written.before {
                out.extend_from_slice(&framing.made(made, false)?);
            }
            match written.data {
                Some(data) => out.extend_from_slice(&framing.with_data(&frame, &data)?),
                None => out.extend_from_slice(&frame),
            }
            return Ok(());
        }
        if framing != Framing::Sse {
            // A number or a word says nothing; anything else is no JSON.
            return match Tree::of(&data, Detail::Values) {
                Ok(_) => self.plain(work, framing, &frame, &data, out),
                Err(why) => Err(document::reason(why)),
            };
        }
        if done {
            for made in self.texts.end(work) {
                out.extend_from_slice(&framing.made(&made, false)?);
            }
        }
        self.plain(work, framing, &frame, &data, out)
    }

    /// An event whose data is a text by itself.
    fn plain(
        &mut self,
        work: &mut Work<'_>,
        framing: Framing,
        frame: &[u8],
        data: &str,
        out: &mut Vec<u8>,
    ) -> Result<(), Reason> {
        match whole(work, data) {
            Some(text) => out.extend_from_slice(&framing.with_data(frame, &text)?),
            None => out.extend_from_slice(frame),
        }
        Ok(())
    }

    /// A frame without data.
    fn beside(
        &mut self,
        work: &mut Work<'_>,
        framing: Framing,
        frame: Vec<u8>,
        out: &mut Vec<u8>,
    ) -> Result<(), Reason> {
        out.extend_from_slice(&beside(work, framing, &frame)?);
        Ok(())
    }

    /// A document that has come whole.
    fn document(&mut self, work: &mut Work<'_>, out: &mut Vec<u8>) -> Result<(), Reason> {
        let Form::Document { held, .. } = &mut self.form else { return Ok(()) };
        let text = utf8(held)?;
        match rewritten(work, text) {
            Ok(Some(text)) => out.extend_from_slice(text.as_bytes()),
            Ok(None) => out.extend_from_slice(held),
            Err(Reason::TooManyFindings) if self.on_error == OnError::MaskAll => {
                work.counts.unread(Direction::Response, Reason::TooManyFindings, Applied::Masked);
                out.extend_from_slice(document::masked(text)?.as_bytes());
            }
            // Text that begins with a bracket.
            Err(Reason::NotJson) if self.said == Said::Text => {
                let text = whole(work, text).unwrap_or_else(|| text.to_owned());
                out.extend_from_slice(text.as_bytes());
            }
            Err(reason) => return Err(reason),
        }
        self.form = Form::Dropped;
        Ok(())
    }

    /// Nothing more goes on.
    fn drop_all(&mut self) {
        self.form = Form::Dropped;
        self.pending = None;
        self.texts = Texts::default();
    }

    /// Lets everything go on as it came, from what waits on.
    fn give_up(&mut self, work: &mut Work<'_>, out: &mut Vec<u8>) {
        let framing = self.framing();
        if let Some((event, behind)) = self.pending.take() {
            out.extend_from_slice(&event);
            out.extend_from_slice(&behind);
        }
        let made: Vec<Made> = self.texts.end(work);
        for made in made.iter().filter_map(|made| framing.made(made, false).ok()) {
            out.extend_from_slice(&made);
        }
        match std::mem::replace(&mut self.form, Form::Passed) {
            Form::Open(held) | Form::Document { held, .. } => out.extend_from_slice(&held),
            Form::Frames(mut frames) => out.extend_from_slice(&frames.take_held()),
            Form::Text { mut way, held } => {
                out.extend_from_slice(way.push(work, "", true).as_bytes());
                out.extend_from_slice(&held);
            }
            Form::Passed | Form::Dropped => {}
        }
    }
}
