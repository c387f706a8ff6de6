//! Spans a second through one core: the host passing on, the host with all four components, and rotel passing on.
//!
//! Senders are in a closed loop, so that the process under test is never without work; what counts is what the backend
//! got. All subjects take turns within a round, and ratios are told within a round, so that a machine that is busy with
//! something else slows both.

use crate::client::Transport;
use crate::fault::Fault;
use crate::figures::{count, median, percentile};
use crate::load::{self, Load};
use crate::process::{self, Process};
use crate::sink::Sink;
use crate::spans::{Content, Template};
use crate::subject::{self, Config, Log, Output, Place, Ports, Stages};
use std::fmt;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// Spans that are packed beforehand where they travel in gzip.
const PACKED: u64 = 60_000;
/// Different requests.
const TEMPLATES: u64 = 4;
/// Longest that the backend is waited for behind the last acknowledgement.
const SETTLING: Duration = Duration::from_secs(10);

/// What is measured.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Kinds of spans
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Content::Typical, Content::Messages])]
    content: Vec<Content>,
    /// How they travel, in and out
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Transport::GrpcGzip, Transport::Grpc, Transport::Http])]
    transport: Vec<Transport>,
    /// Spans of a request, multiples of 4
    #[arg(long, value_delimiter = ',', default_values_t = [100, 1000])]
    batch: Vec<u64>,
    /// Rounds, in each of which every subject has its turn; the median counts
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Seconds that are measured of a turn, behind a warm-up of two
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Requests that are under way at a time
    #[arg(long, default_value_t = 16)]
    senders: usize,
    /// The host's policy for its log
    #[arg(long, default_value = "100ms")]
    fsync: String,
    #[command(flatten)]
    place: Place,
}

/// Who has a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Subject {
    Rotel,
    Passing { durable: bool },
    Components { durable: bool },
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Rotel => "rotel, passing on",
            Self::Passing { durable: false } => "tollgate, passing on",
            Self::Passing { durable: true } => "tollgate, passing on, log on disk",
            Self::Components { durable: false } => "tollgate, four components",
            Self::Components { durable: true } => "tollgate, four, log on disk",
        })
    }
}

/// What one turn says.
#[derive(Clone, Copy, Debug)]
struct Turn {
    /// Spans a second that the backend got, and that were acknowledged.
    rate: f64,
    accepted: f64,
    /// Processor time of the subject, and of generator and backend, as shares of a core.
    busy: f64,
    own: f64,
    /// Share of the time that the subject's threads together waited for their core.
    waited: f64,
    /// Milliseconds to the acknowledgement.
    half: f64,
    most: f64,
    /// Requests refused or without an answer.
    refused: f64,
    /// Spans acknowledged and not delivered in time.
    missing: f64,
    /// Memory at the end, in MiB.
    resident: f64,
}

/// One row of figures.
#[derive(Clone, Copy, Debug)]
struct Case {
    content: Content,
    transport: Transport,
    batch: u64,
}

/// Measures and prints.
///
/// # Errors
/// Something could not be run.
pub(crate) async fn run(options: &Options) -> Result<(), Fault> {
    let core = process::apart()?;
    let rotel = options.place.rotel()?;
    let subjects = subjects(rotel.is_some(), options.place.durable());
    match core {
        Some(core) => println!("the process under test on core {core}, generator and backend on another"),
        None => println!("one core for everything: the figures are of little use"),
    }
    println!("{} rounds of {} s, {} requests under way", options.rounds, options.seconds, options.senders);
    for &content in &options.content {
        for &transport in &options.transport {
            for &batch in &options.batch {
                let case = Case { content, transport, batch };
                let mut turns = vec![Vec::new(); subjects.len()];
                for round in 0..options.rounds {
                    for place in 0..subjects.len() {
                        let at = (place + round) % subjects.len();
                        if let (Some(subject), Some(turns)) = (subjects.get(at), turns.get_mut(at)) {
                            turns.push(turn(options, *subject, case, rotel.as_ref(), core).await?);
                        }
                    }
                }
                print(case, &subjects, &turns);
            }
        }
    }
    Ok(())
}

fn subjects(rotel: bool, durable: bool) -> Vec<Subject> {
    let mut subjects = Vec::new();
    if rotel {
        subjects.push(Subject::Rotel);
    }
    subjects.push(Subject::Passing { durable: false });
    if durable {
        subjects.push(Subject::Passing { durable: true });
    }
    subjects.push(Subject::Components { durable: false });
    if durable {
        subjects.push(Subject::Components { durable: true });
    }
    subjects
}

