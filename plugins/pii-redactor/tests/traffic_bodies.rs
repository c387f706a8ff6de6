//! Bodies of requests and answers through an exchange: what the provider sees, what the caller gets back, and what
//! happens at every limit.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test that fails says where")]

use flate2::{Compression, write::GzEncoder};
use proptest::prelude::*;
use serde_json::Value;
use std::io::Write as _;
use std::sync::Arc;
use tollgate_pii_redactor::traffic::{
    Applied, Direction, Exchange, OnError, Options, Plan, Reason, Redactors, Refused,
};

const JSON: &[u8] = b"application/json; charset=utf-8";

/// Content type, content encoding, body, why it cannot be read, and what it is masked to where it can be.
type Unread<'a> = (&'a [u8], &'a [u8], &'a [u8], Reason, Option<&'a str>);

fn exchange(options: Options) -> Exchange {
    with("{}", options)
}

fn with(config: &str, options: Options) -> Exchange {
    Exchange::new(Arc::new(Redactors::configure(config).unwrap()), options)
}

fn requested(exchange: &mut Exchange, body: &str) -> String {
    let sent = exchange.request(JSON, b"", body.as_bytes()).unwrap();
    sent.map_or_else(|| body.to_owned(), |sent| String::from_utf8(sent).unwrap())
}

fn answered(exchange: &mut Exchange, content_type: &[u8], body: &[u8]) -> String {
    exchange.response_head(content_type, b"").unwrap();
    let mut out = Vec::new();
    for chunk in body.chunks(11) {
        out.extend(exchange.response(chunk, false).unwrap());
    }
    out.extend(exchange.response(b"", true).unwrap());
    String::from_utf8(out).unwrap()
}

