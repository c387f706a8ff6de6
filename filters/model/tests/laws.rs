//! The filter's laws, one by one, under the model.

use tollgate_envoy_model::{Answer, End, Model, ROOT, Refusals, Request, run};
use tollgate_filter::filter::Filter;

const REQUEST: &str =
    r#"{"model":"gpt-4o","stream":true,"messages":[{"role":"user","content":"I am jane@example.com"}]}"#;
const ANSWER: &str = r#"{"id":"chatcmpl-1","object":"chat.completion","model":"gpt-4o-2024-08-06","choices":[{"index":0,"message":{"role":"assistant","content":"hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1000,"completion_tokens":200,"total_tokens":1200,"prompt_tokens_details":{"cached_tokens":400}}}"#;
const EVENTS: &[&[u8]] = &[
    b"data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"model\":\"gpt-4o\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hel\"}}]}\n\n",
    b"data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"model\":\"gpt-4o\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"lo\"},\"finish_reason\":\"stop\"}]}\n\n",
    b"data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"model\":\"gpt-4o\",\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":2,\"total_tokens\":11}}\n\n",
    b"data: [DONE]\n\n",
];

fn post() -> Request {
    Request::post("/v1/chat/completions", REQUEST)
}

/// Lets a second pass, which is longer than the filter waits for a receiver that failed.
fn later(model: &Model) {
    model.now.set(model.now.get() + 1_000_000_000);
}

const EXPORT: &str = r#"{"export": {"cluster": "collector", "batch_bytes": 1024, "queue_bytes": 4096, "in_flight": 1, "attempts": 2, "backoff_ms": 1, "max_backoff_ms": 1}}"#;

#[test]
fn a_call_is_counted_priced_and_told() {
    let (model, mut filter) = Model::started(EXPORT);
    run(&model, &mut filter, &post(), &Answer::json(ANSWER));
    let labels = ";provider=openai;operation=chat;model=gpt-4o-2024-08-06";
    for (name, value) in [
        (format!("tollgate.calls{labels};outcome=complete"), 1),
        (format!("tollgate.tokens{labels};kind=input"), 1000),
        (format!("tollgate.tokens{labels};kind=output"), 200),
        (format!("tollgate.tokens{labels};kind=cache_read"), 400),
        (format!("tollgate.usage{labels};source=reported"), 1),
        (format!("tollgate.cost_nano_usd{labels}"), 4_000_000),
        (format!("tollgate.duration_ms{labels}"), 1),
        ("tollgate.errors".to_owned(), 0),
        ("tollgate.unpriced".to_owned(), 0),
    ] {
        assert_eq!(model.sum(&name), value, "{name}");
    }
    for (field, value) in [
        ("provider", "openai"),
        ("operation", "chat"),
        ("model", "gpt-4o-2024-08-06"),
        ("outcome", "complete"),
        ("input_tokens", "1000"),
        ("cost_usd", "0.004"),
        ("usage_source", "reported"),
    ] {
        assert_eq!(model.state(&format!("tollgate.{field}")).as_deref(), Some(value), "{field}");
    }
    assert_eq!(filter.open_streams(), 0);
}

