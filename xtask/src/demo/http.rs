//! The few HTTP requests that the demo itself makes, to addresses of this machine.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// Longest wait for a connection, and for each read.
const PATIENCE: Duration = Duration::from_secs(5);
/// Largest answer that is read, in bytes.
const LARGEST: u64 = 256 << 20;

/// The body of `GET path`, where the status is 200.
pub(crate) fn get(port: u16, path: &str) -> io::Result<String> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut connection = TcpStream::connect_timeout(&address, PATIENCE)?;
    connection.set_read_timeout(Some(PATIENCE))?;
    write!(connection, "GET {path} HTTP/1.1\r\nhost: {address}\r\naccept: */*\r\nconnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    connection.take(LARGEST).read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(|| bad("the answer has no end of its head"))?;
    let status = head.split(' ').nth(1).unwrap_or_default();
    if status != "200" {
        return Err(bad(&format!("status {status}")));
    }
    if head.to_ascii_lowercase().contains("transfer-encoding: chunked") { unchunk(body) } else { Ok(body.to_owned()) }
}

/// Joins the chunks of a body (RFC 9112, section 7.1).
fn unchunk(mut rest: &str) -> io::Result<String> {
    let mut body = String::new();
    loop {
        let (size, after) = rest.split_once("\r\n").ok_or_else(|| bad("a chunk has no size"))?;
        let size = usize::from_str_radix(size.split(';').next().unwrap_or_default().trim(), 16)
            .map_err(|_| bad("a chunk's size is not a number"))?;
        if size == 0 {
            return Ok(body);
        }
        let chunk = after.get(..size).ok_or_else(|| bad("a chunk is cut off"))?;
        body.push_str(chunk);
        rest =
            after.get(size..).and_then(|after| after.strip_prefix("\r\n")).ok_or_else(|| bad("a chunk has no end"))?;
    }
}

fn bad(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_joined_and_a_cut_body_is_refused() {
        assert_eq!(unchunk("5\r\nhello\r\n1;x=y\r\n!\r\n0\r\n\r\n").unwrap(), "hello!");
        for cut in ["5\r\nhel", "5\r\nhello\r\n", "", "zz\r\n"] {
            assert!(unchunk(cut).is_err(), "{cut:?}");
        }
    }
}
