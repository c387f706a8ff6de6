//! The running process: outputs, stages and receivers put together, and taken down in order.

use crate::api;
use crate::config::{Config, Sample as SampleConfig};
use crate::costs::Costs;
use crate::metrics::Metrics;
use crate::outputs::{self, Queue, Worker};
use crate::plugins::{Opened, Watched};
use crate::receivers::health::{self, Health, Phase};
use crate::receivers::{ServeError, Servers};
use crate::stages::admit::Admission;
use crate::stages::deliver::Deliver;
use crate::stages::enrich::Enrich;
use crate::stages::link::Link;
use crate::stages::log::NoLog;
use crate::stages::meter::Meter;
use crate::stages::plugin::{Hosted, Sampler};
use crate::stages::redact::{Redact, Rules};
use crate::stages::sample::{Bounds, Sample};
use crate::stages::{Pipeline, Stages};
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::watch;
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
    #[error("output {output}: {why}")]
    Output {
        /// Its name.
        output: String,
        /// What is wrong.
        why: String,
    },
    /// A plugin's manifest names something that cannot be read.
    #[error("a plugin's manifest: {0}")]
    Manifest(#[from] ReadsError),
}

/// Runs until `stop` is done, then flushes what waits within the deadline of the configuration.
///
/// # Errors
/// Something cannot be started; nothing is running then.
pub async fn run(
    config: &Config,
    mut opened: Opened,
    metrics: Metrics,
    stop: impl Future<Output = ()>,
) -> Result<(), StartError> {
    let health = Health::default();
    let asked = match config.health {
        Some(config) => Some(page(config.endpoint, "health", health::router_of_its_own(health.clone())).await?),
        None => None,
    };
    let watched = std::mem::take(&mut opened.watched);
    let (queues, workers) = start_outputs(config, &metrics).await?;
    // Who asks for costs does so at the address of the metrics page; without one there is nobody to keep them for.
    let costs = config.outputs.prometheus.map(|_| Arc::new(Costs::new(&config.cost, &metrics)));
    let stages = Stages(Arc::new(pipeline(config, opened, queues, costs.clone(), &metrics)?));
    let (stopping, stopped) = watch::channel(false);
    let servers = Servers::start(&config.receivers, &Arc::new(stages.clone()), &metrics).await?;
    let metrics_page = match config.outputs.prometheus.zip(costs) {
        Some((prometheus, costs)) => {
            let router = outputs::prometheus::router(metrics.clone()).merge(api::router(costs));
            let router = router.merge(health::router(health.clone()));
            Some(page(prometheus.endpoint, "metrics", router).await?)
        }
        None => None,
    };
    let ticker = stages.0.sample.clone().map(|sample| tokio::spawn(tick(sample, stopped.clone())));
    let watcher = (!watched.is_empty()).then(|| tokio::spawn(watch_files(watched, metrics.clone())));
    health.set_phase(Phase::Running);
    tracing::info!("ready");
    stop.await;

    tracing::info!(deadline = ?config.shutdown.deadline, "ending");
    let now = tokio::time::Instant::now();
    let deadline = now + config.shutdown.deadline;
    // A client that does not let go of its connection must not take the time that flushing needs.
    let disconnect = now + config.shutdown.deadline / 2;
    health.set_phase(Phase::Draining);
    stages.0.admission.close();
    if let Some(watcher) = watcher {
        watcher.abort();
    }
    servers.drain(disconnect).await;
    let _ = stopping.send(true);
    if let Some(ticker) = ticker {
        let _ = ticker.await;
    }
    if let Some(sample) = stages.0.sample.clone() {
        let _ = tokio::time::timeout_at(deadline, tokio::task::spawn_blocking(move || sample.flush())).await;
    }
    for worker in workers {
        worker.drain(deadline).await;
    }
    for page in metrics_page.into_iter().chain(asked) {
        page.abort();
    }
    tracing::info!("ended");
    Ok(())
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

async fn start_outputs(config: &Config, metrics: &Metrics) -> Result<(Vec<Queue>, Vec<Worker>), StartError> {
    let mut started = Vec::new();
    for output in &config.outputs.otlp_http {
        let backend = outputs::otlp_http::Backend::new(output)
            .map_err(|why| StartError::Output { output: output.name.clone(), why })?;
        started.push(outputs::start(&output.name, backend, output.queue, output.retry, metrics));
    }
    for output in &config.outputs.json_lines {
        let lines = outputs::json_lines::Lines::open(output).await.map_err(|error| StartError::Output {
            output: output.name.clone(),
            why: format!("{}: {error}", output.path.display()),
        })?;
        started.push(outputs::start(&output.name, lines, output.queue, outputs::json_lines::RETRY, metrics));
    }
    Ok(started.into_iter().unzip())
}

fn pipeline(
    config: &Config,
    opened: Opened,
    queues: Vec<Queue>,
    costs: Option<Arc<Costs>>,
    metrics: &Metrics,
) -> Result<Pipeline, ReadsError> {
    let retry_after = config.admit.retry_after;
    let deliver = Arc::new(Deliver::new(queues, metrics));
    let sample = match (opened.sample, &config.sample) {
        (Some(sampler), Some(sample)) => Some(Arc::new(sample_stage(sampler, sample, &deliver, metrics)?)),
        _ => None,
    };
    let largest = config.receivers.http.as_ref().map(|http| http.max_body);
    let largest = largest.max(config.receivers.grpc.as_ref().map(|grpc| grpc.max_message));
    Ok(Pipeline {
        admission: Admission::new(config.admit.max_bytes_in_flight, retry_after, metrics.clone()),
        // The receivers have their own limits on size; JSON may grow a little on its way to protobuf.
        limits: Limits { bytes: largest.unwrap_or(0).saturating_mul(2), ..Limits::default() },
        enrich: Enrich::new(opened.enrich, Link::new(config.link, metrics)?, retry_after)?,
        redact: Redact::new(opened.redact, Rules::of(&config.redact), retry_after, metrics)?,
        log: Box::new(NoLog),
        meter: Meter::new(&config.cost, costs, metrics)?,
        sample,
        deliver,
        metrics: metrics.clone(),
    })
}

fn sample_stage(
    sampler: Hosted<dyn Sampler>,
    config: &SampleConfig,
    deliver: &Arc<Deliver>,
    metrics: &Metrics,
) -> Result<Sample, ReadsError> {
    let bounds = Bounds { wait: config.decision_wait, traces: config.num_traces, bytes: config.max_bytes };
    Sample::new(sampler, bounds, config.decision_cache, Arc::clone(deliver), metrics)
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
