//! The running process: outputs, stages and receivers put together, and taken down in order.

mod outputs;
mod reload;

pub use outputs::OutputError;
pub use reload::{Reload, ReloadError};

use crate::api;
use crate::config::{Config, MeterOtlp, Sample as SampleConfig};
use crate::costs::Costs;
use crate::memory::{Memory, Use, resident};
use crate::metrics::Metrics;
use crate::outputs::prometheus_remote_write::Writers;
use crate::outputs::{self as sinks, Queue, prometheus, store};
use crate::plugins::{Opened, Watched};
use crate::receivers::health::{self, Health, Phase};
use crate::receivers::{ServeError, Servers, kafka};
use crate::stages::admit::Admission;
use crate::stages::deliver::Deliver;
use crate::stages::enrich::Enrich;
use crate::stages::link::Link;
use crate::stages::log::{Leftover, Log, LogError};
use crate::stages::meter::Meter;
use crate::stages::plugin::{Enricher, Hosted, Redactor, Sampler};
use crate::stages::redact::{Redact, Rules};
use crate::stages::sample::{Sample, Settings};
use crate::stages::{Exchange, Pipeline, Plugins, Stages, Turns};
use outputs::Outputs;
use reload::Running;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tollgate_otlp::{Limits, ReadsError};

/// How often waiting traces are looked at.
const TICK: Duration = Duration::from_millis(100);
/// How often files of plugins are looked at.
const FILES_TICK: Duration = Duration::from_secs(2);

/// Why the process cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A receiver cannot start.
    #[error(transparent)]
    Receiver(#[from] ServeError),
    /// An address is in use, or not this machine's.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        error: std::io::Error,
    },
    /// An output cannot be opened.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// The log cannot be opened.
    #[error("log: {0}")]
    Log(#[from] LogError),
    /// A plugin's manifest names something that cannot be read.
    #[error("a plugin's manifest: {0}")]
    Manifest(#[from] ReadsError),
    /// A file of the TLS to Kafka cannot be read.
    #[error("receiver kafka: {0}")]
    Kafka(String),
}

/// Longest that a member of a consumer group takes to leave it.
const LEAVE: Duration = Duration::from_secs(10);

/// Runs until `stop` is done, then flushes what waits within the deadline of the configuration. What comes through
/// `reloads` meanwhile takes the place of the configuration.
///
/// # Errors
/// Something cannot be started; nothing is running then.
pub async fn run(
    config: Config,
    mut opened: Opened,
    metrics: Metrics,
    mut reloads: mpsc::Receiver<Reload>,
    stop: impl Future<Output = ()>,
) -> Result<(), StartError> {
    let health = Health::default();
    let asked = match config.health {
        Some(config) => Some(page(config.endpoint, "health", health::router_of_its_own(health.clone())).await?),
        None => None,
    };
    let (watched, sampler_digest) = (std::mem::take(&mut opened.watched), opened.sampler_digest);
    let (resident, tables, limit) = (resident(), tables(&config), config.memory.limit);
    let memory = Memory::new(config.memory.budget(resident, tables), &metrics);
    tracing::info!(limit, resident, tables, buffers = memory.limit(), "memory, in bytes");
    if resident.saturating_add(tables).saturating_add(memory.limit()) > limit {
        tracing::warn!(limit, "memory.limit is too small for the tables of link, cost and sample when they are full");
    }
    let (log, leftover) = Log::open(&config.log, largest(&config), config.admit.retry_after, &metrics)?;
    let store = open_store(&config).await?;
    let brokers = config.receivers.kafka.as_ref().map(|kafka| sinks::kafka::connection(&kafka.connection));
    let brokers = brokers.transpose().map_err(StartError::Kafka)?;
    let outputs = Outputs::start(&config.outputs, store.clone(), &memory, &metrics).await?;
    let writers = Writers::start(&config.outputs.prometheus_remote_write, &metrics)
        .map_err(|(output, why)| StartError::Output(OutputError { output, why }))?;
    // Who asks for costs does so at the address of the metrics page; without one there is nobody to keep them for.
    let costs = config.outputs.prometheus.map(|_| Arc::new(Costs::new(&config.cost, &metrics)));
    let held = Held { memory: memory.clone(), log: log.clone(), queues: outputs.queues() };
    let stages = Stages(Arc::new(pipeline(&config, opened, held, costs.clone(), &metrics)?));
    let servers = Servers::start(&config.receivers, &Arc::new(stages.clone()), &metrics).await?;
    let member = config.receivers.kafka.as_ref().zip(brokers).map(|(config, brokers)| {
        let buffers = memory.hold(Use::Requests, kafka::buffers(config));
        (kafka::start(config, brokers, Arc::new(stages.clone()), &metrics, log.frozen()), buffers)
    });
    let metrics_page = match config.outputs.prometheus.zip(costs) {
        Some((prometheus, costs)) => {
            let router =
                prometheus::router(metrics.clone()).merge(api::router(costs, store.clone(), config.sample.is_some()));
            let router = router.merge(health::router(health.clone()));
            Some(page(prometheus.endpoint, "metrics", router).await?)
        }
        None => None,
    };
    let (stopping, stopped) = watch::channel(false);
    let ticker = stages.0.sample.clone().map(|sample| tokio::spawn(tick(sample, stopped)));
    let mut background = vec![tokio::spawn(show(log.clone(), health.clone()))];
    background.push(tokio::spawn(resume(leftover, memory, stages.clone())));
    if let Some(store) = store {
        background.push(tokio::spawn(store::keep(store, metrics.clone())));
    }
    if let Some(otlp) = config.meter.otlp {
        background.push(tokio::spawn(tell(otlp, metrics.clone(), Arc::clone(&stages.0.deliver))));
    }
    let watcher = watch(watched, &metrics);
    let mut running = Running { config, stages, outputs, sampler_digest, watcher, leaving: Vec::new(), metrics };
    health.set_phase(Phase::Running);
    tracing::info!("ready");
    tokio::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            Some(reload) = reloads.recv() => running.reload(reload).await,
        }
    }

    let Running { config, stages, outputs, watcher, leaving, .. } = running;
    tracing::info!(deadline = ?config.shutdown.deadline, "ending");
    let now = tokio::time::Instant::now();
    let deadline = now + config.shutdown.deadline;
    // A client that does not let go of its connection must not take the time that flushing needs.
    let disconnect = now + config.shutdown.deadline / 2;
    health.set_phase(Phase::Draining);
    stages.0.admission.close();
    background.into_iter().chain(watcher).for_each(|task| task.abort());
    servers.drain(disconnect).await;
    if let Some((member, _)) = &member {
        let _ = tokio::time::timeout_at(deadline, member.stop()).await;
    }
    let _ = stopping.send(true);
    if let Some(ticker) = ticker {
        let _ = ticker.await;
    }
    if let Some(sample) = stages.0.sample.clone() {
        let _ = tokio::time::timeout_at(deadline, tokio::task::spawn_blocking(move || sample.flush())).await;
    }
    outputs.drain(deadline, &log).await;
    for task in leaving {
        let _ = tokio::time::timeout_at(deadline, task).await;
    }
    writers.end(deadline).await;
    // What is given up from here on stays in the log.
    log.freeze();
    if let Some((member, _)) = member {
        member.leave(LEAVE).await;
    }
    for page in metrics_page.into_iter().chain(asked) {
        page.abort();
    }
    tracing::info!("ended");
    Ok(())
}

