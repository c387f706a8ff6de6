//! Streams of every API through an exchange: values come back, nothing passes unseen, and what is not concerned goes on
//! byte for byte, wherever the stream is cut.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test that fails says where")]

#[path = "support/formats.rs"]
mod formats;
mod support;

use formats::{FORMATS, Field, Format, Transfer};
use proptest::prelude::*;
use std::sync::Arc;
use support::pieces;
use tollgate_pii_redactor::Redactor;
use tollgate_pii_redactor::traffic::{Counts, Direction, Exchange, Options, Redactors};

const BOTH: Options = Options { response: true, ..RESTORE };
const RESTORE: Options = Options {
    request: true,
    response: false,
    restore: true,
    on_error: tollgate_pii_redactor::traffic::OnError::Block,
    max_body_bytes: 1 << 20,
};

fn exchange(options: Options) -> Exchange {
    Exchange::new(Arc::new(Redactors::configure("{}").unwrap()), options)
}

/// What a model gets for these texts, in one message each.
fn asked(exchange: &mut Exchange, texts: &[&str]) -> Vec<String> {
    let messages: Vec<_> = texts.iter().map(|text| serde_json::json!({"role": "user", "content": text})).collect();
    let body = serde_json::json!({"model": "m", "messages": messages}).to_string();
    let sent = exchange.request(b"application/json", b"", body.as_bytes()).unwrap().unwrap_or(body.into_bytes());
    let sent: serde_json::Value = serde_json::from_slice(&sent).unwrap();
    let messages = sent["messages"].as_array().unwrap();
    messages.iter().map(|message| message["content"].as_str().unwrap().to_owned()).collect()
}

/// What goes on of a stream that comes in chunks of these sizes, over and over.
fn answered(exchange: &mut Exchange, format: &Format, stream: &[u8], sizes: &[usize]) -> Vec<u8> {
    exchange.response_head(format.content_type.as_bytes(), b"").unwrap();
    let (mut rest, mut out) = (stream, Vec::new());
    for size in sizes.iter().cycle() {
        let (chunk, left) = rest.split_at((*size).clamp(1, rest.len().max(1)).min(rest.len()));
        out.extend(
            exchange
                .response(chunk, left.is_empty())
                .unwrap_or_else(|error| panic!("{}: {error} at {:?}", format.name, String::from_utf8_lossy(rest))),
        );
        rest = left;
        if rest.is_empty() {
            break;
        }
    }
    out
}

fn characters(text: &str) -> Vec<String> {
    text.chars().map(String::from).collect()
}

/// A text in pieces of so many characters.
fn cut(text: &str, size: usize) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    characters.chunks(size.max(1)).map(|piece| piece.iter().collect()).collect()
}

fn text_of(texts: &[(Field, String)], field: Field) -> &str {
    texts.iter().find(|(of, _)| *of == field).map_or("", |(_, text)| text)
}

const SAID: &str = "Write to ann@example.com, 电话：13812345678。Card 4111 1111 1111 1111 — or \"bob@example.org\"\n";
const ARGUMENTS: &str = r#"{"to":"ann@example.com","cc":["bob@example.org"],"note":"a \"b\" <c>"}"#;

#[test]
fn stand_ins_come_back_in_every_format_wherever_it_is_cut() {
    for format in FORMATS {
        for options in [RESTORE, BOTH] {
            let texts = |exchange: &mut Exchange, size: usize| {
                let mut said = asked(exchange, &[SAID, ARGUMENTS, "bob@example.org knows ann@example.com"]);
                assert!(said.iter().all(|text| !text.contains("example.") && !text.contains("4111")), "{said:?}");
                let texts = [
                    (Field::Reasoning, said.remove(2)),
                    (Field::Arguments, said.remove(1)),
                    (Field::Text, said.remove(0)),
                ];
                texts.map(|(field, text)| (field, cut(&text, size)))
            };
            for size in [1, 2, 3, 7, 1000] {
                let mut whole = exchange(options);
                let stream = format.stream(&texts(&mut whole, size));
                let expected = answered(&mut whole, format, &stream, &[usize::MAX]);
                let read = format.read(&expected);
                let name = format!("{} {options:?} in pieces of {size}", format.name);
                assert_eq!(text_of(&read, Field::Text), SAID, "{name}");
                if format.has(Field::Reasoning) {
                    assert_eq!(text_of(&read, Field::Reasoning), "bob@example.org knows ann@example.com", "{name}");
                }
                if format.has(Field::Arguments) {
                    assert_eq!(text_of(&read, Field::Arguments), ARGUMENTS, "{name}");
                }
                assert!(whole.counts().restored >= 3, "{name}: {:?}", whole.counts());
                assert_eq!(whole.waiting_bytes(), 0, "{name}");
                // Any cut of the bytes gives the same bytes.
                for sizes in [&[1][..], &[2, 1, 5], &[3], &[stream.len() / 2], &[64]] {
                    let mut exchange = exchange(options);
                    let stream = format.stream(&texts(&mut exchange, size));
                    let given = answered(&mut exchange, format, &stream, sizes);
                    assert_eq!(String::from_utf8_lossy(&given), String::from_utf8_lossy(&expected), "{name} {sizes:?}");
                }
            }
        }
    }
}

