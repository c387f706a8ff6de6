//! JSON web tokens: signed ones of three parts (RFC 7515) and encrypted ones of five (RFC 7516), in compact form.

use crate::candidate::{Candidate, Proof};
use crate::kind::Kind;
use crate::secret::{SURE, encoded, noise};
use crate::text::{Text, at, before, is_word, run_end, slice};

/// Parameters that a header may start with (RFC 7515, RFC 7516), and two that issuers put first.
const PARAMETERS: &[&[u8]] = &[
    b"alg", b"enc", b"typ", b"kid", b"cty", b"jku", b"jwk", b"zip", b"x5t", b"x5c", b"x5u", b"crit", b"b64", b"apu",
    b"epk", b"tag", b"iv", b"ver", b"iss",
];

/// Characters of a header that are decoded.
const DECODED: usize = 60;

/// The token whose header starts two characters before `anchor`, the `J` of `eyJ`, which is `{"`.
pub(super) fn find(text: &Text<'_>, anchor: usize) -> Option<Candidate> {
    if before(text, anchor, 1) != b'y' || before(text, anchor, 2) != b'e' {
        return None;
    }
    let start = anchor.checked_sub(2)?;
    if url(before(text, start, 1)) {
        return None;
    }
    let sure = start + SURE;
    let header = run_end(text, start, SURE, url);
    if header - start < 12 {
        return None;
    }
    let json = encoded::decode(slice(text, start, header.min(start + DECODED)));
    if !starts_header(&json) {
        return None;
    }
    if header < sure {
        let all = encoded::decode(slice(text, start, header));
        let names = noise::contains(&all, b"\"alg\"") || noise::contains(&all, b"\"enc\"");
        let claims = run_end(text, header + 1, sure.saturating_sub(header + 1).min(4), url);
        // A header that nearly fills what may be looked at leaves no room to see the claims.
        if !names || at(text, header) != b'.' || (claims < (header + 5).min(sure) && at(text, header + 1) != b'.') {
            return None;
        }
    }
    if text.is_undecided() {
        return None;
    }
    let mut end = run_end(text, header, usize::MAX, url);
    for _ in 0..4 {
        if at(text, end) != b'.' || !(url(at(text, end + 1)) || at(text, end + 1) == b'.') {
            break;
        }
        end = run_end(text, end + 1, usize::MAX, url);
    }
    Some(Candidate { kind: Kind::JWT, start, end, proof: Proof::Named, rule: "jwt: a header with an algorithm" })
}

fn url(byte: u8) -> bool {
    is_word(byte) || byte == b'-'
}

/// Whether the bytes are the beginning of a header.
fn starts_header(json: &[u8]) -> bool {
    let Some(rest) = json.strip_prefix(b"{\"") else { return false };
    PARAMETERS.iter().any(|name| rest.strip_prefix(*name).is_some_and(|rest| rest.starts_with(b"\"")))
}
