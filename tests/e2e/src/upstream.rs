//! A provider that answers with exact bytes, cut and timed as a test wants.

use crate::wire::Head;
use std::io::{BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Request {
    /// Method.
    pub method: String,
    /// Path with query.
    pub path: String,
    /// Headers, names in lower case.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Request {
    /// Value of a header, as text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        let (_, value) = self.headers.iter().find(|(key, _)| key == name)?;
        Some(String::from_utf8_lossy(value).into_owned())
    }
}

/// A step of an answer.
#[derive(Clone, Debug)]
pub enum Piece {
    /// These bytes go to the socket, in one write.
    Bytes(Vec<u8>),
    /// Nothing for so long.
    Pause(Duration),
    /// Nothing until [`Upstream::go_on`].
    Hold,
    /// The connection breaks.
    Reset,
    /// From here on everything that comes goes back, until the peer closes.
    Echo,
}

/// What is written to the socket, head included.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    pieces: Vec<Piece>,
}

impl Answer {
    /// An answer that begins with this head; `headers` without the ones that say the length.
    #[must_use]
    pub fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self { pieces: vec![Piece::Bytes(bytes.into())] }
    }

    /// A JSON answer with status 200.
    #[must_use]
    pub fn json(body: impl AsRef<[u8]>) -> Self {
        Self::sized(200, &[("content-type", "application/json")], body.as_ref())
    }

    /// An answer with `content-length`.
    #[must_use]
    pub fn sized(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Self {
        let mut bytes = head(status, headers);
        bytes.extend_from_slice(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
        bytes.extend_from_slice(body);
        Self::raw(bytes)
    }

    /// A chunked answer, each part a chunk and a write of its own; `end` with [`Answer::end`] or trailers.
    #[must_use]
    pub fn chunked<'a>(status: u16, headers: &[(&str, &str)], parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut bytes = head(status, headers);
        bytes.extend_from_slice(b"transfer-encoding: chunked\r\n\r\n");
        parts.into_iter().filter(|part| !part.is_empty()).fold(Self::raw(bytes), Self::chunk)
    }

    /// A stream of server-sent events that has come to its end.
    #[must_use]
    pub fn events<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        Self::chunked(200, &[("content-type", "text/event-stream; charset=utf-8")], parts).end()
    }

    /// Another chunk.
    #[must_use]
    pub fn chunk(mut self, part: &[u8]) -> Self {
        let mut bytes = format!("{:x}\r\n", part.len()).into_bytes();
        bytes.extend_from_slice(part);
        bytes.extend_from_slice(b"\r\n");
        self.pieces.push(Piece::Bytes(bytes));
        self
    }

    /// The end of a chunked answer.
    #[must_use]
    pub fn end(self) -> Self {
        self.then(Piece::Bytes(b"0\r\n\r\n".to_vec()))
    }

    /// Anything else that happens next.
    #[must_use]
    pub fn then(mut self, piece: Piece) -> Self {
        self.pieces.push(piece);
        self
    }
}

fn head(status: u16, headers: &[(&str, &str)]) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status} Status\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.into_bytes()
}

/// The provider.
pub struct Upstream {
    port: u16,
    stopped: Arc<AtomicBool>,
    served: Arc<AtomicU64>,
    go_on: Sender<()>,
}

impl Upstream {
    /// Starts a provider that answers every request with what `answer` makes of it.
    #[must_use]
    pub fn start(answer: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let stopped = Arc::new(AtomicBool::new(false));
        let served = Arc::new(AtomicU64::new(0));
        let (go_on, held) = mpsc::channel();
        let shared = Arc::new(Shared { answer: Box::new(answer), held: held.into(), served: Arc::clone(&served) });
        let stop = Arc::clone(&stopped);
        thread::spawn(move || {
            for socket in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    break;
                }
                if let Ok(socket) = socket {
                    let shared = Arc::clone(&shared);
                    thread::spawn(move || shared.serve(socket));
                }
            }
        });
        Self { port, stopped, served, go_on }
    }

    /// Where it listens.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Requests that were answered.
    #[must_use]
    pub fn served(&self) -> u64 {
        self.served.load(Ordering::SeqCst)
    }

    /// Lets one answer that is at [`Piece::Hold`] go on.
    pub fn go_on(&self) {
        self.go_on.send(()).expect("the provider runs");
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(("127.0.0.1", self.port)));
    }
}

struct Shared {
    answer: Box<dyn Fn(&Request) -> Answer + Send + Sync>,
    held: std::sync::Mutex<Receiver<()>>,
    served: Arc<AtomicU64>,
}

impl Shared {
    /// Answers the requests of one connection, until an answer ends it or the peer goes away.
    fn serve(&self, socket: TcpStream) -> Option<()> {
        socket.set_nodelay(true).ok()?;
        socket.set_read_timeout(Some(Duration::from_secs(60))).ok()?;
        socket.set_write_timeout(Some(Duration::from_secs(20))).ok()?;
        let mut writer = socket.try_clone().ok()?;
        let mut reader = BufReader::new(socket);
        loop {
            let head = Head::read(&mut reader).ok()??;
            let body = head.body(&mut reader, false).ok()?;
            let mut words = head.first.split(' ').map(str::to_owned);
            let request = Request { method: words.next()?, path: words.next()?, headers: head.headers, body };
            for piece in (self.answer)(&request).pieces {
                match piece {
                    Piece::Bytes(bytes) => writer.write_all(&bytes).ok()?,
                    Piece::Pause(time) => thread::sleep(time),
                    Piece::Hold => self.held.lock().ok()?.recv_timeout(Duration::from_secs(20)).ok()?,
                    Piece::Reset => {
                        writer.shutdown(Shutdown::Both).ok()?;
                        return None;
                    }
                    Piece::Echo => {
                        self.served.fetch_add(1, Ordering::SeqCst);
                        std::io::copy(&mut reader, &mut writer).ok()?;
                        return None;
                    }
                }
            }
            self.served.fetch_add(1, Ordering::SeqCst);
        }
    }
}
