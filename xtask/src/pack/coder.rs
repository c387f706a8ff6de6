//! The packed form of data: matches and literals, in a binary arithmetic code whose probabilities adapt.
//!
//! What the decoder in [`super::unpacker`] reads, bit for bit. A bit is coded as in LZMA's range coder: in eleven bits
//! of probability, moved by a 32nd after every bit.

use std::collections::HashMap;

/// Probabilities that the decoder holds. Where each kind begins:
pub(super) const PROBABILITIES: u32 = LITERAL + (32 << 8);
/// Match or literal, by what came before.
pub(super) const IS_MATCH: u32 = 0;
/// Whether a match has the distance of the one before.
pub(super) const IS_REPEATED: u32 = 2;
/// Lengths less one, and distances, as [`Coder::number`] codes them.
pub(super) const LENGTH: u32 = 0x100;
pub(super) const DISTANCE: u32 = 0x600;
/// Literals, by the place in a word of four bytes and by the three highest bits of the byte before.
pub(super) const LITERAL: u32 = 0xC00;

/// One in two, in eleven bits.
pub(super) const HALF: u16 = 1 << 10;

/// The context of a literal.
fn literal_context(at: usize, before: u8) -> u32 {
    let place = u32::try_from(at % 4).unwrap_or(0);
    LITERAL + ((place << 3 | u32::from(before >> 5)) << 8)
}

/// The encoder of bits.
struct Coder {
    out: Vec<u8>,
    low: u64,
    range: u32,
    /// Bytes that a carry may still change: the first, and how many of 0xFF follow.
    cache: u8,
    waiting: usize,
    chances: Vec<u16>,
}

impl Coder {
    fn new() -> Self {
        let chances = vec![HALF; PROBABILITIES as usize];
        Self { out: Vec::new(), low: 0, range: u32::MAX, cache: 0, waiting: 0, chances }
    }

    fn bit(&mut self, context: u32, bit: bool) {
        let Some(chance) = self.chances.get_mut(context as usize) else { return };
        let bound = (self.range >> 11) * u32::from(*chance);
        if bit {
            self.low += u64::from(bound);
            self.range -= bound;
            *chance -= *chance >> 5;
        } else {
            self.range = bound;
            *chance += ((1 << 11) - *chance) >> 5;
        }
        while self.range < 1 << 24 {
            self.range <<= 8;
            self.shift();
        }
    }

    fn shift(&mut self) {
        let [top, carry, ..] = [(self.low >> 24) as u8, (self.low >> 32) as u8];
        if top != 0xFF || carry != 0 {
            self.out.push(self.cache.wrapping_add(carry));
            self.out.extend(std::iter::repeat_n(0xFF_u8.wrapping_add(carry), self.waiting));
            (self.cache, self.waiting) = (top, 0);
        } else {
            self.waiting += 1;
        }
        self.low = (self.low & 0x00FF_FFFF) << 8;
    }

    /// A number of 1 or more: how many bits follow its highest one, in unary, and those bits.
    fn number(&mut self, context: u32, number: u32) {
        let bits = number.ilog2();
        (0..bits).for_each(|at| self.bit(context + at, true));
        self.bit(context + bits, false);
        for at in (0..bits).rev() {
            self.bit(context + 32 + (bits << 5) + at, number >> at & 1 == 1);
        }
    }

    fn literal(&mut self, context: u32, byte: u8) {
        let mut node = 1;
        for at in (0..8).rev() {
            let bit = byte >> at & 1;
            self.bit(context + node, bit == 1);
            node = node << 1 | u32::from(bit);
        }
    }

    fn finish(mut self) -> Vec<u8> {
        (0..5).for_each(|_| self.shift());
        // The first byte says nothing: it is what a carry out of the whole would change.
        self.out.remove(0);
        self.out
    }
}

/// Shortest match; one with the distance of the one before may be shorter.
const SHORTEST: usize = 4;
/// How many earlier places are tried for a match.
const TRIES: usize = 512;

/// A run of bytes that came before.
#[derive(Clone, Copy)]
struct Match {
    distance: usize,
    length: usize,
    /// Bits that it saves over literals, more or less.
    gain: usize,
}

/// Earlier places of data, by their first three bytes.
struct Places<'a> {
    data: &'a [u8],
    last: HashMap<[u8; 3], usize>,
    /// For each place, the one before it with the same three bytes.
    before: Vec<Option<usize>>,
}

impl Places<'_> {
    fn add(&mut self, at: usize) {
        let key = self.data.get(at..).and_then(|rest| rest.first_chunk::<3>());
        self.before.push(key.and_then(|key| self.last.insert(*key, at)));
    }

    fn length(&self, at: usize, distance: usize) -> usize {
        let here = self.data.get(at..).unwrap_or_default();
        let there = at.checked_sub(distance).and_then(|from| self.data.get(from..)).unwrap_or_default();
        here.iter().zip(there).take_while(|(a, b)| a == b).count()
    }

    /// The match at a place that saves most.
    fn best(&self, at: usize, repeated: usize) -> Option<Match> {
        let bits = |number: usize| 2 * usize::try_from(number.max(1).ilog2()).unwrap_or(0);
        let mut best: Option<Match> = None;
        let mut offer = |distance: usize, shortest: usize, price: usize| {
            let length = self.length(at, distance);
            let gain = (6 * length).saturating_sub(price + bits(length));
            if length >= shortest && gain > best.map_or(0, |best| best.gain) {
                best = Some(Match { distance, length, gain });
            }
        };
        if repeated > 0 {
            offer(repeated, 2, 2);
        }
        let key = self.data.get(at..).and_then(|rest| rest.first_chunk::<3>());
        let mut place = key.and_then(|key| self.last.get(key)).copied();
        for _ in 0..TRIES {
            let Some(from) = place else { break };
            let distance = at - from;
            offer(distance, SHORTEST - 1, 4 + bits(distance) * 3 / 4);
            place = self.before.get(from).copied().flatten();
        }
        best
    }
}

/// Packs data.
pub(super) fn pack(data: &[u8]) -> Vec<u8> {
    let mut coder = Coder::new();
    let mut places = Places { data, last: HashMap::new(), before: Vec::with_capacity(data.len()) };
    let (mut at, mut repeated, mut after_match) = (0, 0, 0);
    let mut next = None;
    while let Some(&byte) = data.get(at) {
        let found = next.take().unwrap_or_else(|| places.best(at, repeated));
        places.add(at);
        let found = found.filter(|found| {
            // A better match that begins one byte later is worth a literal.
            let later = places.best(at + 1, repeated);
            let wait = later.is_some_and(|later| later.gain > found.gain);
            if wait {
                next = Some(later);
            }
            !wait
        });
        let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        if let Some(Match { distance, length, .. }) = found {
            coder.bit(IS_MATCH + after_match, true);
            coder.bit(IS_REPEATED + after_match, distance == repeated);
            if distance != repeated {
                coder.number(DISTANCE, number(distance));
            }
            coder.number(LENGTH, number(length - 1));
            (at + 1..at + length).for_each(|at| places.add(at));
            (repeated, after_match) = (distance, 1);
            at += length;
        } else {
            coder.bit(IS_MATCH + after_match, false);
            let before = at.checked_sub(1).and_then(|at| data.get(at)).copied().unwrap_or(0);
            coder.literal(literal_context(at, before), byte);
            after_match = 0;
            at += 1;
        }
    }
    coder.finish()
}
