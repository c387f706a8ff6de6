//! Any text as a configuration, and a trace decided by it where it is one. Run with
//! `cargo +nightly fuzz run configure`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tollgate_columns::{Edits, Progress, TraceRow, Traces};
use tollgate_sampler::Sampler;

fuzz_target!(|text: &str| {
    let Ok(mut sampler) = Sampler::configure(text) else { return };
    let manifest = sampler.manifest();
    let mut edits = Edits::new(2);
    for number in 0..manifest.reads.len() as u16 {
        match number % 3 {
            0 => edits.text(0, number, "error"),
            1 => edits.integer(1, number, 1),
            _ => edits.real(0, number, 0.5),
        }
    }
    let mut traces = Traces { now: 1 << 60, spans: edits.finish(), ..Traces::default() };
    for (randomness, spans) in [(0, 0..1), ((1 << 56) - 1, 1..2)] {
        traces.push(&TraceRow { id: [1; 16], spans, randomness, threshold: 0, bytes: 9, progress: Progress::Root });
    }
    let verdicts = sampler.decide(&traces);
    assert_eq!(verdicts.check(&traces.randomness, manifest.rules.len()), Ok(()));
});
