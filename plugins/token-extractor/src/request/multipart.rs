//! Forms (`multipart/form-data`, RFC 7578), as uploads of audio and images are sent: the small fields beside the file.
//!
//! A part is read only if it has a name and no file name; a field longer than a name may be is passed over. What is
//! held is the tail that may be the beginning of a boundary, and the field being read.

use crate::facts::MAX_NAME;
use tollgate_json::Text;

/// Bytes of the longest boundary (RFC 2046, section 5.1.1).
const MAX_BOUNDARY: usize = 70;
/// Bytes of a part's headers that are held.
const MAX_HEADERS: usize = 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before the first boundary, in a part that is passed over.
    Skip,
    /// Behind a boundary.
    Boundary,
    /// In the headers of a part.
    Headers,
    /// In a field that is read.
    Field,
    /// Behind the last part.
    End,
}

/// Reads one form.
#[derive(Debug)]
pub(crate) struct Multipart {
    /// A line end, two dashes and the boundary itself.
    delimiter: Vec<u8>,
    state: State,
    /// Bytes of the delimiter that the last bytes have matched.
    matched: usize,
    name: Vec<u8>,
    held: Vec<u8>,
}

impl Multipart {
    /// A form by its content type; `None` for what is no form.
    pub(crate) fn new(content_type: &[u8]) -> Option<Self> {
        let value = str::from_utf8(content_type).ok()?;
        let (kind, parameters) = value.split_once(';')?;
        if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
            return None;
        }
        let boundary = parameters.split(';').find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            name.trim().eq_ignore_ascii_case("boundary").then(|| value.trim().trim_matches('"'))
        })?;
        if boundary.is_empty() || boundary.len() > MAX_BOUNDARY {
            return None;
        }
        let delimiter = [b"\r\n--", boundary.as_bytes()].concat();
        // The first delimiter may stand at the very beginning, without a line end.
        Some(Self { delimiter, state: State::Skip, matched: 2, name: Vec::new(), held: Vec::new() })
    }

    /// Reads the next bytes, and gives the fields that end in them.
    pub(crate) fn push(&mut self, chunk: &[u8], mut field: impl FnMut(&[u8], Text<'_>)) {
        let mut rest = chunk;
        while let Some((&byte, left)) = rest.split_first() {
            rest = left;
            match self.state {
                State::End => return,
                State::Boundary => {
                    // Dashes end the form, a line end begins a part; white space may stand before it.
                    self.held.push(byte);
                    if self.held.ends_with(b"--") {
                        self.state = State::End;
                    } else if byte == b'\n' {
                        self.held.clear();
                        self.state = State::Headers;
                    } else if self.held.len() > MAX_BOUNDARY {
                        self.state = State::End;
                    }
                }
                State::Headers => {
                    self.held.push(byte);
                    if self.held.ends_with(b"\r\n\r\n") || self.held == b"\r\n" {
                        self.state = if self.read_headers() { State::Field } else { State::Skip };
                        self.held.clear();
                        self.matched = 0;
                    } else if self.held.len() > MAX_HEADERS {
                        self.state = State::Skip;
                    }
                }
                State::Skip if self.matched == 0 && byte != b'\r' => {
                    // Files are long; only a line end can begin what ends them.
                    rest = memchr::memchr(b'\r', rest).and_then(|at| rest.get(at..)).unwrap_or_default();
                }
                State::Skip | State::Field => self.content(byte, &mut field),
            }
        }
    }

    fn content(&mut self, byte: u8, field: &mut impl FnMut(&[u8], Text<'_>)) {
        if self.delimiter.get(self.matched) == Some(&byte) {
            self.matched += 1;
            if self.matched == self.delimiter.len() {
                if self.state == State::Field && self.held.len() <= MAX_NAME {
                    field(&self.name, Text { bytes: &self.held, whole: true });
                }
                self.held.clear();
                self.matched = 0;
                self.state = State::Boundary;
            }
            return;
        }
        let matched = std::mem::take(&mut self.matched);
        if self.state == State::Field {
            let (held, delimiter) = (&mut self.held, &self.delimiter);
            held.extend_from_slice(delimiter.get(..matched).unwrap_or_default());
            if byte != b'\r' {
                held.push(byte);
            }
            if held.len() > MAX_NAME {
                held.truncate(MAX_NAME + 1);
            }
        }
        // The delimiter begins with the only line end in it, so a match that fails can begin again only here.
        self.matched = usize::from(byte == b'\r');
    }

    /// Reads the headers of a part; whether it is a field.
    fn read_headers(&mut self) -> bool {
        let headers = String::from_utf8_lossy(&self.held);
        let disposition = headers.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.trim().eq_ignore_ascii_case("content-disposition").then(|| value.to_owned())
        });
        let parameter = |wanted: &str| {
            disposition.as_deref()?.split(';').find_map(|parameter| {
                let (name, value) = parameter.split_once('=')?;
                (name.trim() == wanted).then(|| value.trim().trim_matches('"').to_owned())
            })
        };
        match (parameter("name"), parameter("filename").or(parameter("filename*"))) {
            (Some(name), None) => {
                self.name = name.into_bytes();
                true
            }
            _ => false,
        }
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.delimiter.capacity() + self.name.capacity() + self.held.capacity()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &[u8], size: usize) -> Vec<(String, String)> {
        let mut form = Multipart::new(b"Multipart/Form-Data; charset=utf-8; boundary=\"xYz\"").unwrap();
        let mut fields = Vec::new();
        for chunk in body.chunks(size) {
            form.push(chunk, |name, value| {
                fields.push((String::from_utf8_lossy(name).into_owned(), value.to_str().into_owned()));
            });
            assert!(form.heap_bytes() < 4096);
        }
        fields
    }

    #[test]
    fn fields_are_read_and_files_are_not_at_every_cut() {
        let long = "l".repeat(300);
        let body = format!(
            "--xYz\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.mp3\"\r\nContent-Type: audio/mpeg\r\n\r\n\
             \0\u{1}\r\n--xYnot\r\r\n--x\r\nmodel\r\n--xYz\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n\
             --xYz  \r\nContent-Disposition: form-data; name=stream\r\n\r\ntrue\r\n--xYz\r\n\
             Content-Disposition: form-data; name=\"prompt\"\r\n\r\n{long}\r\n--xYz\r\n\
             Content-Disposition: form-data; name=\"lines\"\r\n\r\na\r\n--b\r\r\nc\r\n--xYz--\r\n--xYz\r\nafter"
        );
        let expected = [("model", "whisper-1"), ("stream", "true"), ("lines", "a\r\n--b\r\r\nc")];
        let expected: Vec<_> = expected.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        for size in (1..64).chain([body.len()]) {
            assert_eq!(read(body.as_bytes(), size), expected, "in chunks of {size}");
        }
    }

    #[test]
    fn what_is_no_form_is_none() {
        for value in
            ["application/json", "multipart/form-data", "multipart/form-data; boundary=", "multipart/mixed; boundary=a"]
        {
            assert!(Multipart::new(value.as_bytes()).is_none(), "{value}");
        }
    }
}
