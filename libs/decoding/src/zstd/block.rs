//! Compressed blocks (RFC 8878, section 3.1.1.3): literals, and sequences that say what to copy where.

use super::bits::Backward;
use super::window::Window;
use super::{fse, huffman};

/// Bytes that a block may decode to, unless the window is smaller.
pub(super) const MAX_BLOCK: usize = 128 * 1024;

/// What lasts from block to block of a frame, except for the window.
#[derive(Debug)]
pub(super) struct Blocks {
    huffman: huffman::Table,
    literals: Vec<u8>,
    literal_lengths: fse::Table,
    offsets: fse::Table,
    match_lengths: fse::Table,
    /// The offsets that were used last.
    recent: [usize; 3],
}

/// Numbers that are coded as a symbol and further bits: how the symbols are coded where nothing else is said, and the
/// limits of other codings.
struct Numbers {
    default: &'static [i16],
    default_log: u32,
    max_log: u32,
    symbols: usize,
}

const LITERAL_LENGTHS: Numbers = Numbers {
    default: &[
        4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1,
    ],
    default_log: 6,
    max_log: 9,
    symbols: 36,
};

const OFFSETS: Numbers = Numbers {
    default: &[1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1],
    default_log: 5,
    max_log: 8,
    symbols: 32,
};

const MATCH_LENGTHS: Numbers = Numbers {
    default: &[
        1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
        1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1,
    ],
    default_log: 6,
    max_log: 9,
    symbols: 53,
};

/// Lengths of literals by symbol, from 16 on, where each needs further bits: the least value, and how many bits.
const LONG_LITERALS: [(u32, u32); 20] = [
    (16, 1),
    (18, 1),
    (20, 1),
    (22, 1),
    (24, 2),
    (28, 2),
    (32, 3),
    (40, 3),
    (48, 4),
    (64, 6),
    (128, 7),
    (256, 8),
    (512, 9),
    (1024, 10),
    (2048, 11),
    (4096, 12),
    (8192, 13),
    (16_384, 14),
    (32_768, 15),
    (65_536, 16),
];

/// The same of the lengths of matches, from 32 on.
const LONG_MATCHES: [(u32, u32); 21] = [
    (35, 1),
    (37, 1),
    (39, 1),
    (41, 1),
    (43, 2),
    (47, 2),
    (51, 3),
    (59, 3),
    (67, 4),
    (83, 4),
    (99, 5),
    (131, 7),
    (259, 8),
    (515, 9),
    (1027, 10),
    (2051, 11),
    (4099, 12),
    (8195, 13),
    (16_387, 14),
    (32_771, 15),
    (65_539, 16),
];

impl Default for Blocks {
    fn default() -> Self {
        Self {
            huffman: huffman::Table::default(),
            literals: Vec::new(),
            literal_lengths: fse::Table::default(),
            offsets: fse::Table::default(),
            match_lengths: fse::Table::default(),
            recent: [1, 4, 8],
        }
    }
}

impl Blocks {
    /// Begins a frame. The memory stays.
    pub(super) fn reset(&mut self) {
        self.huffman.clear();
        self.recent = [1, 4, 8];
        for table in [&mut self.literal_lengths, &mut self.offsets, &mut self.match_lengths] {
            table.clear();
        }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        let tables = [&self.literal_lengths, &self.offsets, &self.match_lengths];
        self.huffman.heap_bytes()
            + self.literals.capacity()
            + tables.into_iter().map(fse::Table::heap_bytes).sum::<usize>()
    }

    /// Decodes a block into the window; gives how many bytes it has, at most `limit`. `None` where it is damaged.
    pub(super) fn decode(&mut self, block: &[u8], limit: usize, window: &mut Window) -> Option<usize> {
        let used = self.read_literals(block, limit)?;
        let sequences = block.get(used..)?;
        let (count, header) = sequence_count(sequences)?;
        let rest = sequences.get(header..)?;
        if count == 0 {
            window.push(&self.literals);
            return rest.is_empty().then_some(self.literals.len());
        }
        let (modes, mut rest) = rest.split_first()?;
        if modes & 3 != 0 {
            return None;
        }
        for (mode, table, numbers) in [
            (modes >> 6, &mut self.literal_lengths, LITERAL_LENGTHS),
            (modes >> 4 & 3, &mut self.offsets, OFFSETS),
            (modes >> 2 & 3, &mut self.match_lengths, MATCH_LENGTHS),
        ] {
            rest = numbers.read_table(mode, rest, table)?;
        }
        self.run(count, rest, limit, window)
    }

    /// Reads the literals section (section 3.1.1.3.1); gives its length.
    fn read_literals(&mut self, block: &[u8], limit: usize) -> Option<usize> {
        self.literals.clear();
        let first = *block.first()?;
        let (kind, format) = (first & 3, first >> 2 & 3);
        let header = match (kind, format) {
            (0 | 1, 0 | 2) => 1,
            (0 | 1, 1) => 2,
            (0 | 1, _) | (_, 0 | 1) => 3,
            (_, 2) => 4,
            _ => 5,
        };
        let bytes = block.get(..header)?;
        let bits = bytes.iter().rev().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
        if kind < 2 {
            let size = usize::try_from(if header == 1 { bits >> 3 } else { bits >> 4 }).ok()?;
            if size > limit {
                return None;
            }
            let stored = if kind == 0 { size } else { 1 };
            let stored = block.get(header..header + stored)?;
            if kind == 0 {
                self.literals.extend_from_slice(stored);
            } else {
                self.literals.resize(size, *stored.first()?);
            }
            return Some(header + stored.len());
        }
        let width = match header {
            3 => 10,
            4 => 14,
            _ => 18,
        };
        let part = |shift: u32| usize::try_from(bits >> shift & ((1 << width) - 1)).ok();
        let (size, compressed) = (part(4)?, part(4 + width)?);
        if size > limit {
            return None;
        }
        let mut streams = block.get(header..header + compressed)?;
        if kind == 2 {
            streams = streams.get(self.huffman.read(streams)?..)?;
        }
        self.literals.reserve_exact(size);
        if format == 0 {
            self.huffman.decode(streams, size, &mut self.literals)?;
        } else {
            self.read_four_streams(streams, size)?;
        }
        Some(header + compressed)
    }

