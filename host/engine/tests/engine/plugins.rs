//! The project's own plugins through the engine: each loads, configures with `{}`, and does its first task.

use crate::common::{component, small};
use std::time::Duration;
use tollgate_call::{Api, Outcome, UsageSource};
use tollgate_columns::{Batch, Edits, Given, Progress, TraceRow, Traces, Verdicts};
use tollgate_engine::{ConfigureError, Engine, EngineConfig, Plugin, RequestHead, World};

fn load(name: &str) -> Option<Plugin> {
    let bytes = component(name)?;
    Some(Engine::new(small()).unwrap().load(&bytes).unwrap())
}

/// One span with these values, for a plugin that reads these names.
fn span(reads: &[String], texts: &[(&str, &str)], integers: &[(&str, i64)]) -> Batch {
    let number = |name: &str| {
        let at =
            reads.iter().position(|read| read == name).unwrap_or_else(|| panic!("`{name}` is not read: {reads:?}"));
        u16::try_from(at).unwrap()
    };
    let mut cells = Edits::new(1);
    for (name, value) in texts {
        cells.text(0, number(name), *value);
    }
    for (name, value) in integers {
        cells.integer(0, number(name), *value);
    }
    cells.finish()
}

#[test]
fn the_cost_calculator_prices_a_span() {
    let Some(plugin) = load("plugins/cost_calculator.wasm") else { return };
    assert_eq!(plugin.describe().worlds, [World::Enricher]);
    let mut enricher = plugin.enricher("{}").unwrap();
    let manifest = enricher.manifest().clone();
    // Half of "cannot see a prompt": it does not ask for one. The other half is that it gets nothing else.
    assert!(!manifest.reads.iter().any(|name| name.contains("messages") || name.contains("prompt")));
    let texts = [("gen_ai.provider.name", "openai"), ("gen_ai.request.model", "gpt-4o")];
    let integers = [
        ("gen_ai.usage.input_tokens", 1_000),
        ("gen_ai.usage.output_tokens", 200),
        ("span:startTime", 1_790_000_000_000_000_000),
    ];
    let edits = enricher.enrich(span(&manifest.reads, &texts, &integers)).unwrap();
    let written = |name: &str| {
        let at = manifest.writes.iter().position(|attribute| attribute.name == name).unwrap();
        u16::try_from(at).unwrap()
    };
    let row = edits.rows().next().unwrap();
    // 1,000 at $2.50 and 200 at $10 a million.
    assert_eq!(row.integer(written("tollgate.cost.nano_usd")), Some(4_500_000));
    assert_eq!(row.text(written("tollgate.cost.currency")), Some("USD"));
}

