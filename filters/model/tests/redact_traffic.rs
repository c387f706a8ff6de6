//! Redaction of the traffic, under the model: the provider never gets a value, the caller gets it back, and what cannot
//! be read does what the policy says.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that fails says where")]

use proptest::prelude::*;
use tollgate_envoy_model::{Answer, BUFFER_LIMIT, End, Model, Passed, Refusals, Request, run};

const ON: &str = r#"{"redact_traffic": true}"#;
const BOTH: &str = r#"{"redact_traffic": {"response": true}}"#;
const PASS: &str = r#"{"redact_traffic": {"response": true, "on_error": "pass"}}"#;
const ASKING: &str = r#"{"redact_traffic": true, "include_usage": "inject_and_strip"}"#;
const PATH: &str = "/v1/chat/completions";
const BODY: &str = r#"{"model":"gpt-4o","stream":true,"messages":[{"role":"user","content":"I am ann@example.com"}]}"#;
const SENT: &str =
    r#"{"model":"gpt-4o","stream":true,"messages":[{"role":"user","content":"I am <EMAIL_ADDRESS_1>"}]}"#;
const DOCUMENT: &str = r#"{"id":"c1","object":"chat.completion","model":"gpt-4o","choices":[{"index":0,"message":{"role":"assistant","content":"Hi <EMAIL_ADDRESS_1>, bob@example.org"},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11}}"#;
const EXTRA: &str = "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"model\":\"gpt-4o\",\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":2,\"total_tokens\":11}}\n\n";

fn delta(content: &str) -> String {
    format!(
        "data: {{\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"model\":\"gpt-4o\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{content}\"}}}}]}}\n\n"
    )
}

fn stream(contents: &[&str], extra: bool) -> String {
    let mut stream: String = contents.iter().map(|content| delta(content)).collect();
    stream.push_str(if extra { EXTRA } else { "" });
    stream + "data: [DONE]\n\n"
}

fn post(body: &str) -> Request {
    Request::post(PATH, body).sized()
}

fn events(stream: &str, size: usize) -> Answer {
    Answer::events(&stream.as_bytes().chunks(size).collect::<Vec<_>>())
}

fn header<'a>(headers: &'a [(String, Vec<u8>)], name: &str) -> Option<&'a [u8]> {
    headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_slice())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn answer_of(passed: &Passed) -> String {
    text(&passed.answer.concat())
}

#[test]
fn the_provider_gets_stand_ins_and_the_caller_gets_the_values_back() {
    for size in [1, 7, 40, 1000] {
        let (model, mut filter) = Model::started(ON);
        let request = post(BODY).chunks(size).header("accept-encoding", b"gzip, br");
        let passed = run(&model, &mut filter, &request, &Answer::json(DOCUMENT).header("content-length", b"999"));
        assert_eq!(text(&passed.request), SENT);
        let headers = passed.headers.as_ref().unwrap();
        assert_eq!(header(headers, "accept-encoding"), Some(&b"identity"[..]));
        assert_eq!(header(headers, "content-length"), None);
        assert_eq!(header(&passed.answer_headers, "content-length"), None);
        assert_eq!(answer_of(&passed), DOCUMENT.replace("<EMAIL_ADDRESS_1>", "ann@example.com"));
        let given = events(&stream(&["Hi <EMA", "IL_ADDRESS", "_1>", "!"], true), size);
        let passed = run(&model, &mut filter, &post(BODY).chunks(size), &given);
        assert_eq!(answer_of(&passed), stream(&["Hi ", "", "ann@example.com", "!"], true));
        assert_eq!(model.sum("tollgate.traffic_requests;result=redacted"), 2);
        assert_eq!(model.sum("tollgate.traffic_answers;result=rewritten"), 2);
        assert_eq!(model.sum("tollgate.traffic_redactions;direction=request;type=EMAIL_ADDRESS"), 2);
        assert_eq!(model.sum("tollgate.traffic_restored"), 2);
        assert_eq!(model.sum("tollgate.traffic_unread"), 0);
        // The call is metered as any other.
        assert_eq!(model.sum("tollgate.usage;provider=openai;operation=chat;model=gpt-4o;source=reported"), 2);
        assert_eq!(model.sum("tollgate.tokens;provider=openai;operation=chat;model=gpt-4o;kind=output"), 4);
    }
}

