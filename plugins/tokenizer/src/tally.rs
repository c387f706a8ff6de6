//! A count as it is made, within its limit.

use crate::unestimated::Unestimated;
use crate::vocabulary::Encoding;
use crate::work;

/// How far a count has come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tally {
    encoding: Encoding,
    /// Tokens so far. The documented overheads have a negative one among them.
    tokens: i64,
    /// Bytes of text that may still be counted, slow ones counted more than once: see [`work`].
    room: usize,
    /// Whether there was more text than that.
    overrun: bool,
    /// Whether something was left out that is billed and is not text.
    pub(crate) lower_bound: bool,
}

impl Tally {
    /// A count of up to `room` bytes of text.
    pub(crate) fn new(encoding: Encoding, room: usize) -> Self {
        Self { encoding, tokens: 0, room, overrun: false, lower_bound: false }
    }

    /// Counts a text. Images and the like that are written as text, in a `data:` URL, are not text.
    pub(crate) fn text(&mut self, text: &str) {
        if is_data_url(text) {
            self.lower_bound = true;
        } else if text.len() > self.room {
            self.overrun = true;
        } else if self.take(work::of(text)) {
            self.add(i64::try_from(self.encoding.count(text)).unwrap_or(i64::MAX));
        }
    }

    /// Takes `bytes` of the room. `false` where there is not that much; nothing is counted from then on.
    pub(crate) fn take(&mut self, bytes: usize) -> bool {
        match self.room.checked_sub(bytes) {
            Some(room) if !self.overrun => {
                self.room = room;
                true
            }
            _ => {
                self.overrun = true;
                false
            }
        }
    }

    /// Takes back what was counted since `before`, but for the room: that bounds the work, which has been done.
    pub(crate) fn take_back(&mut self, before: &Self) {
        *self = Self { room: self.room, ..*before };
    }

    /// Says that a text was longer than could be read.
    pub(crate) fn overrun(&mut self) {
        self.overrun = true;
    }

    /// Counts tokens that belong to no text.
    pub(crate) fn add(&mut self, tokens: i64) {
        self.tokens = self.tokens.saturating_add(tokens);
    }

    /// Bytes of text that may still be counted.
    pub(crate) fn room(&self) -> usize {
        self.room
    }

    /// The count.
    pub(crate) fn tokens(&self) -> Result<i64, Unestimated> {
        if self.overrun { Err(Unestimated::TooLarge) } else { Ok(self.tokens.max(0)) }
    }
}

/// Whether the text is a `data:` URL (RFC 2397) of something in base64.
pub(crate) fn is_data_url(text: &str) -> bool {
    let begin = text.get(..text.floor_char_boundary(256)).unwrap_or_default();
    begin.starts_with("data:") && begin.contains(";base64,")
}
