//! Headers and trailers with what a call cost: where they are set, and where answers go on without.
#![allow(clippy::indexing_slicing, reason = "a test that fails says where")]

use tollgate_envoy_model::{Answer, End, Model, Passed, Refusals, Request, run};
use tollgate_filter::filter::Filter;

const ON: &str = r#"{"response_headers": true}"#;
const TRAILERS: &str = r#"{"response_headers": {"trailers": true}}"#;
const REQUEST: &str = r#"{"model":"gpt-4o","messages":[]}"#;
const ANSWER: &str = r#"{"id":"c1","object":"chat.completion","model":"gpt-4o-2024-08-06","choices":[{"index":0,"message":{"role":"assistant","content":"hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1000,"completion_tokens":200,"total_tokens":1200,"prompt_tokens_details":{"cached_tokens":400}}}"#;
const EVENTS: &[&[u8]] = &[
    b"data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"model\":\"gpt-4o\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hi\"}}]}\n\n",
    b"data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"model\":\"gpt-4o\",\"choices\":[],\"usage\":{\"prompt_tokens\":1000,\"completion_tokens\":200}}\n\n",
    b"data: [DONE]\n\n",
];

fn post() -> Request {
    Request::post("/v1/chat/completions", REQUEST)
}

/// An answer in chunks of so many bytes.
fn chunks(body: &str, size: usize) -> Answer {
    let mut answer = Answer::json(body);
    answer.body = body.as_bytes().chunks(size).map(<[u8]>::to_vec).collect();
    answer
}

/// Fields that start so, and their values.
fn fields(headers: &[(String, Vec<u8>)], start: &str) -> Vec<String> {
    let ours = headers.iter().filter(|(name, _)| name.starts_with(start));
    let mut shown: Vec<_> =
        ours.map(|(name, value)| format!("{}={}", &name[start.len()..], String::from_utf8_lossy(value))).collect();
    shown.sort();
    shown
}

const SET: [&str; 5] =
    ["cost=0.004", "input-tokens=1000", "model=gpt-4o-2024-08-06", "output-tokens=200", "usage-source=reported"];

fn told(model: &Model) -> String {
    let names = model.metric_names();
    let found: Vec<_> =
        names.iter().filter_map(|name| name.strip_prefix("tollgate.response_headers;result=")).collect();
    found.join(",")
}

#[test]
fn a_document_has_them_however_it_comes() {
    for size in [1, 7, 100, 10_000] {
        for end in [End::Flag, End::Trailers] {
            let (model, mut filter) = Model::started(ON);
            let passed = run(&model, &mut filter, &post(), &chunks(ANSWER, size).end(end));
            assert_eq!(fields(&passed.answer_headers, "x-tollgate-"), SET, "{size} {end:?}");
            assert_eq!(passed.answer.concat(), ANSWER.as_bytes(), "{size} {end:?}");
            assert_eq!((told(&model).as_str(), model.sum("tollgate.calls")), ("set", 1), "{size} {end:?}");
            assert_eq!(model.state("tollgate.outcome").as_deref(), Some("complete"), "{size} {end:?}");
            assert_eq!(model.state("tollgate.cost_usd").as_deref(), Some("0.004"), "{size} {end:?}");
        }
    }
}

#[test]
fn what_the_answer_is_decides() {
    let large = ANSWER.replace("hello", &"x".repeat(2000));
    let small = r#"{"response_headers": {"max_body_bytes": 1024, "wait_ms": 1000}}"#;
    let sized = |body: &str| Answer::json(body).header("content-length", body.len().to_string().as_bytes());
    let typed = |value: &str| {
        let mut answer = Answer::json(ANSWER);
        answer.headers.retain(|(name, _)| name != "content-type");
        answer.header("content-type", value.as_bytes())
    };
    let streamed = Request::post("/v1/chat/completions", &REQUEST.replace("\"messages", "\"stream\":true,\"messages"));
    let unknown = Request::post("/healthz", "{}");
    let mut elsewhere = post();
    elsewhere.headers.retain(|(name, _)| name != ":authority" && name != ":path");
    let elsewhere = elsewhere.header(":authority", b"llm.internal").header(":path", b"/predict");
    let no_usage = r#"{"id":"c1","object":"chat.completion","model":"gpt-4o","choices":[]}"#;
    // the configuration, the request, the answer; what is counted
    for (config, request, answer, result) in [
        (ON, post(), sized(ANSWER), "set"),
        (ON, post(), typed("Application/JSON; charset=utf-8"), "set"),
        (ON, post(), Answer::events(EVENTS), "stream"),
        (ON, streamed.clone(), Answer::json(ANSWER), "stream"),
        (ON, post(), typed("audio/mpeg"), "content_type"),
        (ON, post(), Answer::json(ANSWER).status(429), "status"),
        (ON, post(), Answer::json(no_usage), "no_usage"),
        (ON, elsewhere, Answer::json(ANSWER), "unknown_api"),
        (small, post(), sized(&large), "too_large"),
        (small, post(), chunks(&large, 300), "too_large"),
        (small, post(), chunks(ANSWER, 100).pause(600_000_000), "late"),
        (ON, post(), chunks(ANSWER, 100).end(End::UpstreamReset), "incomplete"),
        (ON, unknown, Answer::json("{}"), ""),
        ("{}", post(), Answer::json(ANSWER), ""),
    ] {
        let (model, mut filter) = Model::started(config);
        let passed = run(&model, &mut filter, &request, &answer);
        let what = format!("{config} {result}");
        assert_eq!(told(&model), result, "{what}");
        assert_eq!(!fields(&passed.answer_headers, "x-tollgate-").is_empty(), result == "set", "{what}");
        if answer.end == End::Flag {
            assert_eq!(passed.answer.concat(), answer.body.concat(), "{what}");
        }
        assert_eq!(passed.local, None, "{what}");
    }
}

