//! Budgets of consumers: who is refused, when, and with which words.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test that fails says where")]

use std::rc::Rc;
use tollgate_envoy_model::{Answer, End, Model, Passed, Refusals, Request, run};
use tollgate_filter::filter::Filter;

const CONFIG: &str = r#"{"budgets": {"key_header": "x-consumer", "limits": [
    {"name": "tokens-per-minute", "tokens": 2000, "period_s": 60},
    {"name": "usd-per-day", "usd": 0.012, "period_s": 86400}]}}"#;
/// 1200 tokens, 0.0045 USD.
const ANSWER: &str = r#"{"id":"c1","object":"chat.completion","model":"gpt-4o","choices":[],"usage":{"prompt_tokens":1000,"completion_tokens":200}}"#;
const EVENTS: &[&[u8]] = &[
    b"data: {\"object\":\"chat.completion.chunk\",\"model\":\"gpt-4o\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hi\"}}]}\n\n",
    b"data: {\"object\":\"chat.completion.chunk\",\"model\":\"gpt-4o\",\"choices\":[],\"usage\":{\"prompt_tokens\":1000,\"completion_tokens\":200}}\n\n",
];
/// A whole day, and so a whole minute.
const MIDNIGHT: u64 = 20_000 * 86_400;

/// A worker at ten seconds past midnight; `other` is one whose shared data it has.
fn worker(config: &str, other: Option<&Model>) -> (Model, Filter) {
    let mut model = Model::default();
    if let Some(other) = other {
        model.shared = Rc::clone(&other.shared);
    }
    at(&model, 10);
    let mut filter = Filter::default();
    assert!(model.configure(&mut filter, config), "{:?}", model.log_lines());
    (model, filter)
}

fn at(model: &Model, seconds: u64) {
    model.now.set((MIDNIGHT + seconds) * 1_000_000_000);
}