async fn turn(
    options: &Options,
    subject: Subject,
    case: Case,
    rotel: Option<&PathBuf>,
    core: Option<usize>,
) -> Result<Turn, Fault> {
    let sink = Sink::start(|_| {}).await?;
    let (folder, ports) = (options.place.folder()?, Ports::free()?);
    let grpc = case.transport.grpc() && options.place.grpc_output();
    let output = Output { grpc, gzip: case.transport.gzip(), hasty: false };
    let log = Log { fsync: options.fsync.clone(), segment: "64MiB".to_owned(), most: "4GiB".to_owned() };
    let config =
        |stages, durable: bool| Config { stages, output, log: durable.then(|| log.clone()), memory: Some(512) };
    let process = match (subject, rotel) {
        (Subject::Rotel, Some(agent)) => subject::start_rotel(agent, &folder, ports, &sink, output, core).await?,
        (Subject::Components { durable }, _) => {
            config(Stages::ALL, durable).start(&options.place, &folder, ports, &sink, core, None).await?
        }
        (Subject::Passing { durable }, _) => {
            config(Stages::default(), durable).start(&options.place, &folder, ports, &sink, core, None).await?
        }
        (Subject::Rotel, None) => return Err(Fault::Option("rotel is not there".to_owned())),
    };
    let templates = (0..TEMPLATES).map(|seed| Template::new(case.content, case.batch, seed)).collect();
    let source = load::source(templates, case.transport, &Rc::default(), PACKED);
    let to = (ports.receiver(case.transport.grpc()), case.transport.grpc());
    let load = Load::start(source, to, options.senders, Duration::ZERO, None);
    sleep(Duration::from_secs(2)).await;
    let turn = measure(options, &process, &sink, &load).await?;
    let tally = load.finish().await;
    if let Some(reason) = tally.reason.borrow().as_ref() {
        println!("  {subject} refused for good: {reason}");
    }
    let start = Instant::now();
    while sink.spans() < tally.accepted.get() && start.elapsed() < SETTLING {
        sleep(Duration::from_millis(50)).await;
    }
    let missing = count(tally.accepted.get().saturating_sub(sink.spans()));
    if sink.malformed() > 0 {
        return Err(process.fault("delivered what is not OTLP"));
    }
    process.stop().await;
    Ok(Turn { missing, ..turn })
}

async fn measure(options: &Options, process: &Process, sink: &Sink, load: &Load) -> Result<Turn, Fault> {
    let tally = load.tally();
    let refused = || tally.again.get() + tally.again_without.get() + tally.refused.get() + tally.unknown.get();
    tally.times.replace(Some(Vec::new()));
    let waited = process.waited();
    let accepted = tally.accepted.get();
    let before = (Instant::now(), sink.spans(), process.cpu()?, process::own_cpu(), refused());
    sleep(Duration::from_secs_f64(options.seconds)).await;
    let took = before.0.elapsed().as_secs_f64();
    let share = |after: Duration, before: Duration| after.saturating_sub(before).as_secs_f64() / took;
    if process.resident() == 0 {
        return Err(process.fault("ended under load"));
    }
    let mut times = tally.times.take().unwrap_or_default();
    Ok(Turn {
        rate: count(sink.spans() - before.1) / took,
        accepted: count(tally.accepted.get() - accepted) / took,
        waited: share(process.waited(), waited),
        busy: share(process.cpu()?, before.2),
        own: share(process::own_cpu(), before.3),
        half: percentile(&mut times, 0.5),
        most: percentile(&mut times, 0.99),
        refused: count(refused() - before.4),
        missing: 0.0,
        resident: crate::figures::mib(process.resident()),
    })
}

fn print(case: Case, subjects: &[Subject], turns: &[Vec<Turn>]) {
    let content = match case.content {
        Content::Typical => "typical spans",
        Content::Messages => "spans with messages",
    };
    let bytes = Template::new(case.content, case.batch, 0).len() as u64 / case.batch.max(1);
    println!("\n{content}, {bytes} bytes each, {} a request, {}", case.batch, case.transport.name());
    println!(
        "  {:<34} {:>9} {:>7} {:>9} {:>9} {:>6} {:>6} {:>6} {:>8} {:>8} {:>8} {:>9} {:>8}",
        "",
        "out/s",
        "rotel=1",
        "in/s",
        "us a span",
        "CPU",
        "waits",
        "gen.",
        "p50 ms",
        "p99 ms",
        "refused",
        "missing",
        "RSS MiB"
    );
    let first = turns.first().map(Vec::as_slice).unwrap_or_default();
    for (subject, turns) in subjects.iter().zip(turns) {
        let of = |pick: &dyn Fn(&Turn) -> f64| median(turns.iter().map(pick).collect());
        let ratio = median(turns.iter().zip(first).map(|(own, first)| own.rate / first.rate).collect());
        let ratio = if subjects.first() == Some(&Subject::Rotel) { format!("{ratio:.2}") } else { String::new() };
        println!(
            "  {subject:<34} {:>9.0} {ratio:>7} {:>9.0} {:>9.2} {:>5.0}% {:>5.0}% {:>5.0}% {:>8.1} {:>8.1} {:>8.0} {:>9.0} {:>8.0}",
            of(&|turn| turn.rate),
            of(&|turn| turn.accepted),
            // What is taken in and thrown away cost something as well.
            of(&|turn| turn.busy / turn.rate.max(turn.accepted) * 1e6),
            of(&|turn| turn.busy * 100.0),
            of(&|turn| turn.waited * 100.0),
            of(&|turn| turn.own * 100.0),
            of(&|turn| turn.half),
            of(&|turn| turn.most),
            of(&|turn| turn.refused),
            of(&|turn| turn.missing),
            of(&|turn| turn.resident),
        );
    }
}
