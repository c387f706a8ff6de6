//! Content encodings, decoded on the side: the observer reads plain bytes while the transferred ones pass untouched.
//!
//! One decoder has fixed buffers, whatever the size of the body: the window of the deflate format and one output
//! buffer. What a body may grow to is limited, so that a few kilobytes cannot keep a worker busy for seconds.
//! Checksums are not verified; a body that was damaged on its way is the client's to refuse. How far such a body is
//! still decoded depends on its chunks, the one thing here that does.

mod gzip;

use crate::notes;
use flate2::{Decompress, FlushDecompress, Status};
use gzip::Header;

/// Bytes of the output buffer.
const BUFFER: usize = 4096;
/// Decoded bytes that are allowed whatever the body was compressed to.
const FREE: u64 = 1 << 20;

/// Decodes one body.
#[derive(Debug)]
pub(crate) enum Decoder {
    /// The bytes are plain.
    Identity,
    /// `gzip`, `x-gzip` or `deflate`.
    Deflate(Box<Deflate>),
    /// Nothing more is read, for the reason noted.
    Stopped(&'static str),
}

impl Decoder {
    /// A decoder for the value of a `content-encoding` header. `expansion` is how many times larger than transferred
    /// a body may become.
    pub(crate) fn new(encoding: &[u8], expansion: u32) -> Self {
        let encoding = encoding.trim_ascii();
        let framing = if encoding.is_empty() || encoding.eq_ignore_ascii_case(b"identity") {
            return Self::Identity;
        } else if encoding.eq_ignore_ascii_case(b"gzip") || encoding.eq_ignore_ascii_case(b"x-gzip") {
            Framing::Gzip(Header::default())
        } else if encoding.eq_ignore_ascii_case(b"deflate") {
            Framing::Undecided
        } else {
            return Self::Stopped(notes::UNSUPPORTED_CONTENT_ENCODING);
        };
        Self::Deflate(Box::new(Deflate {
            framing,
            inflate: Decompress::new(false),
            buffer: [0; BUFFER],
            expansion: u64::from(expansion),
            has_begun: false,
            read: 0,
            written: 0,
        }))
    }

    /// Decodes the next bytes, handing plain ones on as they come.
    pub(crate) fn push(&mut self, chunk: &[u8], mut plain: impl FnMut(&[u8])) {
        match self {
            Self::Identity => plain(chunk),
            Self::Deflate(deflate) => {
                if let Err(note) = deflate.push(chunk, &mut plain) {
                    *self = Self::Stopped(note);
                }
            }
            Self::Stopped(_) => {}
        }
    }

    /// Why the body was not read whole; `None` where it was. To be asked at its end.
    pub(crate) fn note(&self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Deflate(deflate) if deflate.is_whole() => None,
            Self::Deflate(_) => Some(notes::TRUNCATED_ENCODING),
            Self::Stopped(note) => Some(note),
        }
    }
}

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
pub(crate) struct Deflate {
    framing: Framing,
    inflate: Decompress,
    buffer: [u8; BUFFER],
    expansion: u64,
    has_begun: bool,
    /// Compressed bytes that were read, and plain ones that they gave.
    read: u64,
    written: u64,
}

