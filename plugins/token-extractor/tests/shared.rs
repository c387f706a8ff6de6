//! What events of a stream share is read once: whatever it is, the record is that of the same bytes one at a time, where
//! nothing can be shared.

mod common;

use common::{CHAT, Call, MESSAGES, RESPONSES, sse};
use proptest::prelude::*;

const GEMINI: &str = "/v1beta/models/g:streamGenerateContent";
const OLLAMA: &str = "/api/chat";

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

/// Values that come first, or later, or never, and decide what is read behind them.
fn late() -> impl Strategy<Value = String> {
    // What comes most often makes events that differ in one value only.
    let id = one_of(&["\"c-1\"", "\"c-1\"", "\"c-1\"", "null", "\"c-2\"", "7"]);
    let tier = one_of(&["null", "null", "null", "\"default\"", "\"flex\""]);
    let fingerprint = one_of(&["null", "null", "null", "\"fp_1\"", "\"fp_2\""]);
    let choices = one_of(&[
        r#"{"index":0,"delta":{"content":"a"}}"#,
        r#"{"index":0,"delta":{"content":"a"}}"#,
        r#"{"index":0,"delta":{"content":"bb"}}"#,
        r#"{"index":0,"delta":{"content":""}}"#,
        r#"{"index":0,"delta":{"content":["a"]}}"#,
        "",
    ]);
    let usage = one_of(&[
        "null",
        "[]",
        "{}",
        "1",
        r#"{"prompt_tokens":1,"completion_tokens":2}"#,
        r#"{"prompt_tokens":1,"completion_tokens":3}"#,
    ]);
    let end = one_of(&[r#""x":1}"#, r#""usage":null}"#, r#""model":"m"}"#, r#""model":"n"}"#]);
    (id, tier, fingerprint, choices, usage, end).prop_map(|(id, tier, fingerprint, choices, usage, end)| {
        let head = format!(r#"{{"object":"chat.completion.chunk","id":{id},"service_tier":{tier}"#);
        format!(r#"{head},"system_fingerprint":{fingerprint},"choices":[{choices}],"usage":{usage},{end}"#)
    })
}

/// Values that are read or passed over by what came before, behind something that is said each time.
fn deep() -> impl Strategy<Value = String> {
    let content = one_of(&["\"\"", "\"a\"", "\"b\""]);
    let name = one_of(&["f", "f", "g"]);
    let text = one_of(&["\"\"", "\"1\"", "\"2\"", "[]"]);
    let end = one_of(&["}}]}", "}}]}", r#"},"finish_reason":"stop"}]}"#, r#"}}],"usage":{"prompt_tokens":1}}"#]);
    (content, name, text, end).prop_map(|(content, name, text, end)| {
        let call = format!(r#""tool_calls":[{{"function":{{"name":"{name}"}}}}]"#);
        format!(
            r#"{{"model":"a-model","choices":[{{"delta":{{"content":{content},{call},"refusal":{{"x":{text}}}{end}"#
        )
    })
}

/// Events with counts in each, and behind them what they share.
fn gemini() -> impl Strategy<Value = String> {
    let part = one_of(&[
        r#"{"text":"a"}"#,
        r#"{"text":"bc"}"#,
        r#"{"text":""}"#,
        r#"{"text":"a","thought":true}"#,
        r#"{"functionCall":{"name":"f","args":{}}}"#,
    ]);
    let finish = one_of(&["", "", r#","finishReason":"STOP""#, r#","finishReason":"MAX_TOKENS""#]);
    let input = one_of(&["4", "4", "5", "null", "-1"]);
    let output = one_of(&["1", "2", "30"]);
    let rest = one_of(&[
        "",
        r#","totalTokenCount":9"#,
        r#","promptTokensDetails":[{"modality":"TEXT","tokenCount":4}]"#,
        r#","promptTokensDetails":[{"modality":"AUDIO","tokenCount":4}]"#,
        r#","promptTokensDetails":[{"modality":"TEXT","tokenCount":3},{"modality":"AUDIO","tokenCount":1}]"#,
    ]);
    let end = one_of(&[
        r#"},"modelVersion":"gemini-2.5-flash","responseId":"r1"}"#,
        r#"},"modelVersion":"gemini-2.5-flash","responseId":"r1"}"#,
        r#"},"modelVersion":"gemini-2.5-flash","usageMetadata":{"candidatesTokenCount":1}}"#,
        r#"},"error":{"status":"INTERNAL"}}"#,
        "}",
    ]);
    (part, finish, input, output, rest, end).prop_map(|(part, finish, input, output, rest, end)| {
        let candidates =
            format!(r#""candidates":[{{"content":{{"parts":[{part}],"role":"model"}},"index":0{finish}}}]"#);
        let usage = format!(r#""promptTokenCount":{input},"candidatesTokenCount":{output}{rest}"#);
        format!(r#"{{{candidates},"usageMetadata":{{{usage}{end}"#)
    })
}

fn ollama() -> impl Strategy<Value = String> {
    let time = one_of(&["\"t1\"", "\"t2\"", "3"]);
    let message = one_of(&[
        r#"{"role":"assistant","content":"a"}"#,
        r#"{"role":"assistant","content":"bc"}"#,
        r#"{"role":"assistant","content":""}"#,
        r#"{"role":"assistant","content":"","thinking":"hm"}"#,
        r#"{"role":"assistant","content":"","tool_calls":[{"function":{"name":"f","arguments":{}}}]}"#,
        "[]",
    ]);
    let end = one_of(&[
        r#""done":false}"#,
        r#""done":false}"#,
        r#""done":false} "#,
        r#""done_reason":"stop","done":true,"prompt_eval_count":4,"eval_count":2}"#,
        r#""done_reason":"length","done":true,"prompt_eval_count":4,"eval_count":3}"#,
        r#""error":"no"}"#,
    ]);
    (time, message, end)
        .prop_map(|(time, message, end)| format!(r#"{{"model":"llama3","created_at":{time},"message":{message},{end}"#))
}

fn check(path: &'static str, events: &[String], size: usize) -> Result<(), TestCaseError> {
    let events: Vec<&str> = events.iter().map(String::as_str).collect();
    check_body(path, sse(&events), size)
}

fn check_body(path: &'static str, body: String, size: usize) -> Result<(), TestCaseError> {
    let call = Call::stream(path, body);
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

    #[test]
    fn chat_events_with_facts_that_come_late(events in prop::collection::vec(late(), 1..24), size in 2..400_usize) {
        check(CHAT, &events, size)?;
    }

    #[test]
    fn chat_events_that_call(events in prop::collection::vec(deep(), 1..24), size in 2..400_usize) {
        check(CHAT, &events, size)?;
    }

    #[test]
    fn gemini_events(events in prop::collection::vec(gemini(), 1..24), size in 2..400_usize) {
        check(GEMINI, &events, size)?;
    }

    #[test]
    fn ollama_lines(lines in prop::collection::vec(ollama(), 1..24), size in 2..400_usize) {
        check_body(OLLAMA, lines.join("\n"), size)?;
    }

    /// Events of one kind, whose values alone differ, after others that are like them for a while.
    #[test]
    fn events_that_settle(
        first in prop::collection::vec(chat(), 0..3),
        delta in chat(),
        times in 1..20_usize,
        others in prop::collection::vec(chat(), 0..6),
        size in 2..400_usize,
    ) {
        let same = (0..times).map(|number| delta.replace("\"a\"", &format!("\"a{number}\"")));
        let events: Vec<String> = first.into_iter().chain(same).chain(others).collect();
        check(CHAT, &events, size)?;
    }

    /// The same few events again and again: what one has said counts again when it comes after another.
    #[test]
    fn events_that_come_again(
        (path, pool) in prop_oneof![
            (Just(CHAT), prop::collection::vec(chat(), 2..4)),
            (Just(CHAT), prop::collection::vec(late(), 2..4)),
            (Just(CHAT), prop::collection::vec(deep(), 2..4)),
            (Just(MESSAGES), prop::collection::vec(messages(), 2..4)),
            (Just(RESPONSES), prop::collection::vec(responses(), 2..4)),
            (Just(GEMINI), prop::collection::vec(gemini(), 2..4)),
            (Just(OLLAMA), prop::collection::vec(ollama(), 2..4)),
        ],
        order in prop::collection::vec(any::<prop::sample::Index>(), 3..24),
        size in 2..400_usize,
    ) {
        let events: Vec<String> = order.iter().map(|place| place.get(&pool).clone()).collect();
        if path == OLLAMA {
            check_body(path, events.join("\n"), size)?;
        } else {
            check(path, &events, size)?;
        }
    }
}
