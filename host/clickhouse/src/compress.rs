//! Compression of what is inserted, as a content coding of HTTP.

use flate2::write::GzEncoder;
use std::io::{self, Write};

/// The level of zstd: of the quick ones, because the server compresses once more with its own codecs.
const ZSTD_LEVEL: i32 = 1;

/// A content coding that ClickHouse reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// As it is.
    None,
    /// The frame format of LZ4: the quickest.
    #[default]
    Lz4,
    /// Zstandard.
    Zstd,
    /// gzip.
    Gzip,
}

impl Compression {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::None, Self::Lz4, Self::Zstd, Self::Gzip];

    /// Value of `Content-Encoding`, where there is one.
    #[must_use]
    pub const fn coding(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Lz4 => Some("lz4"),
            Self::Zstd => Some("zstd"),
            Self::Gzip => Some("gzip"),
        }
    }

    /// Compresses.
    ///
    /// # Errors
    /// The compressor failed, for want of memory.
    pub fn pack(self, bytes: Vec<u8>) -> io::Result<Vec<u8>> {
        let out = Vec::with_capacity(bytes.len() / 4);
        match self {
            Self::None => Ok(bytes),
            Self::Lz4 => {
                let mut encoder = lz4_flex::frame::FrameEncoder::new(out);
                encoder.write_all(&bytes)?;
                encoder.finish().map_err(io::Error::other)
            }
            Self::Zstd => {
                let mut encoder = zstd::Encoder::new(out, ZSTD_LEVEL)?;
                encoder.write_all(&bytes)?;
                encoder.finish()
            }
            Self::Gzip => {
                let mut encoder = GzEncoder::new(out, flate2::Compression::fast());
                encoder.write_all(&bytes)?;
                encoder.finish()
            }
        }
    }
}
