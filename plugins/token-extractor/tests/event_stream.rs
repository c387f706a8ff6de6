//! The framing of AWS event streams: what every message reads as, and that damage is told wherever it is.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::event_stream::{Value, event, message, raw_message};
use proptest::prelude::*;
use tollgate_token_extractor::event_stream::{Error, EventStream, Head, MAX_VALUE, Reason, Sink};

/// A message as it was read.
#[derive(Clone, Debug, Default, PartialEq)]
struct Message {
    head: Head,
    payload: Vec<u8>,
    /// `None` until it has ended.
    intact: Option<bool>,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Messages(Vec<Message>);

impl Messages {
    /// The message that has begun and not ended.
    fn open(&mut self) -> &mut Message {
        self.0.last_mut().filter(|message| message.intact.is_none()).unwrap()
    }
}

impl Sink for Messages {
    fn begin(&mut self, head: &Head) {
        assert!(self.0.last().is_none_or(|message| message.intact.is_some()), "the last message has not ended");
        self.0.push(Message { head: head.clone(), ..Message::default() });
    }
    fn data(&mut self, piece: &[u8]) {
        assert!(!piece.is_empty());
        self.open().payload.extend_from_slice(piece);
    }
    fn end(&mut self, intact: bool) {
        self.open().intact = Some(intact);
    }
}

fn read<'c>(chunks: impl IntoIterator<Item = &'c [u8]>) -> (Vec<Message>, Result<(), Error>) {
    let (mut stream, mut messages) = (EventStream::default(), Messages::default());
    let mut result = Ok(());
    for chunk in chunks {
        let pushed = stream.push(chunk, &mut messages);
        assert!(result.is_ok() || chunk.is_empty() || pushed == result, "an error stays");
        result = result.and(pushed);
    }
    let finished = stream.finish(&mut messages);
    assert!(result.is_ok() || finished == result, "an error stays");
    assert!(messages.0.iter().all(|message| message.intact.is_some()), "every message ends");
    (messages.0, result.and(finished))
}

/// Reads at every split into two, and at every chunk size; all must give the same.
fn read_everyhow(bytes: &[u8]) -> (Vec<Message>, Result<(), Error>) {
    let whole = read([bytes]);
    for cut in 0..=bytes.len() {
        let (head, tail) = bytes.split_at(cut);
        assert_eq!(read([head, b"", tail]), whole, "cut at {cut}");
    }
    for size in 1..=bytes.len() {
        assert_eq!(read(bytes.chunks(size)), whole, "in chunks of {size}");
    }
    whole
}

fn every_type() -> Vec<(&'static str, Value)> {
    vec![
        ("true", Value::True),
        ("false", Value::False),
        ("byte", Value::Byte(-1)),
        (":event-type", Value::text("chunk")),
        ("short", Value::Short(-2)),
        ("integer", Value::Integer(i32::MIN)),
        ("long", Value::Long(i64::MAX)),
        ("bytes", Value::Bytes(vec![7; 300])),
        ("no bytes", Value::Bytes(Vec::new())),
        ("text", Value::text("a text")),
        (":message-type", Value::text("event")),
        ("no text", Value::text("")),
        ("timestamp", Value::Timestamp(1_700_000_000_000)),
        ("uuid", Value::Uuid([9; 16])),
        (":content-type", Value::text("application/json")),
    ]
}

#[test]
fn a_message_of_the_specification_is_what_the_encoder_makes() {
    // The shortest message there is, whose checksums anyone can compute.
    let empty = [0, 0, 0, 16, 0, 0, 0, 0, 0x05, 0xC2, 0x48, 0xEB, 0x7D, 0x98, 0xC8, 0xFF];
    assert_eq!(message(&[], b""), empty);
    let (messages, end) = read_everyhow(&empty);
    assert_eq!(end, Ok(()));
    assert_eq!(messages, [Message { intact: Some(true), ..Message::default() }]);
}

