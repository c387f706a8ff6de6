//! Every way to cut a text gives the calls that the whole text gives, and those are serde_json's reading of it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
use proptest::prelude::*;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor as SerdeVisitor};
use std::fmt;
use tollgate_json::{Error, Kind, Node, Reader, Reason, Scalar, Visitor, Want};

#[derive(Clone, Debug, PartialEq)]
enum Event {
    Begin(Kind),
    End,
    Key(String),
    Text(String),
    Number(f64),
    Bool(bool),
    Null,
}

/// Takes everything but what stands under the key `skip`.
#[derive(Default)]
struct Recorder(Vec<Event>);

impl Visitor for Recorder {
    fn key(&mut self, at: Node, key: &[u8]) -> Want {
        if key == b"skip" {
            return Want::Skip;
        }
        self.0.push(Event::Key(String::from_utf8(key.to_vec()).unwrap()));
        Want::Take(at + 1)
    }
    fn item(&mut self, at: Node) -> Want {
        Want::Take(at + 1)
    }
    fn scalar(&mut self, _at: Node, value: Scalar<'_>) {
        self.0.push(match value {
            Scalar::Text(text) => Event::Text(text.to_str().into_owned()),
            Scalar::Number(text) => Event::Number(text.parse().unwrap()),
            Scalar::Bool(value) => Event::Bool(value),
            Scalar::Null => Event::Null,
        });
    }
    fn begin(&mut self, _at: Node, kind: Kind) {
        self.0.push(Event::Begin(kind));
    }
    fn end(&mut self, _at: Node) {
        self.0.push(Event::End);
    }
}

/// The same events from serde_json, in the order of the text.
struct Oracle<'a>(&'a mut Vec<Event>);

impl<'de> DeserializeSeed<'de> for Oracle<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> SerdeVisitor<'de> for Oracle<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.0.push(Event::Bool(value));
        Ok(())
    }
    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.0.push(Event::Number(value as f64));
        Ok(())
    }
    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.0.push(Event::Number(value as f64));
        Ok(())
    }
    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.0.push(Event::Number(value));
        Ok(())
    }
    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        self.0.push(Event::Text(value.to_owned()));
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        self.0.push(Event::Null);
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        self.0.push(Event::Begin(Kind::Array));
        while items.next_element_seed(Oracle(self.0))?.is_some() {}
        self.0.push(Event::End);
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        self.0.push(Event::Begin(Kind::Object));
        while let Some(key) = entries.next_key::<String>()? {
            if key == "skip" {
                entries.next_value::<serde::de::IgnoredAny>()?;
                continue;
            }
            self.0.push(Event::Key(key));
            entries.next_value_seed(Oracle(self.0))?;
        }
        self.0.push(Event::End);
        Ok(())
    }
}

fn oracle(text: &str) -> Vec<Event> {
    let mut events = Vec::new();
    let mut deserializer = serde_json::Deserializer::from_str(text);
    Oracle(&mut events).deserialize(&mut deserializer).unwrap();
    deserializer.end().unwrap();
    events
}

fn read<'c>(chunks: impl IntoIterator<Item = &'c [u8]>) -> (Vec<Event>, Result<(), Error>) {
    let (mut reader, mut recorder) = (Reader::new(1 << 20), Recorder::default());
    for chunk in chunks {
        let _ = reader.push(chunk, &mut recorder);
    }
    let end = reader.finish(&mut recorder);
    (recorder.0, end)
}

