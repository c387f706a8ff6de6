//! Content encodings, decoded on the side: the observer reads plain bytes while the transferred ones pass untouched.
//!
//! Read are `gzip`, `deflate`, `br` and `zstd`, and lists of them, which are decoded from the last to the first (RFC
//! 9110, section 8.4). What a decoder holds does not grow with the body, but with the window that the encoding asks for;
//! see the table. Larger windows than the limit are not decoded. What a body may grow to is limited as well, so that a
//! few kilobytes cannot keep a worker busy for seconds.
//!
//! | encoding | answer | memory |
//! |---|---|---|
//! | `gzip`, `deflate` | any | 49 KiB |
//! | `br` | a few kilobytes, whatever the window | 21 KiB |
//! | `br` | 10 MiB in a window of 64 KiB | 81 KiB |
//! | `br` | 10 MiB in a window of 4 MiB, what most servers ask for | 4113 KiB |
//! | `zstd` | a few kilobytes, whatever the window | 7 KiB |
//! | `zstd` | 10 MiB in a window of 64 KiB | 84 KiB |
//! | `zstd` | 10 MiB in a window of 2 MiB, what level 3 asks for | 2081 KiB |
//! | `zstd` | 10 MiB in a window of 8 MiB | 8225 KiB |
//!
//! That is what a decoder holds at most (the test `memory_is_what_the_window_in_use_takes` measures it). Windows grow as
//! they are filled, so that a short answer costs little whatever it asks for; while one grows, its old and its new memory
//! are there at once. Several encodings take the sum of each.
//!
//! Checksums are not verified; a body that was damaged on its way is the client's to refuse. How far such a body is
//! still decoded, and where exactly one that grows too much is stopped, may depend on its chunks; nothing else does.

#![forbid(unsafe_code)]

mod brotli;
mod deflate;
mod gzip;
pub mod notes;
mod zstd;

use brotli::Brotli;
use deflate::Deflate;
use zstd::Zstd;

/// Bytes of the output buffer, of the decoders that need one.
const BUFFER: usize = 4096;
/// Decoded bytes that are allowed whatever the body was compressed to.
const FREE: u64 = 1 << 20;
/// Encodings that may be applied one upon another.
const MAX_STAGES: usize = 3;

/// Takes decoded bytes, and how many bytes of the input have been read for all that was decoded up to there. An error
/// is the note for which to stop.
type Plain<'a> = &'a mut (dyn FnMut(&[u8], u64) -> Result<(), &'static str> + 'a);

/// Decodes one body.
#[derive(Debug)]
pub struct Decoder {
    /// In the order of decoding; empty where the bytes are plain.
    stages: Vec<Stage>,
    /// Why nothing more is read.
    stopped: Option<&'static str>,
    expansion: u64,
    window_limit: u64,
}

#[derive(Debug)]
struct Stage {
    codec: Codec,
    /// Bytes that came out.
    written: u64,
}

#[derive(Debug)]
enum Codec {
    Deflate(Box<Deflate>),
    Brotli(Box<Brotli>),
    Zstd(Box<Zstd>),
}

impl Decoder {
    /// A decoder of plain bytes, to which encodings are added. `expansion` is how many times larger than transferred a
    /// body may become, `window_limit` the bytes of the largest window that an encoding may ask for.
    pub fn new(expansion: u32, window_limit: u64) -> Self {
        Self { stages: Vec::new(), stopped: None, expansion: u64::from(expansion), window_limit }
    }

