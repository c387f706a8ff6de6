//! The header of a gzip member (RFC 1952, section 2.3), byte by byte.

const EXTRA: u8 = 1 << 2;
const NAME: u8 = 1 << 3;
const COMMENT: u8 = 1 << 4;
const CHECKSUM: u8 = 1 << 1;

/// What comes next in the header.
#[derive(Clone, Copy, Debug)]
enum Part {
    /// The fixed part, with this many bytes seen.
    Fixed(u8),
    /// The length of the extra field, low byte first.
    ExtraLow,
    ExtraHigh(u8),
    /// The extra field, with this many bytes to come.
    Extra(u16),
    /// A file name, ended by a zero.
    Name,
    /// A comment, ended by a zero.
    Comment,
    /// The checksum of the header, with this many bytes to come.
    Checksum(u8),
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Header {
    part: Part,
    flags: u8,
}

impl Default for Header {
    fn default() -> Self {
        Self { part: Part::Fixed(0), flags: 0 }
    }
}

impl Header {
    /// Takes a byte. `Ok(true)` where it was the header's last; an error where this is no gzip.
    pub(crate) fn push(&mut self, byte: u8) -> Result<bool, ()> {
        match self.part {
            Part::Fixed(at) => {
                match (at, byte) {
                    (0, 0x1F) | (1, 0x8B) | (2, 8) | (4.., _) => {}
                    (3, flags) => self.flags = flags,
                    _ => return Err(()),
                }
                if at < 9 {
                    self.part = Part::Fixed(at + 1);
                    return Ok(false);
                }
                return Ok(self.next_part());
            }
            Part::ExtraLow => self.part = Part::ExtraHigh(byte),
            Part::ExtraHigh(low) => match u16::from_le_bytes([low, byte]) {
                0 => return Ok(self.next_part()),
                length => self.part = Part::Extra(length),
            },
            Part::Extra(1) => return Ok(self.next_part()),
            Part::Extra(length) => self.part = Part::Extra(length - 1),
            Part::Name | Part::Comment if byte == 0 => return Ok(self.next_part()),
            Part::Name | Part::Comment => {}
            Part::Checksum(1) => return Ok(self.next_part()),
            Part::Checksum(left) => self.part = Part::Checksum(left - 1),
        }
        Ok(false)
    }

    /// Moves to the next part that the flags announce. Whether there is none.
    fn next_part(&mut self) -> bool {
        for (flag, part) in
            [(EXTRA, Part::ExtraLow), (NAME, Part::Name), (COMMENT, Part::Comment), (CHECKSUM, Part::Checksum(2))]
        {
            if self.flags & flag != 0 {
                self.flags &= !flag;
                self.part = part;
                return false;
            }
        }
        true
    }
}
