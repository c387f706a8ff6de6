//! As much HTTP/1.1 as both ends of a test need, over raw sockets.

use std::io::{self, BufRead, Read};

/// A message head: its first line and its headers, names in lower case.
pub(crate) struct Head {
    pub(crate) first: String,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
}

impl Head {
    /// Reads a head; `None` where the peer closed before one.
    pub(crate) fn read(from: &mut impl BufRead) -> io::Result<Option<Self>> {
        let first = line(from)?;
        if first.is_empty() {
            return Ok(None);
        }
        let mut headers = Vec::new();
        loop {
            let line = line(from)?;
            if line.is_empty() {
                break;
            }
            let colon = line.iter().position(|byte| *byte == b':').ok_or(io::ErrorKind::InvalidData)?;
            let name = String::from_utf8_lossy(&line[..colon]).to_ascii_lowercase();
            headers.push((name, line[colon + 1..].trim_ascii().to_vec()));
        }
        Ok(Some(Self { first: String::from_utf8_lossy(&first).into_owned(), headers }))
    }

    pub(crate) fn get(&self, name: &str) -> Option<String> {
        let (_, value) = self.headers.iter().find(|(key, _)| key == name)?;
        Some(String::from_utf8_lossy(value).into_owned())
    }

    /// Reads the body that belongs to the head. `until_close` is for answers that say no length.
    pub(crate) fn body(&self, from: &mut impl BufRead, until_close: bool) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        self.read_body(from, until_close, &mut body)?;
        Ok(body)
    }

    /// The same, into `body`, which has what came if the rest does not.
    pub(crate) fn read_body(&self, from: &mut impl BufRead, until_close: bool, body: &mut Vec<u8>) -> io::Result<()> {
        if self.get("transfer-encoding").is_some_and(|value| value.contains("chunked")) {
            while chunk(from, body, &mut Vec::new())? {}
        } else if let Some(length) = self.get("content-length") {
            let length: u64 = length.parse().map_err(|_| io::ErrorKind::InvalidData)?;
            if from.take(length).read_to_end(body)? as u64 != length {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        } else if until_close {
            from.read_to_end(body)?;
        }
        Ok(())
    }
}

/// Appends one chunk of a chunked body; `false` after the last one, with its trailers as they were written.
pub(crate) fn chunk(from: &mut impl BufRead, body: &mut Vec<u8>, trailers: &mut Vec<String>) -> io::Result<bool> {
    let size = line(from)?;
    let size = String::from_utf8_lossy(&size);
    let size = u64::from_str_radix(size.split(';').next().unwrap_or_default().trim(), 16)
        .map_err(|_| io::Error::from(io::ErrorKind::UnexpectedEof))?;
    if size == 0 {
        loop {
            let line = line(from)?;
            if line.is_empty() {
                return Ok(false);
            }
            trailers.push(String::from_utf8_lossy(&line).into_owned());
        }
    }
    if from.take(size).read_to_end(body)? as u64 != size {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    line(from)?;
    Ok(true)
}

fn line(from: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    from.take(1 << 20).read_until(b'\n', &mut line)?;
    while line.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
        line.pop();
    }
    Ok(line)
}