    /// Adds the encodings that a `content-encoding` header lists, in the order in which they were applied. Several
    /// headers are one list.
    pub fn add(&mut self, encodings: &[u8]) {
        for encoding in encodings.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
            let is = |name: &str| encoding.eq_ignore_ascii_case(name.as_bytes());
            let codec = if encoding.is_empty() || is("identity") {
                continue;
            } else if is("gzip") || is("x-gzip") {
                Codec::Deflate(Box::new(Deflate::gzip()))
            } else if is("deflate") {
                Codec::Deflate(Box::new(Deflate::zlib_or_raw()))
            } else if is("br") {
                Codec::Brotli(Box::new(Brotli::new(self.window_limit)))
            } else if is("zstd") {
                Codec::Zstd(Box::new(Zstd::new(self.window_limit)))
            } else {
                return self.stop(notes::UNSUPPORTED_CONTENT_ENCODING);
            };
            if self.stages.len() == MAX_STAGES {
                return self.stop(notes::UNSUPPORTED_CONTENT_ENCODING);
            }
            self.stages.insert(0, Stage { codec, written: 0 });
        }
    }

    /// Decodes the next bytes, handing plain ones on as they come.
    pub fn push(&mut self, chunk: &[u8], mut plain: impl FnMut(&[u8])) {
        if self.stopped.is_some() {
            return;
        }
        if self.stages.is_empty() {
            return plain(chunk);
        }
        let expansion = self.expansion;
        let limit = &move |read: u64| FREE.max(read.saturating_mul(expansion));
        if let Err(note) = push(&mut self.stages, chunk, limit, &mut plain) {
            self.stop(note);
        }
    }

    /// Why the body was not read whole; `None` where it was. To be asked at its end.
    pub fn note(&self) -> Option<&'static str> {
        let truncated = || self.stages.iter().any(|stage| !stage.codec.is_whole()).then_some(notes::TRUNCATED_ENCODING);
        self.stopped.or_else(truncated)
    }

    /// Why nothing more is decoded; `None` while the body can be read.
    #[must_use]
    pub const fn stopped(&self) -> Option<&'static str> {
        self.stopped
    }

    /// Bytes of memory that decoding has allocated.
    pub fn heap_bytes(&self) -> usize {
        self.stages.capacity() * size_of::<Stage>()
            + self.stages.iter().map(|stage| stage.codec.heap_bytes()).sum::<usize>()
    }

    fn stop(&mut self, note: &'static str) {
        self.stages = Vec::new();
        self.stopped = Some(note);
    }
}

/// Decodes in the first stage, and what comes out in those behind it. `limit` tells how many bytes a stage may give
/// when so many of the body have been read; it is the same for all, so that stages do not multiply it.
fn push(
    stages: &mut [Stage],
    chunk: &[u8],
    limit: &dyn Fn(u64) -> u64,
    plain: &mut dyn FnMut(&[u8]),
) -> Result<(), &'static str> {
    let Some((stage, behind)) = stages.split_first_mut() else {
        plain(chunk);
        return Ok(());
    };
    let Stage { codec, written } = stage;
    codec.push(chunk, &mut |piece, read| {
        let limit = limit(read);
        let allowed = usize::try_from(limit.saturating_sub(*written)).unwrap_or(usize::MAX);
        *written = written.saturating_add(piece.len() as u64);
        push(behind, piece.get(..allowed).unwrap_or(piece), &|_| limit, plain)?;
        if piece.len() > allowed { Err(notes::EXPANSION_LIMIT) } else { Ok(()) }
    })
}

impl Codec {
    fn push(&mut self, chunk: &[u8], plain: Plain<'_>) -> Result<(), &'static str> {
        match self {
            Self::Deflate(deflate) => deflate.push(chunk, plain),
            Self::Brotli(brotli) => brotli.push(chunk, plain),
            Self::Zstd(zstd) => zstd.push(chunk, plain),
        }
    }

    fn is_whole(&self) -> bool {
        match self {
            Self::Deflate(deflate) => deflate.is_whole(),
            Self::Brotli(brotli) => brotli.is_whole(),
            Self::Zstd(zstd) => zstd.is_whole(),
        }
    }

    fn heap_bytes(&self) -> usize {
        match self {
            Self::Deflate(deflate) => size_of::<Deflate>() + deflate.heap_bytes(),
            Self::Brotli(brotli) => size_of::<Brotli>() + brotli.heap_bytes(),
            Self::Zstd(zstd) => size_of::<Zstd>() + zstd.heap_bytes(),
        }
    }
}

#[cfg(test)]
mod tests;
