//! Texts in pieces: wherever they are cut, the same is written and found as in the whole, little is held back, and what
//! was taken out comes back.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a data set that is not as described must stop the test"
)]

mod support;

use proptest::prelude::*;
use support::{pieces, rows};
use tollgate_pii_redactor::{Conversation, Finding, Redactor, Restoring, Stream};

/// Everything that a stream gave, and the most bytes that it held.
fn streamed(redactor: &Redactor, mut stream: Stream, cut: &[&str]) -> (String, Vec<Finding>, usize) {
    let mut conversation = redactor.conversation();
    let (mut text, mut findings, mut held) = (String::new(), Vec::new(), 0);
    for piece in cut {
        let given = stream.push(redactor, &mut conversation, piece);
        text.push_str(&given.text);
        findings.extend(given.findings);
        held = held.max(stream.held());
    }
    let given = stream.finish(redactor, &mut conversation);
    text.push_str(&given.text);
    findings.extend(given.findings);
    assert_eq!(stream.held(), 0);
    (text, findings, held)
}

/// The text cut at the places, which are moved to the next character.
fn cut<'a>(text: &'a str, places: &[usize]) -> Vec<&'a str> {
    let mut places: Vec<usize> = places.iter().map(|place| text.ceil_char_boundary(place % (text.len() + 1))).collect();
    places.push(text.len());
    places.sort_unstable();
    let mut from = 0;
    places.into_iter().map(|place| text.get(std::mem::replace(&mut from, place)..place).unwrap()).collect()
}

fn characters(text: &str) -> Vec<&str> {
    text.char_indices().map(|(place, c)| &text[place..place + c.len_utf8()]).collect()
}

fn redactors() -> Vec<Redactor> {
    [
        "{}",
        r#"{"operator": "mask"}"#,
        r#"{"operator": "number"}"#,
        r#"{"operator": "pseudonym", "pseudonym": {"key_id": "k", "key": "MDEyMzQ1Njc4OWFiY2RlZg=="}}"#,
        r#"{"rules": [{"type": "BADGE", "pattern": "E-[0-9]{2,6}", "keywords": ["badge", "工号"]},
            {"type": "PERSON", "terms": ["Ann", "Ann Miller", "张楠"]}, {"type": "X", "pattern": "x[0-9]+y?"}]}"#,
    ]
    .iter()
    .map(|config| Redactor::configure(config).unwrap())
    .collect()
}

#[test]
fn values_are_replaced_however_the_stream_is_cut() {
    let redactor = Redactor::default();
    for (text, expected) in [
        ("Mail ann@example.com now", "Mail <EMAIL_ADDRESS> now"),
        ("Card 4111 1111 1111 1111, thanks", "Card <CREDIT_CARD>, thanks"),
        ("电话１３８１２３４５６７８。", "电话<PHONE_NUMBER>。"),
        ("ann\\u0040example.com", "<EMAIL_ADDRESS>"),
        ("call 25-62-29-72 office", "call <PHONE_NUMBER> office"),
    ] {
        assert_eq!(streamed(&redactor, Stream::text(), &characters(text)).0, expected);
        for place in (0..text.len()).filter(|place| text.is_char_boundary(*place)) {
            let (given, _, _) = streamed(&redactor, Stream::text(), &[&text[..place], &text[place..]]);
            assert_eq!(given, expected, "{text} at {place}");
        }
    }
}

#[test]
fn arguments_of_a_tool_call_stay_json() {
    let redactor = Redactor::default();
    let text = r#"{"to":"ann\u0040example.com","card":4111111111111111,"n":[1,2]}"#;
    let expected = r#"{"to":"<EMAIL_ADDRESS>","card":"<CREDIT_CARD>","n":[1,2]}"#;
    for place in 0..text.len() {
        let (given, findings, _) = streamed(&redactor, Stream::json(), &[&text[..place], &text[place..]]);
        assert_eq!(given, expected, "at {place}");
        assert_eq!(
            findings.iter().map(|finding| (finding.start, finding.end)).collect::<Vec<_>>(),
            [(7, 27), (36, 52)]
        );
    }
}

