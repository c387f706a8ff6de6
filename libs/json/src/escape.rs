//! Escapes in strings, across any cut.

/// An escape sequence that has begun.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Escape {
    /// The high half of a surrogate pair whose low half must come next; 0 where there is none.
    high: u16,
    /// The code unit being spelled.
    unit: u16,
    /// Hexadecimal digits of it that came.
    digits: u8,
}

/// Up to two characters, as UTF-8: a lone surrogate's replacement and what came after it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Decoded {
    bytes: [u8; 8],
    length: usize,
}

impl Decoded {
    pub(crate) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    fn push(&mut self, character: char) {
        if let Some(room) = self.bytes.get_mut(self.length..self.length + character.len_utf8()) {
            self.length += character.encode_utf8(room).len();
        }
    }
}

impl Escape {
    /// The character of a two-character escape; `None` where `letter` makes none.
    pub(crate) fn simple(letter: u8) -> Option<u8> {
        Some(match letter {
            b'"' | b'\\' | b'/' => letter,
            b'b' => 8,
            b't' => b'\t',
            b'n' => b'\n',
            b'f' => 12,
            b'r' => b'\r',
            _ => return None,
        })
    }

    /// A string begins.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Something other than `\u` comes next: a high half that waits will not get its low half.
    pub(crate) fn settle(&mut self) -> Decoded {
        let mut decoded = Decoded::default();
        if std::mem::take(&mut self.high) != 0 {
            decoded.push(char::REPLACEMENT_CHARACTER);
        }
        decoded
    }

    /// Takes a digit. `Err` where it is none; `Ok(None)` until there are four.
    pub(crate) fn digit(&mut self, digit: u8) -> Result<Option<Decoded>, ()> {
        let value = char::from(digit).to_digit(16).and_then(|value| u16::try_from(value).ok()).ok_or(())?;
        self.unit = (self.unit << 4) | value;
        self.digits += 1;
        if self.digits < 4 {
            return Ok(None);
        }
        self.digits = 0;
        let (high, unit) = (std::mem::take(&mut self.high), std::mem::take(&mut self.unit));
        let mut decoded = Decoded::default();
        if high != 0 {
            if let Some(Ok(character)) = char::decode_utf16([high, unit]).next() {
                decoded.push(character);
                return Ok(Some(decoded));
            }
            decoded.push(char::REPLACEMENT_CHARACTER);
        }
        if (0xD800..0xDC00).contains(&unit) {
            self.high = unit;
        } else {
            decoded.push(char::from_u32(u32::from(unit)).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        Ok(Some(decoded))
    }
}
