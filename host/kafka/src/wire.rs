//! The outermost fields of a protobuf message. What is within them is for the crate `tollgate-otlp` to read.

/// The fields of a message that have a length: number, content, and all with tag and length. It ends at what is none.
pub(crate) fn fields(bytes: &[u8]) -> Fields<'_> {
    Fields { rest: bytes }
}

/// Whether the bytes are fields from the first to the last, so that another message can be written behind them.
pub(crate) fn is_whole(bytes: &[u8]) -> bool {
    let mut fields = fields(bytes);
    while fields.next().is_some() {}
    fields.rest.is_empty()
}

/// See [`fields`].
#[derive(Clone, Debug)]
pub(crate) struct Fields<'a> {
    /// What was not read, from the first byte that is no field.
    rest: &'a [u8],
}

impl<'a> Iterator for Fields<'a> {
    type Item = (u64, &'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let whole = self.rest;
            let (tag, after) = varint(whole)?;
            if tag >> 3 == 0 {
                return None;
            }
            let content = match tag & 7 {
                0 => {
                    self.rest = varint(after)?.1;
                    continue;
                }
                1 => 8,
                5 => 4,
                2 => {
                    let (length, content) = varint(after)?;
                    let (inner, rest) = content.split_at_checked(usize::try_from(length).ok()?)?;
                    self.rest = rest;
                    let (field, _) = whole.split_at_checked(whole.len() - rest.len())?;
                    return Some((tag >> 3, inner, field));
                }
                _ => return None,
            };
            self.rest = after.get(content..)?;
        }
    }
}

fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0_u64;
    for (at, byte) in bytes.iter().enumerate().take(10) {
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(at + 1..)?));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_all_kinds() {
        // 1: varint 300; 2: "ab"; 3: 8 bytes; 4: 4 bytes; 5: "".
        let bytes = b"\x08\xac\x02\x12\x02ab\x19\0\0\0\0\0\0\0\0\x25\0\0\0\0\x2a\0";
        let found: Vec<_> = fields(bytes).collect();
        assert_eq!(found, [(2, &b"ab"[..], &b"\x12\x02ab"[..]), (5, b"", b"\x2a\0")]);
        assert!(is_whole(bytes) && is_whole(b""));
    }

    #[test]
    fn what_is_cut_off_is_not_whole() {
        for bytes in [
            &b"\x12\x05ab"[..],
            b"\x12",
            b"\x08",
            b"\x08\x80",
            b"\x19\0\0",
            b"\x25\0",
            b"\x0b",
            b"\0\0",
            b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
            b"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        ] {
            assert!(!is_whole(bytes), "{bytes:?}");
        }
    }
}
