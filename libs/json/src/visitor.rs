//! What a reader asks and tells.

use std::borrow::Cow;

/// A number that a visitor gives to a place in the text, to be told it again with what is found there.
pub type Node = u8;

/// What is to become of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// Pass over it, and over everything in it.
    Skip,
    /// Report it under this node: a scalar by [`Visitor::scalar`], a container by asking about what is in it.
    Take(Node),
    /// Report it as it comes, whatever its size, by [`Visitor::piece`]: of a string what it says, of anything else its
    /// JSON text. [`Visitor::end`] follows.
    Pieces(Node),
    /// As [`Want::Take`], but a string is reported by [`Visitor::piece`] as it comes, whatever its size, and then by
    /// [`Visitor::end`]. For places where a string or a container may be.
    Stream(Node),
}

/// The two kinds of container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `{}`
    Object,
    /// `[]`
    Array,
}

/// A value that is not a container.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scalar<'a> {
    /// A string.
    Text(Text<'a>),
    /// A number, as it is written.
    Number(&'a str),
    /// `true` or `false`.
    Bool(bool),
    /// `null`
    Null,
}

/// A string value, escapes decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text<'a> {
    /// The bytes. UTF-8 if the text was.
    pub bytes: &'a [u8],
    /// `false` where the string was longer than the reader's limit, and `bytes` is its beginning.
    pub whole: bool,
}

impl<'a> Text<'a> {
    /// The string; what is not UTF-8 reads as U+FFFD, a character that the limit cut is left out.
    #[must_use]
    pub fn to_str(&self) -> Cow<'a, str> {
        match std::str::from_utf8(self.bytes) {
            Ok(text) => Cow::Borrowed(text),
            Err(error) if !self.whole && error.error_len().is_none() => {
                String::from_utf8_lossy(self.bytes.get(..error.valid_up_to()).unwrap_or_default())
            }
            Err(_) => String::from_utf8_lossy(self.bytes),
        }
    }
}

/// What wants to know about the values of a text.
pub trait Visitor {
    /// A key of the object `at`, escapes decoded. Keys longer than [`MAX_KEY`](crate::MAX_KEY) are not asked about
    /// but skipped. A key may come twice.
    fn key(&mut self, at: Node, key: &[u8]) -> Want;

    /// The next element of the array `at`.
    fn item(&mut self, at: Node) -> Want;

    /// The value of a place that was wanted.
    fn scalar(&mut self, at: Node, value: Scalar<'_>);

    /// The next bytes of a value that was wanted in [pieces](Want::Pieces). They are cut anywhere; of a string with
    /// nothing in it none come.
    fn piece(&mut self, at: Node, piece: &[u8]) {
        let _ = (at, piece);
    }

    /// The container `at` begins.
    fn begin(&mut self, at: Node, kind: Kind) {
        let _ = (at, kind);
    }

    /// The container `at`, or the value that came in pieces, is at its end.
    fn end(&mut self, at: Node) {
        let _ = at;
    }
}
