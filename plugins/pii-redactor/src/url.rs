//! Web addresses (RFC 3986) with a scheme, and those that begin with `www.`.
//!
//! The host must be a name with a plausible last label: a local name or a bare number says nothing about anybody, and
//! an address with a number for a host is found as that number. Names without scheme are left alone, because
//! file names (`main.rs`, `rpc.py`) look the same.

use crate::candidate::{Candidate, Proof};
use crate::email;
use crate::kind::Kind;
use crate::text::{Text, at, before, cut, is_word, run_end, run_start, stands_at};

/// Longest host that is looked at.
const LONGEST_HOST: usize = 80;

/// The address whose scheme ends with the colon at `colon`.
pub(crate) fn with_scheme(text: &Text<'_>, colon: usize) -> Option<Candidate> {
    if !stands_at(text, colon, b"://") {
        return None;
    }
    let start = run_start(text, colon, 6, |byte| byte.is_ascii_alphabetic());
    let scheme = cut(text.bytes(), start, colon);
    let known = [&b"http"[..], b"https", b"ftp", b"ws", b"wss"].iter().any(|name| scheme.eq_ignore_ascii_case(name));
    (known && !is_word(before(text, start, 1))).then_some(())?;
    whole(text, start, colon + 3)
}

/// The address that begins with the `www.` whose full stop is at `dot`.
pub(crate) fn without_scheme(text: &Text<'_>, dot: usize) -> Option<Candidate> {
    let start = dot.checked_sub(3)?;
    let free = !is_word(before(text, start, 1)) && !matches!(before(text, start, 1), b'/' | b'@' | b'.' | b'-');
    (free && cut(text.bytes(), start, dot).eq_ignore_ascii_case(b"www")).then_some(())?;
    whole(text, start, start)
}

fn whole(text: &Text<'_>, start: usize, host: usize) -> Option<Candidate> {
    let host_end = run_end(text, host, LONGEST_HOST, |byte| is_word(byte) || matches!(byte, b'-' | b'.'));
    let name = cut(text.bytes(), host, host_end).trim_ascii_end();
    let name = name.strip_suffix(b".").unwrap_or(name);
    let top = name.iter().rposition(|byte| *byte == b'.').filter(|dot| *dot > 0)?;
    let labels = name.split(|byte| *byte == b'.').all(|label| !label.is_empty());
    // `www.example` has a scheme of its own kind only where a name follows.
    let named =
        !name.eq_ignore_ascii_case(b"www") && (host != start || name.iter().filter(|byte| **byte == b'.').count() > 1);
    (labels && named && email::top_level(cut(name, top + 1, name.len())) == Some(name.len() - top - 1)).then_some(())?;
    let mut end = host + name.len();
    if matches!(at(text, end), b':' | b'/' | b'?' | b'#') {
        end = run_end(text, end, usize::MAX, is_path);
        // What ends a sentence or closes a bracket around belongs to the text.
        while end > host + name.len()
            && matches!(before(text, end, 1), b'.' | b',' | b';' | b':' | b'!' | b'?' | b'\'' | b')' | b']')
        {
            end -= 1;
        }
    }
    Some(Candidate {
        kind: Kind::URL,
        start,
        end,
        proof: Proof::Form,
        rule: "url: scheme or www., name with a top-level domain",
    })
}

fn is_path(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'`' | b'{' | b'}' | b'|' | b'\\' | b'^')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Option<&str> {
        let whole = Text::whole(text.as_bytes());
        let found = match text.find("://") {
            Some(colon) => with_scheme(&whole, colon),
            None => without_scheme(&whole, text.find('.')?),
        };
        found.and_then(|found| text.get(found.start..found.end))
    }

    #[test]
    fn addresses() {
        for (text, expected) in [
            ("see http://www.Example.com.br/ now", "http://www.Example.com.br/"),
            ("https://example.de/a?b=c&d=1#e.", "https://example.de/a?b=c&d=1#e"),
            ("(https://example.de/a)", "https://example.de/a"),
            ("网站https://example.cn，", "https://example.cn"),
            ("go to www.example.org!", "www.example.org"),
            ("https://example.com:8443/x", "https://example.com:8443/x"),
            ("https://example.com.", "https://example.com"),
        ] {
            assert_eq!(url(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_address() {
        for text in [
            "http://localhost:8080/x",
            "www.microsoft",
            "http://intern",
            "https://10.0.0.1/",
            "xhttp://a.com",
            "postgres://db.example.com",
            "file:///etc/passwd",
            "https://",
            "http://a..com",
            "www.a.b.png",
        ] {
            assert_eq!(url(text), None, "{text}");
        }
    }
}
