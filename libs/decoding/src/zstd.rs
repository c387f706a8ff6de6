//! `zstd`: Zstandard (RFC 8878; RFC 9659 for its window in HTTP), block by block.
//!
//! A decoder of our own, since an observer needs what others do not give: every block is handed on as soon as it is
//! there, so that the clock readings of a stream are right. Decoders made for files keep a window's worth of what
//! they have decoded until the frame ends. What was written since the last flush is a block, so nothing waits longer than
//! the sender made it wait.
//!
//! Memory is what is used: a ring that grows up to the window, one compressed block (at most 128 KiB) where chunks cut
//! it, its literals, and 6 KiB of tables. Dictionaries are not known here; the content checksum is not verified.

mod bits;
mod block;
mod fse;
mod huffman;
mod window;

use crate::Plain;
use crate::notes;
use block::{Blocks, MAX_BLOCK};
use window::Window;

const MAGIC: u32 = 0xFD2F_B528;
/// Frames that a decoder skips begin with this, the last four bits being free.
const SKIPPABLE: u32 = 0x184D_2A50;
/// Bytes of the longest frame header, magic number included.
const MAX_HEADER: usize = 18;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The header of a frame, of this many bytes as far as is known.
    Header(usize),
    /// A frame that is skipped, with this many bytes to come.
    Skip(u32),
    /// The header of a block.
    Block,
    /// A block of bytes as they are, with this many to come.
    Raw(usize),
    /// A block of one byte that stands for this many.
    Run(usize),
    /// A compressed block of this many bytes.
    Compressed(usize),
    /// The checksum of the content, with this many bytes to come.
    Checksum(u8),
}

#[derive(Debug)]
pub(super) struct Zstd {
    state: State,
    /// Bytes of a header until it is whole.
    held: [u8; MAX_HEADER],
    held_bytes: usize,
    /// A compressed block until it is whole.
    block: Vec<u8>,
    is_last: bool,
    has_checksum: bool,
    /// Bytes that a block of this frame may decode to.
    block_limit: usize,
    window: Window,
    blocks: Blocks,
    /// Bytes of the largest window that is decoded.
    window_limit: u64,
    /// Compressed bytes that were read.
    read: u64,
}

impl Zstd {
    pub(super) fn new(window_limit: u64) -> Self {
        Self {
            state: State::Header(4),
            held: [0; MAX_HEADER],
            held_bytes: 0,
            block: Vec::new(),
            is_last: false,
            has_checksum: false,
            block_limit: 0,
            window: Window::default(),
            blocks: Blocks::default(),
            window_limit,
            read: 0,
        }
    }

    pub(super) fn push(&mut self, chunk: &[u8], plain: Plain<'_>) -> Result<(), &'static str> {
        let mut rest = chunk;
        while !rest.is_empty() {
            let before = rest.len();
            rest = match self.state {
                State::Header(wanted) => self.header(wanted, rest)?,
                State::Skip(left) => {
                    let (skipped, behind) = rest.split_at_checked(left as usize).unwrap_or((rest, &[]));
                    let left = left.saturating_sub(u32::try_from(skipped.len()).unwrap_or(left));
                    self.state = if left == 0 { State::Header(4) } else { State::Skip(left) };
                    behind
                }
                State::Block => self.block_header(rest)?,
                State::Raw(left) => {
                    let (piece, behind) = rest.split_at_checked(left).unwrap_or((rest, &[]));
                    self.window.push(piece);
                    self.state = State::Raw(left - piece.len());
                    self.end_block_at(left - piece.len());
                    plain(piece, self.read + (before - behind.len()) as u64)?;
                    behind
                }
                State::Run(count) => {
                    let (byte, behind) = rest.split_first().unwrap_or((&0, &[]));
                    self.window.fill(*byte, count);
                    self.end_block_at(0);
                    self.hand_on(count, self.read + 1, plain)?;
                    behind
                }
                State::Compressed(length) => self.compressed(length, rest, plain)?,
                State::Checksum(left) => {
                    let left = left - 1;
                    self.state = if left == 0 { State::Header(4) } else { State::Checksum(left) };
                    rest.get(1..).unwrap_or_default()
                }
            };
            self.read += (before - rest.len()) as u64;
        }
        Ok(())
    }

    /// Whether the body may end here.
    pub(super) fn is_whole(&self) -> bool {
        matches!(self.state, State::Header(_)) && self.held_bytes == 0
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.block.capacity() + self.window.heap_bytes() + self.blocks.heap_bytes()
    }

    /// Reads the header of a frame (section 3.1.1.1), or of one that is skipped (section 3.1.2).
    fn header<'c>(&mut self, wanted: usize, rest: &'c [u8]) -> Result<&'c [u8], &'static str> {
        let rest = self.hold(rest, wanted);
        if self.held_bytes < wanted {
            return Ok(rest);
        }
        let [m0, m1, m2, m3, descriptor, fields @ ..] = self.held;
        let magic = u32::from_le_bytes([m0, m1, m2, m3]);
        if magic & !0xF == SKIPPABLE {
            let [l1, l2, l3, ..] = fields;
            let length = u32::from_le_bytes([descriptor, l1, l2, l3]);
            self.state = match (wanted, length) {
                (..8, _) => State::Header(8),
                (_, 0) => State::Header(4),
                _ => State::Skip(length),
            };
        } else if magic != MAGIC {
            return Err(notes::UNDECODABLE_BODY);
        } else if wanted == 4 {
            self.state = State::Header(5);
        } else {
            let is_single = descriptor & 0x20 != 0;
            let window_bytes = usize::from(!is_single);
            let dictionary_bytes = [0, 1, 2, 4].get(usize::from(descriptor & 3)).copied().unwrap_or_default();
            let size_bytes = match descriptor >> 6 {
                0 => usize::from(is_single),
                power => 1 << power,
            };
            let whole = 5 + window_bytes + dictionary_bytes + size_bytes;
            if wanted < whole {
                self.state = State::Header(whole);
                return Ok(rest);
            }
            let number = |from: usize, count: usize| {
                fields.iter().skip(from).take(count).rev().fold(0_u64, |number, byte| number << 8 | u64::from(*byte))
            };
            let size = number(window_bytes + dictionary_bytes, size_bytes) + if size_bytes == 2 { 256 } else { 0 };
            let window = if is_single { size } else { window_size(number(0, 1)) };
            if descriptor & 8 != 0 || number(window_bytes, dictionary_bytes) != 0 {
                return Err(notes::UNDECODABLE_BODY);
            }
            self.begin_frame(window, descriptor & 4 != 0)?;
        }
        if !matches!(self.state, State::Header(5 | 8)) {
            self.held_bytes = 0;
        }
        Ok(rest)
    }

