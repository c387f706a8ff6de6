//! `br`: Brotli (RFC 7932), decoded by the `brotli-decompressor` crate, whose memory is counted here.

use crate::notes;
use crate::{BUFFER, Plain};
use brotli_decompressor::{
    Allocator, BrotliDecompressStream, BrotliResult, BrotliState, HuffmanCode, SliceWrapper, SliceWrapperMut,
};
use std::fmt;

type State = BrotliState<Counting, Counting, Counting>;

pub(super) struct Brotli {
    phase: Phase,
    buffer: [u8; BUFFER],
    /// Bytes of the largest window that is decoded.
    window_limit: u64,
    /// Compressed bytes that were read.
    read: u64,
}

enum Phase {
    /// Nothing has come.
    Blank,
    Data(Box<State>),
    /// Whole.
    End,
}

impl Brotli {
    pub(super) fn new(window_limit: u64) -> Self {
        Self { phase: Phase::Blank, buffer: [0; BUFFER], window_limit, read: 0 }
    }

    pub(super) fn push(&mut self, chunk: &[u8], plain: Plain<'_>) -> Result<(), &'static str> {
        let Some(first) = chunk.first() else { return Ok(()) };
        if matches!(self.phase, Phase::Blank) {
            if window(*first).is_none_or(|window| window > self.window_limit) {
                return Err(notes::WINDOW_LIMIT);
            }
            self.phase =
                Phase::Data(Box::new(State::new_strict(Counting::default(), Counting::default(), Counting::default())));
        }
        let Phase::Data(state) = &mut self.phase else { return Ok(()) };
        let (mut available, mut at) = (chunk.len(), 0);
        loop {
            let (before, mut room, mut written) = (at, BUFFER, 0);
            let result = BrotliDecompressStream(
                &mut available,
                &mut at,
                chunk,
                &mut room,
                &mut written,
                &mut self.buffer,
                &mut 0,
                state,
            );
            let read = at.saturating_sub(before);
            self.read = self.read.saturating_add(read as u64);
            // What came before an error is read like the rest.
            plain(self.buffer.get(..written).unwrap_or_default(), self.read)?;
            match result {
                BrotliResult::ResultSuccess => {
                    self.phase = Phase::End;
                    return Ok(());
                }
                // Where the buffer is full, more may wait for room in it.
                BrotliResult::NeedsMoreInput if room == 0 => {}
                BrotliResult::NeedsMoreInput => return Ok(()),
                BrotliResult::NeedsMoreOutput if read > 0 || written > 0 => {}
                BrotliResult::NeedsMoreOutput | BrotliResult::ResultFailure => return Err(notes::UNDECODABLE_BODY),
            }
        }
    }

    /// Whether the body may end here.
    pub(super) fn is_whole(&self) -> bool {
        matches!(self.phase, Phase::Blank | Phase::End)
    }

    pub(super) fn heap_bytes(&self) -> usize {
        match &self.phase {
            Phase::Data(state) => {
                size_of::<State>() + state.alloc_u8.bytes + state.alloc_u32.bytes + state.alloc_hc.bytes
            }
            Phase::Blank | Phase::End => 0,
        }
    }
}

impl fmt::Debug for Brotli {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Brotli").field("read", &self.read).field("is_whole", &self.is_whole()).finish_non_exhaustive()
    }
}

/// Bytes of the window that the first byte of a stream asks for (RFC 7932, section 9.1); `None` where it is one of the
/// large windows that are no part of the format.
fn window(first: u8) -> Option<u64> {
    let bits = match (first & 1, first >> 1 & 7, first >> 4 & 7) {
        (0, _, _) => 16,
        (_, 0, 0) => 17,
        (_, 0, 1) => return None,
        (_, 0, low) => 8 + low,
        (_, high, _) => 17 + high,
    };
    // The format keeps the last 16 bytes of what a power of two would be.
    Some((1 << bits) - 16)
}

/// An allocator that counts what it has given out, in bytes.
#[derive(Debug, Default)]
struct Counting {
    bytes: usize,
}

/// Memory that the allocator has given out.
#[derive(Debug, Default)]
struct Memory<T>(Vec<T>);

impl<T: Clone + Default> Allocator<T> for Counting {
    type AllocatedMemory = Memory<T>;

    fn alloc_cell(&mut self, length: usize) -> Memory<T> {
        let memory = vec![T::default(); length];
        self.bytes = self.bytes.saturating_add(memory.capacity() * size_of::<T>());
        Memory(memory)
    }

    fn free_cell(&mut self, memory: Memory<T>) {
        self.bytes = self.bytes.saturating_sub(memory.0.capacity() * size_of::<T>());
    }
}

impl<T> SliceWrapper<T> for Memory<T> {
    fn slice(&self) -> &[T] {
        &self.0
    }
}

impl<T> SliceWrapperMut<T> for Memory<T> {
    fn slice_mut(&mut self) -> &mut [T] {
        &mut self.0
    }
}

// Named so that a change of the crate's table entry is noticed here, where its size counts.
const _: () = assert!(size_of::<HuffmanCode>() <= 4);