#[test]
fn every_cut_in_two_gives_the_same_bytes() {
    for format in FORMATS {
        let stream = |exchange: &mut Exchange| {
            let said = asked(exchange, &["To ann@example.com 好"]).remove(0);
            format.stream(&[(Field::Text, cut(&said, 4)), (Field::Reasoning, cut(&said, 5))])
        };
        let mut whole = exchange(BOTH);
        let bytes = stream(&mut whole);
        let expected = answered(&mut whole, format, &bytes, &[usize::MAX]);
        for place in 1..bytes.len() {
            let mut exchange = exchange(BOTH);
            let bytes = stream(&mut exchange);
            let given = answered(&mut exchange, format, &bytes, &[place, usize::MAX]);
            assert_eq!(
                String::from_utf8_lossy(&given),
                String::from_utf8_lossy(&expected),
                "{} at {place}",
                format.name
            );
        }
    }
}

#[test]
fn what_repeats_a_text_agrees_with_its_pieces() {
    let format = FORMATS.iter().find(|format| format.name == "responses").unwrap();
    for options in [RESTORE, BOTH] {
        let mut exchange = exchange(options);
        let said = asked(&mut exchange, &["to ann@example.com"]).remove(0);
        // The model says a value of its own, too.
        let said = format!("{said} and carl@example.net.");
        let stream = format.stream(&[
            (Field::Text, characters(&said)),
            (Field::Arguments, characters(&format!("{{\"a\":\"{said}\"}}"))),
        ]);
        let given = answered(&mut exchange, format, &stream, &[9]);
        let documents = format.documents(&given);
        let of = |kind: &str, member: &str| {
            documents
                .iter()
                .filter(|event| event["type"] == kind)
                .map(|event| event[member].as_str().unwrap())
                .collect::<String>()
        };
        let text = of("response.output_text.delta", "delta");
        let own = if options.response { "<EMAIL_ADDRESS_2>" } else { "carl@example.net" };
        assert_eq!(text, format!("to ann@example.com and {own}."));
        assert_eq!(of("response.output_text.done", "text"), text);
        let part = documents.iter().find(|event| event["type"] == "response.content_part.done").unwrap();
        assert_eq!(part["part"]["text"], text);
        let arguments = of("response.function_call_arguments.delta", "delta");
        assert_eq!(arguments, format!("{{\"a\":\"{text}\"}}"));
        assert_eq!(of("response.function_call_arguments.done", "arguments"), arguments);
    }
}

