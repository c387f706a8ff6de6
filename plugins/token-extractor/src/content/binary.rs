//! Binary data in JSON texts: never held, but measured and hashed as it passes.

use crate::base64::Base64;
use sha2::{Digest, Sha256};

/// Data that is being read: base64 text goes in.
#[derive(Debug)]
pub(crate) struct Binary {
    base64: Base64,
    hash: Sha256,
    size: u64,
}

/// What is known of data that has passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Blob {
    /// Bytes of the data, decoded.
    pub(crate) size: u64,
    /// Its SHA-256 digest.
    pub(crate) sha256: [u8; 32],
}

impl Binary {
    pub(crate) fn new() -> Self {
        Self { base64: Base64::default(), hash: Sha256::new(), size: 0 }
    }

    /// The next characters.
    pub(crate) fn push(&mut self, text: &[u8]) {
        let Self { base64, hash, size } = self;
        base64.push(text, |bytes| {
            *size = size.saturating_add(bytes.len() as u64);
            hash.update(bytes);
        });
    }

    pub(crate) fn finish(self) -> Blob {
        Blob { size: self.size, sha256: self.hash.finalize().into() }
    }
}

impl Blob {
    /// The digest in hexadecimal digits.
    pub(crate) fn hex(&self) -> String {
        let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or_default();
        self.sha256.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
    }
}

/// Bytes of a data URL in which its media type and the comma behind it must be, to be taken for one.
pub(crate) const MAX_HEAD: usize = 256;
/// Characters that must all be of the base64 alphabet for a text to be taken for base64.
const SNIFFED: usize = 64;

/// How a string that may be binary begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sniff {
    /// A URL, which holds the data where its scheme is `data` (RFC 2397).
    Url,
    /// Base64, or a data URL, or a plain text.
    Base64,
}

/// What a string has turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sniffed {
    Text,
    /// Base64 behind so many bytes, of this media type.
    Binary {
        skip: usize,
        mime: Option<Box<str>>,
    },
}

impl Sniff {
    /// What a string is that begins with `head`, the first [`MAX_HEAD`] bytes or what has come of them; `None` where
    /// more has to come. The answer depends on the string alone, not on how it is cut.
    pub(crate) fn decide(self, head: &[u8], ended: bool) -> Option<Sniffed> {
        const SCHEME: &[u8] = b"data:";
        let ended = ended || head.len() >= MAX_HEAD;
        if let Some(rest) = head.strip_prefix(SCHEME) {
            return match rest.iter().position(|byte| *byte == b',') {
                Some(comma) => Some(data_url(rest.get(..comma).unwrap_or_default(), SCHEME.len() + comma + 1)),
                None => ended.then_some(Sniffed::Text),
            };
        }
        if SCHEME.starts_with(head) && !ended {
            return None;
        }
        match (self, head.get(..SNIFFED)) {
            (Self::Url, _) => Some(Sniffed::Text),
            (Self::Base64, Some(sniffed)) => Some(base64(sniffed)),
            (Self::Base64, None) => ended.then(|| base64(head)),
        }
    }
}

fn data_url(header: &[u8], skip: usize) -> Sniffed {
    let header = String::from_utf8_lossy(header);
    let Some(media) = header.strip_suffix(";base64") else { return Sniffed::Text };
    let mime = media.split(';').next().filter(|mime| !mime.is_empty());
    Sniffed::Binary { skip, mime: mime.map(Into::into) }
}

fn base64(text: &[u8]) -> Sniffed {
    let alphabet = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/-_=\r\n".contains(byte);
    if !text.is_empty() && text.iter().all(alphabet) { Sniffed::Binary { skip: 0, mime: None } } else { Sniffed::Text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_told_by_how_they_begin() {
        let binary = |skip, mime: &str| Some(Sniffed::Binary { skip, mime: (!mime.is_empty()).then(|| mime.into()) });
        let long = "A".repeat(64);
        let endless = format!("data:{}", "x".repeat(MAX_HEAD));
        let cases: &[(Sniff, &str, bool, Option<Sniffed>)] = &[
            (Sniff::Url, "", false, None),
            (Sniff::Url, "dat", false, None),
            (Sniff::Url, "dat", true, Some(Sniffed::Text)),
            (Sniff::Url, "https://a", false, Some(Sniffed::Text)),
            (Sniff::Url, "data:image/png;base64", false, None),
            (Sniff::Url, "data:image/png;base64,iVBO", false, binary(22, "image/png")),
            (Sniff::Url, "data:text/plain;charset=utf-8;base64,", false, binary(37, "text/plain")),
            (Sniff::Url, "data:;base64,", false, binary(13, "")),
            (Sniff::Url, "data:text/plain,hello", false, Some(Sniffed::Text)),
            (Sniff::Url, &endless[..MAX_HEAD], false, Some(Sniffed::Text)),
            (Sniff::Base64, "AAAA", false, None),
            (Sniff::Base64, "AAAA", true, binary(0, "")),
            (Sniff::Base64, "", true, Some(Sniffed::Text)),
            (Sniff::Base64, &long, false, binary(0, "")),
            (Sniff::Base64, "not base64", true, Some(Sniffed::Text)),
            (Sniff::Base64, "data:application/pdf;base64,AA", false, binary(28, "application/pdf")),
        ];
        for (sniff, head, ended, expected) in cases {
            assert_eq!(sniff.decide(head.as_bytes(), *ended), *expected, "{sniff:?} {head:?} {ended}");
        }
    }

    #[test]
    fn the_digest_is_that_of_the_decoded_bytes() {
        let mut binary = Binary::new();
        ["YW", "J", "j"].iter().for_each(|text| binary.push(text.as_bytes()));
        let blob = binary.finish();
        // FIPS 180-4, the example of "abc".
        assert_eq!(blob.hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(blob.size, 3);
    }
}
