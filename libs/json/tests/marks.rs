//! Marks: from each a reader goes on as if it had read what is before the mark, whatever value comes there.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
use tollgate_json::{Kind, Mark, Node, Reader, Scalar, Visitor, Want};

/// Writes down what it is told. What is called `skip` is not wanted, and what is called `raw` in pieces.
#[derive(Clone, Default)]
struct Log(Vec<String>);

impl Visitor for Log {
    fn key(&mut self, at: Node, key: &[u8]) -> Want {
        self.0.push(format!("{at} key {}", String::from_utf8_lossy(key)));
        match key {
            b"skip" => Want::Skip,
            b"raw" => Want::Pieces(at + 1),
            _ => Want::Take(at + 1),
        }
    }
    fn item(&mut self, at: Node) -> Want {
        self.0.push(format!("{at} item"));
        Want::Take(at + 1)
    }
    fn scalar(&mut self, at: Node, value: Scalar<'_>) {
        self.0.push(format!("{at} {value:?}"));
    }
    fn piece(&mut self, at: Node, piece: &[u8]) {
        self.0.push(format!("{at} piece {}", String::from_utf8_lossy(piece)));
    }
    fn begin(&mut self, at: Node, kind: Kind) {
        self.0.push(format!("{at} {kind:?}"));
    }
    fn end(&mut self, at: Node) {
        self.0.push(format!("{at} end"));
    }
}

const TEXTS: [&str; 6] = [
    r#"{"a":1,"b":{"c":[{"d":"x"},{"d":"y"}],"e":null},"f":"z"}"#,
    r#"{ "a" : [ ] , "b" : [ 1 , 2 ] , "c" : { } }"#,
    r#"{"skip":{"a":[1,{"b":2}]},"raw":{"a":"}"},"c":[[],[[]]]}"#,
    r#"[{"a":"\"x\""},[],true,"y"]"#,
    r#"{"a":{"b":{"c":{"d":{"e":[0.5,-1]}}}}}"#,
    r#""only a text""#,
];
const VALUES: [&str; 6] = ["1", "null", r#""text \u00e9""#, "[]", r#"{"x":[1]}"#, r#"{"skip":"}"}"#];

/// Each mark of a text, how far it is, and what was told before it.
fn marks(text: &str, most: usize) -> Vec<(Mark, usize, Log)> {
    let (mut reader, mut log, mut marks) = (Reader::new(64), Log::default(), Vec::new());
    let show = |log: &Log, mark, length| marks.push((mark, length, log.clone()));
    assert!(reader.push_marking(text.as_bytes(), &mut log, most, show).unwrap().is_empty());
    assert!(reader.is_complete());
    marks
}

/// All that is told, of what was read before and of the rest of the text.
fn told(mut reader: Reader, mut log: Log, rest: &[u8]) -> Vec<String> {
    reader.push(rest, &mut log).unwrap();
    reader.finish(&mut log).unwrap();
    log.0
}

fn told_of(text: &str) -> Vec<String> {
    told(Reader::new(64), Log::default(), text.as_bytes())
}

fn at(mark: &Mark, length: usize) -> Reader {
    let mut reader = Reader::new(64);
    reader.resume(mark, length);
    assert!(reader.is_at(mark));
    reader
}

#[test]
fn reading_goes_on_from_every_mark() {
    for text in TEXTS {
        let marks = marks(text, usize::MAX);
        assert_eq!(marks.last().unwrap().1, text.len(), "the end is a mark: {text}");
        for (mark, length, log) in marks {
            let rest = text.as_bytes().split_at(length).1;
            assert_eq!(told(at(&mark, length), log, rest), told_of(text), "{text} from {length}");
        }
    }
}

#[test]
fn any_value_may_come_at_a_mark() {
    for text in TEXTS {
        for (mark, length, log) in marks(text, text.len() - 1) {
            let (before, rest) = text.split_at(length);
            let behind = at(&mark, length).push_value(rest.as_bytes(), &mut log.clone()).unwrap();
            let behind = str::from_utf8(behind).unwrap();
            for value in VALUES {
                let (mut reader, mut log, rest) = (at(&mark, length), log.clone(), format!("{value}{behind}"));
                let left = reader.push_value(rest.as_bytes(), &mut log).unwrap();
                assert_eq!(left, behind.as_bytes(), "{before}{rest}");
                assert_eq!(told(reader, log, left), told_of(&format!("{before}{rest}")));
            }
        }
    }
}

/// Behind a mark anything may come that may come there: an empty array has no place before its first element.
#[test]
fn an_array_may_be_empty_where_another_is_not() {
    for (mark, length, log) in marks(r#"{"a":[1]}"#, 6) {
        let rest = r#"{"a":[]}"#.as_bytes().split_at_checked(length).unwrap().1;
        assert_eq!(told(at(&mark, length), log, rest), told_of(r#"{"a":[]}"#), "from {length}");
    }
}

#[test]
fn there_is_no_mark_beyond_the_most() {
    for text in TEXTS {
        for most in 0..text.len() {
            assert!(marks(text, most).iter().all(|(_, length, _)| *length <= most));
        }
    }
}
