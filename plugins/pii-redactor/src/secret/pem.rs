//! Private keys as text: PEM (RFC 7468), also of OpenSSH, and OpenPGP's armour (RFC 9580).

use crate::candidate::{Candidate, Proof};
use crate::kind::Kind;
use crate::secret::Memory;
use crate::text::{Text, before, run_end, run_start, slice, stands_at};
use memchr::memmem;

/// Bytes from the first line within which the end line is looked for. A key of 16384 bits takes 13 KiB.
const LONGEST: usize = 16 * 1024;

const END: &[u8] = b"-----END ";

/// What keys that are cut off early start with: DER of PKCS#1, PKCS#8 and SEC 1 (`MI`, `MC`, `MH`), and OpenSSH's name.
const BEGINNINGS: &[&[u8]] = &[b"MI", b"MC", b"MH", b"b3B"];

/// The private key whose first line starts at `start`: `-----BEGIN ... PRIVATE KEY-----` to its end line.
///
/// Without an end line the key was cut off; then all that can be key material is taken.
pub(super) fn find(text: &Text<'_>, start: usize, memory: &mut Memory) -> Option<Candidate> {
    let begin = b"-----BEGIN ";
    if before(text, start, 1) == b'-' || !stands_at(text, start, begin) {
        return None;
    }
    let name = start + begin.len();
    let name_end = run_end(text, name, 32, is_title);
    let title = slice(text, name, name_end);
    if !(title.ends_with(b"PRIVATE KEY") || title.ends_with(b"PRIVATE KEY BLOCK"))
        || !stands_at(text, name_end, b"-----")
    {
        return None;
    }
    let body = name_end + 5;
    if !is_key(text, body) || text.is_undecided() {
        return None;
    }
    let end = end_line(text, body, memory).unwrap_or_else(|| {
        let material =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'\n' | b'\r' | b'\\');
        let end = run_end(text, body, LONGEST, material);
        run_start(text, end, end - body, |byte| matches!(byte, b'\n' | b'\r'))
    });
    Some(Candidate { kind: Kind::PRIVATE_KEY, start, end, proof: Proof::Named, rule: "private key: begin line" })
}

fn is_title(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b' '
}

/// Whether what follows the first line is a key: base64, or a header line of PEM or OpenPGP.
fn is_key(text: &Text<'_>, body: usize) -> bool {
    let gap =
        run_end(text, body, 12, |byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'\\' | b'"' | b'\'' | b'+'));
    let line = run_end(text, gap, 16, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'));
    let first = slice(text, gap, line);
    let header = [&b"Proc-Type:"[..], b"DEK-Info:", b"Version:", b"Comment:"];
    first.len() == 16
        || BEGINNINGS.iter().any(|beginning| first.starts_with(beginning))
        || header.iter().any(|header| stands_at(text, gap, header))
}

/// Where the end line of the key ends. `memory` knows up to where there is none, so that many first lines cost one
/// search.
fn end_line(text: &Text<'_>, body: usize, memory: &mut Memory) -> Option<usize> {
    let window = slice(text, body, body + LONGEST);
    let known = memory.no_end_before.saturating_sub(body).min(window.len());
    match memmem::find(window.get(known..)?, END) {
        Some(place) => {
            let line = body + known + place + END.len();
            let close = run_end(text, line, 48, is_title);
            Some(run_end(text, close, 5, |byte| byte == b'-'))
        }
        None => {
            memory.no_end_before = (body + window.len()).saturating_sub(END.len()).max(memory.no_end_before);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The beginnings of keys in the text with what was found there.
    fn keys(text: &str, mut memory: impl FnMut() -> Memory, keep: bool) -> Vec<Option<(usize, usize)>> {
        let mut kept = memory();
        let begins = text.match_indices("-----BEGIN").map(|(place, _)| place);
        let found = begins.map(|place| {
            if !keep {
                kept = memory();
            }
            find(&Text::whole(text.as_bytes()), place, &mut kept).map(|found| (found.start, found.end))
        });
        found.collect()
    }

    #[test]
    fn what_is_remembered_changes_nothing() {
        let begin = "-----BEGIN PRIVATE KEY-----\nMIIBVgIBADANBgkqhkiG9w0B\n";
        let end = "-----END PRIVATE KEY-----\n";
        let far = "Qm7RtZ2x".repeat(LONGEST / 8);
        for text in [
            format!("{begin}{begin}{begin}"),
            format!("{begin}, {begin}{end}, {begin}, {begin}"),
            format!("{begin}{far}{begin}{end}{begin}{far}{end}{begin}"),
        ] {
            assert_eq!(keys(&text, Memory::default, true), keys(&text, Memory::default, false));
        }
    }

    #[test]
    fn an_end_line_is_looked_for_within_a_bound() {
        let begin = "-----BEGIN PRIVATE KEY-----\n";
        let key = |length: usize| format!("{begin}{}-----END PRIVATE KEY-----", "Qm7RtZ2x".repeat(length / 8));
        let end = |text: &str| keys(text, Memory::default, true)[0].unwrap().1;
        let short = key(LONGEST - 64);
        assert_eq!(end(&short), short.len());
        let long = key(LONGEST + 64);
        assert_eq!(end(&long), begin.len() - 1 + LONGEST);
    }
}
