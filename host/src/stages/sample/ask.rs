//! Traces to columns, and the sampler's verdicts back.

use super::assembly::Trace;
use super::decisions::{Decision, Rule};
use crate::stages::plugin::{Failure, Sampler};
use tollgate_columns::{TraceRow, Traces, Verdicts};
use tollgate_otlp::{Reads, TraceRequest};
use tollgate_sampler::head::{self, Ratio};

/// The sampler's verdicts, one a trace. `now` is the time in nanoseconds since 1970.
///
/// # Errors
/// The sampler failed, or its verdicts break the rules.
pub(crate) fn ask(sampler: &dyn Sampler, reads: &Reads, traces: &[Trace], now: u64) -> Result<Vec<Decision>, Failure> {
    let mut scanned = Vec::new();
    let mut given = Traces { now, ..Traces::default() };
    let mut end = 0;
    for trace in traces {
        let start = end;
        for fragment in &trace.fragments {
            let request = TraceRequest::rescan(&fragment.bytes)
                .map_err(|error| Failure { kind: "unreadable", message: error.to_string() })?;
            end += u32::try_from(request.len()).unwrap_or(u32::MAX);
            scanned.push(request);
        }
        let randomness = randomness(trace);
        given.push(&TraceRow {
            id: trace.id,
            spans: start..end,
            randomness,
            threshold: if randomness >= trace.threshold { trace.threshold } else { 0 },
            bytes: trace.bytes,
            progress: trace.progress,
        });
    }
    given.spans = reads.project(scanned.iter().flat_map(TraceRequest::spans));
    let of_traces = given.randomness.clone();
    let verdicts = sampler.decide(given)?;
    verdicts
        .check(&of_traces, sampler.manifest().rules.len())
        .map_err(|error| Failure { kind: "malformed", message: error.to_string() })?;
    let columns = verdicts.keep.iter().zip(&verdicts.rules).zip(&verdicts.thresholds);
    Ok(columns
        .map(|((&keep, &rule), &threshold)| Decision {
            keep: keep == 1,
            rule: Rule::Declared(rule),
            ratio: (threshold != Verdicts::UNKNOWN).then(|| Ratio::at(threshold)),
        })
        .collect())
}

/// What decides about a trace where probability does.
pub(super) fn randomness(trace: &Trace) -> u64 {
    trace.randomness.unwrap_or_else(|| head::randomness(trace.id))
}
