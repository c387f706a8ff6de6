//! Whole texts through the redactor: forms in which values hide, limits, and laws that hold for every text.

mod support;

use proptest::prelude::*;
use std::fmt::Write as _;
use support::pieces;
use tollgate_columns::{Given, Texts};
use tollgate_pii_redactor::{Finding, Kind, Redactor};

fn redact(text: &str) -> String {
    Redactor::default().redact_text(text).0.unwrap_or_else(|| text.to_owned())
}

#[test]
fn values_in_every_disguise() {
    let cases: &[(&str, &str)] = &[
        ("ann@example.com", "<EMAIL_ADDRESS>"),
        ("电话１３８１２３４５６７８。", "电话<PHONE_NUMBER>。"),
        ("卡4111　1111　1111　1111", "卡<CREDIT_CARD>"),
        ("4111\u{200b}111111111111", "<CREDIT_CARD>"),
        ("ａｎｎ＠ｅｘａｍｐｌｅ．ｃｏｍ，", "<EMAIL_ADDRESS>，"),
        (r#"{"mail":"ann\u0040example.com"}"#, r#"{"mail":"<EMAIL_ADDRESS>"}"#),
        (r#"{"mail":"\u0061nn@example.com\n","n":1}"#, r#"{"mail":"<EMAIL_ADDRESS>\n","n":1}"#),
        (r#"{"card":4111111111111111,"n":1}"#, r#"{"card":"<CREDIT_CARD>","n":1}"#),
        (
            r#"[{"arguments":"{\"to\":\"ann\\u0040example.com\"}"}]"#,
            r#"[{"arguments":"{\"to\":\"<EMAIL_ADDRESS>\"}"}]"#,
        ),
        (r#"[{"arguments":"{\"card\":4111111111111111}"}]"#, r#"[{"arguments":"{\"card\":\"<CREDIT_CARD>\"}"}]"#),
        (r#"{"ann@example.com":1}"#, r#"{"<EMAIL_ADDRESS>":1}"#),
        (r#"{"cut off":"ann\u0040example.com and"#, r#"{"cut off":"<EMAIL_ADDRESS> and"#),
        (r#"{"phone":"9498777106"}"#, r#"{"phone":"<PHONE_NUMBER>"}"#),
        ("https://ann:Qm7RtZ2xWc@example.com/", "https://ann:<URL_CREDENTIAL>@example.com/"),
    ];
    for (given, expected) in cases {
        assert_eq!(redact(given), *expected, "{given}");
    }
}

#[test]
fn an_unended_private_key_does_not_swallow_the_next_string() {
    let text = r#"{"key":"-----BEGIN PRIVATE KEY-----\nMIIB","end":"-----END PRIVATE KEY-----","n":1}"#;
    let redacted = redact(text);
    assert!(serde_json::from_str::<serde_json::Value>(&redacted).is_ok(), "{redacted}");
    assert!(!redacted.contains("MIIB"));
}

#[test]
fn past_the_limit_of_findings_the_rest_is_taken_out() {
    let redactor = Redactor::configure(r#"{"max_findings": 2}"#).unwrap();
    let (text, findings) = redactor.redact_text("a@b.cn, c@d.cn, e@f.cn, secret and g@h.cn");
    assert_eq!(text.as_deref(), Some("<EMAIL_ADDRESS>, <EMAIL_ADDRESS>, <UNSCANNED>"));
    assert_eq!(findings.len(), 3);
    assert_eq!(findings[2], Finding { kind: Kind::UNSCANNED.number(), start: 16, end: 41 });
    let json = r#"{"to":["a@b.cn","c@d.cn","e@f.cn"]}"#;
    let (text, findings) = redactor.redact_text(json);
    assert_eq!(text.as_deref(), Some("\"<UNSCANNED>\""), "JSON stays JSON");
    assert_eq!(findings, [Finding { kind: Kind::UNSCANNED.number(), start: 0, end: json.len() }]);
    let (text, findings) = redactor.redact_text("a@b.cn, c@d.cn, and no more");
    assert_eq!(text.as_deref(), Some("<EMAIL_ADDRESS>, <EMAIL_ADDRESS>, and no more"));
    assert_eq!(findings.len(), 2);
}

#[test]
fn a_text_over_the_limit_of_size_is_taken_out_as_a_whole() {
    let redactor = Redactor::configure(r#"{"max_text_size": 10}"#).unwrap();
    let (text, findings) = redactor.redact_text("12345678901");
    assert_eq!(text.as_deref(), Some("<UNSCANNED>"));
    assert_eq!(findings, [Finding { kind: Kind::UNSCANNED.number(), start: 0, end: 11 }]);
    assert_eq!(redactor.redact_text("1234567890").0, None);
}

#[test]
fn past_the_limit_of_values_stand_ins_have_no_number() {
    let redactor = Redactor::configure(r#"{"operator": "number", "max_values": 1}"#).unwrap();
    let mut conversation = redactor.conversation();
    let (text, _) = redactor.redact_in(&mut conversation, "a@b.cn, c@d.cn, a@b.cn");
    assert_eq!(text.as_deref(), Some("<EMAIL_ADDRESS_1>, <EMAIL_ADDRESS>, <EMAIL_ADDRESS_1>"));
    assert_eq!((conversation.len(), conversation.over_limit()), (1, 1));
}

#[test]
fn operators_types_and_values_are_chosen_by_the_configuration() {
    let redactor = Redactor::configure(
        r#"{"exclude_types": ["IP_ADDRESS"], "operators": {"CREDIT_CARD": "mask", "EMAIL_ADDRESS": "keep", "URL": "drop"},
            "allow": ["@example.org"], "rules": [{"type": "CASE", "pattern": "C-[0-9]{4}", "keywords": ["case"]}]}"#,
    )
    .unwrap();
    let text = "a@b.cn x@example.org 4111 1111 1111 1111 6.59.110.227 https://a.example.com/ case C-1234, C-12";
    let (redacted, findings) = redactor.redact_text(text);
    let expected = "a@b.cn x@example.org ***************1111 6.59.110.227  case <CASE>, C-12";
    assert_eq!(redacted.as_deref(), Some(expected));
    let names: Vec<&str> = findings.iter().map(|finding| redactor.type_name(finding.kind)).collect();
    assert_eq!(names, ["EMAIL_ADDRESS", "CREDIT_CARD", "URL", "CASE"]);
}

#[test]
fn a_column_of_texts_is_redacted_row_by_row() {
    let mut given = Texts::default();
    for (row, text) in [(0, "nothing"), (3, "a@b.cn and 6.59.110.227"), (4, "c@d.cn")] {
        assert!(given.push(row, text));
    }
    let redactor = Redactor::default();
    let redaction = redactor.redact(&Given { texts: given, ..Given::default() });
    let changed: Vec<(u32, &str)> = redaction.changed.iter().collect();
    assert_eq!(changed, [(3, "<EMAIL_ADDRESS> and <IP_ADDRESS>"), (4, "<EMAIL_ADDRESS>")]);
    let rows: Vec<u32> = redaction.findings.rows.clone();
    assert_eq!(rows, [3, 3, 4]);
    let types = redactor.manifest().types;
    let names: Vec<&str> = redaction.findings.types.iter().map(|kind| redactor.type_name(*kind)).collect();
    assert_eq!(names, ["EMAIL_ADDRESS", "IP_ADDRESS", "EMAIL_ADDRESS"]);
    assert!(redaction.findings.types.iter().all(|kind| usize::from(*kind) < types.len()));
}

#[test]
fn places_and_groups_are_minded() {
    let config = r#"{"operator": "number", "fields": [{"name": "span.attributes.user.*", "skip": true}]}"#;
    let redactor = Redactor::configure(config).unwrap();
    let names = ["log.body", "span.attributes.user.email", "span.attributes.url.full"];
    let mut given = Given { names: names.map(str::to_owned).to_vec(), ..Given::default() };
    for (text, place, group) in [
        ("a@b.cn and c@d.cn", 0, 1),
        ("c@d.cn", 0, 2),
        ("c@d.cn", 0, 1),
        ("c@d.cn", 1, 1),
        ("https://shop.example.com/?mail=a@b.cn", 2, 2),
        ("https://shop.example.com/", 2, 2),
        (&"iVBORw0KGgoAAAANSUhEUg1".repeat(9), 0, 3),
    ] {
        assert!(given.push(text, place, group));
    }
    let redaction = redactor.redact(&given);
    let changed: Vec<(u32, &str)> = redaction.changed.iter().collect();
    let expected = [
        (0, "<EMAIL_ADDRESS_1> and <EMAIL_ADDRESS_2>"),
        (1, "<EMAIL_ADDRESS_1>"),
        (2, "<EMAIL_ADDRESS_2>"),
        (4, "https://shop.example.com/?mail=<EMAIL_ADDRESS_2>"),
    ];
    assert_eq!(changed, expected);
    assert_eq!(redaction.skipped.len(), 1);
    assert_eq!(redaction.skipped[0].0, "binary_bytes");
}

#[test]
fn a_row_that_is_not_utf_8_does_not_pass() {
    let given = Texts { attribute: 0, rows: vec![7], offsets: vec![0, 3], data: b"a\xffb".to_vec() };
    let redaction = Redactor::default().redact(&Given { texts: given, ..Given::default() });
    assert_eq!(redaction.changed.iter().collect::<Vec<_>>(), [(7, "<UNSCANNED>")]);
    assert_eq!(redaction.findings.iter().collect::<Vec<_>>(), [(7, Kind::UNSCANNED.number(), 0, 3)]);
}

/// Bytes of a hostile text.
const LENGTH: usize = if cfg!(debug_assertions) { 1 << 16 } else { 1 << 20 };

/// The scan is linear, also in the worst text for each trigger; a quadratic one would not end in a time that anybody
/// waits for, so the test needs no clock. The laws must hold for such texts, too.
#[test]
fn hostile_texts_are_scanned_in_one_pass() {
    let units = [
        "1",
        "1 ",
        "11 ",
        "1-",
        "1.",
        "(1",
        "(1) ",
        "+1 ",
        "@",
        "a@",
        "a.",
        "a@a.",
        "é@",
        ":",
        "1:",
        "::",
        "a:",
        "sk-",
        "sk-a1",
        "AKIA",
        "eyJ",
        "eyJ-",
        "eyJ.",
        "eyJaaaaaaaaaaaa.ey",
        "-",
        "_",
        "-----BEGIN PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----a",
        "GB29",
        "GB29 ",
        "\u{200b}1",
        "１",
        "[\"",
        "{\"\\u0040",
        "[\"[\\\"",
        "\\",
        "[",
        "1/",
        "+",
        "0.",
        "phone ",
        "4111 1111 1111 111",
        "4111-",
        "x1",
        "tel 11 11 ",
        "password=",
        "password: ",
        "password is a1 ",
        "密码：",
        "密码a1",
        "key=\"token\" value=",
        "a1=",
        "token=a1b2",
        "'password':'",
        "://",
        "a://b:c@",
        "a:b@",
        "https://a:",
        " -u a:b",
        "curl -u ",
        "Authorization: Basic ",
        "Bearer a1",
        "xoxb-1",
        "sk_live_",
        "A3-",
        "a.atlasv1.",
        "9f2c4e7a1b3d50689f2c4e7a1b3d5068.",
        "1234567|a",
        "8Q~",
        "AAAA",
        "eyJhbGciOiJIUzI1NiJ9.",
        "eyJhbGciOiJIUzI1NiJ9.eyJ",
        "-----BEGIN PRIVATE KEY-----MIIB",
        "-----BEGIN PRIVATE KEY-----\nMIIB\n",
        "<password>a1",
        "hooks.slack.com/services/",
    ];
    for unit in units {
        let text = unit.repeat(LENGTH / unit.len());
        let (_, findings) = Redactor::default().redact_text(&text);
        assert_laws(&text, &findings);
        let json = format!("[{}]", serde_json::to_string(&text).unwrap());
        let (redacted, _) = Redactor::default().redact_text(&json);
        assert!(serde_json::from_str::<serde_json::Value>(&redacted.unwrap_or(json)).is_ok(), "{unit}");
    }
}

fn assert_laws(text: &str, findings: &[Finding]) {
    let mut done = 0;
    for finding in findings {
        assert!(finding.start >= done && finding.start < finding.end, "{finding:?} after {done}");
        assert!(text.get(finding.start..finding.end).is_some(), "{finding:?} is not on character boundaries");
        assert!(!Redactor::default().type_name(finding.kind).is_empty());
        done = finding.end;
    }
}

proptest! {
    #[test]
    fn findings_are_ordered_and_whole(text in pieces(), mask in any::<bool>()) {
        let operator = if mask { "mask" } else { "replace" };
        let redactor = Redactor::configure(&format!(r#"{{"operator":"{operator}"}}"#)).unwrap();
        let (redacted, findings) = redactor.redact_text(&text);
        assert_laws(&text, &findings);
        prop_assert_eq!(redacted.is_some(), !findings.is_empty());
    }

    #[test]
    fn bytes_outside_of_findings_are_untouched(text in pieces()) {
        let (redacted, findings) = Redactor::default().redact_text(&text);
        let mut expected = String::new();
        let mut done = 0;
        for finding in &findings {
            expected.push_str(&text[done..finding.start]);
            let _ = write!(expected, "<{}>", Redactor::default().type_name(finding.kind));
            done = finding.end;
        }
        expected.push_str(&text[done..]);
        // A number in JSON gets quotation marks; everything else is exactly this.
        let redacted = redacted.unwrap_or(text);
        prop_assert_eq!(redacted.replace("\"<", "<").replace(">\"", ">"), expected.replace("\"<", "<").replace(">\"", ">"));
    }

    #[test]
    fn json_still_parses(texts in prop::collection::vec(pieces(), 1..4), number in any::<u64>()) {
        let inner = serde_json::json!({ "arguments": texts, "card": 4_111_111_111_111_111_u64, "number": number });
        let outer = serde_json::json!([{ "content": texts }, { "call": inner.to_string() }]);
        let text = outer.to_string();
        let (redacted, findings) = Redactor::default().redact_text(&text);
        assert_laws(&text, &findings);
        let redacted: serde_json::Value = serde_json::from_str(&redacted.unwrap_or_default()).unwrap();
        let call = redacted[1]["call"].as_str().unwrap();
        let call: serde_json::Value = serde_json::from_str(call).unwrap();
        prop_assert_eq!(&call["card"], "<CREDIT_CARD>");
    }

    /// What stands in a text is found in JSON too, however its characters are escaped.
    #[test]
    fn escapes_hide_nothing(text in pieces(), escape in prop::collection::vec(any::<bool>(), 1..16)) {
        // A backslash that is itself escaped may begin an escape of the level below or not, as it is written.
        let text = text.replace('\\', "/");
        let mut json = String::from("[\"");
        for (unit, escaped) in text.encode_utf16().zip(escape.iter().cycle()) {
            match char::from_u32(u32::from(unit)).filter(|c| !escaped && *c >= ' ' && !matches!(c, '"' | '\\')) {
                Some(character) => json.push(character),
                None => { let _ = write!(json, "\\u{unit:04x}"); }
            }
        }
        json.push_str("\"]");
        let plain = serde_json::to_string(&[&text]).unwrap();
        let kinds = |text: &str| -> Vec<u16> {
            Redactor::default().redact_text(text).1.into_iter().map(|finding| finding.kind).collect()
        };
        prop_assert_eq!(kinds(&json), kinds(&plain), "{} and {}", json, plain);
    }

    #[test]
    fn no_text_panics(text in "\\PC*", bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let redactor = Redactor::default();
        for text in [text.as_str(), &String::from_utf8_lossy(&bytes)] {
            let (_, findings) = redactor.redact_text(text);
            assert_laws(text, &findings);
        }
    }

    #[test]
    fn spaces_around_a_text_change_nothing(text in pieces()) {
        let (redacted, _) = Redactor::default().redact_text(&text);
        let (spaced, _) = Redactor::default().redact_text(&format!(" {text} "));
        prop_assert_eq!(spaced, redacted.map(|redacted| format!(" {redacted} ")));
    }

    #[test]
    fn no_configuration_panics(json in "\\PC*") {
        let _ = Redactor::configure(&json);
    }
}
