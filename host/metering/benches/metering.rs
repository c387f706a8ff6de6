//! What metering one call costs, beside two peers that count the same eleven values in the same run: families of
//! `prometheus-client`, and instruments of the OpenTelemetry SDK.
//!
//! `cargo bench -p tollgate-metering`; prints nanoseconds a call and the ratio to each peer.
#![allow(clippy::unwrap_used, clippy::cast_precision_loss, reason = "a benchmark fails as a test does")]

use opentelemetry::KeyValue;
use opentelemetry::metrics::MeterProvider;
use opentelemetry_sdk::metrics::{ManualReader, SdkMeterProvider};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;
use tollgate_metering::{Bounds, Call, Calls, CallsOptions, Origin, Registry};
use tollgate_semconv::metric::{SECONDS, TOKENS};

/// Different label sets, so that series are looked for as in a busy process.
const MODELS: usize = 64;
const ROUNDS: usize = 400_000;

fn main() {
    let models: Vec<_> = (0..MODELS).map(|n| format!("gpt-4o-2024-08-{n:02}")).collect();
    for threads in [1, 2] {
        println!("{threads} thread(s), {MODELS} label sets, 11 values a call");
        let ours = run("tollgate, classic and exponential buckets, exemplars", threads, &models, ours(160, true), None);
        run("tollgate, classic buckets, no exemplars", threads, &models, ours_only_classic(), Some(ours));
        run("prometheus-client, classic buckets", threads, &models, client(), Some(ours));
        run("opentelemetry_sdk, classic buckets", threads, &models, sdk(), Some(ours));
    }
}

/// Counts a call of a model.
type Count = Box<dyn Fn(&str, u64) + Send + Sync>;

fn run(what: &str, threads: usize, models: &[String], count: Count, ours: Option<f64>) -> f64 {
    models.iter().for_each(|model| count(model, 1));
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                for (n, model) in (0..).zip(models.iter().cycle().take(ROUNDS)) {
                    count(black_box(model), black_box(n));
                }
            });
        }
    });
    let nanos = start.elapsed().as_nanos() as f64 / (ROUNDS * threads) as f64;
    let ratio = ours.map(|ours| format!("{:.1} times", nanos / ours)).unwrap_or_default();
    println!("  {nanos:7.0} ns a call  {ratio:>12}  {what}");
    nanos
}

fn ours_only_classic() -> Count {
    ours(0, false)
}

fn ours(max_size: usize, exemplars: bool) -> Count {
    let registry = Arc::new(Registry::new(Bounds::default(), Vec::new()));
    let calls = Calls::new(registry, &CallsOptions { max_size, exemplars, ..CallsOptions::default() });
    Box::new(move |model, n| {
        let call = Call {
            operation: "chat",
            provider: "openai",
            request_model: model,
            response_model: model,
            cost_source: "local",
            billable: true,
            operates: true,
            duration: Some(n * 1_000_003 % 60_000_000_000),
            first_chunk: Some(n * 100_003 % 1_000_000_000),
            tokens: [Some(n % 8_000), Some(n % 700), Some(n % 4_000), None, None],
            cost: Some(n * 17),
            origin: Some(Origin { trace_id: u128::from(n).to_be_bytes(), span_id: n.to_be_bytes(), time: n }),
            ..Call::default()
        };
        calls.count(&call, n);
    })
}

type Labels = Vec<(&'static str, String)>;

/// Histograms of the client.
type Times = Family<Labels, Histogram, fn() -> Histogram>;

fn client() -> Count {
    let seconds = || Histogram::new(SECONDS.iter().copied());
    let tokens = || Histogram::new(TOKENS.iter().copied());
    let counters: [Family<Labels, Counter>; 4] = Default::default();
    let times: [Times; 3] = std::array::from_fn(|_| Family::new_with_constructor(seconds as fn() -> Histogram));
    let usage: Family<Labels, Histogram, fn() -> Histogram> = Family::new_with_constructor(tokens);
    Box::new(move |model, n| {
        let labels = |more: Option<(&'static str, &str)>| -> Labels {
            let fixed = [
                ("gen_ai_operation_name", "chat"),
                ("gen_ai_provider_name", "openai"),
                ("gen_ai_request_model", model),
                ("gen_ai_response_model", model),
            ];
            fixed.into_iter().chain(more).map(|(name, value)| (name, value.to_owned())).collect()
        };
        let [calls, tokens, cost, nano] = &counters;
        calls.get_or_create(&labels(None)).inc();
        for (kind, count) in [("input", n % 8_000), ("output", n % 700), ("cache_read", n % 4_000)] {
            let labels = labels(Some(("gen_ai_token_type", kind)));
            tokens.get_or_create(&labels).inc_by(count);
            if kind != "cache_read" {
                usage.get_or_create(&labels).observe(count as f64);
            }
        }
        let sourced = labels(Some(("source", "local")));
        cost.get_or_create(&sourced).inc_by(n * 17);
        nano.get_or_create(&sourced).inc_by(n * 17);
        let [duration, operation, first] = &times;
        let seconds = (n * 1_000_003 % 60_000_000_000) as f64 / 1e9;
        duration.get_or_create(&labels(None)).observe(seconds);
        operation.get_or_create(&labels(None)).observe(seconds);
        first.get_or_create(&labels(None)).observe((n * 100_003 % 1_000_000_000) as f64 / 1e9);
    })
}

fn sdk() -> Count {
    let provider = SdkMeterProvider::builder().with_reader(ManualReader::default()).build();
    let meter = provider.meter("bench");
    let counters = ["calls", "tokens", "cost", "nano"].map(|name| meter.u64_counter(name).build());
    let times = ["duration", "operation", "first"]
        .map(|name| meter.f64_histogram(name).with_boundaries(SECONDS.to_vec()).build());
    let usage = meter.u64_histogram("usage").with_boundaries(TOKENS.to_vec()).build();
    Box::new(move |model, n| {
        // The provider lives as long as its instruments are used.
        let _ = &provider;
        let labels = [
            KeyValue::new("gen_ai.operation.name", "chat"),
            KeyValue::new("gen_ai.provider.name", "openai"),
            KeyValue::new("gen_ai.request.model", model.to_owned()),
            KeyValue::new("gen_ai.response.model", model.to_owned()),
            KeyValue::new("source", "local"),
        ];
        let with = |kind| {
            let mut labels = labels.clone();
            if let Some(last) = labels.last_mut() {
                *last = KeyValue::new("gen_ai.token.type", kind);
            }
            labels
        };
        let [calls, tokens, cost, nano] = &counters;
        let plain = labels.get(..4).unwrap_or_default();
        calls.add(1, plain);
        for (kind, count) in [("input", n % 8_000), ("output", n % 700), ("cache_read", n % 4_000)] {
            let labels = with(kind);
            tokens.add(count, &labels);
            if kind != "cache_read" {
                usage.record(count, &labels);
            }
        }
        cost.add(n * 17, &labels);
        nano.add(n * 17, &labels);
        let [duration, operation, first] = &times;
        let seconds = (n * 1_000_003 % 60_000_000_000) as f64 / 1e9;
        duration.record(seconds, plain);
        operation.record(seconds, plain);
        first.record((n * 100_003 % 1_000_000_000) as f64 / 1e9, plain);
    })
}
