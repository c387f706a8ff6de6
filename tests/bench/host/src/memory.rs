//! What the host holds: when nothing comes, when more comes than goes, and when senders are many and slow.
//!
//! Nothing leaves, because the backend does not answer, until three times the limit has been offered. Refusals are part of
//! it: each has to say when to send again, and what was acknowledged has to arrive when the backend is back.

use crate::client::Transport;
use crate::fault::Fault;
use crate::figures::{count, mib};
use crate::load::{self, Load};
use crate::process::{Folder, Process};
use crate::sink::{Mood, Sink};
use crate::slow::{self, Crowd};
use crate::spans::{Content, Template};
use crate::subject::{self, Config, Log, Output, Place, Ports, Stages};
use std::cell::Cell;
use std::fmt;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::time::{MissedTickBehavior, interval, sleep};

/// Spans of a request.
const BATCH: u64 = 100;
/// How often memory is looked at.
const EVERY: Duration = Duration::from_millis(50);
/// Longest that all of it may take to be offered, and that the backend is waited for afterwards.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is offered.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// `memory.limit` of the host, in MiB
    #[arg(long, default_value_t = 256)]
    limit: u64,
    /// Senders in a closed loop, half over gRPC and half over HTTP
    #[arg(long, default_value_t = 64)]
    senders: usize,
    #[command(flatten)]
    place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Subject {
    Rotel,
    Memory,
    Disk,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Rotel => "rotel, passing on",
            Self::Memory => "tollgate, four components, log in memory",
            Self::Disk => "tollgate, four components, log on disk",
        })
    }
}

/// The most that a process held in a situation, and what it said meanwhile.
#[derive(Clone, Copy, Debug, Default)]
struct Row {
    peak: u64,
    offered: u64,
    accepted: u64,
    again: u64,
    again_without: u64,
    refused: u64,
    unknown: u64,
    missing: u64,
}

/// Measures and prints.
///
/// # Errors
/// The host refused without saying when to send again, or lost what it acknowledged, or something could not be run.
pub(crate) async fn run(options: &Options) -> Result<(), Fault> {
    let rotel = options.place.rotel()?;
    let mut subjects = vec![Subject::Memory];
    if options.place.durable() {
        subjects.push(Subject::Disk);
    }
    if rotel.is_some() {
        subjects.push(Subject::Rotel);
    }
    println!(
        "the host's limit: {} MiB; memory looked at every {} ms; of limit: most RSS divided by that limit\n",
        options.limit,
        EVERY.as_millis()
    );
    println!(
        "  {:<42} {:<26} {:>8} {:>8} {:>11} {:>9} {:>9} {:>9} {:>9} {:>8} {:>8}",
        "",
        "",
        "RSS MiB",
        "of limit",
        "offered MiB",
        "accepted",
        "told when",
        "not told",
        "for good",
        "no word",
        "missing"
    );
    let mut faults = Vec::new();
    for subject in subjects {
        let measured = measure(options, subject, rotel.as_deref()).await?;
        for (situation, row) in measured {
            print(options, subject, situation, &row);
            let wrong = row.again_without + row.refused + row.missing;
            if subject != Subject::Rotel && wrong > 0 {
                faults.push(format!("{subject}, {situation}"));
            }
        }
    }
    if faults.is_empty() {
        return Ok(());
    }
    Err(Fault::Broken(format!("refused for good, not told when to send again, or lost: {}", faults.join("; "))))
}

fn print(options: &Options, subject: Subject, situation: &str, row: &Row) {
    println!(
        "  {subject:<42} {situation:<26} {:>8.1} {:>8.2} {:>11.0} {:>9} {:>9} {:>9} {:>9} {:>8} {:>8}",
        mib(row.peak),
        mib(row.peak) / count(options.limit),
        mib(row.offered),
        row.accepted,
        row.again,
        row.again_without,
        row.refused,
        row.unknown,
        row.missing,
    );
}

async fn measure(options: &Options, subject: Subject, rotel: Option<&Path>) -> Result<Vec<(&'static str, Row)>, Fault> {
    let sink = Sink::start(|_| {}).await?;
    let (folder, ports) = (options.place.folder()?, Ports::free()?);
    let mut rows = Vec::new();
    let mut process = start(options, subject, rotel, &folder, ports, &sink).await?;
    let idle = peak_while(&process, sleep(Duration::from_secs(3))).await;
    rows.push(("idle", Row { peak: idle, ..Row::default() }));
    overload(options, &process, ports, &sink, &mut rows).await?;
    process.stop().await;
    let folder = options.place.folder()?;
    process = start(options, subject, rotel, &folder, ports, &sink).await?;
    rows.push(("many slow senders", crowded(options, &process, ports).await?));
    process.stop().await;
    Ok(rows)
}