/// Request, what the provider gets, its answer, what the caller gets.
const EXCHANGES: &[(&str, &str, &str, &str, &str)] = &[
    (
        "chat completions",
        r#"{"model":"gpt-4o-4111111111111111","messages":[{"role":"system","content":"I am ann@example.com"},{"role":"user","content":[{"type":"text","text":"card 4111 1111 1111 1111, mail ann\u0040example.com"},{"type":"image_url","image_url":{"url":"https://example.com/a.png"}}]},{"role":"assistant","tool_calls":[{"id":"call_4111111111111111","type":"function","function":{"name":"pay","arguments":"{\"card\":4111111111111111,\"to\":\"bob@example.org\"}"}}]},{"role":"tool","tool_call_id":"call_4111111111111111","content":"{\"ok\":true,\"mail\":\"bob@example.org\"}"}],"tools":[{"type":"function","function":{"name":"pay","description":"Ask bob@example.org","parameters":{"type":"object","properties":{"to":{"type":"string","enum":["ann@example.com"]}},"required":["to"]}}}],"user":"ann@example.com","seed":4111111111111111}"#,
        r#"{"model":"gpt-4o-4111111111111111","messages":[{"role":"system","content":"I am <EMAIL_ADDRESS_1>"},{"role":"user","content":[{"type":"text","text":"card <CREDIT_CARD_1>, mail <EMAIL_ADDRESS_1>"},{"type":"image_url","image_url":{"url":"https://example.com/a.png"}}]},{"role":"assistant","tool_calls":[{"id":"call_4111111111111111","type":"function","function":{"name":"pay","arguments":"{\"card\":\"<CREDIT_CARD_2>\",\"to\":\"<EMAIL_ADDRESS_2>\"}"}}]},{"role":"tool","tool_call_id":"call_4111111111111111","content":"{\"ok\":true,\"mail\":\"<EMAIL_ADDRESS_2>\"}"}],"tools":[{"type":"function","function":{"name":"pay","description":"Ask <EMAIL_ADDRESS_2>","parameters":{"type":"object","properties":{"to":{"type":"string","enum":["<EMAIL_ADDRESS_1>"]}},"required":["to"]}}}],"user":"<EMAIL_ADDRESS_1>","seed":4111111111111111}"#,
        r#"{"id":"chatcmpl-1","created":1700000000,"choices":[{"index":0,"message":{"role":"assistant","content":"To <EMAIL_ADDRESS_1> \u003cEMAIL_ADDRESS_2\u003e <EMAIL_ADDRESS_9>","tool_calls":[{"id":"call_2","type":"function","function":{"name":"pay","arguments":"{\"card\": \"<CREDIT_CARD_2>\", \"old\": \"<CREDIT_CARD_1>\"}"}}]},"finish_reason":"tool_calls"}]}"#,
        r#"{"id":"chatcmpl-1","created":1700000000,"choices":[{"index":0,"message":{"role":"assistant","content":"To ann@example.com bob@example.org <EMAIL_ADDRESS_9>","tool_calls":[{"id":"call_2","type":"function","function":{"name":"pay","arguments":"{\"card\": 4111111111111111, \"old\": \"4111 1111 1111 1111\"}"}}]},"finish_reason":"tool_calls"}]}"#,
    ),
    (
        "responses",
        r#"{"model":"m","instructions":"for ann@example.com","previous_response_id":"resp_4111111111111111","input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"call 13812345678 电话"}]},{"type":"function_call","call_id":"call_4111111111111111","name":"f","arguments":"{\"a\":\"ann@example.com\"}"},{"type":"function_call_output","call_id":"call_4111111111111111","output":"ann@example.com"},{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"gAAAAABn4111111111111111ann"}],"metadata":{"id":"ann@example.com"}}"#,
        r#"{"model":"m","instructions":"for <EMAIL_ADDRESS_1>","previous_response_id":"resp_4111111111111111","input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"call <PHONE_NUMBER_1> 电话"}]},{"type":"function_call","call_id":"call_4111111111111111","name":"f","arguments":"{\"a\":\"<EMAIL_ADDRESS_1>\"}"},{"type":"function_call_output","call_id":"call_4111111111111111","output":"<EMAIL_ADDRESS_1>"},{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"gAAAAABn4111111111111111ann"}],"metadata":{"id":"<EMAIL_ADDRESS_1>"}}"#,
        r#"{"id":"resp_2","created_at":1700000000,"output":[{"type":"message","content":[{"type":"output_text","text":"<PHONE_NUMBER_1>","annotations":[]}]},{"type":"function_call","name":"f","arguments":"{\"a\":\"<EMAIL_ADDRESS_1>\"}"}],"metadata":{"id":"<EMAIL_ADDRESS_1>"}}"#,
        r#"{"id":"resp_2","created_at":1700000000,"output":[{"type":"message","content":[{"type":"output_text","text":"13812345678","annotations":[]}]},{"type":"function_call","name":"f","arguments":"{\"a\":\"ann@example.com\"}"}],"metadata":{"id":"ann@example.com"}}"#,
    ),
    (
        "messages",
        r#"{"model":"m","system":[{"type":"text","text":"ann@example.com","cache_control":{"type":"ephemeral"}}],"metadata":{"user_id":"ann@example.com"},"messages":[{"role":"assistant","content":[{"type":"thinking","thinking":"ann@example.com?","signature":"EqQB4111111111111111"},{"type":"tool_use","id":"toolu_4111111111111111","name":"pay","input":{"card":4111111111111111,"id":"bob@example.org"}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_4111111111111111","content":[{"type":"text","text":"bob@example.org"}]},{"type":"document","source":{"type":"text","media_type":"text/plain","data":"ann@example.com"}}]}]}"#,
        r#"{"model":"m","system":[{"type":"text","text":"<EMAIL_ADDRESS_1>","cache_control":{"type":"ephemeral"}}],"metadata":{"user_id":"<EMAIL_ADDRESS_1>"},"messages":[{"role":"assistant","content":[{"type":"thinking","thinking":"<EMAIL_ADDRESS_1>?","signature":"EqQB4111111111111111"},{"type":"tool_use","id":"toolu_4111111111111111","name":"pay","input":{"card":"<CREDIT_CARD_1>","id":"<EMAIL_ADDRESS_2>"}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_4111111111111111","content":[{"type":"text","text":"<EMAIL_ADDRESS_2>"}]},{"type":"document","source":{"type":"text","media_type":"text/plain","data":"<EMAIL_ADDRESS_1>"}}]}]}"#,
        r#"{"id":"msg_1","type":"message","content":[{"type":"text","text":"<EMAIL_ADDRESS_1>"},{"type":"tool_use","id":"toolu_2","name":"pay","input":{"card":"<CREDIT_CARD_1>","to":["<EMAIL_ADDRESS_2>"]}}]}"#,
        r#"{"id":"msg_1","type":"message","content":[{"type":"text","text":"ann@example.com"},{"type":"tool_use","id":"toolu_2","name":"pay","input":{"card":4111111111111111,"to":["bob@example.org"]}}]}"#,
    ),
    (
        "gemini",
        r#"{"systemInstruction":{"parts":[{"text":"ann@example.com"}]},"contents":[{"role":"user","parts":[{"text":"a"},{"fileData":{"mimeType":"text/plain","fileUri":"https://example.com/f"}}]},{"role":"model","parts":[{"functionCall":{"name":"f","args":{"id":"ann@example.com"}},"thoughtSignature":"Cg4111111111111111"}]},{"role":"user","parts":[{"functionResponse":{"name":"f","response":{"model":"bob@example.org"}}}]}]}"#,
        r#"{"systemInstruction":{"parts":[{"text":"<EMAIL_ADDRESS_1>"}]},"contents":[{"role":"user","parts":[{"text":"a"},{"fileData":{"mimeType":"text/plain","fileUri":"https://example.com/f"}}]},{"role":"model","parts":[{"functionCall":{"name":"f","args":{"id":"<EMAIL_ADDRESS_1>"}},"thoughtSignature":"Cg4111111111111111"}]},{"role":"user","parts":[{"functionResponse":{"name":"f","response":{"model":"<EMAIL_ADDRESS_2>"}}}]}]}"#,
        r#"{"candidates":[{"content":{"parts":[{"text":"<EMAIL_ADDRESS_2>"},{"functionCall":{"name":"f","args":{"id":"<EMAIL_ADDRESS_1>"}}}],"role":"model"},"finishReason":"STOP"}],"responseId":"r"}"#,
        r#"{"candidates":[{"content":{"parts":[{"text":"bob@example.org"},{"functionCall":{"name":"f","args":{"id":"ann@example.com"}}}],"role":"model"},"finishReason":"STOP"}],"responseId":"r"}"#,
    ),
    (
        "converse",
        r#"{"system":[{"text":"ann@example.com"}],"messages":[{"role":"user","content":[{"text":"ann@example.com"},{"toolResult":{"toolUseId":"tooluse_4111111111111111","content":[{"json":{"id":"bob@example.org"}}]}}]},{"role":"assistant","content":[{"toolUse":{"toolUseId":"tooluse_4111111111111111","name":"f","input":{"id":"ann@example.com"}}}]}]}"#,
        r#"{"system":[{"text":"<EMAIL_ADDRESS_1>"}],"messages":[{"role":"user","content":[{"text":"<EMAIL_ADDRESS_1>"},{"toolResult":{"toolUseId":"tooluse_4111111111111111","content":[{"json":{"id":"<EMAIL_ADDRESS_2>"}}]}}]},{"role":"assistant","content":[{"toolUse":{"toolUseId":"tooluse_4111111111111111","name":"f","input":{"id":"<EMAIL_ADDRESS_1>"}}}]}]}"#,
        r#"{"output":{"message":{"role":"assistant","content":[{"text":"<EMAIL_ADDRESS_2>"},{"toolUse":{"toolUseId":"t","name":"f","input":{"a":"<EMAIL_ADDRESS_1>"}}}]}},"stopReason":"tool_use"}"#,
        r#"{"output":{"message":{"role":"assistant","content":[{"text":"bob@example.org"},{"toolUse":{"toolUseId":"t","name":"f","input":{"a":"ann@example.com"}}}]}},"stopReason":"tool_use"}"#,
    ),
    (
        "embeddings, ollama, cohere: texts by themselves",
        r#"{"model":"m","input":["ann@example.com","x"],"prompt":"bob@example.org","texts":["ann@example.com"],"documents":[{"id":"carl@example.net"}],"options":{"seed":4111111111111111,"stop":["ann@example.com"]}}"#,
        r#"{"model":"m","input":["<EMAIL_ADDRESS_1>","x"],"prompt":"<EMAIL_ADDRESS_2>","texts":["<EMAIL_ADDRESS_1>"],"documents":[{"id":"<EMAIL_ADDRESS_3>"}],"options":{"seed":4111111111111111,"stop":["<EMAIL_ADDRESS_1>"]}}"#,
        r#"{"message":{"content":"<EMAIL_ADDRESS_3>"},"done":true}"#,
        r#"{"message":{"content":"carl@example.net"},"done":true}"#,
    ),
];

