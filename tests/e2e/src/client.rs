//! A client over a raw socket, which can send what no well-behaved client would.

use crate::wire::{self, Head};
use std::io::{self, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(20);

/// An answer.
pub struct Response {
    /// Status.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body, as far as it came.
    pub body: Vec<u8>,
    /// Trailers, a line each.
    pub trailers: Vec<String>,
    /// Whether the body came to its end.
    pub whole: bool,
}

impl Response {
    /// Value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_slice())
    }
}

/// Posts JSON and reads the whole answer.
#[must_use]
pub fn post(port: u16, path: &str, body: &[u8]) -> Response {
    request(port, "POST", path, &[("content-type", b"application/json")], body)
}

/// Sends a request and reads the whole answer.
#[must_use]
pub fn request(port: u16, method: &str, path: &str, headers: &[(&str, &[u8])], body: &[u8]) -> Response {
    Exchange::begin(port, method, path, headers, body).finish()
}

/// Gets a text, for Envoy's admin interface.
///
/// # Errors
/// Where nobody answers.
pub fn get_text(port: u16, path: &str) -> io::Result<(u16, String)> {
    let mut exchange = Exchange::try_begin(port, "GET", path, &[], b"")?;
    let head = exchange.try_head()?;
    let response = exchange.rest(head);
    Ok((response.status, String::from_utf8_lossy(&response.body).into_owned()))
}

/// A request that was sent, and whose answer is read step by step.
pub struct Exchange {
    socket: BufReader<TcpStream>,
}

impl Exchange {
    /// Connects and sends a request.
    #[must_use]
    pub fn begin(port: u16, method: &str, path: &str, headers: &[(&str, &[u8])], body: &[u8]) -> Self {
        Self::try_begin(port, method, path, headers, body).expect("the request is sent")
    }

    fn try_begin(port: u16, method: &str, path: &str, headers: &[(&str, &[u8])], body: &[u8]) -> io::Result<Self> {
        let mut socket = TcpStream::connect(("127.0.0.1", port))?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.set_write_timeout(Some(PATIENCE))?;
        let mut bytes = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\n").into_bytes();
        if !headers.iter().any(|(name, _)| *name == "host") {
            bytes.extend_from_slice(b"host: api.openai.com\r\n");
        }
        for (name, value) in headers {
            bytes.extend_from_slice(name.as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
        bytes.extend_from_slice(body);
        socket.write_all(&bytes)?;
        Ok(Self { socket: BufReader::new(socket) })
    }

    /// Reads the head of the answer.
    #[must_use]
    pub fn head(&mut self) -> Response {
        self.try_head().expect("an answer comes")
    }

    fn try_head(&mut self) -> io::Result<Response> {
        let head = Head::read(&mut self.socket)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        let status =
            head.first.split(' ').nth(1).and_then(|text| text.parse().ok()).ok_or(io::ErrorKind::InvalidData)?;
        Ok(Response { status, headers: head.headers, body: Vec::new(), trailers: Vec::new(), whole: false })
    }

    /// Reads the next chunk of a chunked answer; `false` at the end.
    pub fn chunk(&mut self, body: &mut Vec<u8>) -> bool {
        wire::chunk(&mut self.socket, body, &mut Vec::new()).expect("a chunk comes")
    }

    /// Reads the answer to its end, or to where it breaks off.
    #[must_use]
    pub fn finish(mut self) -> Response {
        let head = self.head();
        self.rest(head)
    }

    /// Reads what is left of an answer whose head was read.
    #[must_use]
    pub fn rest(mut self, mut response: Response) -> Response {
        let head = Head { first: String::new(), headers: std::mem::take(&mut response.headers) };
        let chunked = head.get("transfer-encoding").is_some();
        response.whole = if chunked {
            loop {
                match wire::chunk(&mut self.socket, &mut response.body, &mut response.trailers) {
                    Ok(true) => {}
                    Ok(false) => break true,
                    Err(_) => break false,
                }
            }
        } else {
            head.read_body(&mut self.socket, true, &mut response.body).is_ok()
        };
        response.headers = head.headers;
        response
    }
}
