//! Server-sent events, cut at the empty lines. Lines end in CR, LF or CRLF; a byte order mark may lead.

use super::{Kind, Made, Reason, utf8};
use memchr::memchr2;

const MARK: &[u8] = b"\xEF\xBB\xBF";

/// The end of the first event: behind the empty line. A line feed that belongs to a carriage return which came in the
/// chunk before makes a frame of its own, which has no data.
pub(crate) fn end(held: &[u8], seen: &mut usize, begun: &mut bool) -> Option<(usize, Kind)> {
    if !*begun {
        if held.len() < MARK.len() && MARK.starts_with(held) {
            return None;
        }
        *begun = true;
        if held.starts_with(MARK) {
            return Some((MARK.len(), Kind::Between));
        }
    }
    loop {
        let rest = held.get(*seen..)?;
        let length = memchr2(b'\n', b'\r', rest)?;
        let ending = ending(rest.get(length..).unwrap_or(&[]));
        // A carriage return at the end of what has come may be half of a line's end.
        if length > 0 && ending == 1 && rest.len() == length + 1 && rest.last() == Some(&b'\r') {
            return None;
        }
        *seen += length + ending;
        if length == 0 {
            let kind = if *seen == ending { Kind::Between } else { Kind::Event };
            return Some((*seen, kind));
        }
    }
}

/// Bytes of the line's end that begins here.
fn ending(rest: &[u8]) -> usize {
    if rest.starts_with(b"\r\n") { 2 } else { 1 }
}

/// A line of an event.
struct Line<'a> {
    text: &'a [u8],
    ending: &'a [u8],
}

impl<'a> Line<'a> {
    /// The value of a field; one space after the colon is not part of it.
    fn field(&self, name: &str) -> Option<&'a [u8]> {
        let value = self.text.strip_prefix(name.as_bytes())?;
        match value.strip_prefix(b":") {
            Some(value) => Some(value.strip_prefix(b" ").unwrap_or(value)),
            None => value.is_empty().then_some(value),
        }
    }
}

fn lines(frame: &[u8]) -> impl Iterator<Item = Line<'_>> {
    let mut rest = frame;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let length = memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
        let (text, behind) = rest.split_at_checked(length)?;
        let (ending, left) = behind.split_at_checked(ending(behind).min(behind.len()))?;
        rest = left;
        Some(Line { text, ending })
    })
}

/// The data of an event: its lines, with line feeds between.
pub(crate) fn data(frame: &[u8]) -> Result<Option<String>, Reason> {
    let mut data: Option<String> = None;
    for value in lines(frame).filter_map(|line| line.field("data")) {
        let value = utf8(value)?;
        match &mut data {
            Some(data) => {
                data.push('\n');
                data.push_str(value);
            }
            None => data = Some(value.to_owned()),
        }
    }
    Ok(data)
}

/// What the frame says beside its data: comments, names, numbers.
pub(crate) fn beside(frame: &[u8]) -> Vec<u8> {
    let mut beside = Vec::new();
    for line in lines(frame).filter(|line| line.field("data").is_none()) {
        beside.extend_from_slice(line.text);
        beside.push(b'\n');
    }
    beside
}

/// The event with its data and empty lines alone.
pub(crate) fn without_beside(frame: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(frame.len());
    for line in lines(frame).filter(|line| line.text.is_empty() || line.field("data").is_some()) {
        out.extend_from_slice(line.text);
        out.extend_from_slice(line.ending);
    }
    out
}

/// The event with other data, in the place of its first line of data.
pub(crate) fn with_data(frame: &[u8], data: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(frame.len() + data.len());
    let mut written = false;
    for line in lines(frame) {
        if line.field("data").is_none() {
            out.extend_from_slice(line.text);
            out.extend_from_slice(line.ending);
            continue;
        }
        if std::mem::replace(&mut written, true) {
            continue;
        }
        let spaced = !line.text.starts_with(b"data:") || line.text.starts_with(b"data: ");
        let ending = if line.ending.is_empty() { b"\n" } else { line.ending };
        for (number, text) in data.split('\n').enumerate() {
            if number > 0 {
                out.extend_from_slice(ending);
            }
            out.extend_from_slice(if spaced { b"data: " } else { b"data:" });
            out.extend_from_slice(text.as_bytes());
        }
        out.extend_from_slice(line.ending);
    }
    out
}

/// An event in the form of another, with its name, or the one that it needs.
pub(crate) fn made(made: &Made) -> Vec<u8> {
    let mut out = Vec::with_capacity(made.data.len() + 64);
    // That of the first line: the last one may be half of a line's end.
    let ending = lines(&made.frame).map(|line| line.ending).find(|ending| !ending.is_empty()).unwrap_or(b"\n");
    for line in lines(&made.frame) {
        if let Some(name) = line.field("event") {
            out.extend_from_slice(b"event: ");
            out.extend_from_slice(made.name.map_or(name, str::as_bytes));
            out.extend_from_slice(ending);
        }
    }
    for text in made.data.split('\n') {
        out.extend_from_slice(b"data: ");
        out.extend_from_slice(text.as_bytes());
        out.extend_from_slice(ending);
    }
    out.extend_from_slice(ending);
    out
}