    fn begin_frame(&mut self, window: u64, has_checksum: bool) -> Result<(), &'static str> {
        let size = usize::try_from(window).ok().filter(|_| window <= self.window_limit).ok_or(notes::WINDOW_LIMIT)?;
        self.window.reset(size);
        self.blocks.reset();
        self.block_limit = size.min(MAX_BLOCK);
        self.has_checksum = has_checksum;
        self.state = State::Block;
        Ok(())
    }

    /// Reads the header of a block (section 3.1.1.2).
    fn block_header<'c>(&mut self, rest: &'c [u8]) -> Result<&'c [u8], &'static str> {
        let rest = self.hold(rest, 3);
        if self.held_bytes < 3 {
            return Ok(rest);
        }
        self.held_bytes = 0;
        let [b0, b1, b2, ..] = self.held;
        let size = usize::from(b0 >> 3) | usize::from(b1) << 5 | usize::from(b2) << 13;
        self.is_last = b0 & 1 == 1;
        if size > self.block_limit {
            return Err(notes::UNDECODABLE_BODY);
        }
        match b0 >> 1 & 3 {
            0 if size == 0 => self.end_block_at(0),
            0 => self.state = State::Raw(size),
            1 => self.state = State::Run(size),
            2 if size > 0 => self.state = State::Compressed(size),
            _ => return Err(notes::UNDECODABLE_BODY),
        }
        Ok(rest)
    }

    fn compressed<'c>(&mut self, length: usize, rest: &'c [u8], plain: Plain<'_>) -> Result<&'c [u8], &'static str> {
        let missing = length.saturating_sub(self.block.len());
        let Some((piece, behind)) = rest.split_at_checked(missing) else {
            if self.block.is_empty() {
                self.block.reserve_exact(length);
            }
            self.block.extend_from_slice(rest);
            return Ok(&[]);
        };
        let Self { block, window, blocks, block_limit, .. } = self;
        let decoded = if block.is_empty() {
            blocks.decode(piece, *block_limit, window)
        } else {
            block.extend_from_slice(piece);
            blocks.decode(block, *block_limit, window)
        };
        self.block.clear();
        self.end_block_at(0);
        self.hand_on(decoded.ok_or(notes::UNDECODABLE_BODY)?, self.read + piece.len() as u64, plain)?;
        Ok(behind)
    }

    /// Hands on the last bytes of the window.
    fn hand_on(&self, count: usize, read: u64, plain: Plain<'_>) -> Result<(), &'static str> {
        for piece in self.window.last(count).into_iter().filter(|piece| !piece.is_empty()) {
            plain(piece, read)?;
        }
        Ok(())
    }

    /// Goes on behind a block, if none of it is left.
    fn end_block_at(&mut self, left: usize) {
        if left == 0 {
            self.state = match (self.is_last, self.has_checksum) {
                (false, _) => State::Block,
                (true, true) => State::Checksum(4),
                (true, false) => State::Header(4),
            };
        }
    }

    /// Holds bytes until there are as many as wanted; gives those that are left.
    fn hold<'c>(&mut self, rest: &'c [u8], wanted: usize) -> &'c [u8] {
        let missing = wanted.saturating_sub(self.held_bytes);
        let (piece, behind) = rest.split_at_checked(missing).unwrap_or((rest, &[]));
        let places = self.held.iter_mut().skip(self.held_bytes);
        places.zip(piece).for_each(|(place, byte)| *place = *byte);
        self.held_bytes += piece.len();
        behind
    }
}

/// Bytes of the window that a frame's window descriptor asks for (section 3.1.1.1.2).
fn window_size(descriptor: u64) -> u64 {
    let base = 1_u64 << (10 + (descriptor >> 3));
    base + base / 8 * (descriptor & 7)
}
