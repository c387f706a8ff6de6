//! `tollgate sample`: OTLP/JSON trace lines in, one verdict a trace out.
//!
//! A trace may be spread over lines, so verdicts come when all lines have been read; traces are in the order of their
//! first spans.

use super::component::Input;
use super::lines::{self, Object};
use crate::receivers::{Signal, to_protobuf};
use crate::stages::cost::hexadecimal;
use crate::stages::log::Receipt;
use crate::stages::plugin::{Failure, Sampler};
use crate::stages::sample::{Assembly, Bounds, Decision, Rule, Trace, ask, fragments};
use bytes::Bytes;
use serde_json::{Value, json};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};
use tollgate_columns::{SamplerManifest, Traces, Verdicts};
use tollgate_otlp::{Limits, Reads, TraceRequest};
use tollgate_sampler::head::Ratio;

/// What may wait for the end of the input; past it the oldest traces are decided early.
const BOUNDS: Bounds =
    Bounds { wait: DAY, wait_complete: DAY, wait_open: DAY, traces: 1_000_000, bytes: 1 << 30, trace_bytes: u64::MAX };
/// Nothing is due before the input has ended.
const DAY: Duration = Duration::from_secs(86_400);
/// Traces that are decided in one call.
const TRACES_A_CALL: usize = 512;

pub(super) fn sample(input: &Input) -> ExitCode {
    let opened = input.load("sampler.wasm").and_then(|plugin| {
        let config = input.config("{}")?;
        let sampler = plugin.sampler(&config).map_err(|error| error.to_string())?;
        let reads = Reads::compile(&sampler.manifest().reads).map_err(|error| error.to_string())?;
        Ok((sampler, reads))
    });
    let (sampler, reads) = match opened {
        Ok(opened) => opened,
        Err(error) => return super::fail(error),
    };
    let sampler = Alone { manifest: sampler.manifest().clone(), sampler: Mutex::new(sampler) };
    let mut input_so_far = Waiting { assembly: Assembly::new(BOUNDS), start: Instant::now(), arrived: 0 };
    lines::each_then(
        &input.file,
        &mut input_so_far,
        |waiting, line| {
            waiting.add(line)?;
            let early = waiting.take(|assembly| assembly.excess().map(|(trace, _)| trace));
            verdicts(&sampler, &reads, &early)
        },
        |waiting| {
            let traces = waiting.take(Assembly::first);
            if traces.is_empty() { None } else { Some(verdicts(&sampler, &reads, &traces)) }
        },
    )
}

/// What waits for the end of the input.
struct Waiting {
    assembly: Assembly,
    start: Instant,
    arrived: u64,
}

impl Waiting {
    fn add(&mut self, line: &Object) -> Result<(), String> {
        let json = serde_json::to_vec(line).map_err(|error| error.to_string())?;
        let request = to_protobuf(Signal::Traces, &json).map_err(|refusal| refusal.to_string())?;
        let limits = Limits { bytes: usize::MAX, ..Limits::default() };
        let scanned = TraceRequest::scan(&request, &limits).map_err(|error| error.to_string())?;
        if scanned.refused() > 0 {
            return Err(format!("{} spans have no trace id or span id that is one", scanned.refused()));
        }
        for arrival in fragments(&Bytes::from(request), &Receipt::default()) {
            // Each comes a little later than the one before, so that traces stay in the order of their first spans.
            self.arrived += 1;
            self.assembly.add(arrival, self.start + Duration::from_nanos(self.arrived));
        }
        Ok(())
    }

    /// Takes traces for one call.
    fn take(&mut self, mut next: impl FnMut(&mut Assembly) -> Option<Trace>) -> Vec<Trace> {
        let mut traces = Vec::new();
        while traces.len() < TRACES_A_CALL
            && let Some(trace) = next(&mut self.assembly)
        {
            self.assembly.release(&trace);
            traces.push(trace);
        }
        traces
    }
}

fn verdicts(sampler: &Alone, reads: &Reads, traces: &[Trace]) -> Result<Vec<Value>, String> {
    if traces.is_empty() {
        return Ok(Vec::new());
    }
    // All of a call is decided at one moment: limits let through what they would at once.
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let now = u64::try_from(since.as_nanos()).unwrap_or(u64::MAX);
    let decisions = ask(sampler, reads, traces, now).map_err(|failure| failure.to_string())?;
    Ok(traces.iter().zip(decisions).map(|(trace, decision)| verdict(sampler, trace, decision)).collect())
}

fn verdict(sampler: &Alone, trace: &Trace, decision: Decision) -> Value {
    let id = hexadecimal(&trace.id);
    let rule = match decision.rule {
        Rule::Declared(rule) => sampler.manifest.rules.get(usize::from(rule)),
        Rule::SamplerFailed | Rule::StressRelief | Rule::Earlier => None,
    };
    let probability = decision.ratio.map(Ratio::probability);
    let threshold = decision.ratio.and_then(Ratio::th);
    json!({ "trace_id": id, "keep": decision.keep, "rule": rule, "probability": probability, "th": threshold })
}

/// The one instance of a file command.
struct Alone {
    manifest: SamplerManifest,
    sampler: Mutex<tollgate_engine::Sampler>,
}

impl Sampler for Alone {
    fn manifest(&self) -> &SamplerManifest {
        &self.manifest
    }

    fn decide(&self, traces: Traces) -> Result<Verdicts, Failure> {
        self.sampler.lock().unwrap_or_else(PoisonError::into_inner).decide(traces).map_err(Failure::from)
    }
}
