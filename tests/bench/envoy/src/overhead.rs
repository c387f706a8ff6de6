//! What a filter costs Envoy: processor time an exchange, delay, memory.
//!
//! In every round each variant gets an Envoy of its own, and all kinds of traffic in turn: exchanges to warm up, then a
//! counted number of exchanges on several connections, over which Envoy's processor time is taken (user and system, all
//! of its threads), then some on one connection alone, whose times are taken. Variants take turns within a round, the
//! first of a round the second of the one before; so what changes on the machine meets all of them alike, and what a
//! variant adds is the difference to Envoy alone in the same round.

use crate::envoy::{Envoy, Setting};
use crate::fault::Fault;
use crate::figures::{Sample, Series, median, mib, percentile};
use crate::load;
use crate::provider::{self, Collected};
use crate::stage::Stage;
use crate::variant::{self, Filter, Variant};
use crate::workload::{self, Workload};
use crate::{Place, place};
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// Longer than the filter keeps spans, and than a tick.
const FLUSH: Duration = Duration::from_millis(1500);

/// What is to be measured.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How often everything is measured; medians are printed
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Exchanges of the JSON answer in a round; streams are fewer: a half in one write, a 25th in a write an event
    #[arg(long, default_value_t = 10_000)]
    requests: usize,
    /// Connections, while processor time is measured
    #[arg(long, default_value_t = 8)]
    connections: usize,
    /// Only these variants and kinds of traffic, separated by commas. Variants: alone, native, empty, metrics, spans,
    /// full. Traffic: json, stream, events, request
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// A configuration of the filter that is measured as one more variant
    #[arg(long)]
    filter: Option<String>,
    #[command(flatten)]
    place: Place,
}

/// What one Envoy held at the end, in mebibytes, and what it says of spans.
#[derive(Clone, Copy, Debug, Default)]
struct Held {
    resident: f64,
    module: f64,
    /// Share of the time that its threads waited for a core.
    waited: f64,
    dropped: u64,
}

struct Results {
    variants: Vec<Variant>,
    workloads: Vec<Rc<Workload>>,
    /// By variant, then by kind of traffic.
    series: Vec<Vec<Series>>,
    held: Vec<Vec<Held>>,
}

/// Measures and prints.
///
/// # Errors
/// Traffic was harmed, or something could not be run.
pub(crate) async fn run(options: &Options) -> Result<(), Fault> {
    let (variants, workloads) = chosen(options)?;
    let stage = Rc::new(Stage::new(options.connections.max(1)));
    let provider = provider::start(Rc::clone(&stage)).await?;
    let collector = provider::collector(Rc::new(Collected::default())).await?;
    let setting = place(&options.place, provider, collector)?;
    println!("{}", setting.describe()?);
    let mut results = Results {
        series: vec![vec![Series::default(); workloads.len()]; variants.len()],
        held: vec![Vec::new(); variants.len()],
        variants,
        workloads,
    };
    for round in 0..options.rounds {
        for turn in 0..results.variants.len() {
            let index = (round + turn) % results.variants.len();
            results.measure(index, options, &setting, &stage).await?;
        }
        eprintln!("round {} of {} is over", round + 1, options.rounds);
    }
    results.print(options);
    println!(
        "\nadded: over Envoy alone in the same round, median; least: of the least of all rounds. Module MiB: the memory \
         of the worker's and the main\nthread's module. Where Envoy waited for its core for more than a few percent of \
         the time, other programs had it, and p99 is theirs."
    );
    Ok(())
}

fn chosen(options: &Options) -> Result<(Vec<Variant>, Vec<Rc<Workload>>), Fault> {
    let (mut variants, mut workloads) = (variant::all(), workload::all());
    for name in &options.only {
        let known = variants.iter().any(|each| each.name == name) || workloads.iter().any(|each| each.name == name);
        if !known {
            return Err(Fault::Option(format!("--only {name}: there is neither such a variant nor such traffic")));
        }
    }
    let named = |name: &str| options.only.iter().any(|each| each == name);
    if variants.iter().any(|variant| named(variant.name)) {
        // What is added is added to Envoy alone.
        variants.retain(|variant| named(variant.name) || matches!(variant.filter, Filter::None));
    }
    if workloads.iter().any(|workload| named(workload.name)) {
        workloads.retain(|workload| named(workload.name));
    }
    if let Some(text) = &options.filter {
        let filter = Filter::Tollgate(text.clone());
        variants.push(Variant { name: "given", title: "Tollgate, as --filter says", filter });
    }
    Ok((variants, workloads.into_iter().map(Rc::new).collect()))
}

