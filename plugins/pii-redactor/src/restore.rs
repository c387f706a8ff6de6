//! The way back: stand-ins in an answer are given the values that they stand for.
//!
//! Only whole stand-ins that the conversation gave out are replaced; anything else, and anything that a text said by
//! itself, stays. In JSON a value is written with the escapes that its place needs, and one that was a number is a
//! number again.

use crate::conversation::{Conversation, Kept};
use crate::fold::{fold, unfinished};
use crate::json_text::{self, Walk, quotation_mark};
use crate::text::cut;
use zeroize::Zeroize as _;

/// Longest stand-in: a name of 64 characters, a number, brackets.
const LONGEST: usize = 80;

/// A stand-in in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StandIn<'a> {
    pub(crate) name: &'a str,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// The next stand-in from `from` on: `<TYPE_n>`.
pub(crate) fn stand_in(text: &[u8], from: usize) -> Option<StandIn<'_>> {
    let mut place = from;
    loop {
        let start = place + memchr::memchr(b'<', cut(text, place, text.len()))?;
        let length = cut(text, start + 1, start + LONGEST).iter().take_while(|byte| is_name(**byte)).count();
        let end = start + length + 2;
        let numbered = cut(text, start, end - 1).last().is_some_and(u8::is_ascii_digit);
        if text.get(end - 1) == Some(&b'>') && numbered {
            let name = text.get(start..end).and_then(|name| std::str::from_utf8(name).ok())?;
            return Some(StandIn { name, start, end });
        }
        place = start + 1;
    }
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_'
}

impl Conversation {
    /// The text with values in place of their stand-ins; `None` where it has none.
    #[must_use]
    pub fn restore(&self, text: &str) -> Option<String> {
        let walk = json_text::is_likely(text.as_bytes()).then(Walk::whole);
        let restored = Restoring { held: text.to_owned(), walk }.finish(self);
        (restored != text).then_some(restored)
    }
}

/// The way back for a text that comes in pieces. What may still become a stand-in is held back, nothing else.
#[derive(Debug, Default)]
pub struct Restoring {
    /// What is held back, behind at most one byte that went on.
    held: String,
    walk: Option<Walk>,
}

impl Drop for Restoring {
    fn drop(&mut self) {
        self.held.zeroize();
    }
}

impl Restoring {
    /// A plain text in pieces.
    #[must_use]
    pub fn text() -> Self {
        Self::default()
    }

    /// JSON in pieces, such as the arguments of a tool call.
    #[must_use]
    pub fn json() -> Self {
        Self { held: String::new(), walk: Some(Walk::pieces()) }
    }

    /// The next piece; gives what may go on.
    pub fn push(&mut self, conversation: &Conversation, piece: &str) -> String {
        self.held.push_str(piece);
        self.go_on(conversation, true)
    }

    /// The end: nothing is held back any more.
    pub fn finish(&mut self, conversation: &Conversation) -> String {
        self.go_on(conversation, false)
    }

    fn go_on(&mut self, conversation: &Conversation, more: bool) -> String {
        if !conversation.can_restore() {
            return std::mem::take(&mut self.held);
        }
        let text = std::mem::take(&mut self.held);
        let raw = text.as_bytes();
        let whole = raw.len() - if more { unfinished(raw) } else { 0 };
        let view = fold(cut(raw, 0, whole));
        let seen = view.as_ref().map_or(cut(raw, 0, whole), |view| view.bytes.as_slice());
        let source = |start, end| view.as_ref().map_or((start, end), |view| view.source(start, end));
        let settled = if more { undecided(conversation, seen, self.walk.is_some()) } else { seen.len() };
        let mut out = String::with_capacity(text.len());
        let (mut done, mut place) = (0, 0);
        while let Some(found) = stand_in(seen, place).filter(|found| found.end <= settled) {
            place = found.end;
            let Some(kept) = conversation.kept(found.name) else { continue };
            let (mut start, mut end) = source(found.start, found.end);
            let mut depth = 0;
            if let Some(walk) = &mut self.walk {
                depth = walk.align(raw, start, end).depth;
                if let Some((from, to)) = literal(kept, raw, start, end, depth) {
                    (start, end, depth) = (from, to, depth - 1);
                }
            }
            out.push_str(text.get(done..start).unwrap_or(""));
            out.push_str(&written(kept, depth));
            done = end;
        }
        let limit = if settled >= seen.len() { whole } else { source(settled, settled + 1).0 }.max(done);
        out.push_str(text.get(done..limit).unwrap_or(""));
        if let Some(walk) = &mut self.walk {
            walk.advance(raw, limit);
            walk.rebase(limit);
        }
        self.held.push_str(text.get(limit..).unwrap_or(""));
        out
    }
}

/// The stretch with the quotation marks around a stand-in, where it stands for a number and is a string by itself.
fn literal(kept: &Kept, raw: &[u8], start: usize, end: usize, depth: usize) -> Option<(usize, usize)> {
    let mark = quotation_mark(depth.checked_sub(1)?).as_bytes();
    let from = start.checked_sub(mark.len())?;
    let around = cut(raw, from, start) == mark && cut(raw, end, end + mark.len()) == mark;
    (kept.literal && around).then_some((from, end + mark.len()))
}

/// A value as it is written in so many strings of JSON.
fn written(kept: &Kept, depth: usize) -> String {
    if kept.depth == depth || kept.literal {
        return kept.raw.clone();
    }
    let mut value = kept.plain.clone();
    for _ in 0..depth {
        let quoted = serde_json::Value::String(value).to_string();
        value = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or("").to_owned();
    }
    value
}

/// Where the last part begins that may become a stand-in with what follows.
fn undecided(conversation: &Conversation, seen: &[u8], json: bool) -> usize {
    let from = seen.len().saturating_sub(LONGEST + 1);
    let tail = cut(seen, from, seen.len());
    let opens = tail.iter().rposition(|byte| *byte == b'<').filter(|place| {
        let head = cut(tail, *place, tail.len());
        std::str::from_utf8(head).is_ok_and(|head| conversation.may_become(head, json))
    });
    let mut place = match opens {
        Some(place) => place,
        None if json && tail.last() == Some(&b'"') => tail.len() - 1,
        None => return seen.len(),
    };
    // The quotation mark before it goes with a number.
    if json && place > 0 && tail.get(place - 1) == Some(&b'"') {
        place -= 1;
    }
    from + place
}
