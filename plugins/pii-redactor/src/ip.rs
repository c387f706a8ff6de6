//! Internet addresses.
//!
//! Left alone, because they identify nobody: the unspecified address, loopback and broadcast (`0.0.0.0`, `127.x.x.x`,
//! `255.255.255.255`, `::`, `::1`). Left alone, because they are something else: four numbers that a word calls a
//! version, and short forms with `::` outside the assigned ranges (`a::b` and `1::2` are code).

use crate::candidate::{Candidate, Proof};
use crate::kind::Kind;
use crate::text::{Text, at, before, is_word, run_end, run_start, slice};
use std::net::{Ipv4Addr, Ipv6Addr};

/// Longest textual address: eight groups with an embedded IPv4 address.
const LONGEST: usize = 45;
/// Longest gap between such a word and the numbers, and longest word looked at.
const VERSION_WINDOW: usize = 16;

/// The IPv4 address whose first digit run is `start..`.
pub(crate) fn find_v4(text: &Text<'_>, start: usize) -> Option<Candidate> {
    let end = run_end(text, start, 16, |byte| byte.is_ascii_digit() || byte == b'.');
    let end = if before(text, end, 1) == b'.' { end - 1 } else { end };
    let address: Ipv4Addr = parse(slice(text, start, end))?;
    let whole = !is_word(at(text, end))
        && at(text, end) != b'*'
        && !(at(text, end) == b'-' && is_word(at(text, end + 1)) && !at(text, end + 1).is_ascii_digit());
    let nobody = address.is_unspecified() || address.is_loopback() || address.is_broadcast();
    (whole && starts_v4(text, start) && !nobody && !is_version(text, start))
        .then(|| candidate(start, end, "ip: four octets that are no version"))
}

fn candidate(start: usize, end: usize, rule: &'static str) -> Candidate {
    Candidate { kind: Kind::IP_ADDRESS, start, end, proof: Proof::Form, rule }
}

fn starts_v4(text: &Text<'_>, start: usize) -> bool {
    let (last, previous) = (before(text, start, 1), before(text, start, 2));
    match last {
        b'.' | b'*' | b'#' | b'$' => false,
        // A range of addresses is two addresses; `package-1.2.3.4` is a version.
        b'-' => !(is_word(previous) || matches!(previous, b'>' | b'*')) || previous.is_ascii_digit(),
        b'=' => !matches!(previous, b'=' | b'<' | b'>' | b'~' | b'!'),
        other => !is_word(other),
    }
}

/// Words that call four numbers a version when they stand directly before.
const VERSION_WORDS: &[&str] = &["v", "ver", "version", "release", "build", "firmware"];

/// Whether `version`, `v.`, `版本` and the like stand directly before.
fn is_version(text: &Text<'_>, start: usize) -> bool {
    let gap = |byte: u8| matches!(byte, b' ' | b':' | b'=' | b'"' | b'.');
    let word_end = run_start(text, start, VERSION_WINDOW, gap);
    let word = slice(text, run_start(text, word_end, VERSION_WINDOW, |byte| byte.is_ascii_alphanumeric()), word_end);
    let head = slice(text, 0, word_end);
    VERSION_WORDS.iter().any(|version| word.eq_ignore_ascii_case(version.as_bytes()))
        || ["版本", "版本号"].iter().any(|version| head.ends_with(version.as_bytes()))
}

/// The IPv6 address around `colon`, the first colon of its token.
///
/// # Errors
/// There is no address; the end of the token that is none.
pub(crate) fn find_v6(text: &Text<'_>, colon: usize) -> Result<Candidate, usize> {
    let hex = |byte: u8| byte.is_ascii_hexdigit();
    let mut start = run_start(text, colon, 5, hex);
    let token = |byte: u8| hex(byte) || matches!(byte, b':' | b'.');
    let mut end = run_end(text, start, LONGEST + 1, token);
    let looked = end.max(colon + 1);
    // `addr:2001:db8::1`: the colon behind a word is no part of the address; nor are marks at the end of a sentence.
    if start == colon && at(text, colon + 1) != b':' {
        start += 1;
    }
    while end > start
        && (before(text, end, 1) == b'.' || (before(text, end, 1) == b':' && before(text, end, 2) != b':'))
    {
        end -= 1;
    }
    let whole = !is_word(before(text, start, 1)) && !is_word(at(text, end));
    let address = slice(text, start, end);
    match parse::<Ipv6Addr>(address) {
        Some(parsed) if whole && is_worth_it(address, parsed) => {
            Ok(candidate(start, end, "ip: groups of hexadecimal digits"))
        }
        _ => Err(looked),
    }
}

