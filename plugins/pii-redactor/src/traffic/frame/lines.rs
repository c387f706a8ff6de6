//! JSON documents, one a line, as Ollama and Cohere send them.

use super::{Kind, Reason, utf8};
use memchr::memchr;

/// The end of the first line.
pub(crate) fn end(held: &[u8], seen: &mut usize) -> Option<(usize, Kind)> {
    let place = held.get(*seen..).and_then(|rest| memchr(b'\n', rest));
    let Some(place) = place else {
        *seen = held.len();
        return None;
    };
    Some((*seen + place + 1, Kind::Event))
}

/// The document of a line; `None` for an empty one.
pub(crate) fn data(frame: &[u8]) -> Result<Option<String>, Reason> {
    let text = frame.trim_ascii();
    if text.is_empty() { Ok(None) } else { Ok(Some(utf8(text)?.to_owned())) }
}

/// The line with another document; blanks around it stay.
pub(crate) fn with_data(frame: &[u8], data: &str) -> Vec<u8> {
    let head = frame.len() - frame.trim_ascii_start().len();
    let tail = frame.trim_ascii_end().len().max(head);
    [frame.get(..head).unwrap_or(&[]), data.as_bytes(), frame.get(tail..).unwrap_or(&[])].concat()
}
