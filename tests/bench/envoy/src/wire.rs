//! HTTP/1.1 as both sides of this program need it: heads, bodies with a length and in chunks, connections that stay.
//!
//! Written by hand, so that the program knows of every HTTP chunk when it comes, and costs its own core little.

use crate::fault::Fault;
use std::io::ErrorKind;
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::TcpStream;

/// Most header fields of a message.
const MAX_FIELDS: usize = 64;
/// Largest head, in bytes.
const MAX_HEAD: usize = 65_536;
/// Bytes that a read asks for at least.
const READ: usize = 65_536;

/// The request header that tells the provider which lane an exchange is of.
pub(crate) const LANE: &str = "x-lane";

/// How the end of a body is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// `content-length`.
    Sized(usize),
    /// `transfer-encoding: chunked`.
    Chunked,
}

/// What is read of a head.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    /// Status of an answer; 0 of a request.
    pub(crate) status: u16,
    /// How the body ends.
    pub(crate) framing: Framing,
    /// The lane that a request names.
    pub(crate) lane: Option<usize>,
    /// Whether the other side will close the connection after this message.
    pub(crate) close: bool,
}

/// Which of the two kinds of message comes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// A request.
    Request,
    /// An answer.
    Answer,
}

/// What a body is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Piece<'a> {
    /// Bytes of it.
    Data(&'a [u8]),
    /// The end of an HTTP chunk.
    ChunkEnd,
}

/// A connection, and what has been read from it ahead.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    start: usize,
}

impl Connection {
    /// Wraps a connection, which sends every write at once from now on.
    ///
    /// # Errors
    /// The system refuses `TCP_NODELAY`.
    pub(crate) fn new(stream: TcpStream) -> Result<Self, Fault> {
        stream.set_nodelay(true).map_err(Fault::system("TCP_NODELAY"))?;
        Ok(Self { stream, buffer: Vec::with_capacity(READ), start: 0 })
    }

