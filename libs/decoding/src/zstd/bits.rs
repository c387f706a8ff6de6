//! The two ways in which zstd reads bits.

/// Bits from the beginning on, the lowest of a byte first.
#[derive(Debug)]
pub(super) struct Forward<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Forward<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The next bits, at most 32; zeros behind the end.
    pub(super) fn peek(&self, count: u32) -> u32 {
        low(word(self.bytes, self.at), count) as u32
    }

    pub(super) fn skip(&mut self, count: u32) {
        self.at += count as usize;
    }

    /// Bytes that were read, the last one perhaps in part; `None` where that is more than there are.
    pub(super) fn used(&self) -> Option<usize> {
        let used = self.at.div_ceil(8);
        (used <= self.bytes.len()).then_some(used)
    }
}

/// Bits from the end back, as a bitstream was written (RFC 8878, section 4.1): the highest bit of the last byte that is
/// set marks the end.
#[derive(Debug)]
pub(super) struct Backward<'a> {
    bytes: &'a [u8],
    left: isize,
}

impl<'a> Backward<'a> {
    /// `None` where the mark is missing.
    pub(super) fn new(bytes: &'a [u8]) -> Option<Self> {
        let last = bytes.last().filter(|last| **last != 0)?;
        let left = isize::try_from(bytes.len() * 8).ok()? - last.leading_zeros() as isize - 1;
        Some(Self { bytes, left })
    }

    /// The next bits, at most 32; zeros before the beginning.
    #[inline]
    pub(super) fn peek(&self, count: u32) -> u32 {
        let start = self.left - count as isize;
        if start >= 0 {
            return low(word(self.bytes, start as usize), count) as u32;
        }
        if self.left <= 0 {
            return 0;
        }
        (low(word(self.bytes, 0), self.left as u32) << -start) as u32
    }

    #[inline]
    pub(super) fn skip(&mut self, count: u32) {
        self.left -= count as isize;
    }

    #[inline]
    pub(super) fn read(&mut self, count: u32) -> u32 {
        let bits = self.peek(count);
        self.skip(count);
        bits
    }

    /// Bits that are left; below zero where more were read than there are.
    #[inline]
    pub(super) fn left(&self) -> isize {
        self.left
    }
}

/// At least 57 bits from a place on, zeros behind the end.
#[inline]
fn word(bytes: &[u8], at: usize) -> u64 {
    let rest = bytes.get(at / 8..).unwrap_or_default();
    let word = match rest.first_chunk() {
        Some(whole) => u64::from_le_bytes(*whole),
        None => rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    };
    word >> (at % 8)
}

#[inline]
fn low(word: u64, count: u32) -> u64 {
    word & ((1 << count) - 1)
}
