//! What becomes of spans and events between the filter and a receiver that is well, down, slow, or of two minds.
#![allow(clippy::indexing_slicing, clippy::panic, reason = "a test that fails says where")]

use proptest::prelude::*;
use tollgate_envoy_model::{Answer, Model, ROOT, Refusals, Request, Sent, run};
use tollgate_filter::filter::Filter;

const REQUEST: &str = r#"{"model":"gpt-4o","messages":[{"role":"user","content":"I am jane@example.com"}]}"#;
const ANSWER: &str = r#"{"id":"chatcmpl-1","object":"chat.completion","model":"gpt-4o-2024-08-06","choices":[{"index":0,"message":{"role":"assistant","content":"hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1000,"completion_tokens":200,"total_tokens":1200}}"#;
const CAPTURE: &str = r#""capture_content": {"input_bytes": 4096, "output_bytes": 4096}"#;
const MILLISECOND: u64 = 1_000_000;
const TRACES: &str = "/v1/traces";
const LOGS: &str = "/v1/logs";

fn call(model: &Model, filter: &mut Filter) {
    run(model, filter, &Request::post("/v1/chat/completions", REQUEST), &Answer::json(ANSWER));
}

fn later(model: &Model, milliseconds: u64) {
    model.now.set(model.now.get() + milliseconds * MILLISECOND);
}

/// The receiver answers; no status is no answer.
fn answer(model: &Model, filter: &mut Filter, token: u32, status: Option<u16>, headers: &[(&str, &str)], body: &[u8]) {
    let text = |(name, value): &(&str, &str)| ((*name).to_owned(), value.as_bytes().to_vec());
    let status_header = status.map(|status| (":status".to_owned(), status.to_string().into_bytes()));
    model.headers.borrow_mut()[2] = status_header.into_iter().chain(headers.iter().map(text)).collect();
    *model.callout.borrow_mut() = body.to_vec();
    filter.call_answered(model, ROOT, token, status.is_some());
    filter.tell_metrics(model);
}

fn path(sent: &Sent) -> &str {
    sent.headers.iter().find(|(name, _)| name == ":path").map_or("", |(_, path)| path)
}

/// Ticks every ten milliseconds of the clock until something is sent, and says how long that took.
fn until_sent(model: &Model, filter: &mut Filter) -> (u64, Vec<Sent>) {
    for tick in 0..10_000 {
        filter.tick(model, ROOT);
        let sent = model.take_sent();
        if !sent.is_empty() {
            return (tick * 10, sent);
        }
        later(model, 10);
    }
    panic!("nothing is sent");
}

#[test]
fn a_receiver_that_is_down_is_left_alone_for_longer_and_longer() {
    let config = r#"{"export": {"cluster": "c", "attempts": 10, "backoff_ms": 400, "max_backoff_ms": 3000}}"#;
    let (model, mut filter) = Model::started(config);
    call(&model, &mut filter);
    let (_, first) = until_sent(&model, &mut filter);
    answer(&model, &mut filter, first[0].token, None, &[], b"");
    for longest in [400, 800, 1_600, 3_000, 3_000, 3_000] {
        // More spans wait, and do not make it more than one request at a time.
        call(&model, &mut filter);
        let (waited, sent) = until_sent(&model, &mut filter);
        assert!((longest / 2 - 10..=longest + 10).contains(&waited), "{waited} of {longest}");
        assert_eq!(sent.len(), 1);
        answer(&model, &mut filter, sent[0].token, Some(503), &[], b"");
    }
    // Back again: what waited goes with it, and the next one goes at once.
    let (_, sent) = until_sent(&model, &mut filter);
    answer(&model, &mut filter, sent[0].token, Some(200), &[], b"");
    assert_eq!(model.tick_ms(), 1000, "the open batch waits for the timer");
    let (waited, sent) = until_sent(&model, &mut filter);
    assert_eq!((waited, sent.len()), (0, 1), "what came meanwhile is one batch");
    answer(&model, &mut filter, sent[0].token, Some(200), &[], b"");
    assert_eq!((model.sum("tollgate.export_spans"), filter.held_bytes()), (7, 0));
    assert_eq!(model.sum("tollgate.export_spans_dropped"), 0);
}

