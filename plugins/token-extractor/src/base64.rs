//! Base64 (RFC 4648, section 4), decoded as it comes: Bedrock wraps the events of a stream in it.

/// Decodes text that is cut anywhere. What is no base64 is passed over.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Base64 {
    /// Bits that wait for more, and how many there are.
    bits: u32,
    held: u32,
}

/// Decoded bytes that are handed on at once.
const BUFFER: usize = 1024;

impl Base64 {
    /// Decodes the next characters, handing bytes on as they come.
    pub(crate) fn push(&mut self, text: &[u8], mut bytes: impl FnMut(&[u8])) {
        let (mut buffer, mut length) = ([0; BUFFER], 0);
        for character in text {
            let Some(value) = value(*character) else { continue };
            self.bits = (self.bits << 6) | u32::from(value);
            self.held += 6;
            if self.held < 8 {
                continue;
            }
            self.held -= 8;
            if let Some(place) = buffer.get_mut(length) {
                let [.., byte] = (self.bits >> self.held).to_be_bytes();
                *place = byte;
                length += 1;
            }
            if length == BUFFER {
                bytes(&buffer);
                length = 0;
            }
        }
        if let Some(rest) = buffer.get(..length).filter(|rest| !rest.is_empty()) {
            bytes(rest);
        }
    }
}

#[inline]
fn value(character: u8) -> Option<u8> {
    Some(match character {
        b'A'..=b'Z' => character - b'A',
        b'a'..=b'z' => character - b'a' + 26,
        b'0'..=b'9' => character - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::base64::Engine;

    #[test]
    fn text_decodes_at_every_cut() {
        for length in [0, 1, 2, 3, 4, 5, 255, 256, 3000] {
            let plain: Vec<u8> = (0..length).map(|n: u32| (n * 7 % 256) as u8).collect();
            let text = ::base64::engine::general_purpose::STANDARD.encode(&plain);
            for size in [1, 2, 3, 5, 4096] {
                let (mut base64, mut decoded) = (Base64::default(), Vec::new());
                text.as_bytes()
                    .chunks(size)
                    .for_each(|chunk| base64.push(chunk, |bytes| decoded.extend_from_slice(bytes)));
                assert_eq!(decoded, plain, "{length} bytes in chunks of {size}");
            }
        }
    }
}
