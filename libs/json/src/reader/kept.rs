//! Keys, texts, numbers and literals that are kept because they do not lie whole in one chunk.

use super::{MAX_KEY, MAX_NUMBER, Reader, Rest, State};
use crate::Reason;
use crate::scan::{is_number, text_end, word_length};
use crate::visitor::{Scalar, Text, Visitor, Want};

impl Reader {
    pub(super) fn begin_text(&mut self, is_key: bool) {
        self.buffer.clear();
        self.escape.clear();
        self.whole = true;
        self.is_key = is_key;
        self.state = State::Text;
    }

    /// More of a string that is kept.
    pub(super) fn text<'c, V: Visitor>(&mut self, rest: &'c [u8], visitor: &mut V) -> Rest<'c> {
        let end = text_end(rest).unwrap_or(rest.len());
        let (plain, left) = rest.split_at_checked(end).unwrap_or((rest, &[]));
        if let (Want::Pieces(node) | Want::Stream(node), false) = (self.want, self.is_key) {
            if !plain.is_empty() || left.first() == Some(&b'"') {
                self.settle();
            }
            // What escapes have left is at most a few characters.
            for piece in [&self.buffer, plain] {
                if !piece.is_empty() {
                    visitor.piece(node, piece);
                }
            }
            self.buffer.clear();
        } else if !plain.is_empty() {
            self.settle();
            self.keep(plain);
        }
        match left.split_first() {
            Some((b'"', after)) => {
                self.settle();
                self.kept_text(visitor);
                Ok(after)
            }
            Some((_, after)) => {
                self.state = State::Escape;
                Ok(after)
            }
            None => Ok(left),
        }
    }

    pub(super) fn kept_text<V: Visitor>(&mut self, visitor: &mut V) {
        if self.is_key {
            self.want = if self.whole { visitor.key(self.node(), &self.buffer) } else { Want::Skip };
            self.state = State::Colon;
        } else {
            match self.want {
                Want::Take(node) => {
                    visitor.scalar(node, Scalar::Text(Text { bytes: &self.buffer, whole: self.whole }));
                }
                Want::Pieces(node) | Want::Stream(node) => visitor.end(node),
                Want::Skip => {}
            }
            self.leave_value();
        }
    }

    pub(super) fn settle(&mut self) {
        let decoded = self.escape.settle();
        self.keep(decoded.bytes());
    }

    pub(super) fn keep(&mut self, bytes: &[u8]) {
        let in_pieces = matches!(self.want, Want::Pieces(_) | Want::Stream(_));
        let limit = if self.is_key || in_pieces { MAX_KEY } else { self.limit };
        let room = limit.saturating_sub(self.buffer.len());
        match bytes.get(..room) {
            Some(fits) if fits.len() < bytes.len() => {
                self.whole = false;
                self.buffer.extend_from_slice(fits);
            }
            _ => self.buffer.extend_from_slice(bytes),
        }
    }

    /// More of a number or a literal that is kept.
    pub(super) fn word<'c, V: Visitor>(&mut self, rest: &'c [u8], visitor: &mut V) -> Rest<'c> {
        let end = word_length(rest);
        let (word, left) = rest.split_at_checked(end).unwrap_or((rest, &[]));
        if self.buffer.len() + word.len() > MAX_NUMBER {
            return Err((Reason::NumberTooLong, rest.get(MAX_NUMBER - self.buffer.len()..).unwrap_or_default()));
        }
        self.buffer.extend_from_slice(word);
        if !left.is_empty() {
            let kept = std::mem::take(&mut self.buffer);
            let taken = self.take_word(&kept, visitor);
            self.buffer = kept;
            taken.map_err(|reason| (reason, left))?;
        }
        Ok(left)
    }

    /// A number or a literal, whole.
    pub(super) fn take_word<V: Visitor>(&mut self, word: &[u8], visitor: &mut V) -> Result<(), Reason> {
        let value = match word {
            b"true" => Scalar::Bool(true),
            b"false" => Scalar::Bool(false),
            b"null" => Scalar::Null,
            number if is_number(number) => Scalar::Number(std::str::from_utf8(number).unwrap_or_default()),
            _ => return Err(Reason::BadWord),
        };
        match self.want {
            Want::Take(node) | Want::Stream(node) => visitor.scalar(node, value),
            Want::Pieces(node) => {
                visitor.piece(node, word);
                visitor.end(node);
            }
            Want::Skip => {}
        }
        self.leave_value();
        Ok(())
    }
}

/// As much of a text as is within the limit.
#[inline]
pub(super) fn limited(bytes: &[u8], limit: usize) -> Text<'_> {
    match bytes.get(..limit) {
        Some(fits) if fits.len() < bytes.len() => Text { bytes: fits, whole: false },
        _ => Text { bytes, whole: true },
    }
}
