//! The extra chunk is taken out of a stream, and nothing else changes, wherever the stream is cut.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that fails says where")]

use proptest::prelude::*;
use serde_json::Value;
use tollgate_token_extractor::include_usage::{Strip, Stripped};

const LIMIT: usize = 4096;

const DELTA: &str = r#"{"id":"c1","object":"chat.completion.chunk","model":"gpt-4o","choices":[{"index":0,"delta":{"content":"{\"choices\":[],\"usage\":{}}"}}],"usage":null}"#;
const EXTRA: &str = r#"{"id":"c1","object":"chat.completion.chunk","model":"gpt-4o","service_tier":"default","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11,"prompt_tokens_details":{"cached_tokens":0}},"obfuscation":"x"}"#;
const FILTERS: &str = r#"{"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[{"prompt_index":0,"content_filter_results":{}}]}"#;

/// What passes, chunk by chunk.
fn steps<'c>(limit: usize, chunks: impl IntoIterator<Item = &'c [u8]>) -> (Vec<Vec<u8>>, Stripped) {
    let mut strip = Strip::new(limit);
    let mut steps: Vec<_> = chunks
        .into_iter()
        .map(|chunk| {
            let mut passed = Vec::new();
            strip.push(chunk, &mut passed);
            assert!(strip.held_bytes() <= limit);
            passed
        })
        .collect();
    let mut passed = Vec::new();
    strip.finish(&mut passed);
    assert_eq!(strip.held_bytes(), 0);
    steps.push(passed);
    (steps, strip.stripped())
}

fn strip<'c>(limit: usize, chunks: impl IntoIterator<Item = &'c [u8]>) -> (String, u64) {
    let (steps, stripped) = steps(limit, chunks);
    (String::from_utf8(steps.concat()).unwrap(), stripped.removed)
}

