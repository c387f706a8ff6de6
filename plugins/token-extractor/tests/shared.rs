//! What events of a stream share is read once: whatever it is, the record is that of the same bytes one at a time, where
//! nothing can be shared.

mod common;

use common::{CHAT, Call, MESSAGES, RESPONSES, sse};
use proptest::prelude::*;

/// Pieces of events, so few that events often begin and end alike, and so small that they also end within each other.
fn one_of(pieces: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    prop::sample::select(pieces)
}

fn chat() -> impl Strategy<Value = String> {
    let number = one_of(&["1", "10", "12", "1.5", "null", "\"1\""]);
    let delta = one_of(&[
        r#"{"content":""}"#,
        r#"{"content":"a"}"#,
        r#"{"content":"a\n","refusal":"no"}"#,
        r#"{"content":"","refusal":"no"}"#,
        r#"{"role":"assistant"}"#,
        r#"{"tool_calls":[{"index":0,"function":{"name":"f","arguments":""}}]}"#,
        r#"{"tool_calls":[{"index":1,"function":{"arguments":"{}"}}]}"#,
        "{}",
    ]);
    let rest = one_of(&[
        "",
        r#","finish_reason":null"#,
        r#","finish_reason":"stop""#,
        r#","text":"more""#,
        r#","index":1"#,
        r#","index":10,"finish_reason":"length""#,
    ]);
    let end = one_of(&[
        "}",
        r#","usage":null}"#,
        r#","usage":{"prompt_tokens":1,"completion_tokens":2}}"#,
        r#","usage":{"prompt_tokens":1,"completion_tokens":20}}"#,
        r#","error":{"type":"overloaded"}}"#,
        "",
        "}x",
    ]);
    (number, delta, rest, end).prop_map(|(number, delta, rest, end)| {
        format!(r#"{{"id":"c-1","created":{number},"model":"m","choices":[{{"delta":{delta}{rest}}}]{end}"#)
    })
}

fn messages() -> impl Strategy<Value = String> {
    let index = one_of(&["0", "1", "10"]);
    let rest = one_of(&[
        r#""delta":{"type":"text_delta","text":"a"}}"#,
        r#""delta":{"type":"text_delta","text":""}}"#,
        r#""delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2}}"#,
        r#""delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":20}}"#,
        r#""content_block":{"type":"tool_use","name":"f"}}"#,
        r#""error":{"type":"overloaded_error"}}"#,
        r#""delta":{"#,
    ]);
    let kind = one_of(&["content_block_delta", "message_delta", "error"]);
    (kind, index, rest).prop_map(|(kind, index, rest)| format!(r#"{{"type":"{kind}","index":{index},{rest}"#))
}

fn responses() -> impl Strategy<Value = String> {
    let number = one_of(&["1", "10", "11"]);
    let rest = one_of(&[
        r#""delta":"a"}"#,
        r#""delta":"","item_id":"i"}"#,
        r#""response":{"status":"completed","usage":{"input_tokens":1,"output_tokens":2}}}"#,
        r#""response":{"status":"failed","error":{"code":"server_error"}}}"#,
        r#""code":"1"}"#,
    ]);
    let kind = one_of(&["response.output_text.delta", "response.completed", "error"]);
    (kind, number, rest)
        .prop_map(|(kind, number, rest)| format!(r#"{{"type":"{kind}","sequence_number":{number},{rest}"#))
}

fn check(path: &'static str, events: &[String], size: usize) -> Result<(), TestCaseError> {
    let events: Vec<&str> = events.iter().map(String::as_str).collect();
    let call = Call::stream(path, sse(&events));
    let alone = call.read(&[1]);
    prop_assert_eq!(&call.read(&[usize::MAX]), &alone);
    prop_assert_eq!(&call.read(&[size]), &alone);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn chat_events(events in prop::collection::vec(chat(), 1..12), size in 2..400_usize) {
        check(CHAT, &events, size)?;
    }

    #[test]
    fn messages_events(events in prop::collection::vec(messages(), 1..12), size in 2..400_usize) {
        check(MESSAGES, &events, size)?;
    }

    #[test]
    fn responses_events(events in prop::collection::vec(responses(), 1..12), size in 2..400_usize) {
        check(RESPONSES, &events, size)?;
    }
}
