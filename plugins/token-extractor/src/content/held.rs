//! Text that is held, as much of it as a limit allows.

use tollgate_json::Text;

/// The beginning of a text, or all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Held {
    bytes: Vec<u8>,
    /// Whether there was more.
    pub(crate) cut: bool,
}

impl Held {
    /// Adds as much of the next piece as there is room for. Pieces may be cut within a character.
    pub(crate) fn push(&mut self, piece: &[u8], room: usize) {
        let fits = if self.cut { &[] } else { piece.get(..room).unwrap_or(piece) };
        self.cut |= fits.len() < piece.len();
        self.bytes.extend_from_slice(fits);
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The text: a character that the limit cut is left out, and what is not UTF-8 reads as U+FFFD.
    pub(crate) fn as_str(&self) -> std::borrow::Cow<'_, str> {
        Text { bytes: &self.bytes, whole: !self.cut }.to_str()
    }

    pub(crate) fn shrink(&mut self) {
        self.bytes.shrink_to_fit();
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.bytes.capacity()
    }
}
