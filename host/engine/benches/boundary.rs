//! What the component boundary costs a span, against decoding the same spans with prost. Run with
//! `cargo bench -p tollgate-engine`; it needs the components that `cargo xtask build` makes.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a benchmark may end at the first surprise")]

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Instant;
use tollgate_columns::{Batch, Edits, EnricherManifest, Given};
use tollgate_engine::{Engine, EngineConfig, Enricher, Plugin};

const SPANS: u32 = 512;
const ROUNDS: usize = 400;

fn main() {
    let peer = Measured::of(|| {
        let encoded = request().encode_to_vec();
        move || drop(black_box(ExportTraceServiceRequest::decode(encoded.as_slice()).unwrap()))
    });
    println!("{SPANS} spans with 4 attributes, best and median of {ROUNDS} rounds, ns a span");
    print("prost decode of the spans (peer)", &peer, &peer);
    let tally = |_: &EnricherManifest| batch(&names(&["model", "provider", "input", "output"]));
    component("boundary alone: 4 values in, 2 out", "tests/hostile.wasm", r#"{"mode": "tally"}"#, &peer, tally);
    component("the same, nothing done", "tests/hostile.wasm", "{}", &peer, tally);
    let real = |manifest: &EnricherManifest| batch(&manifest.reads);
    component("cost calculator", "plugins/cost_calculator.wasm", "{}", &peer, real);
    let config = r#"{"key": "gen_ai.request.model", "rows": {"gpt-4o": {"user_tier": "gold", "team": "search"}}}"#;
    component("example: business tags", "examples/business_tags.wasm", config, &peer, real);
    redactor("pii redactor: a text of 390 bytes", &peer);
}

fn component(what: &str, path: &str, config: &str, peer: &Measured, given: impl Fn(&EnricherManifest) -> Batch) {
    let Some(plugin) = load(what, path) else { return };
    let mut enricher: Enricher = plugin.enricher(config).unwrap();
    let batch = given(enricher.manifest());
    let mut copies = vec![batch; ROUNDS * 2];
    let measured = Measured::of(|| move || drop(black_box(enricher.enrich(copies.pop().unwrap()).unwrap())));
    print(what, &measured, peer);
}

/// Texts of an ordinary length, one in eight with something to find.
fn redactor(what: &str, peer: &Measured) {
    let Some(plugin) = load(what, "plugins/pii_redactor.wasm") else { return };
    let mut redactor = plugin.redactor("{}").unwrap();
    let sentence = "The model was asked to compare two suppliers by price, delivery and the terms they offer. ";
    let place = "span.attributes.gen_ai.input.messages".to_owned();
    let mut given = Given { names: vec![place], ..Given::default() };
    for row in 0..SPANS {
        let end = if row % 8 == 0 { "Write to ada@example.com." } else { "No more was said that day." };
        given.push(&format!("{}{end}", sentence.repeat(4)), 0, row);
    }
    let measured = Measured::of(|| move || drop(black_box(redactor.redact(&given).unwrap())));
    print(what, &measured, peer);
}

fn load(what: &str, path: &str) -> Option<Plugin> {
    let built = std::env::var_os("TOLLGATE_BUILD").map(PathBuf::from);
    let built = built.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tollgate"));
    let Ok(bytes) = std::fs::read(built.join(path)) else {
        println!("{what:<40} SKIPPED: no {path}; `cargo xtask build` makes it");
        return None;
    };
    let limits = EngineConfig { instances: 1, calls_per_instance: u32::MAX, ..EngineConfig::default() };
    Some(Engine::new(limits).unwrap().load(&bytes).unwrap())
}

struct Measured {
    best: f64,
    median: f64,
}

impl Measured {
    fn of<F: FnMut()>(prepare: impl FnOnce() -> F) -> Self {
        let mut run = prepare();
        (0..ROUNDS).for_each(|_| run());
        let mut rounds: Vec<_> = (0..ROUNDS)
            .map(|_| {
                let start = Instant::now();
                run();
                start.elapsed().as_secs_f64() * 1e9 / f64::from(SPANS)
            })
            .collect();
        rounds.sort_by(f64::total_cmp);
        Self { best: rounds[0], median: rounds[ROUNDS / 2] }
    }
}

fn print(what: &str, measured: &Measured, peer: &Measured) {
    let ratio = measured.best / peer.best;
    println!("{what:<40} {:>8.1} {:>8.1}   {ratio:>6.3} of the peer", measured.best, measured.median);
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// The values of each span, by attribute: two texts and two integers.
fn batch(reads: &[String]) -> Batch {
    let mut cells = Edits::new(SPANS);
    for row in 0..SPANS {
        for (number, name) in (0..).zip(reads) {
            match name.as_str() {
                "model" | "gen_ai.request.model" => cells.text(row, number, "gpt-4o"),
                "provider" | "gen_ai.provider.name" => cells.text(row, number, "openai"),
                "input" | "gen_ai.usage.input_tokens" => cells.integer(row, number, 1_000 + i64::from(row)),
                "output" | "gen_ai.usage.output_tokens" => cells.integer(row, number, 200),
                "span:startTime" => cells.integer(row, number, 1_790_000_000_000_000_000),
                _ => {}
            }
        }
    }
    cells.finish()
}

fn request() -> ExportTraceServiceRequest {
    let text = |key: &str, text: &str| KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(Value::StringValue(text.to_owned())) }),
        ..KeyValue::default()
    };
    let integer = |key: &str, integer: i64| KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(Value::IntValue(integer)) }),
        ..KeyValue::default()
    };
    let spans = (0..SPANS).map(|row| Span {
        trace_id: vec![7; 16],
        span_id: vec![9; 8],
        name: "chat gpt-4o".to_owned(),
        start_time_unix_nano: 1_790_000_000_000_000_000,
        end_time_unix_nano: 1_790_000_001_000_000_000,
        attributes: vec![
            text("gen_ai.request.model", "gpt-4o"),
            text("gen_ai.provider.name", "openai"),
            integer("gen_ai.usage.input_tokens", 1_000 + i64::from(row)),
            integer("gen_ai.usage.output_tokens", 200),
        ],
        ..Span::default()
    });
    let scope = ScopeSpans { spans: spans.collect(), ..ScopeSpans::default() };
    let resource = ResourceSpans { scope_spans: vec![scope], ..ResourceSpans::default() };
    ExportTraceServiceRequest { resource_spans: vec![resource] }
}