async fn start(
    options: &Options,
    subject: Subject,
    rotel: Option<&Path>,
    folder: &Folder,
    ports: Ports,
    sink: &Sink,
) -> Result<Process, Fault> {
    let output = Output { grpc: options.place.grpc_output(), gzip: false, hasty: true };
    if let (Subject::Rotel, Some(agent)) = (subject, rotel) {
        return subject::start_rotel(agent, folder, ports, sink, output, None).await;
    }
    let log = Log { fsync: "100ms".to_owned(), segment: "16MiB".to_owned(), most: "8GiB".to_owned() };
    let log = (subject == Subject::Disk).then_some(log);
    let config = Config { stages: Stages::ALL, output, log, memory: Some(options.limit) };
    config.start(&options.place, folder, ports, sink, None, None).await
}

/// The backend does not answer until all has been offered; then it does.
async fn overload(
    options: &Options,
    process: &Process,
    ports: Ports,
    sink: &Sink,
    rows: &mut Vec<(&'static str, Row)>,
) -> Result<(), Fault> {
    sink.be(Mood::Stalled);
    let already = sink.spans();
    let numbers = Rc::new(Cell::new(0));
    let loads = [Transport::Grpc, Transport::Http].map(|transport| {
        let templates = (0..4).map(|seed| Template::new(Content::Messages, BATCH, seed)).collect();
        let to = (ports.receiver(transport.grpc()), transport.grpc());
        let source = load::source(templates, transport, &numbers, 0);
        Load::start(source, to, options.senders.div_ceil(2), Duration::ZERO, None)
    });
    let offered = || loads.iter().map(|load| load.tally().offered.get()).sum::<u64>();
    let row = |peak| {
        let mut row = Row { peak, ..Row::default() };
        for tally in loads.iter().map(Load::tally) {
            row.offered += tally.offered.get();
            row.accepted += tally.accepted.get();
            row.again += tally.again.get();
            row.again_without += tally.again_without.get();
            row.refused += tally.refused.get();
            row.unknown += tally.unknown.get();
        }
        row
    };
    let mut peak = 0;
    for (situation, times) in [("offered the limit", 1), ("offered 3 times the limit", 3)] {
        let start = Instant::now();
        let until = async {
            while offered() < (times * options.limit) << 20 && start.elapsed() < PATIENCE {
                sleep(Duration::from_millis(5)).await;
            }
        };
        peak = peak_while(process, until).await.max(peak);
        rows.push((situation, row(peak)));
    }
    sink.be(Mood::Well);
    let mut accepted = 0;
    let settled = async {
        for load in loads {
            accepted += load.finish().await.accepted.get();
        }
        let start = Instant::now();
        while sink.spans() - already < accepted && start.elapsed() < PATIENCE {
            sleep(Duration::from_millis(20)).await;
        }
    };
    let after = peak_while(process, settled).await;
    let missing = accepted.saturating_sub(sink.spans() - already);
    rows.push(("the backend is back", Row { peak: after, accepted, missing, ..Row::default() }));
    Ok(())
}

/// Three times the limit, in requests that come a little at a time and do not end.
async fn crowded(options: &Options, process: &Process, ports: Ports) -> Result<Row, Fault> {
    let crowd = Crowd { port: ports.http, senders: 3 * options.limit, bytes: 1 << 20, time: Duration::from_secs(4) };
    let mut said = slow::Said::default();
    let peak = peak_while(process, async { said = slow::send(crowd).await }).await;
    Ok(Row {
        peak,
        offered: said.bytes,
        again: said.told_when,
        again_without: said.not_told,
        refused: said.for_good,
        unknown: said.nothing,
        ..Row::default()
    })
}

/// The most that the process holds while something goes on.
async fn peak_while(process: &Process, work: impl Future<Output = ()>) -> u64 {
    let mut work = std::pin::pin!(work);
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut peak = 0;
    loop {
        peak = process.resident().max(peak);
        tokio::select! {
            () = &mut work => return process.resident().max(peak),
            _ = ticks.tick() => {}
        }
    }
}
