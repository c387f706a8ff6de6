//! Values that come in pieces: at every cut, the pieces are the string's content or the value's own text.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
use proptest::prelude::*;
use tollgate_json::{Error, Kind, Node, Reader, Reason, Scalar, Visitor, Want};

/// Takes what stands under `pieces` in pieces, and texts under `after`.
#[derive(Debug, Default, PartialEq)]
struct Pieces {
    read: Vec<u8>,
    ended: usize,
    after: Vec<String>,
}

const PIECES: Node = 7;

impl Visitor for Pieces {
    fn key(&mut self, _at: Node, key: &[u8]) -> Want {
        match key {
            b"pieces" => Want::Pieces(PIECES),
            b"after" => Want::Take(1),
            _ => Want::Skip,
        }
    }
    fn item(&mut self, _at: Node) -> Want {
        Want::Pieces(PIECES)
    }
    fn scalar(&mut self, _at: Node, value: Scalar<'_>) {
        if let Scalar::Text(text) = value {
            self.after.push(text.to_str().into_owned());
        }
    }
    fn piece(&mut self, at: Node, piece: &[u8]) {
        assert_eq!(at, PIECES);
        self.read.extend_from_slice(piece);
    }
    fn end(&mut self, at: Node) {
        self.ended += usize::from(at == PIECES);
    }
}

fn read(text: &str, size: usize) -> (Pieces, Result<(), Error>) {
    let (mut reader, mut pieces) = (Reader::new(300), Pieces::default());
    for chunk in text.as_bytes().chunks(size) {
        if let Err(error) = reader.push(chunk, &mut pieces) {
            return (pieces, Err(error));
        }
    }
    let end = reader.finish(&mut pieces);
    (pieces, end)
}

#[test]
fn pieces_are_what_the_value_is() {
    let long = format!("\"{}\"", "0123456789é\\n".repeat(500));
    let said = "0123456789é\n".repeat(500);
    let escapes = format!("\"{}\"", "\\u00e9\\\"\\ud83d\\ude00".repeat(300));
    let spoken = "é\"😀".repeat(300);
    let cases: &[(&str, &str)] = &[
        (r#""""#, ""),
        (r#""plain""#, "plain"),
        (r#""a \"b\" \u00fc \ud83d\ude00 \ud83dx""#, "a \"b\" ü 😀 \u{FFFD}x"),
        (r#""\ud83d""#, "\u{FFFD}"),
        (&long, &said),
        (&escapes, &spoken),
        (r#"{"a": [1, "}\"]{", {"b":null}] }"#, r#"{"a": [1, "}\"]{", {"b":null}] }"#),
        ("[]", "[]"),
        ("[ \"\\\\\" ]", "[ \"\\\\\" ]"),
        ("-1.5e3", "-1.5e3"),
        ("null", "null"),
        ("true", "true"),
    ];
    for (value, expected) in cases {
        let text = format!(r#"{{"x":{{"pieces":1}},"pieces":{value},"after":"then"}}"#);
        for size in (1..40).chain([text.len()]) {
            let (pieces, end) = read(&text, size);
            assert_eq!(end, Ok(()), "{value} in chunks of {size}");
            assert_eq!(String::from_utf8(pieces.read).unwrap(), *expected, "{value} in chunks of {size}");
            assert_eq!((pieces.ended, pieces.after), (1, vec!["then".to_owned()]), "{value} in chunks of {size}");
        }
    }
}

#[test]
fn elements_and_unended_values() {
    assert_eq!(read(r#"["a",{"b":1},2]"#, 1).0.read, br#"a{"b":1}2"#);
    let (pieces, end) = read(r#"{"pieces":{"a":[1"#, 3);
    assert_eq!((pieces.read.as_slice(), pieces.ended), (br#"{"a":[1"#.as_slice(), 0));
    assert_eq!(end.unwrap_err().reason, Reason::Incomplete);
    assert_eq!(read(r#"{"pieces":{"a"]}"#, 100).1.unwrap_err().reason, Reason::Mismatched);
}

#[test]
fn texts_may_follow_one_another() {
    let text = b"{\"after\":\"a\"}\n{\"after\":\"b\"} [1]";
    for size in 1..=text.len() {
        let (mut reader, mut pieces, mut texts) = (Reader::new(300), Pieces::default(), 0);
        for chunk in text.chunks(size) {
            let mut rest = chunk;
            while !rest.is_empty() {
                rest = reader.push_one(rest, &mut pieces).unwrap().trim_ascii_start();
                if reader.is_complete() {
                    texts += 1;
                    reader.reset();
                }
            }
        }
        assert_eq!((pieces.after.len(), texts), (2, 3), "in chunks of {size}");
        assert_eq!(pieces.read, b"1");
    }
}

proptest! {
    #[test]
    fn any_bytes_give_the_same_pieces_at_every_chunk_size(
        value in prop::collection::vec(prop::sample::select(b"{}[]\",:\\u0aDd8c1ex \n".to_vec()), 0..60),
        size in 1..9_usize,
    ) {
        let text = format!("{{\"pieces\":{}", String::from_utf8(value).unwrap());
        let (one, other) = (read(&text, size), read(&text, text.len()));
        prop_assert_eq!(&one.1, &other.1);
        if one.1.is_ok() {
            prop_assert_eq!(one.0, other.0);
        }
    }
}

/// Takes everything under any key as a stream.
#[derive(Debug, Default, PartialEq)]
struct Streamed(Vec<String>);

impl Visitor for Streamed {
    fn key(&mut self, _at: Node, key: &[u8]) -> Want {
        self.0.push(String::from_utf8_lossy(key).into_owned());
        Want::Stream(STREAM)
    }
    fn item(&mut self, _at: Node) -> Want {
        Want::Stream(STREAM)
    }
    fn scalar(&mut self, _at: Node, value: Scalar<'_>) {
        self.0.push(format!("{value:?}"));
    }
    fn piece(&mut self, at: Node, piece: &[u8]) {
        assert_eq!(at, STREAM);
        // Pieces of one string are put together; a test of ASCII may take them as text.
        let piece = std::str::from_utf8(piece).unwrap();
        match self.0.last_mut().filter(|last| last.starts_with('>')) {
            Some(last) => last.push_str(piece),
            None => self.0.push(format!(">{piece}")),
        }
    }
    fn begin(&mut self, _at: Node, kind: Kind) {
        self.0.push(format!("{kind:?}"));
    }
    fn end(&mut self, _at: Node) {
        self.0.push("end".to_owned());
    }
}

const STREAM: Node = 9;

#[test]
fn a_stream_has_strings_in_pieces_and_containers_taken() {
    let text = r#"{"a":"x\ty","b":[1,"z",{"c":""}],"d":null}"#;
    let expected = [
        "Object",
        "a",
        ">x\ty",
        "end",
        "b",
        "Array",
        "Number(\"1\")",
        ">z",
        "end",
        "Object",
        "c",
        "end",
        "end",
        "end",
        "d",
        "Null",
        "end",
    ];
    for size in 1..=text.len() {
        let (mut reader, mut streamed) = (Reader::new(0), Streamed::default());
        for chunk in text.as_bytes().chunks(size) {
            reader.push(chunk, &mut streamed).unwrap();
        }
        reader.finish(&mut streamed).unwrap();
        assert_eq!(streamed.0, expected, "in chunks of {size}");
    }
}
