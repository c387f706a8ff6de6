//! Tokens for feedback: which answers have one, and that it says which span the call is.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test that fails says where")]

use tollgate_envoy_model::{Answer, Model, ROOT, Request, run};
use tollgate_feedback::{Key, Refused, verify};
use tollgate_filter::filter::Filter;

const SECRET: &str = "a3f1c2d4e5b60718293a4b5c6d7e8f90112233445566778899aabbccddeeff00";
const NOW: u64 = 1_790_000_000;
const ANSWER: &str = r#"{"id":"c1","object":"chat.completion","model":"gpt-4o","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2}}"#;
const EVENT: &[u8] = b"data: {\"object\":\"chat.completion.chunk\",\"model\":\"gpt-4o\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hi\"}}]}\n\n";

fn started(more: &str) -> (Model, Filter) {
    let (model, mut filter) = (Model::default(), Filter::default());
    model.now.set(NOW * 1_000_000_000);
    let config = format!(
        r#"{{"feedback": {{"key": "{SECRET}"{more}}}, "export": {{"cluster": "collector", "batch_bytes": 1024}}}}"#
    );
    assert!(model.configure(&mut filter, &config), "{:?}", model.log_lines());
    (model, filter)
}

fn post() -> Request {
    Request::post("/v1/chat/completions", r#"{"model":"gpt-4o","messages":[]}"#)
}

fn header(headers: &[(String, Vec<u8>)], name: &str) -> Option<String> {
    headers.iter().find(|(key, _)| key == name).map(|(_, value)| String::from_utf8(value.clone()).unwrap())
}

#[test]
fn a_token_says_which_span_the_call_is() {
    let parent = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    for (request, answer) in [
        (post(), Answer::json(ANSWER)),
        (post(), Answer::events(&[EVENT, b"data: [DONE]\n\n"])),
        (post().header("traceparent", parent), Answer::json(ANSWER)),
    ] {
        let (model, mut filter) = started(r#", "key_id": 3, "ttl_s": 3600"#);
        let passed = run(&model, &mut filter, &request, &answer);
        let text = header(&passed.answer_headers, "x-tollgate-feedback").unwrap();
        let keys = [Key::read(3, SECRET).unwrap()];
        let token = verify(&keys, &text, NOW + 3599).unwrap();
        assert_eq!(verify(&keys, &text, NOW + 3600), Err(Refused::Expired(1_790_003_600)));
        filter.tick(&model, ROOT);
        let sent = model.take_sent();
        let has = |id: &[u8]| sent[0].body.windows(id.len()).any(|part| part == id);
        assert!(has(&token.trace_id) && has(&token.span_id), "the ids of the span are those of the token");
        if header(&request.headers, "traceparent").is_some() {
            assert_eq!(token.trace_id[..2], [0x0a, 0xf7]);
        }
        assert_eq!(model.sum("tollgate.feedback_tokens;result=issued"), 1);
        assert_eq!(passed.answer.concat(), answer.body.concat(), "nothing waits");
    }
}

#[test]
fn no_two_calls_have_the_same_token() {
    let (model, mut filter) = started("");
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..50 {
        let passed = run(&model, &mut filter, &post(), &Answer::json(ANSWER));
        assert!(seen.insert(header(&passed.answer_headers, "x-tollgate-feedback").unwrap()));
    }
}

#[test]
fn what_is_no_call_or_failed_has_none() {
    let mut unknown = post();
    unknown.headers.retain(|(name, _)| name != ":authority" && name != ":path");
    let unknown = unknown.header(":authority", b"llm.internal").header(":path", b"/predict");
    for (request, answer, result) in [
        (Request::post("/healthz", "{}"), Answer::json("{}"), None),
        (post(), Answer::json("{}").status(500), Some("status")),
        (post(), Answer::json("{}").status(429), Some("status")),
        (unknown, Answer::json(ANSWER), Some("unknown_api")),
    ] {
        let (model, mut filter) = started("");
        let passed = run(&model, &mut filter, &request, &answer);
        assert_eq!(header(&passed.answer_headers, "x-tollgate-feedback"), None);
        let counted = model.sum("tollgate.feedback_tokens");
        assert_eq!(counted, i64::from(result.is_some()), "{result:?}");
        if let Some(result) = result {
            assert_eq!(model.sum(&format!("tollgate.feedback_tokens;result={result}")), 1, "{result}");
        }
    }
}

#[test]
fn a_key_that_is_none_is_refused_and_not_repeated() {
    for (key, why) in [
        (r#""secret-but-short""#, "feedback.key: must "),
        (r#""00112233""#, "feedback.key: must have at least 32 bytes, and has 4"),
        ("7", "feedback.key: must be a text"),
        ("null", "feedback.key: must be a secret"),
    ] {
        let (model, mut filter) = (Model::default(), Filter::default());
        assert!(!model.configure(&mut filter, &format!(r#"{{"feedback": {{"key": {key}}}}}"#)));
        let log = model.log_lines().join("\n");
        assert!(log.contains(why) && !log.contains("secret-but"), "{log}");
    }
    let (model, mut filter) = started(r#", "header": "X-Thumbs""#);
    let passed = run(&model, &mut filter, &post(), &Answer::json(ANSWER));
    assert!(header(&passed.answer_headers, "x-thumbs").is_some());
    assert!(!model.log_lines().join("").contains(SECRET));
}
