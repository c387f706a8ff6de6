//! One exchange: its request, its answer, and the values that link them.

use super::answer::Answer;
use super::counts::{Applied, Counts, Direction, Reason};
use super::document::{self, UNSCANNED};
use super::frame::utf8;
use super::said::Said;
use super::texts::Work;
use super::{OnError, Options, Redactors, is_decoded};
use crate::conversation::Conversation;
use std::sync::Arc;
use tollgate_decoding::Decoder;

/// How many times larger than transferred a body may become by decoding. The limit of bytes counts as well.
const EXPANSION: u32 = 200;
/// Bytes of the largest window that an encoding may ask for.
const WINDOW: u64 = 8 << 20;

/// A body that must not go on, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Which body.
    pub direction: Direction,
    /// Why it could not be read.
    pub reason: Reason,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the {} {}, so that it cannot be redacted", self.direction.as_str(), self.reason.about())
    }
}

impl std::error::Error for Refused {}

/// What is to be done with the head of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The body changes: what says its length or a digest of it has to go.
    pub rewrites: bool,
    /// The body goes on decoded: what says its encoding has to go.
    pub decodes: bool,
}

/// The redaction of one exchange.
pub struct Exchange {
    redactors: Arc<Redactors>,
    options: Options,
    conversation: Conversation,
    counts: Counts,
    answer: Option<Box<Answer>>,
    decoder: Option<Box<Decoder>>,
    blocked: bool,
}

impl std::fmt::Debug for Exchange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Exchange").field("options", &self.options).finish_non_exhaustive()
    }
}

impl Exchange {
    /// An exchange that begins.
    #[must_use]
    pub fn new(redactors: Arc<Redactors>, options: Options) -> Self {
        let conversation = redactors.request.conversation();
        let counts = Counts::default();
        Self { redactors, options, conversation, counts, answer: None, decoder: None, blocked: false }
    }

    /// What was counted so far.
    #[must_use]
    pub const fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Values that got no number, because the exchange has more of them than are remembered, or they are too long. They
    /// are replaced, and cannot be given back.
    #[must_use]
    pub fn unnumbered(&self) -> u64 {
        self.conversation.over_limit()
    }

    /// The name of a type of finding in [`Counts::found`].
    #[must_use]
    pub fn type_name(&self, kind: u16) -> &str {
        self.redactors.request.type_name(kind)
    }

    /// The policy for a body that the caller of the library cannot read: whether it goes on as it came.
    ///
    /// # Errors
    /// It must not go on.
    pub fn unread(&mut self, direction: Direction, reason: Reason) -> Result<(), Refused> {
        let (on, policy) = match direction {
            Direction::Request => (self.options.request, self.options.on_error),
            // What is only to be given its values back may go on without them.
            Direction::Response if self.options.response => (true, self.options.on_error),
            Direction::Response => (self.options.restore, OnError::Pass),
        };
        if !on {
            return Ok(());
        }
        if policy == OnError::Pass {
            self.counts.unread(direction, reason, Applied::Passed);
            return Ok(());
        }
        self.counts.unread(direction, reason, Applied::Blocked);
        self.blocked |= direction == Direction::Response;
        Err(Refused { direction, reason })
    }

    /// The whole body of a request, and what goes on in its place: `None` where it goes on as it came. One that is encoded
    /// always goes on plain, without its `content-encoding`, so that the policy has no other way for it than to block
    /// where it cannot be decoded.
    ///
    /// # Errors
    /// It cannot be read, and must not go on.
    pub fn request(
        &mut self,
        content_type: &[u8],
        content_encoding: &[u8],
        body: &[u8],
    ) -> Result<Option<Vec<u8>>, Refused> {
        if !self.options.request || body.is_empty() {
            return Ok(None);
        }
        let plain = if body.len() > self.options.max_body_bytes {
            Err(Reason::TooLarge)
        } else {
            decoded(content_encoding, body, self.options.max_body_bytes)
        };
        let plain = match plain {
            Ok(plain) => plain,
            Err(reason) if is_encoded(content_encoding) && is_decoded(content_encoding) => {
                self.counts.unread(Direction::Request, reason, Applied::Blocked);
                return Err(Refused { direction: Direction::Request, reason });
            }
            Err(reason) => return self.unread(Direction::Request, reason).map(|()| None),
        };
        match self.redacted(content_type, plain.as_deref().unwrap_or(body)) {
            Ok(changed) => Ok(changed.or(plain)),
            Err(reason) => self.unread(Direction::Request, reason).map(|()| plain),
        }
    }

