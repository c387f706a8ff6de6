//! The caller's trace: `traceparent` and `tracestate`.
//!
//! Source: W3C Trace Context level 2. A `traceparent` that breaks the rules counts as absent, which is what the
//! recommendation asks for.

/// Longest `tracestate` that is carried on, in bytes: 32 members, each with a key and a value of 256 characters, which is
/// as long as one by the rules can be without spaces.
pub const MAX_TRACE_STATE: usize = 32 * (256 + 1 + 256) + 31;

/// The span that the call was made under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parent {
    /// Trace id; never all zero.
    pub trace_id: [u8; 16],
    /// Id of the caller's span; never all zero.
    pub span_id: [u8; 8],
    /// Flags; bit 0 says that the caller records the trace.
    pub flags: u8,
}

impl Parent {
    /// Whether the caller records the trace.
    #[must_use]
    pub const fn sampled(self) -> bool {
        self.flags & 1 == 1
    }

    /// Reads a `traceparent` value.
    ///
    /// ```
    /// use tollgate_filter::trace_context::Parent;
    /// let parent = Parent::parse(b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01").unwrap();
    /// assert!(parent.sampled());
    /// assert_eq!(parent.span_id[0], 0xb7);
    /// ```
    #[must_use]
    pub fn parse(value: &[u8]) -> Option<Self> {
        let mut parts = value.trim_ascii().splitn(5, |byte| *byte == b'-');
        let version: [u8; 1] = hex(parts.next()?)?;
        let trace_id: [u8; 16] = hex(parts.next()?)?;
        let span_id: [u8; 8] = hex(parts.next()?)?;
        let [flags] = hex(parts.next()?)?;
        // Version 00 ends here; later versions may go on, ff is not a version.
        let whole = parts.next().is_none() || version != [0];
        let ids = trace_id != [0; 16] && span_id != [0; 8];
        (version != [0xff] && whole && ids).then_some(Self { trace_id, span_id, flags })
    }
}

/// A `tracestate` value that can be carried on, as it is but for spaces around all of it: ASCII, printable or tabs, of at
/// most [`MAX_TRACE_STATE`] bytes. Members that break the rules are for whoever reads them.
#[must_use]
pub fn trace_state(value: &[u8]) -> Option<&str> {
    let value = value.trim_ascii();
    let printable = value.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~'));
    if value.is_empty() || value.len() > MAX_TRACE_STATE || !printable {
        return None;
    }
    str::from_utf8(value).ok()
}

/// Exactly `N` bytes from lower-case hexadecimal digits.
fn hex<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    let (pairs, rest) = digits.as_chunks::<2>();
    if pairs.len() != N || !rest.is_empty() {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = (digit(*high)? << 4) | digit(*low)?;
    }
    Some(bytes)
}

const fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn traceparents_by_the_recommendation() {
        for (value, accepted) in [
            (GOOD, true),
            ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00", true),
            (" 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01 ", true),
            ("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-the-future-brings", true),
            ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more", false),
            ("ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false),
            ("00-00000000000000000000000000000000-b7ad6b7169203331-01", false),
            ("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", false),
            ("00-0AF7651916CD43DD8448EB211C80319C-B7AD6B7169203331-01", false),
            ("00-0af7651916cd43dd8448eb211c80319-b7ad6b7169203331-01", false),
            ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331", false),
            ("", false),
            ("-", false),
        ] {
            assert_eq!(Parent::parse(value.as_bytes()).is_some(), accepted, "{value}");
        }
        assert_eq!(Parent::parse(&[0xff; 55]), None);
    }

    #[test]
    fn flags_say_whether_the_caller_records() {
        assert!(Parent::parse(GOOD.as_bytes()).unwrap().sampled());
        let not = GOOD.replace("-01", "-02");
        assert!(!Parent::parse(not.as_bytes()).unwrap().sampled());
    }

    #[test]
    fn a_trace_state_that_cannot_travel_is_left_behind() {
        for good in
            ["a=1,b=2", "a=1 ,\tb=2", "t@v=x:y;z", ",,a=1", "A=1,a=1,a=2", "nonsense", &"a".repeat(MAX_TRACE_STATE)]
        {
            assert_eq!(trace_state(format!(" {good} ").as_bytes()), Some(good));
        }
        for bad in [&b""[..], b"  ", b"a=\xff", b"a=\n1", &[b'a'; MAX_TRACE_STATE + 1]] {
            assert_eq!(trace_state(bad), None);
        }
    }
}
