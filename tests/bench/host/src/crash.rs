//! The crash test, with an oracle: who sends remembers what was acknowledged, and in the end all of it must have come.
//!
//! A round starts the host on the folder that the last one left, under traffic, and ends it without a word: by SIGKILL at
//! a random moment, or by a failpoint in its log (before or after a write, an fsync or an unlink). The backend fails,
//! stalls, forgets and comes back meanwhile. After the last round the faults stop, and what is owed has a limited time.

use crate::checked::{self, Difference};
use crate::client::{Payload, Transport};
use crate::fault::Fault;
use crate::ledger::Ledger;
use crate::load::{Load, Request, Source};
use crate::process::{Folder, Process};
use crate::random::Random;
use crate::sink::{Mood, Sink};
use crate::subject::{Config, Log, Output, Place, Ports, Stages};
use nix::sys::signal::Signal;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::time::sleep;

/// The failpoints of the log, and how often each may pass before it strikes, at most.
const FAILPOINTS: [(&str, u64); 6] = [
    ("journal.write.before", 200),
    ("journal.write.after", 200),
    ("journal.fsync.before", 40),
    ("journal.fsync.after", 40),
    ("journal.unlink.before", 3),
    ("journal.unlink.after", 3),
];
/// Spans of a request, at most.
const SPANS: u64 = 60;
/// Milliseconds that traces wait for a decision.
const DECISION_WAIT: u64 = 150;
/// Longest that a round with a failpoint waits for it, before it ends as the others do.
const ARMED: Duration = Duration::from_millis(700);
/// Examples that are shown.
const SHOWN: usize = 10;

/// How long, and how hard.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How often the host is killed
    #[arg(long, default_value_t = 200)]
    rounds: u64,
    /// Decides on faults, moments and content; else the time of day. Moments still depend on the machine
    #[arg(long)]
    seed: Option<u64>,
    /// One round in so many has the sampler, with traces waiting when the host dies; 0: none
    #[arg(long, default_value_t = 3)]
    sampler: u64,
    /// Bytes of a segment of the log, few, so that segments are removed all the time
    #[arg(long, default_value = "256KiB")]
    segment: String,
    /// Seconds that the host has in the end to deliver what it owes
    #[arg(long, default_value_t = 60)]
    patience: u64,
    /// Fail where there is no host with failpoints
    #[arg(long)]
    require_failpoints: bool,
    #[command(flatten)]
    place: Place,
}

/// How a round ends.
#[derive(Clone, Debug)]
enum End {
    Kill(Duration),
    Failpoint { name: &'static str, passes: u64 },
}

/// What happened, by name: how often it was tried, and how often it struck.
type Faults = BTreeMap<&'static str, (u64, u64)>;

/// What arrived that should not have.
#[derive(Debug, Default)]
struct Wrong {
    foreign: u64,
    content: Vec<u64>,
}

/// Everything that lives through all rounds.
struct Trial<'a> {
    options: &'a Options,
    folder: Folder,
    ports: Ports,
    sink: Sink,
    random: Random,
    faults: Faults,
    moods: BTreeMap<&'static str, u64>,
}

/// Runs the rounds and judges.
///
/// # Errors
/// Something owed is missing or differs, the host does not come back, or something could not be run.
pub(crate) async fn run(options: &Options) -> Result<(), Fault> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let seed = options.seed.unwrap_or(now.as_secs());
    let failing = options.place.failing_host().is_some() && options.place.durable();
    if !failing && options.require_failpoints {
        return Err(Fault::Option("there is no host with failpoints".to_owned()));
    }
    let ways = if failing { "SIGKILL and failpoints" } else { "SIGKILL only: there is no host with failpoints" };
    println!("{} rounds, seed {seed}, {ways}", options.rounds);
    let ledger = Rc::new(RefCell::new(Ledger::default()));
    let wrong = Rc::new(RefCell::new(Wrong::default()));
    let sink = Sink::start(observer(seed, &ledger, &wrong)).await?;
    let mut trial = Trial {
        options,
        folder: options.place.folder()?,
        ports: Ports::free()?,
        sink,
        random: Random::new(seed),
        faults: Faults::new(),
        moods: BTreeMap::new(),
    };
    let loads = senders(&trial, seed, &ledger);
    let start = Instant::now();
    for round in 0..options.rounds {
        trial.round(round, failing).await?;
        if (round + 1).is_multiple_of(20) {
            let ledger = ledger.borrow();
            println!(
                "  {:>4} rounds, {:>5.1} s: {} owed, {} of them not yet delivered",
                round + 1,
                start.elapsed().as_secs_f64(),
                ledger.owed(),
                ledger.missing().count()
            );
        }
    }
    let settled = trial.settle(&ledger, loads).await;
    trial.report(start.elapsed());
    judge(&trial, &ledger.borrow(), &wrong.borrow(), settled?)
}

