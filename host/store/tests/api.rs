//! Questions and answers of docs/API.md: the examples there are what the store answers.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod support;

use serde_json::{Value, json};
use support::{NOW, SECOND, call, ids, request, store};
use tollgate_otlp::{SpanWriter, StatusCode};
use tollgate_store::api::{self, Context, Refusal};
use tollgate_store::{Store, StoreError};

const CONTEXT: Context = Context { now: NOW, sampled: false };

/// The four spans of the examples: two calls of an agent, one that failed, and the agent.
fn example() -> (tempfile::TempDir, Store) {
    let (folder, store) = store(16 << 20);
    let trace = [0x5b; 16];
    let mut agent = SpanWriter::new(trace, [1; 8], "invoke_agent planner");
    agent.times(NOW - 12 * SECOND, NOW - 2 * SECOND).set("gen_ai.operation.name", "invoke_agent");
    let mut chat = SpanWriter::new(trace, [2; 8], "chat gpt-4o");
    chat.parent([1; 8]).times(NOW - 10 * SECOND, NOW - 8 * SECOND).status(StatusCode::Ok, "");
    let mut failed = SpanWriter::new([0x5c; 16], [3; 8], "chat claude-sonnet-4-5");
    failed.times(NOW - 5 * SECOND, NOW - 4 * SECOND).status(StatusCode::Error, "overloaded");
    failed.set("gen_ai.provider.name", "anthropic").set("gen_ai.request.model", "claude-sonnet-4-5");
    failed.set("error.type", "529").set("tollgate.cost.unpriced", "no_usage").set("gen_ai.operation.name", "chat");
    for (key, value) in [
        ("gen_ai.operation.name", "chat"),
        ("gen_ai.provider.name", "openai"),
        ("gen_ai.request.model", "gpt-4o"),
        ("gen_ai.response.model", "gpt-4o-2024-08-06"),
        ("tollgate.usage.source", "reported"),
        ("tollgate.cost.source", "local"),
        ("user.id", "ada"),
        ("gen_ai.conversation.id", "c-17"),
    ] {
        chat.set(key, value);
    }
    for (key, value) in [
        ("gen_ai.usage.input_tokens", 1_000_u64),
        ("gen_ai.usage.output_tokens", 200),
        ("gen_ai.usage.cache_read.input_tokens", 400),
        ("tollgate.cost.nano_usd", 4_000_000),
    ] {
        chat.set(key, value);
    }
    chat.set_json("gen_ai.response.finish_reasons", r#"["stop"]"#).unwrap();
    chat.set("gen_ai.response.time_to_first_chunk", 0.35);
    let inserted = store.insert(NOW - SECOND, &request("shop", [&agent, &chat, &failed])).unwrap();
    assert_eq!(inserted.stored, 3);
    (folder, store)
}

/// The example under a heading of docs/API.md.
fn documented(heading: &str) -> Value {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/API.md")).unwrap();
    let (_, section) = page.split_once(&format!("\n## `{heading}`")).expect(heading);
    let section = section.split("\n## ").next().unwrap();
    let (_, example) = section.split_once("```json\n").unwrap();
    serde_json::from_str(example.split_once("```").unwrap().0).unwrap()
}

fn answer(answer: impl serde::Serialize) -> Value {
    serde_json::to_value(answer).unwrap()
}

fn assert_documented(heading: &str, found: &Value) {
    assert_eq!(&documented(heading), found, "the example of {heading} is to be\n{found:#}");
}

#[test]
fn the_examples_of_the_documentation_are_what_is_answered() {
    let (_folder, store) = example();
    assert_documented("GET /api/calls", &answer(api::calls(&store, "limit=1&error=false", CONTEXT).unwrap()));
    let grouped = answer(api::cost(&store, "group_by=model,user&window=1h", CONTEXT).unwrap());
    assert_documented("GET /api/cost?group_by=", &grouped);
    let later = Context { now: NOW + 9 * SECOND, ..CONTEXT };
    assert_documented("GET /api/live", &answer(api::live(&store, "window=5m", later).unwrap()));
}

#[test]
fn calls_are_found_by_everything_that_can_be_asked_for() {
    let (_folder, store) = example();
    let gpt = vec!["chat gpt-4o"];
    let claude = vec!["chat claude-sonnet-4-5"];
    let both = vec!["chat claude-sonnet-4-5", "chat gpt-4o"];
    for (question, expected) in [
        ("", &both),
        ("model=gpt-4o", &gpt),
        ("model=gpt-4o-2024-08-06", &gpt),
        ("provider=anthropic", &claude),
        ("service=shop&operation=chat", &both),
        ("operation=invoke_agent", &vec![]),
        ("text=SONNET", &claude),
        ("text=gpt%2D4o", &gpt),
        ("user=ada&session=c-17", &gpt),
        ("error=true", &claude),
        ("error=false", &gpt),
        ("error=529", &claude),
        ("min_cost_usd=0.004", &gpt),
        ("min_cost_usd=0.004000001", &vec![]),
        ("since=5s", &claude),
        ("since=2026-09-21T14:13:16Z", &claude),
        ("until=2026-09-21T14:13:16Z", &gpt),
        ("window=1h", &both),
        ("since=8s&until=4s", &gpt),
        ("trace_id=5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b", &gpt),
    ] {
        let found = answer(api::calls(&store, question, CONTEXT).unwrap());
        let names: Vec<_> =
            found["calls"].as_array().unwrap().iter().map(|call| call["name"].as_str().unwrap()).collect();
        assert_eq!(&names, expected, "{question}");
    }
}

#[test]
fn pages_follow_one_another() {
    let (_folder, store) = store(16 << 20);
    let spans: Vec<_> = (0..25).map(|number| call(number, NOW - SECOND * (number % 5))).collect();
    store.insert(NOW, &request("shop", &spans)).unwrap();
    let (mut found, mut question) = (Vec::new(), "limit=10".to_owned());
    for expected in [10, 10, 5] {
        let page = answer(api::calls(&store, &question, CONTEXT).unwrap());
        let calls = page["calls"].as_array().unwrap().clone();
        assert_eq!(calls.len(), expected);
        found.extend(calls);
        match page["next_cursor"].as_str() {
            Some(cursor) => question = format!("limit=10&cursor={cursor}"),
            None => assert_eq!(expected, 5),
        }
    }
    let whole = answer(api::calls(&store, "limit=1000", CONTEXT).unwrap());
    assert_eq!(whole["calls"], json!(found));
}

#[test]
fn a_question_that_is_none_is_answered_with_what_to_write() {
    let (_folder, store) = example();
    let refused = |refusal: Refusal| (refusal.status(), refusal.to_string());
    for (question, expected) in [
        ("limit=0", "limit: \"0\" is not a number from 1 to 1000"),
        ("limit=1001", "limit: \"1001\" is not a number from 1 to 1000"),
        ("limit=1&limit=2", "limit: is there twice; write it once"),
        ("cursor=abc", "cursor: \"abc\" was not given out; write what next_cursor says, or nothing"),
        (
            "since=soon",
            "since: \"soon\" is not a time; write one such as 2026-10-14T10:30:00Z, or how long ago, such as 1h",
        ),
        ("since=1h&until=2h", "since: is later than until; nothing is between them"),
        ("since=1h&window=1h", "window and since both say where to begin; write one of them"),
        ("window=0s", "window: \"0s\" is not a length of time; write one such as 15m, 24h or 7d"),
        ("min_cost_usd=1e3", "min_cost_usd: \"1e3\" is not an amount in US dollars; write one such as 0.05"),
        ("trace_id=5b", "trace_id: \"5b\" is not 32 hexadecimal digits, of which one at least is not 0"),
    ] {
        assert_eq!(refused(api::calls(&store, question, CONTEXT).unwrap_err()), (400, expected.to_owned()));
    }
    let (status, message) = refused(api::calls(&store, "modell=a", CONTEXT).unwrap_err());
    assert!(
        status == 400 && message.starts_with("\"modell\" cannot be asked for; there are window, since, until, model,")
    );
    for (question, expected) in [
        ("group_by=", "group_by: \"\" is none of model, provider, service, user, session, day, hour, minute"),
        ("group_by=model,model", "group_by: \"model\" is there twice; write it once"),
        ("group_by=model,user,day,service", "group_by: has 4 words; at most 3 are possible"),
    ] {
        assert_eq!(refused(api::cost(&store, question, CONTEXT).unwrap_err()), (400, expected.to_owned()));
    }
    assert!(api::live(&store, "since=1h", CONTEXT).is_err());
    assert_eq!(api::trace(&store, "xyz").unwrap_err().status(), 400);
    assert_eq!(api::trace(&store, &"0".repeat(32)).unwrap_err().status(), 400);
    let (status, message) = refused(api::trace(&store, &"a".repeat(32)).unwrap_err());
    assert!(status == 404 && message.ends_with("or was removed for its age or for room"), "{message}");
    assert_eq!(Refusal::Store(StoreError::TooSlow(std::time::Duration::from_secs(5))).status(), 503);
}

#[test]
fn groups_of_time_are_in_its_order_and_add_up() {
    let (_folder, store) = store(16 << 20);
    let spans: Vec<_> = (0..30_u64)
        .map(|number| call(number, NOW - number * 240 * SECOND).set("tollgate.cost.nano_usd", number).clone())
        .collect();
    store.insert(NOW, &request("shop", &spans)).unwrap();
    let found = answer(api::cost(&store, "group_by=hour&limit=2", CONTEXT).unwrap());
    let hours: Vec<_> = found["groups"].as_array().unwrap().iter().map(|group| group["by"]["hour"].clone()).collect();
    assert_eq!(hours, [json!("2026-09-21T12:00:00Z"), json!("2026-09-21T13:00:00Z")]);
    assert_eq!((&found["other"]["groups"], &found["totals"]["cost_nano_usd"]), (&json!(1), &json!("435")));
    let sum = found["groups"].as_array().unwrap().iter().chain([&found["other"]]);
    assert_eq!(sum.map(|group| group["cost_nano_usd"].as_str().unwrap().parse::<u64>().unwrap()).sum::<u64>(), 435);
}

#[test]
fn a_trace_is_found_by_its_id_in_either_case() {
    let (_folder, store) = example();
    for id in ["5b".repeat(16), "5B".repeat(16)] {
        assert_eq!(api::trace(&store, &id).unwrap().spans, 2);
    }
    assert!(api::trace(&store, &support_hexadecimal(ids(1, 1).0)).is_err());
}

fn support_hexadecimal(id: [u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(id))
}

#[test]
fn a_store_that_was_begun_a_moment_ago_has_seen_that_moment() {
    let (_folder, store) = store(16 << 20);
    let live = |now, question: &str| answer(api::live(&store, question, Context { now, sampled: true }).unwrap());
    let nothing = live(NOW, "");
    assert_eq!((&nothing["calls_per_second"], &nothing["duration"]["p50_ns"]), (&Value::Null, &Value::Null));
    assert_eq!((&nothing["sampled"], &nothing["held_since"]), (&json!(true), &Value::Null));
    store.insert(NOW + SECOND, &request("shop", [&call(1, NOW), &call(2, NOW + SECOND)])).unwrap();
    let some = live(NOW + 10 * SECOND, "window=1h");
    assert_eq!((&some["observed_seconds"], &some["calls_per_second"]), (&json!(10.0), &json!(0.2)));
    let all = live(NOW + 100 * SECOND, "window=120s&limit=1");
    assert_eq!(all["observed_seconds"], json!(100.0));
    assert_eq!(live(NOW + 100 * SECOND, "window=10s")["totals"]["calls"], 0);
}
