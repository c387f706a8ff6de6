//! Asking for usage, under the model: what is edited, what is left alone, and that nothing is ever lost or held for good.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that fails says where")]

use proptest::prelude::*;
use tollgate_envoy_model::{Answer, BUFFER_LIMIT, End, Model, Passed, ROOT, Refusals, Request, run};

const INJECT: &str = r#"{"include_usage": "inject"}"#;
const STRIP: &str = r#"{"include_usage": "inject_and_strip", "export": {"cluster": "collector"}}"#;
const REWRITE: &str = r#"{"include_usage": {"mode": "inject_and_strip", "content_length": "rewrite"}}"#;
const PATH: &str = "/v1/chat/completions";
const BODY: &str = r#"{"model":"gpt-4o","stream":true,"messages":[{"role":"user","content":"hello"}]}"#;
const EDITED: &str = r#"{"stream_options":{"include_usage":true},"model":"gpt-4o","stream":true,"messages":[{"role":"user","content":"hello"}]}"#;
const DELTA: &str = "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"model\":\"gpt-4o\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"lo\"}}]}\n\n";
const EXTRA: &str = "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"model\":\"gpt-4o\",\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":2,\"total_tokens\":11}}\n\n";
const DONE: &str = "data: [DONE]\n\n";

fn post(body: &str) -> Request {
    Request::post(PATH, body).sized()
}

fn events() -> Answer {
    Answer::events(&[DELTA.as_bytes(), EXTRA.as_bytes(), DONE.as_bytes()])
}

fn length(headers: &[(String, Vec<u8>)]) -> Option<usize> {
    let (_, value) = headers.iter().find(|(name, _)| name == "content-length")?;
    String::from_utf8_lossy(value).parse().ok()
}

fn counted(model: &Model, result: &str) -> i64 {
    model.sum(&format!("tollgate.include_usage;result={result}"))
}

fn answered(model: &Model, result: &str) -> i64 {
    model.sum(&format!("tollgate.include_usage_answers;result={result}"))
}

/// What is to be sent where nothing is edited, with the length or without.
fn untouched(passed: &Passed, request: &Request, answer: &Answer) -> bool {
    let without = |headers: &[(String, Vec<u8>)]| {
        headers.iter().filter(|(name, _)| name != "content-length").cloned().collect::<Vec<_>>()
    };
    passed.headers.as_deref().map(without) == Some(without(&request.headers))
        && passed.request == request.body.concat()
        && passed.answer_headers == answer.headers
        && passed.answer == answer.body
}

#[test]
fn usage_is_asked_for_and_counted_and_the_caller_does_not_see_it() {
    for (config, upstream_length, stripped) in
        [(INJECT, None, false), (STRIP, None, true), (REWRITE, Some(EDITED.len()), true)]
    {
        for size in [1, 7, 40, 1000] {
            let (model, mut filter) = Model::started(config);
            let passed = run(&model, &mut filter, &post(BODY).chunks(size), &events());
            assert_eq!(String::from_utf8_lossy(&passed.request), EDITED, "{config}");
            assert_eq!(length(&passed.headers.unwrap()), upstream_length, "{config}");
            let expected = if stripped { [DELTA, "", DONE] } else { [DELTA, EXTRA, DONE] };
            assert_eq!(passed.answer, expected.map(|chunk| chunk.as_bytes().to_vec()), "{config}");
            assert_eq!(counted(&model, "requested"), 1, "{config}");
            assert_eq!(answered(&model, "stripped"), i64::from(stripped), "{config}");
            assert_eq!(model.sum("tollgate.tokens;provider=openai;operation=chat;model=gpt-4o;kind=output"), 2);
            assert_eq!(model.state("tollgate.model").as_deref(), Some("gpt-4o"));
            assert_eq!(model.state("tollgate.usage_source").as_deref(), Some("reported"));
        }
    }
}

#[test]
fn the_span_says_who_asked() {
    for (body, requested) in [(BODY, true), (EDITED, false)] {
        let (model, mut filter) = Model::started(STRIP);
        run(&model, &mut filter, &post(body), &events());
        filter.tick(&model, ROOT);
        let sent = model.take_sent();
        assert_eq!(String::from_utf8_lossy(&sent[0].body).contains("tollgate.usage.requested"), requested, "{body}");
    }
}

