//! Minutes of overload: senders never rest, the backend is slow, refuses, stalls, forgets and goes away in turns.
//!
//! In the end what was acknowledged has arrived, the memory was flat, and the host's counters say what was sent.

use crate::client::Transport;
use crate::fault::Fault;
use crate::figures::{count, mib, slope};
use crate::ledger::Ledger;
use crate::load::{self, Load, Tally};
use crate::process;
use crate::sink::{Mood, Sink};
use crate::spans::{Content, Template, number};
use crate::subject::{self, Config, Log, Output, Place, Ports, Stages, sum};
use crate::wire::Fields;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// Spans of a request.
const BATCH: u64 = 100;
/// The moods of the backend, and how many seconds each lasts.
const MOODS: [(Mood, u64); 8] = [
    (Mood::Well, 10),
    (Mood::Slow(Duration::from_millis(100)), 15),
    (Mood::Refusing, 5),
    (Mood::Well, 10),
    (Mood::Stalled, 8),
    (Mood::Slow(Duration::from_millis(20)), 10),
    (Mood::Down, 5),
    (Mood::Forgetting, 2),
];

/// How long, and how hard.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How long it is kept up
    #[arg(long, default_value_t = 10.0)]
    minutes: f64,
    /// Senders in a closed loop, half over gRPC and half over HTTP
    #[arg(long, default_value_t = 32)]
    senders: usize,
    /// Kind of the spans
    #[arg(long, value_enum, default_value_t = Content::Messages)]
    content: Content,
    /// `memory.limit` of the host, in MiB
    #[arg(long, default_value_t = 256)]
    limit: u64,
    /// `log.max_bytes` of the host
    #[arg(long, default_value = "512MiB")]
    log: String,
    /// The host's policy for its log
    #[arg(long, default_value = "100ms")]
    fsync: String,
    /// Seconds that the host has in the end to deliver what it owes
    #[arg(long, default_value_t = 300)]
    patience: u64,
    #[command(flatten)]
    place: Place,
}

/// Soaks and judges.
///
/// # Errors
/// Something is lost, a counter is wrong, or something could not be run.
pub(crate) async fn run(options: &Options) -> Result<(), Fault> {
    let core = process::apart()?;
    let ledger = Rc::new(RefCell::new(Ledger::default()));
    let arrivals = Rc::clone(&ledger);
    let foreign = Rc::new(Cell::new(0));
    let unknown = Rc::clone(&foreign);
    let sink = Sink::start(move |span| {
        // Span.span_id = 2.
        let id = Fields(span).flatten().find(|field| field.number == 2).and_then(|field| number(field.inner));
        if !id.is_some_and(|id| arrivals.borrow_mut().arrive(id)) {
            load::add(&unknown, 1);
        }
    })
    .await?;
    let (folder, ports) = (options.place.folder()?, Ports::free()?);
    let output = Output { grpc: options.place.grpc_output(), gzip: false, hasty: true };
    let log = Log { fsync: options.fsync.clone(), segment: "16MiB".to_owned(), most: options.log.clone() };
    let config = Config { stages: Stages::ALL, output, log: Some(log), memory: Some(options.limit) };
    let process = config.start(&options.place, &folder, ports, &sink, core, None).await?;
    let numbers = Rc::new(Cell::new(0));
    let loads = [Transport::Grpc, Transport::Http].map(|transport| {
        let templates = (0..4).map(|seed| Template::new(options.content, BATCH, seed)).collect();
        let to = (ports.receiver(transport.grpc()), transport.grpc());
        let source = load::source(templates, transport, &numbers, 0);
        Load::start(source, to, options.senders.div_ceil(2), Duration::ZERO, Some(&ledger))
    });
    println!("  seconds      owed   delivered   duplicates   refusals   RSS MiB   backend");
    let (start, length) = (Instant::now(), Duration::from_secs_f64(options.minutes * 60.0));
    let (mut memory, mut told) = (Vec::new(), Duration::ZERO);
    while start.elapsed() < length {
        let mood = mood(start.elapsed());
        sink.be(mood);
        sleep(Duration::from_millis(500)).await;
        memory.push((start.elapsed().as_secs_f64() / 60.0, mib(process.resident())));
        if start.elapsed() >= told {
            told += length / 30;
            let refusals: u64 = loads.iter().map(|load| load.tally().again.get()).sum();
            let ledger = ledger.borrow();
            println!(
                "  {:>7.0} {:>9} {:>11} {:>12} {refusals:>10} {:>9.1}   {}",
                start.elapsed().as_secs_f64(),
                ledger.owed(),
                ledger.arrived(),
                ledger.duplicates(),
                mib(process.resident()),
                mood.name()
            );
        }
    }
    sink.be(Mood::Well);
    let mut tallies = Vec::new();
    for load in loads {
        tallies.push(load.finish().await);
    }
    let since = Instant::now();
    while ledger.borrow().missing().next().is_some() && since.elapsed() < Duration::from_secs(options.patience) {
        sleep(Duration::from_millis(100)).await;
    }
    println!("\nwhat was owed at the end took {:.1} s", since.elapsed().as_secs_f64());
    flatness(options, &memory);
    let page = subject::metrics(ports).await?;
    let fault = judge(&ledger.borrow(), &tallies, &page, foreign.get() + sink.malformed());
    process.stop().await;
    fault
}