/// Opens the store. One that nobody asked for is done without where that is not possible.
async fn open_store(config: &Config) -> Result<Option<Arc<tollgate_store::Store>>, OutputError> {
    let Some(config) = &config.outputs.store else { return Ok(None) };
    match store::open(config).await {
        Ok(store) => Ok(Some(store)),
        Err(why) if config.implied => {
            tracing::warn!(why, "there is no store of recent calls");
            Ok(None)
        }
        Err(why) => Err(OutputError { output: config.name().to_owned(), why }),
    }
}

/// Keeps the marks and the metrics of the log up to date, and says whether it takes requests.
async fn show(log: Log, health: Health) {
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    loop {
        ticks.tick().await;
        let shown = log.clone();
        let _ = tokio::task::spawn_blocking(move || shown.show()).await;
        health.set_log_refusal(log.refusal());
    }
}

/// Delivers the metrics of the process and of calls every so often.
async fn tell(otlp: MeterOtlp, metrics: Metrics, deliver: Arc<Deliver>) {
    let mut ticks = tokio::time::interval_at(tokio::time::Instant::now() + otlp.interval, otlp.interval);
    loop {
        ticks.tick().await;
        for (request, points) in metrics.otlp(otlp.exponential) {
            deliver.own_metrics(request.into(), points);
        }
    }
}

/// Takes up what an earlier process left in the log, as far as there is room for it.
async fn resume(leftover: Leftover, memory: Memory, stages: Stages) {
    let mut leftover = leftover;
    let mut resumed = 0_u64;
    loop {
        memory.half_free().await;
        let pipeline = Arc::clone(&stages.0);
        let one = tokio::task::spawn_blocking(move || {
            let next = leftover.next();
            let more = next.is_some();
            next.into_iter().for_each(|recovered| pipeline.resume(recovered));
            (leftover, more)
        });
        match one.await {
            Ok((back, true)) => leftover = back,
            _ => break,
        }
        resumed += 1;
    }
    if resumed > 0 {
        tracing::info!(requests = resumed, "what an earlier process left in the log was taken up");
    }
}

/// Looks at the files of plugins, where there are some.
fn watch(watched: Vec<Watched>, metrics: &Metrics) -> Option<JoinHandle<()>> {
    (!watched.is_empty()).then(|| tokio::spawn(watch_files(watched, metrics.clone())))
}

