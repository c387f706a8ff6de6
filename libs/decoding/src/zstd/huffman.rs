//! Huffman coding of literals (RFC 8878, section 4.2).

use super::bits::Backward;
use super::fse;

/// Bits of the longest code.
const MAX_BITS: u32 = 11;
/// Weights that are described: all but that of the last symbol.
const MAX_WEIGHTS: usize = 255;

/// What a code stands for, and its length in bits.
#[derive(Clone, Copy, Debug, Default)]
struct Code {
    symbol: u8,
    bits: u8,
}

/// Codes by their first bits. Empty where none were described.
#[derive(Debug, Default)]
pub(super) struct Table {
    codes: Vec<Code>,
    bits: u32,
    /// How the weights of a description are coded.
    weights: fse::Table,
}

impl Table {
    /// Forgets the codes; the memory stays.
    pub(super) fn clear(&mut self) {
        self.codes.clear();
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.codes.capacity() * size_of::<Code>() + self.weights.heap_bytes()
    }

    /// Reads a description (section 4.2.1); gives its length.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Option<usize> {
        let (header, rest) = bytes.split_first()?;
        let mut weights = Vec::with_capacity(MAX_WEIGHTS + 1);
        let used = if *header < 128 {
            let used = usize::from(*header);
            self.read_weights(rest.get(..used)?, &mut weights)?;
            used
        } else {
            let count = usize::from(*header) - 127;
            let packed = rest.get(..count.div_ceil(2))?;
            weights.extend(packed.iter().flat_map(|byte| [byte >> 4, byte & 15]).take(count));
            packed.len()
        };
        self.build(weights)?;
        Some(1 + used)
    }

    /// Weights coded by two states in turns (section 4.2.1.2).
    fn read_weights(&mut self, bytes: &[u8], weights: &mut Vec<u8>) -> Option<()> {
        let table = &mut self.weights;
        let used = table.read(bytes, 6, MAX_BITS as usize + 1)?;
        let mut bits = Backward::new(bytes.get(used..)?)?;
        let (mut state, mut other) = (table.start(&mut bits), table.start(&mut bits));
        if bits.left() < 0 {
            return None;
        }
        loop {
            weights.push(table.symbol(state)?);
            state = table.next(state, &mut bits)?;
            if weights.len() >= MAX_WEIGHTS {
                return None;
            }
            if bits.left() < 0 {
                // The end: what the other state stands for is the last.
                weights.push(table.symbol(other)?);
                return Some(());
            }
            std::mem::swap(&mut state, &mut other);
        }
    }

    /// Gives each symbol as many places as its weight says (section 4.2.1.3).
    fn build(&mut self, mut weights: Vec<u8>) -> Option<()> {
        self.codes.clear();
        let mut sum = 0_u32;
        for weight in weights.iter().filter(|weight| **weight > 0) {
            if u32::from(*weight) > MAX_BITS {
                return None;
            }
            sum += 1 << (weight - 1);
        }
        let bits = sum.checked_ilog2()? + 1;
        if bits > MAX_BITS {
            return None;
        }
        // The weight of the last symbol is what is left of the whole.
        let left = (1_u32 << bits) - sum;
        if !left.is_power_of_two() {
            return None;
        }
        weights.push(u8::try_from(left.ilog2() + 1).ok()?);
        self.bits = bits;
        for wanted in 1..=u8::try_from(bits).ok()? {
            let length = u8::try_from(bits).ok()? + 1 - wanted;
            for (symbol, _) in (0..=u8::MAX).zip(&weights).filter(|(_, weight)| **weight == wanted) {
                let end = self.codes.len() + (1 << (wanted - 1));
                self.codes.resize(end, Code { symbol, bits: length });
            }
        }
        (self.codes.len() == 1 << bits).then_some(())
    }

    /// Appends as many literals as a stream is said to hold, which must be all that it holds.
    pub(super) fn decode(&self, bytes: &[u8], count: usize, literals: &mut Vec<u8>) -> Option<()> {
        let mut bits = Backward::new(bytes)?;
        for _ in 0..count {
            let code = self.codes.get(bits.peek(self.bits) as usize)?;
            literals.push(code.symbol);
            bits.skip(u32::from(code.bits));
        }
        (bits.left() == 0).then_some(())
    }
}