    /// Connects to a port of this machine.
    ///
    /// # Errors
    /// Nobody listens there.
    pub(crate) async fn open(port: u16) -> Result<Self, Fault> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.map_err(Fault::system("connecting"))?;
        Self::new(stream)
    }

    /// Sends bytes.
    ///
    /// # Errors
    /// The connection is over.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.stream.write_all(bytes).await.map_err(Fault::system("sending"))
    }

    /// Waits until the other side has closed the connection, or sends what nobody asked for.
    pub(crate) async fn closed(&self) {
        // Readiness may be told without cause, so a read has to say. A failure to wait is an end as well.
        while self.stream.ready(Interest::READABLE).await.is_ok() {
            match self.stream.try_read(&mut [0]) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                _ => return,
            }
        }
    }

    /// Reads a head; `None` where the connection ended before one.
    ///
    /// # Errors
    /// What came is no head.
    pub(crate) async fn head(&mut self, kind: Kind) -> Result<Option<Head>, Fault> {
        loop {
            let unread = self.unread();
            if !unread.is_empty()
                && let Some((head, used)) = parse(unread, kind)?
            {
                self.consume(used);
                return Ok(Some(head));
            }
            if unread.len() > MAX_HEAD {
                return Err(Fault::Protocol(format!("a head of more than {MAX_HEAD} bytes")));
            }
            match self.fill().await {
                Ok(0) if self.unread().is_empty() => return Ok(None),
                Ok(0) => return Err(Fault::CutOff { received: 0 }),
                Ok(_) => {}
                Err(_) if self.unread().is_empty() => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    }

    /// Reads a body and gives it in pieces, as they come.
    ///
    /// # Errors
    /// It ends early, or is not framed as was said.
    pub(crate) async fn body(&mut self, framing: Framing, mut each: impl FnMut(Piece<'_>)) -> Result<(), Fault> {
        let mut decoder = Decoder::new(framing);
        loop {
            let used = decoder.feed(self.unread(), &mut each)?;
            self.consume(used);
            if decoder.state == State::Done {
                return Ok(());
            }
            if self.fill().await.unwrap_or(0) == 0 {
                return Err(Fault::CutOff { received: decoder.received });
            }
        }
    }

    fn unread(&self) -> &[u8] {
        self.buffer.get(self.start..).unwrap_or_default()
    }

    fn consume(&mut self, bytes: usize) {
        self.start = self.start.saturating_add(bytes);
        if self.start >= self.buffer.len() {
            self.buffer.clear();
            self.start = 0;
        }
    }

    async fn fill(&mut self) -> Result<usize, Fault> {
        if self.start > READ {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        self.buffer.reserve(READ / 2);
        self.stream.read_buf(&mut self.buffer).await.map_err(Fault::system("receiving"))
    }
}

fn parse(bytes: &[u8], kind: Kind) -> Result<Option<(Head, usize)>, Fault> {
    let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let wrong = |error: httparse::Error| Fault::Protocol(error.to_string());
    let (status, used, fields) = match kind {
        Kind::Request => {
            let mut request = httparse::Request::new(&mut fields);
            let httparse::Status::Complete(used) = request.parse(bytes).map_err(wrong)? else { return Ok(None) };
            (0, used, &*request.headers)
        }
        Kind::Answer => {
            let mut answer = httparse::Response::new(&mut fields);
            let httparse::Status::Complete(used) = answer.parse(bytes).map_err(wrong)? else { return Ok(None) };
            (answer.code.unwrap_or(0), used, &*answer.headers)
        }
    };
    let mut head = Head { status, framing: Framing::Sized(0), lane: None, close: false };
    for field in fields {
        let value = std::str::from_utf8(field.value).unwrap_or_default();
        let number = || value.parse().map_err(|_| Fault::Protocol(format!("{}: {value}", field.name)));
        if field.name.eq_ignore_ascii_case("content-length") {
            head.framing = Framing::Sized(number()?);
        } else if field.name.eq_ignore_ascii_case("transfer-encoding") {
            head.framing = Framing::Chunked;
        } else if field.name.eq_ignore_ascii_case(LANE) {
            head.lane = Some(number()?);
        } else if field.name.eq_ignore_ascii_case("connection") {
            head.close = value.eq_ignore_ascii_case("close");
        }
    }
    Ok(Some((head, used)))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Bytes to come of a body with a length.
    Sized(usize),
    /// The line with the size of a chunk.
    Size,
    /// Bytes to come of a chunk.
    Chunk(usize),
    /// The line end behind a chunk.
    ChunkEnd,
    /// Trailers, up to an empty line.
    Trailers,
    Done,
}

#[derive(Debug)]
struct Decoder {
    state: State,
    received: usize,
}

impl Decoder {
    const fn new(framing: Framing) -> Self {
        let state = match framing {
            Framing::Sized(0) => State::Done,
            Framing::Sized(length) => State::Sized(length),
            Framing::Chunked => State::Size,
        };
        Self { state, received: 0 }
    }

    /// Takes what can be taken of `input`, and says how much that is.
    fn feed(&mut self, input: &[u8], each: &mut impl FnMut(Piece<'_>)) -> Result<usize, Fault> {
        let mut rest = input;
        loop {
            match self.state {
                State::Sized(left) | State::Chunk(left) if !rest.is_empty() => {
                    let (data, after) = rest.split_at(left.min(rest.len()));
                    self.received += data.len();
                    each(Piece::Data(data));
                    rest = after;
                    self.state = match (self.state, left - data.len()) {
                        (State::Sized(_), 0) => State::Done,
                        (State::Sized(_), left) => State::Sized(left),
                        (_, 0) => State::ChunkEnd,
                        (_, left) => State::Chunk(left),
                    };
                }
                State::Size | State::ChunkEnd | State::Trailers => {
                    let Some((line, after)) = split_line(rest) else { break };
                    rest = after;
                    self.state = match self.state {
                        State::Size => match chunk_size(line)? {
                            0 => State::Trailers,
                            size => State::Chunk(size),
                        },
                        State::ChunkEnd if line.is_empty() => {
                            each(Piece::ChunkEnd);
                            State::Size
                        }
                        State::ChunkEnd => return Err(Fault::Protocol("bytes behind a chunk".to_owned())),
                        _ if line.is_empty() => State::Done,
                        _ => State::Trailers,
                    };
                }
                _ => break,
            }
        }
        Ok(input.len() - rest.len())
    }
}

fn split_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = bytes.windows(2).position(|pair| pair == b"\r\n")?;
    Some((bytes.get(..at)?, bytes.get(at + 2..)?))
}

fn chunk_size(line: &[u8]) -> Result<usize, Fault> {
    let text = std::str::from_utf8(line).unwrap_or_default();
    usize::from_str_radix(text, 16).map_err(|_| Fault::Protocol(format!("chunk size {text:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(framing: Framing, text: &str, at_a_time: usize) -> (String, usize, State) {
        let (mut out, mut chunks, mut decoder) = (Vec::new(), 0, Decoder::new(framing));
        let (mut start, mut end) = (0, 0);
        while end < text.len() {
            end = (end + at_a_time).min(text.len());
            start += decoder
                .feed(&text.as_bytes()[start..end], &mut |piece| match piece {
                    Piece::Data(data) => out.extend_from_slice(data),
                    Piece::ChunkEnd => chunks += 1,
                })
                .unwrap();
        }
        (String::from_utf8(out).unwrap(), chunks, decoder.state)
    }

    #[test]
    fn bodies_are_the_same_however_they_are_cut() {
        for at_a_time in 1..40 {
            let chunked = "5\r\nhello\r\n7\r\n, world\r\n0\r\nx-trailer: 1\r\n\r\n";
            assert_eq!(decoded(Framing::Chunked, chunked, at_a_time), ("hello, world".to_owned(), 2, State::Done));
            assert_eq!(decoded(Framing::Sized(5), "hello", at_a_time), ("hello".to_owned(), 0, State::Done));
        }
    }

    #[test]
    fn what_follows_a_body_is_left() {
        let mut decoder = Decoder::new(Framing::Sized(5));
        assert_eq!(decoder.feed(b"helloHTTP/1.1", &mut |_| {}).unwrap(), 5);
    }

    #[test]
    fn heads() {
        let request = "POST / HTTP/1.1\r\nX-Lane: 7\r\nContent-Length: 12\r\n\r\n";
        let (head, used) = parse(format!("{request}body").as_bytes(), Kind::Request).unwrap().unwrap();
        assert_eq!((head.lane, head.framing, used), (Some(7), Framing::Sized(12), request.len()));
        let (head, _) =
            parse(b"HTTP/1.1 503 No\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n", Kind::Answer)
                .unwrap()
                .unwrap();
        assert_eq!((head.status, head.framing, head.close), (503, Framing::Chunked, true));
        assert!(parse(b"HTTP/1.1 200", Kind::Answer).unwrap().is_none());
    }
}