#[test]
fn streams_have_trailers_where_they_are_on() {
    let large = ANSWER.replace("hello", &"x".repeat(2000));
    let small = r#"{"response_headers": {"trailers": true, "max_body_bytes": 1024}}"#;
    for (config, answer, cost) in [
        (TRAILERS, Answer::events(EVENTS), "cost=0.0045"),
        (TRAILERS, Answer::events(EVENTS).end(End::Trailers), "cost=0.0045"),
        (small, chunks(&large, 300), "cost=0.004"),
    ] {
        let (model, mut filter) = Model::started(config);
        let passed = run(&model, &mut filter, &post(), &answer);
        let shown = fields(&passed.trailers, "x-tollgate-");
        assert_eq!((shown[0].as_str(), shown.len(), told(&model).as_str()), (cost, 5, "trailers"), "{shown:?}");
        assert_eq!(passed.answer.concat(), answer.body.concat());
    }
    let (model, mut filter) = Model::started(TRAILERS);
    let passed = run(&model, &mut filter, &post(), &Answer::json(ANSWER));
    assert_eq!((fields(&passed.answer_headers, "x-tollgate-").len(), passed.trailers), (5, Vec::new()), "not twice");
}

#[test]
fn names_are_as_configured() {
    let (model, mut filter) = Model::started(r#"{"response_headers": {"prefix": "X-LLM-"}}"#);
    let passed = run(&model, &mut filter, &post(), &Answer::json(ANSWER));
    assert_eq!(fields(&passed.answer_headers, "x-llm-"), SET);
    let odd = ANSWER.replace("gpt-4o-2024-08-06", "gpt\\r\\nx-evil: 1");
    let passed = run(&model, &mut filter, &post(), &Answer::json(&odd));
    let shown = fields(&passed.answer_headers, "x-llm-");
    assert_eq!(
        shown,
        ["cost=0.004", "input-tokens=1000", "output-tokens=200", "usage-source=reported"],
        "no header is smuggled in"
    );
}

#[test]
fn an_envoy_that_cannot_hold_is_found_out() {
    let (model, mut filter) = Model::started(ON);
    model.holds_all.set(true);
    for tried in 1..=5 {
        let passed = run(&model, &mut filter, &post(), &Answer::json(ANSWER));
        assert_eq!(passed.answer.concat(), ANSWER.as_bytes());
        assert_eq!(model.sum("tollgate.response_headers;result=not_held"), tried);
        assert_eq!(model.log_lines().len(), usize::from(tried >= 3), "{:?}", model.log_lines());
    }
    assert_eq!(model.sum("tollgate.calls"), 5);
}

#[test]
fn one_slow_answer_does_not_end_it() {
    let (model, mut filter) = Model::started(ON);
    run(&model, &mut filter, &post(), &Answer::json(ANSWER));
    model.holds_all.set(true);
    for _ in 0..5 {
        run(&model, &mut filter, &post(), &Answer::json(ANSWER));
    }
    model.holds_all.set(false);
    let passed = run(&model, &mut filter, &post(), &Answer::json(ANSWER));
    assert_eq!(fields(&passed.answer_headers, "x-tollgate-"), SET);
    assert_eq!(model.log_lines(), Vec::<String>::new());
}

#[test]
fn the_timer_lets_go_what_takes_too_long() {
    let (model, mut filter) = Model::started(ON);
    model.ticks.set(true);
    let passed = run(&model, &mut filter, &post(), &chunks(ANSWER, 100).pause(1_999_000_000));
    assert_eq!(
        (passed.answer.concat().as_slice(), fields(&passed.answer_headers, "x-tollgate-").len()),
        (ANSWER.as_bytes(), 0)
    );
    assert_eq!(passed.answer[0], ANSWER.as_bytes()[..100], "two seconds after the headers");
    assert_eq!((told(&model).as_str(), model.log_lines().len()), ("late", 0));
}

#[test]
fn a_proxy_that_refuses_has_its_answer_all_the_same() {
    let (model, mut filter) = Model::started(ON);
    model.refusals.set(Refusals { changes: true, ..Refusals::default() });
    for size in [50, 10_000] {
        let Passed { answer, local, .. } = run(&model, &mut filter, &post(), &chunks(ANSWER, size));
        assert_eq!((answer.concat().as_slice(), local), (ANSWER.as_bytes(), None), "{size}");
    }
    assert_eq!(model.sum("tollgate.response_headers;result=refused"), 2);
}

#[test]
fn it_cannot_be_had_with_redaction_of_the_traffic() {
    let (model, mut filter) = (Model::default(), Filter::default());
    assert!(!model.configure(&mut filter, r#"{"response_headers": true, "redact_traffic": true}"#));
    assert!(model.log_lines()[0].contains("response_headers: cannot be had together with redact_traffic"));
}
