//! What an open stream holds: thousands of streams that all stand still in the middle of an event, and memory read then.
//!
//! Callers speak HTTP/2, a hundred streams a connection, so that neither this process nor Envoy needs more than one
//! socket a stream; the provider speaks HTTP/1.1.

use crate::answer::{Answer, End};
use crate::envoy::{Envoy, Setting};
use crate::fault::Fault;
use crate::figures::mib;
use crate::provider::{self, Collected};
use crate::stage::{Lane, Stage};
use crate::texts::{MODEL, events, question};
use crate::variant::Filter;
use crate::wire::LANE;
use crate::workload::{PATH, SSE};
use crate::{Place, place};
use bytes::Bytes;
use h2::client::{SendRequest, handshake};
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::{JoinSet, spawn_local};
use tokio::time::{sleep, timeout};

/// Streams of one connection.
const SHARED: usize = 100;
/// Longest wait for all streams to be open, and for all of them to end.
const PATIENCE: Duration = Duration::from_secs(240);
/// Longer than two ticks, after which the gauge of memory is right, and spans are sent.
const SETTLED: Duration = Duration::from_millis(2500);

/// What is to be opened.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Streams that are open at the same time
    #[arg(long, default_value_t = 10_000)]
    streams: usize,
    #[command(flatten)]
    place: Place,
}

/// Streams that have got to some point.
#[derive(Debug)]
struct Progress {
    /// Streams that stand in the middle.
    held: Cell<usize>,
    /// Streams that may go on.
    go_on: Semaphore,
}

/// Memory of Envoy, in bytes.
#[derive(Clone, Copy, Debug)]
struct Memory {
    module: u64,
    resident: u64,
}

