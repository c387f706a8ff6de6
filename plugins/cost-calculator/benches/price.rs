//! What pricing a call takes, beside the Python package the prices come from, on the same machine in the same run.
//!
//! `cargo bench -p tollgate-cost-calculator`. The comparison runs where `TOLLGATE_GENAI_PRICES` names a folder the
//! package is installed in, with the Python of `TOLLGATE_PYTHON`, else `python3`.

use std::hint::black_box;
use std::process::Command;
use std::time::{Duration, Instant};
use tollgate_call::Usage;
use tollgate_columns::Edits;
use tollgate_cost_calculator::{Call, Enricher, PriceSet, Served};

/// Calls as they are common: provider, model, and the package's id of the provider.
const CALLS: [(&str, &str, &str); 6] = [
    ("openai", "gpt-4o-2024-08-06", "openai"),
    ("openai", "gpt-4o-mini", "openai"),
    ("anthropic", "claude-sonnet-4-5-20250929", "anthropic"),
    ("gcp.gemini", "gemini-2.5-pro", "google"),
    ("aws.bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "aws"),
    ("azure.ai.openai", "gpt-4o", "azure"),
];
const AT: i64 = 1_793_534_400;

/// Nanoseconds a call: the best of five runs of about a tenth of a second.
fn nanoseconds(mut call: impl FnMut()) -> f64 {
    let run = |call: &mut dyn FnMut(), times: u32| {
        let start = Instant::now();
        (0..times).for_each(|_| call());
        start.elapsed()
    };
    let mut times = 1;
    while run(&mut call, times) < Duration::from_millis(100) && times < 1 << 26 {
        times *= 2;
    }
    let best = (0..5).map(|_| run(&mut call, times)).min().unwrap_or_default();
    best.as_secs_f64() * 1e9 / f64::from(times)
}

fn usage() -> Usage {
    Usage {
        input_tokens: Some(12_000),
        cache_read_tokens: Some(8_000),
        output_tokens: Some(700),
        reasoning_tokens: Some(300),
        ..Usage::default()
    }
}

/// Nanoseconds of `calc_price` a call, for each of [`CALLS`].
fn package() -> Option<Vec<f64>> {
    let folder = std::env::var_os("TOLLGATE_GENAI_PRICES")?;
    let calls: Vec<_> = CALLS.iter().map(|(_, model, provider)| format!("({model:?}, {provider:?})")).collect();
    let script = format!(
        "import timeit\nfrom datetime import UTC, datetime\nfrom genai_prices import Usage, calc_price\n\
         at = datetime.fromtimestamp({AT}, UTC)\n\
         for model, provider in [{}]:\n    \
         call = lambda: calc_price(Usage(input_tokens=12000, cache_read_tokens=8000, output_tokens=700, \
         output_reasoning_tokens=300), model, provider_id=provider, genai_request_timestamp=at)\n    \
         call()\n    print(min(timeit.repeat(call, number=500, repeat=5)) / 500 * 1e9)\n",
        calls.join(", ")
    );
    let python = std::env::var_os("TOLLGATE_PYTHON").unwrap_or_else(|| "python3".into());
    let run = Command::new(python).arg("-c").arg(script).env("PYTHONPATH", folder).output().ok()?;
    if !run.status.success() {
        eprintln!("{}", String::from_utf8_lossy(&run.stderr));
    }
    String::from_utf8_lossy(&run.stdout).lines().map(|line| line.parse().ok()).collect()
}

/// One batch of a thousand spans through the enricher.
fn enrich() -> f64 {
    let Ok(enricher) = Enricher::configure("{}") else { return f64::NAN };
    let reads = enricher.manifest().reads;
    let place = |name: &str| reads.iter().position(|read| read == name).and_then(|at| u16::try_from(at).ok());
    let mut spans = Edits::new(1_000);
    for (row, (provider, model, _)) in (0..1_000).zip(CALLS.iter().cycle()) {
        for (name, value) in [
            ("gen_ai.operation.name", "chat"),
            ("gen_ai.provider.name", provider),
            ("gen_ai.request.model", model),
            ("gen_ai.response.model", model),
        ] {
            spans.text(row, place(name).unwrap_or_default(), value);
        }
        for (name, value) in [
            ("gen_ai.usage.input_tokens", 12_000),
            ("gen_ai.usage.cache_read.input_tokens", 8_000),
            ("gen_ai.usage.output_tokens", 700),
            ("gen_ai.usage.reasoning.output_tokens", 300),
            ("span:startTime", AT * 1_000_000_000),
        ] {
            spans.integer(row, place(name).unwrap_or_default(), value);
        }
    }
    let spans = spans.finish();
    nanoseconds(|| drop(black_box(enricher.enrich(black_box(&spans))))) / 1_000.0
}

fn main() {
    let theirs = package();
    if theirs.is_none() {
        println!("(no comparison: TOLLGATE_GENAI_PRICES does not name a folder with genai-prices)");
    }
    let usage = usage();
    let prices = PriceSet::builtin();
    println!("{:<62}{:>10}{:>16}{:>8}", "one call, whole set", "ns", "genai-prices ns", "ratio");
    for (index, (provider, model, _)) in CALLS.iter().enumerate() {
        let call =
            Call { provider: Some(provider), model, usage: &usage, at_unix_seconds: AT, served: Served::default() };
        let ours = nanoseconds(|| {
            let _cost = black_box(prices.price(black_box(&call)));
        });
        let theirs = theirs.as_ref().and_then(|theirs| theirs.get(index));
        let ratio = theirs.map_or(String::new(), |theirs| format!("{theirs:>16.0}{:>7.0}x", theirs / ours));
        println!("{:<62}{ours:>10.0}{ratio}", format!("{provider} {model}"));
    }
    println!("{:<62}{:>10.0}", "one span of a batch through the enricher", enrich());
    let document = include_bytes!("../data/prices.txt");
    let load = nanoseconds(|| drop(black_box(PriceSet::parse(black_box(document)))));
    println!("{:<62}{load:>10.0}", "reading the whole set from its document (the builtin: none)");
}