#[test]
fn events_that_nobody_takes_leave_room_for_spans() {
    let config = format!(
        r#"{{{CAPTURE}, "export": {{"cluster": "c", "content": "event_only", "queue_bytes": 16384, "attempts": 10}}}}"#
    );
    let (model, mut filter) = Model::started(&config);
    for _ in 0..100 {
        call(&model, &mut filter);
        later(&model, 1_000);
        filter.tick(&model, ROOT);
        for sent in model.take_sent() {
            let status = if path(&sent) == LOGS { 503 } else { 200 };
            answer(&model, &mut filter, sent.token, Some(status), &[], b"");
        }
        assert!(filter.held_bytes() <= 8_192);
    }
    assert_eq!((model.sum("tollgate.export_spans"), model.sum("tollgate.export_spans_dropped")), (100, 0));
    assert!(model.sum("tollgate.export_events_dropped;reason=queue_full") > 0);
}

#[test]
fn the_timer_comes_when_the_wait_is_over() {
    let config = r#"{"export": {"cluster": "c", "flush_ms": 60000, "backoff_ms": 400}}"#;
    let (model, mut filter) = Model::started(config);
    call(&model, &mut filter);
    let (_, first) = until_sent(&model, &mut filter);
    assert_eq!(model.tick_ms(), 1_000);
    answer(&model, &mut filter, first[0].token, Some(503), &[], b"");
    assert!((200..=400).contains(&model.tick_ms()), "{}", model.tick_ms());
    later(&model, model.tick_ms().into());
    filter.tick(&model, ROOT);
    assert_eq!((model.take_sent().len(), model.tick_ms()), (1, 1_000));
}