/// Opens the streams through each variant, prints what is held, lets them end, and checks the counters.
///
/// # Errors
/// Traffic was harmed, a counter is wrong, or something could not be run.
pub(crate) async fn run(options: &Options) -> Result<(), Fault> {
    let stage = Rc::new(Stage::new(options.streams));
    let provider = provider::start(Rc::clone(&stage)).await?;
    let collected = Rc::new(Collected { counting: true, ..Collected::default() });
    let collector = provider::collector(Rc::clone(&collected)).await?;
    let setting = place(&options.place, provider, collector)?;
    println!("{}", setting.describe()?);
    println!("{} streams, each in the middle of an event\n", options.streams);
    println!(
        "{:44} module MiB: before   open   after   a stream | Envoy RSS MiB: before   open   after   a stream",
        ""
    );
    let export = r#""export": {"cluster": "collector", "flush_ms": 50, "queue_bytes": 67108864, "in_flight": 16}"#;
    let variants = [
        ("Envoy alone", Filter::None),
        ("Tollgate, metrics", Filter::Tollgate(r#"{"access_log": "off"}"#.to_owned())),
        ("Tollgate, metrics, spans, access log", Filter::Tollgate(format!("{{{export}}}"))),
        (
            "the same, and 4 KiB of content of each side",
            Filter::Tollgate(format!(
                r#"{{{export}, "capture_content": {{"input_bytes": 4096, "output_bytes": 4096}}}}"#
            )),
        ),
    ];
    for (title, filter) in variants {
        let spans = collected.spans.get();
        one(title, &filter, options.streams, &setting, &stage).await?;
        let came = collected.spans.get() - spans;
        if matches!(&filter, Filter::Tollgate(text) if text.contains("export")) && came != number(options.streams) {
            let what = format!("{came} spans came of {}", options.streams);
            return Err(Fault::Harmed { workload: title.to_owned(), what });
        }
    }
    Ok(())
}

async fn one(title: &str, filter: &Filter, streams: usize, setting: &Setting, stage: &Rc<Stage>) -> Result<(), Fault> {
    let envoy = Envoy::start(setting, filter).await?;
    // One tick, for the gauge.
    sleep(SETTLED).await;
    let before = memory(&envoy).await?;
    let answer = Rc::new(Answer::stepwise(&[SSE], events(40, 9_000).concat().chunks(700), End::Whole));
    let progress = Rc::new(Progress { held: Cell::new(0), go_on: Semaphore::new(0) });
    let mut tasks = JoinSet::new();
    for first in (0..streams).step_by(SHARED) {
        let connection = connect(envoy.port()).await?;
        let lanes = first..streams.min(first + SHARED);
        let (stage, answer, progress) = (Rc::clone(stage), Rc::clone(&answer), Rc::clone(&progress));
        tasks.spawn_local(async move { caller(connection, lanes, &stage, &answer, &progress).await });
    }
    let all_open = async {
        while progress.held.get() < streams {
            tokio::select! {
                Some(ended) = tasks.join_next() => ended.map_err(failed)??,
                () = sleep(Duration::from_millis(50)) => {}
            }
        }
        Ok::<(), Fault>(())
    };
    timeout(PATIENCE, all_open)
        .await
        .map_err(|_| envoy.fault(&format!("has {} streams open of {streams}", progress.held.get())))??;
    sleep(SETTLED).await;
    let open = memory(&envoy).await?;
    progress.go_on.add_permits(streams);
    let all_over = async {
        while let Some(ended) = tasks.join_next().await {
            ended.map_err(failed)??;
        }
        Ok::<(), Fault>(())
    };
    timeout(PATIENCE, all_over).await.map_err(|_| envoy.fault("does not end all streams"))??;
    sleep(SETTLED).await;
    let after = memory(&envoy).await?;
    if matches!(filter, Filter::Tollgate(_)) {
        let counted = envoy.own_in_time("calls", number(streams)).await?;
        if counted != number(streams) {
            return Err(envoy.fault(&format!("counted {counted} calls of {streams}")));
        }
    }
    let each = |of: fn(Memory) -> u64| of(open).saturating_sub(of(before)) / number(streams).max(1);
    let (module, resident) = (|memory: Memory| memory.module, |memory: Memory| memory.resident);
    println!(
        "{title:44} {:18.2} {:6.2} {:7.2} {:8} B | {:21.1} {:6.1} {:7.1} {:8} B",
        mib(before.module),
        mib(open.module),
        mib(after.module),
        each(module),
        mib(before.resident),
        mib(open.resident),
        mib(after.resident),
        each(resident)
    );
    Ok(())
}

async fn memory(envoy: &Envoy) -> Result<Memory, Fault> {
    Ok(Memory { module: envoy.own("memory_bytes").await?, resident: envoy.resident()? })
}

async fn connect(port: u16) -> Result<SendRequest<Bytes>, Fault> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await.map_err(Fault::system("connecting"))?;
    let (sender, connection) = handshake(stream).await.map_err(wrong)?;
    // Its end is noticed by the streams.
    spawn_local(async move { drop(connection.await) });
    Ok(sender)
}

/// The streams of one connection: each is opened when the one before it stands in the middle.
async fn caller(
    connection: SendRequest<Bytes>,
    lanes: std::ops::Range<usize>,
    stage: &Stage,
    answer: &Rc<Answer>,
    progress: &Rc<Progress>,
) -> Result<(), Fault> {
    let body = Bytes::from(question(MODEL, 0, true));
    let mut tasks = JoinSet::new();
    for number in lanes {
        let lane = stage.lane(number).ok_or_else(|| Fault::Option(format!("there is no lane {number}")))?;
        lane.begin(Rc::clone(answer));
        let (connection, body) = (connection.clone(), body.clone());
        let middle = Rc::new(Semaphore::new(0));
        let (answer, progress, stands) = (Rc::clone(answer), Rc::clone(progress), Rc::clone(&middle));
        tasks.spawn_local(async move { exchange(connection, number, body, &lane, &answer, &progress, &stands).await });
        tokio::select! {
            _ = middle.acquire() => {}
            Some(ended) = tasks.join_next() => ended.map_err(failed)??,
        }
    }
    while let Some(ended) = tasks.join_next().await {
        ended.map_err(failed)??;
    }
    Ok(())
}

async fn exchange(
    connection: SendRequest<Bytes>,
    number: usize,
    request: Bytes,
    lane: &Lane,
    answer: &Answer,
    progress: &Progress,
    stands: &Semaphore,
) -> Result<(), Fault> {
    let head = http::Request::post(format!("http://api.openai.com{PATH}"))
        .header("content-type", "application/json")
        .header(LANE, number)
        .body(())
        .map_err(|error| Fault::Protocol(error.to_string()))?;
    let (response, mut sender) = connection.ready().await.map_err(wrong)?.send_request(head, false).map_err(wrong)?;
    sender.send_data(request, true).map_err(wrong)?;
    let mut body = response.await.map_err(wrong)?.into_body();
    lane.reach(1);
    let (mut received, mut held) = (0, false);
    while let Some(data) = body.data().await {
        let data = data.map_err(wrong)?;
        received += data.len();
        body.flow_control().release_capacity(data.len()).map_err(wrong)?;
        if !held && received >= answer.body / 2 {
            held = true;
            progress.held.set(progress.held.get() + 1);
            stands.add_permits(1);
            drop(progress.go_on.acquire().await.map(tokio::sync::SemaphorePermit::forget));
        }
        lane.reach(1 + received);
    }
    if received == answer.body {
        return Ok(());
    }
    let what = format!("a body of {received} bytes instead of {}", answer.body);
    Err(Fault::Harmed { workload: "open streams".to_owned(), what })
}

fn wrong(error: h2::Error) -> Fault {
    Fault::Protocol(format!("HTTP/2: {error}"))
}

fn failed(error: tokio::task::JoinError) -> Fault {
    Fault::Option(format!("a caller failed: {error}"))
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
