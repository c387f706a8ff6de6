//! What the sandbox costs: each of the four components beside the same library called natively, on the same columns, in one
//! run, and as a share of the stage of the host that it is called in. Run with `cargo xtask bench sandbox`; it needs the
//! components that `cargo xtask build` makes.
//!
//! A stage reads the encoded request, projects the columns, calls the plugin, and splices its edits in. What it does beside the
//! call is measured too. Native and component take turns, so that a loaded machine slows both; the median of what a turn takes
//! more in the component is the cost of the sandbox.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a benchmark may end at the first surprise")]

use std::cell::RefCell;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Instant;
use tollgate_columns::{Attribute, Batch, Given, Progress, TraceRow, Traces};
use tollgate_engine::{Engine, EngineConfig, Plugin};
use tollgate_otlp::{Envelope, Limits, Reads, RequestWriter, SpanWriter, TraceRequest};
use tollgate_pii_redactor::Redactor;
use tollgate_sampler::Sampler;

const SPANS: u32 = 512;
/// Spans of a trace.
const TRACE: u32 = 4;
const TURNS: usize = 301;
/// Policies of the sampler, of the kinds that read something of a span.
const POLICIES: &str = r#"{"policies": [
    {"name": "errors", "type": "status_code", "status_code": {"status_codes": ["ERROR"]}},
    {"name": "slow", "type": "latency", "latency": {"threshold_ms": 60000}},
    {"name": "long", "type": "numeric_attribute", "numeric_attribute": {"key": "gen_ai.usage.output_tokens", "min_value": 100000}},
    {"name": "rest", "type": "probabilistic", "probabilistic": {"sampling_percentage": 10}}]}"#;

fn main() {
    println!("{SPANS} spans of about 1 kB, ns a span, median of {TURNS} turns");
    println!("{:<18} {:>9} {:>10} {:>9} {:>10} {:>9}", "", "native", "component", "sandbox", "the rest", "of stage");
    let encoded = request(false);
    token_extractor(&encoded);
    cost_calculator(&encoded);
    redactor(&request(true));
    sampler(&encoded);
}

fn token_extractor(encoded: &[u8]) {
    use tollgate_token_extractor::dialect::Enricher;
    let Some(plugin) = load("token_extractor") else { return };
    let native = Enricher::configure("{}").unwrap();
    let manifest = native.manifest();
    enricher("token extractor", &plugin, encoded, &manifest.reads, &manifest.writes, |batch| native.enrich(batch));
}

fn cost_calculator(encoded: &[u8]) {
    use tollgate_cost_calculator::Enricher;
    let Some(plugin) = load("cost_calculator") else { return };
    let native = Enricher::configure("{}").unwrap();
    let manifest = native.manifest();
    enricher("cost calculator", &plugin, encoded, &manifest.reads, &manifest.writes, |batch| native.enrich(batch));
}

fn enricher(
    name: &str,
    plugin: &Plugin,
    encoded: &[u8],
    reads: &[String],
    writes: &[Attribute],
    native: impl Fn(&Batch) -> Batch,
) {
    let mut component = plugin.enricher("{}").unwrap();
    let reads = Reads::compile(reads).unwrap();
    let batch = project(encoded, &reads);
    let edits = native(&batch);
    assert_eq!(component.enrich(batch.clone()).unwrap(), edits, "{name}: the same in both seats");
    let rest = || {
        let request = TraceRequest::scan(encoded, &Limits::default()).unwrap();
        drop(black_box(request.project(&reads)));
        drop(black_box(request.apply(&edits, writes).unwrap()));
    };
    turns(
        name,
        &batch,
        rest,
        |batch| drop(black_box(native(&batch))),
        |batch| {
            drop(black_box(component.enrich(batch).unwrap()));
        },
    );
}

fn redactor(encoded: &[u8]) {
    let Some(plugin) = load("pii_redactor") else { return };
    let native = Redactor::default();
    let mut component = plugin.redactor("{}").unwrap();
    let scanned = TraceRequest::scan(encoded, &Limits::default()).unwrap();
    let names = ["gen_ai.input.messages", "gen_ai.output.messages"];
    let mut given = Given { names: names.map(|name| format!("span.attributes.{name}")).to_vec(), ..Given::default() };
    let batch = scanned.project(&Reads::compile(&names).unwrap());
    for (group, row) in (0..).zip(batch.rows()) {
        for place in 0..2 {
            assert!(given.push(row.text(place).unwrap_or_default(), place.into(), group));
        }
    }
    assert_eq!(component.redact(&given).unwrap(), native.redact(&given), "redactor: the same in both seats");
    // Replacing is not among it: what is found differs from traffic to traffic.
    let rest = || drop(black_box(TraceRequest::scan(encoded, &Limits::default()).unwrap().texts()));
    turns(
        "pii redactor",
        &given,
        rest,
        |given| drop(black_box(native.redact(&given))),
        |given| {
            drop(black_box(component.redact(&given).unwrap()));
        },
    );
}

