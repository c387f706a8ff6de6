//! E-mail addresses as people have them: RFC 5321 without quoted local parts, on a domain with a plausible last
//! label.

use crate::candidate::{Candidate, Proof};
use crate::kind::Kind;
use crate::text::{Text, at, before, cut, is_word, run_end, run_start, slice};

/// Longest local part (RFC 5321, 4.5.3.1.1) and, as nobody has more, longest domain that is looked at. What is longer
/// is cut there rather than left.
const LONGEST: usize = 64;
/// Last labels that are file name extensions and no top-level domains: `Shape@3x.png` is a picture.
const EXTENSIONS: &[&[u8]] = &[
    b"png", b"jpg", b"jpeg", b"gif", b"svg", b"webp", b"avif", b"heic", b"heif", b"tif", b"tiff", b"psd", b"bmp",
    b"ico", b"css", b"scss", b"less", b"js", b"json", b"jsonl", b"html", b"htm", b"xml", b"yaml", b"yml", b"toml",
    b"txt", b"csv", b"tsv", b"pdf", b"docx", b"xlsx", b"pptx", b"ts", b"tsx", b"jsx", b"mjs", b"cjs", b"vue", b"cpp",
    b"hpp", b"java", b"class", b"jar", b"go", b"php", b"rb", b"swift", b"kt", b"exe", b"dll", b"wasm", b"lock", b"log",
    b"conf", b"cfg", b"ini", b"bak", b"tmp", b"sql", b"db", b"dat", b"bin", b"iso", b"img", b"dmg", b"apk", b"tar",
    b"gz", b"tgz", b"mp3", b"wav", b"ogg", b"ttf", b"woff",
];

/// The address around the `@` at `sign`.
pub(crate) fn find(text: &Text<'_>, sign: usize) -> Option<Candidate> {
    let start = local_start(text, sign)?;
    let end = domain_end(text, sign + 1)?;
    // The name under which code hosts are reached by SSH belongs to nobody: `git@host:owner/repository`.
    let rule = "email: local part, @, domain";
    let found = Candidate { kind: Kind::EMAIL_ADDRESS, start, end, proof: Proof::Form, rule };
    (slice(text, start, sign) != b"git").then_some(found)
}

fn local_start(text: &Text<'_>, sign: usize) -> Option<usize> {
    let mut start = sign;
    let floor = sign.saturating_sub(LONGEST);
    loop {
        let plain = run_start(text, start, start - floor, is_local);
        // Accented Latin letters are two bytes; ideographs are three and end the local part.
        start = if plain >= floor + 2 && is_latin(before(text, plain, 2), before(text, plain, 1)) {
            plain - 2
        } else {
            plain
        };
        if start == plain {
            break;
        }
    }
    let trimmed = slice(text, start, sign).iter().position(|byte| !matches!(byte, b'.' | b'\'' | b'-' | b'+' | b'%'));
    let start = start + trimmed?;
    (before(text, sign, 1) != b'.').then_some(start)
}

fn is_local(byte: u8) -> bool {
    is_word(byte) || matches!(byte, b'.' | b'+' | b'-' | b'%' | b'\'' | b'&' | b'!' | b'~')
}

/// Latin-1 and extended Latin letters in UTF-8, without the multiplication and division signs.
fn is_latin(first: u8, second: u8) -> bool {
    matches!((first, second), (0xC3, 0x80..=0x96 | 0x98..=0xB6 | 0xB8..=0xBF) | (0xC4..=0xC9, 0x80..=0xBF))
}

/// End of the longest domain at `start`.
fn domain_end(text: &Text<'_>, start: usize) -> Option<usize> {
    let end = run_end(text, start, LONGEST, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'));
    // `icon@2x.anything` is a picture for screens of that density.
    let density = run_end(text, start, 8, |byte| byte.is_ascii_digit() || byte == b'.');
    if density > start && at(text, density) == b'x' && at(text, density + 1) == b'.' {
        return None;
    }
    let mut best = None;
    let mut place = start;
    let mut labels = 0;
    for label in cut(text.bytes(), start, end).split(|byte| *byte == b'.') {
        if label.is_empty() || label.first() == Some(&b'-') || label.len() > 63 {
            break;
        }
        labels += 1;
        if labels > 1
            && let Some(length) = top_level(label)
        {
            best = Some(place + length);
        } else if labels > 1 && EXTENSIONS.iter().any(|extension| label.eq_ignore_ascii_case(extension)) {
            best = None;
        }
        place += label.len() + 1;
    }
    best.filter(|end| !is_word(at(text, *end)))
}

/// Length of the top-level domain that the label is, or starts with where a hyphen follows (`example.com-Office`).
pub(crate) fn top_level(label: &[u8]) -> Option<usize> {
    if label.len() > 4 && label.get(..4).is_some_and(|head| head.eq_ignore_ascii_case(b"xn--")) {
        return Some(label.len());
    }
    let letters = label.iter().position(|byte| !byte.is_ascii_alphabetic()).unwrap_or(label.len());
    let name = cut(label, 0, letters);
    let ends = matches!(label.get(letters), None | Some(b'-'));
    let file = EXTENSIONS.iter().any(|extension| name.eq_ignore_ascii_case(extension));
    (ends && (2..=24).contains(&letters) && !file).then_some(letters)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn email(text: &str) -> Option<&str> {
        let found = find(&Text::whole(text.as_bytes()), text.find('@')?)?;
        text.get(found.start..found.end)
    }

    #[test]
    fn addresses() {
        for (text, expected) in [
            ("ann@example.com", "ann@example.com"),
            ("user=ann@example.com", "ann@example.com"),
            ("（foley-harold@example.org），", "foley-harold@example.org"),
            ("邮箱ann@qingyun.cn是", "ann@qingyun.cn"),
            ("mail <brandon+news@u.school.edu>.", "brandon+news@u.school.edu"),
            ("to ann@example.com.", "ann@example.com"),
            ("ann@example.com-Office", "ann@example.com"),
            ("jörg.müller@example.de", "jörg.müller@example.de"),
            ("user@xn--80ak6aa92e.com", "user@xn--80ak6aa92e.com"),
            ("a@xn--d1acufc.xn--p1ai", "a@xn--d1acufc.xn--p1ai"),
            ("'o'neil@example.ie'", "o'neil@example.ie"),
            ("mailto:x@y.co.uk?subject=1", "x@y.co.uk"),
        ] {
            assert_eq!(email(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_address() {
        for text in [
            "info@presidio.",
            "@types/node",
            "lodash@4.17.21",
            "Shape@3x.png",
            "sprite@4x.avif",
            "logo@1.5x.eu",
            "photo@home.heic",
            "git@github.com:a/b",
            "a @ b.com",
            "x@localhost",
            "a.@b.com",
            "@@@@",
            "a@-b.com",
            "a@b.c",
        ] {
            assert_eq!(email(text), None, "{text}");
        }
    }
}
