//! What a filter costs Envoy: processor time an exchange, delay, memory.
//!
//! In every round each variant gets an Envoy of its own, all of them at the same time, and they take turns with short
//! runs of exchanges, another one first each time; so what changes on the machine meets all of them alike. Per kind of
//! traffic come exchanges to warm up, then a counted number of them on several connections, over which Envoy's
//! processor time is taken (user and system, all of its threads, and what it sends to the collector afterwards), then
//! some on one connection alone, whose times are taken. What a variant adds is the difference to Envoy alone in the
//! same round. An Envoy that waits for its turn uses a thousandth of a core, with a filter as without, so that cancels.

use crate::caller::Caller;
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
/// Turns of each variant for one kind of traffic in one round.
const TURNS: usize = 20;

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
        results.measure(options, &setting, &stage).await?;
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

/// An Envoy and its callers.
struct Seat {
    envoy: Envoy,
    callers: Vec<Caller>,
    /// Exchanges so far.
    made: u64,
    /// Processor time when the counted exchanges began.
    before: Duration,
    times: Vec<Duration>,
}

impl Seat {
    async fn take(filter: &Filter, options: &Options, setting: &Setting, stage: &Stage) -> Result<Self, Fault> {
        let envoy = Envoy::start(setting, filter).await?;
        let callers = load::callers(envoy.port(), stage, options.connections.max(1))?;
        Ok(Self { envoy, callers, made: 0, before: Duration::ZERO, times: Vec::new() })
    }

    async fn exchange(&mut self, workload: &Rc<Workload>, count: usize) -> Result<(), Fault> {
        self.callers = load::all(std::mem::take(&mut self.callers), workload, count).await?;
        self.made += u64::try_from(count).unwrap_or(u64::MAX);
        Ok(())
    }

    async fn time(&mut self, workload: &Workload, count: usize) -> Result<(), Fault> {
        if let Some(caller) = self.callers.first_mut() {
            self.times.append(&mut load::times(caller, workload, count).await?);
            self.made += u64::try_from(count).unwrap_or(u64::MAX);
        }
        Ok(())
    }

    async fn held(&self, variant: &Variant, waited: f64) -> Result<Held, Fault> {
        let envoy = &self.envoy;
        let mut held = Held { resident: mib(envoy.resident()?), waited, ..Held::default() };
        if matches!(variant.filter, Filter::Tollgate(_)) {
            let counted = envoy.own_in_time("calls", self.made).await?;
            held.module = mib(envoy.own("memory_bytes").await?);
            held.dropped = envoy.own("export_spans_dropped").await?;
            if counted != self.made {
                return Err(envoy.fault(&format!("counted {counted} calls of {}, as {}", self.made, variant.name)));
            }
        }
        Ok(held)
    }
}

impl Results {
    /// One round.
    async fn measure(&mut self, options: &Options, setting: &Setting, stage: &Stage) -> Result<(), Fault> {
        let mut seats = Vec::new();
        for variant in &self.variants {
            seats.push(Seat::take(&variant.filter, options, setting, stage).await?);
        }
        let begun = Instant::now();
        let waited: Vec<Duration> = seats.iter().map(|seat| seat.envoy.waited()).collect();
        for (place, workload) in self.workloads.iter().enumerate() {
            let samples = samples(&mut seats, workload, turn(options, workload)).await?;
            for (series, sample) in self.series.iter_mut().zip(samples) {
                series.get_mut(place).into_iter().for_each(|series| series.0.push(sample));
            }
        }
        // Of the time in which this Envoy had its turn.
        #[expect(clippy::cast_precision_loss, reason = "a handful")]
        let share = begun.elapsed().as_secs_f64() / self.variants.len() as f64;
        for (at, (seat, variant)) in seats.iter().zip(&self.variants).enumerate() {
            let before = waited.get(at).copied().unwrap_or_default();
            let waited = seat.envoy.waited().saturating_sub(before).as_secs_f64() / share;
            let held = seat.held(variant, waited).await?;
            self.held.get_mut(at).into_iter().for_each(|all| all.push(held));
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
            println!("\n{}: {} exchanges a round", workload.title, turn(options, workload) * TURNS);
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

/// Exchanges of one turn.
fn turn(options: &Options, workload: &Workload) -> usize {
    (options.requests / workload.heavier / TURNS).max(1)
}

/// All of them, beginning with another one each time.
fn from(seats: &mut [Seat], first: usize) -> impl Iterator<Item = &mut Seat> {
    let (before, after) = seats.split_at_mut(first % seats.len().max(1));
    after.iter_mut().chain(before)
}

/// Measures one kind of traffic, of each Envoy.
async fn samples(seats: &mut [Seat], workload: &Rc<Workload>, turn: usize) -> Result<Vec<Sample>, Fault> {
    for seat in &mut *seats {
        seat.exchange(workload, turn * (TURNS / 4)).await?;
    }
    sleep(FLUSH).await;
    for seat in &mut *seats {
        seat.before = seat.envoy.cpu()?;
    }
    for first in 0..TURNS {
        for seat in from(seats, first) {
            seat.exchange(workload, turn).await?;
        }
    }
    sleep(FLUSH).await;
    let mut used = Vec::new();
    for seat in &*seats {
        used.push(seat.envoy.cpu()?.saturating_sub(seat.before));
    }
    for first in 0..TURNS {
        for seat in from(seats, first) {
            seat.time(workload, turn.div_ceil(4)).await?;
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
    let exchanges = (turn * TURNS) as f64;
    let sample = |(seat, used): (&mut Seat, Duration)| {
        let mut times = std::mem::take(&mut seat.times);
        Sample {
            cpu: used.as_secs_f64() * 1e6 / exchanges,
            half: percentile(&mut times, 0.5),
            most: percentile(&mut times, 0.99),
        }
    };
    Ok(seats.iter_mut().zip(used).map(sample).collect())
}
