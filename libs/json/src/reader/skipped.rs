//! Values that nobody wants, passed over in bulk, and containers that somebody wants as the text they are.

use super::{Reader, Rest, State};
use crate::scan::{structure, text_end};
use crate::visitor::{Visitor, Want};

impl Reader {
    /// More of a container that is wanted as its text.
    pub(super) fn raw<'c, V: Visitor>(&mut self, rest: &'c [u8], visitor: &mut V) -> Rest<'c> {
        let left = match (self.state, rest) {
            (State::SkipWithin, _) => match self.skip_within(rest) {
                Ok(left) => left,
                Err((reason, behind)) => {
                    // What stands before the byte that is wrong comes whole, as it would have in smaller chunks.
                    let before = rest.get(..rest.len().saturating_sub(behind.len() + 1)).unwrap_or_default();
                    if let (Want::Pieces(node), false) = (self.want, before.is_empty()) {
                        visitor.piece(node, before);
                    }
                    return Err((reason, behind));
                }
            },
            (State::SkipText, _) => self.skip_text(rest),
            (_, [_, left @ ..]) => {
                self.state = State::SkipText;
                left
            }
            (_, []) => rest,
        };
        if let Want::Pieces(node) = self.want {
            visitor.piece(node, rest.get(..rest.len() - left.len()).unwrap_or_default());
            if matches!(self.state, State::After | State::Done) {
                visitor.end(node);
            }
        }
        Ok(left)
    }

    /// More of a string that is skipped: a value, or somewhere within a container that is skipped.
    #[inline]
    pub(super) fn skip_text<'c>(&mut self, rest: &'c [u8]) -> &'c [u8] {
        let mut rest = rest;
        loop {
            let Some(end) = text_end(rest) else { return &[] };
            match rest.get(end..) {
                Some([b'"', after @ ..]) => {
                    if self.depth == self.floor {
                        self.leave_value();
                    } else {
                        self.state = State::SkipWithin;
                    }
                    return after;
                }
                Some([_, _, after @ ..]) => rest = after,
                _ => {
                    self.state = State::SkipEscape;
                    return &[];
                }
            }
        }
    }

    /// More of a container that is skipped.
    pub(super) fn skip_within<'c>(&mut self, rest: &'c [u8]) -> Rest<'c> {
        let mut rest = rest;
        loop {
            let Some((&byte, left)) = structure(rest).and_then(|at| rest.get(at..)).and_then(<[u8]>::split_first)
            else {
                return Ok(&[]);
            };
            rest = left;
            match byte {
                b'"' => {
                    self.state = State::SkipText;
                    rest = self.skip_text(left);
                    if self.state != State::SkipWithin {
                        return Ok(rest);
                    }
                }
                b'{' | b'[' => self.open(byte).map_err(|reason| (reason, left))?,
                _ => {
                    self.close(byte).map_err(|reason| (reason, left))?;
                    if self.depth == self.floor {
                        self.leave_value();
                        return Ok(rest);
                    }
                }
            }
        }
    }
}
