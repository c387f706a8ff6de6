//! Memory under long traffic: a million requests and 100,000 streams of every kind through one Envoy with everything
//! switched on that keeps something, and afterwards whether the counters say what was sent.

use crate::caller::Caller;
use crate::envoy::Envoy;
use crate::fault::Fault;
use crate::figures::mib;
use crate::load;
use crate::mix::{Fate, Mix, Play};
use crate::provider::{self, Collected};
use crate::stage::Stage;
use crate::texts::TOKENS;
use crate::variant::Filter;
use crate::workload::post;
use crate::{Place, place};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tokio::time::{interval, sleep};

/// Fields of the access log, spans with the content of both sides redacted, and fewer series than there are models.
const EVERYTHING: &str = r#"{
    "access_log": "fields",
    "capture_content": {"input_bytes": 1024, "output_bytes": 1024},
    "export": {"cluster": "collector", "flush_ms": 50, "queue_bytes": 4194304, "in_flight": 16},
    "metrics": {"series": 200}
}"#;

/// What is to be sent.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Requests with documents for answers
    #[arg(long, default_value_t = 1_000_000)]
    requests: u64,
    /// Requests with streams for answers, spread among the others
    #[arg(long, default_value_t = 100_000)]
    streams: u64,
    /// Connections
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// Lines of figures
    #[arg(long, default_value_t = 20)]
    lines: u64,
    /// Another configuration of the filter
    #[arg(long, default_value = EVERYTHING, hide_default_value = true)]
    filter: String,
    #[command(flatten)]
    place: Place,
}

/// How many exchanges there were of each fate.
#[derive(Debug, Default)]
struct Sent {
    next: Cell<u64>,
    over: Cell<u64>,
    whole: Cell<u64>,
    unmetered: Cell<u64>,
    abandoned: Cell<u64>,
    broken: Cell<u64>,
    skipped: Cell<u64>,
    errors: Cell<u64>,
}

/// Memory at one time.
#[derive(Clone, Copy, Debug)]
struct Line {
    exchanges: u64,
    module: u64,
    resident: u64,
}

/// Sends all of it, prints what is held meanwhile, and checks the counters.
///
/// # Errors
/// Traffic was harmed, a counter is wrong, or something could not be run.
pub(crate) async fn run(options: &Options) -> Result<(), Fault> {
    let stage = Rc::new(Stage::new(options.connections.max(1)));
    let provider = provider::start(Rc::clone(&stage)).await?;
    let collected = Rc::new(Collected { counting: true, ..Collected::default() });
    let collector = provider::collector(Rc::clone(&collected)).await?;
    let setting = place(&options.place, provider, collector)?;
    println!("{}", setting.describe()?);
    let envoy = Envoy::start(&setting, &Filter::Tollgate(options.filter.clone())).await?;
    let mix = Rc::new(Mix::new().map_err(Fault::system("making the traffic"))?);
    let sent = Rc::new(Sent::default());
    let lines = RefCell::new(Vec::new());
    println!(
        "\n exchanges   seconds   a second   CPU us each   module MiB   Envoy RSS MiB   open streams   spans dropped"
    );
    let total = options.requests + options.streams;
    let traffic = traffic(load::callers(envoy.port(), &stage, options.connections.max(1))?, options, &mix, &sent);
    tokio::select! {
        ended = traffic => ended?,
        never = watch(&envoy, options, &sent, &lines) => return never,
    }
    settle(&envoy, &sent).await?;
    let last = line(&envoy, &sent).await?;
    lines.borrow_mut().push(last);
    conclude(&lines.borrow(), total);
    agree(&envoy, &sent, &collected).await
}