#[test]
fn what_a_model_says_by_itself_is_redacted_as_the_whole_text_would_be() {
    let redactor = Redactor::configure(r#"{"operator": "number"}"#).unwrap();
    let (redacted, _) = redactor.redact_text(SAID);
    let redacted = redacted.unwrap();
    for format in FORMATS {
        for size in [1, 3, 1000] {
            let mut exchange = exchange(BOTH);
            let texts = [(Field::Text, cut(SAID, size)), (Field::Arguments, cut(ARGUMENTS, size))];
            let given = answered(&mut exchange, format, &format.stream(&texts), &[50]);
            let read = format.read(&given);
            assert_eq!(text_of(&read, Field::Text), redacted, "{} {size}", format.name);
            let arguments = text_of(&read, Field::Arguments);
            assert!(!arguments.contains("example"), "{arguments}");
            assert!(!format.has(Field::Arguments) || serde_json::from_str::<serde_json::Value>(arguments).is_ok());
            assert!(exchange.counts().found_in(Direction::Response) >= 4);
            assert_eq!(exchange.counts().found_in(Direction::Request), 0);
        }
    }
}

#[test]
fn numbers_come_back_as_numbers_in_arguments() {
    for format in FORMATS.iter().filter(|format| format.has(Field::Arguments)) {
        for size in [1, 2, 1000] {
            let mut exchange = exchange(RESTORE);
            let body = r#"{"messages":[{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"pay","arguments":"{\"card\":4111111111111111}"}}]}]}"#;
            let sent = exchange.request(b"application/json", b"", body.as_bytes()).unwrap().unwrap();
            let sent = String::from_utf8(sent).unwrap();
            assert!(sent.contains(r#"{\"card\":\"<CREDIT_CARD_1>\"}"#), "{sent}");
            let stream = format.stream(&[(Field::Arguments, cut(r#"{"card": "<CREDIT_CARD_1>", "n": 1}"#, size))]);
            let given = answered(&mut exchange, format, &stream, &[30]);
            assert_eq!(
                text_of(&format.read(&given), Field::Arguments),
                r#"{"card": 4111111111111111, "n": 1}"#,
                "{}",
                format.name
            );
        }
    }
}

#[test]
fn a_stream_that_breaks_off_lets_go_of_what_was_held() {
    for format in FORMATS.iter().filter(|format| format.transfer != Transfer::Array) {
        let mut exchange = exchange(BOTH);
        let stream = format.unended(&["Write", " to ann"]);
        let given = answered(&mut exchange, format, &stream, &[10]);
        assert_eq!(text_of(&format.read(&given), Field::Text), "Write to ann", "{}", format.name);
    }
}

#[test]
fn without_stand_ins_a_stream_goes_on_byte_for_byte() {
    for format in FORMATS {
        let mut exchange = exchange(RESTORE);
        asked(&mut exchange, &["ann@example.com"]);
        let stream = format.stream(&[
            (Field::Text, characters("Nothing <b> of it <EMAIL, \u{1f600} 中文\n")),
            (Field::Arguments, characters("{\"a\": [1, \"<x\"]}")),
        ]);
        // Only what may become a stand-in moves from one event to the next.
        let given = answered(&mut exchange, format, &stream, &[7]);
        assert_eq!(format.read(&given), format.read(&stream), "{}", format.name);
        let stream = format.stream(&[(Field::Text, characters("Nothing at all, \u{1f600} 中文\n"))]);
        let mut exchange = self::exchange(RESTORE);
        asked(&mut exchange, &["ann@example.com"]);
        assert!(answered(&mut exchange, format, &stream, &[7]) == stream, "{}", format.name);
        assert_eq!(
            exchange.counts(),
            &Counts {
                found: exchange.counts().found.clone(),
                waiting_bytes: exchange.counts().waiting_bytes,
                ..Counts::default()
            }
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn what_was_taken_out_comes_back(said in pieces(), inner in pieces(), number in 0_u64..1 << 53,
                                     size in 1..9_usize, sizes in prop::collection::vec(1..200_usize, 1..4),
                                     both in any::<bool>()) {
        let arguments = serde_json::json!({"x": inner, "n": number, "card": 4_111_111_111_111_111_u64}).to_string();
        prop_assume!(!said.is_empty() && !said.trim_start().starts_with(['{', '[']));
        for format in FORMATS {
            let mut exchange = exchange(if both { BOTH } else { RESTORE });
            let sent = asked(&mut exchange, &[&said, &arguments]);
            let stream = format.stream(&[(Field::Text, cut(&sent[0], size)), (Field::Arguments, cut(&sent[1], size))]);
            let given = answered(&mut exchange, format, &stream, &sizes);
            let read = format.read(&given);
            if !both {
                prop_assert_eq!(text_of(&read, Field::Text), &said, "{}", format.name);
                if format.has(Field::Arguments) {
                    prop_assert_eq!(text_of(&read, Field::Arguments), &arguments, "{}", format.name);
                }
            }
            let most = exchange.counts().held_bytes;
            prop_assert!(most <= 17 << 10, "{} held", most);
        }
    }
}