impl Results {
    async fn measure(
        &mut self,
        index: usize,
        options: &Options,
        setting: &Setting,
        stage: &Stage,
    ) -> Result<(), Fault> {
        let Some(variant) = self.variants.get(index) else { return Ok(()) };
        let envoy = Envoy::start(setting, &variant.filter).await?;
        let mut exchanges = 0;
        let (begun, waited) = (Instant::now(), envoy.waited());
        for (workload, series) in self.workloads.iter().zip(self.series.get_mut(index).into_iter().flatten()) {
            let (sample, made) = sample(&envoy, workload, options, stage).await?;
            series.0.push(sample);
            exchanges += made;
        }
        let waited = envoy.waited().saturating_sub(waited).as_secs_f64() / begun.elapsed().as_secs_f64();
        sleep(FLUSH).await;
        let mut held = Held { resident: mib(envoy.resident()?), waited, ..Held::default() };
        if matches!(variant.filter, Filter::Tollgate(_)) {
            held.module = mib(envoy.own("memory_bytes").await?);
            held.dropped = envoy.own("export_spans_dropped").await?;
            let counted = envoy.own("calls").await?;
            if counted != exchanges {
                return Err(envoy.fault(&format!("counted {counted} calls of {exchanges}, as {}", variant.name)));
            }
        }
        if let Some(all) = self.held.get_mut(index) {
            all.push(held);
        }
        Ok(())
    }

    fn print(&self, options: &Options) {
        let base = self.variants.iter().position(|variant| matches!(variant.filter, Filter::None)).unwrap_or(0);
        let native = self.variants.iter().position(|variant| matches!(variant.filter, Filter::Native));
        for (place, workload) in self.workloads.iter().enumerate() {
            let of = |variant: usize| self.series.get(variant).and_then(|series| series.get(place));
            let Some(base) = of(base) else { continue };
            let native = native.and_then(of).map(|series| series.added(base, |sample| sample.cpu));
            println!("\n{}: {} exchanges a round", workload.title, requests(options, workload));
            let per_event = if workload.events.is_some() { "  an event" } else { "" };
            let delay = if workload.stepwise { "event" } else { "exchange" };
            println!("  {:38} CPU us   added   least{per_event}  x native | {delay} p50   added     p99   added", "");
            for (variant, series) in self.variants.iter().enumerate().filter_map(|(at, each)| Some((each, of(at)?))) {
                let cpu = series.added(base, |sample| sample.cpu);
                let least = series.least(|sample| sample.cpu) - base.least(|sample| sample.cpu);
                print!("  {:38} {:6.1} {cpu:+7.1} {least:+7.1}", variant.title, series.median(|sample| sample.cpu));
                if let Some(events) = workload.events {
                    #[expect(clippy::cast_precision_loss, reason = "300")]
                    let each = cpu / events as f64;
                    print!("  {each:+8.2}");
                }
                print!("  {:>8}", native.map_or_else(String::new, |native| format!("{:.2}", cpu / native)));
                let columns = [|sample: &Sample| sample.half, |sample: &Sample| sample.most];
                print!(" |{:1$}", "", delay.len() - 3);
                for of in columns {
                    print!(" {:7.1} {:+7.1}", series.median(of), series.added(base, of));
                }
                println!();
            }
        }
        println!("\n  {:38} RSS MiB   added   module MiB   waited for a core", "");
        let resident =
            |variant: usize| median(self.held.get(variant).into_iter().flatten().map(|held| held.resident).collect());
        for (at, (variant, held)) in self.variants.iter().zip(&self.held).enumerate() {
            let module = median(held.iter().map(|held| held.module).collect());
            let waited = 100.0 * median(held.iter().map(|held| held.waited).collect());
            let dropped: u64 = held.iter().map(|held| held.dropped).sum();
            let note = if dropped > 0 { format!("   {dropped} spans dropped") } else { String::new() };
            let all = resident(at);
            println!(
                "  {:38} {all:7.1} {:+7.1} {module:12.2} {waited:15.1} %{note}",
                variant.title,
                all - resident(base)
            );
        }
    }
}

fn requests(options: &Options, workload: &Workload) -> usize {
    (options.requests / workload.heavier).max(10)
}

/// Measures one kind of traffic; says also how many exchanges that took.
async fn sample(
    envoy: &Envoy,
    workload: &Rc<Workload>,
    options: &Options,
    stage: &Stage,
) -> Result<(Sample, u64), Fault> {
    let count = requests(options, workload);
    let (warm, single) = ((count / 5).max(5), (count / 5).max(5));
    let callers = load::callers(envoy.port(), stage, options.connections.max(1))?;
    let callers = load::all(callers, workload, warm).await?;
    let before = envoy.cpu()?;
    let mut callers = load::all(callers, workload, count).await?;
    let used = envoy.cpu()?.saturating_sub(before);
    let mut times = match callers.first_mut() {
        Some(caller) => load::times(caller, workload, single).await?,
        None => Vec::new(),
    };
    #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
    let cpu = used.as_secs_f64() * 1e6 / count as f64;
    let (half, most) = (percentile(&mut times, 0.5), percentile(&mut times, 0.99));
    let made = u64::try_from(warm + count + single).unwrap_or(u64::MAX);
    Ok((Sample { cpu, half, most }, made))
}