fn mood(time: Duration) -> Mood {
    let round: u64 = MOODS.iter().map(|(_, seconds)| seconds).sum();
    let mut left = time.as_secs() % round;
    for (mood, seconds) in MOODS {
        if left < seconds {
            return mood;
        }
        left -= seconds;
    }
    Mood::Well
}

/// Whether memory grew, behind the first fifth of the time.
fn flatness(options: &Options, memory: &[(f64, f64)]) {
    let later = memory.get(memory.len() / 5..).unwrap_or_default();
    let (least, most) = later
        .iter()
        .fold((f64::INFINITY, 0.0), |(least, most): (f64, f64), (_, rss)| (least.min(*rss), most.max(*rss)));
    let mean = later.iter().map(|(_, rss)| rss).sum::<f64>() / count(later.len() as u64);
    let slope = slope(later);
    let grown = slope * options.minutes * 0.8;
    let verdict = if grown.abs() < mean * 0.05 { "flat" } else { "NOT FLAT" };
    println!(
        "RSS behind the first fifth: {least:.1} to {most:.1} MiB, {slope:+.2} MiB a minute, {grown:+.1} in all: {verdict}; \
         the most is {:.2} of the limit of {} MiB",
        most / count(options.limit),
        options.limit
    );
}

fn judge(ledger: &Ledger, tallies: &[Rc<Tally>], page: &str, strange: u64) -> Result<(), Fault> {
    let all = |pick: fn(&Tally) -> &Cell<u64>| tallies.iter().map(|tally| pick(tally).get()).sum::<u64>();
    let (accepted, unknown) = (all(|tally| &tally.accepted), all(|tally| &tally.unknown));
    let (again, without) = (all(|tally| &tally.again), all(|tally| &tally.again_without));
    let refused = all(|tally| &tally.refused);
    let missing = ledger.missing().count();
    let received = sum(page, "tollgate_spans_received_total");
    let dropped = sum(page, "tollgate_output_dropped_total");
    println!(
        "acknowledged {accepted}, delivered {} and {} of them again, missing {missing} {:?}",
        ledger.arrived(),
        ledger.duplicates(),
        ledger.missing().take(10).collect::<Vec<_>>()
    );
    println!(
        "refusals that said when to send again {again}, that did not {without}, for good {refused}, no word {unknown}"
    );
    println!(
        "the host counted {received} spans received and {dropped} dropped, {} requests refused, {} attempts of its \
         output after the first",
        sum(page, "tollgate_requests_refused_total"),
        sum(page, "tollgate_output_retries_total"),
    );
    // A request without an answer may have been received, whole, or not.
    let counted = (accepted..=accepted + unknown * BATCH).contains(&received);
    let wrong = [
        (missing > 0, "acknowledged spans are missing"),
        (dropped > 0, "the host says that it dropped spans"),
        (!counted, "the host counted other spans than were sent"),
        (without > 0, "a refusal did not say when to send again"),
        (refused > 0, "requests were refused for good"),
        (strange > 0, "something arrived that nobody sent"),
        (accepted == 0, "nothing was acknowledged"),
    ];
    let wrong: Vec<_> = wrong.iter().filter(|(is, _)| *is).map(|(_, what)| *what).collect();
    if wrong.is_empty() { Ok(()) } else { Err(Fault::Broken(wrong.join("; "))) }
}