/// JSON texts, with white space and escapes that a serializer would not write.
fn json() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        any::<char>().prop_map(|c| match c {
            '"' => "\\\"".to_owned(),
            '\\' => "\\\\".to_owned(),
            c if c < ' ' => format!("\\u{:04x}", u32::from(c)),
            c => c.to_string(),
        }),
        any::<char>().prop_map(|c| {
            c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04X}")).collect::<String>()
        }),
        "[a-z ]",
        prop_oneof![Just("\\n"), Just("\\/"), Just("\\t"), Just("\\b"), Just("\\f"), Just("\\r")]
            .prop_map(str::to_owned),
    ];
    let text = prop::collection::vec(character, 0..24).prop_map(|parts| format!("\"{}\"", parts.concat()));
    let space = "[ \n\r\t]{0,2}";
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("false".to_owned()),
        any::<i64>().prop_map(|number| number.to_string()),
        (0..1000_i32, 0..100_u32, -3..3_i32).prop_map(|(a, b, e)| format!("{a}.{b}e{e}")),
        text.clone(),
    ];
    leaf.prop_recursive(5, 48, 6, move |inner| {
        let key = prop_oneof![4 => text.clone(), 1 => Just("\"skip\"".to_owned())];
        prop_oneof![
            prop::collection::vec((space, inner.clone(), space), 0..6).prop_map(|items| {
                let items: Vec<_> = items.into_iter().map(|(a, b, c)| format!("{a}{b}{c}")).collect();
                format!("[{}]", items.join(","))
            }),
            prop::collection::vec((space, key, space, inner), 0..6).prop_map(|entries| {
                let entries: Vec<_> = entries.into_iter().map(|(a, b, c, d)| format!("{a}{b}{c}:{a}{d}{c}")).collect();
                format!("{{{}}}", entries.join(","))
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_split_reads_as_serde_json_reads_the_whole(text in json()) {
        let expected = oracle(&text);
        let bytes = text.as_bytes();
        prop_assert_eq!(&read([bytes]), &(expected.clone(), Ok(())));
        for size in [1, 2, 3, 7] {
            prop_assert_eq!(&read(bytes.chunks(size)), &(expected.clone(), Ok(())), "chunks of {}", size);
        }
        for cut in 0..=bytes.len().min(200) {
            let (head, tail) = bytes.split_at(cut);
            prop_assert_eq!(&read([head, tail]), &(expected.clone(), Ok(())), "cut at {}", cut);
        }
    }

    #[test]
    fn any_bytes_give_the_same_at_every_chunk_size(bytes in prop::collection::vec(noise(), 0..60), size in 1..8_usize) {
        prop_assert_eq!(total(&bytes, size), total(&bytes, bytes.len().max(1)));
    }
}

/// Bytes that often look like JSON.
fn noise() -> impl Strategy<Value = u8> {
    prop_oneof![6 => prop::sample::select(b"{}[]\",:\\u0123456789abcdefDd-+.eE truefalsn \xEF\xBB\xBF".to_vec()), 1 => any::<u8>()]
}

fn total(bytes: &[u8], size: usize) -> (usize, Result<(), Error>) {
    struct Count(usize);
    impl Visitor for Count {
        fn key(&mut self, at: Node, key: &[u8]) -> Want {
            self.0 += key.len();
            if key.len() % 3 == 2 { Want::Skip } else { Want::Take(at.wrapping_add(1)) }
        }
        fn item(&mut self, at: Node) -> Want {
            Want::Take(at.wrapping_add(1))
        }
        fn scalar(&mut self, _at: Node, value: Scalar<'_>) {
            self.0 += match value {
                Scalar::Text(text) => text.to_str().len() + text.bytes.len(),
                Scalar::Number(text) => text.len(),
                Scalar::Bool(_) | Scalar::Null => 1,
            };
        }
    }
    let (mut reader, mut count) = (Reader::new(16), Count(0));
    for chunk in bytes.chunks(size) {
        let _ = reader.push(chunk, &mut count);
    }
    let end = reader.finish(&mut count);
    (count.0, end)
}

#[test]
fn what_is_no_json_is_named_with_its_place() {
    let deep = "[".repeat(129);
    let deep_skipped = format!("{{\"skip\":{}", "[".repeat(128));
    let digits = "1".repeat(65);
    let cases: &[(&str, Reason, u64)] = &[
        ("", Reason::Incomplete, 0),
        ("  ", Reason::Incomplete, 2),
        ("{", Reason::Incomplete, 1),
        ("[1,2", Reason::Incomplete, 4),
        ("\"a", Reason::Incomplete, 2),
        ("{\"skip\":{\"a\":1}", Reason::Incomplete, 15),
        ("{]", Reason::Unexpected(b']'), 1),
        ("[}", Reason::Unexpected(b'}'), 1),
        ("[1}", Reason::Mismatched, 2),
        ("{\"a\" 1}", Reason::Unexpected(b'1'), 5),
        ("{\"a\":}", Reason::Unexpected(b'}'), 5),
        ("{\"a\":1,}", Reason::Unexpected(b'}'), 7),
        ("{a:1}", Reason::Unexpected(b'a'), 1),
        ("[1,]", Reason::Unexpected(b']'), 3),
        ("[1 2]", Reason::Unexpected(b'2'), 3),
        ("1 2", Reason::TrailingData, 2),
        ("{}{}", Reason::TrailingData, 2),
        ("[DONE]", Reason::BadWord, 5),
        ("nul", Reason::BadWord, 3),
        ("[01]", Reason::BadWord, 3),
        ("\"\\x\"", Reason::BadEscape, 2),
        ("\"\\u00g0\"", Reason::BadEscape, 5),
        (&deep, Reason::TooDeep, 128),
        (&deep_skipped, Reason::TooDeep, 136),
        (&digits, Reason::NumberTooLong, 64),
        ("\u{FEFF}[", Reason::Incomplete, 4),
        ("%", Reason::Unexpected(b'%'), 0),
    ];
    for &(text, reason, offset) in cases {
        let (_, end) = read([text.as_bytes()]);
        assert_eq!(end, Err(Error { reason, offset }), "{text}");
        let (_, end) = read(text.as_bytes().chunks(1));
        assert_eq!(end, Err(Error { reason, offset }), "{text}, byte by byte");
    }
}

#[test]
fn oddities_that_are_let_through() {
    let text = |text: &str| vec![Event::Text(text.to_owned())];
    let cases: &[(&[u8], Vec<Event>)] = &[
        (b"\"\\ud83d\\ude00\"", text("😀")),
        (b"\"\\ud83dx\"", text("\u{FFFD}x")),
        (b"\"\\ude00\"", text("\u{FFFD}")),
        (b"\"\\ud83d\\ud83d\\ude00\"", text("\u{FFFD}😀")),
        (b"\"\\ud83d\\n\"", text("\u{FFFD}\n")),
        (b"\"\\ud83d\"", text("\u{FFFD}")),
        (b"\"\xff\"", text("\u{FFFD}")),
        (b"\"line\nbreak\"", text("line\nbreak")),
        (b"\xEF\xBB\xBFnull", vec![Event::Null]),
    ];
    for (bytes, expected) in cases {
        for size in 1..=bytes.len() {
            assert_eq!(read(bytes.chunks(size)), (expected.clone(), Ok(())), "{bytes:?} in chunks of {size}");
        }
    }
}

#[test]
fn a_text_over_the_limit_is_cut_and_says_so() {
    struct Last(String, bool);
    impl Visitor for Last {
        fn key(&mut self, _at: Node, _key: &[u8]) -> Want {
            Want::Skip
        }
        fn item(&mut self, _at: Node) -> Want {
            Want::Skip
        }
        fn scalar(&mut self, _at: Node, value: Scalar<'_>) {
            if let Scalar::Text(text) = value {
                *self = Self(text.to_str().into_owned(), text.whole);
            }
        }
    }
    let cases = [("\"1234\"", "1234", true), ("\"12345\"", "1234", false), ("\"123é\"", "123", false)];
    for (text, expected, whole) in cases {
        for size in [1, 2, 100] {
            let (mut reader, mut last) = (Reader::new(4), Last(String::new(), true));
            text.as_bytes().chunks(size).for_each(|chunk| reader.push(chunk, &mut last).unwrap());
            assert_eq!((last.0.as_str(), last.1), (expected, whole), "{text} in chunks of {size}");
        }
    }
}

#[test]
fn memory_does_not_grow_with_the_text() {
    let (mut reader, mut recorder) = (Reader::new(1000), Recorder::default());
    let mut push = |bytes: &[u8]| reader.push(bytes, &mut recorder).unwrap();
    push(b"{\"skip\":[");
    for _ in 0..20_000 {
        push(b"{\"a\":\"x\\ny\"");
        push(b",\"b\":[1.25e3,nu");
        push(b"ll]},");
    }
    push(b"0],\"long\":\"");
    for _ in 0..20_000 {
        push("0123456789 é".as_bytes());
    }
    push(b"\"}");
    assert_eq!(reader.finish(&mut recorder), Ok(()));
    assert!(reader.heap_bytes() <= 2048, "{}", reader.heap_bytes());
}
