//! Escapes of JSON (RFC 8259, section 7), at any depth of strings within strings.

use crate::text::cut;

/// Longest run of backslashes that is read as one: four levels of strings, each of which doubles them.
const MOST_BACKSLASHES: usize = 16;

/// The character that the escape at `start`, a backslash, stands for, and where the escape ends.
///
/// A surrogate without its partner stands for the replacement character. `None` where the backslashes begin no escape.
pub(super) fn read(text: &[u8], start: usize) -> Option<(char, usize)> {
    let window = cut(text, start, start + MOST_BACKSLASHES);
    let end = start + window.iter().position(|byte| *byte != b'\\')?;
    let short = match *text.get(end)? {
        b'n' => '\n',
        b't' => '\t',
        b'r' => '\r',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        other @ (b'"' | b'/') => char::from(other),
        b'u' => return unicode(text, start, end + 1),
        _ => return None,
    };
    Some((short, end + 1))
}

fn unicode(text: &[u8], start: usize, digits: usize) -> Option<(char, usize)> {
    let unit = unit(text, digits)?;
    let end = digits + 4;
    if let Some(character) = char::from_u32(unit) {
        return Some((character, end));
    }
    // The partner is written with as many backslashes.
    let backslashes = cut(text, start, digits - 1);
    let partner = cut(text, end, end + backslashes.len());
    let low = (partner == backslashes && text.get(end + partner.len()) == Some(&b'u'))
        .then(|| self::unit(text, end + partner.len() + 1))
        .flatten();
    match low {
        Some(low @ 0xDC00..=0xDFFF) if unit < 0xDC00 => {
            let character = char::from_u32(0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00));
            Some((character.unwrap_or(char::REPLACEMENT_CHARACTER), end + partner.len() + 5))
        }
        _ => Some((char::REPLACEMENT_CHARACTER, end)),
    }
}

/// Four hexadecimal digits.
fn unit(text: &[u8], digits: usize) -> Option<u32> {
    let digits = text.get(digits..digits + 4)?;
    digits.iter().try_fold(0, |value, digit| Some(value * 16 + char::from(*digit).to_digit(16)?))
}

/// How many bytes at the end of the text may be the beginning of an escape.
pub(super) fn unfinished(text: &[u8]) -> usize {
    // Two escapes of a pair, each with the longest run of backslashes, `u` and four digits.
    let longest = 2 * (MOST_BACKSLASHES + 5);
    let from = text.len().saturating_sub(longest);
    let tail = cut(text, from, text.len());
    let mut place = 0;
    while let Some(step) = cut(tail, place, tail.len()).iter().position(|byte| *byte == b'\\') {
        let start = place + step;
        let backslashes = cut(tail, start, tail.len()).iter().take_while(|byte| **byte == b'\\').count();
        let body = cut(tail, start + backslashes, tail.len());
        let digits = body.strip_prefix(b"u");
        let open = match digits {
            _ if body.is_empty() => true,
            Some(digits) => digits.len() < 4 && digits.iter().all(u8::is_ascii_hexdigit),
            None => false,
        };
        // The first of a pair waits for its partner.
        let high = digits.is_some_and(|digits| {
            unit(digits, 0).is_some_and(|unit| (0xD800..0xDC00).contains(&unit)) && {
                let partner = cut(digits, 4, digits.len());
                let wanted: Vec<u8> = cut(tail, start, start + backslashes).iter().copied().chain(*b"u").collect();
                partner.len() < wanted.len() + 4
                    && (wanted.starts_with(partner)
                        || partner.strip_prefix(wanted.as_slice()).is_some_and(|d| d.iter().all(u8::is_ascii_hexdigit)))
            }
        });
        if open || high {
            return tail.len() - start;
        }
        place = start + backslashes;
    }
    0
}

#[cfg(test)]
mod tests {
    use super::unfinished;

    #[test]
    fn what_may_become_an_escape_is_told() {
        for (text, expected) in [
            ("plain", 0),
            ("x\\", 1),
            ("x\\\\", 2),
            ("x\\u", 2),
            ("x\\u00", 4),
            ("x\\u0040", 0),
            ("x\\u00g", 0),
            ("x\\n", 0),
            ("x\\ud83d", 6),
            ("x\\ud83d\\", 7),
            ("x\\ud83d\\ude0", 11),
            ("x\\ud83d\\ude00", 0),
            ("x\\ud83dz", 0),
        ] {
            assert_eq!(unfinished(text.as_bytes()), expected, "{text}");
        }
    }
}