#[test]
fn the_first_route_that_fits_decides() {
    let config = r#"{"redact_traffic": [{"path_prefix": "/v1/raw", "request": false},
                                        {"path_prefix": "/v1/masked", "redactor": {"operator": "mask"}},
                                        {"path_prefix": "/v1/"}]}"#;
    let (model, mut filter) = Model::started(config);
    let masked = BODY.replace("ann@example.com", "***************");
    for (path, expected) in [("/v1/raw", BODY), ("/v1/masked", &masked), (PATH, SENT), ("/other", BODY)] {
        let request = Request::post(path, BODY).sized();
        let passed = run(&model, &mut filter, &request, &Answer::json("{}"));
        assert_eq!(text(&passed.request), expected, "{path}");
    }
    assert_eq!(model.sum("tollgate.traffic_requests;result=redacted"), 2);
}

#[test]
fn asking_for_usage_goes_with_it() {
    for size in [1, 30, 1000] {
        let (model, mut filter) = Model::started(ASKING);
        let given = events(&stream(&["Hi <EMAIL_ADDRESS_1>", "!"], true), size);
        let passed = run(&model, &mut filter, &post(BODY).chunks(size), &given);
        assert_eq!(text(&passed.request), SENT.replacen('{', r#"{"stream_options":{"include_usage":true},"#, 1));
        assert_eq!(answer_of(&passed), stream(&["Hi ann@example.com", "!"], false));
        assert_eq!(model.sum("tollgate.include_usage;result=requested"), 1);
        assert_eq!(model.sum("tollgate.include_usage_answers;result=stripped"), 1);
        assert_eq!(model.sum("tollgate.traffic_requests;result=redacted"), 1);
        // Without findings it is as if the other option were alone.
        let clean = BODY.replace("ann@example.com", "ann");
        let passed = run(&model, &mut filter, &post(&clean).chunks(size), &given);
        assert_eq!(text(&passed.request), clean.replacen('{', r#"{"stream_options":{"include_usage":true},"#, 1));
        assert_eq!(answer_of(&passed), stream(&["Hi <EMAIL_ADDRESS_1>", "!"], false));
        assert_eq!(model.sum("tollgate.traffic_requests;result=clean"), 1);
        assert_eq!(model.sum("tollgate.traffic_answers;result=untouched"), 1);
    }
}

#[test]
fn answers_are_redacted_where_that_is_wanted() {
    let (model, mut filter) = Model::started(BOTH);
    let passed = run(&model, &mut filter, &post(BODY), &Answer::json(DOCUMENT));
    let expected =
        DOCUMENT.replace("<EMAIL_ADDRESS_1>", "ann@example.com").replace("bob@example.org", "<EMAIL_ADDRESS_2>");
    assert_eq!(answer_of(&passed), expected);
    let passed =
        run(&model, &mut filter, &post("{}"), &events(&stream(&["b", "ob@", "example.org", ", ", "ok"], false), 50));
    assert_eq!(
        answer_of(&passed),
        stream(&["", "", "", "<EMAIL_ADDRESS_1>, ", "ok"], false)
            .replace("\"ok\"", "\"\"")
            .replace("data: [DONE]", &(delta("ok") + "data: [DONE]"))
    );
    assert_eq!(model.sum("tollgate.traffic_redactions;direction=response;type=EMAIL_ADDRESS"), 2);
    assert!(model.sum("tollgate.traffic_empty_events") >= 3);
    assert_eq!(model.sum("tollgate.traffic_made_events"), 1);
}

#[test]
fn a_request_without_a_length_is_held_to_its_end() {
    for trailers in [false, true] {
        for size in [1, 30, 1000] {
            let (model, mut filter) = Model::started(ON);
            let request = Request { trailers, ..Request::post(PATH, BODY).chunks(size) };
            let passed = run(&model, &mut filter, &request, &Answer::json(DOCUMENT));
            assert_eq!(text(&passed.request), SENT, "{trailers} {size}");
        }
    }
}

#[test]
fn requests_that_cannot_be_read_do_what_the_policy_says() {
    let without = |name: &str| {
        let mut request = post(BODY);
        request.headers.retain(|(key, _)| key != name);
        request
    };
    let big = BODY.replace("ann@", &"a".repeat(BUFFER_LIMIT));
    let rows = [
        (403, "signed", post(BODY).header("x-amz-date", b"20260101T000000Z")),
        (403, "signed", post(BODY).header("content-digest", b"sha-256=:x:")),
        (403, "upgrade", post(BODY).header("upgrade", b"websocket")),
        (415, "content_type", without("content-type").header("content-type", b"multipart/form-data; boundary=x")),
        (415, "content_type", without("content-type").header("content-type", b"application/grpc")),
        (415, "content_encoding", post(BODY).header("content-encoding", b"compress")),
        (400, "undecodable", post(BODY).header("content-encoding", b"gzip")),
        (413, "too_large", post(&big)),
        (400, "not_json", post("{\"model\":\"ann@example.com\"")),
        (400, "incomplete", without("content-length").header("content-length", b"5000")),
    ];
    for (status, reason, request) in &rows {
        let (model, mut filter) = Model::started(ON);
        let passed = run(&model, &mut filter, request, &Answer::json(DOCUMENT));
        assert!(passed.request.is_empty() && passed.headers.is_none(), "{reason}: {passed:?}");
        let (given, body) = passed.local.unwrap();
        let error: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!((given, error["error"]["code"].as_str()), (*status, Some(*reason)));
        assert!(error["error"]["message"].as_str().unwrap().starts_with("tollgate: the request "));
        let counted = format!("tollgate.traffic_unread;direction=request;reason={reason};result=blocked");
        assert_eq!(model.sum(&counted), 1, "{reason}: {:?}", model.metric_names());
        assert_eq!(model.sum("tollgate.traffic_requests;result=unread"), 1);
        if *reason == "undecodable" {
            continue;
        }
        let (model, mut filter) = Model::started(PASS);
        let passed = run(&model, &mut filter, request, &Answer::json(DOCUMENT));
        assert_eq!(passed.request, request.body.concat(), "{reason}");
        assert_eq!(passed.local, None);
        let counted = format!("tollgate.traffic_unread;direction=request;reason={reason};result=passed");
        assert_eq!(model.sum(&counted), 1, "{reason}");
    }
}

#[test]
fn answers_that_cannot_be_read_do_what_the_policy_says() {
    let sound = Answer {
        headers: vec![(":status".into(), b"200".to_vec()), ("content-type".into(), b"audio/mpeg".to_vec())],
        ..Answer::json("ID3-bob@example.org")
    };
    let rows = [
        ("content_type", sound),
        ("not_json", Answer::json("{\"a\":\"bob@example.org\"")),
        ("not_json", events("data: {\"bob@example.org\n\n", 5)),
        ("content_encoding", Answer::json("bob@example.org").header("content-encoding", b"compress")),
        ("undecodable", Answer::json("bob@example.org").header("content-encoding", b"gzip")),
        ("signed", Answer::json(DOCUMENT).header("content-digest", b"sha-256=:x:")),
    ];
    for (reason, answer) in &rows {
        let (model, mut filter) = Model::started(BOTH);
        let passed = run(&model, &mut filter, &post(BODY), answer);
        assert!(!answer_of(&passed).contains("bob@"), "{reason}: {}", answer_of(&passed));
        assert_eq!(passed.local.as_ref().map(|(status, _)| *status), Some(502), "{reason}");
        let counted = format!("tollgate.traffic_unread;direction=response;reason={reason};result=blocked");
        assert_eq!(model.sum(&counted), 1, "{reason}: {:?}", model.metric_names());
        // What is only to be given its values back is never withheld, but where it was said to be plain already.
        let (model, mut filter) = Model::started(ON);
        let passed = run(&model, &mut filter, &post(BODY), answer);
        if *reason != "undecodable" {
            assert_eq!((passed.answer.concat(), passed.local), (answer.body.concat(), None), "{reason}");
            let counted = format!("tollgate.traffic_unread;direction=response;reason={reason};result=passed");
            // An event with nothing to give back is not even read.
            let events = header(&answer.headers, "content-type") == Some(&b"text/event-stream"[..]);
            assert_eq!(model.sum(&counted), i64::from(!events), "{reason}: {:?}", model.metric_names());
        }
    }
}

#[test]
fn a_document_that_ends_with_trailers_loses_nothing() {
    for config in [ON, BOTH] {
        for size in [1, 7, 1000] {
            let (model, mut filter) = Model::started(config);
            let chunks: Vec<&[u8]> = DOCUMENT.as_bytes().chunks(size).collect();
            let mut answer = Answer::events(&chunks).end(End::Trailers);
            answer.headers[1].1 = b"application/json".to_vec();
            let passed = run(&model, &mut filter, &post(BODY), &answer);
            let own = if config == BOTH { "<EMAIL_ADDRESS_2>" } else { "bob@example.org" };
            let expected = DOCUMENT.replace("<EMAIL_ADDRESS_1>", "ann@example.com").replace("bob@example.org", own);
            assert_eq!((answer_of(&passed), passed.local), (expected, None), "{config} {size}");
        }
    }
}

#[test]
fn a_stream_that_ends_with_trailers_loses_nothing() {
    let (model, mut filter) = Model::started(BOTH);
    let answer = events(&stream(&["Hi <EMAIL_ADDRESS_1>", "!"], false), 20).end(End::Trailers);
    let passed = run(&model, &mut filter, &post(BODY), &answer);
    assert!(answer_of(&passed).contains("ann@example.com"));
    assert_eq!(passed.local, None);
}

#[test]
fn a_proxy_that_refuses_gets_no_value_past() {
    for refusals in
        [Refusals { changes: true, ..Refusals::default() }, Refusals { bodies: true, ..Refusals::default() }]
    {
        let (model, mut filter) = Model::started(ON);
        model.refusals.set(refusals);
        let passed = run(&model, &mut filter, &post(BODY), &Answer::json(DOCUMENT));
        assert!(passed.request.is_empty(), "{refusals:?}");
        assert_eq!(model.sum("tollgate.traffic_unread;direction=request;reason=refused;result=blocked"), 1);
        let (model, mut filter) = Model::started(PASS);
        model.refusals.set(refusals);
        let passed = run(&model, &mut filter, &post(BODY), &Answer::json(DOCUMENT));
        assert_eq!(text(&passed.request), BODY);
        assert_eq!(answer_of(&passed), DOCUMENT);
    }
}

#[test]
fn calls_without_a_body_and_of_no_api_are_covered_too() {
    let (model, mut filter) = Model::started(BOTH);
    let mut get = Request::post("/anything", "");
    (get.body, get.headers[0].1) = (Vec::new(), b"GET".to_vec());
    let passed = run(&model, &mut filter, &get, &Answer::json(r#"{"mail":"bob@example.org"}"#));
    assert_eq!(answer_of(&passed), r#"{"mail":"<EMAIL_ADDRESS_1>"}"#);
    let request = Request::post("/in-house", r#"{"q":"ann@example.com"}"#).sized();
    let passed = run(&model, &mut filter, &request, &Answer::json("{}"));
    assert_eq!(text(&passed.request), r#"{"q":"<EMAIL_ADDRESS_1>"}"#);
    assert_eq!(model.sum("tollgate.traffic_requests;result=no_body"), 1);
}

#[test]
fn captured_content_has_no_value_either() {
    let config = r#"{"redact_traffic": true, "capture_content": {"input_bytes": 4096, "output_bytes": 4096},
                     "export": {"cluster": "collector"}}"#;
    let (model, mut filter) = Model::started(config);
    run(&model, &mut filter, &post(BODY), &Answer::json(DOCUMENT));
    filter.tick(&model, tollgate_envoy_model::ROOT);
    let spans = text(&model.take_sent()[0].body);
    assert!(spans.contains("I am <EMAIL_ADDRESS_1>") && spans.contains("Hi <EMAIL_ADDRESS_1>"), "{spans}");
    assert!(!spans.contains("ann@example.com") && !spans.contains("bob@example.org"));
}

proptest! {
    #[test]
    fn any_cut_gives_the_same_bytes(
        sizes in prop::collection::vec(1..60_usize, 1..5),
        trailers in any::<bool>(),
        sized in any::<bool>(),
        both in any::<bool>(),
    ) {
        let cut = |bytes: &[u8]| {
            let (mut rest, mut chunks) = (bytes, Vec::new());
            for size in sizes.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (chunk, left) = rest.split_at((*size).min(rest.len()));
                chunks.push(chunk.to_vec());
                rest = left;
            }
            chunks
        };
        let (model, mut filter) = Model::started(if both { BOTH } else { ON });
        let request = if sized { post(BODY) } else { Request::post(PATH, BODY) };
        let request = Request { body: cut(BODY.as_bytes()), trailers, ..request };
        let chunks = cut(stream(&["Hi <EMAIL_", "ADDRESS_1>", ", "], true).as_bytes());
        let chunks: Vec<&[u8]> = chunks.iter().map(Vec::as_slice).collect();
        let passed = run(&model, &mut filter, &request, &Answer::events(&chunks));
        prop_assert_eq!(text(&passed.request), SENT);
        prop_assert_eq!(answer_of(&passed), stream(&["Hi ", "ann@example.com", ", "], true));
        prop_assert_eq!(model.sum("tollgate.usage;provider=openai;operation=chat;model=gpt-4o;source=reported"), 1);
    }

    /// Whatever comes, a value that is in it does not pass a filter that blocks what it cannot read.
    #[test]
    fn no_value_passes(
        before in prop::collection::vec(prop::sample::select(b"{}[]:,\"modelstr\\n ".to_vec()), 0..20),
        behind in prop::collection::vec(prop::sample::select(b"{}[]:,\"modelstr\\n ".to_vec()), 0..20),
        length in prop::option::of(0..120_usize),
        kind in prop::sample::select(vec!["application/json", "text/plain", "", "audio/wav", "application/x-ndjson"]),
        size in 1..60_usize,
        trailers in any::<bool>(),
    ) {
        let (model, mut filter) = Model::started(BOTH);
        let value = b" ann@example.com ";
        let body = [before.as_slice(), value, &behind].concat();
        let mut request = Request { body: vec![body.clone()], trailers, ..Request::post(PATH, "") }.chunks(size);
        request.headers.retain(|(name, _)| name != "content-type");
        request = request.header("content-type", kind.as_bytes());
        if let Some(length) = length {
            request = request.header("content-length", length.to_string().as_bytes());
        }
        let passed = run(&model, &mut filter, &request, &Answer::json("{}"));
        prop_assert!(!text(&passed.request).contains("ann@example.com"), "{}", text(&passed.request));
        let chunks: Vec<&[u8]> = body.chunks(size).collect();
        let mut answer = Answer::events(&chunks);
        answer.headers[1].1 = kind.as_bytes().to_vec();
        let passed = run(&model, &mut filter, &post("{}"), &answer);
        prop_assert!(!answer_of(&passed).contains("ann@example.com"), "{}", answer_of(&passed));
    }
}
