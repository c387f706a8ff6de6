//! What pricing a call costs, native and in wasm. Run with `cargo xtask bench prices`; it needs the module that this makes
//! of `tests/bench/prices`.
//!
//! Both run in turns, so that a loaded machine slows both; the best round of each counts.

#![allow(clippy::unwrap_used, reason = "a benchmark may end at the first surprise")]

use std::time::{Duration, Instant};
use tollgate_bench_prices::{CALLS, price};
use wasmtime::{Engine, Instance, Module, Store};

const ROUNDS: usize = 101;
/// Calls of a kind in a round.
const TIMES: u32 = 2_000;

fn main() {
    let Some(module) = std::env::var_os("TOLLGATE_BENCH_PRICES") else {
        println!("TOLLGATE_BENCH_PRICES does not name the module; `cargo xtask bench prices` does");
        return;
    };
    let engine = Engine::default();
    let module = Module::new(&engine, std::fs::read(module).unwrap()).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let guest = instance.get_typed_func::<(u32, u32), u64>(&mut store, "price_call").unwrap();
    println!("ns a call with the whole set, best of {ROUNDS} rounds");
    println!("{:<64} {:>8} {:>8} {:>7}", "", "native", "wasm", "ratio");
    for (number, (provider, model)) in CALLS.iter().enumerate() {
        let mut best = [Duration::MAX; 2];
        for _ in 0..ROUNDS {
            let mut round = [
                timed(|| price(number, TIMES)),
                timed(|| guest.call(&mut store, (u32::try_from(number).unwrap(), TIMES)).unwrap()),
            ];
            best.iter_mut().zip(&mut round).for_each(|(best, time)| *best = (*best).min(*time));
        }
        let [native, wasm] = best.map(|time| time.as_secs_f64() * 1e9 / f64::from(TIMES));
        println!("{:<64} {native:>8.0} {wasm:>8.0} {:>6.1}x", format!("{provider} {model}"), wasm / native);
    }
}

fn timed(work: impl FnOnce() -> u64) -> Duration {
    let start = Instant::now();
    assert!(std::hint::black_box(work()) > 0);
    start.elapsed()
}
