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
use crate::stages::sample::{Assembly, Bounds, Decision, Trace, ask, fragments};
use bytes::Bytes;
use serde_json::{Value, json};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tollgate_columns::{SamplerManifest, Traces, Verdicts};
use tollgate_otlp::{Limits, Reads, TraceRequest};

/// What may wait for the end of the input; past it the oldest traces are decided early.
const BOUNDS: Bounds = Bounds { wait: Duration::MAX, traces: 1_000_000, bytes: 1 << 30 };
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
    let mut assembly = Assembly::new(BOUNDS);
    lines::each_then(
        &input.file,
        &mut assembly,
        |assembly, line| {
            add(assembly, line)?;
            let excess = assembly.excess();
            excess.chunks(TRACES_A_CALL).try_fold(Vec::new(), |mut answers, traces| {
                answers.extend(verdicts(&sampler, &reads, traces)?);
                Ok(answers)
            })
        },
        |assembly| {
            let traces = assembly.flush(TRACES_A_CALL);
            if traces.is_empty() { None } else { Some(verdicts(&sampler, &reads, &traces)) }
        },
    )
}

fn add(assembly: &mut Assembly, line: &Object) -> Result<(), String> {
    let json = serde_json::to_vec(line).map_err(|error| error.to_string())?;
    let request = to_protobuf(Signal::Traces, &json).map_err(|refusal| refusal.to_string())?;
    let limits = Limits { bytes: usize::MAX, ..Limits::default() };
    let scanned = TraceRequest::scan(&request, &limits).map_err(|error| error.to_string())?;
    if scanned.refused() > 0 {
        return Err(format!("{} spans have no trace id or span id that is one", scanned.refused()));
    }
    let now = Instant::now();
    for (id, fragment) in fragments(&Bytes::from(request), &Receipt::default()) {
        assembly.add(id, fragment, now);
    }
    Ok(())
}

fn verdicts(sampler: &Alone, reads: &Reads, traces: &[Trace]) -> Result<Vec<Value>, String> {
    let decisions = ask(sampler, reads, traces).map_err(|failure| failure.to_string())?;
    Ok(traces.iter().zip(decisions).map(|(trace, decision)| verdict(sampler, trace, decision)).collect())
}

fn verdict(sampler: &Alone, trace: &Trace, decision: Decision) -> Value {
    let id = hexadecimal(&trace.id);
    let rules = &sampler.manifest.rules;
    let rule = decision.rule.and_then(|rule| rules.get(usize::from(rule)));
    json!({ "trace_id": id, "keep": decision.keep, "rule": rule, "probability": decision.probability })
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
