//! Secrets: what gives access.

mod form;

use crate::candidate::{Candidate, Proof};
use crate::kind::Kind;
use crate::text::{Text, at, before};

/// What one pass over a text remembers, so that each of many beginnings costs no search of its own.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// No end line of a private key follows.
    unended_key: bool,
}

/// Bytes at which a secret can be recognised, besides digits, `@` and `:`.
#[inline]
pub(crate) fn is_trigger(byte: u8) -> bool {
    matches!(byte, b'-' | b'_' | b'.' | b'A' | b'J' | b'K')
}

/// The secret around the byte at `trigger`, which is a colon or one that [`is_trigger`] names.
pub(crate) fn find(text: &Text<'_>, trigger: usize, memory: &mut Memory) -> Option<Candidate> {
    let found = |kind, proof, rule| move |(start, end): (usize, usize)| Candidate { kind, start, end, proof, rule };
    if at(text, trigger) == b'-' && at(text, trigger + 1) == b'-' && before(text, trigger, 1) != b'-' {
        return form::private_key(text, trigger, &mut memory.unended_key).map(found(
            Kind::PRIVATE_KEY,
            Proof::Form,
            "private key: begin line",
        ));
    }
    form::find(text, trigger).map(found(Kind::API_KEY, Proof::Form, "key: prefix, alphabet and length of a vendor"))
}
