//! The stages, in the order in which every request passes them.
//!
//! The order is fixed, because it carries promises: metering comes before sampling, nothing unredacted is written to
//! disk or delivered, and nothing is acknowledged before the stages that may refuse it have run.

pub mod admit;
pub(crate) mod cost;
pub mod deliver;
pub mod enrich;
mod exchange;
pub mod link;
pub mod log;
pub mod meter;
pub mod plugin;
pub mod redact;
pub mod sample;

use crate::metrics::Metrics;
use crate::receivers::{Accepted, Intake, Origin, Received, Refusal, Signal};
use admit::Admission;
use bytes::Bytes;
pub(crate) use cost::{hexadecimal, word};
use deliver::Deliver;
use enrich::Enrich;
pub use exchange::Exchange;
use link::Link;
use log::{Kind, Log, Receipt, Recovered};
use meter::Meter;
use redact::Redact;
use sample::Sample;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tollgate_otlp::{Limits, LogsRequest, MetricsRequest, TraceRequest};

/// For requests that have been let in: what the stages add to them does not make them too large.
const RESCAN: Limits = Limits { bytes: usize::MAX, items: u32::MAX, values: u32::MAX, depth: u8::MAX };

/// How many times the bytes of a request are in memory at most while stages work on it.
const COPIES: usize = 3;

/// The stages before the acknowledgement that run plugins.
#[derive(Debug)]
pub struct Plugins {
    /// Stage 2a.
    pub enrich: Enrich,
    /// Stage 2b.
    pub redact: Redact,
}

/// How many requests for each processor are enriched and redacted at once. One that waits for its turn has no copies, and
/// no thread; more turns would not make the processors faster. Appending to the log is not among it, since what is appended
/// at once becomes durable at once.
const TURNS_A_PROCESSOR: usize = 2;

/// All stages of the process.
pub struct Pipeline {
    /// Stage 1.
    pub admission: Admission,
    /// Bounds on what one request may hold.
    pub limits: Limits,
    /// Stages 2a and 2b, which can be exchanged while requests pass.
    pub plugins: Exchange<Plugins>,
    /// What is remembered of calls, whatever enriches them.
    pub link: Arc<Link>,
    /// Stage 3.
    pub log: Log,
    /// Stage 4.
    pub meter: Meter,
    /// Stage 5; without it every trace goes on at once.
    pub sample: Option<Arc<Sample>>,
    /// Stage 6.
    pub deliver: Arc<Deliver>,
    /// Who may enrich and redact.
    pub turns: Turns,
    /// What all stages count.
    pub metrics: Metrics,
}

/// Turns of requests at the stages that work with copies of them.
#[derive(Clone, Debug)]
pub struct Turns(Arc<Semaphore>);

impl Turns {
    /// As many as are of use on this machine.
    #[must_use]
    pub fn new() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self(Arc::new(Semaphore::new(processors.saturating_mul(TURNS_A_PROCESSOR))))
    }

    /// The next one, in the order in which it is asked for.
    async fn next(&self) -> Turn {
        Arc::clone(&self.0).acquire_owned().await.ok()
    }
}

impl Default for Turns {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pipeline").field("plugins", &self.plugins.now()).finish_non_exhaustive()
    }
}

/// A request's turn, until it is given up.
type Turn = Option<OwnedSemaphorePermit>;

/// What a request has with it: its turn, and who keeps it.
type With = (Turn, Option<Origin>);

/// The pipeline as receivers hold it. Its stages run on threads that may block, since components do.
#[derive(Clone, Debug)]
pub struct Stages(pub Arc<Pipeline>);

impl Intake for Stages {
    fn admission(&self) -> &Admission {
        &self.0.admission
    }

    async fn accept(&self, received: Received) -> Result<Accepted, Refusal> {
        let pipeline = Arc::clone(&self.0);
        let retry_after = pipeline.admission.retry_after();
        let turn = pipeline.turns.next().await;
        let work = move || {
            // A sender that goes away ends the wait for this work and not the work, so the bytes are given back by it.
            let Received { signal, bytes, mut lease, origin } = received;
            pipeline.deliver.has_room()?;
            // A stage holds what it was given and what it makes of it, and the request as it came is there until the end.
            // All of it is counted until then, beside what comes of it, which is counted where it waits.
            lease.grow_to(bytes.len().saturating_mul(COPIES))?;
            match signal {
                Signal::Traces => pipeline.traces(&bytes, (turn, origin)),
                Signal::Logs => pipeline.logs(&bytes, (turn, origin)),
                Signal::Metrics => pipeline.metrics(&bytes, (turn, origin)),
            }
        };
        match tokio::task::spawn_blocking(work).await {
            Ok(answer) => answer,
            Err(error) => {
                tracing::error!(%error, "a request was given up");
                Err(Refusal::Unavailable { what: "the request was given up".to_owned(), retry_after })
            }
        }
    }
}

