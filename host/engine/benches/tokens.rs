//! What reading an answer costs, native and in wasm, each against parsing every event with `serde_json` in the same
//! seat. Run with `cargo xtask bench tokens`; it needs the module that this makes of `tests/bench/tokens`.
//!
//! All four run in turns over the same bytes, so that a loaded machine slows all; the best round of each counts, which
//! is the one that was disturbed least.

#![allow(clippy::unwrap_used, clippy::cast_precision_loss, reason = "a benchmark may end at the first surprise")]

use std::path::PathBuf;
use std::time::{Duration, Instant};
use tollgate_bench_tokens::{Case, Reader, cases, read};
use wasmtime::{Engine, Instance, Module, Store, TypedFunc};

const ROUNDS: usize = 41;
/// Readings of a case in a round.
const TIMES: u32 = 20;

fn main() {
    let Some(module) = std::env::var_os("TOLLGATE_BENCH_TOKENS").map(PathBuf::from) else {
        println!("TOLLGATE_BENCH_TOKENS does not name the module; `cargo xtask bench tokens` does");
        return;
    };
    let mut guest = Guest::new(&module);
    println!("ns an event, best of {ROUNDS} rounds; the peer parses each event with serde_json to a Value");
    println!(
        "{:<44} {:>7} {:>6} | {:>7} {:>7} {:>8} {:>6} | {:>7} {:>7} {:>8} {:>6}",
        "", "bytes/e", "events", "native", "MB/s", "serde", "ratio", "wasm", "MB/s", "serde", "ratio"
    );
    for (number, case) in cases().iter().enumerate() {
        let mut best = [Duration::MAX; 4];
        for _ in 0..ROUNDS {
            let mut round = [
                timed(|| read(case, Reader::Tollgate, TIMES)),
                timed(|| read(case, Reader::Serde, TIMES)),
                timed(|| guest.read(number, Reader::Tollgate)),
                timed(|| guest.read(number, Reader::Serde)),
            ];
            best.iter_mut().zip(&mut round).for_each(|(best, time)| *best = (*best).min(*time));
        }
        print(case, best.map(|time| time / TIMES));
    }
}

fn print(case: &Case, [native, native_peer, wasm, wasm_peer]: [Duration; 4]) {
    let event = |time: Duration| time.as_secs_f64() * 1e9 / case.events() as f64;
    let rate = |time: Duration| case.body.len() as f64 / time.as_secs_f64() / 1e6;
    let seat = |ours: Duration, peer: Duration| {
        let ratio = peer.as_secs_f64() / ours.as_secs_f64();
        format!("{:>7.0} {:>7.0} {:>8.0} {ratio:>5.1}x", event(ours), rate(ours), event(peer))
    };
    let bytes = case.body.len() / case.events();
    println!(
        "{:<44} {bytes:>7} {:>6} | {} | {}",
        case.name,
        case.events(),
        seat(native, native_peer),
        seat(wasm, wasm_peer)
    );
}

fn timed(work: impl FnOnce() -> u64) -> Duration {
    let start = Instant::now();
    assert!(std::hint::black_box(work()) > 0);
    start.elapsed()
}

/// The module, in the engine that the host uses.
struct Guest {
    store: Store<()>,
    read: TypedFunc<(u32, u32, u32), u64>,
}

impl Guest {
    fn new(path: &PathBuf) -> Self {
        let engine = Engine::default();
        let module = Module::new(&engine, std::fs::read(path).unwrap()).unwrap();
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        let read = instance.get_typed_func(&mut store, "read_case").unwrap();
        Self { store, read }
    }

    fn read(&mut self, case: usize, reader: Reader) -> u64 {
        let (case, peer) = (u32::try_from(case).unwrap(), u32::from(reader == Reader::Serde));
        self.read.call(&mut self.store, (case, peer, TIMES)).unwrap()
    }
}
