//! Compression of request bodies and of files.

use crate::config::Compression;
use flate2::write::GzEncoder;
use std::io::{self, Read, Write};

/// The level of zstd; its default.
const ZSTD_LEVEL: i32 = 3;

/// The name of a content coding, where there is one.
pub(super) const fn coding(compression: Compression) -> Option<&'static str> {
    match compression {
        Compression::None => None,
        Compression::Gzip => Some("gzip"),
        Compression::Zstd => Some("zstd"),
    }
}

/// What files get at the end of their name.
pub(super) const fn suffix(compression: Compression) -> &'static str {
    match compression {
        Compression::None => "",
        Compression::Gzip => ".gz",
        Compression::Zstd => ".zst",
    }
}

/// Writes all of `from` to `to`, compressed, and gives `to` back.
pub(super) fn copy<W: Write>(compression: Compression, from: &mut impl Read, mut to: W) -> io::Result<W> {
    match compression {
        Compression::None => {
            io::copy(from, &mut to)?;
            Ok(to)
        }
        Compression::Gzip => {
            let mut encoder = GzEncoder::new(to, flate2::Compression::fast());
            io::copy(from, &mut encoder)?;
            encoder.finish()
        }
        Compression::Zstd => {
            let mut encoder = zstd::Encoder::new(to, ZSTD_LEVEL)?;
            io::copy(from, &mut encoder)?;
            encoder.finish()
        }
    }
}