#[test]
fn a_receiver_says_itself_how_long_to_wait() {
    // status, Retry-After, least and most milliseconds
    for (status, named, least, most) in [
        (429, "7", 7_000, 7_010),
        (503, " 2 ", 2_000, 2_010),
        (503, "0", 190, 410),
        (503, "99999999999", 3_600_000, 3_600_010),
        (503, "Fri, 31 Dec 1999 23:59:59 GMT", 190, 410),
        (503, "-5", 190, 410),
        (503, "", 190, 410),
    ] {
        let (model, mut filter) = Model::started(r#"{"export": {"cluster": "c", "backoff_ms": 400}}"#);
        call(&model, &mut filter);
        filter.tick(&model, ROOT);
        answer(&model, &mut filter, model.take_sent()[0].token, Some(status), &[("retry-after", named)], b"");
        later(&model, least - 10);
        filter.tick(&model, ROOT);
        assert_eq!(model.take_sent().len(), 0, "{named:?}");
        later(&model, most - least + 20);
        filter.tick(&model, ROOT);
        assert_eq!(model.take_sent().len(), 1, "{named:?}");
    }
}

#[test]
fn what_a_receiver_did_not_take_of_a_batch_is_lost() {
    // the answer; spans that were taken, spans that were not, result
    for (body, taken, not, result) in [
        (&b""[..], 3, 0, "sent"),
        (b"\x0a\x00", 3, 0, "sent"),
        (b"\x0a\x02\x08\x02", 1, 2, "partial"),
        (b"\x0a\x07\x08\x01\x12\x03old", 2, 1, "partial"),
        (b"\x0a\x02\x08\x64", 0, 3, "partial"),
        (b"{\"partialSuccess\":{}}", 3, 0, "sent"),
        (b"\xff\xff\xff", 3, 0, "sent"),
    ] {
        let (model, mut filter) = Model::started(r#"{"export": {"cluster": "c"}}"#);
        for _ in 0..3 {
            call(&model, &mut filter);
        }
        filter.tick(&model, ROOT);
        answer(&model, &mut filter, model.take_sent()[0].token, Some(200), &[], body);
        assert_eq!(model.sum("tollgate.export_spans") - model.sum("tollgate.export_spans_dropped"), taken, "{body:?}");
        assert_eq!(model.sum("tollgate.export_spans_dropped;reason=rejected"), not, "{body:?}");
        assert_eq!(model.sum(&format!("tollgate.export_requests;result={result}")), 1, "{body:?}");
        assert_eq!(filter.held_bytes(), 0, "{body:?}");
    }
}

#[test]
fn content_goes_where_it_is_wanted() {
    // where, sampling; whether there are spans, spans with content, events
    for (content, ratio, spans, said, events) in [
        ("span_only", 1, true, true, false),
        ("event_only", 1, true, false, true),
        ("span_and_event", 1, true, true, true),
        ("span_and_event", 0, false, false, false),
    ] {
        let config = format!(
            r#"{{{CAPTURE}, "sampling": {{"ratio": {ratio}}}, "export": {{"cluster": "c", "content": "{content}"}}}}"#
        );
        let (model, mut filter) = Model::started(&config);
        call(&model, &mut filter);
        filter.tick(&model, ROOT);
        let sent = model.take_sent();
        let of = |wanted| sent.iter().find(|sent| path(sent) == wanted).map(|sent| &sent.body);
        let says = |body: &Vec<u8>| String::from_utf8_lossy(body).contains("hello");
        assert_eq!(of(TRACES).is_some(), spans, "{content}");
        assert_eq!(of(TRACES).is_some_and(says), said, "{content}");
        assert_eq!(of(LOGS).is_some_and(says), events, "{content}");
        let leaks = |sent: &Sent| String::from_utf8_lossy(&sent.body).contains("jane@example.com");
        assert!(!sent.iter().any(leaks), "{content}");
    }
    let (model, mut filter) = Model::started(r#"{"export": {"cluster": "c", "content": "event_only"}}"#);
    call(&model, &mut filter);
    filter.tick(&model, ROOT);
    assert_eq!(model.take_sent().iter().map(path).collect::<Vec<_>>(), [TRACES], "nothing was captured");
}

#[test]
fn a_receiver_that_takes_no_events_holds_up_no_span() {
    let config = format!(
        r#"{{{CAPTURE}, "export": {{"cluster": "c", "content": "event_only", "attempts": 2, "in_flight": 1}}}}"#
    );
    for (status, dropped) in [(Some(404), 5), (Some(503), 0), (None, 0)] {
        let (model, mut filter) = Model::started(&config);
        for _ in 0..5 {
            call(&model, &mut filter);
            filter.tick(&model, ROOT);
            for sent in model.take_sent() {
                let status = if path(&sent) == LOGS { status } else { Some(200) };
                answer(&model, &mut filter, sent.token, status, &[], b"");
            }
        }
        assert_eq!(model.sum("tollgate.export_spans"), 5, "{status:?}");
        assert_eq!(model.sum("tollgate.export_events"), dropped, "{status:?}");
        assert_eq!(model.sum("tollgate.export_events_dropped;reason=rejected"), dropped, "{status:?}");
        assert_eq!(filter.held_bytes() == 0, dropped == 5, "{status:?}");
    }
}

#[test]
fn spans_and_events_share_one_queue() {
    let config =
        format!(r#"{{{CAPTURE}, "export": {{"cluster": "c", "content": "span_and_event", "queue_bytes": 16384}}}}"#);
    let (model, mut filter) = Model::started(&config);
    model.refusals.set(Refusals { calls: true, ..Refusals::default() });
    for _ in 0..50 {
        call(&model, &mut filter);
        assert!(filter.held_bytes() <= 16_384);
    }
    assert!(filter.held_bytes() > 8_192, "{}", filter.held_bytes());
    let full = |signal: &str| model.sum(&format!("tollgate.export_{signal}_dropped;reason=queue_full"));
    assert!(full("spans") > 0 && full("events") > 0, "{} {}", full("spans"), full("events"));
    filter.delete(&model, ROOT);
    for signal in ["spans", "events"] {
        let lost = model.sum(&format!("tollgate.export_{signal}_dropped;reason=lost"));
        assert_eq!(lost + full(signal), 50, "{signal}");
        assert!(lost > 0, "{signal}");
    }
}

#[test]
fn a_configuration_that_sends_the_same_way_keeps_what_is_held() {
    // of `export` from the second time on; how many of two spans are lost
    for (second, lost) in [
        (r#""cluster": "c""#, 0),
        (r#""cluster": "c", "flush_ms": 20, "batch_bytes": 4096, "attempts": 1, "content": "span_and_event""#, 0),
        (r#""cluster": "c", "queue_bytes": 1024"#, 2),
        (r#""cluster": "d""#, 2),
        (r#""cluster": "c", "path": "/p""#, 2),
        (r#""cluster": "c", "logs_path": "/p""#, 2),
        (r#""cluster": "c", "authority": "a""#, 2),
        (r#""cluster": "c", "headers": {"x-key": "k"}"#, 2),
        (r#""cluster": "c"}, "resource": {"service.name": "other""#, 2),
    ] {
        let (model, mut filter) = Model::started(r#"{"export": {"cluster": "c"}}"#);
        call(&model, &mut filter);
        filter.tick(&model, ROOT);
        let under_way = model.take_sent();
        call(&model, &mut filter);
        assert!(model.configure(&mut filter, &format!(r#"{{"export": {{{second}}}}}"#)), "{:?}", model.log_lines());
        filter.tell_metrics(&model);
        assert_eq!(model.sum("tollgate.export_spans_dropped;reason=lost"), lost, "{second}");
        answer(&model, &mut filter, under_way[0].token, Some(503), &[], b"");
        assert_eq!(filter.held_bytes() > 0, lost == 0, "{second}");
        let tried_enough = i64::from(second.contains(r#""attempts": 1"#));
        assert_eq!(model.sum("tollgate.export_spans_dropped;reason=unavailable"), tried_enough, "{second}");
        filter.delete(&model, ROOT);
        assert_eq!(model.sum("tollgate.export_spans"), 2, "{second}");
    }
}

/// What happens to an exporter.
#[derive(Clone, Debug)]
enum Step {
    Call,
    Tick,
    Later(u64),
    Back(u64),
    /// The receiver answers the request at this place of those under way; rejected items are for status 200.
    Answer {
        which: usize,
        status: Option<u16>,
        rejected: u8,
        wait: Option<u16>,
    },
    Refuse(bool),
    Configure {
        elsewhere: bool,
        queue: usize,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let status = prop_oneof![2 => Just(Some(200)), 2 => Just(Some(503)), 1 => Just(Some(400)), 1 => Just(None)];
    prop_oneof![
        6 => Just(Step::Call),
        4 => Just(Step::Tick),
        3 => (1..5_000_u64).prop_map(Step::Later),
        1 => (1..100_000_u64).prop_map(Step::Back),
        5 => (0..4_usize, status, 0..6_u8, proptest::option::of(0..9_u16))
            .prop_map(|(which, status, rejected, wait)| Step::Answer { which, status, rejected, wait }),
        1 => any::<bool>().prop_map(Step::Refuse),
        1 => (any::<bool>(), 6..13_usize)
            .prop_map(|(elsewhere, kilobytes)| Step::Configure { elsewhere, queue: kilobytes * 1024 }),
    ]
}

/// Items of a request: messages of field 2 within field 2 of field 1.
fn items(body: &[u8]) -> i64 {
    let name = b"gen_ai.operation.name";
    i64::try_from(body.windows(name.len()).filter(|bytes| bytes == name).count()).unwrap_or(i64::MAX)
}

proptest! {
    /// Every span and every event was taken, or dropped for a reason, or is still held; and what the filter says was
    /// taken is what the receiver took.
    #[test]
    fn nothing_is_lost_without_a_count(drains in any::<bool>(), steps in proptest::collection::vec(step(), 0..150)) {
        let config = |cluster: u32, queue: usize| format!(
            r#"{{{CAPTURE}, "export": {{"cluster": "{cluster}", "content": "event_only", "batch_bytes": 2048,
               "queue_bytes": {queue}, "in_flight": 2, "attempts": 3, "backoff_ms": 100, "max_backoff_ms": 2000}}}}"#
        );
        let (model, mut filter) = Model::started(&config(0, 12_288));
        let (mut cluster, mut limit, mut under_way, mut taken) = (0, 12_288, Vec::<Sent>::new(), [0_i64; 2]);
        for step in steps {
            match step {
                Step::Call => call(&model, &mut filter),
                Step::Tick => filter.tick(&model, ROOT),
                Step::Later(milliseconds) => later(&model, milliseconds),
                Step::Back(milliseconds) => model.now.set(model.now.get() - milliseconds * MILLISECOND),
                Step::Answer { which, status, rejected, wait } => {
                    if which < under_way.len() {
                        let sent = under_way.remove(which);
                        let signal = usize::from(path(&sent) == LOGS);
                        let names = [["spans", "spans_dropped"], ["events", "events_dropped"]][signal];
                        let said = || {
                            let [all, dropped] = names.map(|name| model.sum(&format!("tollgate.export_{name}")));
                            all - dropped
                        };
                        let before = said();
                        let wait = wait.map(|seconds| seconds.to_string());
                        let headers: Vec<_> = wait.iter().map(|wait| ("retry-after", wait.as_str())).collect();
                        answer(&model, &mut filter, sent.token, status, &headers, &[0x0a, 2, 8, rejected]);
                        // An answer after the filter gave up changes nothing; that it gave up is counted.
                        let now_taken = said() - before;
                        let expected = (items(&sent.body) - i64::from(rejected)).max(0);
                        prop_assert!(now_taken == 0 || status == Some(200) && now_taken == expected);
                        taken[signal] += now_taken;
                    }
                }
                Step::Refuse(calls) => model.refusals.set(Refusals { calls, ..Refusals::default() }),
                Step::Configure { elsewhere, queue } => {
                    cluster += u32::from(elsewhere);
                    limit = queue;
                    prop_assert!(model.configure(&mut filter, &config(cluster, queue)));
                }
            }
            under_way.extend(model.take_sent());
            // Numbers of requests repeat in the model once its list was taken; the newest has the number.
            let mut newest = Vec::<Sent>::new();
            for sent in under_way.drain(..).rev() {
                if newest.iter().all(|other| other.token != sent.token) {
                    newest.push(sent);
                }
            }
            under_way = newest.into_iter().rev().collect();
            prop_assert!(filter.held_bytes() <= limit);
            let calls = model.sum("tollgate.calls");
            for (signal, taken) in ["spans", "events"].into_iter().zip(taken) {
                let out = model.sum(&format!("tollgate.export_{signal}"));
                prop_assert!(out <= calls);
                prop_assert_eq!(out - model.sum(&format!("tollgate.export_{signal}_dropped")), taken);
                prop_assert!(filter.held_bytes() > 0 || out == calls, "{} of {}", out, calls);
            }
        }
        if drains {
            // A receiver that is well again gets everything, in time.
            model.refusals.set(Refusals::default());
            for _ in 0..50 {
                later(&model, 20_000);
                filter.tick(&model, ROOT);
                for sent in model.take_sent() {
                    answer(&model, &mut filter, sent.token, Some(200), &[], b"");
                }
            }
            prop_assert_eq!(filter.held_bytes(), 0);
        }
        filter.delete(&model, ROOT);
        prop_assert_eq!(filter.held_bytes(), 0);
        for signal in ["spans", "events"] {
            prop_assert_eq!(model.sum(&format!("tollgate.export_{signal}")), model.sum("tollgate.calls"));
        }
    }
}