/// Looks at the files of plugins until it is aborted.
async fn watch_files(watched: Vec<Watched>, metrics: Metrics) {
    let mut watched = watched;
    loop {
        tokio::time::sleep(FILES_TICK).await;
        let metrics = metrics.clone();
        let looked = tokio::task::spawn_blocking(move || {
            watched.iter_mut().for_each(|one| one.look(&metrics));
            watched
        });
        match looked.await {
            Ok(back) => watched = back,
            Err(_) => return,
        }
    }
}

/// Where telemetry is while it is in the process.
struct Held {
    memory: Memory,
    log: Log,
    queues: Vec<Queue>,
}

fn pipeline(
    config: &Config,
    opened: Opened,
    held: Held,
    costs: Option<Arc<Costs>>,
    metrics: &Metrics,
) -> Result<Pipeline, ReadsError> {
    let retry_after = config.admit.retry_after;
    let Held { memory, log, queues } = held;
    let link = Arc::new(Link::new(config.link, metrics));
    let deliver = Arc::new(Deliver::new(queues, log.clone(), memory.clone(), retry_after, metrics));
    let sample = match (opened.sample, &config.sample) {
        (Some(sampler), Some(sample)) => Some(Arc::new(sample_stage(sampler, sample, &deliver, &memory, metrics)?)),
        _ => None,
    };
    let meter = Meter::new(&config.meter, &config.cost, costs, metrics)?;
    Ok(Pipeline {
        admission: Admission::new(memory, retry_after, metrics.clone()),
        limits: Limits { bytes: largest(config), ..Limits::default() },
        plugins: Exchange::new(plugins(config, opened.enrich, opened.redact, (&link, meter.names()), metrics)?),
        link,
        log,
        meter,
        sample,
        deliver,
        turns: Turns::new(),
        metrics: metrics.clone(),
    })
}

/// The stages that run plugins.
fn plugins(
    config: &Config,
    enrich: Vec<Hosted<dyn Enricher>>,
    redact: Vec<Hosted<dyn Redactor>>,
    (link, observed): (&Arc<Link>, &[String]),
    metrics: &Metrics,
) -> Result<Arc<Plugins>, ReadsError> {
    let retry_after = config.admit.retry_after;
    Ok(Arc::new(Plugins {
        enrich: Enrich::new(enrich, Arc::clone(link), observed, retry_after)?,
        redact: Redact::new(redact, Rules::of(&config.redact), retry_after, metrics)?,
    }))
}

/// Bytes that tables may take which remember what was seen.
fn tables(config: &Config) -> u64 {
    let link = tollgate_link::Bounds { most: config.link.max_entries, ttl: config.link.ttl }.most_bytes();
    let cost = config.outputs.prometheus.map_or(0, |_| config.cost.limits.most_bytes());
    let sample = config.sample.as_ref().map_or(0, |sample| Settings::of(sample).decisions.most_bytes());
    let known = Rules::of(&config.redact).most_bytes().saturating_mul(config.redact.plugins.len());
    let all = link.saturating_add(cost).saturating_add(sample).saturating_add(known);
    let store = config.outputs.store.as_ref().map_or(0, |_| tollgate_store::MOST_MEMORY);
    u64::try_from(all).unwrap_or(u64::MAX).saturating_add(store)
}

/// Most bytes of a request behind the receivers, which have limits of their own; JSON may grow a little on its way to
/// protobuf, and enrichers add to it.
fn largest(config: &Config) -> usize {
    let http = config.receivers.http.as_ref().map(|http| http.max_body);
    let kafka = config.receivers.kafka.as_ref().map(|kafka| kafka.max_message_bytes);
    let grpc = config.receivers.grpc.as_ref().map(|grpc| grpc.max_message);
    http.max(grpc).max(kafka).unwrap_or(0).saturating_mul(2)
}

fn sample_stage(
    sampler: Hosted<dyn Sampler>,
    config: &SampleConfig,
    deliver: &Arc<Deliver>,
    memory: &Memory,
    metrics: &Metrics,
) -> Result<Sample, ReadsError> {
    Sample::new(sampler, Settings::of(config), Arc::clone(deliver), memory, metrics)
}

/// Serves pages at an address until it is aborted.
async fn page(address: SocketAddr, what: &'static str, router: axum::Router) -> Result<JoinHandle<()>, StartError> {
    let listener = TcpListener::bind(address).await.map_err(|error| StartError::Listen { address, error })?;
    let address = listener.local_addr().unwrap_or(address);
    tracing::info!(%address, "{what} listening");
    Ok(tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(%error, "{what} stopped");
        }
    }))
}

/// Done when the value is true, or when it cannot become true any more.
async fn is_true(mut flag: watch::Receiver<bool>) {
    let _ = flag.wait_for(|value| *value).await;
}

async fn tick(sample: Arc<Sample>, stopped: watch::Receiver<bool>) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = is_true(stopped.clone()) => return,
        }
        let sample = Arc::clone(&sample);
        // A component decides, so this may block.
        let _ = tokio::task::spawn_blocking(move || sample.tick(Instant::now())).await;
    }
}
