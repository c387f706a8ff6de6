//! Finite state entropy: tables of states, and how they are described (RFC 8878, section 4.1).

use super::bits::{Backward, Forward};

/// Most states that a table may have here, as a power of two.
const MAX_LOG: u32 = 9;
/// Symbols that are told apart: the lengths of matches have the most.
const MAX_SYMBOLS: usize = 53;

/// A state: the symbol that it stands for, and where the next state is.
#[derive(Clone, Copy, Debug, Default)]
struct State {
    symbol: u8,
    bits: u8,
    base: u16,
}

/// States that follow each other. Empty where none was described.
#[derive(Debug, Default)]
pub(super) struct Table {
    states: Vec<State>,
    log: u32,
}

impl Table {
    /// Forgets the states; the memory stays.
    pub(super) fn clear(&mut self) {
        self.states.clear();
        self.log = 0;
    }

    pub(super) fn is_set(&self) -> bool {
        !self.states.is_empty()
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.states.capacity() * size_of::<State>()
    }

    /// The table that knows one symbol and needs no bits for it.
    pub(super) fn set_single(&mut self, symbol: u8) {
        self.clear();
        self.states.push(State { symbol, bits: 0, base: 0 });
    }

    /// Reads a description (section 4.1.1) with at most `max_log` and symbols below `symbols`; gives its length.
    pub(super) fn read(&mut self, bytes: &[u8], max_log: u32, symbols: usize) -> Option<usize> {
        let mut bits = Forward::new(bytes);
        let log = bits.peek(4) + 5;
        bits.skip(4);
        if log > max_log.min(MAX_LOG) {
            return None;
        }
        let mut probabilities = [0_i16; MAX_SYMBOLS];
        let mut places = probabilities.iter_mut().take(symbols);
        // One more than what is left to be shared out, as the format counts.
        let mut remaining = (1_u32 << log) + 1;
        let (mut threshold, mut width) = (1_u32 << log, log + 1);
        while remaining > 1 {
            let place = places.next()?;
            // Small values take one bit less, as far as there are values to spare.
            let spare = 2 * threshold - 1 - remaining;
            let (short, long) = (bits.peek(width - 1), bits.peek(width));
            let value = if short < spare {
                bits.skip(width - 1);
                short
            } else {
                bits.skip(width);
                if long >= threshold { long - spare } else { long }
            };
            // 0 stands for "less than one", which takes one state.
            let probability = i16::try_from(value).ok()? - 1;
            *place = probability;
            remaining = remaining.checked_sub(u32::from(probability.unsigned_abs())).filter(|left| *left > 0)?;
            if probability == 0 {
                loop {
                    let skipped = bits.peek(2);
                    bits.skip(2);
                    for _ in 0..skipped {
                        places.next()?;
                    }
                    if skipped < 3 {
                        break;
                    }
                }
            }
            while remaining < threshold {
                width -= 1;
                threshold >>= 1;
            }
        }
        let used = bits.used()?;
        self.build(&probabilities, log)?;
        Some(used)
    }

    /// Lays out the states of a distribution, whose sum is two to the power of `log`. -1 is "less than one".
    pub(super) fn build(&mut self, probabilities: &[i16], log: u32) -> Option<()> {
        let size = 1_usize << log;
        self.log = log;
        self.states.clear();
        self.states.resize(size, State::default());
        // Rare symbols take one state each, from the end on.
        let mut end = size;
        for (symbol, _) in (0_u8..).zip(probabilities).filter(|(_, probability)| **probability == -1) {
            end = end.checked_sub(1)?;
            self.states.get_mut(end)?.symbol = symbol;
        }
        let (step, mask) = ((size >> 1) + (size >> 3) + 3, size - 1);
        let mut at = 0;
        for (symbol, probability) in (0_u8..).zip(probabilities) {
            for _ in 0..*probability {
                self.states.get_mut(at)?.symbol = symbol;
                at = (at + step) & mask;
                while at >= end && end > 0 {
                    at = (at + step) & mask;
                }
            }
        }
        let mut next = [0_u16; MAX_SYMBOLS];
        next.iter_mut().zip(probabilities).for_each(|(next, probability)| *next = probability.unsigned_abs());
        for state in &mut self.states {
            let next = next.get_mut(usize::from(state.symbol))?;
            let bits = log.checked_sub(next.checked_ilog2()?)?;
            state.bits = u8::try_from(bits).ok()?;
            state.base = (*next << bits).checked_sub(u16::try_from(size).ok()?)?;
            *next += 1;
        }
        Some(())
    }

    /// The first state that the bits tell.
    #[inline]
    pub(super) fn start(&self, bits: &mut Backward<'_>) -> usize {
        bits.read(self.log) as usize
    }

    #[inline]
    pub(super) fn symbol(&self, state: usize) -> Option<u8> {
        self.states.get(state).map(|state| state.symbol)
    }

    /// The state that follows.
    #[inline]
    pub(super) fn next(&self, state: usize, bits: &mut Backward<'_>) -> Option<usize> {
        let state = self.states.get(state)?;
        Some(usize::from(state.base) + bits.read(u32::from(state.bits)) as usize)
    }
}