#[test]
fn what_cannot_be_edited_safely_passes_as_it_came() {
    let replace = |name: &str, value: &str| {
        let mut request = post(BODY);
        request.headers.retain(|(key, _)| key != name);
        if value.is_empty() { request } else { request.header(name, value.as_bytes()) }
    };
    let mut rows = vec![
        ("already_requested", post(EDITED)),
        ("no_stream", post(r#"{"model":"gpt-4o","messages":[]}"#)),
        ("malformed", post(r#"{"model":"gpt-4o","stream":true,"stream":true}"#)),
        ("malformed", post("{")),
        ("other_provider", replace(":authority", "api.mistral.ai")),
        ("other_provider", replace(":authority", "llm.internal")),
        ("content_type", replace("content-type", "text/plain")),
        ("content_type", replace("content-type", "")),
        ("content_encoding", replace("content-encoding", "gzip")),
        ("no_content_length", replace("content-length", "").chunks(30)),
        ("malformed", replace("content-length", "").body(r#"{"stream":true,"stream":true}"#)),
        ("no_stream", replace("content-length", "").body("{}")),
        ("no_content_length", replace("content-length", "x")),
        ("incomplete", replace("content-length", "5")),
        ("incomplete", replace("content-length", "5000")),
        ("too_large", replace("content-length", "1048576")),
        ("too_large", replace("content-length", "18446744073709551615")),
        ("signed", replace(":path", "/v1/chat/completions?X-Amz-Signature=ab")),
    ];
    for name in ["x-amz-date", "x-amz-content-sha256", "date", "content-md5", "digest", "content-digest", "signature"] {
        rows.push(("signed", replace(name, "value")));
    }
    for config in [INJECT, STRIP, REWRITE] {
        for (result, request) in &rows {
            let (model, mut filter) = Model::started(config);
            let passed = run(&model, &mut filter, request, &events());
            assert!(untouched(&passed, request, &events()), "{config} {result}: {passed:?}");
            assert_eq!(counted(&model, result), 1, "{config} {result}: {:?}", model.metric_names());
            assert_eq!(model.sum("tollgate.include_usage_answers"), 0);
            if config == REWRITE {
                assert_eq!(passed.headers.as_ref(), Some(&request.headers), "{result}");
            }
        }
    }
}

#[test]
fn a_body_whose_length_nobody_says_is_edited_where_its_first_chunk_is_all_of_it() {
    for config in [STRIP, REWRITE] {
        for (chunks, edited) in [(&[BODY][..], true), (&["", BODY, ""], true), (&[&BODY[..9], &BODY[9..]], false)] {
            for trailers in [true, false] {
                let (model, mut filter) = Model::started(config);
                let body = chunks.iter().map(|chunk| chunk.as_bytes().to_vec()).collect();
                let request = Request { body, trailers, ..Request::post(PATH, "") };
                let passed = run(&model, &mut filter, &request, &events());
                assert_eq!(String::from_utf8_lossy(&passed.request), if edited { EDITED } else { BODY }, "{chunks:?}");
                assert_eq!(length(&passed.headers.unwrap()), None);
                let result = if edited { "requested" } else { "no_content_length" };
                assert_eq!(counted(&model, result), 1, "{chunks:?}");
            }
        }
    }
}

#[test]
fn calls_of_other_apis_are_not_looked_at() {
    let get = {
        let mut request = Request::post("/v1/models", "");
        request.headers[0].1 = b"GET".to_vec();
        request.body.clear();
        request
    };
    for request in [get, Request::post("/v1/responses", BODY).sized(), Request::post("/healthz", BODY).sized()] {
        let (model, mut filter) = Model::started(REWRITE);
        let passed = run(&model, &mut filter, &request, &Answer::json("{}"));
        assert!(untouched(&passed, &request, &Answer::json("{}")));
        assert_eq!((model.sum("tollgate.include_usage"), model.changes()), (0, 0));
    }
}

#[test]
fn a_body_up_to_the_limit_is_edited_and_never_grows_over_envoys_buffer() {
    let room = BUFFER_LIMIT - (EDITED.len() - BODY.len());
    for (size, result) in [(room, "requested"), (room + 1, "too_large"), (3 << 20, "too_large")] {
        let body = BODY.replace("hello", &"x".repeat(size - BODY.len() + "hello".len()));
        assert_eq!(body.len(), size);
        let (model, mut filter) = Model::started(STRIP);
        let passed = run(&model, &mut filter, &post(&body).chunks(100_000), &events());
        assert_eq!(counted(&model, result), 1, "{size}");
        let edited = result == "requested";
        assert_eq!(passed.request.len(), if edited { BUFFER_LIMIT } else { size });
        assert_eq!(length(passed.headers.as_ref().unwrap()), (!edited).then_some(size));
        // Without a length nothing is held, whatever comes.
        let (model, mut filter) = Model::started(STRIP);
        let request = Request::post(PATH, &body).chunks(100_000);
        assert!(untouched(&run(&model, &mut filter, &request, &events()), &request, &events()));
    }
}

#[test]
fn trailers_of_a_request_let_go_what_is_held() {
    for (request, edited) in [(post(BODY), true), (Request::post(PATH, BODY).header("content-length", b"5000"), false)]
    {
        for config in [STRIP, REWRITE] {
            let (model, mut filter) = Model::started(config);
            let request = Request { trailers: true, ..request.clone().chunks(9) };
            let passed = run(&model, &mut filter, &request, &events());
            assert_eq!(String::from_utf8_lossy(&passed.request), if edited { EDITED } else { BODY }, "{config}");
            assert_eq!(counted(&model, if edited { "requested" } else { "incomplete" }), 1, "{config}");
        }
    }
}

#[test]
fn headers_that_hold_the_body_too_are_let_go_and_then_never_held() {
    let (model, mut filter) = Model::started(REWRITE);
    model.holds_all.set(true);
    let passed = run(&model, &mut filter, &post(BODY), &events());
    assert!(untouched(&passed, &post(BODY), &events()));
    assert_eq!(length(&passed.headers.unwrap()), Some(BODY.len()));
    assert_eq!(counted(&model, "not_held"), 1);
    let warnings = model.log_lines();
    assert!(warnings.len() == 1 && warnings[0].contains("allow_on_headers_stop_iteration"), "{warnings:?}");
    for _ in 0..2 {
        let passed = run(&model, &mut filter, &post(BODY), &events());
        assert_eq!(
            (String::from_utf8_lossy(&passed.request).as_ref(), length(&passed.headers.unwrap())),
            (EDITED, None)
        );
    }
    assert_eq!(model.log_lines().len(), 1);
}

#[test]
fn the_timer_is_never_slow() {
    let export = r#""export": {"cluster": "collector", "flush_ms": 60000}"#;
    for config in [format!("{{{export}}}"), REWRITE.replace("}}", &format!("}}, {export}}}")), "{}".to_owned()] {
        assert_eq!(Model::started(&config).0.tick_ms(), 1_000, "{config}");
    }
    assert_eq!(Model::started(r#"{"export": {"cluster": "collector", "flush_ms": 50}}"#).0.tick_ms(), 50);
}

#[test]
fn a_slow_caller_is_waited_for_where_headers_can_be_held() {
    let (model, mut filter) = Model::started(REWRITE);
    run(&model, &mut filter, &post(BODY), &events());
    filter.create(7, ROOT);
    model.headers.borrow_mut()[0] = post(BODY).headers;
    filter.request_headers(&model, 7, false);
    for _ in 0..100 {
        model.now.set(model.now.get() + 1_000_000_000);
        filter.tick(&model, ROOT);
    }
    assert_eq!(model.take_resumed(), Vec::<u32>::new());
    filter.log(&model, 7);
    filter.delete(&model, 7);
    filter.tell_metrics(&model);
    assert_eq!(counted(&model, "incomplete"), 1);
}

#[test]
fn answers_that_cannot_be_stripped_pass_as_they_came() {
    let gzip = events().header("content-encoding", b"gzip");
    let rows = [
        (Some("content_encoding"), gzip),
        (Some("trailers"), events().header("trailer", b"x-checksum")),
        (Some("signed"), events().header("content-digest", b"sha-256=:x:")),
        (Some("unneeded"), Answer::events(&[DELTA.as_bytes(), DONE.as_bytes()])),
        (None, Answer::json(&EXTRA["data: ".len()..])),
        (None, Answer { headers: vec![(":status".to_owned(), b"400".to_vec())], ..events() }),
    ];
    for (result, answer) in rows {
        let (model, mut filter) = Model::started(STRIP);
        let passed = run(&model, &mut filter, &post(BODY), &answer);
        assert_eq!((&passed.answer, &passed.answer_headers), (&answer.body, &answer.headers), "{result:?}");
        assert_eq!(model.sum("tollgate.include_usage_answers"), i64::from(result.is_some()), "{result:?}");
        if let Some(result) = result {
            assert_eq!(answered(&model, result), 1, "{result}");
        }
    }
}

#[test]
fn an_event_longer_than_the_limit_passes_and_is_counted() {
    let long = EXTRA.replace("c1", &"x".repeat(70_000));
    let answer = Answer::events(&[DELTA.as_bytes(), long.as_bytes(), DONE.as_bytes()]);
    let (model, mut filter) = Model::started(STRIP);
    assert_eq!(run(&model, &mut filter, &post(BODY), &answer).answer, answer.body);
    assert_eq!(answered(&model, "event_too_long"), 1);
}

#[test]
fn the_length_of_an_answer_that_is_stripped_is_not_said() {
    let (model, mut filter) = Model::started(STRIP);
    let answer = events().header("content-length", b"500");
    assert_eq!(length(&run(&model, &mut filter, &post(BODY), &answer).answer_headers), None);
}

#[test]
fn the_end_of_a_stream_lets_go_what_is_held_back() {
    let unended = "data: {\"id\":\"c1\",\"choices\":[],";
    for (end, last, result) in [(End::Flag, unended, "unneeded"), (End::Trailers, "", "cut_by_trailers")] {
        let (model, mut filter) = Model::started(STRIP);
        let answer = Answer::events(&[DELTA.as_bytes(), &unended.as_bytes()[..12], &unended.as_bytes()[12..]]).end(end);
        let passed = run(&model, &mut filter, &post(BODY), &answer);
        assert_eq!(passed.answer.concat(), format!("{DELTA}{last}").into_bytes(), "{end:?}");
        assert_eq!(answered(&model, result), 1, "{end:?}");
    }
}

#[test]
fn a_proxy_that_refuses_every_change_gets_everything_as_it_came() {
    for config in [INJECT, STRIP, REWRITE] {
        let (model, mut filter) = Model::started(config);
        model.refusals.set(Refusals { changes: true, ..Refusals::default() });
        let passed = run(&model, &mut filter, &post(BODY).chunks(10), &events());
        assert!(untouched(&passed, &post(BODY), &events()), "{config}: {passed:?}");
        assert_eq!(counted(&model, "refused"), 1, "{config}");
    }
}

/// The bytes in chunks of these sizes, over and over.
fn cut(bytes: &[u8], sizes: &[usize]) -> Vec<Vec<u8>> {
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
}

proptest! {
    #[test]
    fn any_split_gives_the_same_bytes(
        sizes in prop::collection::vec(1..60_usize, 1..5),
        trailers in any::<bool>(),
        rewrite in any::<bool>(),
    ) {
        let (model, mut filter) = Model::started(if rewrite { REWRITE } else { STRIP });
        let request = Request { body: cut(BODY.as_bytes(), &sizes), trailers, ..post(BODY) };
        let stream = [DELTA, DELTA, EXTRA, DONE].concat();
        let chunks = cut(stream.as_bytes(), &sizes);
        let chunks: Vec<&[u8]> = chunks.iter().map(Vec::as_slice).collect();
        let passed = run(&model, &mut filter, &request, &Answer::events(&chunks));
        prop_assert_eq!(passed.request, EDITED.as_bytes());
        prop_assert_eq!(length(&passed.headers.unwrap()), rewrite.then_some(EDITED.len()));
        prop_assert_eq!(passed.answer.concat(), [DELTA, DELTA, DONE].concat().into_bytes());
        prop_assert_eq!(model.sum("tollgate.usage;provider=openai;operation=chat;model=gpt-4o;source=reported"), 1);
    }

    #[test]
    fn what_is_not_edited_is_what_came(
        body in prop::collection::vec(prop::sample::select(b"{}[]:,\"stream_options truefals".to_vec()), 1..60),
        length in prop::option::of(0..80_usize),
        sizes in prop::collection::vec(1..60_usize, 1..5),
        answer in prop::collection::vec(prop::sample::select(b"data: {}[]\",:choiesug\r\n\r\n".to_vec()), 0..100),
        trailers in any::<bool>(),
        rewrite in any::<bool>(),
    ) {
        let (model, mut filter) = Model::started(if rewrite { REWRITE } else { STRIP });
        let mut request = Request { body: cut(&body, &sizes), trailers, ..Request::post(PATH, "") };
        if let Some(length) = length {
            request = request.header("content-length", length.to_string().as_bytes());
        }
        let chunks = cut(&answer, &sizes);
        let chunks: Vec<&[u8]> = chunks.iter().map(Vec::as_slice).collect();
        let answer = Answer::events(&chunks);
        let passed = run(&model, &mut filter, &request, &answer);
        if counted(&model, "requested") == 0 {
            prop_assert!(untouched(&passed, &request, &answer), "{:?}", passed);
        }
    }
}
