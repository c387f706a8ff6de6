//! Content encodings, as servers of streams apply them: flushed behind every event.

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use serde::Deserialize;
use std::io::{self, Write};

/// A content encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// RFC 1952.
    Gzip,
    /// RFC 1952, with a member of its own for every event.
    GzipMembers,
    /// RFC 1950, which is what `deflate` means (RFC 9110, section 8.4.1.2).
    Deflate,
    /// RFC 1951 under the name `deflate`, as some servers send it.
    DeflateRaw,
    /// RFC 7932.
    Br,
    /// RFC 8878.
    Zstd,
}

impl Encoding {
    /// The value of the `content-encoding` header.
    #[must_use]
    pub fn token(self) -> &'static str {
        match self {
            Self::Gzip | Self::GzipMembers => "gzip",
            Self::Deflate | Self::DeflateRaw => "deflate",
            Self::Br => "br",
            Self::Zstd => "zstd",
        }
    }
}

/// Encodes a body that has frames ending at `boundaries`; gives it with the places where they end now.
///
/// # Errors
/// Those of the encoder, which has none for what is in memory.
pub(crate) fn encode(encoding: Encoding, plain: &[u8], boundaries: &[usize]) -> io::Result<(Vec<u8>, Vec<usize>)> {
    let mut frames = Vec::new();
    let mut begin = 0;
    for end in boundaries.iter().copied().chain([plain.len()]) {
        frames.push(plain.get(begin..end).unwrap_or_default());
        begin = end;
    }
    let level = Compression::default();
    match encoding {
        Encoding::Gzip => flushed(GzEncoder::new(Vec::new(), level), &frames, |encoder| encoder.get_ref().len())
            .and_then(|(encoder, ends)| Ok((encoder.finish()?, ends))),
        Encoding::Deflate => flushed(ZlibEncoder::new(Vec::new(), level), &frames, |encoder| encoder.get_ref().len())
            .and_then(|(encoder, ends)| Ok((encoder.finish()?, ends))),
        Encoding::DeflateRaw => {
            flushed(DeflateEncoder::new(Vec::new(), level), &frames, |encoder| encoder.get_ref().len())
                .and_then(|(encoder, ends)| Ok((encoder.finish()?, ends)))
        }
        Encoding::Br => {
            flushed(brotli::CompressorWriter::new(Vec::new(), 4096, 5, 20), &frames, |encoder| encoder.get_ref().len())
                .map(|(encoder, ends)| (encoder.into_inner(), ends))
        }
        Encoding::Zstd => flushed(zstd::Encoder::new(Vec::new(), 3)?, &frames, |encoder| encoder.get_ref().len())
            .and_then(|(encoder, ends)| Ok((encoder.finish()?, ends))),
        Encoding::GzipMembers => {
            let (mut encoded, mut ends) = (Vec::new(), Vec::new());
            for frame in frames.iter().filter(|frame| !frame.is_empty()) {
                let mut encoder = GzEncoder::new(encoded, level);
                encoder.write_all(frame)?;
                encoded = encoder.finish()?;
                ends.push(encoded.len());
            }
            Ok((encoded, ends))
        }
    }
}

/// Writes frames, each flushed but the last, which is what stands behind the last boundary.
fn flushed<W: Write>(mut encoder: W, frames: &[&[u8]], length: impl Fn(&W) -> usize) -> io::Result<(W, Vec<usize>)> {
    let mut ends = Vec::new();
    if let Some((last, frames)) = frames.split_last() {
        for frame in frames {
            encoder.write_all(frame)?;
            encoder.flush()?;
            ends.push(length(&encoder));
        }
        encoder.write_all(last)?;
    }
    Ok((encoder, ends))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn every_encoding_decodes_to_what_was_encoded_up_to_each_boundary() {
        let plain = b"data: first\n\ndata: second\n\nrest";
        for encoding in [
            Encoding::Gzip,
            Encoding::GzipMembers,
            Encoding::Deflate,
            Encoding::DeflateRaw,
            Encoding::Br,
            Encoding::Zstd,
        ] {
            let (encoded, ends) = encode(encoding, plain, &[13, 27]).unwrap();
            assert!(ends.len() >= 2 && ends.is_sorted(), "{encoding:?}: {ends:?}");
            for (length, expected) in [(ends[0], 13), (ends[1], 27), (encoded.len(), plain.len())] {
                let bytes = &encoded[..length];
                let mut decoder: Box<dyn Read> = match encoding {
                    Encoding::Gzip | Encoding::GzipMembers => Box::new(flate2::read::MultiGzDecoder::new(bytes)),
                    Encoding::Deflate => Box::new(flate2::read::ZlibDecoder::new(bytes)),
                    Encoding::DeflateRaw => Box::new(flate2::read::DeflateDecoder::new(bytes)),
                    Encoding::Br => Box::new(brotli::Decompressor::new(bytes, 4096)),
                    Encoding::Zstd => Box::new(zstd::Decoder::new(bytes).unwrap()),
                };
                // What is cut ends in an error, behind all that came before.
                let (mut decoded, mut byte) = (Vec::new(), [0]);
                while decoder.read(&mut byte).is_ok_and(|read| read == 1) {
                    decoded.extend(byte);
                }
                assert_eq!(decoded, plain[..expected], "{encoding:?} at {length}");
            }
        }
    }
}