fn is_worth_it(written: &[u8], address: Ipv6Addr) -> bool {
    if address.is_unspecified() || address.is_loopback() {
        return false;
    }
    if written.contains(&b'.') || !written.windows(2).any(|pair| pair == b"::") {
        return written.split(|byte| *byte == b':').any(|group| group.len() > 2);
    }
    let groups = written.split(|byte| *byte == b':').filter(|group| !group.is_empty()).count();
    let [first, ..] = address.segments();
    let assigned = matches!(first, 0x2000..=0x3fff | 0xfc00..=0xfdff | 0xfe80..=0xfebf | 0xff00..) || first == 0x64;
    groups >= 4 || assigned
}

fn parse<T: std::str::FromStr>(written: &[u8]) -> Option<T> {
    std::str::from_utf8(written).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v4(text: &str) -> Option<&str> {
        let start = text.find(|c: char| c.is_ascii_digit())?;
        find_v4(&Text::whole(text.as_bytes()), start).and_then(|found| text.get(found.start..found.end))
    }

    fn v6(text: &str) -> Option<&str> {
        let mut from = 0;
        while let Some(colon) = text.get(from..)?.find(':').map(|place| place + from) {
            match find_v6(&Text::whole(text.as_bytes()), colon) {
                Ok(found) => return text.get(found.start..found.end),
                Err(next) => from = next.max(colon + 1),
            }
        }
        None
    }

    #[test]
    fn v4_addresses() {
        for (text, expected) in [
            ("74.34.59.240", "74.34.59.240"),
            ("登录IP为6.59.110.227。", "6.59.110.227"),
            ("10.0.0.8/24", "10.0.0.8"),
            ("host=10.0.0.8:8080", "10.0.0.8"),
            ("at 10.0.0.8.", "10.0.0.8"),
            ("server 10.0.0.8", "10.0.0.8"),
            ("10.0.0.8-10.0.0.19", "10.0.0.8"),
        ] {
            assert_eq!(v4(text), Some(expected), "{text}");
        }
        for text in [
            "127.0.0.1",
            "0.0.0.0",
            "255.255.255.255",
            "256.1.1.1",
            "1.2.3",
            "1.2.3.4.5",
            "version 29.34.21.33",
            "v1.2.3.4",
            "v 1.2.3.4",
            "版本27.4.45.1",
            "版本号 27.4.45.1",
            "\"version\": \"27.4.45.1\"",
            "pkg-1.2.3.4",
            "pkg==1.2.3.4",
            "1.2.3.4-beta",
            "1.2.3.4a",
        ] {
            assert_eq!(v4(text), None, "{text}");
        }
    }

    #[test]
    fn v6_addresses() {
        for (text, expected) in [
            ("4f8a:c99e:dc86:faf9:5988:5f63:375e:8a2a", "4f8a:c99e:dc86:faf9:5988:5f63:375e:8a2a"),
            ("2001:db8::1.", "2001:db8::1"),
            ("[2001:db8::1]:8080", "2001:db8::1"),
            ("ip:2001:db8::1", "2001:db8::1"),
            ("地址fe80::1%eth0", "fe80::1"),
            ("::ffff:192.0.2.1", "::ffff:192.0.2.1"),
            ("64:ff9b::198.51.100.1", "64:ff9b::198.51.100.1"),
            ("2001:db8::/32", "2001:db8::"),
            ("at 2001:db8::1: refused", "2001:db8::1"),
        ] {
            assert_eq!(v6(text), Some(expected), "{text}");
        }
        for text in [
            "::1",
            "::",
            "a::b",
            "1::2",
            "std::cout",
            "aa:bb:cc:dd:ee:ff",
            "12:34:56",
            "1:2:3:4:5:6:7:8",
            ":::",
            "2001::db8::1",
            "2001::25de::cade",
            "12345:db8::1",
            "fe80::1text",
            "text2001:db8::1",
            "2001:db8::256.1.1.1",
        ] {
            assert_eq!(v6(text), None, "{text}");
        }
    }
}