/// Notes each span that arrives.
fn observer(seed: u64, ledger: &Rc<RefCell<Ledger>>, wrong: &Rc<RefCell<Wrong>>) -> impl FnMut(&[u8]) + 'static {
    let (ledger, wrong) = (Rc::clone(ledger), Rc::clone(wrong));
    move |span| match checked::compare(span, seed) {
        Ok(number) if ledger.borrow_mut().arrive(number) => {}
        Ok(_) | Err(Difference::Foreign) => wrong.borrow_mut().foreign += 1,
        Err(Difference::Content(number)) => wrong.borrow_mut().content.push(number),
    }
}

/// Two senders a transport, who live through all rounds.
fn senders(trial: &Trial<'_>, seed: u64, ledger: &Rc<RefCell<Ledger>>) -> Vec<Load> {
    let numbers = Rc::new(Cell::new(0));
    let load = |(salt, transport): (u64, Transport)| {
        let (numbers, random) = (Rc::clone(&numbers), RefCell::new(Random::new(seed ^ salt)));
        let source: Source = Box::new(move || {
            let (first, spans) = (numbers.get(), 1 + random.borrow_mut().below(SPANS));
            numbers.set(first + spans);
            Request { payload: Payload::encoded(&checked::request(first, spans, seed), transport), first, spans }
        });
        let port = trial.ports.receiver(transport.grpc());
        Load::start(source, (port, transport.grpc()), 2, Duration::from_millis(2), Some(ledger))
    };
    (1..).zip([Transport::Grpc, Transport::GrpcGzip, Transport::Http, Transport::HttpGzip]).map(load).collect()
}

