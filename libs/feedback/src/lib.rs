//! Tokens by which a later thumbs up or down says which call it is about, and which nobody else can make.
//!
//! A seat that sees a call signs its trace id, its span id and a time; the application keeps the text beside the answer,
//! and whoever takes the feedback checks it. So no list of calls has to be kept, feedback cannot be given for calls that
//! were not made, and the ids of traces are no guess that counts.
//!
//! # Form
//! 62 characters of base64url without padding (RFC 4648, section 5), of 46 bytes:
//!
//! | bytes | meaning |
//! |---|---|
//! | 0 | version, 1 |
//! | 1 | id of the key, so that keys can be changed |
//! | 2..18 | trace id |
//! | 18..26 | span id |
//! | 26..30 | time at which the token ends, in seconds since 1970, big-endian |
//! | 30..46 | HMAC-SHA256 (RFC 2104, FIPS 180-4) of a fixed text and bytes 0..30, cut to 128 bits, which is the least that RFC 2104, section 5, allows |
//!
//! A token is no secret: it says nothing but ids that are in headers and telemetry anyway. Whoever has it can give
//! feedback on that call until it ends, more than once; that the last one counts is up to who takes it.
//!
//! ```
//! use tollgate_feedback::{Key, Token, sign, verify};
//! let key = Key::read(1, "6b6579206f662061206d616368696e6520696e206120646f63756d656e742e2e").unwrap();
//! let token = Token { trace_id: [7; 16], span_id: [8; 8], expires: 1_800_000_000 };
//! let text = sign(&key, &token);
//! assert_eq!(verify(&[key], &text, 1_799_999_999), Ok(token));
//! ```
#![forbid(unsafe_code)]

mod key;

pub use key::{Key, KeyError, LEAST_SECRET};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::fmt;

/// Characters of a token.
pub const LENGTH: usize = 62;

const VERSION: u8 = 1;
const TRACE: usize = 16;
const SPAN: usize = 8;
/// Bytes that are signed: version, key, ids, time.
const SIGNED: usize = 2 + TRACE + SPAN + 4;
const SIGNATURE: usize = 16;
const BYTES: usize = SIGNED + SIGNATURE;

/// What a token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// Trace that the call is in.
    pub trace_id: [u8; TRACE],
    /// Span of the call.
    pub span_id: [u8; SPAN],
    /// Seconds since 1970 from which on the token is refused.
    pub expires: u32,
}

/// Why a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It is not 62 characters of base64url.
    Malformed,
    /// It is of a version that is not known here.
    Version(u8),
    /// It names a key that is not among those given.
    UnknownKey(u8),
    /// Its signature is not right: it was made with another key, or changed.
    Signature,
    /// It was right, and has ended at this time, in seconds since 1970.
    Expired(u32),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => write!(f, "the token is not {LENGTH} characters of base64url: it was cut or changed"),
            Self::Version(version) => {
                write!(
                    f,
                    "the token is of version {version}, and only version {VERSION} is known here: update this side"
                )
            }
            Self::UnknownKey(id) => {
                write!(f, "the token was signed with the key of id {id}, which is not given: add it, or its id")
            }
            Self::Signature => {
                f.write_str("the signature of the token is not right: it was made with another key, or changed")
            }
            Self::Expired(at) => write!(f, "the token ended at {at} seconds since 1970: it is too late for feedback"),
        }
    }
}

impl std::error::Error for Refused {}

/// Signs what a token says.
#[must_use]
pub fn sign(key: &Key, token: &Token) -> String {
    let signed = bytes(key.id(), token);
    let mut all = signed.to_vec();
    all.extend_from_slice(&key.tag(&signed));
    URL_SAFE_NO_PAD.encode(all)
}

/// Reads a token at a time, `now`, in seconds since 1970. Several keys are given where they are changed: the one that
/// signs now, and the one before it, until its last token has ended. Two keys may have the same id.
///
/// Signatures are compared in constant time.
///
/// # Errors
/// Why the token does not count.
pub fn verify(keys: &[Key], text: &str, now: u64) -> Result<Token, Refused> {
    let mut all = [0; BYTES];
    let read = URL_SAFE_NO_PAD.decode_slice(text, &mut all);
    if text.len() != LENGTH || read != Ok(BYTES) {
        return Err(Refused::Malformed);
    }
    let (signed, tag) = all.split_first_chunk::<SIGNED>().ok_or(Refused::Malformed)?;
    let [version, id, ids @ ..] = signed;
    if *version != VERSION {
        return Err(Refused::Version(*version));
    }
    let mut known = keys.iter().filter(|key| key.id() == *id).peekable();
    if known.peek().is_none() {
        return Err(Refused::UnknownKey(*id));
    }
    // No way out at the first that fits: how long it takes does not tell which.
    if !known.fold(false, |right, key| key.is_tag(signed, tag) | right) {
        return Err(Refused::Signature);
    }
    let (trace_id, rest) = ids.split_first_chunk::<TRACE>().ok_or(Refused::Malformed)?;
    let (span_id, expires) = rest.split_first_chunk::<SPAN>().ok_or(Refused::Malformed)?;
    let expires = u32::from_be_bytes(expires.try_into().map_err(|_| Refused::Malformed)?);
    if now >= u64::from(expires) {
        return Err(Refused::Expired(expires));
    }
    Ok(Token { trace_id: *trace_id, span_id: *span_id, expires })
}

