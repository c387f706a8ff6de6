//! The key that tokens are signed with.

use crate::SIGNATURE;
use base64::Engine;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;

/// Fewest bytes of a secret: the length of the hash, below which RFC 2104, section 3, strongly discourages keys.
pub const LEAST_SECRET: usize = 32;

/// What comes before the signed bytes, so that the same secret in other hands signs nothing that counts here.
const CONTEXT: &[u8] = b"tollgate feedback token\0";

/// A key, ready to sign. It never shows its secret.
#[derive(Clone)]
pub struct Key {
    id: u8,
    mac: Hmac<Sha256>,
}

/// Why a text is no key. Says nothing of the secret but its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// It is neither hexadecimal nor base64.
    Encoding,
    /// It has only so many bytes.
    TooShort(usize),
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Encoding => f.write_str("must be hexadecimal or base64, for example of `openssl rand -hex 32`"),
            Self::TooShort(bytes) => write!(
                f,
                "must have at least {LEAST_SECRET} bytes, and has {bytes}; make one with `openssl rand -hex {LEAST_SECRET}`"
            ),
        }
    }
}

impl std::error::Error for KeyError {}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Key {
    /// A key of a secret, by an id that tokens name it with.
    ///
    /// # Errors
    /// The secret is shorter than [`LEAST_SECRET`].
    pub fn new(id: u8, secret: &[u8]) -> Result<Self, KeyError> {
        if secret.len() < LEAST_SECRET {
            return Err(KeyError::TooShort(secret.len()));
        }
        let mut mac = Hmac::new_from_slice(secret).map_err(|_| KeyError::TooShort(secret.len()))?;
        mac.update(CONTEXT);
        Ok(Self { id, mac })
    }

    /// A key of a secret as people write it: hexadecimal where every character is such a digit, else base64 of either
    /// alphabet (RFC 4648), with or without padding.
    ///
    /// # Errors
    /// It is neither, or too short.
    pub fn read(id: u8, text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        let secret = hexadecimal(text).or_else(|| base64(text)).ok_or(KeyError::Encoding)?;
        Self::new(id, &secret)
    }

    /// The id.
    #[must_use]
    pub const fn id(&self) -> u8 {
        self.id
    }

    pub(crate) fn tag(&self, signed: &[u8]) -> [u8; SIGNATURE] {
        let whole = self.over(signed).finalize().into_bytes();
        let mut tag = [0; SIGNATURE];
        for (place, byte) in tag.iter_mut().zip(whole) {
            *place = byte;
        }
        tag
    }

    /// Whether this is the tag of what was signed, compared in constant time.
    pub(crate) fn is_tag(&self, signed: &[u8], tag: &[u8]) -> bool {
        tag.len() == SIGNATURE && self.over(signed).verify_truncated_left(tag).is_ok()
    }

    fn over(&self, signed: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.mac.clone();
        mac.update(signed);
        mac
    }
}

fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digit = |character: char| character.to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let digits: Vec<u8> = text.chars().map(digit).collect::<Option<_>>()?;
    let (pairs, []) = digits.as_chunks::<2>() else { return None };
    Some(pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

fn base64(text: &str) -> Option<Vec<u8>> {
    let lenient = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let urls = text.bytes().any(|byte| byte == b'-' || byte == b'_');
    let alphabet = if urls { &alphabet::URL_SAFE } else { &alphabet::STANDARD };
    GeneralPurpose::new(alphabet, lenient).decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Token, sign};

    #[test]
    fn secrets_as_people_write_them() {
        let secret: Vec<u8> = (0..32).map(|byte| byte * 8 + 7).collect();
        let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        let token = Token { trace_id: [1; 16], span_id: [2; 8], expires: 3 };
        let expected = sign(&Key::new(0, &secret).unwrap(), &token);
        for text in [
            hex.clone(),
            hex.to_uppercase(),
            format!("  {hex}\n"),
            "Bw8XHycvNz9HT1dfZ293f4ePl5+nr7e/x8/X3+fv9/8=".to_owned(),
            "Bw8XHycvNz9HT1dfZ293f4ePl5+nr7e/x8/X3+fv9/8".to_owned(),
            "Bw8XHycvNz9HT1dfZ293f4ePl5-nr7e_x8_X3-fv9_8".to_owned(),
        ] {
            assert_eq!(sign(&Key::read(0, &text).unwrap(), &token), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for (text, why) in [
            ("", KeyError::TooShort(0)),
            ("0123456789abcdef", KeyError::TooShort(8)),
            ("correct horse battery staple", KeyError::Encoding),
            ("c2VjcmV0LXNlY3JldA==", KeyError::TooShort(13)),
            ("&amp;", KeyError::Encoding),
        ] {
            assert_eq!(Key::read(0, text).unwrap_err(), why, "{text}");
        }
    }

    #[test]
    fn a_key_does_not_show_its_secret() {
        let shown = format!("{:?}", Key::new(5, &[b'x'; 32]).unwrap());
        assert_eq!(shown, "Key { id: 5, .. }");
    }
}