#[test]
fn headers_of_every_type_and_payloads_read_at_every_split() {
    let stream = [
        message(&every_type(), br#"{"bytes":"e30="}"#),
        message(&[], b"no headers"),
        message(&every_type(), b""),
        message(
            &[
                (":message-type", Value::text("exception")),
                (":exception-type", Value::text("throttlingException")),
                // A known name in another type than text says nothing.
                (":event-type", Value::Bytes(b"chunk".to_vec())),
                (":content-type", Value::Integer(1)),
            ],
            br#"{"message":"slow down"}"#,
        ),
        message(
            &[
                (":error-code", Value::text("InternalError")),
                (":error-message", Value::text("über 日本語")),
                (":message-type", Value::text("error")),
                (":message-type-of-another-kind", Value::text("x")),
                (":event-typ", Value::text("x")),
            ],
            b"",
        ),
    ]
    .concat();
    let (messages, end) = read_everyhow(&stream);
    assert_eq!(end, Ok(()));
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let rows: Vec<_> = messages
        .iter()
        .map(|Message { head, payload, intact }| {
            let words = [head.message_type(), head.event_type(), head.exception_type(), head.content_type()].map(text);
            (words, [head.error_code(), head.error_message()].map(text), text(payload), *intact)
        })
        .collect();
    let row = |words: [&str; 4], error: [&str; 2], payload: &str| {
        (words.map(str::to_owned), error.map(str::to_owned), payload.to_owned(), Some(true))
    };
    let json = "application/json";
    assert_eq!(
        rows,
        [
            row(["event", "chunk", "", json], ["", ""], r#"{"bytes":"e30="}"#),
            row(["", "", "", ""], ["", ""], "no headers"),
            row(["event", "chunk", "", json], ["", ""], ""),
            row(["exception", "", "throttlingException", ""], ["", ""], r#"{"message":"slow down"}"#),
            row(["error", "", "", ""], ["InternalError", "über 日本語"], ""),
        ]
    );
}

#[test]
fn every_damaged_byte_is_told_and_the_messages_around_it_are_read() {
    let (first, last) = (event("a", "{}"), event("c", "[]"));
    let middle = message(&every_type(), b"the payload");
    for at in 0..middle.len() {
        for bit in 0..8 {
            let mut damaged = middle.clone();
            damaged[at] ^= 1 << bit;
            let stream = [first.as_slice(), &damaged, &last].concat();
            let (messages, end) = read([stream.as_slice()]);
            assert_eq!(read(stream.chunks(5)), (messages.clone(), end));
            assert_eq!(messages[0].intact, Some(true));
            match end {
                // Where the damage leaves the headers readable, only the checksum at the end can tell.
                Ok(()) => {
                    let intact: Vec<_> = messages.iter().map(|message| message.intact.unwrap()).collect();
                    assert_eq!(intact, [true, false, true], "byte {at}, bit {bit}");
                }
                Err(error) => {
                    assert_eq!((messages.len(), error.offset), (1, first.len() as u64), "byte {at}, bit {bit}");
                    assert_eq!(at < 12, matches!(error.reason, Reason::PreludeChecksum { .. }), "byte {at}, bit {bit}");
                }
            }
        }
    }
}

#[test]
fn a_stream_that_is_cut_off_says_so_wherever_it_is_cut() {
    let (first, second) = (event("a", "{}"), message(&every_type(), b"payload"));
    let payload_at = second.len() - 4 - "payload".len();
    let stream = [first.clone(), second.clone()].concat();
    for cut in 0..=stream.len() {
        let (messages, end) = read([&stream[..cut]]);
        let intact: Vec<_> = messages.iter().map(|message| message.intact.unwrap()).collect();
        let incomplete = Err(Error { reason: Reason::Incomplete, offset: first.len() as u64 });
        if cut == stream.len() {
            assert_eq!((intact.as_slice(), end), ([true, true].as_slice(), Ok(())));
        } else if cut >= first.len() + payload_at {
            assert_eq!((intact.as_slice(), end), ([true, false].as_slice(), incomplete), "cut at {cut}");
        } else if cut > first.len() {
            assert_eq!((intact.as_slice(), end), ([true].as_slice(), incomplete), "cut at {cut}");
        } else if cut == first.len() {
            assert_eq!((intact.as_slice(), end), ([true].as_slice(), Ok(())));
        } else {
            assert_eq!(end.is_ok(), cut == 0);
        }
    }
}

#[test]
fn what_is_no_event_stream_is_refused_with_the_reason() {
    let json = br#"{"message":"not an event stream"}"#;
    let sum = u32::from_be_bytes(json[8..12].try_into().unwrap());
    let computed = common::event_stream::checksum(&json[..8]);
    let headers = |bytes: &[u8]| raw_message(16 + bytes.len(), bytes.len(), bytes);
    let cases: Vec<(Vec<u8>, Reason)> = vec![
        (json.to_vec(), Reason::PreludeChecksum { stated: sum, computed }),
        (raw_message(0, 0, b""), Reason::Lengths { total: 0, headers: 0 }),
        (raw_message(15, 0, b""), Reason::Lengths { total: 15, headers: 0 }),
        (raw_message(20, 5, b"12345"), Reason::Lengths { total: 20, headers: 5 }),
        (raw_message(16, u32::MAX as usize, b""), Reason::Lengths { total: 16, headers: u32::MAX }),
        (raw_message(u32::MAX as usize, 131_073, b""), Reason::HeadersTooLong(131_073)),
        (headers(b"\0\x07\0\0"), Reason::HeaderName),
        (headers(b"\x01a\x0A"), Reason::HeaderType(10)),
        (headers(b"\x01a\xFF"), Reason::HeaderType(255)),
        (headers(b"\x05a"), Reason::HeaderLength),
        (headers(b"\x01"), Reason::HeaderLength),
        // The type is missing.
        (headers(b"\x01a"), Reason::HeaderLength),
        (headers(b"\x01a\x02"), Reason::HeaderLength),
        (headers(b"\x01a\x09123456789012345"), Reason::HeaderLength),
        (headers(b"\x01a\x07\0"), Reason::HeaderLength),
        (headers(b"\x01a\x07\0\x02x"), Reason::HeaderLength),
        (headers(b"\x01a\x00\x01b\x06\xFF\xFFxx"), Reason::HeaderLength),
    ];
    for (bytes, reason) in cases {
        let good = event("a", "{}");
        let stream = [good.as_slice(), &bytes, &good].concat();
        let (messages, end) = read_everyhow(&stream);
        assert_eq!(end, Err(Error { reason, offset: good.len() as u64 }), "{bytes:?}");
        assert_eq!(messages.len(), 1, "{bytes:?}");
    }
}

#[test]
fn a_stream_is_confirmed_by_the_first_prelude_that_is_right() {
    let stream = event("a", "{}");
    for (bytes, confirmed) in
        [(&stream[..11], false), (&stream[..12], true), (&[0; 64][..], false), (&b"{}"[..], false)]
    {
        let mut framing = EventStream::default();
        let _ = framing.push(bytes, &mut Messages::default());
        assert_eq!(framing.is_confirmed(), confirmed, "{bytes:?}");
    }
}

#[test]
fn a_flood_of_headers_and_a_payload_of_ten_megabytes_are_read_in_constant_memory() {
    let long = "v".repeat(30_000);
    let known = [":message-type", ":event-type", ":exception-type", ":error-code"];
    let headers: Vec<_> = known.iter().map(|name| (*name, Value::text(&long))).collect();
    let mut stream = EventStream::default();
    let mut messages = Messages::default();
    stream.push(&message(&headers, b""), &mut messages).unwrap();
    assert_eq!(messages.0[0].head.error_code().len(), MAX_VALUE);
    assert_eq!(messages.0[0].intact, Some(true));
    let early = stream.heap_bytes();
    assert!(early <= 6 * 2 * MAX_VALUE, "{early}");

    /// Counts the payload instead of keeping it.
    #[derive(Default)]
    struct Count(usize, Option<bool>);
    impl Sink for Count {
        fn begin(&mut self, _: &Head) {}
        fn data(&mut self, piece: &[u8]) {
            self.0 += piece.len();
        }
        fn end(&mut self, intact: bool) {
            self.1 = Some(intact);
        }
    }
    let large = message(&[], &vec![b'x'; 10_000_000]);
    let mut count = Count::default();
    large.chunks(70_001).for_each(|chunk| stream.push(chunk, &mut count).unwrap());
    assert_eq!((count.0, count.1), (10_000_000, Some(true)));
    assert_eq!(stream.heap_bytes(), early);
    assert!(size_of::<EventStream>() <= 512, "{}", size_of::<EventStream>());
}

#[test]
fn a_later_header_of_the_same_name_counts_and_none_is_left_over_from_the_message_before() {
    let twice = [(":event-type", Value::text("first")), (":event-type", Value::text("2nd"))];
    let emptied = [(":event-type", Value::text("first")), (":event-type", Value::text(""))];
    let stream = [message(&twice, b""), message(&emptied, b""), message(&[], b"")].concat();
    let (messages, _) = read_everyhow(&stream);
    let types: Vec<_> = messages.iter().map(|message| message.head.event_type()).collect();
    assert_eq!(types, [b"2nd".as_slice(), b"", b""]);
}

/// Pieces of which streams are made: messages, damaged ones, and loose bytes.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let name = prop::sample::select(vec![":event-type", ":message-type", ":error-message", "x", ":exception-type-"]);
    let value = prop_oneof![
        Just(Value::True),
        Just(Value::False),
        any::<i8>().prop_map(Value::Byte),
        any::<i16>().prop_map(Value::Short),
        any::<i32>().prop_map(Value::Integer),
        any::<i64>().prop_map(Value::Long),
        any::<i64>().prop_map(Value::Timestamp),
        any::<[u8; 16]>().prop_map(Value::Uuid),
        prop::collection::vec(any::<u8>(), 0..40).prop_map(Value::Bytes),
        "[a-z]{0,300}".prop_map(Value::Text),
    ];
    let headers = prop::collection::vec((name, value), 0..5);
    let payload = prop::collection::vec(any::<u8>(), 0..40);
    let whole = (headers, payload).prop_map(|(headers, payload)| message(&headers, &payload));
    let damaged = (whole.clone(), any::<prop::sample::Index>(), any::<u8>()).prop_map(|(mut bytes, at, byte)| {
        let at = at.index(bytes.len());
        *bytes.get_mut(at).unwrap() = byte;
        bytes
    });
    let odd_headers = prop::collection::vec(0..12_u8, 0..40)
        .prop_map(|bytes| raw_message(16 + bytes.len(), bytes.len() - bytes.len() / 3, &bytes));
    prop_oneof![6 => whole, 1 => damaged, 1 => odd_headers, 1 => prop::collection::vec(any::<u8>(), 0..20)]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_give_the_same_messages_at_any_split(
        pieces in prop::collection::vec(piece(), 0..5),
        sizes in prop::collection::vec(1..50_usize, 1..6),
    ) {
        let bytes = pieces.concat();
        let whole = read([bytes.as_slice()]);
        prop_assert_eq!(&read(bytes.chunks(1)), &whole);
        let (mut rest, mut chunks) = (bytes.as_slice(), Vec::new());
        for size in sizes.iter().cycle() {
            let (chunk, left) = rest.split_at((*size).min(rest.len()));
            chunks.push(chunk);
            rest = left;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(&read(chunks), &whole);
    }
}
