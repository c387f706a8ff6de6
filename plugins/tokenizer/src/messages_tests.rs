use super::*;
use crate::vocabulary::Encoding;

const ENCODING: Encoding = Encoding::O200kBase;

/// Tokens, whether something was left out, and how many messages there were.
fn read(json: &str, shape: Shape, overhead: Option<Overhead>, room: usize) -> Result<(i64, bool, u64), Unestimated> {
    let mut tally = Tally::new(ENCODING, room);
    let messages = count(json, shape, "user", overhead, &mut tally)?;
    Ok((tally.tokens()?, tally.lower_bound, messages))
}

fn text_of(json: &str) -> Result<(i64, bool, u64), Unestimated> {
    read(json, Shape::Messages, None, 1 << 20)
}

fn tokens(texts: &[&str]) -> i64 {
    texts.iter().map(|text| i64::try_from(ENCODING.count(text)).unwrap()).sum()
}

#[test]
fn what_was_said_is_counted_in_every_shape() {
    let hello = tokens(&["Hello there!"]);
    let call = tokens(&["get_weather", r#"{"city":"Paris","days":[1,2.5,true,null]}"#]);
    for (json, expected, left_out, messages) in [
        // The conventions.
        (r#"[{"role":"user","parts":[{"type":"text","content":"Hello there!"}]}]"#, hello, false, 1),
        (
            r#"[{"role":"user","parts":[{"type":"reasoning","content":"Hello there!"}],"finish_reason":"stop"}]"#,
            hello,
            false,
            1,
        ),
        (
            r#"[{"role":"assistant","parts":[{"type":"tool_call","id":"call_9","name":"get_weather",
                "arguments": {"city": "Paris", "days": [1, 2.5, true, null]}}]}]"#,
            call,
            false,
            1,
        ),
        (
            r#"[{"role":"tool","parts":[{"type":"tool_call_response","id":"call_9","response":"Hello there!"}]}]"#,
            hello,
            false,
            1,
        ),
        (
            r#"[{"role":"tool","parts":[{"type":"tool_call_response","response":[{"a":"b"},{}]}]}]"#,
            tokens(&[r#"[{"a":"b"},{}]"#]),
            false,
            1,
        ),
        // Chat completions.
        (r#"[{"role":"user","content":"Hello there!"},{"role":"assistant","content":null}]"#, hello, false, 2),
        (r#"[{"role":"user","content":[{"type":"text","text":"Hello there!"}]}]"#, hello, false, 1),
        (
            r#"[{"role":"assistant","tool_calls":[{"id":"call_9","type":"function","function":{"name":"get_weather",
                "arguments":"{\"city\":\"Paris\",\"days\":[1,2.5,true,null]}"}}]}]"#,
            call,
            false,
            1,
        ),
        // Anthropic.
        (
            r#"[{"role":"assistant","content":[{"type":"tool_use","id":"x","name":"get_weather",
                "input":{"city":"Paris","days":[1,2.5,true,null]}}]}]"#,
            call,
            false,
            1,
        ),
        // Simpler ones.
        ("Hello there!", hello, false, 1),
        (r#""Hello there!""#, hello, false, 1),
        (r#"["Hello there!","Hello there!"]"#, 2 * hello, false, 2),
        (r#"{"role":"user","content":"Hello there!"}"#, hello, false, 1),
        (r#"[{"role":"user","parts":[{"text":"Hello there!"}]}]"#, hello, false, 1),
        // A part without a count of its own.
        ("[]", 0, false, 0),
        ("", 0, false, 0),
        (r#"[{"role":"user","parts":[]}]"#, 0, false, 1),
        (r#"[1,null,true]"#, 0, false, 0),
    ] {
        assert_eq!(text_of(json), Ok((expected, left_out, messages)), "{json}");
    }
}

#[test]
fn what_is_no_text_is_left_out_and_said_to_be() {
    let hello = tokens(&["Hello there!"]);
    for part in [
        r#"{"type":"blob","mime_type":"image/png","modality":"image","content":"aGVsbG8gd29ybGQgaGVsbG8gd29ybGQ="}"#,
        r#"{"modality":"image","content":"aGVsbG8gd29ybGQgaGVsbG8gd29ybGQ=","type":"blob"}"#,
        r#"{"type":"file","modality":"image","file_id":"file_123"}"#,
        r#"{"type":"uri","modality":"video","uri":"gs://bucket/video.mp4"}"#,
        r#"{"type":"image_url","image_url":{"url":"data:image/png;base64,aGVsbG8="}}"#,
        r#"{"type":"image","source":{"type":"base64","media_type":"image/png","data":"aGVsbG8="}}"#,
        r#"{"type":"input_audio","input_audio":{"data":"aGVsbG8=","format":"wav"}}"#,
        r#"{"inlineData":{"mimeType":"image/png","data":"aGVsbG8="}}"#,
        r#"{"type":"text","content":"data:image/png;base64,aGVsbG8gd29ybGQ="}"#,
        r#"{"type":"something_new","content":"who knows"}"#,
    ] {
        let json = format!(r#"[{{"role":"user","parts":[{{"type":"text","content":"Hello there!"}},{part}]}}]"#);
        assert_eq!(text_of(&json), Ok((hello, true, 1)), "{json}");
    }
    let nested = r#"[{"parts":[{"type":"tool_call_response","response":{"png":"data:image/png;base64,aGVsbG8="}}]}]"#;
    assert_eq!(text_of(nested), Ok((tokens(&[r#"{"png":""}"#]), true, 1)));
}

#[test]
fn messages_of_a_chat_have_the_documented_overhead() {
    let overhead = Overhead::of(ENCODING);
    let read = |json, shape| read(json, shape, Some(overhead), 1 << 20).map(|read| (read.0, read.2));
    let one = r#"[{"role":"developer","parts":[{"type":"text","content":"Be brief."}]}]"#;
    assert_eq!(read(one, Shape::Messages), Ok((3 + tokens(&["developer", "Be brief."]), 1)));
    let named = r#"[{"role":"user","name":"alice","content":"Hi"}]"#;
    assert_eq!(read(named, Shape::Messages), Ok((3 + 1 + tokens(&["user", "alice", "Hi"]), 1)));
    let system = r#"[{"type":"text","content":"Be brief."},{"type":"text","content":"Rhyme."}]"#;
    assert_eq!(read(system, Shape::Parts), Ok((3 + tokens(&["user", "Be brief.", "Rhyme."]), 1)));
    assert_eq!(read("Be brief.", Shape::Parts), Ok((3 + tokens(&["user", "Be brief."]), 1)));
    assert_eq!(read("Be brief.", Shape::Messages), Ok((3 + tokens(&["user", "Be brief."]), 1)));
    assert_eq!(read(r#"{"role":"user","content":"Hi"}"#, Shape::Messages), Ok((3 + tokens(&["user", "Hi"]), 1)));
}

#[test]
fn a_text_that_is_cut_off_or_too_deep_is_malformed() {
    for json in [
        r#"[{"role":"user","parts":[{"type":"text","content":"Hello th"#.to_owned(),
        r#"[{"role":"user"}"#.to_owned(),
        r#"[{"role":"user"}] and more"#.to_owned(),
        r#"[{"parts":[{"type":"tool_call","arguments":"#.to_owned() + &"[".repeat(100_000),
        "[INST] not JSON".to_owned(),
    ] {
        assert_eq!(text_of(&json), Err(Unestimated::MalformedContent), "{}", json.get(..40).unwrap_or(&json));
    }
}

#[test]
fn text_beyond_the_limit_is_too_large_wherever_it_is() {
    let long = "word ".repeat(100);
    for json in [
        format!(r#"[{{"parts":[{{"type":"text","content":"{long}"}}]}}]"#),
        format!(r#"[{{"parts":[{{"type":"text","content":"\n{long}"}}]}}]"#),
        format!(r#"[{{"parts":[{{"type":"tool_call","name":"f","arguments":{{"{}":"{long}"}}}}]}}]"#, "key"),
        format!(r#"[{{"parts":[{{"type":"tool_call","name":"f","arguments":[{}1]}}]}}]"#, "1,".repeat(300)),
        format!(r#"[{{"content":"{long}"}}]"#),
        format!("[{}]", vec![r#"{"content":"a few words"}"#; 50].join(",")),
        long.clone(),
    ] {
        let (at, above) = (read(&json, Shape::Messages, None, 600), read(&json, Shape::Messages, None, 499));
        assert!(at.is_ok() || json.contains("1,1,"), "{at:?} {json}");
        assert_eq!(above, Err(Unestimated::TooLarge), "{json}");
    }
    // What is no text takes nothing of it.
    let image = format!(r#"[{{"parts":[{{"type":"blob","content":"{long}"}},{{"content":"{long}","type":"blob"}}]}}]"#);
    assert_eq!(read(&image, Shape::Messages, None, 100), Ok((0, true, 1)));
}

#[test]
fn taking_back_a_part_does_not_give_back_the_room() {
    // Else a list of such parts would be counted at any length.
    let part = format!(r#"{{"content":"{}","type":"blob"}}"#, "word ".repeat(20));
    let json = format!(r#"[{{"parts":[{}]}}]"#, vec![part.as_str(); 50].join(","));
    let mut tally = Tally::new(ENCODING, 1_000);
    assert_eq!(count(&json, Shape::Messages, "user", None, &mut tally), Ok(1));
    assert_eq!((tally.tokens(), tally.room()), (Ok(0), 0));
}