impl Pipeline {
    /// Checks the bytes, and takes out spans that are none.
    fn traces(&self, request: &Bytes, with: With) -> Result<Accepted, Refusal> {
        let scanned = TraceRequest::scan(request, &self.limits).map_err(invalid)?;
        let rejected = u64::try_from(scanned.refused()).unwrap_or(u64::MAX);
        if rejected == 0 {
            self.spans(request, &scanned, with)?;
            return Ok(Accepted::default());
        }
        self.metrics.spans_rejected.with(vec![("reason", "invalid_id".to_owned())]).inc_by(rejected);
        let rest = Bytes::from(scanned.accepted().into_owned());
        self.spans(&rest, &TraceRequest::scan(&rest, &RESCAN).map_err(invalid)?, with)?;
        let message = "spans need a trace id of 16 bytes and a span id of 8, neither all zeroes".to_owned();
        Ok(Accepted { rejected, message })
    }

    /// Takes a request of spans that are all right. What is refused is sent again, so nothing is counted before the log.
    fn spans(&self, request: &Bytes, scanned: &TraceRequest<'_>, (turn, origin): With) -> Result<(), Refusal> {
        let plugins = self.plugins.now();
        let enriched = plugins.enrich.run(scanned)?;
        let request = enriched.request.unwrap_or_else(|| request.clone());
        let (request, changed) = plugins.redact.traces(request, scanned.unknown_fields())?;
        drop(turn);
        let receipt = self.log.append(Kind::Traces, &request)?.of(origin);
        self.metrics.spans_received.inc_by(u64::try_from(scanned.len()).unwrap_or(u64::MAX));
        if changed.spares(self.meter.names().iter().map(String::as_str)) {
            self.meter.run(scanned, &enriched.observed);
        } else if let Ok(redacted) = TraceRequest::rescan(&request) {
            self.meter.run(&redacted, &self.meter.read(&redacted));
        }
        self.sample_or_deliver(request, scanned.len(), receipt);
        Ok(())
    }

    fn sample_or_deliver(&self, request: Bytes, spans: usize, receipt: Receipt) {
        match &self.sample {
            Some(sample) => sample.add(&request, &receipt, Instant::now()),
            None => self.deliver.request(Signal::Traces, request, spans, receipt),
        }
    }

    fn logs(&self, request: &Bytes, (turn, origin): With) -> Result<Accepted, Refusal> {
        let scanned = LogsRequest::scan(request, &self.limits).map_err(invalid)?;
        let records = scanned.len();
        let request = self.plugins.now().redact.logs(request.clone(), scanned.unknown_fields())?;
        drop(turn);
        let receipt = self.log.append(Kind::Logs, &request)?.of(origin);
        self.metrics.log_records_received.inc_by(u64::try_from(records).unwrap_or(u64::MAX));
        self.deliver.request(Signal::Logs, request, records, receipt);
        Ok(Accepted::default())
    }

    /// Metrics of applications pass through as they came, their texts redacted; what they measure is theirs.
    fn metrics(&self, request: &Bytes, (turn, origin): With) -> Result<Accepted, Refusal> {
        let scanned = MetricsRequest::scan(request, &self.limits).map_err(invalid)?;
        let points = scanned.points();
        let request = self.plugins.now().redact.metrics(request.clone(), scanned.unknown_fields())?;
        drop(turn);
        let receipt = self.log.append(Kind::Metrics, &request)?.of(origin);
        self.metrics.metric_points_received.inc_by(points);
        self.deliver.request(Signal::Metrics, request, usize::try_from(points).unwrap_or(usize::MAX), receipt);
        Ok(Accepted::default())
    }

    /// Takes up again what an earlier process acknowledged and did not bring to its end. It was redacted and metered then.
    pub fn resume(&self, recovered: Recovered) {
        let Recovered { kind, bytes, receipt } = recovered;
        let spans = || TraceRequest::scan(&bytes, &RESCAN).map_or(0, |request| request.len());
        match kind {
            Kind::Traces => self.sample_or_deliver(bytes.clone(), spans(), receipt),
            Kind::Kept => self.deliver.request(Signal::Traces, bytes.clone(), spans(), receipt),
            Kind::Logs => {
                let records = LogsRequest::scan(&bytes, &RESCAN).map_or(0, |request| request.len());
                self.deliver.request(Signal::Logs, bytes, records, receipt);
            }
            Kind::Metrics => {
                let points = MetricsRequest::scan(&bytes, &RESCAN).map_or(0, |request| request.points());
                self.deliver.request(Signal::Metrics, bytes, usize::try_from(points).unwrap_or(usize::MAX), receipt);
            }
        }
    }
}

fn invalid(error: tollgate_otlp::ScanError) -> Refusal {
    match error {
        tollgate_otlp::ScanError::TooLarge { limit, .. } => Refusal::TooLarge { limit },
        other => Refusal::Invalid(format!("the body is not an OTLP request: {other}")),
    }
}