impl Deflate {
    fn push(&mut self, chunk: &[u8], plain: &mut impl FnMut(&[u8])) -> Result<(), &'static str> {
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
    fn inflate<'c>(&mut self, rest: &'c [u8], plain: &mut impl FnMut(&[u8])) -> Result<(&'c [u8], bool), &'static str> {
        let mut rest = rest;
        loop {
            let (read, written) = (self.inflate.total_in(), self.inflate.total_out());
            let status = self.inflate.decompress(rest, &mut self.buffer, FlushDecompress::None);
            let read = usize::try_from(self.inflate.total_in() - read).unwrap_or(usize::MAX);
            let written = usize::try_from(self.inflate.total_out() - written).unwrap_or(usize::MAX);
            rest = rest.get(read..).unwrap_or_default();
            self.read = self.read.saturating_add(read as u64);
            let allowed = FREE.max(self.read.saturating_mul(self.expansion)).saturating_sub(self.written);
            let allowed = usize::try_from(allowed).unwrap_or(usize::MAX);
            // What came before an error is read like the rest.
            plain(self.buffer.get(..written.min(allowed)).unwrap_or_default());
            self.written = self.written.saturating_add(written as u64);
            if written > allowed {
                return Err(notes::EXPANSION_LIMIT);
            }
            let status = status.map_err(|_| notes::UNDECODABLE_BODY)?;
            match status {
                Status::StreamEnd => return Ok((rest, true)),
                // The buffer was not filled, so nothing is left inside; or no byte moved either way.
                _ if rest.is_empty() && written < BUFFER => return Ok((rest, false)),
                _ if read == 0 && written == 0 => return Err(notes::UNDECODABLE_BODY),
                _ => {}
            }
        }
    }

    /// Whether the body may end here.
    fn is_whole(&self) -> bool {
        match &self.framing {
            Framing::End | Framing::Trailer(0) => true,
            Framing::Gzip(_) | Framing::Undecided => !self.has_begun,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write};
    use std::io::Write;

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = write::GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    fn decode(encoding: &str, body: &[u8], size: usize) -> (Vec<u8>, Option<&'static str>) {
        let (mut decoder, mut plain) = (Decoder::new(encoding.as_bytes(), 200), Vec::new());
        body.chunks(size).for_each(|chunk| decoder.push(chunk, |bytes| plain.extend_from_slice(bytes)));
        (plain, decoder.note())
    }

    #[test]
    fn every_framing_decodes_at_every_chunk_size() {
        let plain: Vec<u8> = (0..20_000_u32).flat_map(|n| format!("{} ", n % 777).into_bytes()).collect();
        let mut zlib = write::ZlibEncoder::new(Vec::new(), Compression::best());
        zlib.write_all(&plain).unwrap();
        let mut raw = write::DeflateEncoder::new(Vec::new(), Compression::best());
        raw.write_all(&plain).unwrap();
        let mut named = flate2::GzBuilder::new()
            .filename("a name")
            .comment("a comment")
            .extra(vec![1; 300])
            .write(Vec::new(), Compression::fast());
        named.write_all(&plain).unwrap();
        let (head, tail) = plain.split_at(plain.len() / 2);
        let cases = [
            ("identity", plain.clone()),
            ("", plain.clone()),
            ("gzip", gzip(&plain)),
            (" X-GZip ", named.finish().unwrap()),
            ("gzip", [gzip(head), gzip(tail)].concat()),
            ("deflate", zlib.finish().unwrap()),
            ("deflate", raw.finish().unwrap()),
        ];
        for (number, (encoding, body)) in cases.iter().enumerate() {
            for size in [1, 7, 1000, body.len()] {
                let (got, note) = decode(encoding, body, size);
                assert!(got == plain && note.is_none(), "case {number} {encoding} in chunks of {size}: {note:?}");
            }
        }
    }

    #[test]
    fn what_cannot_be_decoded_is_noted() {
        let whole = gzip(b"some text that is compressed");
        let cut = &whole[..whole.len() - 9];
        let cases: &[(&str, &[u8], &str)] = &[
            ("br", b"x", notes::UNSUPPORTED_CONTENT_ENCODING),
            ("zstd", b"x", notes::UNSUPPORTED_CONTENT_ENCODING),
            ("gzip, br", b"x", notes::UNSUPPORTED_CONTENT_ENCODING),
            ("gzip", b"{\"plain\":1}", notes::UNDECODABLE_BODY),
            ("gzip", b"\x1f\x8b\x08\x00\0\0\0\0\0\xff\xff\xff\xff\xff", notes::UNDECODABLE_BODY),
            ("gzip", cut, notes::TRUNCATED_ENCODING),
            ("gzip", &whole[..5], notes::TRUNCATED_ENCODING),
        ];
        for (encoding, body, note) in cases {
            for size in [1, 100] {
                assert_eq!(decode(encoding, body, size).1, Some(*note), "{encoding} {body:?}");
            }
        }
        assert_eq!(decode("gzip", b"", 1).1, None);
    }

    #[test]
    fn a_body_that_grows_too_much_is_stopped() {
        let bomb = gzip(&vec![b' '; 64 << 20]);
        let (plain, note) = decode("gzip", &bomb, 8192);
        assert_eq!(note, Some(notes::EXPANSION_LIMIT));
        assert!(plain.len() <= (1 << 20) + 200 * bomb.len(), "{}", plain.len());
    }
}
