//! AWS event streams of any bytes, against themselves at another split. Run with `cargo +nightly fuzz run event_stream`.
//!
//! The first byte of the input is the size of the chunks; a bit of it also asks for checksums that are right, which no
//! fuzzer guesses: the message is then put together from the rest, its first two bytes being lengths.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tollgate_token_extractor::event_stream::{Error, EventStream, Head, MAX_VALUE, Sink};

/// Head, payload and outcome of each message.
#[derive(Debug, Default, PartialEq)]
struct Messages {
    open: Option<(Head, Vec<u8>)>,
    ended: Vec<(Head, Vec<u8>, bool)>,
}

impl Sink for Messages {
    fn begin(&mut self, head: &Head) {
        let values = [head.message_type(), head.event_type(), head.exception_type(), head.content_type()];
        assert!(self.open.is_none() && values.iter().all(|value| value.len() <= MAX_VALUE));
        self.open = Some((head.clone(), Vec::new()));
    }

    fn data(&mut self, piece: &[u8]) {
        assert!(!piece.is_empty());
        self.open.as_mut().expect("data belongs to a message").1.extend_from_slice(piece);
    }

    fn end(&mut self, intact: bool) {
        let (head, payload) = self.open.take().expect("a message begins before it ends");
        self.ended.push((head, payload, intact));
    }
}

fn read(bytes: &[u8], size: usize) -> (Messages, Result<(), Error>) {
    let (mut stream, mut messages) = (EventStream::default(), Messages::default());
    let pushed = bytes.chunks(size).try_for_each(|chunk| stream.push(chunk, &mut messages));
    assert!(stream.heap_bytes() <= 6 * 2 * MAX_VALUE + 32);
    let finished = stream.finish(&mut messages);
    assert!(messages.open.is_none() && (pushed.is_ok() || pushed == finished));
    (messages, finished)
}

/// Messages with the lengths that the bytes ask for, and checksums that are right.
fn messages(bytes: &[u8]) -> Vec<u8> {
    let (mut stream, mut rest) = (Vec::new(), bytes);
    while let [headers, payload, data @ ..] = rest {
        let (headers, payload) = (usize::from(*headers), usize::from(*payload));
        let (data, behind) = data.split_at((headers + payload).min(data.len()));
        let mut message = (16 + data.len() as u32).to_be_bytes().to_vec();
        message.extend((headers as u32).to_be_bytes());
        message.extend(checksum(&message).to_be_bytes());
        message.extend(data);
        message.extend(checksum(&message).to_be_bytes());
        stream.extend(message);
        rest = behind;
    }
    stream
}

fn checksum(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| if sum & 1 == 1 { sum >> 1 ^ 0xEDB8_8320 } else { sum >> 1 })
    })
}

fuzz_target!(|input: &[u8]| {
    let [size, bytes @ ..] = input else { return };
    let bytes = if size & 1 == 1 { messages(bytes) } else { bytes.to_vec() };
    assert_eq!(read(&bytes, usize::from(size >> 1).max(1)), read(&bytes, bytes.len().max(1)));
});