fn call(model: &Model, filter: &mut Filter, consumer: &str, answer: &Answer) -> Passed {
    let request = Request::post("/v1/chat/completions", r#"{"model":"gpt-4o","messages":[]}"#);
    run(model, filter, &request.header("x-consumer", consumer.as_bytes()), answer)
}

/// Whether calls with such an answer are refused, one after another.
fn refused(model: &Model, filter: &mut Filter, consumer: &str, calls: usize) -> Vec<bool> {
    (0..calls).map(|_| call(model, filter, consumer, &Answer::json(ANSWER)).local.is_some()).collect()
}

#[test]
fn who_has_used_up_a_budget_is_refused_until_it_begins_anew() {
    let (model, mut filter) = worker(CONFIG, None);
    assert_eq!(refused(&model, &mut filter, "a", 4), [false, false, true, true], "2400 tokens of 2000");
    assert_eq!(refused(&model, &mut filter, "b", 2), [false, false], "everybody has budgets of their own");
    at(&model, 59);
    assert_eq!(refused(&model, &mut filter, "a", 1), [true]);
    at(&model, 60);
    assert_eq!(refused(&model, &mut filter, "a", 2), [false, true], "0.0135 USD of 0.012");
    at(&model, 86_399);
    assert_eq!(refused(&model, &mut filter, "a", 1), [true]);
    at(&model, 86_400);
    assert_eq!(refused(&model, &mut filter, "a", 1), [false]);
    assert_eq!(model.sum("tollgate.budget_exceeded;budget=tokens-per-minute"), 3);
    assert_eq!(model.sum("tollgate.budget_exceeded;budget=usd-per-day"), 2);
    assert_eq!(model.sum("tollgate.calls"), 6, "a call that was refused here is none of the provider's");
}

#[test]
fn the_answer_says_what_and_when() {
    let (model, mut filter) = worker(CONFIG, None);
    refused(&model, &mut filter, "a", 2);
    let (status, body) = call(&model, &mut filter, "a", &Answer::json(ANSWER)).local.unwrap();
    let error = &serde_json::from_slice::<serde_json::Value>(&body).unwrap()["error"];
    assert_eq!(status, 429);
    assert_eq!((&error["type"], &error["code"]), (&"budget_exceeded".into(), &"tokens-per-minute".into()));
    assert_eq!(error["resets_in_s"], 50);
    let message = "tollgate: the budget tokens-per-minute is used up: 2400 tokens of 2000 tokens for 60 seconds. \
                   It begins anew in 50 seconds.";
    assert_eq!(error["message"], message);
    assert_eq!(model.state("tollgate.budget").as_deref(), Some("tokens-per-minute"));
    assert_eq!(model.state("tollgate.budget_resets_s").as_deref(), Some("50"));
    at(&model, 60);
    refused(&model, &mut filter, "a", 1);
    let (_, body) = call(&model, &mut filter, "a", &Answer::json(ANSWER)).local.unwrap();
    let text = String::from_utf8(body).unwrap();
    assert!(text.contains("0.0135 USD of 0.012 USD for 86400 seconds"), "{text}");
}

#[test]
fn envoy_may_refuse_instead() {
    let (model, mut filter) = worker(&CONFIG.replace("\"limits\"", "\"refuse\": false, \"limits\""), None);
    assert_eq!(refused(&model, &mut filter, "a", 3), [false; 3]);
    assert_eq!(model.state("tollgate.budget").as_deref(), Some("tokens-per-minute"));
    assert_eq!(model.sum("tollgate.budget_exceeded;budget=tokens-per-minute"), 1);
}

#[test]
fn streams_and_calls_that_broke_off_count_what_they_have() {
    for (answer, takes) in [
        (Answer::events(EVENTS), true),
        (Answer::events(EVENTS).end(End::ClientAbort), true),
        (Answer::events(EVENTS).end(End::UpstreamReset), true),
        (Answer::events(&EVENTS[..1]).end(End::ClientAbort), false),
        (Answer::json(r#"{"error":{"type":"overloaded"}}"#).status(503), false),
    ] {
        let (model, mut filter) = worker(CONFIG, None);
        for _ in 0..2 {
            assert_eq!(call(&model, &mut filter, "a", &answer).local, None);
        }
        assert_eq!(refused(&model, &mut filter, "a", 1), [takes], "{answer:?}");
    }
}

#[test]
fn all_workers_have_the_same_sums() {
    let (first, mut one) = worker(CONFIG, None);
    let (second, mut two) = worker(CONFIG, Some(&first));
    assert_eq!(refused(&first, &mut one, "a", 1), [false]);
    assert_eq!(refused(&second, &mut two, "a", 1), [false]);
    assert_eq!(refused(&first, &mut one, "a", 1), [true]);
    assert_eq!(refused(&second, &mut two, "a", 1), [true]);
    let (third, mut three) = worker(&CONFIG.replace("2000", "2001"), Some(&first));
    assert_eq!(refused(&third, &mut three, "a", 1), [false], "other budgets have other sums");
}

#[test]
fn consumers_are_limited_and_old_ones_make_room() {
    let config = CONFIG.replace("\"limits\"", "\"keys\": 1, \"limits\"");
    let (model, mut filter) = worker(&config, None);
    assert_eq!(refused(&model, &mut filter, "a", 3), [false, false, true]);
    assert_eq!(refused(&model, &mut filter, "b", 4), [false; 4], "who finds no room is not refused, but counted");
    assert_eq!(model.sum("tollgate.budget_unkept;reason=full"), 4);
    at(&model, 2 * 86_400);
    assert_eq!(refused(&model, &mut filter, "b", 3), [false, false, true]);
    let bytes: usize = model.shared.borrow().values().map(|(value, _)| value.len()).sum();
    assert_eq!((model.shared.borrow().len(), bytes), (1, 8 + 2 * 12));
}

#[test]
fn many_consumers_are_held_in_few_values() {
    let (model, mut filter) = worker(CONFIG, None);
    for consumer in 0..2000 {
        call(&model, &mut filter, &consumer.to_string(), &Answer::json(ANSWER));
    }
    assert_eq!(model.sum("tollgate.budget_unkept"), 0);
    assert_eq!(model.shared.borrow().len(), 256);
    let bytes: usize = model.shared.borrow().values().map(|(value, _)| value.len()).sum();
    assert_eq!(bytes, 2000 * 32);
    assert!(model.shared.borrow().values().all(|(_, version)| *version > 0));
}

#[test]
fn who_does_not_say_who_they_are_has_one_budget_with_the_others() {
    let (model, mut filter) = worker(CONFIG, None);
    let nobody = Request::post("/v1/chat/completions", r#"{"model":"gpt-4o","messages":[]}"#);
    let mut call = || run(&model, &mut filter, &nobody, &Answer::json(ANSWER)).local.is_some();
    assert_eq!([call(), call(), call()], [false, false, true]);
}

#[test]
fn what_is_no_call_is_not_refused() {
    let (model, mut filter) = worker(CONFIG, None);
    refused(&model, &mut filter, "a", 2);
    let health = Request::post("/healthz", "{}").header("x-consumer", b"a");
    assert_eq!(run(&model, &mut filter, &health, &Answer::json("{}")).local, None);
}

#[test]
fn a_proxy_that_keeps_nothing_refuses_nobody() {
    let (model, mut filter) = worker(CONFIG, None);
    model.refusals.set(Refusals { shared: true, ..Refusals::default() });
    assert_eq!(refused(&model, &mut filter, "a", 4), [false; 4]);
    assert_eq!(model.sum("tollgate.budget_unkept;reason=refused"), 4);
}

#[test]
fn a_clock_that_is_set_back_or_was_wrong() {
    let (model, mut filter) = worker(CONFIG, None);
    at(&model, 65);
    assert_eq!(refused(&model, &mut filter, "a", 2), [false, false]);
    at(&model, 59);
    assert_eq!(refused(&model, &mut filter, "a", 1), [true], "what was taken does not come back");
    at(&model, 1_000_000_000);
    refused(&model, &mut filter, "b", 2);
    at(&model, 59);
    assert_eq!(refused(&model, &mut filter, "b", 1), [false], "years ahead is not waited for");
}
