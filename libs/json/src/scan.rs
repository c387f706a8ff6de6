//! The loops that run over every byte.

/// How far a string goes without interruption: the place of the next `"` or `\`.
#[inline]
pub(crate) fn text_end(bytes: &[u8]) -> Option<usize> {
    // Most strings of a stream are a few bytes, where setting up a vector search costs more than the search.
    const SHORT: usize = 32;
    let mut at = 0;
    for word in bytes.get(..SHORT).unwrap_or(bytes).as_chunks::<8>().0 {
        let word = u64::from_le_bytes(*word);
        // The lowest byte that is marked in either is one that is meant.
        let ends = zeros(word ^ every(b'"')) | zeros(word ^ every(b'\\'));
        if ends != 0 {
            return Some(at + (ends.trailing_zeros() / 8) as usize);
        }
        at += 8;
    }
    let rest = bytes.get(at..)?;
    let end = if rest.len() < 8 {
        rest.iter().position(|&byte| byte == b'"' || byte == b'\\')
    } else {
        memchr::memchr2(b'"', b'\\', rest)
    };
    Some(at + end?)
}

/// Eight times the byte.
const fn every(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// Marks the lowest byte that is zero by its highest bit. Bytes above it may be marked that are not zero.
#[inline]
const fn zeros(word: u64) -> u64 {
    word.wrapping_sub(every(1)) & !word & every(0x80)
}

/// The place of the next byte that opens or closes a string or a container.
#[inline]
pub(crate) fn structure(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|&byte| class(byte) & STRUCTURE != 0)
}

/// How many bytes from the beginning can belong to a number or a literal.
#[inline]
pub(crate) fn word_length(bytes: &[u8]) -> usize {
    bytes.iter().position(|&byte| class(byte) & WORD == 0).unwrap_or(bytes.len())
}

/// Whether the byte can belong to a number or a literal.
#[inline]
pub(crate) fn is_word(byte: u8) -> bool {
    class(byte) & WORD != 0
}

/// What is left after leading white space.
#[inline]
pub(crate) fn after_space(bytes: &[u8]) -> &[u8] {
    match bytes.first() {
        Some(&byte) if byte <= b' ' => bytes.trim_ascii_start(),
        _ => bytes,
    }
}

/// Whether the text is a number by the grammar of RFC 8259, section 6.
pub(crate) fn is_number(text: &[u8]) -> bool {
    fn digits(text: &[u8]) -> Option<&[u8]> {
        let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
        if end == 0 { None } else { text.get(end..) }
    }
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let rest = match text.split_first() {
        Some((b'0', rest)) => Some(rest),
        Some((b'1'..=b'9', rest)) => Some(digits(rest).unwrap_or(rest)),
        _ => None,
    };
    let rest = rest.and_then(|rest| match rest.split_first() {
        Some((b'.', fraction)) => digits(fraction),
        _ => Some(rest),
    });
    let rest = rest.and_then(|rest| match rest.split_first() {
        Some((b'e' | b'E', [b'+' | b'-', exponent @ ..])) | Some((b'e' | b'E', exponent)) => digits(exponent),
        _ => Some(rest),
    });
    rest.is_some_and(<[u8]>::is_empty)
}

const STRUCTURE: u8 = 1;
const WORD: u8 = 2;

#[inline]
fn class(byte: u8) -> u8 {
    static CLASSES: [u8; 256] = classes();
    #[expect(clippy::indexing_slicing, reason = "a byte indexes a table of 256")]
    CLASSES[usize::from(byte)]
}

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, over a table of 256")]
const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "below 256")]
        let character = byte as u8;
        table[byte] = match character {
            b'"' | b'{' | b'}' | b'[' | b']' => STRUCTURE,
            b'0'..=b'9' | b'+' | b'-' | b'.' | b'a'..=b'z' | b'A'..=b'Z' => WORD,
            _ => 0,
        };
        byte += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_grammar() {
        for good in ["0", "-0", "7", "10", "-12", "1.5", "0.25", "1e3", "1E+3", "2.5e-07", "123456789012345678901"] {
            assert!(is_number(good.as_bytes()), "{good}");
        }
        for bad in ["", "-", "01", "+1", ".5", "1.", "1.e3", "1e", "1e+", "--1", "1-", "0x10", "1e5.5", "Infinity"] {
            assert!(!is_number(bad.as_bytes()), "{bad}");
        }
    }

    #[test]
    fn the_end_of_a_text_is_found_at_every_distance() {
        for length in 0..80 {
            for end in [b'"', b'\\'] {
                let mut text = vec![b'x'; length];
                assert_eq!(text_end(&text), None);
                text.push(end);
                text.extend_from_slice(b"\"rest");
                assert_eq!(text_end(&text), Some(length));
            }
        }
    }
}
