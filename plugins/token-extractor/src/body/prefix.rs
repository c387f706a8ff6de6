//! The beginning and the end that the events of a stream share.
//!
//! Most of a delta is what every delta of its stream begins with, id, model, time, the way down to the text, and what it
//! ends with. Both are read once; where another event begins with the same bytes, reading goes on behind them, and where
//! it has the same end behind its value, reading is done. What is skipped in this way has said nothing: a beginning is
//! remembered only up to where the event tells something, an end only if it tells nothing.

use crate::api::{Memory, Reading};
use tollgate_json::{Mark, Reader};

/// Bytes of an event that are compared with the one before.
const MAX_SHARED: usize = 512;
/// Bytes that are worth being skipped.
const MIN_SHARED: usize = 16;
/// Bytes of an end that is remembered.
const MAX_END: usize = 128;
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
    /// What comes behind the value that follows the beginning, and whether there had been output before it: an end may
    /// have output too, which only matters where there was none.
    end: Vec<u8>,
    had_output: bool,
    /// Events whose end was another.
    other_ends: u8,
}

impl Prefix {
    /// Reads the beginning of an event of which nothing has been read, and gives what is left to be read of `piece`.
    #[inline]
    pub(super) fn read<'c, R: Reading>(&mut self, piece: &'c [u8], reader: &mut Reader, answer: &mut R) -> &'c [u8] {
        if let Some(known) = &mut self.known
            && let Some((beginning, rest)) = piece.split_at_checked(known.length)
            && self.text.get(..known.length).is_some_and(|text| same(text, beginning))
        {
            self.misses = 0;
            reader.resume(&known.mark);
            answer.recall(&known.memory);
            return known.read(rest, reader, answer);
        }
        // A piece that ends within the beginning says nothing about the rest of the event.
        let cut = self.known.is_some() && self.text.starts_with(piece);
        if self.misses < MAX_MISSES && !cut { self.learn(piece, reader, answer) } else { piece }
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
                    end: Vec::new(),
                    had_output: false,
                    other_ends: 0,
                });
                rest
            }
            // The error stays in the reader.
            Err(_) => &[],
        }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.text.capacity() + self.known.as_ref().map_or(0, |known| known.end.capacity())
    }
}

impl Known {
    /// Reads what is behind the beginning, and gives what is left.
    #[inline]
    fn read<'c, R: Reading>(&mut self, rest: &'c [u8], reader: &mut Reader, answer: &mut R) -> &'c [u8] {
        // Errors stay in the reader.
        let Ok(end) = reader.push_value(rest, answer) else { return &[] };
        let alike = same(end, &self.end) && !end.is_empty();
        if alike && answer.memory().is_some_and(|memory| memory.output == self.had_output) {
            reader.complete(end.len());
            return &[];
        }
        if self.other_ends < MAX_MISSES && (1..=MAX_END).contains(&end.len()) {
            return self.learn_end(end, reader, answer);
        }
        end
    }

    /// Reads the end of an event, and remembers it if it is all there and says nothing.
    #[cold]
    fn learn_end<'c, R: Reading>(&mut self, end: &'c [u8], reader: &mut Reader, answer: &mut R) -> &'c [u8] {
        self.other_ends += 1;
        let before = answer.memory();
        let Ok(left) = reader.push_one(end, answer) else { return &[] };
        let after = answer.memory();
        if let (Some(before), Some(after)) = (before, after)
            && before.output == after.output
            && left.is_empty()
            && reader.is_complete()
        {
            self.end.clear();
            self.end.extend_from_slice(end);
            self.had_output = before.output;
        }
        left
    }
}

/// Whether two texts are the same. In wasm, comparing slices is a loop over bytes; this one is over vectors.
#[inline]
fn same(one: &[u8], other: &[u8]) -> bool {
    const WIDTH: usize = 16;
    if one.len() != other.len() {
        return false;
    }
    let (ones, others) = (one.chunks_exact(WIDTH), other.chunks_exact(WIDTH));
    let rest = ones.remainder().iter().zip(others.remainder()).fold(0, |differ, (one, other)| differ | (one ^ other));
    let mut differ = 0;
    for (one, other) in ones.zip(others) {
        let [one, other] = [one, other].map(|chunk| <[u8; WIDTH]>::try_from(chunk).map_or(0, u128::from_ne_bytes));
        differ |= one ^ other;
    }
    differ == 0 && rest == 0
}

#[cfg(test)]
mod tests {
    use super::same;

    #[test]
    fn texts_are_compared_to_the_last_byte() {
        for length in 0..70 {
            let text: Vec<u8> = (0..length).collect();
            assert!(same(&text, &text.clone()));
            assert!(!same(&text, &[text.as_slice(), b"x"].concat()));
            for at in 0..text.len() {
                let mut other = text.clone();
                other[at] ^= 1;
                assert!(!same(&text, &other), "{length} {at}");
            }
        }
    }
}