    fn redacted(&mut self, content_type: &[u8], body: &[u8]) -> Result<Option<Vec<u8>>, Reason> {
        let said = Said::of(content_type);
        let mask = self.options.on_error == OnError::MaskAll;
        let text = match utf8(body) {
            Err(reason) if mask && said == Said::Text => {
                self.counts.unread(Direction::Request, reason, Applied::Masked);
                return Ok(Some(UNSCANNED.as_bytes().to_vec()));
            }
            text => text?,
        };
        let redactors = Arc::clone(&self.redactors);
        let json = |exchange: &mut Self, text: &str| {
            let Self { conversation, counts, .. } = exchange;
            document::redact(&redactors.request, conversation, counts, Direction::Request, text)
        };
        let changed = match said {
            Said::Json => json(self, text),
            Said::Lines => {
                let lines = text.split_inclusive('\n').map(|line| {
                    let changed = if line.trim_ascii().is_empty() { None } else { json(self, line)? };
                    Ok(changed.unwrap_or_else(|| line.to_owned()))
                });
                let changed = lines.collect::<Result<String, Reason>>();
                changed.map(|changed| (changed != text).then_some(changed))
            }
            // Servers take JSON without a word of it.
            Said::Nothing | Said::Text | Said::Sse => match json(self, text) {
                Err(Reason::NotJson) => {
                    let (changed, found) = redactors.request.redact_in(&mut self.conversation, text);
                    found.iter().for_each(|finding| self.counts.find(Direction::Request, finding.kind));
                    Ok(changed)
                }
                other => other,
            },
            Said::Events | Said::Binary | Said::Other => Err(Reason::ContentType),
        };
        match changed {
            Err(reason @ Reason::TooManyFindings) if mask => {
                self.counts.unread(Direction::Request, reason, Applied::Masked);
                Ok(Some(document::masked(text)?.into_bytes()))
            }
            other => other.map(|changed| changed.map(String::into_bytes)),
        }
    }

    /// The head of the answer.
    ///
    /// # Errors
    /// The body could not be read, and must not go on.
    pub fn response_head(&mut self, content_type: &[u8], content_encoding: &[u8]) -> Result<Plan, Refused> {
        let restores = self.options.restore && self.conversation.can_restore();
        if !self.options.response && !restores {
            return Ok(Plan::default());
        }
        let mut plan = Plan { rewrites: true, decodes: false };
        if Said::of(content_type) == Said::Binary {
            self.unread(Direction::Response, Reason::ContentType)?;
            return Ok(Plan::default());
        }
        match decoder(content_encoding) {
            Ok(Some(decoder)) => {
                self.decoder = Some(Box::new(decoder));
                plan.decodes = true;
            }
            Ok(None) => self.decoder = None,
            Err(reason) => {
                self.unread(Direction::Response, reason)?;
                return Ok(Plan::default());
            }
        }
        let policy = if self.options.response { self.options.on_error } else { OnError::Pass };
        let answer = Answer::new(Said::of(content_type), self.options.max_body_bytes, policy);
        self.answer = Some(Box::new(answer));
        Ok(plan)
    }

    /// Lets the rest of the answer go on as it comes, where whoever has it cannot change it.
    pub fn leave_answer(&mut self) {
        self.answer = None;
        self.decoder = None;
    }