#[test]
fn the_tokenizer_estimates_within_the_limits_that_plugins_have() {
    let Some(bytes) = component("plugins/tokenizer.wasm") else { return };
    // The deadline that the documentation gives it; memory is what every plugin has.
    let config = EngineConfig { instances: 2, deadline: Duration::from_secs(2), ..EngineConfig::default() };
    let plugin = Engine::new(config).unwrap().load(&bytes).unwrap();
    assert_eq!(plugin.describe().worlds, [World::Enricher]);
    let mut enricher = plugin.enricher("{}").unwrap();
    let manifest = enricher.manifest().clone();
    let written = |name: &str| {
        let at = manifest.writes.iter().position(|attribute| attribute.name == name).unwrap();
        u16::try_from(at).unwrap()
    };
    let said = |text: &str| format!(r#"[{{"role":"user","parts":[{{"type":"text","content":"{text}"}}]}}]"#);
    let mut call = |input: &str, output: &str| {
        let texts = [
            ("gen_ai.operation.name", "chat"),
            ("gen_ai.response.model", "gpt-4o"),
            ("gen_ai.input.messages", input),
            ("gen_ai.output.messages", output),
        ];
        enricher.enrich(span(&manifest.reads, &texts, &[])).unwrap()
    };
    let edits = call(&said("Hello!"), &said("Hi."));
    let row = edits.rows().next().unwrap();
    assert_eq!(row.integer(written("gen_ai.usage.input_tokens")), Some(9));
    assert_eq!(row.integer(written("gen_ai.usage.output_tokens")), Some(2));
    assert_eq!(row.text(written("tollgate.usage.source")), Some("estimated"));
    assert_eq!(row.text(written("tollgate.usage.estimator")), Some("tiktoken o200k_base"));
    // As much of the slowest text as a batch may hold ends before its deadline, and more is not begun.
    let slow = said(&" ".repeat(1 << 19).replacen(' ', "", 64));
    let edits = call(&slow, &slow);
    let row = edits.rows().next().unwrap();
    assert_eq!(row.text(written("tollgate.usage.estimated")), Some("input,output"));
    let edits = call(&said(&" ".repeat(2 << 20)), &said("Hi."));
    let row = edits.rows().next().unwrap();
    assert_eq!(row.text(written("tollgate.usage.unestimated")), Some("too_large"));
}

#[test]
fn the_redactor_finds_and_replaces() {
    let Some(plugin) = load("plugins/pii_redactor.wasm") else { return };
    assert_eq!(plugin.describe().worlds, [World::Redactor]);
    let mut redactor = plugin.redactor("{}").unwrap();
    let given = Given::of("span.name", &["nothing here", "write to ada@example.com today"]);
    let redaction = redactor.redact(&given).unwrap();
    let found: Vec<_> = redaction.findings.iter().collect();
    let [(row, kind, start, end)] = found[..] else { panic!("{found:?}") };
    assert_eq!((row, start, end), (1, 9, 24));
    assert_eq!(redactor.manifest().types[usize::from(kind)], "EMAIL_ADDRESS");
    let changed: Vec<_> = redaction.changed.iter().collect();
    let [(1, text)] = changed[..] else { panic!("{changed:?}") };
    assert!(!text.contains("ada@"), "{text}");
}

#[test]
fn texts_that_are_not_numbered_in_order_are_not_given_to_a_redactor() {
    let Some(plugin) = load("plugins/pii_redactor.wasm") else { return };
    let mut redactor = plugin.redactor("{}").unwrap();
    let mut given = Given::of("span.name", &["ada@example.com"]);
    given.texts.rows = vec![3];
    assert!(redactor.redact(&given).is_err());
    assert_eq!(redactor.counters().read().calls, 0);
}

#[test]
fn the_sampler_gives_a_verdict_a_trace() {
    let Some(plugin) = load("plugins/sampler.wasm") else { return };
    assert_eq!(plugin.describe().worlds, [World::Sampler]);
    let config =
        r#"{"policies": [{"name": "errors", "type": "status_code", "status_code": {"status_codes": ["ERROR"]}}]}"#;
    let mut sampler = plugin.sampler(config).unwrap();
    let status = sampler.manifest().reads.iter().position(|name| name == "span:status").unwrap();
    let mut spans = Edits::new(3);
    for (row, value) in [(0, "ok"), (1, "error"), (2, "unset")] {
        spans.text(row, u16::try_from(status).unwrap(), value);
    }
    let mut traces = Traces { spans: spans.finish(), ..Traces::default() };
    for (id, spans) in [(1, 0..2), (2, 2..3)] {
        traces.push(&TraceRow {
            id: [id; 16],
            spans,
            randomness: 5,
            threshold: 0,
            bytes: 9,
            progress: Progress::Complete,
        });
    }
    let verdicts = sampler.decide(traces).unwrap();
    assert_eq!(verdicts.keep, [1, 0]);
    assert_eq!(sampler.manifest().rules[usize::from(verdicts.rules[0])], "errors");
    assert_eq!(verdicts.thresholds, [0, Verdicts::NONE]);
}

#[test]
fn the_extractor_reads_a_stream_cut_anywhere() {
    let Some(plugin) = load("plugins/token_extractor.wasm") else { return };
    assert!(plugin.describe().worlds.contains(&World::Extractor));
    // A limit of calls that falls into the middle of the exchange does not end it.
    let bytes = component("plugins/token_extractor.wasm").unwrap();
    let engine = Engine::new(EngineConfig { calls_per_instance: 2, ..small() }).unwrap();
    let mut extractor = engine.load(&bytes).unwrap().extractor("{}").unwrap();
    assert!(extractor.manifest().apis.contains(&"chat.completions".to_owned()));
    let body = "data: {\"id\":\"c1\",\"model\":\"gpt-4o-2024-08-06\",\"choices\":[{\"delta\":{\"content\":\"Hé\"},\
                \"finish_reason\":\"stop\"}]}\n\ndata: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\
                \"completion_tokens\":1,\"total_tokens\":8}}\n\ndata: [DONE]\n\n";
    for size in [1, 7, body.len()] {
        let head = RequestHead {
            method: "POST",
            host: "api.openai.com",
            path: "/v1/chat/completions",
            headers: &[("content-type", b"application/json")],
        };
        let mut exchange = extractor.exchange(head).unwrap();
        exchange.request_body(br#"{"model":"gpt-4o","stream":true,"messages":[]}"#).unwrap();
        exchange.response_head(200, &[("content-type", b"text/event-stream")]).unwrap();
        for chunk in body.as_bytes().chunks(size) {
            exchange.response_body(chunk, 250_000_000).unwrap();
        }
        let reading = exchange.end(Outcome::Complete).unwrap();
        let record = reading.call.unwrap();
        assert_eq!(record.provider.as_deref(), Some("openai"));
        assert_eq!(record.api, Some(Api::CHAT_COMPLETIONS));
        assert_eq!(record.response_model.as_deref(), Some("gpt-4o-2024-08-06"));
        assert_eq!(record.finish_reasons, ["stop"]);
        assert_eq!(record.usage_source, Some(UsageSource::Reported));
        let usage = record.usage.unwrap();
        assert_eq!((usage.input_tokens, usage.output_tokens), (Some(7), Some(1)));
        assert_eq!(usage.native.get("usage.prompt_tokens"), Some(&7));
        assert_eq!(reading.timing.time_to_first_chunk, Some(250_000_000));
        assert_eq!(reading.timing.response_bytes, body.len() as u64);
    }
    let head = RequestHead { method: "GET", host: "example.com", path: "/", headers: &[] };
    let reading = extractor.exchange(head).unwrap().end(Outcome::ClientAborted).unwrap();
    assert_eq!(reading.call, Err("not_an_llm_call".to_owned()));
    assert_eq!(extractor.counters().read().traps, 0);
}

#[test]
fn the_extractor_s_enricher_gives_foreign_names_the_conventions_names() {
    let Some(plugin) = load("plugins/token_extractor.wasm") else { return };
    assert_eq!(plugin.describe().worlds, [World::Extractor, World::Enricher]);
    let mut enricher = plugin.enricher("{}").unwrap();
    let manifest = enricher.manifest().clone();
    let given = span(
        &manifest.reads,
        &[("openinference.span.kind", "LLM"), ("llm.model_name", "gpt-4o")],
        &[("llm.token_count.prompt", 7)],
    );
    let edits = enricher.enrich(given).unwrap();
    let row = edits.rows().next().unwrap();
    let written = |name: &str| {
        let at = manifest.writes.iter().position(|attribute| attribute.name == name).unwrap();
        u16::try_from(at).unwrap()
    };
    assert_eq!(row.text(written("gen_ai.request.model")), Some("gpt-4o"));
    assert_eq!(row.integer(written("gen_ai.usage.input_tokens")), Some(7));
}

#[test]
fn an_exchange_that_is_dropped_half_way_leaves_the_extractor_usable() {
    let Some(plugin) = load("plugins/token_extractor.wasm") else { return };
    let mut extractor = plugin.extractor("{}").unwrap();
    let head = RequestHead { method: "POST", host: "api.openai.com", path: "/v1/responses", headers: &[] };
    for _ in 0..100 {
        extractor.exchange(head).unwrap().request_body(b"{\"model\":").unwrap();
    }
    assert!(extractor.exchange(head).unwrap().end(Outcome::TimedOut).is_ok());
    assert_eq!(extractor.counters().read().instances, 1);
}

#[test]
fn a_configuration_that_is_wrong_is_refused_by_each_plugin() {
    type Configure = fn(&Plugin, &str) -> Result<(), ConfigureError>;
    let cases: [(&str, Configure); 5] = [
        ("plugins/cost_calculator.wasm", |plugin, config| plugin.enricher(config).map(drop)),
        ("plugins/pii_redactor.wasm", |plugin, config| plugin.redactor(config).map(drop)),
        ("plugins/sampler.wasm", |plugin, config| plugin.sampler(config).map(drop)),
        ("plugins/token_extractor.wasm", |plugin, config| plugin.extractor(config).map(drop)),
        ("plugins/tokenizer.wasm", |plugin, config| plugin.enricher(config).map(drop)),
    ];
    for (name, configure) in cases {
        let Some(plugin) = load(name) else { return };
        for config in ["7", "{\"no such option\": 1}"] {
            let refused = configure(&plugin, config);
            assert!(matches!(refused, Err(ConfigureError::Refused(_))), "{name} {config}: {refused:?}");
        }
    }
}

#[test]
fn the_example_tags_a_span() {
    let Some(plugin) = load("examples/business_tags.wasm") else { return };
    let config =
        r#"{"key": "user.id", "rows": {"u-17": {"user_tier": "gold", "team": "search", "cost_center": "4711"}}}"#;
    let mut enricher = plugin.enricher(config).unwrap();
    let spans = span(&enricher.manifest().reads.clone(), &[("user.id", "u-17")], &[]);
    let edits = enricher.enrich(spans).unwrap();
    let texts: Vec<_> = edits.texts.iter().filter_map(|column| column.get(0)).collect();
    assert_eq!(texts, ["gold", "search", "4711"]);
}
