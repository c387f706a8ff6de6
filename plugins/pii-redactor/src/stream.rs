//! Texts that come in pieces: what is certain goes on at once, what may still become a value is held back.
//!
//! The same looks are taken as at a whole text, at what is held and the piece that came, with some of what went before
//! for context. So the cuts make no difference: neither to what is written nor to what is found.

use crate::config::Config;
use crate::conversation::{Conversation, LONGEST_VALUE};
use crate::fold::unfinished;
use crate::json_text::Walk;
use crate::kind::{Kind, Kinds};
use crate::look::{Look, before_sign};
use crate::redactor::{Edit, Finding, Redactor};
use zeroize::Zeroize as _;

/// Most bytes that are held back of a text that may or may not become a value, escapes undone.
pub(crate) const HOLD: usize = 128;
/// Bytes of what went before that a decision may look at.
const CONTEXT: usize = 320;

/// One text of a stream: the content of one choice, one field, or one tool call.
#[derive(Debug, Default)]
pub struct Stream {
    /// Context that went on, then what is held back.
    text: String,
    /// Bytes of `text` that went on.
    gone: usize,
    /// Bytes of the stream before `text`.
    before: usize,
    /// For a text that is JSON, where it stands.
    walk: Option<Walk>,
    findings: usize,
    swallowing: Swallowing,
}

/// Whether what comes belongs to something that was replaced already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Swallowing {
    #[default]
    Nothing,
    /// The rest of a value that was too long to be held.
    Value,
    /// Everything: the limit of findings was passed.
    All,
}

/// What a piece gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Streamed {
    /// Text that may go on.
    pub text: String,
    /// What was found in the text that went on: bytes of the stream as it was given, from its beginning.
    pub findings: Vec<Finding>,
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.text.zeroize();
    }
}

impl Stream {
    /// A plain text in pieces.
    #[must_use]
    pub fn text() -> Self {
        Self::default()
    }

    /// JSON in pieces, such as the arguments of a tool call: what is written leaves it JSON.
    #[must_use]
    pub fn json() -> Self {
        let mut stream = Self::default();
        stream.walk = Some(Walk::pieces());
        stream
    }

    /// Bytes that are held back.
    #[must_use]
    pub fn held(&self) -> usize {
        self.text.len() - self.gone
    }

    /// The next piece.
    pub fn push(&mut self, redactor: &Redactor, conversation: &mut Conversation, piece: &str) -> Streamed {
        self.text.push_str(piece);
        self.go_on(redactor, conversation, true)
    }

    /// The end: nothing is held back any more.
    pub fn finish(&mut self, redactor: &Redactor, conversation: &mut Conversation) -> Streamed {
        self.go_on(redactor, conversation, false)
    }

    fn go_on(&mut self, redactor: &Redactor, conversation: &mut Conversation, more: bool) -> Streamed {
        self.swallow();
        let mut streamed = Streamed::default();
        if self.held() == 0 {
            return streamed;
        }
        let whole = self.text.len() - if more { unfinished(self.text.as_bytes()) } else { 0 };
        let Some(raw) = self.text.get(..whole).filter(|_| whole > self.gone) else { return streamed };
        let (look, settled) = settle(&redactor.config, raw.as_bytes(), self.gone, more);
        let mut done = self.gone;
        for candidate in &look.found {
            let (start, end) = look.source(candidate.start, candidate.end);
            if start >= settled || end <= done {
                continue;
            }
            let mut edit = Edit { candidate: *candidate, start: start.max(done), end, quotes: None, depth: 0 };
            if let Some(walk) = &mut self.walk {
                let aligned = walk.align(raw.as_bytes(), edit.start, end);
                edit = Edit { quotes: aligned.quotes, depth: aligned.depth, ..edit };
                (edit.start, edit.end) = (aligned.start.max(done), aligned.end);
            }
            streamed.text.push_str(raw.get(done..edit.start).unwrap_or(""));
            done = edit.end.min(whole);
            if self.findings == redactor.config.max_findings {
                self.swallowing = Swallowing::All;
                edit.candidate.kind = Kind::UNSCANNED;
            }
            self.findings += 1;
            redactor.write(&edit, raw, look.seen(raw.as_bytes()), conversation, &mut streamed.text);
            let Finding { kind, start, end } = edit.finding();
            streamed.findings.push(Finding { kind, start: start + self.before, end: end + self.before });
            if self.swallowing != Swallowing::Nothing {
                break;
            }
        }
        if self.swallowing == Swallowing::Nothing && look.is_cut_short(settled, whole) {
            self.swallowing = Swallowing::Value;
        }
        let settled = if self.swallowing == Swallowing::All { whole } else { settled.max(done) };
        done = if self.swallowing == Swallowing::All { whole } else { done };
        streamed.text.push_str(raw.get(done..settled).unwrap_or(""));
        if let Some(walk) = &mut self.walk {
            walk.advance(raw.as_bytes(), settled);
        }
        self.gone = settled;
        self.forget(look.context(CONTEXT, settled));
        streamed
    }

