//! Why bytes are not a request, and where.

use std::fmt;

/// What breaks the rules. It is as wide as the fields it shares its place with in results: a narrower one makes the
/// compiler move those byte by byte, which costs a third of the scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum What {
    Truncated,
    Varint,
    Tag,
    WireType,
    Utf8,
    Repeated,
    Depth,
    Items,
    Values,
}

/// A rule broken at a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) at: u32,
    pub(crate) what: What,
}

impl Fault {
    #[cold]
    pub(crate) fn new(at: usize, what: What) -> Self {
        Self { at: at as u32, what }
    }
}

/// Bounds on what one request may hold. A request beyond them is refused whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Size of the request in bytes; never more than 2 GiB, which is as far as protobuf goes.
    pub bytes: usize,
    /// Spans, log records or metrics, refused ones included.
    pub items: u32,
    /// Attributes and elements of arrays and maps, and the points and exemplars of metrics, over the whole request.
    pub values: u32,
    /// Arrays and maps within each other in one attribute. A flat attribute has depth 1.
    ///
    /// Up to 24 every accepted request can also be read by parsers that stop at 100 nested messages, the usual bound.
    pub depth: u8,
}

impl Default for Limits {
    /// 64 MiB, 65,536 items, 2,000,000 values, depth 24.
    fn default() -> Self {
        Self { bytes: 64 << 20, items: 65_536, values: 2_000_000, depth: 24 }
    }
}

/// Why bytes were refused as a request. Every variant names the byte at which it was seen, counted from 0.
///
/// All but the first are for the sender to mend; in terms of OTLP they are bad data, which is not to be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ScanError {
    /// The request is larger than [`Limits::bytes`].
    TooLarge {
        /// Size of the request in bytes.
        size: usize,
        /// The limit in force.
        limit: usize,
    },
    /// A field says it is longer than what is left of the message around it.
    Truncated {
        /// Where.
        at: usize,
    },
    /// An integer longer than ten bytes or 64 bits.
    Varint {
        /// Where.
        at: usize,
    },
    /// A field number or wire type that protobuf does not have.
    Tag {
        /// Where.
        at: usize,
    },
    /// A field of OTLP with the wire type of another.
    WireType {
        /// Where.
        at: usize,
    },
    /// A string that is not UTF-8.
    Utf8 {
        /// First byte of the string.
        at: usize,
    },
    /// A field that a message has once, twice: readers differ in what they make of it.
    Repeated {
        /// Where the second one is.
        at: usize,
    },
    /// Values nested deeper than [`Limits::depth`].
    TooDeep {
        /// Where.
        at: usize,
        /// The limit in force.
        limit: u8,
    },
    /// More spans or log records than [`Limits::items`].
    TooManyItems {
        /// Where.
        at: usize,
        /// The limit in force.
        limit: u32,
    },
    /// More attributes and elements than [`Limits::values`].
    TooManyValues {
        /// Where.
        at: usize,
        /// The limit in force.
        limit: u32,
    },
}

impl ScanError {
    pub(crate) fn from_fault(fault: Fault, limits: &Limits) -> Self {
        let at = fault.at as usize;
        match fault.what {
            What::Truncated => Self::Truncated { at },
            What::Varint => Self::Varint { at },
            What::Tag => Self::Tag { at },
            What::WireType => Self::WireType { at },
            What::Utf8 => Self::Utf8 { at },
            What::Repeated => Self::Repeated { at },
            What::Depth => Self::TooDeep { at, limit: limits.depth },
            What::Items => Self::TooManyItems { at, limit: limits.items },
            What::Values => Self::TooManyValues { at, limit: limits.values },
        }
    }
}

impl fmt::Display for ScanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { size, limit } => {
                write!(f, "the request has {size} bytes, the limit is {limit}; send smaller batches")
            }
            Self::Truncated { at } => write!(f, "byte {at}: the field is longer than the message around it"),
            Self::Varint { at } => write!(f, "byte {at}: the integer is longer than 64 bits"),
            Self::Tag { at } => write!(f, "byte {at}: not a protobuf field"),
            Self::WireType { at } => write!(f, "byte {at}: the field has not the wire type OTLP gives it"),
            Self::Utf8 { at } => write!(f, "byte {at}: the string is not UTF-8"),
            Self::Repeated { at } => write!(f, "byte {at}: the field is there twice, and may be there once"),
            Self::TooDeep { at, limit } => write!(f, "byte {at}: values are nested deeper than {limit}"),
            Self::TooManyItems { at, limit } => {
                write!(f, "byte {at}: more than {limit} spans or log records; send smaller batches")
            }
            Self::TooManyValues { at, limit } => {
                write!(f, "byte {at}: more than {limit} attributes and elements; send smaller batches")
            }
        }
    }
}

impl std::error::Error for ScanError {}