#[test]
fn streams_of_servers_as_they_are_written() {
    // Each row: the stream with the extra events marked by `<` and `>`, which are no part of it.
    let rows: Vec<(&str, String)> = vec![
        ("as OpenAI sends it", format!("data: {DELTA}\n\n<data: {EXTRA}\n\n>data: [DONE]\n\n")),
        ("CRLF", format!("data: {DELTA}\r\n\r\n<data: {EXTRA}\r\n\r\n>data: [DONE]\r\n\r\n")),
        ("CR", format!("data: {DELTA}\r\r<data: {EXTRA}\r\r>data: [DONE]\r\r")),
        (
            "no space, white space within",
            "<data:{ \"choices\" : [ ] , \"usage\" : { } }\n\n>data:[DONE]\n\n".to_owned(),
        ),
        (
            "usage before choices",
            "<data: {\"usage\":{\"total_tokens\":1},\"choices\":[]}\n\n>data: [DONE]\n\n".to_owned(),
        ),
        ("an error that is null", "<data: {\"error\":null,\"choices\":[],\"usage\":{}}\n\n>".to_owned()),
        ("several empty lines", format!("\n\ndata: {DELTA}\n\n\n\n<data: {EXTRA}\n\n>\n\ndata: [DONE]\n\n\n")),
        (
            "comments between events",
            format!(": ping\n\ndata: {DELTA}\n\n: ping\n\n<data: {EXTRA}\n\n>data: [DONE]\n\n"),
        ),
        ("no [DONE]", format!("data: {DELTA}\n\n<data: {EXTRA}\n\n>")),
        ("no last empty line", format!("data: {DELTA}\n\n<data: {EXTRA}\n>")),
        ("no last line end", format!("data: {DELTA}\n\n<data: {EXTRA}>")),
        ("Azure's first chunk", format!("data: {FILTERS}\n\ndata: {DELTA}\n\n<data: {EXTRA}\n\n>data: [DONE]\n\n")),
        ("usage is null", "data: {\"choices\":[],\"usage\":null}\n\n".to_owned()),
        ("usage in the last chunk with a choice", "data: {\"choices\":[{\"delta\":{}}],\"usage\":{}}\n\n".to_owned()),
        ("choices is null", "data: {\"choices\":null,\"usage\":{}}\n\n".to_owned()),
        ("choices is an object", "data: {\"choices\":{},\"usage\":{}}\n\n".to_owned()),
        ("an error", "data: {\"error\":{\"message\":\"overloaded\"},\"choices\":[],\"usage\":{}}\n\n".to_owned()),
        ("twice", "data: {\"choices\":[],\"choices\":[],\"usage\":{}}\n\n".to_owned()),
        ("usage twice", "data: {\"choices\":[],\"usage\":{},\"usage\":{}}\n\n".to_owned()),
        ("deeper", "data: {\"a\":{\"choices\":[],\"usage\":{}}}\n\n".to_owned()),
        ("an array", "data: [{\"choices\":[],\"usage\":{}}]\n\n".to_owned()),
        ("no JSON", "data: {\"choices\":[],\"usage\":{}\n\n".to_owned()),
        ("more than JSON", "data: {\"choices\":[],\"usage\":{}} x\n\n".to_owned()),
        ("data of two lines", "data: {\"choices\":[],\ndata: \"usage\":{}}\n\n".to_owned()),
        ("an event with a name", format!("event: message\ndata: {EXTRA}\n\n")),
        ("an event with an id after it", format!("data: {EXTRA}\nid: 7\n\n")),
        ("another field", format!("dat: {EXTRA}\n\ndata\n\ndatum: {EXTRA}\n\n")),
        ("a byte order mark", format!("\u{FEFF}data: {DELTA}\n\n<data: {EXTRA}\n\n>")),
        ("no stream at all", EXTRA.to_owned()),
        ("nothing", String::new()),
    ];
    for (what, row) in rows {
        let stream = row.replace(['<', '>'], "");
        let extra = row.matches('<').count() as u64;
        let expected: String = row.split('<').map(|part| part.split_once('>').map_or(part, |(_, rest)| rest)).collect();
        let bytes = stream.as_bytes();
        assert_eq!(strip(LIMIT, [bytes]), (expected.clone(), extra), "{what}");
        for size in 1..=bytes.len().min(400) {
            assert_eq!(strip(LIMIT, bytes.chunks(size)), (expected.clone(), extra), "{what}, in chunks of {size}");
        }
        for cut in 0..=bytes.len() {
            let (head, tail) = bytes.split_at(cut);
            assert_eq!(strip(LIMIT, [head, b"", tail]), (expected.clone(), extra), "{what}, cut at {cut}");
        }
    }
}

#[test]
fn an_event_of_output_passes_with_the_chunk_that_brings_it() {
    let decided = DELTA.find("[{").unwrap() + 2;
    let stream = format!("data: {DELTA}\n\n");
    let (head, tail) = stream.as_bytes().split_at("data: ".len() + decided);
    let (passed, _) = steps(LIMIT, [head, tail]);
    assert_eq!(passed, [head.to_vec(), tail.to_vec(), Vec::new()], "known at the first byte within its choices");

    let (done, rest) = (b"data: [".as_slice(), b"DONE]\n\n".as_slice());
    assert_eq!(steps(LIMIT, [done, rest]).0, [done.to_vec(), rest.to_vec(), Vec::new()]);

    // Events that are complete never wait for one that is not decided.
    let both = format!("{stream}data: {{\"id\":");
    let (passed, _) = steps(LIMIT, [both.as_bytes()]);
    assert_eq!(passed, [stream.into_bytes(), b"data: {\"id\":".to_vec()]);
}