#[test]
fn exchanges_of_every_api() {
    for (name, request, sent, answer, given) in EXCHANGES {
        let mut exchange = exchange(Options::default());
        assert_eq!(&requested(&mut exchange, request), sent, "{name}");
        assert_eq!(&answered(&mut exchange, JSON, answer.as_bytes()), given, "{name}");
        assert!(serde_json::from_str::<Value>(given).is_ok());
    }
}

#[test]
fn an_exchange_without_findings_is_left_alone() {
    let body = br#"{"model": "m", "messages": [ {"role":"user","content":"hello \u4e2d <b>"} ]}"#;
    let mut exchange = exchange(Options::default());
    assert_eq!(exchange.request(JSON, b"", body).unwrap(), None);
    assert_eq!(exchange.response_head(b"text/event-stream", b"gzip").unwrap(), Plan::default());
    assert_eq!(exchange.response(b"\x1f\x8b", true).unwrap(), b"\x1f\x8b");
    let mut off = self::exchange(Options { request: false, response: false, ..Options::default() });
    assert_eq!(off.request(b"audio/wav", b"zip", b"ann@example.com").unwrap(), None);
    assert_eq!(off.unread(Direction::Request, Reason::Signed), Ok(()));
    assert!(off.counts().unread.is_empty());
}

