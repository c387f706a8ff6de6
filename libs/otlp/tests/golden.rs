//! Small requests, byte by byte.

use tollgate_columns::{Attribute, Edits, Kind, Texts};
use tollgate_otlp::{Envelope, Limits, RequestWriter, SpanKind, SpanWriter, StatusCode, TraceRequest};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn request() -> Vec<u8> {
    let mut span = SpanWriter::new([0x11; 16], [0x22; 8], "chat");
    span.parent([0x33; 8]).kind(SpanKind::Client).times(1, 2).status(StatusCode::Error, "no");
    span.set("t", "x").set("i", -1_i64).set("b", true).set("r", 0.5);
    let mut writer = RequestWriter::new();
    writer.push(&Envelope::new(&[("s", "shop".into())], "sc", "1"), span.bytes());
    writer.finish()
}

/// The request above, field by field.
const REQUEST: &[&str] = &[
    "0a9a01",                               // ResourceSpans
    "0a0d",                                 //   Resource
    "0a0b0a01731206",                       //     attribute s
    "0a0473686f70",                         //       "shop"
    "128801",                               //   ScopeSpans
    "0a070a0273631201",                     //     Scope "sc", version
    "31",                                   //       "1"
    "127d",                                 //     Span
    "0a1011111111111111111111111111111111", //       trace id
    "12082222222222222222",                 //       span id
    "2a0463686174",                         //       name
    "22083333333333333333",                 //       parent
    "3003",                                 //       kind
    "390100000000000000",                   //       start
    "410200000000000000",                   //       end
    "7a0612026e6f1802",                     //       status: message, code
    "4a080a017412030a0178",                 //       t = "x"
    "4a100a0169120b18ffffffffffffffffff01", //       i = -1
    "4a070a016212021001",                   //       b = true
    "4a0e0a0172120921000000000000e03f",     //       r = 0.5
];

#[test]
fn a_request_is_written_so() {
    assert_eq!(hex(&request()), REQUEST.concat());
}

#[test]
fn an_edit_changes_its_attribute_and_the_lengths_around() {
    let bytes = request();
    let request = TraceRequest::scan(&bytes, &Limits::default()).unwrap();
    let mut edits = Edits::new(1);
    edits.integer(0, 0, 7);
    edits.text(0, 1, "y");
    let edited =
        request.apply(&edits.finish(), &[Attribute::new("i", Kind::Integer), Attribute::new("n", Kind::Text)]).unwrap();
    let expected = REQUEST
        .concat()
        .replace("4a100a0169120b18ffffffffffffffffff01", "4a070a016912021807")
        .replace("4a0e0a0172120921000000000000e03f", "4a0e0a0172120921000000000000e03f4a080a016e12030a0179")
        .replace("127d", "127e")
        .replace("128801", "128901")
        .replace("0a9a01", "0a9b01");
    assert_eq!(hex(&edited), expected);
}

#[test]
fn lengths_grow_by_a_byte_where_they_must() {
    let bytes = request();
    let request = TraceRequest::scan(&bytes, &Limits::default()).unwrap();
    let set = request.texts();
    let seen: Vec<_> = set.texts().iter().map(|(_, text)| text).collect();
    assert_eq!(seen, ["s", "shop", "sc", "1", "chat", "no", "t", "x", "i", "b", "r"]);
    let mut changed = Texts::default();
    changed.push(4, "redacted-name");
    let replaced = request.replace(&set, &changed).unwrap();
    let expected = REQUEST
        .concat()
        .replace("2a0463686174", &format!("2a0d{}", hex(b"redacted-name")))
        .replace("127d", "128601")
        .replace("128801", "129201")
        .replace("0a9a01", "0aa401");
    assert_eq!(hex(&replaced), expected);
}

#[test]
fn spans_of_equal_surroundings_share_them() {
    let mut writer = RequestWriter::new();
    let (shop, bank) = (Envelope::new(&[("s", "a".into())], "", ""), Envelope::new(&[("s", "b".into())], "", ""));
    for envelope in [&shop, &bank, &shop] {
        writer.push(envelope, SpanWriter::new([1; 16], [2; 8], "").bytes());
    }
    assert_eq!(writer.len(), 3);
    let size = writer.size();
    let bytes = writer.finish();
    assert!(bytes.len() >= size && bytes.len() < size + 32, "{size} foretold, {} written", bytes.len());
    let request = TraceRequest::scan(&bytes, &Limits::default()).unwrap();
    let services: Vec<_> = request.spans().map(|span| span.resource().get("s").and_then(|v| v.as_text())).collect();
    assert_eq!(services, [Some("a"), Some("a"), Some("b")]);
}