#[test]
fn an_event_that_is_longer_than_the_limit_passes_on() {
    let padding = "x".repeat(1000);
    let long = format!("data: {{\"padding\":\"{padding}\",\"choices\":[],\"usage\":{{}}}}\n\n");
    let stream = format!("{long}data: {EXTRA}\n\n");
    for size in [1, 7, 500, 5000] {
        let (passed, stripped) = steps(500, stream.as_bytes().chunks(size));
        assert_eq!(passed.concat(), long.as_bytes(), "in chunks of {size}");
        assert_eq!(stripped, Stripped { removed: 1, too_long: 1 }, "in chunks of {size}");
    }
    // At the limit: the event without its empty line is what has to be held.
    let event = format!("data: {EXTRA}\n");
    for (limit, removed) in [(event.len(), 1), (event.len() - 1, 0), (0, 0)] {
        assert_eq!(strip(limit, [format!("{event}\n").as_bytes()]).1, removed, "a limit of {limit}");
    }
}

/// The same by the definition: a whole stream, line feeds only, event by event.
fn by_definition(stream: &str) -> String {
    let is_extra = |event: &str| {
        let Some(data) = event.strip_prefix("data:") else { return false };
        let Ok(Value::Object(chunk)) = serde_json::from_str(data) else { return false };
        let empty = chunk.get("choices").and_then(Value::as_array).is_some_and(Vec::is_empty);
        empty && chunk.get("usage").is_some_and(Value::is_object) && chunk.get("error").is_none_or(Value::is_null)
    };
    stream.split_inclusive("\n\n").filter(|event| !is_extra(event.trim_end_matches('\n'))).collect()
}

fn event() -> impl Strategy<Value = String> {
    let choices = prop::sample::select(vec!["[]", "[ ]", "[{\"delta\":{\"content\":\"a\\nb\"}}]", "null", "{}"]);
    let usage = prop::sample::select(vec!["null", "{}", "{\"total_tokens\":3,\"details\":{\"a\":[1]}}", "7"]);
    let other = prop::sample::select(vec!["\"id\":\"c\"", "\"error\":null", "\"error\":{}", "\"x\":{\"usage\":{}}"]);
    let members = (choices, usage, other).prop_map(|(choices, usage, other)| {
        vec![format!("\"choices\":{choices}"), format!("\"usage\":{usage}"), other.to_owned()]
    });
    let object = members.prop_shuffle().prop_flat_map(|members| {
        (0..=members.len()).prop_map(move |some| format!("{{{}}}", members[..some].join(",")))
    });
    prop_oneof![
        8 => object.prop_map(|object| format!("data: {object}\n\n")),
        1 => Just("data: [DONE]\n\n".to_owned()),
        1 => Just(": keep-alive\n\n".to_owned()),
        1 => Just("event: x\ndata: {\"choices\":[],\"usage\":{}}\n\n".to_owned()),
    ]
}

/// The bytes in chunks of these sizes, over and over.
fn cut<'b>(bytes: &'b [u8], sizes: &[usize]) -> Vec<&'b [u8]> {
    let (mut rest, mut chunks) = (bytes, Vec::new());
    for size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (chunk, left) = rest.split_at((*size).min(rest.len()));
        chunks.push(chunk);
        rest = left;
    }
    chunks
}

proptest! {
    #[test]
    fn events_in_any_order_at_any_split(
        events in prop::collection::vec(event(), 0..8),
        sizes in prop::collection::vec(1..40_usize, 1..6),
    ) {
        let stream = events.concat();
        let (passed, _) = strip(LIMIT, cut(stream.as_bytes(), &sizes));
        prop_assert_eq!(passed, by_definition(&stream));
    }

    #[test]
    fn any_bytes_pass_the_same_at_any_split(
        bytes in prop::collection::vec(prop::sample::select(b"data: {}[]\",:choiesug\r\n\r\n".to_vec()), 0..120),
        sizes in prop::collection::vec(1..9_usize, 1..4),
        limit in 0..64_usize,
    ) {
        let (whole, _) = steps(limit, [bytes.as_slice()]);
        let (pieces, stripped) = steps(limit, cut(&bytes, &sizes));
        prop_assert_eq!(&pieces.concat(), &whole.concat());
        if stripped.removed == 0 {
            prop_assert_eq!(pieces.concat(), bytes);
        }
    }
}