fn sampler(encoded: &[u8]) {
    let Some(plugin) = load("sampler") else { return };
    let native = RefCell::new(Sampler::configure(POLICIES).unwrap());
    let mut component = plugin.sampler(POLICIES).unwrap();
    let reads = Reads::compile(&native.borrow().manifest().reads).unwrap();
    let mut traces = Traces { now: 1_790_000_000_000_000_000, spans: project(encoded, &reads), ..Traces::default() };
    for trace in 0..SPANS / TRACE {
        let id = trace_id(trace * TRACE);
        traces.push(&TraceRow {
            id,
            spans: trace * TRACE..(trace + 1) * TRACE,
            randomness: tollgate_sampler::head::randomness(id),
            threshold: 0,
            bytes: 4_096,
            progress: Progress::Complete,
        });
    }
    assert_eq!(
        component.decide(traces.clone()).unwrap(),
        native.borrow_mut().decide(&traces),
        "sampler: the same in both seats"
    );
    let rest = || drop(black_box(project(encoded, &reads)));
    turns(
        "sampler",
        &traces,
        rest,
        |traces| drop(black_box(native.borrow_mut().decide(&traces))),
        |traces| {
            drop(black_box(component.decide(traces).unwrap()));
        },
    );
}

/// Gives native library and component copies of the same in turns, and prints what each took.
fn turns<T: Clone>(name: &str, given: &T, rest: impl Fn(), native: impl Fn(T), mut component: impl FnMut(T)) {
    let [mut natives, mut components, mut sandbox, mut rests] = [const { Vec::<f64>::new() }; 4];
    for turn in 0..TURNS * 2 {
        let (first, second) = (given.clone(), given.clone());
        let (native, component, rest) = (timed(|| native(first)), timed(|| component(second)), timed(&rest));
        if turn >= TURNS {
            natives.push(native);
            components.push(component);
            sandbox.push(component - native);
            rests.push(rest);
        }
    }
    let [native, component, sandbox, rest] = [natives, components, sandbox, rests].map(median);
    let share = 100.0 * sandbox / (component + rest);
    println!("{name:<18} {native:>9.1} {component:>10.1} {sandbox:>9.1} {rest:>10.1} {share:>8.1}%");
}

/// Time that work takes.
fn timed(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64() * 1e9 / f64::from(SPANS)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn load(name: &str) -> Option<Plugin> {
    let built = std::env::var_os("TOLLGATE_BUILD").map(PathBuf::from);
    let built = built.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tollgate"));
    let Ok(bytes) = std::fs::read(built.join(format!("plugins/{name}.wasm"))) else {
        println!("{name:<18} SKIPPED: not built; `cargo xtask build` makes it");
        return None;
    };
    let limits = EngineConfig { instances: 1, calls_per_instance: u32::MAX, ..EngineConfig::default() };
    Some(Engine::new(limits).unwrap().load(&bytes).unwrap())
}

fn project(encoded: &[u8], reads: &Reads) -> Batch {
    TraceRequest::scan(encoded, &Limits::default()).unwrap().project(reads)
}

fn trace_id(span: u32) -> [u8; 16] {
    let mut id = [7; 16];
    id[8..12].copy_from_slice(&(span / TRACE).wrapping_mul(2_654_435_761).to_be_bytes());
    id
}

/// Spans of model calls with the attributes that instrumentations write, with messages of a few kB or without.
fn request(messages: bool) -> Vec<u8> {
    let envelope = Envelope::new(&[("service.name", "support-assistant".into())], "bench", "1");
    let said = "The customer asks whether the parcel with the blue lamp was handed to the carrier on Tuesday. ";
    let mut writer = RequestWriter::new();
    for row in 0..SPANS {
        let mut span = SpanWriter::new(trace_id(row), u64::from(row + 1).to_be_bytes(), "chat gpt-4o");
        span.times(1_790_000_000_000_000_000, 1_790_000_002_000_000_000);
        for (key, value) in [
            ("gen_ai.operation.name", "chat"),
            ("gen_ai.provider.name", "openai"),
            ("gen_ai.request.model", "gpt-4o"),
            ("gen_ai.response.model", "gpt-4o-2024-08-06"),
            ("gen_ai.output.type", "text"),
            ("gen_ai.agent.name", "support-assistant"),
            ("gen_ai.conversation.id", "conv_5j66UpCpwteGg4YSxUnt7lPY"),
            ("openai.response.service_tier", "default"),
            ("openai.response.system_fingerprint", "fp_9dfbf3b2a1"),
            ("server.address", "api.openai.com"),
            ("user.id", "0d3cf8e6-7d0b-4a80-9c35-1ad2f08c1b5e"),
            ("session.id", "8f4c9a7e-6a35-4d0c-b9a2-0a3e7a1bb3f4"),
            ("code.function.name", "assistant.orchestrator.Orchestrator.run_step"),
            ("code.file.path", "/srv/assistant/orchestrator/steps.py"),
        ] {
            span.set(key, value);
        }
        span.set("gen_ai.response.id", format!("chatcmpl-{row:016x}").as_str());
        span.set("server.port", 443_u64);
        span.set("gen_ai.request.max_tokens", 1024_u64);
        span.set("gen_ai.usage.input_tokens", u64::from(1000 + row));
        span.set("gen_ai.usage.output_tokens", 200_u64);
        span.set("gen_ai.usage.cache_read.input_tokens", 512_u64);
        if messages {
            let contact = if row % 16 == 0 { "Write to ada@example.com." } else { "No more was said." };
            for (key, times) in [("gen_ai.input.messages", 20), ("gen_ai.output.messages", 6)] {
                let text = format!("[{{\"role\":\"user\",\"content\":\"{}{contact}\"}}]", said.repeat(times));
                span.set(key, text.as_str());
            }
        }
        writer.push(&envelope, span.bytes());
    }
    writer.finish()
}