#[test]
fn stand_ins_of_the_caller_mean_themselves() {
    let mut exchange = exchange(Options::default());
    let sent = requested(&mut exchange, r#"{"messages":[{"content":"<EMAIL_ADDRESS_1> is ann@example.com"}]}"#);
    assert_eq!(sent, r#"{"messages":[{"content":"<EMAIL_ADDRESS_1> is <EMAIL_ADDRESS_2>"}]}"#);
    let given = answered(&mut exchange, JSON, br#"{"a":"<EMAIL_ADDRESS_1> <EMAIL_ADDRESS_2>"}"#);
    assert_eq!(given, r#"{"a":"<EMAIL_ADDRESS_1> ann@example.com"}"#);
    assert_eq!((exchange.counts().restored, exchange.counts().not_restored), (1, 1));
}

#[test]
fn what_a_model_says_by_itself_is_redacted_and_not_given_back() {
    let mut exchange = exchange(Options { response: true, ..Options::default() });
    requested(&mut exchange, r#"{"messages":[{"content":"ann@example.com"}]}"#);
    let answer = br#"{"id":"chatcmpl-4111111111111111","created":1700000000,"choices":[{"message":{"content":"<EMAIL_ADDRESS_1> bob@example.org"},"logprobs":{"content":[{"token":"bob","bytes":[98]}]}}],"usage":{"prompt_tokens":1234567}}"#;
    let given = answered(&mut exchange, JSON, answer);
    assert_eq!(
        given,
        r#"{"id":"chatcmpl-4111111111111111","created":1700000000,"choices":[{"message":{"content":"ann@example.com <EMAIL_ADDRESS_2>"},"logprobs":null}],"usage":{"prompt_tokens":1234567}}"#
    );
    assert_eq!(exchange.counts().logprobs_removed, 1);
    assert_eq!(exchange.counts().found_in(Direction::Response), 1);
    // Text that is no JSON, wherever it is cut.
    let mut exchange = self::exchange(Options { response: true, ..Options::default() });
    assert_eq!(
        answered(&mut exchange, b"text/plain", "Mail 中文 bob@example.org!".as_bytes()),
        "Mail 中文 <EMAIL_ADDRESS_1>!"
    );
}

#[test]
fn operators_are_those_of_the_configuration() {
    let config = r#"{"operators": {"EMAIL_ADDRESS": "replace", "CREDIT_CARD": {"mask": {"keep_last": 4}}}, "types": ["EMAIL_ADDRESS", "CREDIT_CARD", "US_SSN"]}"#;
    let mut exchange = with(config, Options::default());
    let sent =
        requested(&mut exchange, r#"{"messages":[{"content":"ann@example.com 4111 1111 1111 1111 SSN 536-32-3065"}]}"#);
    assert_eq!(sent, r#"{"messages":[{"content":"<EMAIL_ADDRESS> ***************1111 SSN <US_SSN_1>"}]}"#);
    let refused = Redactors::configure(r#"{"operator": "hide"}"#).unwrap_err();
    assert_eq!(refused.problems[0].path, "operator");
    assert!(Redactors::configure("[]").is_err());
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn encoded_bodies_go_on_plain() {
    let body = br#"{"messages":[{"content":"ann@example.com"}]}"#;
    let mut exchange = exchange(Options::default());
    let sent = exchange.request(JSON, b"gzip", &gzip(body)).unwrap().unwrap();
    assert_eq!(sent, br#"{"messages":[{"content":"<EMAIL_ADDRESS_1>"}]}"#);
    let plan = exchange.response_head(b"text/event-stream", b"GZIP").unwrap();
    assert_eq!(plan, Plan { rewrites: true, decodes: true });
    let event = b"data: {\"choices\":[{\"delta\":{\"content\":\"<EMAIL_ADDRESS_1>\"}}]}\n\n";
    let mut out = Vec::new();
    for chunk in gzip(event).chunks(5) {
        out.extend(exchange.response(chunk, false).unwrap());
    }
    out.extend(exchange.response(b"", true).unwrap());
    assert_eq!(out, b"data: {\"choices\":[{\"delta\":{\"content\":\"ann@example.com\"}}]}\n\n");
    // Without findings, too: headers have gone on by then.
    assert_eq!(self::exchange(Options::default()).request(JSON, b"gzip", &gzip(b"{}")).unwrap().unwrap(), b"{}");
    let pass = Options { on_error: OnError::Pass, ..Options::default() };
    assert_eq!(self::exchange(pass).request(JSON, b"gzip", &gzip(b"{")).unwrap().unwrap(), b"{");
}

#[test]
fn requests_that_cannot_be_read() {
    use OnError::{Block, MaskAll, Pass};
    use Reason::{ContentEncoding, ContentType, NotJson, NotUtf8, TooLarge, TooManyFindings, Undecodable};
    let many = r#"{"model":"m","messages":[{"role":"user","content":"a@b.cn c@d.cn"},{"content":"x","input":{"k":1}}],"n":12345678}"#;
    let masked = r#"{"model":"m","messages":[{"role":"user","content":"<UNSCANNED>"},{"content":"<UNSCANNED>","input":{}}],"n":12345678}"#;
    let bomb = gzip(&vec![b' '; 5000]);
    let rows: &[Unread<'_>] = &[
        (JSON, b"", b"{\"a\":", NotJson, None),
        (JSON, b"", b"a@b.cn", NotJson, None),
        (JSON, b"", b"{\"a\":\"\xff\"}", NotUtf8, None),
        (b"text/plain", b"", b"\xff", NotUtf8, Some("<UNSCANNED>")),
        (b"multipart/form-data; boundary=x", b"", b"--x", ContentType, None),
        (b"audio/wav", b"", b"RIFF", ContentType, None),
        (JSON, b"compress", b"{}", ContentEncoding, None),
        (JSON, b"gzip", b"{}", Undecodable, None),
        (JSON, b"gzip", &bomb, TooLarge, None),
        (JSON, b"", &[b' '; 2001], TooLarge, None),
        (JSON, b"", many.as_bytes(), TooManyFindings, Some(masked)),
        (b"application/x-ndjson", b"", b"{}\n{", NotJson, None),
    ];
    for (content_type, encoding, body, reason, masked) in rows {
        for policy in [Block, Pass, MaskAll] {
            let options = Options { on_error: policy, max_body_bytes: 2000, ..Options::default() };
            let mut exchange = with(r#"{"max_findings": 1}"#, options);
            let sent = exchange.request(content_type, encoding, body);
            let (expected, applied) = match (policy, masked) {
                // What was said to be plain cannot go on encoded.
                (Pass, _) if *encoding == b"gzip" => (Err(*reason), Applied::Blocked),
                (Pass, _) => (Ok(None), Applied::Passed),
                (MaskAll, Some(masked)) => (Ok(Some(masked.as_bytes().to_vec())), Applied::Masked),
                _ => (Err(*reason), Applied::Blocked),
            };
            assert_eq!(sent.map_err(|refused| refused.reason), expected, "{reason:?} {policy:?}");
            let counted: Vec<_> = exchange.counts().unread.iter().map(|(key, count)| (*key, *count)).collect();
            assert_eq!(counted, [((Direction::Request, *reason, applied), 1)], "{reason:?} {policy:?}");
        }
    }
    let refused = exchange(Options::default()).request(b"audio/wav", b"", b"x").unwrap_err();
    assert_eq!(refused.to_string(), "the request has a content type that is not read, so that it cannot be redacted");
}

#[test]
fn answers_that_cannot_be_read() {
    use Reason::{ContentType, Damaged, NotJson, NotUtf8, TooLarge, TooManyFindings};
    const SSE: &[u8] = b"text/event-stream";
    let big = [b"data: {\"choices\":[{\"delta\":{\"content\":\"".as_slice(), &[b'x'; 3000], b"\"}}]}\n\n"].concat();
    let big_document = format!("{{\"a\":\"{}\"}}", "x".repeat(3000)).into_bytes();
    let many = br#"{"choices":[{"message":{"content":"a@b.cn c@d.cn"}}]}"#;
    let rows: &[Unread<'_>] = &[
        (JSON, b"", b"{\"a\":", NotJson, None),
        (JSON, b"", b"nonsense", NotJson, None),
        (JSON, b"", b"{\"a\":\"\xff\"}", NotUtf8, None),
        (JSON, b"", &big_document, TooLarge, None),
        (JSON, b"", many, TooManyFindings, Some(r#"{"choices":[{"message":{"content":"<UNSCANNED>"}}]}"#)),
        (b"application/pdf", b"", b"%PDF-1.7", ContentType, None),
        (b"text/plain", b"", b"mail \xff\xff", NotUtf8, Some("<UNSCANNED>")),
        (SSE, b"", &big, TooLarge, None),
        (SSE, b"", b"data: {\"a\":\n\n", NotJson, None),
        (SSE, b"", b"data: {\"a\":\"\xff\"}\n\n", NotUtf8, None),
        (b"application/x-ndjson", b"", b"{\"a\":1}\n{\"a\"\n", NotJson, None),
        (b"application/vnd.amazon.eventstream", b"", b"\0\0\0\x10\0\0\0\0\0\0\0\0\0\0\0\0", Damaged, None),
    ];
    for (content_type, _, body, reason, masked) in rows {
        for policy in [OnError::Block, OnError::Pass, OnError::MaskAll] {
            for response in [true, false] {
                if !response && *reason == TooManyFindings {
                    continue;
                }
                let options = Options { response, on_error: policy, max_body_bytes: 2000, ..Options::default() };
                let mut exchange = with(r#"{"max_findings": 1}"#, options);
                requested(&mut exchange, r#"{"messages":[{"content":"x@y.cn"}]}"#);
                exchange.response_head(content_type, b"").unwrap();
                let name = format!("{} {reason:?} {policy:?} {response}", String::from_utf8_lossy(content_type));
                let mut out: Result<Vec<u8>, Refused> = Ok(Vec::new());
                for chunk in body.chunks(700).chain([&b""[..]]) {
                    let last = chunk.is_empty();
                    out = out.and_then(|mut out| {
                        out.extend(exchange.response(chunk, last)?);
                        Ok(out)
                    });
                }
                match (response, policy, masked) {
                    (false, ..) | (_, OnError::Pass, _) => {
                        assert_eq!(out.unwrap(), *body, "{name}");
                        // An event with nothing to give back is not even read.
                        let unread = exchange.counts().unread.values().sum::<u64>();
                        assert!(unread == 1 || (unread == 0 && !response), "{name}");
                    }
                    (_, OnError::MaskAll, Some(masked)) => assert_eq!(out.unwrap(), masked.as_bytes(), "{name}"),
                    _ => {
                        assert_eq!(out.unwrap_err().reason, *reason, "{name}");
                        assert_eq!(exchange.response(b"more", true).unwrap(), b"", "{name}");
                    }
                }
                assert!(exchange.counts().waiting_bytes <= 2000 + 700, "{name}");
            }
        }
    }
}

#[test]
fn heads_of_answers_that_cannot_be_read() {
    for (policy, response, blocked) in
        [(OnError::Block, true, true), (OnError::Pass, true, false), (OnError::Block, false, false)]
    {
        let mut exchange = exchange(Options { response, on_error: policy, ..Options::default() });
        requested(&mut exchange, r#"{"messages":[{"content":"x@y.cn"}]}"#);
        let head = exchange.response_head(JSON, b"compress");
        assert_eq!(head.is_err(), blocked, "{policy:?}");
        if !blocked {
            assert_eq!(head, Ok(Plan::default()));
            assert_eq!(exchange.response(b"\x1f\x9d", true).unwrap(), b"\x1f\x9d");
        }
        let sound = exchange.response_head(b"audio/mpeg", b"");
        assert_eq!(sound.is_err(), blocked, "{policy:?}");
        // What turns out not to be decodable when it was said to go on plain can only break off.
        exchange.response_head(JSON, b"gzip").map(|_| ()).unwrap_or(());
        if !blocked {
            assert_eq!(exchange.response(b"no gzip at all", true).unwrap_err().reason, Reason::Undecodable);
        }
    }
}

#[test]
fn trailers_lose_nothing_unseen() {
    let mut exchange = exchange(Options::default());
    requested(&mut exchange, r#"{"messages":[{"content":"x@y.cn"}]}"#);
    exchange.response_head(b"text/event-stream", b"").unwrap();
    exchange.response(b"data: {\"choices\":[{\"delta\":{\"content\":\"hi\"}}]}\n\ndata: [DONE]\n\n", false).unwrap();
    assert_eq!(exchange.response_trailers(), Ok(()));
    exchange.response_head(JSON, b"").unwrap();
    exchange.response(b"{\"a\":", false).unwrap();
    assert_eq!(exchange.response_trailers().unwrap_err().reason, Reason::Trailers);
}

#[test]
fn nobody_says_so_many_things_at_once() {
    let mut exchange = exchange(Options { response: true, ..Options::default() });
    exchange.response_head(b"text/event-stream", b"").unwrap();
    let mut out = String::new();
    for choice in 0..80 {
        let event = format!("data: {{\"choices\":[{{\"index\":{choice},\"delta\":{{\"content\":\"ann\"}}}}]}}\n\n");
        out.push_str(&String::from_utf8(exchange.response(event.as_bytes(), false).unwrap()).unwrap());
    }
    assert_eq!(out.matches("<UNSCANNED>").count(), 80 - 64);
    assert!(exchange.waiting_bytes() < 64 * 300, "{}", exchange.waiting_bytes());
}

#[test]
fn choices_and_calls_that_take_turns_are_texts_of_their_own() {
    let mut exchange = exchange(Options { response: true, ..Options::default() });
    requested(&mut exchange, r#"{"messages":[{"content":"ann@example.com bob@example.org"}]}"#);
    exchange.response_head(b"text/event-stream", b"").unwrap();
    let pieces = [("<EMAIL_", "carl@exam"), ("ADDRESS_1>, ", "ple.net, "), ("<EMAIL_ADDRESS", "ok"), ("_2>.", ".")];
    let mut said = [String::new(), String::new(), String::new()];
    for (number, (one, two)) in pieces.iter().enumerate() {
        let finish = if number == 3 { "\"stop\"" } else { "null" };
        let delta = |index: usize, delta: String| {
            format!(
                "data: {{\"choices\":[{{\"delta\":{{{delta}}},\"index\":{index},\"finish_reason\":{finish}}}]}}\n\n"
            )
        };
        let stream = delta(0, format!("\"content\":\"{one}\""))
            + &delta(1, format!("\"content\":\"{two}\""))
            + &delta(2, format!("\"tool_calls\":[{{\"index\":7,\"function\":{{\"arguments\":\"{one}\"}}}}]"));
        let given = String::from_utf8(exchange.response(stream.as_bytes(), false).unwrap()).unwrap();
        for data in given.lines().filter_map(|line| line.strip_prefix("data: ")) {
            let event: Value = serde_json::from_str(data).unwrap();
            let choice = &event["choices"][0];
            let delta = &choice["delta"];
            let text = delta["content"].as_str().or(delta["tool_calls"][0]["function"]["arguments"].as_str());
            said[choice["index"].as_u64().unwrap() as usize].push_str(text.unwrap());
        }
    }
    assert_eq!(
        said,
        ["ann@example.com, bob@example.org.", "<EMAIL_ADDRESS_3>, ok.", "ann@example.com, bob@example.org."]
    );
    assert_eq!((exchange.counts().made_events, exchange.waiting_bytes()), (0, 0));
}

#[test]
fn past_the_limits_values_are_replaced_and_not_remembered() {
    let mut exchange = with(r#"{"max_values": 1}"#, Options::default());
    let sent = requested(&mut exchange, r#"{"messages":[{"content":"ann@example.com bob@example.org"}]}"#);
    assert_eq!(sent, r#"{"messages":[{"content":"<EMAIL_ADDRESS_1> <EMAIL_ADDRESS>"}]}"#);
    assert_eq!(exchange.unnumbered(), 1);
    let mut exchange = with(r#"{"max_text_size": 10}"#, Options::default());
    let refused = exchange.request(JSON, b"", br#"{"messages":[{"content":"ann@example.com"}]}"#).unwrap_err();
    assert_eq!(refused.reason, Reason::TooLarge);
}

#[test]
fn of_a_large_event_only_its_form_is_kept() {
    let filler = "x".repeat(100_000);
    let delta = |filler: &str, text: &str| {
        format!(
            "data: {{\"extra\":[\"{filler}\"],\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n"
        )
    };
    let mut exchange = exchange(Options { response: true, ..Options::default() });
    exchange.response_head(b"text/event-stream", b"").unwrap();
    let given = exchange.response(delta(&filler, "mail ann").as_bytes(), false).unwrap();
    assert_eq!(String::from_utf8(given).unwrap(), delta(&filler, "mail "));
    assert!(exchange.waiting_bytes() < 500, "{}", exchange.waiting_bytes());
    let given = exchange.response(b"data: [DONE]\n\n", false).unwrap();
    let made = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"ann\"}}]}\n\ndata: [DONE]\n\n";
    assert_eq!(String::from_utf8(given).unwrap(), made);
    // Where even the form is large, nothing of the text waits.
    let large = delta("", "mail ann").replacen("[\"\"]", &format!("\"{filler}\""), 1);
    assert_eq!(exchange.response(large.as_bytes(), false).unwrap(), large.as_bytes());
    assert_eq!(exchange.waiting_bytes(), 0);
}

#[test]
fn oddities_of_event_streams_stay() {
    let mut exchange = exchange(Options { response: true, ..Options::default() });
    requested(&mut exchange, r#"{"messages":[{"content":"ann@example.com"}]}"#);
    let stream = "\u{feff}: comment\r\n\r\nid: 7\r\nretry: 100\r\ndata: {\"choices\":[{\"index\":0,\r\ndata: \"delta\":{\"content\":\"<EMAIL_ADDRESS_1>.\"}}]}\r\n\r\n\
                  event: odd\ndata:{\"note\":\"bob@example.org\",\"n\":[1,2]}\n\ndata: plain bob@example.org\n\n: bob@example.org\ndata: {\"a\":1}\n\ndata\n\ndata: [DONE]";
    let expected = "\u{feff}: comment\r\n\r\nid: 7\r\nretry: 100\r\ndata: {\"choices\":[{\"index\":0,\r\ndata: \"delta\":{\"content\":\"ann@example.com\"}}]}\r\n\r\n\
                    event: odd\ndata:{\"note\":\"<EMAIL_ADDRESS_2>\",\"n\":[1,2]}\n\ndata: plain <EMAIL_ADDRESS_2>\n\ndata: {\"a\":1}\n\ndata\n\ndata: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\".\"}}]}\r\n\r\ndata: [DONE]";
    assert_eq!(answered(&mut exchange, b"text/event-stream", stream.as_bytes()), expected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Whatever the bytes are and however they are cut, nothing panics and little waits; and what passes as it came is
    /// what came.
    #[test]
    fn any_answer(
        parts in prop::collection::vec(prop_oneof![
            3 => prop::sample::select(vec![
                "data: ", "event: x\n", "{", "}", "[", "]", "\"", ":", ",", "\n", "\r\n", "\n\n", "\\", "\\u003c", "<EMAIL_",
                "ADDRESS_1>", "\"choices\":[{\"index\":0,\"delta\":{\"content\":\"", "\"}}]}", "[DONE]", "null", "123456789",
                "data: {\"choices\":[{\"index\":1,\"delta\":{\"content\":\"ann", "中", "\u{feff}", "{\"a\":1}\n",
                "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]},\"finishReason\":\"STOP\"}]}", ", ",
            ]).prop_map(|part| part.as_bytes().to_vec()),
            1 => prop::collection::vec(any::<u8>(), 0..20),
        ], 0..30),
        kind in prop::sample::select(vec!["text/event-stream", "application/json", "application/x-ndjson", "text/plain", "",
                                          "application/vnd.amazon.eventstream", "application/octet-stream"]),
        size in 1..40_usize,
        policy in prop::sample::select(vec![OnError::Block, OnError::Pass, OnError::MaskAll]),
        response in any::<bool>(),
    ) {
        let body = parts.concat();
        let mut exchange = exchange(Options { response, on_error: policy, max_body_bytes: 200, ..Options::default() });
        requested(&mut exchange, r#"{"messages":[{"content":"x@y.cn"}],"input":{"a":4111111111111111}}"#);
        exchange.response_head(kind.as_bytes(), b"").unwrap();
        let mut refused = false;
        for chunk in body.chunks(size).chain([&b""[..]]) {
            match exchange.response(chunk, chunk.is_empty()) {
                Ok(_) => prop_assert!(exchange.waiting_bytes() <= 64 * 1024),
                Err(_) => refused = true,
            }
        }
        prop_assert!(!refused || (response && policy != OnError::Pass));
        prop_assert_eq!(exchange.waiting_bytes(), 0);
    }
}
