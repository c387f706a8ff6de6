//! `gzip` (RFC 1952) and `deflate` (RFC 1950, and RFC 1951 as some send it).

use crate::gzip::Header;
use crate::notes;
use crate::{BUFFER, Plain};
use flate2::{Decompress, FlushDecompress, Status};

/// Bytes that the state of an inflater has: the window of 32 KiB, and the tables.
const INFLATE: usize = 44 * 1024;

#[derive(Debug)]
enum Framing {
    /// `deflate`: the first byte tells the zlib format, which the standard means, from raw deflate, which some send.
    Undecided,
    /// In the header of a gzip member.
    Gzip(Header),
    /// In compressed data; whether it is in a gzip member.
    Data { gzip: bool },
    /// Behind the data of a gzip member, with this many bytes of its trailer to come.
    Trailer(usize),
    /// Whole.
    End,
}

#[derive(Debug)]
pub(super) struct Deflate {
    framing: Framing,
    inflate: Decompress,
    buffer: [u8; BUFFER],
    has_begun: bool,
    /// Compressed bytes that were read.
    read: u64,
}

impl Deflate {
    pub(super) fn gzip() -> Self {
        Self::new(Framing::Gzip(Header::default()))
    }

    pub(super) fn zlib_or_raw() -> Self {
        Self::new(Framing::Undecided)
    }

    fn new(framing: Framing) -> Self {
        Self { framing, inflate: Decompress::new(false), buffer: [0; BUFFER], has_begun: false, read: 0 }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        INFLATE
    }

    pub(super) fn push(&mut self, chunk: &[u8], plain: Plain<'_>) -> Result<(), &'static str> {
        let mut rest = chunk;
        self.has_begun |= !chunk.is_empty();
        while let Some((&byte, left)) = rest.split_first() {
            match &mut self.framing {
                Framing::Undecided => {
                    self.inflate = Decompress::new(byte & 0x0F == 8 && byte >> 4 <= 7);
                    self.framing = Framing::Data { gzip: false };
                }
                Framing::Gzip(header) => {
                    if header.push(byte).map_err(|()| notes::UNDECODABLE_BODY)? {
                        self.framing = Framing::Data { gzip: true };
                    }
                    rest = left;
                }
                Framing::Data { gzip } => {
                    let gzip = *gzip;
                    let (left, ended) = self.inflate(rest, plain)?;
                    rest = left;
                    if ended {
                        self.framing = if gzip { Framing::Trailer(8) } else { Framing::End };
                    }
                }
                Framing::Trailer(0) => {
                    // The format allows a further member to follow.
                    self.inflate.reset(false);
                    self.framing = Framing::Gzip(Header::default());
                }
                Framing::Trailer(left_over) => {
                    *left_over -= 1;
                    rest = left;
                }
                Framing::End => return Ok(()),
            }
        }
        Ok(())
    }

    /// Inflates as much of `rest` as there is; gives what is behind the end of the data, and whether it was reached.
    fn inflate<'c>(&mut self, rest: &'c [u8], plain: Plain<'_>) -> Result<(&'c [u8], bool), &'static str> {
        let mut rest = rest;
        loop {
            let (read, written) = (self.inflate.total_in(), self.inflate.total_out());
            let status = self.inflate.decompress(rest, &mut self.buffer, FlushDecompress::None);
            let read = usize::try_from(self.inflate.total_in() - read).unwrap_or(usize::MAX);
            let written = usize::try_from(self.inflate.total_out() - written).unwrap_or(usize::MAX);
            rest = rest.get(read..).unwrap_or_default();
            self.read = self.read.saturating_add(read as u64);
            // What came before an error is read like the rest.
            plain(self.buffer.get(..written).unwrap_or_default(), self.read)?;
            let status = status.map_err(|_| notes::UNDECODABLE_BODY)?;
            match status {
                Status::StreamEnd => return Ok((rest, true)),
                // Where a match passes the end of the window, its rest comes without any input.
                _ if rest.is_empty() && written == 0 => return Ok((rest, false)),
                _ if read == 0 && written == 0 => return Err(notes::UNDECODABLE_BODY),
                _ => {}
            }
        }
    }

    /// Whether the body may end here.
    pub(super) fn is_whole(&self) -> bool {
        match &self.framing {
            Framing::End | Framing::Trailer(0) => true,
            Framing::Gzip(_) | Framing::Undecided => !self.has_begun,
            _ => false,
        }
    }
}