    /// The next bytes of the answer, and what goes on in their place.
    ///
    /// # Errors
    /// They cannot be read; nothing more may go on.
    pub fn response(&mut self, chunk: &[u8], last: bool) -> Result<Vec<u8>, Refused> {
        let refused = |reason| Refused { direction: Direction::Response, reason };
        if self.blocked {
            return Ok(Vec::new());
        }
        let Self { redactors, options, conversation, counts, answer, decoder, .. } = self;
        let Some(answer) = answer else { return Ok(chunk.to_vec()) };
        let mut work = Work {
            redactor: options.response.then_some(&redactors.response),
            restore: options.restore,
            conversation,
            counts,
        };
        let mut plain = Vec::new();
        let mut undecodable = false;
        let bytes = match decoder {
            Some(decoder) => {
                decoder.push(chunk, |piece| plain.extend_from_slice(piece));
                undecodable = decoder.stopped().is_some() || (last && decoder.note().is_some());
                plain.as_slice()
            }
            None => chunk,
        };
        let mut out = Vec::with_capacity(bytes.len());
        let pushed = answer.push(&mut work, bytes, last && !undecodable, &mut out);
        if let Err(reason) = pushed {
            self.blocked = true;
            return Err(refused(reason));
        }
        if undecodable {
            // What was announced as plain cannot go on encoded, so that the answer ends here whatever the policy says.
            self.counts.unread(Direction::Response, Reason::Undecodable, Applied::Blocked);
            self.blocked = true;
            return Err(refused(Reason::Undecodable));
        }
        Ok(out)
    }

    /// Whether something of the answer waits that goes on at its end.
    #[must_use]
    pub fn waits(&self) -> bool {
        !self.blocked && self.answer.as_ref().is_some_and(|answer| answer.holds())
    }

    /// The answer ended with trailers, behind which nothing more can go on.
    ///
    /// # Errors
    /// Something was held that is now lost.
    pub fn response_trailers(&mut self) -> Result<(), Refused> {
        if !self.waits() {
            return Ok(());
        }
        self.blocked = true;
        self.counts.unread(Direction::Response, Reason::Trailers, Applied::Blocked);
        Err(Refused { direction: Direction::Response, reason: Reason::Trailers })
    }

    /// Bytes of the answer that wait now.
    #[must_use]
    pub fn waiting_bytes(&self) -> usize {
        self.answer.as_ref().map_or(0, |answer| answer.waiting())
            + self.decoder.as_ref().map_or(0, |decoder| decoder.heap_bytes())
    }
}

fn is_encoded(encoding: &[u8]) -> bool {
    let encoding = encoding.trim_ascii();
    !encoding.is_empty() && !encoding.eq_ignore_ascii_case(b"identity")
}

/// A decoder for a content encoding; `None` where there is nothing to decode.
pub(super) fn decoder(encoding: &[u8]) -> Result<Option<Decoder>, Reason> {
    if !is_encoded(encoding) {
        return Ok(None);
    }
    let mut decoder = Decoder::new(EXPANSION, WINDOW);
    decoder.add(encoding);
    if decoder.stopped().is_some() { Err(Reason::ContentEncoding) } else { Ok(Some(decoder)) }
}

/// A body without its encoding; `None` where it has none.
fn decoded(encoding: &[u8], body: &[u8], limit: usize) -> Result<Option<Vec<u8>>, Reason> {
    let Some(mut decoder) = decoder(encoding)? else { return Ok(None) };
    let (mut plain, mut over) = (Vec::new(), false);
    decoder.push(body, |piece| {
        over |= plain.len().saturating_add(piece.len()) > limit;
        if !over {
            plain.extend_from_slice(piece);
        }
    });
    if over {
        return Err(Reason::TooLarge);
    }
    if decoder.note().is_some() { Err(Reason::Undecodable) } else { Ok(Some(plain)) }
}