async fn traffic(callers: Vec<Caller>, options: &Options, mix: &Rc<Mix>, sent: &Rc<Sent>) -> Result<(), Fault> {
    let (streams, total) = (options.streams, options.requests + options.streams);
    let mut tasks = JoinSet::new();
    for mut caller in callers {
        let (mix, sent) = (Rc::clone(mix), Rc::clone(sent));
        tasks.spawn_local(async move {
            loop {
                let number = sent.next.get();
                if number >= total {
                    return Ok(());
                }
                sent.next.set(number + 1);
                let before = u128::from(number) * u128::from(streams) / u128::from(total);
                let after = (u128::from(number) + 1) * u128::from(streams) / u128::from(total);
                let play = if before == after { mix.document(number) } else { mix.stream(number) };
                play_out(&mut caller, &play, &sent).await?;
                sent.over.set(sent.over.get() + 1);
            }
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.map_err(|error| Fault::Option(format!("a caller failed: {error}")))??;
    }
    Ok(())
}

async fn play_out(caller: &mut Caller, play: &Play, sent: &Sent) -> Result<(), Fault> {
    let request = post(play.path, &play.request, caller.number());
    let answer = &play.answer;
    let harmed = |what: String| Fault::Harmed { workload: format!("{:?}", play.fate), what };
    let fate = match play.fate {
        Fate::Abandoned => {
            caller.abandon(&request, answer, answer.body / 2).await?;
            &sent.abandoned
        }
        Fate::Broken => match caller.call(&request, answer).await {
            Err(Fault::CutOff { received }) if received == answer.body => &sent.broken,
            Err(fault) => return Err(fault),
            Ok(got) => return Err(harmed(format!("a whole answer of {} bytes", got.body))),
        },
        fate @ (Fate::Whole | Fate::Unmetered | Fate::Skipped) => {
            let got = caller.call(&request, answer).await?;
            if (got.status, got.body) != (answer.status, answer.body) {
                let expected = (answer.status, answer.body);
                return Err(harmed(format!("status and bytes {:?} instead of {expected:?}", (got.status, got.body))));
            }
            match fate {
                Fate::Whole => &sent.whole,
                Fate::Unmetered => &sent.unmetered,
                _ => &sent.skipped,
            }
        }
    };
    if caller.lane().request_bytes() != play.request.len() {
        return Err(harmed(format!("a request of {} bytes", caller.lane().request_bytes())));
    }
    fate.set(fate.get() + 1);
    if answer.status >= 400 || matches!(play.fate, Fate::Abandoned | Fate::Broken) {
        sent.errors.set(sent.errors.get() + 1);
    }
    Ok(())
}

/// Prints a line now and then, for as long as there is traffic.
async fn watch(envoy: &Envoy, options: &Options, sent: &Sent, lines: &RefCell<Vec<Line>>) -> Result<(), Fault> {
    let every = ((options.requests + options.streams) / options.lines.max(1)).max(1);
    let (begun, mut due, mut last) = (Instant::now(), every, (Instant::now(), 0, envoy.cpu()?));
    let mut often = interval(Duration::from_millis(50));
    loop {
        often.tick().await;
        let over = sent.over.get();
        if over < due {
            continue;
        }
        due = (over / every + 1) * every;
        let line = line(envoy, sent).await?;
        let open = envoy.stats("downstream_rq_active").await?;
        let open = open.get("http.llm_egress.downstream_rq_active").copied().unwrap_or(0);
        let dropped = envoy.own("export_spans_dropped").await?;
        #[expect(clippy::cast_precision_loss, reason = "shown without decimal places")]
        let made = (line.exchanges - last.1) as f64;
        let rate = made / last.0.elapsed().as_secs_f64();
        let each = envoy.cpu()?.saturating_sub(last.2).as_secs_f64() * 1e6 / made;
        last = (Instant::now(), line.exchanges, envoy.cpu()?);
        println!(
            "{:10} {:9.0} {rate:10.0} {each:13.0} {:12.2} {:15.1} {open:14} {dropped:15}",
            line.exchanges,
            begun.elapsed().as_secs_f64(),
            mib(line.module),
            mib(line.resident)
        );
        lines.borrow_mut().push(line);
    }
}

async fn line(envoy: &Envoy, sent: &Sent) -> Result<Line, Fault> {
    let exchanges = sent.over.get();
    Ok(Line { exchanges, module: envoy.own("memory_bytes").await?, resident: envoy.resident()? })
}

/// Waits for what is still to come: the ends of abandoned streams, the last spans, and their counters.
async fn settle(envoy: &Envoy, sent: &Sent) -> Result<(), Fault> {
    envoy.own_in_time("export_spans", calls(sent)).await?;
    // One more tick, for the gauge of memory.
    sleep(Duration::from_millis(1200)).await;
    Ok(())
}

/// Exchanges that are calls.
const fn calls(sent: &Sent) -> u64 {
    sent.whole.get() + sent.unmetered.get() + sent.abandoned.get() + sent.broken.get()
}

fn conclude(lines: &[Line], total: u64) {
    let warm = lines.iter().find(|line| line.exchanges >= total / 5);
    let (Some(warm), Some(end)) = (warm, lines.last()) else { return };
    let most = lines.iter().map(|line| line.module).max().unwrap_or(0);
    println!(
        "\nafter {} exchanges: module {:.2} MiB, Envoy {:.1} MiB; at the end: module {:.2} MiB, Envoy {:.1} MiB; most: \
         module {:.2} MiB",
        warm.exchanges,
        mib(warm.module),
        mib(warm.resident),
        mib(end.module),
        mib(end.resident),
        mib(most)
    );
}

/// Compares the filter's counters with what was sent.
async fn agree(envoy: &Envoy, sent: &Sent, collected: &Collected) -> Result<(), Fault> {
    let stats = envoy.stats("wasmcustom.tollgate").await?;
    let sum = |name: &str, label: &str| -> u64 {
        let ours = |full: &&String| {
            let short = full.strip_prefix("wasmcustom.tollgate.").unwrap_or_default();
            short.split(';').next() == Some(name) && short.contains(label)
        };
        stats.keys().filter(ours).filter_map(|name| stats.get(name)).sum()
    };
    let whole = sent.whole.get();
    let expected = [
        ("calls", sum("calls", ""), calls(sent)),
        ("calls that are complete", sum("calls", "outcome=complete"), whole + sent.unmetered.get()),
        ("calls that the caller left", sum("calls", "outcome=client_aborted"), sent.abandoned.get()),
        ("calls that the provider left", sum("calls", "outcome=upstream_aborted"), sent.broken.get()),
        ("errors", sum("errors", ""), sent.errors.get()),
        ("calls with usage", sum("usage", "source=reported"), whole),
        ("input tokens", sum("tokens", "kind=input"), whole * TOKENS.0),
        ("output tokens", sum("tokens", "kind=output"), whole * TOKENS.1),
        ("no calls", sum("skipped", ""), sent.skipped.get()),
        ("spans exported", sum("export_spans", ""), calls(sent)),
        ("spans that came", collected.spans.get(), calls(sent)),
        ("spans dropped", sum("export_spans_dropped", ""), 0),
        ("fields refused", sum("access_log_refused", ""), 0),
    ];
    println!("\n{:30} {:>12} {:>12}", "", "counted", "sent");
    let mut wrong = Vec::new();
    for (what, counted, sent) in expected {
        let note = if counted == sent { "" } else { "   DIFFERENT" };
        println!("{what:30} {counted:12} {sent:12}{note}");
        if counted != sent {
            wrong.push(what);
        }
    }
    println!("{:30} {:12}", "calls under the model `other`", sum("series_capped", ""));
    println!("{:30} {:12}", "requests to the collector", collected.requests.get());
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(envoy.fault(&format!("counted otherwise than was sent: {}", wrong.join(", "))))
    }
}
