//! Answers of the provider, as bytes on the wire.

/// Bytes that are written at once.
#[derive(Debug, Default)]
pub(crate) struct Step {
    /// What is written.
    pub(crate) bytes: Vec<u8>,
    /// How far the caller is when it has all of it: 1 for the head, and 1 for each byte of the body.
    pub(crate) until: usize,
}

/// How an answer ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum End {
    /// As HTTP has it.
    #[default]
    Whole,
    /// The provider closes the connection when the caller has got the last step.
    Broken,
}

/// An answer.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    /// Status.
    pub(crate) status: u16,
    /// Bytes of the body.
    pub(crate) body: usize,
    /// HTTP chunks as they are sent; 0 where the body has a length.
    pub(crate) chunks: usize,
    /// What is written, one after the other.
    pub(crate) steps: Vec<Step>,
    /// How it ends.
    pub(crate) end: End,
}

impl Answer {
    /// A document, with a length, in one write.
    pub(crate) fn document(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Self {
        let mut bytes = head(status, headers, &format!("content-length: {}", body.len()));
        bytes.extend_from_slice(body);
        let steps = vec![Step { bytes, until: 1 + body.len() }];
        Self { status, body: body.len(), chunks: 0, steps, end: End::Whole }
    }

    /// A body in one HTTP chunk and one write.
    pub(crate) fn whole(headers: &[(&str, &str)], body: &[u8]) -> Self {
        let mut bytes = head(200, headers, CHUNKED);
        bytes.extend_from_slice(&chunk(body));
        bytes.extend_from_slice(LAST);
        let steps = vec![Step { bytes, until: 1 + body.len() }];
        Self { status: 200, body: body.len(), chunks: 1, steps, end: End::Whole }
    }

    /// A head, and then each part in an HTTP chunk and a step of its own.
    pub(crate) fn stepwise<'a>(headers: &[(&str, &str)], parts: impl IntoIterator<Item = &'a [u8]>, end: End) -> Self {
        let mut steps = vec![Step { bytes: head(200, headers, CHUNKED), until: 1 }];
        let mut body = 0;
        for part in parts {
            body += part.len();
            steps.push(Step { bytes: chunk(part), until: 1 + body });
        }
        if end == End::Whole
            && let Some(last) = steps.last_mut()
        {
            last.bytes.extend_from_slice(LAST);
        }
        Self { status: 200, body, chunks: steps.len() - 1, steps, end }
    }
}

const CHUNKED: &str = "transfer-encoding: chunked";
const LAST: &[u8] = b"0\r\n\r\n";

fn head(status: u16, headers: &[(&str, &str)], framing: &str) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status} Said\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("{framing}\r\n\r\n"));
    head.into_bytes()
}

fn chunk(data: &[u8]) -> Vec<u8> {
    let mut chunk = format!("{:x}\r\n", data.len()).into_bytes();
    chunk.extend_from_slice(data);
    chunk.extend_from_slice(b"\r\n");
    chunk
}