    /// Drops what belongs to something that was replaced already.
    fn swallow(&mut self) {
        let held = self.text.get(self.gone..).unwrap_or("");
        let length = match self.swallowing {
            Swallowing::Nothing => return,
            Swallowing::All => held.len(),
            Swallowing::Value => held.find(ends_value).unwrap_or(held.len()),
        };
        if length < held.len() {
            self.swallowing = Swallowing::Nothing;
        }
        self.gone += length;
        if let Some(walk) = &mut self.walk {
            walk.advance(self.text.as_bytes(), self.gone);
        }
        self.forget(self.gone.saturating_sub(CONTEXT));
    }

    /// Lets go of what went on and is not needed for context.
    fn forget(&mut self, place: usize) {
        let mut place = place.min(self.gone);
        while !self.text.is_char_boundary(place) {
            place -= 1;
        }
        // Moving the rest costs, so it waits until it is worth it.
        if place < 4 * CONTEXT && place * 2 < self.text.len() {
            return;
        }
        let rest = self.text.get(place..).unwrap_or("").to_owned();
        self.text.zeroize();
        self.text = rest;
        self.gone -= place;
        self.before += place;
        if let Some(walk) = &mut self.walk {
            walk.rebase(place);
        }
    }
}

/// Looks at what is there, and tells up to which byte it may go on.
fn settle(config: &Config, raw: &[u8], gone: usize, more: bool) -> (Look, usize) {
    let kinds: &Kinds = &config.kinds;
    let look = Look::from(config, kinds, raw, gone, more);
    let settled = look.settled_source(raw.len()).max(gone);
    let held = look.seen_between(settled, raw.len());
    let most = if look.inside { LONGEST_VALUE } else { HOLD };
    if held <= most {
        return (look, settled);
    }
    // Nothing waits longer: it is decided on what is there, up to what may still be held.
    let look = Look::from(config, kinds, raw, gone, false);
    let mut settled = if held > LONGEST_VALUE { raw.len() } else { look.context(HOLD, raw.len()) };
    while raw.get(settled).is_some_and(|byte| (0x80..0xC0).contains(byte)) {
        settled += 1;
    }
    settled = look.end_of_recognised(before_sign(raw, settled).max(gone));
    for candidate in &look.found {
        let (start, end) = look.source(candidate.start, candidate.end);
        if start < settled && settled < end {
            settled = end;
        }
    }
    (look, settled)
}

/// Whether a character ends a value that was cut short: secrets have no blanks, quotes, brackets or commas.
fn ends_value(character: char) -> bool {
    !character.is_ascii_graphic()
        || matches!(character, '"' | '\'' | '<' | '>' | '(' | ')' | '[' | ']' | '{' | '}' | ',' | ';' | '`')
}