impl Trial<'_> {
    async fn round(&mut self, round: u64, failing: bool) -> Result<(), Fault> {
        let end = self.end(round, failing);
        let failpoint = match &end {
            End::Kill(_) => None,
            End::Failpoint { name, passes } => Some(format!("{name}=abort@{passes}")),
        };
        let config = self.config(round);
        let started =
            config.start(&self.options.place, &self.folder, self.ports, &self.sink, None, failpoint.as_deref()).await;
        let struck = match (started, &end) {
            (Ok(process), _) => self.until_dead(process, &end).await?,
            // The failpoint struck while the host was reading its log.
            (Err(Fault::Ended { status, .. }), End::Failpoint { .. }) if aborted(status) => true,
            (Err(fault), _) => return Err(fault),
        };
        let name = match end {
            End::Kill(_) => "SIGKILL",
            End::Failpoint { name, .. } => name,
        };
        let (tried, hit) = self.faults.entry(name).or_default();
        *tried += 1;
        *hit += u64::from(struck);
        Ok(())
    }

    /// Every failpoint has its turn, and every second round is killed from outside.
    fn end(&mut self, round: u64, failing: bool) -> End {
        let at = usize::try_from(round / 2).unwrap_or(0) % FAILPOINTS.len();
        match FAILPOINTS.get(at) {
            Some(&(name, most)) if failing && round % 2 == 1 => {
                End::Failpoint { name, passes: 1 + self.random.below(most) }
            }
            _ => End::Kill(Duration::from_millis(self.random.below(400))),
        }
    }

    fn config(&self, round: u64) -> Config {
        let sampled = self.options.sampler > 0 && round.is_multiple_of(self.options.sampler);
        Config {
            stages: Stages { sample: sampled.then_some(DECISION_WAIT), ..Stages::default() },
            output: Output { grpc: self.options.place.grpc_output() && round % 4 > 1, gzip: false, hasty: true },
            log: Some(Log {
                fsync: if round.is_multiple_of(2) { "always" } else { "100ms" }.to_owned(),
                segment: self.options.segment.clone(),
                most: "256MiB".to_owned(),
            }),
            memory: Some(128),
        }
    }

    /// Changes the mood of the backend until the host is dead; whether it died of a failpoint.
    async fn until_dead(&mut self, mut process: Process, end: &End) -> Result<bool, Fault> {
        const MOODS: [Mood; 8] = [
            Mood::Well,
            Mood::Well,
            Mood::Well,
            Mood::Slow(Duration::from_millis(30)),
            Mood::Refusing,
            Mood::Forgetting,
            Mood::Stalled,
            Mood::Down,
        ];
        let started = Instant::now();
        let life = if let End::Kill(life) = end { *life } else { ARMED };
        let mut change = Duration::ZERO;
        while started.elapsed() < life {
            if started.elapsed() >= change {
                let mood = self.random.of(&MOODS).copied().unwrap_or(Mood::Well);
                *self.moods.entry(mood.name()).or_default() += 1;
                self.sink.be(mood);
                change = started.elapsed() + Duration::from_millis(20 + self.random.below(200));
            }
            if let Some(status) = process.ended() {
                return match end {
                    End::Failpoint { .. } if aborted(Some(status)) => Ok(true),
                    _ => Err(process.fault(&format!("ended by itself with {status}"))),
                };
            }
            sleep(Duration::from_millis(3).min(life)).await;
        }
        process.kill();
        Ok(matches!(end, End::Kill(_)))
    }

    /// No more faults: senders end, and the host delivers. Gives the time that it took, `None` where it was not enough.
    async fn settle(&mut self, ledger: &Rc<RefCell<Ledger>>, loads: Vec<Load>) -> Result<Option<Duration>, Fault> {
        self.sink.be(Mood::Well);
        let config = self.config(0);
        let process = config.start(&self.options.place, &self.folder, self.ports, &self.sink, None, None).await?;
        // Senders whose host was dead get through once more.
        sleep(Duration::from_millis(500)).await;
        for load in loads {
            let tally = load.finish().await;
            if let Some(reason) = tally.reason.borrow().as_ref() {
                return Err(Fault::Broken(format!("{} requests refused for good: {reason}", tally.refused.get())));
            }
            if tally.again_without.get() > 0 {
                return Err(Fault::Broken("a retryable refusal did not say when to send again".to_owned()));
            }
        }
        let start = Instant::now();
        let patience = Duration::from_secs(self.options.patience);
        while ledger.borrow().missing().next().is_some() {
            if start.elapsed() > patience {
                return Ok(None);
            }
            sleep(Duration::from_millis(20)).await;
        }
        let took = start.elapsed();
        process.stop().await;
        Ok(Some(took))
    }

    fn report(&self, took: Duration) {
        println!(
            "\n{:.1} s; rounds by fault, and how often it struck before SIGKILL ended the round:",
            took.as_secs_f64()
        );
        for (name, (tried, struck)) in &self.faults {
            println!("  {name:<24} {tried:>5} {struck:>5}");
        }
        let moods: Vec<_> = self.moods.iter().map(|(name, times)| format!("{name} {times}")).collect();
        println!("moods of the backend: {}", moods.join(", "));
    }
}

fn aborted(status: Option<std::process::ExitStatus>) -> bool {
    status.is_some_and(|status| status.signal() == Some(Signal::SIGABRT as i32))
}

fn judge(trial: &Trial<'_>, ledger: &Ledger, wrong: &Wrong, settled: Option<Duration>) -> Result<(), Fault> {
    let missing = ledger.missing().count();
    let examples: Vec<_> = ledger.missing().take(SHOWN).collect();
    println!("acknowledged {}, different spans delivered {}", ledger.owed(), ledger.arrived());
    println!("delivered again (duplicates) {}", ledger.duplicates());
    println!("missing {missing} {}", if missing > 0 { format!("{examples:?}") } else { String::new() });
    println!("differing content {} {:?}", wrong.content.len(), wrong.content.iter().take(SHOWN).collect::<Vec<_>>());
    println!("spans that nobody sent {}, requests that are no OTLP {}", wrong.foreign, trial.sink.malformed());
    if let Some(took) = settled {
        println!("all that was owed had come {:.1} s after the last fault", took.as_secs_f64());
    }
    if missing > 0 || !wrong.content.is_empty() || wrong.foreign > 0 || trial.sink.malformed() > 0 {
        return Err(Fault::Broken("what was acknowledged did not arrive as it was".to_owned()));
    }
    if ledger.owed() == 0 {
        return Err(Fault::Broken("nothing was acknowledged, so nothing is proved".to_owned()));
    }
    Ok(())
}