    /// Literals in four streams, the lengths of the first three before them (section 3.1.1.3.1.6).
    fn read_four_streams(&mut self, streams: &[u8], size: usize) -> Option<()> {
        let (lengths, mut rest) = streams.split_first_chunk::<6>()?;
        let [a0, a1, b0, b1, c0, c1] = *lengths;
        let quarter = size.div_ceil(4);
        for length in [[a0, a1], [b0, b1], [c0, c1]] {
            let (stream, behind) = rest.split_at_checked(usize::from(u16::from_le_bytes(length)))?;
            self.huffman.decode(stream, quarter, &mut self.literals)?;
            rest = behind;
        }
        self.huffman.decode(rest, size.checked_sub(3 * quarter)?, &mut self.literals)
    }

    /// Does what the sequences say (section 3.1.1.4).
    fn run(&mut self, count: usize, bytes: &[u8], limit: usize, window: &mut Window) -> Option<usize> {
        let Self { literals, literal_lengths, offsets, match_lengths, recent, .. } = self;
        let mut literals = literals.as_slice();
        let mut bits = Backward::new(bytes)?;
        let mut literal_state = literal_lengths.start(&mut bits);
        let mut offset_state = offsets.start(&mut bits);
        let mut match_state = match_lengths.start(&mut bits);
        let mut written = 0;
        for index in 1..=count {
            let power = u32::from(offsets.symbol(offset_state)?);
            let offset = (1_usize << power) + bits.read(power) as usize;
            let length = match match_lengths.symbol(match_state)? {
                short @ 0..32 => u32::from(short) + 3,
                long => long_number(&LONG_MATCHES, usize::from(long - 32), &mut bits)?,
            };
            let plain = match literal_lengths.symbol(literal_state)? {
                short @ 0..16 => u32::from(short),
                long => long_number(&LONG_LITERALS, usize::from(long - 16), &mut bits)?,
            };
            let (length, plain) = (length as usize, plain as usize);
            written += plain + length;
            if bits.left() < 0 || written > limit {
                return None;
            }
            let (piece, rest) = literals.split_at_checked(plain)?;
            window.push(piece);
            literals = rest;
            window.repeat(take_offset(recent, offset, plain == 0)?, length)?;
            if index < count {
                literal_state = literal_lengths.next(literal_state, &mut bits)?;
                match_state = match_lengths.next(match_state, &mut bits)?;
                offset_state = offsets.next(offset_state, &mut bits)?;
            }
        }
        window.push(literals);
        written += literals.len();
        (bits.left() == 0 && written <= limit).then_some(written)
    }
}

impl Numbers {
    /// Sets the table that a mode asks for (section 3.1.1.3.2.1); gives what is behind its description.
    fn read_table<'b>(&self, mode: u8, bytes: &'b [u8], table: &mut fse::Table) -> Option<&'b [u8]> {
        match mode {
            0 => table.build(self.default, self.default_log).map(|()| bytes),
            1 => {
                let (symbol, rest) = bytes.split_first()?;
                table.set_single(Some(*symbol).filter(|symbol| usize::from(*symbol) < self.symbols)?);
                Some(rest)
            }
            2 => bytes.get(table.read(bytes, self.max_log, self.symbols)?..),
            _ => table.is_set().then_some(bytes),
        }
    }
}

/// The number of sequences, and how many bytes say it.
fn sequence_count(bytes: &[u8]) -> Option<(usize, usize)> {
    let at = |index: usize| bytes.get(index).map(|byte| usize::from(*byte));
    match at(0)? {
        few @ 0..128 => Some((few, 1)),
        255 => Some((at(1)? + (at(2)? << 8) + 0x7F00, 3)),
        more => Some((((more - 128) << 8) + at(1)?, 2)),
    }
}

fn long_number(numbers: &[(u32, u32)], index: usize, bits: &mut Backward<'_>) -> Option<u32> {
    let (least, width) = numbers.get(index)?;
    Some(least + bits.read(*width))
}

/// The offset that a value stands for: one that was used lately, or a new one (section 3.1.1.5).
fn take_offset(recent: &mut [usize; 3], value: usize, no_literals: bool) -> Option<usize> {
    let [first, second, third] = *recent;
    let (offset, older) = if value > 3 {
        (value - 3, [first, second])
    } else {
        match value + usize::from(no_literals) {
            1 => return Some(first),
            2 => (second, [first, third]),
            3 => (third, [first, second]),
            // One less than the first, which is damaged where that is zero.
            _ => (first.checked_sub(1)?, [first, second]),
        }
    };
    *recent = [offset, older[0], older[1]];
    Some(offset)
}
