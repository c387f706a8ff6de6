//! What can be wrong with a text that should be JSON.

use std::fmt;

/// Why reading stopped, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error {
    /// What is wrong.
    pub reason: Reason,
    /// Bytes from the beginning of the text to the place.
    pub offset: u64,
}

/// What is wrong with the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// This byte cannot stand here.
    Unexpected(u8),
    /// A closing bracket of the other kind than the one that was opened.
    Mismatched,
    /// Something that is neither a number nor `true`, `false` or `null`.
    BadWord,
    /// A backslash followed by something that is no escape.
    BadEscape,
    /// Containers nest deeper than [`MAX_DEPTH`](crate::MAX_DEPTH).
    TooDeep,
    /// A number of more than [`MAX_NUMBER`](crate::MAX_NUMBER) characters.
    NumberTooLong,
    /// Something other than white space after the value.
    TrailingData,
    /// The text ended before the value did.
    Incomplete,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reason {
            Reason::Unexpected(byte) => write!(f, "unexpected byte {:?}", char::from(byte))?,
            Reason::Mismatched => f.write_str("closing bracket of the wrong kind")?,
            Reason::BadWord => f.write_str("neither a number nor true, false or null")?,
            Reason::BadEscape => f.write_str("not an escape sequence")?,
            Reason::TooDeep => write!(f, "nested deeper than {}", crate::MAX_DEPTH)?,
            Reason::NumberTooLong => write!(f, "number longer than {} characters", crate::MAX_NUMBER)?,
            Reason::TrailingData => f.write_str("data after the end of the value")?,
            Reason::Incomplete => f.write_str("the text ends before the value does")?,
        }
        write!(f, " at byte {}", self.offset)
    }
}

impl std::error::Error for Error {}
