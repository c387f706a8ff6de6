//! base64 and base64url (RFC 4648), as far as is needed to look inside.

/// The bytes that the characters stand for, up to the first that is of neither alphabet.
pub(super) fn decode(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let (mut bits, mut count) = (0_u32, 0);
    for byte in text {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => break,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            let [.., last] = (bits >> count).to_be_bytes();
            bytes.push(last);
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn both_alphabets_are_read() {
        for (text, expected) in [
            ("Zm9vYmFy", &b"foobar"[..]),
            ("Zm9vYmE=", b"fooba"),
            ("Zm9vYg==", b"foob"),
            ("-_8", b"\xfb\xff"),
            ("+/8", b"\xfb\xff"),
            ("Zm9v!Zm9v", b"foo"),
            ("", b""),
        ] {
            assert_eq!(decode(text.as_bytes()), expected, "{text}");
        }
    }
}