fn bytes(id: u8, token: &Token) -> [u8; SIGNED] {
    let mut bytes = [0; SIGNED];
    let parts = [VERSION, id].into_iter().chain(token.trace_id).chain(token.span_id).chain(token.expires.to_be_bytes());
    for (place, byte) in bytes.iter_mut().zip(parts) {
        *place = byte;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: u64 = 1_700_000_000;

    fn key(id: u8, byte: u8) -> Key {
        Key::new(id, &[byte; 32]).unwrap()
    }

    fn token() -> Token {
        Token { trace_id: *b"0123456789abcdef", span_id: *b"spanspan", expires: 1_700_000_060 }
    }

    #[test]
    fn the_form_is_as_documented() {
        let text = sign(&key(9, 1), &token());
        assert_eq!(text.len(), LENGTH);
        let bytes = URL_SAFE_NO_PAD.decode(&text).unwrap();
        assert_eq!(bytes[..2], [1, 9]);
        assert_eq!(&bytes[2..26], b"0123456789abcdefspanspan");
        assert_eq!(bytes[26..30], 1_700_000_060_u32.to_be_bytes());
        assert_eq!(bytes[30..], BY_PYTHON);
    }

    /// By Python's `hmac`, which is none of this code.
    const BY_PYTHON: [u8; 16] =
        [0x5c, 0x83, 0x5d, 0x5b, 0x6d, 0x8c, 0x0c, 0x39, 0xc4, 0x8d, 0x52, 0xdb, 0x8c, 0x68, 0x7d, 0xfa];

    #[test]
    fn a_token_counts_until_it_ends() {
        let text = sign(&key(0, 1), &token());
        for (now, result) in [
            (0, Ok(token())),
            (NOW + 59, Ok(token())),
            (NOW + 60, Err(Refused::Expired(1_700_000_060))),
            (u64::MAX, Err(Refused::Expired(1_700_000_060))),
        ] {
            assert_eq!(verify(&[key(0, 1)], &text, now), result, "{now}");
        }
    }

    #[test]
    fn keys_change_without_a_gap() {
        let (old, new) = (key(0, 1), key(0, 2));
        let other = key(7, 3);
        let by_old = sign(&old, &token());
        assert_eq!(verify(&[new.clone(), old.clone()], &by_old, NOW), Ok(token()), "the same id");
        assert_eq!(verify(&[other.clone(), old], &by_old, NOW), Ok(token()), "another id");
        assert_eq!(verify(&[new], &by_old, NOW), Err(Refused::Signature));
        assert_eq!(verify(&[other], &by_old, NOW), Err(Refused::UnknownKey(0)));
        assert_eq!(verify(&[], &by_old, NOW), Err(Refused::UnknownKey(0)));
    }

    #[test]
    fn what_is_no_token_is_told_apart() {
        let right = sign(&key(0, 1), &token());
        let mut newer = URL_SAFE_NO_PAD.decode(&right).unwrap();
        newer[0] = 2;
        let newer = URL_SAFE_NO_PAD.encode(newer);
        for (text, why) in [
            ("", Refused::Malformed),
            (&right[..61], Refused::Malformed),
            (&format!("{right}A"), Refused::Malformed),
            (&format!("{}=", &right[..61]), Refused::Malformed),
            (&right.replace(&right[..1], "+"), Refused::Malformed),
            ("模型模型模型模型模型模型模型模型模型模型模型", Refused::Malformed),
            (&newer, Refused::Version(2)),
        ] {
            assert_eq!(verify(&[key(0, 1)], text, NOW), Err(why), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_token_comes_back(trace_id: [u8; 16], span_id: [u8; 8], expires: u32, id: u8, secret: [u8; 40]) {
            let key = Key::new(id, &secret).unwrap();
            let token = Token { trace_id, span_id, expires };
            let now = u64::from(expires).saturating_sub(1);
            let text = sign(&key, &token);
            prop_assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)));
            if expires > 0 {
                prop_assert_eq!(verify(&[key], &text, now), Ok(token));
            }
        }

        #[test]
        fn no_changed_bit_is_taken(bit in 0..BYTES * 8) {
            let mut bytes = URL_SAFE_NO_PAD.decode(sign(&key(0, 1), &token())).unwrap();
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(verify(&[key(0, 1)], &URL_SAFE_NO_PAD.encode(bytes), NOW).is_err());
        }

        #[test]
        fn any_text(text in ".{0,100}") {
            prop_assert!(verify(&[key(0, 1)], &text, NOW).is_err());
        }
    }
}
