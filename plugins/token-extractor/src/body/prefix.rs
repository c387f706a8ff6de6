//! The beginning that the events of a stream share.
//!
//! Most of a delta is what every delta of its stream begins with: id, model, time, the way down to the text. It is read
//! once; where another event begins with the same bytes, reading goes on behind them. What is skipped in this way has
//! said nothing: a beginning is remembered only up to where the event tells something.

use crate::api::{Memory, Reading};
use tollgate_json::{Mark, Reader};

/// Bytes of an event that are compared with the one before.
const MAX_SHARED: usize = 512;
/// Bytes that are worth being skipped.
const MIN_SHARED: usize = 16;
/// Events in a row that begin otherwise, after which no more is tried.
const MAX_MISSES: u8 = 16;

#[derive(Debug, Default)]
pub(super) struct Prefix {
    /// What the event before began with, or the one that the mark was made in.
    text: Vec<u8>,
    known: Option<Known>,
    misses: u8,
}

#[derive(Debug)]
struct Known {
    length: usize,
    mark: Mark,
    memory: Memory,
}

impl Prefix {
    /// Reads the beginning of an event of which nothing has been read, and gives what is left to be read of `piece`.
    #[inline]
    pub(super) fn read<'c, R: Reading>(&mut self, piece: &'c [u8], reader: &mut Reader, answer: &mut R) -> &'c [u8] {
        if let Some(Known { length, mark, memory }) = &self.known
            && let Some((beginning, rest)) = piece.split_at_checked(*length)
            && self.text.get(..*length) == Some(beginning)
        {
            self.misses = 0;
            reader.resume(mark);
            answer.recall(memory);
            return rest;
        }
        if self.misses < MAX_MISSES { self.learn(piece, reader, answer) } else { piece }
    }

    /// Reads an event, and remembers how far it begins like the one before.
    #[cold]
    fn learn<'c, R: Reading>(&mut self, piece: &'c [u8], reader: &mut Reader, answer: &mut R) -> &'c [u8] {
        self.misses += 1;
        let shared = self.text.iter().zip(piece).take_while(|(one, other)| one == other).count();
        self.text.clear();
        self.text.extend_from_slice(piece.get(..MAX_SHARED).unwrap_or(piece));
        self.known = None;
        if shared < MIN_SHARED {
            return piece;
        }
        match reader.push_marking(piece, answer, shared, R::memory) {
            Ok((rest, found)) => {
                self.known = found.filter(|(_, length, _)| *length >= MIN_SHARED).map(|(mark, length, memory)| Known {
                    length,
                    mark,
                    memory,
                });
                rest
            }
            // The error stays in the reader.
            Err(_) => &[],
        }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.text.capacity()
    }
}
