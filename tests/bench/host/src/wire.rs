//! As much of protobuf as telemetry needs to be made, counted and compared. It shares no code with the host, so that a
//! fault of the host's own reader cannot hide from it.

/// A message that breaks off or is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not protobuf")]
pub(crate) struct Malformed;

/// A field of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Field<'a> {
    pub(crate) number: u64,
    /// What a field with a length holds; empty for others.
    pub(crate) inner: &'a [u8],
    /// The value of a field that is a number.
    pub(crate) integer: u64,
    /// The field as it stands in the message, with its tag.
    pub(crate) whole: &'a [u8],
}

/// The fields of a message, in their order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields<'a>(pub(crate) &'a [u8]);

impl<'a> Fields<'a> {
    fn field(&mut self) -> Option<Field<'a>> {
        let start = self.0;
        let tag = self.varint()?;
        let (mut inner, mut integer) = ([].as_slice(), 0);
        match tag & 7 {
            0 => integer = self.varint()?,
            1 => integer = self.fixed::<8>().map(u64::from_le_bytes)?,
            2 => {
                let length = usize::try_from(self.varint()?).ok()?;
                (inner, self.0) = self.0.split_at_checked(length)?;
            }
            5 => integer = self.fixed::<4>().map(u32::from_le_bytes)?.into(),
            _ => return None,
        }
        Some(Field { number: tag >> 3, inner, integer, whole: start.get(..start.len() - self.0.len())? })
    }

    fn fixed<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (value, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*value)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<Field<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field().ok_or(Malformed);
        if field.is_err() {
            self.0 = &[];
        }
        Some(field)
    }
}

/// Hands on every span of an `ExportTraceServiceRequest`, with the encoded resource and scope above it.
///
/// # Errors
/// It is none; spans before the fault were handed on.
pub(crate) fn each_span<'a>(request: &'a [u8], mut take: impl FnMut(&'a [u8])) -> Result<(), Malformed> {
    // ExportTraceServiceRequest.resource_spans = 1, ResourceSpans.scope_spans = 2, ScopeSpans.spans = 2.
    for resource in Fields(request) {
        for scope in Fields(inner(resource?, 1)) {
            for span in Fields(inner(scope?, 2)) {
                let span = span?;
                if span.number == 2 {
                    take(span.inner);
                }
            }
        }
    }
    Ok(())
}

const fn inner(field: Field<'_>, number: u64) -> &[u8] {
    if field.number == number { field.inner } else { &[] }
}

/// Appends an unsigned number in base 128.
pub(crate) fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value > 0x7f {
        out.push(u8::try_from(value & 0x7f).unwrap_or(0) | 0x80);
        value >>= 7;
    }
    out.push(u8::try_from(value).unwrap_or(0));
}

/// Appends a field with a length.
pub(crate) fn bytes(out: &mut Vec<u8>, number: u64, value: &[u8]) {
    varint(out, number << 3 | 2);
    varint(out, value.len() as u64);
    out.extend_from_slice(value);
}

/// Appends a field that is a number.
pub(crate) fn integer(out: &mut Vec<u8>, number: u64, value: u64) {
    varint(out, number << 3);
    varint(out, value);
}

/// Appends a field of eight bytes.
pub(crate) fn fixed64(out: &mut Vec<u8>, number: u64, value: u64) {
    varint(out, number << 3 | 1);
    out.extend_from_slice(&value.to_le_bytes());
}

/// Appends a `KeyValue` whose value is text.
pub(crate) fn text_attribute(out: &mut Vec<u8>, number: u64, key: &str, text: &str) {
    let mut value = Vec::with_capacity(text.len() + 8);
    bytes(&mut value, 1, text.as_bytes());
    attribute(out, number, key, &value);
}

/// Appends a `KeyValue` whose value is a number.
pub(crate) fn integer_attribute(out: &mut Vec<u8>, number: u64, key: &str, given: u64) {
    let mut value = Vec::new();
    integer(&mut value, 3, given);
    attribute(out, number, key, &value);
}

fn attribute(out: &mut Vec<u8>, number: u64, key: &str, value: &[u8]) {
    let mut pair = Vec::with_capacity(key.len() + value.len() + 8);
    bytes(&mut pair, 1, key.as_bytes());
    bytes(&mut pair, 2, value);
    bytes(out, number, &pair);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut span = Vec::new();
        bytes(&mut span, 2, &[9; 8]);
        fixed64(&mut span, 7, 77);
        integer(&mut span, 6, 300);
        let fields: Vec<_> = Fields(&span).map(Result::unwrap).collect();
        assert_eq!((fields[0].number, fields[0].inner), (2, [9_u8; 8].as_slice()));
        assert_eq!((fields[1].number, fields[1].integer), (7, 77));
        assert_eq!((fields[2].number, fields[2].integer), (6, 300));
        assert_eq!(fields.iter().flat_map(|field| field.whole).copied().collect::<Vec<_>>(), span);
    }

    #[test]
    fn a_message_that_breaks_off_is_noticed_at_every_place() {
        let (mut scope, mut resource, mut request) = (Vec::new(), Vec::new(), Vec::new());
        bytes(&mut scope, 2, b"\x12\x01a");
        bytes(&mut scope, 2, b"\x12\x01b");
        bytes(&mut resource, 2, &scope);
        bytes(&mut request, 1, &resource);
        let mut seen = Vec::new();
        each_span(&request, |span| seen.push(span)).unwrap();
        assert_eq!(seen, [b"\x12\x01a", b"\x12\x01b"]);
        for cut in 1..request.len() {
            assert_eq!(each_span(&request[..cut], |_| {}), Err(Malformed), "{cut}");
        }
    }
}