#[test]
fn what_a_call_costs_is_as_configured() {
    let overlay = "overlay acme 7 2026-01-01\\nadjust provider:openai -50%";
    let reported = ANSWER.replacen("\"usage\": {", "\"usage\": {\"cost\": 0.1, ", 1).replacen(
        "\"usage\":{",
        "\"usage\":{\"cost\":0.1,",
        1,
    );
    assert_ne!(reported, ANSWER);
    // the configuration, the answer; dollars, alerts, disagreements
    for (config, answer, dollars, alerts, apart) in [
        ("{}".to_owned(), ANSWER, "0.004", [0, 0], 0),
        (format!(r#"{{"cost": {{"overlay": "{overlay}"}}}}"#), ANSWER, "0.002", [0, 0], 0),
        (r#"{"cost": {"warning_usd": 0.004, "critical_usd": null}}"#.to_owned(), ANSWER, "0.004", [1, 0], 0),
        (r#"{"cost": {"warning_usd": 0.001, "critical_usd": 0.004}}"#.to_owned(), ANSWER, "0.004", [0, 1], 0),
        ("{}".to_owned(), &reported, "0.1", [1, 0], 1),
        (r#"{"cost": {"authority": "local"}}"#.to_owned(), &reported, "0.004", [0, 0], 1),
    ] {
        let (model, mut filter) = Model::started(&config);
        run(&model, &mut filter, &post(), &Answer::json(answer));
        assert_eq!(model.state("tollgate.cost_usd").as_deref(), Some(dollars), "{config}");
        let found = ["warning", "critical"].map(|level| model.sum(&format!("tollgate.cost_alerts;level={level}")));
        assert_eq!(found, alerts, "{config}");
        assert_eq!(model.sum("tollgate.cost_disagreements"), apart, "{config}");
    }
}

#[test]
fn every_end_of_a_stream_gives_its_record() {
    for (end, outcome, source, chunks) in [
        (End::Flag, "complete", "reported", 4),
        (End::Trailers, "complete", "reported", 4),
        (End::ClientAbort, "client_aborted", "missing", 1),
        (End::UpstreamReset, "upstream_aborted", "missing", 2),
    ] {
        let (model, mut filter) = Model::started("{}");
        run(&model, &mut filter, &post(), &Answer::events(&EVENTS[..chunks]).end(end));
        assert_eq!(model.sum("tollgate.calls"), 1, "{end:?}");
        assert_eq!(model.state("tollgate.outcome").as_deref(), Some(outcome), "{end:?}");
        let labels = ";provider=openai;operation=chat;model=gpt-4o";
        assert_eq!(
            model.sum(&format!("tollgate.usage{labels};source={source}")),
            1,
            "{end:?} {:?}",
            model.metric_names()
        );
        assert_eq!(model.sum("tollgate.time_to_first_chunk_ms"), 1, "{end:?}");
    }
}

#[test]
fn header_bytes_that_are_no_text_are_survived() {
    let (model, mut filter) = Model::started(EXPORT);
    for name in ["traceparent", "tracestate", "x-request-id", "content-type"] {
        let mut request = post();
        request.headers.retain(|(key, _)| key != name);
        run(&model, &mut filter, &request.header(name, b"\xff\xfe"), &Answer::json(ANSWER));
    }
    assert_eq!(model.sum("tollgate.calls"), 4);
}

#[test]
fn nothing_that_was_said_leaves_unless_capture_is_on() {
    let capture = r#"{"capture_content": {"input_bytes": 4096, "output_bytes": 4096}, "access_log": "record",
                      "export": {"cluster": "collector"}}"#;
    for (config, captured) in [(EXPORT, false), (capture, true)] {
        let (model, mut filter) = Model::started(config);
        run(&model, &mut filter, &post(), &Answer::json(ANSWER));
        filter.tick(&model, ROOT);
        let sent = model.take_sent();
        assert_eq!(sent.len(), 1);
        let text = String::from_utf8_lossy(&sent[0].body).into_owned();
        assert_eq!(text.contains("hello"), captured, "{text}");
        assert!(!text.contains("jane@example.com"), "{text}");
        assert_eq!(text.contains("gen_ai.input.messages"), captured, "{text}");
        assert_eq!(model.sum("tollgate.redactions;type=EMAIL_ADDRESS"), i64::from(captured));
        assert!(!model.state("tollgate.record").unwrap_or_default().contains("hello"));
    }
}

#[test]
fn instructions_and_tools_are_captured_redacted_and_cut() {
    let config = r#"{"capture_content": {"input_bytes": 1000, "output_bytes": 2}, "export": {"cluster": "collector"}}"#;
    let request = r#"{"model":"gpt-4o","system":"Ask jane@example.com","tools":[{"name":"mail","description":"Mails jim@example.com"}],"messages":[]}"#;
    let (model, mut filter) = Model::started(config);
    run(&model, &mut filter, &Request::post("/v1/chat/completions", request), &Answer::json(ANSWER));
    filter.tick(&model, ROOT);
    let sent = model.take_sent();
    let text = String::from_utf8_lossy(&sent[0].body).into_owned();
    for attribute in ["gen_ai.system_instructions", "gen_ai.tool.definitions", "tollgate.content.truncated"] {
        assert!(text.contains(attribute), "{attribute}: {text}");
    }
    assert!(!text.contains("example.com"), "{text}");
    assert_eq!(model.sum("tollgate.redactions;type=EMAIL_ADDRESS"), 2);
}

#[test]
fn a_collector_that_is_down_costs_spans_and_never_more_memory() {
    let (model, mut filter) = Model::started(EXPORT);
    model.refusals.set(Refusals { calls: true, ..Refusals::default() });
    for _ in 0..100 {
        run(&model, &mut filter, &post(), &Answer::json(ANSWER));
        assert!(filter.held_bytes() <= 4096);
        filter.tick(&model, ROOT);
    }
    for _ in 0..100 {
        later(&model);
        filter.tick(&model, ROOT);
    }
    assert_eq!(model.sum("tollgate.calls"), 100);
    assert_eq!(model.sum("tollgate.export_spans_dropped"), 100);
    assert_eq!(filter.held_bytes(), 0);
}

#[test]
fn a_collector_that_is_slow_fills_the_queue_and_then_costs_spans() {
    let (model, mut filter) = Model::started(EXPORT);
    for _ in 0..100 {
        run(&model, &mut filter, &post(), &Answer::json(ANSWER));
        filter.tick(&model, ROOT);
        assert!(filter.held_bytes() <= 4096);
    }
    let first = model.take_sent();
    assert_eq!(first.len(), 1, "one request may be under way");
    assert!(model.sum("tollgate.export_spans_dropped;reason=queue_full") > 0);
    // The answer comes after all: the queue moves on, and everything is accounted for.
    model.headers.borrow_mut()[2] = vec![(":status".to_owned(), b"200".to_vec())];
    filter.call_answered(&model, ROOT, first[0].token, true);
    for _ in 0..100 {
        filter.tick(&model, ROOT);
        for sent in model.take_sent() {
            filter.call_answered(&model, ROOT, sent.token, true);
        }
    }
    assert_eq!(filter.held_bytes(), 0);
    assert_eq!(model.sum("tollgate.export_spans"), 100, "sent and dropped");
}

#[test]
fn an_answer_that_never_comes_frees_its_slot_in_time() {
    let (model, mut filter) = Model::started(EXPORT);
    run(&model, &mut filter, &post(), &Answer::json(ANSWER));
    filter.tick(&model, ROOT);
    assert_eq!(model.take_sent().len(), 1);
    model.now.set(model.now.get() + 60_000_000_000);
    filter.tick(&model, ROOT);
    assert_eq!(model.sum("tollgate.export_spans_dropped;reason=lost"), 1);
    assert_eq!(filter.held_bytes(), 0);
}

#[test]
fn answers_of_the_collector_by_the_specification() {
    for (status, tries, reason) in [
        (Some("200"), 1, None),
        (Some("503"), 2, Some("unavailable")),
        (Some("429"), 2, Some("unavailable")),
        (Some("400"), 1, Some("rejected")),
        (Some("\u{ff}"), 2, Some("unreachable")),
        (None, 2, Some("unreachable")),
    ] {
        let (model, mut filter) = Model::started(EXPORT);
        run(&model, &mut filter, &post(), &Answer::json(ANSWER));
        let mut sent = 0;
        for _ in 0..5 {
            later(&model);
            filter.tick(&model, ROOT);
            for call in model.take_sent() {
                sent += 1;
                let status = status.map(|status| (":status".to_owned(), status.as_bytes().to_vec()));
                model.headers.borrow_mut()[2] = status.clone().into_iter().collect();
                filter.call_answered(&model, ROOT, call.token, status.is_some());
            }
        }
        assert_eq!(sent, tries, "{status:?}");
        let dropped = model.sum("tollgate.export_spans_dropped");
        assert_eq!(dropped, i64::from(reason.is_some()), "{status:?}");
        if let Some(reason) = reason {
            assert_eq!(model.sum(&format!("tollgate.export_spans_dropped;reason={reason}")), 1, "{status:?}");
        }
        assert_eq!(filter.held_bytes(), 0, "{status:?}");
    }
}

#[test]
fn a_configuration_that_comes_again_keeps_counters_and_spans() {
    for (second, lost) in [(EXPORT, 0), (r#"{"export": {"cluster": "another"}}"#, 2), ("{}", 2)] {
        let (model, mut filter) = Model::started(EXPORT);
        run(&model, &mut filter, &post(), &Answer::json(ANSWER));
        filter.tick(&model, ROOT);
        let under_way = model.take_sent();
        assert_eq!(under_way.len(), 1);
        run(&model, &mut filter, &post(), &Answer::json(ANSWER));

        assert!(model.configure(&mut filter, second));
        run(&model, &mut filter, &post(), &Answer::json(ANSWER));
        assert_eq!(model.sum("tollgate.calls"), 3, "{second}");
        assert_eq!(model.sum("tollgate.export_spans_dropped;reason=lost"), lost, "{second}");
        model.headers.borrow_mut()[2] = vec![(":status".to_owned(), b"200".to_vec())];
        filter.call_answered(&model, ROOT, under_way[0].token, true);
        // What waits may be more than a batch.
        for _ in 0..3 {
            filter.tick(&model, ROOT);
            for sent in model.take_sent() {
                filter.call_answered(&model, ROOT, sent.token, true);
            }
        }
        let exported = if second == "{}" { 0 } else { 3 - lost };
        assert_eq!(model.sum("tollgate.export_spans"), exported + lost, "{second}: sent and dropped");
        assert_eq!(filter.held_bytes(), 0, "{second}");
        let mut names = model.metric_names();
        names.sort();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{second}: declared twice: {names:?}");
    }
}

#[test]
fn a_plugin_that_goes_away_counts_the_spans_it_still_held() {
    let (model, mut filter) = Model::started(EXPORT);
    for _ in 0..2 {
        run(&model, &mut filter, &post(), &Answer::json(ANSWER));
        filter.tick(&model, ROOT);
    }
    assert_eq!(model.take_sent().len(), 1, "one is under way, one waits");
    filter.delete(&model, ROOT);
    assert_eq!(model.sum("tollgate.export_spans_dropped;reason=lost"), 2);
    assert_eq!(filter.held_bytes(), 0);
}

#[test]
fn memory_is_told_once_for_all_plugins_of_a_module() {
    let (model, mut filter) = Model::started(EXPORT);
    let other = ROOT + 1;
    assert!(filter.configure(&model, other, 0));
    for root in [ROOT, other, ROOT] {
        filter.tick(&model, root);
        assert_eq!(model.sum("tollgate.memory_bytes"), 1 << 20);
    }
    assert!(model.configure(&mut filter, "{}"));
    filter.tick(&model, ROOT);
    assert_eq!(model.sum("tollgate.memory_bytes"), 1 << 20);
    filter.delete(&model, ROOT);
    assert_eq!(model.sum("tollgate.memory_bytes"), 1 << 20);
    filter.delete(&model, other);
    assert_eq!(model.sum("tollgate.memory_bytes"), 0);
}

#[test]
fn metrics_alone_ask_for_no_ids() {
    for (config, id) in [(r#"{"access_log": "off"}"#, false), ("{}", true)] {
        let (model, mut filter) = Model::started(config);
        run(&model, &mut filter, &post(), &Answer::json(ANSWER));
        assert_eq!(model.sum("tollgate.calls"), 1);
        assert_eq!(model.state("tollgate.trace_id").is_some_and(|id| id.len() == 32), id, "{config}");
    }
}

#[test]
fn the_number_of_series_is_limited() {
    let (model, mut filter) = Model::started(r#"{"metrics": {"series": 2}}"#);
    for name in ["a", "b", "c", "d", "a"] {
        let request = Request::post("/v1/chat/completions", &REQUEST.replace("gpt-4o", name));
        run(&model, &mut filter, &request, &Answer::json(&ANSWER.replace("gpt-4o-2024-08-06", name)));
    }
    for (model_name, calls) in [("a", 2), ("b", 1), ("other", 2)] {
        assert_eq!(model.sum(&format!("tollgate.calls;provider=openai;operation=chat;model={model_name};")), calls);
    }
    assert_eq!(model.sum("tollgate.series_capped"), 2);
    assert_eq!(model.sum("tollgate.unpriced"), 5);
    assert_eq!(model.sum("tollgate.cost_missing;reason=unknown_model"), 5);
    assert_eq!(model.state("tollgate.cost_usd"), None, "a model without a price has no cost, not 0");
}

#[test]
fn models_that_are_not_listed_count_as_other() {
    let (model, mut filter) = Model::started(r#"{"metrics": {"series": 3, "models": ["gpt-4o*", "b"]}}"#);
    for name in ["gpt-4o-mini", "b", "c", "d", "bb"] {
        let request = Request::post("/v1/chat/completions", &REQUEST.replace("gpt-4o", name));
        run(&model, &mut filter, &request, &Answer::json(&ANSWER.replace("gpt-4o-2024-08-06", name)));
        assert_eq!(model.state("tollgate.model").as_deref(), Some(name), "the access log has the model's own name");
    }
    for (name, calls) in [("gpt-4o-mini", 1), ("b", 1), ("other", 3)] {
        assert_eq!(model.sum(&format!("tollgate.calls;provider=openai;operation=chat;model={name};")), calls, "{name}");
    }
    assert_eq!(model.sum("tollgate.series_capped"), 0, "what is not listed takes one series for all");
}

#[test]
fn values_for_the_global_rate_limit_are_whole_numbers() {
    for (config, tokens, cost) in [
        (r#"{"rate_limit_values": true}"#, Some("1200"), Some("4000")),
        (
            r#"{"rate_limit_values": true, "cost": {"overlay": "overlay o 1 2026-01-01\nadjust -99.99%"}}"#,
            Some("1200"),
            Some("1"),
        ),
        ("{}", None, None),
    ] {
        let (model, mut filter) = Model::started(config);
        run(&model, &mut filter, &post(), &Answer::json(ANSWER));
        assert_eq!(model.state("tollgate.total_tokens").as_deref(), tokens, "{config}");
        assert_eq!(model.state("tollgate.cost_micro_usd").as_deref(), cost, "{config}");
    }
}

#[test]
fn sampling_thins_out_spans_and_never_counts() {
    let (model, mut filter) = Model::started(r#"{"sampling": {"ratio": 0.5}, "export": {"cluster": "collector"}}"#);
    for trace in 0..64u64 {
        let parent = format!("00-0af7651916cd43dd00{:02x}eb211c80319c-b7ad6b7169203331-01", trace * 4);
        let request = post().header("traceparent", parent.as_bytes());
        run(&model, &mut filter, &request, &Answer::json(ANSWER));
    }
    assert_eq!(model.sum("tollgate.calls"), 64);
    assert_eq!(model.sum("tollgate.spans_unsampled"), 32);
}

#[test]
fn the_caller_may_decide_on_sampling() {
    let config = r#"{"sampling": {"ratio": 0, "parent": "follow"}, "export": {"cluster": "collector"}}"#;
    for (flags, unsampled) in [("01", 0), ("00", 1)] {
        let (model, mut filter) = Model::started(config);
        let parent = format!("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-{flags}");
        run(&model, &mut filter, &post().header("traceparent", parent.as_bytes()), &Answer::json(ANSWER));
        assert_eq!(model.sum("tollgate.spans_unsampled"), unsampled);
    }
}

#[test]
fn what_is_no_llm_call_is_counted_and_left_alone() {
    let (model, mut filter) = Model::started("{}");
    run(&model, &mut filter, &Request::post("/healthz", "{}"), &Answer::json("{}"));
    assert_eq!(model.sum("tollgate.calls"), 0);
    assert_eq!(model.sum("tollgate.skipped;reason=not_an_llm_call"), 1);
    assert_eq!(model.state("tollgate.provider"), None);
}

#[test]
fn a_configuration_that_is_wrong_is_refused_with_the_name_of_the_field() {
    let (model, mut filter) = (Model::default(), Filter::default());
    assert!(!model.configure(&mut filter, r#"{"export": {"clutser": "x"}, "sampling": {"ratio": 3}}"#));
    let log = model.log_lines().join("\n");
    for path in ["export.clutser", "export.cluster", "sampling.ratio"] {
        assert!(log.contains(path), "{log}");
    }
}

/// The callbacks of one call, without the timer's.
fn call(model: &Model, filter: &mut Filter, stream: u32, encoding: &str, answer: &[u8]) {
    let header = |name: &str, value: &str| (name.to_owned(), value.as_bytes().to_vec());
    *model.headers.borrow_mut() =
        [post().headers, vec![header(":status", "200"), header("content-encoding", encoding)], Vec::new(), Vec::new()];
    filter.create(stream, ROOT);
    filter.request_headers(model, stream, false);
    filter.response_headers(model, stream, false);
    *model.chunk.borrow_mut() = answer.to_vec();
    filter.response_body(model, stream, answer.len(), true);
    filter.log(model, stream);
    filter.delete(model, stream);
}

/// Up to sixteen streams that are over wait to be made out together, or as many as hold 128 KiB.
#[test]
fn streams_that_are_over_wait_for_others_within_limits() {
    let config = r#"{"access_log": "off", "export": {"cluster": "collector"}}"#;
    // The beginning of an answer in gzip takes the window of its decoder.
    let gzip: &[u8] = &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x4b];
    for (encoding, answer, most) in [("identity", ANSWER.as_bytes(), 16), ("gzip", gzip, 4)] {
        let (model, mut filter) = Model::started(config);
        let waited = (0..100).take_while(|stream| {
            call(&model, &mut filter, 100 + stream, encoding, answer);
            filter.held_bytes() == 0
        });
        let waited = waited.count() + 1;
        assert!(waited <= most && waited > 1, "{waited} of {most}");
        assert!(most < 16 || waited == 16, "{waited}");
        filter.tick(&model, ROOT);
        assert_eq!(model.sum("tollgate.calls"), i64::try_from(waited).unwrap_or(0));
    }
    // One alone waits for the timer, and does not get lost where the instance ends before.
    let (model, mut filter) = Model::started(r#"{"access_log": "off"}"#);
    call(&model, &mut filter, 100, "identity", ANSWER.as_bytes());
    assert_eq!(model.sum("tollgate.calls"), 0);
    filter.delete(&model, ROOT);
    assert_eq!(model.sum("tollgate.calls"), 1);
}

/// Bodies that the proxy lends in parts are read as those that it lends whole.
#[test]
fn bodies_in_parts_are_read_alike() {
    for lends in [0, 1, 7, 64] {
        let (model, mut filter) = Model::started("{}");
        model.lends.set(lends);
        run(&model, &mut filter, &post(), &Answer::json(ANSWER));
        for (field, value) in [("model", "gpt-4o-2024-08-06"), ("input_tokens", "1000"), ("output_tokens", "200")] {
            assert_eq!(model.state(&format!("tollgate.{field}")).as_deref(), Some(value), "{lends}");
        }
    }
}
