//! The stages, in the order in which every request passes them.
//!
//! The order is fixed, because it carries promises: metering comes before sampling, nothing unredacted is written to
//! disk or delivered, and nothing is acknowledged before the stages that may refuse it have run.

pub mod admit;
pub(crate) mod cost;
pub mod deliver;
pub mod enrich;
pub mod link;
pub mod log;
pub mod meter;
pub mod plugin;
pub mod redact;
pub mod sample;

use crate::metrics::Metrics;
use crate::receivers::{Accepted, Intake, Received, Refusal, Signal};
use admit::Admission;
use bytes::Bytes;
pub(crate) use cost::{hexadecimal, word};
use deliver::Deliver;
use enrich::Enrich;
use log::{Log, Receipt};
use meter::Meter;
use redact::Redact;
use sample::Sample;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;
use tollgate_otlp::{Limits, LogsRequest, TraceRequest};

/// For requests that have been let in: what the stages add to them does not make them too large.
const RESCAN: Limits = Limits { bytes: usize::MAX, items: u32::MAX, values: u32::MAX, depth: u8::MAX };

/// All stages of the process.
pub struct Pipeline {
    /// Stage 1.
    pub admission: Admission,
    /// Bounds on what one request may hold.
    pub limits: Limits,
    /// Stage 2a.
    pub enrich: Enrich,
    /// Stage 2b.
    pub redact: Redact,
    /// Stage 3.
    pub log: Box<dyn Log>,
    /// Stage 4.
    pub meter: Meter,
    /// Stage 5; without it every trace goes on at once.
    pub sample: Option<Arc<Sample>>,
    /// Stage 6.
    pub deliver: Arc<Deliver>,
    /// What all stages count.
    pub metrics: Metrics,
}

impl std::fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pipeline").field("enrich", &self.enrich).field("redact", &self.redact).finish_non_exhaustive()
    }
}

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
        let work = move || match received.signal {
            Signal::Traces => pipeline.traces(&received.bytes),
            Signal::Logs => pipeline.logs(&received.bytes),
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
    fn traces(&self, request: &Bytes) -> Result<Accepted, Refusal> {
        let (request, accepted) = self.let_in(request)?;
        let request = self.enrich.run(request)?;
        let request = self.redact.traces(request)?;
        self.log.append(Signal::Traces, &request)?;
        let spans = self.meter(&request);
        match &self.sample {
            Some(sample) => sample.add(&request, &Receipt, Instant::now()),
            None => self.deliver.deliver(Signal::Traces, request, spans, vec![Receipt]),
        }
        Ok(accepted)
    }

    fn logs(&self, request: &Bytes) -> Result<Accepted, Refusal> {
        let scanned = LogsRequest::scan(request, &self.limits).map_err(invalid)?;
        let records = scanned.len();
        let request = self.redact.logs(request.clone())?;
        self.log.append(Signal::Logs, &request)?;
        self.metrics.log_records_received.inc_by(u64::try_from(records).unwrap_or(u64::MAX));
        self.deliver.deliver(Signal::Logs, request, records, vec![Receipt]);
        Ok(Accepted::default())
    }

    /// Checks the bytes, and takes out spans that are none.
    fn let_in(&self, request: &Bytes) -> Result<(Bytes, Accepted), Refusal> {
        let scanned = TraceRequest::scan(request, &self.limits).map_err(invalid)?;
        let rejected = u64::try_from(scanned.refused()).unwrap_or(u64::MAX);
        if rejected == 0 {
            return Ok((request.clone(), Accepted::default()));
        }
        let rest = match scanned.accepted() {
            Cow::Borrowed(_) => request.clone(),
            Cow::Owned(rest) => rest.into(),
        };
        self.metrics.spans_rejected.with(vec![("reason", "invalid_id".to_owned())]).inc_by(rejected);
        let message = "spans need a trace id of 16 bytes and a span id of 8, neither all zeroes".to_owned();
        Ok((rest, Accepted { rejected, message }))
    }

    /// Stage 4. Gives the number of spans. What is refused before is sent again, so only here a span is counted.
    fn meter(&self, request: &Bytes) -> usize {
        let Ok(scanned) = TraceRequest::scan(request, &RESCAN) else { return 0 };
        self.metrics.spans_received.inc_by(u64::try_from(scanned.len()).unwrap_or(u64::MAX));
        self.meter.run(&scanned);
        scanned.len()
    }
}

fn invalid(error: tollgate_otlp::ScanError) -> Refusal {
    match error {
        tollgate_otlp::ScanError::TooLarge { limit, .. } => Refusal::TooLarge { limit },
        other => Refusal::Invalid(format!("the body is not an OTLP request: {other}")),
    }
}
