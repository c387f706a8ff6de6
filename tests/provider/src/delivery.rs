//! Hands the frames of an answer to the transport, with the pauses, the cut and the trailer that the request asked
//! for, and writes the call into the ledger when it ends.

use crate::answer::Frame;
use crate::directives::Directives;
use crate::ledger::{Cut, Ledger, Served};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http_body::{Body, Frame as BodyFrame, SizeHint};
use std::collections::VecDeque;
use std::future::Future;
use std::io::{self, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Sleep, sleep};

/// Between the last frame before a cut and the cut: the transport writes what it holds before it sees the error.
const GRACE_BEFORE_CUT: Duration = Duration::from_millis(50);

/// The ledger's line for one call, written when the call ends: whole, cut, or dropped because the client left.
#[derive(Debug)]
pub(crate) struct Entry {
    ledger: Arc<Ledger>,
    served: Option<Served>,
}

impl Entry {
    pub(crate) fn open(ledger: Arc<Ledger>, served: Served) -> Self {
        Self { ledger, served: Some(served) }
    }

    /// Changes the line while it is not written yet.
    pub(crate) fn update(&mut self, change: impl FnOnce(&mut Served)) {
        if let Some(served) = &mut self.served {
            change(served);
        }
    }

    fn close(&mut self, cut: Option<Cut>) {
        if let Some(served) = self.served.take() {
            self.ledger.add(Served { cut, ..served });
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.close(Some(Cut::Client));
    }
}

/// The body of an answer.
pub(crate) struct Delivery {
    frames: VecDeque<Frame>,
    sent: usize,
    /// Bytes in all, where the body is one frame: the `content-length`.
    length: Option<u64>,
    chunk_delay: Duration,
    cut_after: Option<usize>,
    trailers: bool,
    pause: Option<Pin<Box<Sleep>>>,
    entry: Entry,
}

impl Delivery {
    pub(crate) fn new(mut frames: Vec<Frame>, wishes: &Directives, mut entry: Entry) -> Self {
        let length = match frames.as_slice() {
            [body] if !wishes.trailers => u64::try_from(body.bytes.len()).ok(),
            _ => None,
        };
        let planned = frames.len();
        entry.update(|served| served.frames_planned = planned);
        let mut cut_after = wishes.cut_after_chunks.filter(|after| *after < planned);
        if let ([body], Some(_)) = (frames.as_mut_slice(), wishes.cut_after_chunks) {
            // A JSON body is cut in its middle, so that no reader can take it for whole.
            body.bytes = body.bytes.slice(..body.bytes.len() / 2);
            (body.usage, body.error) = (None, None);
            cut_after = Some(1);
        }
        Self {
            frames: frames.into(),
            sent: 0,
            length,
            chunk_delay: wishes.chunk_delay,
            cut_after,
            trailers: wishes.trailers,
            pause: None,
            entry,
        }
    }

    /// The pause before the next frame or the cut, if there is one.
    fn pause_before_next(&self) -> Option<Duration> {
        if self.cut_after == Some(self.sent) {
            return Some(GRACE_BEFORE_CUT);
        }
        (self.sent > 0 && !self.frames.is_empty() && !self.chunk_delay.is_zero()).then_some(self.chunk_delay)
    }

    fn next_frame(&mut self) -> Option<io::Result<BodyFrame<Bytes>>> {
        if self.cut_after == Some(self.sent) {
            self.frames.clear();
            self.cut_after = None;
            self.entry.close(Some(Cut::Provider));
            return Some(Err(io::Error::new(io::ErrorKind::ConnectionAborted, "cut off as the request asked")));
        }
        let Some(frame) = self.frames.pop_front() else {
            return std::mem::take(&mut self.trailers).then(|| Ok(BodyFrame::trailers(trailer())));
        };
        self.sent += 1;
        self.entry.update(|served| {
            served.frames += 1;
            served.usage = frame.usage.or(served.usage);
            served.error = frame.error.or(served.error.take());
        });
        if self.frames.is_empty() && self.cut_after != Some(self.sent) {
            // Nobody asks again after the last byte of a body with a known length, so the call ends here.
            self.entry.close(None);
        }
        Some(Ok(BodyFrame::data(frame.bytes)))
    }
}

fn trailer() -> HeaderMap {
    HeaderMap::from_iter([(HeaderName::from_static("x-sim-trailer"), HeaderValue::from_static("end"))])
}

impl Body for Delivery {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<BodyFrame<Bytes>, io::Error>>> {
        if self.pause.is_none() {
            self.pause = self.pause_before_next().map(|duration| Box::pin(sleep(duration)));
        }
        if let Some(pause) = self.pause.as_mut() {
            ready!(pause.as_mut().poll(context));
            self.pause = None;
        }
        Poll::Ready(self.next_frame())
    }

    fn size_hint(&self) -> SizeHint {
        // Asked once, before the first frame.
        self.length.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// The frames compressed with gzip, each flushed so that it can be read when it arrives.
///
/// # Errors
/// Those of the compressor.
pub(crate) fn compress(frames: Vec<Frame>) -> io::Result<Vec<Frame>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let mut compressed = Vec::with_capacity(frames.len());
    for frame in frames {
        encoder.write_all(&frame.bytes)?;
        encoder.flush()?;
        compressed.push(Frame { bytes: std::mem::take(encoder.get_mut()).into(), ..frame });
    }
    let end = encoder.finish()?;
    if let Some(last) = compressed.last_mut() {
        last.bytes = [last.bytes.as_ref(), &end].concat().into();
    }
    Ok(compressed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn compressed_frames_join_to_one_gzip_text() {
        let frames = vec![Frame::raw_event(None, "one"), Frame::raw_event(None, "two")];
        let compressed = compress(frames).unwrap();
        let joined = compressed.iter().flat_map(|frame| frame.bytes.to_vec()).collect::<Vec<_>>();
        let mut text = String::new();
        flate2::read::GzDecoder::new(joined.as_slice()).read_to_string(&mut text).unwrap();
        assert_eq!(text, "data: one\n\ndata: two\n\n");
    }

    #[test]
    fn the_first_compressed_frame_can_be_read_alone() {
        let compressed = compress(vec![Frame::raw_event(None, "one"), Frame::raw_event(None, "two")]).unwrap();
        let mut first = [0; 11];
        flate2::read::GzDecoder::new(compressed[0].bytes.as_ref()).read_exact(&mut first).unwrap();
        assert_eq!(&first, b"data: one\n\n");
    }
}