/// What is no JSON is redacted too, and none of it is lost.
#[test]
fn arguments_that_are_no_json_go_on() {
    let redactor = Redactor::default();
    for (text, expected) in [
        ("Α@4.xo @ and more", "\"<EMAIL_ADDRESS>\" @ and more"),
        ("{call 4111 1111 1111 1111 now", "{call \"<CREDIT_CARD>\" now"),
        (r#"{"n":-4111111111111111}"#, r#"{"n":"<CREDIT_CARD>"}"#),
    ] {
        assert_eq!(streamed(&redactor, Stream::json(), &[text]).0, expected);
        assert_eq!(streamed(&redactor, Stream::json(), &characters(text)).0, expected);
    }
}

/// Signs, letters and numbers that run into each other outside of strings.
#[test]
fn what_runs_on_outside_of_strings_is_the_same_in_pieces() {
    let redactor = Redactor::default();
    let long = format!("p8{}@a.cn 6.8", "J".repeat(90));
    for text in [
        long.as_str(),
        "+++++++1111111111+++++++++++++++11111111A~@011++++++++++++++++++++1111111111+1111111111++++, l",
        "(415) 555-0132(415) 555-0132:00000, l",
        "--4111111111111111- 13812345678-13912345678",
    ] {
        let (whole, findings, _) = streamed(&redactor, Stream::json(), &[text]);
        assert!(!findings.is_empty(), "{text}");
        let (given, found, _) = streamed(&redactor, Stream::json(), &characters(text));
        assert_eq!((&given, &found), (&whole, &findings), "{text}");
        for place in 1..text.len() {
            let (given, found, _) = streamed(&redactor, Stream::json(), &[&text[..place], &text[place..]]);
            assert_eq!((&given, &found), (&whole, &findings), "{text} at {place}");
        }
    }
}

/// A token longer than what is held is cut inside: a run of digits of which a part went on is no run of its own.
#[test]
fn a_cut_inside_a_token_begins_no_value() {
    let redactor = Redactor::default();
    let text = "密码-32-z-6975:_:+0***A\0A\0密码-32-z-697539`24005697539`2475339`24005697539`247539`24005697:0::_:+0***A\0A\0密码-32-z-697539`24005697539`247539`24005697539`240590 end";
    let (whole, findings, _) = streamed(&redactor, Stream::text(), &[text]);
    let (given, found, _) = streamed(&redactor, Stream::text(), &characters(text));
    assert_eq!((given, found), (whole, findings));
}

#[test]
fn text_without_a_trigger_goes_on_at_once() {
    let redactor = Redactor::default();
    let mut conversation = redactor.conversation();
    for text in ["Here is the plan. ", "第一步，", "Done!\n", "- one, "] {
        let mut stream = Stream::text();
        assert_eq!(stream.push(&redactor, &mut conversation, text).text, text);
        assert_eq!(stream.held(), 0, "{text}");
    }
    // A word may go on as an address, so it waits for the next piece and no longer.
    let mut stream = Stream::text();
    assert_eq!(stream.push(&redactor, &mut conversation, "Please write to ann").text, "Please write to ");
    assert_eq!(stream.push(&redactor, &mut conversation, " and").text, "ann ");
}

#[test]
fn a_value_longer_than_what_is_held_is_replaced_as_a_whole() {
    let redactor = Redactor::default();
    let body = "a1B2c3D4e5F6g7H8i9J0kLmNoPqRsTuVwXyZ".repeat(1_000);
    let text = format!("key sk-{body} end");
    let pieces: Vec<&str> = text.as_bytes().chunks(100).map(|piece| std::str::from_utf8(piece).unwrap()).collect();
    let (given, findings, held) = streamed(&redactor, Stream::text(), &pieces);
    assert!(given.starts_with("key <") && given.ends_with("> end"), "{given}");
    assert_eq!(findings.len(), 1);
    assert!(held < 17 << 10, "{held}");
}

#[test]
fn past_the_limit_of_findings_nothing_goes_on() {
    let redactor = Redactor::configure(r#"{"max_findings": 1}"#).unwrap();
    let text = "a@b.cn, c@d.cn, secret";
    let (given, findings, _) = streamed(&redactor, Stream::text(), &characters(text));
    assert_eq!((given.as_str(), findings.len()), ("<EMAIL_ADDRESS>, <UNSCANNED>", 2));
}

/// Every labelled text, cut between any two characters and at places that a seed chooses.
#[test]
fn labelled_texts_are_the_same_in_pieces() {
    let redactor = Redactor::default();
    let mut seed = 1usize;
    for set in ["prose_en", "prose_zh", "recognizer_cases", "secrets_gitleaks"] {
        for row in rows(&format!("{set}.jsonl.gz")).into_iter().flatten() {
            let text = row["text"].as_str().unwrap();
            let (whole, findings, _) = streamed(&redactor, Stream::text(), &[text]);
            if !text.trim_start().starts_with(['{', '[']) {
                let (redacted, found) = redactor.redact_text(text);
                assert_eq!((redacted.as_deref().unwrap_or(text), &found), (whole.as_str(), &findings), "{text:?}");
            }
            let places: Vec<usize> = (0..text.len() / 16 + 1)
                .map(|_| {
                    seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    seed >> 33
                })
                .collect();
            for pieces in [characters(text), cut(text, &places)] {
                let (given, found, _) = streamed(&redactor, Stream::text(), &pieces);
                assert_eq!((given, found), (whole.clone(), findings.clone()), "{pieces:?}");
            }
        }
    }
}

/// Every labelled text, taken out and given back.
#[test]
fn labelled_texts_come_back() {
    let redactor = Redactor::configure(r#"{"operator": "reversible"}"#).unwrap();
    for set in ["prose_en", "prose_zh", "recognizer_cases", "secrets_gitleaks"] {
        for row in rows(&format!("{set}.jsonl.gz")).into_iter().flatten() {
            let text = row["text"].as_str().unwrap();
            let body = serde_json::json!({ "messages": [{ "content": text }], "x": serde_json::json!({ "a": text }).to_string() });
            for text in [text, &body.to_string()] {
                let mut conversation = redactor.conversation();
                let redacted = redactor.redact_in(&mut conversation, text).0.unwrap_or_else(|| text.to_owned());
                let restored = conversation.restore(&redacted).unwrap_or_else(|| redacted.clone());
                assert_eq!(restored, text, "{redacted}");
                if !text.starts_with(['{', '[']) {
                    let pieces = characters(&redacted);
                    assert_eq!(restored_in_pieces(&mut Restoring::text(), &conversation, &pieces), text);
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn cuts_make_no_difference(text in pieces(), places in prop::collection::vec(any::<usize>(), 0..6)) {
        let json = text.trim_start().starts_with(['{', '[']);
        for redactor in redactors() {
            let (whole, findings, _) = streamed(&redactor, Stream::text(), &[&text]);
            if !json {
                let (redacted, found) = redactor.redact_text(&text);
                prop_assert_eq!(&redacted.unwrap_or_else(|| text.clone()), &whole, "{:?}", text);
                prop_assert_eq!(found, findings.clone());
            }
            for pieces in [cut(&text, &places), characters(&text)] {
                let (given, found, held) = streamed(&redactor, Stream::text(), &pieces);
                prop_assert_eq!(&given, &whole, "{:?}", pieces);
                prop_assert_eq!(&found, &findings, "{:?}", pieces);
                // A character of another width is up to four bytes of the stream, an escape six.
                let most = if text.is_ascii() && !text.contains('\\') { 128 } else { 6 * 128 };
                prop_assert!(held <= most || text.contains("PRIVATE KEY"), "{} held of {:?}", held, text);
            }
        }
    }

    #[test]
    fn cuts_of_json_make_no_difference(texts in prop::collection::vec(pieces(), 1..3), number in any::<u64>(),
                                       places in prop::collection::vec(any::<usize>(), 0..6)) {
        let text = serde_json::json!({ "a": texts, "card": 4_111_111_111_111_111_u64, "n": number }).to_string();
        let redactor = Redactor::default();
        let (whole, findings, _) = streamed(&redactor, Stream::json(), &[&text]);
        prop_assert!(serde_json::from_str::<serde_json::Value>(&whole).is_ok(), "{}", whole);
        for pieces in [cut(&text, &places), characters(&text)] {
            let (given, found, _) = streamed(&redactor, Stream::json(), &pieces);
            prop_assert_eq!(&given, &whole, "{:?}", pieces);
            prop_assert_eq!(&found, &findings, "{:?}", pieces);
        }
    }

    #[test]
    fn what_was_taken_out_comes_back(texts in prop::collection::vec(pieces(), 1..3), number in 0u64..1 << 53,
                                     places in prop::collection::vec(any::<usize>(), 0..6)) {
        let redactor = Redactor::configure(r#"{"operator": "reversible"}"#).unwrap();
        let inner = serde_json::json!({ "x": texts, "n": number, "card": 4_111_111_111_111_111_u64 }).to_string();
        let json = serde_json::json!({ "messages": texts, "arguments": inner, "n": number }).to_string();
        let mut conversation = redactor.conversation();
        let plain = texts.iter().filter(|text| !text.trim_start().starts_with(['{', '[']));
        for (text, cuttable) in plain.map(|text| (text, true)).chain([(&inner, true), (&json, false)]) {
            let (redacted, _) = redactor.redact_in(&mut conversation, text);
            let redacted = redacted.unwrap_or_else(|| text.clone());
            let restored = conversation.restore(&redacted).unwrap_or_else(|| redacted.clone());
            prop_assert_eq!(&restored, text, "{}", redacted);
            let json = text.starts_with('{');
            for pieces in [cut(&redacted, &places), characters(&redacted)].into_iter().filter(|_| cuttable) {
                let mut restoring = if json { Restoring::json() } else { Restoring::text() };
                prop_assert_eq!(&restored_in_pieces(&mut restoring, &conversation, &pieces), text, "{:?}", pieces);
            }
        }
    }
}

fn restored_in_pieces(restoring: &mut Restoring, conversation: &Conversation, pieces: &[&str]) -> String {
    let mut text: String = pieces.iter().map(|piece| restoring.push(conversation, piece)).collect();
    text.push_str(&restoring.finish(conversation));
    text
}
